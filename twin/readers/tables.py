"""The readings of a run as tables for other programs: CSV or Parquet, whole or not at all.

    csv      a row per reading and series: time, metric, labels, value
    wide     a row per reading and a column per series, for spreadsheets and R
    parquet  the same as Parquet; the metadata of each field has unit, help and kind

A run may be finished or not; it is read a piece at a time. In CSV a time is UTC without a mark of
it, as spreadsheets and R read dates, and a missing value (NaN) is an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.ground import files
from twin.ground.units import at, parse_start
from twin.readers.backlog import declared, stored
from twin.record.results import METRICS, load_manifest
from twin.record.watch import Rows
from twin.world.metric import label_text

_DATE = pa.timestamp("s")
"""Of CSV: without a zone, which spreadsheets do not read."""


def wide_schema(rows: Rows) -> pa.Schema:
    """The time and a column per series, named ``creator_income{by=ai}``; unit, help and kind of a
    metric are the metadata of its fields."""
    fields = [pa.field("time", METRICS.field("time").type, metadata={"help": "Simulated, UTC."})]
    for metric, labels in rows:
        text = label_text(labels)
        name = metric.name + (f"{{{text}}}" if text else "")
        about = {"unit": metric.unit, "help": metric.help, "kind": metric.kind}
        fields.append(pa.field(name, pa.float64(), metadata=about))
    return pa.schema(fields)


def wide(schema: pa.Schema, times: NDArray[np.datetime64], values: NDArray[np.float64]) -> pa.Table:
    """Readings (readings, series) at their times (readings,) under a schema of `wide_schema`."""
    # Arrow keeps a column in one piece; here a series is spread over the rows
    columns = [pa.array(np.ascontiguousarray(column)) for column in values.T]
    when = pa.array(times.astype("datetime64[ms]")).cast(schema.field("time").type)
    return pa.Table.from_arrays([when, *columns], schema=schema)


def export(
    folder: Path, out: Path, form: str, report: Callable[[int], None] = lambda readings: None
) -> tuple[int, int]:
    """Write the run in a folder to a file as ``csv``, ``wide`` or ``parquet``; returns readings and
    series. ``report`` is called with how many readings are done."""
    manifest = load_manifest(folder)
    rows = declared(manifest)
    schema = wide_schema(rows)
    done = 0
    with files.whole(out) as work, _writer(work, form, schema) as writer:
        for times, values in _pieces(folder, manifest["start"], rows):
            table = _long(rows, times, values) if form == "csv" else wide(schema, times, values)
            writer.write_table(table if form == "parquet" else _cells(table))
            done += len(times)
            report(done)
    return done, len(rows)


def readings(folder: Path) -> int:
    """How many readings the run in a folder has so far."""
    manifest = load_manifest(folder)
    start, rows = parse_start(manifest["start"]), declared(manifest)
    return sum(len(times) for times, _ in stored(folder, start, rows, values=False))


def _pieces(
    folder: Path, start: str, rows: Rows
) -> Iterator[tuple[NDArray[np.datetime64], NDArray[np.float64]]]:
    origin = int(at(parse_start(start), 0).timestamp())
    for seconds, values in stored(folder, parse_start(start), rows):
        yield (seconds + origin).astype("datetime64[s]"), values


def _writer(work: Path, form: str, schema: pa.Schema) -> pq.ParquetWriter | csv.CSVWriter:
    if form == "parquet":
        return pq.ParquetWriter(work, schema, compression="zstd")
    plain = METRICS if form == "csv" else schema
    fields = [
        pa.field(each.name, _DATE)
        if each.name == "time"
        else pa.field(each.name, pa.string() if pa.types.is_dictionary(each.type) else each.type)
        for each in plain
    ]
    return csv.CSVWriter(work, pa.schema(fields))


def _long(rows: Rows, times: NDArray[np.datetime64], values: NDArray[np.float64]) -> pa.Table:
    """The same readings, a row per series."""
    when = pa.array(np.repeat(times.astype("datetime64[ms]"), len(rows)))
    words = [
        pa.array([metric.name for metric, _ in rows] * len(times)),
        pa.array([label_text(labels) for _, labels in rows] * len(times)),
    ]
    return pa.table(
        [when.cast(METRICS.field("time").type), *words, pa.array(values.ravel())],
        names=METRICS.names,
    )


def _cells(table: pa.Table) -> pa.Table:
    """A table as CSV has it."""
    made = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("ms")).cast(_DATE)
        elif pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), pa.scalar(None, pa.float64()), column)
        made.append(column)
    return pa.table(made, names=table.column_names)
