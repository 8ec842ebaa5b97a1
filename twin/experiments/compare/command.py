"""What policies do to both sides: every replicate runs to the fork once, and continues without and
with each policy.

results.parquet     one row per branch and series, over the last window (four weeks, or all that
                    lies after the fork): effect with interval, its size, n, p and q, the
                    correlation of the two branches, what the pairing gained, and the time from
                    which on it shows (of effects that are distinguishable from noise)
groups.parquet      the same for groups of creators and of consumers: who gains, who loses
course.parquet      the same week by week after the fork
before.parquet      what each series did in the four weeks before the fork: its pace, and how far
                    that would take it (see `twin.experiments.compare.measures`)
replicates.parquet  the pairs themselves, over the last window and over the week that ends thirty
                    days after the fork
verdicts.json       see `twin.record.verdicts`
report.html         see `twin.experiments.compare.report`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import forks
from twin.experiments.compare import groups, measures, trial, verdicts
from twin.experiments.compare import report as compare_report
from twin.experiments.compare.rows import (
    GROUPS,
    MONTH,
    SCHEMA,
    WEEK,
    Row,
    name_of,
    read_biases,
    read_groups,
)
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch, Plan
from twin.experiments.words import SIDES, signed
from twin.readers.text import human
from twin.record import verdicts as verdict_file

LOOK = 4
"""Weeks before the fork that show whether a series was at rest; two at least, all of them after the
start."""


def resume(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, print the results, write tables and report."""
    args = experiment.manifest["args"]
    branches = [forks.stored(Plan(**each), experiment) for each in args["policies"]]
    shared = [forks.stored(Plan(**each), experiment) for each in args.get("shared", ())]
    rows, facts = run(
        experiment,
        branches,
        int(args["at_s"]),
        int(args["replicates"]),
        on,
        shared,
        str(args.get("of", "")),
    )
    described = {branch.name: branch.describe for branch in branches}
    experiment.store.write_json(
        verdict_file.NAME, verdict_file.plain(verdicts.found(rows, described))
    )
    # before the report, which reads these facts in the manifest
    experiment.finish("done", **facts)
    experiment.conclude(
        [
            *lines(rows),
            *groups.lines(read_groups(experiment)),
            *trial.lines(read_biases(experiment)),
        ],
        report,
    )


def report(experiment: Experiment, **axes: str) -> None:
    """Write the report again. ``axes``: metrics of the two-sided map, x for producers and y for
    consumers. Raises UsageError for an unknown one."""
    # axes asked for now win over those that the experiment keeps
    compare_report.write(experiment, {**experiment.manifest.get("axes", {}), **axes})


def run(
    experiment: Experiment,
    branches: Sequence[Branch],
    fork_at: int,
    replicates: int,
    on: str | None,
    shared: Sequence[Branch] = (),
    of: str = "",
) -> tuple[list[Row], dict[str, Any]]:
    """Do what is left to do and write the tables; effects of all branches, in order, and in how
    many worlds each took effect.

    ``shared``: one branch for each of ``branches``, with its policies for a share ``of`` a table;
    see `trial`.
    """
    scenario, numbers = experiment.scenario, range(replicates)
    # results are named by place in this list: a resume has to make the same one
    ways = [Branch(BASE), *branches, *shared]
    experiment.run(forks.tasks(scenario, fork_at, numbers, ways), on)
    early_end = min(fork_at + MONTH, scenario.duration)
    # weeks first, the two windows behind them, where `measures.WINDOWS` finds them
    bins = [
        *forks.weeks(fork_at, scenario.duration),
        # the week that ends thirty days after the fork, or with a shorter run
        (max(fork_at, early_end - WEEK), early_end),
        forks.last_window(fork_at, scenario.duration),
    ]
    forked = forks.read(experiment, fork_at, numbers, ways, bins)
    rows, by_group = (
        [row for branch in branches for row in measures.rows_of(forked, branch.name, shown)]
        for shown in (measures.outcomes(forked), measures.groups(forked))
    )
    experiment.table("course.parquet", measures.course(forked, branches, experiment))
    experiment.table("replicates.parquet", measures.pairs(forked, branches))
    experiment.table(
        "results.parquet", pa.Table.from_pylist([asdict(row) for row in rows], schema=SCHEMA)
    )
    experiment.table(GROUPS, pa.Table.from_pylist([asdict(row) for row in by_group], schema=SCHEMA))
    _write_before(experiment, fork_at, numbers)
    if shared:
        # the scenario's own policies for a share come first
        number = 1 + sum(
            policy.share is not None and policy.of == of for policy in scenario.policies
        )
        tests = [
            trial.Given(whole.name, part.name, of, number)
            for whole, part in zip(branches, shared, strict=True)
        ]
        experiment.table("trials.parquet", trial.table(trial.biases(forked, tests)))
    return rows, {
        "took_effect": {
            branch.name: measures.took_effect(forked, branch.name) for branch in branches
        }
    }


def _write_before(experiment: Experiment, fork_at: int, numbers: Sequence[int]) -> None:
    """Write ``before.parquet``, where at least two whole weeks lie before the fork: a pace needs
    two points."""
    scenario = experiment.scenario
    # oldest first; whole weeks after the start only
    earlier = [
        (fork_at - k * WEEK, fork_at - (k - 1) * WEEK)
        for k in range(LOOK, 0, -1)
        if k * WEEK <= fork_at
    ]
    if len(earlier) > 1:
        # from the fork to the middle of the window that effects are read over
        ahead = sum(forks.last_window(fork_at, scenario.duration)) // 2 - fork_at
        # trunks have kept these readings: nothing has to run for them
        base = forks.read(experiment, fork_at, numbers, [Branch(BASE)], earlier)
        experiment.table("before.parquet", measures.before(base, ahead))


def lines(rows: Sequence[Row]) -> list[str]:
    """What the terminal shows: effects of each branch on what matters most, by side, with
    intervals."""
    made = []
    for branch in dict.fromkeys(row.branch for row in rows):
        mine = [row for row in rows if row.branch == branch]
        made += ["", f"{branch}: {verdicts.lead(mine)}"]
        for side, name in SIDES.items():
            shown = [row for row in mine if row.side == side and row.reported and row.n > 1]
            if shown:
                made.append(f"  {name}")
                made += [f"    {_line(row)}" for row in shown]
    return [*made, "", verdicts.NOTE]


def _line(row: Row) -> str:
    start = f"{name_of(row):32s} {human(row.base):>8s} -> {human(row.value):8s}"
    if row.untouched:
        return f"{start} untouched, to the last bit"
    percent = row.percent(row.effect)
    share = f"{percent:+.1f} %".replace("-", "−") if np.isfinite(percent) else ""
    return (
        f"{start} {share:>9s}  {signed(row.effect):>9s} "
        f"{f'[{signed(row.low)}, {signed(row.high)}]':22s} q {row.q:<7.2g} "
        f"{row.verdict or row.standing}"
    )
