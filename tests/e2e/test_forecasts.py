"""`twin forecasts` as users call it: the same bytes again and after an interruption, quick fans that
never count, scores, errors in one line."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import SCENARIOS, twin
from tests.given.inside import called

BASE = SCENARIOS / "base.yaml"
TINY = (
    "--set",
    "audience.initial=100",
    "--set",
    "creators.human.initial=30",
    "--set",
    "warm_up=1d",
)


def make(out: str) -> list[str]:
    """A fan of two tiny worlds."""
    args = ["forecasts", "make", "E03", "--quick", "--worlds", "2", "--on", "local:1"]
    return [*args, "--world", str(BASE), "--out", out, *TINY]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished fan in ``out`` and what was printed in ``said``."""
    folder = tmp_path_factory.mktemp("forecasts")
    (folder / "said").write_text(twin(*make("out"), cwd=folder).stdout)
    return folder


def test_a_quick_fan_is_marked_and_stays_where_it_is(here: Path) -> None:
    """The file says so, the terminal too, and no folder of forecasts was written."""
    made = json.loads((here / "out" / "forecasts" / "E03.json").read_text())
    assert made["quick"] and made["worlds"] == 2 and made["status"] == "development"
    outcome = made["outcomes"][0]
    rows = pq.read_table(here / "out" / "results.parquet").to_pylist()
    values = [row["value"] for row in rows if row["outcome"] == outcome["id"]]
    assert len(values) == 2 and outcome["worlds"] == 2
    assert outcome["quantiles"]["50"] == pytest.approx(sum(values) / 2, rel=1e-5)
    assert sum(outcome["p"].values()) == pytest.approx(1)
    # what is chosen for people is opened more often than what is drawn at random
    assert outcome["quantiles"]["95"] < 0
    assert "This is no forecast" in (here / "said").read_text()
    assert not (here / "docs").exists() and not list((here / "out").rglob("*.world"))


def test_what_is_lost_is_made_again_to_the_same_bytes(here: Path, tmp_path: Path) -> None:
    """After a stop in the middle, by `twin resume`, as if nothing had happened."""
    shutil.copytree(here / "out", tmp_path / "out")
    one, other = sorted((tmp_path / "out" / "worlds").iterdir())
    shutil.rmtree(one)
    # the world at its fork is gone by now, so this runs again from the start
    next(path for path in other.iterdir() if path.name != "trunk.npy").unlink()
    for name in ("results.parquet", "report.html", "forecasts/E03.json"):
        (tmp_path / "out" / name).unlink()
    called("resume", "out", "--on", "local:1", cwd=tmp_path)
    for name in ("results.parquet", "forecasts/E03.json"):
        assert (tmp_path / "out" / name).read_bytes() == (here / "out" / name).read_bytes()
    assert "E03 Short video" in (tmp_path / "out" / "report.html").read_text()


def test_scores_are_printed(here: Path) -> None:
    """With the package's results of the development set, or with a key; quick fans have no
    sentence."""
    place = ["--from", "out/forecasts"]
    said = called("forecasts", "score", *place, cwd=here).stdout
    assert "E03.O1" in said and "-0.765" in said and "no sentence may be written" in said
    (here / "key.yaml").write_text("results: {E03: {O1: {y: -0.1, s: 0.05}}}\n")
    said = called("forecasts", "score", "--key", "key.yaml", *place, cwd=here).stdout
    assert "-0.1 (s 0.05)" in said and "Skill with 80 % interval: against N0" in said


def test_the_registry_is_listed(here: Path) -> None:
    """Short, and in full for one experiment."""
    said = called("forecasts", "list", "--world", BASE, cwd=here).stdout
    assert "E12" in said and "outcomes can be expressed in this world" in said
    said = called("forecasts", "list", "E03", "--world", BASE, cwd=here).stdout
    assert "drawn: audience.return_effect" in said and "confounders:" in said


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["make", "E33"], "no experiment E33 (did you mean E03?"),
        (["make", "E03", "--worlds", "5"], "--worlds 5: a forecast needs 30"),
        (["score"], "--from docs/forecasts: holds no forecasts"),
        (["score", "--from", "out/forecasts", "--key", "none.yaml"], "there is no file none.yaml"),
        (["score", "--from", "out/forecasts", "--key", "other.yaml"], "no forecast of E02"),
    ],
)
def test_wrong_usage_is_one_line(here: Path, args: list[str], words: str) -> None:
    """With the mend."""
    (here / "other.yaml").write_text("results: {E02: {O1: {category: '+'}}}\n")
    world = ["--world", str(BASE)] if args[0] == "make" else []
    done = called("forecasts", *args, *world, cwd=here, check=False)
    assert done.returncode == 2 and words in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not done.stdout
