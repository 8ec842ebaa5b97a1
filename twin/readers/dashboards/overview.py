"""Both sides at a glance: creators on the left, consumers on the right; under them the
platform and its assistants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from twin.readers.dashboards.drawn import course, number
from twin.readers.dashboards.frame import WIDE, Json, Layout, Span, dashboard, words
from twin.readers.dashboards.variables import marks, run_variables, step_variable
from twin.readers.panels import Sketch, standard_errors, title
from twin.world.metric import Metric

PAIRS = (("producer", "consumer"), ("platform", "chatbot"))
ROWS = {PAIRS[0]: "The two sides", PAIRS[1]: "Between them: the platform and its assistants"}
NAMES = {
    "producer": "Creators",
    "consumer": "Consumers",
    "platform": "The platform",
    "chatbot": "Assistants that people chat with",
}


def headline(metric: Metric) -> Sketch:
    """A headline metric as a picture of its own."""
    return Sketch(title(metric), tuple((metric, labels) for labels in metric.series()))


def overview(metrics: Sequence[Metric], span: Span) -> Json:
    """The overview, from the metrics that are declared as headlines."""
    errors, page = standard_errors(metrics), Layout()
    for pair in PAIRS:
        both = [
            [
                headline(metric)
                for metric in metrics
                if metric.side == side and metric.headline and metric.kind != "histogram"
            ]
            for side in pair
        ]
        page.row(ROWS[pair])
        page.line([words(f"### {NAMES[side]}") for side in pair], 2)
        # The side with fewer headlines leaves gaps
        for sketched in zip_longest(*(_pairs(half) for half in both), fillvalue=()):
            halves = [[number(sketch) for sketch in half] for half in sketched]
            page.line(
                [each for half in halves for each in half or (None,)],
                4,
                [width for half in halves for width in _widths(len(half))],
            )
        for left, right in zip_longest(*both):
            page.line([course(sketch, errors) if sketch else None for sketch in (left, right)], 7)
    purpose = (
        "Both sides of the platform at a glance: creators on the left, consumers on the right."
    )
    return dashboard(
        "twin-overview",
        purpose,
        page,
        variables=[*run_variables(), step_variable()],
        span=span,
        annotations=marks(),
    )


def _pairs(half: Sequence[Sketch]) -> Iterator[Sequence[Sketch]]:
    """Two numbers in a line."""
    return (half[place : place + 2] for place in range(0, len(half), 2))


def _widths(count: int) -> list[int]:
    """Half of the width shared out."""
    return [WIDE // 2 // max(count, 1)] * max(count, 1)
