"""Runs found again: `twin ls`, names and tags."""

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SCENARIOS
from tests.given.inside import called
from twin.experiments.experiment import Experiment
from twin.record import naming
from twin.record.mailbox import command, is_open
from twin.record.results import load_manifest
from twin.record.watch import Frame, RunInfo, Watcher
from twin.running import drive
from twin.scenario.loading import Scenario, load

TINY = (
    "duration=2d",
    "warm_up=0d",
    "policies=[]",
    "audience.initial=40",
    "creators.human.initial=8",
    "creators.ai.initial=2",
)
SETS = [f"--set={entry}" for entry in TINY]


@pytest.fixture(scope="module")
def tiny() -> Scenario:
    return load(SCENARIOS / "base.yaml", TINY)


class Stopping(Watcher):
    """A user who presses Ctrl-C in the first hours."""

    def update(self, frame: Frame) -> None:
        os.kill(os.getpid(), signal.SIGINT)


class Pausing(Watcher):
    """A user who pauses the run after its first hour."""

    def __init__(self) -> None:
        self.rests = threading.Event()

    def begin(self, info: RunInfo) -> None:
        (info.out / "mailbox" / "0.json").write_text('{"do": "pause"}', encoding="utf-8")

    def update(self, frame: Frame) -> None:
        if frame.paused:
            self.rests.set()


def listed(here: Path, *args: str) -> dict[str, dict[str, Any]]:
    """What `twin ls --json` prints, by folder."""
    found = json.loads(called("ls", "--json", *args, cwd=here).stdout)["found"]
    return {each["folder"]: each for each in found}


def test_names_and_tags_change_nothing_that_is_computed_and_are_kept(
    tiny: Scenario, tmp_path: Path
) -> None:
    """A named run has the bytes of one without a name; a resumed run keeps its name, its report
    and its line in the list show it."""
    base = SCENARIOS / "base.yaml"
    names = ("--name", "likes <only>", "--tag", "pilot", "--tag", "likes")
    called("run", base, *SETS, "-q", "--out", "runs/named", *names, cwd=tmp_path)
    with naming.giving(None, ["pilot"]):
        drive.start(tiny, tmp_path / "runs" / "plain", watcher=Stopping())
    before = listed(tmp_path)["runs/plain"]
    assert (before["state"], before["resumable"], before["tags"]) == ("stopped", True, ["pilot"])
    assert 0 < before["days_done"] < 2
    called("resume", "runs/plain", "-q", cwd=tmp_path)
    named, plain = tmp_path / "runs" / "named", tmp_path / "runs" / "plain"
    for file in ("metrics.parquet", "events.parquet", "scenario.yaml"):
        assert (named / file).read_bytes() == (plain / file).read_bytes()
    mine, theirs = load_manifest(named), load_manifest(plain)
    assert mine["scenario_digest"] == theirs["scenario_digest"] and mine.keys() == theirs.keys()
    assert "<title>likes &lt;only&gt; · twin" in (named / "report.html").read_text(encoding="utf-8")
    assert "<title>base · twin" in (plain / "report.html").read_text(encoding="utf-8")
    # both, one by its second tag, none by a word that is no tag
    assert listed(tmp_path, "--tag", "pilot").keys() == {"runs/named", "runs/plain"}
    (found,) = listed(tmp_path, "--tag", "pilot", "--tag", "likes").values()
    assert {key: found[key] for key in ("name", "tags", "state", "days_done", "days", "kind")} == {
        "name": "likes <only>",
        "tags": ["likes", "pilot"],
        "state": "done",
        "days_done": 2.0,
        "days": 2.0,
        "kind": "run",
    }
    assert (found["scenario"], found["seed"]) == ("base", tiny.seed)
    table = called("ls", "runs", cwd=tmp_path).stdout.splitlines()
    assert len(table) == 3 and table[0].split()[:3] == ["folder", "name", "tags"]
    assert any("likes <only>" in line and "2/2" in line and "done" in line for line in table)
    assert called("ls", "--tag", "pilo", cwd=tmp_path).stdout == (
        "no runs or experiments in this folder with pilo (did you mean pilot?)\n"
    )


def test_a_paused_run_is_listed_as_paused(tiny: Scenario, tmp_path: Path) -> None:
    """What lives is asked; a fork of it is listed as its branch, under the same tags."""
    user, out = Pausing(), tmp_path / "a"

    def run() -> None:
        with naming.giving("slow one", ["live"]):
            drive.start(tiny, out, watcher=user)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert user.rests.wait(300)
        assert listed(tmp_path)["a"]["state"] == "paused"
        called("fork", "a", "--name", "half", cwd=tmp_path)
        both = listed(tmp_path, "--tag", "live")
        assert both["a-half"]["kind"] == "branch half" and both["a-half"]["resumable"]
        assert both["a-half"]["name"] == "slow one"
    finally:
        if is_open(out):
            command(out, {"do": "continue"})
        thread.join(300)
    assert listed(tmp_path)["a"]["state"] == "done"


@pytest.mark.parametrize(
    "asked",
    [
        ("compare", "base", "--policy", "chronological"),
        ("sweep", "base", "--vary", "recommender.dim=4,8"),
        ("audit", "base", "--step", "slate"),
        ("stress", "base", "--policy", "chronological", "--goal", "satisfaction_mean > 0"),
    ],
    ids=lambda asked: asked[0],
)
def test_an_experiment_keeps_the_name_it_was_given(asked: tuple[str, ...], tmp_path: Path) -> None:
    """On the command line, though all of them go by way of functions that may be given another.
    Refused before anything is computed, they have their folder already."""
    names = ("--name", "for the boss", "--tag", "feeds", "--on", "nowhere")
    called(*asked, "--set", "policies=[]", "--out", "a", *names, cwd=tmp_path, check=False)
    assert naming.read(tmp_path / "a") == naming.Naming("for the boss", ("feeds",))


def test_what_is_given_within_goes_before_what_is_given_around() -> None:
    with naming.giving("around", ["a"]), naming.giving("within", []):
        assert naming.given() == naming.Naming("within", ("a",))
    assert naming.given() == naming.NOTHING


def test_experiments_and_what_cannot_be_read_are_listed(tiny: Scenario, tmp_path: Path) -> None:
    """An experiment's kind and names; a damaged manifest with its reason; nothing of what is
    somebody else's or lies deeper."""
    with naming.giving("which feed", ["pilot"]):
        Experiment(str(tmp_path / "runs" / "compare-1"), "compare", {}, tiny).finish("interrupted")
    # the same command without a name keeps the old one
    Experiment(str(tmp_path / "runs" / "compare-1"), "compare", {}, tiny)
    for place, text in {
        "broken": "{",
        "half": '{"run_id": "x"}',
        "page": '{"short_name": "app"}',
        "deep/er/run": '{"run_id": "x"}',
        "gone.part": "{",
    }.items():
        (tmp_path / "runs" / place).mkdir(parents=True)
        (tmp_path / "runs" / place / "manifest.json").write_text(text, encoding="utf-8")
    (tmp_path / "runs" / "half" / "name.json").write_text("[]", encoding="utf-8")
    found = listed(tmp_path)
    assert found.keys() == {"runs/compare-1", "runs/broken", "runs/half"}
    one = found["runs/compare-1"]
    assert (one["kind"], one["name"], one["tags"]) == ("comparison", "which feed", ["pilot"])
    assert (one["state"], one["resumable"]) == ("stopped", True)
    assert found["runs/broken"]["why"] == "manifest.json is no JSON"
    assert found["runs/half"]["why"] == "manifest.json lacks status"
    assert "unreadable: manifest.json is no JSON" in called("ls", cwd=tmp_path).stdout
    assert listed(tmp_path, "runs", "runs/compare-1").keys() == found.keys()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("ls", "run"), "error: there is no folder run (did you mean runs?)"),
        (("--tag", "a b"), "error: --tag a b: a tag is one word (such as a-b)"),
        (("--tag", ""), "error: --tag : a tag is one word (such as a-word)"),
        (("--name", "a\nb"), "error: --name a\\nb: holds characters that cannot be printed"),
        (("--name", "x" * 121), f"error: --name {'x' * 20}...: is 121 characters long, at most"),
    ],
)
def test_what_is_refused(args: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """One line with flag, reason and mend; no folder is made."""
    (tmp_path / "runs").mkdir()
    given = (
        args if args[0] == "ls" else ("run", SCENARIOS / "base.yaml", *SETS, "--out", "x", *args)
    )
    done = called(*given, cwd=tmp_path, check=False)
    assert done.returncode != 0 and done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "x").exists()
