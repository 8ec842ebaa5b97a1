"""The log of impressions adds up to what the run reports, and is the same bytes whatever
interrupted it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from twin.ground.errors import UsageError
from twin.kernels.training import HEADS
from twin.record import impressions
from twin.record.results import read_metrics
from twin.record.watch import Watcher
from twin.running import drive
from twin.scenario.loading import Scenario

SETTINGS = ("warm_up=1d", "duration=60h", "recommender.random_share=0.1", "metrics.every=6h")


class Killed(Exception):
    """Stands for a process that died."""


class Killer(Watcher):
    """Dies at a checkpoint, after it is whole."""

    def __init__(self, at: int) -> None:
        self.at = at

    def saved(self, now: int) -> None:
        self.at -= 1
        if not self.at:
            raise Killed


@pytest.fixture(scope="module")
def logged(
    small: Callable[..., Scenario], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Scenario, Path]:
    """A run with its log beside it."""
    folder = tmp_path_factory.mktemp("logged")
    scenario = small(*SETTINGS)
    drive.start(scenario, folder / "run", log=folder / "log")
    return scenario, folder


def whole(folder: Path) -> pa.Table:
    """All files of a log, in the order of their days."""
    return pa.concat_tables(pq.read_table(file) for file in sorted(folder.glob("*.parquet")))


def totals(run: Path) -> dict[str, float]:
    """The last readings of a run, by metric and labels."""
    table = read_metrics(run)
    last = table.filter(pc.equal(table["time"], pc.max(table["time"])))
    return {
        f"{row['metric']}{{{row['labels']}}}" if row["labels"] else row["metric"]: row["value"]
        for row in last.to_pylist()
    }


def test_the_log_adds_up_to_the_readings(logged: tuple[Scenario, Path]) -> None:
    """Impressions, sessions, responses and sources, each to the last one; a file per day, the last
    one of half a day."""
    _, folder = logged
    names = [file.name for file in sorted((folder / "log").iterdir())]
    assert names == ["2025-01-01.parquet", "2025-01-02.parquet", "2025-01-03.parquet"]
    log, last = whole(folder / "log"), totals(folder / "run")
    assert len(log) == sum(last[f"impressions{{by={by}}}"] for by in ("human", "ai")) > 1000
    for head in HEADS:
        said = sum(last[f"responses{{head={head},by={by}}}"] for by in ("human", "ai"))
        assert pc.sum(log[head]).as_py() == said
    sources = log["source"].combine_chunks().dictionary_decode().value_counts().to_pylist()
    for source in sources:
        assert last[f"source_impressions{{source={source['values']}}}"] == source["counts"]
    assert pc.sum(log["explore"]).as_py() == last["source_impressions{source=random}"] > 20


def test_a_log_reads_as_it_happened(logged: tuple[Scenario, Path]) -> None:
    """Sessions of one person and time, places from 0 in order, each day's file its day alone."""
    _, folder = logged
    for file in sorted((folder / "log").iterdir()):
        table = pq.read_table(file)
        assert table.schema.equals(impressions.SCHEMA)
        days = pc.strftime(table["time"], "%Y-%m-%d").unique().to_pylist()
        assert days == [file.stem]
    log = whole(folder / "log")
    session, place = log["session"].to_numpy(), log["place"].to_numpy()
    first = place == 0
    assert first[0] and (session[1:] != session[:-1]).tolist() == first[1:].tolist()
    pairs = log.select(["session", "consumer", "time"]).group_by(["session"])
    once = pairs.aggregate([("consumer", "count_distinct"), ("time", "count_distinct")])
    assert pc.max(once["consumer_count_distinct"]).as_py() == 1
    assert pc.max(once["time_count_distinct"]).as_py() == 1


def test_the_same_bytes_after_a_death(
    logged: tuple[Scenario, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed twice, at checkpoints in the middle of a day; forks write no log."""
    scenario, folder = logged
    monkeypatch.setattr(drive, "CHECKPOINT_SIM_S", 7 * 3600)
    with pytest.raises(Killed):
        drive.start(scenario, tmp_path / "run", log=tmp_path / "log", watcher=Killer(3))
    drive.fork_stopped(tmp_path / "run", {"branch": "other", "out": str(tmp_path / "other")})
    with pytest.raises(Killed):
        drive.resume(tmp_path / "run", watcher=Killer(3))
    drive.resume(tmp_path / "other")
    drive.resume(tmp_path / "run")
    found = {file.name: file.read_bytes() for file in (tmp_path / "log").iterdir()}
    assert found == {file.name: file.read_bytes() for file in (folder / "log").iterdir()}


def test_what_cannot_be_logged(logged: tuple[Scenario, Path], tmp_path: Path) -> None:
    """A folder with something in it; the reference mode."""
    scenario, folder = logged
    with pytest.raises(UsageError, match="is not empty"):
        drive.start(scenario, tmp_path / "run", log=folder / "log")
    with pytest.raises(UsageError, match="give another --log"):
        drive.start(scenario, tmp_path / "run", log=Path(__file__) / "log")
    with pytest.raises(UsageError, match="--reference"):
        drive.start(scenario, tmp_path / "run", log=tmp_path / "log", reference=True)
    assert not (tmp_path / "run").exists()
