"""What convolutional networks are built of; the names are in `seqvision.models`."""
