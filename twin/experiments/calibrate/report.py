"""The report of a calibration."""

from __future__ import annotations

from twin.experiments import page as reporting
from twin.experiments.calibrate import outcome, pictures, words
from twin.experiments.calibrate.bank import Bank
from twin.experiments.calibrate.coverage import LEAST_RANKS, Coverage
from twin.experiments.calibrate.fit import Check, Fit
from twin.experiments.calibrate.prior import STANDARD
from twin.experiments.experiment import Experiment
from twin.experiments.page import Cell, Column, Group, Picture, Report, Section, Summary
from twin.ground.units import in_percent
from twin.observing.folder import Observed

MEANINGS = {text.partition("=")[0]: what for text, what in STANDARD}


TONES = {"calibrated": "good", "too few worlds to say": "flat"}


def write(
    experiment: Experiment,
    observed: Observed,
    worlds: Bank,
    fitted: tuple[Fit, Coverage],
    place: str = "",
) -> None:
    """Write ``report.html`` of a fit and the coverage of its second opinion, at ``place`` (ends with
    a slash) in the folder."""
    (found, second), args = fitted, experiment.manifest["args"]
    told = found.held.identified
    page = Report(
        title="Calibration",
        lead="A few small worlds, to see that all runs: no calibration."
        if args["quick"]
        else f"What the log until {observed.last} says of {worlds.scenario.name}",
        summary=[
            Summary(
                "Can it be believed?",
                [
                    [
                        (
                            words.believed(found, second),
                            TONES.get(found.held.verdict, "bad"),
                        )
                    ]
                ],
            ),
            Summary(
                "What was identified",
                [
                    [(f"{int(told.sum())} of {len(told)} parameters", "")],
                    *([(each, "flat")] for each in words.missed(found)),
                ],
            ),
            *weekdays(worlds),
        ],
        sections=[
            parameters(worlds, found),
            statistics(found),
            *ahead(observed, found),
            coverage(found, second),
        ],
        methods=[
            ("Worlds", f"{len(found.worlds)}, drawn from the priors by Latin hypercube"),
            ("People of a world", f"{args['people']:,}: fitted and forecast at this size"),
            ("Observed until", str(observed.last)),
            ("Digest of what was read", observed.digest()),
            ("Update", "one closed-form step of the ensemble smoother, errors out of fold"),
            *reporting.usual_methods(experiment),
        ],
        notices=reporting.failures(experiment),
    )
    reporting.write(experiment, page, place)


def weekdays(worlds: Bank) -> list[Summary]:
    """What is said of the shape of the week."""
    lines = worlds.calendar.lines()
    return [Summary("Weekdays", [[(line, "")] for line in lines])] if lines else []


def parameters(worlds: Bank, found: Fit) -> Section:
    """Posterior against prior, by parameter."""
    medians, held = outcome.medians(worlds, found), found.held
    rows = list(enumerate(worlds.given))
    columns: list[Column[tuple[int, object]]] = [
        Column("Parameter", lambda each: Cell(worlds.given[each[0]].vary.path), numeric=False),
        Column(
            "What it is",
            lambda each: Cell(MEANINGS.get(worlds.given[each[0]].vary.path, "")),
            numeric=False,
        ),
        Column("Prior", lambda each: Cell(worlds.given[each[0]].text.partition("=")[2])),
        Column("Median", lambda each: Cell(medians[worlds.given[each[0]].vary.path])),
        Column(
            "Width over prior",
            lambda each: Cell(f"{held.widths[each[0]]:.2f}", float(held.widths[each[0]])),
        ),
        Column(
            "",
            lambda each: Cell("" if held.identified[each[0]] else "not identified"),
            numeric=False,
        ),
    ]
    return Section(
        "parameters",
        "Parameters",
        "Where each parameter lies in its range: grey the prior's central 80 %, dark the "
        "posterior's, with its median.",
        groups=[
            Group(
                [Picture("parameters", "Posterior", pictures.parameters(worlds, found))],
                width="wide",
            )
        ],
        table=reporting.tabulated(columns, rows),
    )


def statistics(found: Fit) -> Section:
    """What the calibrated model says of what was observed."""
    columns: list[Column[Check]] = [
        Column("Statistic", lambda each: Cell(each.name), numeric=False),
        Column("Observed", lambda each: Cell(f"{each.observed:.3g}", each.observed)),
        Column("Prior, 80 %", lambda each: Cell(_range(each.prior)), numeric=False),
        Column("Posterior, 80 %", lambda each: Cell(_range(each.posterior)), numeric=False),
        Column("Off by, sd", lambda each: Cell(f"{each.z:+.1f}", abs(each.z))),
    ]
    return Section(
        "statistics",
        "Does the calibrated model produce what was observed?",
        "Statistics on their own scale (logarithms of amounts, log-odds of shares), worst first. "
        "More than three sd off is more than luck.",
        sentences=[f"Left out, as no world comes near: {', '.join(found.beyond)}."]
        if found.beyond
        else [],
        groups=[
            Group(
                [Picture("checks", "Observed against model", pictures.checks(found))], width="wide"
            )
        ],
        table=reporting.tabulated(columns, found.checks),
    )


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.3g} .. {ends[1]:.3g}"


def ahead(observed: Observed, found: Fit) -> list[Section]:
    """What was to come, if anything was asked for."""
    made = pictures.fans(observed, outcome.forecast(found, observed))
    if not made:
        return []
    return [
        Section(
            "forecast",
            "Forecast",
            "Dots: observed. Shades: the central 50, 80 and 95 % of what was to come. Nothing "
            "after the line was read.",
            groups=[Group([Picture(key, title, model) for key, title, model in made])],
        )
    ]


def coverage(found: Fit, second: Coverage) -> Section:
    """How far it can be believed."""
    held, other = found.held, second.inside(0.8)
    inside = {level: held.inside(level) for level in (0.8, 0.9)}
    uniform = held.uniform
    columns: list[Column[int]] = [
        Column("Parameter", lambda at: Cell(held.quantities[at]), numeric=False),
        Column("80 % held", lambda at: _share(inside[0.8][at])),
        Column("90 % held", lambda at: _share(inside[0.9][at])),
        Column(
            "Ranks uniform, p",
            lambda at: Cell(
                f"{uniform[at]:.2g}",
                float(uniform[at]),
                "bad" if uniform[at] < LEAST_RANKS else "",
            ),
        ),
        Column(
            "Error over prior",
            lambda at: Cell(f"{held.errors[at]:.2f}", float(held.errors[at])),
        ),
        Column(
            "Second opinion, 80 % held",
            lambda at: _share(other[at]),
        ),
    ]
    return Section(
        "coverage",
        "Can it be believed?",
        "Every world of the bank in turn is a truth that the others are asked for.",
        table=reporting.tabulated(columns, [*range(len(held.quantities))]),
    )


def _share(value: float) -> Cell:
    return Cell(in_percent(value), float(value))
