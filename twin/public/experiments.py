"""Experiments from Python: the same folders and bytes as the commands of the same names.

    found = twin.compare("quickstart", ["chronological"],
    at="90d") found.results.to_pandas()

Every function continues what the same call began in the folder ``out``, and returns what is there
when all is done.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypedDict, Unpack

import click
import pyarrow as pa

from twin.experiments import commands, design, forks
from twin.experiments.audit import command as auditing
from twin.experiments.audit import levers, turning
from twin.experiments.audit.engineering import chosen
from twin.experiments.compare import command as comparing
from twin.experiments.compare import trial
from twin.experiments.compare.data import check_axes
from twin.experiments.experiment import Experiment
from twin.experiments.stress import command as stressing
from twin.experiments.stress import uncertain
from twin.experiments.stress.goals import parse_goals
from twin.experiments.sweep import command as sweeping
from twin.experiments.sweep.points import planned
from twin.ground.errors import UsageError
from twin.public.runs import Source, scenario_of
from twin.record import naming
from twin.running.folder import free_folder
from twin.scenario.idle import remarks, varied
from twin.scenario.loading import Scenario


class Where(TypedDict, total=False):
    """Where an experiment is kept and where its tasks run.

    ``out``: a folder or an fsspec address, new, empty, or begun by the same call (default: the next
    free one in ``runs/``); ``on``: ``local`` (default), ``local:N``, ``dask``, or the address of a
    Dask scheduler; ``quiet``: no progress; ``name`` and ``tags``: what it is called in lists and on
    its page, and words to find it by.
    """

    out: str | None
    on: str | None
    quiet: bool
    name: str | None
    tags: Sequence[str]


class Result:
    """The folder of an experiment. Tables are read from it when they are asked for."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment

    @property
    def folder(self) -> str:
        """Path or address."""
        return self._experiment.out

    @property
    def manifest(self) -> dict[str, Any]:
        """Command, arguments, versions, status."""
        return self._experiment.manifest

    @property
    def failed(self) -> dict[str, str]:
        """Last line of the error of every task that failed."""
        return self._experiment.failed

    @property
    def results(self) -> pa.Table:
        """The main table, ``results.parquet``; its columns are in ``twin <command> --help`` and the
        report."""
        return self.table("results")

    def table(self, name: str) -> pa.Table:
        """A table of the folder by the stem of its file, such as ``course`` or ``replicates``."""
        return self._experiment.store.read_table(f"{name}.parquet")

    def report(self) -> str:
        """Where the report is: one HTML file."""
        return f"{self.folder}/report.html"

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The main table, for every library that speaks the Arrow protocol."""
        return self.results.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"{self._experiment.command} of {self._experiment.scenario.name} in {self.folder}"


def _made(scenario: Scenario, command: str, args: Mapping[str, Any], where: Where) -> Experiment:
    out = where.get("out") or str(free_folder(scenario.name, command))
    with naming.giving(where.get("name"), where.get("tags", ())):
        return Experiment(out, command, args, scenario, where.get("quiet", True))


def compare(
    scenario: Source,
    policies: Sequence[str] = (),
    *,
    at: str | None = None,
    replicates: int = 20,
    share: float | None = None,
    of: str = "consumers",
    axes: Mapping[str, str] | None = None,
    **where: Unpack[Where],
) -> Result:
    """What policies do to both sides: worlds forked at ``at`` (a time since the start or a date;
    half-way by default), and continued without and with each policy file. Without any, the
    scenario's own policies are one branch, against the same world without them; that is forked by
    default when the first of them takes effect.

    ``share``: also give each policy to this share of ``of``, in a branch of its own, as an A/B test
    would. ``axes``: metrics of the report's map, ``{"x": "creator_income{by=ai}", "y":
    "satisfaction_mean"}``.
    """
    # Settings reach a file only: a loaded scenario is taken as it is
    found = scenario_of(scenario, (trial.SETTING,) if share else ())
    if share and "trials" not in found.mechanisms:
        raise UsageError("share: the scenario has no trials (load it with trials__enabled=True)")
    # All that can be refused is checked before the folder is made
    if policies:
        fork = forks.fork_time(at, found)
        plans = [forks.planned(policy, fork, found) for policy in policies]
    else:
        fork, found, plan = forks.own(at, found)
        plans = [plan]
    forks.distinct(plans)
    check_axes(found, axes or {})
    args: dict[str, Any] = {
        "policies": [asdict(plan) for plan in plans],
        "at_s": fork,
        "replicates": replicates,
    }
    # Arguments say which experiment a folder holds, so only those that were asked for
    if share:
        shared = [asdict(trial.shared(plan, share, of, found)) for plan in plans]
        args |= {"shared": shared, "share": share, "of": of}
    made = _made(found, "compare", args, where)
    made.remark(
        [*remarks(found), *itertools.chain(*(forks.idle_in(plan, found) for plan in plans))]
    )
    if axes:
        # Not an argument: the map may be drawn on other axes without another experiment
        made.manifest["axes"] = dict(axes)
    comparing.resume(made, where.get("on"))
    return Result(made)


def sweep(
    scenario: Source,
    vary: Sequence[str],
    *,
    method: design.Method | None = None,
    points: int = 32,
    replicates: int = 1,
    **where: Unpack[Where],
) -> Result:
    """A scenario at many points of a parameter space. ``vary``: levels ``"recommender.dim=4,16"``
    or ranges ``"recommender.diversity=0..1"`` (``:log`` for a logarithmic one); ``method``: grid,
    lhs or sobol (default: grid if all are levels, else lhs)."""
    found = scenario_of(scenario)
    wanted = [design.parse(text) for text in vary]
    way: design.Method = method or ("grid" if all(each.levels for each in wanted) else "lhs")
    args = {"vary": list(vary), "method": way, "points": points, "replicates": replicates}
    planned(found, args)
    made = _made(found, "sweep", args, where)
    paths = [each.path for each in wanted]
    made.remark(
        [*remarks(found), *(note for path in paths if (note := varied(found, path, paths)))]
    )
    sweeping.resume(made, where.get("on"))
    return Result(made)


def audit(
    scenario: Source,
    *,
    at: str | None = None,
    method: str = "steps",
    replicates: int = 8,
    steps: Sequence[str] = (),
    budget: int | None = None,
    **where: Unpack[Where],
) -> Result:
    """Which engineering settings exert force, and on whom. ``method``: ``steps`` one at a time
    (only those whose name contains one of ``steps``), or all levers together by ``morris`` or
    ``sobol``, with ``budget`` trajectories (10) or points (64)."""
    found = scenario_of(scenario)
    fork = forks.fork_time(at, found)
    taken = chosen(steps)
    args: dict[str, Any] = {
        "at_s": fork,
        "replicates": replicates,
        "steps": list(steps),
        "method": method,
    }
    # A budget for methods that have one; steps run as often as there are steps
    if method != "steps":
        args["budget"] = budget or (10 if method == "morris" else 64)
        levers.check(found, args)
    made = _made(found, "audit", args, where)
    made.remark([*remarks(found), *turning.too_late(found, taken, fork)])
    auditing.resume(made, where.get("on"))
    return Result(made)


class Effort(TypedDict, total=False):
    """How hard a stress test looks: worlds drawn, worlds searched for failure, fresh seeds for the
    worst and the best."""

    worlds: int
    search: int
    confirm: int


EFFORT = Effort(worlds=64, search=32, confirm=8)


def stress(
    scenario: Source,
    policy: str,
    goals: Sequence[str],
    *,
    ranges: Sequence[str] = (),
    at: str | None = None,
    effort: Effort | None = None,
    **where: Unpack[Where],
) -> Result:
    """In which plausible worlds a policy misses a goal. ``goals``: ``"effect(satisfaction_mean) >=
    0"``; ``ranges``: what is not known, ``"audience.return_effect=0.2..1.8:log"`` (default: a table
    of assumptions about people)."""
    found = scenario_of(scenario)
    fork = forks.fork_time(at, found)
    plan = forks.planned(policy, fork, found)
    wanted = parse_goals(tuple(goals), found)
    unknown = list(ranges) or uncertain.standard(found)
    given = uncertain.read(unknown, found, plan.policies)
    uncertain.check(found, given)
    args = {
        "policy": asdict(plan),
        "goals": [goal.text for goal in wanted],
        "uncertain": unknown,
        "at_s": fork,
        **EFFORT,
        **(effort or {}),
    }
    made = _made(found, "stress", args, where)
    paths = [each.vary.path for each in given]
    made.remark(
        [
            *remarks(found),
            *forks.idle_in(plan, found),
            *(note for path in paths if (note := varied(found, path, paths))),
        ]
    )
    # Also if quiet: a note qualifies what the result means
    for note in (note for each in given for note in each.notes):
        click.echo(f"note: {note}", err=True)
    stressing.resume(made, where.get("on"))
    return Result(made)


def open_experiment(folder: str) -> Result:
    """What an experiment left in a folder or at an address. Raises twin.UsageError if there is
    none."""
    return Result(commands.opened(folder, quiet=True, to_read=True))
