"""The recommender: it learns from the interaction log alone, retrains and syncs on a schedule, and serves from a snapshot.

Every ``refresh`` (default 10 min) the serving snapshot is renewed: posts enter and expire, levers take hold, trending and
exploration pools are rebuilt. Every ``retrain_every`` the model is first judged on the log that it has not seen (progressive
validation) and then trained on it. Every ``sync_every`` the trained vectors, and every ``sync_dense_every`` the dense weights, are
copied to serving: until then the feed is stale.

It reads ids, times, creators, the follow graph and public counters; columns marked hidden are refused to it (DESIGN.md D8).
Candidates and ranking: `twin.kernels.retrieve`; index: `twin.kernels.index`; interaction log: `log`; model: `learning`, `training`,
`generations`, `quality`; tables of IDs: `tables`, `occupancy`; snapshot: `serving`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.columns import Column
from twin.kernels.browse import Log
from twin.mechanism import Every, Mechanism
from twin.mechanisms.recommender import occupancy, quality
from twin.mechanisms.recommender.learning import TABLES, Learner
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.serving import Server
from twin.metric import Metric
from twin.world import World


class Recommender(Mechanism):
    """Learns from the log and serves slates."""

    name = "recommender"
    Params = RecommenderParams
    order = 40
    sees_hidden = False
    provides = ("serving", "log", "window", "oldest_held", "releasable")
    needs = ("follow_graph",)
    columns = {
        "posts": (
            Column("served_bias", "f4", "logit", "Bias as served"),
            Column("cluster", "i4", "list", "Inverted list of the post"),
            Column("trend", "f4", "clicks", "Decayed clicks"),
            Column("trend_clicks", "i4", "clicks", "Clicks at the last refresh"),
        ),
    }
    metrics = (
        Metric("posts_eligible", "gauge", "posts", "Posts that the feed may show now.", "platform", "Feed"),
        Metric("retrains", "counter", "retrains", "Trainings so far.", "platform", "Training"),
        Metric("training_samples", "counter", "impressions", "Impressions trained on so far.", "platform", "Training"),
        Metric("model_age", "gauge", "s", "Age of the newest impression that the served model has learned from.", "platform",
               "Training", good="down"),
        Metric("model_dim", "gauge", "floats", "Embedding dimension of the model that serves.", "platform", "Training"),
        Metric("model_migrating", "gauge", "1", "1 while a new generation of the model warms up.", "platform", "Training"),
        *quality.METRICS,
        *occupancy.METRICS,
    )

    def __init__(self, params: RecommenderParams, world: World) -> None:
        super().__init__(params, world)
        self.learner, self.server = Learner(self), Server(self)
        world.provide("serving", self.server.serving)
        world.provide("log", self.log)
        world.provide("window", self.learner.log.window)
        world.provide("oldest_held", self.oldest_held)
        world.provide("releasable", self.releasable)

    def setup(self) -> None:
        """Empty log, fresh tables, first copy."""
        self.learner.setup()
        self._copy()

    def clocks(self) -> list[Every]:
        """Retrain, sync and refresh on their schedules; the first snapshot is published at the start."""
        online = [Every(self.world.grid, "train", self.follow_window)] if self.p.training == "online" else []
        dense = [Every(self.p.sync_dense_every, "sync", self.sync_dense)] if self.p.sync_dense_every else []
        return [*online, Every(self.p.retrain_every, "train", self.retrain), Every(self.p.sync_every, "sync", self.sync), *dense,
                Every(self.world.grid, "refresh", self.refresh, first=0)]

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """New entities are served by what the synced copy knows of them."""
        entity = {name: entity for entity, name in TABLES.items()}.get(table)
        if entity is not None:
            self.learner.newcomers(entity, rows, len(self.world.table(table)))
        if entity == "post":
            self.server.place(rows)

    def log(self, sessions: int) -> Log:
        """The log with room for the slates of that many sessions."""
        return self.learner.log.room(sessions * max(int(slate) for slate in self.levers_by_arm("consumers", "slate")))

    def oldest_held(self) -> int:
        """Posts born before this time are in no log and in no feed."""
        return self.learner.log.since - int(self.p.expiry) - self.world.grid

    def releasable(self) -> NDArray[np.bool_]:
        """Which rows of posts neither feed nor log holds any more."""
        free: NDArray[np.bool_] = self.read("posts", "alive") & (self.read("posts", "born") < self.oldest_held())
        return free

    def follow_window(self) -> None:
        """Online training on the window that ends now."""
        self.learner.follow_window(self.server.serving(), self.server.eligible())

    def retrain(self) -> None:
        """Judge and train; a new generation that takes over is served at once."""
        if self.learner.retrain(self.server.serving(), self.server.eligible()):
            self.learner.stale()
            self._copy()

    def sync(self) -> None:
        """Copy trained vectors to serving, if there is anything new, and move the index with them."""
        if self.learner.stale():
            self._copy(dense=not self.p.sync_dense_every)

    def sync_dense(self) -> None:
        """Copy dense weights to serving, on a clock of their own."""
        self.learner.copy_dense()
        self.server.forget()

    def _copy(self, dense: bool = True) -> None:
        self.learner.copy_vectors()
        if dense:
            self.learner.copy_dense()
        self.server.reindex()

    def refresh(self) -> None:
        """Publish a new snapshot; the next window begins."""
        self.server.refresh()
        self.learner.log.close_window()

    def measure(self) -> None:
        """Feed, training and tables."""
        self.world.board.set("posts_eligible", len(self.keep["eligible"]))
        self.learner.measure(self.world.board)
