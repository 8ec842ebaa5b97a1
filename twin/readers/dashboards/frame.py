"""The parts that all dashboards have: variables, annotations, links, times; rows and places of
panels."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twin.ground.units import DAY, at
from twin.readers.dashboards.queries import ANY_SERIES, CHOSEN

Json = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SOURCE_UID = "simprom"
"""The data source that is chosen at first: the one that provisioning and `twin grafana push`
make."""
SCHEMA = 41
WIDE = 24
PAGES = (
    ("twin-overview", "Overview: two sides"),
    ("twin-creators", "Creators"),
    ("twin-consumers", "Consumers"),
    ("twin-recommender", "Recommender and tables"),
    ("twin-chatbots", "Chatbots"),
    ("twin-policy", "Policy: before and after, branches side by side"),
    ("twin-run-health", "Run health"),
)
"""Uid and title of every dashboard, in the order in which a person reads them."""
HEALTH = "twin-run-health"


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
            "from": at(self.start, 0).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "to": at(self.start, self.duration_s).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
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


class Page:
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
    page: Page,
    *,
    variables: Iterable[Json],
    span: Span | None,
    annotations: Iterable[Json] = (),
    refresh: str = "",
) -> Json:
    """A whole dashboard. Without a span it is in wall-clock time: the last quarter of an hour."""
    return {
        "uid": uid,
        "title": dict(PAGES)[uid],
        "description": description,
        "tags": ["twin"],
        "timezone": "utc",
        "editable": True,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA,
        "version": 1,
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "refresh": refresh,
        "time": span.range if span else {"from": "now-15m", "to": "now"},
        "timepicker": {},
        "links": _links(uid),
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "panels": page.panels,
    }


def _links(here: str) -> list[Json]:
    """Links to the other dashboards; simulated and wall-clock time are not carried into one
    another."""
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
            "keepTime": HEALTH not in (here, uid),
        }
        for uid, title in PAGES
        if uid != here
    ]


def source_variable() -> Json:
    """The data source."""
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "regex": "",
        "refresh": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "current": {"selected": True, "text": SOURCE_UID, "value": SOURCE_UID},
        "options": [],
        "skipUrlSync": False,
    }


def label_variable(
    name: str,
    label: str,
    of: str,
    series: str,
    *,
    many: bool = False,
    first: str = "",
    description: str = "",
) -> Json:
    """The values of the label ``of`` that series have in the dashboard's time range; ``many`` may
    be chosen, all unless ``first`` says.

    Not by label_values: a Prometheus that scrapes anything else beside lists no labels for a range
    in the past until it has compacted what came out of order (seen with 2.42), though it answers
    queries.
    """
    query = f"query_result(count by ({of}) (last_over_time({series}[$__range])))"
    chosen: Json = (
        {"selected": True, "text": ["All"], "value": ["$__all"]} if many and not first else {}
    )
    if first:
        chosen = {
            "selected": True,
            "text": [first] if many else first,
            "value": [first] if many else first,
        }
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
        "refresh": 2,
        "sort": 3,
        "regex": f'/{of}="([^"]+)"/',
        "hide": 0,
        "multi": many,
        "includeAll": many,
        **({"allValue": ".*"} if many else {}),
        "current": chosen,
        "options": [],
        "skipUrlSync": False,
    }


def choice_variable(name: str, label: str, values: Sequence[str], description: str) -> Json:
    """A choice of fixed values, the first at first."""
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": "custom",
        "query": ",".join(values),
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "current": {"selected": True, "text": values[0], "value": values[0]},
        "skipUrlSync": False,
        "options": [
            {"selected": value == values[0], "text": value, "value": value} for value in values
        ],
    }


def text_variable(name: str, label: str, value: str, description: str) -> Json:
    """A value to type."""
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": "textbox",
        "query": value,
        "hide": 0,
        "current": {"selected": True, "text": value, "value": value},
        "options": [{"selected": True, "text": value, "value": value}],
        "skipUrlSync": False,
    }


def run_variables(series: str = ANY_SERIES, *, branch: str = "main") -> list[Json]:
    """Which run, branches and replicates are shown."""
    return [
        source_variable(),
        label_variable("run", "Run", "run_id", series),
        label_variable(
            "branch",
            "Branch",
            "branch",
            f'{series}{{run_id="$run"}}',
            many=True,
            first=branch,
            description="Several: a line for each.",
        ),
        label_variable(
            "replicate",
            "Replicate",
            "replicate",
            f'{series}{{run_id="$run"}}',
            many=True,
            description="Several: lines are their mean.",
        ),
    ]


def step_variable() -> Json:
    """How fine simulated time is drawn."""
    return choice_variable(
        "step",
        "Step",
        ("1d", "6h", "1h"),
        "Simulated time between two points. Finer than the run's readings "
        "(metrics.every), lines become stairs.",
    )


def marks() -> list[Json]:
    """Where something took hold, as told by `twin grafana annotate`; or, to be switched on where
    nobody did, by the number of policies.

    Grafana marks only what is above zero, hence ``abs``: an end is a mark too.
    """
    changed = f"twin_policies_active{{{','.join(f'{name}{matcher}' for name, matcher in CHOSEN.items())}}}"
    return [
        {
            "name": "Policies, migrations, campaigns",
            "enable": True,
            "hide": False,
            "iconColor": "#8a2be2",
            "builtIn": 0,
            "datasource": {"type": "grafana", "uid": "-- Grafana --"},
            "target": {
                "type": "tags",
                "tags": ["twin", "run:$run"],
                "matchAny": False,
                "limit": 200,
            },
        },
        {
            "name": "Policies in force (from the data)",
            "enable": False,
            "hide": False,
            "iconColor": "#b39ddb",
            "datasource": SOURCE,
            "expr": f"abs({changed} - {changed} offset 1d) > 0",
            "step": "1d",
            "titleFormat": "Policies in force changed",
            "textFormat": "branch {{branch}}, replicate {{replicate}}",
            "tagKeys": "",
            "useValueForTime": False,
        },
    ]
