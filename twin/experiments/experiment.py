"""An experiment's folder and the life of its command: begin or resume, run tasks with progress, be
interrupted, end.

``manifest.json`` says which command with which arguments made the folder, so that the same command,
or `twin resume`, continues with what is left, and another is refused. ``scenario.yaml`` is resolved;
``policies/`` holds what branches apply; ``failed/`` errors of tasks that failed three times;
``results.parquet`` and ``report.html`` are what it is for.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console

from twin.experiments.work.backends import Ended, run_all
from twin.experiments.work.pool import Progress
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import SCENARIO, Task
from twin.ground import interrupts
from twin.ground.errors import UsageError
from twin.readers.bar import bar
from twin.readers.text import span
from twin.record import naming
from twin.running.folder import PACKAGES
from twin.scenario.changes import told
from twin.scenario.describe import digest, dump
from twin.scenario.loading import Scenario

FORMAT = 1
BARE = {"manifest.json", SCENARIO, "policies", naming.FILE}
"""What a folder holds in which nothing was computed."""


class Experiment:
    """One command's folder. Raises UsageError if it holds something else; ``known``: the digest
    of its scenario where the file is known to be as it was written."""

    def __init__(
        self,
        out: str,
        command: str,
        args: Mapping[str, Any],
        scenario: Scenario,
        quiet: bool = False,
        known: str = "",
    ) -> None:
        scenario = told(scenario)
        self.store, self.out, self.command, self.quiet, self.scenario = (
            Store(out),
            out,
            command,
            quiet,
            scenario,
        )
        self.failed: dict[str, str] = {}
        self.began = time.monotonic()
        self.manifest: dict[str, Any] = {
            "format": FORMAT,
            "command": command,
            "args": dict(args),
            "scenario_digest": known or digest(scenario),
            "name": scenario.name,
            "about": scenario.description,
            "start": scenario.start.isoformat(),
            "duration_s": scenario.duration,
            "seed": scenario.seed,
            "status": "running",
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in PACKAGES},
            },
        }
        if self.store.exists("manifest.json"):
            try:
                self._same(self.store.read_json("manifest.json"))
                self.say(f"resumes {out}")
            except UsageError:
                # of a command that was refused later, such as for its --on: it computed nothing
                if not set(self.store.names()) <= BARE:
                    raise
                self._write()
                self.store.write(SCENARIO, dump(scenario).encode())
        else:
            if self.store.exists("") and self.store.names():
                raise UsageError(
                    f"{out}: this folder is not empty and holds no experiment (give another --out)"
                )
            # the manifest first: it marks the folder as an experiment's, should nothing else follow
            self._write()
        if named := naming.given().text:  # a command that resumes without one keeps the old name
            self.store.write(naming.FILE, named.encode())
        if not self.store.exists(SCENARIO):  # new, or killed between the two
            self.store.write(SCENARIO, dump(scenario).encode())

    @property
    def naming(self) -> naming.Naming:
        """What the user calls it."""
        there = self.store.exists(naming.FILE)
        return naming.parse(self.store.read(naming.FILE)) if there else naming.NOTHING

    def _same(self, found: Mapping[str, Any]) -> None:
        if found.get("format") != FORMAT or "command" not in found:
            raise UsageError(
                f"{self.out}: holds a run, or an experiment of another version (give another --out)"
            )
        if found["command"] != self.command:
            raise UsageError(f"{self.out}: holds a {found['command']} (give another --out)")
        if found["scenario_digest"] != self.manifest["scenario_digest"]:
            raise UsageError(
                f"{self.out}: holds a {self.command} of another scenario or other --set (give "
                f"another --out)"
            )
        # through JSON, in which the tuples of the arguments are lists, as in the file
        mine, theirs = json.loads(json.dumps(self.manifest["args"])), found["args"]
        other = [key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]
        if other:
            raise UsageError(
                f"{self.out}: holds a {self.command} with other {' and '.join(other)} (give "
                f"another --out)"
            )
        # what was found stays: wall-clock time, failures and facts of the command so far
        self.manifest = {**found, "status": "running"}

    def remark(self, lines: Sequence[str]) -> None:
        """Say what was asked for and cannot act, also if quiet, and keep it for the report: it
        qualifies what the result means."""
        if lines:
            self.manifest["remarks"] = list(lines)
        for line in lines:
            click.echo(f"warning: {line}", err=True)

    def _write(self) -> None:
        self.store.write_json("manifest.json", self.manifest)

    @property
    def about(self) -> str:
        """What its scenario describes, for the report."""
        return str(self.manifest.get("about", ""))

    def say(self, text: str) -> None:
        """A line for the user."""
        if not self.quiet:
            click.echo(text)

    def conclude(self, lines: Iterable[str], report: Callable[[Experiment], None]) -> None:
        """Print the results, write the report, and print where it is."""
        for line in lines:
            self.say(line)
        report(self)
        self.say(f"report: {self.out.rstrip('/')}/report.html")

    def run(
        self, tasks: Sequence[Task], on: str | None, what: str = "runs", store: Store | None = None
    ) -> Ended:
        """Do what is left of some tasks, showing how far it is. What failed three times is printed,
        and kept in ``failed``. ``store``: the folder of another experiment, whose tasks they are."""
        view = _Bar(what) if not self.quiet and Console().is_terminal else _Lines(what, self.quiet)
        try:
            with interrupts.kept():
                ended = run_all((store or self.store).root, tasks, on, view.show)
        except KeyboardInterrupt:
            view.close()
            self.finish("interrupted")
            raise Interrupted(self.out) from None
        view.close()
        for result, error in ended.failed.items():
            click.echo(f"failed: {result}: {error}", err=True)
        self.failed |= ended.failed
        # failed in an earlier session and done in this one: the errors kept of them are stale
        repaired = {task.result for task in tasks} & set(self.manifest.get("failed", {})) - set(
            ended.failed
        )
        for result in sorted(repaired):
            self.store.remove(f"failed/{result.replace('/', '-')}.txt")
        return ended

    def table(self, name: str, table: Any) -> None:
        """Write a Parquet table (pyarrow)."""
        sink: Any = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        self.store.write(name, sink.getvalue().to_pybytes())

    def finish(self, status: str, **facts: Any) -> None:
        """Write how it ended."""
        wall = float(self.manifest.get("wall_s", 0.0)) + time.monotonic() - self.began
        self.manifest |= {
            "status": status,
            "wall_s": round(wall, 3),
            "failed": self.failed,
            **facts,
        }
        # counted from here on, so that a second call does not add the same time twice
        self.began = time.monotonic()
        self._write()


class Interrupted(UsageError):
    """Ctrl-C; what is done is kept."""

    status = 130

    def __init__(self, out: str) -> None:
        super().__init__(
            f"interrupted, nothing that is done is lost; continue with: twin resume {out}"
        )


class _Pace:
    """Time left, from the weight that was done since the command began."""

    def __init__(self, what: str) -> None:
        self.what, self.began = what, time.monotonic()

    def left(self, progress: Progress) -> str:
        """As people read it; nothing before the first task has ended."""
        # what an earlier session did says nothing about the pace of this one
        done = progress.done_weight - progress.old_weight
        if done <= 0:
            return ""
        rate = (time.monotonic() - self.began) / done
        return f"left {span(rate * (progress.weight - progress.done_weight))}"

    def show(self, progress: Progress) -> None:
        """Show progress."""

    def close(self) -> None:
        """Stop showing."""


class _Lines(_Pace):
    """A line every tenth of the work, and every MINUTES of long work, into a pipe or file."""

    MINUTES = 5

    def __init__(self, what: str, quiet: bool) -> None:
        super().__init__(what)
        self.quiet, self._printed, self._printed_at = quiet, -1, 0.0

    def show(self, progress: Progress) -> None:
        """A line now and then."""
        tenths, wall = int(10 * progress.done_weight / progress.weight), time.monotonic()
        # one line a second at most, but always the last one
        due = tenths != self._printed and (
            wall - self._printed_at > 1 or progress.done + progress.failed == progress.total
        )
        if not self.quiet and (due or wall - self._printed_at > 60 * self.MINUTES):
            self._printed, self._printed_at = tenths, wall
            failed = f"  {progress.failed} failed" if progress.failed else ""
            text = f"{progress.done}/{progress.total} {self.what} on {progress.workers} workers"
            click.echo(f"{text}{failed}  {self.left(progress)}".rstrip())


class _Bar(_Pace):
    """A bar in the terminal."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self._bar, self._task = bar(what)

    def show(self, progress: Progress) -> None:
        """Redraw."""
        failed = f", {progress.failed} failed" if progress.failed else ""
        self._bar.update(
            self._task,
            completed=progress.done_weight / progress.weight,
            left=self.left(progress),
            description=f"{progress.done}/{progress.total} {self.what} on {progress.workers} "
            f"workers{failed}",
        )

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()
