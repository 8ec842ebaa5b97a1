"""Simulated time and rates: whole seconds since the scenario's start, and events per day.

Durations are written ``10min``, ``6h``, ``90d``, ``52w``, ``1y`` (365 days), or as a sum, ``1d12h``;
rates ``3/d``, ``0.5/h``, ``2%/d``. A bare number is refused wherever a unit is needed, so that nobody
has to guess what ``90`` meant.
"""

from __future__ import annotations

import datetime as dt
import math
import re

SECOND, MINUTE, HOUR, DAY, WEEK = 1, 60, 3600, 86400, 7 * 86400
EPOCH = dt.date(1970, 1, 1)
NEVER = 2**62
"""A time that no run reaches."""
LATEST = 2**31 - 1
"""The last second that four bytes hold, 68 years on: no run is longer."""

_SECONDS = {"s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY, "w": WEEK, "y": 365 * DAY}
# the digits 0 to 9, and not those of all scripts, which few could read
_PART = r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w|y)"
_DURATION = re.compile(rf"^(?:{_PART})+\s*$", re.ASCII)
_RATE = re.compile(r"^\s*(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(%?)\s*/\s*(s|min|h|d|w)\s*$", re.ASCII)


def parse_duration(text: object) -> int:
    """Seconds in a duration such as ``90d``; raises ValueError with the mend for anything else."""
    # zero needs no unit; to Python False is a zero, too
    if isinstance(text, int) and not isinstance(text, bool) and text == 0:
        return 0
    if not isinstance(text, str) or not _DURATION.match(text):
        raise ValueError(
            f"{text!r} is not a duration; write a number and a unit (s, min, h, d, w, y), such as 90d"
        )
    seconds = sum(float(many) * _SECONDS[unit] for many, unit in re.findall(_PART, text, re.ASCII))
    # first, since 400 digits are infinite, which cannot be rounded
    if seconds > 1000 * 366 * DAY:
        raise ValueError(f"{text!r} is longer than a thousand years")
    if seconds != round(seconds):
        raise ValueError(f"{text!r} is not a whole number of seconds")
    return round(seconds)


def format_duration(seconds: int) -> str:
    """The shortest exact spelling of a duration: 5400 -> ``90min``."""
    # weeks in whole fours alone: 52w, but 91d
    for unit in ("w", "d", "h", "min"):
        if seconds and seconds % _SECONDS[unit] == 0 and not (unit == "w" and seconds % (4 * WEEK)):
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s" if seconds else "0s"


def in_percent(share: float, digits: int = 0) -> str:
    """A share as people read it: 0.264 -> ``26 %``."""
    return f"{100 * share:.{digits}f} %"


def parse_rate(text: object) -> float:
    """Events per day in a rate such as ``3/d`` or ``2%/d``; raises ValueError with the mend for
    anything else."""
    # the pattern knows no sign: without this a negative rate would be reported as malformed
    if isinstance(text, str) and text.lstrip().startswith("-") and _RATE.match(text.lstrip(" -")):
        raise ValueError(f"{text!r} is negative; a rate is zero or more, such as 3/d")
    if not isinstance(text, str) or not (match := _RATE.match(text)):
        raise ValueError(
            f"{text!r} is not a rate; write a number, a slash and a unit (s, min, h, d, w), such "
            f"as 3/d"
        )
    value = (
        float(match[1]) * (0.01 if match[2] else 1.0) * (DAY / _SECONDS[match[3]])
    )  # exact for /d
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite rate")
    return value


def format_rate(per_day: float) -> str:
    """A rate per day as YAML text: 3.0 -> ``3/d``."""
    return f"{per_day!r}/d".replace(".0/d", "/d")


def parse_start(text: object) -> dt.date:
    """The scenario's first day (UTC midnight) from ``2025-01-01`` or a date; raises ValueError
    otherwise."""
    # first, since to Python a datetime is a date as well
    if isinstance(text, dt.datetime):
        if text.time() != dt.time():
            raise ValueError(
                f"{text} has a time of day; a run starts at midnight UTC, write {text.date()}"
            )
        return text.date()
    if isinstance(text, dt.date):
        return text
    try:
        return dt.date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(
            f"{text!r} is not a date; write year-month-day, such as 2025-01-01"
        ) from None


_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?$", re.ASCII)


def is_moment(text: object) -> bool:
    """Whether something is written as a date, or as a date with a time of day, and not as a
    duration."""
    return isinstance(text, (str, dt.date)) and _MOMENT.match(str(text)) is not None


def parse_moment(text: object, start: dt.date) -> int:
    """Seconds from the start to ``2025-06-01`` or ``2025-06-01T18:30`` (UTC); below zero before the
    start. Raises ValueError for a day or time that there is not."""
    when = dt.datetime.fromisoformat(str(text)).replace(tzinfo=dt.UTC)
    return round((when - at(start, 0)).total_seconds())


def counted(text: object, start: dt.date) -> str:
    """A moment as a duration since the start. Raises ValueError, with reason and mend, for a day that
    there is not and one before the start."""
    try:
        when = parse_moment(text, start)
    except ValueError:
        raise ValueError(f"{text} is not a date; such as {start}") from None
    if when < 0:
        raise ValueError(f"{text} is before the start; the run starts on {start}")
    return format_duration(when)


def parse_time(text: object, start: dt.date) -> int:
    """Seconds from the start to a duration after it or a date; raises ValueError for anything
    else."""
    return parse_moment(text, start) if is_moment(text) else parse_duration(text)


def moment(start: dt.date, seconds: int) -> str:
    """A simulated time as people write it: ``3 March 2025, 13:00``; at midnight the date alone."""
    when = at(start, seconds)
    time = f", {when:%H:%M}" if seconds % DAY else ""
    return f"{when.day} {when:%B} {when.year}{time}"


def iso(when: dt.datetime) -> str:
    """A time in UTC as Grafana and browsers read it. `strftime` would give years before 1000 fewer
    than four digits."""
    return when.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def at(start: dt.date, seconds: int) -> dt.datetime:
    """The simulated date and time, UTC, ``seconds`` after the start."""
    return dt.datetime(start.year, start.month, start.day, tzinfo=dt.UTC) + dt.timedelta(
        seconds=seconds
    )
