"""The tables of a run folder: metrics and events in simulated time, as Parquet.

``metrics.parquet``: time (UTC, simulated), metric, labels (``by=ai,bin=0.1``), value; every
declared series at every reading, in declared order. ``events.parquet``: time, kind, text. While a
run runs, its rows are in parts, one per checkpoint, so that a killed run loses none. At the end
they become one file whose bytes do not depend on where the checkpoints were.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.ground import files, parquet
from twin.ground.errors import CheckpointError, UsageError
from twin.ground.units import at
from twin.record.manifest import load_manifest as load_manifest
from twin.world.metric import Metric, label_text, metric_from_dict

_TIME = pa.timestamp("ms", tz="UTC")
_WORD = pa.dictionary(pa.int32(), pa.string())
METRICS = pa.schema(
    [("time", _TIME), ("metric", _WORD), ("labels", _WORD), ("value", pa.float64())]
)
EVENTS = pa.schema([("time", _TIME), ("kind", pa.string()), ("text", pa.string())])
ROW_GROUP = 2**18
_PART = re.compile(r"part-\d+\.parquet")
FORMAT = 2
"""Of run folders."""
MAIN = "main"
"""The branch of a run that was forked from no other."""

Rows = Sequence[tuple[Metric, Mapping[str, str]]]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file whole or not at all."""
    work = path.with_name(path.name + ".part")
    # with sums of pages, which all who read it check: a disk may give back other bits
    pq.write_table(
        table, work, row_group_size=ROW_GROUP, compression="zstd", write_page_checksum=True
    )
    # On disk before the name: after a power cut the name must not lead to an empty file
    with work.open("rb") as file:
        os.fsync(file.fileno())
    work.replace(path)


def _codes(words: Sequence[str]) -> tuple[pa.Array, pa.Array]:
    known = {word: code for code, word in enumerate(dict.fromkeys(words))}
    return pa.array([known[word] for word in words], pa.int32()), pa.array(list(known), pa.string())


class Recorder:
    """Writes the readings and marks of a running simulation into ``folder``.

    ``rows`` are the declared series in board order; times are seconds since ``start``.
    """

    def __init__(self, folder: Path, start: dt.date, rows: Rows) -> None:
        self.folder, self.parts = (
            folder,
            {"metrics": folder / "metrics", "events": folder / "events"},
        )
        self._origin = int(at(start, 0).timestamp())
        # Coded once: every reading has the same series in the same order
        self._metric = _codes([metric.name for metric, _ in rows])
        self._labels = _codes([label_text(labels) for _, labels in rows])
        self._readings: list[tuple[int, NDArray[np.float64]]] = []
        self._marks: list[tuple[int, str, str]] = []

    def record(self, now: int, values: NDArray[np.float64]) -> None:
        """Keep one reading of all series, float64 (series,)."""
        self._readings.append((now, values))

    def mark(self, now: int, kind: str, text: str) -> None:
        """Keep one event mark."""
        self._marks.append((now, kind, text))

    def flush(self, now: int) -> None:
        """Write everything before the barrier ``now`` to disk, as one part."""
        for name, table in (("metrics", self._metrics_table()), ("events", self._events_table())):
            self.parts[name].mkdir(exist_ok=True)
            write_table(table, self.parts[name] / f"part-{now:012d}.parquet")
        self._readings.clear()
        self._marks.clear()

    def rewind(self, now: int, every: int) -> None:
        """Remove everything after the barrier ``now``, from which a resumed run computes again;
        there is a reading ``every`` so many seconds. Raises CheckpointError if what came before is
        not all there."""
        self._whole(now, max(0, -(-now // every)))
        for folder in self.parts.values():
            for path in _parts(folder):
                if _barrier(path) > now:
                    path.unlink()

    def _whole(self, now: int, readings: int) -> None:
        """Every part up to a barrier is there: as many readings as came before it, and events in
        parts of the same names."""
        names = {
            name: {path.name for path in _parts(folder) if _barrier(path) <= now}
            for name, folder in self.parts.items()
        }
        rows = 0
        for part in names["metrics"]:
            path = self.parts["metrics"] / part
            try:
                rows += pq.read_metadata(path).num_rows
            except parquet.DAMAGED as error:
                raise _unreadable(path, error) from None
        if names["metrics"] != names["events"] or rows != readings * len(self._metric[0]):
            raise CheckpointError(
                f"{self.folder}: readings or events from before its newest checkpoint are missing "
                f"(bring them back, or run the scenario again)"
            )

    def finish(self) -> None:
        """Merge the parts into ``metrics.parquet`` and ``events.parquet``; call `clean` once the
        run's manifest says that it is done."""
        for name, folder in self.parts.items():
            write_table(
                _merged(folder, METRICS if name == "metrics" else EVENTS),
                self.folder / f"{name}.parquet",
            )

    def clean(self) -> None:
        """Remove the parts."""
        for folder in self.parts.values():
            shutil.rmtree(folder, ignore_errors=True)

    def _metrics_table(self) -> pa.Table:
        count, series = len(self._readings), len(self._metric[0])
        # Readings one after another, each with all series
        times = np.repeat(
            np.array([self._origin + now for now, _ in self._readings], np.int64), series
        )
        values = (
            np.concatenate([reading for _, reading in self._readings]) if count else np.zeros(0)
        )
        words = [
            pa.DictionaryArray.from_arrays(
                pa.concat_arrays([codes] * count) if count else codes.slice(0, 0), names
            )
            for codes, names in (self._metric, self._labels)
        ]
        return pa.Table.from_arrays(
            [pa.array(times * 1000).cast(_TIME), *words, pa.array(values)], schema=METRICS
        )

    def _events_table(self) -> pa.Table:
        columns = list(zip(*self._marks, strict=True)) or [(), (), ()]
        times = pa.array([(self._origin + now) * 1000 for now in columns[0]], pa.int64()).cast(
            _TIME
        )
        return pa.Table.from_arrays(
            [times, pa.array(columns[1], pa.string()), pa.array(columns[2], pa.string())],
            schema=EVENTS,
        )


def _parts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("part-*.parquet") if _PART.fullmatch(path.name))


def _barrier(part: Path) -> int:
    """Seconds since the start that all rows of a part precede."""
    return int(part.stem.removeprefix("part-"))


def _merged(folder: Path, schema: pa.Schema) -> pa.Table:
    tables = []
    for path in _parts(folder):
        try:
            tables.append(pq.read_table(path, schema=schema, page_checksum_verification=True))
        except parquet.DAMAGED as error:
            # an error of the disk has a number, one of what was read has none
            if isinstance(error, OSError) and files.number(error) is not None:
                raise
            raise _unreadable(path, error) from None
    if not tables:
        return schema.empty_table()
    # One dictionary and one chunk, so that the file does not show where the parts ended
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


class Metrics:
    """All readings of a run in memory.

    ``times`` datetime64[s] (readings,); ``values`` float64 (readings, series); ``declared`` the
    metrics by name.
    """

    def __init__(
        self, declared: Sequence[Metric], times: NDArray[np.datetime64], values: NDArray[np.float64]
    ) -> None:
        self.declared = {metric.name: metric for metric in declared}
        self.times, self.values = times, values
        self._place: dict[str, slice] = {}
        first = 0
        # The series of a metric lie side by side, in declared order
        for metric in declared:
            size = sum(1 for _ in metric.series())
            self._place[metric.name] = slice(first, first + size)
            first += size

    def of(self, name: str) -> NDArray[np.float64]:
        """All series of a metric (readings, series), in declared order."""
        return self.values[:, self._place[name]]

    def series(self, name: str, **labels: str) -> NDArray[np.float64]:
        """One series (readings,)."""
        return self.of(name)[:, list(self.declared[name].series()).index(labels)]

    def lines(self, name: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Label text and values as people read them: counters per day over the day before, gauges
        as they are."""
        metric = self.declared[name]
        for labels, values in zip(metric.series(), self.of(name).T, strict=True):
            yield (
                ", ".join(labels.values()),
                per_day(self.times, values) if metric.kind == "counter" else values,
            )


def per_day(times: NDArray[np.datetime64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running totals (readings, ...) as events per day, over the 24 hours (at least one reading)
    before each; the first is NaN."""
    seconds = times.astype("datetime64[s]").astype(np.int64)
    rate = np.full(totals.shape, np.nan)
    now = np.arange(1, len(seconds))
    # The earliest reading within the 24 hours, or the one before where readings are further apart
    then = np.minimum(np.searchsorted(seconds, seconds[1:] - 86400, "left"), now - 1)
    passed = (seconds[now] - seconds[then]).reshape(-1, *[1] * (totals.ndim - 1))
    rate[1:] = (totals[now] - totals[then]) / passed * 86400
    return rate


def load_metrics(folder: Path) -> Metrics:
    """The readings of a run, finished or not. Raises UsageError if they are missing or damaged."""
    declared = [metric_from_dict(data) for data in load_manifest(folder)["metrics"]]
    return Metrics(declared, *_readings(folder, read_metrics(folder), _declared_rows(declared)))


def load_some(folder: Path, names: Sequence[str]) -> Metrics:
    """The readings of a run that is not finished, of the metrics of these names alone: part by
    part, so that not all others are in memory at once. Raises UsageError like `load_metrics`."""
    declared = [metric_from_dict(data) for data in load_manifest(folder)["metrics"]]
    rows = _declared_rows(declared)
    kept = [k for k, (name, _) in enumerate(rows) if name in names]
    times, values = [np.zeros(0, "datetime64[s]")], [np.zeros((0, len(kept)))]
    for path in _parts(folder / "metrics"):
        when, every = _readings(folder, _read(path, METRICS), rows)
        times.append(when)
        values.append(every[:, kept])
    return Metrics(
        [metric for metric in declared if metric.name in names],
        np.concatenate(times),
        np.concatenate(values),
    )


def _declared_rows(declared: Sequence[Metric]) -> list[tuple[str, str]]:
    return [(metric.name, label_text(labels)) for metric in declared for labels in metric.series()]


def _readings(
    folder: Path, table: pa.Table, rows: list[tuple[str, str]]
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Times (readings,) and values (readings, series) of a table that has these series."""
    every, series = table["time"].to_numpy().astype("datetime64[s]"), len(rows)
    # The first reading stands for all: each has all series, in declared order and at one time
    first = table.slice(0, series)
    found = list(zip(first["metric"].to_pylist(), first["labels"].to_pylist(), strict=True))
    if (
        series == 0
        or len(table) % series
        or (found and (found != rows or every[0] != every[series - 1]))
    ):
        raise UsageError(
            f"{folder}: metrics.parquet does not match the series that manifest.json declares"
        )
    return every[::series], table["value"].to_numpy().reshape(-1, series)


def read_metrics(folder: Path) -> pa.Table:
    """All readings of a run, finished or not, as they are kept: time, metric, labels, value."""
    return _table(folder, "metrics", METRICS)


def read_events(folder: Path) -> pa.Table:
    """The marks of a run as they are kept: time, kind, text."""
    return _table(folder, "events", EVENTS)


def load_events(folder: Path) -> list[tuple[dt.datetime, str, str]]:
    """The marks of a run: simulated time, kind, text."""
    return [(row["time"], row["kind"], row["text"]) for row in read_events(folder).to_pylist()]


def _table(folder: Path, name: str, schema: pa.Schema) -> pa.Table:
    whole = folder / f"{name}.parquet"
    # The whole file wins: `Recorder.clean` may have removed some of its parts
    return _read(whole, schema) if whole.exists() else _read(folder / name, schema)


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    """A file, or the parts in a folder as one table. Raises UsageError."""
    try:
        if not path.suffix:
            return _merged(path, schema)
        return pq.read_table(path, schema=schema, page_checksum_verification=True)
    except parquet.DAMAGED as error:
        raise _unreadable(path.with_suffix(".parquet"), error) from None


def _unreadable(path: Path, error: Exception) -> UsageError:
    reason = str(error).partition("\n")[0]
    return UsageError(f"{path}: cannot be read: {reason}")
