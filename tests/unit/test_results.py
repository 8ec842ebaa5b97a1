"""Readings on disk: what is recorded is what is read, wherever the barriers fell and whatever was
lost."""

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

from twin.ground.errors import UsageError
from twin.record.results import Recorder, load_events, load_manifest, load_metrics, per_day
from twin.world.metric import Metric, metric_to_dict

START = dt.date(2025, 3, 1)
DECLARED = (
    Metric("visits", "counter", "visits", "Visits.", "consumer", "P", labels={"by": ("a", "b")}),
    Metric("mood", "histogram", "people", "People by mood.", "consumer", "P", edges=(0, 0.5)),
)
ROWS = [(metric, labels) for metric in DECLARED for labels in metric.series()]


def recorded(folder: Path, barriers: set[int], lost_after: int | None = None) -> Path:
    """A run of ten readings, one a day; at ``lost_after`` it is killed once and goes back to its
    last barrier."""
    folder.mkdir()
    (folder / "manifest.json").write_text(
        json.dumps({"metrics": [metric_to_dict(metric) for metric in DECLARED]})
    )
    recorder, day, safe = Recorder(folder, START, ROWS), 0, 0
    while day < 10:
        recorder.record(day * 86400, np.array([day, 2 * day, 5, day / 3]))
        if day % 4 == 0:
            recorder.mark(day * 86400, "policy", f"day {day}")
        day += 1
        if day in barriers:
            recorder.flush(day * 86400)
            safe = day
        if day == lost_after:
            recorder, day, lost_after = Recorder(folder, START, ROWS), safe, None
            recorder.rewind(safe * 86400, 86400)
    recorder.flush(day * 86400)
    recorder.finish()
    recorder.clean()
    return folder


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    """Values, times, labels and marks come back."""
    metrics = load_metrics(recorded(tmp_path / "run", {3}))
    assert metrics.times[0] == np.datetime64("2025-03-01") and metrics.times[-1] == np.datetime64(
        "2025-03-10"
    )
    assert metrics.series("visits", by="b").tolist() == [2.0 * day for day in range(10)]
    assert metrics.series("mood", bin="0.5").tolist() == [day / 3 for day in range(10)]
    assert [(when.day, text) for when, _, text in load_events(tmp_path / "run")] == [
        (1, "day 0"),
        (5, "day 4"),
        (9, "day 8"),
    ]


@pytest.mark.parametrize(
    ("barriers", "lost"),
    [({1}, None), ({2, 5, 9}, None), ({2, 5}, 8), (set(range(10)), 4), (set(), 6)],
)
def test_bytes_do_not_depend_on_barriers_or_losses(
    barriers: set[int], lost: int | None, tmp_path: Path
) -> None:
    """Parts that were cut elsewhere, or lost and done again, make the same files."""
    plain, other = recorded(tmp_path / "a", {4}), recorded(tmp_path / "b", barriers, lost)
    for name in ("metrics.parquet", "events.parquet"):
        assert (plain / name).read_bytes() == (other / name).read_bytes()
    assert sorted(path.name for path in other.iterdir()) == [
        "events.parquet",
        "manifest.json",
        "metrics.parquet",
    ]


def test_unfinished_runs_are_read_from_their_parts(tmp_path: Path) -> None:
    """Before the parts are merged, readers see what is safe."""
    recorded(tmp_path / "run", {4})
    recorder = Recorder(tmp_path / "run", START, ROWS)
    (tmp_path / "run" / "metrics.parquet").unlink()
    recorder.record(0, np.ones(4))
    recorder.flush(86400)
    assert load_metrics(tmp_path / "run").values.tolist() == [[1, 1, 1, 1]]


def test_per_day_is_a_rate_over_a_day() -> None:
    """A total that rises by 6 every six hours is 24 a day, also where a reading is missing; the
    first has no before."""
    times = np.datetime64("2025-01-01T00:00:00") + np.array(
        [0, 6, 12, 18, 24, 30, 48]
    ) * np.timedelta64(3600, "s")
    rate = per_day(times, np.array([0, 6, 12, 18, 24, 30, 48.0]))
    assert np.isnan(rate[0]) and np.allclose(rate[1:], 24)


@pytest.mark.parametrize(
    ("damage", "words"),
    [("cut", "cannot be read"), ("other", "does not match the series that manifest.json declares")],
)
def test_damage_is_named(damage: str, words: str, tmp_path: Path) -> None:
    """A broken file, or one of another run, is one line that names it."""
    run = recorded(tmp_path / "run", {4})
    if damage == "cut":
        (run / "metrics.parquet").write_bytes((run / "metrics.parquet").read_bytes()[:200])
    else:
        (run / "manifest.json").write_text(
            json.dumps({"metrics": [metric_to_dict(metric) for metric in DECLARED] * 2})
        )
    with pytest.raises(UsageError, match=words):
        load_metrics(run)


def test_a_folder_that_is_no_run_names_its_neighbours(tmp_path: Path) -> None:
    """A mistyped folder gets the nearest run."""
    recorded(tmp_path / "quickstart-1", {4})
    with pytest.raises(UsageError, match="did you mean quickstart-1"):
        load_manifest(tmp_path / "quickstat-1")
