"""A run as a folder: start it, watch it, interrupt it, take it up again.

The folder holds the resolved scenario, a manifest, metrics and events (Parquet), checkpoints and the report. Checkpoints are
written at barriers in simulated time; when they are written depends on the wall clock, what the run computes does not. A run
killed at any moment resumes from its newest whole checkpoint (or from the start) and ends with the same bytes.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twin import checkpoint
from twin.describe import digest, dump
from twin.engine import Simulation
from twin.errors import CheckpointError, UsageError
from twin.mechanisms.network import read_edges
from twin.metric import metric_to_dict
from twin.readers.results import Recorder, load_manifest
from twin.readers.terminal import Frame, RunInfo, View
from twin.readers.text import span
from twin.scenario import Scenario, load
from twin.units import DAY, HOUR, at, format_duration

FORMAT = 1
CHECKPOINT_WALL_S = 20.0
CHECKPOINT_SIM_S = 30 * DAY
KEPT = 2
PACKAGES = ("twin", "numpy", "numba", "simpy", "networkx", "pyarrow", "scipy")


@dataclass(frozen=True)
class Outcome:
    """How a run ended and what to tell the user."""

    status: Literal["done", "interrupted", "finished"]
    text: str


def start(scenario: Scenario, out: Path, *, reference: bool = False, oracle: bool = False, view: View | None = None) -> Outcome:
    """Run a scenario into a new folder. Raises UsageError if the folder holds something already."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: is a file (give --out a new or empty folder)")
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out}: this folder is not empty (give another --out, or `twin resume {out}` if it is an "
                         "unfinished run)")
    simulation = Simulation(scenario, reference=reference, oracle=oracle)
    manifest = {
        "format": FORMAT, "name": scenario.name, "description": scenario.description, "seed": scenario.seed,
        "replicate": scenario.replicate, "scenario_digest": digest(scenario), "start": scenario.start.isoformat(),
        "duration_s": scenario.duration, "reference": reference, "oracle": oracle, "status": "running",
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "code": {name: outside.code() for name, outside in scenario.outside.items()},
        "metrics": [metric_to_dict(metric) for metric in simulation.world.board.metrics.values()],
    }
    work = out.with_name(out.name + ".part")  # a run folder is complete from the first instant, or absent
    shutil.rmtree(work, ignore_errors=True)
    (work / "checkpoints").mkdir(parents=True)
    (work / "scenario.yaml").write_text(dump(scenario))
    _write_manifest(work, manifest)
    work.replace(out)
    return _drive(simulation, out, manifest, view)


def resume(out: Path, *, view: View | None = None) -> Outcome:
    """Take up an unfinished run from its newest whole checkpoint."""
    manifest = load_manifest(out)
    if manifest.get("format") != FORMAT:
        raise CheckpointError(f"{out}: run format {manifest.get('format')}, this version reads {FORMAT}")
    if manifest["status"] == "done":
        return Outcome("finished", f"{out} is finished already; its report is {out / 'report.html'}")
    scenario = load(out / "scenario.yaml")
    if digest(scenario) != manifest["scenario_digest"]:
        raise CheckpointError(f"{out}: scenario.yaml was changed since the run began (start a new run instead)")
    for name, outside in scenario.outside.items():
        if outside.code() != manifest["code"].get(name):
            raise CheckpointError(f"{out}: {outside.file}, the code of {name}, was changed since the run began (start a new run instead)")
    simulation = Simulation(scenario, reference=manifest["reference"], oracle=manifest["oracle"])
    newest = checkpoint.latest(out / "checkpoints")
    if newest is not None:
        simulation.load(newest)
    return _drive(simulation, out, manifest, view)


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


def _drive(simulation: Simulation, out: Path, manifest: dict[str, Any], view: View | None) -> Outcome:
    scenario, world = simulation.scenario, simulation.world
    recorder = Recorder(out, scenario.start, world.board.rows)
    recorder.rewind(world.now)
    latest: NDArray[np.float64] = world.board.snapshot()

    def record(now: int, values: NDArray[np.float64]) -> None:
        nonlocal latest
        latest = values
        recorder.record(now, values)

    simulation.on_measure = record
    if view:
        view.begin(RunInfo(scenario.name, scenario.start, scenario.duration, world.now, world.board.rows, out))
    if world.now == 0:
        simulation.begin()
    began, saved_wall, saved_at = time.monotonic(), time.monotonic(), world.now
    spent = float(manifest.get("wall_s", 0.0))
    step = -(-HOUR // world.grid) * world.grid
    sessions = world.board.index("sessions")

    def marks() -> None:
        for when, kind, text in world.marks:
            recorder.mark(when, kind, text)
            if view:
                view.mark(at(scenario.start, when), kind, text)
        world.marks.clear()

    def save() -> None:
        nonlocal saved_wall, saved_at
        marks()
        recorder.flush(world.now)
        simulation.save(out / "checkpoints" / f"t{world.now}")
        for old in sorted((out / "checkpoints").glob("t*"), key=lambda path: (path.suffix, path.name)):
            if old.suffix == ".part" or int(old.name[1:]) not in _newest(out):
                shutil.rmtree(old, ignore_errors=True)
        saved_wall, saved_at = time.monotonic(), world.now

    def show() -> None:
        if view:
            view.update(Frame(min(world.now, scenario.duration), spent + time.monotonic() - began, int(latest[sessions]), latest,
                              _memory_mb()))

    interrupted = False
    with _interrupts() as asked:
        while world.now < scenario.duration and not interrupted:
            simulation.run(min(world.now + step, scenario.duration))
            marks()
            show()
            interrupted = asked.is_set()
            if (interrupted or time.monotonic() - saved_wall > CHECKPOINT_WALL_S or world.now - saved_at >= CHECKPOINT_SIM_S):
                save()
        if not interrupted:
            simulation.run(scenario.duration + 1)
            save()
            recorder.finish()
            show()
    wall = spent + time.monotonic() - began
    total = int(latest[sessions])
    manifest |= {"status": "interrupted" if interrupted else "done", "wall_s": round(wall, 3), "sessions": total,
                 "memory_mb": round(_memory_mb(), 1), "reached_s": min(world.now, scenario.duration)}
    _write_manifest(out, manifest)
    date = at(scenario.start, manifest["reached_s"]).date()
    if interrupted:
        text = f"interrupted on {date}, nothing is lost; go on with: twin resume {out}"
    else:
        recorder.clean()
        from twin.readers.report import write_report  # a second of imports that `twin check` need not wait for

        text = f"done: {scenario.name} to {date}, {total:,} sessions in {span(wall)}; report: {write_report(out)}"
    if view:
        view.end(text)
    return Outcome("interrupted" if interrupted else "done", text)


def _newest(out: Path) -> set[int]:
    times = sorted((int(path.name[1:]) for path in (out / "checkpoints").glob("t*") if path.name[1:].isdigit()), reverse=True)
    return set(times[:KEPT])


def _write_manifest(out: Path, manifest: dict[str, Any]) -> None:
    work = out / "manifest.json.part"
    with work.open("w") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    work.replace(out / "manifest.json")


def _memory_mb() -> float:
    """Resident memory now (Linux), else the peak."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def plan(scenario: Scenario) -> str:
    """The order of clocks within one instant, and an estimate of the run's time and memory."""
    simulation = Simulation(scenario)
    lines = ["Order within one instant (phase, clock, period):"]
    lines += [f"  {rank:3d}  {phase:8s} {name:32s} {period}" for rank, phase, name, period in simulation.clock_table()]
    audience: Any = scenario.mechanisms["audience"]
    network: Any = scenario.mechanisms["network"]
    initial = audience.initial if network.kind != "edge_list" else read_edges(Path(network.path), network.directed)[0]
    days = scenario.duration / DAY
    people = initial + audience.arrivals * days / 2
    sessions = people * SESSIONS_PER_PERSON_DAY * days
    creators: Any = scenario.mechanisms["creators"]
    busy = creators.drafts > 1 or creators.human.work_share + creators.ai.work_share > 0
    seconds = sessions * SECONDS_PER_SESSION[busy] + scenario.duration / simulation.world.grid * SECONDS_PER_REFRESH[busy]
    recommender: Any = scenario.mechanisms["recommender"]
    size = BYTES_AT_REST + people * (700 + 12 * (recommender.dim + 1)) + sessions / days * 10 * 12
    lines.append(f"Estimate: about {sessions:,.0f} sessions over {format_duration(scenario.duration)}, {span(seconds)} on one "
                 f"core of a 2026 server (compiled kernels warm), {size / 2**20:,.0f} MB")
    return "\n".join(lines)


SESSIONS_PER_PERSON_DAY, BYTES_AT_REST = 0.48, 310e6
SECONDS_PER_SESSION, SECONDS_PER_REFRESH = (25e-6, 33e-6), (700e-6, 1500e-6)
"""Without and with works or drafts; measured on `quickstart`, `real_network`, `two_years` and `everything`, only for the estimate that
`twin check` prints."""
