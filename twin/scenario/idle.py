"""What a scenario sets and what cannot act: known before a run, so that nobody reads "no effect" off
a setting that was never asked.

Four kinds, each with file and line:

- a setting under another one that is off in the whole run (``slots`` of a table without slots, rates
  of votes where nobody votes): parameters declare it themselves (``par(..., under=...)``, or ``UNDER`` of
  their set);
- a policy that begins after the end;
- a policy whose every lever has that value already;
- a change of the embedding dimension or of tables whose new model would cut over after the end.

A condition holds if it does at the start or under any policy, since either lets the setting act.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twin.ground.units import format_duration
from twin.mechanisms.policies import Policy
from twin.scenario.listing import shown
from twin.scenario.model import Scenario
from twin.scenario.problems import Path_, field_at
from twin.world.params import Params, leaves, meta, value_at

MIGRATES = ("recommender.dim", "recommender.tables.")


def remarks(scenario: Scenario) -> list[str]:
    """One line for everything that was set and cannot act, with where it was set."""
    found = []
    for name, params in scenario.mechanisms.items():
        for path, _ in leaves(type(params)):
            place: Path_ = ("mechanisms", name, *path.split("."))
            if scenario.tree.has(place) and (reason := cannot(scenario, f"{name}.{path}")):
                found.append(f"{_where(scenario, place)} {name}.{path} {reason}")
    return found + [
        f"{_where(scenario, ('policies', place))} policy {policy.title}: {reason}"
        for place, policy in enumerate(plan_of(scenario))
        for reason in of_policy(scenario, policy)
    ]


def varied(scenario: Scenario, path: str, together: Sequence[str]) -> str:
    """That varying a setting cannot act; ``together`` are all that are varied, since another one of
    them may let it act."""
    path, together = _plain(path), [_plain(other) for other in together]
    reason = cannot(scenario, path)
    others = {other for other, _, _ in ways(scenario, path)}
    return f"{path}: varying it {reason}" if reason and not others & set(together) else ""


def of_policy(scenario: Scenario, policy: Policy) -> list[str]:
    """Why a policy of the scenario's plan, or some of what it sets, cannot act."""
    if policy.at is not None and policy.at >= scenario.duration:
        return [
            f"begins at {format_duration(policy.at)}, after the end of the run "
            f"({format_duration(scenario.duration)}), so it is never in effect"
        ]
    if already := unchanged(scenario, policy):
        return [already]
    return [
        f"{lever} {reason}"
        for lever in policy.set
        if (reason := cannot(scenario, lever, policy) or _late(scenario, policy, lever))
    ]


def cannot(scenario: Scenario, path: str, *others: Policy) -> str:
    """Why a setting cannot act in the whole run, or ""; ``others`` are policies beside the
    scenario's."""
    name = path.partition(".")[0]
    if name in scenario.registry and name not in scenario.mechanisms:
        return f"cannot act: {name} is not enabled"
    plan = (*plan_of(scenario), *others)
    reasons = []
    for other, op, wanted in ways(scenario, path):
        values = list(_values(scenario, other, plan))
        # of a mechanism that is not enabled, or a plain number's own rule
        if not values or any(_holds(value, op, wanted) for value in values):
            return ""
        told = ", then ".join(dict.fromkeys(shown(value) for value in values))
        reasons.append(f"{other} is {told}")
    return f"cannot act while {' and '.join(reasons)}" if reasons else ""


def ways(scenario: Scenario, path: str) -> list[tuple[str, str, str]]:
    """What lets a setting act: path, operator and values of each way; empty if it always acts."""
    name, _, rest = path.partition(".")
    params = scenario.mechanisms.get(name)
    holder, info = (None, None) if params is None else field_at(type(params), (*rest.split("."),))
    if info is None or holder is None or not issubclass(holder, Params):
        return []
    every = "" if rest.rpartition(".")[2] in holder.ANYWAY else holder.UNDER
    told = str(meta(info)["under"]) or every
    return [_condition(way, path) for way in told.split(" or ") if way]


def unchanged(scenario: Scenario, policy: Policy) -> str:
    """What says that a policy sets only values that are in force already when it begins; "" where
    it changes one, or where that depends on the run."""
    if not policy.set or policy.when is not None:
        return ""
    at, before, later = policy.at or 0, [], False
    for other in plan_of(scenario):
        if other.title == policy.title:
            later = True
            continue
        if other.set.keys() & policy.set.keys():
            # a condition's time is the run's to tell, and a ramp's value is the moment's
            if other.when is not None or other.ramp or other.share is not None:
                return ""
            # those of one instant begin in the order of the list
            begun = (other.at or 0) < at or ((other.at or 0) == at and not later)
            if begun and (other.until is None or at < other.until):
                before.append(other)
    words = []
    for lever, value in policy.set.items():
        now, by = _start(scenario, lever), "at the start"
        # the engine applies them in order of their beginning
        for other in sorted(before, key=lambda each: each.at or 0):
            if lever in other.set:
                now, by = other.set[lever], f"under {other.title}"
        if now != value:
            return ""
        words.append(f"{lever} is {_shown(scenario, lever, value)} already {by}")
    return "changes nothing: " + ", ".join(words)


def _late(scenario: Scenario, policy: Policy, lever: str) -> str:
    """That the model which a lever asks for would take over after the policy or the run ends."""
    if policy.when or policy.set[lever] == _start(scenario, lever):
        return ""
    return late(scenario, lever, policy.at or 0, policy.until)


def late(scenario: Scenario, lever: str, at: int, until: int | None = None) -> str:
    """That the model which a change of a lever at ``at`` asks for would take over after the run
    ends, or after the change does at ``until`` (seconds since the start); "" if it acts in time."""
    end = min(scenario.duration, until or scenario.duration)
    warms_up = warm_up_of(scenario, lever)
    earliest = at + (warms_up or 0)
    if warms_up is None or earliest < end:
        return ""
    what = "the policy" if end < scenario.duration else "the run"
    return (
        f"acts too late: the new model warms up for {format_duration(warms_up)} "
        f"(recommender.migration_warm_up) and would take over after {what} ends, at "
        f"{format_duration(earliest)}"
    )


def warm_up_of(scenario: Scenario, lever: str) -> int | None:
    """Seconds for which the new model warms up that a change of a lever asks for; None if it asks
    for none."""
    recommender: Any = scenario.mechanisms.get("recommender")
    if not lever.startswith(MIGRATES) or recommender is None:
        return None
    return int(recommender.migration_warm_up)


def plan_of(scenario: Scenario) -> tuple[Policy, ...]:
    """The policies with values as mechanisms know them."""
    params: Any = scenario.mechanisms.get("policies")
    return () if params is None else tuple(params.plan)


def _start(scenario: Scenario, path: str) -> Any:
    name, _, rest = path.partition(".")
    return value_at(scenario.mechanisms[name], rest)


def _values(scenario: Scenario, path: str, plan: tuple[Policy, ...]) -> Iterator[Any]:
    """What a setting is in the run, in order of time as far as it is known."""
    name = path.partition(".")[0]
    if name not in scenario.mechanisms:
        return
    yield _start(scenario, path)
    for policy in sorted(plan, key=lambda each: each.at or 0):
        if path in policy.set and (policy.at is None or policy.at < scenario.duration):
            yield policy.set[path]


def _condition(way: str, path: str) -> tuple[str, str, str]:
    """Path, operator and value of one way; a path that begins with a dot is of the set of
    ``path``."""
    for op in ("!=", ">", "="):
        if op in way:
            other, _, wanted = way.partition(op)
            return (path.rpartition(".")[0] + other if other[0] == "." else other), op, wanted
    raise ValueError(f"{way!r} is no condition")


def _holds(value: Any, op: str, wanted: str) -> bool:
    if op == ">":
        return float(value) > float(wanted)
    same = any(shown(value) == shown(_number(one)) for one in wanted.split("|"))
    return same if op == "=" else not same


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _shown(scenario: Scenario, path: str, value: Any) -> str:
    """A value in its unit: 6h and not 21600."""
    name, _, rest = path.partition(".")
    _, info = field_at(type(scenario.mechanisms[name]), (*rest.split("."),))
    whole = isinstance(value, int) and not isinstance(value, bool)
    return format_duration(value) if info and meta(info)["unit"] == "s" and whole else shown(value)


def _plain(path: str) -> str:
    return path.removeprefix("mechanisms.")


def _where(scenario: Scenario, place: Path_) -> str:
    file, line = scenario.tree.at(place)
    return f"{Path(file).name}:{line}:" if line else f"{file.partition('=')[0].strip()}:"
