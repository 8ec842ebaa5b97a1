"""Blocks of raw columns made rows of one shape, whatever the log was: one row per impression, or
per response where a log has those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.observing import packed
from twin.observing.blocks import Block
from twin.observing.convert import bits, ids, lists, numbers, refuse, texts, whole
from twin.observing.declared import Map
from twin.observing.ledger import EXAMPLES, LINE_BITS
from twin.observing.times import Clock

Rows = NDArray[Any]
MOST_SOURCES = 60
OTHER = 255
"""Code of sources beyond MOST_SOURCES; 0: not known."""
FARTHEST = 50
"""Last place in a slate that is told apart."""


def dtype(of: Map) -> np.dtype[Any]:
    """Fields of a row. A response is a bit: ``given``: known whether; ``done``: happened."""
    fields = [
        ("user", "u8"),
        ("item", "u8"),
        ("time", "i8"),  # microseconds since 1970, UTC
        ("place", "i8"),  # file and line
        ("day", "i4"),  # local, since 1970
        ("clock", "i4"),  # second of the local day
        ("given", "u2"),
        ("done", "u2"),
        ("shown", "u1"),  # 1: an impression
    ]
    optional = {
        "maker": "u8",
        "session": "u8",
        "position": "i2",  # from 0, -1: not known
        "source": "u1",
        "explore": "i1",  # -1: not known
        "inverse": "f8",  # 1 / propensity, 0: not known
    }
    have = {name for name in optional if name != "inverse" and getattr(of, name)}
    have |= {"position"} if of.packed.column else set()
    have |= {"inverse"} if of.propensity else set()
    fields += [(name, kind) for name, kind in optional.items() if name in have]
    fields += [(f"amount{i}", "f4") for i in range(len(of.amounts))]  # NaN: not known
    return np.dtype(fields)


@dataclass
class Made:
    """Rows of a block, and what was left out."""

    rows: Rows
    bad: list[tuple[str, int, list[int]]]
    """Reason, how many, places of the first."""
    ignored: dict[str, int]
    sources: list[str]
    """Names of the codes 1, 2, ... in this block's ``source``."""
    clock: Clock
    read: int
    done: int


class Shaper:
    """Makes rows of the blocks of one file. ``of`` is the map of the whole log, ``here`` that part
    of it which the file has."""

    def __init__(self, of: Map, here: Map, file: int, clock: Clock) -> None:
        self.here, self.file, self.clock = here, file << LINE_BITS, clock
        self.binary = {name: i for i, name in enumerate(of.binary())}
        self.amounts = {name: i for i, name in enumerate(of.amounts)}
        self.dtype = dtype(of)

    def make(self, block: Block) -> Made:
        """Rows of a block. Raises Within for a column of an impossible type."""
        made = Made(
            np.empty(0, self.dtype), [], {}, [], replace(self.clock), len(block.lines), block.done
        )
        made.clock.every = dict(self.clock.every)
        made.clock.zoned = made.clock.naive = 0
        made.read += len(block.bad)
        for reason in dict.fromkeys(reason for _, reason in block.bad):
            lines = [line for line, other in block.bad if other == reason]
            made.bad.append((reason, len(lines), [self.file + line for line in lines[:EXAMPLES]]))
        if not len(block.lines):
            return made
        table, lines_ = block.table, block.lines
        if self.here.packed.column:
            slate = packed.unpacked(self.here.packed, table, lines_, self.file)
            made.read += len(slate.lines) - len(lines_) + slate.bad[1]
            if slate.bad[1]:
                made.bad.append(slate.bad)
            table, lines_ = slate.table, slate.lines
            if not len(lines_):
                return made
        else:
            slate = None
        self._fill(made, table, lines_, slate)
        return made

    def _fill(self, made: Made, table: pa.Table, lines: NDArray[np.int64], slate: Any) -> None:
        here, many = self.here, len(lines)
        rows = np.zeros(many, self.dtype)
        rows["place"] = lines + self.file
        reasons: dict[str, NDArray[np.bool_]] = {}
        moments = made.clock.read(table.column(here.time.column))
        rows["time"] = moments.micros
        reasons |= {f"{here.time.column}: time {why}": bad for why, bad in moments.bad.items()}
        # who does not say who: every row is somebody of its own, and nobody is counted
        if not here.user:
            rows["user"] = _spread(rows["place"])
        for name in ("user", "item", "maker", "session"):
            column = getattr(here, name)
            if column:
                rows[name] = ids(whole(table.column(column)), column)
                if name != "maker":
                    reasons[f"{column}: is missing"] = rows[name] == 0
        if slate is not None:
            rows["item"], rows["position"] = slate.items, np.minimum(slate.position, FARTHEST)
        self._context(made, rows, table, reasons)
        self._responses(made, rows, table, reasons, slate)
        keep = np.ones(many, bool)
        for reason, bad in reasons.items():
            fresh = bad & keep
            if fresh.any():
                keep &= ~fresh
                places = rows["place"][fresh]
                made.bad.append((reason, len(places), [int(p) for p in places[:EXAMPLES]]))
        if here.event.column:
            idle = keep & (rows["shown"] == 0) & (rows["done"] == 0)
            keep &= ~idle
            made.ignored["events of other kinds"] = int(idle.sum())
        made.rows = rows if keep.all() else rows.take(np.flatnonzero(keep))
        day, clock = made.clock.local(made.rows["time"])
        made.rows["day"], made.rows["clock"] = day, clock
        # what is refuted once need not be looked at again
        every = self.clock.every
        self.clock.every = {size: every[size] and made.clock.every[size] for size in every}

    def _context(
        self, made: Made, rows: Rows, table: pa.Table, reasons: dict[str, NDArray[np.bool_]]
    ) -> None:
        """Position, source, exploration, propensity, amounts."""
        here, names = self.here, self.dtype.names or ()
        for name in ("position", "explore"):
            if name in names and not here.packed.column:
                rows[name] = -1
        if here.position and not here.packed.column:
            found = numbers(whole(table.column(here.position)), here.position)
            odd = found.bad | (found.values < 0) | (found.values != np.floor(found.values))
            reasons[f"{here.position}: not a place in a slate"] = odd & ~np.isnan(found.values) | (
                found.bad
            )
            known = np.nan_to_num(np.where(odd, -1, found.values), nan=-1)
            rows["position"] = np.minimum(known, FARTHEST)
        if here.explore:
            flag = bits(whole(table.column(here.explore)), here.explore, None)
            reasons[f"{here.explore}: neither 0 nor 1"] = flag.bad
            rows["explore"] = np.where(flag.known, flag.done, -1)
        if here.propensity:
            found = numbers(whole(table.column(here.propensity)), here.propensity)
            odd = (found.values <= 0) | (found.values > 1)
            reasons[f"{here.propensity}: not a probability"] = found.bad | odd
            rows["inverse"] = np.where(odd, 0, np.nan_to_num(1 / found.values))
        if here.source:
            codes = whole(table.column(here.source)).cast(pa.string()).dictionary_encode()
            # in the order of their names, so that blocks agree on any number of threads
            made.sources = [str(each) for each in codes.dictionary.to_pylist()]
            local = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1
            if len(made.sources) >= OTHER:
                made.sources, local = (
                    made.sources[: OTHER - 1],
                    np.where(local < OTHER, local, OTHER),
                )
            rows["source"] = local
        for name, i in self.amounts.items():
            rows[f"amount{i}"] = np.nan
            if name in here.amounts:
                amount = here.amounts[name]
                found = numbers(whole(table.column(amount.column)), amount.column)
                reasons[f"{amount.column}: not a number"] = found.bad
                rows[f"amount{i}"] = found.values * amount.scale

    def _responses(
        self,
        made: Made,
        rows: Rows,
        table: pa.Table,
        reasons: dict[str, NDArray[np.bool_]],
        slate: Any,
    ) -> None:
        here = self.here
        rows["shown"] = here.rows == "impressions"
        if here.rows == "responses":
            rows["done"] = 1
        if slate is not None:
            self._set(rows, here.packed.response, np.ones(len(rows), bool), slate.responded)
        for name, each in here.responses.items():
            found = bits(whole(table.column(each.column)), each.column, each.at_least)
            wanted = "a number" if each.at_least is not None else "0 or 1"
            reasons[f"{each.column}: not {wanted}"] = found.bad
            self._set(rows, name, found.known, found.done)
        if here.event.column:
            self._events(rows, whole(table.column(here.event.column)), reasons)
        if here.listed.column:
            cells = lists(
                whole(table.column(here.listed.column)), here.listed.column, here.listed.separator
            )
            parent = pc.list_parent_indices(cells).to_numpy(zero_copy_only=False)
            inside = pc.utf8_trim_whitespace(pc.list_flatten(cells).cast(pa.string()))
            for name in here.listed.responses:
                done = np.zeros(len(rows), bool)
                at = pc.equal(inside, name).fill_null(False).to_numpy(zero_copy_only=False)
                done[parent[at]] = True
                self._set(rows, name, np.ones(len(rows), bool), done)
            known = pa.array([*here.listed.responses, ""], pa.string())
            other = len(inside) - (pc.sum(pc.is_in(inside, value_set=known)).as_py() or 0)
            made.ignored["responses of other names"] = int(other)

    def _events(self, rows: Rows, kinds: Any, reasons: dict[str, NDArray[np.bool_]]) -> None:
        event = self.here.event
        if not texts(kinds):
            if not pa.types.is_integer(kinds.type):
                raise refuse(event.column, kinds.type, "the kind of an event")
            kinds = kinds.cast(pa.string())
        reasons[f"{event.column}: is missing"] = kinds.is_null().to_numpy(zero_copy_only=False)

        def among(names: tuple[str, ...]) -> NDArray[np.bool_]:
            inside: NDArray[np.bool_] = pc.is_in(
                kinds, value_set=pa.array(names, kinds.type)
            ).to_numpy(zero_copy_only=False)
            return inside

        rows["shown"] = among(event.shown)
        # an impression without a response of its own could still have got each of them
        for name, of in event.responses.items():
            self._set(rows, name, rows["shown"] == 1, among(of))

    def _set(
        self, rows: Rows, name: str, known: NDArray[np.bool_], done: NDArray[np.bool_]
    ) -> None:
        bit = np.uint16(1 << self.binary[name])
        rows["given"] |= np.where(known, bit, np.uint16(0))
        rows["done"] |= np.where(done, bit, np.uint16(0))


def _spread(places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Numbers that differ from row to row and fall evenly into parts."""
    word = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return word ^ (word >> np.uint64(32))
