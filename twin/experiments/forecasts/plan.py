"""What a forecast of one experiment runs: its readings as far as the scenario has them, the
branches that these need, and the draws of what is not known.

    worlds     seeds x draws: world i has replicate i and its own point of a Latin hypercube over the
               ranges of `twin stress` and those of the experiment. A parameter's column is drawn by
               its name, so that a further range leaves the others as they were.
    placebo    for readings by arm: the same people are treated with nothing. The difference between
               arms there is luck of the draw, and is taken off. The estimand stays the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from twin.experiments import design
from twin.experiments.forecasts import expressions, quantities, readings
from twin.experiments.forecasts.declare import Branch, FieldExperiment, Levers, Outcome, Reading
from twin.experiments.forecasts.expressions import Declared
from twin.experiments.stress import uncertain
from twin.experiments.stress.uncertain import Uncertain
from twin.ground.digest import sha
from twin.ground.units import DAY
from twin.record.watch import Rows
from twin.scenario.describe import as_file
from twin.scenario.loading import Scenario, load
from twin.world.params import value_at

TRIALS = "trials.enabled=true"
PLACEBO: Mapping[str, Levers] = {
    "consumers": {"audience.counts_shown": True},
    "creators": {"creators.newcomer_bonus": 0},
}
"""Policies that set what holds anyway in the default world."""
LEAST = 30
"""Fewest worlds of a forecast."""


@dataclass(frozen=True)
class Size:
    """How many worlds; ``quick`` makes them small and short, to see that all runs: no forecast."""

    worlds: int = LEAST
    quick: bool = False

    def sets(self, base: Scenario) -> dict[str, Any]:
        """Settings that make a world small, where it is not smaller already."""
        if not self.quick:
            return {}
        audience, creators = base.mechanisms["audience"], base.mechanisms["creators"]
        return {
            "warm_up": f"{min(base.warm_up, 2 * DAY)}s",
            "audience.initial": min(value_at(audience, "initial"), 600),
            "creators.human.initial": min(value_at(creators, "human.initial"), 120),
            "creators.ai.initial": min(value_at(creators, "ai.initial"), 4),
        }

    def days(self, full: float) -> float:
        """A time after the start or the fork, shortened in quick worlds."""
        return min(full, 2.0) if self.quick else full


@dataclass(frozen=True)
class Answered:
    """An outcome with the reading that is used, or why there is none."""

    outcome: Outcome
    reading: Reading | None
    why: str = ""


def text(value: Any) -> str:
    """A value as ``--set`` takes it."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


class Plan:
    """One experiment in one scenario. Raises ScenarioError where the scenario refuses a setting."""

    def __init__(self, experiment: FieldExperiment, base: Scenario, size: Size) -> None:
        self.experiment, self.size = experiment, size
        self.at = round(size.days(experiment.burn_in_d) * DAY)
        self.length = round(size.days(experiment.days) * DAY)
        self.base = base
        with as_file(base) as path:
            self.scenario = load(path, self._sets(Branch("")))
        self.rows: Rows = self.scenario.series()
        self.known = expressions.declared(self.rows)
        self.kept = readings.series(self.known)
        self.answers = [answered(each, self.known) for each in experiment.outcomes]
        self.given = self._ranges()
        self.points = points(self.given, size.worlds, base.seed)

    def _ranges(self) -> list[Uncertain]:
        """What is drawn: not what the experiment itself sets, in its world or by a policy."""
        fixed = set(self.experiment.world)
        for branch in self.experiment.branches.values():
            fixed |= set(branch.sets)
            policies = (*branch.before, *branch.policies)
            fixed |= {lever for policy in policies for lever in policy["set"]}
        texts = [*uncertain.standard(self.scenario), *self.experiment.ranges]
        return uncertain.read(
            [each for each in texts if each.partition("=")[0] not in fixed], self.scenario
        )

    def _sets(self, branch: Branch) -> tuple[str, ...]:
        """Settings of a branch's world, before draws; later ones win."""
        merged = {**self.size.sets(self.base), **self.experiment.world, **branch.sets}
        return (TRIALS, *(f"{path}={text(value)}" for path, value in merged.items()))

    def sets(self, branch: Branch, world: int) -> tuple[str, ...]:
        """All settings of a branch's world but its duration."""
        return (
            *self._sets(branch),
            *design.sets([each.vary for each in self.given], self.points[world]),
            f"replicate={world}",
        )

    def policies(self, branch: Branch, before: bool = False) -> list[dict[str, Any]]:
        """A branch's policies with their times, as in a policy file; only those from the start, up
        to the fork (``before``)."""
        first = [{**policy, "at": "0s"} for policy in branch.before]
        at_fork = [{**policy, "at": f"{self.at}s"} for policy in branch.policies]
        return first if before else first + at_fork

    def scenario_of(self, branch: Branch) -> Scenario:
        """The scenario of a branch at the defaults of what is drawn, for checks."""
        sets = (*self._sets(branch), f"duration={self.at + self.length}s")
        with as_file(self.base) as path:
            return load(path, sets)

    def branch(self, name: str) -> Branch:
        """A branch by its name; ``NAME, placebo`` treats the same people with nothing."""
        own, _, other = name.rpartition(", ")
        if other != "placebo" or not own:
            return self.experiment.branches[name]
        found = self.experiment.branches[own]
        return replace(
            found,
            says="placebo",
            policies=tuple(
                {**policy, "set": dict(PLACEBO[policy["of"]])} for policy in found.policies
            ),
        )

    def needed(self) -> list[str]:
        """Names of branches that the readings in use need, each once."""
        return list(dict.fromkeys(name for each in self.answers for name in names(each.reading)))

    def facts(self) -> dict[str, Any]:
        """The mapping as plain data: what a digest is taken of."""
        return {
            "id": self.experiment.id,
            "world": {**self.experiment.world},
            "ranges": [each.text for each in self.given],
            "fork_d": self.at / DAY,
            "days": self.length / DAY,
            "branches": {
                name: {
                    "sets": {**self.branch(name).sets},
                    "policies": self.policies(self.branch(name)),
                }
                for name in self.needed()
            },
            "outcomes": [mapped(each) for each in self.answers],
        }


def answered(outcome: Outcome, known: Declared) -> Answered:
    """The first reading that the scenario has; else why none."""
    if outcome.cannot:
        return Answered(outcome, None, outcome.cannot)
    reasons: list[str] = []
    for reading in outcome.readings:
        lacks = readings.lacking(reading, outcome.form, known)
        if not lacks:
            return Answered(outcome, reading)
        reasons += lacks
    return Answered(outcome, None, "; ".join(dict.fromkeys(reasons)))


def names(reading: Reading | None) -> Iterator[str]:
    """Branches of a reading, with the placebo of one by arm."""
    if reading is not None:
        yield reading.treated
        yield placebo(reading) if reading.arms else reading.control


def placebo(reading: Reading) -> str:
    """The name of the branch in which the same people are treated with nothing."""
    return f"{reading.treated}, placebo"


def mapped(each: Answered) -> Mapping[str, Any]:
    """How an outcome is read, as plain data."""
    outcome, reading = each.outcome, each.reading
    made: dict[str, Any] = {
        "id": outcome.id,
        "form": outcome.form,
        "sesoi": outcome.sesoi,
        "days": list(outcome.days),
        "scale": outcome.scale,
        "cannot": each.why,
    }
    if reading is not None:
        made["reading"] = {
            "quantity": reading.quantity,
            "against": reading.against,
            "treated": reading.treated,
            "control": reading.control,
            "arms": reading.arms,
            "flipped": reading.flipped,
            "policy": reading.policy,
            "stratum": reading.stratum,
            "formulas": [
                asdict(quantities.QUANTITIES[name])
                for name in filter(None, (*reading.parts, reading.against))
            ],
        }
    return made


def points(given: Sequence[Uncertain], worlds: int, seed: int) -> list[tuple[str, ...]]:
    """Values of every world, in the order of ``given``."""
    columns = []
    for each in given:
        own = int(sha([seed, each.vary.path], 16), 16)
        shares = design.sample(1, "lhs", worlds, own)[:, 0]
        columns.append([each.vary.at(float(share)) for share in shares])
    return list(zip(*columns, strict=True))
