"""Calibration from a log to its files, with a few small worlds; and what it refuses before any
world runs."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from tests.conftest import SCENARIOS
from tests.given.inside import twin
from twin.experiments.sync import versions
from twin.observing import folder

WORLD = str(SCENARIOS / "forecasts.yaml")


@pytest.fixture(scope="module")
def observed(calibrated: Path) -> Path:
    """Eight days of a small world, observed as a platform is."""
    return calibrated.parent / "seen"


def arguments(observed: Path, *more: str | Path) -> list[str | Path]:
    """A quick calibration of six days with two ahead."""
    return [
        "calibrate",
        WORLD,
        *("--on", observed, "--until", "2025-01-06", "--ahead", "2d", "--burn-in", "1d"),
        *("--quick", "--worlds", "4", "--people", "80", "--run-on", "local:1"),
        *more,
    ]


def test_from_a_log_to_a_calibrated_scenario(calibrated: Path, tmp_path: Path) -> None:
    """Files, draws inside the priors, forecasts of the days ahead; the same bytes where a world is
    run again; days after ``--until`` are not read."""
    shutil.copytree(calibrated, tmp_path / "first")
    assert "too few worlds to say" in (calibrated.parent / "said.txt").read_text()
    for world in range(4):
        # the platform's days and the ones ahead, and people as many as asked for, some new
        seen = folder.read(tmp_path / "first" / "worlds" / f"{world:05d}").manifest
        assert (seen["first"], seen["last"]) == ("2025-01-01", "2025-01-08")
        assert 30 < seen["facts"]["users"] < 120
    made = {
        name: (tmp_path / "first" / name).read_bytes()
        for name in ("calibrated.yaml", "posterior.parquet", "forecast.parquet", "results.parquet")
    }
    calibrated = yaml.safe_load(made["calibrated.yaml"])
    assert calibrated["extends"] == "scenario.yaml"
    draws = pq.read_table(tmp_path / "first" / "posterior.parquet").to_pylist()
    assert len({row["draw"] for row in draws}) == 4 and len(draws) == 4 * 12
    assert all(0 <= row["share"] <= 1 for row in draws)
    again = [float(row["value"]) for row in draws if row["parameter"] == "audience.again"]
    assert all(0.05 <= value <= 0.6 for value in again) and len(set(again)) == 4
    ahead = pq.read_table(tmp_path / "first" / "forecast.parquet").to_pylist()
    days = {(row["quantity"], str(row["day"])) for row in ahead}
    assert days == {
        (name, f"2025-01-0{day}")
        for name in ("click rate", "people", "impressions", "new items", "makers")
        for day in (7, 8)
    }
    assert all(row["q0.1"] <= row["q0.5"] <= row["q0.9"] for row in ahead)
    # a world is lost, and comes again
    shutil.rmtree(tmp_path / "first" / "worlds" / "00002")
    done = twin("resume", tmp_path / "first", "--on", "local:1")
    assert done.status == 0, done.output
    assert made == {name: (tmp_path / "first" / name).read_bytes() for name in made}


def test_a_backtest_scores_what_would_have_been_foretold(calibrated: Path, tmp_path: Path) -> None:
    """Two origins with all forecasters on the same days; a resumed one leaves the same bytes; what
    cannot be scored is refused in a line."""
    out = tmp_path / "backtest"
    given = ("backtest", calibrated, "--run-on", "local:1", "--out")
    done = twin(*given, out, "--from", "2025-01-05", "--every", "1d", "--ahead", "2d")
    assert done.status == 0, done.output
    assert "3 origins" in done.output and "naive" in done.output
    scored = pq.read_table(out / "results.parquet").to_pylist()
    keys = {(row["origin"], row["day"]) for row in scored}
    assert len(keys) == 5  # two days, two days, and one: nothing was observed after the eighth
    assert len(scored) == len(keys) * 5 * 6
    assert all(row["crps"] > 0 and row["low80"] <= row["high80"] for row in scored)
    first = {name: (out / name).read_bytes() for name in ("results.parquet", "forecasts.parquet")}
    (out / "results.parquet").unlink()
    assert twin("resume", out).status == 0
    assert first == {name: (out / name).read_bytes() for name in first}
    assert twin("report", out).status == 0
    late = twin(*given, tmp_path / "none", "--from", "2025-01-08")
    assert late.status == 2 and "from 2025-01-03 to 2025-01-07" in late.output
    wrong = twin("backtest", out, "--from", "2025-01-05")
    assert wrong.status == 2 and "no calibration" in wrong.output


def test_a_sync_is_a_calibration_until_the_new_day(
    calibrated: Path, observed: Path, tmp_path: Path
) -> None:
    """Day by day or at once, the posterior is the same to the byte; versions have their parents;
    nothing new, days beyond the worlds and another platform are refused in a line."""
    for name in ("daily", "once"):
        shutil.copytree(calibrated, tmp_path / name)
    for day in ("2025-01-07", "2025-01-08"):
        done = twin("sync", tmp_path / "daily", "--on", observed, "--until", day)
        assert done.status == 0, done.output
    assert "version 2: until 2025-01-08, from version 1" in done.output
    done = twin("sync", tmp_path / "once", "--on", observed)
    assert done.status == 0 and "version 1: until 2025-01-08, from version 0" in done.output
    one, two = (tmp_path / "daily/versions/002"), (tmp_path / "once/versions/001")
    for name in ("posterior.parquet", "calibrated.yaml", "forecast.parquet"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    assert yaml.safe_load((one / "calibrated.yaml").read_text())["extends"] == "../../scenario.yaml"
    assert twin("check", one / "calibrated.yaml").status == 0
    facts = json.loads((two / "version.json").read_text())
    assert [each["day"] for each in facts["days"]] == ["2025-01-07", "2025-01-08"]
    # four worlds allow no p below a fifth: what is least likely of all is said to be so often
    assert all(each["p"] >= 0.2 for each in facts["days"])
    ranges = versions.narrowed(str(tmp_path / "once"))
    assert len(ranges) == 12 and ranges[0].startswith("audience.again=")
    again = twin("sync", tmp_path / "once", "--on", observed)
    assert again.status == 2 and "nothing new" in again.output
    changed = twin(
        *("observe", observed.parent / "log", "--layout", "twin", "--k", "3"),
        *("--out", tmp_path / "changed"),
    )
    assert changed.status == 0
    other = twin("sync", tmp_path / "once", "--on", tmp_path / "changed")
    assert other.status == 2 and "are not those that" in other.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("--until", "2025-01-02"), "has 2 days until 2025-01-02"),
        (("--until", "2025-02-02"), "2025-02-02"),
        (("--until", "soon"), "is no date"),
        (("--vary", "audience.agian=0.1..0.5"), "audience.again"),
        (("--ahead", "90min"), "whole days"),
        (("--within", "nowhere"), "holds no calibration"),
        (("--within", "nowhere", "--vary", "audience.again=0.1..0.5"), "leave out --vary"),
        (("--on", "nowhere"), "is no observed folder"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_world_runs(
    change: tuple[str, str], said: str, observed: Path, tmp_path: Path
) -> None:
    """One line; no folder is made."""
    done = twin(*arguments(observed, "--out", tmp_path / "none", *change))
    assert done.status == 2
    assert said in done.output and "bug" not in done.output and not (tmp_path / "none").exists()


def test_too_few_worlds_are_no_calibration(observed: Path, tmp_path: Path) -> None:
    """Unless it is said that it is none."""
    given = [each for each in arguments(observed, "--out", tmp_path / "none") if each != "--quick"]
    done = twin(*given)
    assert done.status == 2 and "needs 60" in done.output
