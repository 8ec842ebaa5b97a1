"""Grafana dashboards, generated from the metric declarations.

They are plain JSON data, so that generating them needs nothing but twin; tests check them against
the types of Grafana's own SDK and run every query on a real Prometheus. Queries choose series by
``$run``, ``$branch`` and ``$replicate``; a line is one declared series of one branch, as the mean
over the chosen replicates. Time is simulated time (UTC), but for *Run health*, which is wall-clock
time, and *Twin and platform*, which is the platform's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twin.readers.dashboards.frame import Span
from twin.readers.dashboards.health import run_health
from twin.readers.dashboards.overview import overview
from twin.readers.dashboards.platform import platform
from twin.readers.dashboards.policy import policy
from twin.readers.dashboards.sides import SIDES, side_dashboard
from twin.world.metric import Metric

Dashboard = dict[str, Any]


def has_panel(metric: Metric) -> bool:
    """Whether a metric has a panel. All have but means by arm of a trial: they are off unless
    `twin compare --share` asks for them, and its report sets them beside the true effect; and means
    by group, of which most worlds lack some: reports and the live page draw those that there are."""
    return not metric.trial and not metric.split


def dashboards(declared: Iterable[Metric], span: Span | None = None) -> dict[str, Dashboard]:
    """All dashboards by uid, in the order in which a person reads them; they open at ``span``."""
    metrics, span = (
        tuple(metric for metric in declared if has_panel(metric)),
        span or Span(),
    )
    made = [
        overview(metrics, span),
        *(side_dashboard(side, metrics, span) for side in SIDES),
        policy(metrics, span),
        platform(),
        run_health(),
    ]
    return {each["uid"]: each for each in made}


def text(dashboard: Dashboard) -> str:
    """A dashboard as its file holds it."""
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


def write(made: dict[str, Dashboard], folder: Path) -> list[Path]:
    """Write one file per dashboard, named by its uid; gives the paths of those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = stale(made, folder)
    for path in changed:
        path.write_text(text(made[path.stem]), encoding="utf-8")
    return changed


def stale(made: dict[str, Dashboard], folder: Path) -> list[Path]:
    """The files in a folder that are missing or out of date."""
    paths = [folder / f"{uid}.json" for uid in made]
    return [
        path
        for path in paths
        if not path.exists() or path.read_text(encoding="utf-8") != text(made[path.stem])
    ]
