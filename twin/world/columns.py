"""Growable struct-of-arrays tables: a table is a set of columns of one length, rows can be
recycled.

Memory follows use. A table that is full makes room for a 64th more than it needs (see `room_for`),
so growth costs a constant per row and little memory is unused. A ``lazy`` column takes no
memory until it is first written. A column with ``rows_of`` holds row numbers of another table, two
bytes wide while these fit and four from then on.

A row is a place, not an identity: the identity of an entity is its 64-bit ``key`` (see draws). A
row that was released is given to a later entity, lowest row first, so that memory follows the
living entities. Whoever keeps row numbers across time must drop them before the row is released.
Keys are never reused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import StateError, nearest
from twin.kernels.due import first_free

FEW = 4
"""Up to this number, rows are cleared one by one: numpy takes a row by its number faster than by a
list of numbers."""

LEAST, SHARE = 64, 64
"""What a growing array gets beyond its need: 64 entries, or a 64th of it where that is more."""
NARROW = 2**15
"""Row numbers below it fit into two bytes."""


def room_for(need: int) -> int:
    """The length to give to an array that has become too short for ``need`` entries."""
    return need + max(LEAST, need // SHARE)


def lengthened(array: NDArray[Any], size: int, fill: float = 0) -> NDArray[Any]:
    """The array itself where it has ``size`` entries, else a copy of that size with ``fill`` in
    what is new."""
    if len(array) >= size:
        return array
    shape = (size, *array.shape[1:])
    # zeros() rather than full(): the system gives memory to zeros only when they are written
    grown = np.zeros(shape, array.dtype) if fill == 0 else np.full(shape, fill, array.dtype)
    grown[: len(array)] = array
    return grown


def held_bytes(array: NDArray[Any]) -> int:
    """Bytes that an array keeps in memory: of all that it is a part of, where it is a part."""
    whole: Any = array if array.base is None else array.base
    # An array, or a block of memory that a kernel made
    return memoryview(whole).nbytes


def row_type(rows: int) -> np.dtype[Any]:
    """The narrowest type that holds row numbers of a table of so many rows, and -1."""
    return np.dtype(np.int16 if rows <= NARROW else np.int32)


@dataclass(frozen=True)
class Column:
    """One declared column.

    ``dtype`` numpy type; ``unit``; ``help`` one sentence; ``start`` value of a new row; ``shape``
    of one entry (empty for a number); ``hidden`` marks what a platform cannot observe (true taste,
    true quality): the recommender may not read it. ``lazy`` columns take no memory until they are
    first written. ``rows_of`` names the table whose rows a column holds: it is then as narrow as
    they allow, whatever ``dtype`` says. ``within``: the least and the greatest value that a living
    row may hold; the contract of `twin.testing` looks.
    """

    name: str
    dtype: str
    unit: str
    help: str
    start: float = 0
    shape: tuple[int, ...] = ()
    hidden: bool = False
    lazy: bool = False
    rows_of: str = ""
    within: tuple[float, float] = (-math.inf, math.inf)


class Table:
    """Rows of entities. ``alive`` marks rows in use; ``size`` counts rows ever opened (alive or
    free)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self.version = 0
        """Counts how often columns have moved or grown: a view that was taken at another count may
        be stale."""
        self.columns: dict[str, Column] = {}
        # Columns at full capacity; start values and views of live length follow from them
        self._data: dict[str, NDArray[Any]] = {}
        self._starts: list[tuple[NDArray[Any], float]] = []
        self._views: dict[str, NDArray[Any]] = {}
        self._readable: dict[str, NDArray[Any]] = {}
        # How many rows other tables have, as far as `widen` has said
        self._lengths: dict[str, int] = {}
        self._capacity = LEAST
        self.define(
            Column("key", "u8", "id", "Identity: 64 bits derived from ancestry, never reused")
        )
        self.define(Column("alive", "?", "1", "True while the row belongs to an entity"))

    @property
    def capacity(self) -> int:
        """Rows for which there is room: what grows with the table is made as long as that."""
        return self._capacity

    def define(self, column: Column) -> None:
        """Add a column, before or after rows exist."""
        if column.name in self.columns:
            raise StateError(f"table {self.name} has two columns named {column.name}")
        self.columns[column.name] = column
        # At full capacity, so that a column may come after rows exist
        if not column.lazy:
            self._data[column.name] = self._fresh(column, self._type(column))
        self._moved()

    def _type(self, column: Column) -> np.dtype[Any]:
        """How wide a column is made; rows of a table that is not known to be long take two
        bytes."""
        return (
            row_type(self._lengths.get(column.rows_of, 0))
            if column.rows_of
            else np.dtype(column.dtype)
        )

    def _fresh(self, column: Column, dtype: np.dtype[Any]) -> NDArray[Any]:
        """A column in which every row is new."""
        return lengthened(np.zeros((0, *column.shape), dtype), self._capacity, column.start)

    def _moved(self) -> None:
        """Views of columns are made again from here on."""
        self.version += 1
        self._views.clear()
        self._readable.clear()
        self._starts.clear()

    def _declared(self, name: str) -> Column:
        try:
            return self.columns[name]
        except KeyError:
            raise StateError(
                f"table {self.name} has no column {name} ({nearest(name, self.columns)})"
            ) from None

    def _cleared(self) -> list[tuple[NDArray[Any], float]]:
        """All columns that hold anything, each with the value of a new row."""
        if not self._starts:
            self._starts.extend(
                (data, self.columns[name].start) for name, data in self._data.items()
            )
        return self._starts

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The column's live length, writable: one view for all until the table grows. Take it
        afresh after growth.

        A lazy column is given its memory here; whoever only reads should ask `readable`, which does
        not.
        """
        view = self._views.get(name)
        if view is None:
            column = self._declared(name)
            if name not in self._data:
                self._data[name] = self._fresh(column, self._type(column))
                # A read-only view of one value for all rows no longer shows what is there
                self._readable.pop(name, None)
                self._starts.clear()
                # Whoever keeps this table's columns must take them again: one is new
                self.version += 1
            view = self._views[name] = self._data[name][: self.size]
        return view

    def readable(self, name: str) -> NDArray[Any]:
        """The column's live length, read-only; likewise one view until the table grows.

        A lazy column that nobody has written is one value shown as many.
        """
        view = self._readable.get(name)
        if view is None:
            column = self._declared(name)
            if name in self._data:
                view = self._data[name][: self.size]
            else:
                # One value with strides of 0: as long as the table, without its memory
                view = np.broadcast_to(
                    np.array(column.start, column.dtype), (self.size, *column.shape)
                )
            # On the view alone: the owner's own view stays writable
            view.flags.writeable = False
            self._readable[name] = view
        return view

    def holds(self, name: str) -> bool:
        """Whether a column takes memory: all do but lazy ones that nobody has written."""
        return self._declared(name).name in self._data

    def __len__(self) -> int:
        return self.size

    def reserve(self, count: int) -> None:
        """Make room for ``count`` more rows at once."""
        if self.size + count > self._capacity:
            self._capacity = room_for(self.size + count)
            for name, column in self.columns.items():
                # Lazy columns that nobody has written have nothing to grow
                if name in self._data:
                    self._data[name] = lengthened(
                        self._data[name][: self.size], self._capacity, column.start
                    )
            self._moved()

    def add(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Open one row per key and return the rows: free rows first (lowest first), then new ones
        at the end."""
        count = len(keys)
        # Lowest row first, so that rows are a function of what was added and released
        free: NDArray[np.int64] = first_free(self["alive"], count)
        rows = free
        if count > len(free):
            rows = np.concatenate([free, np.arange(self.size, self.size + count - len(free))])
            # Before size rises: `reserve` copies the live length
            self.reserve(count - len(free))
            # New rows need no clearing: `lengthened` has filled them with start values
            self.size += count - len(free)
            self._moved()
        # Rows that were never opened are as they start
        if len(free):
            for place in free.tolist() if len(free) <= FEW else [free]:
                for data, start in self._cleared():
                    data[place] = start
        self._data["key"][rows] = keys
        self._data["alive"][rows] = True
        return rows

    def widen(self, table: str, rows: int) -> None:
        """Let columns that hold rows of another table hold ``rows`` of them."""
        self._lengths[table] = rows
        wanted = row_type(rows)
        for name, column in self.columns.items():
            if (
                column.rows_of == table
                and name in self._data
                # Columns never become narrower again
                and self._data[name].dtype.itemsize < wanted.itemsize
            ):
                self._data[name] = self._data[name].astype(wanted)
                self._moved()

    def release(self, rows: NDArray[np.int64]) -> None:
        """Give rows back; whoever kept their numbers must have dropped them."""
        self._data["alive"][rows] = False
        # No entity has this key: whoever compares keys sees that the row is not theirs any more
        self._data["key"][rows] = 0

    def bytes_per_row(self) -> int:
        """Bytes that one row takes in all columns together, lazy ones that nobody has written left
        out."""
        return sum(
            int(data.dtype.itemsize * np.prod(data.shape[1:], dtype=int))
            for data in self._data.values()
        )

    @property
    def nbytes(self) -> int:
        """Bytes held, room for rows to come included."""
        return sum(data.nbytes for data in self._data.values())

    def save(self) -> dict[str, NDArray[Any]]:
        """All columns that hold anything, live length."""
        return {name: self[name] for name in self.columns if name in self._data}

    def load(self, arrays: Mapping[str, NDArray[Any]], capacity: int = 0) -> None:
        """Replace the contents, with room for ``capacity`` rows if they are fewer.

        Raises StateError by name where the columns differ.
        """
        lazy = {name for name, column in self.columns.items() if column.lazy}
        # The same columns on both sides, but lazy ones may be missing from what was saved
        odd = (set(arrays) ^ set(self.columns)) - (lazy - set(arrays))
        if odd:
            raise StateError(f"table {self.name}: columns differ: {', '.join(sorted(odd))}")
        self.size = len(arrays["key"])
        # As much room as the saved world had: arrays grow when they would have without a stop
        self._capacity = max(self.size, capacity)
        self._data.clear()
        for name, saved in arrays.items():
            column = self.columns[name]
            # Rows of another table come two or four bytes wide, whatever the declaration says
            allowed = (
                (row_type(0), row_type(NARROW + 1)) if column.rows_of else (np.dtype(column.dtype),)
            )
            if saved.dtype not in allowed or saved.shape[1:] != column.shape:
                raise StateError(
                    f"table {self.name}: column {name} is {saved.dtype}{list(saved.shape[1:])} in "
                    f"the "
                    f"checkpoint and {np.dtype(column.dtype)}{list(column.shape)} here"
                )
            self._data[name] = lengthened(saved, self._capacity, column.start)
        self._moved()
