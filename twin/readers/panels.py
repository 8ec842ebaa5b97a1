"""How a side's metrics become headings and pictures, from the declarations alone.

``Metric.panel`` is a heading, or ``Heading: Picture`` for metrics that share one picture where
units and kinds agree. Headings come in the order of a side's story; those of a user's own
mechanisms come last.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from twin.mechanisms import REGISTRY
from twin.world.metric import Metric

HEADINGS: dict[str, tuple[str, ...]] = {
    "producer": (
        "Supply",
        "What is made",
        "AI in supply",
        "Who is seen",
        "Followers and reputation",
        "Who earns",
        "Creators who gain and lose",
        "Who stays",
        "Niches and displacement",
        "Linked works",
        "Trial",
    ),
    "consumer": (
        "Visits",
        "What is shown",
        "What people do with it",
        "What they are glad of",
        "Consumers who gain and lose",
        "What they think",
        "What a campaign does to them",
        "How they rate",
        "Trial",
    ),
    "platform": (
        "Feed",
        "Model",
        "Cold start",
        "Training",
        "Embedding tables",
        "Foreign gradient",
        "Money",
        "Trust in ratings",
        "Campaigns",
        "Policies",
    ),
    "chatbot": (
        "Use",
        "What is answered",
        "Expectation and failure",
        "Trust and attachment",
        "Privacy",
        "Well-being",
        "Trial",
    ),
}
"""Every heading of the mechanisms that come with twin, in the order of the story of each side; a
test compares the two."""


@dataclass(frozen=True)
class Sketch:
    """A picture before anything was read: its lines as metric and labels in declared order;
    ``within`` as in `Picture`."""

    title: str
    lines: tuple[tuple[Metric, Mapping[str, str]], ...]
    within: str = ""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Its metrics, once each."""
        return tuple({metric.name: metric for metric, _ in self.lines}.values())


def title(metric: Metric, label: str = "") -> str:
    """What people call a metric, with its label values."""
    return (metric.title or words_of(metric.name)) + (f", {label_words(label)}" if label else "")


@functools.cache
def _titles() -> dict[str, str]:
    """What people call the metrics of the mechanisms that come with twin, where that is declared."""
    declared = (metric for kind in REGISTRY.values() for metric in kind.metrics)
    return {metric.name: metric.title for metric in declared if metric.title}


def words_of(name: str) -> str:
    """What people call the metric of this name: as declared, or the name as words."""
    if name in _titles():
        return _titles()[name]
    words = name.replace("_", " ")
    words = words[0].upper() + words[1:]
    for wrong, right in (
        (r"\bAi\b", "AI"),
        (r"\bauc\b", "AUC"),
        (r"\bgini\b", "Gini"),
        (r" se$", ", standard error"),
    ):
        words = re.sub(wrong, right, words)
    return words


def label_words(label: str) -> str:
    """Label values as words."""
    return re.sub(r"\bai\b", "AI", label.replace("_", " "))


def unit(metric: Metric) -> str:
    """The unit as drawn: running totals are shown per day."""
    shown = "" if metric.unit == "1" else metric.unit
    return f"{shown}/day" if metric.kind == "counter" else shown


def tone(metric: Metric, before: float, after: float) -> str:
    """Whether a change is ``good`` or ``bad`` for that side, or ``flat``: too small, or neither."""
    if (
        metric.good == "neither"
        or not np.isfinite(before)
        or not np.isfinite(after)
        or abs(after - before) < 0.005 * abs(before)
    ):
        return "flat"
    return "good" if (after > before) == (metric.good == "up") else "bad"


def sketches(declared: Iterable[Metric], side: str) -> list[tuple[str, list[Sketch]]]:
    """The headings of a side with all its pictures, from the declarations alone."""
    return [
        (heading, [sketch for together in groups(mine) for sketch in _sketched(together)])
        for heading, mine in by_heading(declared, side)
    ]


def standard_errors(declared: Iterable[Metric]) -> dict[str, Metric]:
    """The standard error of each metric that has one, by the latter's name."""
    mine = list(declared)
    by_name = {metric.name: metric for metric in mine}
    return {
        name: metric
        for metric in mine
        if metric.name.endswith("_se")
        # NAME_se belongs to NAME or to NAME_mean
        for name in (metric.name[:-3], f"{metric.name[:-3]}_mean")
        if name in by_name and by_name[name].labels == metric.labels
    }


def by_heading(declared: Iterable[Metric], side: str) -> list[tuple[str, list[Metric]]]:
    """The metrics of a side by heading, in the order of its story."""
    order = HEADINGS.get(side, ())
    mine = [metric for metric in declared if metric.side == side]
    found = list(dict.fromkeys(_heading(metric) for metric in mine))
    # A stable sort: headings of a user's own mechanisms stay in declared order
    found.sort(key=lambda heading: order.index(heading) if heading in order else len(order))
    return [
        (heading, [metric for metric in mine if _heading(metric) == heading]) for heading in found
    ]


def groups(mine: Sequence[Metric]) -> Iterator[list[Metric]]:
    """Which metrics of a heading go into one picture; standard errors go with what they belong to.
    What matters most comes first."""
    errors = list(standard_errors(mine).values())
    names = sorted(
        (metric for metric in mine if metric not in errors), key=lambda metric: not metric.headline
    )
    for metric in names:
        together = [other for other in names if _shares(metric, other)]
        # Each group once, at its first metric
        if metric is together[0]:
            yield together


def _sketched(together: Sequence[Metric]) -> list[Sketch]:
    """A picture of all; of histograms one each, of a metric with several labels one per value of
    the first."""
    if together[0].kind == "histogram":
        return [
            Sketch(title(metric), tuple((metric, labels) for labels in metric.series()))
            for metric in together
        ]
    lines = [(metric, labels) for metric in together for labels in metric.series()]
    if len(together[0].labels) < 2:
        return [Sketch(picture_title(together[0], len(together)), tuple(lines))]
    parts = groupby(lines, lambda line: next(iter(line[1].values())))
    return [
        Sketch(f"{title(together[0])}: {label_words(value)}", tuple(group), f"{value}, ")
        for value, group in parts
    ]


def _heading(metric: Metric) -> str:
    return metric.panel.partition(": ")[0]


def _shares(metric: Metric, other: Metric) -> bool:
    """Whether two metrics go into one picture."""
    return metric == other or (
        ": " in metric.panel
        and metric.panel == other.panel
        and metric.unit == other.unit
        and metric.kind == other.kind
        and metric.edges == other.edges
    )


def picture_title(metric: Metric, together: int) -> str:
    """The title of a picture of ``together`` metrics, of which ``metric`` is the first."""
    return metric.panel.partition(": ")[2] or title(metric) if together > 1 else title(metric)
