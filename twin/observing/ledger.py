"""What was read, and what could not be: rows counted by reason, the first of each with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import UsageError
from twin.observing.sources import Source

EXAMPLES = 5
"""Rows that are named for each reason."""
LINE_BITS = 40
"""A place is a file's number and, in these bits, a line."""
EARLY = 100_000
"""Rows after which a log that is mostly bad is given up at once."""
MOSTLY = 0.5


@dataclass
class Ledger:
    """Counts of rows, and of what was wrong with those left out."""

    sources: Sequence[Source]
    share: float
    """More bad rows than this share stop the reading."""
    rows: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[int]] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    """Rows that are fine and of no use: events of other kinds."""

    def add(self, reason: str, many: int, places: Sequence[int] | NDArray[np.int64]) -> None:
        """Note bad rows: how many, and the places of the first."""
        if not many:
            return
        self.bad[reason] += many
        held = self.places.setdefault(reason, [])
        held.extend(int(place) for place in places[: EXAMPLES - len(held)])

    def where(self, place: int, whole: bool = False) -> str:
        """A place as people read it: file:line, or row where a file has no lines."""
        source = self.sources[place >> LINE_BITS]
        line = place & (2**LINE_BITS - 1)
        name = str(source.path) if whole else source.name
        return f"{name}:{line}" if source.kind != "parquet" else f"{name} row {line}"

    def examples(self, reason: str) -> list[str]:
        """The first rows that were bad for a reason."""
        return [self.where(place) for place in self.places.get(reason, [])]

    def count(self) -> int:
        """All bad rows."""
        return self.bad.total()

    def check(self, final: bool = True) -> None:
        """Raise UsageError if too many rows are bad: the most frequent reason, and its first
        row."""
        bad = self.count()
        limit = self.share if final else max(self.share, MOSTLY)
        if bad <= limit * self.rows or (not final and self.rows < EARLY):
            return
        reason, many = self.bad.most_common(1)[0]
        first = self.where(min(self.places[reason]), whole=True) if self.places[reason] else ""
        others = f", {bad - many} for other reasons" if bad > many else ""
        raise UsageError(
            f"{first}: {reason}; {bad} of {self.rows} rows are bad{others}, more than --bad-share "
            f"{self.share:g} (mend the map or the log, or allow a larger share)"
        )
