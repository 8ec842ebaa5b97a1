"""The shape of the week in an observed folder, and days unlike their week."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.given import logs
from twin.ground.errors import UsageError
from twin.observing import calendar, words

SHAPE = np.array([0.95, 0.93, 0.94, 0.96, 1.0, 1.22, 1.0])
SHAPE *= 7 / SHAPE.sum()


def series(
    days: int, seed: int, noise: float = 0.03, goes_on: float = 0.0
) -> tuple[list[dt.date], np.ndarray]:
    """People a day without a shape: growth that slows, and noise whose correlation from day to day
    is ``goes_on``."""
    luck = np.random.default_rng(seed).normal(size=days)
    for day in range(1, days):
        luck[day] = goes_on * luck[day - 1] + np.sqrt(1 - goes_on**2) * luck[day]
    dates = [dt.date(2025, 1, 1) + dt.timedelta(days=day) for day in range(days)]
    return dates, 500 * np.exp(0.1 * np.sqrt(np.arange(days) / days) + noise * luck)


def shaped(dates: list[dt.date], values: np.ndarray) -> np.ndarray:
    """The series with the shape."""
    return values * SHAPE[[day.weekday() for day in dates]]


def test_days_alike_are_seldom_called_a_shape() -> None:
    """In under 1 % of 2,000 logs, of two weeks or four, with white noise or noise that goes on; 0.3
    to 0.6 % are expected, six to twelve."""
    called = [
        calendar.fitted(*series(days, seed, goes_on=goes_on), "people").significant
        for days in (14, 28)
        for goes_on in (0.0, 0.5)
        for seed in range(500)
    ]
    assert np.mean(called) < 0.01


@pytest.mark.parametrize("days", [14, 40])
def test_a_shape_is_found_with_its_uncertainty(days: int) -> None:
    """In 150 logs: in nine of ten (two weeks) or always, and 95 % intervals hold each weekday in 92 to 98 % of them (sd 1.4 % for
    factors that go together); what is known already is no further shape, at the level of the
    test."""
    inside, further, called = [], 0, 0
    for seed in range(150):
        dates, values = series(days, seed, noise=0.02)
        found = calendar.fitted(dates, shaped(dates, values), "people")
        called += found.significant
        assert np.mean(found.factors) == pytest.approx(1)
        inside.append((np.array(found.low) < SHAPE) & (np.array(found.high) > SHAPE))
        again = calendar.fitted(dates, shaped(dates, values), "people", SHAPE)
        further += again.significant
        assert again.factors == pytest.approx(found.factors)
    assert 0.92 < np.mean(inside) < 0.98 and further <= 4
    assert called == 150 if days == 40 else called >= 135
    assert "Saturday 1.2" in calendar.lines(found)[0]
    assert "lacks it unless audience.calendar is set" in calendar.lines(found)[0]


def test_holidays_beside_one_another_are_found_and_move_no_weekday() -> None:
    """Three days at a third and an empty one, in 40 days: these and no others, with their factors;
    the shape is that without them. In two weeks nobody can say which day is odd."""
    dates, values = series(40, 5)
    values = shaped(dates, values)
    clean = calendar.fitted(dates, values, "people")
    values[16:19] *= 0.33
    values[30] = 0
    found = calendar.fitted(dates, values, "people")
    assert [each.day for each in found.odd] == [*dates[16:19], dates[30]]
    assert [each.factor for each in found.odd] == pytest.approx([0.33, 0.33, 0.33, 0], abs=0.04)
    assert found.factors == pytest.approx(clean.factors, abs=0.03)
    assert f"{dates[30]}=0.00" in calendar.lines(found)[1] and not clean.odd
    short = calendar.fitted(dates[12:26], values[12:26], "people")
    assert not short.odd


def test_a_course_without_noise_has_no_shape() -> None:
    """Nor does a series of equal days divide by 0."""
    dates, _ = series(21, 1)
    assert calendar.fitted(dates, np.full(21, 7.0), "people").p == 1
    assert calendar.fitted(dates, shaped(dates, np.full(21, 7.0)), "people").significant


def test_an_observed_folder(tmp_path: Path) -> None:
    """Sessions by day where they are known; two weeks are needed, days by themselves; said by `twin
    observe`."""
    luck, rows = np.random.default_rng(6), []
    for day in range(21):
        free = day % 7 == 1  # 1 March 2024 is a Friday
        for user in range(int(luck.integers(38, 42)) + 30 * free):
            at = (
                int(logs.BEGIN.timestamp()) + day * logs.DAY + int(luck.integers(0, logs.DAY - 900))
            )
            many = int(luck.integers(2, 5)) + 2 * free
            rows += [(f"u{user}", "i", at + 60 * k, 0) for k in range(many)]
    observed = logs.observe(tmp_path, logs.written(tmp_path / "log.csv", logs.text(rows)))
    found = calendar.week(observed)
    assert found.what == "sessions" and found.days == 21 and found.significant
    assert found.factors[5] == pytest.approx(70 * 7 / 310, abs=0.1)
    assert len(list(calendar.beside(observed))) == 1  # impressions per session have it too
    nobody = replace(
        observed,
        tables={
            **observed.tables,
            "counts": observed.tables["counts"]
            .drop_columns(["sessions"])
            .append_column("sessions", [[None] * observed.tables["counts"].num_rows]),
        },
    )
    other = calendar.week(nobody)
    assert other.what == "people" and other.significant
    assert any("weekday structure (people a day" in line for line in words.lines(nobody))
    with pytest.raises(UsageError, match="has 13 days, the shape of a week needs two whole weeks"):
        calendar.week(observed.until(observed.days()[12]))
    with pytest.raises(UsageError, match="counts days together"):
        calendar.week(replace(observed, manifest={**observed.manifest, "step_d": 7}))
