"""Runs that are killed where they stand in simulated time, so that a slow machine kills as often
and as late as a fast one."""

import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.conftest import PATIENCE_S
from twin.world.checkpoint import latest


def killed(first: Sequence[str], again: Sequence[str], out: Path, places: Iterable[int]) -> int:
    """Begin a run by ``first``, and whenever it is gone continue it by ``again``; kill -9 each time
    a checkpoint lies at or behind the next of the ``places`` (seconds from the start). How many of
    these kills there were; fewer if it ended before."""
    kills = 0
    for wait, where in enumerate(places):
        process = subprocess.Popen(first if not out.exists() else again)
        until = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < until:
            newest = latest(out / "checkpoints")
            if newest is not None and int(newest.name[1:]) >= where:
                # some time after the checkpoint, another one each time
                time.sleep(0.03 * wait)
                process.kill()
                break
            time.sleep(0.01)
        kills += process.wait() == -9
    return kills
