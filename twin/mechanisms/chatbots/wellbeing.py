"""Well-being of people, and the randomised trial of the assistant: arms, process, readings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.mechanisms.chatbots.params import ChatbotsParams
from twin.world.mechanism import Mechanism
from twin.world.metric import ByArm, Metric

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
ARMS = ("assigned", "control", "outside")
"""Arms of the trial; everybody who is not enrolled is outside."""
ASSIGNED, CONTROL, OUTSIDE = range(3)

METRICS = (
    Metric(
        "wellbeing_mean",
        "gauge",
        "sd",
        "Mean well-being of active people by arm of the trial.",
        "chatbot",
        "Well-being",
        labels={"arm": ARMS},
        good="up",
        by_arm=(
            ByArm(
                "wellbeing",
                "consumers",
                "sd",
                "Mean well-being of people.",
                top="wellbeing",
                good="up",
                sd=True,
            ),
        ),
    ),
    Metric(
        "chat_use_mean",
        "gauge",
        "sessions/d",
        "Mean recent use by arm of the trial.",
        "chatbot",
        "Well-being",
        labels={"arm": ARMS},
    ),
    Metric(
        "wellbeing_assigned_effect",
        "gauge",
        "sd",
        "Mean well-being of those assigned to use, minus that of the controls.",
        "chatbot",
        "Well-being",
        good="up",
    ),
    Metric(
        "wellbeing_usage_correlation",
        "gauge",
        "1",
        "Correlation of well-being with recent use: enrolled people, and users outside the trial.",
        "chatbot",
        "Well-being",
        labels={"among": ("trial", "outside")},
    ),
)


def mean(values: NDArray[Any]) -> float:
    """Mean in float64, 0 of nothing."""
    return float(values.mean(dtype=np.float64)) if len(values) else 0.0


def correlation(x: Floats, y: Floats) -> float:
    """Pearson's r; 0 where either is constant."""
    x, y = x - mean(x), y - mean(y)
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / size) if size > 0 else 0.0


class Wellbeing:
    """Draws the arms of the trial, and computes and reads well-being."""

    def __init__(self, mechanism: Mechanism[ChatbotsParams]) -> None:
        self.m, self.p = mechanism, mechanism.p.wellbeing

    def arm(self, keys: NDArray[np.uint64]) -> Rows:
        """Arm of each of these people, a place in ARMS: drawn by lot once, for good."""
        if self.p.trial_share <= 0:
            return np.full(len(keys), OUTSIDE)
        # the third and fourth uniform of the draw that decides adoption; it uses the first two
        u = self.m.uniforms("adopt", keys)
        arm: Rows = np.where(
            u[:, 2] < self.p.trial_share, (u[:, 3] >= 0.5).astype(np.int64), OUTSIDE
        )
        return arm

    def of(self, rows: Rows, use: Floats) -> Floats:
        """Well-being now of these consumers, in sd, whose recent use is ``use`` sessions/d."""
        p, now, keys = self.p, self.m.world.now, self.m.read("consumers", "key")[rows]
        # a quarter turn from the draw of this period to that of the next
        turn, angle = now // p.turns, np.pi / 2 * (now % p.turns) / p.turns
        # turning from one independent draw to the next keeps the sd at 1 all the way
        old, new = (self.m.normal("wellbeing", keys, 0, turn + later) for later in (0, 1))
        noise = np.cos(angle) * old + np.sin(angle) * new
        # the same draw that raised the rate of sessions at adoption (`Chatbots.born`)
        lonely = self.m.normal("person", keys, 3)
        felt: Floats = (
            # the weights of loneliness and noise keep the variance at 1 without an effect of use
            -p.loneliness * lonely + np.sqrt(1 - p.loneliness**2) * noise + p.use_effect * use
        )
        return felt

    def measure(self) -> None:
        """Well-being and use by arm, and how they go together."""
        board, rows = self.m.world.board, np.flatnonzero(self.m.read("consumers", "active"))
        use = self._use(rows)
        felt, arm = self.of(rows, use), self.arm(self.m.read("consumers", "key")[rows])
        groups = [np.flatnonzero(arm == place) for place in range(len(ARMS))]
        means = [mean(felt[who]) for who in groups]
        board.set_all("wellbeing_mean", means)
        board.set_all("chat_use_mean", [mean(use[who]) for who in groups])
        # an arm without people has no mean to compare
        both = len(groups[ASSIGNED]) and len(groups[CONTROL])
        board.set("wellbeing_assigned_effect", means[ASSIGNED] - means[CONTROL] if both else 0.0)
        # of people outside only users: the others have not taken the assistant up
        used = np.flatnonzero((arm == OUTSIDE) & (self._dense("sessions")[rows] > 0))
        for among, who in (("trial", np.flatnonzero(arm != OUTSIDE)), ("outside", used)):
            board.set("wellbeing_usage_correlation", correlation(felt[who], use[who]), among=among)

    def now(self) -> Floats:
        """Well-being now by row of consumers; NaN of those who are not active."""
        rows = np.flatnonzero(self.m.read("consumers", "active"))
        made = np.full(len(self.m.world.table("consumers")), np.nan)
        made[rows] = self.of(rows, self._use(rows))
        return made

    def _use(self, rows: Rows) -> Floats:
        """Recent use now: it is kept as of the last session, and fades since."""
        absent = (self.m.world.now - self._dense("last")[rows].astype(float)) / self.p.use_window
        use: Floats = self._dense("use")[rows] * np.exp(-absent)
        return use

    def _dense(self, name: str) -> NDArray[Any]:
        """A column of chatters as one of consumers, 0 for everybody else."""
        values, there = self.m.read("chatters", name), self.m.read("chatters", "alive")
        dense = np.zeros(len(self.m.world.table("consumers")), values.dtype)
        dense[self.m.read("chatters", "person")[there]] = values[there]
        return dense
