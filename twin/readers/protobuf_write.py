"""Readings as the body of a Prometheus remote-write request: protobuf, then snappy's block format.

The message (https://prometheus.io/docs/specs/prw/remote_write_spec/, version 1.0) is small enough
to be written by numpy:

    WriteRequest {repeated TimeSeries timeseries = 1}
    TimeSeries   {repeated Label labels = 1; repeated Sample samples = 2}
    Label        {string name = 1; string value = 2}
    Sample       {double value = 1; int64 timestamp = 2}   timestamp in milliseconds since 1970

All samples of a request have the same length, so a block of them is one array; only the series
need a loop. A NaN means "no reading": the first after a value becomes Prometheus's
stale marker, which ends the series there; those that follow are not sent.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

STALE = np.uint64(0x7FF0000000000002)
"""The one NaN that Prometheus takes for the end of a series (model/value/value.go)."""


def varint(number: int) -> bytes:
    """A whole number as protobuf writes it, 7 bits a byte, the lowest first; negative ones as 64
    bits."""
    number &= 2**64 - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _field(number: int, body: bytes) -> bytes:
    """A field of bytes, text or a message."""
    # wire type 2: a length and so many bytes
    return varint(number << 3 | 2) + varint(len(body)) + body


def _label(name: str, value: str) -> bytes:
    return _field(
        1, _field(1, name.encode(errors="replace")) + _field(2, value.encode(errors="replace"))
    )


class Encoder:
    """Writes requests for a fixed set of series: name and labels, in the order of a reading's
    values."""

    def __init__(self, series: Sequence[tuple[str, Mapping[str, str]]]) -> None:
        self._labels = []
        for name, labels in series:
            # receivers require them sorted, and none that is empty
            pairs = sorted({**labels, "__name__": name}.items())
            self._labels.append(b"".join(_label(key, value) for key, value in pairs if value))

    def request(
        self,
        times_ms: NDArray[np.int64],
        values: NDArray[np.float64],
        before: NDArray[np.float64] | None,
    ) -> bytes:
        """The compressed request with readings (readings, series) at rising times; ``before`` is
        the reading before them, if any.

        Empty if no series has anything to say.
        """
        message = self.message(times_ms, values, before)
        body: bytes = pa.compress(message, codec="snappy", asbytes=True) if message else b""
        return body

    def message(
        self,
        times_ms: NDArray[np.int64],
        values: NDArray[np.float64],
        before: NDArray[np.float64] | None,
    ) -> bytes:
        """The same, not compressed."""
        # by series, as the message has them; a copy, since stale markers are written into it
        samples = np.array(values.T, np.float64, order="C")
        absent = np.isnan(samples)
        # whether the reading before was absent too; before the first, nothing can have ended
        earlier = np.empty_like(absent)
        earlier[:, 0] = True if before is None else np.isnan(before)
        earlier[:, 1:] = absent[:, :-1]
        ended = absent & ~earlier
        # as bits, since other NaNs mean nothing to Prometheus
        samples.view(np.uint64)[ended] = STALE
        sent = ~absent | ended
        stamps = [varint(time) for time in times_ms.tolist()]
        lengths = np.array([len(stamp) for stamp in stamps])
        # cut where a time stamp needs more bytes: the samples of a block have one length
        edges = [0, *(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(stamps)]
        # messages put end to end are one message
        return b"".join(
            self._block(stamps[first:last], samples[:, first:last], sent[:, first:last])
            for first, last in itertools.pairwise(edges)
        )

    def _block(
        self, stamps: list[bytes], samples: NDArray[np.float64], sent: NDArray[np.bool_]
    ) -> bytes:
        """Samples (series, readings) whose time stamps are equally long."""
        # tag and 8 bytes of the value, tag of the time stamp, and the time stamp
        body = 10 + len(stamps[0])
        block = np.empty((*samples.shape, 2 + body), np.uint8)
        # each sample: field 2 of TimeSeries with its length, in it field 1 (double) and 2 (varint)
        block[..., 0] = 2 << 3 | 2
        block[..., 1] = body
        block[..., 2] = 1 << 3 | 1
        block[..., 3:11] = (
            np.ascontiguousarray(samples, "<f8").view(np.uint8).reshape(*samples.shape, 8)
        )
        block[..., 11] = 2 << 3
        block[..., 12:] = np.frombuffer(b"".join(stamps), np.uint8).reshape(len(stamps), -1)
        # series by series, so that the samples of each are one slice
        packed = block[sent].tobytes()
        ends = (np.cumsum(sent.sum(axis=1)) * block.shape[-1]).tolist()
        pieces, begin = [], 0
        for labels, end in zip(self._labels, ends, strict=True):
            if end > begin:
                # field 1 of WriteRequest
                pieces += [b"\x0a", varint(len(labels) + end - begin), labels, packed[begin:end]]
            begin = end
        return b"".join(pieces)
