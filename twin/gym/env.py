"""An episode is a run, an action sets levers for a step of days, observations and reward are metrics
of either side.

Of a counter, what is observed and rewarded is its rise per day over the step; of anything else, the
mean of its readings in the step (every ``metrics.every``), 0 where there is none yet. Levers act from
the next serving refresh on, as a policy's do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.ground.errors import UsageError
from twin.ground.units import DAY, format_duration, parse_duration
from twin.gym.levers import Lever, declared, levers_of
from twin.gym.readings import Readings
from twin.running import warmed
from twin.scenario.loading import Scenario, load

try:
    import gymnasium
except ModuleNotFoundError as error:  # pragma: no cover  (tests have it)
    raise UsageError("twin.gym needs gymnasium (pip install 'twin[gym]')") from error

LARGEST = 2**31
"""Seeds of episodes are below this."""


class PlatformEnv(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """One platform, whose operator acts every ``step``.

    ``scenario`` is a file, a name of what comes with twin, or a loaded scenario; ``sets`` are settings
    on top of a file. ``levers`` are what an action sets, by path: bounds ``(low, high)``, or a list of
    values to choose from. An action is float32 (levers,) in [-1, 1], from the low end to the high
    one, or from the first choice to the last in equal parts. ``observe`` names series,
    ``satisfaction`` or ``posts{by=human}``; ``reward`` gives the weight of each series in the sum that
    is the reward of a step. An episode lasts as long as the scenario, and is truncated then.

    ``reset(seed=...)`` begins the world of that seed; without one, of a seed drawn from the last.
    ``threads`` change no result. Raises UsageError for what the scenario does not have.
    """

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(
        self,
        scenario: Scenario | str | Path,
        *,
        levers: Mapping[str, Sequence[Any]],
        observe: Sequence[str],
        reward: Mapping[str, float],
        step: str = "7d",
        sets: Sequence[str] = (),
        threads: int = 1,
    ) -> None:
        given = scenario if isinstance(scenario, Scenario) else load(scenario, sets)
        self.scenario, self.threads, self._step = given, threads, _steps(step, given)
        self.levers: list[Lever] = levers_of(given, levers)
        self.observed, self.rewarded = Readings(given, observe), Readings(given, list(reward))
        self._weights = np.array(list(reward.values()), float)
        self.action_space = gymnasium.spaces.Box(-1, 1, (len(self.levers),), np.float32)
        self.observation_space = gymnasium.spaces.Box(
            -np.inf, np.inf, (len(self.observed),), np.float32
        )
        self.simulation: Simulation | None = None
        # Readings of the step that runs
        self._read: list[NDArray[np.float64]] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin the world of a seed, at the scenario's start."""
        super().reset(seed=seed)
        chosen = int(self.np_random.integers(LARGEST)) if seed is None else seed
        simulation = Simulation(replace(self.scenario, seed=chosen), threads=self.threads)
        if not warmed.begin(simulation) and self.scenario.warm_up:
            simulation.run(0)
            warmed.keep(simulation)
        # One second more than a barrier: the reading of the start belongs to it
        simulation.run(1)
        self.simulation = simulation
        board = simulation.world.board
        for each in (self.observed, self.rewarded):
            each.begin(board)
        simulation.on_measure = lambda now, values: self._read.append(values)
        return self.observed.now([board.snapshot()], self._step), self._told(simulation)

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Set the levers and live through a step. Raises UsageError before `reset` and after the
        end."""
        simulation = self.simulation
        if simulation is None or simulation.now >= self.scenario.duration:
            raise UsageError("the episode is over (call reset)")
        values = declared(self.levers, action)
        simulation.world.levers.update(values)
        until = min(simulation.now // self._step * self._step + self._step, self.scenario.duration)
        self._read = []
        simulation.run(until + 1)
        seen = self.observed.now(self._read, self._step)
        reward = float(self._weights @ self.rewarded.now(self._read, self._step).astype(float))
        over = until >= self.scenario.duration
        return seen, reward, False, over, self._told(simulation)

    def _told(self, simulation: Simulation) -> dict[str, Any]:
        return {
            "day": simulation.now // DAY,
            "seed": simulation.scenario.seed,
            "levers": {lever.path: simulation.world.levers[lever.path] for lever in self.levers},
        }

    def close(self) -> None:
        """Forget the world."""
        self.simulation = None


def _steps(text: str, scenario: Scenario) -> int:
    """Seconds of a step. Raises UsageError unless readings fall on its end."""
    try:
        step = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"step: {error}") from None
    every = scenario.metrics.every
    if step <= 0 or step % every or scenario.duration % step:
        raise UsageError(
            f"step: {text} is no multiple of metrics.every ({format_duration(every)}) that divides "
            f"the duration ({format_duration(scenario.duration)})"
        )
    return step
