"""Lines of a picture over simulated time: their colours and dashes, and the vertical axis that has
room for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.readers.pictures import OF_LABEL, PALETTE

DASHES = ("solid", "dashed", "dotted", "dotdash")
OUTLIERS = 0.02
"""Part of the readings at either end that may be outside a picture if they would flatten the
rest."""
LEAST_SPAN = 0.02
"""A vertical axis spans at least this part of its greatest value, or noise would look like a
change."""


@dataclass(frozen=True)
class Line:
    """One line of a picture (readings,), with a standard error around it if there is one."""

    name: str
    values: NDArray[np.float64]
    colour: str
    dash: str = "solid"
    error: NDArray[np.float64] | None = None


def styled(
    names: Sequence[tuple[str, str]],
    values: Sequence[NDArray[np.float64]],
    errors: Sequence[NDArray[np.float64] | None] = (),
) -> list[Line]:
    """Lines from (metric, label) names: where several metrics meet several labels, colour tells the
    label and dashes the metric."""
    metrics = list(dict.fromkeys(metric for metric, _ in names))
    labels = list(dict.fromkeys(label for _, label in names))
    # only while each metric has dashes of its own
    crossed = 1 < len(metrics) <= len(DASHES) and len(labels) > 1
    lines = []
    for place, (metric, label) in enumerate(names):
        words = "AI" if label == "ai" else label.replace("_", " ")
        name = (
            (f"{metric}, {words}" if label else metric) if len(metrics) > 1 or not label else words
        )
        number = labels.index(label) if crossed else place
        lines.append(
            Line(
                name,
                values[place],
                OF_LABEL.get(label, PALETTE[number % len(PALETTE)]),
                DASHES[metrics.index(metric)]
                if crossed
                # when colours run out, dashes tell apart lines of the same one
                else DASHES[place // len(PALETTE) % len(DASHES)],
                errors[place] if errors else None,
            )
        )
    return lines


def y_range(drawn: Sequence[NDArray[np.float64]]) -> tuple[tuple[float, float], bool]:
    """Room for all lines, from zero where they come near it, never so narrow that noise fills the
    picture: its ends, and whether
    some readings are outside."""
    each = [values[np.isfinite(values)] for values in drawn]
    beyond = False
    ends = [end for values in each if len(values) for end in (values.min(), values.max())]
    low, high = (float(min(ends)), float(max(ends))) if ends else (0.0, 1.0)
    usual = [
        end
        for values in each
        if len(values)
        for end in np.quantile(values, (OUTLIERS, 1 - OUTLIERS))
    ]
    # a few extreme readings at the beginning would flatten all that come after
    if usual and high - low > 3 * (max(usual) - min(usual)) > 0:
        room = 0.5 * (max(usual) - min(usual))
        low, high, beyond = (
            max(low, float(min(usual) - room)),
            min(high, float(max(usual) + room)),
            True,
        )
    # where zero is not far, heights can be compared
    if 0 < low < 0.6 * high:
        low = 0.0
    span = max(high - low, LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    centre = (low + high) / 2
    if low == 0:
        # six percent of room, so that no line touches the frame
        return (0.0, max(high, span) * 1.06), beyond
    return (centre - 0.56 * span, centre + 0.56 * span), beyond
