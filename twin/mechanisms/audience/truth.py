"""What random slots truly were: the best that any model could say of them.

It is kept here alone: the recommender may read no array of another mechanism.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.kernels.judging import MOST, judge_all
from twin.kernels.rules import Source
from twin.kernels.truth import true_clicks
from twin.mechanisms.audience.params import AudienceParams
from twin.mechanisms.audience.sessions import Sessions
from twin.world.mechanism import Mechanism


class Truth:
    """True chances of clicks on random slots, and how well they predict."""

    def __init__(self, mechanism: Mechanism[AudienceParams], sessions: Sessions) -> None:
        self.m, self.keep, self.sessions = mechanism, mechanism.keep, sessions

    def setup(self) -> None:
        """Nothing was judged yet."""
        keep = self.keep
        keep["holdout.p"] = np.zeros(0, np.float32)
        keep["holdout.clicked"] = np.zeros(0, bool)
        keep["holdout.at"] = np.zeros(0, np.int64)
        keep["holdout.judged"] = np.full(1, -1, np.int64)
        keep["holdout.scores"] = np.full(3, np.nan)

    def note(self) -> None:
        """Keep the true chance of a click of every impression of a random slot in the window that
        ends now, with what came of it."""
        window, keep, sessions = self.m.world.service("window")(), self.keep, self.sessions
        # Slots of ``random_share`` alone, as in the recommender's holdout
        chosen = np.flatnonzero(window.source == Source.RANDOM)
        if not len(chosen):
            return
        p = true_clicks(
            chosen,
            window,
            sessions.people(),
            sessions.posts(),
            sessions.makers(),
            sessions.behaviour(),
        )
        # What no later judgement will reach is let go here, so that memory is bounded
        first = self._judged()[0]
        for name, values in (
            ("p", p.astype(np.float32)),
            ("clicked", window.responses[chosen] & 1 > 0),
            # The window's end, by which `_judged` finds the intervals of the recommender
            ("at", np.full(len(p), self.m.world.now)),
        ):
            keep[f"holdout.{name}"] = np.concatenate([keep[f"holdout.{name}"][first:], values])

    def _judged(self) -> tuple[int, int]:
        """Which of the kept chances are of impressions that the model is judged on: from the first
        number up to the second."""
        begin, end = self.m.world.service("holdout_span")()
        # "right": after the span's begin, up to its end, as the recommender counts windows
        first, last = np.searchsorted(self.keep["holdout.at"], [begin, end], "right").tolist()
        # The same cut as in the recommender's holdout, or the two would judge different impressions
        return max(first, last - MOST), last

    def ceiling(self) -> NDArray[np.float64]:
        """AUC and log loss of true chances where the model is judged, and the rate of clicks there,
        (3,); computed once per judgement."""
        keep, end = self.keep, self.m.world.service("holdout_span")()[1]
        # Judged again only when the recommender has judged: readings in between repeat it
        if end != keep["holdout.judged"][0]:
            first, last = self._judged()
            clicked = keep["holdout.clicked"][first:last]
            auc, loss, _ = judge_all(keep["holdout.p"][first:last], clicked)
            rate = float(clicked.mean()) if len(clicked) else np.nan
            keep["holdout.scores"] = np.array([auc, loss, rate])
            keep["holdout.judged"] = np.array([end], np.int64)
        return keep["holdout.scores"]
