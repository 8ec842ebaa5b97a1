"""What scenarios and policies are, for lists of them: description, source, and what each sets.

A file begins with a comment: its first paragraph describes it, the others say where it comes from.
Of these the first sentence that cites something is the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.ground.errors import Problem, ScenarioError
from twin.ground.units import format_duration
from twin.mechanisms.recommender.presets import QUOTAS, effective
from twin.scenario import shipped
from twin.scenario.loading import load
from twin.scenario.model import Scenario
from twin.scenario.yamlish import read_file
from twin.world.params import leaves, meta

ABSENT = "not in the scenario"
_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
_CITES = re.compile(r"\b(19|20)\d\d\b|\bet al\b|\bArt\. \d|\w/\w")
"""A year, authors, an article of a law, or a file of published code."""
_TIMES = ("at", "when", "after", "until", "ramp", "share")


@dataclass(frozen=True)
class Change:
    """A lever that a policy sets: its value ``now`` and ``then``, as text, and under which
    condition ("" : from the start, or the time that the policy is given)."""

    path: str
    now: str
    then: str
    when: str = ""

    @property
    def same(self) -> bool:
        """Whether it sets what is there."""
        # the new value carries its unit
        return self.then == self.now or self.then.startswith(f"{self.now} ")

    @property
    def text(self) -> str:
        """One line."""
        return f"{self.path}: {self.now} -> {self.then}{f' ({self.when})' if self.when else ''}"


@dataclass(frozen=True)
class ListedPolicy:
    """A policy file."""

    name: str
    sets: tuple[Change, ...]
    source: str
    description: str


@dataclass(frozen=True)
class ListedScenario:
    """A scenario file. ``people`` and ``creators`` are those at the start."""

    name: str
    description: str
    duration: str
    people: str
    creators: str


@dataclass(frozen=True)
class ListedEvent:
    """An event of the gallery: what a real platform did, as a scenario. ``world`` is what was seen
    of it, as far as that is known."""

    name: str
    description: str
    question: str
    done: str
    world: str
    source: str


def events() -> list[ListedEvent]:
    """The events that come with twin, from the paragraphs at the head of their files."""
    found = []
    for name, path in shipped.named(shipped.EVENT).items():
        first, *others = paragraphs(path)
        told = dict(each.split(": ", 1) for each in others if ": " in each)
        # the world that they share asks no question
        if "Question" in told:
            parts = (told[key] for key in ("Question", "Done", "World", "Source"))
            found.append(ListedEvent(name, first, *parts))
    return found


def policies(scenario: Scenario) -> list[ListedPolicy]:
    """The policies that come with twin, and what each changes in a scenario."""
    return [
        ListedPolicy(name, tuple(changes(path, scenario)), *reversed(said(path)))
        for name, path in shipped.named(shipped.POLICY).items()
    ]


def scenarios() -> list[ListedScenario]:
    """The scenarios that come with twin."""
    return [_scenario(name, path) for name, path in shipped.named(shipped.SCENARIO).items()]


def said(path: Path) -> tuple[str, str]:
    """Description and source ("": it cites none), from the comment at the head of a file."""
    first, *others = paragraphs(path)
    sentences = [one for part in others for one in _SENTENCE.split(part)]
    source = next((one for one in sentences if _CITES.search(one)), "")
    return first, source.removeprefix("Source: ").rstrip(".")


def paragraphs(path: Path) -> list[str]:
    """The comment at the head of a file, paragraph by paragraph."""
    lines = path.read_text(errors="replace", encoding="utf-8").splitlines()
    head = [line.removeprefix("#").strip() for line in _comment(lines)]
    return [" ".join(part.split()) for part in "\n".join(head).split("\n\n")]


def _comment(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            return
        yield line


def changes(
    path: Path, scenario: Scenario, before: Mapping[str, Any] | None = None
) -> Iterator[Change]:
    """What a policy file changes in a scenario, in order, after ``before`` has set levers. Of
    several policies in a file, each finds what those before it have set. What is no policy changes
    nothing. Raises ScenarioError for what is no file of values."""
    problems: list[Problem] = []
    data = read_file(path, problems).plain()
    if problems:
        raise ScenarioError(problems)
    units = {
        f"{name}.{path}": meta(info)["unit"]
        for name, params in scenario.mechanisms.items()
        for path, info in leaves(type(params))
    }
    over = dict(before or {})
    listed = data.get("policies", (data,))
    for policy in listed if isinstance(listed, tuple) else ():
        if not isinstance(policy, dict) or not isinstance(policy.get("set"), dict):
            continue
        when = ", ".join(_when(key, policy) for key in _TIMES if key in policy)
        for lever, value in policy["set"].items():
            unit = "" if units.get(lever, "1") in ("1", "s") else f" {units[lever]}"
            then = f"{shown(value)}{'' if isinstance(value, str) else unit}"
            yield Change(lever, _now(lever, scenario, over), then, when)
        over |= policy["set"]


def _when(key: str, policy: dict[str, Any]) -> str:
    if key == "share" and isinstance(policy[key], float):
        return f"for {policy['share']:.0%} of {policy.get('of', 'consumers')}"
    return f"{'over' if key == 'ramp' else key} {policy[key]}"


def _now(lever: str, scenario: Scenario, over: dict[str, Any]) -> str:
    """The value in effect at the start of a scenario, with what earlier policies set."""
    if lever in over:
        return shown(over[lever])
    name, *path = lever.split(".")
    if name not in scenario.mechanisms:
        return ABSENT
    data = scenario.mechanisms[name].model_dump()
    value: Any = data
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return ABSENT
        value = value[part]
    if value is None and name == "recommender":
        return _by_preset(str(over.get("recommender.preset", data["preset"])), path, data["rates"])
    return shown(value)


def _by_preset(preset: str, path: list[str], rates: dict[str, float]) -> str:
    """A weight or a quota that nobody gave is that of the preset."""
    group, last = path[0], path[-1]
    value: float | None = None
    if group == "weights":
        value = effective(preset, rates).get(last)
    elif group == "quota":
        value = QUOTAS[preset].get(last, 0)
    return shown(None) if value is None else f"{value:.4g} by {preset}"


def shown(value: Any) -> str:
    """A value of a lever, as a reader expects it."""
    if value is None:
        return "as the preset says"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _scenario(name: str, path: Path) -> ListedScenario:
    try:
        found = load(path)
    except ScenarioError:
        # one that asks for a graph of the user's: any file in its place, as none is read here
        found = load(path, [f"network.path={path}"])
    network, audience, creators = (
        found.mechanisms.get(each) for each in ("network", "audience", "creators")
    )
    own: Any = network is not None and getattr(network, "kind", "") == "edge_list"
    people: Any = audience and getattr(audience, "initial", "")
    makers = [getattr(creators, each).initial for each in ("human", "ai")] if creators else []
    return ListedScenario(
        name,
        found.description or said(path)[0],
        format_duration(found.duration),
        "its graph's" if own else str(people),
        f"its graph's + {makers[1]} AI" if own else f"{makers[0]} + {makers[1]} AI",
    )
