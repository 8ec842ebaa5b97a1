"""The year of everything in small: every mechanism and policy of scenarios/everything.yaml, fewer people, all dates nearer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import SCENARIOS
from twin import run
from twin.scenario import Scenario, load

SHORTER = 4
"""Dates come so many times sooner than in everything.yaml."""
DAYS = 91
SIZES = ("audience.initial=600", "audience.arrivals=3/d", "audience.return_a=2.0", "audience.return_b=0.8", "audience.patience=0.92",
         "creators.human.initial=200", "creators.human.arrivals=0.5/d", "creators.ai.initial=8", "creators.ai.arrivals=0.1/d",
         "campaigns.accounts=24", "network.follows_mean=12.0", "creators.assisted_from=15d", "creators.assisted_delay=15d",
         "campaigns.begin=18d", "campaigns.end=63d", f"duration={DAYS}d")
"""Few people who come often and stay long: some IDs are seen a thousand times in a quarter."""


def scenario(folder: Path, *settings: str) -> Scenario:
    """Its scenario, written into a folder."""
    policies = yaml.safe_load((SCENARIOS / "everything.yaml").read_text())["policies"]
    for policy in policies:
        for key in ("at", "until", "ramp"):
            if key in policy:
                policy[key] = f"{round(int(policy[key].removesuffix('d')) / SHORTER)}d"
    path = folder / "everything_small.yaml"
    path.write_text(yaml.safe_dump({"extends": str(SCENARIOS / "everything.yaml"), "name": "everything small", "policies": policies}))
    return load(path, (*SIZES, *settings))


@pytest.fixture(scope="session")
def everything_small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its finished run; import this fixture where it is used."""
    here = tmp_path_factory.mktemp("everything_small")
    assert run.start(scenario(here), here / "run").status == "done"
    return here / "run"
