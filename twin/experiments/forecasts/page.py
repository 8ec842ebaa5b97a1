"""The page docs/forecasts.md, from the files of a folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from twin.experiments.forecasts import skill, words
from twin.experiments.forecasts.catalogue import IDS, experiment
from twin.experiments.forecasts.declare import FieldExperiment, Status
from twin.experiments.forecasts.truths import DEVELOPMENT
from twin.experiments.forecasts.words import Read

NOTE = "<!-- Written by `twin forecasts make`; a test compares. -->"
STATUS: Mapping[Status, str] = {
    "development": "results are known and may be learned from",
    "in-sample": "its results set parameters of the twin: a check, never a forecast. Single outcomes "
    "of another experiment can be in-sample too",
    "blind": "nobody here knows the results, and nobody may look them up",
    "reserve": "blind too, used if another one leaks",
}


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    every = [list(heads), ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in every]


def text(place: Path) -> str:
    """The page of a folder of forecasts."""
    found = words.folder(place)
    made = [
        NOTE,
        "# Forecasts of field experiments",
        "",
        "What would the twin have said of real experiments, before their results were known? Sixteen "
        "field experiments are registered with their design, the policies that stand for their "
        "arms, and how each outcome is read off a simulated world. The registry is "
        "`twin/experiments/forecasts/registry/`, one file an experiment.",
        "",
        *(f"- **{status}**: {meaning}." for status, meaning in STATUS.items()),
        "",
        "An outcome is a log ratio (rel), a difference in standard deviations (sd; size without its "
        "sign) or in points of 100 (pt). Inside its smallest effect of interest (SESOI) it counts "
        "as null. A forecast is a fan of at least 30 worlds, over seeds and over the ranges of "
        "what is assumed. `twin forecasts make` writes it; the file holds a digest of code, "
        'mapping and worlds. What the twin cannot express is answered "cannot".',
        "",
        "## Registered",
        "",
        *markdown(
            ("id", "experiment", "status", "forecast"),
            [_listed(experiment(id), place.name, found) for id in IDS],
        ),
        "",
        *_section("The development set, scored", found, "development"),
        *_section("In-sample checks", found, "in-sample"),
        *_blind(found),
        "## How forecasts are scored",
        "",
        "Results come in a key file, which is opened once, after the forecasts were committed: "
        "`twin forecasts score --key FILE`. Signs are scored by a Brier score over below, null and "
        "above; sizes by coverage and by the weighted interval score over the larger of SESOI and "
        "standard error. Skill is one less the ratio to a naive forecast: N0 no effect, N1 the mean "
        "effect of the development set by topic, N2 the effect of the nearest experiment. What may "
        "be written follows from a rule fixed beforehand: `twin forecasts score --help`.",
    ]
    return "\n".join(made).rstrip() + "\n"


def _listed(each: FieldExperiment, place: str, found: Mapping[str, Read]) -> list[str]:
    made = "not made yet"
    if each.id in found:
        head, said = found[each.id]
        lacks = sum(bool(answer.cannot) for answer in said)
        made = f"[{head['digest'][:12]}]({place}/{each.id}.json), {head['worlds']} worlds"
        made += f", {lacks} of {len(said)} cannot" if lacks else ""
    return [each.id, each.title, each.standing, made]


def _section(title: str, found: Mapping[str, Read], status: Status) -> list[str]:
    rows = skill.rows(words.of_status(DEVELOPMENT, status), words.answers(found))
    if not rows:
        return []
    result = skill.result(rows)
    below = words.totals(result, check=status == "in-sample")
    made = [f"## {title}", "", *markdown(words.SCORE_HEADS, words.scores(result)), ""]
    return [*made, *(f"- {line}" for line in [*below, *words.sensitivity(rows)]), ""]


def _blind(found: Mapping[str, Read]) -> list[str]:
    rows = []
    for id, (head, each) in found.items():
        if head["status"] not in ("blind", "reserve"):
            continue
        outcomes = {outcome.id: outcome for outcome in experiment(id).outcomes}
        rows += [
            [f"{id}.{answer.id}", outcomes[answer.id].says, answer.form, *words.said(answer)]
            for answer in each
        ]
    if not rows:
        return []
    heads = ("outcome", "what", "form", "median", "90 % of worlds", "below / null / above")
    lead = "Committed before any result was looked at; not scored."
    return ["## Blind forecasts", "", lead, "", *markdown(heads, rows), ""]


def write(place: Path) -> None:
    """Write the page beside a folder: ``docs/forecasts.md`` of ``docs/forecasts``."""
    place.with_suffix(".md").write_text(text(place), encoding="utf-8")
