"""How a side's metrics become headings and pictures, from the declarations alone.

``Metric.panel`` is a heading, or ``Heading: Picture`` for metrics that share one picture where
units and kinds agree. Headings come in the order of a side's story; one that is not named here (a
mechanism of the user's own) comes after those that are. A series that never moved says nothing in a
picture: it is told in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from twin.readers.text import human
from twin.record.results import Metrics
from twin.world.metric import Metric

HEADINGS: dict[str, tuple[str, ...]] = {
    "producer": (
        "Supply",
        "What is made",
        "AI in supply",
        "Who is seen",
        "Followers and reputation",
        "Who earns",
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
test holds the two together."""


@dataclass(frozen=True)
class Series:
    """One line of a picture: its metric, its label values as one text, and what was read
    (readings,)."""

    metric: Metric
    label: str
    values: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Metric and label, as people read them."""
        return title(self.metric, self.label)


@dataclass(frozen=True)
class Picture:
    """What shares one set of axes: series of one unit, or histograms with the same bins.

    ``key`` is an id for HTML; ``within`` what all labels begin with, which the title tells already.
    """

    key: str
    title: str
    metrics: tuple[Metric, ...]
    series: tuple[Series, ...] = ()
    errors: tuple[Series | None, ...] = ()
    within: str = ""


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


@dataclass(frozen=True)
class Chapter:
    """A heading with its pictures, and in words what never moved: names at zero, names with the
    value they kept."""

    heading: str
    pictures: tuple[Picture, ...]
    at_zero: tuple[str, ...]
    constant: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def quiet(self) -> str:
        """One sentence or more on what is not drawn; empty if all is."""
        told = (
            ("At zero throughout", self.at_zero),
            ("Unchanged throughout", self.constant),
            ("Never read", self.unread),
        )
        return " ".join(f"{words}: {', '.join(names)}." for words, names in told if names)


def title(metric: Metric, label: str = "") -> str:
    """A metric's name as words, with its label values."""
    return words_of(metric.name) + (f", {label_words(label)}" if label else "")


def words_of(name: str) -> str:
    """The name of a metric as words."""
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


def chapters(metrics: Metrics, side: str) -> list[Chapter]:
    """The headings of a side in the order of its story."""
    return [
        _chapter(metrics, heading, mine)
        for heading, mine in _by_heading(metrics.declared.values(), side)
    ]


def sketches(declared: Iterable[Metric], side: str) -> list[tuple[str, list[Sketch]]]:
    """The headings of a side with all its pictures, from the declarations alone."""
    return [
        (heading, [sketch for together in _groups(mine) for sketch in _sketched(together)])
        for heading, mine in _by_heading(declared, side)
    ]


def standard_errors(declared: Iterable[Metric]) -> dict[str, Metric]:
    """The standard error of each metric that has one, by the latter's name."""
    mine = list(declared)
    by_name = {metric.name: metric for metric in mine}
    return {
        name: metric
        for metric in mine
        if metric.name.endswith("_se")
        for name in (metric.name[:-3], f"{metric.name[:-3]}_mean")
        if name in by_name and by_name[name].labels == metric.labels
    }


def _by_heading(declared: Iterable[Metric], side: str) -> list[tuple[str, list[Metric]]]:
    """The metrics of a side by heading, in the order of its story."""
    order = HEADINGS.get(side, ())
    mine = [metric for metric in declared if metric.side == side]
    found = list(dict.fromkeys(_heading(metric) for metric in mine))
    found.sort(key=lambda heading: order.index(heading) if heading in order else len(order))
    return [
        (heading, [metric for metric in mine if _heading(metric) == heading]) for heading in found
    ]


def _groups(mine: Sequence[Metric]) -> Iterator[list[Metric]]:
    """Which metrics of a heading go into one picture; standard errors go with what they belong to.
    What matters most comes first."""
    errors = list(standard_errors(mine).values())
    names = sorted(
        (metric for metric in mine if metric not in errors), key=lambda metric: not metric.headline
    )
    for metric in names:
        together = [other for other in names if _shares(metric, other)]
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
        return [Sketch(_picture_title(together[0], len(together)), tuple(lines))]
    parts = groupby(lines, lambda line: next(iter(line[1].values())))
    return [
        Sketch(f"{title(together[0])}: {label_words(value)}", tuple(group), f"{value}, ")
        for value, group in parts
    ]


def _heading(metric: Metric) -> str:
    return metric.panel.partition(": ")[0]


def _chapter(metrics: Metrics, heading: str, mine: Sequence[Metric]) -> Chapter:
    at_zero: list[str] = []
    constant: list[str] = []
    unread: list[str] = []
    pictures: list[Picture] = []
    errors = standard_errors(mine)
    for together in _groups(mine):
        metric = together[0]
        if metric.kind == "histogram":
            moved = tuple(other for other in together if metrics.of(other.name)[1:].any())
            at_zero += [title(other) for other in together if other not in moved]
            if moved:
                pictures.append(Picture(metric.name, _picture_title(metric, len(moved)), moved))
            continue
        series = [
            Series(other, label, values)
            for other in together
            for label, values in metrics.lines(other.name)
        ]
        still = {id(one): _still(one) for one in series}
        lively = [one for one in series if still[id(one)] is None]
        for kind, told in (("zero", at_zero), ("constant", constant), ("unread", unread)):
            told += _told(
                together, [one for one in series if still[id(one)] == kind], kind == "constant"
            )
        for key, words, within, group in _split(together, lively):
            bands = tuple(
                _error_of(metrics, errors.get(one.metric.name), one.label) for one in group
            )
            pictures.append(Picture(key, words, _metrics_of(group), tuple(group), bands, within))
    return Chapter(heading, tuple(pictures), tuple(at_zero), tuple(constant), tuple(unread))


def _shares(metric: Metric, other: Metric) -> bool:
    """Whether two metrics go into one picture."""
    return metric == other or (
        ": " in metric.panel
        and metric.panel == other.panel
        and metric.unit == other.unit
        and metric.kind == other.kind
        and metric.edges == other.edges
    )


def _metrics_of(series: Sequence[Series]) -> tuple[Metric, ...]:
    return tuple({one.metric.name: one.metric for one in series}.values())


def _error_of(metrics: Metrics, error: Metric | None, label: str) -> Series | None:
    return (
        next(
            (
                Series(error, label, values)
                for name, values in metrics.lines(error.name)
                if name == label
            ),
            None,
        )
        if error
        else None
    )


def _picture_title(metric: Metric, together: int) -> str:
    return metric.panel.partition(": ")[2] or title(metric) if together > 1 else title(metric)


def _split(
    together: Sequence[Metric], lively: Sequence[Series]
) -> list[tuple[str, str, str, list[Series]]]:
    """Id, title, common label and lines of each picture: a metric with several labels has one per
    value of the first."""
    first = together[0]
    if len(first.labels) < 2:
        named = _metrics_of(lively)
        return (
            [(first.name, _picture_title(named[0], len(named)), "", list(lively))] if lively else []
        )

    def value(one: Series) -> str:
        return one.label.partition(", ")[0]

    return [
        (f"{first.name}_{key}", f"{title(first)}: {label_words(key)}", f"{key}, ", list(group))
        for key, group in groupby(lively, value)
    ]


def _still(one: Series) -> str | None:
    """Whether a series never moved after its first reading: ``zero``, ``constant``, ``unread``;
    else None."""
    known = one.values[1:] if len(one.values) > 1 else one.values
    known = known[np.isfinite(known)]
    if not len(known):
        return "unread"
    if (known != known[0]).any():
        return None
    return "constant" if known[0] else "zero"


def _told(together: Sequence[Metric], still: Sequence[Series], with_value: bool) -> list[str]:
    """Names of still series; a metric all of whose series are still, at one value, is named
    once."""
    names = []
    for metric in together:
        mine = [one for one in still if one.metric is metric]
        values = {float(one.values[-1]) for one in mine if np.isfinite(one.values[-1])}
        tail = f" {_kept(values.pop(), metric)}" if with_value and len(values) == 1 else ""
        if len(mine) == sum(1 for _ in metric.series()) and (tail or not with_value):
            names.append(title(metric) + tail)
        else:
            names += [
                one.name + (f" {_kept(float(one.values[-1]), metric)}" if with_value else "")
                for one in mine
            ]
    return names


def _kept(value: float, metric: Metric) -> str:
    return f"at {human(value, metric.unit)} {unit(metric) if metric.unit not in ('s', 'bytes') else ''}".rstrip()
