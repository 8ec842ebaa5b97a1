"""Hands on a run that goes on: what is done becomes part of its record, and the record replays to
the same bytes."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import PATIENCE_S, ROOT, settings
from tests.given.inside import called
from twin.engine.simulation import Simulation
from twin.ground.errors import UsageError
from twin.ground.units import DAY, HOUR, NEVER
from twin.record import mailbox
from twin.record.results import load_events, load_manifest, load_metrics
from twin.record.watch import Frame, Watcher
from twin.running import drive as run
from twin.running import folder as runfolder
from twin.running.pace import LAG_S, Pace
from twin.scenario.loading import Scenario, load

LIKES = "name: likes by hand\nset: {recommender.preset: likes}\n"
GUARD = "name: guard by hand\nwhen: creator_human_share < 2\nshare: 0.5\nset: {audience.counts_shown: false}\n"
Small = Callable[..., Scenario]


def begun(here: Path, *more: str, flags: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """A small run in a process of its own, held at its beginning."""
    command = [
        sys.executable,
        "-m",
        "twin",
        "run",
        str(ROOT / "scenarios" / "base.yaml"),
        "--out",
        "a",
        *settings(*more),
        *flags,
        "--pace",
        "0.001",
    ]
    process = subprocess.Popen(
        command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + PATIENCE_S
    while not mailbox.is_open(here / "a") and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return process


def finished(process: subprocess.Popen[str], here: Path) -> None:
    """Let it go on to its end."""
    called("pace", "a", "max", cwd=here)
    assert process.wait(PATIENCE_S) == 0, process.stderr and process.stderr.read()


def tables(folder: Path) -> list[bytes]:
    return [(folder / f"{name}.parquet").read_bytes() for name in ("metrics", "events")]


class Hand(Watcher):
    """Gives commands to a run in a thread of this process; stops it by mail at the very hour at
    which it should stand."""

    def __init__(self, out: Path) -> None:
        self.out, self.stop_s = out, HOUR
        self.frames: list[tuple[int, float]] = []

    def update(self, frame: Frame) -> None:
        self.frames.append((frame.now_s, frame.health["paused"]))
        if frame.now_s >= self.stop_s:
            self.stop_s = NEVER
            (self.out / "mailbox" / "0.json").write_text('{"do": "pause"}')

    def __call__(self, what: str, **more: Any) -> dict[str, Any]:
        return mailbox.command(self.out, {"do": what, **more})

    def wait(self) -> int:
        """Wait until it has stopped; returns the simulated time."""
        reply = self.out / "mailbox" / "0.reply"
        while not reply.exists():
            time.sleep(0.005)
        now: int = json.loads(reply.read_text())["now_s"]
        reply.unlink()
        return now

    def forward(self, to_s: int) -> int:
        """Let the run go on until a time."""
        self.stop_s = to_s
        self("continue")
        return self.wait()


@contextmanager
def held(scenario: Scenario, out: Path, **how: Any) -> Iterator[Hand]:
    """A run in a thread, paused after its first hour, and a hand on it. Afterwards it goes on to
    its end."""
    hand = Hand(out)
    thread = threading.Thread(
        target=run.start, args=(scenario, out), kwargs={"watcher": hand, **how}
    )
    thread.start()
    try:
        assert hand.wait() == HOUR
        yield hand
    finally:
        if mailbox.is_open(out):
            hand("pace", days_per_second=None)
            hand("continue")
        thread.join(300)
    assert not thread.is_alive()


def replayed(folder: Path, out: Path, **how: Any) -> list[bytes]:
    """Tables of the scenario in a run's folder, run from its start."""
    assert run.start(load(folder / "scenario.yaml"), out, **how).status == "done"
    return tables(out)


def resumed(folder: Path) -> list[bytes]:
    assert run.resume(folder).status == "done"
    return tables(folder)


def test_what_was_done_by_hand_replays_to_the_same_bytes(tmp_path: Path) -> None:
    """Policies given now, at a date and on a condition; the scenario in the folder, run anew, gives
    the same tables."""
    (tmp_path / "likes.yaml").write_text(LIKES)
    (tmp_path / "guard.yaml").write_text(GUARD)
    (tmp_path / "later.yaml").write_text(
        "name: later\nuntil: 25d\nset: {recommender.diversity: 0.9}\n"
    )
    process = begun(tmp_path)
    assert "paused" in called("pause", "a", cwd=tmp_path).stdout
    assert "20 simulated days per second" in called("pace", "a", "20", cwd=tmp_path).stdout
    assert "likes by hand" in called("intervene", "a", "likes.yaml", cwd=tmp_path).stdout
    assert "guard by hand" in called("intervene", "a", "guard.yaml", cwd=tmp_path).stdout
    assert (
        "on 21 January 2025"
        in called("intervene", "a", "later.yaml", "--at", "2025-01-21", cwd=tmp_path).stdout
    )
    called("continue", "a", cwd=tmp_path)
    finished(process, tmp_path)
    called("run", "a/scenario.yaml", "--out", "b", "--quiet", cwd=tmp_path)
    assert tables(tmp_path / "a") == tables(tmp_path / "b")
    kinds = [text for _, kind, text in load_events(tmp_path / "a") if kind == "policy"]
    assert [text.split(":")[0] for text in kinds] == [
        "likes by hand",
        "guard by hand",
        "later",
        "later",
    ]
    assert not (tmp_path / "a" / "mailbox").exists()


def test_a_list_in_the_reference_mode_replays_in_both_modes(small: Small, tmp_path: Path) -> None:
    """A list of policies with times of their own and for shares, given twice in the same hour, to a
    run of one process per consumer."""
    first = (
        "policies:\n- {name: now, set: {recommender.preset: likes}}\n"
        "- {name: own time, at: 4d, until: 5d, share: 0.3, set: {audience.counts_shown: false}}\n"
    )
    with held(small("duration=6d"), tmp_path / "a", reference=True) as hand:
        now = hand.forward(DAY)
        said = hand("intervene", policy=first)
        assert said["now_s"] == now
        assert (
            "now: on 2 January 2025" in said["ok"] and "own time: on 5 January 2025" in said["ok"]
        )
        assert (
            hand(
                "intervene", policy="name: same hour\nramp: 1d\nset: {recommender.diversity: 0.8}\n"
            )["now_s"]
            == now
        )
        hand("intervene", policy=GUARD, at="3d")
    made = tables(tmp_path / "a")
    assert load_manifest(tmp_path / "a")["reference"] is True
    assert made == replayed(tmp_path / "a", tmp_path / "b")
    assert made == replayed(tmp_path / "a", tmp_path / "c", reference=True)
    names = [
        text.split(":")[0] for _, kind, text in load_events(tmp_path / "a") if kind == "policy"
    ]
    assert names == ["now", "same hour", "guard by hand", "own time", "own time"]
    kept = [load(tmp_path / "a" / "scenario.yaml").policies[i].name for i in range(4)]
    assert kept == ["now", "own time", "same hour", "guard by hand"]
    assert [path.name for path in sorted((tmp_path / "a" / "interventions").iterdir())] == [
        "001.yaml",
        "002.yaml",
        "003.yaml",
    ]


def test_pause_holds_and_continue_goes_on(small: Small, tmp_path: Path) -> None:
    """While it is paused no simulated time passes and the watchers are told so; what was paused
    ends with the same bytes."""
    with held(small("duration=6d"), tmp_path / "a") as hand:
        now = hand.forward(DAY)
        assert now == DAY
        before = len(hand.frames)
        while len(hand.frames) < before + 4:  # it tells several times a second that it waits
            time.sleep(0.02)
        assert set(hand.frames[before + 1 :]) == {(now, 1.0)}
        assert (hand("status")["now_s"], hand("status")["ok"]) == (now, "paused")
        hand("pace", days_per_second=50)
        assert hand("status")["now_s"] == now, "a pace does not end a pause"
        assert hand.forward(2 * DAY) == 2 * DAY
        hand("continue")
    assert tables(tmp_path / "a") == replayed(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_paused_run_that_is_ended_goes_on_where_it_stood(
    end: signal.Signals, tmp_path: Path
) -> None:
    """Ctrl-C, kill and kill -9 while it is held right after a policy was given: it resumes from
    there, and replays to the same bytes."""
    (tmp_path / "likes.yaml").write_text(LIKES)
    process = begun(tmp_path, "duration=5d", flags=("--quiet",))
    called("pause", "a", cwd=tmp_path)
    said = called("intervene", "a", "likes.yaml", cwd=tmp_path).stdout
    process.send_signal(end)
    code = process.wait(PATIENCE_S)
    manifest = load_manifest(tmp_path / "a")
    if end is signal.SIGKILL:
        assert (tmp_path / "a" / "mailbox" / "open").exists()
        assert manifest["status"] == "running"
    else:
        assert code == 130
        assert manifest["status"] == "interrupted"
        hour = said.split()[1]
        assert manifest["reached_s"] == int(hour[:2]) * HOUR + int(hour[3:]) * 60, (
            "it did not move on"
        )
    lost = called("pause", "a", cwd=tmp_path, check=False)
    assert (
        lost.returncode == 2
        and "nothing runs there now" in lost.stderr
        and len(lost.stderr.splitlines()) == 1
    )
    assert resumed(tmp_path / "a") == replayed(tmp_path / "a", tmp_path / "b")
    assert any(
        "likes by hand" in text for _, kind, text in load_events(tmp_path / "a") if kind == "policy"
    )


def test_a_run_that_was_held_before_its_first_hour_begins_once(
    small: Small, tmp_path: Path
) -> None:
    """A checkpoint at time zero is taken up, not begun anew on top of what it holds."""
    scenario = small("duration=2d")
    simulation = Simulation(scenario)
    runfolder.create(tmp_path / "a", scenario, simulation)
    simulation.begin()
    simulation.save(tmp_path / "a" / "checkpoints" / "t0")
    assert resumed(tmp_path / "a") == replayed(tmp_path / "a", tmp_path / "b")


def test_pace_is_kept_and_little_is_made_up_for(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paced run is not ahead of its pace, from the command on; after a delay it makes up for a
    second of it at most."""
    with held(small("duration=10d"), tmp_path / "a") as hand:
        hand("pace", days_per_second=4)
        began = time.monotonic()
        hand("continue")
        while (now := hand("status")["now_s"]) < 4 * DAY:
            assert (now - HOUR) / DAY <= 4 * (time.monotonic() - began + LAG_S) + 2 * HOUR / DAY
            time.sleep(0.01)
    clock = [1000.0]
    monkeypatch.setattr("twin.running.pace.time.monotonic", lambda: clock[0])
    pace = Pace(1.0, 0)
    assert pace.ahead(DAY)  # a day in no time
    clock[0] += 1.5
    assert not pace.ahead(DAY)
    clock[0] += 100  # the machine slept
    assert not pace.ahead(DAY)
    assert not pace.ahead(2 * DAY)
    assert pace.ahead(2 * DAY + HOUR), "of a hundred days it makes up for one"


WRONG = {
    "name: a\nset:\n  recommender.presett: likes\n": (3, "did you mean recommender.preset?"),
    "name: a\n\nat: 10min\nset: {recommender.preset: likes}\n": (3, "has already passed"),
    "name: a\nat: 99d\nset: {recommender.preset: likes}\n": (2, "99d"),
    "name: likes by hand\nset: {recommender.preset: likes}\n": (1, "likes by hand"),
    "name: a\nset: {recommender.preset: [\n": (3, "is not YAML"),
    "": (1, "is not a policy"),
    "- 5\n": (1, "is not a policy"),
    "just words\n": (1, "is not a policy"),
    "policies: []\n": (1, "has no policy"),
    "policies:\n- 5\n": (2, "is not a policy"),
    "name: a\npolicies:\n- {name: b, set: {recommender.preset: likes}}\n": (
        1,
        "stands beside a list",
    ),
    "policies:\n- name: a\n  use: b.yaml\n": (3, "cannot use a file"),
    "name: a\nuse: b.yaml\n": (2, "cannot use a file"),
    "name: a\nwhen: no_such_metric < 1\nset: {recommender.preset: likes}\n": (2, "no_such_metric"),
    "name: a\nset: {recommender.preset: !!python/object/apply:os.system [echo]}\n": (
        2,
        "tags are not used",
    ),
    "policies:\n"
    + "".join(
        f"- {{name: s{i}, share: 0.5, set: {{audience.counts_shown: false}}}}\n" for i in range(9)
    ): (0, "share"),
}


def test_what_cannot_act_is_said_in_the_reply(small: Small, tmp_path: Path) -> None:
    """A policy that is applied and changes nothing, or whose model would take over after the last
    day, is a warning and no error, as in a scenario."""
    with held(small("duration=4d"), tmp_path / "a") as hand:
        late = hand("intervene", policy="name: cut\nset: {recommender.dim: 4}\n")["ok"]
        same = hand("intervene", policy="name: same\nset: {recommender.dim: 4}\n")["ok"]
        acts = hand("intervene", policy=LIKES)["ok"]
    assert "; warning: recommender.dim acts too late: the new model warms up for 7d" in late
    assert same.endswith("; warning: changes nothing: recommender.dim is 4 already under cut")
    assert "warning" not in acts


def test_what_cannot_be_done_is_said_with_its_place_and_changes_nothing(
    small: Small, tmp_path: Path
) -> None:
    """Every wrong policy, time, name and command is one error with the user's file and line; the
    run ends as if nothing had been said."""
    scenario = small("duration=4d")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with held(scenario, tmp_path / "a") as hand:
        hand("intervene", policy=LIKES)
        before = (tmp_path / "a" / "scenario.yaml").read_bytes(), load_manifest(tmp_path / "a")
        for policy, (line, reason) in WRONG.items():
            with pytest.raises(UsageError) as caught:
                hand("intervene", policy=policy, source="my.yaml")
            place = f"my.yaml:{line}" if line else "my.yaml"
            assert any(
                one.startswith(place) and reason in one for one in str(caught.value).splitlines()
            ), (policy, str(caught.value))
        for at, reason in {
            "0d": "has already passed",
            "2024-06-01": "before the run",
            "2025-13-01": "neither",
            "soon": "neither",
            "": "neither",
            "-5d": "neither",
            "99d": "99d",
            "2999-01-01": "longer|end|after",
        }.items():
            with pytest.raises(UsageError, match=reason):
                hand(
                    "intervene",
                    policy="name: a\nset: {recommender.diversity: 0.5}\n",
                    at=at,
                    source="my.yaml",
                )
        for nonsense in (
            {"what": "fly"},
            {"what": "pace", "days_per_second": True},
            {"what": "pace", "days_per_second": "5"},
            {"what": "pace", "days_per_second": float("nan")},
            {"what": "pace", "days_per_second": -1},
            {"what": "pace", "days_per_second": 10**400},
            {"what": "intervene"},
            {"what": "intervene", "policy": 5},
            {"what": "intervene", "policy": LIKES, "at": [1]},
            {"what": "fork", "branch": "main"},
            {"what": "fork", "branch": "../up"},
            {"what": "fork", "branch": ""},
            {"what": "fork", "out": str(tmp_path / "taken")},
            {"what": "fork", "out": "\0"},
            {"what": "fork", "at": "2d"},
            {"what": "fork", "policy": "{"},
        ):
            with pytest.raises(UsageError) as refused:
                pytest.fail(f"{nonsense}: {hand(**nonsense)}")
            assert "the command failed" not in str(refused.value)
        assert (
            (tmp_path / "a" / "scenario.yaml").read_bytes(),
            load_manifest(tmp_path / "a"),
        ) == before
        assert [path.name for path in (tmp_path / "a" / "interventions").iterdir()] == ["001.yaml"]
    assert tables(tmp_path / "a") == replayed(tmp_path / "a", tmp_path / "b")
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b", "taken"}


class Crash(BaseException):
    """The end of a process in the midst of a write."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("write", range(4))
def test_a_crash_while_a_policy_is_written_down_leaves_the_old_or_the_new(
    small: Small, write: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each write of the amended record: what resumes has the policy in all its places, or in
    none."""
    out, real, writes = tmp_path / "a", runfolder._write, [0]

    def crashing(path: Path, text: str) -> None:
        if writes[0] == write:
            raise Crash
        writes[0] += 1
        real(path, text)

    with held(small("duration=3d"), out) as hand:
        monkeypatch.setattr(runfolder, "_write", crashing)
        with pytest.raises(UsageError, match="the run ended"):
            hand("intervene", policy=LIKES)
    monkeypatch.setattr(runfolder, "_write", real)
    has = write == 3  # the scenario had been written
    scenario, _ = runfolder.open_(out)
    assert [policy.name for policy in scenario.policies] == ["likes by hand"] * has
    assert [path.name for path in (out / "interventions").iterdir()] == ["001.yaml"] * has
    if write >= 2:
        made = resumed(out)
        assert "next_digest" not in load_manifest(out)
        assert made == replayed(out, tmp_path / "b")


def test_forks(small: Small, tmp_path: Path) -> None:
    """Branches of a run, of a stopped run and of a branch: the same history, labels of their own,
    and the world of a run from the start."""
    scenario, out = small("duration=6d"), tmp_path / "a"
    with held(scenario, out) as hand:
        now = hand.forward(2 * DAY + 5 * HOUR)
        assert "branch fork-1" in hand("fork")["ok"]
        assert "branch likes" in hand("fork", branch="likes", policy=LIKES)["ok"]
        hand("fork", branch="later", policy=GUARD, at="4d", out=str(tmp_path / "elsewhere"))
        with pytest.raises(UsageError, match="already has a branch of that name"):
            hand("fork", branch="likes", out=str(tmp_path / "other"))
        assert not (out / "interventions").exists(), "what a branch alone gets is not the run's"
        assert load_manifest(out)["branches"] == ["fork-1", "likes", "later"]
    plain = tables(out)
    assert plain == replayed(out, tmp_path / "replay"), "the run went on undisturbed"
    with pytest.raises(UsageError, match="is finished"):
        run.fork_stopped(out, {})

    child, likes, later = tmp_path / "a-fork-1", tmp_path / "a-likes", tmp_path / "elsewhere"
    assert "branch fork-1/again" in run.fork_stopped(child, {"branch": "again", "policy": LIKES})
    grandchild = tmp_path / "a-fork-1-again"
    assert resumed(child) == plain, "a branch that nobody touched is the run itself"
    parent = load_metrics(out)
    for folder, label in ((likes, "likes"), (later, "later"), (grandchild, "fork-1/again")):
        manifest = load_manifest(folder)
        assert (manifest["branch"], manifest["parent"]["at_s"], manifest["run_id"]) == (
            label,
            now,
            load_manifest(out)["run_id"],
        )
        made = resumed(folder)
        assert made != plain
        assert made == replayed(folder, tmp_path / f"replay-{folder.name}")
        metrics = load_metrics(folder)
        before = metrics.times < np.datetime64("2025-01-01") + np.timedelta64(now, "s")
        assert before.sum() == 3
        assert metrics.values[before].tobytes() == parent.values[before].tobytes()
        assert [path.name for path in (folder / "interventions").iterdir()] == ["001.yaml"]
    assert tables(grandchild) == tables(likes), "the same policy at the same time"


def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    """While a run goes on, resuming it is refused in one line and harms nothing; forking it asks
    the run."""
    process = begun(tmp_path, "duration=3d", flags=("--quiet",))
    called("pause", "a", cwd=tmp_path)
    second = called("resume", "a", cwd=tmp_path, check=False)
    assert second.returncode == 2
    assert (
        second.stderr.count("\n") == 1
        and f"a process already runs here, pid {process.pid}" in second.stderr
    )
    assert "branch twig" in called("fork", "a", "--name", "twig", cwd=tmp_path).stdout
    called("continue", "a", cwd=tmp_path)
    finished(process, tmp_path)
    again = called("resume", "a", cwd=tmp_path)
    assert "already finished" in again.stdout
    assert resumed(tmp_path / "a-twig") == tables(tmp_path / "a")
    none = called("intervene", "a", "none.yaml", cwd=tmp_path, check=False)
    assert (none.returncode, none.stderr) == (
        2,
        "error: none.yaml: there is no file none.yaml (none is known here)\n",
    )
    (tmp_path / "likes.yaml").write_text(LIKES)
    over = called("intervene", "a", "likes.yaml", cwd=tmp_path, check=False)
    assert over.returncode == 2 and over.stderr.startswith("error: a: nothing runs there now")


class LastWord(Watcher):
    """Gives commands while the run ends: one with its last frame, one when readers are told. The
    end waits for both, as a page's does."""

    def __init__(self, out: Path) -> None:
        self.out, self.said, self.asking = out, list[str](), list[threading.Thread]()

    def ask(self) -> None:
        try:
            self.said.append(mailbox.command(self.out, {"do": "pause"}, patience_s=30)["ok"])
        except UsageError as error:
            self.said.append(str(error))

    def update(self, frame: Frame) -> None:
        if frame.now_s >= 2 * DAY and not self.asking:
            self.asking.append(threading.Thread(target=self.ask))
            self.asking[0].start()

    def end(self, text: str) -> None:
        self.asking.append(threading.Thread(target=self.ask))
        self.asking[1].start()
        for each in self.asking:
            each.join()


def test_a_command_that_comes_while_the_run_ends_is_refused_at_once(
    small: Small, tmp_path: Path
) -> None:
    """It is not waited for until patience ends, though the run still waits for those who read, who
    may be the ones who ask."""
    last = LastWord(tmp_path / "a")
    assert run.start(small("duration=2d"), tmp_path / "a", watcher=last).status == "done"
    assert len(last.said) == 2
    assert all(
        "the run ended before" in said or "has ended and takes no more commands" in said
        for said in last.said
    ), last.said
