"""One dashboard per side of the platform: every metric of that side, in the order of its story."""

from __future__ import annotations

from collections.abc import Sequence

from twin.readers.dashboards.drawn import course
from twin.readers.dashboards.frame import Json, Layout, Span, dashboard
from twin.readers.dashboards.variables import marks, run_variables, step_variable
from twin.readers.panels import sketches, standard_errors
from twin.world.metric import Metric

SIDES = {
    "producer": (
        "twin-creators",
        "What happens to creators: how much is posted and by whom, who is seen, who earns, who "
        "stays, and whom AI displaces.",
    ),
    "consumer": (
        "twin-consumers",
        "What happens to consumers: visits, what they are shown, what they do, how satisfied they "
        "are, what they think, and how they rate.",
    ),
    "platform": (
        "twin-recommender",
        "The system between the two sides: feed, model, cold start, training, embedding tables and "
        "their collisions; then the platform's money, the trust in its ratings, campaigns and "
        "policies.",
    ),
    "chatbot": (
        "twin-chatbots",
        "What happens to users of an assistant: use, answers, expectation and failure, trust and "
        "attachment, privacy, well-being.",
    ),
}
"""Uid and purpose of each side's dashboard, in the order in which a person reads them."""


def side_dashboard(side: str, metrics: Sequence[Metric], span: Span) -> Json:
    """The dashboard of a side."""
    uid, purpose = SIDES[side]
    errors, page = standard_errors(metrics), Layout()
    for heading, pictures in sketches(metrics, side):
        page.row(heading)
        page.grid([course(picture, errors) for picture in pictures], 8)
    return dashboard(
        uid,
        purpose,
        page,
        variables=[*run_variables(), step_variable()],
        span=span,
        annotations=marks(),
    )
