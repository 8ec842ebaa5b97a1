"""How this process gives memory back: large arrays return to the system as soon as nobody holds
them.

glibc keeps freed blocks of up to 32 MB for later use once it has seen a few of that size. A world
of a million people works with temporary arrays of just that size, and would stay much larger than
what it holds.
"""

from __future__ import annotations

import ctypes

LARGE = 2**20
"""Bytes from which an array is mapped by itself."""
_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of malloc.h."""


def give_back() -> bool:
    """Have every block of LARGE bytes or more returned once it is freed; tells whether the C
    library can (glibc)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_MMAP_THRESHOLD, LARGE))
