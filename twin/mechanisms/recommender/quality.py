"""Progressive validation: the served copy predicts every impression before the model trains on it.

AUC by mid-ranks, log loss, and calibration (mean prediction over mean outcome), by head; and for
clicks by how many impressions of the post's or the consumer's ID the served copy had learned from,
which shows what a cold start costs. A bucket in which nothing could be judged keeps its last
values. All of that is of the traffic that is trained on, chosen by the feed; impressions of random
slots are predicted with the rest and judged apart (`holdout`).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.ground.crew import Crew
from twin.kernels.judging import judge, losses
from twin.kernels.predicting import Model, predict
from twin.kernels.side import Side
from twin.kernels.snapshot import Serving
from twin.kernels.training import HEADS
from twin.mechanisms.recommender.tables import Arrays
from twin.mechanisms.recommender.training import COUNTED
from twin.world.board import Board
from twin.world.metric import Metric

JUDGED = HEADS[:3]
"""click, long_view, like"""
BUCKETS = ("0", "1-9", "10-99", "100-999", "1000+")
EDGES = (1, 10, 100, 1000)
LEAST = 5000
"""Impressions that a thread predicts at once, or more."""
KNOWN = {"entity": COUNTED, "bucket": BUCKETS}
SCORES = ("model_auc", "model_log_loss", "model_calibration")

METRICS = (
    Metric(
        "model_auc",
        "gauge",
        "1",
        "Progressive AUC by head: the served model on impressions that it had not seen and is "
        "trained on "
        "next, so without random slots (see model_auc_holdout).",
        "platform",
        "Model",
        labels={"head": JUDGED},
        good="up",
    ),
    Metric(
        "model_log_loss",
        "gauge",
        "nats",
        "Progressive log loss by head, on the same impressions.",
        "platform",
        "Model",
        labels={"head": JUDGED},
        good="down",
    ),
    Metric(
        "model_calibration",
        "gauge",
        "1",
        "Predicted over observed rate by head (1 is calibrated), on the same impressions.",
        "platform",
        "Model",
        labels={"head": JUDGED},
    ),
    Metric(
        "model_auc_by_frequency",
        "gauge",
        "1",
        "Progressive AUC of clicks by impressions of the ID that the served model had learned "
        "from; no reading while there are none.",
        "platform",
        "Cold start",
        labels=KNOWN,
        good="up",
    ),
    Metric(
        "model_log_loss_by_frequency",
        "gauge",
        "nats",
        "Progressive log loss of clicks by impressions of the ID that the served model had learned "
        "from; no reading while there are "
        "none.",
        "platform",
        "Cold start",
        labels=KNOWN,
        good="down",
    ),
    Metric(
        "model_calibration_by_frequency",
        "gauge",
        "1",
        "Predicted over observed clicks by impressions of the ID that the served model had learned "
        "from; no reading while there are "
        "none.",
        "platform",
        "Cold start",
        labels=KNOWN,
    ),
)


def bucket(trained: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Frequency bucket of IDs by the impressions that a model has trained on."""
    place = np.zeros(len(trained), np.uint8)
    for edge in EDGES:
        # The bucket is how many edges were reached
        place += trained >= edge
    return place


class Quality:
    """Predictions that wait for judgement, and the last judgement, in ``keep``."""

    def __init__(self, keep: Arrays, crew: Crew | None = None) -> None:
        self.keep, self.crew = keep, crew or Crew()

    def setup(self) -> None:
        """Nothing judged: chance; of no bucket anything is known."""
        self.keep["quality"] = np.full((3, len(JUDGED)), 0.5)
        self.keep["quality.known"] = np.full((3, len(COUNTED) * len(BUCKETS)), np.nan)
        self._forget()

    def _forget(self) -> None:
        self.keep["judge.p"] = np.zeros((0, len(JUDGED)), np.float32)
        self.keep["judge.bucket"] = np.zeros((0, len(COUNTED)), np.uint8)

    def predict(
        self,
        consumer: NDArray[np.int32],
        post: NDArray[np.int32],
        served: Serving,
        side: Side,
    ) -> None:
        """Let the served copy predict impressions, the next in log order, and keep what it says."""
        keep = self.keep
        p = np.empty((len(post), len(JUDGED)), np.float32)
        # The served copy, whatever has been trained since
        model = Model(**{name: getattr(served, name) for name in Model._fields})

        def some(low: int, high: int) -> None:
            p[low:high] = predict(
                consumer[low:high],
                post[low:high],
                len(JUDGED),
                model,
                side._replace(tally=side.tally[low:high]),
            )

        self.crew.split(len(post), LEAST, some)
        # As served as well: how much the copy knew, not how much is known by now
        known = np.stack(
            [keep["serve.known.consumer"][consumer], keep["serve.known.post"][post]], axis=1
        )
        keep["judge.p"] = np.concatenate([keep["judge.p"], p])
        keep["judge.bucket"] = np.concatenate([keep["judge.bucket"], known])

    def set_aside(self, held: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Take the predictions of ``held`` impressions out of those that wait: what was said, f4
        (., JUDGED), and whether the served copy had learned nothing of the post's ID."""
        keep = self.keep
        if not held.any():
            return keep["judge.p"][:0], np.zeros(0, bool)
        said, new = keep["judge.p"][held], keep["judge.bucket"][held, COUNTED.index("post")] == 0
        keep["judge.p"], keep["judge.bucket"] = keep["judge.p"][~held], keep["judge.bucket"][~held]
        return said, new

    def judge(self, responses: NDArray[np.uint16]) -> None:
        """Judge what was predicted against what happened."""
        self.crew.each(
            [partial(self._judge, place, responses) for place in range(len(JUDGED))],
            len(responses) > 2 * LEAST,
        )
        self._forget()

    def _judge(self, place: int, responses: NDArray[np.uint16]) -> None:
        """Judge the predictions of one head."""
        keep, head = self.keep, JUDGED[place]
        p, truth = (
            np.ascontiguousarray(keep["judge.p"][:, place]),
            (responses >> HEADS.index(head) & 1).astype(bool),
        )
        # Sorted once for the head and its buckets
        order, each = np.argsort(p), losses(p, truth)
        scores = judge(p, truth, np.zeros(len(responses), np.int64), 1, order, each)[:, 0]
        # Without both outcomes nothing can be judged: the last values stay
        if np.isfinite(scores).all():
            keep["quality"][:, place] = scores
        if head == "click":
            size = len(BUCKETS)
            buckets = (keep["judge.bucket"][:, k].astype(np.int64) for k in range(len(COUNTED)))
            known = np.concatenate(
                [judge(p, truth, group, size, order, each) for group in buckets], axis=1
            )
            keep["quality.known"] = np.where(np.isfinite(known), known, keep["quality.known"])

    def measure(self, board: Board) -> None:
        """Write METRICS."""
        for row, name in enumerate(SCORES):
            board.set_all(name, self.keep["quality"][row])
            board.set_all(f"{name}_by_frequency", self.keep["quality.known"][row])
