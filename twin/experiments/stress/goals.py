"""What a policy is asked to keep to: goals, read from text, and by how much a world keeps them.

    METRIC OP NUMBER               the mean over the last window, with the policy:
                                   creator_human_share >= 0.4
    effect(METRIC) OP NUMBER       that mean less the same in the same world without the policy:
                                   effect(satisfaction_mean) >= 0
    effect(METRIC) OP NUMBER%      the same in percent of the world without the policy:
                                   effect(creator_income{by=human}) > -5%

OP is one of < <= > >=; a series of many is named by all its labels, METRIC{label=value}. What is
counted is taken per day. The margin is the distance from the threshold in the goal's sense,
positive where it holds: with m what is measured and c the number, m - c for > and >=, c - m for <
and <=. A strict goal fails at a margin of zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.ground.errors import UsageError, nearest
from twin.mechanisms.policies import holds, parse_condition
from twin.record.watch import Rows
from twin.scenario.loading import Scenario
from twin.world.metric import Metric, label_text

_EFFECT = re.compile(r"^\s*effect\s*\((.*)\)\s*([<>]=?)\s*([^\s%]+)\s*(%?)\s*$")
GRAMMAR = (
    "write METRIC OP NUMBER, effect(METRIC) OP NUMBER or effect(METRIC) OP NUMBER%, with OP one of "
    "< <= > >="
)


@dataclass(frozen=True)
class Goal:
    """A goal for one series: ``effect`` if about the difference that the policy makes, ``percent``
    if that in percent."""

    text: str
    metric: Metric
    labels: str
    op: str
    number: float
    effect: bool = False
    percent: bool = False

    def measured(self, base: float, value: float) -> float:
        """What the goal is about, from the means without and with the policy; NaN where it
        is not known."""
        if not self.effect:
            return value
        if not (math.isfinite(base) and math.isfinite(value)):
            return math.nan
        # equal is no change, also where a base of zero has no percent
        if not self.percent or value == base:
            return value - base
        return 100 * (value - base) / abs(base) if base else math.nan

    def margin(self, base: float, value: float) -> float:
        """Distance from the threshold, positive on the good side, in `unit`; NaN where it is not
        known."""
        distance = self.measured(base, value) - self.number
        # + 0.0 makes -0.0 a plain zero
        return distance if self.op[0] == ">" else -distance + 0.0

    def holds(self, base: float, value: float) -> bool | None:
        """Whether the goal is kept; None where it is not known."""
        measured = self.measured(base, value)
        return holds(measured, self.op, self.number) if math.isfinite(measured) else None

    @property
    def unit(self) -> str:
        """Of what is measured and of the margin; empty for pure numbers."""
        if self.percent:
            return "%"
        unit = "" if self.metric.unit == "1" else self.metric.unit
        return f"{unit}/d" if self.metric.kind == "counter" else unit


def parse_goal(text: str, scenario: Scenario) -> Goal:
    """A goal from text. Raises UsageError with the grammar, or the nearest series of the scenario."""
    effect = _EFFECT.match(text)
    # without effect( ) and % a goal is written like a policy's condition
    plain = f"{effect[1]} {effect[2]} {effect[3]}" if effect else text
    try:
        name, labels, op, number = parse_condition(plain)
    except ValueError as error:
        # only this error says more than the grammar
        why = "labels" if "are not labels" in str(error) else ""
        raise UsageError(f"--goal {text}: {error if why else f'is no goal; {GRAMMAR}'}") from None
    metrics = {
        metric.name: metric
        for each in scenario.mechanisms
        for metric in scenario.registry[each].metrics
    }
    if name not in metrics:
        raise UsageError(
            f"--goal {text}: there is no metric {name} here ({nearest(name, metrics)})"
        )
    metric = metrics[name]
    series = {_written(metric, label_text(each)): label_text(each) for each in metric.series()}
    # all labels have to be given: a goal is about one series
    found = next((each for each in metric.series() if each == labels), None)
    if found is None:
        given = _written(metric, label_text(labels))
        raise UsageError(f"--goal {text}: {given} is not one series ({nearest(given, series)})")
    return Goal(
        text=" ".join(text.split()),
        metric=metric,
        labels=label_text(found),
        op=op,
        number=number,
        effect=effect is not None,
        percent=bool(effect and effect[4]),
    )


def parse_goals(texts: Iterable[str], scenario: Scenario) -> list[Goal]:
    """Goals, each given once. Raises UsageError."""
    goals = [parse_goal(text, scenario) for text in texts]
    twice = next(
        (
            goal.text
            for place, goal in enumerate(goals)
            if goal.text in [each.text for each in goals[:place]]
        ),
        None,
    )
    if twice is not None:
        raise UsageError(f"--goal {twice}: is given twice (leave one out)")
    return goals


def _written(metric: Metric, labels: str) -> str:
    return metric.name + (f"{{{labels}}}" if labels else "")


def places(goals: Sequence[Goal], rows: Rows) -> list[int]:
    """Where the goals' series are on the board."""
    index = {(metric.name, label_text(labels)): i for i, (metric, labels) in enumerate(rows)}
    return [index[goal.metric.name, goal.labels] for goal in goals]
