"""Edge lists as text, as they come: two ids a line, apart by blanks, tabs, commas, semicolons or
bars; perhaps quotes, a header, comments (``#``, ``%``), a byte-order mark, networkx's ``{...}``, and
further columns of which the third may be a weight.

What a file is, is found out from its first lines and then asked of all: whole numbers are read by a
compiled kernel, anything else (names, weights) by Arrow's reader of CSV.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from twin.kernels import graph as kernel

Ints = NDArray[np.int64]
SAMPLE = 100
"""Lines from which a file is judged."""
APART = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars", " ": "blanks"}
"""What may stand between two ids; the first that every line has is it."""
SOURCES = ("source", "from", "src", "follower", "user", "node1", "id1", "ego")
TARGETS = ("target", "to", "dst", "dest", "followee", "friend", "node2", "id2")
"""Names of the two columns in headers, as other programs write them."""
_NUMBER = re.compile(r"\d+")
_WHOLE, _SIGNED = re.compile(r"^\d+$"), re.compile(r"^[+-]\d+$")
_DECIMAL = re.compile(r"^[+-]?\d*\.\d+$")
_QUOTED = re.compile(r'"[^"]*"')
_BRACES = re.compile(rb"[ \t]*\{[^\n]*")
_COMMENT = re.compile(rb"(?m)^[ \t]*[#%][^\n]*$")
_BLANKS = re.compile(rb"[ \t]+")
_BEFORE = re.compile(rb"(?m)^ ")
_AFTER = re.compile(rb"(?m) +\r?$")


class Unreadable(Exception):
    """Why a file is no edge list: reason, mend and line (0: of the whole)."""

    def __init__(self, reason: str, mend: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.mend, self.line = reason, mend, line


@dataclass(frozen=True)
class Pairs:
    """Ties as they stand in a file: places (n, 2) in ``ids``, which are distinct and in order;
    ``said``: how they were read; ``all_people``: whether whoever has no tie is a node, too."""

    places: Ints
    ids: Ints | list[str]
    said: str
    all_people: bool = False


@dataclass(frozen=True)
class _Form:
    """What the first lines say of a file."""

    apart: str
    header: list[str]
    first: int
    """The line (from 1) of the first edge."""
    at: int
    """The byte at which that line begins."""
    width: int
    places: tuple[int, int]
    """Columns of the two ids."""
    whole: bool
    """Whether ids are whole numbers."""
    braces: bool
    comments: bool
    """Whether comments stand between edges."""
    matrix: bool


def read(data: bytes, least: float | None) -> Pairs:
    """The ties in the bytes of a text file; those whose third column is below ``least`` are left
    out. Raises Unreadable."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise Unreadable("the file is UTF-16", "save it as UTF-8")
    if b"\0" in data[:4096]:
        raise Unreadable("the file is binary", "give an edge list as text, or Parquet, or GraphML")
    form = _form(data)
    if least is not None and form.width < 3:
        raise Unreadable(
            "there is no third column for network.least_weight", "leave it out", form.first
        )
    plain = form.whole and least is None and form.places == (0, 1)
    pairs = _numbers(data, form) if plain else _columns(data, form, least)
    return Pairs(pairs.places, pairs.ids, _said(form, least))


def _form(data: bytes) -> _Form:
    sample, comments = _sample(data)
    text = [line for _, _, line in sample]
    if text[0][:1] == "<":
        raise Unreadable("the file is XML or HTML", "GraphML and GEXF end with .graphml and .gexf")
    if text[0][:1] in "{[":
        raise Unreadable("the file is JSON", "write two ids a line")
    matrix = data[:14] == b"%%MatrixMarket"
    if matrix:  # its first line holds sizes
        sample, text = sample[1:], text[1:]
        if not text:
            raise Unreadable("the edge list holds no edge", "write two node ids a line")
    braces = any(line.rstrip().endswith("}") and "{" in line for line in text)
    cut = [line.partition("{")[0] if braces else line for line in text]
    apart = next((sign for sign in APART if all(sign in _bare(line) for line in cut)), "")
    # numbers are told apart by any of them, also by one here and another there
    mixed = not apart and all(_digits(line) and len(_NUMBER.findall(line)) > 1 for line in cut)
    if not apart and not mixed:
        raise _one_column(sample, cut)
    rows = [_NUMBER.findall(line) if mixed else _fields(line, apart) for line in cut]
    header = rows[0] if _is_header(rows) else []
    if header:
        sample, rows = sample[1:], rows[1:]
    if not rows:
        raise Unreadable("the edge list holds a header and no edge", "write two node ids a line")
    places = _places(header)
    width = len(rows[0])
    if width <= max(places) or (header and width < len(header)):
        raise Unreadable(
            f"has {width} columns, the header has {len(header)}" if header else "has one id",
            "write as many in every line",
            sample[0][0],
        )
    for (line, _, _), row in zip(sample, rows, strict=True):
        if len(row) != width:
            raise Unreadable(
                f"has {len(row)} columns, the lines before have {width}",
                "write as many in every line",
                line,
            )
    ids = [rows[0][place] for place in places]
    _acceptable(ids, sample[0][0])
    return _Form(
        apart or " ",
        header,
        sample[0][0],
        sample[0][1],
        width,
        places,
        all(_WHOLE.match(each) for each in ids),
        braces,
        comments,
        matrix,
    )


def _sample(data: bytes) -> tuple[list[tuple[int, int, str]], bool]:
    """The first lines that are neither empty nor comments: number, byte, text; whether a comment
    stands behind an edge."""
    found: list[tuple[int, int, str]] = []
    at, number, comments = 0, 0, False
    while at < len(data) and len(found) < SAMPLE:
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        raw = data[at:end].strip()
        number += 1
        if raw[:1] in (b"#", b"%"):
            comments = comments or bool(found)
        elif raw:
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError:
                raise Unreadable("is not UTF-8", "save the file as UTF-8", number) from None
            # what stands behind a number sign is a comment in lists of numbers
            head = line.partition("#")[0].strip()
            found.append((number, at, head if head and _digits(head) else line))
        at = end + 1
    if not found:
        raise Unreadable("the edge list holds no edge", "write two node ids a line")
    return found, comments


def _digits(text: str) -> bool:
    return all(sign.isdigit() or sign in " \t,;|" for sign in text)


def _bare(line: str) -> str:
    """A line without what stands in quotes, in which anything may stand."""
    return _QUOTED.sub("q", line).strip()


def _fields(line: str, apart: str) -> list[str]:
    if apart == " ":
        line = " ".join(line.split())
    try:
        row = next(csv.reader([line.replace("\r", "")], delimiter=apart, skipinitialspace=True))
    except csv.Error:  # beyond what its own limits allow
        return []
    return [part.strip().strip("'") for part in row]


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first line names columns: it is known names, or words above numbers."""
    first = [each.lower() for each in rows[0]]
    if first[0] in SOURCES and first[1] in TARGETS:
        return not any(_WHOLE.match(each) for each in first)
    known = {*SOURCES, *TARGETS}
    if sum(each in known for each in first) >= 2 and len(set(first)) == len(first):
        return True
    below = rows[1] if len(rows) > 1 else []
    return (
        not any(_WHOLE.match(each) for each in rows[0][:2])
        and len(below) >= 2
        and all(_WHOLE.match(each) for each in below[:2])
    )


def _places(header: list[str]) -> tuple[int, int]:
    names = [each.lower() for each in header]
    source = next((names.index(each) for each in SOURCES if each in names), None)
    target = next((names.index(each) for each in TARGETS if each in names), None)
    return (0, 1) if source is None or target is None else (source, target)


def _acceptable(ids: list[str], line: int) -> None:
    for each in ids:
        if not each:
            raise Unreadable("an id is missing", "write two node ids a line", line)
        if _DECIMAL.match(each):
            raise Unreadable(f"{each} is a decimal number", "write ids as whole numbers", line)
        if _SIGNED.match(each):
            raise Unreadable(f"{each} has a sign", "write ids as whole numbers or names", line)
        if _WHOLE.match(each) and int(each) >= 2**63:
            raise Unreadable(f"{each} is beyond 2^63", "write smaller ids, or names", line)


def _one_column(sample: list[tuple[int, int, str]], cut: list[str]) -> Unreadable:
    """The first line that has one id, or the first that is written in another way."""
    signs = [next((sign for sign in APART if sign in _bare(line)), "") for line in cut]
    if not any(signs):
        return Unreadable("has one column", "write two node ids a line", sample[0][0])
    common = max(set(signs) - {""}, key=signs.count)
    place = next(i for i, line in enumerate(cut) if common not in _bare(line))
    what = "one id" if not signs[place] else f"not apart by {APART[common]} as other lines"
    return Unreadable(
        f"has {what}" if not signs[place] else f"is {what}",
        "write two node ids a line, all in one way",
        sample[place][0],
    )


def _numbers(data: bytes, form: _Form) -> Pairs:
    """Whole numbers, by the kernel."""
    pairs, bad = kernel.parse_edges(np.frombuffer(data, np.uint8)[form.at :], form.width > 2)
    if bad:
        line = form.first + int(bad) - 1
        raise Unreadable(
            "not two whole numbers below 2^63" if form.width == 2 else "no edge of whole numbers",
            "write two node ids a line; # or % begins a comment",
            line,
        )
    return _placed(pairs)


def _placed(pairs: Ints) -> Pairs:
    ids = distinct(pairs.ravel()) if len(pairs) else np.zeros(0, np.int64)
    # dense ids: a table of ranks is faster than a search. Sparse ones would make it too large
    dense = len(ids) and ids[-1] < 8 * len(pairs)
    return Pairs(_ranks(ids)[pairs] if dense else np.searchsorted(ids, pairs), ids, "")


def distinct(values: Ints) -> Ints:
    """Distinct values in rising order, by sorting: on millions of ids several times faster than
    hashing them."""
    ordered = np.sort(values)
    first: Ints = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return first


def _ranks(ids: Ints) -> Ints:
    """Rank of every distinct id, by id."""
    rank = np.zeros(int(ids[-1]) + 1, np.int64)
    rank[ids] = np.arange(len(ids))
    return rank


def _columns(data: bytes, form: _Form, least: float | None) -> Pairs:
    """Names, weights, and columns elsewhere, by Arrow."""
    body = data[form.at :]
    if form.braces:
        body = _BRACES.sub(b"", body)
    if form.comments or b"#" in body or b"%" in body:
        body = _COMMENT.sub(b"", body)
    if form.apart == " ":
        body = _AFTER.sub(b"", _BEFORE.sub(b"", _BLANKS.sub(b" ", body)))
    names = [str(k) for k in range(form.width)]
    wanted = [names[place] for place in form.places]
    # the first that is no id
    weight = next((name for name in names if name not in wanted), "")
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(body),
            pyarrow.csv.ReadOptions(column_names=names),
            pyarrow.csv.ParseOptions(delimiter=form.apart),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[*wanted, *([weight] if least is not None else [])],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(data, form, str(error)) from None
    if least is not None:
        table = heavy(table, weight, least)
    return by_columns([table[name].combine_chunks() for name in wanted], form.whole)


def _ragged(data: bytes, form: _Form, error: str) -> Unreadable:
    """The first line that has another number of columns; Arrow says no more than that there is
    one."""
    for line, raw in enumerate(data[form.at :].split(b"\n"), form.first):
        text = raw.decode("utf-8", "replace").partition("{" if form.braces else "\0")[0].strip()
        if text and text[0] not in "#%" and (width := len(_fields(text, form.apart))) != form.width:
            return Unreadable(
                f"has {width} columns, the lines before have {form.width}",
                "write as many in every line",
                line,
            )
    return Unreadable(error.partition("\n")[0][:120], "write two node ids a line")


def heavy(table: pa.Table, name: str, least: float) -> pa.Table:
    """The rows whose weight, in the column of that name, is ``least`` or more. Raises
    Unreadable."""
    try:
        weight = table[name].cast(pa.float64())
    except pa.ArrowInvalid:
        odd = _first_odd(table[name], float)
        raise Unreadable(
            f"the third column is no number: {odd}", "leave network.least_weight out"
        ) from None
    return table.filter(pa.compute.greater_equal(weight, least))


def _first_odd(values: Any, kind: Callable[[str], float]) -> str:
    """The first text that cannot be read as a number."""
    for text in values.to_pylist():
        try:
            if abs(kind(text)) >= 2**63 and kind is int:
                return str(text)
        except ValueError:
            return str(text)
    return ""


def by_columns(columns: list[pa.Array], whole: bool) -> Pairs:
    """Ties from two columns of text; ``whole``: of whole numbers. Raises Unreadable."""
    both = pa.concat_arrays(columns)
    if whole:
        try:
            numbers = both.cast(pa.int64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            raise Unreadable(
                f"{_first_odd(both, int) or 'an empty id'} is no whole number below 2^63, as the "
                f"first ids are",
                "write all ids as whole numbers, or all as names",
            ) from None
        if len(numbers) and (least := int(numbers.min())) < 0:
            raise Unreadable(f"{least} has a sign", "write ids as whole numbers or names")
        return _placed(np.ascontiguousarray(numbers.reshape(2, -1).T))
    coded = both.dictionary_encode()
    words = coded.dictionary.to_pylist()
    if "" in words:
        raise Unreadable("an id is missing", "write two node ids a line")
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), np.int64)
    rank[order] = np.arange(len(words))
    places = rank[coded.indices.to_numpy(zero_copy_only=False)].reshape(2, -1).T
    return Pairs(np.ascontiguousarray(places), [words[k] for k in order], "")


def _said(form: _Form, least: float | None) -> str:
    parts = [f"{'whole numbers' if form.whole else 'names'} apart by {APART[form.apart]}"]
    if form.header:
        parts.append(f"header {form.apart.join(form.header)}")
    if form.matrix:
        parts.append("Matrix Market")
    if form.braces:
        parts.append("networkx's attributes not used")
    if form.width > 2:
        used = f"third column of {least:g} and above" if least is not None else ""
        parts.append(used or f"{form.width - 2} further columns not used")
    return ", ".join(parts)
