"""When rows happened: any column of times as microseconds since 1970 (UTC), and as local days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR, MINUTE
from twin.observing import zones
from twin.observing.convert import Bools, Numbers, numbers, refuse, texts, whole
from twin.observing.declared import Time
from twin.observing.sources import Within

MICRO = 1_000_000
FACTORS = {"s": MICRO, "ms": 1000, "us": 1, "ns": 0.001}
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_SIZES = (("s", 1e11), ("ms", 1e14), ("us", 1e17), ("ns", 1e20))
"""Unit by the size of numbers: since 1990, seconds are at most 4e9, milliseconds 4e12, ..."""
_LEAST = 1e8
_ZONED = r"(:\d{2}(\.\d+)?|[T ]\d{2})\s*([zZ]|[+-]\d{2}:?(\d{2})?)\s*$"
_DIGITS = r"^\s*[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\s*$"
COARSE = (DAY, HOUR, MINUTE, 1)


class Moments(NamedTuple):
    """Times of rows (n,)."""

    micros: NDArray[np.int64]
    bad: dict[str, Bools]
    """Rows without a time, by the reason."""


@dataclass
class Clock:
    """Reads the times of one file, and keeps what it found out about them."""

    of: Time
    zone: str
    unit: str = ""
    zoned: int = 0
    """Times as text with a zone of their own; ``naive``: without."""
    naive: int = 0
    single: bool = False
    """Whether numbers are in four bytes, and so rounded."""
    every: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(COARSE, True))
    """Whether all times are whole days, hours, minutes, seconds (in their zone)."""

    def read(self, column: Any) -> Moments:
        """Times of a column. Raises Within for a type or numbers that are none."""
        array, name = whole(column), self.of.column
        kind, missing = array.type, whole(column).is_null().to_numpy(zero_copy_only=False)
        bad: dict[str, Bools] = {"is missing": missing}
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            micros = self._typed(array)
        elif texts(array) and self._as_text(array):
            micros, wrong = self._parsed(array)
            bad["is no date and time"] = wrong
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or texts(array):
            self.single |= kind == pa.float32()
            micros, wrong = self._counted(array)
            bad["is no number"] = wrong
        elif pa.types.is_null(kind):
            micros = np.zeros(len(array), np.int64)
        else:
            raise refuse(name, kind, "a time")
        if pa.types.is_floating(kind):
            bad["is missing"] = missing | np.isnan(array.to_numpy(zero_copy_only=False))
        taken = np.logical_or.reduce(list(bad.values()))
        bad["is negative"] = ~taken & (micros < 0)
        bad["is before 1990"] = ~taken & (micros >= 0) & (micros < zones.EARLIEST * MICRO)
        bad["is after 2100"] = ~taken & (micros >= zones.LATEST * MICRO)
        return Moments(micros, bad)

    def _typed(self, array: pa.Array) -> NDArray[np.int64]:
        zone = getattr(array.type, "tz", None)
        array = array.cast(pa.timestamp("us", zone), safe=False)
        if zone is None:
            self.naive += len(array)
            array = _assumed(array, self.zone)
        else:
            self.zoned += len(array)
        return _plain(array)

    def _as_text(self, array: pa.Array) -> bool:
        """Whether text is dates, and not numbers."""
        if self.of.pattern:
            return True
        known = array.drop_null()
        return (
            len(known) > 0
            and not pc.all(pc.match_substring_regex(known.slice(0, 1), _DIGITS)).as_py()
        )

    def _parsed(self, array: pa.Array) -> tuple[NDArray[np.int64], Bools]:
        if self.of.pattern:
            made = whole(pc.strptime(array, self.of.pattern, "us", error_is_null=True))
            self.naive += len(made) - made.null_count
            return _plain(_assumed(made, self.zone)), _lost(array, made)
        has = whole(pc.match_substring_regex(array, _ZONED)).fill_null(False)
        zoned = int(pc.sum(has).as_py() or 0)
        there = len(array) - array.null_count
        self.zoned, self.naive = self.zoned + zoned, self.naive + there - zoned
        made = np.zeros(len(array), np.int64)
        wrong = np.zeros(len(array), bool)
        picks = [(has, True)] if zoned == there else [(has, True), (pc.invert(has), False)]
        for mask, with_zone in picks:
            part = pc.if_else(mask, array, None)
            parsed = _iso(part, with_zone)
            value = _plain(parsed if with_zone else _assumed(parsed, self.zone))
            made = np.where(mask.to_numpy(zero_copy_only=False), value, made)
            wrong |= _lost(part, parsed)
        return made, wrong

    def _counted(self, array: pa.Array) -> tuple[NDArray[np.int64], Bools]:
        """Numbers since the origin."""
        exact = array
        if texts(array):
            try:
                exact = array.cast(pa.int64())
            except pa.ArrowInvalid:
                exact = array
        whole_numbers = pa.types.is_integer(exact.type)
        if self.unit and whole_numbers:
            found = Numbers(np.empty(0), np.zeros(len(array), bool))
        else:
            found = numbers(exact, self.of.column)
        factor = FACTORS[self._unit(found.values)]
        if whole_numbers and factor >= 1:
            # in whole numbers: floats would round nanoseconds and long milliseconds
            raw = exact.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
            limit = 2**62 // int(factor)
            micros = np.clip(raw, -limit, limit) * int(factor)
        else:
            values = found.values if len(found.values) else numbers(exact, self.of.column).values
            scaled = np.nan_to_num(values) * factor
            micros = np.rint(np.clip(scaled, -(2.0**62), 2.0**62)).astype(np.int64)
        if self.of.origin:
            micros = micros + _day(self.of.origin)
        return micros, found.bad

    def _unit(self, values: NDArray[np.float64]) -> str:
        if self.unit:
            return self.unit
        self.unit = self.of.unit if self.of.unit != "auto" else ""
        known = values[~np.isnan(values)]
        if not self.unit and len(known):
            middle = float(np.median(known))
            if abs(middle) < _LEAST or self.of.origin:
                raise Within(
                    f"column {self.of.column}: times such as {middle:g} do not count from 1970 "
                    f"(write time: {{column: {self.of.column}, unit: s, origin: 2024-01-01}})"
                )
            self.unit = next((name for name, most in _SIZES if abs(middle) < most), "ns")
        return self.unit or "s"

    def local(self, micros: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Day (since 1970) and second of the day in the zone."""
        seconds = zones.local(micros // MICRO, self.zone)
        day = seconds // DAY
        second = seconds - day * DAY
        for size, all_ in self.every.items():
            if all_:
                self.every[size] = bool(
                    (second % size == 0).all() and (size > 1 or (micros % MICRO == 0).all())
                )
        return day.astype(np.int32), second.astype(np.int32)

    def resolution(self) -> int:
        """Seconds of which all times are multiples; 0 where they are finer than a second."""
        if self.single:
            return max(128 if self.unit == "s" else 131, self._coarse())
        return self._coarse()

    def _coarse(self) -> int:
        return next((size for size in COARSE if self.every[size]), 0)


def _plain(array: pa.Array) -> NDArray[np.int64]:
    values: NDArray[np.int64] = (
        whole(array).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    )
    return values


def _lost(before: pa.Array, after: pa.Array) -> Bools:
    """Where there was something, and is nothing now."""
    lost: Bools = pc.and_(before.is_valid(), after.is_null()).to_numpy(zero_copy_only=False)
    return lost


def _assumed(array: pa.Array, zone: str) -> pa.Array:
    """Local times as moments; an hour that a clock change repeats or leaves out is the earlier."""
    return whole(pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="earliest"))


def _iso(array: pa.Array, zoned: bool) -> pa.Array:
    """ISO 8601 as timestamps; all at once, and only where that fails one by one."""
    kind = pa.timestamp("us", "UTC" if zoned else None)
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        return pa.array([_one(text, zoned) for text in array.to_pylist()], kind)


def _one(text: str | None, zoned: bool) -> dt.datetime | None:
    if text is None:
        return None
    try:
        made = dt.datetime.fromisoformat(text.strip())
        return made.astimezone(dt.UTC) if zoned else made
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> int:
    date = dt.date.fromisoformat(text)
    return int(dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC).timestamp()) * MICRO


def date(day: int) -> dt.date:
    """The date of a day since 1970."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(day))
