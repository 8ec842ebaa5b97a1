"""Sends readings to Prometheus, or any receiver of its remote write, at their simulated times.

The run's folder is the buffer: what a receiver has not confirmed yet is read from there once the
run has saved it, so neither memory nor disk grows while the receiver is down, however long, and
nothing is lost. A cursor in the folder says what each receiver has confirmed; a resumed run
computes the same readings again and sends only those after it. A request whose answer was lost is
repeated; Prometheus ignores a sample that it already has.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import TwinError
from twin.ground.units import at
from twin.readers.backlog import Backlog
from twin.readers.delivery import Delivery
from twin.readers.protobuf_write import Encoder
from twin.readers.reading_back import ReadBack, address
from twin.readers.receiver import Cursor, TooLargeError, checked, shown
from twin.readers.service import Service
from twin.record.names import series
from twin.record.watch import Rows, RunInfo

SAMPLES = 20_000
"""Samples in a request at most: 100 to 250 kB, which proxies accept (nginx: 1 MB). Five times as
many are hardly quicker."""
PATIENCE_S = 60.0
"""Wall-clock seconds without success after which `twin send` gives up."""
END_PATIENCE_S = 20.0
"""The same for a run that has ended: its user waits, and `twin send` can deliver the rest."""
AHEAD = dt.timedelta(minutes=10)
"""How far ahead of its own clock Prometheus takes samples."""
READ_BACK = "; the first and the last were read back"
LOCK_S = 15.0
"""Wall-clock seconds for which a killed process of this run may still have the cursor locked."""


class Sender(Delivery):
    """Delivers the readings of a run in their order. ``note`` gets a line when the receiver fails
    and when it is back.

    Once `hasten` was called it gives up after PATIENCE_S without success; after `stop`, at once.
    """

    kept = "the readings stay in the run's folder"
    again = " and are sent again later"

    def __init__(
        self,
        url: str,
        folder: Path,
        start: dt.date,
        rows: Rows,
        run: Mapping[str, str],
        *,
        note: Callable[[str], None],
        lock_s: float = 0.0,
    ) -> None:
        super().__init__(url, note)
        self.folder, self.series = folder, len(rows)
        self.cursor = Cursor(folder, url, run, lock_s)
        self.backlog = Backlog(folder, start, rows, self.cursor.delivered_s)
        self._back = ReadBack(folder, start, rows, run)
        self._origin = int(at(start, 0).timestamp())
        self._encoder = Encoder(series(rows, run))
        self._most = max(1, SAMPLES // self.series)
        self._before: tuple[int, NDArray[np.float64]] | None = None

    def run(self, report: Callable[[int], None] = lambda undelivered: None) -> bool:
        """Deliver until the backlog is closed and empty (True), or given up (False). ``report`` is
        called with what is left after each request."""
        try:
            while (readings := self.backlog.take()) is not None:
                if not self._deliver(*readings, report):
                    return False
        except (TwinError, OSError) as error:
            self.refused(f"the run's folder: {error}")
            return False
        except Exception as error:  # a bug of twin must not look like a receiver that is down
            self.refused(f"a bug in twin: {type(error).__name__}: {error}")
            return False
        return True

    def hasten(self, patience_s: float | None = None) -> None:
        """The run has ended: no more readings, and patience is finite."""
        self.limit(PATIENCE_S if patience_s is None else patience_s)
        self.backlog.close()

    def stop(self) -> None:
        """Give up now."""
        super().stop()
        self.backlog.close()

    def verify(self, base: str) -> str:
        """Read the first and the last reading back from a Prometheus's query address: "", or what
        is wrong and the mend. If they are lost, all are to be sent again."""
        found = self._back.ask(base, self._stop.wait)
        if not found.why:
            return ""
        if not found.lost:
            return f"remote write: the readings could not be read back: {found.why}"
        self.cursor.move(-1, -self.cursor.readings)
        return (
            f"remote write: {shown(self.url)} took all readings, but {found.why}; nothing is lost, "
            f"send them again with: twin send {self.folder} --remote-write {shown(self.url)}"
        )

    def waiting(self) -> str:
        """Readings that the receiver has not confirmed."""
        return f"{self.backlog.undelivered:,}"

    def outcome(self) -> str:
        """What has arrived and, if that is not all, how to deliver the rest."""
        total, left = self.backlog.total, self.backlog.undelivered
        if not left:
            return (
                f"remote write: all {total:,} readings x {self.series:,} series are in "
                f"{shown(self.url)}"
            )
        why = f" ({self.trouble})" if self.trouble else ""
        return (
            f"remote write: {left:,} of {total:,} readings are not in {shown(self.url)} yet{why}; "
            f"nothing is lost, deliver them with: "
            f"twin send {self.folder} --remote-write {shown(self.url)}"
        )

    def _deliver(
        self, times: NDArray[np.int64], values: NDArray[np.float64], report: Callable[[int], None]
    ) -> bool:
        """Send readings that the receiver does not have, in requests of bounded size."""
        # skip what has arrived; the last of it says which series had a value
        done = int(np.searchsorted(times, self.cursor.delivered_s, "right"))
        if done and (self._before is None or self._before[0] < times[done - 1]):
            self._before = int(times[done - 1]), values[done - 1].copy()
        while done < len(times):
            some = slice(done, min(done + self._most, len(times)))
            before = None if self._before is None else self._before[1]
            body = self._encoder.request((self._origin + times[some]) * 1000, values[some], before)
            try:
                if body and not self.post(body):
                    return False
            except TooLargeError as error:
                if self._most == 1:
                    self.refused(f"{error}, for a single reading")
                    return False
                # smaller from here on: the receiver's limit stays
                self._most = max(1, self._most // 2)
                continue
            last = some.stop - 1
            # a copy, since a view would keep the whole piece in memory
            self._before = int(times[last]), values[last].copy()
            self.cursor.move(int(times[last]), some.stop - done)
            self.backlog.delivered(int(times[last]), some.stop - done)
            report(self.backlog.undelivered)
            done = some.stop
        return True


def ahead(start: dt.date, duration_s: int, url: str) -> str:
    """A warning, before anything is sent, that a run ends after today ("": it does not)."""
    end = at(start, duration_s)
    if end <= dt.datetime.now(dt.UTC) + AHEAD:
        return ""
    return (
        f"remote write: the run ends on {end.date()}, which is not over yet: a Prometheus refuses "
        f"readings from after now, and a receiver that takes them may from then on refuse what "
        f"others send to {shown(url)} (set start so that the run ends before today)"
    )


class RemoteWrite(Service):
    """Delivers the readings of a running simulation, in a thread of its own."""

    def __init__(self, url: str, verify: str | None = None) -> None:
        self.url = checked(url)
        # "": the address for queries follows from that of the receiver
        self.asked = None if verify is None else address(self.url, verify)
        self._sender: Sender | None = None

    @property
    def undelivered(self) -> int:
        """Readings that the receiver has not confirmed yet."""
        return self._sender.backlog.undelivered if self._sender else 0

    def warning(self, info: RunInfo) -> str:
        """That the run ends after today."""
        return ahead(info.start, info.duration_s, self.url)

    def begin(self, info: RunInfo) -> None:
        """Note the run."""
        self._info = info

    async def open(self) -> str:
        """Find out what an earlier process left undelivered, and begin to send."""
        info = self._info
        # in a thread: it reads the times of all readings, and the other services share the loop
        self._sender = await asyncio.to_thread(
            lambda: Sender(
                self.url,
                info.out,
                info.start,
                info.rows,
                info.labels,
                note=self.hub.note,
                lock_s=LOCK_S,
            )
        )
        self._thread = threading.Thread(target=self._sender.run, name="remote-write", daemon=True)
        self._thread.start()
        left = self._sender.backlog.undelivered
        return f"remote write to {shown(self.url)}" + (
            f", first {left:,} readings from before" if left else ""
        )

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """Add it to the backlog."""
        assert self._sender
        self._sender.backlog.add(now_s, values)

    def saved(self, now_s: int) -> None:
        """Drop from memory what is in the folder."""
        assert self._sender
        self._sender.backlog.saved(now_s)

    def waiting(self) -> dict[str, int]:
        """Readings."""
        return {"remote_write": self.undelivered}

    def hurry(self) -> None:
        """Stop waiting for the receiver."""
        if self._sender:
            self._sender.stop()

    async def close(self, complete: bool) -> str:
        """Deliver the rest if the run has ended regularly; else its next process will."""
        sender = self._sender
        if sender is None:
            return ""
        if complete:
            sender.hasten(END_PATIENCE_S)
        else:
            sender.stop()
        began, notice = time.monotonic(), 1.0
        while self._thread.is_alive():
            await asyncio.sleep(0.02)
            if not complete and time.monotonic() - began > 1:
                break  # it waits for an answer that is no longer needed
            if complete and sender.late():
                sender.trouble = sender.trouble or "no whole answer in time"
                sender.stop()
                break
            if time.monotonic() - began > notice:
                self.hub.note(
                    f"remote write: {self.undelivered:,} readings are still being sent to "
                    f"{shown(self.url)}; Ctrl-C leaves them to "
                    "twin send"
                )
                notice += 15
        line = sender.outcome()
        if complete and self.undelivered:
            self.unfinished, line = line, ""
        elif complete and self.asked is not None:
            self.unfinished = await asyncio.to_thread(sender.verify, self.asked)
            line = "" if self.unfinished else line + READ_BACK
        sender.cursor.close()
        return line
