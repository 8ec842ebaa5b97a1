"""Runs on a disk that is too small: a file system in memory of a few megabytes that becomes full at
some moment of a run, its log, or an export. Status 4 (of a run) or 1, one line that says so, and the
right bytes once there is room.

Mounting needs root; elsewhere nothing can be tried, which is said.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.kill import SETTINGS, STEP
from tests.conftest import PATIENCE_S, SCENARIOS

LEAST_KB, MOST_KB = 100, 4000
"""Room that is left for a run, which needs some five megabytes."""


@dataclass
class Filled:
    """What a campaign saw."""

    runs: int = 0
    full: int = 0
    failures: list[str] = field(default_factory=list)
    unable: str = ""

    def lines(self) -> list[str]:
        """One line per failure, and one for all."""
        if self.unable:
            return [f"nothing was tried: {self.unable}"]
        return [
            *self.failures,
            f"{self.runs} runs, {self.full} times a full disk: {len(self.failures)} failures",
        ]


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of 32 MB in memory. Raises OSError where none can be mounted."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise OSError(done.stderr.strip() or "mount failed")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=False)


class _Disk:
    """Runs on one disk, whose room a file takes up."""

    def __init__(self, seed: int, disk: Path, seen: Filled) -> None:
        self.draw, self.disk, self.seen = random.Random(seed), disk, seen
        sets = [part for each in SETTINGS for part in ("--set", each)]
        self.begin = ["run", str(SCENARIOS / "base.yaml"), *sets, "--quiet", "--no-cache"]
        status, said = self.called([*self.begin, "--out", "right", "--log", "right-log"])
        if status:
            raise AssertionError(said)
        self.right = self._bytes("right")

    def called(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Status and errors of a command."""
        done = subprocess.run(
            [sys.executable, "-c", STEP, *arguments],
            cwd=self.disk,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            # what a process keeps elsewhere is not on this disk
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        return done.returncode, done.stderr

    def _bytes(self, name: str) -> dict[str, bytes]:
        log = self.disk / f"{name}-log"
        found = {path.name: path.read_bytes() for path in sorted(log.glob("*.parquet"))}
        return {**found, "metrics": (self.disk / name / "metrics.parquet").read_bytes()}

    def fill(self, left_kb: int) -> None:
        """Take up all room but so much."""
        filler = self.disk / "filler"
        filler.unlink(missing_ok=True)
        stat = os.statvfs(self.disk)
        with filler.open("wb") as file:
            file.write(b"\0" * max(0, stat.f_bavail * stat.f_frsize - left_kb * 1024))

    def judged(self, what: str, status: int, said: str, statuses: tuple[int, ...]) -> None:
        """A command on a full disk ended as it should: in one line that says so."""
        if status == 0:
            return
        self.seen.full += 1
        lines = said.strip().splitlines()
        fine = status in statuses and len(lines) == 1 and lines[0].startswith("error: ")
        if not fine or "the disk is full" not in lines[0]:
            self.seen.failures.append(f"{what}: status {status}: {said.strip()[-300:]!r}")

    def once(self, number: int, most: int) -> None:
        """A run, resumed with ever more room, until it is over."""
        self.seen.runs += 1
        name, room = f"run-{number}", self.draw.randrange(LEAST_KB, MOST_KB)
        for _ in range(most):
            self.fill(room)
            begun = (self.disk / name / "manifest.json").exists()
            again = ["resume", name, "--quiet"]
            first = [*self.begin, "--out", name, "--log", f"{name}-log"]
            status, said = self.called(again if begun else first)
            self.judged(f"{'resume' if begun else 'run'} with {room} kB", status, said, (1, 2, 4))
            room += self.draw.randrange(LEAST_KB, MOST_KB)
        (self.disk / "filler").unlink()
        begun = (self.disk / name / "manifest.json").exists()
        status, said = self.called(again if begun else first)
        if status or self._bytes(name) != self.right:
            self.seen.failures.append(f"{name}, with room again: status {status}: {said[-300:]!r}")
        self.fill(self.draw.randrange(4, 300))
        status, said = self.called(["export", name, "--format", "csv"])
        self.judged("export", status, said, (1,))
        for each in (name, f"{name}-log"):
            subprocess.run(["rm", "-r", str(self.disk / each)], check=False)
        (self.disk / "filler").unlink()


def campaign(seed: int, *, minutes: float = 0.0, runs: int = 0, most: int = 3) -> Filled:
    """Fill disks for so many minutes, or so many runs, each ``most`` times."""
    seen = Filled()
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        try:
            with small_disk(Path(name) / "disk") as place:
                work = _Disk(seed, place, seen)
                began = time.monotonic()
                while seen.runs < runs if runs else time.monotonic() - began < 60 * minutes:
                    work.once(seen.runs, most)
        except OSError as error:
            seen.unable = str(error)
    return seen
