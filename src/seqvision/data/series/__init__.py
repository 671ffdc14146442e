"""Series and the files that hold them."""
