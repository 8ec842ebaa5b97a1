"""What a folder says of the scenario that was run in it."""

from pathlib import Path

import pytest

from tests.conftest import SCENARIOS, settings
from tests.given.inside import called
from twin.scenario.loading import load

QUICK = SCENARIOS / "quickstart.yaml"


@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_folder_tells_what_was_run_in_it(command: str, tmp_path: Path) -> None:
    """The scenario in it says what was set, and not what the file said that it was made from; run
    again, it leaves the same bytes."""
    small = settings("duration=2d", "audience.initial=60", "creators.human.initial=15")
    named = ("--set", "policies=[]", "--set", "warm_up=0d")
    more = {"run": (), "compare": ("--policy", "chronological", "--at", "1d", "--replicates", "2")}
    called(command, QUICK, *small, *named, *more[command], "--out", "out", "--quiet", cwd=tmp_path)
    said = called("check", "out/scenario.yaml", cwd=tmp_path).stdout.splitlines()[0]
    assert said.startswith("As quickstart.yaml, but: warm_up 0s (240d); duration 2d (180d); ")
    assert load(QUICK).description not in said
    if command == "run":
        called("run", "out/scenario.yaml", "--out", "again", "--quiet", cwd=tmp_path)
        first, again = (tmp_path / each / "scenario.yaml" for each in ("out", "again"))
        assert first.read_bytes() == again.read_bytes()
