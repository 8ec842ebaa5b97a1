"""A run folder with given readings."""

import datetime as dt
import json
from pathlib import Path

import numpy as np

from twin.ground.units import DAY
from twin.record.results import Recorder
from twin.record.watch import Rows
from twin.world.metric import Metric, metric_to_dict

START = dt.date(2025, 1, 1)


ROWS: Rows = [
    (metric, labels)
    for metric in [
        Metric(
            "likes",
            "counter",
            "likes",
            "Likes given.",
            "consumer",
            "Likes",
            {"by": ("human", "ai")},
        ),
        Metric("trust", "gauge", "1", 'Trust "as told" \\ measured.', "consumer", "Trust"),
    ]
    for labels in metric.series()
]


def folder_with(
    path: Path, readings_: np.ndarray, every: int = DAY, parts: int = 3, done: bool = False
) -> Path:
    """A run folder as a run leaves it, with these readings in so many parts."""
    path.mkdir()
    recorder = Recorder(path, START, ROWS)
    for k, reading in enumerate(readings_):
        recorder.record(k * every, reading)
        if (k + 1) % max(1, len(readings_) // parts) == 0 or k + 1 == len(readings_):
            recorder.flush(k * every + 1)
    if done:
        recorder.finish()
        recorder.clean()
    metrics = [
        metric_to_dict(metric) for metric in {metric.name: metric for metric, _ in ROWS}.values()
    ]
    (path / "manifest.json").write_text(
        json.dumps(
            {
                "run_id": "r-1",
                "name": "s",
                "branch": "main",
                "replicate": 0,
                "start": str(START),
                "duration_s": 60 * 86400,
                "status": "done" if done else "running",
                "metrics": metrics,
            }
        )
    )
    return path
