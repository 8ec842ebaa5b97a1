"""Parquet of one file, and what its reader raises."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DAMAGED = (OSError, ValueError, pa.ArrowException)
"""Raised for a file that is damaged, or that a disk does not give; ValueError for text within that
is not UTF-8."""


def table(source: Path | pa.BufferReader) -> pa.Table:
    """The table in a file. Raises DAMAGED."""
    # `pq.read_table` first imports what it needs for folders of files. It also leaves threads of
    # Arrow's behind that read what is no file, and a process that ends before they do hangs or
    # aborts (apache/arrow#50482)
    return pq.ParquetFile(source).read(use_threads=False)
