"""What watching costs the run: `python -m tests.benchmarks.bench_readers [metrics] [remote-write]
[live] [world] [nothing] [--rounds 6]`.

Runs the quickstart (without its policy; hourly readings, unless --every says otherwise) twice in a
round, with a reader that is there and is not there in turns of a simulated week (--weeks): there,
away, away, there, and so on; in the second run of a round the other way round. While it is away the
run hands on nothing, as a run without a reader, and all that belongs to the reader is stopped
(SIGSTOP): the process beside the run, and what reads there. Both runs do the same work to the byte,
so each week is done with the reader and without. Over four turns what sets the two runs apart falls
out (two runs without any reader were seen to differ by up to 8 %, as their memory lies
differently), and so do most of the moods of a machine that is shared.

Printed are, for each reader named (default: metrics) and each round, with the reader and without:
wall-clock time, which where processors are few holds what the reader itself takes; processor time
of the run's main thread and of its others (they pass on to the process beside it); how long the
main thread was ready and had no processor (``waited``, by the scheduler). What the reader's own
processes took of any processor is printed beside it, by kind: the one beside the run, parts of the
browser, and what drives the browser here, which no user has. At the end: how much longer the run
takes with the reader, over all fours of turns: the mean with its t interval of 95 %, and the median
with its own, for outliers.

What is paid once does not count: the building of the world, the start of the process beside it, and
the opening of a reader (for live: a browser and its pages, until each has drawn its first
pictures). Between turns the run waits for half a second before and after, in which a reader that
comes back does what became due while it was stopped (pages do not: their clock stands meanwhile),
and what the run has gathered for it is sent: that is counted.

--times 10: the run passes on, and is scraped, ten times as often, and what is printed is a tenth of
what it cost. The machine's moods are larger than what metrics cost; so the tenth is told more
exactly. What goes with the number of readings is not ten times as much: putting one with its frame
into the queue took the main thread 4 to 6 us of an hour's 10 ms, .05 %, and packing it another 2
us.

metrics       --metrics, scraped every second (--scrape) as Prometheus does: OpenMetrics, gzip
remote-write  --remote-write to a real Prometheus on this machine
live          --live, ten open pages (--pages) in a real Chromium. They draw a minute or more apart:
              give it turns of --weeks 8
world         the same, with the view of the world unfolded on each page
nothing       no reader: what the method itself is off by
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from tests.conftest import ROOT
from tests.e2e.prometheus import Prometheus
from twin.cli.watching import services
from twin.experiments.findings.kit.means import interval
from twin.ground.units import WEEK
from twin.readers import sidecar
from twin.record.watch import Frame, Watcher, Watchers
from twin.running import drive as run
from twin.scenario.loading import load

READERS = ("metrics", "remote-write", "live", "world", "nothing")
BOUND = {"metrics": 0.01, "live": 0.03, "world": 0.03}
"""Largest share of the run's time that a reader may cost, by issue 4."""
TICK = os.sysconf("SC_CLK_TCK")
FIRST = 8
"""Simulated weeks before the first turn."""
FOUR = (True, False, False, True)
"""Whether the reader is there, by turns."""
CATCH_UP_S = 0.5


class Spent(NamedTuple):
    """Seconds by the clock, of this process's main thread and of its others on a processor, of its
    main thread ready without one."""

    wall: float = 0.0
    main: float = 0.0
    threads: float = 0.0
    waited: float = 0.0

    @property
    def cpu(self) -> float:
        """Of all threads."""
        return self.main + self.threads

    @classmethod
    def now(cls) -> Spent:
        """So far; by the main thread (Linux)."""
        main = time.thread_time()
        waited = (
            int(Path("/proc/thread-self/schedstat").read_text(encoding="utf-8").split()[1]) / 1e9
        )
        return cls(time.perf_counter(), main, time.process_time() - main, waited)

    def __add__(self, other: Any) -> Spent:
        return Spent(*(a + b for a, b in zip(self, other, strict=True)))

    def __sub__(self, other: Any) -> Spent:
        return Spent(*(a - b for a, b in zip(self, other, strict=True)))


def around() -> dict[int, str]:
    """All processes that this one has started, and those that they have, and that go on, with their
    kind (Linux)."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            children.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(
                int(path.parent.name)
            )
    made = children.get(os.getpid(), [])
    for pid in made:
        made += children.get(pid, [])
    found = {}
    for pid in made:
        with suppress(OSError):
            found[pid] = _kind(Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8"))
    return found


def _kind(command: str) -> str:
    if "chrom" in command:
        found = re.search(r"--type=(\w+)", command)
        return f"browser's {found[1]}s" if found else "browser"
    return (
        "beside"
        if "multiprocessing" in command
        else "prometheus"
        if command.startswith("prometheus")
        else "driver"
    )


def around_s() -> Counter[str]:
    """Processor time of these processes so far, by kind."""
    made = Counter[str]()
    for pid, kind in around().items():
        with suppress(OSError):
            fields = (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            )
            made[kind] += (int(fields[11]) + int(fields[12])) / TICK
    return made


def tell(what: signal.Signals) -> None:
    """Send a signal to all of them."""
    for pid in around():
        with suppress(ProcessLookupError):
            os.kill(pid, what)


class Turns(Watchers):
    """Hands on to a reader and does not, in turns. ``turns``: whether the reader was there, and
    what the run spent."""

    def __init__(
        self, name: str, arguments: argparse.Namespace, inverse: bool, flags: dict[str, Any]
    ) -> None:
        self.name, self.arguments, self.inverse = name, arguments, inverse
        self.lines: list[str] = []
        self.link = sidecar.Link(services(flags), self.lines.append) if flags else Watcher()
        super().__init__(self.link)
        self.there, self.word, self.count = True, "", -1
        self.turns: list[tuple[bool, Spent]] = []
        self.took = Counter[str]()
        self.opened: subprocess.Popen[str] | None = None

    def update(self, frame: Frame) -> None:
        """Hand it on, or not; and end a turn."""
        super().update(frame)
        if frame.now_s >= WEEK * (FIRST + self.arguments.weeks * (self.count + 1)):
            if self.count < 0:
                self._open()
            else:
                self._end_turn()
            self.count += 1
            self._begin_turn()

    def end(self, text: str) -> None:
        """Let all come to their end."""
        tell(signal.SIGCONT)
        if self.opened:
            self.word = self.opened.communicate("")[0].strip()
        self.link.end(text)

    def _open(self) -> None:
        url = next(
            (found[0] for line in self.lines if (found := re.search(r"https?://\S+", line))), ""
        )
        number = {
            "metrics": self.arguments.scrape,
            "live": self.arguments.pages,
            "world": self.arguments.pages,
        }.get(self.name)
        if number is None:
            return
        self.opened = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.attached", self.name, str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.opened.stdin and self.opened.stdout
        print(
            url, file=self.opened.stdin, flush=True
        )  # not as an argument: a page's holds its token
        if self.opened.stdout.readline().strip() != "open":
            raise SystemExit("the reader did not open")

    def _begin_turn(self) -> None:
        self.there = FOUR[self.count % len(FOUR)] ^ self.inverse
        self.those = (self.link,) if self.there else ()
        tell(signal.SIGCONT if self.there else signal.SIGSTOP)
        time.sleep(CATCH_UP_S)
        self.around, self.began = around_s(), Spent.now()

    def _end_turn(self) -> None:
        ended = Spent.now()
        time.sleep(CATCH_UP_S)  # what was gathered is sent by another thread: its time counts
        spent = (ended - self.began)._replace(threads=Spent.now().threads - self.began.threads)
        self.turns.append((self.there, spent))
        took = around_s() - self.around
        if self.there:
            self.took += took


def once(arguments: argparse.Namespace, name: str, inverse: bool) -> Turns:
    """A run and its turns (``inverse``: away, there, there, away)."""
    with ExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        flags = (
            {"metrics": "127.0.0.1:0"}
            if name == "metrics"
            else {"live": "127.0.0.1:0"}
            if name in ("live", "world")
            else {}
        )
        if name == "remote-write":
            flags = {"remote_write": stack.enter_context(Prometheus(here / "prometheus")).write_url}
        days = 7 * (FIRST + arguments.turns * arguments.weeks) + 1
        scenario = load(
            arguments.scenario,
            ["warm_up=0d", f"duration={days}d", f"metrics.every={arguments.every}", "policies=[]"],
        )
        turns = Turns(name, arguments, inverse, flags)
        gc.collect()
        try:
            if run.start(scenario, here / "run", watcher=turns).status != "done":
                raise SystemExit("interrupted")
        finally:
            tell(signal.SIGCONT)  # whatever is left and stopped
        return turns


def total(pair: tuple[Turns, Turns], there: bool) -> Spent:
    """What two runs spent with the reader or without."""
    return sum((spent for turns in pair for was, spent in turns.turns if was == there), Spent())


def more(rounds: list[tuple[Turns, Turns]], what: str, times: float) -> str:
    """How much longer with the reader, in per cent: of each four turns the mean of the log ratio
    between the two runs."""
    each = []
    for pair in rounds:
        logs = [[np.log(getattr(spent, what)) for _, spent in turns.turns] for turns in pair]
        sign = [1 if there else -1 for there, _ in pair[0].turns]
        ratios = np.array(sign) * (np.array(logs[0]) - np.array(logs[1]))
        each += [
            100 * float(np.expm1(four.mean())) / times for four in ratios.reshape(-1, len(FOUR))
        ]
    mean, low, high = interval(each)
    middle = stats.quantile_test(each, p=0.5).confidence_interval(0.95)
    return (
        f"mean {mean:+.2f} % [{low:+.2f}, {high:+.2f}], median {statistics.median(each):+.2f} % "
        f"[{middle.low:+.2f}, {middle.high:+.2f}] of {len(each)} fours of turns"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("readers", nargs="*", choices=[*READERS, []], default=[])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--turns", type=int, default=16, help="turns of a run, in fours")
    parser.add_argument("--weeks", type=int, default=1, help="simulated weeks of a turn")
    parser.add_argument("--every", default="1h")
    parser.add_argument("--scrape", type=float, default=1.0, help="seconds between scrapes")
    parser.add_argument(
        "--times",
        type=float,
        default=1.0,
        help="so many times as often, and a part of the cost printed",
    )
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--scenario", type=Path, default=ROOT / "scenarios" / "quickstart.yaml")
    arguments = parser.parse_args()
    arguments.scrape /= arguments.times
    sidecar.BATCH_S /= arguments.times
    os.environ["TWIN_NO_BROWSER"] = "1"
    run.CHECKPOINT_WALL_S = float(
        "inf"
    )  # else some week has one, by the clock; those at simulated times are in the same week of both
    print(
        f"{arguments.scenario.name}, {arguments.turns} turns of {7 * arguments.weeks} days, a "
        f"reading every {arguments.every}, "
        f"{os.cpu_count()} processors"
        + (f", {arguments.times:g} times as often" if arguments.times > 1 else ""),
        flush=True,
    )
    for name in arguments.readers or ["metrics"]:
        rounds: list[tuple[Turns, Turns]] = []
        for number in range(arguments.rounds):
            pair = once(arguments, name, inverse=False), once(arguments, name, inverse=True)
            rounds.append(pair)
            for title, there in (("without", False), (name, True)):
                spent = total(pair, there)
                print(
                    f"  {number + 1}  {title:12s}  {spent.wall:7.2f} s wall  {spent.main:7.2f} s "
                    f"processor of the main thread, "
                    f"{spent.threads:.3f} of others  {spent.waited:5.2f} s waited"
                )
            took = pair[0].took + pair[1].took
            kinds = ", ".join(f"{what} {seconds:.1f}" for what, seconds in took.items() if seconds)
            print(
                f"     load {os.getloadavg()[0]:.1f}  reader's processor {took.total():.2f} s "
                f"({kinds})  {pair[1].word}",
                flush=True,
            )
        bound = f"   (bound {BOUND[name]:.0%})" if name in BOUND else ""
        for what in ("wall", "cpu"):
            print(f"{name:12s}  {what:4s}  {more(rounds, what, arguments.times)}{bound}")
        share = statistics.mean(
            100 / arguments.times * total(pair, True).threads / total(pair, False).cpu
            for pair in rounds
        )
        print(f"{'':12s}  of that by the run's other threads {share:+.2f} %", flush=True)


if __name__ == "__main__":
    main()
