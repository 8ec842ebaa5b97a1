"""The recommender: it learns from the interaction log alone, retrains and syncs on a schedule, and serves from a snapshot.

Every ``refresh`` (default 10 min) the serving snapshot is renewed: posts enter and expire, levers take hold, trending and
exploration pools are rebuilt. Every ``retrain_every`` the model is first judged on the log that it has not seen (progressive
validation) and then trained on it. Every ``sync_every`` the trained vectors are copied to serving: until then the feed is stale.

It reads ids, times, creators, the follow graph and public counters; columns marked hidden are refused to it (DESIGN.md D8).
Candidates and ranking: `twin.kernels.retrieve`; index: `twin.kernels.index`; log and model: `learning`, `training`; tables of
IDs: `tables`; snapshot: `serving`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.columns import Column
from twin.kernels.browse import Log
from twin.mechanism import Every, Mechanism
from twin.mechanisms.recommender.learning import ENTITIES, JUDGED, Learner
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.serving import Server
from twin.metric import Metric
from twin.world import World

TABLES = {"consumer": "consumers", "post": "posts", "creator": "creators"}


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
        Metric("model_auc", "gauge", "1", "Progressive AUC: the served model on impressions it had not seen, by head.", "platform",
               "Model quality", labels={"head": JUDGED}, good="up"),
        Metric("model_log_loss", "gauge", "nats", "Progressive log loss by head.", "platform", "Model quality",
               labels={"head": JUDGED}, good="down"),
        Metric("model_calibration", "gauge", "1", "Predicted over observed rate by head (1 is calibrated).", "platform",
               "Model quality", labels={"head": JUDGED}),
        Metric("table_rows", "gauge", "rows", "Embedding rows in use.", "platform", "Embedding tables", labels={"entity": ENTITIES}),
        Metric("table_ids", "gauge", "ids", "Distinct living IDs that want a row.", "platform", "Embedding tables",
               labels={"entity": ENTITIES}),
        Metric("table_bytes", "gauge", "bytes", "Memory of embedding tables.", "platform", "Embedding tables",
               labels={"entity": ENTITIES}),
        Metric("table_sharing", "gauge", "1", "Share of living IDs that share their row with another.", "platform",
               "Embedding tables", labels={"entity": ENTITIES}, good="down"),
    )

    def __init__(self, params: RecommenderParams, world: World) -> None:
        super().__init__(params, world)
        self.learner, self.server = Learner(self), Server(self)
        world.provide("serving", self.server.serving)
        world.provide("log", self.log)
        world.provide("window", self.learner.window)
        world.provide("oldest_held", self.oldest_held)
        world.provide("releasable", self.releasable)

    def setup(self) -> None:
        """Empty log, fresh tables, first copy."""
        self.learner.setup()
        self._copy()

    def clocks(self) -> list[Every]:
        """Retrain, sync and refresh on their schedules; the first snapshot is published at the start."""
        return [Every(self.p.retrain_every, "train", self.retrain), Every(self.p.sync_every, "sync", self.sync),
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
        return self.learner.log(sessions * max(int(slate) for slate in self.levers_by_arm("consumers", "slate")))

    def oldest_held(self) -> int:
        """Posts born before this time are in no log and in no feed."""
        return int(self.keep["times"][0]) - int(self.p.expiry) - self.world.grid

    def releasable(self) -> NDArray[np.bool_]:
        """Which rows of posts neither feed nor log holds any more."""
        free: NDArray[np.bool_] = self.read("posts", "alive") & (self.read("posts", "born") < self.oldest_held())
        return free

    def retrain(self) -> None:
        """Judge and train."""
        self.learner.retrain(self.server.serving())

    def sync(self) -> None:
        """Copy trained vectors to serving, if there is anything new, and move the index with them."""
        if self.learner.stale():
            self._copy()

    def _copy(self) -> None:
        self.learner.copy_vectors()
        self.server.reindex()

    def refresh(self) -> None:
        """Publish a new snapshot; the next window begins."""
        self.server.refresh()
        self.learner.close_window()

    def measure(self) -> None:
        """Feed, training and tables."""
        board, keep = self.world.board, self.keep
        board.set("posts_eligible", len(keep["eligible"]))
        board.set("retrains", int(keep["counts"][0]))
        board.set("training_samples", int(keep["counts"][1]))
        board.set("model_age", self.world.now - int(keep["times"][2]))
        for row, name in enumerate(("model_auc", "model_log_loss", "model_calibration")):
            board.set_all(name, keep["quality"][row])
        for entity, table in TABLES.items():
            keys = self.read(table, "key")[self.read(table, "alive")]
            stats = self.learner.trainer.tables[entity].stats()
            board.set("table_rows", stats["rows"], entity=entity)
            board.set("table_ids", len(keys), entity=entity)
            board.set("table_bytes", stats["bytes"], entity=entity)
            board.set("table_sharing", self.learner.trainer.tables[entity].sharing(keys), entity=entity)
