"""The files that a calibration leaves."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

from twin.experiments.calibrate import prior
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.fit import RELATIVE, Fit
from twin.experiments.experiment import Experiment
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


def write(experiment: Experiment, worlds: Bank, found: Fit, until: dt.date) -> None:
    """Write everything but the report."""
    experiment.store.write("calibrated.yaml", calibrated(worlds, found, until).encode())
    experiment.table("posterior.parquet", posterior(worlds, found))
    experiment.table("forecast.parquet", pa.Table.from_pylist(forecast(found, until), FORECAST))
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
    experiment.table("results.parquet", pa.Table.from_pylist(rows, RESULTS))


def medians(worlds: Bank, found: Fit) -> dict[str, str]:
    """Posterior medians of the parameters, as ``--set`` takes them."""
    middle = np.median(found.shares(), axis=0)
    return {
        each.vary.path: each.vary.at(float(share))
        for each, share in zip(worlds.given, middle, strict=True)
    }


def calibrated(worlds: Bank, found: Fit, until: dt.date) -> str:
    """The scenario of the calibration, as a file that extends it: what the platform's log
    identified. The rest stays what it was, and is named."""
    identified = found.held.identified[: len(worlds.given)]
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
    body = {"extends": "scenario.yaml", "name": "calibrated", "mechanisms": tree}
    return "\n".join(head) + "\n" + write_text(body)


def posterior(worlds: Bank, found: Fit) -> pa.Table:
    """Equally weighted draws."""
    shares = np.clip(found.shares(), 0.0, 1.0)
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


def forecast(found: Fit, until: dt.date) -> list[dict[str, object]]:
    """Quantiles of what was to come: rates as shares; people and impressions as multiples of their
    mean until the day."""
    made: list[dict[str, object]] = []
    for place, name in enumerate(found.worlds.quantities):
        quantity, on, day = name.rpartition(" on ")
        if place < len(found.parameters) or not on:
            continue
        values = np.quantile(found.draws[:, place], LEVELS)
        shown = np.exp(values) if quantity in RELATIVE else 1 / (1 + np.exp(-values))
        when = dt.date.fromisoformat(day)
        made.append(
            {
                "quantity": quantity,
                "day": when,
                "ahead_d": (when - until).days,
                **{f"q{level:g}": float(value) for level, value in zip(LEVELS, shown, strict=True)},
            }
        )
    return made
