"""What everything stands on: errors, units of time and rate, random numbers, threads, where
compiled kernels are cached."""
