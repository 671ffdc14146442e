"""Loops over time as kernels for CPU, compiled by numba and called by XLA."""
