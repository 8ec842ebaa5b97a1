"""Probes: read-only measures of the whole that no single mechanism owns. They write nothing but metrics.

Exposure Gini: impressions since the last reading across active creators. Coverage: share of eligible posts that were examined at
least once. Human share: part of impressions that went to human creators, since the last reading.
"""

from __future__ import annotations

import numpy as np

from twin.kernels.stats import gini, top_share
from twin.mechanism import Mechanism
from twin.metric import Metric
from twin.params import Params
from twin.units import DAY


class ProbesParams(Params):
    """Probes have no parameters."""


class Probes(Mechanism):
    """Read-only measures."""

    name = "probes"
    Params = ProbesParams
    order = 90
    metrics = (
        Metric("creator_human_share", "gauge", "1", "Share of impressions that went to human creators, since the last reading.",
               "producer", "Exposure", good="up", headline=True),
        Metric("exposure_gini", "gauge", "1", "Gini of impressions across active creators, over posts now in the feed.", "producer",
               "Exposure", good="down", headline=True),
        Metric("exposure_top_share", "gauge", "1", "Share of impressions of the top tenth of active creators, over posts now in the feed.",
               "producer", "Exposure", good="down"),
        Metric("creator_exposure", "histogram", "creators", "Active creators by impressions of their posts now in the feed.",
               "producer", "Exposure", edges=(0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)),
        Metric("post_coverage", "gauge", "1", "Share of posts in the feed, at least a day old, that anybody has examined.", "platform",
               "Feed", good="up"),
    )

    def setup(self) -> None:
        """Nothing was seen yet."""
        self.keep["before"] = np.zeros(2)

    def measure(self) -> None:
        """Read the posts in the feed and the board."""
        board = self.world.board
        seen = np.array([board.get("impressions", by="human"), board.get("impressions", by="ai")])
        new = seen - self.keep["before"]
        if new.sum() > 0:
            board.set("creator_human_share", float(new[0] / new.sum()))
        elif not seen.any():
            board.set("creator_human_share", 1.0)
        self.keep["before"] = seen
        live = self.read("posts", "alive") & ~self.read("posts", "settled")
        views = self.read("posts", "impressions")[live].astype(float)
        reach = np.bincount(self.read("posts", "creator")[live], weights=views, minlength=len(self.world.table("creators")))
        reach = reach[self.read("creators", "active")]
        board.set("exposure_gini", gini(reach))
        board.set("exposure_top_share", top_share(reach, 0.1))
        edges = np.array(board.metrics["creator_exposure"].edges)
        board.set_all("creator_exposure", np.bincount(np.searchsorted(edges, reach, "right") - 1, minlength=len(edges)).astype(float))
        old = self.read("posts", "born")[live] < self.world.now - DAY
        board.set("post_coverage", float((views[old] > 0).mean()) if old.any() else 0.0)
