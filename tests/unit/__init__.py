"""Functions, kernels and single mechanisms: no simulated world, no process, no address."""
