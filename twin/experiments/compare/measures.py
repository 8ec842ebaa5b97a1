"""What a comparison measures: effects over the last window, week by week, before the fork, and the
pairs themselves, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import effects, forks
from twin.experiments.compare.rows import EARLY, LAST, MONTH, NUMBERS, WEEK, Row
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, TREATMENTS, Branch, Forked
from twin.experiments.words import daily_unit
from twin.ground.units import at
from twin.world.metric import label_text

WINDOWS = {LAST: -1, EARLY: -2}
"""Where the two windows of pairs stand among the bins, behind the weeks."""
WEEKLY = ("base", "value", "effect", "low", "high", "correlation", "gain", "narrower", "n")
"""What ``course.parquet`` holds of every week."""


def outcomes(forked: Forked) -> list[int]:
    """Places of the series that are outcomes."""
    return [i for i, (metric, _) in enumerate(forked.rows) if forks.outcome(metric)]


def groups(forked: Forked) -> list[int]:
    """Places of the means by group (`twin.mechanisms.groups`)."""
    return [i for i, (metric, _) in enumerate(forked.rows) if metric.split]


def rows_of(forked: Forked, branch: str, shown: Sequence[int]) -> list[Row]:
    """Effects of a branch over the last window on the series at these places, one row each; q
    corrects for all of them."""
    y, x = forked.of[branch], forked.of[BASE]
    # the two windows stand behind the weeks, see WINDOWS
    last, weekly = effects.paired(y[:, -1], x[:, -1]), effects.paired(y[:, :-2], x[:, :-2])
    since = effects.appears(weekly.low, weekly.high)
    # what is untouched was not tested, and must not count among the tests that q corrects for
    untouched = (last.effect == 0) & (last.low == 0) & (last.high == 0)
    tested = np.where(untouched, np.nan, last.p)
    q = np.full(len(forked.rows), np.nan)
    # only these are tested: others would weaken their correction
    q[shown] = effects.discoveries(tested[shown])
    made = []
    for i in shown:
        metric, labels = forked.rows[i]
        numbers = {
            # p and q as corrected here, all else as `effects` found it
            name: float({"p": tested, "q": q}.get(name, getattr(last, name, q))[i])
            for name in NUMBERS
        }
        sure = effects.established(q[i])
        made.append(
            Row(
                branch=branch,
                metric=metric.name,
                labels=label_text(labels),
                side=metric.side,
                unit=daily_unit(metric),
                good=metric.good,
                headline=metric.headline,
                n=int(last.n[i]),
                **numbers,
                # the begin of the week; what is not established never shows
                appears_s=forked.bins[since[i]][0] if sure and since[i] >= 0 else None,
            )
        )
    return made


def course(forked: Forked, branches: Sequence[Branch], experiment: Experiment) -> pa.Table:
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
        for name in WEEKLY:
            # turned to (series, weeks): the reader's reshape relies on this order
            columns[name] = getattr(weekly, name)[:, shown].T.ravel()
        parts.append(pa.table(columns))
    return pa.concat_tables(parts).combine_chunks()


def pairs(forked: Forked, branches: Sequence[Branch]) -> pa.Table:
    """Rows in the order branch, window, series, replicate."""
    shown = outcomes(forked)
    n = len(forked.of[BASE])
    parts = []
    for branch in branches:
        for name, window in WINDOWS.items():
            parts.append(
                pa.table(
                    {
                        "branch": [branch.name] * len(shown) * n,
                        "window": [name] * len(shown) * n,
                        "metric": [forked.rows[i][0].name for i in shown for _ in range(n)],
                        "labels": [label_text(forked.rows[i][1]) for i in shown for _ in range(n)],
                        "replicate": list(range(n)) * len(shown),
                        # turned to (series, replicates), for the same reason as weeks in `course`
                        "base": forked.of[BASE][:, window, shown].T.ravel(),
                        "value": forked.of[branch.name][:, window, shown].T.ravel(),
                    }
                )
            )
    return pa.concat_tables(parts).combine_chunks()


def before(forked: Forked, ahead: int) -> pa.Table:
    """The pace of every outcome in the weeks before the fork (least squares on weekly means, per
    replicate; the interval over replicates), per 30 days, and ``moves``: how far it would take the
    series from the fork to the middle of the last window.
    """
    weekly = forked.of[BASE]
    # centred, so that the least-squares slope is a weighted sum over weeks
    week = np.arange(weekly.shape[1]) - (weekly.shape[1] - 1) / 2
    per_second = np.einsum("rws,w->rs", weekly, week) / (week @ week) / WEEK
    # one slope a replicate, against zero: the interval is over replicates
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


def took_effect(forked: Forked, branch: str) -> int:
    """In how many worlds a policy of the branch was in force at some time; one that waits for a
    condition may never be."""
    place = next(
        (i for i, (metric, _) in enumerate(forked.rows) if metric.name == TREATMENTS[0]), None
    )
    more = (
        # more than without it, as the scenario may have policies of its own
        forked.of[branch][:, :, place] > forked.of[BASE][:, :, place]
        if place is not None
        else np.zeros((0, 1))
    )
    return int(more.any(1).sum())
