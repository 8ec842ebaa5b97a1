"""The report of advice: what is recommended, effects on both sides, days with and without each
policy, and how it went once that is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from twin.experiments import page as reporting
from twin.experiments.calibrate import pictures
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE
from twin.experiments.page import Cell, Column, Group, Picture, Report, Section, Summary
from twin.experiments.recommend import actual, words
from twin.experiments.recommend.actual import Actual
from twin.experiments.recommend.advice import Advice, Effect, best
from twin.experiments.words import SIDES, series_name, signed
from twin.ground.units import in_percent
from twin.observing.folder import Observed
from twin.running.folder import slug

TONES = {"better": "good", "worse": "bad"}


def write(
    experiment: Experiment,
    observed: Observed,
    made: Sequence[Advice],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Write ``report.html``; ``rows`` of ``forecast.parquet``."""
    args = experiment.manifest["args"]
    last = max(row["day"] for row in rows)
    known = actual.read(experiment)
    page = Report(
        title="Advice",
        lead=f"What a calibrated model says of {len(made)} policies from {min(row['day'] for row in rows)} on",
        summary=[
            *([Summary("How it went", [[(actual.verdict(known), "")]])] if known else []),
            Summary(
                "What to do", [[(words.verdict(made, last), "good" if best(made) else "flat")]]
            ),
            *(
                Summary(
                    each.policy.capitalize(),
                    [
                        [(words.chances(each), "good" if each.recommended else "flat")],
                        [(f"To see that it works: {words.see(each.measure, last)}", "flat")],
                    ],
                )
                for each in made
            ),
        ],
        sections=[
            *([went(known)] if known else []),
            *(effects(each) for each in made),
            *(days(observed, rows, name) for name in (BASE, *(each.policy for each in made))),
        ],
        methods=[
            ("Calibration", f"{args['calibrated']}, until {args['until']}"),
            (
                "Worlds",
                f"{args['worlds']} of its bank, each forked on the next day without and with each "
                f"policy; the same luck in all arms",
            ),
            ("Goals", "; ".join(args["goals"])),
            (
                "Effects",
                "means after the fork with a policy less those without, given what was observed of "
                "the platform by the update of the calibration; 80 % intervals",
            ),
            ("It sets", "; ".join(f"{each.policy}: {each.describe}" for each in made)),
            *reporting.usual_methods(experiment),
        ],
        notices=reporting.failures(experiment),
    )
    reporting.write(experiment, page)


def effects(each: Advice) -> Section:
    """Effects of a policy on both sides."""
    columns: list[Column[Effect]] = [
        Column(
            "Series",
            lambda one: Cell(series_name(one.metric.name, one.labels)),
            numeric=False,
        ),
        Column("Side", lambda one: Cell(SIDES[one.metric.side]), numeric=False),
        Column("Effect", lambda one: Cell(signed(one.quantiles[2]), float(one.quantiles[2]))),
        Column("In percent", lambda one: Cell(reporting.percent(one.percent), one.percent)),
        Column(
            "80 %",
            lambda one: Cell(f"{signed(one.quantiles[1])} .. {signed(one.quantiles[3])}"),
            numeric=False,
        ),
        Column("For its side", _direction, numeric=False),
        Column("80 % held", lambda one: Cell(in_percent(one.held), one.held)),
    ]
    summarised = set(map(id, words.reported(each)))
    ordered = sorted(each.effects, key=lambda one: id(one) not in summarised)
    return Section(
        f"effects-{slug(each.policy)}",
        f"{each.policy.capitalize()}: effects",
        "Means from the fork to the end of the forecast, headline series first. 80 % held: how "
        "often the interval did, with every world in turn as the truth.",
        table=reporting.tabulated(columns, ordered),
        short=each.policy,
    )


def _direction(one: Effect) -> Cell:
    said = words.direction(one)
    return Cell(said, None, TONES.get(said.partition(",")[0], ""))


def days(observed: Observed, rows: Sequence[Mapping[str, Any]], policy: str) -> Section:
    """Fans of the platform's days under a policy."""
    own = [row for row in rows if row["policy"] == policy]
    # what is foretold may not have been observed yet
    before = observed.until(min(row["day"] for row in own) - dt.timedelta(days=1))
    made = pictures.fans(before, own, observed)
    what = "without a policy" if policy == BASE else policy
    return Section(
        f"days-{slug(policy)}",
        f"Days, {what}",
        "Dark dots: known. Shades: the central 50, 80 and 95 % of what is foretold.",
        groups=[
            Group([Picture(f"{key}-{slug(policy)}", title, model) for key, title, model in made])
        ],
        short=f"days {what}",
    )


def went(known: Actual) -> Section:
    """What was foretold of the days since, beside what came."""
    columns: list[Column[actual.Row]] = [
        Column("Quantity", lambda one: Cell(one.quantity), numeric=False),
        Column("Days", lambda one: Cell(str(one.days), one.days)),
        Column("Observed", lambda one: Cell(f"{one.observed:.3g}", one.observed)),
        Column("Foretold with it, 80 %", lambda one: Cell(words.fan(one.with_)), numeric=False),
        Column("Without it", lambda one: Cell(words.fan(one.without)), numeric=False),
        Column("Days inside 80 %", lambda one: Cell(in_percent(one.held), one.held)),
    ]
    return Section(
        "actual",
        f"How {known.policy} went",
        f"Means of the days from {known.since} to {known.until}, on the platform's own scale.",
        table=reporting.tabulated(columns, known.rows),
        short="How it went",
    )
