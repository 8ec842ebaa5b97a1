"""Reads a log: from files to rows on the disk, from these to sums.

First pass: blocks of every file become rows of one shape, which are written in parts by person.
Second: each part is summed by people, and written in parts by item (or maker). Third: these are
summed by items. A part is in memory at a time for each thread, so memory does not grow with the
log. Blocks and parts are prepared on threads and taken in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.ground import parquet
from twin.ground.errors import UsageError
from twin.observing import files, items, people, rows
from twin.observing.blocks import Block
from twin.observing.ledger import Ledger
from twin.observing.mapping import Mapped
from twin.observing.progress import Progress
from twin.observing.sources import Source, Within
from twin.observing.spool import Sorted, Spool, parts
from twin.observing.tally import AGES, DEPTHS, MOST_PERIODS, Frame, Tally
from twin.observing.times import COARSE, Clock

PART_ROWS = 120_000
"""Rows of a part, about."""
ROW_BYTES = {"text": 45, "lines": 150, "parquet": 12}
"""Bytes of a row in a file, about: by these the number of parts is chosen."""
ZIP = 6
FAR = 365
"""Days without a row beyond which what follows is taken for a clock that jumped."""
_LAST_DAY = 48_000
T = TypeVar("T")


@dataclass
class Read:
    """What a reading found."""

    ledger: Ledger
    tally: Tally
    clock: Clock
    sources: list[str]
    """Names of the codes of sources; the first is of what is not known."""
    empty: list[int] = field(default_factory=list)
    """Days without a row."""


class Reading:
    """Reads the files of one log into sums."""

    def __init__(
        self, mapped: Mapped, ledger: Ledger, work: Path, progress: Progress, threads: int
    ) -> None:
        self.mapped, self.ledger, self.work = mapped, ledger, work
        self.progress, self.threads = progress, threads
        self.of = mapped.map
        self.dtype = rows.dtype(self.of)
        self.clock = Clock(self.of.time, self.of.zone)
        self.days = np.zeros(_LAST_DAY, np.int64)
        self.codes: dict[str, int] = {}
        self.farthest = 0
        self.spool = Spool(work / "people", parts(self._expected(), PART_ROWS), self.dtype)
        self._before = 0

    def run(self) -> Read:
        """All three passes. Raises UsageError for what cannot be read, or too much of it."""
        with closing(self.spool):
            for number, source in enumerate(self.ledger.sources):
                self._file(number, source)
                self._before += source.size
        self.ledger.check()
        if not self.days.any():
            raise UsageError(f"{self.ledger.sources[0].path}: no row can be used")
        frame = self._frame()
        tally = self._sum(frame)
        self.ledger.check()
        inside = self.days[frame.first : frame.last + 1]
        empty = [frame.first + int(i) for i in np.flatnonzero(inside == 0)]
        return Read(self.ledger, tally, self.clock, ["", *self.codes], empty)

    def _expected(self) -> float:
        many = 0.0
        for source in self.ledger.sources:
            if source.kind == "parquet" and not source.zipped:
                try:
                    many += pq.read_metadata(source.path).num_rows
                    continue
                except parquet.DAMAGED:
                    pass  # said when it is read
            many += source.size / ROW_BYTES[source.kind] * (ZIP if source.zipped else 1)
        return many

    def _file(self, number: int, source: Source) -> None:
        shapers: list[rows.Shaper] = []

        def named(found: Any) -> list[str]:
            here, missing = self.mapped.fitted(found, str(source.path))
            clock = replace(self.clock, of=here.map.time, unit="", zoned=0, naive=0)
            shapers.append(rows.Shaper(self.of, here.map, number, clock))
            source.notes += [f"has no column {name}" for name in missing]
            return list(dict.fromkeys(column for _, column in here.map.named()))

        jobs = files.read(source, self.of, named, self.work)
        try:
            # the first block says in which unit times are
            first = next(jobs, None)
            if first is None:
                raise UsageError(f"{source.path}: has no rows")
            made, found = self._made(shapers[0], first)
            shapers[0].clock.unit = made.clock.unit
            self._take(source, made, found)
            todo = (partial(self._made, shapers[0], job) for job in jobs)
            for made, found in self._ahead(todo):
                self._take(source, made, found)
        except Within as error:
            raise error.of(source.path) from None
        if not source.rows:
            raise UsageError(f"{source.path}: has no rows")

    def _made(self, shaper: rows.Shaper, block: Callable[[], Block]) -> tuple[rows.Made, Sorted]:
        """The rows of a block, by the part of their user."""
        made = shaper.make(block())
        by_part = self.spool.sorted(made.rows, made.rows["user"])
        # once in memory, not twice
        made.rows = by_part.rows
        return made, by_part

    def _take(self, source: Source, made: rows.Made, by_part: Sorted) -> None:
        """Count and write the rows of a block, in the order of the log."""
        self.ledger.rows += made.read
        source.rows += made.read
        for reason, many, places in made.bad:
            self.ledger.add(reason, many, places)
        self.ledger.ignored.update({name: n for name, n in made.ignored.items() if n})
        self.ledger.check(final=False)
        self._clocked(made.clock)
        found = by_part.rows
        if len(found):
            self.days += np.bincount(found["day"], minlength=_LAST_DAY)[:_LAST_DAY]
            if "source" in (self.dtype.names or ()):
                found["source"] = self._coded(made.sources)[found["source"]]
            if "position" in (self.dtype.names or ()):
                self.farthest = max(self.farthest, int(found["position"].max()))
            self.spool.add(by_part)
        total = sum(source.size for source in self.ledger.sources)
        share = min((self._before + made.done) / max(total, 1), 1.0)
        self.progress.show("reading", share, self.ledger.rows)

    def _clocked(self, clock: Clock) -> None:
        mine = self.clock
        mine.zoned, mine.naive = mine.zoned + clock.zoned, mine.naive + clock.naive
        mine.unit, mine.single = clock.unit or mine.unit, mine.single or clock.single
        mine.every = {size: mine.every[size] and clock.every[size] for size in COARSE}

    def _coded(self, names: list[str]) -> NDArray[np.uint8]:
        """The code in the whole log of each code in a block."""
        table = np.full(256, rows.OTHER, np.uint8)
        table[0] = 0
        for i, name in enumerate(names, 1):
            if name not in self.codes and len(self.codes) < rows.MOST_SOURCES:
                self.codes[name] = len(self.codes) + 1
            table[i] = self.codes.get(name, rows.OTHER)
        return table

    def _frame(self) -> Frame:
        """The days of the log: around its middle, up to a gap of a year."""
        known = np.flatnonzero(self.days)
        total = np.cumsum(self.days)
        middle = int(np.searchsorted(total, total[-1] / 2))
        at = int(np.searchsorted(known, middle))
        low = high = at
        while low > 0 and known[low] - known[low - 1] <= FAR:
            low -= 1
        while high < len(known) - 1 and known[high + 1] - known[high] <= FAR:
            high += 1
        first, last = int(known[low]), int(known[high])
        names, clock = self.dtype.names or (), not self.clock.every[COARSE[0]]
        users = bool(self.of.user)
        cuts = {"all": 1}
        if not any(self.clock.every[size] for size in COARSE[:1]):
            cuts["hour"] = 24
        if "position" in names:
            cuts["position"] = self.farthest + 1
        if "source" in names:
            cuts["source"] = len(self.codes) + 2
        if "explore" in names:
            cuts["explore"] = 2
        if users:
            cuts["age"] = len(AGES)
        if users and clock:
            cuts["depth"] = len(DEPTHS)
        return Frame(
            first,
            last,
            -(-(last - first + 1) // MOST_PERIODS),
            self.of.binary(),
            tuple(self.of.amounts),
            cuts,
            self.of.gap,
            users,
            clock,
            self.of.duplicates == "drop",
        )

    def _sum(self, frame: Frame) -> Tally:
        many = len(self.spool.paths)
        makers = "maker" in (self.dtype.names or ())
        of = "maker" if makers else "item"
        second = Spool(self.work / "items", many, people.ITEMS)
        tally = Tally(frame)

        def part(i: int) -> tuple[Tally, Sorted, NDArray[np.int64], NDArray[np.int64]]:
            found = self.spool.take(i)
            day = found["day"]
            far = (day < frame.first) | (day > frame.last)
            places = np.sort(found["place"][far])
            made = people.observe(found[~far] if far.any() else found, frame)
            by_part = second.sorted(made.items, made.items[of])
            return made.tally, by_part, made.repeated, places

        todo = (partial(part, i) for i in range(many))
        with closing(second):
            for i, (made, by_part, repeated, far) in enumerate(self._ahead(todo)):
                self.ledger.add("time lies more than a year from the rest", len(far), far)
                self.ledger.add("repeats another row", len(repeated), repeated)
                tally.add(made)
                second.add(by_part)
                self.progress.show("people", (i + 1) / many)

        def part_of_items(i: int) -> Tally:
            return items.observe(second.take(i), frame, makers)

        for i, each in enumerate(self._ahead(partial(part_of_items, i) for i in range(many))):
            tally.add(each)
            self.progress.show("items", (i + 1) / many)
        return tally

    def _ahead(self, todo: Iterable[Callable[[], T]]) -> Iterator[T]:
        """Results in order, a few of them prepared ahead on threads."""
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[Future[T]] = deque()
            try:
                for each in todo:
                    waiting.append(pool.submit(each))
                    if len(waiting) > self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
