"""The interaction log and what is learned from it: judge the served model, train on the log, copy vectors to serving.

The log holds impressions in the order in which they happened; the serving window that runs now begins at ``log.window``.
Progressive validation: the served copy predicts impressions before the model is trained on them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels import ranking, retrieve
from twin.kernels.browse import Log
from twin.kernels.training import HEADS
from twin.mechanism import Mechanism
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Trainer, judge
from twin.units import DAY

ENTITIES = ("consumer", "post", "creator")
JUDGED = ("click", "long_view", "like")
LOGGED = {"consumer": np.int32, "post": np.int32, "responses": np.uint16, "place": np.uint8, "source": np.uint8, "via": np.int32}


class Window(NamedTuple):
    """Impressions in the order in which they happened; read-only."""

    consumer: NDArray[np.int32]
    post: NDArray[np.int32]
    responses: NDArray[np.uint16]  # bit mask over HEADS
    place: NDArray[np.uint8]  # 0 begins a session; shelf impressions follow the slate's
    source: NDArray[np.uint8]  # index in SOURCES
    via: NDArray[np.int32]  # the work on whose shelf it hung, else -1


class Learner:
    """Log, trainer and copies for serving of one recommender; all state is in the mechanism's ``keep``."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.m, self.keep, self.p = mechanism, mechanism.keep, mechanism.p
        p = self.p
        tables = {name: EmbeddingTable(self.keep, name, kind=t.kind, dim=p.dim, size=t.slots, salt=t.salt,
                                       init_scale=p.init_scale, admission=t.admission, expire_after_s=t.expire_after)
                  for name, t in ((entity, getattr(p.tables, entity)) for entity in ENTITIES)}
        self.trainer = Trainer(self.keep, tables)

    def setup(self) -> None:
        """Empty log, fresh tables."""
        keep = self.keep
        for name, dtype in LOGGED.items():
            keep[f"log.{name}"] = np.zeros(64, dtype)
        keep["log.size"], keep["log.window"] = np.zeros(1, np.int64), np.zeros(1, np.int64)
        keep["times"] = np.zeros(3, np.int64)  # last retrain, newest data in the model, newest data served
        keep["counts"] = np.zeros(2, np.int64)  # retrains, samples
        keep["quality"] = np.full((3, len(JUDGED)), 0.5)
        self.trainer.setup()

    def log(self, room: int) -> Log:
        """The log with room for that many more impressions."""
        keep = self.keep
        need = int(keep["log.size"][0]) + room
        for name, dtype in LOGGED.items():
            array = keep[f"log.{name}"]
            if len(array) < need:
                keep[f"log.{name}"] = np.concatenate([array, np.zeros(2 * need - len(array), dtype)])
        return Log(*[keep[f"log.{name}"] for name in (*LOGGED, "size")])

    def window(self) -> Window:
        """The impressions of the serving window that ends now."""
        return self.logged(int(self.keep["log.window"][0]))

    def logged(self, first: int = 0) -> Window:
        """The log from a place on."""
        last = int(self.keep["log.size"][0])
        views = [self.keep[f"log.{name}"][first:last] for name in LOGGED]
        for view in views:
            view.flags.writeable = False
        return Window(*views)

    def close_window(self) -> None:
        """The next serving window begins here."""
        self.keep["log.window"][0] = self.keep["log.size"][0]

    def retrain(self, served: retrieve.Serving) -> None:
        """Judge the served model on the log, train on the log, forget the log."""
        keep, m, now = self.keep, self.m, self.m.world.now
        size = int(keep["log.size"][0])
        if size:
            consumer, post, responses = (keep[f"log.{name}"][:size] for name in ("consumer", "post", "responses"))
            creator = m.read("posts", "creator")[post]
            self._judge(consumer, post, responses, served)
            rates = {"lr": float(m.lever("learning_rate")), "lr_dense": float(m.lever("dense_rate")),
                     "l2": float(m.lever("regularisation"))}
            self.trainer.fit(m.read("consumers", "key"), consumer, m.read("posts", "key"), post,
                             m.read("creators", "key"), creator, responses, now, **rates)
            keep["counts"] += np.array([1, size])
            keep["times"][1] = now
        self.trainer.expire(now)
        keep["log.size"][0] = keep["log.window"][0] = 0
        keep["times"][0] = now
        if self.p.retrain_every > 7 * DAY:
            m.world.mark("retrain", f"trained on {size} impressions")

    def _judge(self, consumer: NDArray[np.int32], post: NDArray[np.int32], responses: NDArray[np.uint16],
               served: retrieve.Serving) -> None:
        """Progressive validation of the served copy, by head."""
        probability = ranking.predicted(consumer, post, served)
        for place, head in enumerate(JUDGED):
            h = HEADS.index(head)
            truth = (responses >> h & 1).astype(bool)
            scores = judge(probability[:, h].astype(float), truth)
            if np.isfinite(scores).all():
                self.keep["quality"][:, place] = scores

    def stale(self) -> bool:
        """Whether the model has learned something that is not served yet; then it is about to be."""
        times = self.keep["times"]
        if times[2] >= times[1]:
            return False
        times[2] = times[1]
        return True

    def copy_vectors(self) -> None:
        """Copy trained vectors and dense weights to serving."""
        keep, trainer, m = self.keep, self.trainer, self.m
        mean = trainer.newcomer()
        keep["serve.mean.vec"], keep["serve.mean.bias"] = mean[:-1].copy(), mean[-1:].copy()
        for entity, table in (("consumer", "consumers"), ("creator", "creators"), ("post", "posts")):
            rows = np.flatnonzero(m.read(table, "alive"))
            vectors = trainer.served(m.read(table, "key")[rows], entity, mean if entity == "consumer" else 0)
            vec, bias = vectors[:, :-1], vectors[:, -1]
            if entity == "post":
                maker = m.read("posts", "creator")[rows]
                vec, bias = vec + keep["serve.creator.vec"][maker], bias + keep["serve.creator.bias"][maker]
            size = len(m.world.table(table))
            keep.setdefault(f"serve.{entity}.vec", np.zeros((size, self.p.dim), np.float32))[rows] = vec
            keep.setdefault(f"serve.{entity}.bias", np.zeros(size, np.float32))[rows] = bias
        for name, array in trainer.dense().items():
            keep[f"serve.{name}"] = array.copy()

    def newcomers(self, entity: str, rows: NDArray[np.int64], size: int) -> None:
        """New entities are served by what the synced copy knows of them: a post by its creator, a person by the mean person."""
        for kind, width in (("vec", self.p.dim), ("bias", None)):
            name = f"serve.{entity}.{kind}"
            have = self.keep.get(name)
            shape = (0,) if width is None else (0, width)
            have = np.zeros(shape, np.float32) if have is None else have
            if len(have) < size:
                have = np.concatenate([have, np.zeros((2 * size - len(have), *have.shape[1:]), np.float32)])
            if entity == "post":
                have[rows] = self.keep[f"serve.creator.{kind}"][self.m.read("posts", "creator")[rows]]
            elif entity == "consumer":
                mean = self.keep.get(f"serve.mean.{kind}")
                have[rows] = 0 if mean is None else mean
            else:
                have[rows] = 0
            self.keep[name] = have
