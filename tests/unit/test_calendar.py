"""The calendar of people's days: weights, first visits, and what shape they bring about."""

import datetime as dt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta

from twin.ground.rhythm import MIND_HOURS
from twin.kernels import visits
from twin.mechanisms.audience import calendar
from twin.mechanisms.audience.calendar import Calendar

START = dt.date(2025, 1, 1)  # a Wednesday


def test_days_alike_are_no_calendar() -> None:
    """The kernel's short way, and so the bytes of a world without one."""
    for same in (
        Calendar(),
        Calendar(week=(3.0,) * 7),
        Calendar(holidays=("2025-01-03",)),
        Calendar(holidays=("2024-01-03", "2051-01-01"), holiday=0.2),
        Calendar(holidays=("2025-01-03=1",), holiday=0.2),
    ):
        assert not len(calendar.days(same, START))
    assert calendar.weight(np.zeros(0), 5) == 1


def test_weights_of_days() -> None:
    """Weekdays by date from the day before the start on; holidays on top, the last that names a day
    decides, and what lies outside changes nothing."""
    given = Calendar(
        week=(2.0, 2, 2, 2, 2, 4, 0),
        holidays=("2024-12-20..2025-01-01", "2025-01-03", "2025-01-04..2025-01-06=3", "2025-01-05"),
        holiday=0.5,
    )
    made = calendar.days(given, START)
    weights = np.diff(made, prepend=0)
    assert len(made) == calendar.DAYS
    # Tuesday 31 December first; a Saturday weighs 2, a Sunday nothing
    assert weights[:9].tolist() == [0.5, 0.5, 1, 0.5, 6, 0, 3, 1, 1]
    assert [calendar.weight(made, day) for day in range(8)] == pytest.approx(weights[1:9])
    assert calendar.weight(made, calendar.DAYS) == 1


def test_first_visits_wait_as_later_ones_do() -> None:
    """The same day as the kernel says of a person who came the day before; without a calendar, the
    geometric law."""
    luck = np.random.default_rng(4)
    day, wait = luck.integers(-1, 2, 400), luck.exponential(8, 400)
    for known in (
        np.zeros(0),
        np.cumsum(luck.random(30) * 2),
        np.cumsum(np.tile([1.0, 0, 2], 5)),
    ):
        found = calendar.first_days(known, wait, day)
        for k in range(len(day)):
            # no day lies before the calendar's first, so that nobody can have come on it
            if not len(known) or day[k] >= 0:
                assert found[k] == visits.days_until(wait[k], day[k] - 1, known) - 1
        if len(known):
            first = day == -1
            assert (found[first][wait[first] < known[0]] == 0).all()


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (0.8, 1.3, [0.63, 1.13, 1.24, 1.42]),
        (0.25, 4.0, [0.54, 1.21, 1.40, 1.76]),
        (2.5, 0.4, [0.82, 1.04, 1.07, 1.10]),
    ],
)
def test_a_day_stands_out_as_the_docs_say(a: float, b: float, said: list[float]) -> None:
    """The table in docs/explanation/mechanisms.md."""
    found = calendar.coming(np.array([0.5, 1.25, 1.5, 2.0]), a, b) / (a / (a + b))
    assert found == pytest.approx(said, abs=0.005)


@pytest.mark.parametrize(("a", "b"), [(0.8, 1.3), (2.5, 0.4), (0.25, 4.0)])
def test_the_shape_of_days_and_the_calendar_that_has_it(a: float, b: float) -> None:
    """Who comes is the integral over people; the other way round it gives the shape back, in one
    zone or several; in several, a day is mixed with its neighbours."""
    for w in (0.3, 1.0, 2.0):
        mean, _ = quad(lambda h, w=w: (1 - (1 - h) ** w) * beta.pdf(h, a, b), 0, 1, limit=200)
        assert calendar.coming(np.array([w]), a, b)[0] == pytest.approx(mean, abs=1e-6)
    shape = np.array([0.95, 0.93, 0.94, 0.96, 1.0, 1.22, 1.0])
    for zones in ((0,), (-5, 0, 1, 8)):
        week = calendar.weights(shape, a, b, zones, MIND_HOURS)
        assert week.mean() == pytest.approx(1)
        assert np.ptp(week) > np.ptp(shape)  # days stand out by less than their weights
        made = calendar.profile(week, a, b, zones, MIND_HOURS)
        assert made == pytest.approx(shape / shape.mean(), rel=1e-9)
    one, many = (calendar.profile(week, a, b, zones, MIND_HOURS) for zones in ((0,), (-5, 0, 1, 8)))
    assert np.ptp(many) < np.ptp(one)
    with pytest.raises(ValueError, match="seven numbers above 0"):
        calendar.weights([1, 1, 1, 1, 1, 1, 0], a, b)
