"""What is shown of forecasts in a terminal: fans, tables of scores, and the sentences below them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twin.experiments.forecasts import document, naive, skill
from twin.experiments.forecasts.catalogue import IDS, experiment
from twin.experiments.forecasts.declare import Status
from twin.experiments.forecasts.document import Answer
from twin.experiments.forecasts.skill import OWN, Result
from twin.experiments.forecasts.truths import DEVELOPMENT, Key, Truth
from twin.ground.errors import UsageError
from twin.ground.units import in_percent

Read = tuple[dict[str, Any], list[Answer]]
"""A forecast's head and answers, see `document.answers`."""


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in columns of equal width; what is empty everywhere is left out."""
    kept = [k for k, _ in enumerate(heads) if any(row[k] for row in rows)]
    every = [[line[k] for k in kept] for line in (heads, *rows)]
    widths = [max(len(line[k]) for line in every) for k, _ in enumerate(kept)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in every
    ]


def folder(place: Path) -> dict[str, Read]:
    """The forecasts of a folder, by experiment."""
    return {
        id: document.answers(place / f"{id}.json") for id in IDS if (place / f"{id}.json").is_file()
    }


def answers(found: Mapping[str, Read]) -> dict[str, list[Answer]]:
    """Answers alone."""
    return {id: each for id, (_, each) in found.items()}


def number(value: float) -> str:
    """Three digits with a sign; a dash for none."""
    return f"{value:+.3g}" if math.isfinite(value) else "-"


def said(answer: Answer) -> list[str]:
    """Median, 90 % interval and probabilities, or that it cannot be said."""
    if answer.cannot:
        return ["cannot", "", ""]
    q = answer.quantiles
    return [
        number(q[2]),
        f"[{number(q[0])}, {number(q[4])}]",
        " / ".join(in_percent(each) for each in answer.p),
    ]


def lines(found: Sequence[Read]) -> list[str]:
    """What `make` prints."""
    made = [""]
    for head, each in found:
        made.append(f"{head['id']}  {head['title']} ({head['status']}), {head['worlds']} worlds")
        checks = experiment(head["id"]).checks
        rows = [
            [
                f"{answer.id}{', in-sample' if answer.id in checks else ''}",
                answer.form,
                *said(answer),
                answer.cannot,
            ]
            for answer in each
        ]
        made += [
            f"   {line}"
            for line in columns(
                ["", "form", "median", "90 % of worlds", "below / null / above", ""], rows
            )
        ]
        if head["quick"]:
            made.append("   quick: small worlds, to see that all runs. This is no forecast.")
        made.append("")
    return made


def scores(found: Result) -> list[list[str]]:
    """Rows of the table of scores: outcome, forecast, result, loss, covered, Brier."""
    made = []
    for row, each in found.scored:
        covered = "-" if each.inside is None else "50 %" if each.inside[0] else "90 %"
        if each.inside is not None and not each.inside[1]:
            covered = "no"
        made.append(
            [
                f"{row.experiment}.{row.outcome.id}",
                row.outcome.form,
                *(["cannot", ""] if row.cannot else said(row.said[OWN])[:2]),
                _result(row.truth),
                covered,
                number(each.loss).lstrip("+"),
                f"{each.brier:.2f}",
                "yes" if each.right else "no",
            ]
        )
    return made


SCORE_HEADS = (
    "outcome",
    "form",
    "median",
    "90 % of worlds",
    "result",
    "within",
    "loss",
    "Brier",
    "likeliest right",
)


def _result(truth: Truth) -> str:
    if not truth.sized:
        return f"sign {' or '.join(truth.category)}"
    return f"{number(truth.y)} (s {truth.s:.2g}{', imputed' if truth.imputed else ''})"


def totals(found: Result, quick: bool = False, check: bool = False) -> list[str]:
    """The sentences below a table of scores. ``quick`` worlds and in-sample ``check``s have none
    that may be written."""
    half, most = found.covered
    nulls, of = found.nulls
    sizes = len(found.sized)
    made = [
        f"Likeliest category right: {found.right} of {found.outcomes}. Nulls called null: {nulls} "
        f"of {of}. Cannot be expressed, and scored as N0: {found.cannot} of {found.outcomes}.",
        f"Sizes inside the 50 % interval: {half} of {sizes}; inside the 90 % interval: {most} of "
        f"{sizes}; median width of the latter {number(found.width).lstrip('+')}.",
        "Brier score (less is better): "
        + ", ".join(f"{name} {found.briers[name]:.3f}" for name in (OWN, *naive.NAMES))
        + ".",
        "Loss of sizes (less is better): "
        + ", ".join(
            f"{name} {number(found.losses[name]).lstrip('+')}" for name in (OWN, *naive.NAMES)
        )
        + ".",
    ]
    if found.skills:
        made.append(
            "Skill with 80 % interval: "
            + ", ".join(
                f"against {each.against} {number(each.value)} [{number(each.low)}, "
                f"{number(each.high)}]"
                for each in found.skills
            )
            + f"; permutation test p = {found.p:.3g}."
        )
    if check:
        why = "Parameters of the twin were fitted to these results: no sentence may be written."
        return [*made, why]
    if quick:
        return [*made, "Quick worlds are no forecast: no sentence may be written."]
    return [*made, f"The sentence that may be written: {found.sentence}."]


def sensitivity(rows: Sequence[skill.Row]) -> list[str]:
    """Skill at half and double the imputed standard errors, where there are any."""
    if not any(row.truth.imputed for row in rows):
        return []
    made = []
    for error, words in ((0.5, "half"), (2.0, "double")):
        found = skill.result(rows, error)
        skills = ", ".join(f"{each.against} {number(each.value)}" for each in found.skills)
        made.append(
            f"At {words} the imputed standard errors: skill against {skills}; inside the 90 % "
            f"interval {found.covered[1]} of {len(found.sized)}."
        )
    return made


def development(found: Mapping[str, Read]) -> list[str]:
    """What `score` prints without a key: the development set. Raises UsageError if none of it was
    forecast."""
    if not set(DEVELOPMENT) & set(found):
        raise UsageError("nothing to score: no experiment of the development set was forecast")
    return scored(DEVELOPMENT, found, "Development set:")


def of_status(key: Key, *wanted: Status) -> dict[str, Mapping[str, Truth]]:
    """Results of outcomes of some status."""
    made: dict[str, Mapping[str, Truth]] = {}
    for id, results in key.items():
        registered = experiment(id)
        status = {each.id: registered.status_of(each) for each in registered.outcomes}
        kept = {name: truth for name, truth in results.items() if status[name] in wanted}
        if kept:
            made[id] = kept
    return made


def scored(key: Key, found: Mapping[str, Read], title: str = "") -> list[str]:
    """What `score` prints: forecasts, and in-sample checks apart. Raises UsageError if no outcome
    is in both."""
    made = []
    forecasts = _part(of_status(key, "development", "blind", "reserve"), found)
    checks = _part(of_status(key, "in-sample"), found, check=True)
    if forecasts:
        made += [[title, *forecasts] if title else forecasts]
    if checks:
        made += [["In-sample checks:", *checks]]
    if not made:
        raise UsageError("nothing to score: no outcome has both a forecast and a result")
    return [line for part in made for line in ("", *part)][1:]


def _part(key: Key, found: Mapping[str, Read], check: bool = False) -> list[str]:
    """Tables and sentences of one part; nothing where no outcome has a forecast."""
    said = answers(found)
    rows, beside = skill.rows(key, said), skill.rows(key, said, primary=False)
    made: list[str] = []
    if rows:
        result = skill.result(rows)
        quick = any(found[id][0]["quick"] for id in {row.experiment for row in rows})
        made += columns(SCORE_HEADS, scores(result))
        made += ["", *totals(result, quick, check), *sensitivity(rows)]
    if beside:
        made += [*([""] if made else []), "Secondary outcomes, not counted:"]
        made += columns(SCORE_HEADS, scores(skill.result(beside)))
    return made
