"""The process beside a run: services that fail, hang or cannot start do not harm the run or one
another."""

import asyncio
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import PATIENCE_S, ROOT
from twin.ground.errors import UsageError
from twin.readers.service import Service
from twin.readers.sidecar import Link
from twin.readers.terminal import LiveView
from twin.record.watch import Frame, RunInfo, Watcher, Watchers

INFO = RunInfo("a", dt.date(2025, 1, 1), 1000, 0, (), Path("a"))


class Echo(Service):
    """Says what it is told."""

    async def open(self) -> str:
        return "echo is open\nand ready"

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        self.hub.note(f"reading {now_s} {values.sum():g} {self.hub.now_s}")

    def update(self, frame: Frame) -> None:
        self.hub.note(f"frame {frame.now_s} {sorted(frame.health)}")

    async def close(self, complete: bool) -> str:
        return f"closed {complete}"


class Patient(Service):
    """Closes when it is told to hurry."""

    async def open(self) -> str:
        self.hurried = asyncio.Event()
        return ""

    def hurry(self) -> None:
        self.hurried.set()

    async def close(self, complete: bool) -> str:
        self.hub.note("waits")
        await self.hurried.wait()
        return "hurried"


class Weak(Service):
    """Fails at the second reading."""

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        if now_s == 2:
            raise ValueError("no\nmore")

    async def close(self, complete: bool) -> str:
        return f"weak closed {complete}"


class Refuses(Service):
    """Cannot open, as a user can cause."""

    async def open(self) -> str:
        raise UsageError("--port 1: taken")


class Broken(Service):
    """Cannot open, by a bug."""

    async def open(self) -> str:
        raise KeyError("oops")


class Short(Service):
    """Does not do all that it was asked for, and says so before the run too."""

    def warning(self, info: RunInfo) -> str:
        return f"{info.name} will be short"

    async def close(self, complete: bool) -> str:
        self.unfinished = "3 of 4 are missing; later: twin send"
        return "short closed"


class Crashes(Service):
    """Fails when it closes."""

    async def close(self, complete: bool) -> str:
        raise ValueError("oops")


class Stuck(Service):
    """Never finishes closing, and holds a thread that never ends."""

    async def close(self, complete: bool) -> str:
        threading.Thread(target=threading.Event().wait).start()
        await asyncio.to_thread(threading.Event().wait)
        return ""


def linked(*services: Service) -> tuple[Link, list[str]]:
    told: list[str] = []
    link = Link(services, told.append)
    link.begin(INFO)
    return link, told


def test_a_service_hears_all_and_its_words_reach_the_user_in_order() -> None:
    """All readings, the newest frame, and the end, before `end` returns."""
    link, told = linked(Echo())
    assert told == ["echo is open", "and ready"]
    link.reading(5, np.ones(3))
    for now in (100, 200, 300, 990, 995, 1000):
        link.update(Frame(now, 0.0, 0, np.zeros(1), 1.0, {"paused": 0.0}))
    link.reading(6, np.ones(3))
    link.end("done")
    names = "['paused', 'queue_undelivered']"
    assert [line for line in told if not line.startswith("frame")][2:] == [
        "reading 5 3 5",
        "reading 6 3 6",
        "closed True",
    ]
    frames = [line for line in told if line.startswith("frame")]
    assert len(frames) < 7 and frames[-1] == f"frame 1000 {names}"
    assert told.index(frames[-1]) < told.index("closed True")


def test_services_close_side_by_side_and_ctrl_c_makes_them_hurry() -> None:
    """One that waits for something does not hold up another; the user's first Ctrl-C at the end
    tells it."""
    link, told = linked(Patient(), Echo())
    threading.Thread(
        target=lambda: (
            wait(lambda: {"waits", "closed True"} <= set(told)),
            os.kill(os.getpid(), signal.SIGINT),
        )
    ).start()
    link.end("done")
    assert told[-1] == "hurried"


def test_a_service_that_fails_is_left_out_and_the_others_go_on() -> None:
    """One line says so, and it is closed."""
    link, told = linked(Weak(), Echo())
    for now in (1, 2, 3):
        link.reading(now, np.ones(1))
    link.end("done")
    failed = [line for line in told if "failed" in line]
    assert len(failed) == 1 and failed[0].startswith(
        "Weak has failed, the run continues without it: ValueError: no more ("
    )
    assert (
        told.count("weak closed False") == 1
        and told[-1] == "closed True"
        and "reading 3 1 3" in told
        and link.undone() == failed
    )


def test_what_was_not_done_is_known_after_the_end() -> None:
    """For the exit status, and for a user who wants to see nothing else."""
    told, warned = list[str](), list[str]()
    link = Link([Short(), Echo(), Crashes()], told.append, warned.append)
    link.begin(INFO)
    assert warned == [f"{INFO.name} will be short"]
    link.end("done")
    undone = Watchers(Watcher(), link).undone()
    assert sorted(undone)[0] == "3 of 4 are missing; later: twin send" and len(undone) == 2
    assert sorted(undone)[1].startswith("Crashes did not close: ValueError: oops (")
    assert "short closed" in told and not set(undone) & set(told)


def test_a_service_that_cannot_open_stops_the_run_with_one_line() -> None:
    """A user's mistake as it is, a bug with its place."""
    with pytest.raises(UsageError, match=r"^--port 1: taken$"):
        linked(Echo(), Refuses())
    with pytest.raises(
        Exception, match=r"^Broken could not start: KeyError: 'oops' \(.*test_sidecar.py:\d+\)$"
    ):
        linked(Broken())


def test_the_live_view_takes_the_first_lines_of_a_service() -> None:
    """They come before the view begins."""
    view = LiveView()
    both = Watchers(Link([Echo()], view.note), view)
    with view.console.capture() as shown:
        both.begin(INFO)
    both.those[0].end("done")
    assert "echo is open" in shown.get()


@pytest.mark.parametrize(
    "ending", ["", "raise SystemExit(3)", "os.kill(os.getpid(), 9)", "link.end('done')"]
)
def test_no_service_can_hold_the_end_of_a_run_that_dies(tmp_path: Path, ending: str) -> None:
    """A service that does not close: the run's process ends as it would, and so does the one beside
    it; only an end in order waits for it, until the user's second Ctrl-C.
    """
    script = tmp_path / "script.py"
    script.write_text(f"""\
import os, signal, sys, threading
from tests.processes.test_sidecar import INFO, Stuck
from twin.readers.sidecar import Link

if __name__ == "__main__":
    link = Link([Stuck()], print)
    link.begin(INFO)
    print(link._process.pid, flush=True)
    if {ending!r}.startswith("link.end"):
        for delay in (0.5, 1.0):
            threading.Timer(delay, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    {ending}
""")
    done = subprocess.run(
        [sys.executable, script],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == {"": 0, "raise SystemExit(3)": 3, "os.kill(os.getpid(), 9)": -9}.get(
        ending, -2
    ), done.stderr
    wait(lambda: not Path(f"/proc/{int(done.stdout)}").exists())


def wait(what: Callable[[], bool]) -> None:
    """Until it is so; fails if it never is."""
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_dead_process_costs_the_run_no_memory() -> None:
    """Once it is gone, messages are dropped."""
    link, told = linked(Echo())
    link._process.kill()
    wait(link._ended.is_set)
    for now in range(1000):
        link.reading(now, np.ones(3))
    link.end("done")
    assert link._out.qsize() <= 1 and len([line for line in told if "has died" in line]) == 1
    assert len(link.undone()) == 1 and "has died" in link.undone()[0]
