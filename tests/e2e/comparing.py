"""A comparison whose worker can be held, or made to die, by a mechanism of its own."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.conftest import PATIENCE_S, SCENARIOS, settings

TABLES = ("results.parquet", "groups.parquet", "course.parquet", "replicates.parquet")
MODULE = '''"""Holds one task in its worker's hands, or kills the worker, as the file `wish` beside this one says."""

import os
import time
from pathlib import Path

from twin.world.mechanism import Every, Mechanism
from twin.world.params import Params

HERE = Path(__file__).parent


class Held(Mechanism):
    """In replicate 1, from day 8 on."""

    name = "held"
    Params = Params

    def clocks(self):
        """Once a day."""
        return [Every(86400, "people", self.tick)]

    def tick(self):
        """Nothing of it is seen in the world."""
        if self.world.draws.replicate != 1 or self.world.now < 8 * 86400:
            return
        wish = (HERE / "wish").read_text()
        if wish == "die":
            with (HERE / "deaths").open("a") as file:
                file.write("x")
            os._exit(7)
        if wish == "hold":
            with (HERE / "held.part").open("w") as file:
                file.write(str(os.getpid()))
            (HERE / "wish").write_text("go")
            (HERE / "held.part").rename(HERE / "held")
            time.sleep(3600)
'''


class Place:
    """A folder with a scenario and its mechanism, from which the command is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begun: list[subprocess.Popen[str]] = []
        (folder / "own").mkdir(parents=True)
        (folder / "own" / "held.py").write_text(MODULE)
        (folder / "x.yaml").write_text(
            "extends: base.yaml\nmechanisms:\n  held: {class: own.held.Held}\n"
        )
        (folder / "p.yaml").write_text("name: p\nset: {recommender.ai_factor: 0.2}\n")
        shutil.copy(SCENARIOS / "base.yaml", folder)
        self.wish("go")

    def wish(self, what: str) -> None:
        """What the mechanism shall do."""
        (self.folder / "own" / "wish").write_text(what)

    def command(self, on: str, out: str = "out", replicates: int = 3) -> list[str]:
        """The comparison."""
        return [
            "compare",
            "x.yaml",
            "--policy",
            "p.yaml",
            "--at",
            "6d",
            "--replicates",
            str(replicates),
            "--out",
            out,
            "--on",
            on,
            *settings("duration=12d"),
        ]

    def start(self, on: str) -> "subprocess.Popen[str]":
        """The comparison with one task held by its worker, in a process group of its own, as a
        terminal would."""
        self.wish("hold")
        self.begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "twin", *self.command(on)],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return self.begun[-1]

    def end(self) -> None:
        """Leave nothing running, however a test went."""
        for process in self.begun:
            for each in group(process.pid):
                each.kill()
            process.wait()

    def holder(self, process: "subprocess.Popen[str]") -> int:
        """The process in whose hands the task is."""
        held = self.folder / "own" / "held"
        until(lambda: held.exists() or process.poll() is not None)
        assert held.exists(), process.communicate()
        return int(held.read_text())

    def tables(self, out: str = "out") -> list[bytes]:
        """The results."""
        return [(self.folder / out / name).read_bytes() for name in TABLES]


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Wait for something; fails after a long time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def group(number: int) -> list[psutil.Process]:
    """Processes of a process group that still live."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == number and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
    return found
