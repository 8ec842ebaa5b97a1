"""A run as a folder: start it, watch it, give it commands, interrupt it, resume it.

Checkpoints are written at barriers in simulated time; when they are written depends on the wall
clock, what the run computes does not. A run killed at any moment resumes from its newest whole
checkpoint (or from the start) and ends with the same bytes. At every barrier (a simulated hour) the
run reads its mailbox (see `commands`); a policy given there becomes part of the scenario.

All times here are seconds since the scenario's start. A run with a warm-up begins below zero. The
start itself is always a barrier, at which the world goes to the cache or comes from there (see
`warmed`). The warm-up leaves no readings and no marks, and its pace is not limited. A policy given
meanwhile counts from the start.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.ground import files
from twin.ground.compiling import compiled_s
from twin.ground.errors import Foreign, ScenarioError, Stopped, UsageError
from twin.ground.units import DAY, HOUR, at, format_duration
from twin.readers.text import span
from twin.record.impressions import Impressions
from twin.record.mailbox import Mailbox
from twin.record.names import identity
from twin.record.results import Recorder, load_manifest
from twin.record.watch import Frame, RunInfo, Watcher
from twin.running import branches, warmed
from twin.running import folder as runfolder
from twin.running.commands import carry_out
from twin.running.pace import Pace
from twin.running.process import interrupts, memory_mb
from twin.scenario.changes import told
from twin.scenario.loading import Scenario
from twin.world import checkpoint

# a checkpoint is due when either has passed
CHECKPOINT_WALL_S = 20.0
CHECKPOINT_SIM_S = 30 * DAY
IDLE_S = 0.02
"""Wall-clock seconds between two readings of the mailbox while the run waits."""
HEALTH_S = 0.05
"""Wall-clock seconds between two measurements of the run's own health."""
KEPT = 2
"""Checkpoints that a run keeps."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and the line that reports it to the user."""

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
    log: Path | None = None,
) -> Outcome:
    """Run a scenario into a new folder, at most ``pace`` simulated days per second, on so many
    threads; impressions go to ``log``. Raises UsageError if a folder holds something already.
    """
    runfolder.free(out)
    if log is not None:
        if reference:
            raise UsageError("--log: cannot be had with --reference (leave one out)")
        Impressions(log, scenario.start).free()
    scenario = told(scenario)
    simulation = Simulation(scenario, reference=reference, oracle=oracle, threads=threads)
    there = out.is_dir()
    manifest = runfolder.create(out, scenario, simulation)
    if log is not None:
        # where the run can be resumed from any directory
        manifest["log"] = str(log.resolve())
        runfolder.write_manifest(out, manifest)
    try:
        with _kept(out), Mailbox(out) as mailbox:
            return _Drive(simulation, out, manifest, watcher or Watcher(), pace, mailbox).run()
    except (UsageError, ScenarioError):
        runfolder.abandon(out, there)
        raise


@contextlib.contextmanager
def _kept(out: Path) -> Iterator[None]:
    """An error of the disk inside, or of what the user brought, ends the run, whose folder can be
    resumed: say so. Raises Stopped."""
    try:
        yield
    except (TimeoutError, ConnectionError):
        raise  # of a network
    except Foreign as error:
        raise Stopped(
            f"{error}; the run has stopped, what was saved is kept (once that is mended: twin "
            f"resume {out})"
        ) from error
    except OSError as error:
        reason, mend = files.reason(error)
        where = f" ({files.shown(str(error.filename))})" if error.filename else ""
        over = load_manifest(out)["status"] == "done"
        raise Stopped(
            f"{out}: {'the run is over, but not its report' if over else 'the run has stopped'}: "
            f"{reason}{where}; what was saved is kept ({f'{mend}, then' if mend else 'try again'}: "
            f"twin {'report' if over else 'resume'} {out})"
        ) from error


def resume(
    out: Path, *, watcher: Watcher | None = None, pace: float | None = None, threads: int = 1
) -> Outcome:
    """Continue an unfinished run from its newest whole checkpoint. Raises UsageError if a process
    already runs there."""
    finished = Outcome(
        "finished", f"{out} is already finished; its report is {out / 'report.html'}"
    )
    # before the mailbox, which makes a folder: a finished run is not written to
    if load_manifest(out).get("status") == "done":
        return finished
    with Mailbox(out) as mailbox:
        if load_manifest(out).get("status") == "done":  # another process has just ended it
            return finished
        scenario, manifest = runfolder.open_(out)
        simulation = Simulation(
            scenario, reference=manifest["reference"], oracle=manifest["oracle"], threads=threads
        )
        newest = checkpoint.latest(out / checkpoint.FOLDER)
        if newest is not None:
            simulation.load(newest)
        with _kept(out):
            return _Drive(simulation, out, manifest, watcher or Watcher(), pace, mailbox).run()


def fork_stopped(out: Path, command: dict[str, Any]) -> str:
    """Fork a run that is not running now at its newest checkpoint; ``command`` as in `mailbox`.
    Returns a line for the user."""
    load_manifest(out)  # no run folder: say so before anything is made in it
    with Mailbox(out):
        scenario, manifest = runfolder.open_(out)
        newest = checkpoint.latest(out / checkpoint.FOLDER)
        simulation = Simulation(scenario)
        # no world is built: a fork needs the scenario and the time alone
        simulation.world.now = (checkpoint.when(newest) if newest else 0) + scenario.warm_up
        return branches.leave(out, simulation, manifest, command)


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
        self.simulation, self.out, self.manifest = simulation, out, manifest
        simulation.world.folder = out
        self.watcher, self.mailbox, self.paused = watcher, mailbox, False
        self.pace = Pace(pace, simulation.now)
        self.recorder = Recorder(out, simulation.scenario.start, simulation.world.board.rows)
        self.log: Impressions | None = None
        if "log" in manifest:
            self.log = Impressions(Path(manifest["log"]), simulation.scenario.start)
            self.log.watch(simulation.world)
        self.latest: NDArray[np.float64] = simulation.world.board.snapshot()
        # of the run's earlier processes; the pauses are part of what was spent
        self.spent = float(manifest.get("wall_s", 0.0))
        self.paused_s = float(manifest.get("paused_s", 0.0))
        self.began = self.saved_wall = time.monotonic()
        self.healthy_wall, self.memory_mb, self.health = float("-inf"), 0.0, dict[str, float]()
        self.saved_at = simulation.now

    @property
    def now(self) -> int:
        """Simulated seconds since the start; negative in the warm-up."""
        return self.simulation.now

    def replace(self, simulation: Simulation) -> None:
        """Continue with another simulation of the same world."""
        self.simulation = simulation
        simulation.world.folder = self.out
        if self.log is not None:
            self.log.watch(simulation.world)

    def run(self) -> Outcome:
        """Run to the end, or until the user interrupts."""
        scenario, world = self.simulation.scenario, self.simulation.world
        self.recorder.rewind(self.now, scenario.metrics.every)
        if self.log is not None:
            self.log.rewind()
        self.simulation.on_measure = self._record
        self.watcher.begin(
            RunInfo(
                name=scenario.name,
                start=scenario.start,
                duration_s=scenario.duration,
                resumed_at_s=max(self.now, 0),
                rows=world.board.rows,
                out=self.out,
                labels=identity(self.manifest),
                warm_up_s=scenario.warm_up,
            )
        )
        if not self.simulation.due:  # neither begun nor loaded
            if warmed.begin(self.simulation, self.watcher.note):
                self.watcher.note(
                    f"the world has already warmed up ({format_duration(scenario.warm_up)}) and is "
                    f"taken from the cache"
                )
            self.saved_at = self.now
            self.pace.restart(self.now)
        # rounded up to the serving refresh, on which all clocks tick
        step = -(-HOUR // world.grid) * world.grid
        with interrupts() as asked:
            while self.now < scenario.duration and not asked.is_set():
                self._wait(asked)
                if asked.is_set():  # a paused run stops where it is
                    break
                self._step(min(self.now + step, scenario.duration if self.now >= 0 else 0))
                self._marks()
                self._show(fresh=False)
                if (
                    time.monotonic() - self.saved_wall > CHECKPOINT_WALL_S
                    or self.now - self.saved_at >= CHECKPOINT_SIM_S
                ):
                    self.save()
            interrupted = asked.is_set()
            # before anything waits for readers: one of them may be waiting for a reply
            self.mailbox.refuse()
            if interrupted:
                self.save()
            else:
                # a barrier excludes its own second: one more takes the reading at the end
                self.simulation.run(scenario.duration + 1)
                self.save()
                self.recorder.finish()
                if self.log is not None:
                    self.log.finish()
                self._show()
        return self._ended(interrupted)

    def _step(self, until: int) -> None:
        """Run to the next barrier. The start is one, whatever lies between barriers."""
        self.simulation.run(until)
        if until == 0:
            warmed.keep(self.simulation, self.watcher.note)
            self.pace.restart(0)

    def _ended(self, interrupted: bool) -> Outcome:
        scenario, wall = self.simulation.scenario, self.spent + time.monotonic() - self.began
        total, reached = self._sessions(), min(self.now, scenario.duration)
        self.manifest |= {
            "status": "interrupted" if interrupted else "done",
            "wall_s": round(wall, 3),
            "paused_s": round(self.paused_s, 3),
            "sessions": total,
            "memory_mb": round(memory_mb(), 1),
            "reached_s": reached,
        }
        runfolder.write_manifest(self.out, self.manifest)
        date = at(scenario.start, reached).date()
        if interrupted:
            text = f"interrupted on {date}, nothing is lost; continue with: twin resume {self.out}"
        else:
            # after the manifest says "done": until then a resumed run needs the parts
            self.recorder.clean()
            # inside, because it takes a second to import, which `twin check` is spared
            from twin.readers.report import write_report

            text = (
                f"done: {scenario.name} to {date}, {total:,} sessions in "
                f"{span(wall - self.paused_s)}; "
                f"report: {write_report(self.out)}"
            )
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

    def save(self) -> Path:
        """Bring everything to disk, once per barrier; the checkpoint."""
        newest = checkpoint.latest(self.out / checkpoint.FOLDER)
        # a new run has saved_at == now before it has any checkpoint
        if newest is not None and self.saved_at == self.now == checkpoint.when(newest):
            return newest
        # marks and readings before the checkpoint: a run resumed from it never computes them again
        self._marks()
        if self.now >= 0:
            self.recorder.flush(self.now)
        if self.log is not None:
            self.log.save()
        folder = self.out / checkpoint.FOLDER / checkpoint.folder_name(self.now)
        self.simulation.save(folder)
        # after the new one is whole, so that there is always one to resume from
        checkpoint.prune(self.out / checkpoint.FOLDER, KEPT)
        self.saved_wall, self.saved_at = time.monotonic(), self.now
        self.watcher.saved(self.now)
        return folder

    def _show(self, fresh: bool = True) -> None:
        """Report to the watcher where the run is. Unless ``fresh``, the run's own health may be
        HEALTH_S old: it costs more than the rest."""
        simulation, wall = self.simulation, time.monotonic()
        if fresh or wall - self.healthy_wall >= HEALTH_S:
            self.healthy_wall, self.memory_mb = wall, memory_mb()
            self.health = {
                "paused": float(self.paused),
                "pace": self.pace.limit or float("nan"),
                "queue_commands": float(self.mailbox.waiting()),
                "checkpoint_age": wall - self.saved_wall,
                "cpu": time.process_time(),
                **{f"queue_{name}": float(length) for name, length in simulation.queued().items()},
                **{f"spent_{phase}": seconds for phase, seconds in simulation.spent.items()},
            }
        self.watcher.update(
            Frame(
                now_s=min(self.now, simulation.scenario.duration),
                wall_s=self.spent + wall - self.began,
                sessions=self._sessions(),
                values=self.latest,
                memory_mb=self.memory_mb,
                health=self.health,
                paused_s=self.paused_s,
                compiled_s=compiled_s(),
            )
        )

    def _wait(self, asked: threading.Event) -> None:
        """Carry out commands; return when the run is neither paused nor ahead of its pace."""
        shown_wall, began = 0.0, time.monotonic()
        while True:
            if self.paused:
                self.paused_s += time.monotonic() - began
            began = time.monotonic()
            for name, command in self.mailbox.commands():
                self.mailbox.answer(name, carry_out(self, command))
                # the next frame says whether the run is paused now
                shown_wall, self.healthy_wall = 0.0, float("-inf")
            # after the commands: the last one may have paused the run or let it continue
            if asked.is_set() or not (self.paused or self.pace.ahead(self.now)):
                return
            if time.monotonic() - shown_wall > 0.25:
                self._show()
                shown_wall = time.monotonic()
            time.sleep(IDLE_S)
