"""Random changes of a batch of images, on the device: `Augment` draws them, each change is a file's subject."""
