"""Runs where the machine makes it hard: another encoding, folders that cannot be written."""

from __future__ import annotations

import http.server
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import SCENARIOS, twin
from twin.scenario.describe import digest
from twin.scenario.loading import load

SMALL = f"""
extends: {SCENARIOS / "base.yaml"}
name: small
warm_up: 0d
duration: 1h
policies: []
mechanisms: {{audience: {{initial: 60}}, creators: {{human: {{initial: 10}}, ai: {{initial: 2}}}}}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario of an hour."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_a_run_in_ascii(small: Path, tmp_path: Path) -> None:
    """`LC_ALL=C` without Python's UTF-8 mode: the report has characters that ASCII lacks, as has
    the scenario."""
    small.write_text(SMALL.replace("name: small", "name: K\u00f6ln \u2588"), encoding="utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = twin("run", small, cwd=tmp_path, **plain)
    assert "done: K\\xf6ln" in done.stdout and not done.stderr
    for name in ("scenario.yaml", "report.html"):
        assert "K\u00f6ln" in (tmp_path / "runs" / "K-ln---1" / name).read_text(encoding="utf-8")


def test_a_quiet_run_says_what_did_not_arrive(small: Path, tmp_path: Path) -> None:
    """A receiver that refuses all: one line, how to send it later, and a status of its own."""

    class Refusing(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_error(400, "Bad Request", "no")

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/api/v1/write"
        # to the end of the calendar: warned of before anything is sent
        late = ("--set", "start=9999-12-29", "--out", "run", "--quiet")
        done = twin("run", small, *late, "--remote-write", url, cwd=tmp_path, check=False)
        receiver.shutdown()
    assert (done.returncode, done.stdout) == (3, "")
    warning, error = done.stderr.splitlines()
    assert warning.startswith("warning: remote write: the run ends on 9999-12-29, which is not")
    assert error.startswith(f"error: remote write: 1 of 1 readings are not in {url} yet (400")
    assert error.endswith(f"twin send run --remote-write {url}")
    assert (tmp_path / "run" / "report.html").exists()


def same_digest(path: str) -> str:
    """What another process makes of a scenario."""
    return digest(load(path))


def test_a_process_of_a_fork_server(small: Path) -> None:
    """A scenario is the same there: nothing hangs on what a fork would inherit. (What is beside a
    run, and the workers of experiments, are spawned.)"""
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        assert pool.apply(same_digest, (str(small),)) == digest(load(small))


def test_output_that_nobody_takes(small: Path, tmp_path: Path) -> None:
    """A full disk behind standard output is one line; a reader that has gone (`head`) is none."""
    command = [sys.executable, "-m", "twin", "check", str(small)]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, b"error: the disk is full (make room)\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, cwd=tmp_path)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
