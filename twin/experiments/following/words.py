"""A forecast in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from twin.experiments.calibrate.outcome import LEVELS
from twin.experiments.following.read import Beside, Fan

LOW, MIDDLE, HIGH = (LEVELS.index(level) for level in (0.1, 0.5, 0.9))


def lines(beside: Beside) -> Iterator[str]:
    """Medians and central 80 % of each day, and what was observed of it."""
    yield f"{beside.identity['calibration']}: read until {beside.until}"
    if beside.quick:
        yield "a quick calibration shows that all runs; its forecast means nothing"
    inside = known = 0
    for quantity in beside.foretold:
        yield f"{quantity:<18}{'median':>10}   {'central 80 %':<24}observed"
        for day, fan in sorted(beside.latest(quantity).items()):
            value = beside.observed.get(quantity, {}).get(day)
            low, middle, high = (number(fan[place]) for place in (LOW, MIDDLE, HIGH))
            told = "" if value is None else f"{number(value)}{_apart(value, fan)}"
            yield f"  {day!s:<16}{middle:>10}   {low + ' to ' + high:<24}{told}".rstrip()
            known += value is not None
            inside += value is not None and not _apart(value, fan)
    if known:
        yield f"inside the central 80 %: {inside} of {known} values observed since"


def _apart(value: float, fan: Fan) -> str:
    """On which side of the central 80 % a value lies."""
    return "  above" if value > fan[HIGH] else "  below" if value < fan[LOW] else ""


def number(value: float) -> str:
    """Three digits of a share, all of an amount."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
