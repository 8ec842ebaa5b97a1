"""Sweeps of few points: means by level, differences by pairs, and axes on which noise is noise."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from twin.experiments import design, effects
from twin.experiments.sweep.command import lines, ranks
from twin.experiments.sweep.levels import MOST, by_level
from twin.experiments.sweep.pictures import response
from twin.experiments.sweep.points import Swept
from twin.mechanisms import REGISTRY

METRICS = {metric.name: metric for kind in REGISTRY.values() for metric in kind.metrics}
KEYS = (("satisfaction_mean", ""), ("sessions", ""))


def swept(values: NDArray[np.float64], *vary: str) -> Swept:
    """A grid with these values (points, replicates, 2)."""
    varied = [design.parse(text) for text in vary]
    points = design.points(varied, "grid", 0, 1)
    return Swept(varied, points, {key: METRICS[key[0]] for key in KEYS}, values)


def made(effect: float, replicates: int) -> Swept:
    """Two levels of two parameters each; the first moves satisfaction, the second nothing."""
    rng = np.random.default_rng(3)
    luck = rng.normal(10, 1, (replicates, 2))
    values = np.array([luck + rng.normal(0, 0.01, (replicates, 2)) for _ in range(4)])
    values[2:, :, 0] += effect
    return swept(values, "recommender.slate=5,20", "recommender.dim=8,16")


def test_differences_are_those_of_pairs() -> None:
    """Effect and interval are of the paired t-test over points and replicates, means of their own
    runs; q is over all that was tested."""
    found = made(0.5, 6)
    rows = {(row.parameter, row.key, row.level): row for row in by_level(found)}
    assert len(rows) == 8
    row = rows["recommender.slate", KEYS[0], "20"]
    y, x = found.values[2:, :, 0].ravel(), found.values[:2, :, 0].ravel()
    test = stats.ttest_rel(y, x)
    interval = test.confidence_interval(0.95)
    assert (row.effect, row.low, row.high) == pytest.approx(
        ((y - x).mean(), interval.low, interval.high)
    )
    mean = stats.t.interval(0.95, 11, y.mean(), y.std(ddof=1) / math.sqrt(12))
    assert (row.mean, row.mean_low, row.mean_high) == pytest.approx((y.mean(), *mean))
    assert row.standing == effects.ESTABLISHED and row.pairs == 12
    p = [each.p for each in rows.values() if math.isfinite(each.p)]
    assert sorted(stats.false_discovery_control(p)) == pytest.approx(
        sorted(each.q for each in rows.values() if math.isfinite(each.q))
    )
    first = rows["recommender.slate", KEYS[0], "5"]
    assert first.standing == "" and math.isnan(first.effect)


def test_what_is_equal_or_has_one_run_is_said_to_be_so() -> None:
    """No interval is made up."""
    same = swept(np.full((2, 3, 2), 5.0), "recommender.slate=5,20")
    assert [row.standing for row in by_level(same)] == ["", "equal to the last bit"] * 2
    one = swept(np.arange(4.0).reshape(2, 1, 2), "recommender.slate=5,20")
    rows = by_level(one)
    assert [row.standing for row in rows] == ["", "one pair of runs: no interval"] * 2
    assert all(math.isnan(row.mean_low) for row in rows)
    failed = swept(np.full((2, 1, 2), np.nan), "recommender.slate=5,20")
    assert by_level(failed) == []


def test_many_values_are_no_levels() -> None:
    """A range is for rank correlations."""
    many = ",".join(str(k) for k in range(1, MOST + 2))
    assert by_level(swept(np.ones((MOST + 1, 1, 2)), f"recommender.slate={many}")) == []


def test_the_terminal_shows_a_table_instead_of_nothing_of_nothing() -> None:
    """Two levels have no rank correlation."""
    found = made(0.5, 6)
    text = lines(found, ranks(found))
    assert not any("0 of 0" in line for line in text)
    line = next(line for line in text if line.split()[:1] == ["20"])
    assert line.endswith("established") and "+0.497 [+0.49, +0.504]" in line
    assert any(line.endswith("not distinguishable from noise") for line in text)


def test_noise_looks_like_noise_and_effects_do_not_leave_the_picture() -> None:
    """The axis spans at least a tenth of the value and five standard deviations between runs, and
    all runs."""
    vary = design.parse("recommender.slate=5,20")
    ripple = response(vary, ["5", "20"], np.array([[10.0, 10.001], [10.002, 10.0]]), "1")
    assert ripple.y_range.end - ripple.y_range.start >= 1
    noise = np.random.default_rng(1).normal(0, 1, (2, 50))
    wide = response(vary, ["5", "20"], noise, "1")
    assert wide.y_range.end - wide.y_range.start >= 4.5
    jump = response(vary, ["5", "20"], np.array([[1.0, 1.1], [90.0, 91.0]]), "1")
    assert jump.y_range.start < 1 and jump.y_range.end > 91
