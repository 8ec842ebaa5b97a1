"""`twin forecast` from a real calibration: what Prometheus holds by remote write and by backfill,
once however often it is sent; and what is refused."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import twin
from tests.e2e.prometheus import STORAGE, Prometheus, running
from tests.given.inside import called
from tests.given.ports import free_port
from twin.experiments.calibrate.outcome import FORECAST
from twin.experiments.following import command, read
from twin.experiments.sync import versions
from twin.ground.errors import Undone
from twin.readers import forecast_send, forecast_series

Held = dict[frozenset[tuple[str, str]], dict[float, float]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One for all tests."""
    with running(tmp_path_factory.mktemp("prometheus")) as prometheus:
        yield prometheus


def held(server: Prometheus) -> Held:
    """All that a server holds of forecasts and platforms."""
    return server.samples('{__name__=~"twin_(forecast|observed).*"}')


def wanted(calibrated: Path) -> Held:
    """What it has to hold."""
    beside = read.read(calibrated, None)
    found = {}
    for each in command.series(beside):
        name, labels = each.named(beside.identity)
        samples = zip(each.times.tolist(), each.values.tolist(), strict=True)
        found[frozenset({"__name__": name, **labels}.items())] = dict(samples)
    return found


def many(calibrated: Path) -> str:
    """How much there is, in words."""
    return forecast_series.count(command.series(read.read(calibrated, None)))


def test_prometheus_holds_both_by_remote_write_and_by_backfill(
    server: Prometheus, calibrated: Path, tmp_path: Path
) -> None:
    """The same samples both ways, and no more when they are sent again."""
    given = ("forecast", calibrated, "--out", "f.txt", "--remote-write", server.write_url)
    told = twin(*given, cwd=tmp_path).stdout
    assert "inside the central 80 %" in told and f"{many(calibrated)} are in" in told
    want = wanted(calibrated)
    assert want and held(server) == want
    first = (tmp_path / "f.txt").read_bytes()
    assert "samples of" in called(*given, cwd=tmp_path).stdout
    assert held(server) == want and (tmp_path / "f.txt").read_bytes() == first
    made = [
        "promtool",
        *("tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=9600h"),
        *("f.txt", "data"),
    ]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    with running(tmp_path / "other", storage=STORAGE) as other:
        other.stop()
        shutil.copytree(tmp_path / "data", other.data, dirs_exist_ok=True)
        other.start()
        assert held(other) == want


def test_the_latest_forecast_of_a_day_is_its_last_sample(
    server: Prometheus, calibrated: Path, tmp_path: Path
) -> None:
    """Another version of the forecast, made a day later, is taken beside the one that is there."""
    here = tmp_path / "calibrated"
    shutil.copytree(calibrated, here, ignore=shutil.ignore_patterns("worlds"))
    manifest = json.loads((here / "manifest.json").read_text())
    (here / "manifest.json").write_text(json.dumps({**manifest, "name": "synced"}))
    given = ("forecast", here, "--remote-write", server.write_url, "--quiet")
    called(*given, cwd=tmp_path)
    before = read.read(here, None)
    # the version: the second day alone, a day ahead
    rows = pq.read_table(here / read.FILE).to_pylist()
    table = pa.Table.from_pylist(
        [{**row, "ahead_d": 1, "q0.5": 2 * row["q0.5"]} for row in rows if row["ahead_d"] == 2],
        FORECAST,
    )
    (here / versions.FOLDER / "001").mkdir(parents=True)
    pq.write_table(table, here / versions.FOLDER / "001" / read.FILE)
    called(*given, cwd=tmp_path)
    known = read.read(here, None)
    assert str(before.until) == "2025-01-06" and str(known.until) == "2025-01-07"
    last = max(known.latest("click rate"))
    for quantile, place in (("0.5", 3), ("0.1", 1)):
        selector = f'twin_forecast{{scenario="synced",quantity="click rate",quantile="{quantile}"}}'
        shown = server.value(
            f"last_over_time({selector}[1d] offset -1d)",
            command.noon(last) - 12 * 3600,
        )
        assert shown == known.latest("click rate")[last][place]
        assert server.value(f"count_over_time({selector}[10d])", command.noon(last)) == 3


def test_what_does_not_arrive_is_named(
    calibrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens: the text is written, and one line says what is missing."""
    monkeypatch.setattr(forecast_send, "END_PATIENCE_S", 0.3)
    url, noted = f"http://127.0.0.1:{free_port()}/api/v1/write", list[str]()
    with pytest.raises(Undone, match=rf"{many(calibrated)} are in .*connection refused"):
        command.forecast(calibrated, None, tmp_path / "f.txt", url, noted.append, noted.append)
    assert (tmp_path / "f.txt").exists()
    assert sum("connection refused" in line for line in noted) == 1
