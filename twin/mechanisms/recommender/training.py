"""The trainer: dense weights of the multi-head model, those of signals among them, and three
embedding tables, fitted in log order.

Negative sampling puts ``negatives`` posts, drawn from those that the feed may show, behind every
logged impression, as if the person had been shown them and done nothing. The feed's own choices
decide what is examined; negatives teach the model about what the feed never shows. The price is
calibration: with k negatives per impression the odds that the model learns are those of an
impression *or* a draw, about 1 / (1 + k) of the true ones where the two look alike, so predicted
rates are too low (metric ``model_calibration``) and every head by about the same factor. Negatives
give no ID a row and do not count as sightings.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.crew import Crew
from twin.kernels.negatives import Negatives, Shown, with_negatives
from twin.kernels.side import READ, WIDE
from twin.kernels.training import (
    BATCH,
    HEADS,
    Dense,
    Embeddings,
    Places,
    Rates,
    Samples,
    Table,
    empty_batch,
    train,
)
from twin.mechanisms.recommender.tables import Arrays, EmbeddingTable

PRIOR = np.array([0.3, 0.2, 0.02, 0.003, 0.001, 0.001, 0.001, 0.0001])
"""Where the heads' rates start before anything is learned: orders of magnitude, forgotten within a
day of data."""
SHARED = 40 * BATCH
"""Samples from which on threads share a pass."""
COUNTED = ("consumer", "post")
"""Entities of which the trainer counts, by row of their table in the World, the impressions that it
has trained on."""


class Keys(NamedTuple):
    """IDs of the consumers, posts and creators that a log may name, each u8."""

    consumer: NDArray[np.uint64]
    post: NDArray[np.uint64]
    creator: NDArray[np.uint64]


ENTITIES = Keys._fields


class Known(NamedTuple):
    """What is known of the posts of a log (n) beside their IDs, see `twin.kernels.side`."""

    reading: NDArray[np.float32]  # (posts, READ)
    tally: NDArray[np.int32]  # (n,), as it stood at each impression
    latest: NDArray[np.int32]  # (posts,), as it stands: for negatives
    mask: NDArray[np.float32]  # (WIDE,)


UNKNOWN = Known(
    reading=np.zeros((0, READ), np.float32),
    tally=np.zeros(0, np.int32),
    latest=np.zeros(0, np.int32),
    mask=np.zeros(0, np.float32),
)


class Trainer:
    """Fits the model; all state is arrays in ``keep``."""

    def __init__(
        self, keep: Arrays, tables: Mapping[str, EmbeddingTable], crew: Crew | None = None
    ) -> None:
        self.keep, self.tables, self.crew = keep, tables, crew or Crew()

    def setup(self, knows: bool = False) -> None:
        """Untrained model: a match of vectors raises every head but hide and report, and
        lowers those; signals, if known, have no weight."""
        dim = next(iter(self.tables.values())).spec.dim
        sign = np.array([-1 if head in ("hide", "report") else 1 for head in HEADS], np.float32)
        self.keep["W"] = np.tile(sign, (dim + 2, 1)).astype(np.float32)
        # Accumulators above 0, or the first steps would all have the size of the rate
        self.keep["GW"] = np.full((dim + 2, 8), 0.1, np.float32)
        # Intercepts at the log-odds of the prior rates
        self.keep["c"] = np.log(PRIOR / (1 - PRIOR)).astype(np.float32)
        self.keep["Gc"] = np.full(8, 0.1, np.float32)
        shapes = {"S": (WIDE if knows else 0, 8), "P": (READ if knows else 0, dim)}
        for name, shape in shapes.items():
            self.keep[name], self.keep[f"G{name}"] = (
                np.zeros(shape, np.float32),
                np.full(shape, 0.1, np.float32),
            )
        for name in COUNTED:
            self.keep[f"trained.{name}"] = np.zeros(0, np.int32)
        for table in self.tables.values():
            table.setup()

    def fit(
        self,
        keys: Keys,
        shown: Shown,
        now: int,
        *,
        rates: Rates,
        epochs: int = 1,
        negatives: Negatives | None = None,
        known: Known = UNKNOWN,
    ) -> None:
        """``epochs`` passes over a log (n impressions), each of which names a place in each list of
        keys; ``now`` in s."""
        # A generation without signals, beside one that has them
        if not len(self.keep["S"]):
            known = UNKNOWN
        # Before negatives are drawn: these are no sightings and give nobody a row
        rows, tally = self._learn(keys, shown, now), known.tally
        if negatives is not None and negatives.each and len(negatives.pool):
            shown = with_negatives(shown, keys.consumer, negatives, now)
            if len(known.latest):
                tally = known.latest[shown.post]
                # Each impression stands before its negatives, and keeps the tally of its time
                tally[:: 1 + negatives.each] = known.tally
            # Negatives have the rows of IDs that have some
            for name in ("post", "creator"):
                drawn, key = getattr(shown, name), getattr(keys, name)
                others = np.setdiff1d(drawn, np.flatnonzero(rows[name][:, 0] >= 0))
                rows[name][others] = self.tables[name].rows(key[others])
        pairs = any(table.spec.pairs for table in self.tables.values())
        samples = Samples(
            **{name: self._places(name, rows[name], getattr(shown, name), pairs) for name in rows},
            responses=np.ascontiguousarray(shown.responses),
            place=np.ascontiguousarray(shown.post),
            tally=tally,
            reading=known.reading,
            mask=known.mask,
        )
        self._train(samples, epochs, rates)

    def _learn(self, keys: Keys, shown: Shown, now: int) -> dict[str, NDArray[np.int32]]:
        """Let each table know who was seen, and how often; by entity the rows (keys, 2) of those
        seen, -1 for others."""
        rows = {name: np.full((len(getattr(keys, name)), 2), -1, np.int32) for name in ENTITIES}

        def find(name: str) -> None:
            key = getattr(keys, name)
            count = np.bincount(getattr(shown, name), minlength=len(key))
            some = np.flatnonzero(count)
            rows[name][some] = self.tables[name].learn(
                np.ascontiguousarray(key[some]), count[some], now
            )
            if name in COUNTED:
                self._count(name, count)

        # Tables share no array, so each may learn on a thread of its own
        self.crew.each([partial(find, name) for name in self.tables], len(shown.responses) > SHARED)
        return rows

    def _places(
        self, name: str, rows: NDArray[np.int32], of: NDArray[np.int32], pairs: bool
    ) -> Places:
        """Rows in a table of a log's places; ``pairs``: some table has two rows per ID."""
        return Places(
            # For speed: rows are picked from one piece
            first=np.ascontiguousarray(rows[:, 0])[of],
            second=np.ascontiguousarray(rows[:, 1])[of] if pairs else np.empty(0, np.int32),
            multiplies=self.tables[name].spec.multiplies,
        )

    def _train(self, samples: Samples, epochs: int, rates: Rates) -> None:
        """The passes, by all threads of the crew where there is enough to share."""
        tables = Embeddings(
            **{name: Table(E=self.tables[name].E, G=self.tables[name].G) for name in ENTITIES}
        )
        dense = Dense(**{name: self.keep[name] for name in Dense._fields})
        dim = tables.consumer.E.shape[1] - 1
        multiplies = any(getattr(samples, name).multiplies for name in ENTITIES)
        threads = self.crew.threads if len(samples.responses) > SHARED else 1
        for _ in range(epochs):
            # For each pass, since its counters of units start at 0
            batch = empty_batch(dim, multiplies, dense, threads)
            whole = partial(
                train, tables, samples, dense, Rates(*np.array(rates, np.float32)), batch
            )
            if threads > 1:
                # All threads do the same: units are taken in turn, and no thread leads
                self.crew.together(whole, whole)
            else:
                whole()

    def _count(self, name: str, count: NDArray[np.int64]) -> None:
        have = self.keep[f"trained.{name}"]
        if len(have) < len(count):
            have = np.concatenate([have, np.zeros(len(count) - len(have), np.int32)])
        have[: len(count)] += count.astype(np.int32)
        self.keep[f"trained.{name}"] = have

    def trained(self, name: str, rows: NDArray[np.int64]) -> NDArray[np.int32]:
        """How many impressions of these rows the model has trained on."""
        have = self.keep[f"trained.{name}"]
        out = np.zeros(len(rows), np.int32)
        # Rows beyond the array were never trained on
        inside = rows < len(have)
        out[inside] = have[rows[inside]]
        return out

    def born(self, name: str, rows: NDArray[np.int64]) -> None:
        """Rows of the World are given to other IDs."""
        if name in COUNTED:
            have = self.keep[f"trained.{name}"]
            have[rows[rows < len(have)]] = 0

    def newcomer(self) -> NDArray[np.float32]:
        """The mean consumer vector (dim + 1)."""
        return self.tables["consumer"].mean()

    def dense(self) -> dict[str, NDArray[np.float32]]:
        """Dense weights W (dim + 2, 8), intercepts c (8,), and weights of signals S (WIDE, 8) and P
        (READ, dim), without rows if none."""
        return {name: self.keep[name] for name in ("W", "c", "S", "P")}

    def expire(self, now: int) -> None:
        """Let every table expire."""
        for table in self.tables.values():
            table.expire(now)
