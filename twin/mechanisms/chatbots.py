"""Sessions with a personalised assistant: what each one does to expectations, trust and privacy concern.

A share of people ever takes the assistant up, each after an exponential delay; sessions then come at a rate that is
lognormal across people, more often the more satisfying the last one was, until the person stops. The equations of a session
are in `twin.kernels.chat`: expectation confirmation (Oliver 1980; Bhattacherjee 2001) with a baseline that rises faster than
it falls, so that in the long run people expect more than they get: where gains and losses move the baseline at rates
lambda_up and lambda_down, it settles at the expectile of performance with tau = lambda_up / (lambda_up + lambda_down).

No coefficients were found for the effects over time (Araujo & Bol 2024 report directions), so every number here is an
assumption and what follows from it a hypothesis; the controls are equal rates, no personalisation, a single session.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.columns import Column
from twin.kernels import chat as kernel
from twin.mechanism import MIN_WAKE, Mechanism, Wakes
from twin.metric import Metric
from twin.params import Duration, Params, Rate, par
from twin.units import DAY, NEVER

SIGNS = "sign: Araujo & Bol 2024"


class ChatbotsParams(Params):
    """Parameters of chatbots. Performance, expectation, satisfaction and trust share a scale: 0 useless, 1 perfect."""

    adopters: float = par(0.3, "share of people who ever take the assistant up", low=0, high=1)
    adoption_delay: Duration = par(30 * DAY, "mean delay of taking it up", unit="s", low=0, high=3650 * DAY)
    sessions_mean: Rate = par(0.5, "mean sessions per user at neutral satisfaction", unit="sessions/consumer/d",
                              low=0, high=40)
    sessions_log_sd: float = par(0.8, "log-sd of that rate across people", low=0, high=3)
    personalisation: float = par(0.6, "how far answers are fitted to the person, 0 off", low=0, high=1, lever=True)
    memory: bool = par(True, "whether the assistant remembers between sessions", lever=True)
    failure_rate: float = par(0.05, "share of sessions that fail", low=0, high=1, lever=True)
    failure_depth: float = par(0.4, "performance lost in a failed session", low=0, high=10)
    performance: float = par(0.5, "mean performance without personalisation", low=0, high=1)
    personalisation_gain: float = par(0.4, "performance gained at full personalisation and full memory", low=0, high=10,
                                      source=SIGNS)
    performance_sd: float = par(0.1, "sd of performance between sessions", low=0, high=10)
    expectation_sd: float = par(0.1, "sd of first expectations around the mean performance", low=0, high=1)
    assimilation: float = par(1.0, "weight of the expectation in satisfaction", low=0, high=2, source="Oliver 1980")
    gain_weight: float = par(0.5, "weight of a positive surprise in satisfaction", low=0, high=10, source="Oliver 1980")
    loss_weight: float = par(1.2, "weight of a disappointment in satisfaction", low=0, high=10,
                             source="above gain_weight: loss aversion")
    expectation_up: float = par(0.15, "rate at which expectations rise to what was met", low=0, high=1, source=SIGNS)
    expectation_down: float = par(0.05, "rate at which they fall to it", low=0, high=1, source=SIGNS)
    trust_rate: float = par(0.05, "weight of the newest session in trust", low=0, high=1)
    disclosure: float = par(0.5, "disclosed per session at full trust, personalisation and no concern", low=0, high=1,
                            source="sign: more disclosure to chatbots, 10.1080/0144929X.2023.2237605")
    concern_rate: float = par(0.08, "privacy concern raised per unit disclosed", low=0, high=10, source=SIGNS)
    concern_fade: float = par(0.02, "share of concern forgotten per session", low=0, high=1)
    memory_rate: float = par(0.15, "share of what is not yet known that is learned per unit disclosed", low=0, high=1)
    human_rate: float = par(0.04, "rise of anthropomorphism per good session", low=0, high=1, source=SIGNS)
    human_loss: float = par(0.02, "loss of anthropomorphism per disappointing session", low=0, high=1)
    usage_effect: float = par(1.0, "effect of satisfaction on the log of the rate of sessions", low=0, high=10)
    stop: float = par(0.004, "chance per session of stopping for good, at neutral satisfaction", low=0, high=1)
    stop_effect: float = par(3.0, "how steeply that chance falls with satisfaction", low=0, high=20)
    stop_concern: float = par(1.0, "how steeply it rises with privacy concern", low=0, high=20)


class Chatbots(Mechanism):
    """People chat with an assistant."""

    name = "chatbots"
    Params = ChatbotsParams
    order = 70
    columns = {
        "consumers": (
            Column("chat_next", "i8", "s", "Time of the next chatbot session", start=NEVER),
            Column("chat_sessions", "i4", "sessions", "Chatbot sessions so far"),
            Column("chat_rate", "f4", "sessions/d", "Rate of sessions at neutral satisfaction", hidden=True),
            Column("chat_expectation", "f4", "1", "Performance expected", hidden=True),
            Column("chat_trust", "f4", "1", "Trust, 0..1", hidden=True),
            Column("chat_concern", "f4", "1", "Privacy concern, 0..1", hidden=True),
            Column("chat_memory", "f4", "1", "What the assistant knows of the person, 0..1"),
            Column("chat_anthropomorphism", "f4", "1", "How far the assistant is felt to be someone, 0..1", hidden=True),
        ),
    }
    metrics = (
        Metric("chat_sessions", "counter", "sessions", "Chatbot sessions.", "chatbot", "Use", headline=True),
        Metric("chat_users", "gauge", "consumers", "Active people who have chatted and not stopped.", "chatbot", "Use",
               good="up"),
        Metric("chat_stopped", "counter", "consumers", "People who stopped using the assistant for good.", "chatbot", "Use",
               good="down"),
        Metric("chat_failures", "counter", "sessions", "Sessions that failed.", "chatbot", "Failures", good="down"),
        Metric("disappointment_per_failure", "gauge", "1",
               "Mean loss of satisfaction by a failed session, since the last reading that saw one.", "chatbot", "Failures",
               good="down"),
        Metric("trust_mean", "gauge", "1", "Mean trust of users, 0..1.", "chatbot", "Trust", good="up", headline=True),
        Metric("trust", "histogram", "consumers", "Users by trust.", "chatbot", "Trust",
               edges=tuple(round(0.05 * k, 2) for k in range(20))),
        Metric("anthropomorphism_mean", "gauge", "1", "Mean anthropomorphism of users, 0..1.", "chatbot", "Trust"),
        Metric("expectation_mean", "gauge", "1", "Mean expectation of users.", "chatbot", "Expectation"),
        Metric("chat_satisfaction_mean", "gauge", "1", "Mean satisfaction of the sessions since the last reading with any.",
               "chatbot", "Expectation", good="up"),
        Metric("disconfirmation_mean", "gauge", "1",
               "Mean of performance less expectation in the sessions since the last reading with any.", "chatbot",
               "Expectation", good="up"),
        Metric("concern_mean", "gauge", "1", "Mean privacy concern of users, 0..1.", "chatbot", "Privacy", good="down",
               headline=True),
    )

    def setup(self) -> None:
        """Open the running sums."""
        self.keep["total"], self.keep["before"] = np.zeros(kernel.T_SIZE), np.zeros(kernel.T_SIZE)

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who takes the assistant up, when, and what they expect of it."""
        if table != "consumers":
            return
        p, keys = self.p, self.read("consumers", "key")[rows]
        u, z = self.uniforms("adopt", keys), self.normals("person", keys, 2)
        first = self.world.now + MIN_WAKE - np.log(u[:, 1]) * p.adoption_delay
        takes = (u[:, 0] < p.adopters) & (p.sessions_mean > 0)
        self.mine("consumers", "chat_next")[rows] = np.where(takes, first, NEVER).astype(np.int64)
        sd = p.sessions_log_sd
        self.mine("consumers", "chat_rate")[rows] = p.sessions_mean * np.exp(sd * z[:, 0] - sd**2 / 2)
        expected = p.performance + p.expectation_sd * z[:, 1]
        self.mine("consumers", "chat_expectation")[rows] = expected
        self.mine("consumers", "chat_trust")[rows] = np.clip(expected, 0, 1)

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """A row that is given back must not wake."""
        if table == "consumers":
            self.mine("consumers", "chat_next")[rows] = NEVER

    def wakes(self) -> list[Wakes]:
        """Every user's next session."""
        return [Wakes("consumers", "chat_next", "chat", self.chat)]

    def chat(self, rows: NDArray[np.int64]) -> None:
        """Hold the sessions of these people, in order."""
        p, own = self.p, self.mine
        people = kernel.Chatters(self.read("consumers", "key"), self.read("consumers", "left_at"), *(
            own("consumers", f"chat_{name}") for name in ("next", "sessions", "rate", "expectation", "trust", "concern",
                                                          "memory", "anthropomorphism")))
        bot = kernel.Chatbot(
            float(self.lever("personalisation")), bool(self.lever("memory")), float(self.lever("failure_rate")),
            p.performance, p.personalisation_gain, p.performance_sd, p.failure_depth, p.assimilation, p.gain_weight,
            p.loss_weight, p.expectation_up, p.expectation_down, p.trust_rate, p.disclosure, p.concern_rate, p.concern_fade,
            p.memory_rate, p.human_rate, p.human_loss, p.usage_effect, p.stop, p.stop_effect, p.stop_concern)
        kernel.chat(rows, people, bot, self.stream("session"), self.keep["total"], MIN_WAKE)

    def measure(self) -> None:
        """Describe users and the sessions since the last reading."""
        board, read, total = self.world.board, self.read, self.keep["total"]
        user = read("consumers", "active") & (read("consumers", "chat_next") < NEVER)
        user &= read("consumers", "chat_sessions") > 0
        board.set("chat_sessions", total[kernel.T_SESSIONS])
        board.set("chat_users", int(user.sum()))
        board.set("chat_stopped", total[kernel.T_STOPPED])
        board.set("chat_failures", total[kernel.T_FAILURES])
        for name in ("trust", "anthropomorphism", "expectation", "concern"):
            values = read("consumers", f"chat_{name}")[user]
            board.set(f"{name}_mean", float(values.mean(dtype=np.float64)) if len(values) else 0.0)
        trust = np.clip((read("consumers", "chat_trust")[user].astype(float) * 20).astype(int), 0, 19)
        board.set_all("trust", np.bincount(trust, minlength=20).astype(float))
        new, before = total - self.keep["before"], self.keep["before"].copy()
        if new[kernel.T_SESSIONS]:
            board.set("chat_satisfaction_mean", new[kernel.T_SATISFACTION] / new[kernel.T_SESSIONS])
            board.set("disconfirmation_mean", new[kernel.T_DISCONFIRMATION] / new[kernel.T_SESSIONS])
            for part in (kernel.T_SESSIONS, kernel.T_SATISFACTION, kernel.T_DISCONFIRMATION):
                before[part] = total[part]
        if new[kernel.T_FAILURES]:
            board.set("disappointment_per_failure", new[kernel.T_HURT] / new[kernel.T_FAILURES])
            before[kernel.T_FAILURES], before[kernel.T_HURT] = total[kernel.T_FAILURES], total[kernel.T_HURT]
        self.keep["before"] = before
