"""Folders that are made once, however many processes of tests use them."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first process to ask for it fills by ``make``; the others wait, and read."""
    root = factory.getbasetemp()
    # under xdist every worker has a folder of its own in that of the whole suite
    here = (root.parent if root.name.startswith("popen-") else root) / name
    with Path(f"{here}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = here / "made"
        if not made.exists():
            here.mkdir()
            make(here)
            made.touch()
    return here
