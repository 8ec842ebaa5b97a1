"""What comes from others: no code of theirs runs under ``--safe``, and what the project is made of
has licences that allow it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests import supply
from tests.unit.test_hard_input import called
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import Task, study
from twin.ground import safety
from twin.ground.errors import UsageError
from twin.record.results import FORMAT

MODULE = '''
from pathlib import Path

Path("ran").touch()

from twin.world.mechanism import Mechanism
from twin.world.params import Params


class Theirs(Mechanism[Params]):
    """Theirs."""

    name = "theirs"
    Params = Params
'''
SCENARIO = "name: x\nmechanisms:\n  theirs: {class: of_others_7.Theirs}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario of others with its code, which leaves a mark when it runs."""
    monkeypatch.chdir(tmp_path)
    # set and taken away again: the flag sets it for the process
    monkeypatch.setenv(safety.VARIABLE, "0")
    monkeypatch.delitem(sys.modules, "of_others_7", raising=False)
    (tmp_path / "of_others_7.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "x.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ["check", "x.yaml"],
        ["run", "x.yaml"],
        ["compare", "x.yaml", "--policy", "chronological"],
        ["sweep", "x.yaml", "--vary", "audience.leave=0..0.1"],
        ["audit", "x.yaml"],
        ["stress", "x.yaml", "--policy", "chronological", "--goal", "trust_mean"],
    ],
)
def test_a_scenario_that_names_a_class_is_refused(here: Path, command: list[str]) -> None:
    """In one line with its place, and before a line of its code runs."""
    status, shown, said = called(*command, "--safe")
    assert (status, shown) == (2, ""), said
    assert said.startswith("error: x.yaml:3 theirs.class: of_others_7 is code that did not come")
    assert sorted(path.name for path in here.iterdir()) == ["of_others_7.py", "x.yaml"]


def test_without_it_the_code_runs(here: Path) -> None:
    """Else the test above could not fail."""
    status, shown, _ = called("check", "x.yaml", "--explain", "audience.leave")
    assert status == 0 and shown and (here / "ran").exists()


@pytest.mark.parametrize("given", ["", "0", "1"])
def test_folders_of_others(here: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """A run that is resumed, by the environment that every command heeds."""
    monkeypatch.setenv(safety.VARIABLE, given)
    run = here / "run"
    run.mkdir()
    (run / "scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    manifest = {"format": FORMAT, "status": "interrupted", "scenario_digest": "0"}
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    status, _, said = called("resume", "run")
    assert (here / "ran").exists() == (given != "1")
    if given == "1":
        assert status == 2 and "run/scenario.yaml:3 theirs.class: of_others_7 is code" in said
    else:
        assert status == 1 and "scenario.yaml was changed since the run began" in said


def test_tasks_call_what_comes_with_twin(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of an experiment names its function, too."""
    monkeypatch.setenv(safety.VARIABLE, "1")
    args = {"call": "of_others_7:f", "args": {}, "seed": 1, "data": ""}
    with pytest.raises(UsageError, match="of_others_7 is code that did not come with twin"):
        study(Store(str(here / "e")), Task(kind="study", result="r.npy", args=args))
    assert not (here / "ran").exists()
    assert safety.refused("twinned.x") and not safety.refused("twin.experiments.x")


def test_licences_of_the_lock_are_allowed() -> None:
    """All of them are known; one that is not allowed, or unknown, would be found."""
    found = list(supply.packages(supply.LOCK.read_text(encoding="utf-8")))
    assert not [each for each in found if not each.allowed]
    for words in ("GPL-3.0-only", "MIT AND GPL-2.0", "", "Proprietary"):
        assert not supply.Package("x", "1", "", (), words).allowed
    assert supply.Package("x", "1", "", (), "GPL-2.0 OR (MIT AND BSD-3-Clause)").allowed


def test_the_bill_of_materials_is_the_lock() -> None:
    """Every pinned package with its hashes, each under a reference of its own."""
    text = supply.LOCK.read_text(encoding="utf-8")
    made = supply.bill(text)
    pinned = re.findall(r"^([\w.-]+)==([^ ;]+)", text, re.M)
    assert [(each["name"], each["version"]) for each in made["components"]] == pinned
    assert len({each["bom-ref"] for each in made["components"]}) == len(pinned) > 100
    hashes = [
        each["content"]
        for component in made["components"]
        for each in component["externalReferences"][0]["hashes"]
    ]
    assert hashes == re.findall(r"--hash=sha256:(\w{64})", text)
    assert made == supply.bill(text) and made["specVersion"] == "1.6"
