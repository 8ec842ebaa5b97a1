"""Is a world at rest: truncation by MSER-5 on known series, planted drift and none, and the
command."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from tests.given.drifts import drift
from twin.experiments import drifts, rest
from twin.experiments.compare import measures
from twin.experiments.compare import words as compare_words
from twin.experiments.compare.rows import NUMBERS, Row
from twin.experiments.forks import BASE, Forked
from twin.ground.units import DAY
from twin.scenario.loading import Scenario
from twin.world.metric import Metric

Small = Callable[..., Scenario]


def noise(replicates: int, days: int, seed: int, memory: float = 0.7) -> np.ndarray:
    """Autocorrelated noise of unit variance (replicates, days)."""
    rng, made = np.random.default_rng(seed), np.zeros((replicates, days))
    shock = rng.normal(size=(replicates, days)) * math.sqrt(1 - memory**2)
    made[:, 0] = rng.normal(size=replicates)
    for day in range(1, days):
        made[:, day] = memory * made[:, day - 1] + shock[:, day]
    return made


def test_mser_by_hand() -> None:
    """Batches 9, 1, 0, 0, 0, 0, 0, 0: sums of squares over squared counts are least once both high
    ones are cut, at ten days."""
    z = np.array([9.0, 1, 0, 0, 0, 0, 0, 0, 0.0])
    values = np.repeat(z, 5)
    assert drifts.mser(values) == 10
    assert drifts.mser(values, batch=1) == 10
    assert (
        drifts.mser(np.append(values, [50.0, 50.0])) == 10
    )  # what is left of the last batch does not count
    assert drifts.mser(np.full(60, 3.0)) == 0 and drifts.mser(np.arange(7.0)) is None


def test_mser_is_the_published_rule() -> None:
    """The least of the squared standard error over all truncations, by brute force over batch
    means."""
    rng = np.random.default_rng(4)
    for seed in range(20):
        values = 5 * np.exp(-np.arange(100) / 6) + noise(1, 100, seed)[0] * rng.uniform(0.1, 1)
        z = values.reshape(20, 5).mean(1)
        errors = [z[k:].var() / (20 - k) for k in range(16)]
        best = int(np.argmin(errors))
        assert drifts.mser(values) == (5 * best if best <= 10 else None)


def test_mser_cuts_a_transient_and_not_a_settled_series() -> None:
    """An exponential approach with a time constant of 8 days is cut after some three of them; one
    that never bends is not settled."""
    cut = [
        drifts.mser(10 * np.exp(-np.arange(180) / 8) + noise(1, 180, seed)[0]) for seed in range(20)
    ]
    known = [each for each in cut if each is not None]
    assert (
        len(known) >= 17 and min(known) >= 10 and max(known) <= 60 and 15 <= np.median(known) <= 40
    )
    assert drifts.mser(np.arange(180.0)) is None
    still = [drifts.mser(noise(1, 180, seed)[0]) for seed in range(40)]
    assert np.median([90 if each is None else each for each in still]) <= 30


def test_slopes_are_least_squares() -> None:
    """Against numpy's fit."""
    days = noise(3, 90, 1) + 0.02 * np.arange(90)
    assert drifts.slopes(days) == pytest.approx(np.polyfit(np.arange(90), days.T, 1)[0])


def test_planted_drift_is_found_and_none_is_not() -> None:
    """10 % of drift over 180 days under noise of 4 % is named with its size; without drift rest is
    shown; neither where noise drowns it."""
    t = np.arange(180)
    verdicts = {"drifts": 0, "at rest": 0, "unclear": 0}
    for seed in range(40):
        moving = drifts.judged("x", "1", 1 + 0.1 * t / 150 + 0.02 * noise(4, 180, seed))
        assert moving.verdict == "drifts" and moving.change[0] == pytest.approx(0.1, abs=0.03)
        assert moving.slope[0] == pytest.approx(0.02, abs=0.006) and moving.slope[1] > 0
        verdicts[drifts.judged("x", "1", 1 + 0.02 * noise(4, 180, 100 + seed)).verdict] += 1
    assert verdicts["drifts"] == 0 and verdicts["at rest"] > 30
    assert drifts.judged("x", "1", 1 + 0.8 * noise(4, 180, 3)).verdict == "unclear"


def test_false_alarms_are_as_rare_as_said() -> None:
    """Without drift, under noise that remembers for days, the 95 % interval holds 0 in 95 of 100
    cases: replicates need no model of it."""
    holds = [
        low <= 0 <= high
        for seed in range(400)
        for _, low, high in [drifts.judged("x", "1", 1 + 0.3 * noise(4, 120, seed, 0.9)).change]
    ]
    assert 0.92 <= np.mean(holds) <= 0.98


def test_growth_by_people_is_explained() -> None:
    """A total that grows as people do is explained; one that grows per person too drifts, and so
    does a mean."""
    t = np.arange(120)
    people = 1000 * (1 + t / 120) * (1 + 0.005 * noise(4, 120, 1))
    steady = drifts.judged(
        "sessions", "sessions/d", people * (0.3 + 0.002 * noise(4, 120, 2)), people
    )
    assert steady.verdict == "follows" and abs(steady.per_person[0]) < 0.02  # type: ignore[index]
    both = drifts.judged("sessions", "sessions/d", people * (0.3 + 0.001 * t), people)
    assert both.verdict == "drifts" and both.per_person is not None
    assert drifts.judged("mean", "1", people / 1000).verdict == "drifts"


def test_what_was_nothing_and_what_never_moves() -> None:
    """From zero to something drifts without end; equal days are at rest, zero or not."""
    zero = drifts.judged("x", "1", np.zeros((4, 60)))
    assert zero.verdict == "at rest" and zero.change == (0, 0, 0)
    assert drifts.judged("x", "1", np.full((4, 60), 2.0)).verdict == "at rest"
    begun = drifts.judged("x", "1", np.where(np.arange(60) < 30, 0.0, 1.0) * np.ones((4, 1)))
    assert begun.verdict == "drifts" and begun.change[0] == math.inf


def test_the_proposal(small: Small) -> None:
    """The most days that something not at rest needs, on top of the warm-up that there is; what
    never settles is named."""
    scenario = small("warm_up=10d")
    still = drift(change=(0.0, -0.01, 0.01), settles=80)
    assert rest.proposed(scenario, [still]) == (10, [])
    assert rest.proposed(
        scenario, [still, drift(), drift(settles=35, change=(0.01, -0.1, 0.12))]
    ) == (45, [])
    assert rest.proposed(scenario, [drift(), drift(name="y", settles=None)]) == (30, ["y"])
    grows = drift(per_person=(0.0, -0.01, 0.01), settles=None, settles_per_person=5)
    assert rest.proposed(scenario, [grows]) == (10, [])


def test_verdicts_in_words() -> None:
    """What moves surely, but not surely by more than the tolerance, is not called indistinguishable
    from rest."""
    said = {
        "at rest": (0.01, -0.02, 0.04),
        "moves, but not surely by 5 %": (0.044, 0.034, 0.053),
        "not distinguishable from rest": (0.08, -0.1, 0.2),
        "DRIFTS by −12.0 % [−20.0, −4.0]": (-0.12, -0.2, -0.04),
    }
    for words, change in said.items():
        assert rest._words(drift(change=change)) == words
    grows = drift(per_person=(0.01, -0.02, 0.04))
    assert rest._words(grows) == "follows the number of active people; per head +1.0 % [−2.0, +4.0]"


def test_without_policies(small: Small) -> None:
    """The look leaves out policies, reads daily at least, and takes replicates one after
    another."""
    scenario = small(
        "policies=[{at: 5d, set: {recommender.preset: likes}}]", "metrics.every=7d", "replicate=3"
    )
    one = rest.without_policies(scenario, 60, 2)
    assert not one.policies and not one.mechanisms["policies"].plan and one.duration == 60 * DAY  # type: ignore[attr-defined]
    assert one.metrics.every == DAY and one.replicate == 5 and one.warm_up == scenario.warm_up


def forked(course: np.ndarray) -> Forked:
    """The world as it is, week by week before the fork: (replicates, weeks) of one metric."""
    metric = Metric("morale", "gauge", "1", "Mean morale.", "producer", "Supply", headline=True)
    return Forked(
        [(metric, {})],
        [(k * 7 * DAY, (k + 1) * 7 * DAY) for k in range(course.shape[1])],
        {BASE: course[:, :, None]},
    )


def test_a_comparison_knows_what_moved_before_its_fork() -> None:
    """The pace per 30 days, how far it goes, and its interval over replicates, against numpy's
    fits."""
    rng = np.random.default_rng(1)
    course = 1 + 0.07 * np.arange(4) + 0.01 * rng.normal(size=(6, 4))
    (row,) = measures.before(forked(course), 60 * DAY).to_pylist()
    paces = np.polyfit(np.arange(4) * 7.0, course.T, 1)[0]
    assert row["pace"] == pytest.approx(30 * paces.mean()) and row["moves"] == pytest.approx(
        60 * paces.mean()
    )
    half = stats.t.ppf(0.975, 5) * paces.std(ddof=1) / math.sqrt(6)
    assert (row["low"], row["high"]) == (
        pytest.approx(30 * (paces.mean() - half)),
        pytest.approx(30 * (paces.mean() + half)),
    )
    assert row["low"] > 0 and row["n"] == 6


def test_the_report_of_a_comparison_warns(tmp_path: Path) -> None:
    """An effect on a series whose pace before the fork is more than a quarter of it is reported
    with that; a smaller or unsure pace is not."""
    numbers = dict.fromkeys(NUMBERS, 0.0) | {"effect": -0.2}
    row = Row("b", "creator_morale", "", "producer", "1", "up", True, 6, **numbers, appears_s=0)
    data = SimpleNamespace(moving={("creator_morale", ""): 0.1})
    said = compare_words._restless(data, [row])  # type: ignore[arg-type]
    assert said.startswith(
        "Not at rest in the weeks before the fork: creators' morale had been rising, by 50 % of the "
        "effect at that pace; both"
    )
    # many times the effect is no percentage, and "sessions" is no "it was"
    many = SimpleNamespace(moving={("creator_morale", ""): -0.2 * 13.3})
    assert "had been falling, by 13.3 times the effect at that pace" in compare_words._restless(
        many,  # type: ignore[arg-type]
        [row],
    )
    assert (
        compare_words._restless(SimpleNamespace(moving={("creator_morale", ""): 0.04}), [row]) == ""
    )  # type: ignore[arg-type]
    assert compare_words._restless(SimpleNamespace(moving={}), [row]) == ""  # type: ignore[arg-type]
