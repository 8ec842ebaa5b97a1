"""Readings of the runs of a part, as arrays per arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit.arms import Arm, Outcome
from twin.world.metric import label_text

Array = NDArray[np.float64]


@dataclass
class Readings:
    """Readings of a part: `of` a metric per arm, and results of a `study`.

    Arms go by name; those of a control are called ``control/arm``.
    """

    declared: Sequence[Arm]
    quick: bool
    days: int
    replicates: int
    worlds: dict[str, Array] = field(default_factory=dict)
    """Means by arm (replicates, windows, series)."""
    # Arms with other mechanisms have other series, so each has an index of its own.
    rows: dict[str, dict[tuple[str, str], int]] = field(default_factory=dict)
    studies: dict[str, Array] = field(default_factory=dict)

    def of(self, arm: str, metric: str | Outcome, window: int = -1, **labels: str) -> Array:
        """Means of a metric over a window in every world of an arm (replicates,)."""
        # The last window by default: late in the run, when doses have had time to act.
        return self.over_time(arm, metric, **labels)[:, window]

    def over_time(self, arm: str, metric: str | Outcome, **labels: str) -> Array:
        """Means of a metric over all windows (replicates, windows). Raises KeyError for a series
        that the board does not have."""
        name, given = (
            (metric.metric, metric.labels) if isinstance(metric, Outcome) else (metric, labels)
        )
        return self.worlds[arm][:, :, self.rows[arm][name, label_text(given)]]

    def effect(
        self, arm: str, base: str, metric: str | Outcome, window: int = -1, **labels: str
    ) -> Array:
        """Paired differences arm - base (replicates,)."""
        return self.of(arm, metric, window, **labels) - self.of(base, metric, window, **labels)

    def study(self, name: str) -> Array:
        """What a study returned; an empty array if it had no data."""
        return self.studies[name]

    def arms(self, control: str = "") -> list[Arm]:
        """Arms of the part, or of one of its controls, in order."""
        return [arm for arm in self.declared if arm.control == control]

    def doses(
        self, metric: str | Outcome, control: str = "", window: int = -1, **labels: str
    ) -> tuple[Array, Array]:
        """Doses (arms,) and readings (arms, replicates)."""
        arms = self.arms(control)
        return np.array([arm.dose for arm in arms]), np.array(
            [self.of(called(arm), metric, window, **labels) for arm in arms]
        )


def called(arm: Arm) -> str:
    """The name of an arm among all of its part."""
    return f"{arm.control}/{arm.name}" if arm.control else arm.name
