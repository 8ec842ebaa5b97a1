"""Reads a table of people or creators, and checks every cell of it (see `given`)."""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from twin.ground import files
from twin.ground.errors import ScenarioError, closest
from twin.world.given import LAWS, OTHERS, VECTOR, WHOLE, Floats, Given, canonical, place, wrong

_GOT = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_NUMBERED = re.compile(r"(taste|niche)_(\d+)")


def read_table(path: str, kind: str) -> Given:
    """The table of ``people`` or ``creators`` in a file. Raises ScenarioError with file and row."""
    try:
        stat = Path(path).stat()
        stamp = stat.st_mtime_ns, stat.st_size
    except OSError:
        stamp = None
    # the check, an estimate and several mechanisms read the same file
    return _read(path, kind, stamp)


@functools.lru_cache(maxsize=4)
def _read(path: str, kind: str, stamp: object) -> Given:
    return Reader(Path(path), kind).given()


class Reader:
    """Reads one file; every problem names it."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self.kind, self.packed = path, kind, False

    def given(self) -> Given:
        """The table, checked."""
        table = self._table()
        laws = LAWS[self.kind]
        known = {*laws, *OTHERS[self.kind]}
        numbers = {
            name: self._numbers(table[name], name) for name in laws if name in table.schema.names
        }
        vectors: dict[str, Floats] = {}
        for name in ("taste", "niche"):
            if name in known and (found := self._vector(table, name)) is not None:
                vectors[name] = found
        names, ids = table.schema.names, None
        if "id" in names:
            ids = self._ids(table["id"])
        labels: list[str] = []
        if "community" in names and "community" in known:
            labels, numbers["community"] = self._labels(table["community"])
        if "joined" in names and "joined" in known:
            numbers["joined"] = self._days(table["joined"])
        used = [each for each in names if each in known or _NUMBERED.fullmatch(each)]
        if not used:
            raise self._wrong(
                None,
                f"has none of the columns {', '.join(sorted(known))}",
                "name them in its header",
            )
        return Given(
            path=self.path,
            rows=len(table),
            ids=ids,
            numbers=numbers,
            vectors=vectors,
            communities=labels,
            said=self._said(table, used, known),
            packed=self.packed,
        )

    def _wrong(self, row: int | None, reason: str, mend: str) -> ScenarioError:
        return wrong(self.path, self.kind, self.packed, row, (reason, mend))

    def _said(self, table: pa.Table, used: list[str], known: set[str]) -> str:
        shown = list(dict.fromkeys(_NUMBERED.sub(r"\1", each) for each in used))
        drawn = [each for each in known - set(shown) if each != "id"]
        rest = []
        for each in table.schema.names:
            if each not in used:
                near = closest(each, known)
                rest.append(each + (f" (did you mean {near}?)" if near else ""))
        return (
            f"{self.kind} {self.path.name}: {len(table):,} rows, {', '.join(shown)}"
            + (f"; drawn: {', '.join(sorted(drawn))}" if drawn else "")
            + (f"; not used: {', '.join(rest[:12])}" if rest else "")
        )

    def _table(self) -> pa.Table:
        try:
            with pa.OSFile(str(self.path)) as file:
                self.packed = file.size() >= 4 and file.read(4) == b"PAR1"
            table = pq.read_table(self.path) if self.packed else self._csv()
            # read here: in a damaged file they may be no text
            names = [each.strip().lower() for each in table.schema.names]
        except OSError as error:
            reason, mend = files.reason(error)
            raise self._wrong(
                None, f"cannot be read: {_first(reason)}", mend or "check it"
            ) from None
        except (pa.ArrowException, ValueError, EOFError, zlib.error) as error:
            raise self._wrong(None, f"cannot be read: {_first(error)}", "write it again") from None
        for each in names:
            if names.count(each) > 1:
                raise self._wrong(None, f"has two columns {each}", "keep one of them")
        if not len(table):
            raise self._wrong(None, "has no rows", f"write one for each of the {self.kind}")
        return table.rename_columns(names)

    def _csv(self) -> pa.Table:
        data = self.path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        data = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n ")
        head = data.partition(b"\n")[0].strip()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start)
            raise self._wrong(line - 1, "is not UTF-8", "save the file as UTF-8") from None
        if not head or b"\0" in data[:4096]:
            raise self._wrong(None, "is no table" if head else "is empty", "give CSV or Parquet")
        if b"\n" not in data:
            raise self._wrong(None, "has no rows", f"write one for each of the {self.kind}")
        apart = next((sign for sign in "\t;," if sign.encode() in head), ",")
        names = pyarrow.csv.read_csv(
            io.BytesIO(head + b"\n"), parse_options=pyarrow.csv.ParseOptions(delimiter=apart)
        ).column_names
        try:
            return pyarrow.csv.read_csv(
                io.BytesIO(data),
                # on one thread, which knows the row of an error
                pyarrow.csv.ReadOptions(use_threads=False),
                pyarrow.csv.ParseOptions(delimiter=apart, ignore_empty_lines=False),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=True,
                    null_values=["", "NA", "NaN", "nan", "null"],
                ),
            )
        except pa.ArrowInvalid as error:
            if not (match := _GOT.search(str(error))):
                raise
            row, wanted, got = map(int, match.groups())
            raise self._wrong(
                row - 2, f"has {got} cells, the header has {wanted}", "write as many in every row"
            ) from None

    def _ids(self, column: pa.ChunkedArray) -> list[str]:
        if not _plain(column.type):
            raise self._wrong(None, "ids are neither text nor whole numbers", "write one a row")
        words = [None if each is None else str(each).strip() for each in column.to_pylist()]
        for row, each in enumerate(words):
            if not each:
                raise self._wrong(row, "its id is missing", "give every row an id, or none")
        found = canonical([each for each in words if each])
        first: dict[str, int] = {}
        for row, each in enumerate(found):
            if (before := first.setdefault(each, row)) != row:
                line, words_ = place(self.packed, before)
                where = words_.rstrip(": ") or f"line {line}"
                raise self._wrong(row, f"the id {each} was given in {where}", "give each id once")
        return found

    def _numbers(self, column: pa.ChunkedArray, name: str) -> Floats:
        law = LAWS[self.kind][name]
        values = self._floats(column, name, law.words)
        with np.errstate(invalid="ignore"):
            bad = (values < law.low) | (values > law.high)
            bad |= law.whole & (values != np.floor(values)) & ~np.isnan(values)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise self._wrong(row, f"{name} {values[row]:g} is out of range", f"{law.words}")
        return values

    def _floats(self, column: pa.ChunkedArray, name: str, words: str) -> Floats:
        kind = column.type
        if not (_plain(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise self._wrong(None, f"{name} holds no numbers", f"write {words}")
        try:
            values: Floats = np.array(
                column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64
            )
        except pa.ArrowInvalid:
            row, text = _first_odd(column, float)
            raise self._wrong(row, f"{name} {text} is no number", f"write {words}") from None
        if np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0])
            raise self._wrong(row, f"{name} is not finite", f"write {words}")
        return values

    def _vector(self, table: pa.Table, name: str) -> Floats | None:
        """A unit vector a row, from columns ``name_0``, ``name_1`` ... or one of lists."""
        names = table.schema.names
        if name in names:
            parts = self._listed(table[name], name)
        else:
            numbered = [
                int(m[2]) for each in names if (m := _NUMBERED.fullmatch(each)) and m[1] == name
            ]
            if not numbered:
                return None
            if sorted(numbered) != list(range(len(numbered))):
                raise self._wrong(
                    None,
                    f"its columns {name}_N are not 0, 1, 2 ...",
                    f"number them from {name}_0 on",
                )
            columns = [table[f"{name}_{k}"] for k in range(len(numbered))]
            parts = np.stack(
                [self._floats(each, f"{name}_{k}", "a number") for k, each in enumerate(columns)], 1
            )
        if parts.shape[1] > VECTOR:
            raise self._wrong(None, f"{name} has {parts.shape[1]} numbers", f"{VECTOR} at most")
        missing = np.isnan(parts)
        # by the largest that is there first, whose square may be beyond what a number holds
        most = np.fmax.reduce(np.abs(parts), axis=1, initial=0)
        parts = parts / np.where(most > 0, most, 1)[:, None]
        size = np.linalg.norm(parts, axis=1)
        bad = (missing.any(axis=1) & ~missing.all(axis=1)) | (size == 0)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise self._wrong(row, f"{name} is no direction", "write all of its numbers, not all 0")
        found = np.zeros((len(parts), VECTOR))
        found[:, : parts.shape[1]] = parts / size[:, None]
        found[missing.any(axis=1)] = np.nan
        return found

    def _listed(self, column: pa.ChunkedArray, name: str) -> Floats:
        if not (
            pa.types.is_list(column.type)
            or pa.types.is_fixed_size_list(column.type)
            or pa.types.is_large_list(column.type)
        ):
            raise self._wrong(
                None, f"{name} holds no lists", f"write columns {name}_0, {name}_1 ..."
            )
        rows = column.to_pylist()
        width = max((len(each) for each in rows if each), default=1)
        found = np.full((len(rows), width), np.nan)
        for row, each in enumerate(rows):
            if each is None:
                continue
            if len(each) != width or not all(isinstance(part, int | float) for part in each):
                raise self._wrong(
                    row, f"{name} is not {width} numbers", "write as many in every row"
                )
            found[row] = each
        return found

    def _labels(self, column: pa.ChunkedArray) -> tuple[list[str], Floats]:
        """Communities and the place of each row's among them: numbers by size, else by name."""
        if not (_plain(column.type) or pa.types.is_floating(column.type)):
            raise self._wrong(None, "community holds no names", "write a name or a number a row")
        words = ["" if each is None else _label(each) for each in column.to_pylist()]
        distinct = sorted({*words} - {""})
        if all(WHOLE.fullmatch(each) for each in distinct):
            distinct.sort(key=int)
        ranks = {each: k for k, each in enumerate(distinct)}
        return distinct, np.array([ranks.get(each, np.nan) for each in words], np.float64)

    def _days(self, column: pa.ChunkedArray) -> Floats:
        if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            days = column.cast(pa.timestamp("s"), safe=False).cast(pa.date32(), safe=False)
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            texts = pc.utf8_slice_codeunits(column, 0, 10)
            try:
                days = texts.cast(pa.date32())
            except pa.ArrowInvalid:
                row, text = _first_odd(texts, _date)
                raise self._wrong(row, f"joined {text} is no date", "write 2025-01-31") from None
        else:
            raise self._wrong(None, "joined holds no dates", "write them as 2025-01-31")
        found: Floats = np.array(
            days.cast(pa.int32()).cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64
        )
        return found


def _plain(kind: pa.DataType) -> bool:
    """Whether a column holds text or whole numbers."""
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)
    coded = pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type)
    return bool(text or coded or pa.types.is_integer(kind))


def _label(value: Any) -> str:
    text = str(value).strip()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else text


def _first(error: object) -> str:
    return str(error).partition("\n")[0]


def _date(text: str) -> float:
    return float(dt.date.fromisoformat(text).toordinal())


def _first_odd(column: pa.ChunkedArray, kind: Callable[[str], float]) -> tuple[int | None, str]:
    """Row and text of the first value that cannot be read."""
    for row, text in enumerate(column.to_pylist()):
        try:
            if text is not None:
                kind(text)
        except ValueError:
            return row, str(text)
    return None, "of some row"
