"""Readings of the chatbot side: users, what sessions did, and what was answered."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import NEVER
from twin.kernels.chat import SUMS
from twin.mechanisms.chatbots.params import ChatbotsParams
from twin.mechanisms.chatbots.wellbeing import Wellbeing, mean
from twin.world.mechanism import Mechanism

Rows = NDArray[np.int64]
COUNTERS = {
    "chat_sessions": "sessions",
    "chat_stopped": "stopped",
    "chat_failures": "failures",
    "chat_contested": "contested",
    "chat_false_answers": "false",
    "chat_comparisons": "compared",
}
"""Metrics that are running sums, and their names in `SUMS`."""
RATIOS = {
    "chat_satisfaction_mean": ("satisfaction", "sessions"),
    "disconfirmation_mean": ("disconfirmation", "sessions"),
    "chat_performance_mean": ("performance", "sessions"),
    "disclosed_mean": ("disclosed", "sessions"),
    "disappointment_per_failure": ("hurt", "failures"),
    "chat_false_rate": ("false", "contested"),
    "chat_reward_accuracy": ("foreseen", "compared"),
}
"""Metrics that are ratios of running sums since the last reading that saw any."""
EVERYBODY = slice(None)
LEAST_ANSWERS = 4
"""Recent answers from which a person counts in how answers differ between people."""


class Measures:
    """Writes the metrics; ``keep`` remembers what happened up to the last reading."""

    def __init__(self, mechanism: Mechanism[ChatbotsParams], wellbeing: Wellbeing) -> None:
        self.m, self.keep, self.wellbeing = mechanism, mechanism.keep, wellbeing
        self.board = mechanism.world.board

    def setup(self) -> None:
        """Nothing has happened."""
        for name in ("total", "before"):
            self.keep[name] = np.zeros(1, SUMS).view(np.float64)
        self.keep["shown"] = np.zeros(len(RATIOS))

    def measure(self) -> None:
        """Describe users and the sessions since the last reading."""
        board, read = self.board, self.m.read
        user = self._users()
        board.set("chat_users", len(user))
        total = self.keep["total"].view(SUMS)[0]
        for metric, name in COUNTERS.items():
            board.set(metric, total[name])
        for name in ("trust", "anthropomorphism", "expectation", "concern"):
            board.set(f"{name}_mean", mean(read("chatters", name)[user]))
        board.set("attachment_mean", mean(self.attachment(user)))
        # twenty bins; full trust belongs to the last one
        trust = np.clip((read("chatters", "trust")[user].astype(float) * 20).astype(int), 0, 19)
        board.set_all("trust", np.bincount(trust, minlength=20).astype(float))
        self._ratios()
        self._answers(user)
        self.wellbeing.measure()

    def attachment(self, rows: Rows | slice = EVERYBODY) -> NDArray[np.float64]:
        """Attachment now of these chatters: it is kept as of the last session, and fades since."""
        read, now = self.m.read, self.m.world.now
        absent = (now - read("chatters", "last")[rows].astype(float)) / self.m.p.attachment_fade
        found: NDArray[np.float64] = read("chatters", "attachment")[rows] * np.exp(-absent)
        return found

    def _users(self) -> Rows:
        """Rows of the chatters who are active, have chatted and not stopped, in the order of the
        people they are."""
        read = self.m.read
        going = (read("chatters", "next_at") < NEVER) & (read("chatters", "sessions") > 0)
        user = np.flatnonzero(read("chatters", "alive") & going)
        person = read("chatters", "person")[user]
        here = read("consumers", "active")[person]
        # rows of both tables are reused, each in its own order; sums run in that of people
        order: Rows = user[here][np.argsort(person[here])]
        return order

    def _ratios(self) -> None:
        """Means over the sessions since the last reading that saw any of their kind."""
        keep = self.keep
        keep["before"], keep["shown"] = keep["before"].copy(), keep["shown"].copy()
        total, before = keep["total"].view(SUMS)[0], keep["before"].view(SUMS)[0]
        new = (keep["total"] - keep["before"]).view(SUMS)[0]
        for place, (metric, (part, count)) in enumerate(RATIOS.items()):
            # only what was shown is settled: sums of a kind without an event wait for the next one
            if new[count]:
                keep["shown"][place] = new[part] / new[count]
                before[part], before[count] = total[part], total[count]
            self.board.set(metric, keep["shown"][place])

    def _answers(self, user: Rows) -> None:
        """How answers differ between and within people, of those with enough recent answers."""
        answers = self.m.read("chatters", "answers")[user].astype(float)
        count, agreed = answers[answers[:, 0] >= LEAST_ANSWERS].T
        share = agreed / count
        stance = 2 * share - 1
        # a mean of few answers varies by chance alone: take that off the variance between people
        noise = mean((1 - stance**2) / (count - 1))
        self.board.set("chat_agreement_mean", mean(stance))
        between = max(float(stance.var()) - noise, 0.0) if len(stance) else 0.0
        self.board.set("chat_stance_between", between)
        # people at 0 or 1 have no entropy, and their logarithm no value
        inside = share[(share > 0) & (share < 1)]
        bits = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)).sum()
        self.board.set("chat_stance_entropy", float(bits) / max(len(share), 1))
