"""Finding 2 in the chatbot: from the pooled to the personal reward model, and over heterogeneity,
beside the closed form of the gap in agreement.

A second control keeps people alike and lets the model look for differences: what it finds is error.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.f2 import equations
from twin.experiments.findings.f2.arms import (
    AGREES,
    CHAT,
    CHAT_BETWEEN,
    CHAT_WITHIN,
    CLOSED_FORM,
    FALSE,
    SIGMAS,
    SOURCE,
    USE,
    WORTH_MET,
    chat_size,
    gained,
    model_at,
    share_arms,
    sigma_arms,
)
from twin.experiments.findings.kit import means
from twin.experiments.findings.kit.arms import Curve, averaged, because
from twin.experiments.findings.kit.claims import Claim, Matters, band, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings

MU, WORTH = 0.3, 0.1
"""Defaults of chatbots.answers: taste_mean and agreement (worth of an answer that agrees)."""
GAP = Matters(
    0.05,
    "assumption: about a tenth of the gap that the formula gives at sigma 1, in units of taste",
)


def judge_chat(seen: Readings) -> list[Claim]:
    """Signs over the share of the personal model, the cost in truth, and the controls."""
    made = []
    for metric, way in ((CHAT_BETWEEN, 1), (CHAT_WITHIN, -1), (FALSE, 1)):
        claim = sign(
            f"chatbot: {metric.words}, per sd of the personal share",
            means.slope(*seen.doses(metric)),
            way,
            f"{SOURCE}; Sharma et al. 2310.13548",
            matters=metric.matters,
            primary=metric is FALSE,
        )
        control = vanishes(
            f"chatbot, all people alike: {metric.words}, personal less pooled",
            gained(seen, metric, "all alike"),
            claim,
            beside=gained(seen, metric),
        )
        made += [claim, control]
    made.append(
        sign(
            f"chatbot: {AGREES.words}, personal less pooled",
            # Plain agreement has no sign: a personal model also contradicts those who like it.
            gained(seen, AGREES),
            1,
            "no sign of its own: some like to be contradicted",
            matters=AGREES.matters,
            aside=True,
        )
    )
    return made


def _agreement_gap(seen: Readings, sigma: float, control: str = "") -> np.ndarray:
    """Gap in agreement, personal less pooled, per unit of taste (replicates,).

    Sessions are worth more by `WORTH` times the taste for an answer that agrees. Everything else in
    them is shared luck and cancels in the difference.
    """
    before = f"{control}/" if control else ""
    return (
        seen.effect(
            f"{before}{model_at(sigma, True)}", f"{before}{model_at(sigma, False)}", WORTH_MET
        )
        / WORTH
    )


def judge_chat_sigma(seen: Readings) -> list[Claim]:
    """The gap in agreement against its formula, and zero where people are alike."""
    gaps = np.array([_agreement_gap(seen, sigma) for sigma in SIGMAS])
    main = sign(
        "chatbot: gap in agreement between personal and pooled model, per sd of sigma",
        means.slope(SIGMAS, gaps),
        1,
        "E|a| - |E a|",
        matters=GAP,
        primary=True,
    )
    made = [main]
    # Not sigma 0, where the gap is a control (below).
    for sigma, gap in list(zip(SIGMAS, gaps, strict=True))[1:]:
        want = equations.gap(MU, sigma)
        # What is learned is not known, and a crowd is finite: 5 % of sigma, 0.05 at the least.
        room = GAP.size * max(1, sigma)
        made.append(
            band(
                f"chatbot: gap in agreement at sigma {sigma:g}, formula {want:.3f}",
                gap,
                (want - room, want + room),
                "E|a| - |E a|, for what is learned and a finite crowd",
            )
        )
    for where, alike in (
        ("people and model at sigma 0", gaps[0]),
        (
            "people at sigma 0 and a model free to tell them apart",
            _agreement_gap(seen, 0.0, "free model"),
        ),
    ):
        # Controls have to be small beside the gap at sigma 1, the third of SIGMAS.
        made.append(vanishes(f"chatbot, {where}: gap in agreement", alike, main, beside=gaps[2]))
    # At mu = 0 the pooled model gives everybody one mix of answers; a personal one makes two camps.
    echo = seen.effect(model_at(1.0, True), model_at(1.0, False), CHAT_BETWEEN)
    made.append(
        sign(
            "chatbot: stance of answers between people at sigma 1, personal less pooled",
            echo,
            1,
            "1 less 0 at mu = 0",
            matters=CHAT_BETWEEN.matters,
        )
    )
    return made


def curves_chat_sigma(seen: Readings) -> list[Curve]:
    """The gap in worlds beside the formula."""
    gaps = np.array([_agreement_gap(seen, sigma) for sigma in SIGMAS])
    x = np.linspace(0, 2, 41)
    panel = "Gap in agreement of the chatbot"
    return [
        averaged(panel, "worlds", x=SIGMAS, values=gaps, x_label="sigma", y_label="taste"),
        Curve(
            panel,
            "E|a| - |E a|",
            x=x.tolist(),
            y=[equations.gap(MU, float(s)) for s in x],
            x_label="sigma",
        ),
    ]


PERSONAL, SPREAD = "chatbots.answers.personalisation", "chatbots.answers.spread"
TASTES = {"chatbots.answers.taste_sd": "1"}
SHARE_PART = Part(
    "chat",
    "In the chatbot: from the pooled to the personal model",
    varies="share of the personal reward in answers",
    judge=judge_chat,
    arms=[*share_arms(PERSONAL), *share_arms(PERSONAL, "all alike", (0.0, 1.0))],
    outcomes=[CHAT_BETWEEN, CHAT_WITHIN, AGREES, FALSE, USE],
    world=CHAT,
    controls={
        "all alike": because(
            "heterogeneity 0 of people, and the model assumes it",
            chatbots__answers__taste_sd="0",
            chatbots__answers__spread="0",
        )
    },
    full=chat_size(10, 180, 4000),
    quick=chat_size(4, 90, 1000),
    doses=True,
    both_ends=(FALSE, CHAT_BETWEEN),
)
SIGMA_PART = Part(
    "chat_sigma",
    "In the chatbot: how far people differ, beside the closed form",
    varies="heterogeneity of the taste for agreement",
    judge=judge_chat_sigma,
    arms=[
        *sigma_arms(TASTES, PERSONAL, model=SPREAD),
        *sigma_arms(TASTES, PERSONAL, "free model", (0.0,), 1.0, SPREAD),
    ],
    outcomes=[WORTH_MET, AGREES, CHAT_BETWEEN, USE],
    world=CHAT | CLOSED_FORM,
    controls={
        "free model": because(
            "people alike, and a model that assumes a spread of 1 all the same",
            chatbots__answers__taste_sd="0",
        )
    },
    full=chat_size(10, 90, 4000),
    quick=chat_size(4, 30, 1000),
    curves=curves_chat_sigma,
)
