"""`twin stress` as users call it: a goal that fails in some worlds and not in others, a stopped
test goes on, wrong usage, the report."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import SCENARIOS, settings, twin
from tests.given.inside import called

GOAL = "consumers_joined < 20"
"""People come at a rate that is not known, 1 to 40 a day; about half of the worlds break it, those
with high rates."""
TABLES = ("results.parquet", "directions.parquet")


def command(out: str, *more: str) -> list[str]:
    """The test of this file."""
    return [
        "stress",
        str(SCENARIOS / "base.yaml"),
        "--policy",
        "half.yaml",
        "--goal",
        GOAL,
        "--uncertain",
        "audience.arrivals=1.0/d..40.0/d",
        "--at",
        "4d",
        "--worlds",
        "8",
        "--search",
        "2",
        "--confirm",
        "3",
        "--out",
        out,
        *settings("duration=10d", "audience.initial=150"),
        *more,
    ]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished test in ``out`` and what was said in ``said``."""
    folder = tmp_path_factory.mktemp("stress")
    (folder / "half.yaml").write_text("name: half\nset: {recommender.ai_factor: 0.5}\n")
    (folder / "said").write_text(twin(*command("out", "--on", "local:2"), cwd=folder).stdout)
    return folder


def test_it_fails_where_many_come(here: Path) -> None:
    """Margins are 20 less the people who came a day; failures lie where arrivals are high, and are
    said to; the worst is confirmed."""
    rows = pq.read_table(here / "out" / "results.parquet").to_pylist()
    assert [row["phase"] for row in rows] == ["drawn"] * 8 + ["search"] * 2 + ["confirm"] * 6
    for row in rows:
        assert row["margin"] == 20 - row["value"] and row["holds"] == (row["value"] < 20)
        rate = float(row["audience.arrivals"].removesuffix("/d"))
        assert abs(row["value"] - rate) < 5 * (rate / 6) ** 0.5 + 2  # Poisson over six days
    failing = [row for row in rows[:8] if not row["holds"]]
    assert 0 < len(failing) < 8
    said = (here / "said").read_text()
    assert (
        f"It failed in {len(failing)} of 8 worlds drawn" in said
        and "It fails where audience.arrivals is high" in said
    )
    assert "the failure is confirmed" in said
    facts = json.loads((here / "out" / "manifest.json").read_text())
    assert (
        facts["status"] == "done"
        and facts["verdicts"][0]["fails"] == len(failing)
        and facts["verdicts"][0]["worst"] == "fails"
    )
    assert not list((here / "out").glob("runs/*/*/*.world"))


def test_what_is_lost_is_done_again_to_the_same_bytes(here: Path, tmp_path: Path) -> None:
    """On one worker instead of two, and after a stop in the middle of the search, the tables are
    the same to the last byte."""
    out = tmp_path / "out"
    shutil.copytree(here / "out", out)
    for name in (*TABLES, "report.html"):
        (out / name).unlink()
    shutil.rmtree(next(out.glob("runs/9-*")))
    shutil.rmtree(next(out.glob("runs/*/12")))
    said = called("resume", "out", "--on", "local:1", cwd=tmp_path).stdout
    assert "resumes out" in said and "on 1 workers" in said
    for name in TABLES:
        assert (out / name).read_bytes() == (here / "out" / name).read_bytes()
    assert (out / "report.html").exists()


def test_the_report_tells_what_the_data_say(here: Path, tmp_path: Path) -> None:
    """Numbers of the summary are those of the table; it is one file that fetches nothing; it can be
    written anew."""
    text = (here / "out" / "report.html").read_text()
    rows: list[dict[str, Any]] = pq.read_table(here / "out" / "results.parquet").to_pylist()
    fails = sum(not row["holds"] for row in rows[:8])
    assert f"It failed in {fails} of 8 worlds drawn" in text and "consumers_joined &lt; 20" in text
    assert "8 drawn, 2 searched, 6 fresh" in text
    outside = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"<(link|img|iframe|[a-z]+ src)", outside) and not re.search(
        r"<script[^>]* src=", text
    )
    shutil.copytree(here / "out", tmp_path / "out", ignore=shutil.ignore_patterns("runs"))
    assert called("report", "out", cwd=tmp_path).stdout == "out/report.html\n"
    assert (
        "--x: the report of a stress test has no such map"
        in called("report", "out", "--x", "posts", cwd=tmp_path, check=False).stderr
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--goal", "consumers_join < 20"], "did you mean consumers_joined?"),
        (["--goal", "consumers_joined"], "is no goal; write METRIC OP NUMBER"),
        (["--goal", GOAL, "--goal", GOAL], "is given twice"),
        (
            ["--goal", GOAL, "--uncertain", "audience.patience=0.5..1.5"],
            "--uncertain audience.patience=0.5..1.5: at audience.patience=1.5",
        ),
        (
            ["--goal", GOAL, "--uncertain", "audience.patiense=0.5..0.9"],
            "did you mean audience.patience?",
        ),
    ],
)
def test_wrong_usage_is_one_line(args: list[str], words: str, tmp_path: Path) -> None:
    """Every error that a user can cause is one line with what is wrong, and status 2; nothing is
    begun."""
    (tmp_path / "half.yaml").write_text("name: half\nset: {recommender.ai_factor: 0.5}\n")
    done = called(
        "stress",
        SCENARIOS / "base.yaml",
        "--policy",
        "half.yaml",
        *args,
        "--out",
        "out",
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, (
        done.stderr
    )
    assert not (tmp_path / "out").exists()
