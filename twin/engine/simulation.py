"""The engine: builds a World from a scenario, starts its clocks, runs it to a barrier, saves and
loads it.

Order within an instant is (phase, order of the mechanism, place in its list of clocks), printed by
`clock_table`. Sessions of the window that ends at t go first: in batched mode by one call per
window, in reference mode they have happened at their own seconds already, one SimPy process per
entity. Both give the same bytes, because nothing that a session reads changes between two refreshes
but by sessions.

A scenario with a warm-up begins that much earlier. Inside, a world's time runs from its own
beginning, so that no mechanism meets a negative second; everything here that faces outward (`now`,
`run`, `on_measure`) counts from the scenario's start, and is negative before it. Negative time
inside would break every draw that is keyed by a day, every "never" of -1, and every test for the
first instant. Metrics are read in the warm-up too, because some report changes since their last
reading, and discarded. At the start, the totals of that reading become the zero of all counts.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine.clocks import Calendar
from twin.ground.crew import Crew
from twin.ground.errors import StateError
from twin.ground.memory import give_back
from twin.ground.units import NEVER, format_duration
from twin.kernels.due import due_rows, earliest
from twin.scenario.loading import Scenario
from twin.world import checkpoint
from twin.world.columns import held_bytes
from twin.world.mechanism import MIN_WAKE, PHASES, Every, Mechanism, Wakes
from twin.world.params import leaves, meta, value_at
from twin.world.state import World


class Simulation:
    """One run in memory.

    ``reference`` uses one SimPy process per waking entity; ``oracle`` lets the recommender rank by
    true enjoyment (an upper reference for reports, never a scenario setting); ``threads`` share the
    work, and change no result.
    """

    def __init__(
        self, scenario: Scenario, *, reference: bool = False, oracle: bool = False, threads: int = 1
    ) -> None:
        self.scenario, self.reference, self.oracle = scenario, reference, oracle
        # The world is older than the scenario by the warm-up, so that inside no time is negative
        begin = scenario.start - dt.timedelta(seconds=scenario.warm_up)
        self.world = World(
            begin,
            scenario.seed,
            scenario.replicate,
            scenario.board(),
            scenario.grid,
            scenario.warm_up,
        )
        self.world.oracle = oracle
        self.world.crew = Crew(threads)
        self.mechanisms: list[Mechanism[Any]] = []
        for name in scenario.order:
            kind, params = scenario.registry[name], scenario.mechanisms[name]
            for table, columns in kind.columns.items():
                for column in columns:
                    self.world.define(name, table, column)
            for path, info in leaves(type(params)):
                if meta(info)["lever"]:
                    self.world.levers[f"{name}.{path}"] = value_at(params, path)
            self.mechanisms.append(kind(params, self.world))
        # In the order of mechanisms, since one fills what the next reads: communities, then tastes
        for mechanism in self.mechanisms:
            self.world.on_add(mechanism.born)
            self.world.on_release(mechanism.gone)
        # Whoever drives the run replaces it
        self.on_measure: Callable[[int, NDArray[np.float64]], None] = lambda now, values: None
        self._clocks = self._ordered_clocks()
        self.due: dict[str, int] = {}
        self.spent = dict.fromkeys((clock.phase for _, clock in self._clocks), 0.0)
        """Wall-clock seconds of the work in each phase (batched mode). Only for the health of the
        run: nothing computed reads it."""

    @property
    def now(self) -> int:
        """Seconds since the scenario's start; negative in its warm-up."""
        return self.world.elapsed

    @property
    def _end(self) -> int:
        """The world's own second at which the scenario ends."""
        return self.scenario.warm_up + self.scenario.duration

    def _ordered_clocks(self) -> list[tuple[str, Every | Wakes]]:
        found: list[tuple[tuple[int, int, int], str, Every | Wakes]] = []
        for place, mechanism in enumerate(self.mechanisms):
            clocks: list[Every | Wakes] = [*mechanism.wakes(), *mechanism.clocks()]
            for index, clock in enumerate(clocks):
                # A checkpoint knows clocks by these names: after a renaming it cannot be loaded
                handler = getattr(clock.handler, "__name__", "work")
                found.append(
                    (
                        (PHASES.index(clock.phase), place, index),
                        f"{mechanism.name}.{handler}",
                        clock,
                    )
                )
        # A reading falls on the start, whatever the warm-up
        every = self.scenario.metrics.every
        measure = Every(every, "measure", self._measure, first=self.scenario.warm_up % every)
        found.append(
            ((PHASES.index("measure"), len(self.mechanisms), 0), "engine.measure", measure)
        )
        return [(name, clock) for _, name, clock in sorted(found, key=lambda item: item[0])]

    def clock_table(self) -> list[tuple[int, str, str, str]]:
        """The declared order within an instant: rank, phase, clock, period."""
        return [
            (
                rank,
                clock.phase,
                name,
                format_duration(clock.period)
                if isinstance(clock, Every)
                else f"own times ({clock.table}.{clock.column})",
            )
            for rank, (name, clock) in enumerate(self._clocks)
        ]

    def begin(self) -> None:
        """Fill a new world; every clock's first tick is declared."""
        for mechanism in self.mechanisms:
            mechanism.setup()
        for name, clock in self._clocks:
            if isinstance(clock, Every):
                self.due[name] = clock.period if clock.first is None else clock.first
            else:
                # Wakes are replayed by windows, and the first window ends at the first refresh
                self.due[name] = self.world.grid
        self._start()

    def _start(self) -> None:
        # A large world works with large temporary arrays: freed ones are to leave the process
        give_back()
        self.calendar = Calendar(self.world.now)
        for rank, (name, clock) in enumerate(self._clocks):
            if isinstance(clock, Every):
                self.calendar.every(
                    partial(self._next, name), rank, partial(self._tick, name, clock)
                )
            # Batched mode: people who wake are a clock as well, with one call per window
            elif not self.reference:
                # The reference mode leaves the end of the first window, which is long over
                grid = self.world.grid
                self.due[name] = max(self.due[name], -(-self.world.now // grid) * grid)
                self.calendar.every(
                    partial(self._next, name), rank, partial(self._replay, name, clock)
                )
        if self.reference:
            self._spawned: set[tuple[str, int]] = set()
            self._spawn_at = self._late_at = self.world.now
            # Before all clocks: a saved batched window may end later than the barrier
            self.calendar.every(lambda: self._late_at, -1, self._catch_up)
            # Behind all clocks, which may open rows at the same instant
            self.calendar.every(lambda: self._spawn_at, len(self._clocks), self._spawn)

    def _catch_up(self) -> None:
        """Once, at the start from a saved state: whoever woke before it and was not replayed yet,
        each at its own second, in the order in which processes would have run."""
        self._late_at = NEVER
        now, late = self.calendar.now, []
        for rank, (_, clock) in enumerate(self._clocks):
            if isinstance(clock, Wakes):
                due = self.world.table(clock.table)[clock.column]
                late += [(int(due[row]), rank, row) for row in due_rows(due, now).tolist()]
        for at, rank, row in sorted(late):
            clock = self._clocks[rank][1]
            assert isinstance(clock, Wakes)
            # A session of another clock may have moved it, or closed its row
            if self.world.table(clock.table)[clock.column][row] == at:
                self.world.now = at
                clock.handler(np.array([row]))
        self.world.now = now

    def _spawn(self) -> None:
        """After the clocks of an instant: a process for every entity that may wake and has none
        yet."""
        self._spawn_at = self.calendar.now + self.world.grid
        for rank, (name, clock) in enumerate(self._clocks):
            if isinstance(clock, Wakes):
                table = self.world.table(clock.table)
                # Whoever wakes beyond the end would only fill the calendar
                for row in np.flatnonzero(
                    table["alive"] & (table[clock.column] < self._end)
                ).tolist():
                    # By key: rows are recycled, and the next entity needs its own process
                    mark = (name, int(table["key"][row]))
                    if mark not in self._spawned:
                        self._spawned.add(mark)
                        self._entity(len(self._clocks) + 1 + rank, clock, row, mark)

    def _entity(self, rank: int, clock: Wakes, row: int, mark: tuple[str, int]) -> None:
        def due() -> int | None:
            table = self.world.table(clock.table)
            at = int(table[clock.column][row])
            if at >= self._end or int(table["key"][row]) != mark[1]:
                self._spawned.discard(mark)
                return None
            return at

        def work(row: int) -> None:
            self.world.now = self.calendar.now
            clock.handler(np.array([row]))

        self.calendar.entity(row, due, rank, work)

    def _next(self, name: str) -> int:
        """When a clock ticks next; looked up at each tick, since a loaded state brings its own
        times."""
        return self.due[name]

    def _tick(self, name: str, clock: Every) -> None:
        self.world.now = self.calendar.now
        self.due[name] = self.world.now + clock.period
        began = time.perf_counter()
        clock.handler()
        self.spent[clock.phase] += time.perf_counter() - began

    def _replay(self, name: str, clock: Wakes) -> None:
        self.world.now = now = self.calendar.now
        self.due[name] = now + self.world.grid
        table = self.world.table(clock.table)
        # Strictly before now: whoever wakes at now belongs to the next window
        rows = due_rows(table[clock.column], now)
        if len(rows):
            began = time.perf_counter()
            clock.handler(rows)
            self.spent[clock.phase] += time.perf_counter() - began
            # A call replays one wake per entity: a second one in its window would come out of order
            if earliest(table[clock.column], rows) < now:
                raise StateError(f"{name} woke an entity twice within {MIN_WAKE} s")

    def _measure(self) -> None:
        # Also in the warm-up: some metrics are changes since the last reading
        for mechanism in self.mechanisms:
            mechanism.measure()
        # Only after the reading, whose totals become the zero of all counts
        if self.now == 0 and self.world.warm_up:
            self.world.board.rebase()
        if self.now >= 0:
            self.on_measure(self.now, self.world.board.snapshot())

    def run(self, until: int) -> None:
        """Run everything before ``until``, seconds since the scenario's start: a barrier, at which
        the run can be saved."""
        # Callers count from the scenario's start, the calendar from the world's beginning
        self.calendar.run(until + self.world.warm_up)
        # The last event may have been earlier, but what is saved is of the barrier
        self.world.now = until + self.world.warm_up

    def save(self, folder: Path) -> None:
        """Write the world at a barrier (see `run`)."""
        checkpoint.save(folder, self.world, self.due)

    def load(self, folder: Path) -> None:
        """Read a saved world and start its clocks from there."""
        # The calendar begins at the loaded second, so it is built afterwards
        self.due = checkpoint.load(folder, self.world)
        self._start()

    def queued(self) -> dict[str, int]:
        """What waits, by name: events in the calendar, and what the mechanisms say. For the health
        of the run."""
        queues = {"calendar": len(self.calendar)}
        for mechanism in self.mechanisms:
            queues |= mechanism.waiting()
        return queues

    def state_bytes(self) -> dict[str, int]:
        """Bytes held, by table, named array, and what mechanisms keep beside the World; unused room
        counts."""
        sizes = {f"table {name}": table.nbytes for name, table in self.world.tables.items()}
        sizes.update({name: held_bytes(array) for name, array in self.world.state.items()})
        for mechanism in self.mechanisms:
            sizes.update(mechanism.scratch())
        return sizes | {"board": self.world.board.values.nbytes}
