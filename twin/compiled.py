"""Where numba keeps compiled kernels: a folder named by the digest of all kernel sources.

numba's own cache looks at the file of the function that it compiles and at no file that this one calls, so after an update of one
kernel another could go on running the old machine code of it. Importing this module, before any kernel, makes that impossible.
``NUMBA_CACHE_DIR`` is respected as the place under which the folder is made.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numba

KEPT = 3
"""Folders of former versions that are kept, newest first: another process may still run them."""


def folder(sources: Path) -> Path:
    """The cache folder for the kernels as they stand: inside the package or, where that cannot be written, the user's cache."""
    digest = hashlib.blake2b(digest_size=8)
    for path in [sources / "draws.py", *sorted((sources / "kernels").glob("*.py"))]:
        digest.update(path.name.encode() + path.read_bytes())
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twin"
    base = Path(given) if given else sources / "__pycache__"
    if not given and not os.access(sources, os.W_OK):
        base = home
    return base / f"kernels-{digest.hexdigest()}"


def use(path: Path) -> None:
    """Let numba keep its machine code there, and drop what is left of older versions."""
    path.mkdir(parents=True, exist_ok=True)
    os.utime(path)
    others = sorted(path.parent.glob("kernels-*"), key=lambda other: other.stat().st_mtime, reverse=True)
    for old in others[KEPT + 1:]:
        shutil.rmtree(old, ignore_errors=True)
    numba.config.CACHE_DIR = str(path)  # type: ignore[attr-defined]


use(folder(Path(__file__).parent))
