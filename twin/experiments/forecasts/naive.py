"""Naive forecasters, in the same form as a forecast: what skill is measured against.

    N0    no effect: a normal distribution around zero, whose sd is the root mean square of the
          development set's effects of that form
    N1    the same around the mean effect of the development set by topic and form, coded so that
          the more optimised or personalised arm comes first; without such effects: N0
    N2    the same around the effect of the nearest experiment, with the sign of the arms; without
          one: N0

For an experiment of the development set itself, its own results are left out.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from twin.experiments.forecasts.catalogue import IDS, experiment
from twin.experiments.forecasts.declare import Form, Outcome
from twin.experiments.forecasts.document import LEVELS, Answer
from twin.experiments.forecasts.truths import DEVELOPMENT, Truth

NAMES = ("N0", "N1", "N2")
SD: dict[Form, float] = {"rel": 0.34, "sd": 0.26, "size": 0.26, "pt": 7.0, "level": 0.26}
"""Root mean square effects; points of a scale from judgement, and a correlation as an sd."""


def answer(name: str, id: str, outcome: Outcome) -> Answer:
    """What a naive forecaster says of an outcome."""
    middle = {"N0": _none, "N1": _topic, "N2": _nearest}[name](id, outcome)
    sd, sesoi = SD[outcome.form], outcome.sesoi
    quantiles = middle + sd * ndtri(np.array(LEVELS))
    below, above = float(ndtr((-sesoi - middle) / sd)), float(ndtr((middle - sesoi) / sd))
    if outcome.form == "size":
        # of |x|: the normal around zero, folded there
        quantiles = sd * ndtri((1 + np.array(LEVELS)) / 2)
        below, above = 0.0, float(2 * ndtr(-sesoi / sd))
    return Answer(
        outcome.id,
        outcome.form,
        sesoi,
        tuple(float(each) for each in quantiles),
        (below, 1 - below - above, above),
    )


def _none(id: str, outcome: Outcome) -> float:
    return 0.0


def _topic(id: str, outcome: Outcome) -> float:
    """Mean over the effects of a topic and form that come from other experiments."""
    coded = [
        each.optimised * truth.y
        for other in IDS
        if other != id and other in DEVELOPMENT
        for each in experiment(other).outcomes
        if (truth := DEVELOPMENT[other].get(each.id)) is not None and truth.sized
        if each.optimised and (each.topic, each.form) == (outcome.topic, outcome.form)
    ]
    return outcome.optimised * float(np.mean(coded)) if coded else 0.0


def _nearest(id: str, outcome: Outcome) -> float:
    """Mean over the outcomes that are named as nearest."""
    found = [sign * _result(name).y for name, sign in outcome.nearest]
    return float(np.mean(found)) if found else 0.0


def _result(name: str) -> Truth:
    other, _, outcome = name.partition(".")
    return DEVELOPMENT[other][outcome]
