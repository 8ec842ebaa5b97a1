"""A warm-up before the start: nothing of it is recorded or counted, policies wait for the start,
and the cache changes no byte."""

import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SMALL, history, twin
from tests.given.inside import called
from tests.given.killed import killed
from tests.worlds.shared import same_state
from twin.engine.simulation import Simulation
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import Task, execute
from twin.ground.errors import ScenarioError, UsageError
from twin.ground.units import DAY
from twin.readers.terminal import PlainView
from twin.record.results import load_events, load_manifest, load_metrics
from twin.running import commands, warmed
from twin.running import drive as running
from twin.scenario.describe import dump
from twin.scenario.loading import Scenario, load
from twin.world.board import Board
from twin.world.checkpoint import latest
from twin.world.metric import Metric

BUSY = (
    "campaigns.accounts=8",
    "campaigns.begin=2d",
    "campaigns.end=8d",
    "creators.human.work_share=0.2",
    "policies=[{name: label, at: 1d, ramp: 2d, set: {creators.label_ai: 0.5}}, {name: now, set: "
    "{campaigns.detection: 0.1}},"
    "{name: half, at: 2d, until: 7d, share: 0.5, set: {audience.counts_shown: false, "
    "recommender.shelf.kind: bought_together}},"
    "{name: makers, at: 3d, share: 0.3, of: creators, set: {creators.pay_like: 9.0}},"
    "{name: wide, at: 4d, set: {recommender.dim: 12}}, {name: many, when: 'sessions > 500', set: "
    "{recommender.retrain_every: 2h}}]",
)
Small = Callable[..., Scenario]
POLICY = "policies=[{name: at once, set: {recommender.preset: likes}}, {name: later, at: 3d, set: {creators.label_ai: 0.5}}]"
HALF = (
    "policies=[{name: half, at: 1d, share: 0.5, set: {audience.counts_shown: false}},"
    "{name: many, when: 'sessions > 1', set: {creators.label_ai: 0.5}}]"
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "worlds"


def warm(scenario: Scenario, **how: bool) -> tuple[Simulation, list[int], np.ndarray]:
    """Run to the end without a cache; also the times of the readings."""
    simulation = Simulation(scenario, **how)
    times, readings = [], []
    simulation.on_measure = lambda now, values: (times.append(now), readings.append(values))
    simulation.begin()
    simulation.run(scenario.duration + 1)
    return simulation, times, np.array(readings)


def test_what_is_counted_counts_from_the_start(small: Small) -> None:
    """A warmed-up run is the later part of a longer one: same gauges, and totals less what they
    were at its start."""
    long, whole = history(small("duration=16d", "start=2024-12-22"))
    late, times, readings = warm(small("duration=6d", "warm_up=10d", "start=2025-01-01"))
    assert (
        times == [day * DAY for day in range(7)]
        and late.now == 6 * DAY + 1
        and late.world.start == long.world.start
    )
    counted = np.array([metric.counts for metric, _ in late.world.board.rows])
    assert np.array_equal(readings[:, ~counted], whole[10:, ~counted], equal_nan=True)
    assert not readings[0, counted].any() and counted.sum() > 40
    assert np.allclose(
        readings[:, counted], whole[10:, counted] - whole[10, counted], rtol=1e-12, atol=1e-9
    )
    assert readings[-1, late.world.board.index("sessions")] > 300
    assert late.world.board.total("sessions") == long.world.board.get("sessions")
    assert same_state(late, long) == []


def test_no_warm_up_is_the_run_as_it_was(small: Small) -> None:
    """``warm_up: 0d`` says what leaving it out says, to the byte."""
    first, a = history(small("duration=4d", POLICY))
    second, b = history(small("duration=4d", POLICY, "warm_up=0d"))
    assert (
        a.tobytes() == b.tobytes()
        and same_state(first, second) == []
        and not first.world.board.zero.any()
    )


@pytest.mark.parametrize(
    "settings",
    [
        (POLICY,),
        (HALF,),
        ("campaigns.accounts=5", "campaigns.begin=0d"),
        ("campaigns.accounts=5", "campaigns.begin=2d"),
    ],
)
def test_nothing_is_done_before_the_start(small: Small, settings: tuple[str, ...]) -> None:
    """Whatever policies and campaigns say, the world at the start is the one without them; then
    they act at their own times."""
    base = "everything" if "campaigns" in settings[0] else "base"
    none = "policies=[]"
    plain = (
        ("campaigns.accounts=5", "campaigns.begin=300d", none) if base == "everything" else (none,)
    )
    one, other = (
        Simulation(small("warm_up=4d", "duration=4d", none, *more, base=base))
        for more in (settings, plain)
    )
    for simulation in (one, other):
        simulation.begin()
        assert simulation.now == -4 * DAY
        simulation.run(0)
    assert [
        name for name in same_state(one, other) if name != "record of policies"
    ] == [] and not one.world.marks
    assert one.world.levers == other.world.levers and not one.world.arms
    one.run(4 * DAY)
    marks = [(when, text.partition(":")[0]) for when, _, text in one.world.marks]
    expected = {
        POLICY: [(0, "at once"), (3 * DAY, "later")],
        HALF: [(DAY, "half"), (DAY + one.scenario.grid, "many")],
        "campaigns.accounts=5": [(2 * DAY if "campaigns.begin=2d" in settings else DAY, "begun")],
    }[settings[0]]
    assert marks == expected
    if settings == (HALF,):
        arm = one.world.tables["consumers"]["arm"]
        assert 0.3 < (arm & 1).mean() < 0.7


@pytest.fixture(scope="module")
def straight(small: Small) -> tuple[Scenario, Simulation, np.ndarray]:
    """A world with everything in it, straight through its warm-up and nine days more."""
    scenario = small(*BUSY, "warm_up=5d", "duration=9d", base="everything")
    simulation, _, readings = warm(scenario)
    return scenario, simulation, readings


@pytest.mark.parametrize("cut", [-5 * DAY, -2 * DAY + 600, 0, 600, 3 * DAY + 3000])
def test_saving_and_loading_changes_nothing(
    cut: int, straight: tuple[Scenario, Simulation, np.ndarray], tmp_path: Path
) -> None:
    """In the warm-up, at the start, and after it: every column, array and reading as if nothing had
    happened."""
    scenario, whole, readings = straight
    first = Simulation(scenario)
    first.begin()
    first.run(cut)
    first.save(tmp_path / "t")
    second, late = Simulation(scenario), []
    second.on_measure = lambda now, values: late.append(values)
    second.load(tmp_path / "t")
    assert second.now == cut
    second.run(scenario.duration + 1)
    assert (
        same_state(whole, second) == []
        and np.array(late).tobytes() == readings[-len(late) :].tobytes()
    )


def test_reference_mode_gives_the_same_bytes(small: Small) -> None:
    """One process per consumer, through a warm-up, with everything on."""
    scenario = small(*BUSY, "warm_up=6d", "duration=9d", base="everything")
    batched, _, a = warm(scenario)
    single, _, b = warm(scenario, reference=True)
    assert a.tobytes() == b.tobytes() and same_state(batched, single) == []


def bytes_of(out: Path) -> list[bytes]:
    """The results of a run."""
    return [(out / name).read_bytes() for name in ("metrics.parquet", "events.parquet")]


def test_a_run_begins_at_its_start(
    small: Small, tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dates and marks of a run folder from the start on, the warm-up on lines of its own, and the
    second run from the cache."""
    scenario = small("warm_up=20d", "duration=5d", POLICY)
    running.start(scenario, tmp_path / "a", watcher=PlainView())
    said = capsys.readouterr().out
    assert (
        "2024-12-12  warming up: 0 % of 20 days before the start" in said
        and "warming up: 50 %" in said
        and "starts on 2025-01-01" in said
    )
    metrics = load_metrics(tmp_path / "a")
    assert str(metrics.times[0]) == "2025-01-01T00:00:00" and len(metrics.times) == 6
    assert metrics.series("sessions")[0] == 0 < metrics.series("sessions")[-1]
    assert [
        (when.day, text.partition(":")[0]) for when, _, text in load_events(tmp_path / "a")
    ] == [(1, "at once"), (4, "later")]
    assert (
        load_manifest(tmp_path / "a")["warm_up_s"] == 20 * DAY
        and "warm_up: 20d" in (tmp_path / "a" / "scenario.yaml").read_text()
    )
    assert len(list(cache.iterdir())) == 1
    running.start(scenario, tmp_path / "b", watcher=PlainView())
    again = capsys.readouterr().out
    assert "taken from the cache" in again and "warming up:" not in again
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_branches_and_other_durations_share_a_warm_up(small: Small, cache: Path) -> None:
    """What cannot act before the start is no part of an entry's name; everything else is, also how
    the run goes."""
    first = warmed.key(Simulation(small("warm_up=3d")))
    for same in (("duration=5d",), (POLICY,), ("name=other", "description=words")):
        assert warmed.key(Simulation(small("warm_up=3d", *same))) == first
    for other in (
        ("warm_up=4d",),
        ("seed=2",),
        ("replicate=1",),
        ("audience.patience=0.8",),
        ("start=2025-02-01",),
        ("metrics.every=2d",),
        ("opinions.start=anchors",),
    ):
        assert warmed.key(Simulation(small("warm_up=3d", *other))) != first
    assert (
        warmed.key(Simulation(small("warm_up=3d"), reference=True))
        != first
        != warmed.key(Simulation(small("warm_up=3d"), oracle=True))
    )
    warmed.up(Simulation(small("warm_up=3d", "duration=4d")))
    for settings in ((HALF, "duration=5d"), (POLICY, "duration=6d")):
        scenario = small("warm_up=3d", *settings)
        straight, _, readings = warm(scenario)
        cached, late = Simulation(scenario), []
        cached.on_measure = lambda now, values, late=late: late.append(values)
        assert warmed.begin(cached)
        cached.run(scenario.duration + 1)
        assert np.array(late).tobytes() == readings.tobytes() and same_state(straight, cached) == []
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("harm", ["bit", "short", "gone", "sums", "moved"])
def test_a_damaged_entry_is_never_used(harm: str, small: Small, cache: Path) -> None:
    """A flipped bit, a short or missing file, bad sums, another world under this name: thrown away
    with a warning, and kept again."""
    scenario = small("warm_up=2d", "duration=2d")
    warmed.up(Simulation(scenario))
    (entry,) = cache.iterdir()
    file = entry / "table.consumers.opinion.npy"
    if harm == "bit":
        data = bytearray(file.read_bytes())
        data[-3] ^= 1
        file.write_bytes(data)
    elif harm == "short":
        file.write_bytes(file.read_bytes()[:-8])
    elif harm == "gone":
        file.unlink()
    elif harm == "sums":
        (entry / "sums.json").write_text("{}")
    else:
        other = small("warm_up=2d", "duration=2d", "seed=7")
        warmed.up(Simulation(other))
        shutil.rmtree(entry)
        (cache / warmed.key(Simulation(other))).rename(entry)
    said: list[str] = []
    simulation = Simulation(scenario)
    warmed.up(simulation, said.append)
    assert len(said) == 1 and "is removed" in said[0] and simulation.now == 0
    straight = Simulation(scenario)
    straight.begin()
    straight.run(0)
    assert same_state(simulation, straight) == []
    assert warmed.begin(Simulation(scenario), said.append) and len(said) == 1


def test_the_cache_is_bounded_and_can_be_off(
    small: Small, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry used longest ago goes first; what was left half done goes after a day; off keeps
    nothing."""
    scenarios = [small("warm_up=1d", "duration=2d", f"seed={seed}") for seed in (1, 2, 3)]
    names = [warmed.key(Simulation(scenario)) for scenario in scenarios]
    for scenario in scenarios[:2]:
        warmed.up(Simulation(scenario))
    size = sum(file.stat().st_size for file in (cache / names[0]).iterdir())
    for place, name in enumerate(names[:2]):
        os.utime(cache / name, (1e9 + place, 1e9 + place))
    assert warmed.begin(Simulation(scenarios[0]))  # used now, so the second is the oldest
    left = cache / f"{names[0]}.abcd"
    left.mkdir()
    os.utime(left, (1e9, 1e9))
    monkeypatch.setenv("TWIN_CACHE_MB", str(2.5 * size / 2**20))
    warmed.up(Simulation(scenarios[2]))
    assert {path.name for path in cache.iterdir()} == {names[0], names[2]}
    monkeypatch.setenv("TWIN_CACHE", "off")
    assert warmed.folder() is None and not warmed.begin(Simulation(scenarios[0]))
    monkeypatch.setenv("TWIN_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert warmed.folder() == cache / "twin" / "worlds"
    monkeypatch.setenv(
        "TWIN_CACHE", str(cache / names[0] / "manifest.json")
    )  # a file stands where the folder should be made
    said: list[str] = []
    warmed.up(Simulation(scenarios[1]), said.append)
    assert len(said) == 1 and "is not kept" in said[0]


def _warm(path: str, settings: tuple[str, ...], ready: float) -> None:
    scenario = load(path, settings)
    time.sleep(max(0.0, ready - time.time()))
    warmed.up(Simulation(scenario))


def test_several_processes_may_warm_the_same_world(
    small: Small, cache: Path, tmp_path: Path
) -> None:
    """Two processes at once leave one whole entry."""
    scenario = small("warm_up=1d", "duration=2d")
    path = tmp_path / "scenario.yaml"
    path.write_text(dump(scenario))
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_warm, args=(str(path), (), time.time() + 4)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert [entry.name for entry in cache.iterdir()] == [warmed.key(Simulation(load(path)))]
    assert warmed.begin(Simulation(load(path)))


def test_a_run_killed_anywhere_resumes_to_the_same_bytes(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the warm-up and after it, without a cache: the same results; a fork waits for
    the start."""
    monkeypatch.setenv("TWIN_CACHE", "off")
    scenario = small("warm_up=3d", "duration=4d", POLICY)
    running.start(scenario, tmp_path / "straight")
    out = tmp_path / "cut"
    for stop in (-2 * DAY, -DAY, 0, 2 * DAY, None):
        with monkeypatch.context() as patch:
            step = running._Drive._step

            def until(
                self: running._Drive,
                to: int,
                stop: int | None = stop,
                step: Callable[..., None] = step,
            ) -> None:
                step(self, to)
                if stop is not None and to >= stop:
                    self.save()
                    raise KeyboardInterrupt

            patch.setattr(running._Drive, "_step", until)
            try:
                running.resume(out) if out.exists() else running.start(scenario, out)
            except KeyboardInterrupt:
                newest = latest(out / "checkpoints")
                assert newest is not None and newest.name == f"t{stop}"
                if stop is not None and stop < 0:
                    with pytest.raises(
                        UsageError,
                        match="still warming up; a run can be forked from its start, 2025-01-01, "
                        "on",
                    ):
                        running.fork_stopped(out, {})
    assert bytes_of(out) == bytes_of(tmp_path / "straight")


def test_forks_share_the_warm_up(small: Small, tmp_path: Path, cache: Path) -> None:
    """A trunk takes a warmed-up world, its readings begin at the start, and a branch goes on to the
    bytes of the run with its policy."""
    scenario = small("warm_up=3d", "duration=6d")
    (tmp_path / "x").mkdir()
    store = Store(str(tmp_path / "x"))
    store.write("scenario.yaml", dump(scenario).encode())
    store.write(
        "policies/p.yaml",
        b"policies: [{name: at once, at: 2d, set: {recommender.preset: likes}}]\n",
    )
    execute(str(tmp_path / "x"), Task("trunk", "trunk.npy", {"at_s": 2 * DAY}))
    execute(
        str(tmp_path / "x"),
        Task("branch", "branch.npy", {"trunk": "trunk.npy", "policies": ["policies/p.yaml"]}),
    )
    assert len(list(cache.iterdir())) == 1
    both = np.concatenate([store.read_array("trunk.npy"), store.read_array("branch.npy")])
    _, _, readings = warm(
        small(
            "warm_up=3d",
            "duration=6d",
            "policies=[{name: at once, at: 2d, set: {recommender.preset: likes}}]",
        )
    )
    assert both.tobytes() == readings.tobytes()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            ("warm_up=36h",),
            "warm_up: 36h is not a whole number of days, and a run starts at midnight (nearest: 1d "
            "or 2d)",
        ),
        (("warm_up=60",), "warm_up: 60 is not a duration"),
        (("warm_up=20w", "start=0001-01-03"), "begins before the year 1"),
        (("warm_up=-3d",), "not a duration"),
        (("warmup=60d",), "did you mean warm_up"),
        (("warm_up=10mo",), "not a duration"),
        (("warm_up=3000d", "duration=24000d"), "are longer than any run"),
    ],
)
def test_what_a_warm_up_cannot_be(small: Small, settings: tuple[str, ...], words: str) -> None:
    """One line with the reason and the mend."""
    with pytest.raises(ScenarioError) as caught:
        small(*settings)
    assert words in str(caught.value) and len(str(caught.value).splitlines()) == 1


def test_a_warm_up_error_names_file_and_line(tmp_path: Path) -> None:
    """As every mistake in a file."""
    path = tmp_path / "s.yaml"
    path.write_text("name: x\nwarm_up: 90min\n")
    with pytest.raises(
        ScenarioError, match=r"s.yaml:2 warm_up: 90min is not a whole number of days"
    ):
        load(path)


def test_a_board_counts_from_its_zero() -> None:
    """Totals and histograms of events begin again; gauges and other histograms do not."""
    board = Board(
        [
            Metric(
                "made",
                "counter",
                "posts",
                "Posts.",
                "producer",
                "Supply",
                labels={"by": ("human", "ai")},
            ),
            Metric("now", "gauge", "1", "Now.", "producer", "Supply"),
            Metric(
                "gaps",
                "histogram",
                "gaps",
                "Gaps.",
                "consumer",
                "Visits",
                edges=(0.0, 1.0),
                total=True,
            ),
            Metric("ages", "histogram", "people", "Ages.", "consumer", "Visits", edges=(0.0, 1.0)),
        ]
    )
    board.set("made", 5, by="ai")
    board.set("now", 7.0)
    board.set_all("gaps", [1, 2])
    board.set_all("ages", np.array([3, 4]))
    board.rebase()
    assert [board.get("made", by="ai"), board.total("made", by="ai"), board.get("now")] == [
        0.0,
        5.0,
        7.0,
    ]
    board.set("made", 9, by="ai")
    board.set("now", 8.0)
    board.set_all("gaps", [4, 2])
    board.set_all("ages", [3, 5])
    assert board.values.tolist() == [0.0, 4.0, 8.0, 3.0, 0.0, 3.0, 5.0]
    assert json.dumps(board.describe())
    board.rebase()
    assert board.total("made", by="ai") == 9.0 and board.get("made", by="ai") == 0.0


def test_small_worlds_have_no_warm_up() -> None:
    """The other tests' world begins at its start, whatever the scenarios say."""
    assert "warm_up=0d" in SMALL


def test_what_is_given_by_hand_in_the_warm_up_counts_from_the_start(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The policy stands in the scenario at 0s; that scenario gives the same bytes; a date before
    the start is refused."""
    step = running._Drive._step

    def by_hand(self: running._Drive, to: int) -> None:
        step(self, to)
        if to == -DAY:
            policy = "name: by hand\nset: {recommender.slate: 5}\n"
            command = {"do": "intervene", "policy": policy}
            refused = commands.carry_out(self, {**command, "at": "2024-12-30"})
            assert "2024-12-30: lies before the run's start (2025-01-01)" in refused["error"]
            assert "error" not in commands.carry_out(self, command)

    with monkeypatch.context() as patch:
        patch.setattr(running._Drive, "_step", by_hand)
        running.start(small("warm_up=2d", "duration=3d"), tmp_path / "a")
    assert [
        (when.day, text.partition(":")[0]) for when, _, text in load_events(tmp_path / "a")
    ] == [(1, "by hand")]
    running.start(load(tmp_path / "a" / "scenario.yaml"), tmp_path / "b")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_kill_and_resume_through_a_warm_up(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 at moments spread over warm-up and run, with a cache that two runs share: the bytes
    of a run that nobody killed. A checkpoint every three hours, so that the warm-up lasts long
    enough to be hit on any machine."""
    scenario = tmp_path / "s.yaml"
    scenario.write_text(dump(small("warm_up=16d", "duration=8d", POLICY)))
    command = [
        sys.executable,
        "-c",
        "import twin.running.drive as r; r.CHECKPOINT_SIM_S = 10800; from twin.cli import main; "
        "main()",
    ]
    out = tmp_path / "killed"
    first = [*command, "run", str(scenario), "--out", str(out), "--quiet"]
    again = [*command, "resume", str(out), "--quiet"]
    assert killed(first, again, out, [-14 * DAY, -10 * DAY]) == 2
    stood = latest(out / "checkpoints")
    assert stood is not None and int(stood.name[1:]) < 0
    assert killed(first, again, out, [2 * DAY]) == 1
    called("resume", out, "--quiet", cwd=tmp_path)
    called("run", scenario, "--out", "straight", "--quiet", "--no-cache", cwd=tmp_path)
    twin("run", scenario, "--out", "cached", "--quiet", "--threads", "2", cwd=tmp_path)
    assert bytes_of(out) == bytes_of(tmp_path / "straight") == bytes_of(tmp_path / "cached")
