"""The feed's reward model: what each person prefers of what a content classifier reads off posts,
learned from comparisons.

Within a session every clicked post is a comparison with the nearest post that was examined and not
clicked, so that both had much the same position and moment. Features are the classifier's noisy
(slant, arousal, comprehensiveness), column ``posts.signal``. The model is hierarchical logistic
regression (`twin.kernels.reward`): a pooled weight w and a person's deviation d_u from it,

    score += weight * <signal(post), w + personalisation * d_u>

``spread`` 0 learns one pooled model; ``personalisation`` 0 serves one, whatever was learned. State
is 24 bytes per consumer, held from when the model is first in use, and six numbers, all in the
recommender's ``keep``; comparisons come from the log alone.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels import reward as kernel
from twin.world.columns import lengthened
from twin.world.params import Params, par

Arrays = MutableMapping[str, NDArray[Any]]
SIGNALS = ("slant", "arousal", "comprehensiveness")
"""Features, in the order of ``posts.signal``."""


class Reward(Params):
    """The feed's reward model on content signals; off by default."""

    weight: float = par(
        0.0,
        "weight in the score of one logit of predicted preference between contents",
        low=-1e6,
        high=1e6,
        lever=True,
        per="consumers",
    )
    personalisation: float = par(
        1.0,
        "share of a person's own deviation from the pool that is served: 0 pooled, 1 personal",
        low=0,
        high=1,
        lever=True,
        per="consumers",
        source="reward per person: Barreto et al. 2503.17338",
        under=".weight!=0",
    )
    spread: float = par(
        1.0,
        "sd of people's weights around the pool that the model assumes: 0 pooled, large one model "
        "each",
        unit="logit",
        low=0,
        high=1000,
        under=".weight!=0",
    )
    prior_sd: float = par(
        3.0,
        "sd of the pooled weights before any comparison",
        unit="logit",
        low=0.01,
        high=1000,
        under=".weight!=0",
    )
    evidence: float = par(
        0.5,
        "log likelihood of a comparison inferred from clicks, relative to a stated one",
        low=0.001,
        high=1,
        source="assumption; clicks as relative preferences: Joachims et al., SIGIR 2005",
        under=".weight!=0",
    )


class RewardModel:
    """The model of one recommender over the arrays ``reward.*`` of its ``keep``."""

    def __init__(self, keep: Arrays, params: Reward) -> None:
        self.keep, self.p = keep, params

    def setup(self) -> None:
        """Nothing is known of anybody; memory for people comes with `open`."""
        # No rows until the model is in use: it is off by default
        for name in ("reward.pull", "reward.precision"):
            self.keep[name] = np.zeros((0, len(SIGNALS)), np.float32)
        # The pool is there from the start: what is served before any comparison is its prior
        self.keep["reward.total"] = kernel.pool(len(SIGNALS), self.p.prior_sd)
        # Comparisons predicted before they were learned, how many rightly, log loss
        self.keep["reward.judged"] = np.zeros(3)

    def open(self, size: int) -> None:
        """The model is in use: memory for a table of consumers with room for ``size`` rows."""
        for name in ("reward.pull", "reward.precision"):
            self.keep[name] = lengthened(self.keep[name], size)

    def born(self, rows: NDArray[np.int64], size: int) -> None:
        """Rows of a table of consumers that has room for ``size`` belong to new people: served by
        the pool."""
        for name in ("reward.pull", "reward.precision"):
            if len(self.keep[name]):
                self.keep[name] = lengthened(self.keep[name], size)
                self.keep[name][rows] = 0

    def gone(self, rows: NDArray[np.int64]) -> None:
        """People left: what they taught stays in the pool, what was known of them is deleted."""
        for name in ("reward.pull", "reward.precision"):
            if len(self.keep[name]):
                self.keep[name][rows] = 0

    def learn(
        self,
        consumer: NDArray[np.int32],
        post: NDArray[np.int32],
        responses: NDArray[np.uint16],
        place: NDArray[np.uint8],
        signals: NDArray[np.float32],
        held: NDArray[np.bool_] | None = None,
    ) -> int:
        """Learn from a log (n impressions, see `twin.kernels.browse.Log`), ``signals`` (posts, 3);
        how many comparisons it held. ``held`` impressions (n,) are left out: nothing is compared
        with them."""
        # With all lines there, sessions are runs of one consumer with rising places
        if held is None or not held.any():
            clicked, skipped = kernel.comparisons(consumer, responses, place)
        else:
            left = np.flatnonzero(~held)
            # Counted over the whole log: the line that begins a session may be left out
            session = np.cumsum(place == 0, dtype=np.int32)[left]
            # Back to places in the whole log
            clicked, skipped = (
                left[pair] for pair in kernel.comparisons(session, responses[left], place[left])
            )
        # phi(y) - phi(y'): clicked less skipped
        x = signals[post[clicked]].astype(np.float64) - signals[post[skipped]]
        k, p = self.keep, self.p
        right, loss = kernel.learn(
            consumer[clicked],
            x,
            k["reward.pull"],
            k["reward.precision"],
            k["reward.total"],
            float(p.spread),
            float(p.evidence),
        )
        k["reward.judged"] += np.array([len(x), right, loss])
        return len(x)

    def pooled(self) -> NDArray[np.float64]:
        """The pooled weights w (3,)."""
        w: NDArray[np.float64] = self.keep["reward.total"][1] / self.keep["reward.total"][0]
        return w

    def deviations(self) -> NDArray[np.float64]:
        """What the model believes of d_u, float64 (rows held, 3): arrays grow ahead of the table,
        rows beyond its end are 0."""
        k = self.keep
        d: NDArray[np.float64] = kernel.own(
            k["reward.pull"], k["reward.precision"], k["reward.total"], float(self.p.spread)
        )
        return d

    def accuracy(self) -> float:
        """Progressive accuracy: share of comparisons predicted rightly before they were learned;
        1/2 before there are any."""
        count, right, _ = self.keep["reward.judged"]
        return float(right / count) if count else 0.5
