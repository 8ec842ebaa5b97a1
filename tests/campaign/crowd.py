"""A crowd at a live run: 200 pages that follow it, scrapers as quick as the machine bears, and those
who read nothing, send headers without measure, half a request or a body that never comes, guess
tokens, ask by other names and for other paths. No request is answered wrongly, the run has the bytes
of one that nobody watched, and its wall time stands beside that of one that could have been watched
and was not: what it takes to open a page and an endpoint, once, is no doing of the crowd's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from scipy import stats

from tests.campaign.clients import Crowd, asker, guesser, holder, page, scraper
from tests.campaign.live import NICE, begin, running
from tests.conftest import PATIENCE_S

SPREAD_S = 5.0
"""Over which pages are opened."""
SCRAPERS, ASKERS, GUESSERS, HOLDERS = 20, 4, 2, 60


@dataclass(frozen=True)
class Size:
    """How many pages, how many scrapes a second at most, and the run: days, and days a second."""

    pages: int = 200
    scrapes: float = 1000.0
    days: int = 30
    pace: float = 1.0


@dataclass
class Crowded:
    """What a campaign saw."""

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """One line per failure, and some for all."""
        by = ", ".join(f"{count:,} x {kind}" for kind, count in self.answers.most_common())
        return [*self.failures, *self.facts, f"{by or 'none'}: {len(self.failures)} failures"]


async def _all(crowd: Crowd, size: Size) -> float:
    """Every client, until the run has ended; returns seconds."""

    async def opened(one: Callable[[Crowd], Awaitable[None]], kind: str) -> None:
        lasts_s = size.days / size.pace if size.pace else SPREAD_S
        await asyncio.sleep(crowd.draw.uniform(0, min(SPREAD_S, lasts_s / 4)))
        await crowd.living(kind, lambda: one(crowd))

    every_s = SCRAPERS / size.scrapes
    work: list[Awaitable[Any]] = [opened(page, "page") for _ in range(size.pages)]
    work += [opened(partial(scraper, every_s=every_s), "scrape") for _ in range(SCRAPERS)]
    work += [asker(crowd, 0.05) for _ in range(ASKERS)]
    work += [guesser(crowd, 0.2) for _ in range(GUESSERS)]
    work += [holder(crowd, kind) for kind in range(HOLDERS)]
    began = time.monotonic()
    await asyncio.wait_for(asyncio.gather(*work), PATIENCE_S)
    return time.monotonic() - began


def clients(pipe: Connection, seed: int, size: Size) -> None:
    """Entry point of the crowd's process, which stands back behind the run. It is told whom to ask,
    and then that the run has ended."""
    os.nice(NICE)
    pipe.send("ready")
    crowd = Crowd(pipe.recv(), random.Random(seed))

    async def until_told() -> float:
        asyncio.get_running_loop().add_reader(pipe.fileno(), crowd.over.set)
        return await _all(crowd, size)

    took_s = asyncio.run(until_told())
    pipe.send((crowd.answers, crowd.wrong, crowd.latencies, crowd.guesses, took_s))


def _told(seen: Crowded, found: Any, size: Size) -> None:
    """Turn what the crowd saw into lines."""
    seen.answers, wrong, latencies, guesses, took_s = found
    for kind, each in wrong.items():
        seen.failures.append(f"{kind}: {len(each)} answered wrongly, first: {each[0]}")
    if len(latencies) > 1:
        cuts = statistics.quantiles(latencies, n=100)
        seen.facts.append(
            f"{size.pages} pages; {len(latencies) / took_s:,.0f} scrapes/s (asked for "
            f"{size.scrapes:,.0f}), an answer in {1000 * cuts[49]:.0f} ms, 99 % in "
            f"{1000 * cuts[98]:.0f} ms"
        )
    first, second = guesses.get("none right", []), guesses.get("nearly right", [])
    if min(len(first), len(second)) > 20:
        gap = 1e6 * (statistics.median(second) - statistics.median(first))
        p = stats.mannwhitneyu(first, second).pvalue
        seen.facts.append(
            f"tokens nearly right are refused {gap:+.0f} us later than others (p = {p:.2f}, "
            f"{len(first)} of each)"
        )


def _wall_s(folder: Path) -> float:
    return float(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["wall_s"])


def _without(here: Path, command: list[str]) -> None:
    with running(here, command) as run:
        if run.ended():
            raise AssertionError(run.lines[-3:])


def campaign(seed: int, size: Size = Size()) -> Crowded:
    """A run alone, one that nobody watches, and one in a crowd."""
    seen = Crowded()
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        here = Path(name)
        command = begin((f"duration={size.days}d",))
        command += ["--pace", str(size.pace)] if size.pace else []
        open_to_all = ("--live", "127.0.0.1:0", "--metrics", ":0")
        _without(here, [*command, "--out", "alone"])
        _without(here, [*command, *open_to_all, "--out", "unwatched"])
        watched = [*command, *open_to_all, "--out", "crowd"]
        ours, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(target=clients, args=(theirs, seed, size))
        process.start()
        theirs.close()
        ours.recv()
        with running(here, watched) as run:
            ours.send(run.target())
            status, found = run.ended(), None
            # if it died, it has said why
            with contextlib.suppress(EOFError, OSError):
                ours.send("over")
                found = ours.recv() if ours.poll(PATIENCE_S) else None
            process.join()
        if found is None or status or run.faults():
            seen.failures.append(
                f"the run: status {status}, {run.faults() or run.lines[-3:]}, clients "
                f"{'died' if found is None else 'lived'}"
            )
        if found is not None:
            _told(seen, found, size)
        alone, crowd = here / "alone", here / "crowd"
        if status == 0:
            if (alone / "metrics.parquet").read_bytes() != (crowd / "metrics.parquet").read_bytes():
                seen.failures.append("other readings than alone")
            before, with_all = _wall_s(here / "unwatched"), _wall_s(crowd)
            seen.facts.append(
                f"wall time {with_all:.1f} s, unwatched {before:.1f} s: x {with_all / before:.3f} "
                f"(without page and endpoint {_wall_s(alone):.1f} s)"
            )
    return seen
