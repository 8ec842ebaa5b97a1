"""Commands to a running simulation from another process.

A command is one JSON file that is put whole into ``RUN/mailbox``; the run reads it at its next
barrier (at most a simulated hour later, at once while it is paused) and answers with a file of the
same name and the ending ``.reply``. Whoever may write into the run folder may command the
run, and nobody else: no port, no secret. The command line and the live page both use it.

The run holds a lock on ``RUN/mailbox/open`` for as long as its process works in the folder. The
operating system drops it when the process dies, however it dies. So files that a killed run left
behind mislead nobody, and two processes never work in one folder. A run that has ended takes no
more commands, although its process may still serve readers: the file ``RUN/mailbox/ended`` says so.

Commands: ``{"do": "pause"}``; ``{"do": "continue"}``; ``{"do": "pace", "days_per_second": 2.0}``
(null: as fast as it can); ``{"do": "intervene", "policy": YAML, "at": TIME}``; ``{"do": "fork",
"branch": NAME, "policy": YAML, "at": TIME, "out": PATH}``; ``{"do": "status"}``; ``{"do":
"look"}``, whose reply has a ``view`` of the world. TIME is a duration since the start such as
``90d``, or a date; what is null or left out means now, or a name that the run chooses. A reply is
``{"ok": text, ...}`` or ``{"error": text}``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from twin.ground import files
from twin.ground.errors import UsageError

FOLDER = "mailbox"
ENDED = "ended"
LARGEST = 2**20
"""Bytes of a command; more is refused unread."""
GRACE_S = 1.0
"""How long a run that ends waits for its last replies to be read, and one that begins for a process
that only tested the lock."""


class Mailbox:
    """The run's side: open while a process works in the run's folder. Use it with ``with``."""

    def __init__(self, run: Path) -> None:
        self.run, self.folder = run, run / FOLDER
        self._lock: int | None = None

    def __enter__(self) -> Mailbox:
        self.open()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def open(self) -> None:
        """Take the folder for this process and begin to take commands; those meant for an earlier
        process are dropped.

        Raises UsageError if another process has it.
        """
        until = time.monotonic() + GRACE_S
        while (lock := self._locked()) is None:
            if time.monotonic() > until:
                raise UsageError(
                    f"{self.run}: a process already runs here{_who(self.folder)} (let it end, or "
                    f"stop it with Ctrl-C or kill)"
                )
            time.sleep(0.01)
        self._lock = lock
        # the folder may be from before, with wider rights: who can write into it commands the run
        self.folder.chmod(0o700)
        for entry in list(os.scandir(self.folder)):
            if entry.name != "open":
                _remove(Path(entry.path))
        # who has the folder, for the message to a second process
        os.ftruncate(lock, 0)
        os.write(lock, json.dumps({"pid": os.getpid()}).encode())

    def _locked(self) -> int | None:
        """A handle on the file ``open`` with the lock on it; None if another has that, or the
        folder just went away."""
        with contextlib.suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)
        path = self.folder / "open"
        try:
            # a link in its place would lead the lock, and what is written, out of the folder
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # the last owner may have removed the file since it was opened: such a lock is void
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError:
            # a file system without locks: work without this protection
            return handle
        os.close(handle)
        return None

    def close(self) -> None:
        """Take no more commands and release the folder. Waiting commands are answered; replies stay
        for GRACE_S."""
        if self._lock is None:
            return
        self.refuse()
        until = time.monotonic() + GRACE_S
        # whoever asked removes the reply once it is read
        while time.monotonic() < until and any(self.folder.glob("*.reply")):
            time.sleep(0.01)
        shutil.rmtree(self.folder, ignore_errors=True)
        # after the folder: whoever waits for this lock then sees that its file is gone
        os.close(self._lock)
        self._lock = None

    def refuse(self) -> None:
        """Take no more commands, but keep the folder. Waiting and later commands are refused."""
        # the sign before the answers: a command that comes in between meets the sign
        with contextlib.suppress(OSError):
            (self.folder / ENDED).touch()
        for path in self.folder.glob("*.json"):
            self.answer(
                path.stem, {"error": f"{self.run}: the run ended before it read the command"}
            )

    def waiting(self) -> int:
        """Commands that were not read yet."""
        return sum(1 for _ in self.folder.glob("*.json"))

    def commands(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Commands that have come, oldest first, each with the name under which to `answer`."""
        try:
            # names begin with the time of sending, see `command`
            names = sorted(
                entry.name for entry in os.scandir(self.folder) if entry.name.endswith(".json")
            )
        except OSError:
            return
        for name in names:
            path = self.folder / name
            command = _read(path)
            # removed before it is carried out: by that its sender knows that it was read
            _remove(path)
            if isinstance(command, dict) and isinstance(command.get("do"), str):
                yield path.stem, command
            else:
                self.answer(path.stem, {"error": "not a command"})

    def answer(self, name: str, reply: Mapping[str, Any]) -> None:
        """Answer the command of that name. A reply that cannot be written does not stop the run."""
        with contextlib.suppress(OSError):
            _write(self.folder / f"{name}.reply", json.dumps(reply))


def is_open(run: Path) -> bool:
    """Whether a living process runs in this folder and takes commands."""
    try:
        handle = os.open(run / FOLDER / "open", os.O_RDONLY)
    # it is there, and another user's: whether its process lives cannot be asked
    except PermissionError:
        return True
    except OSError:
        return False
    try:
        # shared, so that several who only ask do not find one another
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def command(run: Path, request: Mapping[str, Any], *, patience_s: float = 120.0) -> dict[str, Any]:
    """Give a command to the run in a folder and wait for its answer.

    Raises UsageError if nothing runs there, if it refuses, or if it does not answer in time. A
    command that was not read by then is withdrawn.
    """
    if not files.is_folder(run):
        raise UsageError(f"{files.shown(str(run))}: no such run folder")
    if not is_open(run):
        raise UsageError(
            f"{run}: nothing runs there now (start it with twin run --out {run}, or continue it "
            f"with twin resume {run})"
        )
    if _has_ended(run):
        raise UsageError(
            f"{run}: the run has ended and takes no more commands{_who(run / FOLDER)} (its process "
            f"still serves readers; Ctrl-C there ends that)"
        )
    text = json.dumps(request)
    if len(text) > LARGEST:
        raise UsageError(
            f"{run}: the command is {len(text) / 2**20:.1f} MB long, at most 1 MB is read (is that "
            f"the right policy file?)"
        )
    # sorts by time; the rest keeps apart what two processes send at once
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    sent, reply = run / FOLDER / f"{name}.json", run / FOLDER / f"{name}.reply"
    try:
        _write(sent, text)
        answer = _answered(run, reply, patience_s)
        # it was read and is being carried out: no longer to be withdrawn, so wait again
        if answer is None and not sent.exists():
            answer = _answered(run, reply, patience_s)
    except FileNotFoundError:
        raise UsageError(f"{run}: the run ended before it read the command") from None
    finally:
        sent.unlink(missing_ok=True)
        reply.unlink(missing_ok=True)
    if answer is None:
        raise UsageError(
            f"{run}: the run did not answer within {patience_s:g} s (it may still be building its "
            f"world)"
        )
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return answer


def _answered(run: Path, reply: Path, patience_s: float) -> dict[str, Any] | None:
    """The reply, or None if it does not come in time. Raises UsageError if the run is gone."""
    until, gone = time.monotonic() + patience_s, False
    while True:
        with contextlib.suppress(FileNotFoundError):
            answer: dict[str, Any] = json.loads(reply.read_text(encoding="utf-8"))
            return answer
        if gone:
            raise UsageError(
                f"{run}: the run ended before it answered (what was done of it, if anything, is in "
                f"{run / 'interventions'})"
            )
        if time.monotonic() > until:
            return None
        # acted on in the next round: a last reply may have been written before the end
        gone = not is_open(run) or _has_ended(run)
        time.sleep(0.01)


def _has_ended(run: Path) -> bool:
    return (run / FOLDER / ENDED).exists()


def _who(folder: Path) -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return f", pid {int(json.loads((folder / 'open').read_text(encoding='utf-8'))['pid'])}"
    return ""


def _read(path: Path) -> Any:
    """The data in a JSON file; None if it is not JSON, too long, or not a plain file."""
    try:
        # a link must not lead out of the folder, and a pipe must not block the run
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123
            info = os.fstat(handle)
            return (
                json.loads(file.read())
                if stat.S_ISREG(info.st_mode) and info.st_size <= LARGEST
                else None
            )
    # RecursionError: JSON that is nested too deeply
    except (OSError, ValueError, RecursionError):
        return None


def _remove(path: Path) -> None:
    """Remove a file or folder if that is possible."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    work = path.with_name(path.name + ".part")
    work.write_text(text, encoding="utf-8")
    work.replace(path)
