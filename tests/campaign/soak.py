"""A live run for a long time, with pages, scrapes and remote write to a real Prometheus: memory, open
files, threads and the time of an answer, of the run's process and of the one beside it, every few
seconds, and how fast each grows.

The slope is a line by least squares through means of BLOCKS blocks of time: values a few seconds
apart depend on one another, means of minutes hardly. Its interval is Student's with BLOCKS - 2
degrees of freedom, and all of them hold together at 95 % (Bonferroni). The first fifth of the time is
left out, in which caches fill.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import stats

from tests.campaign.clients import Crowd, asked, page, scraper
from tests.campaign.live import Run, begin, running
from tests.campaign.questions import Target, request
from tests.campaign.servers import missing
from tests.e2e.prometheus import Prometheus, wanted
from twin.record.names import identity
from twin.record.results import load_manifest, load_metrics

PAGES, SCRAPERS, SCRAPE_S = 5, 2, 1.0
PACE = 0.05
"""Simulated days a second: an hour is half a year."""
OFTEN = "metrics.every=30min"
"""So the course that the live page keeps (`history.MOST` readings) is full within four minutes, and
what it needs has stopped growing."""
AT_REST = (
    *("audience.arrivals=0/d", "audience.leave=0", "audience.churn_a=0"),
    *("creators.quit=0", "creators.human.arrivals=0/d", "creators.ai.arrivals=0/d"),
)
"""Nobody comes or goes for good: rows of embeddings for new IDs are growth that a world is meant to
have, and here nothing is."""
EVERY_S = 5.0
BLOCKS, SETTLING = 12, 0.2
GROWTH = 0.05
"""Of its level an hour: what surely grows faster is a failure."""
UNITS = {"RSS": "MB", "anonymous": "MB", "files": "", "threads": "", "scrape": "ms", "page": "ms"}


@dataclass(frozen=True)
class Slope:
    """Growth an hour with its interval, and the mean."""

    level: float
    low: float
    slope: float
    high: float

    @property
    def flat(self) -> bool:
        """Not distinguishable from zero."""
        return self.low <= 0 <= self.high

    def words(self, name: str, unit: str) -> str:
        """In a line."""
        said = f"[{self.low:+.3g}, {self.high:+.3g}] {unit}".rstrip()
        told = "not distinguishable from zero" if self.flat else f"{self.slope:+.3g}"
        return f"{name}: {self.level:.4g} {unit}".rstrip() + f", an hour {told} {said}"


def slope(hours: Sequence[float], values: Sequence[float], together: int = 1) -> Slope | None:
    """The slope of values at some times, at 95 % for ``together`` of them; None for too few."""
    x, y = np.asarray(hours, float), np.asarray(values, float)
    later = x >= x[0] + SETTLING * (x[-1] - x[0]) if len(x) else np.zeros(0, bool)
    x, y = x[later], y[later]
    if len(x) < 2 * BLOCKS:
        return None
    xs = np.array([part.mean() for part in np.array_split(x, BLOCKS)])
    ys = np.array([part.mean() for part in np.array_split(y, BLOCKS)])
    line = stats.linregress(xs, ys)
    # of what never changed the standard error is no number
    width = stats.t.ppf(1 - 0.025 / together, BLOCKS - 2) * (line.stderr if np.ptp(ys) else 0.0)
    return Slope(float(y.mean()), line.slope - width, float(line.slope), line.slope + width)


def measured(pid: int) -> dict[str, float]:
    """Memory, files and threads of a process, from /proc. Anonymous memory is what the process made
    itself; RSS has pages of files, too (libraries, compiled kernels), which the system takes away and
    brings back as it likes. Raises OSError once the process has gone."""
    place = Path(f"/proc/{pid}")
    rollup = (place / "smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    kb = {line.split(":")[0]: float(line.split()[1]) for line in rollup}
    status = dict(
        line.split(":", 1) for line in (place / "status").read_text(encoding="utf-8").splitlines()
    )
    return {
        "RSS": kb["Rss"] / 1024,
        "anonymous": kb["Anonymous"] / 1024,
        "files": float(len(list((place / "fd").iterdir()))),
        "threads": float(status["Threads"]),
    }


def beside(pid: int) -> int:
    """The process beside a run."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    raise RuntimeError("there is no process beside the run")


@dataclass
class Soaked:
    """What a campaign saw: times in hours, and values by name."""

    hours: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    unable: str = ""

    def lines(self) -> list[str]:
        """One line per failure, and one per measure."""
        if self.unable:
            return [f"nothing was tried: {self.unable}"]
        return [*self.failures, *self.facts, f"{len(self.failures)} failures"]

    def add(self, hours: float, found: Mapping[str, float]) -> None:
        """One look."""
        self.hours.append(hours)
        for name, value in found.items():
            self.values.setdefault(name, []).append(value)

    def judge(self) -> None:
        """Slopes, as lines; what surely grows is a failure."""
        for name, values in self.values.items():
            found = slope(self.hours, values, len(self.values))
            unit = UNITS[name.split()[-1]]
            if found is None:
                self.facts.append(f"{name}: {values[-1]:.4g} {unit} (too short for a slope)")
                continue
            self.facts.append(found.words(name, unit))
            if found.low > GROWTH * found.level:
                self.failures.append(f"grows: {found.words(name, unit)}")


async def _looks(seen: Soaked, crowd: Crowd, run: Run, every_s: float) -> None:
    """A look every few seconds, until the run has ended."""
    pids = {"run": run.process.pid, "beside it": beside(run.process.pid)}
    target, began = crowd.target, time.monotonic()
    bearer = {"Authorization": f"Bearer {target.token}"}
    asks = {
        "answer to a scrape": (target.endpoint, request(target.endpoint, "/metrics")),
        "answer to a page": (target.page, request(target.page, "/run", **bearer)),
    }
    while not crowd.over.is_set() and run.process.poll() is None:
        found: dict[str, float] = {}
        for name, (port, sent) in asks.items():
            asked_at = time.perf_counter()
            status, _ = await asked(crowd, port, sent)
            found[name] = 1000 * (time.perf_counter() - asked_at)
            await crowd.settle(name, status, {200})
        try:
            for whose, pid in pids.items():
                found |= {f"{whose}, {what}": value for what, value in measured(pid).items()}
        except OSError:  # it ends now
            break
        if not crowd.over.is_set():
            seen.add((time.monotonic() - began) / 3600, found)
        await asyncio.sleep(every_s)
    crowd.over.set()


async def _watched(seen: Soaked, run: Run, target: Target, seed: int, every_s: float) -> Crowd:
    crowd = Crowd(target, random.Random(seed))
    await asyncio.gather(
        _looks(seen, crowd, run, every_s),
        *(crowd.living("page", lambda: page(crowd)) for _ in range(PAGES)),
        *(crowd.living("scrape", lambda: scraper(crowd, SCRAPE_S)) for _ in range(SCRAPERS)),
    )
    return crowd


def campaign(seed: int, *, minutes: float, pace: float = PACE, every_s: float = EVERY_S) -> Soaked:
    """A run of so many minutes."""
    seen = Soaked()
    if shutil.which("prometheus") is None or not Path("/proc/self/smaps_rollup").exists():
        return Soaked(unable="it needs prometheus and Linux's /proc")
    days = max(1, round(60 * minutes * pace))
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        here = Path(name)
        with Prometheus(here / "prometheus") as server:
            command = begin((f"duration={days}d", OFTEN, *AT_REST))
            command += ["--pace", str(pace), "--out", "long"]
            command += ["--live", "127.0.0.1:0", "--metrics", ":0", "--remote-write"]
            with running(here, [*command, server.write_url]) as run:
                crowd = asyncio.run(_watched(seen, run, run.target(), seed, every_s))
                status = run.ended()
            if status or run.faults():
                seen.failures.append(f"the run: status {status}, {run.faults() or run.lines[-3:]}")
            else:
                metrics, own = load_metrics(here / "long"), identity(load_manifest(here / "long"))
                there = server.samples(f'{{run_id="{own["run_id"]}"}}')
                if any(lost := missing(wanted(metrics, own), there)):
                    seen.failures.append(f"remote write: {lost[0]} readings lost, {lost[1]} wrong")
    for kind, each in crowd.wrong.items():
        seen.failures.append(f"{kind}: {len(each)} answered wrongly, first: {each[0]}")
    seen.judge()
    looks, hours = len(seen.hours), seen.hours[-1] if seen.hours else 0.0
    by = ", ".join(f"{count:,} x {kind}" for kind, count in crowd.answers.most_common())
    seen.facts.append(f"{days} days in {60 * hours:.1f} minutes, {looks} looks; {by}")
    return seen
