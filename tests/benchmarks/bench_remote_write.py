"""How quickly a year reaches a real Prometheus: `python -m tests.benchmarks.bench_remote_write
[--quick]`.

A run folder with 1,000 series x 8,760 hourly readings (one month a checkpoint), read from its
Parquet and sent; --quick sends a month.

twin     the sender of `twin run --remote-write` and `twin send`
again    the same year of a second run into the same server: all of it is out of order there
live     the service as the run feeds it, reading by reading as fast as it can
naive    one request per sample and series, written field by field in Python, over a connection that
         is kept; a subset
each     one request per reading with all series, likewise written field by field; a subset

Every sample that was sent is counted by the server, and one series is compared with what was
written.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import requests

from tests.e2e.prometheus import Prometheus
from twin.ground.units import DAY, HOUR, at
from twin.readers import remote_write
from twin.readers.protobuf_write import varint
from twin.readers.receiver import Receiver
from twin.readers.remote_write import RemoteWrite, Sender
from twin.readers.service import Hub
from twin.record.names import series
from twin.record.results import Recorder
from twin.record.watch import RunInfo
from twin.world.metric import Metric

SERIES = 1000
START = dt.date(2025, 1, 1)
ROWS = [
    (metric, labels)
    for metric in [
        Metric(
            f"measure_{number}",
            "gauge",
            "1",
            "A measure.",
            "platform",
            "Measures",
            {"by": tuple(f"kind{k}" for k in range(10))},
        )
        for number in range(SERIES // 10)
    ]
    for labels in metric.series()
]


def identity(run: str) -> dict[str, str]:
    return {"run_id": run, "scenario": "bench", "branch": "main", "replicate": "0"}


def write(folder: Path, values: np.ndarray) -> None:
    """The readings as a run keeps them while it goes on."""
    folder.mkdir()
    recorder = Recorder(folder, START, ROWS)
    for hour, reading in enumerate(values):
        recorder.record(hour * HOUR, reading)
        if (hour + 1) % (30 * 24) == 0 or hour + 1 == len(values):
            recorder.flush(hour * HOUR + 1)


def told(name: str, samples: int, seconds: float, more: str = "") -> None:
    print(
        f"{name:8} {samples:>12,} samples  {seconds:8.2f} s  {samples / seconds:>12,.0f} samples/s "
        f" {more}",
        flush=True,
    )


def send(name: str, folder: Path, server: Prometheus, run: str, size: int) -> None:
    """Send a folder as `twin send` does."""
    held, cpu, began = server.appended(), time.process_time(), time.monotonic()
    sender = Sender(server.write_url, folder, START, ROWS, identity(run), note=print)
    sender.hasten()
    assert sender.run(), sender.outcome()
    seconds = time.monotonic() - began
    assert server.appended() - held == size, (server.appended() - held, size)
    told(
        name,
        size,
        seconds,
        f"own CPU {time.process_time() - cpu:.2f} s, Prometheus {server.memory_mb():.0f} MB",
    )
    sender.cursor.close()
    (folder / "sent").rename(folder / f"sent-{run}")


async def live(folder: Path, server: Prometheus, values: np.ndarray) -> None:
    """Feed the service in its event loop."""
    service = RemoteWrite(server.write_url)
    folder.mkdir()
    info = RunInfo("bench", START, len(values) * HOUR, 0, ROWS, folder, identity("live"))
    service.hub = Hub(info, print)
    service.begin(info)
    await service.open()
    held, began = server.appended(), time.monotonic()
    for hour, reading in enumerate(values):
        service.reading(hour * HOUR, reading)
        await asyncio.sleep(0)
    await service.close(True)
    assert server.appended() - held == values.size
    told("live", values.size, time.monotonic() - began)


def by_hand(name: str, labels: dict[str, str], time_ms: int, value: float) -> bytes:
    """One series with one sample, field by field."""

    def field(body: bytes) -> bytes:
        return b"\x0a" + varint(len(body)) + body

    own = b"".join(
        field(field(key.encode()) + b"\x12" + varint(len(text)) + text.encode())
        for key, text in sorted({**labels, "__name__": name}.items())
    )
    sample = b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time_ms)
    return field(own + b"\x12" + varint(len(sample)) + sample)


def naive(server: Prometheus, values: np.ndarray, seconds: float, together: bool) -> None:
    """Requests of one sample, or of one reading, for about so long."""
    named, receiver = series(ROWS, identity(f"naive-{together}")), Receiver(server.write_url)
    began, count, origin = time.monotonic(), 0, int(at(START, 0).timestamp())
    for hour, reading in enumerate(values):
        bodies = [
            by_hand(name, labels, (origin + hour * HOUR) * 1000, value)
            for (name, labels), value in zip(named, reading.tolist(), strict=True)
        ]
        for body in [b"".join(bodies)] if together else bodies:
            receiver.post(pa.compress(body, codec="snappy", asbytes=True))
            count += len(bodies) if together else 1
            if time.monotonic() - began > seconds:
                told("each" if together else "naive", count, time.monotonic() - began)
                return


def main() -> None:
    hours = 30 * 24 if "--quick" in sys.argv else 365 * 24
    values = np.random.default_rng(1).lognormal(size=(hours, SERIES)).cumsum(axis=0)
    with (
        tempfile.TemporaryDirectory() as temporary,
        Prometheus(Path(temporary) / "prometheus") as server,
    ):
        folder = Path(temporary) / "run"
        write(folder, values)
        print(
            f"{SERIES:,} series x {hours:,} hourly readings, {remote_write.SAMPLES:,} samples a "
            f"request",
            flush=True,
        )
        send("twin", folder, server, "first", values.size)
        got = server.query('twin_measure_7{by="kind3",run_id="first"}[36500d]', 4e9)
        assert [float(value) for _, value in got[0]["values"]] == values[:, 73].tolist()
        assert (
            got[0]["values"][-1][0] == int(at(START, (hours - 1) * HOUR).timestamp())
            and hours * HOUR <= 365 * DAY
        )
        send("again", folder, server, "second", values.size)
        asyncio.run(live(Path(temporary) / "live", server, values))
        seconds = 2.0 if "--quick" in sys.argv else 10.0
        naive(server, values, seconds, False)
        naive(server, values, seconds, True)
        assert requests.get(f"{server.url}/-/healthy", timeout=5).ok


if __name__ == "__main__":
    main()
