"""A run as OpenMetrics text with simulated times, which promtool turns into blocks of a Prometheus
without any server.

The format (https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md) wants
all samples of a metric together, those of a series in the order of time; a counter's samples end in
``_total``, its declaration does not; a unit may only be stated if the name ends in it, so ours is
in the help. Times are seconds since 1970. A missing value (NaN) is left out: text has no stale
marker.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from twin.ground import files
from twin.ground.units import at, parse_start
from twin.readers.backlog import declared, stored
from twin.record import names
from twin.record.results import load_manifest
from twin.record.watch import Rows
from twin.world.metric import Metric

IN_MEMORY = 2**23
"""Values in memory at once; a run with more is read several times."""
FLAG = "--max-block-duration=9600h"
"""For promtool: with its two-hour blocks a year takes minutes and thousands of folders."""


def escaped(text: str) -> str:
    """Text of a label's value or of a help line: backslash, quote and line break spelt out."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def head(metric: Metric) -> str:
    """The lines that declare a metric."""
    family = (
        names.prom_name(metric).removesuffix("_total")
        if metric.kind == "counter"
        else names.prom_name(metric)
    )
    kind = "counter" if metric.kind == "counter" else "gauge"
    unit = "" if metric.unit == "1" else f" Unit: {metric.unit}."
    stated = f"# UNIT {family} {metric.unit}\n" if family.endswith(f"_{metric.unit}") else ""
    return f"# TYPE {family} {kind}\n{stated}# HELP {family} {escaped(metric.help + unit)}\n"


def command(file: Path) -> str:
    """The command that makes blocks of the file in a Prometheus's data folder."""
    return f"promtool tsdb create-blocks-from openmetrics {FLAG} {file} DATA-FOLDER"


def export(
    folder: Path, out: Path, report: Callable[[int], None] = lambda series: None
) -> tuple[int, int]:
    """Write the run in a folder to a file, whole or not at all; returns samples and series.
    ``report`` is called with how many series are
    done."""
    with files.whole(out) as work, work.open("w", encoding="utf-8", errors="replace") as file:
        return write(folder, file, report)


def write(
    folder: Path, file: TextIO, report: Callable[[int], None] = lambda series: None
) -> tuple[int, int]:
    """Write the run in a folder as text; returns samples and series."""
    manifest = load_manifest(folder)
    rows = declared(manifest)
    named = names.series(rows, names.identity(manifest))
    samples, series, last = 0, 0, None
    for place, stamps, values in _columns(folder, manifest, rows):
        metric = rows[place][0]
        if metric is not last:
            file.write(head(metric))
            last = metric
        text, count = lines(*named[place], stamps, values)
        file.write(text)
        samples, series = samples + count, series + (count > 0)
        report(place + 1)
    file.write("# EOF\n")
    return samples, series


def _columns(
    folder: Path, manifest: Mapping[str, Any], rows: Rows
) -> Iterator[tuple[int, list[int], NDArray[np.float64]]]:
    """Each series in declared order: its place, the times in seconds since 1970, its values."""
    start = parse_start(manifest["start"])
    origin = int(at(start, 0).timestamp())
    # First the times alone: how many there are decides how many series fit into memory
    stamps = [
        origin + time
        for times, _ in stored(folder, start, rows, values=False)
        for time in times.tolist()
    ]
    width = max(1, IN_MEMORY // max(1, len(stamps)))
    for first in range(0, len(rows), width):
        pieces = [
            # A copy, since a view would keep all other series of the piece in memory
            values[:, first : first + width].copy()
            for _, values in stored(folder, start, rows)
        ]
        if pieces:
            # A running simulation may have saved more readings since the times were read
            for offset, values in enumerate(np.concatenate(pieces)[: len(stamps)].T):
                yield first + offset, stamps, values


def lines(
    name: str, labels: Mapping[str, str], stamps: list[int], values: NDArray[np.float64]
) -> tuple[str, int]:
    """The samples of one series, and how many there are."""
    # An empty label is the same as none to Prometheus
    inside = ",".join(f'{key}="{escaped(value)}"' for key, value in sorted(labels.items()) if value)
    start = f"{name}{{{inside}}} "
    text, count = io.StringIO(), 0
    for stamp, value in zip(stamps, values.tolist(), strict=True):
        if not math.isnan(value):
            text.write(f"{start}{_number(value)} {stamp}\n")
            count += 1
    return text.getvalue(), count


def _number(value: float) -> str:
    """The shortest text that reads back as the same float64."""
    return repr(value) if math.isfinite(value) else "+Inf" if value > 0 else "-Inf"
