"""A real Prometheus (Debian's package) with the settings that simulated time needs, for tests and
for trying things by hand.

    with Prometheus(folder) as prometheus:
        ...  # send to prometheus.write_url
        prometheus.query("twin_sessions_total", at=seconds)

`python -m tests.e2e.prometheus FOLDER` starts one and keeps it until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import requests

from tests.conftest import PATIENCE_S
from tests.given.ports import free_port
from twin.record.names import series
from twin.record.results import Metrics

COMMAND = "prometheus"
STORAGE = (
    "--storage.tsdb.retention.time=100y",
    "--storage.tsdb.min-block-duration=31d",
    "--storage.tsdb.max-block-duration=400d",
    "--query.lookback-delta=26h",
    "--web.enable-remote-write-receiver",
)
CONFIG = """\
global: {scrape_interval: 15s}
storage:
  tsdb:
    out_of_order_time_window: 100y
"""


class Prometheus:
    """One server on a folder and a port that it keeps across `kill` and `start`.

    ``config`` is the whole prometheus.yml (default: what simulated time needs); ``more`` is put
    behind it (scrape_configs, rule_files); ``storage`` and ``flags`` are the flags of the command
    beside those for folder and address.
    """

    def __init__(
        self,
        folder: Path,
        *,
        config: str = CONFIG,
        more: str = "",
        storage: Sequence[str] = STORAGE,
        flags: Sequence[str] = (),
        port: int | None = None,
    ) -> None:
        self.folder, self.data, self.flags = folder, folder / "data", (*storage, *flags)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_url = f"{self.url}/api/v1/write"
        self.log = folder / "prometheus.log"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(config + more)

    def start(self) -> Self:
        """Start the server and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    COMMAND,
                    f"--config.file={self.folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self.data}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    *self.flags,
                ],
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.url}/-/ready", timeout=2).ok:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        tail = self.log.read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"prometheus did not become ready:\n{tail}")

    def stop(self) -> None:
        """End the server in order."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None

    def kill(self) -> None:
        """End the server as a crash would: SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
            self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.kill()

    def get(self, path: str, **parameters: Any) -> Any:
        """The ``data`` of an answer of the HTTP API, /api/v1/PATH."""
        answer = (
            requests.post(f"{self.url}/api/v1/{path}", data=parameters, timeout=PATIENCE_S)
            if path.startswith("query")
            else requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=PATIENCE_S)
        )
        body = answer.json()
        if body["status"] != "success":
            raise RuntimeError(f"{path} {parameters}: {body}")
        return body["data"]

    def query(self, expression: str, at: float) -> list[dict[str, Any]]:
        """An instant query at a time in seconds since 1970; `result` of the answer."""
        result: list[dict[str, Any]] = self.get("query", query=expression, time=repr(float(at)))[
            "result"
        ]
        return result

    def value(self, expression: str, at: float) -> float:
        """The one value of an instant query; NaN if there is none."""
        result = self.query(expression, at)
        assert len(result) <= 1, result
        return float(result[0]["value"][1]) if result else math.nan

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[dict[str, Any]]:
        """A range query; `result` of the answer."""
        result: list[dict[str, Any]] = self.get(
            "query_range", query=expression, start=start, end=end, step=step
        )["result"]
        return result

    def samples(
        self, selector: str, until: float = 4e9, days: int = 36500
    ) -> dict[frozenset[tuple[str, str]], dict[float, float]]:
        """Every stored sample: by the set of labels (with __name__), seconds since 1970 and value;
        stale markers are not samples."""
        found = self.query(f"{selector}[{days}d]", until)
        return {
            frozenset(each["metric"].items()): {
                float(at): float(value) for at, value in each["values"]
            }
            for each in found
        }

    def appended(self) -> int:
        """Samples that it has taken since it was started, stale markers and repeated ones included;
        from its own metrics."""
        text = requests.get(f"{self.url}/metrics", timeout=PATIENCE_S).text
        lines = [
            line
            for line in text.splitlines()
            if line.startswith("prometheus_tsdb_head_samples_appended_total")
        ]
        return round(sum(float(line.split()[-1]) for line in lines))

    def memory_mb(self) -> float:
        """Its resident memory now."""
        assert self.process
        return (
            int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="utf-8").split()[1])
            * os.sysconf("SC_PAGE_SIZE")
            / 2**20
        )

    def names(self) -> set[str]:
        """Names of all metrics that it holds."""
        return set(self.get("label/__name__/values"))


def wanted(
    metrics: Metrics, labels: dict[str, str]
) -> dict[frozenset[tuple[str, str]], dict[float, float]]:
    """What `Prometheus.samples` has to give for a run whose Parquet is ``metrics`` and whose
    identity is ``labels``: NaN is no sample."""
    rows = [(metric, each) for metric in metrics.declared.values() for each in metric.series()]
    seconds = metrics.times.astype("datetime64[s]").astype(np.int64)
    found = {}
    for (name, own), values in zip(series(rows, labels), metrics.values.T, strict=True):
        course = {
            float(at): float(value)
            for at, value in zip(seconds, values, strict=True)
            if not math.isnan(value)
        }
        if course:
            found[frozenset({"__name__": name, **own}.items())] = course
    return found


@contextlib.contextmanager
def running(folder: Path, **more: Any) -> Iterator[Prometheus]:
    """A Prometheus for a test; the test is skipped, loudly, where there is none."""
    if shutil.which(COMMAND) is None:
        pytest.skip("no prometheus on this machine: install Debian's package prometheus")
    with Prometheus(folder, **more) as server:
        yield server


if __name__ == "__main__":
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # a shell's background jobs ignore the first, and the second would leave the server
        signal.signal(number, signal.default_int_handler)
    with Prometheus(Path(sys.argv[1])) as shown:
        print(f"{shown.url}  remote write: {shown.write_url}  log: {shown.log}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while shown.process is not None and shown.process.poll() is None:
                time.sleep(0.2)
