"""Commands say what cannot act before they run, and their reports do after."""

import html
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import SCENARIOS, settings
from tests.given.inside import called
from twin.readers.baseline import policies_in_force
from twin.record.results import load_events

BASE = SCENARIOS / "base.yaml"
VAIN = "recommender.tables.post.slots=256,65536"


def test_sweep_says_it_on_the_terminal_and_in_the_report(tmp_path: Path) -> None:
    """Two points that are the same to the last digit are not left without a word."""
    done = called(
        "sweep", BASE, *settings("duration=1d"), "--vary", VAIN, "--out", "out", cwd=tmp_path
    )
    text = (
        "recommender.tables.post.slots: varying it cannot act while recommender.tables.post.kind "
        "is collisionless"
    )
    assert f"warning: {text}" in done.stderr
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["remarks"] == [text]
    assert text in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize("method", ["steps", "morris"])
def test_audit_says_what_comes_too_late(method: str, tmp_path: Path) -> None:
    """A new dimension whose model would take over after the last day is no null effect: it is left
    out, and said before a world is run, at the end and in the report."""
    effort = [] if method == "steps" else ["--trajectories", "4"]
    steps = ["--step", "dimension x 4", "--step", "slate / 2"]
    done = called(
        "audit",
        BASE,
        *settings("duration=3d", "audience.initial=60"),
        *("--at", "2d", "--replicates", "4", "--method", method, *effort, *steps, "--out", "out"),
        cwd=tmp_path,
    )
    why = (
        "acts too late: the new model warms up for 7d (recommender.migration_warm_up) and would "
        "take over after the run ends, at 9d"
    )
    assert done.stderr.splitlines()[0] == f"warning: recommender.dim {why}, so it is left out"
    named = "dimension x 4" if method == "steps" else "recommender.dim"
    assert f"left out: {named}: {why}" in done.stdout
    told = html.unescape((tmp_path / "out" / "report.html").read_text())
    assert why in told and (tmp_path / "out" / "results.parquet").exists()
    names = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    kept = {row["step" if method == "steps" else "lever"] for row in names}
    assert named not in kept and any("slate" in one for one in kept)


def test_run_and_check_say_it(tmp_path: Path) -> None:
    """A run is not refused for a policy after its end, and says so before and after."""
    late = "policies=[{name: late, at: 9d, set: {recommender.slate: 8}}]"
    args = (BASE, *settings("duration=1d"), "--set", late)
    text = "policy late: begins at 9d, after the end of the run (1d), so it is never in effect"
    assert text in called("check", *args, cwd=tmp_path).stdout
    done = called("run", *args, "--quiet", "--out", "out", cwd=tmp_path)
    assert f"warning: --set policies: {text}" in done.stderr
    assert text in (tmp_path / "out" / "report.html").read_text()


def test_policies_of_one_instant_are_one_event_and_idle_ones_none(tmp_path: Path) -> None:
    """Three at once, of which one changes nothing: the report names one event, of the two that act,
    and says of the third what it did."""
    plan = (
        "policies=[{name: narrow, at: 8d, set: {recommender.slate: 3}}, {name: same, at: 8d, set: "
        "{recommender.preset: x_2026}}, {name: blind, at: 8d, set: {recommender.personalisation: "
        "0}}, {name: again, at: 12d, set: {recommender.slate: 3}}]"
    )
    called(
        "run",
        BASE,
        *settings("duration=24d"),
        "--set",
        plan,
        "--out",
        "out",
        "--quiet",
        cwd=tmp_path,
    )
    events = load_events(tmp_path / "out")
    assert [text for _, kind, text in events if kind == "policy"] == [
        "narrow: recommender.slate -> 3",
        "same: nothing changes: recommender.preset is x_2026",
        "blind: recommender.personalisation -> 0.0",
        "again: nothing changes: recommender.slate is 3",
    ]
    assert [name for _, name in policies_in_force(events)] == ["narrow + blind"]
    text = (tmp_path / "out" / "report.html").read_text()
    assert "within two weeks of “narrow + blind”" in html.unescape(text)
    assert "within two weeks of “same" not in text
    assert "same began on 09 January 2025 and changed nothing" in text
    assert "again began on 13 January 2025 and changed nothing" in text
