"""What a calibration makes of the week: whether the log has a shape of it that the scenario lacks,
and with ``--calendar`` a calendar that has the log's shape.

Nothing in the model makes one weekday unlike another, so the shape is read off the log until the
day and declared (``audience.calendar.week``). What a calendar brings about depends on how often
people come, which the worlds of a bank differ in: each gets the weights that have the log's shape
at its own return chances (`twin.mechanisms.audience.calendar.weights`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twin.ground.errors import UsageError
from twin.mechanisms.audience.calendar import profile, weights
from twin.observing import calendar as observing
from twin.observing.calendar import Week
from twin.observing.folder import Observed
from twin.scenario.loading import Scenario

WEEK = "audience.calendar.week"
RETURNS = ("audience.return_a", "audience.return_b")
"""The law of return chances, which decides how far a calendar shows."""


@dataclass(frozen=True)
class Shape:
    """The shape of the log's week: ``found``, or why none was looked for; ``asked`` whether worlds
    are to have it; ``more``: lines about what no calendar moves."""

    found: Week | None = None
    why: str = ""
    asked: bool = False
    more: tuple[str, ...] = ()

    @property
    def used(self) -> bool:
        """Whether worlds have it: what chance may have made is no calendar."""
        return self.asked and self.found is not None and self.found.significant

    def lines(self) -> list[str]:
        """What is said of it."""
        if self.found is None:
            return [f"weekday structure: not looked for ({self.why})"] if self.why else []
        lacks = "the scenario lacks it (--calendar declares it as audience.calendar)"
        if self.used:
            lacks = "declared as audience.calendar"
        made = observing.lines(self.found, lacks)
        if self.asked and not self.used:
            made[0] += ": the scenario's calendar stays as it is"
        return [*made, *self.more]

    def sets(self, scenario: Scenario, own: Iterable[str] = ()) -> tuple[str, ...]:
        """The calendar of a world with settings of its ``own``, as a setting; none where worlds
        have none."""
        if not self.used:
            return ()
        given = dict(text.split("=", 1) for text in own)
        return (f"{WEEK}={self.week(scenario, given)}",)

    def week(self, scenario: Scenario, given: Mapping[str, str]) -> list[float]:
        """Weights (7,) that have the log's shape, at return chances that are ``given`` by path or
        the scenario's."""
        assert self.found is not None
        a, b = (float(given.get(path, _value(scenario, path))) for path in RETURNS)
        audience: Any = scenario.mechanisms["audience"]
        return [*_week(self.found.factors, a, b, audience.time_zones, audience.diurnal)]

    def write(self, tree: dict[str, Any], scenario: Scenario, given: Mapping[str, str]) -> None:
        """The calendar of the calibrated scenario, into its ``tree`` of mechanisms."""
        if self.used:
            block = tree.setdefault("audience", {}).setdefault("calendar", {})
            block["week"] = self.week(scenario, given)


def shape(observed: Observed, scenario: Scenario, asked: bool) -> Shape:
    """The shape of the week in what was observed, beyond what the scenario's own calendar has.

    Raises UsageError if a calendar is ``asked`` for and there are less than two whole weeks.
    """
    audience: Any = scenario.mechanisms["audience"]
    a, b = (float(_value(scenario, path)) for path in RETURNS)
    known = profile(audience.calendar.week, a, b, audience.time_zones, audience.diurnal)
    try:
        # a week without anybody on a day has a shape that no log goes beyond
        found = observing.week(observed, known if (known > 0).all() else None)
    except UsageError as error:
        if asked:
            raise UsageError(f"--calendar: {error} (leave it out)") from None
        return Shape(why=str(error))
    return Shape(found, asked=asked, more=tuple(observing.beside(observed)))


@functools.lru_cache(maxsize=10_000)
def _week(
    factors: tuple[float, ...], a: float, b: float, zones: tuple[int, ...], hours: tuple[float, ...]
) -> tuple[float, ...]:
    """Weights in four digits; kept, since the tasks of a bank are listed again and again."""
    return tuple(round(float(each), 4) for each in weights(factors, a, b, zones, hours))


def _value(scenario: Scenario, path: str) -> Any:
    mechanism, _, name = path.partition(".")
    return getattr(scenario.mechanisms[mechanism], name)
