"""Checkpoints: a folder of plain arrays and one JSON file; data, never code.

``manifest.json`` (format, time, clocks, levers, marks, records, schema, room in tables) and one
``.npy`` per column and named array, without pickle. A run's checkpoints are named by seconds since
its start, ``t86400``; those of a warm-up are negative, ``t-86400``. A lazy column that was never
written has no file. A checkpoint is written beside its final name, synced, and renamed, so it is
whole or absent. A schema that differs is refused by name. The manifest has a sum of every array and
of itself, so that a disk that gives back other bits changes no result in silence.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from twin.ground.digest import sha
from twin.ground.errors import CheckpointError
from twin.world.saved import FOLDER as FOLDER
from twin.world.saved import every as every
from twin.world.saved import folder_name as folder_name
from twin.world.saved import latest as latest
from twin.world.saved import prune as prune
from twin.world.saved import when as when
from twin.world.state import World

FORMAT = 4
MEND = "remove this folder to continue from the checkpoint before, or run the scenario again"


def save(folder: Path, world: World, due: dict[str, int]) -> None:
    """Write the world to ``folder``, atomically."""
    # Beside the final name: a rename is atomic only within one file system
    work = folder.with_name(folder.name + ".part")
    # What a killed process left half written
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    arrays: dict[str, Any] = {"board": world.board.values}
    # Only a world with a warm-up has other zeros than 0
    if world.board.zero.any():
        arrays["zero"] = world.board.zero
    for table in world.tables.values():
        arrays.update(
            {f"table.{table.name}.{column}": values for column, values in table.save().items()}
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
        "records": world.records,
        "board": world.board.describe(),
        "sums": {name: _sum(values) for name, values in arrays.items()},
        # Room decides how long arrays are made and when they grow: a resumed run must do the same
        "capacity": {name: table.capacity for name, table in world.tables.items()},
    }
    # as it will be read: JSON knows no tuples
    manifest = json.loads(json.dumps(manifest))
    with (work / "manifest.json").open("w", encoding="utf-8") as file:
        json.dump({**manifest, "sum": sha(manifest)}, file, indent=1, sort_keys=True)
        # Written last: a folder counts as whole once it has a manifest
        file.flush()
        os.fsync(file.fileno())
    # An older checkpoint of the same second gives way: a rename needs an empty place
    shutil.rmtree(folder, ignore_errors=True)
    work.rename(folder)
    # The rename itself is on disk only once its parent folder is synced
    handle = os.open(folder.parent, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def load(folder: Path, world: World) -> dict[str, int]:
    """Fill a freshly defined world from ``folder``; returns when each clock is due. Raises
    CheckpointError."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if not isinstance(manifest, dict):
            raise CheckpointError(f"{folder}: manifest.json is damaged ({MEND})")
        if manifest["format"] != FORMAT:
            raise CheckpointError(
                f"{folder}: checkpoint format {manifest['format']}, this version reads {FORMAT} "
                f"(run the scenario again)"
            )
        if manifest.pop("sum") != sha(manifest):
            raise CheckpointError(f"{folder}: manifest.json is damaged ({MEND})")
        # Values are stored by place alone, so the series must be the same, in the same order
        if manifest["board"] != world.board.describe():
            raise CheckpointError(
                f"{folder}: the metrics of this version differ from the checkpoint's (run the "
                f"scenario again)"
            )
        arrays = {name: _loaded(folder, name, sum_) for name, sum_ in manifest["sums"].items()}
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise CheckpointError(f"{folder}: checkpoint cannot be read: {error} ({MEND})") from None
    world.now = int(manifest["now"])
    # In place, through `Watched`: what was computed from levers before becomes invalid
    world.levers.clear()
    world.levers.update(manifest["levers"])
    world.arms.clear()
    world.arms.update(manifest["arms"])
    world.marks[:] = [tuple(mark) for mark in manifest["marks"]]
    world.records.clear()
    world.records.update(manifest["records"])
    world.board.values[:] = arrays.pop("board")
    # Absent where there was no warm-up
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
    # Only now is it known how long the tables are that columns of rows refer to
    for name in world.tables:
        world.widen(name)
    # What is left of the arrays. In place: every mechanism's `Keep` refers to this very dict
    world.state.clear()
    world.state.update({name.removeprefix("state."): array for name, array in arrays.items()})
    return {name: int(at) for name, at in manifest["due"].items()}


def _loaded(folder: Path, name: str, sum_: int) -> np.ndarray[Any, Any]:
    """An array, if it is the one that was saved. Raises CheckpointError."""
    try:
        values: np.ndarray[Any, Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
    except OSError:
        raise
    # a header that says something else is evaluated by numpy, which then raises anything
    except Exception:
        raise CheckpointError(f"{folder}: {name}.npy is damaged ({MEND})") from None
    if _sum(values) != sum_:
        raise CheckpointError(f"{folder}: {name}.npy is damaged ({MEND})")
    return values


def _sum(values: np.ndarray[Any, Any]) -> int:
    """CRC-32 of an array with its type and shape: what a disk spoils it finds, and fast."""
    kind = f"{values.dtype.descr}{values.shape}".encode()
    bits: Any = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    return zlib.crc32(bits, zlib.crc32(kind))


def array_file(table: str, column: str) -> str:
    """The file of a checkpoint that holds a column, for those who read one column alone."""
    return f"table.{table}.{column}.npy"
