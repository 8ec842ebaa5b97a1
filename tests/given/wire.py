"""What goes over the wire, decoded by hand: snappy's block format and protobuf."""

import struct
from collections.abc import Iterator

import numpy as np

from tests.given.readings import ROWS

RUN = {"run_id": "r-1", "scenario": "s", "branch": "main", "replicate": "0"}
STALE = struct.pack("<Q", 0x7FF0000000000002)


def unsnapped(data: bytes) -> bytes:
    """Snappy's block format (https://github.com/google/snappy/blob/main/format_description.txt),
    read element by element."""
    size, at = read_varint(data, 0)
    out = bytearray()
    while at < len(data):
        tag, kind = data[at] >> 2, data[at] & 3
        at += 1
        if kind == 0:
            if tag >= 60:
                more = tag - 59
                tag, at = int.from_bytes(data[at : at + more], "little"), at + more
            out += data[at : at + tag + 1]
            at += tag + 1
            continue
        if kind == 1:
            length, offset, at = (tag & 7) + 4, (tag >> 3) << 8 | data[at], at + 1
        else:
            more = 2 if kind == 2 else 4
            length, offset, at = tag + 1, int.from_bytes(data[at : at + more], "little"), at + more
        for _ in range(length):
            out.append(out[-offset])
    assert len(out) == size
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return number, at


def fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and content of every field of a protobuf message."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        content: bytes | int
        if key & 7 == 0:
            content, at = read_varint(data, at)
        elif key & 7 == 1:
            content, at = data[at : at + 8], at + 8
        else:
            assert key & 7 == 2
            size, at = read_varint(data, at)
            content, at = data[at : at + size], at + size
            assert len(content) == size
        yield key >> 3, content


def decoded(message: bytes) -> list[tuple[list[tuple[str, str]], list[tuple[int, bytes]]]]:
    """Labels and samples (milliseconds, the eight bytes of the value) of every series of a
    WriteRequest."""
    found = []
    for number, series in fields(message):
        assert number == 1 and isinstance(series, bytes)
        labels, samples = [], []
        for kind, part in fields(series):
            assert isinstance(part, bytes)
            inner = dict(fields(part))
            if kind == 1:
                assert isinstance(inner[1], bytes) and isinstance(inner[2], bytes)
                labels.append((inner[1].decode(), inner[2].decode()))
            else:
                assert kind == 2 and isinstance(inner[2], int) and isinstance(inner[1], bytes)
                samples.append((inner[2] - (2**64 if inner[2] >= 2**63 else 0), inner[1]))
        found.append((labels, samples))
    return found


def course(count: int) -> np.ndarray:
    return np.arange(count * len(ROWS), dtype=np.float64).reshape(count, len(ROWS)) / 7
