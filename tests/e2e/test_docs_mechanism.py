"""Commands of the pages about a metric and a mechanism of one's own."""

from pathlib import Path

import pytest

import twin
from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_mechanism.py"])


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path) -> None:
    """Each does what it says without an error; pytest runs the contract."""
    said = pages.bash(command, fresh)
    if command.startswith("pytest my/"):
        assert "10 passed" in said


def test_what_the_page_promises(fresh: Path) -> None:
    """Its column moves, its lever acts, its metric is a headline that a policy waited for."""
    run = twin.open(fresh / "runs" / "heated")
    outrage = run.series("outrage_mean")
    assert 0.1 < outrage.max() < 1 and outrage[-1] < 0.8 * outrage.max()
    marks = [
        row["text"] for row in run.events.to_pylist() if row["kind"] in ("policy", "condition")
    ]
    assert any(text.startswith("brake") for text in marks)
    assert "outrage" in run.report().read_text().lower()
    found = twin.open_experiment(str(fresh / "runs" / "heated-compared")).results.to_pylist()
    assert any(row["metric"] == "outrage_mean" and row["headline"] for row in found)
