"""What is kept of a log: nothing of few people, nothing that was changed since, whole or absent."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from tests.given.logs import BUSY, BUSY_COLUMNS, PLAIN, busy, observe, rows, text, written
from twin.ground.errors import ScenarioError, UsageError
from twin.observing import bins, command, folder, mapping, people
from twin.observing.schemas import SCHEMAS

K = 10
ROWS = busy()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> folder.Observed:
    """With the default of ten people."""
    place = tmp_path_factory.mktemp("kept")
    # a response of two people alone
    made = [(*row[:7], int(row[0] < 2 and row[6]), row[8]) for row in ROWS]
    return observe(place, written(place / "log.csv", text(made, BUSY_COLUMNS)), map=BUSY, k=K)


def test_no_cell_is_of_few_people(kept: folder.Observed) -> None:
    """In no table; and what was left out is counted."""
    counts = kept.tables["counts"]
    people_ = counts.filter(pc.not_equal(counts.column("cut"), "item age"))
    assert pc.min(people_.column("users")).as_py() >= K
    assert pc.min(kept.tables["cohorts"].column("users")).as_py() >= K
    assert pc.min(kept.tables["distributions"].column("units")).as_py() >= K
    responders = kept.tables["responses"].column("users").drop_null()
    assert pc.min(responders).as_py() >= K or 0 in responders.to_pylist()
    assert not [n for n in responders.to_pylist() if 0 < n < K]
    rare = kept.select("responses", cut="all", response="like")
    assert rare.column("total").null_count == rare.num_rows
    assert set(kept.manifest["privacy"]["left_out"]) >= {"counts", "responses", "cohorts"}
    assert kept.manifest["privacy"]["k"] == K


def test_nothing_names_anybody(kept: folder.Observed) -> None:
    """No column of any table can hold a person, an item or a maker; nor does the manifest."""
    plain = {column.name for schema in SCHEMAS.values() for column in schema}
    assert not plain & {"user", "item", "maker", "session", "id"}
    for file in kept.path.iterdir():
        assert b"u1,i1" not in file.read_bytes()
    examples = json.dumps(kept.manifest["rows"])
    assert "u1" not in examples


def test_joined_bins_lose_nothing() -> None:
    """Units and totals stay; bins follow one another; each has k, or nothing is left at all."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        units = rng.poisson(rng.choice([0.05, 1, 30]), bins.COUNTS)
        total = units * bins.EDGES.astype(float)
        made = bins.merged(units, total, K, shares=False)
        if units.sum() < K:
            assert not len(made.units)
            continue
        assert made.units.sum() == units.sum() and made.total.sum() == pytest.approx(total.sum())
        assert (made.units >= K).all() and (made.low[1:] > made.high[:-1]).all()


def test_bins_are_where_they_say() -> None:
    """Every count lies within the bounds of its bin, also far beyond the table of small ones."""
    values = np.unique(np.concatenate([np.arange(70_000), (2.0 ** np.arange(16, 40)).astype(int)]))
    at = bins.of_counts(values)
    low, high = bins.edges(shares=False)
    assert ((low[at] <= values) & (values <= high[at])).all()
    assert bins.of_shares(np.array([0, 7, 10]), np.array([10, 10, 10])).tolist() == [0, 35, 49]


def test_what_was_changed_is_refused(kept: folder.Observed, tmp_path: Path) -> None:
    """A table, the version, the manifest: one line each."""
    place = tmp_path / "copy"

    def copied() -> Path:
        place.mkdir(exist_ok=True)
        for file in kept.path.iterdir():
            (place / file.name).write_bytes(file.read_bytes())
        return place

    assert folder.read(copied()).digest() == kept.digest()
    (place / "counts.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"counts.parquet: is not what was written"):
        folder.read(place)
    manifest = json.loads((copied() / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps({**manifest, "schema": 9}))
    with pytest.raises(UsageError, match="is of version 9, this twin reads 1"):
        folder.read(place)
    (place / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="holds something else"):
        folder.read(place)
    with pytest.raises(UsageError, match="is no observed folder"):
        folder.read(tmp_path)


def test_asking_for_what_there_is_not(kept: folder.Observed) -> None:
    """The nearest table, the nearest column, the days that there are."""
    with pytest.raises(UsageError, match=r"no table count \(did you mean counts\?\)"):
        kept.select("count")
    with pytest.raises(UsageError, match=r"counts has no column cat \(did you mean cut\?\)"):
        kept.select("counts", cat="all")
    with pytest.raises(UsageError, match="has no 2030-01-01; its days are 2024-03-18 to"):
        kept.until(dt.date(2030, 1, 1))


def test_reading_it_back(kept: folder.Observed) -> None:
    """Series, rates and quantiles."""
    days, shown = kept.series("impressions")
    assert len(days) == len(shown) == len(kept.days())
    _, rate = kept.rate("click")
    assert np.nanmean(rate) == pytest.approx(np.mean([row[6] for row in ROWS]), abs=0.03)
    assert np.isnan(kept.rate("like")[1]).all()
    low, middle, high = kept.quantiles("user", "impressions", [0.1, 0.5, 0.9])
    assert 0 < low < middle < high
    assert np.isnan(kept.quantiles("nobody", "impressions", [0.5])).all()


def test_same_log_same_bytes(tmp_path: Path) -> None:
    """Also of the manifest: it holds no clock, no machine and no full path."""
    source = written(tmp_path / "log.csv", text(rows()))
    made = [observe(tmp_path, source).path for _ in range(2)]
    for file in sorted(made[0].iterdir()):
        other = (made[1] / file.name).read_bytes()
        assert file.read_bytes().replace(b"map0", b"map1") == other, file.name
    assert str(tmp_path) not in (made[0] / "manifest.json").read_text()


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle: neither the folder nor its beginnings."""
    source = written(tmp_path / "log.csv", text(rows()))

    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(people, "observe", pressed)
    with pytest.raises(command.Interrupted, match="nothing is left behind"):
        observe(tmp_path, source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "map0.yaml"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    """Something is in it already, it is a file, or a link to nowhere. An empty one is taken."""
    source = written(tmp_path / "log.csv", "user,item,time\na,b,2025-01-01\n")
    sheet = written(tmp_path / "map.yaml", "user: user\nitem: item\ntime: time\n")
    mapped = mapping.read(sheet, None, {"zone": None, "gap": None})
    written(tmp_path / "file", "x")
    (tmp_path / "used").mkdir()
    mine = written(tmp_path / "used" / "mine.txt", "x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, words in (
        ("file", r"file: is a file \(give --out a new or empty folder"),
        ("used", r"used: this folder is not empty \(give another --out"),
        ("link", r"link: is a link to nowhere"),
    ):
        with pytest.raises(UsageError, match=words):
            command.observe([str(source)], mapped, tmp_path / name, command.Settings(quiet=True))
    assert mine.read_text() == "x" and not list(tmp_path.glob("*.part"))
    (tmp_path / "empty").mkdir()
    settings = command.Settings(k=1, quiet=True, threads=1)
    assert command.observe([str(source)], mapped, tmp_path / "empty", settings).days()


MAPS = {
    "user: user\nitem: item\ntime: time\nrespones: {click: click}\n": (
        r"map0.yaml:4 respones: no such parameter \(did you mean responses\?\)"
    ),
    "user: user\nitem: item\n": "map0.yaml:1 time: is missing: no column says when",
    "user: user\ntime: time\n": "map0.yaml:1 item: is missing: no column says what",
    PLAIN + "zone: Europe/Berln\n": (
        r"map0.yaml:5 zone: Europe/Berln is no time zone \(did you mean Europe/Berlin\?\)"
    ),
    PLAIN + "gap: 30\n": "map0.yaml:5 gap: 30 is not a duration",
    PLAIN + "gap: 40d\n": "map0.yaml:5 gap: .* is out of range .between 1s and 1d",
    PLAIN + "duplicates: dorp\n": r"duplicates: dorp is not one of .*did you mean drop",
    PLAIN + "delimiter: ';;'\n": "map0.yaml:5 delimiter: is longer than one character",
    PLAIN.replace(
        "time: time", "time: {column: time, unit: sec}"
    ): "map0.yaml:3 time.unit: sec is not",
    PLAIN.replace("time: time", "time: {column: time, origin: March}"): (
        r"map0.yaml:3 time.origin: March is not a date"
    ),
    PLAIN + "packed: {column: item, mark: '-'}\n": "item: stands beside packed",
    "user: user\ntime: time\npacked: {column: item}\n": (
        "map0.yaml:3 packed: does not say which items got a response"
    ),
    PLAIN + "event: {column: what}\n": "map0.yaml:5 event: names no responses",
    PLAIN + "user: me\n": "map0.yaml:5 user: is given twice, first on line 1",
    PLAIN + "position: on\n": "map0.yaml:5 position: on is ambiguous in YAML",
    "responses: {" + ", ".join(f"r{i}: c{i}" for i in range(17)) + "}\nitem: i\ntime: t\n": (
        "map0.yaml:1 responses: names 17"
    ),
    PLAIN.replace("click: click", "click: 3"): "map0.yaml:4 responses.click: 3 is not a mapping",
    "aggregates: [{files: a.csv, by: week, key: w, impressions: n}]\n": (
        "map0.yaml:1 aggregates.0.by: week is not one of"
    ),
    "aggregates: [{files: a.csv, by: day, impressions: n}]\n": (
        "map0.yaml:1 aggregates.0: lacks key: the column of the day"
    ),
    PLAIN + "aggregates: [{files: a.csv, key: d, impressions: n}]\n": (
        "map0.yaml:5 aggregates: stands beside columns of a log"
    ),
    "": "map0.yaml:1: is not a mapping",
    "- user\n": "map0.yaml:1: is not a mapping",
}
"""Maps with a mistake, and the line that says which."""


@pytest.mark.parametrize("sheet", MAPS)
def test_mistakes_in_a_map_have_a_line(sheet: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=MAPS[sheet]):
        observe(tmp_path, written(tmp_path / "log.csv", text(rows())), map=sheet)


def test_layouts_by_name(tmp_path: Path) -> None:
    """The nearest one; and flags go over what a layout says."""
    source = written(tmp_path / "log.csv", text(rows()))
    with pytest.raises(UsageError, match=r"no such layout \(did you mean movielens\?\)"):
        observe(tmp_path, source, layout="movielense")
    with pytest.raises(ScenarioError, match=r"--zone zone: Mars is no time zone"):
        observe(tmp_path, source, layout="mind", zone="Mars")
    found = observe(tmp_path, source, zone="Asia/Tokyo", gap="5min")
    assert (found.manifest["zone"], found.manifest["gap_s"]) == ("Asia/Tokyo", 300)
