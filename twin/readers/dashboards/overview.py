"""Both sides at a glance: those who make on the left, those who watch on the right; under them the platform and its assistants."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, zip_longest

from twin.metric import Metric
from twin.readers.dashboards.drawn import course, number
from twin.readers.dashboards.frame import WIDE, Json, Page, Span, dashboard, marks, run_variables, step_variable, words
from twin.readers.panels import Sketch, standard_errors, title

PAIRS = (("producer", "consumer"), ("platform", "chatbot"))
NAMES = {"producer": "Those who make", "consumer": "Those who watch", "platform": "The platform",
         "chatbot": "Assistants that people chat with"}


def headline(metric: Metric) -> Sketch:
    """A headline metric as a picture of its own."""
    return Sketch(title(metric), tuple((metric, labels) for labels in metric.series()))


def overview(metrics: Sequence[Metric], span: Span) -> Json:
    """The overview, from the metrics that are declared as headlines."""
    errors, page = standard_errors(metrics), Page()
    for pair in PAIRS:
        both = [[headline(metric) for metric in metrics if metric.side == side and metric.headline and metric.kind != "histogram"]
                for side in pair]
        page.row(" | ".join(NAMES[side] for side in pair))
        page.line([words(f"### {NAMES[side]}") for side in pair], 2)
        numbers: list[Json | None] = []
        widths: list[int] = []
        for half in both:
            numbers += [number(sketch) for sketch in half] or [None]
            widths += _widths(half)
        page.line(numbers, 4, widths)
        for left, right in zip_longest(*both):
            page.line([course(sketch, errors) if sketch else None for sketch in (left, right)], 7)
    purpose = "How both sides of the platform fare at once: those who make on the left, those who watch on the right."
    return dashboard("twin-overview", purpose, page, variables=[*run_variables(), step_variable()], span=span, annotations=marks())


def _widths(half: Sequence[Sketch]) -> list[int]:
    """Half of the width shared out by how many numbers each shows."""
    parts = [len(sketch.lines) for sketch in half] or [1]
    edges = [round(WIDE // 2 * sum(parts[:place]) / sum(parts)) for place in range(len(parts) + 1)]
    return [right - left for left, right in pairwise(edges)]
