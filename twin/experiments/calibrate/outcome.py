"""The files that a calibration leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from twin.experiments.calibrate import prior
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.ensemble import Array
from twin.experiments.calibrate.fit import Fit
from twin.experiments.experiment import Experiment
from twin.observing.daily import QUANTITIES, daily, level
from twin.observing.folder import Observed
from twin.scenario.yamlish import write_text

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantiles of a forecast: medians and the central 50, 80 and 95 %."""
POSTERIOR = pa.schema(
    [
        ("draw", pa.int64()),
        ("parameter", pa.string()),
        ("value", pa.string()),
        ("share", pa.float64()),
    ]
)
FORECAST = pa.schema(
    [
        ("quantity", pa.string()),
        ("day", pa.date32()),
        ("ahead_d", pa.int64()),
        *((f"q{level:g}", pa.float64()) for level in LEVELS),
    ]
)
RESULTS = pa.schema(
    [
        ("statistic", pa.string()),
        ("observed", pa.float64()),
        ("prior_10", pa.float64()),
        ("prior_90", pa.float64()),
        ("posterior_10", pa.float64()),
        ("posterior_90", pa.float64()),
        ("z", pa.float64()),
    ]
)


def write(
    experiment: Experiment, worlds: Bank, found: Fit, observed: Observed, place: str = ""
) -> None:
    """Write everything but the report, at ``place`` (ends with a slash) in the folder."""
    until = observed.last
    yaml = calibrated(worlds, found, until, "../" * place.count("/"))
    experiment.store.write(f"{place}calibrated.yaml", yaml.encode())
    experiment.table(f"{place}posterior.parquet", posterior(worlds, found))
    ahead = pa.Table.from_pylist(forecast(found, observed), FORECAST)
    experiment.table(f"{place}forecast.parquet", ahead)
    rows = [
        {
            "statistic": each.name,
            "observed": each.observed,
            "prior_10": each.prior[0],
            "prior_90": each.prior[1],
            "posterior_10": each.posterior[0],
            "posterior_90": each.posterior[1],
            "z": each.z,
        }
        for each in found.checks
    ]
    experiment.table(f"{place}results.parquet", pa.Table.from_pylist(rows, RESULTS))


def medians(worlds: Bank, found: Fit) -> dict[str, str]:
    """Posterior medians of the parameters, as ``--set`` takes them."""
    middle = np.median(found.shares(), axis=0)
    return {
        each.vary.path: each.vary.at(float(share))
        for each, share in zip(worlds.given, middle, strict=True)
    }


def calibrated(worlds: Bank, found: Fit, until: dt.date, up: str) -> str:
    """The scenario of the calibration, as a file that extends it: what the platform's log
    identified. The rest stays what it was, and is named."""
    identified = found.held.identified
    tree: dict[str, object] = {}
    known: dict[str, str] = {}
    for (path, value), told in zip(medians(worlds, found).items(), identified, strict=True):
        if not told:
            continue
        place = tree
        *parents, leaf = path.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})  # type: ignore[assignment]
        place[leaf] = value
        known[path] = value
    worlds.calendar.write(tree, worlds.scenario, known)
    rest = [each.vary.path for each, told in zip(worlds.given, identified, strict=True) if not told]
    head = [
        f"# Posterior medians of a calibration to what was observed until {until}.",
        "# Draws of the whole posterior are in posterior.parquet beside this file.",
    ]
    if worlds.calendar.used:
        head.append("# Days have the shape of the log's week: audience.calendar.")
    if rest:
        head.append(f"# Not identified, and left as they were: {', '.join(rest)}.")
    body = {"extends": f"{up}scenario.yaml", "name": "calibrated", "mechanisms": tree}
    return "\n".join(head) + "\n" + write_text(body)


def posterior(worlds: Bank, found: Fit) -> pa.Table:
    """Equally weighted draws."""
    shares = found.shares()
    rows = [
        {
            "draw": draw,
            "parameter": each.vary.path,
            "value": text.partition("=")[2],
            "share": float(share),
        }
        for draw, point in enumerate(shares)
        for each, text, share in zip(
            worlds.given, prior.texts(worlds.given, point), point, strict=True
        )
    ]
    return pa.Table.from_pylist(rows, POSTERIOR)


def forecast(
    found: Fit, observed: Observed, last: dt.date | None = None
) -> list[dict[str, object]]:
    """Quantiles of what is to come, on the platform's own scale: shares, and amounts a day; of days
    up to ``last``, else all."""
    until, seen = observed.last, daily(observed)
    most = found.days if last is None else min(found.days, (last - until).days)
    made: list[dict[str, object]] = []
    for name in QUANTITIES:
        for ahead in range(1, most + 1):
            day = until + dt.timedelta(days=ahead)
            draws = found.column(name, day)
            if draws is None:
                continue
            values = quantiles(shown(name, draws, seen[name], until))
            made.append({"quantity": name, "day": day, "ahead_d": ahead, **values})
    return made


def quantiles(values: Array) -> dict[str, float]:
    """Of draws, at LEVELS, as the columns of a forecast."""
    found = np.quantile(values, LEVELS)
    return {f"q{at:g}": float(value) for at, value in zip(LEVELS, found, strict=True)}


def shown(name: str, draws: Array, days: Mapping[dt.date, float], until: dt.date) -> Array:
    """Draws of a quantity, as people read them, on the scale of a platform that had ``days``."""
    return QUANTITIES[name].shown(draws + level(days, until))
