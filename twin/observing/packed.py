"""Slates that are packed in one cell: a row for each item in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.observing.convert import Bools, ids, lists, texts, whole
from twin.observing.declared import Packed
from twin.observing.ledger import EXAMPLES


class Slate(NamedTuple):
    """Rows of items (n,), with the other columns of their slate."""

    table: pa.Table
    lines: NDArray[np.int64]
    items: NDArray[np.uint64]
    position: NDArray[np.int64]
    """From 0, in the order of the cell."""
    responded: Bools
    bad: tuple[str, int, list[int]]
    """Items that could not be read: reason, how many, places of the first."""


def unpacked(of: Packed, table: pa.Table, lines: NDArray[np.int64], file: int) -> Slate:
    """A row for each item of each slate; a slate that is empty is one bad row."""
    cells = lists(whole(table.column(of.column)), of.column, of.separator)
    parent = pc.list_parent_indices(cells).to_numpy(zero_copy_only=False).astype(np.int64)
    inside = whole(pc.list_flatten(cells))
    starts = np.searchsorted(parent, np.arange(len(lines)))
    position = np.arange(len(parent)) - starts[parent]
    if of.mark:
        inside, responded, odd = _marked(inside, of.mark)
    else:
        responded = _among(of, table, inside, parent)
        odd = inside.is_null().to_numpy(zero_copy_only=False)
    items = ids(inside, of.column)
    odd |= items == 0
    places = lines[parent[odd]]
    empty = np.setdiff1d(np.arange(len(lines)), parent)
    places = np.sort(np.concatenate([places, lines[empty]]))
    reason = f"{of.column}: no items" + (f" with {of.mark}0 or {of.mark}1" if of.mark else "")
    bad = (reason, len(places), [int(each) + file for each in places[:EXAMPLES]])
    keep = ~odd
    parent = parent[keep]
    # the cell itself is not repeated: it would be as long as all its items, once for each
    others = [name for name in table.column_names if name not in (of.column, of.responded)]
    return Slate(
        table.select(others).take(pa.array(parent)),
        lines[parent],
        items[keep],
        position[keep],
        responded[keep],
        bad,
    )


def _marked(inside: pa.Array, mark: str) -> tuple[pa.Array, Bools, Bools]:
    """Items without their mark, whether it was 1, and whether there was none."""
    if not texts(inside):
        inside = inside.cast(pa.string())
    one, zero = (
        pc.ends_with(inside, f"{mark}{digit}").fill_null(False).to_numpy(zero_copy_only=False)
        for digit in "10"
    )
    return pc.utf8_slice_codeunits(inside, 0, -len(mark) - 1), one, ~(one | zero)


def _among(of: Packed, table: pa.Table, inside: pa.Array, parent: NDArray[np.int64]) -> Bools:
    """Whether an item is in the list of those that got the response, slate by slate."""
    answers = lists(whole(table.column(of.responded)), of.responded, of.separator)
    slate = pc.list_parent_indices(answers).to_numpy(zero_copy_only=False).astype(np.int64)
    chosen = ids(whole(pc.list_flatten(answers)), of.responded)
    spread = np.uint64(0x9E3779B97F4A7C15)
    both = ids(inside, of.column) ^ (parent.astype(np.uint64) * spread)
    answered: Bools = np.isin(both, chosen ^ (slate.astype(np.uint64) * spread))
    return answered
