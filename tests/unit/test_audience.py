"""How far people look, when they come again, who leaves, and how they differ in opening posts."""

from pathlib import Path

import numpy as np
import pytest

from twin.ground.errors import ScenarioError
from twin.kernels import visits
from twin.kernels.happen import content_with, looks_on
from twin.kernels.patience import most_looked_at
from twin.kernels.scene import Habits
from twin.scenario.loading import load

PATIENCE, EFFECT, REST = 0.85, 2.0, 0.25


def habits(effect: float) -> Habits:
    """Only patience is at work."""
    none = dict.fromkeys(Habits._fields, 0.0)
    return Habits(**none)._replace(
        patience=PATIENCE,
        satisfaction_reference=REST,
        patience_effect=effect,
        patience_memory=0.5,
    )


def test_without_an_effect_people_look_as_far_as_the_geometric_law_says() -> None:
    """P(look further than k) = patience^k, exactly in the luck."""
    luck = (np.arange(2000) + 0.5) / 2000
    look = np.array([most_looked_at(u, 0.0, habits(0.0)) for u in luck])
    for k in range(1, 8):
        assert (look > k).mean() == pytest.approx(PATIENCE**k, abs=1e-3)


@pytest.mark.parametrize("patience", [0.01, 0.6, 0.999])
def test_who_looks_at_a_shelf(patience) -> None:
    """Nothing drawn: everybody as patient as the parameter, to the bit. Else the log-odds move by
    that times contentment: 1 or -1, less what is expected beyond the typical."""
    usual = habits(0.0)._replace(shelf_patience=patience, shelf_expectation=2.0)
    odds = patience / (1 - patience)
    for glad, expected, content in (
        (True, 3.5, 1),
        (False, 3.5, -1),
        (True, 4.0, 0),
        (False, 3.0, 0),
    ):
        assert content_with(glad, expected, usual) == content
        assert looks_on(content, 0.0, usual) == patience
        for drawn in (-2.0, 0.5):
            p = looks_on(content, drawn, usual)
            assert p / (1 - p) == pytest.approx(odds * np.exp(drawn * content), rel=1e-9)


def test_the_most_looked_at_is_what_the_best_posts_would_bring() -> None:
    """The bound is reached where every post gives as much as can be, and never fallen short of, by
    patient people and others."""
    for shift in (-1.0, 0.0, 1.0):
        best = 1 / (1 + np.exp(-(np.log(PATIENCE / (1 - PATIENCE)) + shift + EFFECT * (1 - REST))))
        for u in np.random.default_rng(1).random(200):
            left, k = -np.log(u), 0
            while left > 0:
                left, k = left + np.log(best), k + 1
            assert most_looked_at(u, shift, habits(EFFECT)) == k


def test_the_next_visit_waits_through_the_calendar() -> None:
    """Against a day-by-day search, within and beyond the calendar; with equal days it is the closed
    form."""
    luck = np.random.default_rng(2)
    for weights in (
        np.zeros(0),
        np.cumsum(luck.random(40) * 2),
        np.cumsum(np.ones(40)),
        np.cumsum(np.tile([1.0, 0, 2], 13)),
    ):
        for _ in range(300):
            day, wait = int(luck.integers(-1, 50)), luck.exponential(6)
            passed, k = 0.0, 0
            while passed <= wait:
                k += 1
                at = day + 1 + k
                passed += weights[at] - weights[at - 1] if at < len(weights) else 1.0
            assert visits.days_until(wait, day, weights) == k


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{week: [1, 2]}", "odd.yaml:5 audience.calendar: week must be seven numbers"),
        ("{week: [-1, 1, 1, 1, 1, 1, 1]}", "none below 0"),
        ("{holidays: [soon]}", "odd.yaml:5 audience.calendar.holidays.0: soon is not a date"),
        ("{holidays: [2025-01-01, 2025-02-30]}", "holidays.1: 2025-02-30 is not a date"),
        ("{holidays: [2025-01-05..2025-01-03]}", "write 2025-01-03..2025-01-05"),
        ("{holidays: [2025-01-05=lots]}", "lots is not a number .write 2025-01-05=0.5"),
        ("{holidays: [2025-01-05=-1]}", "-1 is out of range .between 0 and 100"),
        ("{holidays: [2025-01-05=nan]}", "nan is out of range"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(given: str, said: str, tmp_path: Path) -> None:
    """One line that says what is wrong."""
    path = tmp_path / "odd.yaml"
    path.write_text(f"name: odd\nduration: 10d\nmechanisms:\n  audience:\n    calendar: {given}\n")
    with pytest.raises(ScenarioError, match=said):
        load(path)
