"""Which checkpoints lie in a folder, by their names alone: without the world, which takes a second to
import.

A run's checkpoints are named by seconds since its start, ``t86400``; those of a warm-up are
negative, ``t-86400``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from twin.ground.errors import CheckpointError

FOLDER = "checkpoints"
"""Where a run folder keeps its checkpoints."""
_NAME = re.compile(r"t-?\d+")


def folder_name(now: int) -> str:
    """What the checkpoint at ``now`` seconds since the scenario's start is called."""
    return f"t{now}"


def when(path: Path) -> int:
    """Seconds since the scenario's start of a checkpoint. Raises CheckpointError for any other
    folder."""
    if not _NAME.fullmatch(path.name):
        raise CheckpointError(
            f"{path}: is not called like a checkpoint, such as {folder_name(86400)}"
        )
    return int(path.name[1:])


def every(folder: Path) -> list[Path]:
    """All whole checkpoints in ``folder``, oldest first."""
    if not folder.is_dir():
        return []
    # A folder still called ``.part`` does not match the name
    whole = [
        path
        for path in folder.iterdir()
        if _NAME.fullmatch(path.name) and (path / "manifest.json").exists()
    ]
    return sorted(whole, key=when)


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint in ``folder``, or None."""
    found = every(folder)
    return found[-1] if found else None


def prune(folder: Path, kept: int) -> None:
    """Remove all but the ``kept`` newest checkpoints, and what a killed process left half
    written."""
    newest = every(folder)[-kept:]
    # Matches ``.part`` folders as well, which are in no list of whole ones
    for path in folder.glob("t*"):
        if path not in newest:
            shutil.rmtree(path, ignore_errors=True)
