"""`twin findings` by the real command line: the scoreboard, what it leaves, and the same again from what is there."""

from pathlib import Path

import pyarrow.parquet as pq

from tests.conftest import SCENARIOS, twin


def test_a_finding_is_run_judged_and_kept(tmp_path: Path) -> None:
    """F5, quick: exact counts hold, every claim is in the table, the report draws every outcome; run again, nothing is computed anew."""
    out = tmp_path / "out"
    command = ("findings", "F5", "--quick", "--world", str(SCENARIOS / "base.yaml"), "--out", str(out))
    said = twin(*command, cwd=tmp_path).stdout
    rows = pq.read_table(out / "results.parquet").to_pylist()
    assert {row["finding"] for row in rows} == {"F5"} and {row["state"] for row in rows} <= {"holds", "fails", "open"}
    exact = [row for row in rows if row["kind"] == "exact" and "149" in row["expected"]]
    assert exact and all(row["state"] == "holds" for row in exact)
    assert all(row["says"] in said for row in rows if row["state"] != "holds" and not row["aside"]) and "F5  " in said
    page = (out / "report.html").read_text()
    assert "F5" in page and "the quick set" in page and page.count("data-root-id") >= 4
    board = (out / "scoreboard.md").read_text()
    table = (out / "results.parquet").read_bytes()
    (out / "results.parquet").unlink()
    times = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npy")}
    again = twin(*command, cwd=tmp_path).stdout
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("*.npy")} == times
    assert (out / "results.parquet").read_bytes() == table
    assert again.splitlines()[-1] == said.splitlines()[-1]
    assert board.splitlines()[:3] == (out / "scoreboard.md").read_text().splitlines()[:3]
