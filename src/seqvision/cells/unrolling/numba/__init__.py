"""Loops over time as kernels for CPU: here what JAX traces, in `kernels` what numba compiles and XLA calls."""
