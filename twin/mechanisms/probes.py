"""Probes: read-only measures of the whole that no single mechanism owns. They write nothing but
metrics.

Exposure Gini: impressions of the posts now in the feed, across active creators. Coverage: share of
eligible posts, at least a day old, that were examined at least once. Human share: part of
impressions that went to human creators, since the last reading. Small creators: those with no more
followers than the median of active creators.

What people see lean: with p_i the share of what person i examined lately that leans right (column
``stance``, of people with at least LEAST posts), echo chambers show as little variety within and
much between people:

    within   mean_i H(p_i),  H(p) = -p log2 p - (1 - p) log2(1 - p)      bits, 0 one side only, 1
             both alike
    between  var_i(2 p_i - 1)                                            0 all see the same mix, 1
             half see one side, half the other

Revenue: advertisements at a rate per thousand impressions.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from twin.ground.units import DAY
from twin.kernels.stats import gini, top_share
from twin.world.mechanism import Mechanism
from twin.world.metric import Metric
from twin.world.params import Params, par

LEAST = 5


class ProbesParams(Params):
    """Parameters of probes."""

    ad_rate: float = par(
        2.0, "revenue of the platform per thousand impressions", unit="pay", low=0, high=1e6
    )


class Probes(Mechanism[ProbesParams]):
    """Read-only measures."""

    name = "probes"
    Params = ProbesParams
    order = 90
    reads = {
        "consumers": ("active", "stance"),
        "creators": ("active", "campaign", "followers"),
        "posts": ("born", "creator", "impressions", "settled", "work"),
    }
    watches = ("consumers_active",)
    metrics = (
        Metric(
            "creator_human_share",
            "gauge",
            "1",
            "Share of impressions that went to human creators, since the last reading.",
            "producer",
            "Who is seen",
            good="up",
            headline=True,
            title="Human share of reach",
        ),
        Metric(
            "exposure_gini",
            "gauge",
            "1",
            "Gini of impressions across active creators, over posts now in the feed.",
            "producer",
            "Who is seen: Concentration of reach",
            good="down",
            headline=True,
            title="Inequality of reach",
        ),
        Metric(
            "exposure_top_share",
            "gauge",
            "1",
            "Share of impressions of the top tenth of active creators, over posts now in the feed.",
            "producer",
            "Who is seen: Concentration of reach",
            good="down",
            title="Reach of the top tenth",
        ),
        Metric(
            "creator_exposure",
            "histogram",
            "creators",
            "Active creators by impressions of their posts now in the feed.",
            "producer",
            "Who is seen",
            edges=(0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000),
        ),
        Metric(
            "small_creator_share",
            "gauge",
            "1",
            "Share of impressions of posts now in the feed that went to the less followed half of "
            "active creators.",
            "producer",
            "Who is seen",
            good="up",
            title="Reach of small creators",
        ),
        Metric(
            "stance_within_entropy",
            "gauge",
            "bit",
            "Mean entropy of the leaning of what one person sees: 1 both sides alike.",
            "consumer",
            "What is shown",
            good="up",
        ),
        Metric(
            "stance_between_variance",
            "gauge",
            "1",
            "Variance across people of the mean leaning of what they see: 1 two camps.",
            "consumer",
            "What is shown",
            good="down",
        ),
        Metric(
            "churn_rate",
            "gauge",
            "1/d",
            "Share of active people who leave for good per day, since the last reading.",
            "consumer",
            "Visits",
            good="down",
            title="People who leave per day",
        ),
        Metric(
            "revenue",
            "counter",
            "pay",
            "Revenue of the platform from advertisements.",
            "platform",
            "Money",
            good="up",
            headline=True,
        ),
        Metric(
            "post_coverage",
            "gauge",
            "1",
            "Share of posts in the feed, at least a day old, that anybody has examined.",
            "platform",
            "Feed",
            good="up",
        ),
    )

    def setup(self) -> None:
        """Nothing was seen yet."""
        self.keep["before"] = np.zeros(2)
        self.keep["left"] = np.zeros(2)  # people who had left at the last reading, and its time

    def measure(self) -> None:
        """Read the posts in the feed and the board."""
        board = self.world.board
        seen = np.array(
            [board.total("impressions", by="human"), board.total("impressions", by="ai")]
        )
        new = seen - self.keep["before"]
        if new.sum() > 0:
            board.set("creator_human_share", float(new[0] / new.sum()))
        # before the first impression; a later empty interval keeps the last value
        elif not seen.any():
            board.set("creator_human_share", 1.0)
        self.keep["before"] = seen
        board.set("revenue", float(seen.sum()) * self.p.ad_rate / 1000)
        left, days = board.total("consumers_left"), (self.world.now - self.keep["left"][1]) / DAY
        # of this reading already: the audience measures before (order)
        active = board.get("consumers_active")
        if days > 0 and active > 0:
            board.set("churn_rate", (left - self.keep["left"][0]) / days / active)
        self.keep["left"] = np.array([left, float(self.world.now)])
        self._leanings()
        # a plain post counts until it is settled, a work as long as it lives
        live = self.read("posts", "alive") & (
            ~self.read("posts", "settled") | self.read("posts", "work")
        )
        views = self.read("posts", "impressions")[live].astype(float)
        reach = np.bincount(
            self.read("posts", "creator")[live],
            weights=views,
            minlength=len(self.world.table("creators")),
        )
        # accounts of campaigns are in no statistic of creators
        here = self.read("creators", "active") & ~self.read("creators", "campaign")
        reach, followers = reach[here], self.read("creators", "followers")[here]
        small = followers <= np.median(followers) if len(followers) else np.zeros(0, bool)
        board.set("small_creator_share", float(reach[small].sum() / max(reach.sum(), 1.0)))
        board.set("exposure_gini", gini(reach))
        board.set("exposure_top_share", top_share(reach, 0.1))
        # the bin of the last edge at or below each reach; the first edge is 0, so all are counted
        edges = np.array(board.metrics["creator_exposure"].edges)
        board.set_all(
            "creator_exposure",
            np.bincount(np.searchsorted(edges, reach, "right") - 1, minlength=len(edges)).astype(
                float
            ),
        )
        old = self.read("posts", "born")[live] < self.world.now - DAY
        board.set("post_coverage", float((views[old] > 0).mean()) if old.any() else 0.0)

    def _leanings(self) -> None:
        """Variety of what people see, within and between them."""
        count = self.read("consumers", "stance")[self.read("consumers", "active")].astype(float)
        seen = count[:, 0] + count[:, 1]
        right = count[:, 1][seen >= LEAST] / seen[seen >= LEAST]
        # entr(p) is -p ln p with 0 at p = 0, so one-sided people need no guard; over ln 2: bits
        within = (entr(right) + entr(1 - right)) / np.log(2)
        self.world.board.set("stance_within_entropy", float(within.mean()) if len(right) else 0.0)
        self.world.board.set(
            "stance_between_variance", float((2 * right - 1).var()) if len(right) else 0.0
        )
