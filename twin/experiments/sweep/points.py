"""Points of a parameter space, and what was seen at each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments import design
from twin.experiments.design import Vary
from twin.experiments.forks import WINDOW
from twin.experiments.words import Key
from twin.scenario.loading import Scenario
from twin.world.metric import Metric

LEAST = 5
"""Fewest points of a rank correlation."""


@dataclass
class Swept:
    """Means over the window (points, replicates, series) of ``series``; ``points`` are values as
    texts."""

    varied: Sequence[Vary]
    points: list[tuple[str, ...]]
    series: dict[Key, Metric]
    values: NDArray[np.float64]

    def numbers(self, parameter: int) -> NDArray[np.float64]:
        """A parameter at every point (points,): seconds, per day, or as it is; NaN where it is no
        number."""
        return np.array([design.quantity(point[parameter]) for point in self.points])

    def means(self) -> NDArray[np.float64]:
        """Means over replicates (points, series)."""
        # a point whose runs all failed is NaN, which needs no warning
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return np.asarray(np.nanmean(self.values, 1))


def planned(
    scenario: Scenario, args: dict[str, Any]
) -> tuple[list[Vary], list[tuple[str, ...]], list[Scenario]]:
    """Parameters, points and the scenario at each. Raises UsageError and ScenarioError."""
    varied = design.fitted([design.parse(text) for text in args["vary"]], scenario)
    chosen = design.points(varied, args["method"], int(args["points"]), scenario.seed)
    return varied, chosen, design.loaded(scenario, varied, chosen)


def window(scenario: Scenario) -> tuple[int, int]:
    """Seconds since the start between which means are taken."""
    return max(scenario.duration - WINDOW, scenario.duration // 2), scenario.duration
