"""Readings of the consumer side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR
from twin.kernels.respond import Response
from twin.kernels.rules import Source
from twin.kernels.totals import KEPT, TOTALS, since
from twin.mechanisms.audience.params import AudienceParams
from twin.mechanisms.audience.truth import Truth
from twin.world.mechanism import Mechanism

COHORT, FEW = 28, 20
"""Days whose newcomers are judged together for retention, and how few of them say nothing."""


class Measures:
    """Writes the metrics; what happened since the last reading is remembered in ``keep``."""

    def __init__(self, mechanism: Mechanism[AudienceParams], truth: Truth) -> None:
        self.m, self.keep, self.board, self.truth = (
            mechanism,
            mechanism.keep,
            mechanism.world.board,
            truth,
        )

    def setup(self) -> None:
        """Nobody has come yet."""
        self.keep["before"] = np.zeros(1, TOTALS)
        # first and later visits of newcomers by days ago
        self.keep["cohorts"] = np.zeros((COHORT + KEPT[-1] + 1, 1 + len(KEPT)))

    def end_day(self) -> None:
        """Remember how many newcomers there were so far."""
        # Row k is the count of k days ago; the oldest row goes
        self.keep["cohorts"] = np.concatenate([self._newcomers()[None], self.keep["cohorts"][:-1]])

    def measure(self) -> None:
        """Running totals and what changed since the last reading."""
        total = self.keep["total"]
        self._sums(total[0])
        self._people()
        self.board.set_all("retention", self._retention())
        scores = zip(
            ("click_auc_ceiling", "click_log_loss_ceiling", "click_rate_holdout"),
            self.truth.ceiling().tolist(),
            strict=True,
        )
        for name, score in scores:
            self.board.set(name, score)
        self._means(since(total, self.keep["before"]))
        # Copied, since kernels go on adding to the record itself
        self.keep["before"] = total.copy()

    def _sums(self, total: Any) -> None:
        """What was counted since the start."""
        board = self.board
        board.set("sessions", total["sessions"])
        board.set("consumers_joined", int(self.keep["joined"][0]))
        board.set("consumers_left", total["left"])
        board.set("impressions", total["impressions_human"], by="human")
        board.set("impressions", total["impressions_ai"], by="ai")
        # By head, then by kind of creator: the order in which the metric's labels vary
        heads = np.stack([total["heads_human"], total["heads_ai"]], axis=1)
        board.set_all("responses", heads.ravel())
        board.set("enjoyed", total["enjoyed"])
        board.set_all("source_impressions", total["sources"])
        board.set("candidates_mean", total["candidates"] / max(total["sessions"], 1))
        board.set_all("sessions_by_hour", total["hours"])
        board.set_all("return_gap", total["gaps"])
        board.set("labelled_impressions", total["labelled"])
        board.set("work_impressions", total["works"])

    def _people(self) -> None:
        """How many there are, and how satisfied."""
        board = self.board
        active = self.m.read("consumers", "active")
        joy = self.m.read("consumers", "satisfaction")[active]
        board.set("consumers_active", int(active.sum()))
        board.set("consumers_daily", int(self.came_within(1).sum()))
        board.set("satisfaction_mean", float(joy.mean(dtype=np.float64)) if len(joy) else 0.0)
        edges = np.array(board.metrics["satisfaction"].edges)
        # Below the first edge counts as in the first bin, which is open below
        place = np.clip(np.searchsorted(edges, joy, "right") - 1, 0, None)
        board.set_all("satisfaction", np.bincount(place, minlength=len(edges)).astype(float))

    def came_within(self, days: int) -> NDArray[np.bool_]:
        """Whether each person is active and had a session in the last days, bool (C,)."""
        c = self.m.world.table("consumers")
        # Days are local: the last 24 hours fall on today's date there or the one before
        local = (self.m.world.now + c["tz"].astype(np.int64) * HOUR) // DAY
        # -1: has never come
        came: NDArray[np.bool_] = (
            c["active"] & (c["last_day"] >= local - days) & (c["last_day"] >= 0)
        )
        return came

    def _means(self, new: Any) -> None:
        """What a session, and an impression, was like since the last reading; no reading where
        there was none."""
        board, sessions = self.board, new["sessions"]
        examined = new["impressions_human"] + new["impressions_ai"]
        if not (sessions and examined):
            return
        clicks = new["heads_human"][Response.CLICK] + new["heads_ai"][Response.CLICK]
        board.set("session_depth", examined / sessions)
        board.set("engaged_per_session", clicks / sessions)
        board.set("in_network_share", new["sources"][Source.IN_NETWORK] / examined)
        board.set("cross_cutting_share", new["cross"] / examined)
        board.set("regret_share", new["regret"] / max(clicks, 1))
        board.set("enjoyed_per_session", new["enjoyed"] / sessions)
        for name in ("match", "quality", "arousal", "popularity"):
            board.set(f"shown_{name}", new[name] / examined)

    def _newcomers(self) -> NDArray[np.float64]:
        """First visits of newcomers so far, then those on the days of KEPT."""
        total = self.keep["total"][0]
        return np.append(total["first"], total["kept"])

    def _retention(self) -> NDArray[np.float64]:
        """Of the newcomers of COHORT days, the share who came again so many days (KEPT) after their
        first; NaN where they were few."""
        cohorts, now = self.keep["cohorts"], self._newcomers()
        # Who came on day k after their first in the last COHORT days joined k days before these
        came = np.array([now[1 + k] - cohorts[COHORT, 1 + k] for k in range(len(KEPT))])
        first = np.array([cohorts[day, 0] - cohorts[day + COHORT, 0] for day in KEPT])
        found: NDArray[np.float64] = np.where(first >= FEW, came / np.maximum(first, 1), np.nan)
        return found
