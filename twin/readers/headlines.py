"""Headline numbers of each side, and the table of all metrics."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.readers.baseline import Windows
from twin.readers.panels import title, tone, unit
from twin.readers.pictures import spark
from twin.readers.text import change, human
from twin.record.results import Metrics

SIDES = {
    "producer": (
        "Creators",
        "What the platform does to the people and the machines that make posts.",
    ),
    "consumer": (
        "Consumers",
        "What people are shown, what they do with it, and whether they are satisfied with it.",
    ),
    "platform": (
        "The platform",
        "The feed, the model and its embedding tables: settings that look like plain engineering.",
    ),
    "chatbot": (
        "Chatbots",
        "Sessions with a personal assistant over months: trust, expectations, disclosure and "
        "fears.",
    ),
}


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


def table_rows(metrics: Metrics, windows: Windows) -> list[dict[str, str]]:
    """Every series but bins of histograms: first reading, before, after, change."""
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
