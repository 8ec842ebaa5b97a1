"""What a sync says."""

from __future__ import annotations

from twin.experiments.sync.alarm import RATE, Day
from twin.experiments.sync.command import ENOUGH, Synced
from twin.experiments.words import two_digits
from twin.ground.units import in_percent

MOVED = 3
"""Parameters that are named."""


def lines(found: Synced) -> list[str]:
    """The result in lines."""
    made = [
        f"version {found.made.number}: until {found.made.until}, from version "
        f"{found.parent.number} (until {found.parent.until})"
    ]
    alarms = [each for each in found.days if each.alarm]
    made += [alarmed(each) for each in alarms]
    quiet = [each for each in found.days if not each.alarm]
    if quiet:
        worst = min(quiet, key=lambda each: each.p)
        said = f"{len(quiet)} of {len(found.days)} days as foretold the day before"
        made.append(f"{said} (least likely: {worst.day}, p {two_digits(worst.p)})")
    moved = ", ".join(f"{name} {by:+.1f} sd" for name, by in found.moved[:MOVED])
    made.append(f"moved most: {moved}")
    if found.after.effective < ENOUGH:
        made.append(
            f"new worlds are needed: {in_percent(found.after.effective)} of the worlds that lie around a "
            f"typical one lie around what was observed (twin calibrate --until "
            f"{found.made.until}, with wider --vary where a posterior lies at an end of its range)"
        )
    return made


def alarmed(each: Day) -> str:
    """An alarm in a line."""
    parts = [
        f"{name} {value:.3g} where {low:.3g} .. {high:.3g} was foretold"
        for name, value, low, high in each.outside
    ]
    what = ", ".join(parts) or "quantities together, none alone"
    rate = max(RATE, each.least)
    return (
        f"alarm: {each.day} is not what was foretold the day before: {what} (p {two_digits(each.p)}; by "
        f"chance once in {1 / rate:.0f} days)"
    )
