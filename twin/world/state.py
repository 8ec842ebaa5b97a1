"""The World: everything a mechanism may touch, and nothing above it.

All state of a run is here: tables of entities, named arrays (``state``), small records, lever
values, the board. A mechanism keeps nothing of its own between two calls, so saving the World saves
the run, and loading it resumes the run bit for bit.

Rules, enforced: a column is written by the mechanism that declared it and read by others through
read-only views; a ``hidden`` column (true taste, true quality) is refused to a mechanism that
declares ``sees_hidden = False``; services and levers are asked for by name and an unknown name is
an error that lists the nearest.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, ItemsView, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.ground.crew import Crew
from twin.ground.draws import Draws
from twin.ground.errors import StateError, nearest
from twin.world.board import Board
from twin.world.columns import NARROW, Column, Table

Lever = float | int | bool | str | None
V = TypeVar("V")
T = TypeVar("T")


class Watched(dict[str, V]):
    """A dict that counts how often it was written to: what was computed from it is valid while
    ``version`` is the same."""

    version = 0

    # Every way to write is overridden: dict's own methods do not call __setitem__
    def __setitem__(self, name: str, value: V) -> None:
        self.version += 1
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.version += 1
        super().__delitem__(name)

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.version += 1
        return super().__ior__(other)

    def update(self, *args: Any, **named: V) -> None:
        """As of any dict."""
        self.version += 1
        super().update(*args, **named)

    def setdefault(self, name: str, default: V) -> V:
        """As of any dict."""
        self.version += 1
        return super().setdefault(name, default)

    def pop(self, *args: Any) -> Any:
        """As of any dict."""
        self.version += 1
        return super().pop(*args)

    def popitem(self) -> tuple[str, V]:
        """As of any dict."""
        self.version += 1
        return super().popitem()

    def clear(self) -> None:
        """As of any dict."""
        self.version += 1
        super().clear()


class Made(Generic[T]):
    """A value computed from others, and computed again only when one of these has changed."""

    def __init__(self) -> None:
        # Equal to no stamp, so the first `get` computes
        self._stamp: object = None
        self._value: T

    def get(self, stamp: object, make: Callable[[], T]) -> T:
        """The value that ``make`` gave when ``stamp`` last changed; a stamp is never None."""
        if self._stamp != stamp:
            self._value = make()
            self._stamp = stamp
        return self._value


class World:
    """One simulated platform: clock time, tables, arrays, levers, services, draws and board.

    ``now`` is whole seconds since ``start`` (UTC midnight), the day on which the world begins. A
    scenario's own ``start`` comes ``warm_up`` seconds later: ``elapsed`` is the time since that,
    below zero while the world warms up. Mechanisms live by ``now``, which is never negative, so
    that ages, draws per day and "when the world is new" need not know of a warm-up; only what a
    scenario dates from its start (policies, campaigns, marks, readings) goes by ``elapsed``.
    """

    def __init__(
        self,
        start: dt.date,
        seed: int,
        replicate: int,
        board: Board,
        grid: int = 600,
        warm_up: int = 0,
    ) -> None:
        self.start, self.now, self.warm_up = start, 0, warm_up
        self.grid = grid
        """Seconds between two serving snapshots; every clock's period is a multiple of it."""
        self.draws = Draws(seed, replicate)
        self.board = board
        self.tables: dict[str, Table] = {}
        self.owners: dict[tuple[str, str], str] = {}
        self.state: dict[str, NDArray[Any]] = {}
        self.records: dict[str, Any] = {}
        """Plain JSON data by its owner's name, for what is no array: one record each, replaced as a
        whole, so that a record once taken never changes."""
        self.levers: Watched[Lever] = Watched()
        self.arms: Watched[list[dict[str, Lever]]] = Watched()
        """Levers that differ by arm, for tables with policies for a share: one mapping per arm, arm
        0 empty; a table's list is replaced and never changed. An entity's arm is in the column
        ``arm`` of its table."""
        self._by_arm: dict[tuple[str, str], list[Lever]] = {}
        # Versions begin at 0, so nothing is taken for computed
        self._by_arm_stamp = -1
        self.crew = Crew()
        """The threads that may share one window's work; how many they are changes no result."""
        self.folder: Path | None = None
        """The run folder, where there is one: for what is neither state nor a result, such as
        answers of a service."""
        self.oracle = False
        """True where the recommender may rank by hidden enjoyment: the upper reference, set by the
        engine only."""
        self.marks: list[tuple[int, str, str]] = []
        """Event marks not yet written to the run folder: (seconds since the scenario's start, kind,
        text)."""
        self._services: dict[str, Callable[..., Any]] = {}
        self._on_add: list[Callable[[str, NDArray[np.int64]], None]] = []
        self._on_release: list[Callable[[str, NDArray[np.int64]], None]] = []
        self._on_window: list[Callable[[], None]] = []

    @property
    def start_of_scenario(self) -> dt.date:
        """The day of the scenario's ``start``, which is `elapsed` 0."""
        return self.start + dt.timedelta(seconds=self.warm_up)

    @property
    def elapsed(self) -> int:
        """Seconds since the scenario's start; below zero in the warm-up."""
        return self.now - self.warm_up

    def define(self, owner: str, table: str, column: Column) -> None:
        """Add a column that ``owner`` alone may write; the table is made when its first column
        is."""
        # Mechanisms share tables: the first to define a column makes the table
        if table not in self.tables:
            self.tables[table] = Table(table)
        self.tables[table].define(column)
        self.owners[table, column.name] = owner

    def table(self, name: str) -> Table:
        """A table by name."""
        try:
            return self.tables[name]
        except KeyError:
            raise StateError(f"no table {name} ({nearest(name, self.tables)})") from None

    def on_add(self, listener: Callable[[str, NDArray[np.int64]], None]) -> None:
        """Call ``listener(table, rows)`` after rows were opened, in the order in which listeners
        came."""
        self._on_add.append(listener)

    def add(
        self, owner: str, table: str, keys: NDArray[np.uint64], **given: NDArray[Any]
    ) -> NDArray[np.int64]:
        """Open rows for new entities, fill the ``given`` columns of ``owner``, then let every
        mechanism fill its own."""
        data = self.table(table)
        rows = data.add(keys)
        # Before anybody writes these rows into a column of two bytes
        if len(data) > NARROW:
            self.widen(table)
        # Given columns come before listeners, who read them (a creator's person, say)
        for name, values in given.items():
            if self.owners.get((table, name)) != owner:
                raise StateError(f"{owner} may not write {table}.{name}")
            data[name][rows] = values
        if len(rows):
            for listener in self._on_add:
                listener(table, rows)
        return rows

    def widen(self, table: str) -> None:
        """Let every column that holds rows of a table hold all that it has."""
        for other in self.tables.values():
            other.widen(table, len(self.table(table)))

    def on_release(self, listener: Callable[[str, NDArray[np.int64]], None]) -> None:
        """Call ``listener(table, rows)`` before rows are released."""
        self._on_release.append(listener)

    def release(self, table: str, rows: NDArray[np.int64]) -> None:
        """Give rows back for later entities; every mechanism drops their numbers first."""
        if len(rows):
            # Released only then: a row that is free may be given away at once
            for listener in self._on_release:
                listener(table, rows)
            self.table(table).release(rows)

    def on_window(self, listener: Callable[[], None]) -> None:
        """Call ``listener()`` at the end of every serving window, when the services ``window`` and
        ``starts`` still say what happened in it."""
        self._on_window.append(listener)

    @property
    def watched(self) -> bool:
        """Whether anybody listens to windows: what only listeners need is kept only for them."""
        return bool(self._on_window)

    def end_window(self) -> None:
        """A serving window ends."""
        for listener in self._on_window:
            listener()

    def mark(self, kind: str, text: str) -> None:
        """Note an event that readers show on the time axis (a policy took effect, a wave of
        arrivals); the warm-up leaves no marks."""
        if self.elapsed >= 0:
            self.marks.append((self.elapsed, kind, text))

    def provide(self, name: str, service: Callable[..., Any]) -> None:
        """Offer a service; two mechanisms cannot offer the same."""
        if name in self._services:
            raise StateError(f"service {name} is provided twice")
        self._services[name] = service

    def service(self, name: str) -> Callable[..., Any]:
        """A service by name."""
        try:
            return self._services[name]
        except KeyError:
            raise StateError(
                f"no mechanism provides {name} ({nearest(name, self._services)})"
            ) from None

    def has_service(self, name: str) -> bool:
        """Whether some mechanism of this run provides a service."""
        return name in self._services

    def lever(self, name: str) -> Lever:
        """The value of a lever now."""
        try:
            return self.levers[name]
        except KeyError:
            raise StateError(f"no lever {name} ({nearest(name, self.levers)})") from None

    @property
    def lever_version(self) -> int:
        """Rises whenever a lever is written, for everybody or for an arm; what was computed
        from levers is valid until then."""
        # Both only rise, so their sum is another one after any write
        return self.levers.version + self.arms.version

    def levers_by_arm(self, table: str, name: str) -> list[Lever]:
        """The values of a lever for every arm of a table; not to be changed."""
        stamp = self.levers.version + self.arms.version
        if stamp != self._by_arm_stamp:
            self._by_arm.clear()
            self._by_arm_stamp = stamp
        values = self._by_arm.get((table, name))
        if values is None:
            # An arm that says nothing has the value for everybody
            value = self.lever(name)
            values = self._by_arm[table, name] = [
                arm.get(name, value) for arm in self.arms.get(table, [{}])
            ]
        return values


class _Prefixed(dict[str, str]):
    """Names with a prefix, put together once."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __missing__(self, name: str) -> str:
        whole = self[name] = self.prefix + name
        return whole


class Keep(MutableMapping[str, NDArray[Any]]):
    """A mechanism's named arrays in the World's state, seen without their owner's prefix."""

    def __init__(self, world: World, owner: str) -> None:
        self._state, self._prefix, self._whole = world.state, owner + ".", _Prefixed(owner + ".")

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._state[self._whole[name]]

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        self._state[self._whole[name]] = array

    def __delitem__(self, name: str) -> None:
        del self._state[self._whole[name]]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._whole[name] in self._state

    def __iter__(self) -> Iterator[str]:
        cut = len(self._prefix)
        # Over a copy: callers delete while they iterate
        return iter([name[cut:] for name in self._state if name.startswith(self._prefix)])

    def items(self) -> ItemsView[str, NDArray[Any]]:
        """Names and arrays as they are now."""
        cut = len(self._prefix)
        return {
            name[cut:]: array
            for name, array in self._state.items()
            if name.startswith(self._prefix)
        }.items()

    def __len__(self) -> int:
        return sum(1 for _ in self)
