"""The report of a backtest: fan and truth by quantity, scores beside naive ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from twin.experiments import page as reporting
from twin.experiments.backtest import words
from twin.experiments.backtest.scores import LEVELS, Summary
from twin.experiments.calibrate import pictures
from twin.experiments.experiment import Experiment
from twin.experiments.page import Cell, Column, Group, Picture, Report, Section
from twin.experiments.page import Summary as Said
from twin.ground.units import in_percent
from twin.observing.folder import Observed


def write(
    experiment: Experiment,
    observed: Observed,
    found: Sequence[Summary],
    told: Sequence[Mapping[str, Any]],
) -> None:
    """Write ``report.html``: scores, and forecasts (rows of ``forecasts.parquet``)."""
    args = experiment.manifest["args"]
    every = [each for each in found if each.leads == "all"]
    first, *rest = sorted({row["origin"] for row in told})
    page = Report(
        title="Backtest",
        lead=f"What the calibrated model would have foretold, made on {len(rest) + 1} days from "
        f"{first} on from what was known on each, and what came.",
        summary=[
            Said(
                each.quantity.capitalize(),
                [[(words.verdict(each), "good" if each.skill > 0 else "bad")]],
            )
            for each in every
        ],
        sections=[*(fan(observed, told, origin) for origin in (first, *rest)), table(found)],
        methods=[
            ("Calibration", str(args["calibrated"])),
            ("Forecasts", "a refit from the same bank of worlds on each day, by what was known"),
            (
                "Naive",
                "mean, last day, a week ago, mean of the last week, trend: each a normal "
                "distribution with the errors that it made so far",
            ),
            ("Score", "CRPS, of shares as shares and of amounts over their mean until the day"),
            *reporting.usual_methods(experiment),
        ],
        notices=reporting.failures(experiment),
    )
    reporting.write(experiment, page)


def fan(observed: Observed, told: Sequence[Mapping[str, Any]], origin: dt.date) -> Section:
    """One origin: a picture for each quantity."""
    rows = [row for row in told if row["origin"] == origin]
    made = pictures.fans(observed.until(origin), rows, observed)
    return Section(
        f"made-on-{origin}",
        f"Made on {origin}",
        "Dark dots: known then. Shades: the central 50, 80 and 95 % of what was foretold. Red dots: "
        "what came.",
        groups=[Group([Picture(f"{key}-{origin}", title, model) for key, title, model in made])],
        short=str(origin),
    )


def table(found: Sequence[Summary]) -> Section:
    """All scores."""
    columns: list[Column[Summary]] = [
        Column("Quantity", lambda each: Cell(each.quantity), numeric=False),
        Column("Ahead", lambda each: Cell(each.leads), numeric=False),
        Column("Days", lambda each: Cell(str(each.days), each.days)),
        Column("CRPS", lambda each: Cell(f"{each.crps:.3g}", each.crps)),
        Column("Best naive", lambda each: Cell(each.best[0]), numeric=False),
        Column("Its CRPS", lambda each: Cell(f"{each.best[1]:.3g}", each.best[1])),
        Column(
            "Skill",
            lambda each: Cell(
                f"{each.skill:+.0%}", each.skill, "good" if each.skill > 0 else "bad"
            ),
        ),
        Column("Off by", lambda each: Cell(f"{each.error:.3g}", each.error)),
        Column(
            "Nearest naive",
            lambda each: Cell(f"{each.nearest[0]}, {each.nearest[1]:.3g}", each.nearest[1]),
        ),
        *(
            Column[Summary](
                f"{level} % held",
                lambda each, level=level: Cell(  # type: ignore[misc]
                    in_percent(each.held[level]), each.held[level]
                ),
            )
            for level in LEVELS
        ),
    ]
    return Section(
        "scores",
        "Scores",
        "Skill: the share of the best naive forecaster's score that is saved; below zero the model "
        "is worse than naive.",
        table=reporting.tabulated(columns, found),
    )
