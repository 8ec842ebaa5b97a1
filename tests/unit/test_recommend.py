"""Advice from draws whose truth is known: goals, the sign of effects, what shows a policy, and how it
went."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import SCENARIOS
from twin.experiments.calibrate import ensemble, fit
from twin.experiments.recommend import actual, advice, arms, words
from twin.experiments.recommend.advice import Advice
from twin.experiments.stress.goals import parse_goals
from twin.experiments.sync import alarm
from twin.observing.daily import Seen
from twin.scenario.loading import load

WORLDS = 300
FIRST = dt.date(2025, 3, 1)
DAYS = [FIRST + dt.timedelta(days=at) for at in range(10)]
SCENARIO = load(SCENARIOS / "forecasts.yaml")
SATISFACTION, MORALE = ("satisfaction_mean", ""), ("creator_morale", "")


@pytest.fixture(scope="module")
def found() -> fit.Fit:
    """Worlds whose parameter a statistic tells. Policy 1 raises satisfaction by 0.2 less the
    parameter, so that it helps where that is low, and clicks by 0.05 a day from the third day on;
    policy 2 touches nothing but morale, by chance alone. The platform's parameter is about 0.05."""
    rng = np.random.default_rng(11)
    place = rng.random(WORLDS)
    seen = [
        Seen({"told": share + luck, "told too": share - luck}, {})
        for share, luck in zip(place, rng.normal(0, 0.02, WORLDS), strict=True)
    ]
    values = {
        arms.effect(0, SATISFACTION): 1.0 + 0.1 * place,
        arms.effect(0, MORALE): 0.5 + rng.normal(0, 0.01, WORLDS),
        arms.effect(1, SATISFACTION): 0.2 - place + rng.normal(0, 0.02, WORLDS),
        arms.effect(2, MORALE): rng.normal(0, 0.01, WORLDS),
    }
    for at, day in enumerate(DAYS):
        for name in ("click rate", "people"):
            base = rng.normal(0, 0.05, WORLDS)
            values[arms.day_of(0, name, day)] = base
            values[arms.day_of(2, name, day)] = base
            moved = 0.1 * max(0, at - 1) if name == "click rate" else 0.0
            values[arms.day_of(1, name, day)] = base + moved + rng.normal(0, 0.01, WORLDS)
    grid = np.linspace(0, 1, 101)
    asked = fit.Asked(("place",), place[:, None], [[ensemble.Scale(grid, grid)]])
    return fit.fit(asked, seen, {"told": 0.05, "told too": 0.05}, values, 0)


def advised(found: fit.Fit, arm: int, goals: tuple[str, ...]) -> Advice:
    """Advice on a policy."""
    wanted = parse_goals(goals, SCENARIO)
    kept = advice.kept(found, wanted, arm)
    told = zip((goal.text for goal in wanted), kept.mean(0).tolist(), strict=True)
    levels = {"click rate": -1.0, "people": 6.0}
    return Advice(
        f"policy {arm}",
        "",
        tuple(told),
        float(kept.all(1).mean()),
        advice.effects(found, SCENARIO.series(), arm),
        advice.measure(found, levels, arm, DAYS),
    )


def test_effects_are_those_of_worlds_like_the_platform(found: fit.Fit) -> None:
    """Over the prior the policy harms on average; where the platform lies it helps, and the interval
    holds what it says. What a policy does not touch is not listed."""
    (effect,) = advice.effects(found, SCENARIO.series(), 1)
    assert effect.metric.name == "satisfaction_mean"
    assert effect.quantiles[2] == pytest.approx(0.15, abs=0.02)
    assert effect.better > 0.99 and 0.7 < effect.held < 0.9
    assert effect.percent == pytest.approx(100 * 0.15 / 1.005, rel=0.15)
    assert "better, 100 %" in words.line(effect)


def test_goals_hold_together_and_the_surest_is_recommended(found: fit.Fit) -> None:
    """A goal of both sides; an untouched series keeps its base; nothing is recommended where none is
    sure."""
    both = ("effect(satisfaction_mean) > 5%", "effect(creator_morale) >= -1%")
    one, two = advised(found, 1, both), advised(found, 2, both)
    assert one.recommended and one.goals[1][1] == 1.0
    # an effect of zero is not above 5 %
    assert two.keeps == 0.0 and advice.best([two, one]) is one
    # by chance: half of the draws are above zero, and a tenth of a base of 0.5 is far away
    (chance,) = advised(found, 2, ("effect(creator_morale) > 0",)).goals
    assert 0.35 < chance[1] < 0.65
    assert advice.best([two, replace(one, keeps=0.79)]) is None
    assert "none of these policies" in words.verdict([two], DAYS[-1])
    said = words.verdict([one, two], DAYS[-1])
    assert said.startswith("recommended: policy 1") and "expires on 2025-03-10" in said


def test_what_shows_a_policy_is_named_with_the_first_days_that_do(found: fit.Fit) -> None:
    """Clicks rise from the third day on, people do not; a policy without a trace is said to leave
    none."""
    seen = advised(found, 1, ("effect(satisfaction_mean) > 0",)).measure
    assert seen is not None and seen.quantity == "click rate" and 3 <= seen.days <= 5
    assert seen.told >= advice.TOLD and seen.with_[0] > seen.without[1]
    assert advised(found, 2, ("effect(satisfaction_mean) > 0",)).measure is None
    assert "no quantity that the log has" in words.see(None, DAYS[-1])


def test_how_it_went_in_words() -> None:
    """As foretold, not as foretold, and as if nothing had been applied."""
    known = actual.Actual("p", FIRST, DAYS[-1], (0.4, 0.002), 0.001, ())
    assert "10 days since 2025-03-01: as foretold with it (p 0.4)" in actual.verdict(known)
    assert "also as foretold without it" in actual.verdict(replace(known, p=(0.4, 0.3)))
    assert "not as foretold with it" in actual.verdict(replace(known, p=(0.01, 0.002)))
    assert "did not do what" in actual.verdict(replace(known, p=(0.01, 0.5)))
    assert "too few worlds" in actual.verdict(replace(known, least=0.1))


def test_p_is_uniform_for_what_the_draws_are() -> None:
    """Of 400 days from the draws' own distribution about a tenth has p below 0.1 (less than 15 or
    more than 68 of them is rarer than 1 in 10,000)."""
    rng = np.random.default_rng(7)
    mix = np.array([[1.0, 0.8], [0.0, 0.6]])
    draws = rng.normal(size=(5000, 2)) @ mix
    p = np.array([alarm.p(rng.normal(size=2) @ mix, draws) for _ in range(400)])
    assert 15 <= (p < 0.1).sum() <= 68
    assert alarm.p(np.array([9.0, -9.0]), draws) == 1 / 5001
