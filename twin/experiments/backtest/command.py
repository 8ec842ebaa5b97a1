"""`twin backtest`: a calibrated model asked, on days of the past, for the days that followed.

Every origin is a refit from the same bank with what was known then (`Calibration.fit`), so its fan
is that of worlds from the posterior of that day; nothing later is read for it.

results.parquet      scores, see `twin.experiments.backtest.scores`
forecasts.parquet    quantiles by origin, as `twin calibrate` has them
report.html          the same to look at
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from twin.experiments.backtest import report as report_page
from twin.experiments.backtest import scores, words
from twin.experiments.calibrate import again, outcome
from twin.experiments.calibrate.again import Calibration
from twin.experiments.calibrate.command import LEAST_DAYS
from twin.experiments.experiment import Experiment
from twin.experiments.words import without_axes
from twin.ground.errors import UsageError
from twin.observing.daily import Seen, daily

FORECASTS = pa.schema([("origin", pa.date32()), *outcome.FORECAST])


def origins(args: dict[str, Any], of: Calibration) -> list[dt.date]:
    """The days on which forecasts are made. Raises UsageError where there is none."""
    first, earliest = dt.date.fromisoformat(args["from"]), of.observed.days()[LEAST_DAYS - 1]
    if not earliest <= first < of.last:
        raise UsageError(
            f"--from {first}: forecasts can be made and scored from {earliest} to "
            f"{of.last - dt.timedelta(days=1)}"
        )
    step = int(args["every_d"])
    count = ((of.last - first).days - 1) // step + 1
    return [first + dt.timedelta(days=step * at) for at in range(count)]


def horizon(args: dict[str, Any], of: Calibration, origin: dt.date) -> dt.date:
    """The last day that a forecast of an origin is scored on."""
    return min(of.last, origin + dt.timedelta(days=int(args["ahead_d"])))


def resume(experiment: Experiment, on: str | None) -> None:
    """Make and score what is left."""
    args = experiment.manifest["args"]
    of = again.opened(args["calibrated"], args["on"], quiet=True)
    seen = Seen({}, daily(of.observed))
    scored: list[dict[str, Any]] = []
    told: list[dict[str, object]] = []
    for origin in origins(args, of):
        found = of.fit(origin, on, experiment)
        last = horizon(args, of, origin)
        scored += scores.rows(found, seen, origin, last)
        ahead = outcome.forecast(found, of.observed.until(origin), last)
        told += [{"origin": origin, **row} for row in ahead]
    if not scored:
        raise UsageError(f"{args['calibrated']}: no day after --from {args['from']} can be scored")
    experiment.table("forecasts.parquet", pa.Table.from_pylist(told, FORECASTS))
    experiment.table("results.parquet", pa.Table.from_pylist(scored, scores.SCHEMA))
    experiment.finish("done")
    made = scores.summaries(scored)
    experiment.conclude(
        words.lines(made, len({row["origin"] for row in scored})),
        lambda each: report_page.write(each, of.observed, made, told),
    )


def report(experiment: Experiment, **options: str) -> None:
    """Write the report again. Raises UsageError for options, as this report has none."""
    without_axes("a backtest has", options)
    args = experiment.manifest["args"]
    of = again.opened(args["calibrated"], args["on"], quiet=True)
    scored = experiment.store.read_table("results.parquet").to_pylist()
    told = experiment.store.read_table("forecasts.parquet").to_pylist()
    report_page.write(experiment, of.observed, scores.summaries(scored), told)
