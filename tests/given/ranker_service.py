"""Brings up the service of `ranker_server`, and kills it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PATIENCE_S
from tests.given.ports import free_port

SERVER = Path(__file__).parent / "ranker_server.py"


@contextmanager
def service(mode: str = "", port: int = 0, token: str = "", since: int = 0) -> Iterator[str]:
    """A service at work while the block lasts, in a process that is killed at its end; its
    address."""
    port = port or free_port()
    command = [sys.executable, str(SERVER), str(port), mode, token, str(since)]
    process = subprocess.Popen(command)
    try:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/rank"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
