"""The registered field experiments, one file each: e01 to e12, and the reserves r1 to r4."""
