"""The year of everything in small: every mechanism and policy of scenarios/everything.yaml, fewer
people, all dates nearer."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from tests.conftest import SCENARIOS
from tests.given.once import once
from twin.ground.units import DAY
from twin.record import mailbox
from twin.record.watch import Watcher
from twin.running import drive as run
from twin.scenario.loading import Scenario, load

SHORTER = 4
"""Dates come so many times sooner than in everything.yaml."""
DAYS = 91
PARTS = 80
"""The day at which its branch parts from it."""
BRANCH = "by-time"
SIZES = (
    "warm_up=0d",
    "audience.initial=600",
    "audience.arrivals=3/d",
    "audience.again=0.4",
    "audience.return_a=2.0",
    "audience.return_b=0.8",
    "audience.patience=0.96",
    "creators.human.initial=200",
    "creators.human.arrivals=0.5/d",
    "creators.ai.initial=8",
    "creators.ai.arrivals=0.1/d",
    "campaigns.accounts=24",
    "network.follows_mean=12.0",
    "creators.assisted_from=15d",
    "creators.assisted_delay=15d",
    "campaigns.begin=18d",
    "campaigns.end=63d",
    f"duration={DAYS}d",
)
"""Few people who come often and stay long: some IDs are seen a thousand times in a quarter."""


def scenario(folder: Path, *settings: str) -> Scenario:
    """Its scenario, written into a folder."""
    policies = yaml.safe_load((SCENARIOS / "everything.yaml").read_text())["policies"]
    for policy in policies:
        for key in ("at", "until", "ramp"):
            if key in policy:
                policy[key] = f"{round(int(policy[key].removesuffix('d')) / SHORTER)}d"
    path = folder / "everything_small.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "extends": str(SCENARIOS / "everything.yaml"),
                "name": "everything small",
                "policies": policies,
            }
        )
    )
    return load(path, (*SIZES, *settings))


class _Forks(Watcher):
    """Leaves a branch of a run, which gets a policy of its own, once the run has reached a day."""

    def __init__(self, run_folder: Path, day: int, policy: Path) -> None:
        self.request = {
            "do": "fork",
            "branch": BRANCH,
            "out": str(run_folder.parent / "branch"),
            "policy": policy.read_text(encoding="utf-8"),
        }
        self.run_folder, self.day = run_folder, day
        self.asked: Future[dict[str, Any]] | None = None

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Ask for it, from outside the run's thread, which answers between two hours."""
        if now_s >= self.day * DAY and self.asked is None:
            pool = ThreadPoolExecutor(1)
            self.asked = pool.submit(mailbox.command, self.run_folder, self.request)
            pool.shutdown(wait=False)


def _made(here: Path) -> None:
    forks = _Forks(here / "run", PARTS, SCENARIOS / "policies" / "chronological.yaml")
    assert run.start(scenario(here), here / "run", watcher=forks).status == "done"
    assert forks.asked is not None and "ok" in forks.asked.result()
    assert run.resume(here / "branch").status in ("done", "finished")


@pytest.fixture(scope="session")
def everything_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its finished run; tests/e2e/conftest.py makes it known."""
    return once(tmp_path_factory, "everything_small", _made) / "run"


@pytest.fixture(scope="session")
def branch_of_everything_small(everything_small: Path) -> Path:
    """The folder of a branch that parts from it at day PARTS and then shows posts by their time;
    finished."""
    return everything_small.parent / "branch"
