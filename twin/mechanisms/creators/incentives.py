"""What the feed pays creators for, estimated from settled posts: slopes of log pay
within creators, with standard errors.

Every day earlier observations fade by 1/28, as income does: a window of about four weeks, long
enough for a stable estimate and short enough to show a change of the feed within a month. The
estimator is in `twin.kernels.learn`. Of slant the absolute value counts: which side pays depends on
who watches and differs from creator to creator, whether it pays to be further out is one question
for all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernels import learn as kernel
from twin.mechanisms.creators.declared import INCENTIVES, MEMORY, PUBLISHED, RESPONDED
from twin.mechanisms.creators.kinds import KINDS
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism

Floats = NDArray[np.float64]
FADED = 1e-6
"""Weight of a creator's past posts below which they are forgotten."""
FEWEST = 20.0
"""Posts (fading) from which on a slope is estimated."""
LEAST_VARIANCE = 1e-6
"""Variance of a strategy within creators below which nobody has tried anything."""
PLACE = np.zeros((kernel.MANY, kernel.MANY), np.int64)
PLACE[np.triu_indices(kernel.MANY)] = np.arange(kernel.PAIRS)
PLACE = np.maximum(PLACE, PLACE.T)


def slopes(second: Floats, fourth: Floats, count: float) -> tuple[Floats, Floats]:
    """Slopes (3,) and their standard errors (3,) from the sums of one kind of creators; zeros until
    they can be read."""
    # from the upper triangle to the whole matrix of products of (y, x)
    inside = second[PLACE]
    if count < FEWEST or np.diag(inside)[1:].min() < LEAST_VARIANCE * count:
        return np.zeros(3), np.zeros(3)
    # A^-1 and beta of the module `twin.kernels.learn`; row and column 0 belong to y
    inverse = np.linalg.inv(inside[1:, 1:])
    beta = inverse @ inside[1:, 0]
    # e* = y* - x* beta as weights of (y, x)
    residual = np.concatenate([[1.0], -beta])
    # e^2 as a sum of products of two
    square = np.zeros(kernel.PAIRS)
    np.add.at(square, PLACE.ravel(), np.outer(residual, residual).ravel())
    # sum w^2 e*^2 x* x*', then the sandwich, corrected for the slopes estimated
    middle = (square @ fourth)[PLACE[1:, 1:]]
    variance = np.diag(inverse @ middle @ inverse) * count / (count - len(beta))
    return beta, np.sqrt(np.maximum(variance, 0.0))


class Incentives:
    """Keeps the sums and reads them; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism[CreatorsParams]) -> None:
        self.m, self.keep = mechanism, mechanism.keep

    def setup(self) -> None:
        """Nothing has been settled."""
        self.keep["second"] = np.zeros((2, kernel.PAIRS))
        self.keep["fourth"] = np.zeros((2, kernel.PAIRS, kernel.PAIRS))
        self.keep["compared"] = np.zeros(2)

    def settle(self, rows: NDArray[np.int64], maker: NDArray[np.int64], pay: Floats) -> None:
        """A day: earlier observations fade, newly settled posts (in order) are added."""
        own, keep, left = self.m.mine, self.keep, 1 - 1 / MEMORY
        window = own("creators", "window")
        weight = window[:, kernel.WEIGHT]
        # what has all but faded is forgotten, and the next post is a first one again
        weight[:] = np.where(weight > FADED, weight * np.float32(left), 0)
        # products of four carry squared weights, so they fade twice as fast
        keep["second"] *= left
        keep["fourth"] *= left**2
        keep["compared"] *= left
        strategy = np.stack([own("posts", name)[rows].astype(float) for name in PUBLISHED], axis=1)
        # of slant the distance from the middle counts, whichever side
        strategy[:, INCENTIVES.index("slant")] = np.abs(strategy[:, INCENTIVES.index("slant")])
        kernel.gather(
            maker,
            own("creators", "ai"),
            np.log1p(pay),
            strategy,
            window,
            keep["second"],
            keep["fourth"],
            keep["compared"],
        )

    def measure(self, active: NDArray[np.bool_]) -> None:
        """Slopes by kind, and the share of these active creators who have moved away from
        their strategies at entry."""
        own, board = self.m.mine, self.m.world.board
        now = np.stack([own("creators", name) for name in ("arousal", "comprehensiveness")], axis=1)
        moved = (np.abs(now - own("creators", "entered_with")) > RESPONDED).any(axis=1)
        for kind, name in enumerate(KINDS):
            beta, error = slopes(
                self.keep["second"][kind],
                self.keep["fourth"][kind],
                float(self.keep["compared"][kind]),
            )
            for of, slope, se in zip(INCENTIVES, beta.tolist(), error.tolist(), strict=True):
                board.set("incentive_slope", slope, of=of, by=name)
                board.set("incentive_slope_se", se, of=of, by=name)
            who = active & (own("creators", "ai") == bool(kind))
            board.set(
                "creators_responding", float(moved[who].mean()) if who.any() else 0.0, by=name
            )
