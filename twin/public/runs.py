"""Scenarios and runs from Python: the same bytes as the command line.

    scenario = twin.load("quickstart", duration="30d", recommender__dim=16)
    run = twin.run(scenario, out="runs/low-dim")
    run.series("enjoyed_per_session")

A run is its folder (`twin.open`): nothing of it lives in memory alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from twin.ground.crew import asked, cores
from twin.ground.errors import UsageError, nearest
from twin.public import notebook
from twin.readers import tables
from twin.readers.report import write_report
from twin.readers.terminal import make_view
from twin.record import naming
from twin.record.results import Metrics, load_manifest, load_metrics, read_events, read_metrics
from twin.running import drive
from twin.running.folder import free_folder
from twin.scenario import loading
from twin.scenario.loading import Scenario
from twin.world.metric import label_text

Source = str | Path | Scenario
"""A scenario, or the file that it is in."""


def load(
    path: str | Path,
    add_policies: Sequence[str] = (),
    sets: Mapping[str, Any] | None = None,
    **overrides: Any,
) -> Scenario:
    """The scenario in a YAML file, with values set by path: ``sets={"recommender.dim": 16}`` or,
    with two underscores for a dot, ``recommender__dim=16``; ``add_policies`` are policy files,
    ``"chronological@90d"``.

    Raises twin.ScenarioError with the file, line, reason and nearest valid name of every mistake.
    """
    given = {
        **(sets or {}),
        **{name.replace("__", "."): value for name, value in overrides.items()},
    }
    return loading.load(Path(path), settings(given), tuple(add_policies))


def settings(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Values by path as ``--set`` takes them."""
    return tuple(f"{path}={_text(value)}" for path, value in values.items())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic):
        # PyYAML cannot write numpy's numbers
        value = value.item()
    return (
        # one line, as --set takes it; PyYAML ends a plain scalar with a document mark
        yaml.safe_dump(value, default_flow_style=True, width=10**9)
        .removesuffix("\n")
        .removesuffix("\n...")
    )


def scenario_of(source: Source, sets: tuple[str, ...] = ()) -> Scenario:
    """The scenario itself, or loaded from its file with some settings."""
    return source if isinstance(source, Scenario) else loading.load(Path(source), sets)


def run(
    scenario: Source,
    out: str | Path | None = None,
    *,
    threads: int | None = None,
    quiet: bool = True,
    oracle: bool = False,
    name: str | None = None,
    tags: Sequence[str] = (),
) -> Run:
    """Run a scenario to its end, into the folder ``out`` (new or empty; by default the next free
    one in ``runs/``).

    ``threads``: by default TWIN_THREADS, else one per processor; the bytes are the same on any
    number. ``name`` and ``tags``: what it is called in lists and on its page, and words to find it
    by. Interrupted (Ctrl-C), it leaves a checkpoint and returns; `Run.resume` continues. Raises
    twin.UsageError for a folder that holds something.
    """
    found = scenario_of(scenario)
    folder = Path(out) if out is not None else free_folder(found.name)
    with naming.giving(name, tags):
        drive.start(
            found, folder, oracle=oracle, watcher=make_view(quiet), threads=asked(threads, cores())
        )
    return Run(folder)


def open_run(folder: str | Path) -> Run:
    """The run in a folder, finished or not. Raises twin.UsageError if there is none."""
    return Run(folder)


class Run:
    """A run folder. Readings are read from disk when they are asked for, and again only when the
    files have changed."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._read: tuple[list[tuple[Path, int, int]], Metrics] | None = None
        # raises here if there is no run, and not at the first reading
        load_manifest(self.folder)

    @property
    def manifest(self) -> dict[str, Any]:
        """Name, seed, versions, status and declared metrics of the run."""
        return load_manifest(self.folder)

    @property
    def status(self) -> str:
        """``done``, ``interrupted`` or ``running``."""
        return str(self.manifest["status"])

    def _readings(self) -> Metrics:
        """All readings; their arrays are read-only, since calls share them."""
        files = [self.folder / "metrics.parquet", *(self.folder / "metrics").glob("*")]
        # a running simulation adds parts, and merges them at its end
        state = [
            (path, (about := path.stat()).st_mtime_ns, about.st_size)
            for path in sorted(files)
            if path.exists()
        ]
        if self._read is None or self._read[0] != state:
            found = load_metrics(self.folder)
            # all calls share these arrays
            found.times.setflags(write=False)
            found.values.setflags(write=False)
            self._read = state, found
        return self._read[1]

    @property
    def metrics(self) -> pa.Table:
        """All readings, long: time (simulated, UTC), metric, labels, value."""
        return read_metrics(self.folder)

    @property
    def events(self) -> pa.Table:
        """What happened: time, kind (policy, migration, campaign ...), text."""
        return read_events(self.folder)

    def wide(self) -> pa.Table:
        """One row per reading, one column per series: time, ``enjoyed_per_session``,
        ``creator_income{by=ai}`` ...; unit and help of each are its field's metadata."""
        metrics = self._readings()
        rows = [
            (metric, labels) for metric in metrics.declared.values() for labels in metric.series()
        ]
        return tables.wide(tables.wide_schema(rows), metrics.times, metrics.values)

    def series(self, name: str, **labels: str) -> NDArray[np.float64]:
        """One series (readings,), such as ``run.series("creator_income", by="ai")``. Raises
        twin.UsageError with the nearest name."""
        metrics = self._readings()
        if name not in metrics.declared:
            raise UsageError(
                f"{name}: no such metric in this run ({nearest(name, metrics.declared)})"
            )
        known = list(metrics.declared[name].series())
        if labels not in known:
            texts = [label_text(each) for each in known]
            raise UsageError(
                f"{name}: no such series; give one of "
                f"{', '.join(text or 'no labels' for text in texts)}"
            )
        return metrics.series(name, **labels)

    @property
    def times(self) -> NDArray[np.datetime64]:
        """Simulated times of the readings, datetime64[s] (readings,)."""
        return self._readings().times

    def to_pandas(self) -> Any:
        """All readings, long, as a pandas DataFrame."""
        return self.metrics.to_pandas()

    def to_polars(self) -> Any:
        """All readings, long, as a polars DataFrame. Raises twin.UsageError where polars is not
        installed."""
        try:
            import polars  # not a dependency: only whoever asks for its frames needs it
        except ImportError:
            raise UsageError(
                "to_polars: polars is not installed (pip install polars, or use .metrics)"
            ) from None
        return polars.from_arrow(self.metrics)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """All readings, long, for every library that speaks the Arrow protocol."""
        return self.metrics.__arrow_c_stream__(requested_schema)

    def report(self) -> Path:
        """The report, written if it is not there yet: one HTML file."""
        path = self.folder / "report.html"
        return path if path.exists() else write_report(self.folder)

    def resume(self, *, threads: int | None = None, quiet: bool = True) -> Run:
        """Continue an interrupted run from its newest checkpoint, to the same bytes."""
        drive.resume(self.folder, watcher=make_view(quiet), threads=asked(threads, cores()))
        return self

    def __repr__(self) -> str:
        return f"twin.open({str(self.folder)!r})  # {self.manifest['name']}, {self.status}"

    def _repr_html_(self) -> str:
        """Headline numbers with their courses, and pictures, for notebooks."""
        return notebook.shown(self.folder, self.manifest, self._readings())
