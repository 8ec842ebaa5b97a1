"""What a calibration says in the terminal and on top of its report."""

from __future__ import annotations

import numpy as np

from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.coverage import LEAST_TRUTHS, LEVELS, Coverage
from twin.experiments.calibrate.fit import Fit

WORST = 5
"""Statistics that are named."""
FAR = 3.0
"""Sds of the model at which a statistic is called one that the calibrated model misses."""


def lines(worlds: Bank, found: Fit, second: Coverage) -> list[str]:
    """The result in lines."""
    shares, held = found.shares(), found.held
    made = [
        f"{len(found.worlds)} worlds, {len(found.worlds.statistics)} statistics, "
        f"{len(found.parameters)} parameters",
        "parameter                                median        central 80 %        width over prior",
    ]
    for place, each in enumerate(worlds.given):
        low, middle, high = (
            each.vary.at(float(share)) for share in np.quantile(shares[:, place], (0.1, 0.5, 0.9))
        )
        width = held.widths[place]
        told = "" if held.identified[place] else "  not identified"
        made.append(
            f"{each.vary.path:<40} {middle:<13} {low + ' .. ' + high:<19} {width:.2f}{told}"
        )
    made += [believed(found, second), *missed(found)]
    made += worlds.calendar.lines()
    return made


def believed(found: Fit, second: Coverage) -> str:
    """Whether the posterior can be believed, in a line."""
    said = ", ".join(
        f"{100 * level:.0f} % interval held {100 * found.held.pooled(level):.0f} %"
        for level in LEVELS[1:3]
    )
    if len(found.held.ranks) < LEAST_TRUTHS:
        return (
            f"{found.held.verdict} whether it can be believed: {len(found.worlds)} ran, "
            f"{LEAST_TRUTHS} are needed"
        )
    other = "" if agree(found.held, second) else "; the second opinion is overconfident"
    days = ""
    if found.days:
        days = f"; of days to come the 80 % interval held {100 * found.foretold.pooled(0.8):.0f} %"
    return (
        f"{found.held.verdict}: with every world in turn as the truth, the {said} of parameters"
        f"{days}{other}"
    )


def agree(one: Coverage, other: Coverage) -> bool:
    """Whether the second opinion covers as it says."""
    return other.verdict != "overconfident" or one.verdict == "overconfident"


def missed(found: Fit) -> list[str]:
    """Statistics that the model cannot produce, and those that it fits worst."""
    made = []
    if found.beyond:
        made.append(f"left out, as no world comes near: {', '.join(found.beyond)}")
    worst = [each for each in found.checks if abs(each.z) > FAR][:WORST]
    if worst:
        said = ", ".join(f"{each.name} ({each.z:+.1f} sd)" for each in worst)
        made.append(f"fits worst: {said}")
    return made
