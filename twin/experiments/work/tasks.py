"""What an experiment is made of: simulations as tasks that take a path and a small dict, and leave
one file.

    trunk    a replicate up to the fork: its readings, and the world as it stands
    branch   a replicate from the fork on, under a policy or none: its readings
    whole    a run from its start under settings: its readings
    means    the same, reduced to means over windows
    log      a run from its start, read as a platform's log is: aggregates of its impressions
    arms     such a run, continued without and with policies
    seen     statistics of such aggregates until a day
    study    a calculation without a world

All runs of one replicate share their luck, so branches differ by what their policies do. Results do
not depend on where or in which order tasks ran. Readings are float64 (readings, series) in the
order of the board.
"""

from __future__ import annotations

import datetime as dt
import importlib
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.experiments.effects import window_means
from twin.experiments.work.store import Store
from twin.ground import safety
from twin.ground.crew import asked
from twin.ground.errors import UsageError
from twin.observing import daily, folder, mapping
from twin.observing.command import Settings, observe
from twin.observing.daily import Seen
from twin.record.impressions import Impressions
from twin.record.results import per_day
from twin.record.watch import Rows
from twin.running import warmed
from twin.scenario.loading import Scenario, load

SCENARIO = "scenario.yaml"


@dataclass(frozen=True)
class Task:
    """One simulation.

    ``result`` is the file that it leaves; ``needs`` the results that must be there before;
    ``weight`` simulated seconds, for the estimate of time left.
    """

    kind: str
    result: str
    args: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    weight: float = 1.0


def execute(root: str, task: Task) -> None:
    """Do a task; nothing if its result is there already. Raises UsageError where the experiment's
    folder cannot be seen."""
    store = Store(root)
    if not store.exists(SCENARIO):
        raise UsageError(
            f"{store.root}: holds no {SCENARIO} as seen from {platform.node()} (give --out a path "
            f"or address that all workers share)"
        )
    # an attempt whose worker died may have written it already
    if not store.exists(task.result):
        KINDS[task.kind](store, task)


def _scenario(store: Store, args: Mapping[str, Any], stack: ExitStack) -> Scenario:
    path = stack.enter_context(store.local(SCENARIO))
    policies = []
    for name in args.get("policies", ()):
        # the time goes back behind the local path, where `load` expects it
        file, at, time = name.partition("@")
        policies.append(f"{stack.enter_context(store.local(file))}{at}{time}")
    return load(path, args.get("sets", ()), policies)


def _read(scenario: Scenario) -> tuple[Simulation, list[NDArray[np.float64]]]:
    """A world that has not begun, and a list that its readings will be in."""
    # one thread: there are as many tasks as processors
    simulation = Simulation(scenario, threads=asked(None, 1))
    readings: list[NDArray[np.float64]] = []
    simulation.on_measure = lambda now, values: readings.append(values)
    return simulation, readings


@contextmanager
def _played(
    store: Store, task: Task, until: int | None = None
) -> Iterator[tuple[Simulation, NDArray[np.float64]]]:
    """A world that ran from its start, or from the trunk in the task's args, to ``until`` or its
    end, with the readings on the way."""
    with ExitStack() as stack:
        scenario = _scenario(store, task.args, stack)
        simulation, readings = _read(scenario)
        # a trunk is past its warm-up, and keeps the readings before the fork in its own result
        if "trunk" in task.args:
            simulation.load(stack.enter_context(store.local(f"{task.args['trunk']}.world")))
        else:
            warmed.up(simulation)
        # `run` stops before its argument: the reading at the end counts,
        # that at the fork is the branch's
        simulation.run(scenario.duration + 1 if until is None else until)
        yield (
            simulation,
            # without a reading still an array of all series, as branches are appended to it
            np.array(readings) if readings else np.zeros((0, len(simulation.world.board.values))),
        )


def trunk(store: Store, task: Task) -> None:
    """Args: sets, policies, at_s (the fork), kept. Leaves the world in ``<result>.world`` and the
    readings before the fork in ``<result>``."""
    with _played(store, task, int(task.args["at_s"])) as (simulation, readings):
        # the world before the readings: once these are there, the task counts as done
        with store.new_folder(f"{task.result}.world") as world:
            simulation.save(world)
        store.write_array(task.result, _kept(task, readings))


def whole(store: Store, task: Task) -> None:
    """Args: sets, policies, kept; of a branch also trunk (its result). Leaves the readings, of a
    branch those from the fork on."""
    with _played(store, task) as (_, readings):
        store.write_array(task.result, _kept(task, readings))


def _kept(task: Task, readings: NDArray[np.float64]) -> NDArray[np.float64]:
    """The series that the task asks for by their places (``kept``); without that, all."""
    return readings[:, task.args["kept"]] if "kept" in task.args else readings


def means(store: Store, task: Task) -> None:
    """Args: sets, policies, windows [(begin, end)]. Leaves the means over the windows (windows,
    series); see `reduced`."""
    with _played(store, task) as (simulation, readings):
        windows = [(int(begin), int(end)) for begin, end in task.args["windows"]]
        store.write_array(
            task.result,
            reduced(
                readings, simulation.scenario.metrics.every, simulation.world.board.rows, windows
            ),
        )


def reduced(
    readings: NDArray[np.float64], every: int, rows: Rows, windows: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """Readings from the start on (readings, series) as means over windows (windows, series);
    running totals per day. Changes ``readings`` in place."""
    # a histogram of events is a running total too, as a counter is
    counters = np.array(
        [
            metric.kind == "counter" or (metric.kind == "histogram" and metric.total)
            for metric, _ in rows
        ]
    )
    # readings come every so many seconds from the start on, without a gap
    times = np.arange(len(readings), dtype=np.int64) * every
    readings[:, counters] = per_day(times.astype("datetime64[s]"), readings[:, counters])
    return np.array([window_means(times, readings, begin, end) for begin, end in windows])


@dataclass
class _Logged:
    """A world that runs while its impressions are written down; ``readings`` on the way."""

    simulation: Simulation
    impressions: Impressions
    readings: list[NDArray[np.float64]]

    @classmethod
    def made(cls, scenario: Scenario, folder: Path, world: Path | None = None) -> _Logged:
        """A world at its start, or as it stands in ``world`` with the impressions before."""
        simulation, readings = _read(scenario)
        impressions = Impressions(folder, scenario.start)
        impressions.watch(simulation.world)
        if world is None:
            simulation.begin()
        else:
            simulation.load(world)
            impressions.rewind()
        return cls(simulation, impressions, readings)

    def observed(self, into: Path, k: int) -> folder.Observed:
        """Run to the end, and read the impressions as a platform's log is read."""
        self.simulation.run(self.simulation.scenario.duration + 1)
        self.impressions.finish()
        settings = Settings(k=k, quiet=True, threads=1)
        return observe(
            [str(self.impressions.folder)], mapping.read(None, "twin", {}), into, settings
        )


def log(store: Store, task: Task) -> None:
    """Args: sets, k (least cell of aggregates), policies, seen (days until which statistics are
    kept). Leaves an observed folder, of which the result is the manifest. The burn-in is not kept
    for other runs: none has these settings."""
    with ExitStack() as stack:
        scenario = _scenario(store, task.args, stack)
        work = Path(stack.enter_context(TemporaryDirectory()))
        made = work / "observed"
        found = _Logged.made(scenario, work / "log").observed(made, int(task.args["k"]))
        for day in map(dt.date.fromisoformat, task.args.get("seen", ())):
            (made / daily.file(day)).write_bytes(Seen.until(found, day).encoded())
        store.put_folder(made, task.result.rpartition("/")[0])


def arms(store: Store, task: Task) -> None:
    """A world like that of `log`, forked as `trunk` and `branch` do: into one arm without a policy
    and one for each. Args: sets, k, at_s (the fork), policies (a file for each arm). Leaves
    quantities of days of each arm in ``arm-N.json`` beside the result, and in the result the means
    after the fork (arms, series)."""
    fork = int(task.args["at_s"])
    with ExitStack() as stack:
        work = Path(stack.enter_context(TemporaryDirectory()))
        before = {**task.args, "policies": ()}
        trunk = _Logged.made(_scenario(store, before, stack), work / "log")
        trunk.simulation.run(fork)
        trunk.simulation.save(work / "world")
        trunk.impressions.save()
        means = []
        for arm, policies in enumerate([(), *((file,) for file in task.args["policies"])]):
            scenario = _scenario(store, {**task.args, "policies": policies}, stack)
            shutil.copytree(work / "log", own := work / f"log-{arm}")
            branch = _Logged.made(scenario, own, work / "world")
            found = branch.observed(work / f"observed-{arm}", int(task.args["k"]))
            store.write(
                f"{task.result.rpartition('/')[0]}/arm-{arm}.json",
                Seen({}, daily.daily(found)).encoded(),
            )
            readings = np.array([*trunk.readings, *branch.readings])
            rows, windows = branch.simulation.world.board.rows, [(fork, scenario.duration)]
            means.append(reduced(readings, scenario.metrics.every, rows, windows)[0])
        store.write_array(task.result, np.array(means))


def seen(store: Store, task: Task) -> None:
    """Args: world (an observed folder), day. Leaves what is seen of it until then."""
    with store.local(str(task.args["world"])) as path:
        day = dt.date.fromisoformat(task.args["day"])
        store.write(task.result, Seen.until(folder.read(path), day).encoded())


def study(store: Store, task: Task) -> None:
    """Args: call (``package.module:function``), args, seed, data (a folder, or empty). Leaves the
    array that the function returns."""
    module, _, name = str(task.args["call"]).partition(":")
    if why := safety.refused(module):
        raise UsageError(f"{task.result}: {why} ({safety.MEND})")
    function: Callable[..., NDArray[np.float64]] = getattr(importlib.import_module(module), name)
    made = function(seed=int(task.args["seed"]), data=str(task.args["data"]), **task.args["args"])
    store.write_array(task.result, np.asarray(made, np.float64))


KINDS: dict[str, Callable[[Store, Task], None]] = {
    "trunk": trunk,
    "branch": whole,
    "whole": whole,
    "means": means,
    "log": log,
    "arms": arms,
    "seen": seen,
    "study": study,
}
