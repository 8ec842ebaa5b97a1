"""What policies do to both sides: every replicate runs to the fork once and goes on without and
with each policy.

results.parquet     one row per branch and series, over the last window (four weeks, or all that
                    lies after the fork): effect with interval, its size, n, p and q, the
                    correlation of the two branches, what the pairing gained, and the time from
                    which on it shows (of effects that are told from noise)
course.parquet      the same week by week after the fork
before.parquet      what each series did in the four weeks before the fork: its pace, and how far
                    that would take it (see `_before`)
replicates.parquet  the pairs themselves, over the last window and over the week that ends thirty
                    days after the fork
report.html         see `twin.experiments.compare.report`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import effects, forks
from twin.experiments.compare import report as compare_report
from twin.experiments.compare import trial
from twin.experiments.compare.rows import (
    _NUMBERS,
    EARLY,
    LAST,
    MONTH,
    SCHEMA,
    SIDES,
    WEEK,
    Row,
    name_of,
    number,
    read_biases,
)
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, TREATMENTS, Branch, Forked, Plan
from twin.ground.units import at
from twin.readers.text import human
from twin.world.metric import Metric, label_text

LOOK = 4
"""Weeks before the fork that say whether a series was at rest; two at least, all of them after the
start."""


def resume(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, tell it, write results and report."""
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
    experiment.finish("done", **facts)
    experiment.conclude([*lines(rows), *trial.lines(read_biases(experiment))], report)


def report(experiment: Experiment, **axes: str) -> None:
    """Write the report anew. ``axes``: metrics of the two-sided map, x for producers and y for
    consumers."""

    chosen = {**experiment.manifest.get("axes", {}), **axes}
    compare_report.write(experiment, chosen)


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
    many worlds each took hold.

    ``shared``: one branch for each of ``branches``, with its policies for a share ``of`` a table;
    see `trial`.
    """
    scenario, numbers = experiment.scenario, range(replicates)
    ways = [Branch(BASE), *branches, *shared]
    experiment.run(forks.tasks(scenario, fork_at, numbers, ways), on)
    early_end = min(fork_at + MONTH, scenario.duration)
    bins = [
        *forks.weeks(fork_at, scenario.duration),
        (max(fork_at, early_end - WEEK), early_end),
        forks.last_window(fork_at, scenario.duration),
    ]
    forked = forks.read(experiment, scenario, fork_at, numbers, ways, bins)
    rows = [row for branch in branches for row in rows_of(forked, branch.name)]
    experiment.table("course.parquet", _course(forked, branches, experiment))
    experiment.table("replicates.parquet", _pairs(forked, branches))
    experiment.table(
        "results.parquet", pa.Table.from_pylist([asdict(row) for row in rows], schema=SCHEMA)
    )
    if (
        earlier := [
            (fork_at - k * WEEK, fork_at - (k - 1) * WEEK)
            for k in range(LOOK, 0, -1)
            if k * WEEK <= fork_at
        ]
    )[1:]:
        ahead = sum(forks.last_window(fork_at, scenario.duration)) // 2 - fork_at
        experiment.table(
            "before.parquet",
            _before(forks.read(experiment, scenario, fork_at, numbers, ways[:1], earlier), ahead),
        )
    if shared:
        pairs = [(whole.name, part.name, of) for whole, part in zip(branches, shared, strict=True)]
        experiment.table("trials.parquet", trial.table(trial.biases(forked, pairs)))
    return rows, {
        "took_effect": {branch.name: _took_effect(forked, branch.name) for branch in branches}
    }


def _before(forked: Forked, ahead: int) -> pa.Table:
    """The pace of every outcome in the weeks before the fork (least squares on weekly means, per
    replicate; the interval over replicates), per 30 days, and ``moves``: how far it would take the
    series from the fork to the middle of the last window.
    """
    weekly = forked.of[BASE]
    week = np.arange(weekly.shape[1]) - (weekly.shape[1] - 1) / 2
    per_second = np.einsum("rws,w->rs", weekly, week) / (week @ week) / WEEK
    pace = effects.paired(per_second, np.zeros_like(per_second))
    shown = outcomes(forked)
    numbers = {
        name: each[shown] * MONTH
        for name, each in (("pace", pace.effect), ("low", pace.low), ("high", pace.high))
    }
    return pa.table(
        {
            "metric": [forked.rows[i][0].name for i in shown],
            "labels": [label_text(forked.rows[i][1]) for i in shown],
            **numbers,
            "moves": pace.effect[shown] * ahead,
            "n": pace.n[shown],
        }
    )


def _took_effect(forked: Forked, branch: str) -> int:
    """In how many worlds a policy of the branch was in force at some time (one that waits for a
    condition may never be)."""
    place = next(
        (i for i, (metric, _) in enumerate(forked.rows) if metric.name == TREATMENTS[0]), None
    )
    more = (
        forked.of[branch][:, :, place] > forked.of[BASE][:, :, place]
        if place is not None
        else np.zeros((0, 1))
    )
    return int(more.any(1).sum())


def outcomes(forked: Forked) -> list[int]:
    """Places of the series that are outcomes."""
    return [i for i, (metric, _) in enumerate(forked.rows) if forks.outcome(metric)]


def rows_of(forked: Forked, branch: str) -> list[Row]:
    """Effects of a branch over the last window, one row per outcome."""
    y, x = forked.of[branch], forked.of[BASE]
    last, weekly = effects.paired(y[:, -1], x[:, -1]), effects.paired(y[:, :-2], x[:, :-2])
    shown = outcomes(forked)
    since = effects.appears(weekly.low, weekly.high)
    tested = np.where(
        (last.effect == 0) & (last.low == 0) & (last.high == 0), np.nan, last.p
    )  # untouched: no test was made
    q = np.full(len(forked.rows), np.nan)
    q[shown] = effects.discoveries(tested[shown])
    made = []
    for i in shown:
        metric, labels = forked.rows[i]
        numbers = {
            name: float({"p": tested, "q": q}.get(name, getattr(last, name, q))[i])
            for name in _NUMBERS
        }
        sure = bool(q[i] < 1 - effects.LEVEL)
        made.append(
            Row(
                branch,
                metric.name,
                label_text(labels),
                metric.side,
                _unit(metric),
                metric.good,
                metric.headline,
                int(last.n[i]),
                **numbers,
                appears_s=forked.bins[since[i]][0] if sure and since[i] >= 0 else None,
            )
        )
    return made


def _unit(metric: Metric) -> str:
    return f"{metric.unit}/d" if metric.kind == "counter" else metric.unit


def _course(forked: Forked, branches: Sequence[Branch], experiment: Experiment) -> pa.Table:
    """Rows in the order branch, series, week; ``time`` is the end of the week."""
    shown = outcomes(forked)
    weeks = forked.bins[:-2]
    start = experiment.scenario.start
    parts = []
    for branch in branches:
        weekly = effects.paired(forked.of[branch.name][:, :-2], forked.of[BASE][:, :-2])
        columns: dict[str, Any] = {
            "branch": [branch.name] * len(shown) * len(weeks),
            "metric": [forked.rows[i][0].name for i in shown for _ in weeks],
            "labels": [label_text(forked.rows[i][1]) for i in shown for _ in weeks],
            "time": [at(start, end) for _ in shown for _, end in weeks],
            "week": [k for _ in shown for k in range(len(weeks))],
        }
        for name in (
            "base",
            "value",
            "effect",
            "low",
            "high",
            "correlation",
            "gain",
            "narrower",
            "n",
        ):
            columns[name] = getattr(weekly, name)[:, shown].T.ravel()
        parts.append(pa.table(columns))
    return pa.concat_tables(parts).combine_chunks()


def _pairs(forked: Forked, branches: Sequence[Branch]) -> pa.Table:
    """Rows in the order branch, window, series, replicate."""
    shown = outcomes(forked)
    n = len(forked.of[BASE])
    parts = []
    for branch in branches:
        for window, name in ((-1, LAST), (-2, EARLY)):
            parts.append(
                pa.table(
                    {
                        "branch": [branch.name] * len(shown) * n,
                        "window": [name] * len(shown) * n,
                        "metric": [forked.rows[i][0].name for i in shown for _ in range(n)],
                        "labels": [label_text(forked.rows[i][1]) for i in shown for _ in range(n)],
                        "replicate": list(range(n)) * len(shown),
                        "base": forked.of[BASE][:, window, shown].T.ravel(),
                        "value": forked.of[branch.name][:, window, shown].T.ravel(),
                    }
                )
            )
    return pa.concat_tables(parts).combine_chunks()


def lines(rows: Sequence[Row]) -> list[str]:
    """What the terminal says: effects of each branch on what matters most, by side, with
    intervals."""
    made = []
    for branch in dict.fromkeys(row.branch for row in rows):
        mine = [row for row in rows if row.branch == branch]
        tested = sum(row.p == row.p for row in mine)
        made += [
            "",
            f"{branch}: {sum(row.sure for row in mine)} of {tested} series that it touches differ "
            f"beyond noise",
        ]
        for side, name in SIDES.items():
            told = [row for row in mine if row.side == side and row.reported and row.n > 1]
            if told:
                made.append(f"  {name}")
                made += [f"    {_line(row)}" for row in told]
    sure = f"{effects.LEVEL:.0%}"
    return [
        *made,
        "",
        f"[ ]: {sure} interval of this series alone. q: share of false alarms among all series as "
        f"sure as this "
        f"(Benjamini-Hochberg); beyond noise: q < {1 - effects.LEVEL:.2g}.",
    ]


def _line(row: Row) -> str:
    start = f"{name_of(row):32s} {human(row.base):>8s} -> {human(row.value):8s}"
    if row.untouched:
        return f"{start} untouched, to the last bit"
    percent = row.percent(row.effect)
    share = f"{percent:+.1f} %".replace("-", "−") if np.isfinite(percent) else ""
    return (
        f"{start} {share:>9s}  {number(row.effect):>9s} "
        f"{f'[{number(row.low)}, {number(row.high)}]':22s} q {row.q:<7.2g} "
        f"{row.verdict or 'may be noise'}"
    )
