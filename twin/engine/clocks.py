"""SimPy as the calendar: the only file that imports it.

SimPy orders its heap by (time, priority, insertion). Insertion order would change when processes
are rebuilt after a resume, so every event here has a unique priority: RANK_SPAN * rank + row, where
rank is the clock's place in the declared order and row the waking entity. Priorities above 1 leave
SimPy's own URGENT and NORMAL events first.

All clocks that are due at one instant share one event and run in the order of their ranks; entities
that wake at the same instant come after them. Most clocks tick at every serving snapshot, so this
saves SimPy one event per clock.

Generators have no state: each loop reads when it is due from the World, and can be discarded at any
barrier.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy
from simpy.events import Event, EventPriority

RANK_SPAN = 2**40


class Tick(Event):
    """An event at an absolute time with a declared priority."""

    def __init__(self, env: simpy.Environment, at: int, priority: int) -> None:
        # As SimPy's Timeout, inlined: that one takes no priority
        self.env, self.callbacks, self._ok, self._value = env, [], True, None
        env.schedule(self, EventPriority(10 + priority), at - env.now)


class Calendar:
    """Simulated time from ``start`` seconds on."""

    def __init__(self, start: int) -> None:
        self._env = simpy.Environment(initial_time=start)
        self._clocks: list[tuple[int, Callable[[], int], Callable[[], None]]] = []

    @property
    def now(self) -> int:
        """Seconds since the start of the scenario."""
        return int(self._env.now)

    def __len__(self) -> int:
        """Clocks and entities that wait."""
        # Clocks share one event, but each of them counts
        return len(self._env._queue) + max(len(self._clocks) - 1, 0)

    def every(self, due: Callable[[], int], rank: int, work: Callable[[], None]) -> None:
        """Call ``work`` whenever it is ``due()``; work advances the due time. Ranks of clocks lie
        below entities'."""
        self._clocks.append((rank, due, work))
        self._clocks.sort(key=lambda clock: clock[0])
        # One process serves all clocks: it reads the list when it runs, so later ones are in it
        if len(self._clocks) == 1:
            self._env.process(self._tick())

    def _tick(self) -> Generator[Event, Any, None]:
        """One event per instant at which any clock is due."""
        while True:
            at = min(due() for _, due, _ in self._clocks)
            yield Tick(self._env, at, 0)
            # Work advances its own due time; clocks that are due later are passed over
            for _, due, work in self._clocks:
                if due() == at:
                    work()

    def entity(
        self, row: int, due: Callable[[], int | None], rank: int, work: Callable[[int], None]
    ) -> None:
        """One process for one entity: call ``work(row)`` at its own times until ``due()`` is
        None."""

        def process() -> Generator[Event, Any, None]:
            while (at := due()) is not None:
                # A time that has already passed is due at once: SimPy cannot go back
                yield Tick(self._env, max(at, self.now), RANK_SPAN * rank + row)
                # The entity may be gone, or its time moved, since the process began to wait
                if due() == self.now:
                    work(row)

        self._env.process(process())

    def run(self, until: int) -> None:
        """Run everything before ``until``, and nothing at it."""
        # SimPy refuses a time that is not ahead; its stop event is URGENT, so nothing at it runs
        if until > self._env.now:
            self._env.run(until=until)
