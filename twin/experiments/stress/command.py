"""A stress test: in which plausible worlds does a policy backfire or break its goal?

A world is a point of the declared ranges (see `twin.experiments.stress.uncertain`) with luck of its
own. It runs to the fork and continues without and with the policy; the margin of a goal (see
`twin.experiments.stress.goals`) shows by how much it is kept.

    drawn      N worlds by Latin hypercube over the ranges. As every world has its own luck, the
               share that fails is an unbiased estimate of how likely failure is under the ranges; a
               Latin hypercube is never less exact than n - 1 independent points (Owen 1997), so the
               binomial interval is honest or wide.
    search     M more, aimed by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) at
               the least score, warm with those drawn: score = min over goals of margin / sd of its
               margins drawn. Shows where the worst is, never how often.
    confirm    for each goal the worlds of least and greatest margin with K seeds that no world had:
               the worst of many is partly bad luck, and fresh luck shows how much.

    results.parquet     one row per world and goal: phase, point, replicate, parameters as set,
                        goal, base, value, margin, holds
    directions.parquet  per goal and parameter: which way failure lies, see
                        `twin.experiments.stress.verdicts`

Worlds come in batches of fixed size and are reported to Optuna in order, so the same command gives
the same worlds on any number of workers; what is on disk is read, not run, so a test that was
stopped resumes where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from twin.experiments import forks
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch, Plan
from twin.experiments.stress import report as stress_report
from twin.experiments.stress import verdicts as stress_verdicts
from twin.experiments.stress import words as stress_words
from twin.experiments.stress.goals import Goal, places
from twin.experiments.stress.outcomes import StressWorld, read_args, table
from twin.experiments.stress.search import Array, Budget, explore
from twin.experiments.stress.uncertain import Uncertain
from twin.experiments.work.tasks import Task
from twin.ground.errors import UsageError


class Forks:
    """Evaluates worlds by simulation: to the fork once, then without and with the policy. Calling
    it runs what is not on disk."""

    def __init__(
        self,
        experiment: Experiment,
        goals: Sequence[Goal],
        given: Sequence[Uncertain],
        branch: Branch,
        at: int,
        on: str | None,
    ) -> None:
        self.experiment, self.goals, self.given, self.at, self.on = experiment, goals, given, at, on
        self.ways = [Branch(BASE), branch]
        self.rows = experiment.scenario.series()
        self.series = places(goals, self.rows)
        # no range is of the duration, so all worlds have one window
        self.window = forks.last_window(at, experiment.scenario.duration)

    def __call__(self, worlds: Sequence[StressWorld], words: str) -> Array:
        """Means of the goals' series over the last window (worlds, goals, 2)."""
        self.experiment.run(
            [task for world in worlds for task in self._tasks(world)],
            self.on,
            f"runs of worlds {words}",
        )
        # the shape holds for a phase without worlds too
        return np.array([self._means(world) for world in worlds]).reshape(
            len(worlds), len(self.goals), 2
        )

    def _sets(self, world: StressWorld) -> tuple[str, ...]:
        return tuple(
            f"{each.vary.path}={value}"
            for each, value in zip(self.given, world.values, strict=True)
        )

    def _within(self, world: StressWorld) -> str:
        """Folder of a point; named by its values too: with other ranges, the same number is another
        point."""
        mark = hashlib.sha256("\n".join(self._sets(world)).encode()).hexdigest()[:10]
        return f"runs/{world.point}-{mark}"

    def _tasks(self, world: StressWorld) -> list[Task]:
        return forks.tasks(
            self.experiment.scenario,
            self.at,
            [world.replicate],
            self.ways,
            # the point's values in trunk and branches alike
            self._sets(world),
            self._within(world),
        )

    def _means(self, world: StressWorld) -> Array:
        """Means (goals, 2); NaN where a run failed. Once both branches are there, the world at the
        fork is removed: it is large."""
        folder = f"{self._within(world)}/{world.replicate}"
        means = np.full((len(self.goals), 2), np.nan)
        names = [f"{folder}/{number}.npy" for number in range(2)]
        for number, name in enumerate(names):
            if name not in self.experiment.failed:
                found = forks.reduced_result(
                    self.experiment, self.rows, name, f"{folder}/trunk.npy", [self.window]
                )
                means[:, number] = found[0][self.series]
        # kept where a branch failed, since a resume tries that again from the trunk
        if not any(name in self.experiment.failed for name in names):
            self.experiment.store.remove(f"{folder}/trunk.npy.world")
        return means


def resume(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, print the results, write tables and report."""
    args = experiment.manifest["args"]
    # the manifest has the whole plan, so a resume does not need the policy's file
    branch = forks.stored(Plan(**args["policy"]), experiment)
    goals, given = read_args(experiment)
    evaluate = Forks(experiment, goals, given, branch, int(args["at_s"]), on)
    budget = Budget(int(args["worlds"]), int(args["search"]), int(args["confirm"]))
    seen = explore(evaluate, goals, given, budget, experiment.scenario.seed)
    experiment.table("results.parquet", table(seen, goals, given))
    verdicts = stress_verdicts.verdicts(seen, goals, given)
    experiment.table("directions.parquet", stress_verdicts.table(verdicts))
    experiment.finish("done", verdicts=[verdict.facts() for verdict in verdicts])
    experiment.conclude(stress_words.lines(verdicts, given), report)


def report(experiment: Experiment, **axes: str) -> None:
    """Write the report again. Raises UsageError for axes: it has no two-sided map."""
    if axes:
        raise UsageError(
            f"--{next(iter(axes))}: the report of a stress test has no such map (leave it out)"
        )
    stress_report.write(experiment)
