"""The frame of every experiment's report: one HTML page that opens offline, pictures first, a
summary in words on top.

A `Report` is a summary, sections with pictures (Bokeh models) and perhaps a table, and the methods.
Commands give its content; how it looks is the template
``experiment.html``, in the style of a run's report. All text is escaped, wherever it came from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from twin.experiments.experiment import Experiment
from twin.experiments.work.tasks import SCENARIO
from twin.readers.embedding import bokeh, embedded
from twin.readers.text import human, span

Words = Sequence[tuple[str, str]]
"""A sentence in parts: words and their tone (``good``, ``bad``, ``flat`` or empty)."""
TONES = {"better": "good", "worse": "bad"}
"""The tone of a verdict; what is neither has none."""
HINT = "Only rows with these words"
Row = TypeVar("Row")


@dataclass(frozen=True)
class Summary:
    """Sentences of the summary under one name, with the colour that the pictures give it, and what
    it is."""

    name: str
    items: Sequence[Words]
    colour: str = ""
    what: str = ""


@dataclass(frozen=True)
class Picture:
    """A Bokeh model with what stands above and below it; ``key`` is an id for HTML (letters,
    digits, ``-``)."""

    key: str
    title: str
    model: Any
    help: str = ""


@dataclass(frozen=True)
class Group:
    """Pictures side by side: ``width`` empty (narrow), ``wide`` or ``whole``; ``quiet`` says in
    lines what is not drawn."""

    pictures: Sequence[Picture]
    heading: str = ""
    width: str = ""
    quiet: str = ""


@dataclass(frozen=True)
class Cell:
    """What a table shows; ``key`` is the number that it is sorted by, None for text."""

    text: str
    key: float | None = None
    tone: str = ""


@dataclass(frozen=True)
class DataTable:
    """A table that can be sorted and searched: columns (words, whether numbers), rows of cells."""

    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Cell]]
    hint: str = HINT


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a table: its heading, and its cell for a row; ``numeric`` columns are set
    flush right."""

    heading: str
    cell: Callable[[Row], Cell]
    numeric: bool = True


@dataclass(frozen=True)
class Section:
    """A heading, what to know before looking, pictures, and perhaps a table; ``short`` is its name
    in the bar above, if another, and ``figure`` HTML that its maker has escaped."""

    id: str
    name: str
    lead: str = ""
    sentences: Sequence[str] = ()
    groups: Sequence[Group] = ()
    table: DataTable | None = None
    short: str = ""
    figure: Markup = field(default_factory=Markup)


@dataclass(frozen=True)
class Report:
    """A whole report. ``under`` are lines below the title, ``notices`` warnings, ``note`` how to
    read the summary, ``methods`` rows of the last box."""

    title: str
    lead: str
    summary: Sequence[Summary]
    sections: Sequence[Section]
    methods: Sequence[tuple[str, str]]
    under: Sequence[str] = field(default=())
    notices: Sequence[str] = field(default=())
    note: str = ""


def tabulated(columns: Sequence[Column[Row]], rows: Iterable[Row], hint: str = HINT) -> DataTable:
    """A table of rows of any kind: every column states its heading and its cell in one place."""
    return DataTable(
        [(column.heading, column.numeric) for column in columns],
        [[column.cell(row) for column in columns] for row in rows],
        hint,
    )


def left_out(name: str, what: str, left: Sequence[tuple[str, str]]) -> Section:
    """A section that lists what was left out, with the reasons; ``what`` heads its names."""
    columns: list[Column[tuple[str, str]]] = [
        Column(what, lambda each: Cell(each[0]), numeric=False),
        Column("Why", lambda each: Cell(each[1]), numeric=False),
    ]
    table = tabulated(columns, left) if left else None
    return Section("left", name, "" if left else "None.", table=table)


def write(experiment: Experiment, page: Report, place: str = "") -> None:
    """Write ``report.html`` of an experiment's folder, at ``place`` (ends with a slash) in it."""
    if named := experiment.naming.name:
        page = replace(page, title=f"{named} ({page.title})")
    experiment.store.write(
        f"{place}report.html",
        render(page, experiment.store.read(SCENARIO).decode(), experiment.manifest).encode(),
    )


def render(page: Report, scenario: str, manifest: Mapping[str, Any]) -> str:
    """The page as HTML."""
    drawn = embedded(
        {
            section.id: {
                picture.key: picture.model for group in section.groups for picture in group.pictures
            }
            for section in page.sections
        }
    )
    jinja = Environment(
        loader=PackageLoader("twin.readers"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return jinja.get_template("experiment.html").render(
        title=page.title,
        lead=page.lead,
        under=page.under,
        notices=[*manifest.get("remarks", []), *page.notices],
        note=page.note,
        summary=page.summary,
        sections=page.sections,
        methods=page.methods,
        scenario=scenario,
        version=manifest["versions"]["twin"],
        divs=drawn.divs,
        parts=drawn.parts,
        bokeh=bokeh("bokeh-widgets"),
    )


def number(value: float, unit: str = "1", shown: str | None = None, tone: str = "") -> Cell:
    """A number as a cell; ``shown`` if its text is another than what `human` gives."""
    return Cell(human(value, unit) if shown is None else shown, value, tone)


def percent(value: float, signed: bool = True) -> str:
    """A value in percent, as short as makes sense: ``+3.2 %``, ``−41 %`` (with a space at which no
    line breaks)."""
    if not math.isfinite(value):
        return ""
    text = (
        f"{value:+.0f}"
        if abs(value) >= 10
        else f"{value:+.1f}"
        if abs(value) >= 0.1 or value == 0
        else f"{value:+.1g}"
    )
    return (text if signed else text.lstrip("+-")).replace("-", "−") + "\u00a0%"


def between(low: str, high: str) -> str:
    """An interval of numbers as text, with one unit: ``[−3, +2 %]``."""
    return f"[{low.rstrip('%').strip()}, {high}]"


def listed(names: Iterable[str]) -> str:
    """``a, b and c``."""
    every = list(names)
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def failures(experiment: Experiment) -> list[str]:
    """A notice if tasks failed."""
    failed: Mapping[str, str] = experiment.manifest.get("failed", {})
    if not failed:
        return []
    first = next(iter(failed.items()))
    return [
        f"{len(failed)} of the runs failed three times and are left out, with their errors in "
        f"failed/ (the first: {first[0]}: {first[1]})"
    ]


def usual_methods(experiment: Experiment) -> list[tuple[str, str]]:
    """Rows that every report has: seeds, versions, time."""
    manifest = experiment.manifest
    versions = ", ".join(f"{name} {number}" for name, number in manifest["versions"].items())
    return [
        (
            "Computing",
            f"{span(float(manifest.get('wall_s', 0.0)))} of wall-clock time; nothing computed "
            f"depends on it",
        ),
        ("Versions", versions),
        ("Digest of the scenario", str(manifest["scenario_digest"])[:16]),
    ]
