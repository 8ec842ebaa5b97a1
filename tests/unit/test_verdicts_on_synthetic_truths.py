"""The rules of verdicts on worlds whose truth is known: how often each verdict is given.

A finding of two primary claims, each with a control and three secondary claims beside them. It is
drawn 1,000 times in each of four truths. Targets: the true verdict in 80 % or more, a false
"reproduced" or "refuted" in less than 5 %. Seeds are fixed, so shares are numbers and not chance.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from twin.experiments.findings.kit.claims import Claim, Matters, sign, vanishes
from twin.experiments.findings.kit.judging import settled
from twin.experiments.findings.kit.power import needed, needed_within
from twin.experiments.findings.kit.verdicts import verdict

DRAWS = 1000
MATTERS = Matters(1.0, "the unit of this test")
EFFECT, SPREAD = 1.5, 1.0
"""Of a true effect: one and a half times what matters, as much from world to world as matters."""
NOISE = 0.15
"""Of a control, from world to world: controls share the luck of their experiment."""
WORLDS = 16
"""Declared: power over 90 % for each claim and control, so 80 % for the finding."""


@dataclass(frozen=True)
class Truth:
    """Mean effect of both claims, and mean of their controls."""

    effect: float
    left: float


TRUTHS = {
    "reproduced": Truth(EFFECT, 0.0),
    "null": Truth(0.0, 0.0),
    "refuted": Truth(-EFFECT, 0.0),
    # Half of the effect is there without its cause.
    "confounded": Truth(EFFECT, EFFECT / 2),
}
"""By the verdict that is right."""


def finding(rng: np.random.Generator, truth: Truth, worlds: int, claims: int = 2) -> list[Claim]:
    """One draw: what a judge of a finding would hand in."""
    made = []
    for name in "ab"[:claims]:
        effect = truth.effect + SPREAD * rng.normal(size=worlds)
        main = sign(name, effect, 1, "test", matters=MATTERS, primary=True)
        left = truth.left + NOISE * rng.normal(size=worlds)
        made += [main, vanishes(f"control of {name}", left, main)]
    # Secondary claims are against whatever the primary ones are: they must not matter.
    return [
        *made,
        *(
            sign(f"second {k}", rng.normal(-3 * truth.effect, size=worlds), 1, "t", matters=MATTERS)
            for k in range(3)
        ),
    ]


def shares(truth: Truth, seed: int, worlds: int = WORLDS, claims: int = 2) -> dict[str, float]:
    """Shares of verdicts over all draws."""
    rng = np.random.default_rng(seed)
    given = Counter(verdict(settled(finding(rng, truth, worlds, claims))) for _ in range(DRAWS))
    return {name: given[name] / DRAWS for name in (*TRUTHS, "inconclusive")}


@pytest.mark.parametrize("right", TRUTHS)
def test_shares_of_verdicts(right):
    found = shares(TRUTHS[right], seed=20)
    assert found[right] >= 0.8, found
    for wrong in {"reproduced", "refuted"} - {right}:
        assert found[wrong] < 0.05, found


@pytest.mark.parametrize("right", TRUTHS)
def test_few_worlds_leave_more_open_and_no_more_wrong(right):
    """The quick set has four worlds an arm: what it says is as right, and it says less."""
    few, declared = (shares(TRUTHS[right], seed=21, worlds=n) for n in (4, WORLDS))
    assert few["inconclusive"] > declared["inconclusive"]
    for wrong in {"reproduced", "refuted"} - {right}:
        assert few[wrong] < 0.05, few


def test_no_effect_at_all_is_rarely_taken_for_one():
    """A single claim that is zero, its controls fine: 2.5 % on either side at the most, less what
    is null although it misses zero (1,000 draws: under 4.4 %, 3.8 sd)."""
    for worlds in (4, WORLDS):
        found = shares(Truth(0.0, 0.0), seed=22, worlds=worlds, claims=1)
        assert found["reproduced"] < 0.044 and found["refuted"] < 0.044, found


def test_an_effect_as_small_as_matters_is_not_null():
    """At the edge of what matters "null" is wrong in 5 % (1,000 draws: under 7.6 %, 3.8 sd)."""
    for worlds in (4, WORLDS):
        assert shares(Truth(1.0, 0.0), seed=23, worlds=worlds, claims=1)["null"] < 0.076


def test_a_control_at_its_margin_is_not_taken_for_vanished():
    """15 % of the effect is left: "reproduced" in 5 % (under 7.6 %), "confounded" in 2.5 % (under
    4.4 %); with a third more it is confounded more often than reproduced."""
    edge = shares(Truth(EFFECT, 0.15 * EFFECT), seed=24, claims=1)
    assert edge["reproduced"] < 0.076 and edge["confounded"] < 0.044, edge
    beyond = shares(Truth(EFFECT, 0.2 * EFFECT), seed=25, claims=1)
    assert beyond["reproduced"] < 0.02 < beyond["confounded"], beyond


def test_a_reversal_with_a_bad_control_is_confounded_not_refuted():
    found = shares(Truth(-EFFECT, EFFECT / 2), seed=26)
    assert found["confounded"] >= 0.8 and found["refuted"] < 0.05, found


def test_the_declared_size_is_what_power_asks_for():
    """16 worlds are no fewer than `needed` says for a claim and for its control, and not twice as
    many as the harder of the two needs."""
    rng = np.random.default_rng(27)
    effect = EFFECT + SPREAD * rng.normal(size=4000)
    left = NOISE * rng.normal(size=4000) - 0.15 * effect
    least = needed(effect, MATTERS.size), needed_within(left, 0.15 * EFFECT)
    assert WORLDS / 2 <= max(least) <= WORLDS
