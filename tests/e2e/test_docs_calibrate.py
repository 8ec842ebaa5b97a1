"""Commands of the page about calibrating to a platform and following it, and what they answer."""

from pathlib import Path

import pytest

from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_calibrate.py"])
SAID = {
    "twin calibrate": ("width over prior", "too few worlds to say", "report: calibrated/"),
    "twin backtest": ("4 origins", "click rate: ", "naive", "report: backtest/"),
    "twin recommend": ("recommended: ", "random feed: keeps ", "report: advice/"),
    "twin sync calibrated --on observed-changed": ("random feed, 3 days since 2025-01-13: ",),
    "twin sync calibrated --on observed --until": ("version 1: until 2025-01-14",),
}
"""What a reader must find in the answer, by how the command begins."""


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path) -> None:
    """Each does what it says without an error."""
    pages.answered(command, fresh, SAID)


def test_answers_are_looked_at() -> None:
    """Every beginning is that of a command."""
    assert all(any(command.startswith(begin) for command in COMMANDS) for begin in SAID)
