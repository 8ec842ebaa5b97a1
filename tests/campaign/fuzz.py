"""Throws inputs at the command line and says which break its contract.

The contract: status 0, or 2 with lines that each begin with ``error:``; never a traceback or "a
bug in twin", never more than LONGEST_S, and no file but the input is touched.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import twin
from tests.campaign import mailed, requests, samples
from tests.campaign.surfaces import POLICY, SCENARIO, SURFACES, TAKEN
from tests.conftest import SCENARIOS
from twin.cli import main

LONGEST_S = 5.0
"""Seconds of the processor, so that a busy machine raises no alarm."""
STOPPED_S = 20.0
"""Wall-clock seconds after which an input is stopped."""
MEMORY = "/dev/shm" if "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK) else None
"""Files lie in memory where that can be: making hundreds of them takes longest of all."""
TRIES = 400
"""Attempts to make one input smaller."""
PACKAGE = str(Path(twin.__file__).parent.parent) + os.sep
"""Where the package lies: a folder above it may be called twin as well."""
_FRAME = re.compile(rf'File "{re.escape(PACKAGE)}(twin/[^"]+)", line (\d+)')


over = threading.Event()
"""Set where the campaign is to end."""


class _Stopped(BaseException):
    """An input took too long."""


@dataclass
class Failure:
    """A kind of failure: how often it was seen, and the smallest input that shows it."""

    surface: str
    kind: str
    text: str
    count: int = 1


@dataclass
class Found:
    """What a campaign saw."""

    inputs: int = 0
    accepted: int = 0
    seconds: float = 0.0
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """One line per kind of failure, and one for all."""
        for each in self.failures.values():
            yield f"{each.surface}: {each.count} x {_short(each.kind)[1:-1]}: {_short(each.text)}"
        yield (
            f"{self.inputs:,} inputs in {self.seconds:.0f} s, {self.accepted:,} of them valid: "
            f"{len(self.failures)} kinds of failure"
        )


def campaign(seed: int, surfaces: Sequence[str], *, minutes: float = 0.0, inputs: int = 0) -> Found:
    """Try inputs for so many minutes, or so many inputs, on every surface in turn."""
    for command in ("scenarios", "experiments", "runs", "stream", "levers", "listing", "observe"):
        # on a busy machine an input must not wait for the imports of its command
        importlib.import_module(f"twin.cli.{command}")
    draw, found, began, told = random.Random(seed), Found(), time.monotonic(), 0
    with _place() as folder, samples.undrawn():
        samples.fill(folder, surfaces)
        while not over.is_set() and (
            found.inputs < inputs if inputs else time.monotonic() - began < 60 * minutes
        ):
            name = surfaces[found.inputs % len(surfaces)]
            if (minute := int((time.monotonic() - began) // 60)) > told:
                told = minute
                print(f"{minute} min: {found.inputs:,} inputs", file=sys.stderr, flush=True)
            text = SURFACES[name].draw(draw)
            kind, fine = attempt(name, text, folder)
            if over.is_set():  # the command under test was ended instead of the campaign
                break
            found.inputs += 1
            found.accepted += fine
            if not kind:
                continue
            if (name, kind) in found.failures:
                found.failures[name, kind].count += 1
                continue

            def same(other: str, name: str = name, kind: str = kind) -> bool:
                return attempt(name, other, folder)[0] == kind

            # one that is slow is not made smaller: each attempt would take as long
            tries = 0 if kind.startswith("slow") else SURFACES[name].tries or TRIES
            small = minimised(text, same, tries)
            found.failures[name, kind] = Failure(name, kind, small)
    found.seconds = time.monotonic() - began
    return found


def attempt(name: str, text: str, folder: Path) -> tuple[str, bool]:
    """The kind of failure of one input ("": none), and whether twin accepted it."""
    surface = SURFACES[name]
    if "\0" in "".join(surface.arguments(text)):
        return "", False  # no process can be given such an argument
    if surface.file:
        # surrogates as the bytes that they would be in a file that is not UTF-8
        (folder / surface.file).write_bytes(text.encode("utf-8", "surrogatepass"))
    if surface.place:
        surface.place(folder, text)
    before = _state(folder, surface.touches)
    out, err = io.StringIO(), io.StringIO()
    began, status, escaped = time.process_time(), 0, ""
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _limit(STOPPED_S):
            if surface.call:
                surface.call(folder, text)
            else:
                main(surface.arguments(text))
    except SystemExit as ended:
        status = int(ended.code or 0)
    except _Stopped as stopped:
        where = traceback.extract_tb(stopped.__traceback__)
        return f"slow, at {_within(where)}", False
    except AssertionError as error:
        # a surface's own judgement
        escaped = f"wrong: {str(error)[:80]}"
    except BaseException as error:
        escaped = f"{type(error).__name__} escaped"
    took, said = time.process_time() - began, err.getvalue()
    kind = escaped or _bug(said, folder) or _told(name, status, said, out.getvalue())
    if not kind and status == 0 and surface.after:
        kind = surface.after(folder, text)
    if not kind and took > LONGEST_S:
        kind = "slow"
    if not kind and (after := _state(folder, surface.touches)) != before:
        changed = sorted({path for path, _ in set(after.items()) ^ set(before.items())})
        kind = f"touches {changed[0]}"
    return kind, status == 0


def _told(name: str, status: int, said: str, shown: str) -> str:
    """What is wrong with what was printed."""
    lines = said.splitlines()
    if status == 0:
        return "" if shown else "status 0 and no output"
    if status not in SURFACES[name].statuses:
        # without what names the input
        return f"status {status}: {lines[0].rpartition(': ')[2][:60] if lines else 'nothing said'}"
    if not lines:
        return f"status {status} and nothing said"
    starts = ("error: ", "warning: ")
    bad = [line for line in lines if not line.startswith(starts) or not line.isprintable()]
    return f"a line that is no error: {bad[0][:60]}" if bad else ""


def _bug(said: str, folder: Path) -> str:
    """The exception and the deepest frame in twin of what was reported as a bug."""
    if "Traceback (most" in said:
        return "a traceback"
    if not (match := re.search(r"(\S+twin-trace-\w+\.txt)", said)):
        return ""
    trace = Path(match[1].rstrip(")"))
    text = trace.read_text(encoding="utf-8")
    trace.unlink()
    frames = _FRAME.findall(text)
    where = ":".join(frames[-1]) if frames else "?"
    return f"{text.strip().splitlines()[-1].partition(':')[0]} at {where}"


def _within(frames: traceback.StackSummary) -> str:
    inner = [frame for frame in frames if frame.filename.startswith(f"{PACKAGE}twin{os.sep}")]
    return f"{Path(inner[-1].filename).name}:{inner[-1].lineno}" if inner else "?"


@contextlib.contextmanager
def _place() -> Iterator[Path]:
    """A folder with the scenarios, in which commands run and temporary files lie."""
    here, temporary = Path.cwd(), tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="campaign-", dir=MEMORY) as name:
        folder = Path(name)
        shutil.copytree(SCENARIOS, folder, dirs_exist_ok=True)
        (folder / "tmp").mkdir()
        (folder / TAKEN).mkdir()
        for each in (f"{TAKEN}/file", SCENARIO, POLICY):
            (folder / each).touch()
        os.chdir(folder)
        tempfile.tempdir = str(folder / "tmp")
        try:
            yield folder
        finally:
            mailed.end(folder)
            requests.end(folder)
            tempfile.tempdir = temporary
            os.chdir(here)


def _state(folder: Path, but: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
    """Every file with its size and time, but those of some folders."""
    found = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in but]
        inner = set(folders)
        for name in (*folders, *files):
            status = os.lstat(f"{root}/{name}")
            # what is made and removed again changes the time of its folder alone
            path = f"{root}/{name}".removeprefix(f"{folder}/")
            found[path] = (0, 0) if name in inner else (status.st_size, status.st_mtime_ns)
    return found


@contextlib.contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Stop what runs longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def minimised(text: str, same: Callable[[str], bool], tries: int | None = None) -> str:
    """A smaller text that fails in the same way: pieces are left out, lines first (Zeller and
    Hildebrandt 2002, "Simplifying and isolating failure-inducing input")."""
    tries = TRIES if tries is None else tries
    for split in (lambda whole: whole.splitlines(keepends=True), list):
        pieces: list[str] = split(text)
        size = max(1, len(pieces) // 2)
        while tries and len(pieces) > 1:
            at, smaller = 0, False
            while at < len(pieces) and tries:
                rest = pieces[:at] + pieces[at + size :]
                tries -= 1
                if rest and same("".join(rest)):
                    pieces, smaller = rest, True
                else:
                    at += size
            if size == 1 and not smaller:
                break
            size = max(1, size // 2)
        text = "".join(pieces)
    return text


def _short(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 200 else f"{shown[:150]}...{shown[-40:]} ({len(text)} characters)"
