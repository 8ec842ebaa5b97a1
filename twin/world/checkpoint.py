"""Checkpoints: a folder of plain arrays and one JSON file; data, never code.

``manifest.json`` (format, time, clocks, levers, marks, schema, room in tables) and one ``.npy`` per
column and named array, without pickle. A run's checkpoints are called after seconds since its
start, ``t86400``; those of a warm-up lie before zero, ``t-86400``. A lazy column that nobody has
written has none. Written beside its final name, synced, and renamed: a checkpoint is whole or
absent. A schema that differs is refused by name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from twin.ground.errors import CheckpointError
from twin.world.state import World

FORMAT = 2
_NAME = re.compile(r"t-?\d+")


def save(folder: Path, world: World, due: dict[str, int]) -> None:
    """Write the world to ``folder``, atomically."""
    work = folder.with_name(folder.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    arrays: dict[str, Any] = {"board": world.board.values}
    if world.board.zero.any():
        arrays["zero"] = world.board.zero
    for table in world.tables.values():
        arrays.update(
            {f"table.{table.name}.{name}": values for name, values in table.save().items()}
        )
    arrays.update({f"state.{name}": values for name, values in world.state.items()})
    for name, values in arrays.items():
        np.save(work / f"{name}.npy", values, allow_pickle=False)
    manifest = {
        "format": FORMAT,
        "now": world.now,
        "due": due,
        "levers": world.levers,
        "arms": world.arms,
        "marks": world.marks,
        "board": world.board.describe(),
        "arrays": sorted(arrays),
        "capacity": {name: table.capacity for name, table in world.tables.items()},
    }
    with (work / "manifest.json").open("w") as file:
        json.dump(manifest, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)
    handle = os.open(folder.parent, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def load(folder: Path, world: World) -> dict[str, int]:
    """Fill a freshly defined world from ``folder``; returns when each clock is due. Raises
    CheckpointError."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        if manifest["format"] != FORMAT:
            raise CheckpointError(
                f"{folder}: checkpoint format {manifest['format']}, this version reads {FORMAT}"
            )
        if manifest["board"] != world.board.describe():
            raise CheckpointError(
                f"{folder}: the metrics of this version differ from the checkpoint's (run it anew)"
            )
        arrays = {
            name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in manifest["arrays"]
        }
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{folder}: checkpoint cannot be read: {error}") from None
    world.now = int(manifest["now"])
    world.levers.clear()
    world.levers.update(manifest["levers"])
    world.arms.clear()
    world.arms.update(manifest["arms"])
    world.marks[:] = [tuple(mark) for mark in manifest["marks"]]
    world.board.values[:] = arrays.pop("board")
    world.board.zero[:] = arrays.pop("zero", 0.0)
    for table in world.tables.values():
        prefix = f"table.{table.name}."
        table.load(
            {
                name.removeprefix(prefix): arrays.pop(name)
                for name in list(arrays)
                if name.startswith(prefix)
            },
            int(manifest["capacity"][table.name]),
        )
    for name in world.tables:
        world.widen(name)
    world.state.clear()
    world.state.update({name.removeprefix("state."): array for name, array in arrays.items()})
    return {name: int(at) for name, at in manifest["due"].items()}


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint of a run folder's ``checkpoints/``, or None."""
    if not folder.is_dir():
        return None
    whole = [
        path
        for path in folder.iterdir()
        if time_of(path) is not None and (path / "manifest.json").exists()
    ]
    return max(whole, key=lambda path: int(path.name[1:]), default=None)


def time_of(path: Path) -> int | None:
    """Seconds since the start that a checkpoint's name says, or None if it is no checkpoint's
    name."""
    return int(path.name[1:]) if _NAME.fullmatch(path.name) else None
