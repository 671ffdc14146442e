"""What numba compiles: the loops over time, and the handler by which XLA calls them."""
