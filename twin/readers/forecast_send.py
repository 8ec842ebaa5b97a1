"""Sends a platform and its forecasts to Prometheus: all of them each time, as they are few, and a
receiver ignores a sample that it has.

One that has another value for the time refuses the whole request, and keeps its own: the rest is sent
in parts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa

from twin.ground.errors import Undone
from twin.readers.delivery import Delivery
from twin.readers.forecast_series import Series, count
from twin.readers.protobuf_write import Encoder
from twin.readers.receiver import OtherValueError, TooLargeError, shown
from twin.readers.remote_write import AHEAD, END_PATIENCE_S, SAMPLES


def now_and_later(those: Sequence[Series], now: dt.datetime) -> tuple[list[Series], int]:
    """The part that Prometheus takes now, and how many samples lie ahead of its clock."""
    limit = (now + AHEAD).timestamp()
    kept = [each.until(limit) for each in those]
    return kept, sum(len(each.times) for each in those) - sum(len(each.times) for each in kept)


def request(those: Sequence[Series], identity: Mapping[str, str]) -> bytes:
    """The body of a request with all of these."""
    # each alone, so that no value is followed by a stale marker where another has a sample; messages
    # put end to end are one message
    message = b"".join(
        Encoder([each.named(identity)]).message(each.times * 1000, each.values[:, None], None)
        for each in those
        if len(each.times)
    )
    body: bytes = pa.compress(message, codec="snappy", asbytes=True) if message else b""
    return body


def halves(those: Sequence[Series]) -> tuple[list[Series], list[Series]]:
    """Two parts of at least two samples."""
    if len(those) > 1:
        middle = len(those) // 2
        return list(those[:middle]), list(those[middle:])
    (one,) = those
    middle = len(one.times) // 2
    return [one.part(slice(None, middle))], [one.part(slice(middle, None))]


class Forecasts(Delivery):
    """Sends series. ``other``: samples of which the receiver has another value, which stays."""

    raised = (OtherValueError,)

    def __init__(self, url: str, identity: Mapping[str, str], note: Callable[[str], None]) -> None:
        super().__init__(url, note)
        self.identity, self.other = identity, 0

    def send(self, those: Sequence[Series]) -> bool:
        """Send all of these, in parts where they are many or some are refused; whether that was
        done."""
        there = [each for each in those if len(each.times)]
        many = sum(len(each.times) for each in there)
        if not many:
            return True
        if many <= SAMPLES:
            try:
                return self.post(request(there, self.identity))
            except OtherValueError:
                # of the whole request nothing was taken
                if many == 1:
                    self.other += 1
                    return True
            except TooLargeError as error:
                if many == 1:
                    self.refused(str(error))
                    return False
        return all(self.send(half) for half in halves(there))


def send(
    url: str, those: Sequence[Series], identity: Mapping[str, str], note: Callable[[str], None]
) -> str:
    """Send series, and return what arrived in words. Raises Undone if not all were accepted."""
    delivery = Forecasts(url, identity, note)
    delivery.limit(END_PATIENCE_S)
    if not delivery.send(those):
        raise Undone(
            f"remote write: not all of {count(those)} are in {shown(url)} ({delivery.trouble}); "
            f"nothing is lost, give the same command again"
        )
    if delivery.other:
        note(
            f"remote write: {shown(url)} has another value of {delivery.other:,} of the samples, from "
            f"an earlier observation or forecast of the same day, and keeps it"
        )
    return f"remote write: {count(those)} are in {shown(url)}"
