"""Policies that are given by hand while a run goes on, as a part of its record.

A policy given at time t becomes an entry of the scenario's policies that takes hold at t (``at: t``) or whose condition counts from t
on (``after: t``). So the scenario in the run folder, run from its start, gives the same bytes as the run on which hands were laid.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from twin.errors import Problem, ScenarioError, UsageError
from twin.scenario import Scenario, load
from twin.units import DAY, at, format_duration, parse_duration
from twin.yamlish import read_text, write_text


def parse_when(text: str, start: dt.date, now: int, grid: int) -> int:
    """Seconds since the start of ``90d`` or a date such as ``2025-06-01``, not before ``now``. Raises UsageError."""
    try:
        when = (dt.date.fromisoformat(text) - start).days * DAY if "-" in text else parse_duration(text)
    except ValueError:
        raise UsageError(f"{text}: is neither a time since the start, such as 90d, nor a date, such as "
                         f"{at(start, 90 * DAY):%Y-%m-%d}") from None
    if when < now:
        raise UsageError(f"{text}: is past, the run is at {format_duration(now)} ({at(start, now):%Y-%m-%d %H:%M}) already")
    return -(-when // grid) * grid


def amended(out: Path, text: str, when: int | None, now: int, source: str = "policy") -> Scenario:
    """The scenario of a run with a policy (YAML: one, or a list under ``policies:``) that takes hold at ``when``, or now.

    Without ``when``, times in the policy itself stand, if they are not past. The policies are kept in ``interventions/``. Raises
    ScenarioError with all problems; then nothing is changed.
    """
    policies = timed(text, when, now, source)
    folder = out / "interventions"
    folder.mkdir(exist_ok=True)
    number = 1 + max((int(path.stem) for path in folder.glob("*.yaml")), default=0)
    path = folder / f"{number:03d}.yaml"
    path.write_text(write_text({"policies": policies}))
    try:
        return load(out / "scenario.yaml", (), (str(path),))
    except ScenarioError as error:
        path.unlink()
        raise ScenarioError(Problem(source, 0, each.path, each.reason, each.mend) for each in error.problems) from None


def timed(text: str, when: int | None, now: int, source: str) -> list[dict[str, Any]]:
    """The policies of a YAML text, none of which can begin before ``now``; see `amended`. Raises ScenarioError."""
    problems: list[Problem] = []
    node = read_text(text, source, problems)
    if node.kind != "mapping":
        raise ScenarioError([*problems, Problem(source, node.line, "", "is not a policy", "write {name: ..., set: {lever: value}}")])
    listed = node.value["policies"].value if "policies" in node.value and node.value["policies"].kind == "list" else [node]
    policies = [_timed(each.plain(), when, now, each.file, each.line, problems) for each in listed if each.kind == "mapping"]
    if problems or not policies:
        raise ScenarioError(problems or [Problem(source, node.line, "policies", "holds no policy", "write {name: ..., set: ...}")])
    return policies


def _timed(policy: Any, when: int | None, now: int, file: str, line: int, problems: list[Problem]) -> dict[str, Any]:
    """A policy with its time: the one given, else its own, else now."""
    made = dict(policy)
    if "use" in made:
        problems.append(Problem(file, line, "use", "a policy given by hand uses no file", "give the file itself"))
    key = "after" if made.get("when") is not None else "at"
    if when is None and made.get(key) is not None:
        try:
            when = parse_duration(made[key])
        except ValueError:
            return made  # the loader says what is wrong with it
        if when < now:
            problems.append(Problem(file, line, key, f"{made[key]} is past, the run is at {format_duration(now)} already",
                                    "leave it out for now"))
    made[key] = format_duration(now if when is None else when)
    return made
