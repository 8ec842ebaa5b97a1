"""Which rows of an embedding table IDs have, and how many IDs share them.

``hash``                fixed slots, the hashing trick: E = T[h(id)], IDs on one slot share it
``double_hash``         fixed slots, two hash functions: E = T[h1(id)] + T[h2(id)], h1 != h2, so few
                        IDs share both
``quotient_remainder``  Shi et al. 2020 (1909.02107): id' = h(id) mod R; E = T_r[id' mod m] o
                        T_q[id' div m], o the sum or the elementwise product, m = slots. R is slots
                        squared by default (as Monolith's 2^48 -> 2 x 2^24); m + R/m rows are held
``collisionless``       a row of its own for every admitted ID: see `tables`

Rows of the first three kinds follow from the ID alone, in use or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.kernels.hashing import FUNCTIONS, hashed

KINDS = ("hash", "double_hash", "quotient_remainder", "collisionless")
OTHER = 2**31
"""What is added to the salt for a second hash function."""


@dataclass(frozen=True)
class TableSpec:
    """What a table is made to: see the module. ``size`` slots; ``id_range`` R of
    quotient_remainder, 0 for slots squared."""

    kind: str
    dim: int
    size: int
    salt: int = 0
    function: str = "mix64"
    operator: str = "sum"
    id_range: int = 0
    init_scale: float = 0.3
    admission: int = 1
    rule: str = "threshold"
    expire_after_s: int = 0

    @property
    def range(self) -> int:
        """R, within what hashes and row numbers can hold."""
        # 2^48: what `hashed` can reduce to; 2^24 quotients keep row numbers within i4
        return min(self.id_range or self.size**2, self.size * 2**24, 2**48)

    @property
    def pairs(self) -> bool:
        """Whether an ID has two rows."""
        return self.kind in ("double_hash", "quotient_remainder")

    @property
    def multiplies(self) -> bool:
        """Whether they are multiplied."""
        return self.kind == "quotient_remainder" and self.operator == "product"


class Slots:
    """The rows that a table made to a spec gives to IDs, and what IDs share of them."""

    def __init__(self, spec: TableSpec) -> None:
        self.spec = spec

    def slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """The rows (n, 2) that a fixed table gives to each ID, in use or not; second -1 where there
        is one row."""
        spec = self.spec
        out, part = np.full((len(keys), 2), -1, np.int32), np.empty(len(keys), np.int64)
        keys, function = np.ascontiguousarray(keys, np.uint64), FUNCTIONS.index(spec.function)
        # The whole range R where the hash is split into remainder and quotient, else a slot
        hashed(
            keys,
            function,
            spec.salt,
            spec.range if spec.kind == "quotient_remainder" else spec.size,
            part,
        )
        if spec.kind == "quotient_remainder":
            # Remainders take the first rows, quotients those behind them
            out[:, 0], out[:, 1] = part % spec.size, spec.size + part // spec.size
            return out
        out[:, 0] = part
        if spec.kind == "double_hash" and spec.size > 1:
            step = np.empty(len(keys), np.int64)
            hashed(keys, function, spec.salt + OTHER, spec.size - 1, step)
            # 1 + step is 1..size - 1: never the first row again
            out[:, 1] = (part + 1 + step) % spec.size
        return out

    def collided(self, keys: NDArray[np.uint64]) -> float:
        """1 - distinct / n: what Monolith calls the collision rate, over codes (both rows
        together)."""
        if self.spec.kind == "collisionless" or not len(keys):
            return 0.0
        # Both rows in one number; + 1, because no second row is -1
        code = self.slots(keys).astype(np.int64)
        return 1 - len(np.unique(code[:, 0] << 32 | code[:, 1] + 1)) / len(keys)

    def _shared(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of the given distinct IDs have a row in common with another of them."""
        if self.spec.kind == "collisionless" or not len(keys):
            return np.zeros(len(keys), bool)
        rows = self.slots(keys)
        # Place 0 is "no row", which nobody shares
        load = np.bincount(rows.ravel() + 1)
        load[0] = 0
        return np.asarray(np.any(load[rows + 1] > 1, axis=1))

    def sharing(self, keys: NDArray[np.uint64]) -> float:
        """Share of the given distinct IDs that share a row with another of them."""
        return float(self._shared(keys).mean()) if len(keys) else 0.0

    def traffic(self, keys: NDArray[np.uint64], weight: NDArray[np.float64]) -> float:
        """Share of traffic that falls on shared rows: sharing weighted by each ID's traffic."""
        total = float(weight.sum())
        return float(weight[self._shared(keys)].sum() / total) if total > 0 else 0.0

    def foreign(self, keys: NDArray[np.uint64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """For each distinct ID, the share of the gradient updates on its row(s) that other IDs
        made; ``weight`` updates per ID."""
        if self.spec.kind == "collisionless" or not len(keys):
            return np.zeros(len(keys))
        rows = self.slots(keys)
        has = rows >= 0
        load = np.bincount(rows.ravel() + 1, weights=np.repeat(weight, 2))
        load[0] = 0
        # Own updates, one for each row, over all updates on these rows
        share: NDArray[np.float64] = 1 - weight * has.sum(1) / np.maximum(
            load[rows + 1].sum(1), 1e-300
        )
        return np.where(weight > 0, share, 0.0)


def by_decile(values: NDArray[np.float64], traffic: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of values over tenths of the IDs, from the least traffic to the most (10,); 0 for an
    empty tenth."""
    # Stable, so that IDs of equal traffic have a definite tenth
    order = np.argsort(traffic, kind="stable")
    tenth = np.arange(len(order)) * 10 // max(len(order), 1)
    mean: NDArray[np.float64] = np.bincount(
        tenth, weights=values[order], minlength=10
    ) / np.maximum(np.bincount(tenth, minlength=10), 1)
    return mean
