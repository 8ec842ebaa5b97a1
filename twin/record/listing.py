"""What lies in a folder: its runs and experiments, each with its names, how far it is and in which
state.

A folder is a run's or an experiment's if its ``manifest.json`` says so. Folders inside one of
those are its own matter and are not looked at. A run that a process has open is asked whether it is
paused, and where it is.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.ground import files
from twin.ground.errors import TwinError, UsageError
from twin.ground.units import DAY
from twin.record import naming
from twin.record.mailbox import command, is_open
from twin.record.results import FORMAT, MAIN
from twin.world import saved

MANIFEST = "manifest.json"
DEPTH = 2
"""Levels below the folder that are looked at."""
PATIENCE_S = 2.0
"""Wall-clock seconds in which a run must say whether it is paused."""


@dataclass(frozen=True)
class Entry:
    """A run or an experiment. ``days_done`` is None where that is not known; ``state`` is done,
    running, paused, stopped, unfinished (of an experiment: running or stopped) or unreadable, and
    ``why`` says more about it; ``resumable``: `twin resume` continues it; ``when`` is the time of
    its last change that is known."""

    folder: str
    kind: str
    name: str = ""
    tags: tuple[str, ...] = ()
    scenario: str = ""
    seed: int | None = None
    days_done: float | None = None
    days: float | None = None
    state: str = "unreadable"
    why: str = ""
    resumable: bool = False
    when: str = ""


def entries(folder: Path) -> list[Entry]:
    """Runs and experiments in a folder, or the one that it is, the latest first. Raises UsageError
    if there is no such folder."""
    if not files.is_folder(folder):
        why, mend = files.trouble(folder, str(folder), "*", "folder")
        raise UsageError(f"{why} ({mend})")
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read: {files.reason(error)[0]}") from None
    found = [entry for path in _folders(folder, DEPTH) if (entry := read(path)) is not None]
    return sorted(found, key=lambda entry: entry.when, reverse=True)


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """Folders with a manifest, from the top down."""
    if files.is_file(folder / MANIFEST):
        yield folder
        return
    if not depth:
        return
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return  # whatever lies there, nobody can say what it is
    for path in inside:
        # half-made folders and hidden ones are nobody's
        if not path.name.startswith(".") and path.suffix != ".part" and files.is_folder(path):
            yield from _folders(path, depth - 1)


def read(folder: Path) -> Entry | None:
    """The run or experiment in a folder with a manifest; None if that belongs to something else."""
    path, shown = folder / MANIFEST, str(folder)
    try:
        when = _time(path.stat().st_mtime)
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return Entry(shown, "?", why=files.reason(error)[0])
    except ValueError:
        return Entry(shown, "?", why="manifest.json is no JSON", when=when)
    if not isinstance(manifest, dict) or not ({"command", "run_id"} & manifest.keys()):
        return None
    known = naming.read(folder)
    try:
        if "command" in manifest:
            return _experiment(shown, manifest, known, when)
        return _run(folder, manifest, known, when)
    except (KeyError, TypeError, ValueError, TwinError) as error:
        lacks = isinstance(error, KeyError)
        why = f"manifest.json {f'lacks {error.args[0]}' if lacks else f'is damaged: {error}'}"
        return Entry(shown, "?", known.name, known.tags, why=why, when=when)


def _experiment(shown: str, manifest: dict[str, Any], known: naming.Naming, when: str) -> Entry:
    """No process is recorded for an experiment: one that is not done runs somewhere, or resumes."""
    done, days = manifest["status"] == "done", manifest["duration_s"] / DAY
    return Entry(
        folder=shown,
        kind={"compare": "comparison", "calibrate": "calibration"}.get(
            manifest["command"], manifest["command"]
        ),
        name=known.name,
        tags=known.tags,
        scenario=manifest["name"],
        seed=manifest["seed"],
        days_done=days if done else None,
        days=days,
        state="done"
        if done
        else "stopped"
        if manifest["status"] == "interrupted"
        else "unfinished",
        resumable=not done,
        when=when,
    )


def _run(folder: Path, manifest: dict[str, Any], known: naming.Naming, when: str) -> Entry:
    newest = saved.latest(folder / saved.FOLDER)
    reached = manifest.get("reached_s", 0)
    if newest is not None:
        reached = max(reached, saved.when(newest))
        when = max(when, _time(newest.stat().st_mtime))
    state, why, reached = _state(folder, manifest, reached)
    branch = manifest["branch"]
    return Entry(
        folder=str(folder),
        kind="run" if branch == MAIN else f"branch {branch}",
        name=known.name,
        tags=known.tags,
        scenario=manifest["name"],
        seed=manifest["seed"],
        days_done=round(reached / DAY, 2),
        days=manifest["duration_s"] / DAY,
        state=state,
        why=why,
        resumable=state == "stopped" and not why,
        when=when,
    )


def _state(folder: Path, manifest: dict[str, Any], reached: int) -> tuple[str, str, int]:
    """State, what more there is to say, and seconds since the start."""
    if manifest["status"] == "done":
        return "done", "", manifest["duration_s"]
    if is_open(folder):
        try:
            reply = command(folder, {"do": "status"}, patience_s=PATIENCE_S)
        except (TwinError, OSError):
            # it builds its world, or belongs to another user
            return "running", "", reached
        # ls may be older or newer than what runs there
        now = reply.get("now_s", reached)
        return ("paused" if reply.get("paused") else "running"), "", now
    if manifest["format"] != FORMAT:
        return (
            "stopped",
            f"run format {manifest['format']}, this version resumes {FORMAT}",
            reached,
        )
    return "stopped", "", reached


def _time(seconds: float) -> str:
    """A time of this machine as ISO 8601, to the second, in UTC so that texts sort as times."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC).isoformat()
