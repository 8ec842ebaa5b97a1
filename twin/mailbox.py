"""The hand on the levers: how a person reaches a run from another process.

A command is one JSON file that is put whole into ``RUN/mailbox``; the run reads it at its next barrier (at most a simulated hour
later, at once while it is paused) and answers with a file of the same name and the ending ``.reply``. Who may write into the run
folder may command the run, and nobody else: no port, no secret. Both the command line and the live page go this way.

Commands: ``{"do": "pause"}``; ``{"do": "continue"}``; ``{"do": "pace", "days_per_second": 2.0}`` (null: as fast as it can);
``{"do": "intervene", "policy": YAML, "at": TIME}``; ``{"do": "fork", "branch": NAME, "policy": YAML, "at": TIME, "out": PATH}``;
``{"do": "status"}``. TIME is a duration since the start such as ``90d``, or a date; what is null or left out means now, or a name
that the run chooses. A reply is ``{"ok": text, ...}`` or ``{"error": text}``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twin.errors import UsageError

FOLDER = "mailbox"
LARGEST = 2**20
"""Bytes of a command; more is refused unread."""


class Mailbox:
    """The run's end: open while the run goes on."""

    def __init__(self, run: Path) -> None:
        self.folder = run / FOLDER

    def open(self) -> None:
        """Begin to take commands; those meant for an earlier process of this run are dropped."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700)
        _write(self.folder / "open", {"pid": os.getpid()})

    def close(self) -> None:
        """Take no more commands."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def waiting(self) -> int:
        """Commands that were not read yet."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def commands(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Commands that have come, oldest first, each with the name under which to `answer`."""
        try:
            names = sorted(entry.name for entry in os.scandir(self.folder) if entry.name.endswith(".json"))
        except OSError:
            return
        for name in names:
            path = self.folder / name
            try:
                command = json.loads(path.read_text()) if path.stat().st_size <= LARGEST else None
            except (OSError, ValueError):
                command = None
            path.unlink(missing_ok=True)
            if isinstance(command, dict) and isinstance(command.get("do"), str):
                yield path.stem, command
            else:
                self.answer(path.stem, {"error": "not a command"})

    def answer(self, name: str, reply: Mapping[str, Any]) -> None:
        """Answer the command of that name."""
        if self.folder.is_dir():
            _write(self.folder / f"{name}.reply", reply)


def is_open(run: Path) -> bool:
    """Whether a living process runs in this folder and takes commands."""
    try:
        pid = int(json.loads((run / FOLDER / "open").read_text())["pid"])
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def command(run: Path, request: Mapping[str, Any], *, patience_s: float = 120.0) -> dict[str, Any]:
    """Give a command to the run in a folder and wait for its answer.

    Raises UsageError if nothing runs there, if it refuses, or if it does not answer in time.
    """
    if not run.is_dir():
        raise UsageError(f"{run}: no such run folder")
    if not is_open(run):
        raise UsageError(f"{run}: nothing runs there now (start it with twin run --out {run}, or go on with twin resume {run})")
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    _write(run / FOLDER / f"{name}.json", request)
    reply = run / FOLDER / f"{name}.reply"
    until = time.monotonic() + patience_s
    while not reply.exists():
        if not is_open(run):
            raise UsageError(f"{run}: the run ended before it read the command")
        if time.monotonic() > until:
            (run / FOLDER / f"{name}.json").unlink(missing_ok=True)
            raise UsageError(f"{run}: the run did not answer within {patience_s:g} s (it may still be building its world)")
        time.sleep(0.01)
    answer: dict[str, Any] = json.loads(reply.read_text())
    reply.unlink(missing_ok=True)
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return answer


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    work = path.with_name(path.name + ".part")
    work.write_text(json.dumps(data))
    work.replace(path)
