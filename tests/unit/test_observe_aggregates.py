"""Counts by day, hour, person and item, when that is all that one may share."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pyarrow.compute as pc
import pytest

from tests.given.logs import observe, text, written
from twin.ground.errors import ScenarioError, UsageError

DAYS = "aggregates:\n  - {files: 'days*', by: day, key: date, impressions: shown, responses: {click: clicks}}\n"
PEOPLE = "  - {files: people.csv.gz, by: user, impressions: shown, responses: {click: clicks}, since: 2022-04-08, until: 2022-05-08}\n"
ITEMS = "  - {files: items.csv, by: item, impressions: times, count: items}\n"
HOURS = (
    "  - {files: hours.csv, by: hour, key: hour, impressions: shown, responses: {click: clicks}}\n"
)


def files(place: Path) -> Path:
    """A folder with tables of each kind, and one that the map does not name."""
    here = place / "tables"
    here.mkdir()
    days = [(20220408 + i, 1000 + i, f"{300 + i}.0") for i in range(5) if i != 2]
    written(here / "days.csv", "\ufeff" + text(days, ("date", "shown", "clicks")))
    written(
        here / "hours.csv", text([(h, 50 + h, h) for h in range(24)], ("hour", "shown", "clicks"))
    )
    people = text([(n, n // 3) for n in range(11, 211)], ("shown", "clicks"))
    written(here / "people.csv.gz", gzip.compress(people.encode()))
    written(here / "items.csv", text([(1, 900), (2, 60), (40, 30), (5000, 2)], ("times", "items")))
    written(here / "summary.csv", text([(1,)], ("mean",)))
    return here


def test_tables_of_counts(tmp_path: Path) -> None:
    """Each becomes rows of the table that a log would have; the file without a part is noted."""
    found = observe(tmp_path, files(tmp_path), map=DAYS + HOURS + PEOPLE + ITEMS, k=10)
    days, shown = found.series("impressions")
    assert (len(days), shown.tolist()) == (4, [1000, 1001, 1003, 1004])
    assert found.rate("click")[1][0] == 0.3
    assert found.manifest["empty_days"] == ["2022-04-10"]
    hours = found.select("counts", cut="hour")
    assert hours.column("key").to_pylist() == list(range(24))
    assert hours.column("day").null_count == 24
    people = found.select("distributions", of="user", quantity="impressions")
    assert pc.sum(people.column("units")).as_py() == 200
    assert pc.sum(people.column("total")).as_py() == sum(range(11, 211))
    assert pc.min(people.column("units")).as_py() >= 10
    pairs = found.select("pairs", of="user").to_pylist()[0]
    assert pairs["pairs"] == sum(n * (n - 1) for n in range(11, 211))
    assert pairs["both"] == sum(n // 3 * (n // 3 - 1) for n in range(11, 211))
    items = found.select("distributions", of="item")
    assert pc.sum(items.column("units")).as_py() == 992
    assert pc.sum(items.column("total")).as_py() == 900 + 120 + 1200 + 10_000
    notes = {each["name"]: each["notes"] for each in found.manifest["read"]["files"]}
    assert notes["summary.csv"] and not notes["days.csv"]


def test_what_is_not_dated_cannot_be_read_before_its_end(tmp_path: Path) -> None:
    """Of a table over 31 days nothing is there on day five; of the daily file, four days are."""
    found = observe(tmp_path, files(tmp_path), map=DAYS + HOURS + PEOPLE + ITEMS, k=10)
    early = found.until(dt.date(2022, 4, 9))
    assert early.series("impressions")[1].tolist() == [1000, 1001]
    assert early.select("counts", cut="hour").num_rows == 0
    assert early.tables["distributions"].num_rows == early.tables["pairs"].num_rows == 0
    assert any("cannot be cut at a day within" in line for line in found.manifest["cautions"])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((20220408.5, 10, 1), "date: is no day"),
        (("April", 10, 1), "date: is no day"),
        ((20220414, -10, 1), "shown: not a count"),
        ((20220414, 10.5, 1), "shown: not a count"),
        ((20220414, "", 1), "shown: not a count"),
        ((20220414, 10, 11), "more click than impressions"),
    ],
)
def test_bad_counts_are_named(tmp_path: Path, row: tuple[object, ...], reason: str) -> None:
    made = [(20220408, 100, 30), row, (20220409, 100, 30)]
    source = written(tmp_path / "days.csv", text(made, ("date", "shown", "clicks")))
    found = observe(tmp_path, source, map=DAYS, share=0.5)
    assert found.manifest["rows"]["bad"] == {reason: {"rows": 1, "first": ["days.csv:3"]}}
    with pytest.raises(UsageError, match=f"days.csv:3: {reason}; 1 of 3 rows are bad"):
        observe(tmp_path, source, map=DAYS)


def test_refused(tmp_path: Path) -> None:
    """A part without a file, a column that is not there, a day that is there twice."""
    here = files(tmp_path)
    with pytest.raises(
        ScenarioError, match=r"map0.yaml:2 aggregates.0.files: no file .* matches day$|did you mean"
    ):
        observe(tmp_path, here, map=DAYS.replace("'days*'", "day.csv"))
    with pytest.raises(ScenarioError, match=r"has no column click \(did you mean clicks\?\)"):
        observe(tmp_path, here, map=DAYS.replace("clicks", "click"))
    written(here / "days2.csv", (here / "days.csv").read_text())
    with pytest.raises(UsageError, match="two rows are of one day"):
        observe(tmp_path, here, map=DAYS)


def test_kuairand_tables(real_data: Path, tmp_path: Path) -> None:
    """The tables that a third party made of KuaiRand-27K: what is computed here is not what its
    summary claims (a Gini index of 0.53 for items), but what its frequency table gives."""
    sheet = """zone: Asia/Shanghai
aggregates:
  - {files: standard-daily-*.csv, by: day, key: date, impressions: exposures, responses: {click: clicks}}
  - {files: standard-user-stats-distribution.csv.gz, by: user, impressions: exposures, responses: {click: clicks}, until: 2022-05-08}
  - {files: standard-video-exposure-freq.csv, by: item, impressions: exposure_per_video, count: video_count, until: 2022-05-08}
"""
    found = observe(tmp_path, real_data / "kuairand-27k", map=sheet, k=10)
    assert (found.manifest["first"], found.manifest["last"]) == ("2022-04-08", "2022-04-21")
    assert sum(found.rate("click")[1]) / 14 == pytest.approx(0.3806, abs=0.0005)
    items = found.select("distributions", of="item").sort_by("low")
    units, total = (items.column(n).to_numpy() for n in ("units", "total"))
    assert units.sum() == 32_038_693 and total.sum() == 322_278_385
    share, mass = units / units.sum(), total / total.sum()
    gini = 1 - sum(s * (2 * sum(mass[:i]) + mass[i]) for i, s in enumerate(share))
    assert gini == pytest.approx(0.827, abs=0.003)
