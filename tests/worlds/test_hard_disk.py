"""A disk that is full or fails while a run saves: the run says so and how to continue, and then has
the same bytes as one that nothing happened to."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SCENARIOS
from twin.ground.errors import Stopped
from twin.readers import report
from twin.record import results
from twin.running import drive
from twin.scenario.loading import Scenario, load
from twin.world import checkpoint

TABLES = ("metrics.parquet", "events.parquet", "scenario.yaml")


def small() -> Scenario:
    """Half a day of sixty people."""
    return load(
        SCENARIOS / "base.yaml",
        (
            "warm_up=0d",
            "duration=12h",
            "policies=[]",
            "audience.initial=60",
            "creators.human.initial=10",
            "creators.ai.initial=2",
        ),
    )


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As numpy says it in a checkpoint, as pyarrow says it in the readings, and in the report."""
    drive.start(small(), tmp_path / "straight")
    out = tmp_path / "run"

    def failing(holder: Any, name: str, error: OSError) -> None:
        def fail(*args: object, **options: object) -> None:
            raise error

        monkeypatch.setattr(holder, name, fail)

    failing(checkpoint.np, "save", OSError("11008 requested and 3040 written"))
    with pytest.raises(Stopped) as stopped:
        drive.start(small(), out)
    assert str(stopped.value) == (
        f"{out}: the run has stopped: the disk is full; what was saved is kept (make room, then: "
        f"twin resume {out})"
    )
    assert stopped.value.status == 4
    monkeypatch.undo()
    failing(results.pq, "write_table", OSError("Detail: [errno 5] Input/output error"))
    with pytest.raises(Stopped, match="the disk reports an error; what was saved is kept"):
        drive.resume(out)
    monkeypatch.undo()
    failing(report, "write_report", OSError(errno.ENOSPC, "No space left on device", "report.html"))
    with pytest.raises(Stopped, match="the run is over, but not its report: the disk is full"):
        drive.resume(out)
    assert drive.resume(out).status == "finished"
    for name in TABLES:
        assert (out / name).read_bytes() == (tmp_path / "straight" / name).read_bytes(), name
