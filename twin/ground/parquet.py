"""Parquet of one file, and what its reader raises."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DAMAGED = (OSError, ValueError, pa.ArrowException)
"""Raised for a file that is damaged, or that a disk does not give; ValueError for text within that
is not UTF-8."""


def opened(source: Path | pa.BufferReader) -> pq.ParquetFile:
    """A file whose columns can be named, and their types. Raises DAMAGED."""
    file = pq.ParquetFile(source)
    for field in file.schema_arrow:
        _named(field)
    return file


def _named(field: pa.Field) -> None:
    """Ask for names, and for zones of times: read only then, they may be no text. Raises
    ValueError."""
    _ = field.name, getattr(field.type, "tz", None)
    for at in range(field.type.num_fields):
        _named(field.type.field(at))


def table(source: Path | pa.BufferReader) -> pa.Table:
    """The table in a file. Raises DAMAGED."""
    # `pq.read_table` first imports what it needs for folders of files. It also leaves threads of
    # Arrow's behind that read what is no file, and a process that ends before they do hangs or
    # aborts (apache/arrow#50482)
    return opened(source).read(use_threads=False)
