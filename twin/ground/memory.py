"""How this process gives memory back: large arrays return to the system as soon as they are
freed.

glibc keeps freed blocks of up to 32 MB for later use once it has seen a few of that size. A world
of a million people works with temporary arrays of just that size, and would stay much larger
than its live data.
"""

from __future__ import annotations

import ctypes

LARGE = 2**20
"""Bytes from which an array is mapped by itself."""
_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of malloc.h."""


def give_back() -> bool:
    """Have every block of LARGE bytes or more returned once it is freed; returns whether the C
    library supports it (glibc)."""
    # None: this process, with the symbols of the C library that it has loaded
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_MMAP_THRESHOLD, LARGE))
