"""Readings of ratings and votes: samples, their contamination, the fate of seeded posts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernels.said import SUMS
from twin.mechanisms.ratings.declared import SEEDS
from twin.mechanisms.ratings.params import RatingsParams
from twin.world.mechanism import Mechanism

Floats = NDArray[np.float64]
RATIOS = {
    "rating_mean": (
        ("stars", "ratings"),
        ("purchase_stars", "purchases"),
        ("forced_stars", "forced"),
    ),
    "rating_true_mean": (("quality", "ratings"),),
    "rating_report_share": (("ratings", "purchases"),),
    "rating_pull": (
        ("disconfirmation", "ratings"),
        ("anchoring", "ratings"),
        ("herding", "ratings"),
    ),
    "rating_disconfirmation_mean": (("surprise", "purchases"),),
}
"""Metrics that are ratios of running sums since the last reading with any; one ratio per value of
their label."""
HISTOGRAMS = ("ratings_star", "ratings_star_bought", "ratings_star_forced")
"""Metrics that are the running sums of that name, in the order of SAMPLES."""
FATE = np.dtype([("posts", "i8"), ("score", "i8"), ("net", "i8"), ("square", "i8")])
"""Sums over posts whose score is final: posts, scores with the seed vote, net votes of people, and
the squares of these."""


class Measures:
    """Writes the metrics; ``keep`` remembers what happened up to the last reading."""

    def __init__(self, mechanism: Mechanism[RatingsParams]) -> None:
        self.m, self.keep, self.board = mechanism, mechanism.keep, mechanism.world.board

    def setup(self) -> None:
        """Open the running sums."""
        for name in ("total", "before"):
            self.keep[name] = np.zeros(1, SUMS).view(np.float64)
        self.keep["fate"] = np.zeros((len(SEEDS), len(FATE.fields or ())), np.int64)
        self.keep["reading"] = np.zeros(sum(len(ratios) for ratios in RATIOS.values()))

    def finish(self, rows: NDArray[np.int64]) -> None:
        """Count these posts, whose scores are final from now on."""
        own = self.m.mine
        own("posts", "votes_final")[rows] = True
        seed = own("posts", "seed")[rows].astype(np.int64)
        # people's votes alone; the score on show has the seed vote too
        net = own("posts", "votes_up")[rows].astype(np.int64) - own("posts", "votes_down")[rows]
        for fate, given in zip(self.keep["fate"].view(FATE), (-1, 0, 1), strict=True):
            arm = seed == given
            fate["posts"] += arm.sum()
            fate["score"] += (net + seed)[arm].sum()
            fate["net"] += net[arm].sum()
            fate["square"] += (net[arm] ** 2).sum()

    def measure(self) -> None:
        """Ratings, their contamination, votes and the fate of seeded posts."""
        board, total = self.board, self.keep["total"].view(SUMS)[0]
        board.set("purchases", total["purchases"])
        board.set("ratings", total["ratings"])
        board.set_all("votes", np.array([total["votes_up"], total["votes_down"]]))
        self._ratios()
        self._samples(total)
        self._experiment(total)
        bias = self.bias()
        board.set("works_rated", len(bias))
        board.set("rating_bias", float(bias.mean()) if len(bias) else 0.0)
        here = self.m.read("consumers", "active")
        level = self.m.mine("consumers", "rating_expectation")[here]
        mean = float(level.mean(dtype=np.float64)) if len(level) else 0.0
        board.set("rating_expectation_mean", mean)
        self._fates()

    def bias(self) -> Floats:
        """Average less quality as all active people would experience it, for every rated work."""
        p, own, read = self.m.p, self.m.mine, self.m.read
        rated = np.flatnonzero(read("posts", "alive") & (own("posts", "rating_count") > 0))
        here = read("consumers", "active")
        if not len(rated) or not here.any():
            return np.zeros(0)
        # experience is linear in taste: the mean taste gives the mean over people
        taste = read("consumers", "taste")[here].mean(0, dtype=np.float64)
        match = (read("posts", "content")[rated] * taste).sum(1)
        # the terms of q in `twin.kernels.rate` without its noise, whose mean is 0
        true = p.mean + p.quality_weight * read("posts", "quality")[rated] + p.match_weight * match
        average = own("posts", "rating_sum")[rated] / own("posts", "rating_count")[rated]
        return np.asarray(average - true)

    def _ratios(self) -> None:
        """Ratios since the last reading that saw any; others keep their last value."""
        keep, place = self.keep, 0
        new = (keep["total"] - keep["before"]).view(SUMS)[0]
        keep["before"], keep["reading"] = keep["total"].copy(), keep["reading"].copy()
        for metric, ratios in RATIOS.items():
            first = place
            for part, count in ratios:
                # no event since the last reading: the ratio keeps its value
                if new[count]:
                    keep["reading"][place] = new[part] / new[count]
                place += 1
            self.board.set_all(metric, keep["reading"][first:place])

    def _samples(self, total: np.void) -> None:
        """Stars by sample, and the shape of their distributions."""
        counts = np.stack([total[name] for name in HISTOGRAMS])
        for name in HISTOGRAMS:
            self.board.set_all(name, total[name])
        # shares of stars; of no ratings at all everything is 0
        one, two, _, four, five = (counts / np.maximum(counts.sum(1, keepdims=True), 1)).T
        self.board.set_all("rating_extreme_share", one + five)
        self.board.set_all("rating_j_shape", np.minimum(one - two, five - four))

    def _experiment(self, total: np.void) -> None:
        """How much further people's ratings lie from the unmoved prediction in the moved half, per
        star of the move."""
        moved, unmoved = max(total["moved"], 1.0), max(total["unmoved"], 1.0)
        drift = total["drift_moved"] / moved - total["drift_unmoved"] / unmoved
        # per star that the prediction has really moved: at the ends of the scale it moves less
        slope = drift / (total["move"] / moved) if total["move"] > 0 else 0.0
        self.board.set("anchoring_slope", slope)

    def _fates(self) -> None:
        """Final scores of posts, by seed vote."""
        board, fate = self.board, self.keep["fate"].view(FATE)[:, 0]
        posts = np.maximum(fate["posts"].astype(np.float64), 1)
        score, net, square = (fate[name] / posts for name in ("score", "net", "square"))
        board.set_all("vote_posts", fate["posts"].astype(np.float64))
        board.set_all("vote_score_mean", score)
        board.set_all("vote_net_mean", net)
        # the variance of a mean over posts, from the sums alone
        variance = np.maximum(square - net**2, 0) / np.maximum(posts - 1, 1)
        board.set_all("vote_net_se", np.sqrt(variance))
        down, none, up = range(len(SEEDS))
        seeded = [down, up]
        known = (fate["posts"][seeded] > 0) & (net[none] > 0)
        # 1 (no effect) until both groups have votes to compare
        ratio = net[seeded] / (net[none] if net[none] > 0 else 1)
        board.set_all("vote_seed_ratio", np.where(known, ratio, 1.0))
