"""Embedding tables keyed by raw 64-bit IDs: ``hash`` (fixed slots, collisions shared) and ``collisionless`` (a cuckoo map).

A row is dim floats and a bias. It starts from its (first) ID alone, so a wide enough hash table trains bit for bit like a
collisionless one. ``collisionless`` follows Monolith (Liu et al. 2022): an ID gets a row after ``admission`` sightings and loses it
when it has not been seen for ``expire_after_s``; rows of expired IDs are recycled. All state is arrays in the World.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels import tables as kernel

Arrays = MutableMapping[str, NDArray[Any]]
FIRST = 64


class EmbeddingTable:
    """One table over the arrays ``table.<name>.*`` of ``keep``."""

    def __init__(self, keep: Arrays, name: str, *, kind: str, dim: int, size: int, salt: int = 0, init_scale: float = 0.3,
                 admission: int = 1, expire_after_s: int = 0) -> None:
        self.keep, self.prefix = keep, f"table.{name}."
        self.kind, self.dim, self.size, self.salt = kind, dim, size, salt
        self.init_scale, self.admission, self.expire_after_s = init_scale, admission, expire_after_s

    def _get(self, name: str) -> NDArray[Any]:
        return self.keep[self.prefix + name]

    def _set(self, name: str, array: NDArray[Any]) -> None:
        self.keep[self.prefix + name] = array

    def setup(self) -> None:
        """Empty table."""
        rows = self.size if self.kind == "hash" else FIRST
        self._set("E", np.zeros((rows, self.dim + 1), np.float32))
        self._set("G", np.zeros((rows, 2), np.float32))
        self._set("born", np.zeros(rows, bool))
        self._set("seen", np.zeros(rows, np.int64))
        if self.kind == "collisionless":
            self._set("key", np.zeros(FIRST * 2, np.uint64))
            self._set("row", np.full(FIRST * 2, -1, np.int32))
            self._set("free", np.zeros(0, np.int32))
            self._set("next", np.zeros(1, np.int64))
            self._set("doorway.key", np.zeros(0, np.uint64))
            self._set("doorway.count", np.zeros(0, np.int64))
            self._set("doorway.seen", np.zeros(0, np.int64))

    @property
    def E(self) -> NDArray[np.float32]:
        """Embeddings (rows, dim + 1), bias last."""
        return self._get("E")

    @property
    def G(self) -> NDArray[np.float32]:
        """Adagrad accumulators (rows, 2)."""
        return self._get("G")

    def rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Row of every key, -1 where it has none; nothing changes."""
        out = np.empty(len(keys), np.int32)
        if self.kind == "hash":
            kernel.hash_rows(keys, self.salt, self.size, out)
            return np.where(self._get("born")[out], out, -1).astype(np.int32)
        kernel.find_all(keys, self._get("key"), self._get("row"), out)
        return out

    def learn(self, keys: NDArray[np.uint64], sightings: NDArray[np.int64], now: int) -> NDArray[np.int32]:
        """Rows of distinct keys that were seen ``sightings`` times: unseen IDs are given one, if enough was seen of them."""
        if self.kind == "hash":
            out = np.empty(len(keys), np.int32)
            kernel.hash_rows(keys, self.salt, self.size, out)
            fresh, first = np.unique(out, return_index=True)
            new = ~self._get("born")[fresh]
            self._begin(keys[first[new]], fresh[new])
        else:
            out = self.rows(keys)
            absent = np.flatnonzero(out < 0)
            chosen = absent[self._admitted(keys[absent], sightings[absent], now)]
            given = np.empty(len(chosen), np.int32)
            free = self._get("free")
            slot_key, slot_row, left, top = kernel.admit(keys[chosen], self._get("key"), self._get("row"), free, len(free),
                                                         int(self._get("next")[0]), given)
            self._set("key", slot_key)
            self._set("row", slot_row)
            self._set("free", free[:left].copy())
            self._get("next")[0] = top
            self._reserve(int(top))
            self._begin(keys[chosen], given)
            out[chosen] = given
        self._get("seen")[out[out >= 0]] = now
        return out

    def _admitted(self, keys: NDArray[np.uint64], sightings: NDArray[np.int64], now: int) -> NDArray[np.bool_]:
        """Which absent keys have been seen often enough; the others' sightings are kept at the doorway."""
        if self.admission <= 1:
            return np.ones(len(keys), bool)
        waiting, count, seen = self._get("doorway.key"), self._get("doorway.count"), self._get("doorway.seen")
        every = np.concatenate([waiting, keys])
        uniq, inverse = np.unique(every, return_inverse=True)
        total = np.bincount(inverse, weights=np.concatenate([count, sightings])).astype(np.int64)
        last = np.zeros(len(uniq), np.int64)
        np.maximum.at(last, inverse, np.concatenate([seen, np.full(len(keys), now)]))
        stay = total < self.admission
        self._set("doorway.key", uniq[stay])
        self._set("doorway.count", total[stay])
        self._set("doorway.seen", last[stay])
        return ~stay[inverse[len(waiting):]]

    def _begin(self, keys: NDArray[np.uint64], rows: NDArray[np.int32]) -> None:
        kernel.start_rows(keys, rows, self.E, self.init_scale)
        self.G[rows] = 0
        self._get("born")[rows] = True

    def _reserve(self, rows: int) -> None:
        have = len(self.E)
        if rows > have:
            size = max(rows, 2 * have)
            for name in ("E", "G", "born", "seen"):
                old = self._get(name)
                grown = np.zeros((size, *old.shape[1:]), old.dtype)
                grown[:have] = old
                self._set(name, grown)

    def expire(self, now: int) -> int:
        """Let go of IDs not seen for ``expire_after_s``; returns how many."""
        if self.kind == "hash" or not self.expire_after_s:
            return 0
        oldest = now - self.expire_after_s
        dead = self._get("born") & (self._get("seen") < oldest)
        kernel.drop(dead, self._get("row"))
        self._set("free", np.concatenate([self._get("free"), np.flatnonzero(dead).astype(np.int32)]))
        self._get("born")[dead] = False
        fresh = self._get("doorway.seen") >= oldest
        for name in ("key", "count", "seen"):
            self._set(f"doorway.{name}", self._get(f"doorway.{name}")[fresh])
        return int(dead.sum())

    def stats(self) -> dict[str, float]:
        """Rows in use, rows held, load, bytes of everything that belongs to the table."""
        used, held = int(self._get("born").sum()), len(self.E)
        size = sum(array.nbytes for name, array in self.keep.items() if name.startswith(self.prefix))
        return {"rows": used, "capacity": held, "load": used / held, "bytes": size}

    def _slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """How many of the given distinct IDs lie on each one's row."""
        out = np.empty(len(keys), np.int32)
        if self.kind != "hash" or not len(keys):
            return np.ones(len(keys), np.int64)
        kernel.hash_rows(keys, self.salt, self.size, out)
        _, inverse, count = np.unique(out, return_inverse=True, return_counts=True)
        return count[inverse]

    def sharing(self, keys: NDArray[np.uint64]) -> float:
        """Share of the given distinct IDs that share a row with another of them."""
        return float((self._slots(keys) > 1).mean()) if len(keys) else 0.0

    def traffic(self, keys: NDArray[np.uint64], weight: NDArray[np.float64]) -> float:
        """Share of traffic that falls on shared rows: sharing weighted by each ID's traffic."""
        total = float(weight.sum())
        return float(weight[self._slots(keys) > 1].sum() / total) if total > 0 else 0.0

