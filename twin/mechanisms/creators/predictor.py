"""The draft predictor of AI creators: a ridge regression of clicks per impression on what a creator
can know of a post.

It knows public readings and what a critic, a model that reads quality with an error, says of the
text. It learns day by day from the public counters of settled posts (`twin.kernels.ridge`). Before
any data all predictions are equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels import ridge as kernel
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLICK = 0
"""Place of clicks among the counts of a post."""
SURE = 10.0
"""Impressions at which a click rate weighs half of what it would with endless ones."""
RECORD = 0.9
"""Weight of the past in a creator's record of clicks, per day with posts that anybody saw."""
INTERCEPT, SIGNAL, SQUARE = 0, slice(1, 4), slice(4, 7)
TREND, NICHE, AI, CLICKED, READING = range(7, 12)
CONTENT = slice(12, 28)
"""Places of features, see `Predictor.features`."""
FEATURES = CONTENT.stop


class Predictor:
    """Learns and predicts; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism[CreatorsParams]) -> None:
        self.m, self.p, self.keep = mechanism, mechanism.p, mechanism.keep

    def setup(self) -> None:
        """Nothing is known."""
        self.keep["gram"], self.keep["moment"] = np.zeros((FEATURES, FEATURES)), np.zeros(FEATURES)
        self.keep["beta"], self.keep["fit"] = np.zeros(FEATURES), np.zeros(1)

    def features(
        self, content: NDArray[Any], signal: NDArray[Any], reading: NDArray[Any], maker: Ints
    ) -> Floats:
        """What a creator can know of a draft and of a posted post, (n, FEATURES).

        1, signals, their squares, match with what did well lately and with the creator's niche,
        whether the creator is an AI, its record of clicks (so that the rest compares posts of like
        creators), a critic's reading, content.
        """
        own, x = self.m.mine, np.empty((len(maker), FEATURES))
        x[:, INTERCEPT], x[:, SIGNAL], x[:, READING], x[:, CONTENT] = 1, signal, reading, content
        x[:, SQUARE] = x[:, SIGNAL] ** 2
        x[:, TREND] = (x[:, CONTENT] * self.keep["trend"]).sum(1)
        x[:, NICHE] = (x[:, CONTENT] * own("creators", "niche")[maker]).sum(1)
        x[:, AI] = own("creators", "ai")[maker]
        # -1 stands for no record yet; such posts get no weight in `learn`
        x[:, CLICKED] = np.maximum(own("creators", "record")[maker], 0)
        return x

    def predict(
        self, content: NDArray[Any], signal: NDArray[Any], reading: NDArray[Any], maker: Ints
    ) -> Floats:
        """Clicks per impression that drafts (n,) are expected to get."""
        x = self.features(content, signal, reading, maker)
        predicted: Floats = kernel.predict(x, self.keep["beta"])
        return predicted

    def learn(self, rows: Ints) -> None:
        """Judge the predictor on newly settled posts, then learn from their public counters; update
        the creators' records."""
        m, own, keep = self.m, self.m.mine, self.keep
        # a post that nobody saw says nothing of its clicks
        rows = rows[m.read("posts", "impressions")[rows] > 0]
        maker = own("posts", "creator")[rows]
        seen = m.read("posts", "impressions")[rows].astype(float)
        clicks = m.read("posts", "counts")[rows, CLICK].astype(float)
        rate = clicks / np.maximum(seen, 1)
        x = self.features(
            own("posts", "content")[rows],
            own("posts", "signal")[rows],
            own("posts", "reading")[rows],
            maker,
        )
        # few impressions make a noisy rate; without a record the feature would be wrong
        weight = seen / (seen + SURE) * (own("creators", "record")[maker] >= 0)
        # before learning from the same posts, which would flatter it
        self._judge(kernel.predict(x, keep["beta"]), rate, weight)
        kernel.accumulate(
            float(self.p.predictor_memory), x, rate, weight, keep["gram"], keep["moment"]
        )
        keep["beta"] = kernel.solve(keep["gram"], keep["moment"], float(self.p.predictor_ridge))
        # last: the record is a feature, and must not know the clicks that it helps to predict
        self._note(maker, seen, clicks)

    def _judge(self, guess: Floats, rate: Floats, weight: Floats) -> None:
        """Keep the weighted correlation of predicted and observed click rates (n,)."""
        # two points always lie on a line
        if (weight > 0).sum() > 2:
            a = guess - np.average(guess, weights=weight)
            b = rate - np.average(rate, weights=weight)
            both = float((weight * a * a).sum() * (weight * b * b).sum())
            self.keep["fit"][0] = float((weight * a * b).sum()) / np.sqrt(both) if both > 0 else 0.0

    def _note(self, maker: Ints, seen: Floats, clicks: Floats) -> None:
        """Move the records of the creators of settled posts (n,) towards their click rates."""
        record = self.m.mine("creators", "record")
        views = np.bincount(maker, weights=seen, minlength=len(record))
        hits = np.bincount(maker, weights=clicks, minlength=len(record))
        some = np.flatnonzero(views)
        new = hits[some] / views[some]
        record[some] = np.where(record[some] < 0, new, RECORD * record[some] + (1 - RECORD) * new)
