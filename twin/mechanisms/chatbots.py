"""Sessions with a personalised assistant: what each one does to expectations, trust, attachment,
privacy concern and truth.

A share of people ever takes the assistant up, each after an exponential delay; sessions then come
at a rate that is lognormal across people, more often the more satisfying the last one was, until
the person stops. The equations of a session are in `twin.kernels.chat`: expectation confirmation
(Oliver 1980; Bhattacherjee 2001) with a baseline that rises faster than it falls, so that in the
long run people expect more than they get: where gains and losses move the baseline at rates
lambda_up and lambda_down, it settles at the expectile of performance with tau = lambda_up /
(lambda_up + lambda_down).

Where a question touches on the person's stance, a reward model chooses between the true answer and
the other one, and learns from people's comparisons (`twin.kernels.reward`). How far people like
being agreed with is their own and hidden; a model of each person finds out.

Well-being, and a randomised trial inside the twin. With a person's hidden loneliness L ~ N(0, 1)
and noise n that turns steadily from one N(0, 1) draw to the next every ``turns``,

    log rate of sessions = ... + lonely_use L        well-being = -r L + sqrt(1 - r^2) n +
                                                     use_effect * recent use

Everybody enrolled has access; one half, assigned by lot, is encouraged to use it (encouragement
design, Holland 1988). With use_effect = 0 the assigned condition must show nothing while use and
well-being go together by selection: what Fang et al. (arXiv 2503.17473 v2) found.

No coefficients were found for the effects over time (Araujo & Bol 2024 report directions), so every
number here is an assumption and what follows from it a hypothesis; the controls are equal rates, no
personalisation, a single session, no contested questions, no selection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, NEVER
from twin.kernels import chat as kernel
from twin.kernels.reward import pool
from twin.world.columns import Column
from twin.world.mechanism import MIN_WAKE, Mechanism, Wakes
from twin.world.metric import Metric
from twin.world.params import Duration, Params, Rate, group, par
from twin.world.state import Made, World

Floats = NDArray[np.float64]
GETTING_TO_KNOW = "people still get to know an assistant that was new when the world began"
SIGNS = "sign: Araujo & Bol 2024"
ARMS = ("assigned", "control", "outside")
PEOPLE = (
    "person",
    "next_at",
    "sessions",
    "rate",
    "expectation",
    "trust",
    "concern",
    "memory",
    "anthropomorphism",
    "attachment",
    "last",
    "use",
    "taste",
    "answers",
    "pull",
    "precision",
)
(S_SATISFACTION, S_DISCONFIRMATION, S_PERFORMANCE, S_DISCLOSED, S_HURT, S_FALSE, S_FORESEEN) = (
    range(7)
)
SHOWN = (
    (S_SATISFACTION, kernel.T_SATISFACTION, kernel.T_SESSIONS),
    (S_DISCONFIRMATION, kernel.T_DISCONFIRMATION, kernel.T_SESSIONS),
    (S_PERFORMANCE, kernel.T_PERFORMANCE, kernel.T_SESSIONS),
    (S_DISCLOSED, kernel.T_DISCLOSED, kernel.T_SESSIONS),
    (S_HURT, kernel.T_HURT, kernel.T_FAILURES),
    (S_FALSE, kernel.T_FALSE, kernel.T_CONTESTED),
    (S_FORESEEN, kernel.T_FORESEEN, kernel.T_COMPARED),
)
"""Ratios of running sums since the last reading that saw any: (place shown, sum, count)."""


class Answers(Params):
    """What is said where a question touches on the person's stance, and how the reward model learns
    what people like."""

    contested: float = par(
        0.3, "share of sessions whose question touches on the person's stance", low=0, high=1
    )
    truth_agrees: float = par(
        0.5, "share of those in which the true answer is on the person's side", low=0, high=1
    )
    truth_value: float = par(
        0.2, "mean worth of the true answer over the false one, in performance", low=0, high=10
    )
    truth_log_sd: float = par(0.5, "log-sd of that worth across questions", low=0, high=3)
    agreement: float = par(
        0.1,
        "worth of being agreed with, per unit of taste, in performance",
        low=0,
        high=10,
        source="sign: matching a user's view raises preference, Sharma et al. 2310.13548",
    )
    taste_mean: float = par(
        0.3,
        "mean taste for being agreed with",
        low=-10,
        high=10,
        source="sign: Sharma et al. 2310.13548",
    )
    taste_sd: float = par(1.0, "sd of that taste across people", low=0, high=10)
    feedback: float = par(
        0.2, "share of those sessions in which the person compares both answers", low=0, high=1
    )
    comparison_noise: float = par(
        0.1, "scale of the logistic noise of comparisons, in performance", low=0.001, high=10
    )
    personalisation: float = par(
        1.0,
        "share of a person's own deviation from the pooled reward that chooses answers, times "
        "personalisation of the assistant: 0 pooled, 1 personal",
        low=0,
        high=1,
        lever=True,
        per="consumers",
        source="reward per person: Barreto et al. 2503.17338",
    )
    spread: float = par(
        1.0,
        "sd of people's weights around the pool that the reward model assumes: 0 pooled, large one "
        "model each",
        unit="logit",
        low=0,
        high=1000,
    )
    prior_sd: float = par(
        10.0, "sd of the pooled weights before any comparison", unit="logit", low=0.01, high=1000
    )


class Wellbeing(Params):
    """Well-being (sd 1 across people), who seeks company of the assistant, and the trial."""

    loneliness: float = par(0.5, "correlation of well-being with (less) loneliness", low=0, high=1)
    turns: Duration = par(
        60 * DAY,
        "time in which the rest of well-being turns to an independent draw",
        unit="s",
        low=DAY,
        high=3650 * DAY,
    )
    lonely_use: float = par(
        0.3,
        "effect of a sd of loneliness on the log of the rate of sessions: self-selection",
        low=-5,
        high=5,
        source="sign: use goes with worse outcomes, Fang et al. 2503.17473",
    )
    use_effect: float = par(
        0.0,
        "effect of a recent session a day on well-being",
        unit="sd/(session/d)",
        low=-10,
        high=10,
        source="no effect of assignment: Fang et al. 2503.17473 v2",
    )
    use_window: Duration = par(
        28 * DAY,
        "memory of recent use",
        unit="s",
        low=DAY,
        high=365 * DAY,
        source="four weeks: Fang et al.",
    )
    trial_share: float = par(
        0.0,
        "share of people enrolled in a trial; all of them get access, half are encouraged",
        low=0,
        high=1,
    )
    encouragement: float = par(
        2.0, "factor on the rate of sessions of those assigned to use", low=0, high=100
    )


class ChatbotsParams(Params):
    """Parameters of chatbots. Performance, expectation, satisfaction and trust share a scale: 0
    useless, 1 perfect."""

    adopters: float = par(0.3, "share of people who ever take the assistant up", low=0, high=1)
    adoption_delay: Duration = par(
        30 * DAY, "mean delay of taking it up", unit="s", low=0, high=3650 * DAY
    )
    sessions_mean: Rate = par(
        0.5,
        "mean sessions per user at neutral satisfaction",
        unit="sessions/consumer/d",
        low=0,
        high=40,
    )
    sessions_log_sd: float = par(0.8, "log-sd of that rate across people", low=0, high=3)
    personalisation: float = par(
        0.6,
        "how far answers are fitted to the person, 0 off",
        low=0,
        high=1,
        lever=True,
        per="consumers",
    )
    memory: bool = par(
        True, "whether the assistant remembers between sessions", lever=True, per="consumers"
    )
    failure_rate: float = par(
        0.05, "share of sessions that fail", low=0, high=1, lever=True, per="consumers"
    )
    failure_depth: float = par(0.4, "performance lost in a failed session", low=0, high=10)
    performance: float = par(0.5, "mean performance without personalisation", low=0, high=1)
    personalisation_gain: float = par(
        0.4,
        "performance gained at full personalisation and full memory",
        low=0,
        high=10,
        source=SIGNS,
    )
    performance_sd: float = par(0.1, "sd of performance between sessions", low=0, high=10)
    expectation_sd: float = par(
        0.1, "sd of first expectations around the mean performance", low=0, high=1
    )
    assimilation: float = par(
        1.0, "weight of the expectation in satisfaction", low=0, high=2, source="Oliver 1980"
    )
    gain_weight: float = par(
        0.5, "weight of a positive surprise in satisfaction", low=0, high=10, source="Oliver 1980"
    )
    loss_weight: float = par(
        1.2,
        "weight of a disappointment in satisfaction",
        low=0,
        high=10,
        source="above gain_weight: loss aversion",
    )
    expectation_up: float = par(
        0.15, "rate at which expectations rise to what was met", low=0, high=1, source=SIGNS
    )
    expectation_down: float = par(
        0.05, "rate at which they fall to it", low=0, high=1, source=SIGNS
    )
    trust_rate: float = par(0.05, "weight of the newest session in trust", low=0, high=1)
    disclosure: float = par(
        0.5,
        "disclosed per session at full trust, personalisation and no concern",
        low=0,
        high=1,
        source="sign: more disclosure to chatbots, 10.1080/0144929X.2023.2237605",
    )
    novelty: float = par(
        0.3,
        "part of that which only the new assistant is told",
        low=0,
        high=1,
        source="sign: disclosure declines, 10.1080/0144929X.2023.2237605; Croes & Antheunis",
    )
    novelty_sessions: float = par(
        20.0,
        "sessions in which novelty wears off by a factor e",
        unit="sessions",
        low=0.1,
        high=10000,
    )
    concern_rate: float = par(
        0.08, "privacy concern raised per unit disclosed", low=0, high=10, source=SIGNS
    )
    concern_fade: float = par(0.02, "share of concern forgotten per session", low=0, high=1)
    memory_rate: float = par(
        0.15, "share of what is not yet known that is learned per unit disclosed", low=0, high=1
    )
    human_rate: float = par(
        0.04, "rise of anthropomorphism per good session", low=0, high=1, source=SIGNS
    )
    human_loss: float = par(
        0.02, "loss of anthropomorphism per disappointing session", low=0, high=1
    )
    attachment_rate: float = par(
        0.03,
        "rise of attachment per session and unit of anthropomorphism",
        low=0,
        high=1,
        source="sign: attachment rises with use, Chandra et al. 2504.14112",
    )
    attachment_fade: Duration = par(
        60 * DAY,
        "absence in which attachment fades by a factor e",
        unit="s",
        low=DAY,
        high=3650 * DAY,
    )
    usage_effect: float = par(
        1.0, "effect of satisfaction on the log of the rate of sessions", low=0, high=10
    )
    stop: float = par(
        0.004, "chance per session of stopping for good, at neutral satisfaction", low=0, high=1
    )
    stop_effect: float = par(3.0, "how steeply that chance falls with satisfaction", low=0, high=20)
    stop_concern: float = par(1.0, "how steeply it rises with privacy concern", low=0, high=20)
    stop_attachment: float = par(1.0, "how steeply it falls with attachment", low=0, high=20)
    answers: Answers = group(Answers, "true and agreeable answers")
    wellbeing: Wellbeing = group(Wellbeing, "well-being and the trial")


class Chatbots(Mechanism[ChatbotsParams]):
    """People chat with an assistant."""

    name = "chatbots"
    Params = ChatbotsParams
    order = 70
    columns = {
        "chatters": (
            Column("person", "i4", "rows", "The consumer who takes the assistant up"),
            Column("next_at", "i8", "s", "Time of the next chatbot session", start=NEVER),
            Column("sessions", "i4", "sessions", "Chatbot sessions so far"),
            Column(
                "rate", "f4", "sessions/d", "Rate of sessions at neutral satisfaction", hidden=True
            ),
            Column("expectation", "f4", "1", "Performance expected", hidden=True),
            Column("trust", "f4", "1", "Trust, 0..1", hidden=True),
            Column("concern", "f4", "1", "Privacy concern, 0..1", hidden=True),
            Column("memory", "f4", "1", "What the assistant knows of the person, 0..1"),
            Column(
                "anthropomorphism",
                "f4",
                "1",
                "How far the assistant is felt to be someone, 0..1",
                hidden=True,
            ),
            Column(
                "attachment",
                "f4",
                "1",
                "Attachment to the assistant at the end of the last session, 0..1",
                hidden=True,
            ),
            Column("last", "i4", "s", "Time of the last session"),
            Column("use", "f4", "sessions/d", "Recent sessions per day, as of the last session"),
            Column("taste", "f4", "1", "Taste for being agreed with", hidden=True),
            Column(
                "answers",
                "u1",
                "answers",
                "Recent answers where stance mattered, and how many agreed",
                shape=(2,),
            ),
            Column(
                "pull",
                "f4",
                "logit",
                "Reward model: pull of the person's own comparisons",
                shape=(1,),
            ),
            Column(
                "precision",
                "f4",
                "1",
                "Reward model: precision of the person's own weight",
                shape=(1,),
            ),
        ),
    }
    metrics = (
        Metric(
            "chat_sessions",
            "counter",
            "sessions",
            "Chatbot sessions.",
            "chatbot",
            "Use",
            headline=True,
            of="chat_users",
        ),
        Metric(
            "chat_users",
            "gauge",
            "consumers",
            "Active people who have chatted and not stopped.",
            "chatbot",
            "Use",
            good="up",
        ),
        Metric(
            "chat_stopped",
            "counter",
            "consumers",
            "People who stopped using the assistant for good.",
            "chatbot",
            "Use",
            good="down",
        ),
        Metric(
            "chat_failures",
            "counter",
            "sessions",
            "Sessions that failed.",
            "chatbot",
            "Expectation and failure",
            good="down",
        ),
        Metric(
            "disappointment_per_failure",
            "gauge",
            "1",
            "Mean loss of satisfaction by a failed session, since the last reading that saw one.",
            "chatbot",
            "Expectation and failure",
            good="down",
        ),
        Metric(
            "trust_mean",
            "gauge",
            "1",
            "Mean trust of users, 0..1.",
            "chatbot",
            "Trust and attachment: Means",
            good="up",
            headline=True,
            moves=GETTING_TO_KNOW,
        ),
        Metric(
            "trust",
            "histogram",
            "consumers",
            "Users by trust.",
            "chatbot",
            "Trust and attachment",
            edges=tuple(round(0.05 * k, 2) for k in range(20)),
        ),
        Metric(
            "anthropomorphism_mean",
            "gauge",
            "1",
            "Mean anthropomorphism of users, 0..1.",
            "chatbot",
            "Trust and attachment: Means",
        ),
        Metric(
            "attachment_mean",
            "gauge",
            "1",
            "Mean attachment of users now, 0..1.",
            "chatbot",
            "Trust and attachment: Means",
        ),
        Metric(
            "expectation_mean",
            "gauge",
            "1",
            "Mean expectation of users.",
            "chatbot",
            "Expectation and failure: Expected and met",
        ),
        Metric(
            "chat_satisfaction_mean",
            "gauge",
            "1",
            "Mean satisfaction of the sessions since the last reading with any.",
            "chatbot",
            "Expectation and failure: Expected and met",
            good="up",
        ),
        Metric(
            "disconfirmation_mean",
            "gauge",
            "1",
            "Mean of performance less expectation in the sessions since the last reading with any.",
            "chatbot",
            "Expectation and failure",
            good="up",
        ),
        Metric(
            "chat_performance_mean",
            "gauge",
            "1",
            "Mean performance met in the sessions since the last reading with any.",
            "chatbot",
            "Expectation and failure: Expected and met",
            good="up",
        ),
        Metric(
            "disclosed_mean",
            "gauge",
            "1",
            "Mean disclosed per session, in the sessions since the last reading with any.",
            "chatbot",
            "Privacy: Disclosure and concern",
        ),
        Metric(
            "concern_mean",
            "gauge",
            "1",
            "Mean privacy concern of users, 0..1.",
            "chatbot",
            "Privacy: Disclosure and concern",
            good="down",
        ),
        Metric(
            "chat_contested",
            "counter",
            "answers",
            "Answers to questions that touch on the person's stance.",
            "chatbot",
            "What is answered: Contested answers",
        ),
        Metric(
            "chat_false_answers",
            "counter",
            "answers",
            "False ones among these answers.",
            "chatbot",
            "What is answered: Contested answers",
            good="down",
        ),
        Metric(
            "chat_false_rate",
            "gauge",
            "1",
            "Share of false ones in these answers since the last reading with any.",
            "chatbot",
            "What is answered",
            good="down",
        ),
        Metric(
            "chat_agreement_mean",
            "gauge",
            "1",
            "Mean over people of how their recent answers took their side, -1..1.",
            "chatbot",
            "What is answered",
        ),
        Metric(
            "chat_stance_between",
            "gauge",
            "1",
            "Variance between people of the mean stance of their recent answers, sampling noise "
            "taken off.",
            "chatbot",
            "What is answered",
        ),
        Metric(
            "chat_stance_entropy",
            "gauge",
            "bits",
            "Mean within-person entropy of the stance of recent answers.",
            "chatbot",
            "What is answered",
        ),
        Metric(
            "chat_reward_accuracy",
            "gauge",
            "1",
            "Share of comparisons that the reward model foresaw, since the last reading with any.",
            "chatbot",
            "What is answered",
            good="up",
        ),
        Metric(
            "chat_comparisons",
            "counter",
            "comparisons",
            "Comparisons that the reward model learned from.",
            "chatbot",
            "What is answered",
        ),
        Metric(
            "wellbeing_mean",
            "gauge",
            "sd",
            "Mean well-being of active people by arm of the trial.",
            "chatbot",
            "Well-being",
            labels={"arm": ARMS},
            good="up",
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
            "Mean well-being of those assigned to use less that of the controls.",
            "chatbot",
            "Well-being",
            good="up",
        ),
        Metric(
            "wellbeing_usage_correlation",
            "gauge",
            "1",
            "Correlation of well-being with recent use: enrolled people, and users outside the "
            "trial.",
            "chatbot",
            "Well-being",
            labels={"among": ("trial", "outside")},
        ),
    )

    def __init__(self, params: ChatbotsParams, world: World) -> None:
        super().__init__(params, world)
        p, a, w = self.p, self.p.answers, self.p.wellbeing
        self._bot = kernel.Chatbot(
            p.performance,
            p.personalisation_gain,
            p.performance_sd,
            p.failure_depth,
            p.assimilation,
            p.gain_weight,
            p.loss_weight,
            p.expectation_up,
            p.expectation_down,
            p.trust_rate,
            p.disclosure,
            p.novelty,
            p.novelty_sessions,
            p.concern_rate,
            p.concern_fade,
            p.memory_rate,
            p.human_rate,
            p.human_loss,
            p.attachment_rate,
            p.attachment_fade / DAY,
            w.use_window / DAY,
            p.usage_effect,
            p.stop,
            p.stop_effect,
            p.stop_concern,
            p.stop_attachment,
            a.contested,
            a.truth_agrees,
            a.truth_value,
            a.truth_log_sd,
            a.agreement,
            a.feedback,
            a.comparison_noise,
            a.spread,
        )
        self._people: Made[kernel.Chatters] = Made()
        self._offers: Made[kernel.Offer] = Made()

    def setup(self) -> None:
        """Open the running sums; the reward model knows nothing."""
        self.keep["total"], self.keep["before"] = np.zeros(kernel.T_SIZE), np.zeros(kernel.T_SIZE)
        self.keep["shown"] = np.zeros(len(SHOWN))
        self.keep["reward"] = pool(2, self.p.answers.prior_sd)

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who takes the assistant up, each with a row of their own: when, what they expect and
        want of it."""
        if table != "consumers":
            return
        p, keys = self.p, self.read("consumers", "key")[rows]
        u, arm = self.uniforms("adopt", keys), self._arm(keys)
        takes = np.flatnonzero(((u[:, 0] < p.adopters) | (arm < 2)) & (p.sessions_mean > 0))
        keys, u, arm = keys[takes], u[takes], arm[takes]
        z = self.normals("person", keys, 4)
        first = self.world.now + MIN_WAKE - np.log(u[:, 1]) * p.adoption_delay
        sd, lonely = p.sessions_log_sd, p.wellbeing.lonely_use
        rate = p.sessions_mean * np.exp(sd * z[:, 0] - sd**2 / 2 + lonely * z[:, 3] - lonely**2 / 2)
        expected = p.performance + p.expectation_sd * z[:, 1]
        self.world.add(
            self.name,
            "chatters",
            keys,
            person=rows[takes],
            next_at=first.astype(np.int64),
            rate=np.where(arm == 0, p.wellbeing.encouragement, 1.0) * rate,
            expectation=expected,
            trust=np.clip(expected, 0, 1),
            taste=p.answers.taste_mean + p.answers.taste_sd * z[:, 2],
        )

    def _arm(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Arm of the trial, an index in ARMS: drawn by lot once and for all."""
        if self.p.wellbeing.trial_share <= 0:
            return np.full(len(keys), 2)
        u = self.uniforms("adopt", keys)
        arm: NDArray[np.int64] = np.where(
            u[:, 2] < self.p.wellbeing.trial_share, (u[:, 3] >= 0.5).astype(np.int64), 2
        )
        return arm

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Whoever is released chats no more."""
        if table == "consumers":
            chatters = np.flatnonzero(
                self.read("chatters", "alive") & np.isin(self.read("chatters", "person"), rows)
            )
            self.mine("chatters", "next_at")[chatters] = NEVER
            self.world.release("chatters", chatters)

    def wakes(self) -> list[Wakes]:
        """Every user's next session."""
        return [Wakes("chatters", "next_at", "chat", self.chat)]

    def chat(self, rows: NDArray[np.int64]) -> None:
        """Hold the sessions of these chatters, in order."""
        tables = self.world.tables
        people = self._people.get(
            (tables["chatters"].version, tables["consumers"].version),
            lambda: kernel.Chatters(
                self.read("chatters", "key"),
                self.read("consumers", "left_at"),
                *(self.mine("chatters", name) for name in PEOPLE),
            ),
        )
        kernel.chat(
            rows,
            people,
            self._bot,
            self._offer(people.person[rows]),
            self.keep["reward"],
            self.stream("session"),
            self.keep["total"],
            MIN_WAKE,
        )

    def _offer(self, persons: NDArray[np.int64]) -> kernel.Offer:
        """What each session's person is offered; the same for all is kept until a lever is
        written."""
        if len(self.levers_by_arm("consumers", "memory")) > 1:
            return self._offered(persons)
        room = 1 << max(6, len(persons).bit_length())
        return self._offers.get(
            (self.world.lever_version, room), lambda: self._offered(np.zeros(room, np.int64))
        )

    def _offered(self, persons: NDArray[np.int64]) -> kernel.Offer:
        return kernel.Offer(
            *(
                np.array(self.lever_of("consumers", name, persons), dtype)
                for name, dtype in (
                    ("personalisation", float),
                    ("memory", bool),
                    ("failure_rate", float),
                    ("answers.personalisation", float),
                )
            )
        )

    def _users(self) -> NDArray[np.int64]:
        """Rows of the chatters who are active, have chatted and not stopped, in the order of the
        people they are."""
        read = self.read
        going = (read("chatters", "next_at") < NEVER) & (read("chatters", "sessions") > 0)
        user = np.flatnonzero(read("chatters", "alive") & going)
        person = read("chatters", "person")[user]
        here = read("consumers", "active")[person]
        order: NDArray[np.int64] = user[here][np.argsort(person[here])]
        return order

    def _dense(self, name: str) -> NDArray[Any]:
        """A column of chatters as one of consumers, 0 for everybody else."""
        values, there = self.read("chatters", name), self.read("chatters", "alive")
        dense = np.zeros(len(self.world.table("consumers")), values.dtype)
        dense[self.read("chatters", "person")[there]] = values[there]
        return dense

    def measure(self) -> None:
        """Describe users and the sessions since the last reading."""
        board, read, total = self.world.board, self.read, self.keep["total"]
        user = self._users()
        board.set("chat_users", len(user))
        for name, place in (
            ("chat_sessions", kernel.T_SESSIONS),
            ("chat_stopped", kernel.T_STOPPED),
            ("chat_failures", kernel.T_FAILURES),
            ("chat_contested", kernel.T_CONTESTED),
            ("chat_false_answers", kernel.T_FALSE),
            ("chat_comparisons", kernel.T_COMPARED),
        ):
            board.set(name, total[place])
        for name in ("trust", "anthropomorphism", "expectation", "concern"):
            board.set(f"{name}_mean", _mean(read("chatters", name)[user]))
        absent = (
            self.world.now - read("chatters", "last")[user].astype(float)
        ) / self.p.attachment_fade
        board.set("attachment_mean", _mean(read("chatters", "attachment")[user] * np.exp(-absent)))
        trust = np.clip((read("chatters", "trust")[user].astype(float) * 20).astype(int), 0, 19)
        board.set_all("trust", np.bincount(trust, minlength=20).astype(float))
        self._measure_sums()
        self._measure_answers(user)
        self._measure_wellbeing(np.flatnonzero(read("consumers", "active")))

    def _measure_sums(self) -> None:
        """Means over the sessions since the last reading that saw any of their kind."""
        board, total, before, shown = (
            self.world.board,
            self.keep["total"],
            self.keep["before"].copy(),
            self.keep["shown"].copy(),
        )
        new = total - before
        for place, part, count in SHOWN:
            if new[count]:
                shown[place] = new[part] / new[count]
                before[part], before[count] = total[part], total[count]
        self.keep["before"], self.keep["shown"] = before, shown
        for place, name in (
            (S_SATISFACTION, "chat_satisfaction_mean"),
            (S_DISCONFIRMATION, "disconfirmation_mean"),
            (S_PERFORMANCE, "chat_performance_mean"),
            (S_DISCLOSED, "disclosed_mean"),
            (S_HURT, "disappointment_per_failure"),
            (S_FALSE, "chat_false_rate"),
            (S_FORESEEN, "chat_reward_accuracy"),
        ):
            board.set(name, shown[place])

    def _measure_answers(self, user: NDArray[np.int64]) -> None:
        """How answers differ between and within people; people with four or more recent answers."""
        answers = self.read("chatters", "answers")[user].astype(float)
        answers = answers[answers[:, 0] >= 4]
        count, share = answers[:, 0], answers[:, 1] / answers[:, 0]
        mean = 2 * share - 1
        noise = _mean((1 - mean**2) / (count - 1))
        board = self.world.board
        board.set("chat_agreement_mean", _mean(mean))
        board.set("chat_stance_between", max(float(mean.var()) - noise, 0.0) if len(mean) else 0.0)
        inside = share[(share > 0) & (share < 1)]
        bits = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside)).sum()
        board.set("chat_stance_entropy", float(bits) / max(len(share), 1))

    def wellbeing(self, rows: NDArray[np.int64], use: Floats) -> Floats:
        """Well-being now of these consumers, whose recent use is ``use``."""
        w, now, keys = self.p.wellbeing, self.world.now, self.read("consumers", "key")[rows]
        turn, angle = now // w.turns, np.pi / 2 * (now % w.turns) / w.turns
        old, new = (self.normal("wellbeing", keys, 0, turn + later) for later in (0, 1))
        noise = np.cos(angle) * old + np.sin(angle) * new
        lonely = self.normal("person", keys, 3)
        felt: Floats = (
            -w.loneliness * lonely + np.sqrt(1 - w.loneliness**2) * noise + w.use_effect * use
        )
        return felt

    def _measure_wellbeing(self, rows: NDArray[np.int64]) -> None:
        """The trial: arms, and how use and well-being go together."""
        board = self.world.board
        absent = (
            self.world.now - self._dense("last")[rows].astype(float)
        ) / self.p.wellbeing.use_window
        use = self._dense("use")[rows] * np.exp(-absent)
        felt, arm = self.wellbeing(rows, use), self._arm(self.read("consumers", "key")[rows])
        groups = [np.flatnonzero(arm == place) for place in range(len(ARMS))]
        means = [_mean(felt[who]) for who in groups]
        board.set_all("wellbeing_mean", means)
        board.set_all("chat_use_mean", [_mean(use[who]) for who in groups])
        both = len(groups[0]) and len(groups[1])
        board.set("wellbeing_assigned_effect", means[0] - means[1] if both else 0.0)
        used = np.flatnonzero((arm == 2) & (self._dense("sessions")[rows] > 0))
        for among, who in (("trial", np.flatnonzero(arm < 2)), ("outside", used)):
            board.set("wellbeing_usage_correlation", _correlation(felt[who], use[who]), among=among)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean(dtype=np.float64)) if len(values) else 0.0


def _correlation(x: Floats, y: Floats) -> float:
    """Pearson's r; 0 where either is constant."""
    x, y = x - _mean(x), y - _mean(y)
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum() / size) if size > 0 else 0.0
