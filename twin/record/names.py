"""Names of metrics in Prometheus, and the labels that identify a run's series.

``twin_`` + the declared name; running totals end in ``_total``. A histogram is a gauge per bin, as
declared: it says how many are in each bin now, which Prometheus's own (cumulative, counting)
histograms cannot express. Every series of a run carries IDENTITY.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twin.world.metric import Metric

IDENTITY = ("run_id", "scenario", "branch", "replicate")
"""Labels on every series of a run, beside its declared ones; no metric may declare a label of that
name."""


def prom_name(metric: Metric) -> str:
    """The metric's name in Prometheus: of its samples, and in queries."""
    return f"twin_{metric.name}" + ("_total" if metric.kind == "counter" else "")


def identity(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The labels of a run, from its manifest."""
    return {
        "run_id": manifest["run_id"],
        "scenario": manifest["name"],
        "branch": manifest["branch"],
        "replicate": str(manifest["replicate"]),
    }


def series(
    rows: Sequence[tuple[Metric, Mapping[str, str]]], run: Mapping[str, str]
) -> list[tuple[str, dict[str, str]]]:
    """Name and labels of every declared series of a run, in board order; ``run`` is its
    `identity`."""
    return [(prom_name(metric), {**labels, **run}) for metric, labels in rows]
