"""What watching costs the run: `python -m tests.benchmarks.bench_readers [metrics] [remote-write] [live] [--rounds 3] [--days 180]`.

Runs the quickstart (without its policy; hourly readings, unless --every says otherwise) by the real command line, alternately without
readers and with each of those that are named (default: metrics), each in processes of its own, and prints by how much the run itself
takes longer over the second half of its simulated days (from the line of progress at 50 % to the last), on both sides. What is paid once
does not count and is printed apart: the building of the world and the start of the process beside it; and the opening of a reader (for
live: a browser and its pages, until each has drawn its first pictures), for which the run is held at a quarter of its days and then let
go on. So the second quarter is run with the reader there, too, and what is counted is the cost of being watched, not of beginning
to watch. Quickest against quickest, then round by round. Processor time is that of the run's process alone, with all its threads, and
depends less on what else the machine does; wall-clock time does, and where processors are few it holds what the readers themselves take:
of it the run's own thread waited for a processor (``waited``, by the scheduler). What the readers' own processes took of any processor
is printed beside it, by kind: the one beside the run, parts of the browser, and what drives the browser here, which no user has.

metrics       --metrics, scraped every second (--scrape) as Prometheus does: OpenMetrics, gzip
remote-write  --remote-write to a real Prometheus on this machine
live          --live, ten open pages (--pages) in a real Chromium
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import requests

from tests.e2e.prometheus import Prometheus
from tests.live_page import pages
from twin import mailbox

ROOT = Path(__file__).parent.parent.parent
TICK = os.sysconf("SC_CLK_TCK")
BOUND = {"metrics": 0.01, "live": 0.03}
"""Largest share of the run's time that a reader may cost, by issue 4."""


class Cost(NamedTuple):
    """One run: seconds until its first progress and until the reader was open; then, for the second half of the simulated days, of
    wall-clock, of its own processor time and of waiting for a processor, and of processor time of the readers' processes by kind; what
    the reader did."""

    start: float
    opening: float
    wall: float
    cpu: float
    waited: float
    around: Mapping[str, float]
    word: str


def cpu_s(pid: int) -> float:
    """User and system time of a process alone, without its children (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def waited_s(pid: int) -> float:
    """Time that the main thread of a process was ready and had no processor (Linux)."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[1]) / 1e9


def around_s(run: int) -> Counter[str]:
    """Processor time of all that this process has started and that goes on, but for the run itself, by kind of process."""
    parents, spent, kinds = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        pid = int(path.parent.name)
        try:
            parents[pid] = int(path.read_text().rpartition(")")[2].split()[1])
            spent[pid] = cpu_s(pid)
            kinds[pid] = kind((path.parent / "cmdline").read_text())
        except OSError:  # it has ended meanwhile
            continue
    mine = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    made = Counter[str]()
    for pid in mine & kinds.keys() - {os.getpid(), run}:
        made[kinds[pid]] += spent[pid]
    return made


def kind(command: str) -> str:
    """What a process is, by its command line."""
    if "chrom" in command:
        found = re.search(r"--type=(\w+)", command)
        return f"browser's {found[1]}s" if found else "browser"
    return "beside" if "multiprocessing" in command else "driver"


@contextmanager
def nobody(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Callable[[str], Any]]]:
    """No reader: flags, and what to do with the line of the service."""
    yield [], lambda line: ""


@contextmanager
def metrics(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Callable[[str], Any]]]:
    """Scrape at a steady pace, from a thread here."""
    over, waits = threading.Event(), []

    def scrape(url: str) -> None:
        with requests.Session() as session:
            while not over.wait(arguments.scrape):
                began = time.perf_counter()
                try:
                    session.get(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"}, timeout=10).content  # noqa: B018
                except requests.RequestException:
                    return
                waits.append(time.perf_counter() - began)

    def opened(line: str) -> Callable[[], str]:
        threading.Thread(target=scrape, args=(line,), daemon=True).start()
        return lambda: f"{len(waits)} scrapes, median {1e3 * statistics.median(waits):.1f} ms" if waits else "no scrape"

    yield ["--metrics", "127.0.0.1:0"], opened
    over.set()


@contextmanager
def remote_write(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Callable[[str], Any]]]:
    """Deliver to a real Prometheus."""
    with Prometheus(folder / "prometheus") as server:
        yield ["--remote-write", server.write_url], lambda line: lambda: f"{len(server.names())} names there"


@contextmanager
def live(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[list[str], Callable[[str], Any]]]:
    """Open pages in a browser, in a process of its own since its client wants a loop of its own."""
    pages: list[subprocess.Popen[str]] = []

    def opened(line: str) -> Callable[[], str]:
        pages.append(subprocess.Popen([sys.executable, "-m", "tests.benchmarks.bench_readers", "--open", "--pages", str(arguments.pages)],
                                      cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert pages[-1].stdin and pages[-1].stdout
        print(line, file=pages[-1].stdin, flush=True)  # not as an argument: it holds the page's token
        if pages[-1].stdout.readline().strip() != "open":
            raise SystemExit("the pages did not open")
        return lambda: f"{arguments.pages} pages"

    yield ["--live", "127.0.0.1:0"], opened
    for each in pages:
        each.communicate("")


def open_pages(count: int) -> None:
    """Hold that many pages open, at the address on the first line of standard input, until that ends."""
    with pages(input(), count):
        print("open", flush=True)
        sys.stdin.read()


READERS = {"metrics": metrics, "remote-write": remote_write, "live": live}


def once(arguments: argparse.Namespace, reader: Callable[..., Any]) -> Cost:
    """One run by the command line."""
    with tempfile.TemporaryDirectory() as name, reader(arguments, Path(name)) as (flags, opened):
        command = [sys.executable, "-m", "twin", "run", str(arguments.scenario), "--out", f"{name}/run", "--set",
                   f"duration={arguments.days}d", "--set", f"metrics.every={arguments.every}", "--set", "policies=[]", *flags]
        began, word, opening = time.monotonic(), None, 0.0
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        first, course, url = 0.0, [], None
        for line in process.stdout:
            url = url or (re.search(r"https?://\S+", line) if flags else None)
            found = re.match(r"\d{4}-\d\d-\d\d +(\d+)%", line)
            first = first or (time.monotonic() - began if found else 0.0)
            if url and word is None and found and int(found[1]) >= 25:
                mailbox.command(Path(name) / "run", {"do": "pause"})
                begun = time.monotonic()
                word = opened(url[0])
                opening = time.monotonic() - begun
                mailbox.command(Path(name) / "run", {"do": "continue"})
            if found:
                if int(found[1]) >= 50:
                    course.append((time.monotonic(), cpu_s(process.pid), waited_s(process.pid), around_s(process.pid)))
                if int(found[1]) == 100 and word:
                    word = word()
                    flags = []
        if process.wait():
            raise SystemExit(f"the run failed: {' '.join(command)}")
        wall, cpu, waited, around = (last - half for half, last in zip(course[0], course[-1], strict=True))
        return Cost(first, opening, wall, cpu, waited, around, str(word or ""))


def ratio(pairs: Sequence[tuple[float, float]]) -> str:
    """How much longer, in per cent: the quickest against the quickest; by rounds the median, the least and the most."""
    each = sorted(100 * (b / a - 1) for a, b in pairs)
    best = 100 * (min(b for _, b in pairs) / min(a for a, _ in pairs) - 1)
    return f"{best:+.2f} % (rounds {statistics.median(each):+.2f}, {each[0]:+.2f} .. {each[-1]:+.2f})"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", choices=[*READERS, []], default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--every", default="1h")
    parser.add_argument("--scrape", type=float, default=1.0, help="seconds between scrapes")
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--scenario", type=Path, default=ROOT / "scenarios" / "quickstart.yaml")
    parser.add_argument("--open", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.open:
        return open_pages(arguments.pages)
    names = arguments.readers or ["metrics"]
    costs: dict[str, list[Cost]] = {name: [] for name in ("nobody", *names)}
    print(f"{arguments.scenario.name}, {arguments.days} days, a reading every {arguments.every}, {os.cpu_count()} processors")
    for number in range(arguments.rounds):
        for name in costs:
            cost = once(arguments, READERS.get(name, nobody))
            costs[name].append(cost)
            around = ", ".join(f"{kind} {took:.1f}" for kind, took in cost.around.items())
            print(f"  {number + 1}  {name:12s}  {cost.wall:7.2f} s wall  {cost.cpu:7.2f} s processor  {cost.waited:5.2f} s waited  "
                  f"readers' processor {sum(cost.around.values()):6.2f} s{f' ({around})' if around else ''}  "
                  f"begun after {cost.start:5.2f} s, open after {cost.opening:5.2f} s  load {os.getloadavg()[0]:.1f}  {cost.word}",
                  flush=True)
    for name in names:
        pairs = list(zip(costs["nobody"], costs[name], strict=True))
        bound = f"   (bound {BOUND[name]:.0%})" if name in BOUND else ""
        print(f"{name:12s}  processor {ratio([(a.cpu, b.cpu) for a, b in pairs])}   wall {ratio([(a.wall, b.wall) for a, b in pairs])}   "
              f"start {statistics.median(b.start - a.start for a, b in pairs):+.2f} s{bound}")
    return None


if __name__ == "__main__":
    main()
