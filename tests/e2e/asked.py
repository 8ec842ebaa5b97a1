"""The queries of a dashboard with its variables in their places, as Grafana would ask them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.e2e.prometheus import Prometheus

_PLACE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def filled(text: str, variables: Mapping[str, str]) -> str:
    """A text with the values of the variables; an unknown one is an error."""
    return _PLACE.sub(lambda match: variables[match[1] or match[2]], text)


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Its panels that show data."""
    return (panel for panel in dashboard["panels"] if panel["type"] not in ("row", "text"))


def queries(
    dashboard: Mapping[str, Any], variables: Mapping[str, str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any], str]]:
    """Panel, target and query of each target."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel, target, filled(target["expr"], variables)


def span(dashboard: Mapping[str, Any]) -> tuple[float, float]:
    """Its time range, seconds since 1970."""
    return tuple(
        dt.datetime.fromisoformat(dashboard["time"][end]).timestamp() for end in ("from", "to")
    )  # type: ignore[return-value]


def course(
    prometheus: Prometheus,
    target: Mapping[str, Any],
    query: str,
    start: float,
    end: float,
    step: float,
) -> list[dict[str, Any]]:
    """What a target shows in a range: labels, and times and finite values by time."""
    found = (
        prometheus.query(query, end)
        if target["instant"]
        else prometheus.query_range(query, start, end, step)
    )
    shown = []
    for series in found:
        values = [series["value"]] if target["instant"] else series["values"]
        finite = {
            float(at): float(value) for at, value in values if value not in ("NaN", "+Inf", "-Inf")
        }
        if finite:
            shown.append({"metric": series["metric"], "values": finite})
    return shown
