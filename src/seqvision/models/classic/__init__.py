"""Networks for images that have a name; those names are in `seqvision.models`."""
