"""Commands of the pages about scenarios, policies, rest, Python, scale and exactness."""

import shutil
from pathlib import Path

import pytest

from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_worlds.py"])


@pytest.mark.parametrize("command", [line for line in COMMANDS if "real_network" not in line])
def test_command(command: str, fresh: Path) -> None:
    """Each does what it says without an error."""
    said = pages.bash(command, fresh)
    if "--regularities" in command:
        assert "within" in said
    if "--at-rest" in command:
        assert "warm_up" in said or "at rest" in said


def test_real_network_command(fresh: Path, real_data: Path) -> None:
    """The real follow graph for 90 days, from the folder that the page names."""
    (fresh / "data").mkdir(exist_ok=True)
    shutil.copy2(real_data / "ego-facebook.txt.gz", fresh / "data")
    (command,) = [line for line in COMMANDS if "real_network" in line]
    assert "done: real_network" in pages.bash(command, fresh)
