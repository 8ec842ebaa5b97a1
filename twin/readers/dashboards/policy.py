"""What a policy did: around a day, and between branches.

Before and after are means over the days around a day of the run (``at``, counted as in a scenario's
``at: 120d``): PromQL's ``@`` pins the start of the run and a negative offset of ``$at`` days goes
from there. Branches are drawn side by side, and as the difference to one of them (``base``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from twin.readers.dashboards.drawn import axis, course, lines
from twin.readers.dashboards.frame import (
    Json,
    Layout,
    Span,
    colour,
    dashboard,
    panel,
    target,
    words,
)
from twin.readers.dashboards.queries import (
    ANY_SERIES,
    axis_words,
    by_branch,
    description,
    good_words,
    grafana_unit,
    per_day,
    selector,
    shown,
    stat_unit,
)
from twin.readers.dashboards.variables import (
    label_variable,
    marks,
    run_variables,
    step_variable,
    text_variable,
)
from twin.readers.panels import Sketch, title
from twin.world.metric import Metric

MORE = (
    "creator_income",
    "small_creator_share",
    "regret_share",
    "cross_cutting_share",
    "opinion_polarisation",
    "model_auc",
)
"""Metrics on this page beside the headlines, where they are declared."""
SIDES = (
    ("producer", "Creators"),
    ("consumer", "Consumers"),
    ("platform", "The platform"),
    ("chatbot", "Assistants"),
)
FELL, ROSE, EARLIER = "#cc79a7", "#009e73", "#8c8c8c"

Line = tuple[Metric, Mapping[str, str]]


def chosen(metrics: Sequence[Metric], side: str) -> Iterator[Line]:
    """The series of a side on this page."""
    for metric in metrics:
        if (
            metric.side == side
            and metric.kind != "histogram"
            and (metric.headline or metric.name in MORE)
        ):
            for labels in metric.series():
                yield metric, labels


def policy(metrics: Sequence[Metric], span: Span) -> Json:
    """The dashboard on what policies did."""
    page, days = Layout(), span.window_days
    lines_of = {side: list(chosen(metrics, side)) for side, _ in SIDES}
    every = [line for mine in lines_of.values() for line in mine]
    page.line([words(_GUIDE.format(days=days))], 3)
    page.row(f"Before and after day $at: means over {days} days")
    # room for two branches
    page.line([_changes(every, span)], max(8, round(1.7 * len(every))))
    page.grid([_both(line, span) for line in every], 5, width=8)
    for side, heading in SIDES:
        if lines_of[side]:
            page.row(f"Branches side by side: {heading}")
            page.grid([course(Sketch(_title(line), (line,)), {}) for line in lines_of[side]], 8)
    page.row("Difference to the branch $base")
    page.grid([_difference(line) for line in every], 8)
    variables = [
        *run_variables(branch=""),
        label_variable(
            "base",
            "Compare with branch",
            "branch",
            f'{ANY_SERIES}{{run_id="$run"}}',
            first="main",
            description="Differences are to this branch.",
        ),
        text_variable(
            "at",
            "Day",
            str(span.at_day),
            "Day of the run around which before and after are taken, as in at: 120d",
        ),
        step_variable(),
    ]
    return dashboard(
        "twin-policy",
        "What a policy did to both sides: before and after a day, and branches of one run side by "
        "side.",
        page,
        variables=variables,
        span=span,
        annotations=marks(),
    )


_GUIDE = """\
Choose the **day** on which a policy took effect (as in a scenario: `at: 120d` is day 120) to compare the {days} days before it with the
{days} days after it; both must lie within the run.

A run may be forked (`twin fork`) to see what would have been without a policy: choose the **branches** to draw side by side, and the one
that the others are **compared with**.
"""


def before(line: Line, span: Span) -> str:
    """The mean over the days before $at, per branch."""
    return _mean(line, span, 0)


def after(line: Line, span: Span) -> str:
    """The mean over the days from $at on, per branch."""
    return _mean(line, span, span.window_days)


def _mean(line: Line, span: Span, until: int) -> str:
    """The mean over the window that ends ``until`` days after $at. A running total's mean per day
    is exact: its two ends decide."""
    series, days = selector(*line), span.window_days
    if per_day(line[0]):
        first, last = (
            f"{series} @ {span.unix(day)} offset -${{at}}d" for day in (until - days, until)
        )
        return by_branch(f"({last} - {first}) / {days}")
    return by_branch(f"avg_over_time({series}[{days}d] @ {span.unix(until)} offset -${{at}}d)")


def _title(line: Line) -> str:
    return title(line[0], ", ".join(line[1].values()))


def _changes(every: Sequence[Line], span: Span) -> Json:
    """How much each number changed, as a part of what it was."""
    targets = [
        target(
            f"{after(line, span)} / {before(line, span)} - 1",
            f"{_title(line)}, {{{{branch}}}}",
            # the time is pinned in the query, whatever range the page shows
            instant=True,
        )
        for line in every
    ]
    metrics = {metric.name: metric for metric, _ in every}.values()
    about = (
        f"Mean of the {span.window_days} days after day $at over the mean of the "
        f"{span.window_days} days before it, minus 1. A change "
        "is not yet an effect: compare with a branch without the policy.\n\nUnit: percent.\n\n"
        + "\n".join(f"- {title(metric)}: {metric.help} {good_words(metric)}" for metric in metrics)
    )
    defaults = {
        "unit": "percentunit",
        "decimals": 1,
        "color": {"mode": "thresholds"},
        "thresholds": {
            "mode": "absolute",
            # None: from the lowest value on
            "steps": [{"value": None, "color": FELL}, {"value": 0, "color": ROSE}],
        },
    }
    return panel(
        "bargauge", "What changed", about, targets, options=_bars("color"), defaults=defaults
    )


def _bars(number: str) -> Json:
    """Options of a panel of bars, one below another, each with its name before it and its number
    behind it."""
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "horizontal",
        "displayMode": "basic",
        "valueMode": number,
        "namePlacement": "left",
        "showUnfilled": True,
        "sizing": "auto",
        "minVizWidth": 8,
        "minVizHeight": 10,
        "maxVizHeight": 300,
        "text": {"titleSize": 12, "valueSize": 14},
    }


def _both(line: Line, span: Span) -> Json:
    """The two means of each branch, one below another."""
    metric = line[0]
    targets = [
        target(before(line, span), "before, {{branch}}", instant=True),
        target(after(line, span), "after, {{branch}}", instant=True),
    ]
    return panel(
        "bargauge",
        _title(line),
        description([metric]),
        targets,
        options=_bars("text"),
        defaults={
            "unit": stat_unit(metric),
            "min": 0,
            "color": {"mode": "fixed", "fixedColor": ROSE},
        },
        overrides=[colour("/^before,/", EARLIER)],
    )


def _difference(line: Line) -> Json:
    """A branch minus the base branch, over time; the base itself is at zero."""
    metric = line[0]
    base = shown(*line, branch='="$base"')
    # one number for the base, subtracted from every branch
    expression = f"{by_branch(shown(*line))} - on () group_left () avg({base})"
    about = (
        description([metric])
        + "\n\nDrawn as the difference to the branch $base, which itself is at zero."
    )
    return panel(
        "timeseries",
        _title(line),
        about,
        [target(expression, "{{branch}}")],
        options=lines(),
        defaults=axis(grafana_unit(metric), axis_words(metric)),
    )
