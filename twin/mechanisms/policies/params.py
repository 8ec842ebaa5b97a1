"""The plan of a run: policies, and conditions on metrics."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Literal

from pydantic import field_validator

from twin.ground.units import format_duration, moment
from twin.world.params import Duration, Moment, Params, par

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION = re.compile(
    rf"^\s*([A-Za-z_]\w*)\s*(?:\{{([^{{}}]*)\}})?\s*(<=|>=|<|>)\s*({_NUMBER})\s*$"
)
_LABEL = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*([^\s=,{}]+)\s*$")
UNCHANGED = "nothing changes: "
"""How the mark of a policy goes on that sets only values which are in force as it begins."""


def parse_condition(text: str) -> tuple[str, dict[str, str], str, float]:
    """Metric, labels, operator and number of ``METRIC OP NUMBER`` or ``METRIC{label=value} OP
    NUMBER``.

    Raises ValueError with the mend for anything else.
    """
    match = _CONDITION.match(text)
    # 1e999 has the form of a number and is infinite: no metric would ever cross it
    number = float(match[4]) if match else math.inf
    if match is None or not math.isfinite(number):
        raise ValueError(
            f"{text!r} is not a condition; write METRIC OP NUMBER with OP one of < <= > >=, "
            "such as creator_human_share < 0.4 or posts{by=ai} > 1000"
        )
    labels: dict[str, str] = {}
    for part in match[2].split(",") if match[2] is not None else []:
        label = _LABEL.match(part)
        if label is None or label[1] in labels:
            raise ValueError(
                f"{{{match[2]}}} are not labels; write each once as label=value, such as "
                f"posts{{by=ai}}"
            )
        labels[label[1]] = label[2]
    return match[1], labels, match[3], number


def holds(value: float, op: str, number: float) -> bool:
    """Whether ``value op number``; never for NaN."""
    return {"<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number}[
        op
    ]


class Policy(Params):
    """One change of levers."""

    name: str = par("", "what marks and reports call it; empty: what it sets")
    at: Moment | None = par(None, "time at which it takes effect", unit="s", grid=True)
    until: Moment | None = par(
        None, "time at which it ends and what was before returns", unit="s", grid=True
    )
    ramp: Duration = par(0, "time over which numbers move to their new value", unit="s", low=0)
    when: str | None = par(
        None, "condition on a metric, such as creator_human_share < 0.4; it takes effect once"
    )
    after: Moment | None = par(
        None,
        "the condition counts only from this time on; empty: from the start",
        unit="s",
        grid=True,
    )
    share: float | None = par(
        None,
        "share of people whom it treats, a stable random sample; empty: everybody",
        low=0,
        high=1,
    )
    of: Literal["consumers", "creators"] = par("consumers", "whose share: consumers or creators")
    set: dict[str, float | int | bool | str] = par({}, "levers and their new values")

    @field_validator("when")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            parse_condition(value)
        return value

    @property
    def title(self) -> str:
        """The name, or what it sets."""
        return (
            self.name
            or ", ".join(f"{lever}={value}" for lever, value in self.set.items())
            or "nothing"
        )

    def describe(self, start: dt.date | None = None) -> str:
        """One line: when it takes effect and what it sets. With the run's ``start``, times are
        dates."""

        def time(seconds: int) -> str:
            return moment(start, seconds) if start else format_duration(seconds)

        when = [
            f"{'on' if start else 'at'} {time(self.at)}" if self.at is not None else "",
            f"when {self.when}" if self.when else "",
            f"after {time(self.after)}" if self.after is not None else "",
            f"until {time(self.until)}" if self.until is not None else "",
            f"over {format_duration(self.ramp)}" if self.ramp else "",
            f"for {self.share:.0%} of {self.of}" if self.share is not None else "",
        ]
        changes = ", ".join(f"{lever}={value}" for lever, value in self.set.items())
        return f"{self.title}: {', '.join(part for part in when if part) or 'from the start'}: {changes}"


class PoliciesParams(Params):
    """The plan of a run."""

    plan: tuple[Policy, ...] = par((), "policies, in the order in which they are listed")
