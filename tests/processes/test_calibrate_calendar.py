"""A calibration to a log whose Saturdays stand out: said, and with a flag declared in its worlds."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SCENARIOS
from tests.given import logs
from tests.given.inside import twin
from twin.experiments.calibrate import command
from twin.ground.errors import UsageError
from twin.mechanisms.audience.calendar import profile
from twin.observing import calendar
from twin.observing.folder import Observed
from twin.scenario.loading import Scenario, load
from twin.world.params import value_at

BASE = SCENARIOS / "forecasts.yaml"


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Three weeks from 1 March 2024, a Friday: on Saturdays 70 people, else 40, and in the last
    week, which is not to be read, hardly any."""
    luck, rows = np.random.default_rng(6), []
    for day in range(21):
        many = 3 if day >= 14 else int(luck.integers(38, 43)) + 30 * (day % 7 == 1)
        for user in luck.permutation(100)[:many]:
            at = int(logs.BEGIN.timestamp()) + day * logs.DAY + int(luck.integers(0, 85_000))
            rows += [
                (f"u{user}", f"i{luck.integers(30)}", at + 60 * k, int(luck.random() < 0.3))
                for k in range(int(luck.integers(1, 6)))
            ]
    place = tmp_path_factory.mktemp("platform")
    return logs.observe(place, logs.written(place / "log.csv", logs.text(rows)))


def has(scenario: Scenario) -> list[float]:
    """The shape of the week that a scenario's calendar brings about, by UTC day."""
    audience = scenario.mechanisms["audience"]
    names = ("calendar.week", "return_a", "return_b", "time_zones", "diurnal")
    return [*profile(*(value_at(audience, name) for name in names))]


def test_a_calendar_has_the_shape_of_the_log(observed: Observed, tmp_path: Path) -> None:
    """In every world, at its own return chances, and in the calibrated scenario, where nothing is
    lacking then. Days after ``--until`` are not read. Without the flag it is said alone, and a log
    of less than two weeks is refused with it."""
    out = tmp_path / "made"
    given = ["calibrate", BASE, "--on", observed.path, "--until", "2024-03-14", "--ahead", "1d"]
    given += ["--burn-in", "1d", "--quick", "--worlds", "3", "--people", "50", "--run-on"]
    done = twin(*given, "local:1", "--out", out, "--calendar")
    assert "declared as audience.calendar" in done.output
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "weekday structure (sessions a day, 14 days): Monday" in report

    shape = calendar.week(observed.until(dt.date(2024, 3, 14))).factors
    assert shape[5] == pytest.approx(70 * 7 / 310, abs=0.15)
    args = json.loads((out / "manifest.json").read_text())["args"]
    _, worlds = command.made(load(BASE), args)
    each = [load(out / "scenario.yaml", worlds.sets(world)) for world in range(3)]
    made = load(out / "calibrated.yaml")
    for one in (*each, made):
        assert has(one) == pytest.approx(shape, abs=0.002)
    assert len({value_at(one.mechanisms["audience"], "calendar.week") for one in each}) == 3

    args["calendar"] = False
    _, bare = command.made(load(BASE), args)
    assert "the scenario lacks it (--calendar" in bare.calendar.lines()[0]
    assert not any("calendar" in text for text in bare.sets(0))
    _, whole = command.made(made, args | {"calendar": True})
    assert "no weekday structure that chance would not have" in whole.calendar.lines()[0]
    assert "the scenario's calendar stays as it is" in whole.calendar.lines()[0]
    assert not any("calendar" in text for text in whole.sets(0))
    # a calibration to fewer days, which has not begun
    del args["observed"]
    short = args | {"until": "2024-03-13"}
    assert "two whole weeks" in command.made(load(BASE), short)[1].calendar.lines()[0]
    with pytest.raises(UsageError, match=r"--calendar: .* has 13 days, .*leave it out"):
        command.made(load(BASE), short | {"calendar": True})
