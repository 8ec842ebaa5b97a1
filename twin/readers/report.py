"""The report of a run: one HTML file that opens offline: headlines, each side's story and pictures,
tables, the resolved scenario.

Everything follows from the metric declarations, so a new mechanism's metrics appear by themselves
(see `twin.readers.panels` for the order and `twin.readers.story` for the sentences). Values
compared are means over a week: the first (or, under policies, the week before the first of them)
and the last. All text of the scenario is escaped.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bokeh.document import Document
from bokeh.embed import components
from bokeh.resources import Resources
from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup
from numpy.typing import NDArray

from twin.readers.panels import Picture, chapters, title, tone, unit
from twin.readers.pictures import (
    MARKS_NAMED,
    Frame,
    Mark,
    courses,
    distribution,
    drawn_marks,
    heat_map,
    moments_of,
    spark,
    styled,
    time_range,
)
from twin.readers.story import WEEK, Windows, mean, story
from twin.readers.text import change, human, short, span
from twin.record.results import Metrics, load_events, load_manifest, load_metrics

SIDES = {
    "producer": (
        "Who makes: creators",
        "What the platform does to the people, and the machines, that make posts.",
    ),
    "consumer": (
        "Who watches: consumers",
        "What people are shown, what they do with it, and whether they were glad of it.",
    ),
    "platform": (
        "The platform",
        "The feed, the model and its embedding tables: the settings that look like plain "
        "engineering.",
    ),
    "chatbot": (
        "Chatbots",
        "Sessions with a personal assistant over months: trust, expectation, what is disclosed and "
        "what is feared.",
    ),
}
RARE = 40.0
"""Events per day below which a course is drawn as a weekly mean."""
POLICY_KINDS = ("policy", "condition")


def _weekly(times: NDArray[np.datetime64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the week before each reading."""
    known = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    first = np.searchsorted(times, times - WEEK, "right")
    last = np.arange(1, len(times) + 1)
    n = count[last] - count[first]
    mean: NDArray[np.float64] = np.divide(
        total[last] - total[first], n, out=np.full(len(times), np.nan), where=n > 0
    )
    return mean


def policies_in_force(events: Sequence[tuple[dt.datetime, str, str]]) -> list[Mark]:
    """When which policy took effect, of all events of a run."""
    return [
        (when, text.partition(": ")[0])
        for when, kind, text in events
        if kind in POLICY_KINDS and not text.endswith(": ended")
    ]


def write_report(folder: Path) -> Path:
    """Write ``report.html`` of a run folder, finished or not. Raises UsageError if it is not a
    run."""
    manifest, metrics, events = load_manifest(folder), load_metrics(folder), load_events(folder)
    marks = policies_in_force(events)
    windows = Windows(metrics, marks)
    figures: dict[str, Any] = {}
    page = {
        "manifest": manifest,
        "cards": cards(metrics, windows),
        "baseline": windows.name,
        "marks": _bundled(marks),
        "numbered": len(marks) > MARKS_NAMED,
        "glance": _glance(metrics, windows, marks, figures),
        "sections": _sections(metrics, marks, windows, figures),
        "rows": _rows(metrics, windows),
        "events": events,
        "facts": _facts(manifest, metrics),
        "scenario": (
            text := (folder / "scenario.yaml").read_text()
            if (folder / "scenario.yaml").exists()
            else ""
        ),
        "waiting": _waiting(text, [name for _, name in marks])
        if manifest.get("status") == "done"
        else [],
        "period": _period(metrics),
    }
    document = Document()
    with document.models.freeze():  # else every figure added walks all before it
        for drawn in figures.values():
            document.add_root(drawn)
    script, divs = components(figures) if figures else ("", {})
    document.clear()  # lets go of the formatters that all figures share
    jinja = Environment(
        loader=PackageLoader("twin.readers"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = jinja.get_template("report.html").render(
        **page,
        divs={name: Markup(div) for name, div in divs.items()},
        script=Markup(script),
        bokeh=Markup(Resources(mode="inline", components=["bokeh"]).render_js()),
    )
    path = folder / "report.html"
    work = path.with_name("report.html.part")
    work.write_text(html)
    work.replace(path)
    return path


def _waiting(scenario: str, held: list[str]) -> list[tuple[str, str]]:
    """Policies that waited for a condition which never came: name and condition."""
    plan = (yaml.safe_load(scenario) or {}).get("policies") or []
    named = [
        (
            policy.get("name")
            or ", ".join(f"{lever}={value}" for lever, value in policy["set"].items()),
            policy.get("when"),
        )
        for policy in plan
    ]
    return [(name, when) for name, when in named if when and name not in held]


def _period(metrics: Metrics) -> str:
    if not len(metrics.times):
        return "nothing was read yet"
    first, last = (each.astype(dt.datetime) for each in (metrics.times[0], metrics.times[-1]))
    return f"{first:%d %B %Y} to {last:%d %B %Y}"


def cards(metrics: Metrics, windows: Windows) -> list[dict[str, Any]]:
    """Headline numbers by side: before, after, change, and points of a small course."""
    made = []
    for side, (name, _) in SIDES.items():
        shown = []
        for metric in metrics.declared.values():
            if metric.side == side and metric.headline:
                for label, values in metrics.lines(metric.name):
                    before, after = windows.values(values)
                    shown.append(
                        {
                            "title": title(metric, label),
                            "unit": unit(metric),
                            "help": metric.help,
                            "before": human(before, metric.unit),
                            "after": human(after, metric.unit),
                            "change": change(before, after),
                            "tone": tone(metric, before, after),
                            "good": {"up": "more is better", "down": "less is better"}.get(
                                metric.good, ""
                            ),
                            "spark": spark(values),
                        }
                    )
        if shown:
            made.append({"title": name, "cards": shown})
    return made


def _glance(
    metrics: Metrics, windows: Windows, marks: list[Mark], figures: dict[str, Any]
) -> list[dict[str, str]]:
    """Both sides' headline metrics on one scale: percent of the baseline week."""
    made = []
    x_range = time_range(metrics)
    frame = Frame(x_range, drawn_marks(marks, x_range))
    first = (
        windows.start_of_before - 4 * WEEK
    )  # how a run settles at first would flatten all that comes later
    scale_from = int((metrics.times < first).sum())
    for side in ("producer", "consumer"):
        lines = []
        for metric in metrics.declared.values():
            if metric.side == side and metric.headline:
                for label, values in metrics.lines(metric.name):
                    before, _ = windows.values(values)
                    if np.isfinite(before) and before > 0:
                        lines.append(
                            (
                                title(metric, label),
                                (_weekly(metrics.times, values) / before - 1) * 100,
                            )
                        )
        if lines and len(metrics.times) > 1:
            name = f"glance_{side}"
            drawn = styled([(words, "") for words, _ in lines], [values for _, values in lines])
            figures[name] = courses(
                metrics.times,
                drawn,
                "% change",
                frame,
                height=320,
                zero_line=True,
                scale_from=scale_from,
            )
            made.append({"id": name, "title": SIDES[side][0], "help": " ".join(figures[name].tags)})
    return made


def _sections(
    metrics: Metrics, marks: list[Mark], windows: Windows, figures: dict[str, Any]
) -> list[dict[str, Any]]:
    sections = []
    moments = _moments(metrics, marks, windows)
    for side, (name, lead) in SIDES.items():
        shown, silent = [], []
        x_range = time_range(metrics)
        frame = Frame(x_range, drawn_marks(marks, x_range))
        for number, chapter in enumerate(chapters(metrics, side) if len(metrics.times) > 1 else []):
            pictures = [
                one
                for picture in chapter.pictures
                for one in _pictures(metrics, picture, moments, frame, figures)
            ]
            if pictures:
                shown.append(
                    {
                        "id": f"{side}-{number}",
                        "heading": chapter.heading,
                        "quiet": chapter.quiet,
                        "pictures": pictures,
                    }
                )
            else:
                silent.append({"heading": chapter.heading, "quiet": chapter.quiet})
        if shown or silent:
            sections.append(
                {
                    "id": side,
                    "title": name,
                    "lead": lead,
                    "story": story(metrics, side, windows, marks),
                    "chapters": shown,
                    "silent": silent,
                }
            )
    return sections


def _moments(
    metrics: Metrics, marks: list[Mark], windows: Windows
) -> list[tuple[str, dt.datetime]]:
    if not len(metrics.times):
        return []
    utc = dt.UTC
    start = windows.start.astype("datetime64[s]").astype(dt.datetime).replace(tzinfo=utc)
    first, last = (metrics.times[k].astype(dt.datetime).replace(tzinfo=utc) for k in (0, -1))
    middle = marks[0][0] if marks else first + (last - first) / 2
    return [
        ("start", start),
        (f"before {short(marks[0][1], 22)}" if marks else "middle", middle),
        ("end", last),
    ]


def _pictures(
    metrics: Metrics,
    picture: Picture,
    moments: list[tuple[str, dt.datetime]],
    frame: Frame,
    figures: dict[str, Any],
) -> list[dict[str, str]]:
    metric = picture.metrics[0]
    alone = len(picture.metrics) == 1
    words = (
        metric.help if alone else " ".join(f"{title(one)}: {one.help}" for one in picture.metrics)
    )
    if picture.series:
        names = [
            (title(one.metric), one.label.removeprefix(picture.within)) for one in picture.series
        ]
        lines = styled(
            names,
            [one.values for one in picture.series],
            [error.values if error else None for error in picture.errors],
        )
        if _rare(metrics, picture):
            lines = [replace(line, values=_weekly(metrics.times, line.values)) for line in lines]
            words += " Drawn as the mean over a week."
        figures[picture.key] = courses(metrics.times, lines, unit(metric), frame)
        words = " ".join([words, *figures[picture.key].tags])
        if any(picture.errors):
            words += " The band is two standard errors."
        return [{"id": picture.key, "title": picture.title, "help": words}]
    if not alone:
        last = [
            (title(one), found[-1][1])
            for one in picture.metrics
            if (found := moments_of(metrics, one, moments))
        ]
        figures[picture.key] = distribution(metric, last)
        return [
            {
                "id": picture.key,
                "title": picture.title,
                "help": f"{words} Shares of all at the end.",
            }
        ]
    figures[picture.key] = distribution(metric, moments_of(metrics, metric, moments))
    figures[f"{picture.key}_time"] = heat_map(metrics, metric, frame)
    return [
        {
            "id": picture.key,
            "title": picture.title,
            "help": f"{words} Shares of all at three moments.",
        },
        {
            "id": f"{picture.key}_time",
            "title": f"{picture.title}, over time",
            "help": "Darker: a larger share in that bin.",
        },
    ]


def _rare(metrics: Metrics, picture: Picture) -> bool:
    """Whether a picture counts events so few per day that only luck would be seen, over months."""
    return (
        picture.metrics[0].kind == "counter"
        and len(metrics.times) > 1
        and bool(metrics.times[-1] - metrics.times[0] > 8 * WEEK)
        and max(mean(one.values) for one in picture.series) < RARE
    )


def _bundled(marks: list[Mark]) -> list[tuple[str, str]]:
    return [(f"{when:%d %B %Y}", text) for when, text in marks]


def _rows(metrics: Metrics, windows: Windows) -> list[dict[str, str]]:
    rows = []
    for side, (name, _) in SIDES.items():
        for metric in metrics.declared.values():
            if metric.side == side and metric.kind != "histogram":
                for label, values in metrics.lines(metric.name):
                    before, after = windows.values(values)
                    known = values[np.isfinite(values)]
                    first = float(known[0]) if len(known) else float("nan")
                    rows.append(
                        {
                            "side": name,
                            "metric": title(metric, label),
                            "unit": unit(metric),
                            "first": human(first, metric.unit),
                            "before": human(before, metric.unit),
                            "after": human(after, metric.unit),
                            "change": change(before, after),
                            "tone": tone(metric, before, after),
                        }
                    )
    return rows


def _facts(manifest: dict[str, Any], metrics: Metrics) -> list[tuple[str, str]]:
    facts = [
        ("Scenario", str(manifest["name"])),
        ("Seed", f"{manifest['seed']}, replicate {manifest['replicate']}"),
        ("Readings", f"{len(metrics.times):,} of {metrics.values.shape[1]:,} series"),
    ]
    if "sessions" in manifest:
        facts += [
            ("Sessions", f"{manifest['sessions']:,}"),
            ("Wall-clock time", span(manifest["wall_s"])),
            ("Memory", f"{manifest['memory_mb']:,.0f} MB"),
        ]
    if manifest["reference"] or manifest["oracle"]:
        facts.append(
            (
                "Mode",
                "reference (one process per consumer)"
                if manifest["reference"]
                else "oracle: the feed ranks by true enjoyment, an upper reference",
            )
        )
    facts.append(
        ("Versions", ", ".join(f"{name} {number}" for name, number in manifest["versions"].items()))
    )
    facts.append(("Digest of the scenario", manifest["scenario_digest"][:16]))
    return facts
