"""Readings in a real Prometheus at their simulated times: all of them, exactly, once, whatever dies
meanwhile."""

import http.server
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.conftest import PATIENCE_S, ROOT, SCENARIOS, settings, twin
from tests.e2e.prometheus import CONFIG, Prometheus, running, wanted
from tests.given.inside import called
from tests.given.readings import ROWS, START, folder_with
from twin.ground.units import DAY, parse_start
from twin.readers.backlog import declared
from twin.readers.reading_back import ReadBack, address
from twin.readers.receiver import TOKEN
from twin.readers.remote_write import Sender
from twin.record import mailbox
from twin.record.names import identity, prom_name
from twin.record.results import load_manifest, load_metrics

DAYS = 12
SHORT = settings(f"duration={DAYS}d")
BASE = SCENARIOS / "base.yaml"
TABLES = ("metrics.parquet", "events.parquet")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One for all tests that leave it alive: each run has a run_id of its own."""
    with running(tmp_path_factory.mktemp("prometheus")) as prometheus:
        yield prometheus


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that nobody watched."""
    here = tmp_path_factory.mktemp("straight")
    called("run", BASE, "--out", "run", "--quiet", *SHORT, cwd=here)
    return here / "run"


@pytest.fixture
def finished(straight: Path, tmp_path: Path) -> Path:
    """The same as a run of its own, so that no test meets another's samples."""
    folder = tmp_path / "run"
    shutil.copytree(straight, folder)
    renamed(folder, tmp_path.name)
    return folder


def renamed(folder: Path, run_id: str) -> None:
    manifest = load_manifest(folder)
    (folder / "manifest.json").write_text(json.dumps({**manifest, "run_id": run_id}))


def selector(folder: Path) -> str:
    own = identity(load_manifest(folder))
    return "{" + ",".join(f'{key}="{value}"' for key, value in own.items()) + "}"


def is_exact(server: Prometheus, folder: Path) -> None:
    """The server holds every reading of the run, bit by bit, and nothing else of it; every metric
    is there at a simulated date."""
    metrics, own = load_metrics(folder), identity(load_manifest(folder))
    want = wanted(metrics, own)
    assert len(metrics.times) >= DAYS + 1 and server.samples(selector(folder)) == want
    at = int(metrics.times[-1].astype("datetime64[s]").astype(np.int64))
    there = {series["metric"]["__name__"] for series in server.query(selector(folder), at)}
    assert there == {
        prom_name(metric)
        for metric in metrics.declared.values()
        if not np.isnan(metrics.of(metric.name)[-1]).all()
    }


def size(folder: Path) -> int:
    """Samples of a run whose series never end: readings that are not NaN."""
    values = load_metrics(folder).values
    absent = np.isnan(values)
    assert not (absent[1:] & ~absent[:-1]).any()  # else stale markers were counted too
    return int((~absent).sum())


def begun(here: Path, url: str, *more: str, out: str = "a", **env: str) -> subprocess.Popen[str]:
    """A run with remote write in a process of its own, at two simulated days per second."""
    command = [
        sys.executable,
        "-m",
        "twin",
        "run",
        str(BASE),
        "--out",
        out,
        *SHORT,
        "--pace",
        "2",
        "--remote-write",
        url,
        *more,
    ]
    return subprocess.Popen(
        command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None and time.monotonic() < limit, (
            process.stdout and process.stdout.read()
        )
        time.sleep(0.02)


def upto(lines: Iterable[str], words: str) -> Iterator[str]:
    """The lines up to the first that has these words in it."""
    for line in lines:
        yield line
        if words in line:
            return
    raise AssertionError(f"nothing said: {words}")


def day(folder: Path) -> float:
    """How far a run is that goes on, in days."""
    return (
        float(mailbox.command(folder, {"do": "status"})["now_s"] / DAY)
        if mailbox.is_open(folder)
        else -1.0
    )


def delivered(folder: Path) -> float:
    """How far the receiver of a run has got, in days."""
    files = list((folder / "sent").glob("*.json"))
    return float(json.loads(files[0].read_text())["delivered_s"] / DAY) if files else -1.0


def test_two_runs_of_a_scenario_arrive_exactly_and_are_the_same_bytes(
    server: Prometheus, straight: Path, tmp_path: Path
) -> None:
    """Both runs of the same dates are in one server, each complete, nothing twice; being watched
    changed no byte of them."""
    for name in ("first", "second"):
        held = server.appended()
        text = twin(
            "run", BASE, "--out", name, *SHORT, "--remote-write", server.write_url, cwd=tmp_path
        ).stdout
        assert f"remote write to {server.write_url}" in text
        assert (
            f"all {DAYS + 1} readings x {len(load_metrics(straight).values[0])} series are in "
            f"{server.write_url}" in text
        )
        assert server.appended() - held == size(tmp_path / name)
        assert [(tmp_path / name / table).read_bytes() for table in TABLES] == [
            (straight / table).read_bytes() for table in TABLES
        ]
    for name in ("first", "second"):
        is_exact(server, tmp_path / name)
    assert (
        load_manifest(tmp_path / "first")["run_id"] != load_manifest(tmp_path / "second")["run_id"]
    )


def test_kill_and_resume(server: Prometheus, straight: Path, tmp_path: Path) -> None:
    """kill -9 when more was delivered than the checkpoint holds; the resumed run sends the rest,
    nothing twice."""
    held = server.appended()
    process, run = begun(tmp_path, server.write_url), tmp_path / "a"
    until(lambda: delivered(run) >= 2, process)
    called("pause", "a", cwd=tmp_path)
    called("continue", "a", cwd=tmp_path)
    saved = max(int(path.name[1:]) for path in (run / "checkpoints").iterdir()) / DAY
    until(lambda: delivered(run) >= saved + 2, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (run / "metrics.parquet").exists() and delivered(run) > saved
    text = twin("resume", "a", "--remote-write", server.write_url, cwd=tmp_path).stdout
    assert "resumes at" in text and f"all {DAYS + 1} readings" in text
    is_exact(server, run)
    assert server.appended() - held == size(run)
    assert (run / "metrics.parquet").read_bytes() == (straight / "metrics.parquet").read_bytes()


def test_a_fork_whose_history_lies_in_the_past_of_its_parent(
    server: Prometheus, tmp_path: Path
) -> None:
    """The branch arrives whole under its own label when the parent has ended already; both are
    exact."""
    (tmp_path / "likes.yaml").write_text("name: likes\nset: {recommender.preset: likes}\n")
    # slow: on a busy machine the fork takes seconds to start, and the run must not have ended
    process = begun(tmp_path, server.write_url, "--pace", "0.5")
    until(lambda: delivered(tmp_path / "a") >= 3, process)
    called("fork", "a", "--name", "b", "--policy", "likes.yaml", cwd=tmp_path)
    called("pace", "a", "max", cwd=tmp_path)
    assert process.wait(PATIENCE_S) == 0
    text = twin("resume", "a-b", "--remote-write", server.write_url, cwd=tmp_path).stdout
    assert re.search(r"first \d+ readings from before", text) and f"all {DAYS + 1} readings" in text
    assert load_manifest(tmp_path / "a-b")["run_id"] == load_manifest(tmp_path / "a")["run_id"]
    for folder in (tmp_path / "a", tmp_path / "a-b"):
        is_exact(server, folder)
    assert (tmp_path / "a" / "metrics.parquet").read_bytes() != (
        tmp_path / "a-b" / "metrics.parquet"
    ).read_bytes()


def test_a_server_that_comes_late_and_dies_loses_nothing(tmp_path: Path) -> None:
    """It is not there at the start; later it is killed as by a crash and comes back on the same
    data: the run goes on all the time."""
    with running(tmp_path / "prometheus") as late:
        late.kill()
        process, run = begun(tmp_path, late.write_url), tmp_path / "a"
        until(lambda: day(run) >= 2, process)
        assert process.stdout
        told = list(
            upto(process.stdout, "the readings stay in the run's folder")
        )  # it has found out
        assert delivered(run) < 0
        late.start()
        until(lambda: delivered(run) >= 4, process)
        late.kill()
        went = day(run)
        until(lambda: day(run) >= went + 2, process)
        called(
            "pause", "a", cwd=tmp_path
        )  # a checkpoint while it is down: from here on the folder is the buffer
        called("continue", "a", cwd=tmp_path)
        assert delivered(run) < day(run) - 1
        late.start()
        called("pace", "a", "max", cwd=tmp_path)
        assert process.wait(PATIENCE_S) == 0
        text = "".join(told) + process.stdout.read()
        assert (
            text.count("the readings stay in the run's folder") == 2
            and text.count("takes readings again") == 2
        )
        assert f"all {DAYS + 1} readings" in text
        is_exact(late, run)


def test_a_server_that_never_comes_is_left_to_twin_send(server: Prometheus, tmp_path: Path) -> None:
    """Ctrl-C ends the wait after the run; the line that it leaves says what to do, and doing it
    delivers all."""
    with running(tmp_path / "prometheus") as absent:
        absent.kill()
        process = begun(tmp_path, absent.write_url)
        until(lambda: day(tmp_path / "a") >= 0, process)
        called("pace", "a", "max", cwd=tmp_path)
        assert process.stdout
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C leaves them" in line:
                process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 3  # not all that was asked for
        command = re.search(r"twin (send a --remote-write \S+)$", "".join(lines), re.MULTILINE)
        assert (
            command
            and f"{DAYS + 1} of {DAYS + 1} readings are not in" in "".join(lines)
            and "done: base" in "".join(lines)
        )
        absent.start()
        assert f"all {DAYS + 1} readings" in twin(*command[1].split(), cwd=tmp_path).stdout
        is_exact(absent, tmp_path / "a")


def test_send_of_a_run_with_every_mechanism(server: Prometheus, tmp_path: Path) -> None:
    """A finished run goes to the server by `twin send`: all, exactly; sent again, nothing goes."""
    more = settings(
        f"duration={DAYS}d", "policies=[]", "campaigns.begin=1d", "creators.assisted_from=0d"
    )
    twin("run", SCENARIOS / "everything.yaml", "--out", "a", "--quiet", *more, cwd=tmp_path)
    held = server.appended()
    for _ in range(2):
        assert (
            "readings x"
            in called("send", "a", "--remote-write", server.write_url, cwd=tmp_path).stdout
        )
        assert server.appended() - held == size(tmp_path / "a")
    is_exact(server, tmp_path / "a")


def test_export_loaded_by_promtool(finished: Path, tmp_path: Path) -> None:
    """`twin export` prints the command that loads it; a server on that folder has every value
    exactly."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine: install Debian's package prometheus")
    text = called("export", "run", cwd=tmp_path).stdout
    command = re.search(r"promtool .*", text)
    assert command and "retention" in text
    data = tmp_path / "prometheus" / "data"
    subprocess.run(
        command[0].replace("DATA-FOLDER", str(data)).split(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    with running(tmp_path / "prometheus") as loaded:
        is_exact(loaded, finished)


@contextmanager
def guarded(server: Prometheus, token: str) -> Iterator[str]:
    """A proxy before a Prometheus that lets only one token through."""

    class Guard(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Authorization"] == f"Bearer {token}":
                answer = requests.post(
                    server.write_url, data=body, headers=dict(self.headers), timeout=PATIENCE_S
                )
                status, text = answer.status_code, answer.content
            else:
                status, text = 401, b"no such token"
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if status != 204:
                self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}/api/v1/write"
        proxy.shutdown()


def test_a_wrong_token_is_one_line_and_the_run_goes_on(server: Prometheus, tmp_path: Path) -> None:
    """The reason and the mend, once; the token is nowhere; with the right one `twin send` delivers
    everything."""
    with guarded(server, "right-3141") as url:
        done = twin(
            "run",
            BASE,
            "--out",
            "a",
            *SHORT,
            "--remote-write",
            url,
            cwd=tmp_path,
            check=False,
            **{TOKEN: "wrong-2718"},
        )
        told = [line for line in done.stdout.splitlines() if "nothing more is sent" in line]
        assert (
            len(told) == 1 and "401" in told[0] and "no such token" in told[0] and TOKEN in told[0]
        )
        assert (
            done.returncode == 3
            and "done: base" in done.stdout
            and len(done.stderr.splitlines()) == 1
            and f"twin send a --remote-write {url}" in done.stderr
        )
        refused = called(
            "send", "a", "--remote-write", url, cwd=tmp_path, check=False, **{TOKEN: "wrong-2718"}
        )
        assert (
            refused.returncode == 3
            and "401" in refused.stderr
            and "Traceback" not in refused.stderr
        )
        said = done.stdout + done.stderr + refused.stderr
        sent = called(
            "send", "a", "--remote-write", url, cwd=tmp_path, **{TOKEN: "right-3141"}
        ).stdout
        assert f"all {DAYS + 1} readings" in sent
        is_exact(server, tmp_path / "a")
        files = b"".join(
            path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()
        )
        for secret in ("right-3141", "wrong-2718"):
            assert secret not in said + sent and secret.encode() not in files


def test_a_server_without_the_settings_of_simulated_time_is_told_what_it_lacks(
    tmp_path: Path,
) -> None:
    """A second run of the same two months is refused there, and the refusal names the setting."""
    folder = folder_with(tmp_path / "run", np.ones((60, len(ROWS))), done=True)
    with running(tmp_path / "prometheus", config=CONFIG.split("storage:")[0]) as strict:
        called("send", "run", "--remote-write", strict.write_url, cwd=tmp_path)
        renamed(folder, "another")
        refused = called(
            "send", "run", "--remote-write", strict.write_url, cwd=tmp_path, check=False
        )
        assert refused.returncode == 3 and "out_of_order_time_window to 100y" in refused.stderr
        assert (
            "deploy/prometheus/prometheus.yml" in refused.stderr
            and "Traceback" not in refused.stderr
        )


@contextmanager
def swallowing(server: Prometheus) -> Iterator[tuple[str, list[int]]]:
    """A proxy that confirms what is written and drops it, as long as the list has something;
    questions go through to a Prometheus."""
    dropping = [1]

    class Proxy(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not dropping:
                requests.post(
                    server.write_url, data=body, headers=dict(self.headers), timeout=PATIENCE_S
                ).raise_for_status()
            self.send_response(204)
            self.end_headers()

        def do_GET(self) -> None:
            answer = requests.get(f"{server.url}{self.path}", timeout=PATIENCE_S)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}/api/v1/write", dropping
        proxy.shutdown()


def test_what_is_confirmed_and_dropped_is_found_by_reading_it_back(
    server: Prometheus, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that says yes and keeps nothing: one line and a status, and all is sent again once
    it is mended, where it is read back. Without --verify nobody would know."""
    monkeypatch.setattr("twin.readers.reading_back.PATIENCE_S", 0.0)
    manifest = load_manifest(finished)
    parts = (finished, parse_start(manifest["start"]), declared(manifest), identity(manifest))
    with swallowing(server) as (url, dropping):
        sender = Sender(url, *parts, note=print)
        sender.hasten()
        assert sender.run() and "all 13 readings" in sender.outcome()
        line = sender.verify(address(url, ""))
        sender.cursor.close()
        assert " has 0 of " in line and f"reading of {manifest['start']}; something" in line
        assert "twin send " in line and "\n" not in line
        dropping.clear()
        sent = called("send", "run", "--remote-write", url, "--verify", cwd=tmp_path)
    assert "all 13 readings" in sent.stdout and "were read back" in sent.stdout
    is_exact(server, finished)
    # another branch of the run has not arrived
    other = ReadBack(parts[0], parts[1], parts[2], {**parts[3], "branch": "x"})
    assert other.ask(server.url, lambda seconds: True).lost


def test_a_run_reads_back_what_it_sent(server: Prometheus, tmp_path: Path) -> None:
    """In the run itself; an address that cannot be asked is said, with the status."""
    flags = ("run", BASE, *SHORT, "--remote-write", server.write_url)
    done = twin(*flags, "--out", "a", "--verify", cwd=tmp_path)
    assert "all 13 readings" in done.stdout and "were read back" in done.stdout
    nobody = f"http://127.0.0.1:{server.port}/nobody"
    done = twin(*flags, "--out", "b", "--quiet", "--verify", nobody, cwd=tmp_path, check=False)
    assert done.returncode == 3 and not done.stdout and len(done.stderr.splitlines()) == 1
    assert f"could not be read back: {nobody} cannot be asked: it answers 404" in done.stderr


def test_two_at_once_are_refused(server: Prometheus, tmp_path: Path) -> None:
    """While a run sends, `twin send` to the same receiver says so."""
    process = begun(tmp_path, server.write_url)
    until(lambda: delivered(tmp_path / "a") >= 1, process)
    refused = called("send", "a", "--remote-write", server.write_url, cwd=tmp_path, check=False)
    assert refused.returncode == 2 and "another process sends" in refused.stderr
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130


def test_a_series_without_a_reading_is_absent_there_and_not_old(
    server: Prometheus, tmp_path: Path
) -> None:
    """A value, then none for three readings, then one again: queries at those dates find it, do not
    find it, find it."""
    values = np.ones((6, len(ROWS)))
    values[:, 0] = [0.25, np.nan, np.nan, np.nan, 0.75, np.nan]
    folder = folder_with(tmp_path / "run", values, done=True)
    own = {"run_id": "gaps", "scenario": "s", "branch": "main", "replicate": "0"}
    held = server.appended()
    sender = Sender(server.write_url, folder, START, ROWS, own, note=print)
    sender.hasten()
    assert sender.run()
    name = 'twin_likes_total{run_id="gaps",by="human"}'
    first = 1735689600
    seen = [server.value(name, first + k * DAY) for k in range(6)]
    assert np.array_equal(seen, values[:, 0], equal_nan=True)
    assert server.value(name, first + DAY // 2) == 0.25 and np.isnan(
        server.value(name, first + DAY + DAY // 2)
    )
    assert (
        server.appended() - held == 2 * 6 + 2 + 2
    )  # the other two series, the two values, and a marker after each


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", str(BASE), "--remote-write", "http://h:9090"], "http://h:9090/api/v1/write"),
        (["run", str(BASE), "--remote-write", "http://me:geheim@h/w"], "TWIN_REMOTE_WRITE_USER"),
        (["send", "absent", "--remote-write", "http://h/w"], "not a run folder"),
        (["send", "absent"], "--remote-write"),
        (["run", str(BASE), "--verify"], "give --remote-write too"),
        (["send", "absent", "--remote-write", "http://h/w", "--verify"], "does not follow from"),
        (["export", "absent"], "not a run folder"),
        (["export", ".", "--out", "."], "is a folder"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    """Status 2 and the mend; nothing was begun."""
    done = called(*arguments, cwd=tmp_path, check=False)
    assert (
        done.returncode == 2
        and words in done.stderr
        and len(done.stderr.splitlines()) == 1
        and "geheim" not in done.stderr
    )
    assert not (tmp_path / "runs").exists() and (ROOT / "twin").is_dir()
