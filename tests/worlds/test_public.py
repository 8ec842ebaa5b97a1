"""`import twin`: it does what the command line does."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pytest

import twin
from tests.conftest import SCENARIOS, SMALL
from twin.cli import main
from twin.public import notebook, runs
from twin.record import naming

SHORT = {"duration": "4d", "warm_up": "0d", "policies": []}


def small(**more: object) -> "twin.Scenario":
    given = dict(entry.split("=", 1) for entry in SMALL)
    return twin.load(SCENARIOS / "base.yaml", sets={**given, **SHORT}, **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> twin.Run:
    out = tmp_path_factory.mktemp("public") / "run"
    return twin.run(small(), out, name="from Python", tags=["pilot"])


def test_a_run_has_the_bytes_of_the_command_line(made: twin.Run, tmp_path: Path) -> None:
    """The same scenario by `twin run` and by `twin.run`: the same readings and events."""
    sets = [f"--set={entry}" for entry in (*SMALL, "duration=4d", "warm_up=0d", "policies=[]")]
    main(["run", str(SCENARIOS / "base.yaml"), "--quiet", "--out", str(tmp_path / "run"), *sets])
    for name in ("metrics.parquet", "events.parquet", "scenario.yaml"):
        assert (tmp_path / "run" / name).read_bytes() == (made.folder / name).read_bytes(), name
    assert naming.read(made.folder) == naming.Naming("from Python", ("pilot",))


def test_readings(made: twin.Run) -> None:
    """Long, wide, as series, as frames of other libraries: the same numbers."""
    assert made.status == "done" and made.manifest["name"] == "base"
    long, wide = made.metrics, made.wide()
    assert long.column_names == ["time", "metric", "labels", "value"]
    assert len(long) == len(wide) * (wide.num_columns - 1)
    income = made.series("creator_income", by="ai")
    assert np.array_equal(wide["creator_income{by=ai}"].to_numpy(), income)
    frame = made.to_pandas()
    mine = frame[(frame.metric == "creator_income") & (frame.labels == "by=ai")].value
    assert np.array_equal(mine.to_numpy(), income)
    assert wide["time"].to_numpy().astype("datetime64[s]").tolist() == made.times.tolist()
    by_protocol = pa.table(made)  # Arrow's
    assert by_protocol.schema == long.schema and by_protocol.drop("value") == long.drop("value")
    assert np.array_equal(by_protocol["value"], long["value"], equal_nan=True)
    assert made.events.column_names == ["time", "kind", "text"]


def test_in_a_notebook(made: twin.Run) -> None:
    """Headline numbers with their courses, pictures of both sides, and the report beside them."""
    shown = made._repr_html_()
    assert shown.count("<polyline") > 5 and "Enjoyed" in shown and str(made.folder) in shown
    table, pictures = shown.split("</table>")
    assert table.count("<polyline") > 5 and pictures.count("<figure") > 5
    root = ElementTree.fromstring(f"<div>{pictures.replace('&#9632;', '')}</div>")
    for line in root.iter("polyline"):
        xy = np.array([point.split(",") for point in line.attrib["points"].split()], float)
        assert len(xy) > 2 and (xy >= 0).all() and (xy <= (notebook.WIDTH, notebook.HEIGHT)).all()
    assert "<svg" in pictures and "stroke-dasharray" not in pictures.split("<polyline")[0]
    assert len(shown) < 200_000
    assert made.report().read_text().startswith("<!doctype html>")
    assert repr(made) == f"twin.open({str(made.folder)!r})  # base, done"


def test_readings_are_read_once(made: twin.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Series, times and the wide table share one reading of the file, which nobody can change; a
    file that changed is read again."""
    calls = []
    real = runs.load_metrics
    monkeypatch.setattr(runs, "load_metrics", lambda folder: calls.append(folder) or real(folder))
    fresh = twin.open(made.folder)
    first = fresh.series("sessions")
    assert len(fresh.times) == len(first) == len(fresh.wide()) and len(calls) == 1
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1.0
    path = made.folder / "metrics.parquet"
    path.write_bytes(path.read_bytes())
    assert np.array_equal(fresh.series("sessions"), first) and len(calls) == 2


def test_refusals(made: twin.Run, tmp_path: Path) -> None:
    """One line each: what, and the nearest valid name."""
    for call, said in (
        (lambda: made.series("creator_incom"), "did you mean creator_income?"),
        (lambda: made.series("creator_income", by="cat"), "give one of by=human, by=ai"),
        (lambda: twin.run(small(), made.folder), "not empty"),
        (lambda: twin.open(tmp_path), "not a run folder"),
        (lambda: twin.open_experiment(str(made.folder)), "holds no experiment"),
        (lambda: twin.compare(small(), [], share=0.5), "trials__enabled=True"),
    ):
        with pytest.raises(twin.UsageError, match=re.escape(said)):
            call()
    with pytest.raises(twin.ScenarioError, match=r"did you mean dim\?"):
        small(recommender__dimm=4)
