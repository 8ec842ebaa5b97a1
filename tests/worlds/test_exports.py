"""Readings and impressions as other programs take them: every format holds the same numbers, and a
real promtool and pandas read them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import twin
from tests.worlds.test_impressions import whole
from twin.cli import main
from twin.ground.errors import UsageError
from twin.kernels.training import HEADS
from twin.observing import layouts
from twin.readers import recbole, tables
from twin.record.results import read_metrics
from twin.running import drive
from twin.scenario.loading import Scenario


@pytest.fixture(scope="module")
def exported(
    small: Callable[..., Scenario], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A run and its log of impressions."""
    folder = tmp_path_factory.mktemp("exported")
    settings = ("warm_up=0d", "duration=30h", "metrics.every=6h", "chatbots.enabled=false")
    drive.start(small(*settings), folder / "run", log=folder / "log")
    return folder / "run", folder / "log"


def export(run: Path, form: str, out: Path) -> Path:
    """What the command writes."""
    main(["export", str(run), "--format", form, "--out", str(out)])
    return out


def test_every_format_has_the_readings_of_the_run(
    exported: tuple[Path, Path], tmp_path: Path
) -> None:
    """Long and wide CSV and Parquet, value by value; times as spreadsheets and R read them."""
    run = twin.open(exported[0])
    long = pd.read_csv(export(run.folder, "csv", tmp_path / "long.csv"), parse_dates=["time"])
    kept = read_metrics(run.folder).to_pandas()
    assert list(long.columns) == ["time", "metric", "labels", "value"]
    assert np.array_equal(long["value"], kept["value"], equal_nan=True)
    assert (long["metric"] == kept["metric"].astype(str)).all()
    assert (long["time"].dt.tz_localize("UTC") == kept["time"]).all()
    wide = pd.read_csv(export(run.folder, "wide", tmp_path / "wide.csv"))
    same = run.wide().to_pandas()
    assert list(wide.columns) == list(same.columns) and len(wide) == 6
    assert np.array_equal(wide.iloc[:, 1:], same.iloc[:, 1:], equal_nan=True)
    assert wide["time"][1] == "2025-01-01 06:00:00"
    assert wide.isna().to_numpy().any() and "nan" not in (tmp_path / "wide.csv").read_text()
    parquet = pq.read_table(export(run.folder, "parquet", tmp_path / "wide.parquet"))
    assert parquet.schema.equals(run.wide().schema)
    assert parquet.to_pandas().equals(same)


def test_parquet_says_what_its_columns_are(exported: tuple[Path, Path], tmp_path: Path) -> None:
    """Unit, help and kind of every series are the metadata of its field, in the file too."""
    schema = pq.read_schema(export(exported[0], "parquet", tmp_path / "wide.parquet"))
    declared = {each["name"]: each for each in twin.open(exported[0]).manifest["metrics"]}
    for field in list(schema)[1:]:
        metric = declared[field.name.partition("{")[0]]
        about = {key.decode(): value.decode() for key, value in field.metadata.items()}
        assert about == {key: metric[key] for key in ("unit", "help", "kind")}


def test_a_run_that_is_not_over_is_exported_as_far_as_it_is(
    exported: tuple[Path, Path], tmp_path: Path
) -> None:
    """Its readings lie in parts, and are read one after another."""
    run = tmp_path / "run"
    (run / "metrics").mkdir(parents=True)
    (run / "manifest.json").write_bytes((exported[0] / "manifest.json").read_bytes())
    table = read_metrics(exported[0])
    series = len(table) // 6
    pq.write_table(table[: 2 * series], run / "metrics" / "part-000000043200.parquet")
    pq.write_table(table[2 * series : 3 * series], run / "metrics" / "part-000000064800.parquet")
    done: list[int] = []
    assert tables.export(run, tmp_path / "w.csv", "wide", done.append) == (3, series)
    assert done == [2, 3] and len(pd.read_csv(tmp_path / "w.csv")) == 3
    (run / "metrics" / "part-000000064800.parquet").write_bytes(b"PAR1")
    before = (tmp_path / "w.csv").read_bytes()
    with pytest.raises(UsageError, match="cannot be read"):
        tables.export(run, tmp_path / "w.csv", "wide")
    # whole or as it was
    assert (tmp_path / "w.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "w.csv"]


def test_atomic_files_have_every_impression(exported: tuple[Path, Path], tmp_path: Path) -> None:
    """Rows, responses, posts and their creators as in the log; ids to the last digit; the layout
    of RecBole's files that `twin observe` knows finds its columns."""
    run, log = exported
    folder = export(run, "recbole", tmp_path / "town")
    inter = pd.read_csv(folder / "town.inter", sep="\t", dtype={"user_id:token": str})
    item = pd.read_csv(folder / "town.item", sep="\t", dtype=str)
    given = whole(log)
    assert [name.partition(":")[2] for name in item] == ["token", "token"]
    assert inter["user_id:token"].tolist() == [str(each) for each in given["consumer"].to_pylist()]
    for head in HEADS:
        assert inter[f"{head}:float"].sum() == pc.sum(given[head]).as_py()
    assert inter["timestamp:float"].iloc[0] == given["time"][0].as_py().timestamp()
    pairs = set(zip(given["post"].to_pylist(), given["creator"].to_pylist(), strict=True))
    assert {tuple(map(int, row)) for row in item.to_numpy()} == pairs
    known = layouts.RECBOLE
    assert {known["user"], known["item"], known["time"]["column"]} <= set(inter.columns)
    # the log itself gives the same
    recbole.export(log, tmp_path / "again", lambda days: None)
    assert (tmp_path / "again" / "again.inter").read_bytes() == (folder / "town.inter").read_bytes()


def test_what_cannot_be_exported_is_said_in_a_line(
    exported: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No run, no log, a folder in the way, a file that is no day."""
    run, _ = exported
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "2025-01-01.parquet").write_bytes(b"no Parquet")
    for arguments, words in (
        (["export", "none"], "not a run folder"),
        (["export", str(tmp_path), "--format", "recbole"], "neither a run nor a log"),
        (["export", str(run), "--out", str(tmp_path)], "is a folder"),
        (["export", str(run), "--format", "csv", "--out", "no/where"], "there is no folder no"),
        (["export", str(run), "--format", "xlsx"], "is not one of"),
        (["export", str(tmp_path / "bad"), "--format", "recbole"], "is no day of a log"),
        (["export", str(run), "--format", "recbole", "--out", str(run)], "is not empty"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr().err
        assert ended.value.code == 2 and words in said and said.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad"]
