"""Pairs: a read-only probe of how the ratings of linked works move, apart or together (finding F3).

Every ``every`` it notes pairs of works that are linked as co-viewed, as bought together, or at
random, with the gap of their mean ratings g_ij = |r_i - r_j|; at the next reading the change of the
gap is regressed on the links that held at the start:

    g_ij(t + 1) - g_ij(t) = a + b_S S_ij + b_C C_ij + c g_ij(t) + e        ordinary least squares

S: co-viewed (substitutes), C: bought together (complements); pairs linked at random are the base.
Stoeckli & Khobzi (2021) found that ratings of substitutes converge and those of complements
diverge: b_S < 0 < b_C. Their sizes are not published. Pairs that share a work are not independent,
so the standard errors are somewhat too small.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR, WEEK
from twin.kernels.stats import least_squares
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, par

LINKS = ("co_viewed", "bought_together", "random")
LINKED = LINKS[:2]


class PairsParams(Params):
    """Parameters of the probe of pairs."""

    every: Duration = par(
        WEEK, "time between two readings of pairs", unit="s", low=HOUR, high=365 * DAY, grid=True
    )
    least: int = par(3, "ratings that both works must have", unit="ratings", low=1, high=10**6)
    most: int = par(20000, "most pairs noted per kind of link", unit="pairs", low=10, high=10**7)


class Pairs(Mechanism[PairsParams]):
    """Reads the rating gaps of linked works."""

    name = "pairs"
    Params = PairsParams
    order = 85
    reads = {"posts": ("rating_count", "rating_sum", "work")}
    sees_hidden = False
    metrics = (
        Metric(
            "rating_gap_mean",
            "gauge",
            "stars",
            "Mean gap between the average ratings of two works, by how they are linked.",
            "producer",
            "Linked works",
            labels={"link": LINKS},
        ),
        Metric(
            "rating_gap_change",
            "gauge",
            "stars",
            "Mean change of that gap over the last reading interval, by link at its start.",
            "producer",
            "Linked works",
            labels={"link": LINKS},
        ),
        Metric(
            "rating_gap_beta",
            "gauge",
            "stars",
            "Change of the gap that goes with a link, against random pairs, last interval "
            "(below 0: ratings converge; 0 with standard error 0: no estimate yet).",
            "producer",
            "Linked works",
            labels={"link": LINKED},
        ),
        Metric(
            "rating_gap_beta_se",
            "gauge",
            "stars",
            "Standard error of the last interval's estimate.",
            "producer",
            "Linked works",
            labels={"link": LINKED},
        ),
        Metric(
            "rating_gap_beta_pooled",
            "gauge",
            "stars",
            "The same over all intervals since the start.",
            "producer",
            "Linked works",
            labels={"link": LINKED},
        ),
        Metric(
            "rating_gap_beta_pooled_se",
            "gauge",
            "stars",
            "Standard error of the estimate over all intervals.",
            "producer",
            "Linked works",
            labels={"link": LINKED},
        ),
        Metric(
            "rating_pairs",
            "gauge",
            "pairs",
            "Pairs of rated works in the last interval, by link.",
            "producer",
            "Linked works",
            labels={"link": LINKS},
        ),
    )

    def setup(self) -> None:
        """No pair was noted yet."""
        keep = self.keep
        keep["ends"] = np.zeros((0, 2), np.int64)
        keep["links"] = np.zeros((0, len(LINKS)), bool)
        keep["gap"] = np.zeros(0)
        keep["by_link"] = np.zeros((3, len(LINKS)))  # mean gap, change, pairs
        keep["beta"] = np.zeros((4, len(LINKED)))  # last, its error, pooled, its error
        keep["moments"] = np.zeros(22)  # of all intervals: X'X, X'y, y'y, n

    def clocks(self) -> list[Every]:
        """A reading at every interval."""
        return [Every(self.p.every, "measure", self.take)]

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """A pair with a released work is dropped."""
        if table == "posts":
            self._retain(~np.isin(self.keep["ends"], rows).any(axis=1))

    def _retain(self, which: Any) -> None:
        for name in ("ends", "links", "gap"):
            self.keep[name] = self.keep[name][which]

    def take(self) -> None:
        """Reckon the interval that ends now, and note the pairs of the next."""
        columns = self.world.table("posts").columns
        # a world without ratings, or without links, has nothing to read
        if not {"rating_sum", "rating_count"} <= set(columns) or not self.world.has_service(
            "links"
        ):
            return
        count = self.read("posts", "rating_count")
        rated = self.read("posts", "alive") & (count >= self.p.least)
        if "work" in columns:
            rated &= self.read("posts", "work")
        mean = self.read("posts", "rating_sum") / np.maximum(count, 1)
        # first: the pairs whose change is read are about to be replaced
        self._reckon(rated, mean)
        self._note(rated, mean)

    def _reckon(self, rated: NDArray[np.bool_], mean: NDArray[np.float64]) -> None:
        keep = self.keep
        # both works must have enough ratings at either end of the interval
        self._retain(rated[keep["ends"]].all(axis=1))
        links, before = keep["links"], keep["gap"]
        change = _gap(mean, keep["ends"]) - before
        keep["by_link"][1:] = [_mean_by(links, change), links.sum(0)]
        if len(change):
            # columns 1, S, C, g(t); of pairs linked at random S and C are 0
            x = np.column_stack([np.ones(len(change)), links[:, :2], before])
            moments = np.concatenate(
                [
                    np.einsum("ni,nj->ij", x, x).ravel(),
                    np.einsum("ni,n->i", x, change),
                    [(change * change).sum(), len(change)],
                ]
            )
            # moments of several intervals add up, so the pooled estimate needs no pair of the past
            keep["moments"] += moments
            for place, sums in ((0, moments), (2, keep["moments"])):
                beta, error = least_squares(
                    sums[:16].reshape(4, 4), sums[16:20], sums[20], int(sums[21])
                )
                # b_S and b_C; one that cannot be estimated this time keeps its last value
                known = np.isfinite(beta[1:3])
                keep["beta"][place, known], keep["beta"][place + 1, known] = (
                    beta[1:3][known],
                    error[1:3][known],
                )

    def _note(self, rated: NDArray[np.bool_], mean: NDArray[np.float64]) -> None:
        keep, size = self.keep, len(rated)
        by_kind, linked = [], self.world.service("links")()
        for kind in LINKS:
            # the table of links may be longer or shorter than that of posts
            other = linked[kind][:size]
            rows, place = np.nonzero((other >= 0) & rated[: len(other), None])
            ends = np.column_stack([rows, other[rows, place]])
            # sorted, so that a pair linked both ways is one pair
            ends = np.sort(ends[rated[ends[:, 1]]], axis=1)
            codes = np.unique(ends[:, 0] * size + ends[:, 1])
            if len(codes) > self.p.most:
                # evenly spread over all works, without a draw
                codes = codes[np.arange(self.p.most) * len(codes) // self.p.most]
            by_kind.append(codes)
        # a pair may be linked in several ways: one row, with a mark for each link
        every = np.unique(np.concatenate(by_kind))
        keep["ends"] = np.column_stack([every // max(size, 1), every % max(size, 1)])
        keep["links"] = np.column_stack([np.isin(every, codes) for codes in by_kind])
        keep["gap"] = _gap(mean, keep["ends"])
        keep["by_link"][0] = _mean_by(keep["links"], keep["gap"])

    def measure(self) -> None:
        """What the last reading found."""
        board, by_link, beta = self.world.board, self.keep["by_link"], self.keep["beta"]
        for name, values in zip(
            ("rating_gap_mean", "rating_gap_change", "rating_pairs"), by_link, strict=True
        ):
            board.set_all(name, values)
        for name, values in zip(
            ("beta", "beta_se", "beta_pooled", "beta_pooled_se"), beta, strict=True
        ):
            board.set_all(f"rating_gap_{name}", values)


def _gap(mean: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
    gap: NDArray[np.float64] = np.abs(mean[ends[:, 0]] - mean[ends[:, 1]])
    return gap


def _mean_by(links: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the values under each kind of link, 0 for none."""
    mean: NDArray[np.float64] = np.einsum("nk,n->k", links.astype(float), values) / np.maximum(
        links.sum(0), 1
    )
    return mean
