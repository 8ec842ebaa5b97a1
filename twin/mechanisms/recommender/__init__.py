"""The recommender: it learns from the interaction log alone, retrains and syncs on a schedule, and serves from a snapshot.

Every ``refresh`` (default 10 min) the serving snapshot is renewed: posts enter and expire, levers take hold, trending and
exploration pools are rebuilt. Every ``retrain_every`` the model is first judged on the log that it has not seen (progressive
validation) and then trained on it. Every ``sync_every`` the trained vectors are copied to serving: until then the feed is stale.

It reads ids, times, creators, the follow graph and public counters; columns marked hidden are refused to it (DESIGN.md D8).
Candidates and ranking: `twin.kernels.retrieve`; index: `twin.kernels.index`; model: `training`; tables of IDs: `tables`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.columns import Column
from twin.kernels import index, retrieve
from twin.kernels.browse import Log
from twin.kernels.training import HEADS
from twin.mechanism import Every, Mechanism
from twin.mechanisms.recommender.presets import Preset, weights
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Trainer, judge
from twin.metric import Metric
from twin.params import Duration, Params, group, par
from twin.units import DAY, HOUR, MINUTE
from twin.world import World

ENTITIES = ("consumer", "post", "creator")
SOURCES = ("in_network", "nearest", "trending", "explore")


class Weights(Params):
    """Weights of the value model; a missing one is taken from the preset."""

    click: float | None = par(None, "weight of P(click)", low=-1e6, high=1e6, lever=True)
    long_view: float | None = par(None, "weight of P(long view)", low=-1e6, high=1e6, lever=True)
    like: float | None = par(None, "weight of P(like)", low=-1e6, high=1e6, lever=True)
    comment: float | None = par(None, "weight of P(comment)", low=-1e6, high=1e6, lever=True)
    reshare: float | None = par(None, "weight of P(reshare)", low=-1e6, high=1e6, lever=True)
    follow: float | None = par(None, "weight of P(follow)", low=-1e6, high=1e6, lever=True)
    hide: float | None = par(None, "weight of P(hide)", low=-1e6, high=1e6, lever=True)
    report: float | None = par(None, "weight of P(report)", low=-1e6, high=1e6, lever=True)


class Quota(Params):
    """Candidates per session by source."""

    in_network: int = par(30, "newest posts of followed creators", unit="posts", low=0, high=500, lever=True)
    nearest: int = par(45, "nearest posts of the two-tower index", unit="posts", low=0, high=500, lever=True)
    trending: int = par(15, "posts with most clicks lately", unit="posts", low=0, high=500, lever=True)
    explore: int = par(10, "posts that few have seen", unit="posts", low=0, high=500, lever=True)


class Table(Params):
    """One embedding table."""

    kind: Literal["hash", "collisionless"] = par("collisionless", "hash: fixed slots, collisions shared; collisionless: a cuckoo "
                                                 "map that grows", source="Monolith, Liu et al. 2209.07663")
    slots: int = par(65536, "slots of a hash table", unit="rows", low=1, high=2**31)
    salt: int = par(0, "salt of the hash", low=0, high=2**31)
    admission: int = par(1, "sightings before an ID gets a row (collisionless)", unit="sightings", low=1, high=255,
                         source="Monolith, Liu et al. 2209.07663")
    expire_after: Duration = par(30 * DAY, "age since the last sighting at which a row is recycled (collisionless; 0s: never)",
                                 unit="s", low=0, source="Monolith, Liu et al. 2209.07663")


class Tables(Params):
    """Embedding tables by entity."""

    consumer: Table = group(Table, "consumers", expire_after=90 * DAY)
    post: Table = group(Table, "posts", expire_after=7 * DAY)
    creator: Table = group(Table, "creators", expire_after=90 * DAY)


class RecommenderParams(Params):
    """Parameters of the recommender."""

    refresh: Duration = par(10 * MINUTE, "time between two serving snapshots", unit="s", low=MINUTE, high=30 * MINUTE)
    expiry: Duration = par(2 * DAY, "age at which a post leaves the feed", unit="s", low=HOUR, high=365 * DAY, grid=True,
                           source="48 h: xai-org/x-algorithm")
    retrain_every: Duration = par(6 * HOUR, "time between two trainings on the log", unit="s", low=HOUR, high=365 * DAY, grid=True)
    sync_every: Duration = par(6 * HOUR, "time between two copies of trained vectors to serving", unit="s", low=MINUTE,
                               high=365 * DAY, grid=True)
    dim: int = par(32, "embedding dimension", unit="floats", low=1, high=512)
    learning_rate: float = par(0.08, "Adagrad rate of embeddings", low=1e-6, high=10, lever=True)
    dense_rate: float = par(0.02, "Adagrad rate of dense weights", low=1e-6, high=10, lever=True)
    regularisation: float = par(1e-5, "L2 on touched rows", low=0, high=10, lever=True)
    init_scale: float = par(0.3, "size of a new embedding's vector", low=0, high=10)
    tables: Tables = group(Tables, "embedding tables")
    ranking: Literal["value", "chronological", "popularity", "random"] = par(
        "value", "how candidates are ordered; value is the learned value model", lever=True)
    preset: Preset = par("x_2026", "published feed weights to start from", lever=True, source="DESIGN.md section 7")
    weights: Weights = group(Weights, "weights that replace the preset's")
    quota: Quota = group(Quota, "candidates by source")
    probes: int = par(8, "inverted lists scanned per session", unit="lists", low=1, high=256, lever=True)
    lists: int = par(32, "inverted lists", unit="lists", low=1, high=4096)
    probe_cap: int = par(64, "most posts scanned per list", unit="posts", low=1, high=4096)
    scan: int = par(64, "followed creators looked at per session", unit="creators", low=1, high=5000)
    slate: int = par(10, "posts per slate", unit="posts", low=1, high=100, lever=True)
    author_cap: int = par(3, "most posts of one creator per slate", unit="posts", low=1, high=100, lever=True)
    author_decay: float = par(0.5, "factor per further post of a creator in a slate", low=0.01, high=1, lever=True,
                              source="xai-org/x-algorithm, ranking_scorer.rs")
    author_floor: float = par(0.25, "least factor for further posts of a creator", low=0.01, high=1, lever=True,
                              source="xai-org/x-algorithm, ranking_scorer.rs")
    out_of_network: float = par(0.75, "factor on posts of creators not followed", low=0.01, high=10, lever=True,
                                source="xai-org/x-algorithm, ranking_scorer.rs")
    ai_factor: float = par(1.0, "factor on posts of AI creators (1: no demotion)", low=0.01, high=10, lever=True)
    trend_half_life: Duration = par(6 * HOUR, "half-life of trending", unit="s", low=MINUTE, high=365 * DAY)
    explore_below: int = par(30, "impressions below which a post may be explored", unit="impressions", low=1, high=10**6)


class Recommender(Mechanism):
    """Learns from the log and serves slates."""

    name = "recommender"
    Params = RecommenderParams
    order = 40
    sees_hidden = False
    provides = ("serving", "log", "oldest_held")
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
               "Model quality", labels={"head": ("click", "long_view", "like")}, good="up"),
        Metric("model_log_loss", "gauge", "nats", "Progressive log loss by head.", "platform", "Model quality",
               labels={"head": ("click", "long_view", "like")}, good="down"),
        Metric("model_calibration", "gauge", "1", "Predicted over observed rate by head (1 is calibrated).", "platform",
               "Model quality", labels={"head": ("click", "long_view", "like")}),
        Metric("table_rows", "gauge", "rows", "Embedding rows in use.", "platform", "Embedding tables", labels={"entity": ENTITIES}),
        Metric("table_ids", "gauge", "ids", "Distinct living IDs that want a row.", "platform", "Embedding tables",
               labels={"entity": ENTITIES}),
        Metric("table_bytes", "gauge", "bytes", "Memory of embedding tables.", "platform", "Embedding tables",
               labels={"entity": ENTITIES}),
        Metric("table_sharing", "gauge", "1", "Share of living IDs that share their row with another.", "platform",
               "Embedding tables", labels={"entity": ENTITIES}, good="down"),
    )

    def setup(self) -> None:
        """Empty log, fresh tables, first snapshot."""
        keep = self.keep
        keep["log.consumer"], keep["log.post"] = np.zeros(64, np.int32), np.zeros(64, np.int32)
        keep["log.responses"], keep["log.place"] = np.zeros(64, np.uint16), np.zeros(64, np.uint8)
        keep["log.size"] = np.zeros(1, np.int64)
        keep["times"] = np.zeros(3, np.int64)  # last retrain, newest data in the model, newest data served
        keep["counts"] = np.zeros(2, np.int64)  # retrains, samples
        keep["quality"] = np.full((3, 3), 0.5)
        self.trainer.setup()
        self._sync_vectors()

    @property
    def trainer(self) -> Trainer:
        """The trainer, over arrays kept in the World."""
        made: Trainer | None = getattr(self, "_trainer", None)
        if made is None:
            p = self.p
            tables = {name: EmbeddingTable(self.keep, name, kind=t.kind, dim=p.dim, size=t.slots, salt=t.salt,
                                           init_scale=p.init_scale, admission=t.admission, expire_after_s=t.expire_after)
                      for name, t in ((entity, getattr(p.tables, entity)) for entity in ENTITIES)}
            made = self._trainer = Trainer(self.keep, tables)
        return made

    def clocks(self) -> list[Every]:
        """Retrain, sync and refresh on their schedules; the first snapshot is published at the start."""
        return [Every(self.p.retrain_every, "train", self.retrain), Every(self.p.sync_every, "sync", self.sync),
                Every(self.world.grid, "refresh", self.refresh, first=0)]

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """New entities are served by what the synced copy knows of them: a post by its creator, a person by the mean person."""
        entity = {"posts": "post", "consumers": "consumer", "creators": "creator"}.get(table)
        if entity is None:
            return
        for kind, width in (("vec", self.p.dim), ("bias", None)):
            name = f"serve.{entity}.{kind}"
            have = self.keep.get(name)
            shape = (0,) if width is None else (0, width)
            have = np.zeros(shape, np.float32) if have is None else have
            size = len(self.world.table(table))
            if len(have) < size:
                have = np.concatenate([have, np.zeros((2 * size - len(have), *have.shape[1:]), np.float32)])
            if entity == "post":
                have[rows] = self.keep[f"serve.creator.{kind}"][self.read("posts", "creator")[rows]]
            elif entity == "consumer":
                mean = self.keep.get(f"serve.mean.{kind}")
                have[rows] = 0 if mean is None else mean
            else:
                have[rows] = 0
            self.keep[name] = have
        if entity == "post" and "centroids" in self.keep:
            index.assign(rows, self.keep["serve.post.vec"], self.keep["serve.post.bias"], self.keep["centroids"],
                         self.mine("posts", "cluster"))

    def log(self, sessions: int) -> Log:
        """The log with room for the slates of that many sessions."""
        keep = self.keep
        need = int(keep["log.size"][0]) + sessions * int(self.lever("slate"))
        for name in ("consumer", "post", "responses", "place"):
            array = keep[f"log.{name}"]
            if len(array) < need:
                keep[f"log.{name}"] = np.concatenate([array, np.zeros(2 * need - len(array), array.dtype)])
        return Log(keep["log.consumer"], keep["log.post"], keep["log.responses"], keep["log.place"], keep["log.size"])

    def oldest_held(self) -> int:
        """Posts born before this time are in no log and in no feed."""
        return int(self.keep["times"][0]) - int(self.p.expiry) - self.world.grid

    def __init__(self, params: RecommenderParams, world: World) -> None:
        super().__init__(params, world)
        world.provide("serving", self.serving)
        world.provide("log", self.log)
        world.provide("oldest_held", self.oldest_held)
        self._snapshot: retrieve.Serving | None = None

    def retrain(self) -> None:
        """Judge the served model on the log, train on the log, forget the log."""
        keep, now = self.keep, self.world.now
        size = int(keep["log.size"][0])
        if size:
            consumer, post, responses = (keep[f"log.{name}"][:size] for name in ("consumer", "post", "responses"))
            creator = self.read("posts", "creator")[post]
            self._judge(consumer, post, responses)
            rates = {"lr": float(self.lever("learning_rate")), "lr_dense": float(self.lever("dense_rate")),
                     "l2": float(self.lever("regularisation"))}
            self.trainer.fit(self.read("consumers", "key"), consumer, self.read("posts", "key"), post,
                             self.read("creators", "key"), creator, responses, now, **rates)
            keep["counts"] += np.array([1, size])
            keep["times"][1] = now
        self.trainer.expire(now)
        keep["log.size"][0] = 0
        keep["times"][0] = now
        self.world.mark("retrain", f"trained on {size} impressions") if self.p.retrain_every > 7 * DAY else None

    def _judge(self, consumer: NDArray[np.int32], post: NDArray[np.int32], responses: NDArray[np.uint16]) -> None:
        """Progressive validation of the served copy, by head."""
        probability = retrieve.predicted(consumer, post, self.serving())
        for place, head in enumerate(("click", "long_view", "like")):
            h = HEADS.index(head)
            truth = (responses >> h & 1).astype(bool)
            scores = judge(probability[:, h].astype(float), truth)
            if np.isfinite(scores).all():
                self.keep["quality"][:, place] = scores

    def sync(self) -> None:
        """Copy trained vectors to serving, if there is anything new, and move the index with them."""
        keep = self.keep
        if keep["times"][2] < keep["times"][1]:
            keep["times"][2] = keep["times"][1]
            self._sync_vectors()

    def _sync_vectors(self) -> None:
        keep, trainer = self.keep, self.trainer
        mean = trainer.newcomer()
        keep["serve.mean.vec"], keep["serve.mean.bias"] = mean[:-1].copy(), mean[-1:].copy()
        for entity, table in (("consumer", "consumers"), ("creator", "creators"), ("post", "posts")):
            rows = np.flatnonzero(self.read(table, "alive"))
            vectors = trainer.served(self.read(table, "key")[rows], entity, mean if entity == "consumer" else 0)
            vec, bias = vectors[:, :-1], vectors[:, -1]
            if entity == "post":
                maker = self.read("posts", "creator")[rows]
                vec, bias = vec + keep["serve.creator.vec"][maker], bias + keep["serve.creator.bias"][maker]
            size = len(self.world.table(table))
            keep.setdefault(f"serve.{entity}.vec", np.zeros((size, self.p.dim), np.float32))[rows] = vec
            keep.setdefault(f"serve.{entity}.bias", np.zeros(size, np.float32))[rows] = bias
        for name, array in trainer.dense().items():
            keep[f"serve.{name}"] = array.copy()
        eligible: NDArray[np.int32] = self._eligible()
        vec, bias, cluster = keep["serve.post.vec"], keep["serve.post.bias"], self.mine("posts", "cluster")
        lists = int(self.p.lists)
        if "centroids" not in keep:
            keep["centroids"] = np.zeros((lists, self.p.dim + 1), np.float32)
        if len(eligible) >= lists and not keep["centroids"].any():
            seeds = eligible[(np.arange(lists) * len(eligible)) // lists]
            keep["centroids"] = np.concatenate([vec[seeds], bias[seeds, None]], axis=1)
        for _ in range(2):
            index.assign(eligible, vec, bias, keep["centroids"], cluster)
            index.move(eligible, vec, bias, keep["centroids"], cluster)
        index.assign(np.flatnonzero(self.read("posts", "alive")), vec, bias, keep["centroids"], cluster)
        self._snapshot = None

    def _eligible(self) -> NDArray[np.int32]:
        rows: NDArray[np.int32] = index.eligible_rows(self.read("posts", "alive"), self.read("posts", "born"), self.world.now,
                                                      int(self.p.expiry))
        return rows

    def refresh(self) -> None:
        """Publish a new snapshot: what the feed reads until the next one is held in arrays, so that a resume serves the same."""
        keep, rows = self.keep, self._eligible()
        decay = np.float32(0.5 ** (self.world.grid / self.p.trend_half_life))
        counts = self.read("posts", "counts")
        index.trends(rows, counts[:, 0], self.mine("posts", "trend_clicks"), self.mine("posts", "trend"), decay)
        newest = rows[np.argsort(-self.read("posts", "born")[rows], kind="stable")]
        keep["list_start"], keep["list_post"] = index.grouped(newest, self.mine("posts", "cluster"), int(self.p.lists))
        keep["creator_start"], keep["creator_post"] = index.grouped(newest, self.read("posts", "creator"),
                                                                    len(self.world.table("creators")))
        keep["eligible"] = rows
        keep["trending"] = index.best(rows, self.mine("posts", "trend"), 4 * max(int(self.lever("quota.trending")), 1))
        fresh = index.seldom(rows, self.read("posts", "impressions"), int(self.p.explore_below))
        keep["fresh"] = fresh if len(fresh) else rows
        keep["weights"] = weights(str(self.lever("preset")), {head: self.lever(f"weights.{head}") for head in HEADS})
        mode = retrieve.ORACLE if self.world.oracle else retrieve.MODES[str(self.lever("ranking"))]
        keep["whole"] = np.array([*(self.lever(f"quota.{s}") for s in SOURCES), self.lever("probes"), self.p.probe_cap, self.p.scan,
                                  self.lever("slate"), self.lever("author_cap"), mode], np.int64)
        keep["factor"] = np.array([self.lever("out_of_network"), self.lever("ai_factor"), self.lever("author_decay"),
                                   self.lever("author_floor")], np.float32)
        self._snapshot = None

    def serving(self) -> retrieve.Serving:
        """The snapshot as the session kernel reads it."""
        if self._snapshot is None:
            k = self.keep
            dim = int(self.p.dim)
            dense, intercept = k["serve.W"], k["serve.c"]
            base = 1 / (1 + np.exp(-intercept.astype(float)))
            pull = (k["weights"] * base * (1 - base)).astype(np.float32)
            query = np.append((dense[:dim] * pull).sum(1), (dense[dim + 1] * pull).sum()).astype(np.float32)
            posts = self.world.table("posts")
            ai = self.read("creators", "ai")[np.maximum(self.read("posts", "creator"), 0)] if len(posts) else np.zeros(0, bool)
            self._snapshot = retrieve.Serving(
                k["serve.post.vec"], k["serve.post.bias"], posts["creator"], posts["born"], ai, self.mine("posts", "trend"),
                k["serve.consumer.vec"], k["serve.consumer.bias"], np.ascontiguousarray(dense[:dim]), dense[dim].copy(),
                dense[dim + 1].copy(), intercept, k["weights"], query, k["centroids"], k["list_start"], k["list_post"],
                k["creator_start"], k["creator_post"], k["trending"], k["fresh"], k["eligible"], k["whole"], k["factor"])
        return self._snapshot

    def measure(self) -> None:
        """Feed, training and tables."""
        board, keep = self.world.board, self.keep
        board.set("posts_eligible", len(keep["eligible"]))
        board.set("retrains", int(keep["counts"][0]))
        board.set("training_samples", int(keep["counts"][1]))
        board.set("model_age", self.world.now - int(keep["times"][2]))
        for row, name in enumerate(("model_auc", "model_log_loss", "model_calibration")):
            board.set_all(name, keep["quality"][row])
        for entity, table in zip(ENTITIES, ("consumers", "posts", "creators"), strict=True):
            keys = self.read(table, "key")[self.read(table, "alive")]
            stats = self.trainer.tables[entity].stats()
            board.set("table_rows", stats["rows"], entity=entity)
            board.set("table_ids", len(keys), entity=entity)
            board.set("table_bytes", stats["bytes"], entity=entity)
            board.set("table_sharing", self.trainer.tables[entity].sharing(keys), entity=entity)
