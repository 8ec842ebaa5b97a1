"""What watching costs the run: `python -m tests.benchmarks.bench_readers [metrics] [remote-write] [live] [nothing] [--rounds 4]`.

Runs the quickstart (without its policy; hourly readings, unless --every says otherwise) by the real command line twice, one run without
a reader and one with it, in turns: a twentieth of the simulated days of the one while the other and all that belongs to it is stopped
(SIGSTOP), then the same days of the other. Who begins changes with every turn, and who is started first with every round, so give an
even number: the second was seen to be slower by a hundredth. Both do the same work to the byte, and how fast the machine happens to be
changes slower than turns do, so that it falls out: whole runs one after the other were seen to differ by a sixth with no reader at all.
Printed are, for each reader named (default: metrics) and each round, processor time of the run's process alone, with all its threads and
of all but the main one (next to nothing without a reader); and wall-clock time, which where processors are few holds what the readers
themselves take: of it the run's own thread waited for a processor (``waited``, by the scheduler). What the readers' own processes took
of any processor is printed beside it, by kind: the one beside the run, parts of the browser, and what drives the browser here, which no
user has. At the end, over the rounds: the mean of how much longer the run takes with the reader, with a t interval of 95 %.

What is paid once does not count and is printed apart: the building of the world and the start of the process beside it; and the opening
of a reader (for live: a browser and its pages, until each has drawn its first pictures), for which the runs are held at a quarter of
their days; the first turn after it is not counted. Clocks go on while a reader is stopped: so it is let go a second before its run,
and does what became due meanwhile in nobody's time.

metrics       --metrics, scraped every second (--scrape) as Prometheus does: OpenMetrics, gzip
remote-write  --remote-write to a real Prometheus on this machine
live          --live, ten open pages (--pages) in a real Chromium
nothing       no reader: what the method itself is off by
"""

from __future__ import annotations

import argparse
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

import requests

from tests.e2e.prometheus import Prometheus
from tests.live_page import pages
from twin import mailbox
from twin.experiments.findings.judging import interval

ROOT = Path(__file__).parent.parent.parent
TICK = os.sysconf("SC_CLK_TCK")
BOUND = {"metrics": 0.01, "live": 0.03}
"""Largest share of the run's time that a reader may cost, by issue 4."""
HELD = 25
"""Per cent of the simulated days before readers are opened."""
TURN = 5
"""Per cent of the simulated days in a turn: as often as a run that no terminal watches says where it is."""
CATCH_UP_S = 1.0
"""How long readers that were stopped may do what became due meanwhile, before their run goes on."""


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
class Side:
    """A run of the scenario, held at first, and what reads it. Times are summed over the turns that count."""

    arguments: argparse.Namespace
    folder: Path
    flags: list[str]
    start: float = 0.0
    opening: float = 0.0
    url: str = ""
    spent: Spent = field(default_factory=Spent)
    around: Counter[str] = field(default_factory=Counter)
    going: threading.Event = field(default_factory=threading.Event)
    others: list[int] = field(default_factory=list)
    """Processes that this one started for the reader, with their children."""

    def begin(self) -> None:
        """Start the run and go on to a quarter of its days."""
        began = time.monotonic()
        command = [sys.executable, "-m", "twin", "run", str(self.arguments.scenario), "--out", str(self.folder / "run"), *self.flags,
                   "--set", f"duration={self.arguments.days}d", "--set", f"metrics.every={self.arguments.every}", "--set", "policies=[]"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.going.set()
        self.reach(0)
        self.start = time.monotonic() - began
        self.reach(HELD)
        self.hold()

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

    def belongings(self) -> list[int]:
        """The run's process first, then all others of this side."""
        return [*family(self.process.pid), *(pid for root in self.others for pid in family(root))]

    def hold(self) -> None:
        """Stop the run, then its readers."""
        self.going.clear()
        self._tell(signal.SIGSTOP, self.belongings())

    def go(self) -> None:
        """Let the readers go on, then the run."""
        self._tell(signal.SIGCONT, self.belongings()[::-1])
        self.going.set()

    def _tell(self, what: signal.Signals, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, what)

    def around_s(self) -> Counter[str]:
        """Processor time so far of the readers' processes, by kind."""
        made = Counter[str]()
        for pid in self.belongings()[1:]:
            with suppress(OSError):
                made[kind(Path(f"/proc/{pid}/cmdline").read_text())] += cpu_s(pid)
        return made

    def turn(self, percent: int, counts: bool) -> None:
        """Go on until so much is done, and stop."""
        pid = self.process.pid
        self._tell(signal.SIGCONT, self.belongings()[:0:-1])
        time.sleep(CATCH_UP_S)
        around = self.around_s()
        begun = spent(pid)
        self.go()
        self.reach(percent)
        ended = spent(pid)
        self.hold()
        if counts:
            self.spent = Spent(*(total + late - early for total, late, early in zip(self.spent, ended, begun, strict=True)))
            self.around += self.around_s() - around

    def end(self) -> None:
        """Let it come to its end."""
        self.go()
        for _ in self.process.stdout or ():
            pass
        if self.process.wait():
            self._failed()


Opened = Callable[[Side], Callable[[], str]]
"""Opens a reader on a run that goes; returns what tells at the end what it did."""


@contextmanager
def nothing(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """No reader."""
    yield [], lambda side: lambda: ""


@contextmanager
def metrics(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """Scrape at a steady pace while the run goes, from a thread here."""
    over, waits = threading.Event(), []

    def scrape(side: Side) -> None:
        with requests.Session() as session:
            while not over.wait(arguments.scrape):
                side.going.wait()
                began = time.perf_counter()
                try:
                    session.get(side.url, headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=60).content  # noqa: B018
                except requests.RequestException:
                    return
                waits.append(time.perf_counter() - began)

    def opened(side: Side) -> Callable[[], str]:
        threading.Thread(target=scrape, args=(side,), daemon=True).start()
        return lambda: f"{len(waits)} scrapes, median {1e3 * statistics.median(waits):.1f} ms" if waits else "no scrape"

    yield ["--metrics", "127.0.0.1:0"], opened
    over.set()


@contextmanager
def remote_write(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """Deliver to a real Prometheus."""
    with Prometheus(folder / "prometheus") as server:
        def opened(side: Side) -> Callable[[], str]:
            return lambda: f"{len(server.names())} names there"

        yield ["--remote-write", server.write_url], opened


@contextmanager
def live(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Opened]]:
    """Open pages in a browser, in a process of its own since its client wants a loop of its own."""
    opener: list[subprocess.Popen[str]] = []

    def opened(side: Side) -> Callable[[], str]:
        opener.append(subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bench_readers", "--open", "--pages", str(arguments.pages)],
                                       cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert opener[0].stdin and opener[0].stdout
        side.others.append(opener[0].pid)
        print(side.url, file=opener[0].stdin, flush=True)  # not as an argument: it holds the page's token
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


def once(arguments: argparse.Namespace, name: str, first: int) -> tuple[Side, Side, str]:
    """A run without a reader and one with it, in turns, begun by that without (0) or with it (1); and what the reader did."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = set(family(os.getpid()))
        flags, opened = stack.enter_context(READERS[name](arguments, here))
        sides = Side(arguments, here / "without", []), Side(arguments, here / "with", flags)
        sides[1].others = [pid for pid in family(os.getpid()) if pid not in before]
        try:
            for side in sides[::1 - 2 * first]:
                side.folder.mkdir()
                side.begin()
            began = time.monotonic()
            sides[1].go()
            mailbox.command(sides[1].folder / "run", {"do": "pause"})  # not stopped: it and the process beside it answer
            done = opened(sides[1])
            sides[1].opening = time.monotonic() - began
            mailbox.command(sides[1].folder / "run", {"do": "continue"})
            sides[1].hold()
            for number, percent in enumerate(range(HELD + 2 * TURN, 100 + TURN, TURN)):
                for side in sides[::1 - 2 * ((number + first) % 2)]:
                    side.turn(percent, counts=number > 0)
            word = done()
            for side in sides:
                side.end()
            return *sides, word
        finally:
            for side in sides:
                if hasattr(side, "process") and side.process.poll() is None:
                    side.process.terminate()
                    side.go()


def told(side: Side) -> str:
    """What a run took, and what its readers did."""
    around = ", ".join(f"{what} {took:.1f}" for what, took in side.around.items())
    return (f"{side.spent.wall:7.2f} s wall  {side.spent.cpu:7.2f} s processor ({side.spent.threads:.3f} in other threads)  "
            f"{side.spent.waited:5.2f} s waited  begun after {side.start:5.2f} s"
            + (f"  readers' processor {side.around.total():.2f} s ({around})" if around else ""))


def more(pairs: list[tuple[float, float]]) -> str:
    """How much longer with the reader, in per cent: mean over the rounds, its interval, and each."""
    each = [100 * (b / a - 1) for a, b in pairs]
    rounds = "rounds " + ", ".join(f"{one:+.2f}" for one in each)
    if len(each) < 2:
        return f"{each[0]:+.2f} %"
    mean, low, high = interval(each)
    return f"{mean:+.2f} % [{low:+.2f}, {high:+.2f}] ({rounds})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", choices=[*READERS, []], default=[])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--days", type=int, default=360)
    parser.add_argument("--every", default="1h")
    parser.add_argument("--scrape", type=float, default=1.0, help="seconds between scrapes")
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--scenario", type=Path, default=ROOT / "scenarios" / "quickstart.yaml")
    parser.add_argument("--open", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.open:
        return open_pages(arguments.pages)
    print(f"{arguments.scenario.name}, {arguments.days} days, a reading every {arguments.every}, {os.cpu_count()} processors")
    for name in arguments.readers or ["metrics"]:
        pairs = []
        for number in range(arguments.rounds):
            *pair, word = once(arguments, name, number % 2)
            pairs.append(pair)
            for title, side in zip(("without", name), pair, strict=True):
                print(f"  {number + 1}  {title:12s}  {told(side)}", flush=True)
            print(f"     open after {pair[1].opening:.2f} s, load {os.getloadavg()[0]:.1f}  {word}", flush=True)
        cpu, wall = more([(a.spent.cpu, b.spent.cpu) for a, b in pairs]), more([(a.spent.wall, b.spent.wall) for a, b in pairs])
        threads = statistics.mean(100 * (b.spent.threads - a.spent.threads) / a.spent.cpu for a, b in pairs)
        print(f"{name:12s}  processor {cpu}   wall {wall}   of the processor's, other threads {threads:+.2f} %   "
              f"start {statistics.median(b.start - a.start for a, b in pairs):+.2f} s"
              + (f"   (bound {BOUND[name]:.0%})" if name in BOUND else ""))
    return None


if __name__ == "__main__":
    main()
