"""The metrics endpoint of a real run: whole readings, both formats, a real Prometheus, the same
bytes; and deaths on either side."""

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import requests
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.conftest import PATIENCE_S, ROOT, settings, twin
from tests.e2e.prometheus import running
from tests.given.inside import called
from twin.readers.health import HEALTH
from twin.record.names import identity, series
from twin.record.results import load_manifest, load_metrics

SHORT = ("duration=10d", "metrics.every=1h")
Key = tuple[str, frozenset[tuple[str, str]]]


class Run:
    """`twin run --metrics :0` of the small world in a process (and process group) of its own."""

    def __init__(self, here: Path, *more: str, flag: str = ":0") -> None:
        self.folder = here / "a"
        command = [
            sys.executable,
            "-m",
            "twin",
            "run",
            str(ROOT / "scenarios" / "base.yaml"),
            "--out",
            "a",
            "--metrics",
            flag,
            *settings(*SHORT),
            *more,
        ]
        self.out, self.err = here / "out.txt", here / "err.txt"
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                command, cwd=here, stdout=out, stderr=err, start_new_session=True
            )
        end = time.monotonic() + PATIENCE_S
        while not (found := re.search(r"^metrics at (\S+)/metrics\n", self.out.read_text(), re.M)):
            assert self.process.poll() is None and time.monotonic() < end, self.err.read_text()
            time.sleep(0.02)
        self.url = found[1]

    def get(self, path: str = "/metrics", **headers: str) -> requests.Response:
        return requests.get(
            self.url + path, headers={"Accept-Encoding": "identity", **headers}, timeout=PATIENCE_S
        )

    def sidecar(self) -> int:
        """The process beside the run."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}")
        children = [
            int(pid) for path in task.parent.glob("*/children") for pid in path.read_text().split()
        ]
        return next(
            pid
            for pid in children
            if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")
        )

    def until(self, what: Callable[[dict[Key, float]], bool]) -> dict[Key, float]:
        """Scrape until it is so."""
        end = time.monotonic() + PATIENCE_S
        while not what(found := values(parse_text(self.get().text))):
            assert self.process.poll() is None and time.monotonic() < end, self.err.read_text()
            time.sleep(0.05)
        return found

    def done(self) -> tuple[int, str, str]:
        """Status, output and errors at its end."""
        return self.process.wait(PATIENCE_S), self.out.read_text(), self.err.read_text()


@contextmanager
def run(here: Path, *more: str, flag: str = ":0") -> Iterator[Run]:
    """A run that does not outlive the test."""
    begun = Run(here, *more, flag=flag)
    try:
        yield begun
    finally:
        begun.process.kill()
        begun.process.wait()


def values(families: Iterator[Metric]) -> dict[Key, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def readings(folder: Path) -> dict[float, dict[Key, float]]:
    """What each reading has to look like when it is scraped, by its simulated time in seconds since
    1970; NaN is absent."""
    metrics = load_metrics(folder)
    rows = [(metric, labels) for metric in metrics.declared.values() for labels in metric.series()]
    keys = [
        (name, frozenset(labels.items()))
        for name, labels in series(rows, identity(load_manifest(folder)))
    ]
    return {
        float(when): {
            key: float(value) for key, value in zip(keys, row, strict=True) if value == value
        }
        for when, row in zip(metrics.times.astype(np.int64), metrics.values, strict=True)
    }


def split(scraped: dict[Key, float]) -> tuple[dict[Key, float], dict[str, float]]:
    """The catalogue, and the run's health without labels but phase and queue."""
    own = {
        f"{name} {dict(labels).get('phase') or dict(labels).get('queue') or ''}".strip(): value
        for (name, labels), value in scraped.items()
        if name.startswith("twin_run_")
    }
    return {key: value for key, value in scraped.items() if not key[0].startswith("twin_run_")}, own


def sim(scraped: dict[Key, float]) -> float:
    return split(scraped)[1]["twin_run_simulated_seconds"]


def test_hard_scraping_sees_whole_readings_only_and_changes_no_byte(tmp_path: Path) -> None:
    """Two threads scrape without rest, in both formats, from the building of the world to the end
    of the run."""
    longer = ("--set", "duration=42d")  # a dozen batches of readings, and two or three more
    called(
        "run",
        ROOT / "scenarios" / "base.yaml",
        "--out",
        "plain",
        *settings(*SHORT),
        *longer,
        "--quiet",
        cwd=tmp_path,
    )
    scrapes: list[list[bytes]] = [[], []]

    def scrape(url: str, accept: str, into: list[bytes]) -> None:
        with requests.Session() as session:
            while True:
                try:
                    body = session.get(url, headers={"Accept": accept}, timeout=PATIENCE_S).content
                except requests.ConnectionError:
                    return
                into.append(body)

    with run(tmp_path, *longer, "--pace", "6") as scraped:  # readings go in batches, two a second
        threads = [
            threading.Thread(target=scrape, args=(f"{scraped.url}/metrics", accept, into))
            for accept, into in zip(
                ("text/plain", "application/openmetrics-text"), scrapes, strict=True
            )
        ]
        for thread in threads:
            thread.start()
        status, out, err = scraped.done()
        for thread in threads:
            thread.join()
    assert (status, err) == (0, "") and "done: base" in out
    for name in ("metrics", "events"):
        assert (tmp_path / "a" / f"{name}.parquet").read_bytes() == (
            tmp_path / "plain" / f"{name}.parquet"
        ).read_bytes()
    expected = readings(tmp_path / "a")
    for parse, bodies in ((parse_text, scrapes[0]), (parse_openmetrics, scrapes[1])):
        stamps = [
            re.search(rb"^twin_run_reading_timestamp_seconds\{.*\} (\S+)$", body, re.M)
            for body in bodies
        ]
        when = [float(stamp[1]) if stamp else -1.0 for stamp in stamps]
        assert when == sorted(when) and when[0] == -1.0 and when[-1] == max(expected), (
            "from building to the last reading"
        )
        distinct = dict(zip(when, bodies, strict=True))
        assert len(distinct) > 10
        for moment in list(distinct)[:: max(1, len(distinct) // 40)]:
            catalogue, own = split(values(parse(distinct[moment].decode())))
            assert catalogue == expected.get(moment, {})
            assert own["twin_run_building"] == (moment == -1.0) or moment == min(expected)
        assert split(values(parse(bodies[-1].decode())))[1]["twin_run_finished"] == 1.0, (
            "the report is written last"
        )


def test_what_a_run_at_rest_serves(tmp_path: Path) -> None:
    """Both formats hold the latest reading exactly; promtool has nothing to say; gzip, HEAD, other
    paths; a real Prometheus scrapes."""
    with (
        run(tmp_path, "--pace", "4") as begun,
        running(
            tmp_path / "prometheus",
            more=(
                "scrape_configs:\n- {job_name: twin, scrape_interval: 1s, static_configs: "
                "[{targets: ["
                f"'{begun.url.removeprefix('http://')}']}}]}}\n"
            ),
        ) as prometheus,
    ):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", begun.url)
        begun.until(lambda scraped: sim(scraped) > 2 * 86400)
        called("pause", "a", cwd=tmp_path)
        text = begun.until(lambda scraped: split(scraped)[1]["twin_run_paused"] == 1)
        catalogue, own = split(text)
        when, expected = own["twin_run_reading_timestamp_seconds"], readings(begun.folder)
        assert when == max(expected) and catalogue == expected[when]
        answer = begun.get(Accept="application/openmetrics-text; version=1.0.0")
        assert answer.headers["Content-Type"].startswith(
            "application/openmetrics-text; version=1.0.0"
        )
        assert split(values(parse_openmetrics(answer.text)))[0] == catalogue
        assert {each.prom_name for each in HEALTH} - {
            name.partition(" ")[0] for name in own
        } == set()
        assert (
            own["twin_run_spent_seconds_total browse"] > 0 and own["twin_run_cpu_seconds_total"] > 0
        )
        assert (
            own["twin_run_resident_memory_bytes"] > 2**20
            and own["twin_run_pace_ratio"] == 4 * 86400
        )
        assert {
            f"twin_run_queue_length {queue}"
            for queue in ("calendar", "commands", "training", "undelivered")
        } <= set(own)

        packed = requests.get(
            f"{begun.url}/metrics",
            headers={"Accept-Encoding": "gzip"},
            stream=True,
            timeout=PATIENCE_S,
        )
        assert packed.headers["Content-Encoding"] == "gzip"
        assert (
            split(values(parse_text(gzip.decompress(packed.raw.read()).decode())))[0] == catalogue
        )
        head = requests.head(f"{begun.url}/metrics", timeout=PATIENCE_S)
        assert (head.status_code, head.content) == (200, b"") and int(
            head.headers["Content-Length"]
        ) > 1000
        assert [
            begun.get(path).status_code for path in ("/", "/-/healthy", "/metrics/", "/x", "/..%2f")
        ] == [200, 200, 404, 404, 404]
        assert requests.post(f"{begun.url}/metrics", timeout=PATIENCE_S).status_code == 405
        assert 'href="/metrics"' in begun.get("/").text
        if shutil.which("promtool") is None:
            pytest.skip("no promtool on this machine: install Debian's package prometheus")
        lint = subprocess.run(
            ["promtool", "check", "metrics"], input=begun.get().content, capture_output=True
        )
        assert (lint.returncode, lint.stdout, lint.stderr) == (0, b"", b"")

        def seen(expression: str) -> float:
            return prometheus.value(expression, time.time())

        end = time.monotonic() + PATIENCE_S
        while seen("twin_run_paused") != 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert (
            seen("twin_run_paused") == 1
            and seen("twin_run_simulated_seconds") == own["twin_run_simulated_seconds"]
        )
        assert {each.prom_name for each in HEALTH} <= prometheus.names()
        assert (
            seen("twin_sessions_total")
            == {name: value for (name, _), value in catalogue.items()}["twin_sessions_total"]
        )
        called("pace", "a", "max", cwd=tmp_path)
        called("continue", "a", cwd=tmp_path)
        status, _, err = begun.done()
        assert (status, err) == (0, "")


def test_an_address_that_cannot_be_had_stops_the_run_before_anything_is_made(
    tmp_path: Path,
) -> None:
    """One line with flag, port and mend; no folder, which the next try would trip over."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = twin(
            "run",
            ROOT / "scenarios" / "base.yaml",
            "--out",
            "a",
            "--metrics",
            f":{port}",
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr
        == f"error: --metrics 127.0.0.1:{port}: something already listens on port {port} "
        f"(--metrics :0 takes a free one)\n"
    )
    assert not list(tmp_path.iterdir())


def test_an_endpoint_for_all_says_that_others_can_read_it_and_a_held_run_can_be_interrupted(
    tmp_path: Path,
) -> None:
    """A host that is spelt out is taken, with a warning. Ctrl-C goes to all processes of a
    terminal; the run ends as it always does."""
    for number in (signal.SIGINT, signal.SIGTERM):
        shutil.rmtree(tmp_path / "a", ignore_errors=True)
        with run(tmp_path, "--pace", "0.001", flag="0.0.0.0:0") as begun:
            begun.url = begun.url.replace("0.0.0.0", "127.0.0.1")
            begun.until(lambda scraped: sim(scraped) > 0)
            os.killpg(begun.process.pid, number)
            status, out, err = begun.done()
        assert (status, err) == (130, "")
        assert (
            "warning: --metrics 0.0.0.0:" in out
            and "without a password" in out
            and "nothing is lost" in out
            and "died" not in out
        )


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            == "Z"
        )
    except OSError:
        return True


def test_no_process_outlives_a_killed_run(tmp_path: Path) -> None:
    """kill -9 of the run: the process beside it ends by itself and the port is free; the run can be
    taken up with its endpoint."""
    with run(tmp_path, "--pace", "1") as begun:
        begun.until(lambda scraped: sim(scraped) > 0)
        beside = begun.sidecar()
        begun.process.kill()
        end = time.monotonic() + PATIENCE_S
        while not gone(beside) and time.monotonic() < end:
            time.sleep(0.05)
        assert gone(beside)
        with pytest.raises(requests.ConnectionError):
            begun.get()
    assert (
        "metrics at"
        in twin("resume", "a", "--metrics", begun.url.removeprefix("http://"), cwd=tmp_path).stdout
    )


def test_a_run_outlives_the_process_beside_it(tmp_path: Path) -> None:
    """kill -9 of the sidecar: the run says so once, goes on and ends well."""
    with run(tmp_path, "--pace", "1") as begun:
        begun.until(lambda scraped: sim(scraped) > 0)
        os.kill(begun.sidecar(), signal.SIGKILL)
        called("pace", "a", "max", cwd=tmp_path)
        status, out, err = begun.done()
    # once when it happens, and at the end, with the status of what was not done
    assert (
        status == 3
        and err.startswith("error: the process beside the run")
        and len(err.splitlines()) == 1
        and out.count("has died; the run continues without it") == 1
        and "done: base" in out
    )
