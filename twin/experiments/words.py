"""Words that the reports of all experiments share: sides, series, units, and numbers with a sign."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from twin.ground.errors import UsageError
from twin.readers.panels import label_words, words_of
from twin.readers.text import human
from twin.world.metric import Metric

Key = tuple[str, str]
"""A series: the name of its metric and its labels as text."""
SIDES = {
    "producer": "Creators",
    "consumer": "Consumers",
    "platform": "The platform",
    "chatbot": "Chatbots",
}
"""Sides in the order in which reports name them, with their headings."""
WHO = {"producer": "creators", "consumer": "consumers"}
"""The two sides of the market in running text."""
EXTRA = (("creator_income", "by=human"), ("creator_income", "by=ai"))
"""Series that are reported beside the headline metrics: what creators live on."""


def without_axes(who: str, options: Mapping[str, str]) -> None:
    """Raise UsageError for axes of a two-sided map where a report has none; ``who`` has none, as
    "a sweep has"."""
    for name, text in options.items():
        raise UsageError(f"--{name} {text}: {who} no two-sided map (leave it out)")


def is_reported(headline: bool, key: Key) -> bool:
    """Whether summaries mention a series."""
    return headline or key in EXTRA


def unsafe(among: str) -> str:
    """Why what clears zero is suggestive only; ``among``: how many tests of what."""
    return f"as each clears zero by itself but is not safe among {among} tested"


def would_tell(more: float) -> str:
    """That so many more worlds would establish an effect; empty where none are known to."""
    return f"about {human(more)} more worlds would tell" if 0 < more < math.inf else ""


def bracketed(text: str) -> str:
    """An addition to a phrase; nothing where there is none."""
    return f" ({text})" if text else ""


def series_name(metric: str, labels: str) -> str:
    """A series as people read it: ``Posts (AI)``."""
    values = ", ".join(part.partition("=")[2] for part in labels.split(",")) if labels else ""
    return words_of(metric) + (f" ({label_words(values)})" if values else "")


def daily_unit(metric: Metric) -> str:
    """The unit of a metric's readings; per day for running totals, as experiments read them."""
    return f"{metric.unit}/d" if metric.kind == "counter" else metric.unit


def signed(value: float) -> str:
    """Three digits with a sign, as short as they get: ``+0.29``, ``−1.2 M``."""
    size = abs(value)
    text = f"{size:.3g}" if 1e-4 <= size < 1000 or not size else human(size)
    return f"{'+' if value >= 0 else '−'}{text}"


def hundredths(value: float) -> str:
    """Two digits behind the point, with a sign; ``?`` for what is not known."""
    return f"{value:+.2f}".replace("-", "−") if np.isfinite(value) else "?"


def two_digits(value: float, missing: str = "") -> str:
    """A p or q in two significant digits, without an exponent; ``missing`` where it is NaN."""
    if np.isnan(value):
        return missing
    return "<0.0001" if 0 < value < 1e-4 else f"{value:.2g}"
