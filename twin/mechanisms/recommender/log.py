"""The interaction log: impressions in the order in which they happened, cut into intervals between
trainings.

The serving window that runs now begins at ``log.window``; every training ends an interval
(``log.starts``: time and index of each begin). ``log.tally`` keeps what the feed knew of each post
beside its IDs, where anybody notes it (see `note`). A log that is kept for a history is shortened
by whole intervals, so it is bounded by the history and one interval. It names rows of consumers and
posts: none that it names may be released (see ``since``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.browse import Log
from twin.kernels.rules import Source
from twin.kernels.side import note
from twin.mechanisms.recommender.tables import Arrays
from twin.world.columns import lengthened, room_for

LOGGED = {
    "consumer": np.int32,
    "post": np.int32,
    "responses": np.uint16,
    "place": np.uint8,
    "source": np.uint8,
    "via": np.int32,
}


class Window(NamedTuple):
    """Impressions in the order in which they happened; read-only."""

    consumer: NDArray[np.int32]
    post: NDArray[np.int32]
    responses: NDArray[np.uint16]  # bit mask over HEADS
    place: NDArray[np.uint8]  # 0 begins a session; shelf impressions follow the slate's
    source: NDArray[np.uint8]  # index in SOURCES
    via: NDArray[np.int32]  # the work on whose shelf it hung, else -1


class InteractionLog:
    """The log over the arrays ``log.*`` of ``keep``."""

    def __init__(self, keep: Arrays) -> None:
        self.keep = keep

    def setup(self) -> None:
        """Empty; the first interval begins at time 0."""
        for name, dtype in LOGGED.items():
            self.keep[f"log.{name}"] = np.zeros(64, dtype)
        self.keep["log.size"], self.keep["log.window"] = (
            np.zeros(1, np.int64),
            np.zeros(1, np.int64),
        )
        self.keep["log.starts"] = np.zeros((1, 2), np.int64)
        self.keep["log.tally"] = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return int(self.keep["log.size"][0])

    @property
    def interval(self) -> int:
        """Where the interval that runs now begins."""
        return int(self.keep["log.starts"][-1, 1])

    @property
    def since(self) -> int:
        """No impression older than this time is in the log."""
        return int(self.keep["log.starts"][0, 0])

    def room(self, more: int) -> Log:
        """The log with room for that many more impressions."""
        keep, need = self.keep, len(self) + more
        for name in LOGGED:
            array = keep[f"log.{name}"]
            if len(array) < need:
                # Kernels cannot grow arrays: room is made before a window is played
                keep[f"log.{name}"] = lengthened(array, room_for(need))
        return Log(*[keep[f"log.{name}"] for name in (*LOGGED, "size")])

    def column(self, name: str, first: int) -> NDArray[np.int32]:
        """A column from an index on."""
        return self.keep[f"log.{name}"][first : len(self)]

    def held(self, first: int) -> NDArray[np.bool_]:
        """Which impressions from an index on are of random slots: those are never trained on."""
        held: NDArray[np.bool_] = self.column("source", first) == Source.RANDOM
        return held

    def taught(self, first: int) -> slice | NDArray[np.int64]:
        """Which may be trained on: all others."""
        held = self.held(first)
        # A slice where nothing is held: views of the log instead of copies
        return np.flatnonzero(~held) if held.any() else slice(None)

    def window(self) -> Window:
        """The impressions of the serving window that ends now."""
        return self.part(int(self.keep["log.window"][0]))

    def part(self, first: int) -> Window:
        """The log from an index on."""
        views = [self.column(name, first) for name in LOGGED]
        for view in views:
            # Readers get views of the log itself
            view.flags.writeable = False
        return Window(*views)  # type: ignore[arg-type]

    def note(self, tally: NDArray[np.int32]) -> NDArray[np.int64]:
        """Keep what the feed knew in the serving window that ends now, by post; nothing is noted of
        windows that were not. Returns which posts were shown in it."""
        keep, first, size = self.keep, int(self.keep["log.window"][0]), len(self)
        if len(keep["log.tally"]) < size:
            keep["log.tally"] = lengthened(keep["log.tally"], room_for(size))
        shown: NDArray[np.int64] = note(
            keep["log.post"][first:size], tally, keep["log.tally"][first:size]
        )
        return shown

    def tally(self, first: int) -> NDArray[np.int32]:
        """What was noted, from an index on."""
        return self.keep["log.tally"][first : len(self)]

    def close_window(self) -> None:
        """The next serving window begins here."""
        self.keep["log.window"][0] = len(self)

    def close_interval(self, now: int, oldest: int) -> None:
        """The next interval begins; those that began before ``oldest`` are forgotten."""
        keep, size = self.keep, len(self)
        starts = np.concatenate([keep["log.starts"], [[now, size]]])
        # The interval that begins is kept whatever its time
        kept = starts[(starts[:, 0] >= oldest) | (np.arange(len(starts)) == len(starts) - 1)]
        cut = int(kept[0, 1])
        if cut:
            for name in (*LOGGED, "tally"):
                array = keep[f"log.{name}"]
                # Copied, because the two ranges may overlap
                rest = array[cut:size].copy()
                array[: len(rest)] = rest
            # What is not noted is as of a new post
            keep["log.tally"][len(rest) :] = 0
        keep["log.size"][0] = size - cut
        keep["log.window"][0] = max(int(keep["log.window"][0]) - cut, 0)
        # Times stay, places move with what was cut
        keep["log.starts"] = kept - np.array([0, cut])
