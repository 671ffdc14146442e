"""Pictures: files and Pillow images to arrays and back, the known data sets, labels, and pixels scaled."""
