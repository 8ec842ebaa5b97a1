"""Embedding tables keyed by raw 64-bit IDs. A vector is dim floats and a bias; all state is arrays
in the World.

Tables of fixed size give each ID the rows that `slots` says. The other kind is

``collisionless``       a cuckoo map that grows (Monolith, Liu et al. 2022): an ID gets a row of its
                        own when it is admitted and loses it when it has not been seen for
                        ``expire_after_s``; rows of expired IDs are recycled

Admission of an ID that has been seen n more times (T = ``admission``): ``threshold`` when all its
sightings, these included, reach T (Monolith filters while the sightings *before* are fewer than its
own threshold, so that one is T - 1); ``unequal`` with P = min(1, n/T); ``equal`` with P = 1 -
0.05^(n/T), so that 95 % are in after T sightings however they come. The random draw is a
hash of the ID and the time.

A row of a one-row kind starts from its (first) ID alone, so a wide enough hash table trains bit for
bit like a collisionless one; rows of the other kinds are shared by design and start from their
place. An element of T_q starts about 1 where it multiplies.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import children
from twin.kernels import tables as kernel
from twin.mechanisms.recommender.slots import Slots, TableSpec
from twin.world.columns import lengthened, room_for

Arrays = MutableMapping[str, NDArray[Any]]
FIRST = 64
MISSED = 0.05
"""Share of IDs that ``equal`` admission leaves out after T sightings (Monolith,
probabilistic_filter.cc)."""


class EmbeddingTable(Slots):
    """One table over the arrays ``table.<name>.*`` of ``keep``."""

    def __init__(self, keep: Arrays, name: str, spec: TableSpec) -> None:
        super().__init__(spec)
        self.keep, self.name, self.prefix = keep, name, f"table.{name}."

    def _get(self, name: str) -> NDArray[Any]:
        return self.keep[self.prefix + name]

    def _set(self, name: str, array: NDArray[Any]) -> None:
        self.keep[self.prefix + name] = array

    def setup(self) -> None:
        """Empty table; the count of rows given and taken so far stays."""
        spec = self.spec
        rows = FIRST if spec.kind == "collisionless" else spec.size
        if spec.kind == "quotient_remainder":
            # Room for all quotients, rounded up
            rows += -(-spec.range // spec.size)
        self._set("E", np.zeros((rows, spec.dim + 1), np.float32))
        self._set("G", np.zeros((rows, 2), np.float32))
        self._set("born", np.zeros(rows, bool))
        self._set("seen", np.zeros(rows, np.int32))
        # Counts of the whole run outlive a fresh model
        self.keep.setdefault(f"turnover.{self.name}", np.zeros(2, np.int64))
        if spec.kind == "collisionless":
            # The cuckoo map: whole buckets, half full when all first rows are given
            self._set("key", np.zeros(FIRST * 2, np.uint64))
            self._set("row", np.full(FIRST * 2, -1, np.int32))
            self._set("free", np.zeros(0, np.int32))
            self._set("next", np.zeros(1, np.int64))
            # IDs that wait for admission, with their sightings so far and the last one
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

    @property
    def turnover(self) -> NDArray[np.int64]:
        """Rows given to IDs and rows taken back since the start (2,)."""
        return self.keep[f"turnover.{self.name}"]

    def rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Rows (n, 2) of every ID, -1 where it has none; nothing changes."""
        if self.spec.kind != "collisionless":
            out = self.slots(keys)
            # A row that was never begun counts as none; -1 looks at the last row, and is masked
            out[np.any(~self._get("born")[out] & (out >= 0), axis=1)] = -1
            return out
        out = np.full((len(keys), 2), -1, np.int32)
        out[:, 0] = self._first(keys)
        return out

    def _first(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The first of `rows`, in one piece."""
        if self.spec.kind != "collisionless":
            return np.ascontiguousarray(self.rows(keys)[:, 0])
        one = np.empty(len(keys), np.int32)
        kernel.find_all(
            np.ascontiguousarray(keys, np.uint64), self._get("key"), self._get("row"), one
        )
        return one

    def vectors(
        self, keys: NDArray[np.uint64], unknown: NDArray[np.float32] | float = 0
    ) -> NDArray[np.float32]:
        """Vectors (n, dim + 1) of IDs; one without a row gets ``unknown``."""
        rows = self.rows(keys)
        # -1 reads the last row, which ``unknown`` replaces below
        out: NDArray[np.float32] = self.E[rows[:, 0]]
        if self.spec.pairs:
            both, more = rows[:, 1] >= 0, self.E[rows[:, 1]]
            joined = out + more
            if self.spec.multiplies:
                # Vectors are multiplied, biases always added
                joined[:, :-1] = out[:, :-1] * more[:, :-1]
            out = np.where(both[:, None], joined, out)
        out[rows[:, 0] < 0] = unknown
        return out

    def copy(
        self,
        keys: NDArray[np.uint64],
        unknown: NDArray[np.float32],
        rows: NDArray[np.int64],
        served: kernel.Vectors,
        maker: NDArray[np.int32],
        makers: kernel.Vectors,
    ) -> None:
        """Write what `vectors` gives to where it is served, at ``rows``; where ``maker`` (n,) is
        not empty, plus what is served of each maker."""
        if self.spec.pairs:
            # Pairs are put together first; single rows are copied straight from the table
            E, one = self.vectors(keys, unknown), np.arange(len(keys), dtype=np.int32)
        else:
            E, one = self.E, self._first(keys)
        kernel.copy_rows(E, one, unknown, rows, served, maker, makers)

    def mean(self) -> NDArray[np.float32]:
        """The mean vector (dim + 1) of IDs with rows; for two rows, as if they were independent of
        one another."""
        spec, used = self.spec, self._get("born")
        if spec.kind == "quotient_remainder":
            # Two tables in one array: remainders first, then quotients
            first, second = (
                kernel.mean_row(self.E[part], used[part])
                for part in (slice(None, spec.size), slice(spec.size, None))
            )
        else:
            first = second = kernel.mean_row(self.E, used)
        if spec.pairs and (spec.kind != "double_hash" or spec.size > 1):
            first = np.append(
                first[:-1] * second[:-1] if spec.multiplies else first[:-1] + second[:-1],
                first[-1] + second[-1],
            )
        mean: NDArray[np.float32] = first.astype(np.float32)
        return mean

    def learn(
        self, keys: NDArray[np.uint64], sightings: NDArray[np.int64], now: int
    ) -> NDArray[np.int32]:
        """Rows (n, 2) of distinct IDs that were seen ``sightings`` times: new IDs are given theirs,
        if they are admitted."""
        if self.spec.kind != "collisionless":
            out = self.slots(keys)
            # Several IDs may share a row: the first of them begins it
            fresh, first = np.unique(out, return_index=True)
            # Two places per ID in the flattened rows, hence // 2
            first = first[fresh >= 0] // 2
            fresh = fresh[fresh >= 0]
            new = ~self._get("born")[fresh]
            self._begin(keys[first[new]], fresh[new])
        else:
            out = self.rows(keys)
            absent = np.flatnonzero(out[:, 0] < 0)
            chosen = absent[self._admitted(keys[absent], sightings[absent], now)]
            given = np.empty(len(chosen), np.int32)
            free = self._get("free")
            slot_key, slot_row, left, top = kernel.admit(
                keys[chosen],
                self._get("key"),
                self._get("row"),
                free,
                len(free),
                int(self._get("next")[0]),
                given,
            )
            self._set("key", slot_key)
            self._set("row", slot_row)
            # Rows taken back are used before the table grows; a copy lets the longer list go
            self._set("free", free[:left].copy())
            self._get("next")[0] = top
            # Before rows are begun: the highest may be beyond the table
            self._reserve(int(top))
            self._begin(keys[chosen], given)
            out[chosen, 0] = given
        self._get("seen")[out[out >= 0]] = now
        return out

    def _admitted(
        self, keys: NDArray[np.uint64], sightings: NDArray[np.int64], now: int
    ) -> NDArray[np.bool_]:
        """Which absent IDs get a row now; by threshold, the sightings of the others are kept
        (``doorway``)."""
        needed = self.spec.admission
        if self.spec.rule == "threshold" and needed <= 1:
            return np.ones(len(keys), bool)
        if self.spec.rule != "threshold":
            # A hash of ID, salt and time: another draw at each training
            drawn = children(
                children(keys, np.full(len(keys), self.spec.salt)), np.full(len(keys), now)
            )
            # The upper 53 bits as a number in (0, 1)
            luck = ((drawn >> np.uint64(11)) + 0.5) * 2.0**-53
            share = sightings / needed
            lucky: NDArray[np.bool_] = luck < (
                np.minimum(share, 1.0) if self.spec.rule == "unequal" else 1 - MISSED**share
            )
            return lucky
        waiting, count, seen = (
            self._get("doorway.key"),
            self._get("doorway.count"),
            self._get("doorway.seen"),
        )
        # Sightings of this training add to those that wait
        every = np.concatenate([waiting, keys])
        uniq, inverse = np.unique(every, return_inverse=True)
        total = np.bincount(inverse, weights=np.concatenate([count, sightings])).astype(np.int64)
        last = np.zeros(len(uniq), np.int64)
        np.maximum.at(last, inverse, np.concatenate([seen, np.full(len(keys), now)]))
        stay = total < needed
        self._set("doorway.key", uniq[stay])
        self._set("doorway.count", total[stay])
        self._set("doorway.seen", last[stay])
        # Of the given IDs, in their order; those that waited and were not seen stay as they are
        return ~stay[inverse[len(waiting) :]]

    def _begin(self, keys: NDArray[np.uint64], rows: NDArray[np.int32]) -> None:
        spec = self.spec
        if spec.pairs:
            # Shared rows start from their place: which ID came first must not matter
            places = children(rows.astype(np.uint64), np.full(len(rows), spec.salt))
            factor = rows >= spec.size if spec.multiplies else np.zeros(len(rows), bool)
            # A sum of two rows is to spread as a single one does
            size = spec.init_scale / (1.0 if spec.multiplies else np.sqrt(2.0))
            kernel.start_rows(places[~factor], rows[~factor], self.E, size, 0.0)
            kernel.start_rows(places[factor], rows[factor], self.E, size, 1.0)
        else:
            kernel.start_rows(keys, rows, self.E, spec.init_scale, 0.0)
        # Recycled rows forget the gradients of the ID before
        self.G[rows] = 0
        self._get("born")[rows] = True
        self.turnover[0] += len(rows)

    def _reserve(self, rows: int) -> None:
        if rows > len(self.E):
            size = room_for(rows)
            for name in ("E", "G", "born", "seen"):
                self._set(name, lengthened(self._get(name), size))

    def expire(self, now: int) -> int:
        """Drop IDs not seen for ``expire_after_s``; returns how many."""
        if self.spec.kind != "collisionless" or not self.spec.expire_after_s:
            return 0
        oldest = now - self.spec.expire_after_s
        dead = self._get("born") & (self._get("seen") < oldest)
        kernel.drop(dead, self._get("row"))
        self._set(
            "free", np.concatenate([self._get("free"), np.flatnonzero(dead).astype(np.int32)])
        )
        self._get("born")[dead] = False
        self.turnover[1] += int(dead.sum())
        # IDs that wait for admission expire by the same rule
        fresh = self._get("doorway.seen") >= oldest
        for name in ("key", "count", "seen"):
            self._set(f"doorway.{name}", self._get(f"doorway.{name}")[fresh])
        return int(dead.sum())

    def stats(self) -> dict[str, float]:
        """Rows in use, rows held, load, bytes of everything that belongs to the table."""
        used, held = int(self._get("born").sum()), len(self.E)
        size = sum(
            array.nbytes for name, array in self.keep.items() if name.startswith(self.prefix)
        )
        return {"rows": used, "capacity": held, "load": used / held, "bytes": size}
