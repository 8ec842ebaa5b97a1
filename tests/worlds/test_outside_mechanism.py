"""Mechanisms from outside the package in worlds: run, save, resume, fail."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SMALL, history
from tests.given.outside import BLOCK, MODULE, write
from tests.worlds.test_impressions import Killed, Killer
from twin.engine.simulation import Simulation
from twin.ground.errors import CheckpointError, ScenarioError
from twin.ground.units import DAY
from twin.running import drive as run
from twin.scenario.describe import describe, dump
from twin.scenario.loading import load
from twin.scenario.model import Scenario
from twin.scenario.outside import blame


def test_works_like_the_others(tmp_path: Path) -> None:
    """Its parameters, clock, metric and lever work, in conditions of policies too; unset parameters
    have their defaults."""
    path = write(
        tmp_path,
        BLOCK
        + """policies:
  - {name: fewer, at: 2d, set: {census.factor: 0.5}}
  - {name: many, when: counted > 1100, set: {census.factor: 0.0}}
""",
    )
    sets = (*SMALL, "audience.arrivals=0/d", "audience.leave=0.0", "duration=12d")
    scenario = load(path, sets)
    simulation, readings = history(scenario)
    counted = readings[:, simulation.world.board.index("counted")]
    assert counted[:4].tolist() == [
        0,
        600,
        750,
        900,
    ]  # 300 people count as 2.0, then as 0.5 from the second day on
    assert counted.tolist() == [
        0,
        600,
        750,
        900,
        1050,
        *[1200] * 8,
    ]  # and as nothing from when 1100 was passed
    rows = {row.path: row for row in describe(scenario)}
    assert (
        rows["census.class"].value == "own.census.Census"
        and rows["census.class"].origin == "x.yaml:3"
    )
    assert rows["census.factor"].lever and rows["census.every"].origin == "default"


def test_saved_and_loaded_goes_on_exactly(tmp_path: Path) -> None:
    """A world with such a mechanism, saved half-way and loaded under the resolved scenario, ends as
    if nothing had happened."""
    scenario = load(write(tmp_path), (*SMALL, "duration=4d"))
    whole, readings = history(scenario)
    half = Simulation(scenario)
    half.begin()
    half.run(2 * DAY)
    half.save(tmp_path / "saved")
    (tmp_path / "resolved.yaml").write_text(dump(scenario))
    rest = Simulation(load(tmp_path / "resolved.yaml"))
    rest.load(tmp_path / "saved")
    rest.run(4 * DAY + 1)
    assert np.array_equal(rest.world.board.snapshot(), whole.world.board.snapshot(), equal_nan=True)
    assert rest.world.board.get("counted") > 2000 and len(readings) == 5


def test_resume_refuses_changed_code(tmp_path: Path) -> None:
    """A run goes on only with the code that it began with."""
    path = write(tmp_path)
    scenario = load(path, (*SMALL, "duration=1d"))
    with pytest.raises(Killed):
        run.start(scenario, tmp_path / "run", watcher=Killer(1))
    write(tmp_path, module=MODULE + "\n# better\n")
    with pytest.raises(
        CheckpointError, match=r"census\.py, the code of census, was changed since the run began"
    ):
        run.resume(tmp_path / "run")
    write(tmp_path)
    assert run.resume(tmp_path / "run").status == "done"


def test_errors_at_run_time_name_the_module(tmp_path: Path, small: Callable[..., Scenario]) -> None:
    """An exception in the middle of a run is laid to the module that it came from, and to no
    other."""
    path = write(
        tmp_path,
        module=MODULE.replace('self.lever("factor") *', 'self.lever("factor") // 0 * [][0] *'),
    )
    line = 1 + (tmp_path / "own" / "census.py").read_text().split("\n").index(
        next(
            text
            for text in (tmp_path / "own" / "census.py").read_text().split("\n")
            if "[][0]" in text
        )
    )
    with pytest.raises((IndexError, ZeroDivisionError)) as caught:
        history(load(path, (*SMALL, "duration=2d")))
    assert blame(caught.value) == f"{tmp_path / 'own' / 'census.py'}:{line}"
    with pytest.raises(ScenarioError) as other:
        small("audience.initial=0")
    assert blame(other.value) is None
