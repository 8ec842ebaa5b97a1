"""The report of a run, one HTML file that opens offline. First a page that answers five questions
(`answers`), headlines and who gained and who lost; folded below it each side's story and pictures,
tables, the resolved scenario.

Everything follows from the metric declarations, so the metrics of a new mechanism are included
(see `panels` for the order, `sections` for the pictures and `story` for the sentences). What the
last week is compared with is said in `baseline`. All text of the scenario is escaped.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, select_autoescape

from twin.ground import files
from twin.readers.answers import answers
from twin.readers.baseline import Windows, policies_in_force, without_effect
from twin.readers.chapters import chapters
from twin.readers.embedding import bokeh, embedded
from twin.readers.group_pictures import pictures
from twin.readers.groups import splits
from twin.readers.headlines import SIDES, cards, table_rows
from twin.readers.pictures import MARKS_NAMED, Mark
from twin.readers.sections import glance, sections
from twin.readers.text import span
from twin.record import naming
from twin.record.results import Metrics, load_events, load_manifest, load_metrics


def write_report(folder: Path) -> Path:
    """Write ``report.html`` of a run folder, finished or not. Raises UsageError if it is not a
    run."""
    manifest, metrics, events = load_manifest(folder), load_metrics(folder), load_events(folder)
    named, marks = naming.read(folder), policies_in_force(events)
    windows = Windows(metrics, marks)
    # what all parts of the page are made of is found once
    drawable = len(metrics.times) > 1
    found = {side: chapters(metrics, side) if drawable else [] for side in SIDES}
    groups = {side: splits(metrics, windows, side) for side in ("producer", "consumer")}
    parts: dict[str, dict[str, Any]] = {}
    page = {
        "manifest": manifest,
        "title": named.title(manifest["name"]),
        "cards": cards(metrics, windows),
        "baseline": windows.name,
        "last": windows.last,
        "marks": _bundled(marks),
        "numbered": len(marks) > MARKS_NAMED,
        "answers": answers(found, groups, windows, events, folder.name),
        "glance": glance(metrics, windows, marks, parts.setdefault("glance", {})),
        "who": pictures(metrics, windows, groups, parts.setdefault("who", {})),
        "sections": sections(metrics, found, marks, windows, parts),
        "rows": table_rows(metrics, windows),
        "events": events,
        "facts": _facts(manifest, metrics, named),
        "scenario": (
            text := (folder / "scenario.yaml").read_text(encoding="utf-8")
            if (folder / "scenario.yaml").exists()
            else ""
        ),
        "unchanged": _bundled(without_effect(events)),
        "waiting": _waiting(text, [event.partition(": ")[0] for _, _, event in events])
        if manifest.get("status") == "done"
        else [],
        "period": _period(metrics),
    }
    drawn = embedded(parts)
    jinja = Environment(
        loader=PackageLoader("twin.readers"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = jinja.get_template("report.html").render(
        **page,
        divs=drawn.divs,
        parts=drawn.parts,
        bokeh=bokeh(),
    )
    path = folder / "report.html"
    with files.whole(path) as work:
        work.write_text(html, encoding="utf-8")
    return path


def _waiting(scenario: str, begun: list[str]) -> list[tuple[str, str]]:
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
    return [(name, when) for name, when in named if when and name not in begun]


def _period(metrics: Metrics) -> str:
    if not len(metrics.times):
        return "nothing was read yet"
    first, last = (each.astype(dt.datetime) for each in (metrics.times[0], metrics.times[-1]))
    return f"{first:%d %B %Y} to {last:%d %B %Y}"


def _bundled(marks: list[Mark]) -> list[tuple[str, str]]:
    return [(f"{when:%d %B %Y}", text) for when, text in marks]


def _facts(
    manifest: dict[str, Any], metrics: Metrics, named: naming.Naming
) -> list[tuple[str, str]]:
    facts = [
        ("Scenario", str(manifest["name"])),
        ("Seed", f"{manifest['seed']}, replicate {manifest['replicate']}"),
        ("Readings", f"{len(metrics.times):,} of {metrics.values.shape[1]:,} series"),
    ]
    if named.tags:
        facts.insert(1, ("Tags", ", ".join(named.tags)))
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
