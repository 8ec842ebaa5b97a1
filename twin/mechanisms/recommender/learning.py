"""What is learned from the log, and when: judge the served copy, train, copy vectors to serving.

``training``: ``incremental`` passes once over the log since the last training, every
``retrain_every``; ``online`` trains on every serving window as it ends (in the same order; dense
weights also step at each window's end); ``full`` begins a fresh model every ``retrain_every`` and
passes ``epochs`` times over the last ``history`` of the log, which is kept for it. Judging, expiry
and migration (`generations`) go by ``retrain_every`` in all three. Impressions of random slots are
predicted with the rest and never trained on (`holdout`).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels.negatives import Negatives, Shown
from twin.kernels.snapshot import Serving
from twin.kernels.tables import Vectors
from twin.kernels.training import Rates
from twin.mechanisms.recommender.generations import Generations
from twin.mechanisms.recommender.holdout import Holdout
from twin.mechanisms.recommender.log import InteractionLog
from twin.mechanisms.recommender.occupancy import Occupancy
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.quality import Quality, bucket
from twin.mechanisms.recommender.signals import SideInformation
from twin.mechanisms.recommender.training import COUNTED, UNKNOWN, Keys, Known, Trainer
from twin.world.board import Board
from twin.world.columns import lengthened
from twin.world.mechanism import Mechanism

LEAST = 2000
"""Rows that a thread copies at once, or more."""
RATES = {
    "embedding": "learning_rate",
    "dense": "dense_rate",
    "l2": "regularisation",
    "signals": "signals.rate",
}
"""The lever of each of `Rates`."""
TIMES = np.dtype([(name, "i8") for name in ("retrained", "learned", "served", "synced")])
"""When the model was trained last, of when its newest data and those of the served copy are, and when
vectors were last synced; seconds."""
TABLES = {"consumer": "consumers", "post": "posts", "creator": "creators"}


class Learner:
    """Log, model and copies for serving of one recommender; all state is in the mechanism's
    ``keep``."""

    def __init__(self, mechanism: Mechanism[RecommenderParams]) -> None:
        self.m, self.keep, self.p = mechanism, mechanism.keep, mechanism.p
        self.log = InteractionLog(self.keep)
        self.quality, self.occupancy = (
            Quality(self.keep, mechanism.world.crew),
            Occupancy(self.keep),
        )
        self.holdout = Holdout(self.keep, int(self.p.holdout_memory))
        self.side = SideInformation(mechanism, self.log)
        self.generations = Generations(mechanism, self.side)

    @property
    def trainer(self) -> Trainer:
        """The model that serves."""
        return self.generations.serving()

    def setup(self) -> None:
        """Empty log, fresh tables."""
        self.log.setup()
        # Online: trained and predicted up to here
        self.keep["log.trained"] = np.zeros(1, np.int64)
        self.keep["times"] = np.zeros(1, TIMES)
        # Sum over refreshes since the last reading, and how many
        self.keep["ages"] = np.zeros(2)
        # Trainings, samples
        self.keep["counts"] = np.zeros(2, np.int64)
        for part in (self.quality, self.holdout, self.occupancy, self.side, self.generations):
            part.setup()

    def note(self) -> None:
        """Before anything changes: what the feed knew of posts in the window that ends now."""
        if self.generations.knowing:
            self.side.note()

    def follow_window(self, served: Serving, pool: NDArray[np.int32]) -> None:
        """Online training: on what the serving window brought."""
        first = int(self.keep["log.trained"][0])
        if first < len(self.log):
            self._predict(first, served)
            self._train(first, pool)
            self.keep["log.trained"][0] = len(self.log)

    def retrain(self, served: Serving, pool: NDArray[np.int32]) -> bool:
        """Judge the interval's predictions, train, let IDs expire, begin the next interval. Tells
        whether a new generation serves.

        ``pool``: posts that the feed may show, from which negatives are drawn.
        """
        now, log, first = self.m.world.now, self.log, self.log.interval
        # First, so that a new generation learns from this interval (online: from the next window)
        self.generations.follow_levers()
        # Before the log is cut: what is reported is trained on, without random slots
        size = len(log) - first - int(np.count_nonzero(log.held(first)))
        if len(log) > first:
            # Online training has done both window by window
            if self.p.training != "online":
                self._predict(first, served)
                # Predictions are of the interval alone, a full training is on all that is kept
                first = 0 if self.p.training == "full" else first
                self._train(first, pool)
            # The column is u2; ``view`` only says so to the type checker
            self.side.learn_rates(
                log.column("responses", log.interval).view(np.uint16)[log.taught(log.interval)]
            )
            self._note_sharing(first)
        # Against predictions made before training, by the copy that served
        self._judge()
        for trainer in self.generations.all():
            trainer.expire(now)
        every = int(self.m.lever("retrain_every"))
        # By the next training the log has grown by one interval: together a whole history
        oldest = now + every - int(self.p.history) if self.p.training == "full" else now
        log.close_interval(now, oldest)
        self.keep["log.trained"][0] = len(log)
        self.keep["times"]["retrained"] = now
        # Frequent trainings would crowd the time axis
        if every > 7 * DAY:
            self.m.world.mark("retrain", f"trained on {size} impressions")
        return self.generations.cut_over()

    def _predict(self, first: int, served: Serving) -> None:
        """Let what is served predict the log from an index on."""
        self.quality.predict(
            self.log.column("consumer", first),
            self.log.column("post", first),
            served,
            self.side.of_log(first),
        )

    def _judge(self) -> None:
        """Judge the interval's predictions, those of random slots apart."""
        log = self.log
        responses, held = (
            log.column("responses", log.interval).view(np.uint16),
            log.held(log.interval),
        )
        # Taken out first: the rest is judged as if the log had never had them
        said, new = self.quality.set_aside(held)
        self.holdout.judge(
            said, responses[held], new, int(self.keep["times"]["retrained"][0]), self.m.world.now
        )
        if len(responses):
            self.quality.judge(responses if not len(said) else responses[~held])

    def _train(self, first: int, pool: NDArray[np.int32]) -> None:
        """Fit every generation (with full retraining: begun afresh) to the log from an index on,
        where it holds what may be trained on."""
        m, now, taught = self.m, self.m.world.now, self.log.taught(first)
        consumer, post, responses = (
            self.log.column(name, first)[taught] for name in ("consumer", "post", "responses")
        )
        if not len(post):
            return
        # Before anything is fitted: a fresh model, of the same settings
        if self.p.training == "full":
            for trainer in self.generations.all():
                self.generations.begin(trainer)
        maker = m.read("posts", "creator")
        negatives = Negatives(
            each=int(m.lever("negatives")), pool=pool, maker=maker, stream=m.stream("negatives")
        )
        epochs = int(self.p.epochs) if self.p.training == "full" else 1
        known = UNKNOWN
        if self.generations.knowing:
            known = Known(
                reading=m.mine("posts", "read"),
                tally=self.log.tally(first)[taught],
                latest=m.mine("posts", "tally"),
                mask=self.side.mask(),
            )
        rates = Rates(**{rate: float(m.lever(lever)) for rate, lever in RATES.items()})
        # Every generation sees the same impressions, rates and negatives
        for trainer in self.generations.all():
            trainer.fit(
                Keys(**{entity: m.read(table, "key") for entity, table in TABLES.items()}),
                Shown(
                    consumer=consumer,
                    post=post,
                    creator=maker[post],
                    responses=responses.view(np.uint16),
                ),
                now,
                rates=rates,
                epochs=epochs,
                negatives=negatives,
                known=known,
            )
        self.keep["counts"] += np.array([1, len(post) * epochs])
        self.keep["times"]["learned"] = now

    def _note_sharing(self, first: int) -> None:
        """Traffic on shared rows in what was trained on of the log from an index on."""
        taught = self.log.taught(first)
        consumer, post = (
            self.log.column("consumer", first)[taught],
            self.log.column("post", first)[taught],
        )
        if not len(post):
            return
        places = {
            "consumer": consumer,
            "post": post,
            "creator": self.m.read("posts", "creator")[post],
        }
        for entity, table in self.trainer.tables.items():
            # Distinct IDs with their impressions: tables count sharing by ID
            count = np.bincount(places[entity])
            some = np.flatnonzero(count)
            self.occupancy.note(
                entity, table, self.m.read(TABLES[entity], "key")[some], count[some]
            )

    def grow_old(self) -> None:
        """Note how old what is served will be in the middle of the window that begins now."""
        # The middle of the window: its sessions are spread over it
        self.keep["ages"] += np.array(
            [self.m.world.now + self.m.world.grid / 2 - int(self.keep["times"]["served"][0]), 1.0]
        )

    def stale(self) -> bool:
        """Whether the model has learned something that is not served yet; then it is about to
        be."""
        times = self.keep["times"]
        if times["served"] >= times["learned"]:
            return False
        times["served"] = times["learned"]
        return True

    def copy_vectors(self) -> None:
        """Copy trained vectors to serving."""
        keep, trainer, m = self.keep, self.trainer, self.m
        mean = trainer.newcomer()
        keep["serve.mean.vec"], keep["serve.mean.bias"] = mean[:-1].copy(), mean[-1:].copy()
        # Creators before posts, to whose vectors they are added as served
        for entity in ("consumer", "creator", "post"):
            table = TABLES[entity]
            rows = np.flatnonzero(m.read(table, "alive"))
            size, dim = m.world.table(table).capacity, len(mean) - 1
            if f"serve.{entity}.vec" not in keep or keep[f"serve.{entity}.vec"].shape[1] != dim:
                # The first copy, or a generation of another dimension
                keep[f"serve.{entity}.vec"] = np.zeros((size, dim), np.float32)
                keep[f"serve.{entity}.bias"] = np.zeros(size, np.float32)
            if entity in COUNTED:
                keep.setdefault(f"serve.known.{entity}", np.zeros(size, np.uint8))
            # An unknown post is its creator alone, an unknown person the mean one
            unknown = mean if entity == "consumer" else np.zeros_like(mean)
            m.world.crew.split(
                len(rows), LEAST, partial(self._copy, trainer, entity, rows, unknown)
            )

    def _copy(
        self,
        trainer: Trainer,
        entity: str,
        rows: NDArray[np.int64],
        unknown: NDArray[np.float32],
        low: int,
        high: int,
    ) -> None:
        """Copy the vectors of some rows: to a post's, what is known of its creator is added."""
        # Pieces are rows of their own, so threads write apart
        keep, some, more = self.keep, rows[low:high], "creator" if entity == "post" else entity
        maker = self.m.read("posts", "creator")[some] if entity == "post" else np.zeros(0, np.int32)
        served, makers = (
            Vectors(vec=keep[f"serve.{name}.vec"], bias=keep[f"serve.{name}.bias"])
            for name in (entity, more)
        )
        keys = self.m.read(TABLES[entity], "key")[some]
        trainer.tables[entity].copy(keys, unknown, some, served, maker, makers)
        if entity in COUNTED:
            keep[f"serve.known.{entity}"][some] = bucket(trainer.trained(entity, some))

    def copy_dense(self) -> None:
        """Copy dense weights to serving."""
        for name, array in self.trainer.dense().items():
            self.keep[f"serve.{name}"] = array.copy()
        self.keep["serve.mask"] = self.side.mask()

    def copy_side(self) -> None:
        """What is known of posts, as the copied weights have it, into the served vectors and
        log-odds of all of them."""
        if self.side.served:
            rows = np.flatnonzero(self.m.read("posts", "alive"))
            self.side.count(rows)
            self.side.project(rows)
            self.side.weigh(rows)
        else:
            self.keep["serve.linear"] = np.zeros((0, 8), np.float32)

    def freshen(self) -> NDArray[np.int64]:
        """Read what is new and count what was shown in the window that ends now, for serving;
        returns the new posts."""
        side = self.side
        if not self.generations.knowing:
            return np.zeros(0, np.int64)
        new, shown = side.read(), self.keep["signals.shown"]
        # Shown posts have other counts; readings stay, so their vectors need no second `project`
        side.count(shown)
        if side.served:
            side.project(new)
            side.weigh(new)
            side.weigh(shown)
        return new

    def newcomers(self, entity: str, rows: NDArray[np.int64], size: int) -> None:
        """New entities are served by what the synced copy knows: a post by its creator, a person by
        the mean person.

        ``size``: rows for which their table has room.
        """
        keep = self.keep
        self.generations.born(entity, rows)
        if entity == "post" and self.generations.knowing:
            self.side.born(rows)
        maker = self.m.read("posts", "creator")[rows] if entity == "post" else None
        for name in ("vec", "bias", "known"):
            place = f"serve.known.{entity}" if name == "known" else f"serve.{entity}.{name}"
            have = keep.get(place)
            if have is None:
                have = np.zeros(
                    (0, self.generations.dim) if name == "vec" else 0,
                    np.uint8 if name == "known" else np.float32,
                )
            have = keep[place] = lengthened(have, size)
            if name == "known":
                have[rows] = 0
            elif maker is not None:
                have[rows] = keep[f"serve.creator.{name}"][maker]
            else:
                have[rows] = keep.get(f"serve.mean.{name}", 0) if entity == "consumer" else 0

    def measure(self, board: Board) -> None:
        """Training, model quality and tables."""
        m = self.m
        board.set("retrains", int(self.keep["counts"][0]))
        board.set("training_samples", int(self.keep["counts"][1]))
        if self.keep["ages"][1]:
            board.set("model_age", self.keep["ages"][0] / self.keep["ages"][1])
        self.keep["ages"] = np.zeros(2)
        board.set("model_dim", self.generations.dim)
        board.set("model_migrating", float(self.generations.warming))
        self.quality.measure(board)
        self.holdout.measure(board)
        self.occupancy.measure(
            board,
            [trainer.tables for trainer in self.generations.all()],
            {
                entity: m.read(table, "key")[m.read(table, "alive")]
                for entity, table in TABLES.items()
            },
        )
