"""A small world's readings: at the start (drawn, not simulated) and after ten days. See `update`
for how they change."""

import json
from pathlib import Path

from tests.conftest import ROOT, SMALL, history
from twin.scenario.loading import load

FILE = Path(__file__).parent / "values.json"
POLICY = "policies=[{name: likes, at: 5d, set: {recommender.preset: likes}}]"


def computed() -> dict[str, dict[str, float]]:
    """Every finite headline-worthy gauge and counter of the first and last reading; histograms left
    out."""
    simulation, readings = history(
        load(
            ROOT / "scenarios" / "base.yaml",
            (*SMALL, "recommender.refresh=10min", "duration=10d", POLICY),
        )
    )
    names = [
        (i, metric.name + "".join(f".{value}" for value in labels.values()))
        for i, (metric, labels) in enumerate(simulation.world.board.rows)
        if metric.kind != "histogram"
    ]
    return {
        moment: {name: float(row[i]) for i, name in names if row[i] == row[i]}
        for moment, row in (("start", readings[0]), ("ten days", readings[-1]))
    }


def kept() -> dict[str, dict[str, float]]:
    """The readings that were agreed on."""
    return dict(json.loads(FILE.read_text()))
