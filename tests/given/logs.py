"""Small logs of a platform, as files, for the tests of `twin observe`."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twin.ground.units import DAY
from twin.observing import command, mapping
from twin.observing.folder import Observed

BEGIN = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
PLAIN = "user: user\nitem: item\ntime: time\nresponses: {click: click}\n"
"""A map of the columns that `rows` makes."""
COLUMNS = ("user", "item", "time", "click")
Row = tuple[Any, ...]


def rows(many: int = 240, people: int = 12, items: int = 7, days: int = 4) -> list[Row]:
    """Impressions (user, item, seconds since 1970, click), in the order of time."""
    rng = np.random.default_rng(7)
    seconds = np.sort(rng.integers(0, days * 86400, many)) + int(BEGIN.timestamp())
    user, item = np.arange(many) % people, rng.integers(0, items, many)
    click = (rng.random(many) < 0.3).astype(int)
    return [
        (f"u{u}", f"i{i}", int(t), int(c))
        for u, i, t, c in zip(user, item, seconds, click, strict=True)
    ]


def iso(seconds: int, suffix: str = "Z") -> str:
    """A time as ISO 8601."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S") + suffix


def text(
    of: Iterable[Sequence[Any]], columns: Sequence[str] = COLUMNS, delimiter: str = ","
) -> str:
    """Rows as text with a header."""
    into = io.StringIO()
    writer = csv.writer(into, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(of)
    return into.getvalue()


def written(path: Path, content: str | bytes) -> Path:
    """A file with this content."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def observe(
    place: Path, *files: Path | str, map: str = PLAIN, layout: str | None = None, **settings: Any
) -> Observed:
    """Observe files into a new folder of ``place``, with every cell shown unless ``k`` is given."""
    number = len(list(place.glob("observed*")))
    sheet = None if layout else written(place / f"map{number}.yaml", map)
    over = {name: settings.pop(name, None) for name in ("zone", "gap")}
    mapped = mapping.read(sheet, layout, over)
    given = command.Settings(**{"k": 1, "quiet": True, "threads": 1, **settings})
    return command.observe(
        [str(file) for file in files], mapped, place / f"observed{number}", given
    )


BUSY = """user: user
item: item
maker: maker
time: time
position: place
explore: random
responses: {click: click, like: like}
amounts: {seconds: seconds}
"""
BUSY_COLUMNS = ("user", "item", "maker", "time", "place", "random", "click", "like", "seconds")


def busy(seed: int = 3, many: int = 3000, people: int = 40, days: int = 9) -> list[tuple[Any, ...]]:
    """Visits of people of very different activity: bursts of impressions (BUSY_COLUMNS)."""
    rng = np.random.default_rng(seed)
    weight = rng.lognormal(0, 1.3, people)
    made: list[tuple[Any, ...]] = []
    while len(made) < many:
        user = int(rng.choice(people, p=weight / weight.sum()))
        at = int(rng.integers(0, days * DAY)) + 19_800 * DAY
        for place in range(int(rng.geometric(0.2))):
            item = int(rng.zipf(1.5) % 150)
            click = int(rng.random() < 0.2 + 0.1 * (item % 3))
            made.append(
                (
                    user,
                    item,
                    item % 11,
                    at,
                    place,
                    int(rng.random() < 0.1),
                    click,
                    int(click and rng.random() < 0.3),
                    round(float(rng.exponential(20)), 1),
                )
            )
            at += int(rng.exponential(60))
    made = list(dict.fromkeys(made))
    return sorted(made, key=lambda row: row[3])
