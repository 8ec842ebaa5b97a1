"""Growable struct-of-arrays tables: a table is a set of columns of one length, capacity doubles, rows can be recycled.

A row is a place, not an identity: the identity of an entity is its 64-bit ``key`` (see draws). A row that was released is
given to a later entity, lowest row first, so that memory follows the living and not the dead; whoever keeps row numbers
across time must let go of them before the row is released (DESIGN.md says "ids never reused": keys never are).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import StateError, nearest
from twin.kernels.due import first_free

FEW = 4
"""Up to so many rows are cleared one by one: numpy takes a row by its number faster than by a list of numbers."""


@dataclass(frozen=True)
class Column:
    """One declared column.

    ``dtype`` numpy type; ``unit``; ``help`` one sentence; ``start`` value of a new row; ``shape`` of one entry (empty for a
    number); ``hidden`` marks what a platform cannot observe (true taste, true quality): the recommender may not read it.
    """

    name: str
    dtype: str
    unit: str
    help: str
    start: float = 0
    shape: tuple[int, ...] = ()
    hidden: bool = False


class Table:
    """Rows of entities. ``alive`` marks rows in use; ``size`` counts rows ever opened (alive or free)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self.version = 0
        """Counts how often columns have moved or grown: a view that was taken at another count may be stale."""
        self.columns: dict[str, Column] = {}
        self._data: dict[str, NDArray[Any]] = {}
        self._starts: list[tuple[NDArray[Any], float]] = []
        self._views: dict[str, NDArray[Any]] = {}
        self._readable: dict[str, NDArray[Any]] = {}
        self._capacity = 64
        self.define(Column("key", "u8", "id", "Identity: 64 bits derived from ancestry, never reused"))
        self.define(Column("alive", "?", "1", "True while the row belongs to an entity"))

    def define(self, column: Column) -> None:
        """Add a column, before or after rows exist."""
        if column.name in self.columns:
            raise StateError(f"table {self.name} has two columns named {column.name}")
        self.columns[column.name] = column
        self._data[column.name] = np.full((self._capacity, *column.shape), column.start, dtype=column.dtype)
        self._moved()

    def _moved(self) -> None:
        """Views of columns are made anew from here on."""
        self.version += 1
        self._views.clear()
        self._readable.clear()
        self._starts.clear()

    def _cleared(self) -> list[tuple[NDArray[Any], float]]:
        """All columns, each with the value of a new row."""
        if not self._starts:
            self._starts.extend((self._data[name], column.start) for name, column in self.columns.items())
        return self._starts

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The column's live length, writable: one view for all until the table grows. Take it again after growth."""
        view = self._views.get(name)
        if view is None:
            try:
                view = self._views[name] = self._data[name][:self.size]
            except KeyError:
                raise StateError(f"table {self.name} has no column {name} ({nearest(name, self.columns)})") from None
        return view

    def readable(self, name: str) -> NDArray[Any]:
        """The column's live length, read-only; likewise one view until the table grows."""
        view = self._readable.get(name)
        if view is None:
            view = self._readable[name] = self[name].view()
            view.flags.writeable = False
        return view

    def __len__(self) -> int:
        return self.size

    def add(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Open one row per key and return the rows: free rows first (lowest first), then new ones at the end."""
        count = len(keys)
        free: NDArray[np.int64] = first_free(self["alive"], count)
        rows = free
        if count > len(free):
            rows = np.concatenate([free, np.arange(self.size, self.size + count - len(free))])
            self._reserve(self.size + count - len(free))
            self.size += count - len(free)
            self._moved()
        if len(free):  # rows that were never opened are as they start
            for place in free.tolist() if len(free) <= FEW else [free]:
                for data, start in self._cleared():
                    data[place] = start
        self._data["key"][rows] = keys
        self._data["alive"][rows] = True
        return rows

    def release(self, rows: NDArray[np.int64]) -> None:
        """Give rows back; whoever held their numbers must have let go."""
        self._data["alive"][rows] = False
        self._data["key"][rows] = 0

    def _reserve(self, size: int) -> None:
        if size <= self._capacity:
            return
        while self._capacity < size:
            self._capacity *= 2
        for name, column in self.columns.items():
            grown = np.full((self._capacity, *column.shape), column.start, dtype=column.dtype)
            grown[:self.size] = self._data[name][:self.size]
            self._data[name] = grown

    def bytes_per_row(self) -> int:
        """Bytes that one row takes in all columns together."""
        return sum(int(data.dtype.itemsize * np.prod(data.shape[1:], dtype=int)) for data in self._data.values())

    def save(self) -> dict[str, NDArray[Any]]:
        """All columns, live length."""
        return {name: self[name] for name in self.columns}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Replace the contents; raises StateError by name where the columns differ."""
        if set(arrays) != set(self.columns):
            odd = ", ".join(sorted(set(arrays) ^ set(self.columns)))
            raise StateError(f"table {self.name}: columns differ: {odd}")
        self.size = len(arrays["key"])
        self._capacity = 64
        while self._capacity < self.size:
            self._capacity *= 2
        for name, column in self.columns.items():
            saved = arrays[name]
            if saved.dtype != np.dtype(column.dtype) or saved.shape[1:] != column.shape:
                raise StateError(f"table {self.name}: column {name} is {saved.dtype}{list(saved.shape[1:])} in the "
                                 f"checkpoint and {np.dtype(column.dtype)}{list(column.shape)} here")
            data = np.full((self._capacity, *column.shape), column.start, dtype=column.dtype)
            data[:self.size] = saved
            self._data[name] = data
        self._moved()
