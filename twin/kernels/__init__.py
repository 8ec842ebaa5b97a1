"""Compiled kernels: arrays in, arrays out; the only files besides draws (and `twin.compiled`) that import numba."""

from twin import compiled  # noqa: F401 (before anything is compiled)
