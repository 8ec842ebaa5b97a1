"""A run as a folder: start it, watch it, lay hands on it, interrupt it, take it up again.

Checkpoints are written at barriers in simulated time; when they are written depends on the wall
clock, what the run computes does not. A run killed at any moment resumes from its newest whole
checkpoint (or from the start) and ends with the same bytes. At every barrier (a simulated hour) the
run reads its mailbox; a policy given there becomes part of the scenario, see `interventions`.

All times here are seconds since the scenario's start. A run with a warm-up begins below zero: it
stops at the start in any case, leaves the world there in the cache (see `warmed`), or takes it from
there in the first place; no readings and no marks come of it, a pace does not hold it, and what was
given by hand meanwhile counts from the start.
"""

from __future__ import annotations

import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.ground.errors import TwinError, UsageError
from twin.ground.units import DAY, HOUR, at, format_duration
from twin.readers.text import span
from twin.record.mailbox import Mailbox
from twin.record.names import identity
from twin.record.results import Recorder, load_manifest
from twin.record.watch import Frame, RunInfo, Watcher
from twin.running import folder as runfolder
from twin.running import warmed
from twin.scenario.interventions import amended, parse_when
from twin.scenario.loading import Scenario
from twin.world import checkpoint

CHECKPOINT_WALL_S = 20.0
CHECKPOINT_SIM_S = 30 * DAY
IDLE_S = 0.02
"""Wall-clock seconds between two looks into the mailbox while the run waits."""
HEALTH_S = 0.05
"""Wall-clock seconds between two looks at the run's own health while it runs."""
LAG_S = 1.0
"""Wall-clock seconds of delay that a paced run makes up for afterwards."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended and what to tell the user."""

    status: Literal["done", "interrupted", "finished"]
    text: str


def start(
    scenario: Scenario,
    out: Path,
    *,
    reference: bool = False,
    oracle: bool = False,
    watcher: Watcher | None = None,
    pace: float | None = None,
    threads: int = 1,
) -> Outcome:
    """Run a scenario into a new folder, at most ``pace`` simulated days per second, on so many
    threads. Raises UsageError if the folder holds something already.
    """
    runfolder.free(out)
    simulation = Simulation(scenario, reference=reference, oracle=oracle, threads=threads)
    manifest = runfolder.create(out, scenario, simulation)
    with Mailbox(out) as mailbox:
        return _Drive(simulation, out, manifest, watcher or Watcher(), pace, mailbox).run()


def resume(
    out: Path, *, watcher: Watcher | None = None, pace: float | None = None, threads: int = 1
) -> Outcome:
    """Take up an unfinished run from its newest whole checkpoint. Raises UsageError if a process
    runs there already."""
    finished = Outcome(
        "finished", f"{out} is finished already; its report is {out / 'report.html'}"
    )
    if load_manifest(out).get("status") == "done":
        return finished
    with Mailbox(out) as mailbox:
        if load_manifest(out).get("status") == "done":  # another process has just ended it
            return finished
        scenario, manifest = runfolder.open_(out)
        simulation = Simulation(
            scenario, reference=manifest["reference"], oracle=manifest["oracle"], threads=threads
        )
        newest = checkpoint.latest(out / "checkpoints")
        if newest is not None:
            simulation.load(newest)
        return _Drive(simulation, out, manifest, watcher or Watcher(), pace, mailbox).run()


def fork_stopped(out: Path, command: dict[str, Any]) -> str:
    """Fork a run that does not go on now at its newest checkpoint; ``command`` as in `mailbox`.
    Returns a line for the user."""
    load_manifest(out)  # no run folder: say so before anything is made in it
    with Mailbox(out):
        scenario, manifest = runfolder.open_(out)
        newest = checkpoint.latest(out / "checkpoints")
        simulation = Simulation(scenario)
        simulation.world.now = (int(newest.name[1:]) if newest else 0) + scenario.warm_up
        return _branch(out, simulation, manifest, command)


def _amended(out: Path, simulation: Simulation, command: dict[str, Any]) -> tuple[Scenario, str]:
    """The run's scenario with the command's policy, and that as it is noted. Before the start, now
    is the start."""
    when, now = command.get("at"), max(simulation.now, 0)
    seconds = (
        None
        if when is None
        else parse_when(str(when), simulation.scenario.start, now, simulation.world.grid)
    )
    return amended(
        out, str(command.get("policy")), seconds, now, str(command.get("source", "policy"))
    )


def _branch(
    out: Path, simulation: Simulation, manifest: dict[str, Any], command: dict[str, Any]
) -> str:
    """Leave a branch at the newest checkpoint in a folder of its own, with a policy of its own if
    one is given."""
    scenario, name, target = simulation.scenario, command.get("branch"), command.get("out")
    own = None
    if command.get("policy") is not None:
        scenario, own = _amended(out, simulation, command)
    elif command.get("at") is not None:
        raise UsageError(
            "a time was given, but no policy that could take hold then (leave out --at, or give "
            "--policy)"
        )
    folder, branch = runfolder.fork(
        out,
        manifest,
        scenario,
        None if name is None else str(name),
        Path(str(target)) if target else None,
        own,
    )
    return f"branch {branch} in {folder}; let it go on with: twin resume {folder}"


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C (or SIGTERM) into a flag; a second one falls through to Python."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: Any) -> None:
        asked.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Drive:
    """One process's part of a run."""

    def __init__(
        self,
        simulation: Simulation,
        out: Path,
        manifest: dict[str, Any],
        watcher: Watcher,
        pace: float | None,
        mailbox: Mailbox,
    ) -> None:
        self.simulation, self.out, self.manifest, self.watcher, self.pace = (
            simulation,
            out,
            manifest,
            watcher,
            pace,
        )
        self.mailbox, self.paused = mailbox, False
        self.recorder = Recorder(out, simulation.scenario.start, simulation.world.board.rows)
        self.latest: NDArray[np.float64] = simulation.world.board.snapshot()
        self.spent = float(manifest.get("wall_s", 0.0))
        self.began = self.saved_wall = self.paced_wall = time.monotonic()
        self.healthy_wall, self.memory_mb, self.health = float("-inf"), 0.0, dict[str, float]()
        self.saved_at = self.paced_at = simulation.now

    @property
    def now(self) -> int:
        """Simulated seconds since the start; negative in the warm-up."""
        return self.simulation.now

    def run(self) -> Outcome:
        """Run to the end, or until the user interrupts."""
        scenario, world = self.simulation.scenario, self.simulation.world
        self.recorder.rewind(self.now)
        self.simulation.on_measure = self._record
        self.watcher.begin(
            RunInfo(
                scenario.name,
                scenario.start,
                scenario.duration,
                max(self.now, 0),
                world.board.rows,
                self.out,
                identity(self.manifest),
                scenario.warm_up,
            )
        )
        if not self.simulation.due:  # neither begun nor loaded
            if warmed.begin(self.simulation, self.watcher.note):
                self.watcher.note(
                    f"the world has warmed up before ({format_duration(scenario.warm_up)}) and is "
                    f"taken from the cache"
                )
            self.saved_at = self.paced_at = self.now
        step = -(-HOUR // world.grid) * world.grid
        with _interrupts() as asked:
            while self.now < scenario.duration and not asked.is_set():
                self._wait(asked)
                if asked.is_set():  # a run that is held stands where it is
                    break
                self._step(min(self.now + step, scenario.duration if self.now >= 0 else 0))
                self._marks()
                self._show(fresh=False)
                if (
                    time.monotonic() - self.saved_wall > CHECKPOINT_WALL_S
                    or self.now - self.saved_at >= CHECKPOINT_SIM_S
                ):
                    self._save()
            interrupted = asked.is_set()
            # before anything waits for readers: one of them may be waiting for an answer
            self.mailbox.refuse()
            if interrupted:
                self._save()
            else:
                self.simulation.run(scenario.duration + 1)
                self._save()
                self.recorder.finish()
                self._show()
        return self._ended(interrupted)

    def _step(self, until: int) -> None:
        """Run to the next barrier. The start is one, whatever lies between barriers."""
        self.simulation.run(until)
        if until == 0:
            warmed.keep(self.simulation, self.watcher.note)
            self.paced_wall, self.paced_at = time.monotonic(), 0

    def _ended(self, interrupted: bool) -> Outcome:
        scenario, wall = self.simulation.scenario, self.spent + time.monotonic() - self.began
        total, reached = self._sessions(), min(self.now, scenario.duration)
        self.manifest |= {
            "status": "interrupted" if interrupted else "done",
            "wall_s": round(wall, 3),
            "sessions": total,
            "memory_mb": round(_memory_mb(), 1),
            "reached_s": reached,
        }
        runfolder.write_manifest(self.out, self.manifest)
        date = at(scenario.start, reached).date()
        if interrupted:
            text = f"interrupted on {date}, nothing is lost; go on with: twin resume {self.out}"
        else:
            self.recorder.clean()
            from twin.readers.report import (
                write_report,
            )  # a second of imports that `twin check` need not wait for

            text = f"done: {scenario.name} to {date}, {total:,} sessions in {span(wall)}; report: {write_report(self.out)}"
        self.watcher.end(text)
        return Outcome("interrupted" if interrupted else "done", text)

    def _record(self, now: int, values: NDArray[np.float64]) -> None:
        self.latest = values
        self.recorder.record(now, values)
        self.watcher.reading(now, values)

    def _sessions(self) -> int:
        return int(self.latest[self.simulation.world.board.index("sessions")])

    def _marks(self) -> None:
        marks = self.simulation.world.marks
        for when, kind, text in marks:
            self.recorder.mark(when, kind, text)
            self.watcher.mark(when, kind, text)
        marks.clear()

    def _save(self) -> Path:
        """Bring everything to disk, once per barrier; the checkpoint."""
        newest = checkpoint.latest(self.out / "checkpoints")
        if newest is not None and self.saved_at == self.now == checkpoint.time_of(newest):
            return newest
        self._marks()
        if self.now >= 0:
            self.recorder.flush(self.now)
        folder = self.out / "checkpoints" / f"t{self.now}"
        self.simulation.save(folder)
        runfolder.prune(self.out)
        self.saved_wall, self.saved_at = time.monotonic(), self.now
        self.watcher.saved(self.now)
        return folder

    def _show(self, fresh: bool = True) -> None:
        """Tell the watcher where the run is. Unless ``fresh``, the run's own health may be HEALTH_S
        old: it costs more than the rest."""
        simulation, wall = self.simulation, time.monotonic()
        if fresh or wall - self.healthy_wall >= HEALTH_S:
            self.healthy_wall, self.memory_mb = wall, _memory_mb()
            self.health = {
                "paused": float(self.paused),
                "pace": self.pace or float("nan"),
                "queue_commands": float(self.mailbox.waiting()),
                "checkpoint_age": wall - self.saved_wall,
                "cpu": time.process_time(),
                **{f"queue_{name}": float(length) for name, length in simulation.queued().items()},
                **{f"spent_{phase}": seconds for phase, seconds in simulation.spent.items()},
            }
        self.watcher.update(
            Frame(
                min(self.now, simulation.scenario.duration),
                self.spent + wall - self.began,
                self._sessions(),
                self.latest,
                self.memory_mb,
                self.health,
            )
        )

    def _wait(self, asked: threading.Event) -> None:
        """Do what has come by mail; go on when neither a pause nor the pace holds the run back."""
        told = 0.0
        while True:
            for name, command in self.mailbox.commands():
                self.mailbox.answer(name, self._do(command))
                told = 0.0
            if asked.is_set() or not (self.paused or self._early()):
                return
            if time.monotonic() - told > 0.25:
                self._show()
                told = time.monotonic()
            time.sleep(IDLE_S)

    def _early(self) -> bool:
        """Whether the run is ahead of its pace. What it fell behind it may catch up for LAG_S, not
        for longer."""
        if self.pace is None or self.now < 0:
            return False
        ahead = (self.now - self.paced_at) / DAY / self.pace - (time.monotonic() - self.paced_wall)
        self.paced_wall += max(0.0, -ahead - LAG_S)
        return ahead > 0

    def _do(self, command: dict[str, Any]) -> dict[str, Any]:
        doers: dict[str, Callable[[dict[str, Any]], str]] = {
            "pause": self._pause,
            "continue": self._continue,
            "pace": self._set_pace,
            "intervene": self._intervene,
            "fork": self._fork,
            "status": lambda command: "paused" if self.paused else "running",
        }
        try:
            if command["do"] not in doers:
                raise UsageError(f"no command {command['do']}")
            text = doers[command["do"]](command)
        except (TwinError, OSError) as error:
            return {"error": str(error)}
        # a bug, or nonsense written into the mailbox; the run has nothing to do with it and goes on
        except Exception as error:
            return {"error": f"the command failed: {type(error).__name__}: {error}"}
        scenario = self.simulation.scenario
        return {
            "ok": text,
            "now_s": self.now,
            "date": f"{at(scenario.start, self.now):%Y-%m-%d %H:%M}",
            "paused": self.paused,
            "days_per_second": self.pace,
        }

    def _pause(self, command: dict[str, Any]) -> str:
        self.paused = True
        self._save()
        return "paused, and a checkpoint is written"

    def _continue(self, command: dict[str, Any]) -> str:
        self.paused = False
        self.paced_wall, self.paced_at = time.monotonic(), self.now
        return "goes on"

    def _set_pace(self, command: dict[str, Any]) -> str:
        pace = command.get("days_per_second")
        if pace is not None and not (
            isinstance(pace, int | float) and not isinstance(pace, bool) and 0 < pace < float("inf")
        ):
            raise UsageError(
                "a pace is a positive number of simulated days per second, or nothing for as fast "
                "as it can"
            )
        self.pace = None if pace is None else float(pace)
        self.paced_wall, self.paced_at = time.monotonic(), self.now
        return (
            "as fast as it can" if pace is None else f"{pace:g} simulated days per second at most"
        )

    def _intervene(self, command: dict[str, Any]) -> str:
        """Lay a policy on the rest of the run: the world as it stands, taken up under the amended
        scenario."""
        scenario, policies = _amended(self.out, self.simulation, command)
        known = {policy.name for policy in self.simulation.scenario.policies}
        folder = self._save()
        simulation = Simulation(
            scenario,
            reference=self.simulation.reference,
            oracle=self.simulation.oracle,
            threads=self.simulation.world.crew.threads,
        )
        simulation.load(folder)
        simulation.spent = self.simulation.spent
        simulation.on_measure = self._record
        runfolder.amend(self.out, scenario, self.manifest, policies)
        self.simulation = simulation
        return "; ".join(
            policy.describe() for policy in scenario.policies if policy.name not in known
        )

    def _fork(self, command: dict[str, Any]) -> str:
        """Leave a branch of the run as it stands in a folder of its own."""
        self._save()
        return _branch(self.out, self.simulation, self.manifest, command)


def _memory_mb() -> float:
    """Resident memory now (Linux), else the peak."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024
