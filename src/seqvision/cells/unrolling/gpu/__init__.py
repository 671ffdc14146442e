"""Loops over time as kernels for NVIDIA GPUs."""
