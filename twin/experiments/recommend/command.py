"""`twin recommend`: which of some policies to apply to a platform, by a calibrated model of it.

worlds/N/            arms of world N of the calibration's bank, see `twin.experiments.work.tasks`
policies/            the policies
results.parquet      effects on all series that a policy touches: quantiles of the posterior
forecast.parquet     days without and with each policy, as `twin calibrate` has them
draws.parquet        the same days as draws, which what comes later is held against
actual.json          how it went, once `twin sync --advice` has seen it
report.html          the same to look at
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import forks
from twin.experiments.calibrate import again, command, outcome
from twin.experiments.calibrate.again import Calibration
from twin.experiments.calibrate.fit import Fit
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Plan
from twin.experiments.recommend import advice, arms, words
from twin.experiments.recommend import report as report_page
from twin.experiments.recommend.advice import QUANTILES, Advice
from twin.experiments.recommend.arms import Asked
from twin.experiments.stress.goals import parse_goals
from twin.experiments.words import daily_unit, without_axes
from twin.ground.units import DAY, format_duration
from twin.observing.daily import daily, level
from twin.scenario.describe import as_file
from twin.scenario.loading import Scenario, load

RESULTS = pa.schema(
    [
        ("policy", pa.string()),
        ("metric", pa.string()),
        ("labels", pa.string()),
        ("side", pa.string()),
        ("unit", pa.string()),
        ("good", pa.string()),
        ("base", pa.float64()),
        *((f"q{level:g}", pa.float64()) for level in QUANTILES),
        ("better", pa.float64()),
        ("held_80", pa.float64()),
    ]
)
FORECAST = pa.schema([("policy", pa.string()), *outcome.FORECAST])
DRAWS = pa.schema(
    [
        ("policy", pa.string()),
        ("quantity", pa.string()),
        ("ahead_d", pa.int64()),
        ("draw", pa.int64()),
        ("value", pa.float64()),
    ]
)


def worlds_of(of: Calibration, args: Mapping[str, Any]) -> Scenario:
    """The bank's scenario with as many days as are simulated, on which policies are checked."""
    with as_file(of.bank.scenario) as path:
        end = asked(of, args, ()).last
        days = (end - of.bank.scenario.start).days + 1
        return load(path, (f"duration={format_duration(days * DAY)}",))


def opened(args: Mapping[str, Any]) -> Calibration:
    """The calibration that is asked, with what its platform was observed to do."""
    return again.opened(args["calibrated"], args["on"], quiet=True)


def asked(of: Calibration, args: Mapping[str, Any], files: Sequence[str]) -> Asked:
    """What is run."""
    until = dt.date.fromisoformat(args["until"])
    last = until + dt.timedelta(days=int(args["ahead_d"]))
    return Asked(of.bank, until, last, files, int(args["worlds"]))


def resume(experiment: Experiment, on: str | None) -> None:
    """Run the worlds that are left, and advise."""
    args = experiment.manifest["args"]
    of = opened(args)
    plans = [Plan(**each) for each in args["policies"]]
    for plan in plans:
        forks.stored(plan, experiment)
    wanted = asked(of, args, [plan.file for plan in plans])
    experiment.run(wanted.tasks(), on, "worlds")
    found, made = advised(experiment, of, wanted, on)
    write(experiment, of, wanted, (found, made))
    best = advice.best(made)
    experiment.finish("done", recommended=best.policy if best else None)
    experiment.conclude(words.lines(made, wanted.last), _report(of, made))


def advised(
    experiment: Experiment, of: Calibration, wanted: Asked, on: str | None
) -> tuple[Fit, list[Advice]]:
    """The posterior of all arms, and what it says of each policy."""
    args = experiment.manifest["args"]
    more = arms.more(experiment, wanted)
    known, where = of.observed.until(wanted.until), (on, experiment)
    found = command.fitted(of.experiment, known, of.bank, wanted.until, where, more)
    goals = parse_goals(args["goals"], experiment.scenario)
    levels = {name: level(days, wanted.until) for name, days in daily(known).items()}
    made = []
    for arm, plan in enumerate(args["policies"], 1):
        kept = advice.kept(found, goals, arm)
        told = zip((goal.text for goal in goals), kept.mean(0).tolist(), strict=True)
        made.append(
            Advice(
                plan["name"],
                plan["describe"],
                tuple(told),
                float(kept.all(1).mean()),
                advice.effects(found, experiment.scenario.series(), arm),
                advice.measure(found, levels, arm, wanted.days),
            )
        )
    return found, made


def write(
    experiment: Experiment, of: Calibration, wanted: Asked, found: tuple[Fit, Sequence[Advice]]
) -> None:
    """Write the tables."""
    fit, made = found
    rows = [
        {
            "policy": each.policy,
            "metric": effect.metric.name,
            "labels": effect.labels,
            "side": effect.metric.side,
            "unit": daily_unit(effect.metric),
            "good": effect.metric.good,
            "base": float(np.median(effect.base)),
            **{
                f"q{at:g}": float(value)
                for at, value in zip(QUANTILES, effect.quantiles, strict=True)
            },
            "better": effect.better,
            "held_80": effect.held,
        }
        for each in made
        for effect in each.effects
    ]
    experiment.table("results.parquet", pa.Table.from_pylist(rows, RESULTS))
    platform = daily(of.observed.until(wanted.until))
    ahead: list[dict[str, object]] = []
    draws: list[dict[str, object]] = []
    for arm, policy in enumerate([BASE, *(each.policy for each in made)]):
        for name, days in platform.items():
            for lead, day in enumerate(wanted.days, 1):
                values = fit.named(arms.day_of(arm, name, day))
                if values is None:
                    continue
                key = {"policy": policy, "quantity": name, "ahead_d": lead}
                shown = outcome.shown(name, values, days, wanted.until)
                ahead.append({**key, "day": day, **outcome.quantiles(shown)})
                draws += [
                    {**key, "draw": draw, "value": value}
                    for draw, value in enumerate(values.tolist())
                ]
    experiment.table("forecast.parquet", pa.Table.from_pylist(ahead, FORECAST))
    experiment.table("draws.parquet", pa.Table.from_pylist(draws, DRAWS))


def _report(of: Calibration, made: Sequence[Advice]) -> Callable[[Experiment], None]:
    """What writes the report of what was advised, with how it went if that is known."""

    def written(experiment: Experiment) -> None:
        rows = experiment.store.read_table("forecast.parquet").to_pylist()
        report_page.write(experiment, of.observed, made, rows)

    return written


def report(experiment: Experiment, **options: str) -> None:
    """Write the report again. Raises UsageError for options, as this report has none."""
    without_axes("advice has", options)
    args = experiment.manifest["args"]
    of = opened(args)
    files = [Plan(**each).file for each in args["policies"]]
    _, made = advised(experiment, of, asked(of, args, files), None)
    _report(of, made)(experiment)
