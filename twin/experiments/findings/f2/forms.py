"""Finding 2 without a world: the twin's reward model against closed forms.

Weights are either known or learned from comparisons. The forms are in
`twin.experiments.findings.f2.equations`.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.f2 import equations
from twin.experiments.findings.f2.equations import Case, KnownAnswers, LearnedAnswers
from twin.experiments.findings.kit.arms import Curve, Study
from twin.experiments.findings.kit.claims import Claim, exact
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings

KNOWN = (
    Case(mu=0.0, sigma=1.0, b=1.0, dq=0.5),
    Case(mu=0.5, sigma=1.0, b=1.0, dq=1.0),
    Case(mu=-1.0, sigma=0.7, b=1.0, dq=0.5),
    Case(mu=0.2, sigma=3.0, b=0.5, dq=2.0),
)
"""Closed forms that are checked."""
NO_GAP = {
    "sigma 0": Case(mu=0.7, sigma=0.0, b=1.0, dq=0.5),
    "b 0": Case(mu=0.3, sigma=1.0, b=0.0, dq=0.5),
}
"""Controls: without differences between people, or without a taste for agreement, both models give
the same answers."""
LEARNED = (0.0, 0.5)
"""Means mu at which weights are learned."""
EACH = 400
"""Comparisons that each person makes where weights are learned."""


def studies(quick: bool) -> list[Study]:
    """Known weights in several cases, and learned ones."""
    made = [
        Study(case.name, "f2.equations:known", case._asdict())
        for case in (*KNOWN, *NO_GAP.values())
    ]
    size = {"each": EACH, "people": 1000 if quick else 4000}
    made += [
        Study(
            f"learned {mu:g}",
            "f2.equations:learned",
            {"mu": mu, "sigma": 1.0, "spread": 1.0, **size},
        )
        for mu in LEARNED
    ]
    # Nobody differs, but the model is free (spread) to tell people apart.
    alike = {"mu": 0.7, "sigma": 0.0, "spread": 0.3, **size}
    return [*made, Study("learned alike", "f2.equations:learned", alike)]


def _known_models(seen: Readings, case: Case) -> tuple[KnownAnswers, KnownAnswers]:
    """What the personal and the pooled model answer with known weights."""
    personal, pooled = seen.study(case.name)
    return KnownAnswers(*personal), KnownAnswers(*pooled)


def _learned_models(seen: Readings, study: str) -> tuple[LearnedAnswers, LearnedAnswers]:
    """What the personal and the pooled model answer with learned weights."""
    personal, pooled = seen.study(study)
    return LearnedAnswers(*personal), LearnedAnswers(*pooled)


def judge_forms(seen: Readings) -> list[Claim]:
    """Known weights to 1e-9, learned ones within 0.02, and the controls without a gap."""
    return [
        *_standard(seen),
        *(known := [claim for case in KNOWN for claim in _known(seen, case)]),
        # The gap of the first case is what vanishes, and so is the agreement that is learned.
        *_no_gap(seen, known[0]),
        *(learned := [claim for mu in LEARNED for claim in _learned(seen, mu)]),
        _alike(seen, learned[0]),
    ]


def _standard(seen: Readings) -> list[Claim]:
    """The case of tastes N(0, 1), whose values are textbook constants."""
    personal, pooled = _known_models(seen, KNOWN[0])
    return [
        exact(
            "known weights, N(0, 1): agreement, personal",
            personal.agreement,
            float(np.sqrt(2 / np.pi)),
            "E|a| = .798",
            within=1e-9,
        ),
        exact(
            "known weights, N(0, 1): agreement, pooled",
            pooled.agreement,
            0.0,
            "|E a|",
            within=1e-9,
        ),
        exact(
            "known weights, N(0, 1): variance of stance between people, personal",
            personal.between,
            1.0,
            "two camps",
            within=1e-9,
        ),
        exact(
            "known weights, N(0, 1): the same, pooled",
            pooled.between,
            0.0,
            "one mix for all",
            within=1e-9,
        ),
    ]


def _known(seen: Readings, case: Case) -> list[Claim]:
    personal, pooled = _known_models(seen, case)
    where = f"known weights, mu {case.mu:g} sigma {case.sigma:g}"
    quality = f"b {case.b:g} dq {case.dq:g}"
    made = [
        exact(
            f"{where}: gap in agreement",
            personal.agreement - pooled.agreement,
            equations.gap(case.mu, case.sigma),
            "E|a| - |E a|",
            within=1e-9,
        ),
        exact(
            f"{where}, {quality}: false answers, personal",
            personal.false,
            equations.false_rate(*case),
            "Phi((-dq/2b - mu)/sigma)",
            within=1e-9,
        ),
    ]
    # The pooled model gives everybody the false answer where mu < -dq / 2b.
    if case.mu >= 0:
        made.append(
            exact(
                f"{where}, {quality}: false answers, pooled", pooled.false, 0.0, "never at mu >= 0"
            )
        )
    return made


def _no_gap(seen: Readings, main: Claim) -> list[Claim]:
    made = []
    for name, case in NO_GAP.items():
        personal, pooled = _known_models(seen, case)
        # Only the gap: the formula of false answers divides by b and by sigma.
        made.append(
            exact(
                f"control, {name}: known weights, gap in agreement",
                personal.agreement - pooled.agreement,
                0.0,
                "control",
                of=main,
            )
        )
    return made


def _learned(seen: Readings, mu: float) -> list[Claim]:
    personal, _ = _learned_models(seen, f"learned {mu:g}")
    return [
        exact(
            f"{EACH} comparisons each, mu {mu:g}: agreement, personal",
            personal.agreement,
            # |E a| plus the gap; the means used here are not negative, so |E a| = mu.
            mu + equations.gap(mu, 1.0),
            "E|a|",
            within=0.02,
        ),
        exact(
            f"{EACH} comparisons each, mu {mu:g}: false answers, personal",
            personal.false,
            equations.false_rate(mu, 1.0, 1.0, 1.0),
            "truth cost",
            within=0.02,
        ),
    ]


def _alike(seen: Readings, main: Claim) -> Claim:
    personal, pooled = _learned_models(seen, "learned alike")
    return exact(
        f"control, sigma 0: {EACH} comparisons each, gap in agreement",
        personal.agreement - pooled.agreement,
        0.0,
        "control",
        of=main,
    )


def curves_forms(seen: Readings) -> list[Curve]:
    """The formula over sigma."""
    x = np.linspace(0, 3, 61)
    return [
        Curve(
            "Gap in agreement, closed form",
            f"mu = {mu:g}",
            x=x.tolist(),
            y=[equations.gap(mu, float(s)) for s in x],
            x_label="sigma",
            y_label="E|a| - |E a|",
        )
        for mu in (0.0, 0.3, 1.0)
    ]


PART = Part(
    "forms",
    "Closed forms, with known and with learned weights",
    varies="-",
    judge=judge_forms,
    studies=studies,
    curves=curves_forms,
)
