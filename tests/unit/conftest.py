"""What keeps `tests/unit` fast: here no world is simulated, no process started, no address used.

A test that tries fails with a sentence that says where it belongs.
"""

import sys
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
import urllib3  # noqa: F401 (tries an address when it is imported, to see whether there is IPv6)

from twin.engine.simulation import Simulation

PROCESSES = "starts processes or servers: it belongs to tests/processes"
REFUSED = {
    "subprocess.Popen": PROCESSES,
    "os.fork": PROCESSES,
    "os.posix_spawn": PROCESSES,
    "os.system": PROCESSES,
    "socket.bind": PROCESSES,
    "socket.connect": PROCESSES,
}
"""Events of Python's audit (https://docs.python.org/3/library/audit_events.html)."""
_here = {"refuse": False}


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if _here["refuse"] and event in REFUSED:
        pytest.fail(f"a test under tests/unit {REFUSED[event]} ({event})")


sys.addaudithook(_refuse)


@pytest.fixture(scope="package", autouse=True)
def alone() -> Iterator[None]:
    """In force from the first test of this folder to the last, fixtures of every scope included."""

    def no_world(*_: Any, **__: Any) -> None:
        pytest.fail("a test under tests/unit runs a simulated world: it belongs to tests/worlds")

    def no_process(*_: Any, **__: Any) -> None:
        pytest.fail(f"a test under tests/unit {PROCESSES}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Simulation, "__init__", no_world)
        patch.setattr(BaseProcess, "start", no_process)  # spawning raises no audit event
        patch.setitem(_here, "refuse", True)
        yield
