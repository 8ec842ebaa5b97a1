"""What would make `tests/unit` slow is refused here, with the folder where it belongs."""

import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from twin.engine.simulation import Simulation
from twin.scenario.loading import Scenario

PROCESSES: dict[str, Callable[[], object]] = {
    "a command": lambda: subprocess.run([sys.executable, "--version"]),
    "a shell": lambda: os.system("true"),
    "a fork": os.fork,
    "a spawned process": lambda: multiprocessing.get_context("spawn").Process().start(),
    "a server": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "a client": lambda: socket.create_connection(("127.0.0.1", 9)),
}


def test_a_world_is_refused(small: Callable[..., Scenario]) -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs to tests/worlds"):
        Simulation(small())


@pytest.mark.parametrize("what", PROCESSES)
def test_a_process_is_refused(what: str) -> None:
    with pytest.raises(pytest.fail.Exception, match="belongs to tests/processes"):
        PROCESSES[what]()
