"""Variables and annotations that dashboards share: which run, branches and replicates are shown,
and the marks of events."""

from __future__ import annotations

from collections.abc import Sequence

from twin.readers.dashboards.frame import SOURCE, SOURCE_UID, Json
from twin.readers.dashboards.queries import ANY_SERIES, CHOSEN


def source_variable() -> Json:
    """The data source."""
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "regex": "",
        # When the dashboard is opened
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
        # Whenever the time range changes
        "refresh": 2,
        # By number
        "sort": 3,
        # A query gives whole series as text, from which the label's value is taken
        "regex": f'/{of}="([^"]+)"/',
        "hide": 0,
        "multi": many,
        "includeAll": many,
        # Instead of every value by name in every query
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
        "Simulated time between two points. If it is finer than the run's readings "
        "(metrics.every), lines become stairs.",
    )


def marks() -> list[Json]:
    """When something took effect, as sent by `twin grafana annotate`; or, as an alternative to
    switch on, from the number of policies.

    Grafana marks only what is above zero, hence ``abs``: an end is a mark too.
    """
    matchers = ",".join(f"{name}{matcher}" for name, matcher in CHOSEN.items())
    changed = f"twin_policies_active{{{matchers}}}"
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
