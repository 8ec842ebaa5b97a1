"""The report of `twin forecasts make`: what was forecast, experiment by experiment."""

from __future__ import annotations

from collections.abc import Sequence

from twin.experiments import page as reporting
from twin.experiments.experiment import Experiment
from twin.experiments.forecasts import words
from twin.experiments.forecasts.catalogue import experiment as registered
from twin.experiments.forecasts.document import Answer
from twin.experiments.forecasts.words import Read
from twin.experiments.page import Cell, Column, Report, Section, Summary


def write(experiment: Experiment, found: Sequence[Read]) -> None:
    """Write ``report.html``."""
    quick = bool(experiment.manifest["args"]["quick"])
    page = Report(
        title="Forecasts of field experiments",
        lead="Small worlds, to see that all runs: no forecast." if quick else "",
        summary=[
            Summary(
                head["id"],
                [
                    [(f"{head['title']}: ", ""), (_counts(answers), "flat")],
                    [(registered(head["id"]).design, "")],
                ],
            )
            for head, answers in found
        ],
        sections=[_section(head["id"], head["title"], answers) for head, answers in found],
        methods=[
            (
                "Worlds",
                f"{experiment.manifest['args']['worlds']} an experiment: seeds times draws of what "
                f"is assumed, by Latin hypercube. Quantiles and shares are over worlds.",
            ),
            *reporting.usual_methods(experiment),
        ],
        notices=reporting.failures(experiment),
    )
    reporting.write(experiment, page)


def _counts(answers: Sequence[Answer]) -> str:
    lacks = sum(bool(each.cannot) for each in answers)
    return f"{len(answers) - lacks} of {len(answers)} outcomes are forecast"


def _section(id: str, title: str, answers: Sequence[Answer]) -> Section:
    says = {each.id: each.says for each in registered(id).outcomes}
    columns: list[Column[Answer]] = [
        Column("Outcome", lambda each: Cell(f"{each.id} {says[each.id]}"), numeric=False),
        Column("Form", lambda each: Cell(each.form), numeric=False),
        Column("SESOI", lambda each: Cell(f"{each.sesoi:g}", each.sesoi)),
        Column("Median", lambda each: _median(each)),
        Column("90 % of worlds", lambda each: Cell(words.said(each)[1]), numeric=False),
        Column("Below / null / above", lambda each: Cell(words.said(each)[2]), numeric=False),
        Column("Why not", lambda each: Cell(each.cannot), numeric=False),
    ]
    table = reporting.tabulated(columns, answers)
    return Section(id.lower(), f"{id} {title}", table=table, short=id)


def _median(each: Answer) -> Cell:
    return Cell(words.said(each)[0], each.quantiles[2] if each.quantiles else None)
