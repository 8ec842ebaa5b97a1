"""A platform that is a small world, and a quick calibration to what was observed of it."""

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS, SMALL, twin
from tests.given.once import once
from twin.running import drive
from twin.scenario.loading import load

FIRST, LAST, UNTIL, AHEAD = "2025-01-01", "2025-01-08", "2025-01-06", 2
"""Days of the platform, the last one that the calibration reads, and how many it foretells."""
SETTINGS = ("warm_up=1d", "duration=8d", "recommender.refresh=30min", "metrics.every=1d")
WORLDS = ("--quick", "--worlds", "4", "--people", "80", "--run-on", "local:1")


def _made(here: Path) -> None:
    scenario = load(SCENARIOS / "forecasts.yaml", (*SMALL, *SETTINGS))
    drive.start(scenario, here / "run", log=here / "log")
    twin("observe", "log", "--layout", "twin", "--out", "seen", "--k", "2", cwd=here)
    days = ("--until", UNTIL, "--ahead", f"{AHEAD}d", "--burn-in", "1d")
    world = SCENARIOS / "forecasts.yaml"
    done = twin("calibrate", world, "--on", "seen", *days, *WORLDS, "--out", "calibrated", cwd=here)
    (here / "said.txt").write_text(done.stdout, encoding="utf-8")


@pytest.fixture(scope="session")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The calibrated folder; beside it lie the ``log``, what was ``seen`` of it, and ``said.txt``, what
    the calibration printed."""
    return once(tmp_path_factory, "calibrated", _made) / "calibrated"
