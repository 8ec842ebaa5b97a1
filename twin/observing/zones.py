"""Local days and seconds of moments in a time zone."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY

EARLIEST, LATEST = (int(dt.datetime(y, 1, 1, tzinfo=dt.UTC).timestamp()) for y in (1990, 2100))
"""Seconds since 1970 between which times of a log lie."""


@functools.cache
def changes(zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """When the offset of a zone changes (seconds since 1970, the first is the beginning), and the
    offset from then on (seconds)."""
    found = zoneinfo.ZoneInfo(zone)

    def offset(second: int) -> int:
        moment = dt.datetime.fromtimestamp(second, dt.UTC).astimezone(found)
        return int((moment.utcoffset() or dt.timedelta()).total_seconds())

    starts, offsets = [EARLIEST], [offset(EARLIEST)]
    for second in range(EARLIEST, LATEST, DAY):
        after = offset(second + DAY)
        if after != offsets[-1]:
            low, high = second, second + DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offsets[-1] else (low, middle)
            starts.append(high)
            offsets.append(after)
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def local(seconds: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Local seconds since 1970 (n,) of moments (seconds UTC)."""
    if zone == "UTC" or not len(seconds):
        return seconds
    starts, offsets = changes(zone)
    first, last = np.searchsorted(starts, (seconds.min(), seconds.max()), "right") - 1
    # a block of a log mostly lies between two changes
    if first == last:
        shifted: NDArray[np.int64] = seconds + offsets[max(first, 0)]
        return shifted
    at = np.searchsorted(starts, seconds, "right") - 1
    moved: NDArray[np.int64] = seconds + offsets[np.maximum(at, 0)]
    return moved
