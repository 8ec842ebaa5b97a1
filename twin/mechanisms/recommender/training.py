"""The trainer: dense weights of the multi-head model, those of signals among them, and three
embedding tables, fitted in log order.

Negative sampling puts ``negatives`` posts, drawn from those that the feed may show, behind every
logged impression, as if the person had been shown them and done nothing. What was examined is a
choice of the feed's own; negatives teach what it never tries. The price is calibration: with k
negatives per impression the odds that the model learns are those of an impression *or* a draw,
about 1 / (1 + k) of the true ones where the two look alike, so predicted rates are too low (metric
``model_calibration``) and every head by about the same factor. Negatives give no ID a row and do
not count as sightings.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.crew import Crew
from twin.kernels.side import READ, WIDE
from twin.kernels.training import (
    BATCH,
    HEADS,
    Dense,
    Embeddings,
    Rates,
    Samples,
    empty_batch,
    train,
    with_negatives,
)
from twin.mechanisms.recommender.tables import Arrays, EmbeddingTable

PRIOR = np.array([0.3, 0.2, 0.02, 0.003, 0.001, 0.001, 0.001, 0.0001])
"""Where the heads' rates start before anything is learned: orders of magnitude, forgotten within a
day of data."""
ENTITIES = ("consumer", "post", "creator")
SHARED = 40 * BATCH
"""Samples from which on threads share a pass."""
COUNTED = ("consumer", "post")
"""Entities of which the trainer counts, by row of their table in the World, the impressions that it
has trained on."""


class Negatives(NamedTuple):
    """``each`` draws per impression from ``pool`` (rows of posts) with the luck of a stream;
    ``maker`` is the creator of every post."""

    each: int
    pool: NDArray[np.int32]
    maker: NDArray[np.int32]
    stream: np.uint64


class Known(NamedTuple):
    """What is known of the posts of a log (n) beside their IDs, see `twin.kernels.side`."""

    reading: NDArray[np.float32]  # (posts, READ)
    tally: NDArray[np.int32]  # (n,), as it stood at each impression
    latest: NDArray[np.int32]  # (posts,), as it stands: for negatives
    mask: NDArray[np.float32]  # (WIDE,)


UNKNOWN = Known(
    np.zeros((0, READ), np.float32),
    np.zeros(0, np.int32),
    np.zeros(0, np.int32),
    np.zeros(0, np.float32),
)


class Trainer:
    """Fits and hands out vectors; all state is arrays in ``keep``."""

    def __init__(
        self, keep: Arrays, tables: Mapping[str, EmbeddingTable], crew: Crew | None = None
    ) -> None:
        self.keep, self.tables, self.crew = keep, tables, crew or Crew()

    def setup(self, knows: bool = False) -> None:
        """Untrained model: every positive head wants a match, hide and report the contrary; of
        signals, if it knows them, it makes nothing."""
        dim = next(iter(self.tables.values())).spec.dim
        sign = np.array([-1 if head in ("hide", "report") else 1 for head in HEADS], np.float32)
        self.keep["W"] = np.tile(sign, (dim + 2, 1)).astype(np.float32)
        self.keep["GW"] = np.full((dim + 2, 8), 0.1, np.float32)
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
        consumer_keys: NDArray[np.uint64],
        consumer: NDArray[np.int32],
        post_keys: NDArray[np.uint64],
        post: NDArray[np.int32],
        creator_keys: NDArray[np.uint64],
        creator: NDArray[np.int32],
        responses: NDArray[np.uint16],
        now: int,
        *,
        rates: Rates,
        epochs: int = 1,
        negatives: Negatives | None = None,
        known: Known = UNKNOWN,
    ) -> None:
        """``epochs`` passes over a log (n samples): each sample names a place in each list of
        keys."""
        keys = dict(zip(ENTITIES, (consumer_keys, post_keys, creator_keys), strict=True))
        places = dict(zip(ENTITIES, (consumer, post, creator), strict=True))
        rows = {name: np.full((len(keys[name]), 2), -1, np.int32) for name in self.tables}

        def find(name: str) -> None:
            count = np.bincount(places[name], minlength=len(keys[name]))
            some = np.flatnonzero(count)
            rows[name][some] = self.tables[name].learn(
                np.ascontiguousarray(keys[name][some]), count[some], now
            )
            if name in COUNTED:
                self._count(name, count)

        self.crew.each([partial(find, name) for name in self.tables], len(responses) > SHARED)
        if not len(self.keep["S"]):
            known = UNKNOWN
        tally = known.tally
        if negatives is not None and negatives.each and len(negatives.pool):
            *drawn, responses = with_negatives(
                consumer,
                consumer_keys,
                post,
                creator,
                responses,
                negatives.pool,
                negatives.maker,
                negatives.each,
                negatives.stream,
                now,
            )
            places = dict(zip(keys, drawn, strict=True))
            if len(known.latest):
                tally = known.latest[places["post"]]
                tally[:: 1 + negatives.each] = known.tally
            for name in ("post", "creator"):
                others = np.setdiff1d(places[name], np.flatnonzero(rows[name][:, 0] >= 0))
                rows[name][others] = self.tables[name].rows(keys[name][others])
        first = [np.ascontiguousarray(rows[name][:, 0])[places[name]] for name in keys]
        second = np.empty((0, 3), np.int32)
        if any(table.spec.pairs for table in self.tables.values()):
            second = np.stack([rows[name][places[name], 1] for name in keys], axis=1)
        product = np.array([self.tables[name].spec.multiplies for name in keys])
        samples = Samples(
            first[0],
            first[1],
            first[2],
            second,
            product,
            np.ascontiguousarray(responses),
            np.ascontiguousarray(places["post"]),
            tally,
            known.reading,
            known.mask,
        )
        self._train(samples, epochs, rates)

    def _train(self, samples: Samples, epochs: int, rates: Rates) -> None:
        """The passes, by all threads of the crew where there is enough to share."""
        tables = Embeddings(
            *[array for name in ENTITIES for array in (self.tables[name].E, self.tables[name].G)]
        )
        dense = Dense(*[self.keep[name] for name in Dense._fields])
        threads = self.crew.threads if len(samples.user) > SHARED else 1
        for _ in range(epochs):
            batch = empty_batch(tables.Eu.shape[1] - 1, bool(samples.product.any()), dense, threads)
            whole = partial(
                train, tables, samples, dense, Rates(*np.array(rates, np.float32)), batch
            )
            if threads > 1:
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
        inside = rows < len(have)
        out[inside] = have[rows[inside]]
        return out

    def born(self, name: str, rows: NDArray[np.int64]) -> None:
        """Rows begin anew with another ID."""
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
