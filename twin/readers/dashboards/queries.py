"""Queries to Prometheus for declared series, and the words with which they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from twin.readers.panels import label_words, title, unit
from twin.record.names import prom_name
from twin.world.metric import Metric

CHOSEN = {"run_id": '="$run"', "branch": '=~"$branch"', "replicate": '=~"$replicate"'}
"""How series are chosen by the dashboard's variables."""
SAME = "run_id, branch, replicate"
ANY_SERIES = "twin_sessions_total"
"""A metric that every run has: its labels are the runs, branches and replicates there are."""
_FOR = {
    "producer": "creators",
    "consumer": "consumers",
    "platform": "the platform",
    "chatbot": "users of an assistant",
}
_SPECIAL = re.compile(r"[.*+?^${}()|\[\]\\/]")
_UNITS = {"1": "short", "ratio": "percentunit", "s": "s", "bytes": "bytes"}


def selector(metric: Metric, labels: Mapping[str, str], **instead: str) -> str:
    """One series of the chosen run; ``instead`` are other matchers for some of CHOSEN, such as
    ``branch='="main"'``."""
    matchers = [f"{name}{matcher}" for name, matcher in {**CHOSEN, **instead}.items()]
    matchers += [f'{name}="{escaped(value)}"' for name, value in labels.items()]
    return f"{prom_name(metric)}{{{','.join(matchers)}}}"


def per_day(metric: Metric) -> bool:
    """Whether a metric is a running total, which is shown as what came in the 24 hours before
    (exact: it never falls in a branch)."""
    return metric.kind == "counter" or metric.total


def shown(metric: Metric, labels: Mapping[str, str], plus: str = "", **instead: str) -> str:
    """The numbers that are drawn of one series, one per branch and replicate; ``plus`` is added to
    a gauge, such as ``+ error``.

    A gauge is drawn from the first session on: before that many are 0, which would flatten the
    rest.
    """
    chosen = selector(metric, labels, **instead)
    if per_day(metric):
        return f"{chosen} - {chosen} offset 1d"
    return f'{chosen}{plus} and on ({SAME}) {ANY_SERIES}{{run_id="$run"}} > 0'


def by_branch(expression: str) -> str:
    """The mean over replicates, one line per branch."""
    return f"avg by (branch) ({expression})"


def bin_words(metric: Metric, lower: str) -> str:
    """A bin of a histogram in words: the first is open below, the last above."""
    place = metric.bins.index(lower)
    if place == len(metric.bins) - 1:
        return f"{lower} and above"
    upper = metric.bins[place + 1]
    # A bin of one whole number is that number
    if all(edge == int(edge) for edge in metric.edges) and int(upper) - int(lower) == 1:
        return lower
    # Open below, unless it begins at 0
    if place == 0 and metric.edges[0] != 0:
        return f"below {upper}"
    return f"{lower} to {upper}"


def line_name(metric: Metric, labels: Mapping[str, str], of: Sequence[Metric]) -> str:
    """What a line is called among those of a picture that shows the metrics ``of``; empty where the
    title says it all."""
    words = [title(metric)] if len(of) > 1 else []
    words += [label_words(value) for value in labels.values()]
    return ", ".join(words)


def grafana_unit(metric: Metric) -> str:
    """Grafana's name for a unit on an axis, whose label says the unit in words."""
    return _UNITS.get(metric.unit, "short")


def stat_unit(metric: Metric) -> str:
    """Grafana's name for a unit beside a single number."""
    known = _UNITS.get(metric.unit)
    return known if known else f"suffix: {unit_words(metric)}"


def unit_words(metric: Metric) -> str:
    """The unit as people read it; empty for a plain number."""
    return unit(metric) + ("/day" if metric.total and metric.kind != "counter" else "")


def axis_words(metric: Metric) -> str:
    """The unit beside an axis; empty where Grafana writes it at every number."""
    return "" if grafana_unit(metric) in ("s", "bytes", "percentunit") else unit_words(metric)


def good_words(metric: Metric) -> str:
    """Which direction is good, and for whom."""
    if metric.good == "neither":
        return "Neither direction is good or bad in itself."
    return f"{metric.good.capitalize()} is good for {_FOR[metric.side]}."


def description(metrics: Sequence[Metric], errors: Sequence[Metric] = ()) -> str:
    """What a panel shows, in Markdown: meaning, unit, which way is good for whom, and the names in
    Prometheus."""
    first = metrics[0]
    if len(metrics) == 1:
        lines = [first.help, good_words(first)]
    else:
        lines = [f"- {title(metric)}: {metric.help} {good_words(metric)}" for metric in metrics]
    words = unit_words(first)
    unit_text = {"": "a plain number", "s": "seconds", "bytes": "bytes"}.get(words, words)
    if per_day(first):
        unit_text += ", counted over the 24 hours before"
    if first.kind == "histogram":
        unit_text += (
            "; drawn as shares of all, from the lowest bin at the bottom to the highest at the "
            "top, mean over the chosen branches"
        )
    lines.append(f"Unit: {unit_text}.")
    if errors:
        lines.append("Thin lines: one standard error above and below.")
    lines.append(
        "Prometheus: " + ", ".join(f"`{prom_name(metric)}`" for metric in (*metrics, *errors)) + "."
    )
    # Several metrics begin with a list, whose items Markdown wants without empty lines
    return (
        "\n\n".join(lines)
        if len(metrics) == 1
        else "\n".join(lines[: len(metrics)]) + "\n\n" + "\n\n".join(lines[len(metrics) :])
    )


def legend_pattern(name: str) -> str:
    """Grafana's regular expression for the lines of that name, of whichever branch."""
    return f"/^{pattern(name)}(,|$)/"


def pattern(text: str) -> str:
    """A text as a regular expression (JavaScript's) for itself."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def escaped(value: str) -> str:
    """A value as it stands between the quotes of a selector."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
