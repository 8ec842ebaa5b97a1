"""The frame of all dashboards: queries, panels and their places, links, times."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twin.ground.units import DAY, at, iso

Json = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SOURCE_UID = "simprom"
"""The data source selected at first: the one that provisioning and `twin grafana push` create."""
# The version of Grafana's format that is written
SCHEMA = 41
# Columns of Grafana's grid
WIDE = 24
PAGES = (
    ("twin-overview", "Overview: two sides"),
    ("twin-creators", "Creators"),
    ("twin-consumers", "Consumers"),
    ("twin-recommender", "Recommender and tables"),
    ("twin-chatbots", "Chatbots"),
    ("twin-policy", "Policy: before and after, branches side by side"),
    ("twin-platform", "Twin and platform"),
    ("twin-run-health", "Run health"),
)
"""Uid and title of every dashboard, in the order in which a person reads them."""
PLATFORM, HEALTH = "twin-platform", "twin-run-health"
REAL = (PLATFORM, HEALTH)
"""Dashboards in real time, not simulated time."""


@dataclass(frozen=True)
class Span:
    """The simulated time at which dashboards open; the day around which the policy page compares at
    first, and over how many days."""

    start: dt.date = dt.date(2025, 1, 1)
    duration_s: int = 365 * DAY
    at_day: int = 120
    window_days: int = 28

    def unix(self, day: int = 0) -> int:
        """Midnight of a simulated day, seconds since 1970."""
        return int(at(self.start, day * DAY).timestamp())

    @property
    def range(self) -> Json:
        """The time range as Grafana writes it."""
        return {
            "from": iso(at(self.start, 0)),
            "to": iso(at(self.start, self.duration_s)),
        }


def target(expression: str, legend: str, *, instant: bool = False) -> Json:
    """One query; its refId is set by `panel`."""
    return {
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend,
        "editorMode": "code",
        "format": "time_series",
        "instant": instant,
        "range": not instant,
    }


def panel(
    kind: str,
    title: str,
    description: str,
    targets: Sequence[Json],
    *,
    options: Json,
    defaults: Json,
    overrides: Sequence[Json] = (),
    interval: str = "$step",
) -> Json:
    """A panel without place and id."""
    named = [{"refId": ref(place), **each} for place, each in enumerate(targets)]
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": named,
        "interval": interval,
        "maxDataPoints": 2000,
        "options": options,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
    }


def words(markdown: str) -> Json:
    """A panel of text."""
    return {
        "type": "text",
        "title": "",
        "description": "",
        "transparent": True,
        "options": {"mode": "markdown", "content": markdown},
    }


def override(pattern: str, **properties: Any) -> Json:
    """Settings for the lines whose legend matches; ``__`` in a name stands for a dot."""
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [
            {"id": name.replace("__", "."), "value": value} for name, value in properties.items()
        ],
    }


def colour(pattern: str, fixed: str) -> Json:
    """One colour for the lines whose legend matches."""
    return override(pattern, color={"mode": "fixed", "fixedColor": fixed})


def ref(place: int) -> str:
    """A, B, .. Z, AA, AB, .."""
    letters = string.ascii_uppercase
    return letters[place] if place < 26 else letters[place // 26 - 1] + letters[place % 26]


class Layout:
    """Panels put from top to bottom, row by row."""

    def __init__(self) -> None:
        self.panels: list[Json] = []
        self.y = 0

    def row(self, title: str) -> None:
        """A heading."""
        self._put({"type": "row", "title": title, "collapsed": False, "panels": []}, 0, WIDE, 1)
        self.y += 1

    def line(
        self, panels: Sequence[Json | None], height: int, widths: Sequence[int] | None = None
    ) -> None:
        """Panels side by side; None leaves a gap. Widths are equal unless given."""
        x = 0
        for place, each in enumerate(panels):
            # The first ones take the columns that are left over
            width = widths[place] if widths else WIDE // len(panels) + (place < WIDE % len(panels))
            if each is not None:
                self._put(each, x, width, height)
            x += width
        self.y += height

    def grid(
        self, panels: Sequence[Json], height: int, most: int = 3, width: int | None = None
    ) -> None:
        """Panels in lines of at most ``most``, as even as can be, or each of one width."""
        if width:
            for place in range(0, len(panels), WIDE // width):
                self.line(panels[place : place + WIDE // width], height, [width] * (WIDE // width))
            return
        # As many lines as needed, and the panels shared out evenly among them
        lines = -(-len(panels) // most)
        for place in range(lines):
            self.line(
                panels[len(panels) * place // lines : len(panels) * (place + 1) // lines], height
            )

    def _put(self, each: Json, x: int, width: int, height: int) -> None:
        self.panels.append(
            {
                "id": len(self.panels) + 1,
                **each,
                "gridPos": {"x": x, "y": self.y, "w": width, "h": height},
            }
        )


def dashboard(
    uid: str,
    description: str,
    page: Layout,
    *,
    variables: Iterable[Json],
    span: Span | None,
    real: tuple[str, str] = ("now-15m", "now"),
    annotations: Iterable[Json] = (),
    refresh: str = "",
) -> Json:
    """A whole dashboard. Without a span it is in wall-clock time: the range ``real``."""
    return {
        "uid": uid,
        "title": dict(PAGES)[uid],
        "description": description,
        "tags": ["twin"],
        "timezone": "utc",
        "editable": True,
        # The pointer shows the same time in all panels
        "graphTooltip": 1,
        "schemaVersion": SCHEMA,
        "version": 1,
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "refresh": refresh,
        "time": span.range if span else dict(zip(("from", "to"), real, strict=True)),
        "timepicker": {},
        "links": _links(uid),
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "panels": page.panels,
    }


def _links(here: str) -> list[Json]:
    """Links to the other dashboards; time ranges are not kept between simulated and real time."""
    return [
        {
            "type": "link",
            "title": title.partition(":")[0],
            "url": f"/d/{uid}",
            "tooltip": title,
            "icon": "dashboard",
            "tags": [],
            "asDropdown": False,
            "targetBlank": False,
            "includeVars": True,
            "keepTime": not {here, uid} & set(REAL),
        }
        for uid, title in PAGES
        if uid != here
    ]
