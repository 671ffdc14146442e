"""Random changes of a batch of images, on the device."""
