"""The impressions of a run, as a platform would log them: one row for each post that somebody
examined, in Parquet files of a day each.

``2025-01-01.parquet`` holds the impressions of that simulated day (UTC), in the order in which they
happened:

    time      when the session began (UTC, simulated); a session has one time
    session   its id: of the person and the time
    consumer  who looked, post what was shown, creator who made it: 64-bit ids, never given twice
    place     place in the slate, from 0
    source    where the feed took the post from; the shelf of a work comes after the slate
    explore   whether chance alone chose the post
    click, long_view, like, comment, reshare, follow, hide, report: what was done with it

Nothing hidden is in it: no taste, no quality, no enjoyment. `twin observe --layout twin` reads it.
A file is whole or absent, and the same bytes whatever was interrupted: what a checkpoint has of the
day that runs lies beside the files until the day is over.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.ground import files
from twin.ground.draws import children
from twin.ground.units import DAY, at
from twin.kernels.rules import SOURCES, Source
from twin.kernels.training import HEADS
from twin.record.results import write_table
from twin.world.state import World

_BY_CHANCE = np.isin(np.arange(len(SOURCES)), [Source.RANDOM, Source.UNIFORM])
SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("ms", tz="UTC")),
        ("session", pa.uint64()),
        ("consumer", pa.uint64()),
        ("post", pa.uint64()),
        ("creator", pa.uint64()),
        ("place", pa.uint8()),
        ("source", pa.dictionary(pa.int8(), pa.string())),
        ("explore", pa.bool_()),
        *((head, pa.bool_()) for head in HEADS),
    ]
)
Columns = dict[str, NDArray[Any]]
"""Impressions as columns, one array each."""
ENDING = ".parquet"
PENDING = "pending-"


class Impressions:
    """Writes what happens in a world into ``folder``, from the scenario's ``start`` on."""

    def __init__(self, folder: Path, start: dt.date) -> None:
        self.folder, self.start = folder, start
        self._origin = int(at(start, 0).timestamp())
        self._day: int | None = None
        # what is kept of the day: rows of an earlier process, then windows as columns
        self._before: pa.Table = SCHEMA.empty_table()
        self._parts: list[Columns] = []

    def free(self) -> None:
        """Raise UsageError unless the folder is new or empty and can be written."""
        files.free(self.folder, "--log", "a folder of impressions")

    def watch(self, world: World) -> None:
        """Write down the windows of a world from now on: before it runs, or where it takes over
        from another one at the same second."""
        self.world = world
        world.on_window(self.note)

    def note(self) -> None:
        """Keep the window that ends now; write the days that are over. The warm-up leaves none."""
        world = self.world
        if world.elapsed <= 0:
            return
        found = self._window()
        if len(found["time"]):
            days = found["time"] // DAY
            for day in range(int(days.min()), int(days.max()) + 1):
                self._until(day)
                part = days == day
                self._parts.append(
                    found if part.all() else {name: each[part] for name, each in found.items()}
                )
        self._until(world.elapsed // DAY)

    def _window(self) -> Columns:
        """The window's impressions as columns; ``time`` in seconds since the start."""
        world = self.world
        window = world.service("window")()
        consumers, posts = world.table("consumers"), world.table("posts")
        starts = world.service("starts")()[window.consumer]
        people = consumers["key"][window.consumer]
        found = {
            "time": starts - world.warm_up,
            "session": children(people, starts),
            "consumer": people,
            "post": posts["key"][window.post],
            "creator": world.table("creators")["key"][posts["creator"][window.post]],
            # copies, as the day is written later and the log goes on
            "place": window.place.copy(),
            "source": window.source.copy(),
            "responses": window.responses.copy(),
        }
        # a window that lies across the start
        kept = found["time"] >= 0
        return found if kept.all() else {name: each[kept] for name, each in found.items()}

    def _table(self) -> pa.Table:
        """The day so far. Arrow's columns are made once a day: a window is too small a table."""
        if not self._parts:
            return self._before
        names = self._parts[0]
        found = {name: np.concatenate([each[name] for each in self._parts]) for name in names}
        source, mask = found["source"], found["responses"]
        # here, as Arrow imports pandas for the first array that it makes: a quarter of a second that
        # a process without a log is spared
        sources = pa.array(SOURCES, pa.string())
        times = pa.array((found["time"] + self._origin) * 1000)
        columns = [
            times.cast(SCHEMA.field("time").type),
            *(pa.array(found[name]) for name in ("session", "consumer", "post", "creator")),
            pa.array(found["place"]),
            pa.DictionaryArray.from_arrays(pa.array(source.astype(np.int8)), sources),
            pa.array(_BY_CHANCE[source]),
            *(pa.array((mask >> head & 1).astype(bool)) for head in range(len(HEADS))),
        ]
        made = pa.Table.from_arrays(columns, schema=SCHEMA)
        return pa.concat_tables([self._before, made])

    def _until(self, day: int) -> None:
        """Write the days before one: also those in which nobody came."""
        first = 0 if self._day is None else self._day
        for over in range(first, day):
            self._write(self._file(over))
            self._before, self._parts = SCHEMA.empty_table(), []
        self._day = max(first, day)

    def _file(self, day: int) -> Path:
        return self.folder / f"{self.start + dt.timedelta(days=day)}{ENDING}"

    def _write(self, file: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_table(self._table(), file)

    def save(self) -> None:
        """Bring what is kept of the day that runs to disk, for a checkpoint at this barrier; the
        newest two stay."""
        now = self.world.elapsed
        if now < 0:
            return
        self._until(now // DAY)
        self._write(self.folder / f"{PENDING}{now:012d}{ENDING}")
        for old in sorted(self.folder.glob(f"{PENDING}*"))[:-2]:
            old.unlink()

    def rewind(self) -> None:
        """Go on from the checkpoint that the world was loaded from: forget what came after it."""
        now = self.world.elapsed
        if now < 0 or not self.folder.is_dir():
            return
        self._day = now // DAY
        for file in sorted(self.folder.glob(f"{PENDING}*{ENDING}")):
            when = int(file.stem.removeprefix(PENDING))
            if when == now:
                self._before, self._parts = pq.read_table(file, schema=SCHEMA), []
            elif when > now:
                file.unlink()

    def finish(self) -> None:
        """The run is over: write the last day, whole or not. Runs end a second after their end, as
        a barrier excludes its own."""
        self._until(-(-(self.world.elapsed - 1) // DAY))
        for file in self.folder.glob(f"{PENDING}*"):
            file.unlink()
