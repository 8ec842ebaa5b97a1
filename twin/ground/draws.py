"""Random numbers as pure functions of (seed, replicate, stream, entity, occasion, draw): no
generator, no state.

Philox4x32-10 (Salmon et al., SC 2011; known-answer vectors of Random123 in
tests/unit/test_draws.py):

    key     = blake2b-64("seed:replicate:stream")           one stream per decision, by explicit
            name
    counter = (entity low 32 bits, entity high 32 bits, occasion, draw)

gives four words of 32 bits; a uniform is (word + 1/2) / 2^32, never 0 or 1. Normals are Box-Muller,
everything else is an inverse CDF: no rejection, so no decision's numbers depend on how many
another decision took.

Entities carry 64-bit keys by ancestry: `child` mixes a parent's key with a count (a creator's n-th
post), so that after a fork the same person draws the same numbers whatever else changed.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.compiled import inlined, kernel

MASK = np.uint64(0xFFFFFFFF)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_32 = np.uint64(32)
_SCALE = 2.0**-32
Decisions = tuple[tuple[str, int], ...]
"""Names of decisions, each with how many normals it takes."""


@inlined
def philox(k0, k1, c0, c1, c2, c3):
    """Philox4x32-10: two key words and four counter words (uint64 holding 32 bits) to four
    words."""
    for _ in range(10):
        # the product of two 32-bit numbers fits into 64 bits; its halves are mixed apart
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (
            ((p1 >> _32) ^ c1 ^ k0) & MASK,
            p1 & MASK,
            ((p0 >> _32) ^ c3 ^ k1) & MASK,
            p0 & MASK,
        )
        k0 = (k0 + _W0) & MASK
        k1 = (k1 + _W1) & MASK
    return c0, c1, c2, c3


@inlined
def unit(word):
    """A 32-bit word as a float64 in (0, 1), both ends excluded."""
    return (np.float64(word) + 0.5) * _SCALE


@inlined
def words(stream, entity, occasion, draw):
    """Four words for one decision: ``stream`` and ``entity`` are 64-bit keys, ``occasion`` and
    ``draw`` 32-bit counts."""
    return philox(
        stream & MASK,
        stream >> _32,
        entity & MASK,
        entity >> _32,
        np.uint64(occasion) & MASK,
        np.uint64(draw) & MASK,
    )


@inlined
def mix64(x):
    """SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection of 64 bits that spreads every
    bit."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@inlined
def child(parent, count):
    """Key of a parent's ``count``-th child."""
    # one more than the count: the first child is not merely the parent mixed
    return mix64(parent + np.uint64(0x9E3779B97F4A7C15) * (np.uint64(count) + np.uint64(1)))


@kernel
def _uniforms(stream, keys, occasion, draw, out):
    """Fill out (4 blocks, n), block by block: draws ``draw``, ``draw`` + 1, ... One occasion for
    all has a loop that vectorises."""
    for block in range(len(out) // 4):
        one, two, three, four = (
            out[4 * block],
            out[4 * block + 1],
            out[4 * block + 2],
            out[4 * block + 3],
        )
        if len(occasion) == 1:
            when = occasion[0]
            for i in range(len(keys)):
                c0, c1, c2, c3 = words(stream, keys[i], when, draw + block)
                one[i], two[i], three[i], four[i] = unit(c0), unit(c1), unit(c2), unit(c3)
        else:
            for i in range(len(keys)):
                c0, c1, c2, c3 = words(stream, keys[i], occasion[i], draw + block)
                one[i], two[i], three[i], four[i] = unit(c0), unit(c1), unit(c2), unit(c3)


@kernel
def _waves(streams, draws, keys, occasion, radii, angles):
    """Uniforms of Box-Muller, f8 (2 blocks, n) each: of every block two radii and two angles."""
    for block in range(len(streams)):
        for i in range(len(keys)):
            a, b, c, d = words(
                streams[block], keys[i], occasion[i if len(occasion) > 1 else 0], draws[block]
            )
            radii[2 * block, i], radii[2 * block + 1, i] = unit(a), unit(c)
            angles[2 * block, i], angles[2 * block + 1, i] = unit(b), unit(d)


@inlined
def wave(radius, cosine, sine, place, i):
    """The normal in column ``place`` of entry i, from what `Draws.waves` gives."""
    at = 2 * (place // 4) + place % 2
    return radius[at, i] * (cosine[at, i] if place % 4 < 2 else sine[at, i])


@kernel
def _children(parents, counts, out):
    for i in range(len(parents)):
        out[i] = child(parents[i], counts[i])


def children(parents: NDArray[np.uint64], counts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Keys of the parents' ``counts``-th children, elementwise."""
    out = np.empty(len(parents), np.uint64)
    _children(np.ascontiguousarray(parents, np.uint64), np.ascontiguousarray(counts, np.int64), out)
    return out


class Draws:
    """The random numbers of one run. Two decisions never share a stream."""

    def __init__(self, seed: int, replicate: int) -> None:
        self.seed, self.replicate = seed, replicate
        self._streams: dict[str, np.uint64] = {}
        self._blocks_of: dict[
            tuple[str, Decisions], tuple[NDArray[np.uint64], NDArray[np.int64]]
        ] = {}

    def stream(self, name: str) -> np.uint64:
        """The 64-bit key of a named decision (the same name always gives the same key)."""
        if name not in self._streams:
            # blake2b: Python's own hash of a text differs from process to process
            text = f"{self.seed}:{self.replicate}:{name}".encode()
            self._streams[name] = np.uint64(
                int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
            )
        return self._streams[name]

    def _blocks(
        self,
        name: str,
        keys: NDArray[np.uint64],
        occasion: int | NDArray[Any],
        draw: int,
        blocks: int,
    ) -> NDArray[np.float64]:
        out = np.empty((4 * blocks, len(keys)))
        if len(keys):
            _uniforms(
                self.stream(name),
                np.ascontiguousarray(keys, np.uint64),
                np.array(occasion, np.int64, ndmin=1),
                draw,
                out,
            )
        return out

    def uniforms(
        self, name: str, keys: NDArray[np.uint64], occasion: int | NDArray[Any] = 0, draw: int = 0
    ) -> NDArray[np.float64]:
        """Uniforms (n, 4) in (0, 1), one row per key; each column lies in one piece."""
        return self._blocks(name, keys, occasion, draw, 1).T

    def normals(
        self, name: str, keys: NDArray[np.uint64], count: int, occasion: int | NDArray[Any] = 0
    ) -> NDArray[np.float64]:
        """Standard normals (n, count) by Box-Muller: of the four uniforms of a draw, two radii and
        two angles, first both cosines."""
        if count == 1:
            return self.normal(name, keys, 0, occasion)[:, None]
        blocks = -(-count // 4)
        u = self._blocks(name, keys, occasion, 0, blocks).reshape(blocks, 4, len(keys))
        radius, angle = np.sqrt(-2 * np.log(u[:, 0::2])), 2 * np.pi * u[:, 1::2]
        out = np.empty((len(keys), blocks, 4))
        # the parts are computed by column and written through a view: rows of the result are keys
        view = out.transpose(1, 2, 0)
        np.multiply(radius, np.cos(angle), out=view[:, :2])
        np.multiply(radius, np.sin(angle), out=view[:, 2:])
        return out.reshape(len(keys), 4 * blocks)[:, :count]

    def waves(
        self,
        owner: str,
        decisions: Decisions,
        keys: NDArray[np.uint64],
        occasion: int | NDArray[Any] = 0,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The normals of several decisions of one owner for the same entities, not yet multiplied.

        Returns radii, cosines and sines f8 (2 blocks, n) for `wave`; each decision begins at a
        column that is a multiple of four. The bits are those of `normals`, with one logarithm,
        cosine and sine of all.
        """
        if (owner, decisions) not in self._blocks_of:
            counts = [-(-count // 4) for _, count in decisions]
            streams = np.array([self.stream(f"{owner}.{name}") for name, _ in decisions], np.uint64)
            # blocks of each decision count from 0, as those of `normals` do
            numbers = np.concatenate([np.arange(count) for count in counts])
            self._blocks_of[owner, decisions] = np.repeat(streams, counts), numbers
        streams, draws = self._blocks_of[owner, decisions]
        radius, angle = np.empty((2, 2 * len(streams), len(keys)))
        when = np.array(occasion, np.int64, ndmin=1)
        _waves(streams, draws, np.ascontiguousarray(keys, np.uint64), when, radius, angle)
        # in place, and in the order of `normals`: the bits agree
        np.log(radius, out=radius)
        np.multiply(radius, -2, out=radius)
        np.sqrt(radius, out=radius)
        np.multiply(angle, 2 * np.pi, out=angle)
        return radius, np.cos(angle), np.sin(angle)

    def normal(
        self, name: str, keys: NDArray[np.uint64], place: int, occasion: int | NDArray[Any] = 0
    ) -> NDArray[np.float64]:
        """One column of `normals` (n,), without the cost of the others."""
        u, part = self._blocks(name, keys, occasion, place // 4, 1), place % 2
        wave = np.cos if place % 4 < 2 else np.sin
        one: NDArray[np.float64] = np.sqrt(-2 * np.log(u[2 * part])) * wave(
            2 * np.pi * u[2 * part + 1]
        )
        return one
