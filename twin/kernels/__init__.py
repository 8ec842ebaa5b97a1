"""Compiled kernels: arrays in, arrays out; the only files besides draws that import numba."""
