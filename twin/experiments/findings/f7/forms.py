"""Finding 7 without a world: the equations of expectation and disappointment, against closed
forms."""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.f7.studies import Settled
from twin.experiments.findings.kit.arms import Curve, Study
from twin.experiments.findings.kit.claims import Claim, exact
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings


def studies(quick: bool) -> list[Study]:
    """Each equation on the twin's own sessions."""
    people = 500 if quick else 1000
    return [
        Study("geometric", "f7.studies:geometric", {"rate": 0.1, "sessions": 60, "first": 0.1}),
        Study(
            # Small rates, so that expectation strays little from the expectile once it is there.
            "settled",
            "f7.studies:settled",
            {"up": 0.003, "down": 0.001, "people": people, "sessions": 10000},
        ),
        Study(
            "equal",
            "f7.studies:settled",
            {"up": 0.002, "down": 0.002, "people": people, "sessions": 10000},
        ),
        Study("failing", "f7.studies:failing", {"rate": 0.15, "depth": 0.4, "sessions": 40}),
    ]


def judge_forms(seen: Readings) -> list[Claim]:
    """Geometric decay of disconfirmation, the expectile, and the cost of a failure."""
    got, law = seen.study("geometric")
    ratchet, even = (Settled(*seen.study(name)) for name in ("settled", "equal"))
    cost, form = seen.study("failing")
    settles = exact(
        "rates 3 : 1: where expectation settles (sd above mean performance)",
        ratchet.expectation,
        ratchet.expectile,
        "expectile",
        within=0.01,
    )
    return [
        exact(
            "equal rates: largest error of D_t = (1 - l)^t D_0 over 60 sessions",
            np.abs(got - law).max(),
            0.0,
            "exact",
            within=1e-9,
        ),
        exact(
            "rates 3 : 1: expectile of N(0, 1) (sd)",
            ratchet.expectile,
            0.436,
            "tau = .75",
            within=5e-4,
        ),
        settles,
        exact(
            "rates 3 : 1: lasting disappointment, mean D (sd)",
            ratchet.disconfirmation,
            -ratchet.expectile,
            "minus the expectile",
            within=0.02,
        ),
        exact(
            "control, equal rates: where expectation settles (sd)",
            even.expectation,
            0.0,
            "the mean",
            within=0.01,
            of=settles,
        ),
        exact(
            "cost of a failure after t sessions: largest error of beta (E_t - P_fail)",
            np.abs(cost - form).max(),
            0.0,
            "exact",
            within=1e-9,
        ),
        exact(
            "it grows with every session, and less each time",
            # Growing and concave: first differences above zero, second ones below.
            float((np.diff(cost) > 0).all() and (np.diff(cost, 2) < 0).all()),
            1.0,
            "saturates",
        ),
    ]


def curves_forms(seen: Readings) -> list[Curve]:
    """Both courses beside their closed forms."""
    made = []
    for name, panel in (
        ("geometric", "Disconfirmation at constant performance"),
        ("failing", "Cost of a failure after t sessions"),
    ):
        for values, what in zip(seen.study(name), ("sessions", "closed form"), strict=True):
            made.append(
                Curve(
                    panel,
                    what,
                    x=list(range(len(values))),
                    y=values.tolist(),
                    x_label="session",
                    control=what != "sessions",
                )
            )
    return made


PART = Part(
    "forms", "Closed forms", varies="-", judge=judge_forms, studies=studies, curves=curves_forms
)
