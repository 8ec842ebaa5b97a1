"""The health of a run itself, declared once: is it alive, how far is it, where is its time spent.

These are not metrics of the simulated platform: they live in wall-clock time, differ from machine
to machine, are in no Parquet file and are never part of a result. The metrics endpoint serves them,
the dashboard *Run health* draws them, and rules alert on them. `Pulse` collects what they are
read from: the run's frames (`watch.Frame`) and readings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from twin.ground.units import DAY, at
from twin.readers.pulse import WINDOW_S, Pulse
from twin.record.watch import Frame, RunInfo

PHASES = {
    "browse": "sessions: the kernel in which people are served and respond",
    "chat": "conversations with assistants",
    "react": "immediate consequences of impressions: links, ratings, campaigns",
    "policy": "policies taking effect and ending",
    "people": "arrivals and departures",
    "create": "posts made",
    "settle": "creators learning from their day",
    "train": "training of the recommender",
    "sync": "copying of trained values to serving",
    "opinion": "opinions moving",
    "graph": "rebuilding of the follow graph",
    "refresh": "publishing of the next serving snapshot",
    "measure": "reading of the metrics",
}
"""What the phases of an instant do, in their order: values of the label ``phase``."""
QUEUES = {
    "calendar": "scheduled events of the simulation",
    "commands": "commands from outside that were not read yet",
    "remote_write": "readings that the receiver of remote write has not confirmed yet",
    "training": "impressions that were logged and not trained on yet",
    "undelivered": "messages of the run that the process of its watchers has not received yet",
}
"""Queues: values of the label ``queue``. A queue that a run does not have is absent."""


@dataclass(frozen=True)
class Health:
    """One declared number on a run: ``name`` without prefix and suffix; ``kind``, ``unit`` and
    ``help`` as in `metric.Metric`.

    ``read(pulse, now)`` gives its value, NaN for none, or, with a ``label``, its values by that
    label's.
    """

    name: str
    kind: Literal["counter", "gauge"]
    unit: str
    help: str
    read: Callable[[Pulse, float], float | Mapping[str, float]]
    label: str = ""

    @property
    def prom_name(self) -> str:
        """Its name in Prometheus."""
        return f"twin_run_{self.name}" + ("_total" if self.kind == "counter" else "")


def _frame(read: Callable[[Frame, RunInfo], float]) -> Callable[[Pulse, float], float]:
    """A number of the latest frame; NaN before the first."""
    return lambda pulse, now: read(pulse.frame, pulse.info) if pulse.frame else float("nan")


def _reached(pulse: Pulse) -> int:
    return pulse.frame.now_s if pulse.frame else pulse.info.resumed_at_s


HEALTH = (
    Health(
        "progress_ratio",
        "gauge",
        "ratio",
        "Part of the run's simulated time that is done, 0 to 1.",
        lambda pulse, now: max(_reached(pulse), 0) / pulse.info.duration_s,
    ),
    Health(
        "simulated_seconds",
        "gauge",
        "s",
        "Simulated seconds since the scenario's start that are done.",
        lambda pulse, now: _reached(pulse),
    ),
    Health(
        "duration_seconds",
        "gauge",
        "s",
        "Simulated seconds from the scenario's start to its end.",
        lambda pulse, now: pulse.info.duration_s,
    ),
    Health(
        "simulated_timestamp_seconds",
        "gauge",
        "s",
        "The simulated date that is reached, as seconds since 1970.",
        lambda pulse, now: at(pulse.info.start, _reached(pulse)).timestamp(),
    ),
    Health(
        "reading_timestamp_seconds",
        "gauge",
        "s",
        "The simulated date of the reading whose values are served now, as seconds since 1970; "
        "absent before the first.",
        lambda pulse, now: (
            float("nan")
            if pulse.reading_s is None
            else at(pulse.info.start, pulse.reading_s).timestamp()
        ),
    ),
    Health(
        "speed_ratio",
        "gauge",
        "ratio",
        f"Simulated seconds per wall-clock second over the last {WINDOW_S:g} s (86400 is a day per "
        f"second).",
        Pulse.speed,
    ),
    Health(
        "sessions_per_second",
        "gauge",
        "sessions/s",
        "Sessions per wall-clock second: those per simulated second over the last simulated day, "
        "times the speed.",
        lambda pulse, now: pulse.density() * pulse.speed(now),
    ),
    Health(
        "last_progress_timestamp_seconds",
        "gauge",
        "s",
        "Wall-clock time at which simulated time last advanced, as seconds since 1970; a run that "
        "is not paused and has not advanced for long is stalled.",
        lambda pulse, now: pulse.moved_unix,
    ),
    Health(
        "building",
        "gauge",
        "1",
        "1 while the world is built and nothing was simulated yet, else 0.",
        lambda pulse, now: float(pulse.frame is None),
    ),
    Health(
        "paused",
        "gauge",
        "1",
        "1 while the run is paused by hand, else 0.",
        lambda pulse, now: pulse.health("paused") if pulse.frame else 0.0,
    ),
    Health(
        "finished",
        "gauge",
        "1",
        "1 once the last simulated second is done and only the report is written, else 0.",
        lambda pulse, now: float(_reached(pulse) >= pulse.info.duration_s),
    ),
    Health(
        "pace_ratio",
        "gauge",
        "ratio",
        "Limit on simulated seconds per wall-clock second; absent without a limit.",
        # The run's limit is in simulated days per second
        lambda pulse, now: pulse.health("pace") * DAY,
    ),
    Health(
        "wall_seconds",
        "counter",
        "s",
        "Wall-clock seconds of the run so far, including those before it was resumed.",
        _frame(lambda frame, info: frame.wall_s),
    ),
    Health(
        "cpu_seconds",
        "counter",
        "s",
        "Processor seconds of the run's process, user and system.",
        lambda pulse, now: pulse.health("cpu"),
    ),
    Health(
        "spent_seconds",
        "counter",
        "s",
        "Wall-clock seconds of work in the run's process by phase: "
        + ", ".join(f"{name} ({what})" for name, what in PHASES.items())
        + ".",
        lambda pulse, now: pulse.by("spent_"),
        "phase",
    ),
    Health(
        "queue_length",
        "gauge",
        "1",
        "What waits, by queue: "
        + ", ".join(f"{name} ({what})" for name, what in QUEUES.items())
        + ".",
        lambda pulse, now: {**pulse.by("queue_"), **pulse.beside()},
        "queue",
    ),
    Health(
        "resident_memory_bytes",
        "gauge",
        "bytes",
        "Resident memory of the run's process.",
        _frame(lambda frame, info: frame.memory_mb * 2**20),
    ),
    Health(
        "checkpoint_age_seconds",
        "gauge",
        "s",
        "Wall-clock seconds since the last checkpoint, or since the run's process began.",
        # Its age in the latest frame, and the time since that frame
        lambda pulse, now: pulse.health("checkpoint_age") + now - pulse.framed,
    ),
    Health(
        "build_info",
        "gauge",
        "1",
        "1, with the version of the program that runs.",
        lambda pulse, now: {version("twin"): 1.0},
        "version",
    ),
)
"""Every number on the run, in the order in which a person reads them."""


def readings(pulse: Pulse, now: float) -> Iterator[tuple[Health, dict[str, float]]]:
    """Every declared number with its values by label value ("" without a label); those without a
    value are left out."""
    for each in HEALTH:
        value = each.read(pulse, now)
        values = dict(value) if isinstance(value, Mapping) else {"": float(value)}
        # A NaN differs from itself
        known = {name: number for name, number in values.items() if number == number}
        if known:
            yield each, known
