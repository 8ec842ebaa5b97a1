"""Raw columns of a log (text, numbers, whatever Parquet holds) as arrays of numbers.

Every function answers with the values and a mask of what is there but cannot be read; what is not
there (null, empty) is neither.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.kernels.observing import identities
from twin.observing.sources import Within

Bools = NDArray[np.bool_]
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_TRUE, _FALSE = ("1", "1.0", "true", "True", "TRUE"), ("0", "0.0", "false", "False", "FALSE")
EXACT = 2**53
"""Whole numbers up to here are exact as floats."""


class Numbers(NamedTuple):
    """Numbers (n,): NaN where there is none or it cannot be read."""

    values: NDArray[np.float64]
    bad: Bools


class Bits(NamedTuple):
    """A response (n,): whether it is known, and whether it happened."""

    known: Bools
    done: Bools
    bad: Bools


def whole(column: Any) -> pa.Array:
    """One array of a column: not in chunks, not encoded as a dictionary."""
    if isinstance(column, pa.ChunkedArray):
        chunks = column.chunks
        # joining copies, even one
        one = len(chunks) == 1
        column = chunks[0] if one else pa.concat_arrays(chunks) if chunks else pa.nulls(0)
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def refuse(column: str, kind: pa.DataType, wanted: str) -> Within:
    """A column of a type that cannot hold what it should."""
    return Within(f"column {column}: is of type {kind}, not {wanted} (name another column)")


def texts(array: pa.Array) -> bool:
    """Whether a column is text."""
    return bool(pa.types.is_string(array.type) or pa.types.is_large_string(array.type))


def ids(array: pa.Array, column: str) -> NDArray[np.uint64]:
    """A 64-bit identity for each value (n,), 0 where there is none.

    Raises Within for a type that names nothing, or numbers that have lost digits.
    """
    kind = array.type
    if pa.types.is_null(kind):
        return np.zeros(len(array), np.uint64)
    if pa.types.is_floating(kind):
        largest = pc.max(pc.abs(array)).as_py() or 0.0
        if largest > (EXACT if kind != pa.float32() else 2**24):
            raise Within(
                f"column {column}: holds ids as {kind} numbers, which have lost digits (write "
                f"them as text or whole numbers)"
            )
        array = array.cast(pa.int64(), safe=False).cast(pa.string())
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        array = array.cast(pa.string())
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        array = array.cast(pa.large_binary())
    elif not texts(array):
        raise refuse(column, kind, "text or a whole number")
    out = np.empty(len(array), np.uint64)
    if array.null_count:
        array = array.fill_null(b"" if pa.types.is_large_binary(array.type) else "")
    _, offsets, data = array.buffers()
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    starts = np.frombuffer(offsets, np.int64 if wide else np.int32)
    starts = starts[array.offset : array.offset + len(array) + 1].astype(np.int64)
    empty = np.zeros(1, np.uint8)
    identities(starts, np.frombuffer(data, np.uint8) if data and data.size else empty, out)
    return out


def numbers(array: pa.Array, column: str) -> Numbers:
    """Numbers of a column. Raises Within for a type that holds none."""
    kind = array.type
    if pa.types.is_null(kind):
        return Numbers(np.full(len(array), np.nan), np.zeros(len(array), bool))
    bad = np.zeros(len(array), bool)
    if texts(array):
        try:
            array = array.cast(pa.float64())
        except pa.ArrowInvalid:
            fits = pc.match_substring_regex(array, _NUMBER)
            bad = whole(pc.invert(fits)).fill_null(False).to_numpy(zero_copy_only=False)
            kept = pc.if_else(fits, pc.utf8_trim_whitespace(array), None)
            array = pc.replace_substring_regex(kept, r"^\+", "").cast(pa.float64())
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        array = array.cast(pa.float64(), safe=False)
    elif not pa.types.is_floating(kind):
        raise refuse(column, kind, "numbers")
    values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if np.isinf(values).any():
        bad |= np.isinf(values)
        values = np.where(bad, np.nan, values)
    return Numbers(values, bad)


def bits(array: pa.Array, column: str, at_least: float | None) -> Bits:
    """A response that a column says, as 0 or 1 or as a number of at least so much."""
    there = ~array.is_null().to_numpy(zero_copy_only=False)
    if texts(array) and at_least is None:
        try:
            # most are plain digits, for which this is quickest
            digits = array.cast(pa.int8()).fill_null(0).to_numpy(zero_copy_only=False)
            yes, no = digits == 1, there & (digits == 0)
        except pa.ArrowInvalid:
            yes, no = (
                whole(pc.is_in(array, value_set=pa.array(words, array.type))).to_numpy(
                    zero_copy_only=False
                )
                for words in (_TRUE, _FALSE)
            )
        return Bits(yes | no, yes, there & ~(yes | no))
    found = numbers(array, column)
    known = ~np.isnan(found.values)
    if at_least is not None:
        return Bits(known, known & (found.values >= at_least), found.bad)
    odd = known & (found.values != 0) & (found.values != 1)
    return Bits(known & ~odd, found.values == 1, found.bad | odd)


def lists(array: pa.Array, column: str, separator: str) -> pa.Array:
    """A column of lists: as they are, or text that is split."""
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return array
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.list_(pa.string()))
    if not texts(array):
        raise refuse(column, kind, "a list or text")
    # lists as they are printed: [1, 2] or [1 2]
    plain = pc.replace_substring_regex(array, r"[\[\]'\"]", "")
    if separator == " ":
        trimmed = pc.utf8_trim_whitespace(pc.replace_substring(plain, ",", " "))
        return pc.utf8_split_whitespace(trimmed)
    return pc.split_pattern(plain, separator)
