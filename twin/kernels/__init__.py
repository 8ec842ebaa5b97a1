"""Compiled kernels: arrays in, arrays out; with draws the only files that numba compiles (see
`twin.ground.compiled`)."""
