"""Commands of the page about Gymnasium."""

from pathlib import Path

import pytest

from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_gym.py"])


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path) -> None:
    """It ends with a verdict on worlds that the search has not seen."""
    assert "doing nothing in worlds it has not seen: " in pages.bash(command, fresh)
