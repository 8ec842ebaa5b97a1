"""The dashboards of the built-in metrics."""

import re
from typing import Any

from tests.conftest import ROOT
from twin.mechanisms import REGISTRY
from twin.readers.dashboards import dashboards
from twin.world import arms

FOLDER = ROOT / "dashboards"
DECLARED = tuple(arms.declared(sorted(REGISTRY.values(), key=lambda kind: (kind.order, kind.name))))
MADE = dashboards(DECLARED)


def drawn(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Its panels with data."""
    return [panel for panel in dashboard["panels"] if panel["type"] not in ("row", "text")]


def asked(dashboard: dict[str, Any]) -> set[str]:
    """Names of the metrics that its queries read."""
    return {
        name
        for panel in drawn(dashboard)
        for target in panel["targets"]
        for name in re.findall(r"\b(twin_\w+)\{", target["expr"])
    }
