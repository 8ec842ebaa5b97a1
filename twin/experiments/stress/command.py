"""A stress test: in which worlds, of those that nobody can exclude, does a policy backfire or break its goal?

A world is a point of the declared ranges (see `twin.experiments.stress.uncertain`) with luck of its own. It runs to the fork and goes on without
and with the policy; the margin of a goal (see `twin.experiments.stress.goals`) tells by how much it is kept.

    drawn      N worlds by Latin hypercube over the ranges. As every world has its own luck, the share that fails is an unbiased
               estimate of how likely failure is under the ranges; a Latin hypercube is never less exact than n - 1 independent
               points (Owen 1997), so the binomial interval is honest or wide.
    search     M more, aimed by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) at the least score, warm with those
               drawn: score = min over goals of margin / sd of its margins drawn. Tells where the worst is, never how often.
    confirm    for each goal the worlds of least and greatest margin with K seeds that no world had: the worst of many is partly bad
               luck, and fresh luck tells how much.

    results.parquet     one row per world and goal: phase, point, replicate, parameters as set, goal, base, value, margin, holds
    directions.parquet  per goal and parameter: which way failure lies, see `twin.experiments.stress.verdicts`

Worlds come in batches of fixed size and are told to Optuna in order, so the same command gives the same worlds on any number of workers;
what is on disk is read, not run, so a test that was stopped finds its way back to where it was.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.experiments import design, forks
from twin.experiments.compare.command import WINDOW
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch, Plan
from twin.experiments.stress import uncertain
from twin.experiments.stress.goals import Goal, parse_goals, places
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.work.tasks import Task, reduced

DRAWN, SEARCH, CONFIRM = "drawn", "search", "confirm"
BATCH = 8
"""Worlds that the search asks for at a time: the same on one worker and on a hundred."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A point with its luck: ``values`` of the parameters as text, in their order."""

    phase: str
    point: int
    replicate: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """A world with the means of every goal's series (goals,) without and with the policy; NaN where they could not be read."""

    world: World
    base: tuple[float, ...]
    value: tuple[float, ...]

    def margins(self, goals: Sequence[Goal]) -> tuple[float, ...]:
        """Margins (goals,)."""
        return tuple(goal.margin(base, value) for goal, base, value in zip(goals, self.base, self.value, strict=True))


@dataclass(frozen=True)
class Budget:
    """How many worlds are drawn, searched, and how many fresh seeds confirm."""

    worlds: int
    search: int
    confirm: int


Evaluate = Callable[[Sequence[World], str], Array]
"""Runs worlds (their phase in words): means of the goals' series (worlds, goals, 2), without and with the policy."""


def explore(evaluate: Evaluate, goals: Sequence[Goal], given: Sequence[Uncertain], budget: Budget, seed: int) -> list[Seen]:
    """All three phases; what was seen, in order. Deterministic in its arguments and in what ``evaluate`` returns."""

    def see(worlds: Sequence[World], words: str) -> list[Seen]:
        means = evaluate(worlds, words)
        return [Seen(world, tuple(each[:, 0].tolist()), tuple(each[:, 1].tolist())) for world, each in zip(worlds, means, strict=True)]

    shares = design.sample(len(given), "lhs", budget.worlds, seed)
    seen = see([World(DRAWN, i, i, _values(given, row)) for i, row in enumerate(shares)], "drawn")
    seen += _search(see, goals, given, shares, seen, budget, seed)
    first = budget.worlds + budget.search
    seen += see([World(CONFIRM, seen[place].world.point, first + k, seen[place].world.values)
                 for place in extremes(seen, goals) for k in range(budget.confirm)], "with fresh seeds")
    return seen


def _values(given: Sequence[Uncertain], shares: Sequence[float] | Array) -> tuple[str, ...]:
    return tuple(each.vary.at(float(share)) for each, share in zip(given, shares, strict=True))


def _search(see: Callable[[Sequence[World], str], list[Seen]], goals: Sequence[Goal], given: Sequence[Uncertain], shares: Array,
            drawn: Sequence[Seen], budget: Budget, seed: int) -> list[Seen]:
    """Worlds that Optuna asks for, in batches; a world without a score is told to have failed."""
    if not budget.search:
        return []
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
    study = optuna.create_study(sampler=sampler, direction="minimize")
    ranges: dict[str, Any] = {each.vary.path: optuna.distributions.FloatDistribution(0.0, 1.0) for each in given}
    scores = scorer(drawn, goals)
    for row, each in zip(shares, drawn, strict=True):
        if math.isfinite(score := scores(each)):
            at = {path: float(share) for path, share in zip(ranges, row, strict=True)}
            study.add_trial(optuna.trial.create_trial(params=at, distributions=ranges, value=score))
    found: list[Seen] = []
    batches = -(-budget.search // BATCH)
    for batch in range(batches):
        asked = [study.ask(ranges) for _ in range(min(BATCH, budget.search - len(found)))]
        first = budget.worlds + len(found)
        worlds = [World(SEARCH, first + k, first + k, _values(given, [trial.params[path] for path in ranges]))
                  for k, trial in enumerate(asked)]
        for trial, each in zip(asked, see(worlds, f"searched, {batch + 1} of {batches}"), strict=True):
            score = scores(each)
            if math.isfinite(score):
                study.tell(trial, score)
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            found.append(each)
    return found


def scorer(drawn: Sequence[Seen], goals: Sequence[Goal]) -> Callable[[Seen], float]:
    """The score of a world: least margin of its goals, each in standard deviations of those drawn; NaN where none can be told."""
    margins = np.array([each.margins(goals) for each in drawn])
    scale = []
    for column in margins.T:
        known = column[np.isfinite(column)]
        spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
        scale.append(spread if spread > 0 else 1.0)

    def score(each: Seen) -> float:
        known = [margin / by for margin, by in zip(each.margins(goals), scale, strict=True) if math.isfinite(margin)]
        return min(known, default=math.nan)

    return score


def extremes(seen: Sequence[Seen], goals: Sequence[Goal]) -> list[int]:
    """Places of the worlds of least and of greatest margin, for each goal in turn, once each."""
    found: list[int] = []
    for g in range(len(goals)):
        margins = np.array([each.margins(goals)[g] for each in seen])
        if np.isfinite(margins).any():
            found += [int(np.nanargmin(margins)), int(np.nanargmax(margins))]
    return list(dict.fromkeys(found))


class Forks:
    """Evaluates worlds by simulation: to the fork once, then without and with the policy. Calling it runs what is not on disk."""

    def __init__(self, experiment: Experiment, goals: Sequence[Goal], given: Sequence[Uncertain], branch: Branch, at: int,
                 on: str | None) -> None:
        self.experiment, self.goals, self.given, self.at, self.on = experiment, goals, given, at, on
        self.ways = [Branch(BASE), branch]
        self.rows = Simulation(experiment.scenario).world.board.rows
        self.series = places(goals, self.rows)
        self.window = (max(at, experiment.scenario.duration - WINDOW), experiment.scenario.duration)

    def __call__(self, worlds: Sequence[World], words: str) -> Array:
        """Means of the goals' series over the last window (worlds, goals, 2)."""
        self.experiment.run([task for world in worlds for task in self._tasks(world)], self.on, f"runs of worlds {words}")
        return np.array([self._means(world) for world in worlds]).reshape(len(worlds), len(self.goals), 2)

    def _sets(self, world: World) -> tuple[str, ...]:
        return tuple(f"{each.vary.path}={value}" for each, value in zip(self.given, world.values, strict=True))

    def _within(self, world: World) -> str:
        """Folder of a point; named by its values too, so that no other point of that number is ever taken for it."""
        mark = hashlib.sha256("\n".join(self._sets(world)).encode()).hexdigest()[:10]
        return f"runs/{world.point}-{mark}"

    def _tasks(self, world: World) -> list[Task]:
        return forks.tasks(self.experiment.scenario, self.at, [world.replicate], self.ways, self._sets(world), self._within(world))

    def _means(self, world: World) -> Array:
        """Means (goals, 2); NaN where a run failed. Once both branches are there, the world at the fork is let go: it is large."""
        folder = f"{self._within(world)}/{world.replicate}"
        means = np.full((len(self.goals), 2), np.nan)
        names = [f"{folder}/{number}.npy" for number in range(2)]
        for number, name in enumerate(names):
            if name not in self.experiment.failed:
                store = self.experiment.store
                readings = np.concatenate([store.read_array(f"{folder}/trunk.npy"), store.read_array(name)])
                means[:, number] = reduced(readings, self.experiment.scenario.metrics.every, self.rows, [self.window])[0][self.series]
        if not any(name in self.experiment.failed for name in names):
            self.experiment.store.remove(f"{folder}/trunk.npy.world")
        return means


def go_on(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, tell it, write results and report."""
    from twin.experiments.stress import verdicts as stress_verdicts
    from twin.experiments.stress import words as stress_words

    args = experiment.manifest["args"]
    branch = forks.laid(Plan(**args["policy"]), experiment)
    goals, given = read_args(experiment)
    evaluate = Forks(experiment, goals, given, branch, int(args["at_s"]), on)
    budget = Budget(int(args["worlds"]), int(args["search"]), int(args["confirm"]))
    seen = explore(evaluate, goals, given, budget, experiment.scenario.seed)
    experiment.table("results.parquet", table(seen, goals, given))
    verdicts = stress_verdicts.verdicts(seen, goals, given)
    experiment.table("directions.parquet", stress_verdicts.table(verdicts))
    experiment.finish("done", verdicts=[verdict.facts() for verdict in verdicts])
    experiment.tell(stress_words.lines(verdicts, given), report)


def report(experiment: Experiment, **wishes: str) -> None:
    """Write the report anew; there is nothing to wish for."""
    from twin.experiments.stress import report as stress_report
    from twin.ground.errors import UsageError

    if wishes:
        raise UsageError(f"--{next(iter(wishes))}: the report of a stress test has no such map (leave it out)")
    stress_report.write(experiment)


def read_args(experiment: Experiment) -> tuple[list[Goal], list[Uncertain]]:
    """Goals and ranges of an experiment, as its manifest has them."""
    args, scenario = experiment.manifest["args"], experiment.scenario
    return parse_goals(args["goals"], scenario), uncertain.read(args["uncertain"], scenario, args["policy"]["policies"])


def table(seen: Sequence[Seen], goals: Sequence[Goal], given: Sequence[Uncertain]) -> pa.Table:
    """One row per world and goal, in the order in which worlds were seen."""
    worlds = [each.world for each in seen for _ in goals]
    columns: dict[str, Any] = {"phase": [world.phase for world in worlds], "point": [world.point for world in worlds],
                               "replicate": [world.replicate for world in worlds]}
    for k, one in enumerate(given):
        columns[one.vary.path] = [world.values[k] for world in worlds]
    pairs = [(goal, base, value) for each in seen for goal, base, value in zip(goals, each.base, each.value, strict=True)]
    columns["goal"] = [goal.text for goal, _, _ in pairs]
    columns["base"] = [base for _, base, _ in pairs]
    columns["value"] = [value for _, _, value in pairs]
    columns["margin"] = [goal.margin(base, value) for goal, base, value in pairs]
    columns["holds"] = pa.array([goal.holds(base, value) for goal, base, value in pairs], pa.bool_())
    return pa.table(columns)


def read_seen(experiment: Experiment, goals: Sequence[Goal], given: Sequence[Uncertain]) -> list[Seen]:
    """What was seen, from ``results.parquet``."""
    from twin.experiments.compare.command import read_table

    rows = read_table(experiment, "results.parquet").to_pylist()
    many = len(goals)
    made = []
    for first in range(0, len(rows), many):
        mine, row = rows[first:first + many], rows[first]
        world = World(row["phase"], row["point"], row["replicate"], tuple(row[one.vary.path] for one in given))
        made.append(Seen(world, tuple(each["base"] for each in mine), tuple(each["value"] for each in mine)))
    return made
