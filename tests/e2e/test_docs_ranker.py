"""Commands of the page about a ranker of one's own."""

from pathlib import Path

import pytest

import twin
from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_ranker.py"])
SAID = {
    "twin check thanked-town.yaml": ["ranker my.ranker.Thanked (thanked-town.yaml:7, "],
    "twin check served-town.yaml": ["ranker http://127.0.0.1:8765/rank (served-town.yaml:6) ranks"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path) -> None:
    """Each does what it says without an error."""
    pages.answered(command, fresh, SAID)


def test_what_the_page_promises(fresh: Path) -> None:
    """It learned, and both sides are compared."""
    run = twin.open(fresh / "runs" / "thanked")
    assert run.series("retrains")[-1] > 5
    found = twin.open_experiment(str(fresh / "runs" / "thanked-compared")).results.to_pylist()
    moved = {row["side"] for row in found if row["effect"]}
    assert {"consumer", "producer"} <= moved


def test_replayed_without_the_service(fresh: Path) -> None:
    """The same bytes, and nobody was asked."""
    runs = [fresh / "runs" / name / "metrics.parquet" for name in ("served", "replayed")]
    assert runs[0].read_bytes() == runs[1].read_bytes()
