"""Random numbers as pure functions of (seed, replicate, stream, entity, occasion, draw): no generator, no state.

Philox4x32-10 (Salmon et al., SC 2011; known-answer vectors of Random123 in tests/unit/test_draws.py):

    key     = blake2b-64("seed:replicate:stream")           one stream per decision, by explicit name
    counter = (entity low 32 bits, entity high 32 bits, occasion, draw)

gives four words of 32 bits; a uniform is (word + 1/2) / 2^32, never 0 or 1. Normals are Box-Muller, everything else is an
inverse CDF: no rejection, so nobody's luck depends on how many numbers another decision took.

Entities carry 64-bit keys by ancestry: `child` mixes a parent's key with a count (a creator's n-th post), so that after a
fork the same person meets the same luck whatever else changed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

MASK = np.uint64(0xFFFFFFFF)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_32 = np.uint64(32)
_SCALE = 2.0**-32


@nb.njit(inline="always")
def philox(k0, k1, c0, c1, c2, c3):
    """Philox4x32-10: two key words and four counter words (uint64 holding 32 bits) to four words."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = ((p1 >> _32) ^ c1 ^ k0) & MASK, p1 & MASK, ((p0 >> _32) ^ c3 ^ k1) & MASK, p0 & MASK
        k0 = (k0 + _W0) & MASK
        k1 = (k1 + _W1) & MASK
    return c0, c1, c2, c3


@nb.njit(inline="always")
def unit(word):
    """A 32-bit word as a float64 in (0, 1), both ends excluded."""
    return (np.float64(word) + 0.5) * _SCALE


@nb.njit(inline="always")
def words(stream, entity, occasion, draw):
    """Four words for one decision: ``stream`` and ``entity`` are 64-bit keys, ``occasion`` and ``draw`` 32-bit counts."""
    return philox(stream & MASK, stream >> _32, entity & MASK, entity >> _32, np.uint64(occasion) & MASK,
                  np.uint64(draw) & MASK)


@nb.njit(inline="always")
def mix64(x):
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection of 64 bits that spreads every bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@nb.njit(inline="always")
def child(parent, count):
    """Key of a parent's ``count``-th child."""
    return mix64(parent + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(count) + np.uint64(1)))


@nb.njit(cache=True)
def _uniforms(stream, keys, occasion, draw, out):
    for i in range(len(keys)):
        c0, c1, c2, c3 = words(stream, keys[i], occasion[i % len(occasion)], draw)
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = unit(c0), unit(c1), unit(c2), unit(c3)


@nb.njit(cache=True)
def _children(parents, counts, out):
    for i in range(len(parents)):
        out[i] = child(parents[i], counts[i])


def children(parents: NDArray[np.uint64], counts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Keys of the parents' ``counts``-th children, elementwise."""
    out = np.empty(len(parents), np.uint64)
    _children(np.ascontiguousarray(parents, np.uint64), np.ascontiguousarray(counts, np.int64), out)
    return out


class Draws:
    """The random numbers of one run. A stream's name may be claimed once: two decisions never share luck."""

    def __init__(self, seed: int, replicate: int) -> None:
        self.seed, self.replicate = seed, replicate
        self._streams: dict[str, np.uint64] = {}

    def stream(self, name: str) -> np.uint64:
        """The 64-bit key of a named decision (the same name always gives the same key)."""
        if name not in self._streams:
            text = f"{self.seed}:{self.replicate}:{name}".encode()
            self._streams[name] = np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little"))
        return self._streams[name]

    def uniforms(self, name: str, keys: NDArray[np.uint64], occasion: int | NDArray[Any] = 0,
                 draw: int = 0) -> NDArray[np.float64]:
        """Uniforms (n, 4) in (0, 1), one row per key."""
        out = np.empty((len(keys), 4))
        if len(keys):
            _uniforms(self.stream(name), np.ascontiguousarray(keys, np.uint64),
                      np.atleast_1d(np.asarray(occasion, np.int64)), draw, out)
        return out

    def normals(self, name: str, keys: NDArray[np.uint64], count: int,
                occasion: int | NDArray[Any] = 0) -> NDArray[np.float64]:
        """Standard normals (n, count) by Box-Muller."""
        out = np.empty((len(keys), count + count % 4 + 4))
        for first in range(0, count, 4):
            u = self.uniforms(name, keys, occasion, draw=first // 4)
            radius, angle = np.sqrt(-2 * np.log(u[:, 0::2])), 2 * np.pi * u[:, 1::2]
            out[:, first:first + 2] = radius * np.cos(angle)
            out[:, first + 2:first + 4] = radius * np.sin(angle)
        return out[:, :count]
