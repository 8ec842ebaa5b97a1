"""Steps of an audit as a scenario can take them: what is set from what to what, as policy files or
settings from the start.

A factor turns durations and rates in their own units; whole numbers stay whole, at least 1;
``ids/n`` is an n-th of the IDs that are alive at the fork, at the power of two below. What a
scenario cannot do is left out with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from twin.experiments.audit.engineering import STEPS, Step
from twin.experiments.experiment import Experiment
from twin.experiments.forks import Branch
from twin.ground.errors import ScenarioError
from twin.ground.units import format_duration, format_rate, parse_duration, parse_rate
from twin.mechanisms.policies import Policy
from twin.scenario.describe import describe
from twin.scenario.idle import cannot, late
from twin.scenario.loading import Scenario, load
from twin.scenario.yamlish import write_text

LEAST_ROWS = 16
"""Fewest rows of a table that a step makes."""
_FACTOR, _IDS = re.compile(r"^x(\d*\.?\d+)$"), re.compile(r"^ids/(\d+)$")
Left = tuple[str, str]
"""A step that was left out, and why."""


@dataclass(frozen=True)
class Turn:
    """A step as this scenario can take it: (path, before, after) of each setting, as text."""

    step: Step
    change: tuple[tuple[str, str, str], ...]

    @property
    def words(self) -> str:
        """What is set, from what to what."""
        return ", ".join(f"{path} {old} -> {new}" for path, old, new in self.change)

    @property
    def sets(self) -> tuple[str, ...]:
        """What is set, as ``--set`` arguments."""
        return tuple(f"{path}={new}" for path, _, new in self.change)


def turns(
    scenario: Scenario, ids: dict[str, int], steps: Sequence[Step] = STEPS, at: int = 0
) -> tuple[list[Turn], list[Left]]:
    """Steps as this scenario can take them at the fork, and those that it cannot. ``ids`` are IDs
    alive there by table, ``at`` its time in seconds since the start."""
    rows = {row.path: row for row in describe(scenario)}
    made, left = [], []
    for step in steps:
        if missing := [path for path in step.set if path not in rows]:
            left.append((step.name, f"no {missing[0]} here"))
            continue
        new = {
            path: turned(rows[path].value, wanted, ids.get(_entity(path), 0))
            for path, wanted in step.set.items()
        }
        if None in new.values():
            path = next(path for path, value in new.items() if value is None)
            left.append((step.name, f"{path} is {rows[path].value}, which has no such multiple"))
        # only what really changes is set; a step that changes nothing is left out
        elif change := tuple(
            (path, rows[path].value, str(value))
            for path, value in new.items()
            if not _same(rows[path].value, str(value))
        ):
            together = Policy(set={path: plain(after) for path, _, after in change})
            # what is fixed for a run is set from its start
            begins = 0 if step.fixed else at
            idle = [
                why
                for path, *_ in change
                if (why := cannot(scenario, path, together) or late(scenario, path, begins))
            ]
            # as one that sets what is there already, it would be counted as a null effect
            if len(idle) == len(change):
                left.append((step.name, idle[0]))
            else:
                made.append(Turn(step, change))
        else:
            left.append((step.name, "has these values already"))
    return made, left


def too_late(scenario: Scenario, steps: Sequence[Step], at: int) -> list[str]:
    """A line for each setting of these steps to which the fork ``at`` leaves no time to act: known
    before a world is run."""
    paths = dict.fromkeys(path for step in steps if not step.fixed for path in step.set)
    return [
        f"{path} {why}, so it is left out" for path in paths if (why := late(scenario, path, at))
    ]


def _same(old: str, new: str) -> bool:
    return old == new or plain(old) == plain(new)


def _entity(path: str) -> str:
    # a path has the singular (tables.post.slots), the World's tables the plural
    return f"{path.split('.tables.')[-1].split('.')[0]}s" if ".tables." in path else ""


def turned(old: str, wanted: Any, ids: int = 0) -> str | None:
    """A new value as text; None where it cannot be made of the old."""
    if isinstance(wanted, str) and (match := _IDS.match(wanted)):
        # the power of two at or below the share of the IDs
        return str(max(LEAST_ROWS, 1 << (max(1, ids // int(match[1])).bit_length() - 1)))
    if not isinstance(wanted, str) or not (match := _FACTOR.match(wanted)):
        return str(wanted)
    factor = float(match[1])
    # a text is a duration or a rate, and comes back in its own kind of unit
    for read, write in (
        (parse_duration, lambda value: format_duration(round(value))),
        (parse_rate, format_rate),
    ):
        try:
            # a bare number is neither
            value = read(old) if isinstance(plain(old), str) else 0
        except ValueError:
            continue
        if value:
            return str(write(value * factor))
    number = plain(old)
    # a switch, a word, none or zero has no multiple
    if isinstance(number, bool | str) or number is None or number == 0:
        return None
    return (
        str(max(1, round(number * factor)))
        if isinstance(number, int)
        # twelve digits, without the rounding error of the product
        else repr(float(f"{number * factor:.12g}"))
    )


def plain(text: str) -> Any:
    """A value as YAML has it: an int, a float, True, False, None, or the text."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False}.get(text)
    # int first: float reads whole numbers too
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def branch(experiment: Experiment, turn: Turn, place: int) -> Branch:
    """The step's policy file, or none for one that holds from the start; checked. Raises
    ScenarioError."""
    with experiment.store.local("scenario.yaml") as base:
        if turn.step.fixed:
            # only to see whether the scenario takes it, before anything runs
            load(base, turn.sets)
            return Branch(turn.step.name)
        name = f"policies/step-{place:02d}.yaml"
        write_policy(experiment, name, turn.step.name, turn.change)
        with experiment.store.local(name) as written:
            load(base, (), (str(written),))
    return Branch(turn.step.name, name)


def write_policy(
    experiment: Experiment, file: str, name: str, change: Sequence[tuple[str, str, str]]
) -> None:
    """Write a policy file that sets what was changed."""
    experiment.store.write(
        file,
        write_text({"name": name, "set": {path: plain(new) for path, _, new in change}}).encode(),
    )


def ready(
    experiment: Experiment, taken: Sequence[Turn], left: list[Left]
) -> list[tuple[Turn, Branch]]:
    """Steps with their branches; what the scenario refuses is added to ``left``."""
    made = []
    for place, turn in enumerate(taken, 1):
        try:
            made.append((turn, branch(experiment, turn, place)))
        except ScenarioError as error:
            left.append((turn.step.name, "; ".join(each.reason for each in error.problems)))
    return made
