"""Tasks leave the same bytes in every kind of place."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.given.places import KINDS
from twin.experiments.experiment import Experiment
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import SCENARIO, Task, execute
from twin.ground.errors import UsageError
from twin.scenario.describe import dump
from twin.scenario.loading import Scenario


def test_tasks_leave_the_same_bytes_anywhere(
    small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Trunk, branch and whole runs: the same readings in a folder, at a file:// address, in an
    object store and on a server."""
    scenario = small("duration=6d")
    tasks = [
        Task("trunk", "runs/t.npy", {"sets": ["replicate=1"], "at_s": 3 * 86400}),
        Task(
            "branch",
            "runs/b.npy",
            {"sets": ["replicate=1"], "trunk": "runs/t.npy", "policies": ["policies/p.yaml"]},
            ("runs/t.npy",),
        ),
        Task("whole", "runs/w.npy", {"sets": ["replicate=1"]}),
    ]
    places = {
        "folder": str(tmp_path / "a"),
        "file": f"file://{tmp_path}/b",
        "memory": f"memory://{uuid.uuid4().hex}",
        "server": f"server://{tmp_path}/d",
    }
    found = {}
    for kind in KINDS:
        experiment = Experiment(places[kind], "compare", {}, scenario, quiet=True)
        experiment.store.write(
            "policies/p.yaml", b"policies: [{name: p, at: 3d, set: {recommender.ai_factor: 0.1}}]\n"
        )
        for task in tasks:
            execute(experiment.store.root, task)
        found[kind] = [experiment.store.read(task.result) for task in tasks]
        experiment.finish("done")
        assert (
            Experiment(places[kind], "compare", {}, scenario, quiet=True).manifest["status"]
            == "running"
        )  # goes on
        with pytest.raises(UsageError, match="with other at_s"):
            Experiment(places[kind], "compare", {"at_s": 1}, scenario, quiet=True)
    assert all(found[kind] == found["folder"] for kind in KINDS)
    assert found["folder"][1] != found["folder"][2]


def test_a_worker_that_does_not_see_the_folder_says_so(
    tmp_path: Path, small: Callable[..., Scenario]
) -> None:
    """On a machine that does not share the folder, the mend is in the error."""
    with pytest.raises(UsageError, match=r"as seen from .* that all workers share"):
        execute(str(tmp_path / "elsewhere"), Task("whole", "w.npy", {}))
    Store(str(tmp_path)).write(SCENARIO, dump(small("duration=1d")).encode())
    execute(str(tmp_path), Task("whole", "w.npy", {}))
