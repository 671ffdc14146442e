"""Pictures and the files that hold them."""
