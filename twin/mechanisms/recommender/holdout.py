"""The model judged on posts that no ranking chose: impressions of random slots (``random_share``),
which are never trained on.

What a feed chose is a sample that misleads: posts are in it because the model thought well of them,
rightly or not, and hopeless ones are not, so AUC there says little about how well it tells posts
apart. Random slots show uniform draws. The served copy predicts them before every training, with
all other impressions; then they are left out of it: of embeddings, dense weights and signals'
weights, of sightings and counts of what was trained on, of the platform's rates of response, and of
the reward model. Public counters (likes, clicks, what the signal ``counts`` reads, trending) and
links of co-viewed posts count every impression, as a platform's do.

Few impressions are random, so the judgement is of all of the last ``holdout_memory``, by whole
intervals between trainings, the last one always: those that began within it. The audience, which
alone knows the true chances of a click, judges these on the same impressions (service
``holdout_span``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernels.judging import MOST, judge_all
from twin.kernels.training import HEADS
from twin.mechanisms.recommender.quality import JUDGED, SCORES
from twin.mechanisms.recommender.tables import Arrays
from twin.world.board import Board
from twin.world.metric import Metric

OF = "Progressive {} on random slots, never trained on, of the last holdout_memory, by head; no reading while there are none."
METRICS = (
    Metric(
        "model_auc_holdout",
        "gauge",
        "1",
        OF.format("AUC"),
        "platform",
        "Model: AUC on random slots",
        labels={"head": JUDGED},
        good="up",
    ),
    Metric(
        "model_auc_holdout_new",
        "gauge",
        "1",
        "The same of clicks, on posts of whose ID the served model had trained on no impression; "
        "no reading while there are none.",
        "platform",
        "Model: AUC on random slots",
        good="up",
    ),
    Metric(
        "model_log_loss_holdout",
        "gauge",
        "nats",
        OF.format("log loss"),
        "platform",
        "Model: Log loss on random slots",
        labels={"head": JUDGED},
        good="down",
    ),
    Metric(
        "model_calibration_holdout",
        "gauge",
        "1",
        OF.format("predicted over observed rate"),
        "platform",
        "Model: Calibration on random slots",
        labels={"head": JUDGED},
    ),
    Metric(
        "model_holdout_size",
        "gauge",
        "impressions",
        "Impressions of random slots that the model is judged on.",
        "platform",
        "Model: Random slots judged",
    ),
)


class Holdout:
    """Predictions of random slots with what came of them (n), and their judgement, in ``keep``."""

    def __init__(self, keep: Arrays, memory: int) -> None:
        self.keep, self.memory = keep, memory

    def setup(self) -> None:
        """Nothing was shown at random."""
        keep = self.keep
        keep["holdout.p"], keep["holdout.responses"] = (
            np.zeros((0, len(JUDGED)), np.float32),
            np.zeros(0, np.uint16),
        )
        # Whether nothing was learned of the post's ID, and when the interval of each began
        keep["holdout.new"], keep["holdout.begun"] = (
            np.zeros(0, bool),
            np.zeros(0, np.int64),
        )
        # Of the intervals that are judged
        keep["holdout.starts"], keep["holdout.end"] = (
            np.zeros(0, np.int64),
            np.zeros(1, np.int64),
        )
        # The last column is of clicks on new posts
        keep["holdout.scores"] = np.full((len(SCORES), len(JUDGED) + 1), np.nan)

    def span(self) -> tuple[int, int]:
        """Judged are the impressions of serving windows that ended after the first and not after
        the second of these times, in s."""
        end = int(self.keep["holdout.end"][0])
        return (
            int(self.keep["holdout.starts"][0]) if len(self.keep["holdout.starts"]) else end
        ), end

    def judge(
        self,
        p: NDArray[np.float32],
        responses: NDArray[np.uint16],
        new: NDArray[np.bool_],
        begun: int,
        now: int,
    ) -> None:
        """An interval that began at ``begun`` ends: remember the predictions (n, JUDGED) of its
        random slots, judge all remembered."""
        keep = self.keep
        keep["holdout.end"] = np.array([now], np.int64)
        # Without random slots nothing is kept, and the span is empty
        if not len(p) and not len(keep["holdout.p"]):
            keep["holdout.starts"] = keep["holdout.starts"][:0]
            return
        starts = keep["holdout.starts"]
        # The interval that ends is judged whatever the memory, however long it was
        keep["holdout.starts"] = np.append(starts[starts >= now - self.memory], begun)
        stays = np.flatnonzero(keep["holdout.begun"] >= now - self.memory)
        for name, values in (
            ("p", p),
            ("responses", responses),
            ("new", new),
            ("begun", np.full(len(p), begun)),
        ):
            # The newest MOST: memory is bounded even where all slots are random
            keep[f"holdout.{name}"] = np.concatenate([keep[f"holdout.{name}"][stays], values])[
                -MOST:
            ]
        truth = [
            (keep["holdout.responses"] >> HEADS.index(head) & 1).astype(bool) for head in JUDGED
        ]
        scores = [
            # Kernels are compiled for arrays in one piece; a column is not
            judge_all(np.ascontiguousarray(keep["holdout.p"][:, place]), truth[place])
            for place in range(len(JUDGED))
        ]
        fresh, click = keep["holdout.new"], JUDGED.index("click")
        scores.append(
            judge_all(np.ascontiguousarray(keep["holdout.p"][fresh, click]), truth[click][fresh])
        )
        keep["holdout.scores"] = np.stack(scores, axis=1)

    def measure(self, board: Board) -> None:
        """Write METRICS."""
        scores = self.keep["holdout.scores"]
        for row, name in enumerate(SCORES):
            board.set_all(f"{name}_holdout", scores[row, :-1])
        board.set("model_auc_holdout_new", float(scores[0, -1]))
        board.set("model_holdout_size", len(self.keep["holdout.p"]))
