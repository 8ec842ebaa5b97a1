"""Policies given by hand while a run runs, as a part of its record.

A policy given at time t becomes an entry of the scenario's policies that takes effect at t (``at:
t``) or whose condition counts from t on (``after: t``). So the scenario in the run folder, run from
its start, gives the same bytes as the run that was changed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

from twin.ground.errors import Problem, ScenarioError, UsageError
from twin.ground.units import (
    DAY,
    at,
    counted,
    format_duration,
    is_moment,
    moment,
    parse_duration,
    parse_time,
)
from twin.scenario.loading import Scenario, load
from twin.scenario.node import Node
from twin.scenario.policies import TIMES
from twin.scenario.problems import Path_
from twin.scenario.yamlish import read_text, write_text


def parse_when(text: str, start: dt.date, now: int, grid: int) -> int:
    """Seconds since the start of ``90d`` or a date such as ``2025-06-01`` or ``2025-06-01T18:30``,
    not before ``now`` nor the start. Raises UsageError."""
    try:
        when = parse_time(text, start)
    except ValueError:
        raise UsageError(
            f"{text}: is neither a time since the start, such as 90d, nor a date, such as "
            f"{at(start, 90 * DAY):%Y-%m-%d}"
        ) from None
    if when < 0:
        raise UsageError(
            f"{text}: lies before the run's start ({start}); no policy can act before that"
        )
    if when < now:
        raise UsageError(f"{text}: has already passed, the run is at {moment(start, now)}")
    # up to the next snapshot, where policies take effect
    return -(-when // grid) * grid


def amended(
    out: Path, text: str, when: int | None, now: int, source: str = "policy"
) -> tuple[Scenario, str]:
    """The scenario of a run with a policy (YAML: one, or a list under ``policies:``) that takes
    effect at ``when``, or now.

    Without ``when``, the policy's own times are used, if they have not passed. Returns also the
    policies with their times, as YAML. Raises ScenarioError with all problems, each at its place in
    ``source``.
    """
    scenario, policies = laid(out / "scenario.yaml", text, when, now, source)
    return scenario, write_text({"policies": policies})


def laid(
    path: Path, text: str, when: int | None, now: int, source: str
) -> tuple[Scenario, list[dict[str, Any]]]:
    """A scenario file with policies added that cannot begin before ``now``, and these with their
    times; see `amended`."""
    problems: list[Problem] = []
    node = read_text(text, source, problems)
    listed = _listed(node, source, problems)
    if any(
        is_moment(each.value[key].value) for each, _ in listed for key in TIMES if key in each.value
    ):
        start = load(path).start
        listed = [(_counted(each, start), within) for each, within in listed]
    policies = [(_timed(each, when, now, path, problems), within) for each, within in listed]
    # with a problem in the policy itself, loading would only repeat it
    if problems:
        raise ScenarioError(problems)
    scenario = load(path, given=policies)
    # by hand nobody asks for what can never happen; in a scenario it is remarked on
    for policy, (node, within) in zip(
        scenario.policies[-len(policies) :] if policies else (), policies, strict=True
    ):
        if policy.at is not None and policy.at >= scenario.duration:
            where = ".".join(str(part) for part in (*within, "at"))
            reason = f"{format_duration(policy.at)} is after the end of the run"
            mend = f"the run lasts {format_duration(scenario.duration)}"
            problems.append(Problem(source, node.keys.get("at", 0), where, reason, mend))
    if problems:
        raise ScenarioError(problems)
    return scenario, [policy.plain() for policy, _ in policies]


def _listed(node: Node, source: str, problems: list[Problem]) -> list[tuple[Node, Path_]]:
    """One policy, or those of the list, each with its path in the file."""
    mend = "write {name: ..., set: {lever: value}}"
    if node.kind != "mapping" or not (node.value or node.keys):
        problems.append(Problem(source, node.line, "", "is not a policy", mend))
        return []
    if "policies" not in node.value:
        return [(node, ())]
    problems += [
        Problem(source, line, key, "stands beside a list of policies", "put it into each of them")
        for key, line in node.keys.items()
        if key != "policies"
    ]
    listed = node.value["policies"]
    if listed.kind != "list" or not listed.value:
        problems.append(
            Problem(
                source,
                node.keys["policies"],
                "policies",
                "has no policy",
                "begin each with `- name: ...`",
            )
        )
        return []
    problems += [
        Problem(source, each.line, f"policies.{i}", "is not a policy", mend)
        for i, each in enumerate(listed.value)
        if each.kind != "mapping"
    ]
    return [
        (each, ("policies", i)) for i, each in enumerate(listed.value) if each.kind == "mapping"
    ]


def _counted(policy: Node, start: dt.date) -> Node:
    """A policy with its dates as times since the start, as a run records them. What is no date, or
    before the start, stays for the loader to report."""
    made = dict(policy.value)
    for key in TIMES:
        own = policy.value.get(key)
        if own is not None and is_moment(own.value):
            with contextlib.suppress(ValueError):
                made[key] = Node("scalar", counted(own.value, start), own.file, own.line)
    return Node("mapping", made, policy.file, policy.line, policy.keys)


def _timed(policy: Node, when: int | None, now: int, path: Path, problems: list[Problem]) -> Node:
    """A policy with its time: the one given, else its own, else now. ``path`` is the scenario's."""
    if "use" in policy.value:
        problems.append(
            Problem(
                policy.file,
                policy.keys["use"],
                "use",
                "a policy given by hand cannot use a file",
                "give the file itself",
            )
        )
    condition = policy.value.get("when")
    # a condition has no time of its own: its time says from when on it is judged
    key = "at" if condition is None or condition.value is None else "after"
    own = policy.value.get(key)
    if when is None and own is not None and own.value is not None:
        try:
            own_s = parse_duration(own.value)
        except ValueError:
            return policy  # the loader reports what is wrong with it
        # a policy of the past would make the record differ from the run
        if own_s < now:
            problems.append(
                Problem(
                    policy.file,
                    policy.keys[key],
                    key,
                    f"{own.value} has already passed, the run is at {moment(load(path).start, now)}",
                    "leave it out to mean now",
                )
            )
        return policy
    line = policy.keys.get(key, policy.line)
    time = Node("scalar", format_duration(now if when is None else when), policy.file, line)
    return Node(
        "mapping", {**policy.value, key: time}, policy.file, policy.line, {**policy.keys, key: line}
    )
