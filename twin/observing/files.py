"""A file of a log as blocks: text with columns, JSON lines, Parquet."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson

from twin.ground import parquet
from twin.ground.errors import UsageError
from twin.ground.files import number, reason
from twin.observing import blocks
from twin.observing.blocks import Block, Text
from twin.observing.declared import Map
from twin.observing.sources import Source, digest, opened

BATCH = 2**18
"""Rows of Parquet in a block."""
PEEK = 1000
"""Objects by which the names in JSON lines are known."""

Named = Callable[[Sequence[str]], list[str]]
"""Given the columns of a file: those that are wanted of it (or an error)."""
Job = Callable[[], Block]
"""Makes a block; may be called on another thread."""


def read(source: Source, of: Map, named: Named, work: Path) -> Iterator[Job]:
    """The blocks of a file, in order, as jobs; its digest is in ``source`` when they end.

    Raises UsageError where it cannot be read.
    """
    if source.kind == "parquet":
        yield from _parquet(source, named, work)
        return
    raw, stream = opened(source)
    try:
        if source.kind == "text":
            yield from _text(source, of, named, stream, raw)
        else:
            yield from _objects(source, named, stream, raw)
        source.sha256 = raw.digest()
    finally:
        raw.close()


def _text(source: Source, of: Map, named: Named, stream: Any, raw: Any) -> Iterator[Job]:
    pieces = blocks.texts(source, stream, raw, of.delimiter != "\t")
    first = next(pieces)
    shape = blocks.shape(source, first.data, of.delimiter, of.columns)
    wanted = named(shape.columns)
    if shape.header:
        rest = first.data.partition(b"\n")[2]
        after = [Text(rest, 2, first.lines - 1, first.done)] if rest.strip() else []
        pieces = chain(after, pieces)
        first = next(pieces, Text(b"", 0, 0, 0))
        if not first.data:
            raise UsageError(f"{source.path}: has a header and no rows")
    for piece in chain([first], pieces):
        yield lambda piece=piece: blocks.columns(shape, piece, wanted)  # type: ignore[misc]


def _objects(source: Source, named: Named, stream: Any, raw: Any) -> Iterator[Job]:
    pieces = blocks.texts(source, stream, raw, quoted=False)
    first = next(pieces)
    if first.data.lstrip()[:1] == b"[":
        raise UsageError(
            f"{source.path}:1: is one JSON list (write one object per line: jq -c '.[]')"
        )
    wanted = named(_names(first))
    for piece in chain([first], pieces):
        yield lambda piece=piece: _parsed(piece, wanted)  # type: ignore[misc]


def _names(text: Text) -> list[str]:
    """Names in the first objects, those of nested objects with a dot."""
    names: dict[str, None] = {}

    def walk(value: dict[str, Any], before: str) -> None:
        for key, each in value.items():
            names[f"{before}{key}"] = None
            if isinstance(each, dict):
                walk(each, f"{before}{key}.")

    for line in text.data.split(b"\n", PEEK)[:PEEK]:
        value = _loaded(line)
        if isinstance(value, dict):
            walk(value, "")
    return list(names)


def _loaded(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _parsed(text: Text, wanted: list[str]) -> Block:
    """Fast by Arrow; where it finds mixed types, or would round long numbers, value by value."""
    try:
        table = pajson.read_json(
            pa.BufferReader(text.data),
            pajson.ReadOptions(use_threads=False, block_size=len(text.data) + 1),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _one_by_one(text, wanted)
    if table.num_rows != text.lines:
        return _one_by_one(text, wanted)
    picked = [_nested(table, name) for name in wanted]
    # numbers beyond 64 bits become floats there, and lose digits
    if any(
        pa.types.is_floating(each.type)
        and pc.max(each).as_py() is not None
        and float(pc.max(each).as_py()) > 2**53
        for each in picked
    ):
        return _one_by_one(text, wanted)
    made = pa.table(dict(zip(wanted, picked, strict=True)))
    return Block(made, np.arange(text.line, text.line + text.lines, dtype=np.int64), [], text.done)


def _nested(table: pa.Table, name: str) -> Any:
    """A column, or a field within one."""
    if name in table.column_names:
        return table.column(name)
    head, _, rest = name.partition(".")
    if not rest or head not in table.column_names:
        return pa.nulls(table.num_rows)
    try:
        return pc.struct_field(table.column(head), rest.split("."))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return pa.nulls(table.num_rows)


def _one_by_one(text: Text, wanted: list[str]) -> Block:
    values: dict[str, list[Any]] = {name: [] for name in wanted}
    lines, bad = [], []
    for i, line in enumerate(text.data.split(b"\n")):
        if not line.strip():
            continue
        value = _loaded(line)
        if not isinstance(value, dict):
            bad.append((text.line + i, "not a JSON object"))
            continue
        lines.append(text.line + i)
        for name in wanted:
            at: Any = value
            for part in [name] if name in value else name.split("."):
                at = at.get(part) if isinstance(at, dict) else None
            values[name].append(_plain(at))
    made = pa.table({name: _column(each) for name, each in values.items()})
    return Block(made, np.array(lines, np.int64), bad, text.done)


def _plain(value: Any) -> Any:
    """As text, so that a column has one type; lists stay lists of text."""
    if isinstance(value, list):
        return ["" if each is None else str(_plain(each)) for each in value]
    if value is None or isinstance(value, str):
        return None if value in blocks.NOTHING else value
    return json.dumps(value)


def _column(values: list[Any]) -> Any:
    if any(isinstance(each, list) for each in values):
        kept = [each if isinstance(each, list) or each is None else [each] for each in values]
        return pa.array(kept, pa.list_(pa.string()))
    return pa.array(values, pa.string())


def _parquet(source: Source, named: Named, work: Path) -> Iterator[Job]:
    path = source.path
    if source.zipped:
        # Parquet is read from its end: it has to lie unzipped
        path = work / "unzipped.parquet"
        try:
            with gzip.open(source.path) as there, path.open("wb") as here:
                shutil.copyfileobj(there, here, 2**20)
        except (OSError, EOFError, zlib.error) as error:
            # an error of the disk has a number, one of what was read has none
            if isinstance(error, OSError) and number(error) is not None:
                raise
            raise UsageError(f"{source.path}: the gzip is damaged: {error}") from None
    try:
        file = parquet.opened(path)
        names = file.schema_arrow.names
        leaves = [each.path for each in (file.schema.column(i) for i in range(len(file.schema)))]
    except parquet.DAMAGED as error:
        raise _damaged(source, error) from None
    wanted = named(list(dict.fromkeys([*names, *leaves])))
    if not file.metadata.num_rows:
        raise UsageError(f"{source.path}: has no rows")
    line, share = 1, source.size / file.metadata.num_rows
    roots = [name if name in names else name.partition(".")[0] for name in wanted]
    for batch in _batches(source, file, list(dict.fromkeys(roots))):
        table = pa.Table.from_batches([batch])
        made = pa.table({name: _nested(table, name) for name in wanted})
        lines = np.arange(line, line + len(made), dtype=np.int64)
        line += len(made)
        block = Block(made, lines, [], round(share * line))
        yield lambda block=block: block  # type: ignore[misc]
    source.sha256 = digest(source.path)


def _batches(source: Source, file: Any, columns: list[str]) -> Iterator[Any]:
    try:
        yield from file.iter_batches(BATCH, columns=columns, use_threads=False)
    except parquet.DAMAGED as error:
        raise _damaged(source, error) from None


def _damaged(source: Source, error: Exception) -> UsageError:
    """What to say of it; an error of the disk has a number, one of what was read has none."""
    if isinstance(error, OSError) and number(error) is not None:
        return UsageError(f"{source.path}: cannot be read: {reason(error)[0]}")
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return UsageError(f"{source.path}: is not whole Parquet: {said}")
