"""Folders of this user on this machine: where caches lie, and what is used when they cannot."""

from __future__ import annotations

import functools
import multiprocessing
import os
import stat
import sys
import tempfile
from pathlib import Path


def cache_home() -> Path:
    """Where twin's caches lie: ``$XDG_CACHE_HOME/twin``, else ``~/.cache/twin``; the temporary
    folder for a user without a home."""
    given = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(given) if given else Path.home() / ".cache") / "twin"
    except RuntimeError:  # a container with a user of no name, and no HOME
        return spare()


@functools.cache
def spare() -> Path:
    """A temporary folder that is ours alone: the same for later processes, as what is in it took
    long to make."""
    place = Path(tempfile.gettempdir()) / f"twin-{os.getuid()}"
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        found = place.lstat()
        # what others may write into would be run as our code
        if not (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not stat.S_IMODE(found.st_mode) & 0o077
        ):
            return Path(tempfile.mkdtemp(prefix="twin-"))
    return place


@functools.cache
def warned(text: str) -> None:
    """Print a warning once, and not again in the processes that this one starts."""
    if multiprocessing.parent_process() is None:
        print(f"warning: {text}", file=sys.stderr, flush=True)
