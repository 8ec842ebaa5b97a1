"""What watching costs the run: `python -m tests.benchmarks.bench_readers [metrics] [remote-write] [live] [nothing] [--rounds 6]`.

Runs the quickstart (without its policy; hourly readings, unless --every says otherwise) by the real command line with a reader, which
works and is stopped (SIGSTOP, with all that belongs to it) in turns of a twentieth of the simulated days: on, off, off, on, three times,
and in the next round the other way round. So what changes about the machine falls out, and so does how the world grows. Two runs, one
with a reader and one without, were seen to differ by up to 8 % either way with no reader at all, whole or in turns: their memory lies
differently.

Printed are, for each reader named (default: metrics) and each round, with the reader and without: wall-clock time; processor time of the
run's process alone, and how much of that its threads but the main one took (they pass on to the process beside it; while that is
stopped, they stand); how long the main thread was ready and had no processor (``waited``, by the scheduler). What the readers' own
processes took of any processor is printed beside it, by kind: the one beside the run, parts of the browser, and what drives the browser
here, which no user has. At the end: how much longer the run takes with the reader, mean over all fours of turns with a t interval of 95 %.

What the turns cannot show is what the main thread itself does to pass on: it puts readings and frames into a queue, whether the reader
works or not. That is timed apart, by those calls alone with caches that are cold, for the simulated hours in a turn.

What is paid once does not count: the building of the world and the start of the process beside it; and the opening of a reader (for
live: a browser and its pages, until each has drawn its first pictures), for which the run is held at a quarter of its days. Before each
turn the run is stopped for a second, in which a reader that goes on does what became due while it was stopped; what the run still holds
for it of the turn before is passed on within the turn, so twice as much as without turns: the reader's disadvantage.

metrics       --metrics, scraped every second (--scrape) as Prometheus does: OpenMetrics, gzip
remote-write  --remote-write to a real Prometheus on this machine
live          --live, ten open pages (--pages) in a real Chromium
nothing       no reader: what the method itself is off by
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

import numpy as np
import requests

from tests.e2e.prometheus import Prometheus
from tests.live_page import pages
from twin import mailbox
from twin.engine import Simulation
from twin.experiments.findings.judging import interval
from twin.readers.sidecar import Link, Service
from twin.readers.watch import Frame, RunInfo
from twin.scenario import load
from twin.units import HOUR

ROOT = Path(__file__).parent.parent.parent
TICK = os.sysconf("SC_CLK_TCK")
BOUND = {"metrics": 0.01, "live": 0.03}
"""Largest share of the run's time that a reader may cost, by issue 4."""
HELD = 25
"""Per cent of the simulated days before the reader is opened."""
FIRST = 35
"""Per cent of the simulated days before the first turn that counts."""
TURN = 5
"""Per cent of the simulated days in a turn: as often as a run that no terminal watches says where it is."""
FOUR = (True, False, False, True)
"""Whether the reader works, by turns."""
FOURS = 3
CATCH_UP_S = 1.0
"""How long readers that were stopped may do what became due meanwhile, before the run goes on."""
CALLS = 2000


def cpu_s(pid: int) -> float:
    """User and system time of a process alone, without its children (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Spent(NamedTuple):
    """Seconds of a run: by the clock, of its main thread and of its others on a processor, of its main thread ready without one."""

    wall: float = 0.0
    main: float = 0.0
    threads: float = 0.0
    waited: float = 0.0

    @property
    def cpu(self) -> float:
        """Of all threads."""
        return self.main + self.threads


def spent(pid: int) -> Spent:
    """What a process alone has spent, without its children (Linux; in nanoseconds, where ``cpu_s`` counts hundredths)."""
    wall = time.monotonic()
    threads = {path.parent.name: path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")}
    main = threads.pop(str(pid))
    return Spent(wall, int(main[0]) / 1e9, sum(int(each[0]) for each in threads.values()) / 1e9, int(main[1]) / 1e9)


def family(root: int) -> list[int]:
    """A process and all that it has started and that goes on, it first (Linux)."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            children.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    made = [root]
    for pid in made:
        made += children.get(pid, [])
    return made


def kind(command: str) -> str:
    """What a process is, by its command line."""
    if "chrom" in command:
        found = re.search(r"--type=(\w+)", command)
        return f"browser's {found[1]}s" if found else "browser"
    return "beside" if "multiprocessing" in command else "driver"


@dataclass
class Run:
    """A run of the scenario and what reads it."""

    arguments: argparse.Namespace
    folder: Path
    flags: list[str]
    url: str = ""
    going: threading.Event = field(default_factory=threading.Event)
    """Whether the reader works."""
    others: list[int] = field(default_factory=list)
    """Processes that this one started for the reader, with their children."""

    def begin(self) -> None:
        """Start the run and go on to a quarter of its days."""
        command = [sys.executable, "-m", "twin", "run", str(self.arguments.scenario), "--out", str(self.folder), *self.flags,
                   "--set", f"duration={self.arguments.days}d", "--set", f"metrics.every={self.arguments.every}", "--set", "policies=[]"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.reach(HELD)

    def reach(self, percent: int) -> None:
        """Listen until so much is done."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.url = self.url or (found[0] if (found := re.search(r"https?://\S+", line)) else "")
            if (found := re.match(r"\d{4}-\d\d-\d\d +(\d+)%", line)) and int(found[1]) >= percent:
                return
        self._failed()

    def _failed(self) -> NoReturn:
        raise SystemExit(f"the run failed: {' '.join(map(str, self.process.args))}")  # type: ignore[arg-type]

    def readers(self) -> list[int]:
        """All processes of the reader."""
        return [*family(self.process.pid)[1:], *(pid for root in self.others for pid in family(root))]

    def hold(self) -> None:
        """Stop the run, then its reader."""
        self.going.clear()
        self._tell(signal.SIGSTOP, [self.process.pid, *self.readers()])

    def go(self, *, reader: bool = True, run: bool = True) -> None:
        """Let the reader go on, or the run, or both."""
        if reader:
            self._tell(signal.SIGCONT, self.readers()[::-1])
            self.going.set()
        if run:
            self._tell(signal.SIGCONT, [self.process.pid])

    def _tell(self, what: signal.Signals, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def around_s(self) -> Counter[str]:
        """Processor time so far of the reader's processes, by kind."""
        made = Counter[str]()
        for pid in self.readers():
            with suppress(OSError):
                made[kind(Path(f"/proc/{pid}/cmdline").read_text())] += cpu_s(pid)
        return made

    def turn(self, percent: int, reader: bool) -> tuple[Spent, Counter[str]]:
        """Go on until so much is done, with the reader or without; what the run and the reader spent."""
        pid = self.process.pid
        self.hold()
        self.go(reader=reader, run=False)
        time.sleep(CATCH_UP_S)
        around, begun = self.around_s(), spent(pid)
        self.go(reader=False)
        self.reach(percent)
        ended = spent(pid)
        return Spent(*(late - early for late, early in zip(ended, begun, strict=True))), self.around_s() - around

    def end(self) -> None:
        """Let it come to its end."""
        self.go()
        for _ in self.process.stdout or ():
            pass
        if self.process.wait():
            self._failed()


Opened = Callable[[Run], Callable[[], str]]
"""Opens a reader on a run that goes; returns what tells at the end what it did."""


@contextmanager
def nothing(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """No reader."""
    yield [], lambda run: lambda: ""


@contextmanager
def metrics(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """Scrape at a steady pace while the run goes, from a thread here."""
    over, waits = threading.Event(), []

    def scrape(run: Run) -> None:
        with requests.Session() as session:
            while not over.wait(arguments.scrape):
                run.going.wait()
                began = time.perf_counter()
                try:
                    session.get(run.url, headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=60).content  # noqa: B018
                except requests.RequestException:
                    return
                waits.append(time.perf_counter() - began)

    def opened(run: Run) -> Callable[[], str]:
        threading.Thread(target=scrape, args=(run,), daemon=True).start()
        return lambda: f"{len(waits)} scrapes, median {1e3 * statistics.median(waits):.1f} ms" if waits else "no scrape"

    yield ["--metrics", "127.0.0.1:0"], opened
    over.set()


@contextmanager
def remote_write(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """Deliver to a real Prometheus."""
    with Prometheus(folder / "prometheus") as server:
        def opened(run: Run) -> Callable[[], str]:
            return lambda: f"{len(server.names())} names there"

        yield ["--remote-write", server.write_url], opened


@contextmanager
def live(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """Open pages in a browser, in a process of its own since its client wants a loop of its own."""
    opener: list[subprocess.Popen[str]] = []

    def opened(run: Run) -> Callable[[], str]:
        opener.append(subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bench_readers", "--open", "--pages", str(arguments.pages)],
                                       cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert opener[0].stdin and opener[0].stdout
        run.others.append(opener[0].pid)
        print(run.url, file=opener[0].stdin, flush=True)  # not as an argument: it holds the page's token
        if opener[0].stdout.readline().strip() != "open":
            raise SystemExit("the pages did not open")
        return lambda: f"{arguments.pages} pages"

    yield ["--live", "127.0.0.1:0"], opened
    for each in opener:
        each.communicate("")


def open_pages(count: int) -> None:
    """Hold that many pages open, at the address on the first line of standard input, until that ends."""
    with pages(input(), count):
        print("open", flush=True)
        sys.stdin.read()


READERS = {"metrics": metrics, "remote-write": remote_write, "live": live, "nothing": nothing}


@dataclass
class Four:
    """Four turns: what the run spent with the reader and without, and the reader itself."""

    spent: dict[bool, Spent] = field(default_factory=lambda: {True: Spent(), False: Spent()})
    around: Counter[str] = field(default_factory=Counter)

    def add(self, reader: bool, what: Spent, around: Counter[str]) -> None:
        """Count a turn."""
        self.spent[reader] = Spent(*(total + more for total, more in zip(self.spent[reader], what, strict=True)))
        if reader:
            self.around += around

    def more(self, what: str) -> float:
        """Per cent by which the run took longer with the reader."""
        return 100 * float(getattr(self.spent[True], what) / getattr(self.spent[False], what) - 1)


def once(arguments: argparse.Namespace, name: str, inverse: bool) -> tuple[list[Four], str]:
    """A run, its turns in fours (``inverse``: off, on, on, off), and what the reader did."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = set(family(os.getpid()))
        flags, opened = stack.enter_context(READERS[name](arguments, here))
        run = Run(arguments, here / "run", flags, others=[pid for pid in family(os.getpid()) if pid not in before])
        run.going.set()
        try:
            run.begin()
            mailbox.command(here / "run", {"do": "pause"})  # not stopped: it and the process beside it answer
            done = opened(run)
            mailbox.command(here / "run", {"do": "continue"})
            run.reach(FIRST)
            fours, percent = [Four() for _ in range(FOURS)], FIRST
            for four in fours:
                for reader in FOUR:
                    percent += TURN
                    four.add(reader ^ inverse, *run.turn(percent, reader ^ inverse))
            word = done()
            run.end()
            return fours, word
        finally:
            if run.process.poll() is None:
                run.process.terminate()
                run.go()


def passing_on(arguments: argparse.Namespace) -> float:
    """Seconds of the run's main thread for one reading and one frame, to a process beside it that listens: the mean of CALLS."""
    board = Simulation(load(arguments.scenario)).world.board
    values, cold = board.snapshot(), np.zeros(2**22)
    link, took = Link([Service()], print), 0.0
    link.begin(RunInfo("calls", dt.date(2025, 1, 1), HOUR * CALLS * 2, 0, board.rows, arguments.scenario.parent))
    for number in range(CALLS):
        cold += 1.0  # a simulated hour does more than this, and leaves nothing of the calls' in the caches
        frame = Frame(number * HOUR, 0.0, 0, values, 0.0, dict.fromkeys(map(str, range(20)), 0.0))
        began = time.thread_time()
        link.reading(number * HOUR, values)
        link.update(frame)
        took += time.thread_time() - began
    link.end("done")
    return took / CALLS


def told(turns: list[Spent]) -> str:
    """What a run took."""
    wall, main, threads, waited = map(sum, zip(*turns, strict=True))
    return f"{wall:7.2f} s wall  {main + threads:7.2f} s processor ({threads:.3f} in other threads)  {waited:5.2f} s waited"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", choices=[*READERS, []], default=[])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--days", type=int, default=280, help="of which a turn has a twentieth: best whole weeks")
    parser.add_argument("--every", default="1h")
    parser.add_argument("--scrape", type=float, default=1.0, help="seconds between scrapes")
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--scenario", type=Path, default=ROOT / "scenarios" / "quickstart.yaml")
    parser.add_argument("--open", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.open:
        return open_pages(arguments.pages)
    print(f"{arguments.scenario.name}, {arguments.days} days, a reading every {arguments.every}, {os.cpu_count()} processors")
    call_s = passing_on(arguments)
    for name in arguments.readers or ["metrics"]:
        found: list[Four] = []
        for number in range(arguments.rounds):
            fours, word = once(arguments, name, number % 2 == 1)
            found += fours
            around = sum((four.around for four in fours), Counter[str]())
            for title, reader in (("without", False), (name, True)):
                print(f"  {number + 1}  {title:12s}  {told([four.spent[reader] for four in fours])}", flush=True)
            print(f"     load {os.getloadavg()[0]:.1f}  {word}  reader's processor {around.total():.2f} s "
                  f"({', '.join(f'{what} {took:.1f}' for what, took in around.items())})", flush=True)
        for what in ("wall", "cpu"):
            mean, low, high = interval([four.more(what) for four in found])
            print(f"{name:12s}  {what:4s} {mean:+.2f} % [{low:+.2f}, {high:+.2f}], {len(found)} fours of turns"
                  + (f"   (bound {BOUND[name]:.0%})" if name in BOUND else ""))
        hours = 2 * TURN / 100 * arguments.days * 24
        share = statistics.mean(100 * call_s * hours / four.spent[False].cpu for four in found)
        threads = statistics.mean(100 * four.spent[True].threads / four.spent[False].cpu for four in found)
        print(f"{'':12s}  of that by the run's other threads {threads:+.2f} %; not in it: what its main thread passes on, "
              f"{share:+.2f} % ({1e6 * call_s:.1f} us for a reading and a frame)")
    return None


if __name__ == "__main__":
    main()
