"""Commands of the pages about experiments and findings."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.e2e import pages

COMMANDS = pages.commands(*pages.GROUPS["test_docs_experiments.py"])
SAID: dict[str, str] = {}
"""What commands have printed."""


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path) -> None:
    """Each does what it says without an error."""
    SAID[command] = pages.bash(command, fresh)


def test_a_finding_is_judged_and_kept(fresh: Path) -> None:
    """What its command left: exact counts hold, every claim is in the table, the report draws every
    outcome; run again, nothing is computed anew.
    """
    (command,) = [line for line in COMMANDS if line.startswith("twin findings")]
    out = fresh / "runs" / "findings"
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert {row["finding"] for row in rows} == {"F5"} and {row["state"] for row in rows} <= {
        "holds",
        "null",
        "fails",
        "open",
    }
    exact = [row for row in rows if row["kind"] == "exact" and "149" in row["expected"]]
    assert exact and all(row["state"] == "holds" for row in exact)
    page, board, table = (
        (out / "report.html").read_text(),
        (out / "scoreboard.md").read_text(),
        (out / "results.parquet").read_bytes(),
    )
    assert "F5" in page and "the quick set" in page and page.count("data-root-id") >= 4
    (out / "results.parquet").unlink()
    times = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npy")}
    said, again = SAID[command], pages.bash(f"{command} --world scenarios/base.yaml", fresh)
    assert (
        times and {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npy")} == times
    )
    primary = [row["says"] for row in rows if row["role"] == "primary"]
    deciding = [row for row in rows if row["role"] == "control" and row["of"] in primary]
    assert 1 <= len(primary) <= 3 and all(says in said for says in primary)
    assert deciding and all(row["says"] in said for row in deciding) and "F5  " in said
    assert (out / "results.parquet").read_bytes() == table
    assert again.splitlines()[-1] == said.splitlines()[-1]
    assert board.splitlines()[:3] == (out / "scoreboard.md").read_text().splitlines()[:3]
