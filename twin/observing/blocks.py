"""Blocks of rows of a log, whatever kind of file they come from.

A block is a table of raw columns (of any type) with the line of each row, and what could not be
split into columns. Blocks of text are cut at line ends, so a file is never in memory as a whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from twin.ground.errors import UsageError
from twin.observing.sources import Source, Within

BLOCK = 2**22
"""Bytes of text in a block."""
MOST = 2**27
"""Bytes within which a quoted value must end."""
MOST_LINES = 1000
"""Lines of one quoted value: more are a quote that is missing."""
NOTHING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "none", "\\N", "<NA>"]
"""Text that stands for no value."""
DELIMITERS = ",\t;|"


@dataclass
class Text:
    """A piece of text: whole lines."""

    data: bytes
    line: int
    """Number of its first line."""
    lines: int
    done: int
    """Bytes of the file (as it lies on the disk) that were read up to its end."""


@dataclass
class Block:
    """Rows as a file has them."""

    table: pa.Table
    lines: NDArray[np.int64]
    """Line of each row; in Parquet, its number from 1."""
    bad: list[tuple[int, str]]
    """Line and reason of what is no row."""
    done: int = 0


@dataclass(frozen=True)
class Shape:
    """How a text file is laid out."""

    delimiter: str
    columns: tuple[str, ...]
    quoted: bool
    header: bool


def texts(source: Source, stream: IO[bytes], raw: Any, quoted: bool = True) -> Iterator[Text]:
    """The text of a file in pieces that end with a line (and outside quotes).

    Raises UsageError where it is not text, or its gzip is damaged.
    """
    rest, line, first = b"", 1, True
    while True:
        part = _read(source, stream, line)
        data = rest + part
        if first:
            data = _beginning(source, data)
            first = False
        if b"\x00" in part:
            at = line + rest.count(b"\n") + part[: part.index(b"\x00")].count(b"\n")
            raise UsageError(f"{source.path}:{at}: holds zero bytes, so it is not text")
        if not part:
            if quoted and rest.count(b'"') % 2:
                raise _unclosed(source.path, rest, line)
            if rest:
                yield Text(rest, line, rest.count(b"\n") + (rest[-1:] != b"\n"), raw.done)
            return
        cut = data.rfind(b"\n") + 1
        # inside a quoted value the number of quotes is odd: wait for its end
        if quoted and data.count(b'"', 0, cut) % 2:
            cut = _even(data, cut)
        if not cut and len(data) > MOST:
            raise _unclosed(source.path, data, line)
        if cut:
            lines = data.count(b"\n", 0, cut)
            yield Text(data[:cut], line, lines, raw.done)
            line += lines
        rest = data[cut:]


def _unclosed(path: Path, data: bytes, line: int) -> UsageError:
    """For text in which a quote does not end: at the first line with an odd number of them."""
    for i, each in enumerate(data.split(b"\n")):
        if each.count(b'"') % 2:
            line += i
            break
    return UsageError(f"{path}:{line}: a quote begins here, or before, and does not end (close it)")


def _read(source: Source, stream: IO[bytes], line: int) -> bytes:
    try:
        return stream.read(BLOCK)
    except EOFError:
        raise UsageError(
            f"{source.path}: the gzip ends early, after line {line} (copy the file again)"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{source.path}: cannot be read: {reason}") from None
    except Exception as error:  # zlib has an error of its own
        raise UsageError(f"{source.path}: the gzip is damaged: {error}") from None


def _beginning(source: Source, data: bytes) -> bytes:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UsageError(f"{source.path}: is text in UTF-16 (save it as UTF-8)")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UsageError(f"{source.path}: is empty: it holds no line")
    return data


def _even(data: bytes, cut: int) -> int:
    """The last line end before ``cut`` at which all quotes are closed; 0 if there is none."""
    while cut > 0:
        # from this line end to the one before it: only lines with an odd number matter
        before = data.rfind(b"\n", 0, cut - 1) + 1
        odd = data.count(b'"', before, cut) % 2
        cut = before
        if odd:
            return cut
    return 0


def shape(source: Source, text: bytes, delimiter: str, columns: tuple[str, ...]) -> Shape:
    """How text is laid out, by its first line and what the map says of it."""
    line = text.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")
    delimiter = delimiter or _delimiter(line)
    # in tab-separated text a quote is a character like others, unless names are quoted
    quoted = delimiter != "\t" or line.startswith('"')
    if columns:
        return Shape(delimiter, columns, quoted, False)
    names = next(csv.reader([line], delimiter=delimiter)) if quoted else line.split(delimiter)
    names = [name.strip() for name in names]
    twice = [name for name in names if names.count(name) > 1 and name]
    if twice:
        raise UsageError(f"{source.path}:1: two columns are named {twice[0]} (rename one)")
    if all(_number(name) for name in names if name):
        raise UsageError(
            f"{source.path}:1: the first line is data, not names of columns (write columns: [...] "
            f"into the map)"
        )
    return Shape(delimiter, tuple(names), quoted, True)


def _delimiter(line: str) -> str:
    outside = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def columns(shape: Shape, text: Text, wanted: list[str]) -> Block:
    """A piece of text (without its header) as columns of text."""
    short: list[tuple[int, int]] = []

    def skip(row: Any) -> str:
        short.append((row.number, row.actual_columns))
        return "skip"

    read = pacsv.ReadOptions(
        column_names=list(shape.columns), use_threads=False, block_size=len(text.data) + 1
    )
    parse = pacsv.ParseOptions(
        delimiter=shape.delimiter,
        quote_char='"' if shape.quoted else False,
        newlines_in_values=shape.quoted and b'"' in text.data,
        invalid_row_handler=skip,
    )
    convert = pacsv.ConvertOptions(
        include_columns=wanted,
        column_types={name: pa.string() for name in wanted},
        null_values=NOTHING,
        strings_can_be_null=True,
        check_utf8=False,
    )
    if not text.data.strip():
        empty = pa.table({name: pa.array([], pa.string()) for name in wanted})
        return Block(empty, np.empty(0, np.int64), [], text.done)
    table = pacsv.read_csv(pa.BufferReader(text.data), read, parse, convert)
    every = _lines(shape, text, table.num_rows + len(short))
    out = np.array([number - 1 for number, _ in short], np.int64)
    keep = np.ones(len(every), bool)
    keep[out] = False
    want = len(shape.columns)
    bad = [
        (int(every[at]), f"{'more' if many > want else 'fewer'} columns than the header")
        for at, (_, many) in zip(out, short, strict=True)
    ]
    return Block(table, every[keep], bad, text.done)


def _lines(shape: Shape, text: Text, rows: int) -> NDArray[np.int64]:
    """Line of each row; counted one by one only where rows and lines are not the same."""
    if text.lines == rows:
        return np.arange(text.line, text.line + rows, dtype=np.int64)
    if shape.quoted:
        made, reader = (
            [],
            csv.reader(
                io.StringIO(text.data.decode("latin-1"), newline=""), delimiter=shape.delimiter
            ),
        )
        before = 0
        for row in reader:
            if reader.line_num - before > MOST_LINES:
                raise Within(
                    f"a quoted value of {reader.line_num - before} lines begins here (is a quote "
                    f"missing?)",
                    text.line + before,
                )
            if row:
                made.append(text.line + before)
            before = reader.line_num
    else:
        made = [text.line + i for i, line in enumerate(text.data.split(b"\n")) if line.strip(b"\r")]
    # a stray quote can make two readers disagree: the nearest line is better than none
    return np.resize(np.array(made or [text.line], np.int64), rows)
