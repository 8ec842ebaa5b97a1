"""Parts of following a platform, where the truth is known: what people share, naive forecasts and
scores, the alarm."""

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from tests.given import logs
from twin.experiments.backtest import naive, scores
from twin.experiments.calibrate import ensemble, fit
from twin.experiments.calibrate.command import least_cell
from twin.experiments.sync import alarm
from twin.observing import daily
from twin.observing.daily import Seen
from twin.observing.statistics import histogram, shared

FIRST = dt.date(2025, 1, 1)
NAMES = ("click rate", "people")


def days(values: np.ndarray) -> dict[dt.date, float]:
    """A series from the first day on."""
    return {FIRST + dt.timedelta(days=at): float(value) for at, value in enumerate(values)}


@pytest.mark.parametrize(
    ("share", "correlation"),
    [
        *((share, r) for share in (0.004, 0.1, 0.5, 0.8) for r in (0.0, 0.15, 0.6, 0.9)),
        *((share, -0.4) for share in (0.1, 0.5, 0.8)),
    ],
)
def test_what_is_shared_is_the_correlation_behind_two_responses(
    share: float, correlation: float
) -> None:
    """Against the bivariate normal distribution of another library."""
    edge = norm.ppf(share)
    both = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([edge, edge])
    assert shared(share, float(both)) == pytest.approx(correlation, abs=0.01)


def test_what_is_shared_is_finite_at_both_ends() -> None:
    """Never together, and always together."""
    assert -1 < shared(0.3, 0.0) < -0.9 and 0.99 < shared(0.3, 0.3) < 1


def test_naive_forecasts_are_what_they_say() -> None:
    """Two weeks with a weekly shape on a rising line."""
    past = np.arange(14.0) + 5 * (np.arange(14) % 7 == 6)
    rules = naive.FORECASTERS
    assert rules["mean"](past, 3) == past.mean() and rules["last"](past, 3) == past[-1]
    assert [rules["week ago"](past, ahead) for ahead in (1, 7, 8, 14)] == [7, 18, 7, 18]
    assert rules["last week"](past, 2) == past[7:].mean()
    assert rules["trend"](np.arange(10.0), 4) == pytest.approx(13)
    told = naive.draws("last", past, 1)
    missed = [past[at] - past[at - 1] for at in range(2, 14)]
    assert np.median(told) == pytest.approx(past[-1])
    assert told.std() == pytest.approx(math.sqrt(np.mean(np.square(missed))), rel=0.06)


def fitted(worlds: int, seed: int, ahead: int = 2) -> tuple[fit.Fit, list[Seen]]:
    """Worlds whose days follow a level of their own that their one statistic tells, with luck; the
    posterior of the day before the last ones, for a platform at the middle."""
    rng = np.random.default_rng(seed)
    place = rng.random(worlds)
    seen = []
    for share in place:
        series = {name: days(share * np.arange(12) / 20 + rng.normal(0, 0.1, 12)) for name in NAMES}
        told = float(share + rng.normal(0, 0.05))
        seen.append(Seen({"told": told, "told too": told + rng.normal(0, 0.01)}, series))
    until = FIRST + dt.timedelta(days=11 - ahead)
    grid = np.linspace(0, 1, 101)
    asked = fit.Asked(("rise",), place[:, None], [[ensemble.Scale(grid, grid)]])
    to_come = fit.future(seen, until, FIRST + dt.timedelta(days=11), NAMES)
    return fit.fit(
        asked, seen, {"told": 0.5, "told too": 0.5}, dict(fit.ahead(to_come)), len(to_come.days)
    ), seen


def platform(rng: np.random.Generator, break_: float = 0.0) -> Seen:
    """A platform at the middle; the click rate of its last two days is off by ``break_``."""
    series = 0.5 * np.arange(12) / 20
    off = np.where(np.arange(12) >= 10, break_, 0.0)
    clicks, people = (series + rng.normal(0, 0.1, 12) for _ in NAMES)
    return Seen({}, {"click rate": days(clicks + off), "people": days(people)})


def test_quiet_days_alarm_as_often_as_stated_and_a_break_alarms() -> None:
    """Of 600 quiet days at most 12 alarm (3 are meant; more than 12 is rarer than 1 in 10,000), and
    p is uniform at the middle; a break of six sds alarms on nineteen of twenty days or more."""
    found, _ = fitted(400, 3)
    day = FIRST + dt.timedelta(days=10)
    rng = np.random.default_rng(4)
    quiet = [alarm.check(found, platform(rng), day) for _ in range(600)]
    assert all(each is not None for each in quiet)
    p = np.array([each.p for each in quiet if each is not None])
    assert (p <= alarm.RATE).sum() <= 12 and abs((p < 0.5).mean() - 0.5) < 0.1
    broken = [alarm.check(found, platform(rng, 0.6), day) for _ in range(100)]
    assert sum(each.alarm for each in broken if each) >= 95
    told = next(each for each in broken if each and each.alarm)
    assert told.outside[0][0] == "click rate" and told.outside[0][1] > told.outside[0][3]


def test_scores_are_those_of_the_days_that_came() -> None:
    """A platform that does what its worlds do: intervals hold, the model beats what ignores its
    rise; days that were not observed are not scored."""
    found, _ = fitted(400, 3)
    rng = np.random.default_rng(5)
    until = FIRST + dt.timedelta(days=9)
    rows = [
        row
        for _ in range(200)
        for row in scores.rows(found, platform(rng), until, FIRST + dt.timedelta(days=30))
    ]
    assert {row["ahead_d"] for row in rows} == {1, 2}
    made = {each.quantity: each for each in scores.summaries(rows) if each.leads == "all"}
    for name in NAMES:
        assert made[name].days == 400
        assert made[name].held[80] == pytest.approx(0.8, abs=0.1)
        assert made[name].skill > 0
    assert daily.file(FIRST) == "seen-1-2025-01-01.json"


def test_what_was_seen_is_read_back_as_it_was() -> None:
    """Through its file."""
    seen = Seen({"a": 0.1, "click rate, chosen by chance": 0.2}, {"people": days(np.arange(3.0))})
    assert Seen.decoded(seen.encoded()) == seen
    assert seen.without_chance().statistics == {"a": 0.1}
    stands = daily.recent(seen.daily, FIRST + dt.timedelta(days=1))
    assert stands == {"people, last 1 d": 0.5}


def test_cells_of_small_worlds_are_as_small_a_share_as_the_platforms(tmp_path: Path) -> None:
    """Of a log of twelve people in cells of four: a world of six has two, one of many no more."""
    log = logs.written(tmp_path / "log.csv", logs.text(logs.rows(many=360, days=6)))
    observed = logs.observe(tmp_path, log, k=4)
    users = histogram(observed, "user", "impressions")
    assert users is not None and users.units.sum() == 12
    assert [least_cell(observed, people) for people in (1, 6, 12, 900)] == [1, 2, 4, 4]
