"""`twin sweep` and `twin audit` as users call them: tables, the same bytes anywhere and again,
errors in one line, reports in a browser."""

import html
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conftest import SCENARIOS, settings, twin
from tests.e2e.reports import EVIL, page_of
from tests.given.inside import called
from twin.experiments.page import listed

WORLD = settings(
    "duration=6d",
    "audience.initial=120",
    "creators.human.initial=30",
    f"description={json.dumps(EVIL)}",
)
BASE = SCENARIOS / "base.yaml"
COMMANDS: dict[str, list[str]] = {
    "sweep": [
        "sweep",
        "--vary",
        "recommender.slate=5,20",
        "--vary",
        "chatbots.enabled=true,false",
        "--replicates",
        "2",
    ],
    "lhs": [
        "sweep",
        "--vary",
        "recommender.slate=4..20",
        "--vary",
        "recommender.retrain_every=1h..12h",
        "--points",
        "6",
    ],
    "steps": [
        "audit",
        "--at",
        "3d",
        "--replicates",
        "4",
        "--step",
        "slate x 2",
        "--step",
        "refresh",
        "--step",
        "quota: co",
        "--step",
        "personalisation 0",
        "--set",
        "recommender.refresh=10min",  # three times as long is the longest that may be set
    ],
    "morris": [
        "audit",
        "--at",
        "3d",
        "--replicates",
        "4",
        "--step",
        "slate x",
        "--method",
        "morris",
        "--trajectories",
        "4",
    ],
}


def command(name: str, out: str, *more: str) -> list[str]:
    """One of this file's commands."""
    first, *rest = COMMANDS[name]
    # what a command sets itself comes after the world's own settings, and wins
    return [first, str(BASE), *WORLD, *rest, "--out", out, *more]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each command's results and what it said."""
    folder = tmp_path_factory.mktemp("experiments")
    for name in COMMANDS:
        # the first as a user has it: in a process of its own
        run = twin if name == "sweep" else called
        (folder / f"{name}.txt").write_text(
            run(*command(name, name, "--on", "local:2"), cwd=folder).stdout
        )
    return folder


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_ends_with_its_report(name: str, here: Path) -> None:
    """The last line is where the report is; the folder says how many runs it took, and nothing
    failed."""
    assert (here / f"{name}.txt").read_text().endswith(f"report: {name}/report.html\n")
    manifest = json.loads((here / name / "manifest.json").read_text())
    assert manifest["status"] == "done" and manifest["failed"] == {}
    assert manifest["runs"] == {"sweep": 8, "lhs": 6, "steps": 8 + 4 * 4, "morris": 8 + 4 * 3}[name]


def test_a_sweep_is_one_table(here: Path) -> None:
    """Every point, replicate and series is a row; a mechanism that is off has no values; luck is
    the replicate's."""
    rows = pq.read_table(here / "sweep" / "results.parquet").to_pylist()
    points = {(row["point"], row["recommender.slate"], row["chatbots.enabled"]) for row in rows}
    assert points == {(0, "5", "true"), (1, "5", "false"), (2, "20", "true"), (3, "20", "false")}
    chats = {
        (row["chatbots.enabled"], bool(np.isfinite(row["value"])))
        for row in rows
        if row["metric"] == "trust_mean"
    }
    assert chats == {("true", True), ("false", False)}
    sessions = {
        (row["point"], row["replicate"]): row["value"]
        for row in rows
        if row["metric"] == "sessions"
    }
    assert len(sessions) == 8 and sessions[0, 0] != sessions[0, 1]
    ranks = pq.read_table(here / "lhs" / "ranks.parquet").to_pylist()
    assert {row["parameter"] for row in ranks} == {"recommender.slate", "recommender.retrain_every"}
    assert all(-1 <= row["correlation"] <= 1 and row["p"] <= row["q"] * (1 + 1e-9) for row in ranks)


def test_a_step_that_does_nothing_is_exactly_nothing(here: Path) -> None:
    """Candidates that are never co-viewed change nothing, to the last bit; a slate of another
    length does."""
    rows = {
        row["step"]: row for row in pq.read_table(here / "steps" / "results.parquet").to_pylist()
    }
    parts = pq.read_table(here / "steps" / "parts.parquet").to_pylist()
    for step, row in rows.items():
        assert row["force"] == pytest.approx(
            np.hypot(row["producer_effect"], row["consumer_effect"])
        )
        scores = [
            each
            for each in pq.read_table(here / "steps" / "scores.parquet").to_pylist()
            if each["step"] == step
        ]
        assert row["consumer_effect"] == pytest.approx(
            np.mean([each["consumer"] for each in scores]), abs=1e-12
        )
        mine = [
            part["sd"] * part["good"]
            for part in parts
            if part["step"] == step and part["side"] == "consumer" and part["counts"]
        ]
        assert row["consumer_effect"] == pytest.approx(np.mean(mine), abs=1e-9)
    assert rows["slate x 2"]["force"] > 0 and rows["refresh x 3"]["fixed"]


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("sweep", ["results", "ranks"]),
        ("steps", ["results", "parts", "scores"]),
        ("morris", ["results", "runs"]),
    ],
)
def test_the_same_bytes_on_one_worker_and_after_a_stop(
    name: str, tables: list[str], here: Path, tmp_path: Path
) -> None:
    """A folder from which results were lost goes on, with one worker, to the same tables and the
    same report's data."""
    shutil.copytree(here / name, tmp_path / name)
    wanted = {table: (tmp_path / name / f"{table}.parquet").read_bytes() for table in tables}
    lost = sorted((tmp_path / name).glob("points/*.npy" if name == "morris" else "runs/1/*.npy"))[
        :3
    ]
    for path in [*lost, *(tmp_path / name).glob("*.parquet")]:
        path.unlink()
    called("resume", name, "--on", "local:1", "--quiet", cwd=tmp_path)
    assert lost and all(path.exists() for path in lost)
    assert {
        table: (tmp_path / name / f"{table}.parquet").read_bytes() for table in tables
    } == wanted
    (tmp_path / name / "report.html").unlink()
    assert (
        called("report", name, cwd=tmp_path).stdout == f"{name}/report.html\n"
        and (tmp_path / name / "report.html").exists()
    )
    done = called("report", name, "--x", "sessions", cwd=tmp_path, check=False)
    assert done.returncode == 2 and "leave it out" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["sweep", "--vary", "recommender.dmi=1,2"], "did you mean"),
        (["sweep", "--vary", "recommender.dim=0,2"], "--vary"),
        (["sweep", "--vary", "recommender.dim=4..8", "--method", "grid"], "is a range"),
        (["audit", "--step", "dimensio x"], "did you mean"),
        (["audit", "--at", "9d"], "is after the end of the run"),
        (["audit", "--method", "sobol", "--points", "5"], "no power of two"),
        (
            ["audit", "--method", "morris", "--step", "weights"],
            "none of the chosen steps turns a numeric lever",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_nothing(
    args: list[str], words: str, tmp_path: Path
) -> None:
    """What is wrong, status 2, and no folder."""
    done = called(args[0], BASE, *args[1:], *WORLD, "--out", "out", cwd=tmp_path, check=False)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, (
        done.stderr
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_reports_open_in_a_browser(name: str, here: Path, browser: Any) -> None:
    """All is drawn, nothing is fetched or logged, hostile text stays text, and a phone shows it
    without scrolling sideways."""
    page, wrong = page_of(browser, here / name / "report.html", 390)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("img").count() == 0 and EVIL in page.locator("body").inner_text()
    page.close()


def test_the_summary_says_what_the_data_say(here: Path) -> None:
    """Which steps are distinguishable from noise and which only suggestive, and on how many runs
    all rests."""
    rows = pq.read_table(here / "steps" / "results.parquet").to_pylist()
    text = html.unescape((here / "steps" / "report.html").read_text())
    moved = [row for row in rows if row["towards"] != "nothing at all" and not row["q"] < 0.05]
    noise = [row["step"] for row in moved if not row["p"] < 0.05]
    assert not noise or f"Not distinguishable from noise: {listed(noise)}." in text
    assert (len(moved) > len(noise)) == (f"safe among the {len(rows)} steps tested" in text)
    assert "All this rests on 24 runs." in text
    assert "1 steps were left out" not in text
