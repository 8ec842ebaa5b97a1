"""The recommender: it learns from the interaction log alone, retrains and syncs on a schedule, and
serves from a snapshot.

Every ``refresh`` (default 10 min) the serving snapshot is renewed: posts enter and expire, levers
take effect, trending and exploration pools are rebuilt. Every ``retrain_every`` the model is first
judged on the log that it has not seen (progressive validation) and then trained on it. Every
``sync_every`` the trained vectors, and every ``sync_dense_every`` the dense weights, are copied to
serving: until then the feed is stale.

It reads ids, times, creators, the follow graph and public counters; columns marked hidden are
refused to it (DESIGN.md D8). What posts are it knows as classifiers read it, with their errors
(`signals`, D13). It never trains on impressions of random slots (``random_share``): they show how
well it tells posts apart that no ranking chose (`holdout`). Candidates and ranking:
`twin.kernels.retrieve`; index: `twin.kernels.index`; interaction log: `log`; model: `learning`,
`training`, `generations`, `quality`; tables of IDs: `tables`, `occupancy`; snapshot: `serving`.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from twin.kernels.rules import Shelf
from twin.mechanisms.recommender import holdout, occupancy, quality, signals
from twin.mechanisms.recommender.learning import TABLES, Learner
from twin.mechanisms.recommender.links import RING_COLUMNS, ItemLinks, Ring
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.reward import RewardModel
from twin.mechanisms.recommender.serving import Server
from twin.world.columns import Column
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.state import Made, World

ENTITIES = {table: entity for entity, table in TABLES.items()}


class Recommender(Mechanism[RecommenderParams]):
    """Learns from the log and serves slates."""

    name = "recommender"
    Params = RecommenderParams
    order = 40
    replaced_by = "none"
    instead = "recommender: {ranker: {class: package.module.Class}} for a ranking of your own"
    reads = {
        "creators": ("active", "ai", "arm", "entered_at", "followers"),
        "consumers": ("active",),
        "posts": ("born", "counts", "creator", "impressions", "labelled", "signal", "work"),
    }
    sees_hidden = False
    provides: ClassVar[tuple[str, ...]] = (
        "serving",
        "log",
        "window",
        "oldest_held",
        "releasable",
        "links",
        "shelf_kinds",
        "holdout_span",
        "creators.small",
    )
    needs = ("follow_graph", "classify")
    serves: type[Server] = Server
    columns = {
        "consumers": RING_COLUMNS,
        "posts": (
            Column("cluster", "i4", "list", "Inverted list of the post"),
            Column("trend", "f4", "clicks", "Decayed clicks"),
            Column("trend_clicks", "i4", "clicks", "Clicks at the last refresh"),
            *signals.COLUMNS,
        ),
    }
    metrics = (
        Metric(
            "posts_eligible",
            "gauge",
            "posts",
            "Posts that the feed may show now.",
            "platform",
            "Feed",
        ),
        Metric("retrains", "counter", "retrains", "Trainings so far.", "platform", "Training"),
        Metric(
            "training_samples",
            "counter",
            "impressions",
            "Impressions trained on so far.",
            "platform",
            "Training",
        ),
        Metric(
            "model_age",
            "gauge",
            "s",
            "Mean age of the newest impression that the served model had learned from, since the "
            "last "
            "reading.",
            "platform",
            "Training",
            good="down",
        ),
        Metric(
            "model_dim",
            "gauge",
            "floats",
            "Embedding dimension of the model that serves.",
            "platform",
            "Training",
        ),
        Metric(
            "model_migrating",
            "gauge",
            "1",
            "1 while a new generation of the model warms up.",
            "platform",
            "Training",
        ),
        *quality.METRICS,
        *holdout.METRICS,
        Metric(
            "reward_accuracy",
            "gauge",
            "1",
            "Share of comparisons that the reward model predicted rightly before it learned them.",
            "platform",
            "Model",
            good="up",
        ),
        Metric(
            "reward_spread",
            "gauge",
            "logit",
            "Spread of people's own reward weights around the pooled ones, as served.",
            "platform",
            "Model",
        ),
        *occupancy.METRICS,
    )

    def __init__(self, params: RecommenderParams, world: World) -> None:
        super().__init__(params, world)
        self.links, self.reward = (
            ItemLinks(self.keep, self.p.links),
            RewardModel(self.keep, self.p.reward),
        )
        self.learner, self.server = Learner(self), self.serves(self, self.links)
        self._shelves: Made[NDArray[np.int8]] = Made()
        world.provide("serving", self.server.serving)
        world.provide("log", self.learner.log.room)
        world.provide("window", self.learner.log.window)
        world.provide("oldest_held", self.oldest_held)
        world.provide("releasable", self.releasable)
        world.provide("links", lambda: self.links.linked)
        world.provide("shelf_kinds", self.shelf_kinds)
        world.provide("holdout_span", self.learner.holdout.span)
        world.provide("creators.small", self.small)

    def small(self) -> NDArray[np.bool_]:
        """Which creators count as small now (``small_followers``, ``small_new``), bool
        (creators,)."""
        few: NDArray[np.bool_] = self.read("creators", "followers") <= self.p.small_followers
        return few | (self.read("creators", "entered_at") > self.server.small_since())

    def setup(self) -> None:
        """Empty log, fresh tables, first copy."""
        self.learner.setup()
        self.links.setup()
        self.reward.setup()
        self._copy()

    def clocks(self) -> list[Every]:
        """Retrain, sync and refresh on their schedules; the first snapshot is published at the
        start."""
        # Listed before `retrain`: an interval's last window is trained on before it closes
        online = (
            [Every(self.world.grid, "train", self.follow_window)]
            if self.p.training == "online"
            else []
        )
        dense = (
            [Every(self.p.sync_dense_every, "sync", self.sync_dense)]
            if self.p.sync_dense_every
            else []
        )
        return [
            Every(self.world.grid, "react", self.observe),
            *online,
            # Asked at every refresh whether it is time: a policy may change the period in between
            Every(self.world.grid, "train", self.retrain),
            Every(self.p.links.links_every, "sync", self.relink),
            Every(self.world.grid, "sync", self.sync),
            *dense,
            Every(self.world.grid, "refresh", self.refresh, first=0),
        ]

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """New entities are served by what the synced copy knows of them."""
        entity = ENTITIES.get(table)
        if entity is not None:
            self.learner.newcomers(entity, rows, self.world.table(table).capacity)
        if entity == "post":
            # So that the next snapshot finds every post in a list
            self.server.place(rows)
        elif entity == "consumer":
            # Else these came before the recommender's set-up
            if "reward.total" in self.keep:
                self.reward.born(rows, self.world.table(table).capacity)
            self.server.welcome(rows)

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """No link may hold a post that is released; what was known of a person is deleted."""
        if table == "posts":
            # A lazy column: asking for the ring before anybody bought would give it memory
            self.links.forget(
                rows, self._ring() if self.world.table("consumers").holds("bought") else None
            )
        elif table == "consumers":
            self.reward.gone(rows)

    def _ring(self) -> Ring:
        return Ring(self.mine("consumers", "bought"), self.mine("consumers", "bought_at"))

    def observe(self) -> None:
        """Count what was viewed and bought together in the window that ends now, where links are in
        use: by a quota, or on the shelves of works. Before that: what the feed knew in it."""
        # Before a training, which may forget the window
        self.world.end_window()
        # Before the early return: training needs what the feed knew, links in use or not
        self.learner.note()
        works = self.read("posts", "work")
        if not (
            works.any()
            or any(self.levers_by_arm("consumers", "quota.co_viewed"))
            or any(self.levers_by_arm("consumers", "quota.bought_together"))
        ):
            return
        window = self.learner.log.window()
        ring = self._ring() if works.any() else None
        self.links.observe(
            window.consumer, window.post, window.responses, works, self.world.now, ring
        )

    def relink(self) -> None:
        """Link posts again."""
        self.links.rebuild(
            self.world.now,
            self.read("posts", "key"),
            self.server.eligible(),
            self.read("posts", "work"),
            self.stream("links"),
        )

    def shelf_kinds(self) -> NDArray[np.int8]:
        """Which links the shelves of people show, by arm of consumers: see `Shelf`."""
        return self._shelves.get(
            self.world.lever_version,
            lambda: np.array(
                [
                    Shelf[str(kind).upper()]
                    for kind in self.levers_by_arm("consumers", "shelf.kind")
                ],
                np.int8,
            ),
        )

    def _rewarding(self) -> bool:
        """Whether the reward model is in use; it learns and is served only while it is."""
        return any(self.levers_by_arm("consumers", "reward.weight"))

    def oldest_held(self) -> int:
        """Short-lived posts born before this time are in no log and in no feed, and who left before
        it is in no log."""
        return self.learner.log.since - int(self.p.expiry) - self.world.grid

    def releasable(self) -> NDArray[np.bool_]:
        """Which rows of posts neither feed nor log holds any more."""
        # Works stay in the feed longer than posts, by this much
        longer = self.read("posts", "work") * (int(self.p.work_expiry) - int(self.p.expiry))
        free: NDArray[np.bool_] = self.read("posts", "alive") & (
            self.read("posts", "born") < self.oldest_held() - longer
        )
        return free

    def follow_window(self) -> None:
        """Online training on the window that ends now."""
        self.learner.follow_window(self.server.serving(), self.server.eligible())

    def due(self) -> bool:
        """Whether it is time to train."""
        since = self.world.now - int(self.keep["times"]["retrained"][0])
        return since >= int(self.lever("retrain_every"))

    def retrain(self) -> None:
        """When it is time, judge and train; the reward model learns from the same log. A new
        generation that takes over is served at once."""
        if not self.due():
            return
        # The reward model first: retraining closes the interval and may cut the log
        if self._rewarding():
            self.reward.open(self.world.table("consumers").capacity)
            first = self.learner.log.interval
            log, held = self.learner.log.part(first), self.learner.log.held(first)
            self.reward.learn(
                log.consumer, log.post, log.responses, log.place, self.read("posts", "signal"), held
            )
        # A new generation is served as a whole, dense weights too, without waiting for a sync
        if self.learner.retrain(self.server.serving(), self.server.eligible()):
            self.learner.stale()
            self._copy()

    def sync(self) -> None:
        """When it is time, copy trained vectors to serving, if there is anything new, and move the
        index with them."""
        times = self.keep["times"]
        if self.world.now - int(times["synced"][0]) < int(self.lever("sync_every")):
            return
        # Also where there is nothing new: the next copy comes a full period later
        times["synced"] = self.world.now
        if self.learner.stale():
            self._copy(dense=not self.p.sync_dense_every)

    def sync_dense(self) -> None:
        """Copy dense weights to serving, on a clock of their own."""
        self.learner.copy_dense()
        # What signals add to posts follows from dense weights as well
        self.learner.side.reweigh()
        self.server.forget()

    def _copy(self, dense: bool = True) -> None:
        if dense:
            self.learner.copy_dense()
        self.learner.copy_vectors()
        self.learner.copy_side()
        # The first copy is always made: a snapshot needs arrays, in use or not
        if self._rewarding() or "serve.reward.pool" not in self.keep:
            self.keep["serve.reward.pool"] = self.reward.pooled().astype(np.float32)
            self.keep["serve.reward.own"] = self.reward.deviations().astype(np.float32)
            if self._rewarding():
                self.server.open_reward()
        # Last: the index goes by the vectors just copied
        self.server.reindex()

    def refresh(self) -> None:
        """Publish a new snapshot; the next window begins."""
        if self._rewarding():
            self.server.open_reward()
        # New posts are read and placed before the lists are made that they are in
        self.server.place(self.learner.freshen())
        self.server.refresh()
        # Only here: until then, "the window" of the log is the one that ends now
        self.learner.log.close_window()
        self.learner.grow_old()

    def scratch(self) -> dict[str, int]:
        """The snapshot as the session kernel reads it."""
        return {"recommender snapshot": self.server.scratch()}

    def waiting(self) -> dict[str, int]:
        """Impressions that no training has seen."""
        return {"training": len(self.learner.log) - int(self.keep["log.trained"][0])}

    def measure(self) -> None:
        """Feed, training and tables."""
        self.world.board.set("posts_eligible", len(self.keep["eligible"]))
        self.world.board.set("reward_accuracy", self.reward.accuracy())
        # The array has room ahead of the table
        own = self.keep["serve.reward.own"][: len(self.world.table("consumers"))]
        own = own[self.read("consumers", "active")] if len(own) else own
        self.world.board.set("reward_spread", float(own.std(dtype=float)) if len(own) else 0.0)
        self.learner.measure(self.world.board)
