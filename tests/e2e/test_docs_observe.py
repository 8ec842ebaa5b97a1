"""Commands of the page about observing a platform's log, and what they answer."""

from pathlib import Path

import pytest

from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_observe.py"])
SAID = {
    "twin observe log.csv": (
        "shown_at: time is no number: 1 (log.csv:",
        "pairs of one person's impressions of one maker",
        "random exposure (needs a flag of exploration)",
        "nobody in a cell of fewer than 10",
    ),
    "twin observe --layout kuairand": ("zone: Asia/Shanghai", "click: is_click"),
    "twin observe counts": ("2024-03-01 to 2024-03-02", "cannot be cut at a day within"),
    "python until.py": ("2024-03-07",),
}
"""What a reader must find in the answer, by how the command begins."""


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path) -> None:
    """Each does what it says without an error."""
    pages.answered(command, fresh, SAID)


def test_answers_are_looked_at() -> None:
    """Every beginning is that of a command."""
    assert all(any(command.startswith(begin) for command in COMMANDS) for begin in SAID)
