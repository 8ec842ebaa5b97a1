"""Parameters of chatbots."""

from __future__ import annotations

from typing import ClassVar

from twin.ground.units import DAY
from twin.world.params import Duration, Params, Rate, group, par

SIGNS = "sign: Araujo & Bol 2024"


class Answers(Params):
    """Answers to questions that touch the person's stance, and how the reward model learns what
    people like."""

    UNDER: ClassVar[str] = ".contested>0"
    ANYWAY: ClassVar[tuple[str, ...]] = ("contested", "taste_mean", "taste_sd")

    contested: float = par(
        0.3, "share of sessions whose question touches the person's stance", low=0, high=1
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
    """Well-being (sd 1 across people), selection into use of the assistant, and the trial."""

    loneliness: float = par(0.5, "correlation of well-being with (less) loneliness", low=0, high=1)
    turns: Duration = par(
        60 * DAY,
        "time in which the rest of well-being becomes an independent draw",
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
        2.0,
        "factor on the rate of sessions of those assigned to use",
        low=0,
        high=100,
        under=".trial_share>0",
    )


class ChatbotsParams(Params):
    """Parameters of chatbots. Performance, expectation, satisfaction and trust share a scale: 0
    useless, 1 perfect."""

    UNDER: ClassVar[str] = ".adopters>0"
    ANYWAY: ClassVar[tuple[str, ...]] = ("adopters",)

    adopters: float = par(0.3, "share of people who ever adopt the assistant", low=0, high=1)
    adoption_delay: Duration = par(
        30 * DAY, "mean delay of adoption", unit="s", low=0, high=3650 * DAY
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
    failure_depth: float = par(
        0.4, "performance lost in a failed session", low=0, high=10, under=".failure_rate>0"
    )
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
        0.15, "rate at which expectations rise to the performance met", low=0, high=1, source=SIGNS
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
        "part of that which people disclose only while the assistant is new",
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
