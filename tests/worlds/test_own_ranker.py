"""Rankers of a scenario's own in worlds: those that do what a built-in one does give its bytes; any
one gives the same bytes on any number of threads, one by one, resumed, killed and forked."""

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, SMALL, history, twin
from tests.given.killed import killed
from tests.given.rankers import MODULE, ranked, write
from tests.worlds.shared import branched, cut, same_state
from twin.engine.simulation import Simulation
from twin.ground.errors import Foreign, Stopped
from twin.ground.units import DAY
from twin.running import drive
from twin.scenario.loading import load
from twin.world.checkpoint import latest

# What tells that a ranker of one's own was at work
ASIDE = ("recommender.rules", "recommender.own.", "recommender.ranker.")
NO_INDEX = "recommender.quota.nearest=0"  # only the value model and own rankers ask the index
TWINS = {
    "Newest": (NO_INDEX, "recommender.ranking=chronological"),
    "Popular": (NO_INDEX, "recommender.ranking=popularity"),
    "Value": (),
    "Value, odd dimension, fewer signals, less personal": (
        "recommender.dim=7",
        "recommender.signals.topic.on=false",
        "recommender.personalisation=0.4",
        "recommender.ai_factor=0.5",
        "recommender.diversity=0.3",
        "recommender.random_share=0.1",
        "recommender.exposure_floor=2",
        "recommender.small_withheld=0.3",
    ),
}


@pytest.mark.parametrize("case", TWINS)
def test_what_does_as_a_built_in_ranking_gives_its_bytes(case: str, tmp_path: Path) -> None:
    """By age it is `chronological`, by clicks `popularity`; the value model in plain numpy is the
    value model: every reading, column and array."""
    name, sets = case.partition(",")[0], TWINS[case]
    built_in, a = history(ranked(tmp_path / "a", "", *sets))
    plain = [each for each in sets if "ranking" not in each]
    own, b = history(ranked(tmp_path / "b", name, *plain))
    assert a.tobytes() == b.tobytes() and a[-1][own.world.board.index("sessions")] > 500
    odd = [each for each in same_state(built_in, own) if not each.startswith(ASIDE)]
    assert odd == []


@pytest.mark.parametrize("name", ["Lucky", "Clicker"])
def test_the_same_bytes_on_threads_one_by_one_and_resumed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Luck by person, session and post, and what was learned, do not depend on how sessions are
    batched, nor on where the run was saved."""
    scenario = ranked(tmp_path, name, "recommender.random_share=0.1")
    whole, a = history(scenario)
    assert same_state(whole, history(scenario, reference=True)[0]) == []
    rest = cut(scenario, 4 * DAY + 50 * 60, tmp_path / "saved", monkeypatch)
    assert same_state(whole, rest) == []
    if name == "Clicker":
        assert whole.world.state["recommender.ranker.seen"].sum() > 500
    _, other = history(ranked(tmp_path / "b", name, "recommender.random_share=0.1", "seed=2"))
    assert a.tobytes() != other.tobytes()


def test_forked_and_for_a_share(tmp_path: Path) -> None:
    """A branch in which a policy gives the ranker a share of people, and one of its own levers
    another value, is the run that had the policy from its start."""
    text = (
        "policies:\n  - {name: own, share: 0.5, set: {recommender.ranking: own}}\n"
        "  - {name: less, at: 7d, set: {recommender.ranker.share: 0.0}}\n"
    )
    scenario = ranked(tmp_path, "Clicker", "recommender.ranking=value", "duration=9d")
    trunk, branch, straight = branched(scenario, tmp_path, text)
    assert np.concatenate([trunk, branch]).tobytes() == straight.tobytes()
    alone = history(load(tmp_path / "out" / "scenario.yaml", ("replicate=3",)))[1]
    assert alone[: len(trunk)].tobytes() == trunk.tobytes()
    assert alone[-1].tobytes() != branch[-1].tobytes()


def ends_as(whole: Simulation, out: Path) -> None:
    """A run's newest checkpoint goes on to the bytes of the world that was never stopped."""
    rest = Simulation(load(out / "scenario.yaml"))
    newest = latest(out / "checkpoints")
    assert newest is not None
    rest.load(newest)
    assert 2 * DAY <= rest.now < rest.scenario.duration
    rest.run(rest.scenario.duration + 1)
    assert same_state(whole, rest) == []


def test_killed_and_resumed(tmp_path: Path) -> None:
    """kill -9 amid the run, then on from what was saved: the bytes of the run that nobody
    killed."""
    scenario = ranked(tmp_path, "Clicker")
    code = (
        "import twin.running.drive as r; r.CHECKPOINT_SIM_S = 86400;"
        "from twin.cli import main; main()"
    )
    sets = [part for value in (*SMALL, "duration=8d") for part in ("--set", value)]
    first = [sys.executable, "-c", code, "run", str(tmp_path / "x.yaml"), *sets, "--quiet"]
    out = tmp_path / "killed"
    assert killed([*first, "--out", str(out), "--threads", "2"], [], out, [2 * DAY]) == 1
    ends_as(history(scenario)[0], out)


WRONG = {
    "shape": ("return batch.age[:-1]", "score gave an array of shape ("),
    "nan": ("return np.where(batch.post == batch.post[0], np.nan, 1.0)", "score gave nan for "),
    "infinite": ("return np.full(batch.size, 1e300)", "score gave 1e+300 for "),
    "nothing": ("return None", "score gave NoneType, not an array of numbers"),
    "words": ("return ['a'] * batch.size", "score gave list, not an array of numbers"),
    "exception": (
        "return batch.age // int(0.0)[0]",
        "TypeError: 'int' object is not subscriptable",
    ),
    "no such thing": ("return batch.quality", "AttributeError: 'Batch' object has no attribute"),
    "writes": ("batch.age[:] = 0", "ValueError: assignment destination is read-only"),
    "keeps": ("self.keep['x'] = batch.age", "keep['x'] cannot be written here"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_answer_is_one_line(case: str, tmp_path: Path) -> None:
    """With the scenario's file and line, and that of the module where it failed there."""
    body, words = WRONG[case]
    module = MODULE.replace("return -batch.age", body)
    path = write(tmp_path, "{class: my.ranker.Newest}", module=module)
    with pytest.raises(Foreign) as caught:
        history(load(path, (*SMALL, "duration=2d")))
    said = str(caught.value)
    assert said.startswith("x.yaml:4 recommender.ranker: ") and words in said
    assert "\n" not in said and "Traceback" not in said
    if "score gave" not in words:
        at = 1 + module.split("\n").index(f"        {body}")
        assert f"{tmp_path / 'my' / 'ranker.py'}:{at}: " in said


def test_a_failure_amid_a_run_loses_nothing(tmp_path: Path) -> None:
    """What was saved is kept, and the line says how to go on; once what was missing is there, it
    ends with the bytes of a run that never failed."""
    body = "open('switch').close()\n        return -batch.age"
    body = f"if batch.at.max() > 4 * 86400:\n            {body}\n        return -batch.age"
    module = MODULE.replace("return -batch.age", body).replace("'switch'", f"'{tmp_path}/switch'")
    path = write(tmp_path, "{class: my.ranker.Newest}", module=module)
    scenario = load(path, (*SMALL, "duration=8d"))
    drive.CHECKPOINT_SIM_S, before = DAY, drive.CHECKPOINT_SIM_S
    try:
        with pytest.raises(Stopped, match=r"x\.yaml:4 recommender\.ranker: score: .*twin resume"):
            drive.start(scenario, tmp_path / "run")
    finally:
        drive.CHECKPOINT_SIM_S = before
    (tmp_path / "switch").touch()
    ends_as(history(scenario)[0], tmp_path / "run")


def test_check_says_who_ranks(tmp_path: Path) -> None:
    """Class, place and file; and whom it ranks for."""
    path = write(tmp_path, "{class: my.ranker.Clicker, prior: 9.0}")
    said = twin("check", path, cwd=ROOT).stdout
    assert (
        f"ranker my.ranker.Clicker (x.yaml:4, {tmp_path}/my/ranker.py) ranks for everybody" in said
    )
    assert "recommender.ranker.prior" in said and "9.0" in said
    said = twin("check", path, "--set", "recommender.ranking=value", cwd=ROOT).stdout
    assert "ranks for nobody at the start (recommender.ranking is value)" in said
