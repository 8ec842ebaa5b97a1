"""Sends a platform and its forecasts to Prometheus: all of them each time, as they are few, and a
receiver ignores a sample that it has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from twin.ground.errors import Undone
from twin.readers.delivery import Delivery
from twin.readers.forecast_series import Series, count
from twin.readers.protobuf_write import Encoder
from twin.readers.receiver import TooLargeError, shown
from twin.readers.remote_write import AHEAD, END_PATIENCE_S, SAMPLES


def now_and_later(those: Sequence[Series], now: dt.datetime) -> tuple[list[Series], int]:
    """The part that Prometheus takes now, and how many samples lie ahead of its clock."""
    limit = (now + AHEAD).timestamp()
    kept = [each.until(limit) for each in those]
    return kept, sum(len(each.times) for each in those) - sum(len(each.times) for each in kept)


def requests(those: Sequence[Series], identity: Mapping[str, str]) -> Iterator[bytes]:
    """Bodies of requests, each with at most SAMPLES samples."""
    pieces: list[bytes] = []
    room = SAMPLES
    for each in those:
        # alone, so that no value is followed by a stale marker where another series has a sample
        encoder = Encoder([each.named(identity)])
        first = 0
        while first < len(each.times):
            piece = slice(first, first + room)
            times, values = each.times[piece] * 1000, each.values[piece, np.newaxis]
            # messages put end to end are one message
            pieces.append(encoder.message(times, values, None))
            first, room = first + len(times), room - len(times)
            if not room:
                yield _packed(pieces)
                pieces, room = [], SAMPLES
    if pieces:
        yield _packed(pieces)


def _packed(pieces: Sequence[bytes]) -> bytes:
    body: bytes = pa.compress(b"".join(pieces), codec="snappy", asbytes=True)
    return body


def send(
    url: str, those: Sequence[Series], identity: Mapping[str, str], note: Callable[[str], None]
) -> str:
    """Send series, and return what arrived in words. Raises Undone if not all were accepted."""
    delivery = Delivery(url, note)
    delivery.limit(END_PATIENCE_S)
    try:
        done = all(delivery.post(body) for body in requests(those, identity))
    except TooLargeError as error:
        done, delivery.trouble = False, str(error)
    if not done:
        raise Undone(
            f"remote write: not all of {count(those)} are in {shown(url)} ({delivery.trouble}); "
            f"nothing is lost, give the same command again"
        )
    return f"remote write: {count(those)} are in {shown(url)}"
