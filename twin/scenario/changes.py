"""What a scenario changes against another, and its description as far as it still describes.

A file that extends another inherits its description, and a flag may take away what a description
tells. So a description is said only with the file that it was written in, and only while that
file's own policies are all there; what else was set is listed after it, or instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from twin.ground import files
from twin.ground.errors import ScenarioError
from twin.scenario.describe import settings
from twin.scenario.loading import load
from twin.scenario.model import Scenario

SHOWN = 8
"""Changes that are listed; further ones are counted."""
UNTOLD = ("name", "seed", "replicate")
"""What makes no other world, but another draw of it."""


@dataclass(frozen=True)
class Change:
    """One setting in both, as YAML has it with its unit; ``before`` or ``after`` is empty where it
    does not exist."""

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.path} {self.after}"
        return f"{self.path} {self.after} ({self.before})" if self.after else f"no {self.path}"


def changes(scenario: Scenario, base: Scenario) -> list[Change]:
    """Every setting that differs, and policies that came or went, in declared order."""
    old, new = settings(base), settings(scenario)
    found = [
        Change(path, old.get(path, ""), value)
        for path, value in new.items()
        if old.get(path) != value and path not in UNTOLD
    ]
    # of a mechanism that is gone: said once
    gone = base.mechanisms.keys() - scenario.mechanisms.keys()
    found += [Change(name, "on", "") for name in sorted(gone)]
    found += [
        Change(f"policy “{policy.title}”", "there", "")
        for policy in base.policies
        if policy not in scenario.policies
    ]
    return found + [
        Change(f"policy “{policy.title}”", "", "added")
        for policy in scenario.policies
        if policy not in base.policies
    ]


def told(scenario: Scenario) -> Scenario:
    """The scenario with `about` as its description: as a file of its own it is whole, and nothing
    else would say what was set."""
    return replace(scenario, description=about(scenario))


def about(scenario: Scenario) -> str:
    """The description where it still describes, and what was set since it was written; empty if
    there is none."""
    tree = scenario.tree
    if not tree.has(("description",)) or not scenario.description:
        return ""
    written = Path(tree.at(("description",))[0])
    # by a flag, of this very scenario
    if not files.is_file(written):
        return scenario.description
    try:
        base = load(written)
    except ScenarioError:
        # a base that is complete only with what extends it: nothing to compare with
        base = scenario
    own = written.resolve() == Path(scenario.source).resolve()
    whole = own and all(policy in scenario.policies for policy in base.policies)
    listed = [str(each) for each in changes(scenario, base)]
    if not listed:
        return scenario.description if own else f"As {written.name}."
    told = "; ".join(listed[:SHOWN])
    told += f"; and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return (
        f"{scenario.description} Set here: {told}." if whole else f"As {written.name}, but: {told}."
    )
