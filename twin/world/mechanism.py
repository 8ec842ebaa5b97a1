"""What a mechanism is: parameters, columns, clocks, metrics, services. One file each, never
importing another.

A mechanism is thrown away and rebuilt at every resume, so its attributes may hold only what follows
from its parameters; everything that changes lives in the World (columns it owns, arrays it keeps).
``setup`` runs once in the life of a world, when it is new; ``clocks`` are asked for on every start.

Time is ``world.now``, whole seconds since the world began, never negative. A mechanism whose
parameters date something from the scenario's start goes by ``world.elapsed`` instead, which is
negative in a warm-up; counts run from the beginning of the world: see `Board.rebase`.

All clocks tick on multiples of ``recommender.refresh`` (the serving snapshot's grid). Within one
instant they run in the order of PHASES, then in the order in which the mechanisms are listed.
Sessions before t have all happened when the clocks of t begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import Decisions
from twin.ground.errors import StateError
from twin.world.columns import Column, Table
from twin.world.metric import Metric
from twin.world.params import Params as ParamsBase
from twin.world.settings import settings
from twin.world.state import Keep, Lever, Made, World

PHASES = (
    "browse",
    "chat",
    "react",
    "policy",
    "people",
    "create",
    "settle",
    "train",
    "sync",
    "opinion",
    "graph",
    "refresh",
    "measure",
)
"""Order within one instant: sessions of the window that ends now are replayed first, then
mechanisms react to what was seen in them (service ``window``); the new snapshot is published last,
and metrics are read after it."""


@dataclass(frozen=True)
class Every:
    """A clock: call ``handler`` every ``period`` seconds in a phase, first at ``first`` (default:
    after one period)."""

    period: int
    phase: str
    handler: Callable[[], None]
    first: int | None = None

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise StateError(f"no phase {self.phase}; phases are {', '.join(PHASES)}")
        if self.period <= 0:
            raise StateError(f"a clock's period must be positive, not {self.period}")


@dataclass(frozen=True)
class Wakes:
    """Entities that wake at their own exact second: ``table.column`` (int64 seconds, NEVER for
    none) says when.

    ``handler(rows)`` gets the rows that are due, sorted by (time, row). It handles each row at
    the row's own time, must not read ``world.now``, and advances the column by at least MIN_WAKE.
    Batched mode calls it once per serving window, reference mode once per row; results must be
    bit-identical.
    """

    table: str
    column: str
    phase: str
    handler: Callable[[NDArray[np.int64]], None]


MIN_WAKE = 1800
"""Least seconds between two wakes of one entity: the session cut of 30 minutes, and so the longest
serving window."""


T = TypeVar("T")
P = TypeVar("P", bound=ParamsBase)
"""The parameters of a mechanism."""


class Mechanism(Generic[P]):
    """Base of all mechanisms; `P` is the type of its parameters, which are its ``p``.

    Class attributes: ``name`` (also its YAML block), ``Params``, ``columns`` (table -> columns it
    owns), ``metrics``, ``needs`` and ``provides`` (services by name), ``gives`` (what a service
    gives, by its name), ``reads`` (table -> columns of others), ``heeds`` (levers of
    others, ``mechanism.lever``), ``watches`` (metrics of others), ``sees_hidden`` (False for
    the platform's own software), ``reads_arms`` (True for the one that publishes the readings by
    arm that all declare, see `twin.world.arms`), ``asks`` (True where a service outside has a part
    in what it does, so that the world does not follow from the scenario alone), ``order`` (small
    first: among mechanisms in one phase, and for ``setup``), ``replaced_by`` (which classes of a
    user's own may stand in for it, see `twin.world.protocol`) and ``instead`` (what to use where
    none may).
    """

    name: ClassVar[str]
    Params: ClassVar[type[ParamsBase]]
    columns: ClassVar[dict[str, tuple[Column, ...]]] = {}
    metrics: ClassVar[tuple[Metric, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ()
    gives: ClassVar[Mapping[str, str]] = {}
    reads: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    heeds: ClassVar[tuple[str, ...]] = ()
    watches: ClassVar[tuple[str, ...]] = ()
    sees_hidden: ClassVar[bool] = True
    reads_arms: ClassVar[bool] = False
    asks: ClassVar[bool] = False
    order: ClassVar[int] = 50
    replaced_by: ClassVar[Literal["any", "derived", "none"]] = "any"
    instead: ClassVar[str] = ""

    def __init__(self, params: P, world: World) -> None:
        self.p = params
        self.world = world
        self.keep = Keep(world, self.name)
        self._owned: dict[tuple[str, str], Table] = {}
        self._open: dict[tuple[str, str], Table] = {}
        self._records: Made[NDArray[np.void]] = Made()

    def setup(self) -> None:
        """Fill a new world. Runs once, in the order of ``order``; not on resume."""

    def clocks(self) -> list[Every]:
        """The mechanism's clocks."""
        return []

    def wakes(self) -> list[Wakes]:
        """Entities that wake one by one."""
        return []

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Rows are about to be released: drop their numbers."""

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Rows were opened: fill the columns you own."""

    def measure(self) -> None:
        """Write every declared metric to the board; called at the metrics clock, probes last."""

    def scratch(self) -> dict[str, int]:
        """Bytes held outside the World, by name: what is put together from it and kept for a
        while."""
        return {}

    def waiting(self) -> dict[str, int]:
        """What waits to be worked through, by name; shown as the health of the run, and read by
        nothing that is computed."""
        return {}

    def mine(self, table: str, column: str) -> NDArray[Any]:
        """A column this mechanism owns, writable."""
        data = self._owned.get((table, column))
        if data is None:
            # Checked once. The table is kept and not the array, which moves when it grows
            owner = self.world.owners.get((table, column), "nobody")
            if owner != self.name:
                raise StateError(
                    f"{self.name} may not write {table}.{column}, which belongs to {owner}"
                )
            data = self._owned[table, column] = self.world.tables[table]
        return data[column]

    def read(self, table: str, column: str) -> NDArray[Any]:
        """Any column, read-only. Hidden ones are refused to a mechanism that must not see them."""
        data = self._open.get((table, column))
        if data is None:
            data = self.world.table(table)
            # Before the check of hidden columns: an unknown name is reported as such
            view = data.readable(column)
            if data.columns[column].hidden and not self.sees_hidden:
                raise StateError(
                    f"{self.name} may not read {table}.{column}: a platform cannot observe it"
                )
            self._open[table, column] = data
            return view
        return data.readable(column)

    def filled(self, kind: Callable[..., T], table: str, **given: NDArray[Any]) -> T:
        """A kernel's named tuple of columns, by their names: own columns of the table are writable,
        others are read-only; ``given`` are fields that are no column of it."""
        # Fields of a kernel's tuple are named like columns, so no list in between is needed
        own = {column.name for column in self.columns.get(table, ())}
        names = [name for name in getattr(kind, "_fields", ()) if name not in given]
        found = {
            name: self.mine(table, name) if name in own else self.read(table, name)
            for name in names
        }
        return kind(**found, **given)

    def lever(self, name: str) -> Any:
        """The current value of one of this mechanism's levers, by its parameter path."""
        return self.world.lever(f"{self.name}.{name}")

    def levers_by_arm(self, table: str, name: str) -> list[Any]:
        """The values of a lever, one per arm of a table's entities; arm 0 is everybody outside
        all policies for a share."""
        return self.world.levers_by_arm(table, f"{self.name}.{name}")

    def lever_of(self, table: str, name: str, rows: NDArray[Any]) -> NDArray[Any]:
        """The value of a lever for each of ``rows``, whatever arm they are in."""
        # Most worlds have a single arm: then nobody's arm needs to be looked up
        values = self.levers_by_arm(table, name)
        return (
            np.array(values)[self.read(table, "arm")[rows]]
            if len(values) > 1
            else np.full(len(rows), values[0])
        )

    def settings(self) -> NDArray[np.void]:
        """All parameters as kernels take them (see `twin.world.settings`), levers at their value in
        effect: one record per arm of consumers, arm 0 first."""
        return self._records.get(self.world.lever_version, self._filled)

    def _filled(self) -> NDArray[np.void]:
        arms = len(self.world.arms.get("consumers", [{}]))

        # A function, so that each record reads its own arm and not the last one of the loop
        def values(arm: int) -> Callable[[str], Any]:
            return lambda name: self.levers_by_arm("consumers", name)[arm]

        return settings(self.p, *(values(arm) for arm in range(arms)))

    def uniforms(
        self, decision: str, keys: NDArray[np.uint64], occasion: int | NDArray[Any] = 0
    ) -> NDArray[np.float64]:
        """Uniforms (n, 4) for one decision of this mechanism, keyed by entity and occasion."""
        return self.world.draws.uniforms(f"{self.name}.{decision}", keys, occasion)

    def normals(
        self, decision: str, keys: NDArray[np.uint64], count: int, occasion: int | NDArray[Any] = 0
    ) -> NDArray[np.float64]:
        """Standard normals (n, count) for one decision of this mechanism."""
        return self.world.draws.normals(f"{self.name}.{decision}", keys, count, occasion)

    def waves(
        self, decisions: Decisions, keys: NDArray[np.uint64], occasion: int | NDArray[Any] = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """`normals` of several decisions at once, for kernels that put them together: see
        `Draws.waves`."""
        return self.world.draws.waves(self.name, decisions, keys, occasion)

    def normal(
        self, decision: str, keys: NDArray[np.uint64], place: int, occasion: int | NDArray[Any] = 0
    ) -> NDArray[np.float64]:
        """One column of `normals` (n,), without the cost of the others."""
        return self.world.draws.normal(f"{self.name}.{decision}", keys, place, occasion)

    def stream(self, decision: str) -> np.uint64:
        """The key of one decision's stream, for kernels that draw for themselves."""
        return self.world.draws.stream(f"{self.name}.{decision}")


__all__ = ["MIN_WAKE", "PHASES", "Every", "Lever", "Mechanism", "Wakes"]
