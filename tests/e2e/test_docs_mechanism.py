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
    if command.endswith("twin.testing"):
        assert "13 passed" in said
    if command == "twin check own-town.yaml":
        assert "my/climbers.py) stands in for twin's Creators\n" in said
        assert "stands in for twin's Opinions; without the metrics opinion_variance, " in said


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


def test_what_the_page_on_own_models_promises(fresh: Path) -> None:
    """Minds close until the policy opens them; without the mechanism its metrics are gone, and under
    the model none nobody who stays has moved."""
    openness = twin.open(fresh / "runs" / "own-town").series("openness_mean")
    before = 8 * 4 - 1  # four readings a day; that of the eighth day is after the policy
    assert openness[before] < openness[0] - 0.01
    assert openness[before + 1] > openness[before] + 0.02
    assert "openness" in (fresh / "runs" / "own-town" / "report.html").read_text().lower()
    without = twin.open(fresh / "runs" / "without")
    with pytest.raises(twin.UsageError, match="opinion_variance: no such metric in this run"):
        without.series("opinion_variance")
    assert without.series("sessions")[-1] > 1000
    mean = twin.open(fresh / "runs" / "unmoved").series("opinion_mean")
    assert abs(mean[-1] - mean[1]) < 0.02
