"""A start that is refused late leaves nothing in the way of the corrected command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S, SCENARIOS, settings
from tests.given.inside import called
from twin.record.mailbox import Mailbox

BASE = SCENARIOS / "base.yaml"
WORLD = settings("duration=1d", "audience.initial=60", "creators.human.initial=20")


def refused(words: str, *args: str | Path, cwd: Path, **env: str) -> None:
    done = called(*args, cwd=cwd, check=False, **env)
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert not (cwd / "out").exists() or not any((cwd / "out").iterdir())


@pytest.mark.parametrize("made", [False, True])
def test_a_bad_edge_list_and_no_token(made: bool, tmp_path: Path) -> None:
    """Found when the world is built and when services begin: the folder is as it was before."""
    run = ("run", BASE, *WORLD, "--quiet", "--out", "out")
    edges = ("--set", "network.kind=edge_list", "--set", "network.path=edges.txt")
    if made:
        (tmp_path / "out").mkdir()
    (tmp_path / "edges.txt").write_text("1 2\n3\n")
    refused("edges.txt:2", *run, *edges, cwd=tmp_path)
    away = dict.fromkeys(("GRAFANA_TOKEN", "GRAFANA_USER", "GRAFANA_PASSWORD"), "")
    refused("GRAFANA_TOKEN", *run, "--grafana", "http://127.0.0.1:9", cwd=tmp_path, **away)
    assert (tmp_path / "out").is_dir() == made
    (tmp_path / "edges.txt").write_text("1 2\n3 1\n")
    called(*run, *edges, cwd=tmp_path)
    assert (tmp_path / "out" / "report.html").exists()


def test_a_process_that_died_before_it_computed_anything(tmp_path: Path) -> None:
    """SIGKILL while the world is built: the same and another command may have the folder; while
    the process lives they may not."""
    run = ("run", str(BASE), *WORLD, "--quiet", "--out", "out")
    # large enough to be building for seconds
    large = ("--set", "audience.initial=200000")
    process = subprocess.Popen(
        [sys.executable, "-m", "twin", *run, *large], cwd=tmp_path, env={**os.environ}
    )
    until = time.monotonic() + PATIENCE_S
    while not (tmp_path / "out" / "mailbox" / "open").exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    busy = called(*run, cwd=tmp_path, check=False)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert busy.returncode == 2 and "not empty" in busy.stderr
    assert not any((tmp_path / "out" / "checkpoints").iterdir())
    called(*run, cwd=tmp_path)
    assert (tmp_path / "out" / "report.html").exists()


def test_what_was_computed_is_an_obstacle(tmp_path: Path) -> None:
    """A run that can be resumed is never taken away, nor one on which a process works."""
    run = ("run", BASE, *WORLD, "--quiet", "--out", "out")
    called(*run, cwd=tmp_path)
    before = sorted(path.name for path in (tmp_path / "out").iterdir())
    done = called(*run, cwd=tmp_path, check=False)
    assert done.returncode == 2 and "not empty" in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == before
    with Mailbox(tmp_path / "out"):
        assert called(*run, cwd=tmp_path, check=False).returncode == 2


def test_an_experiment_whose_workers_cannot_be_had(tmp_path: Path) -> None:
    """Another number of worlds is no other experiment while none has run."""
    (tmp_path / "less.yaml").write_text("set: {recommender.slate: 3}\n")
    command = ("compare", BASE, *WORLD, "--policy", "less.yaml", "--out", "out", "--quiet")
    wrong = called(*command, "--on", "moon", "--replicates", "3", cwd=tmp_path, check=False)
    assert wrong.returncode == 2 and "--on moon" in wrong.stderr
    called(*command, "--replicates", "2", "--on", "local:1", cwd=tmp_path)
    again = called(*command, "--replicates", "3", cwd=tmp_path, check=False)
    assert again.returncode == 2 and "other replicates" in again.stderr
