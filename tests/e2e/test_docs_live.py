"""Commands of the pages about watching and steering a run, and about Prometheus and Grafana."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PATIENCE_S
from tests.e2e import pages
from tests.e2e.grafana_contract import Server
from tests.e2e.grafana_place import ADMIN
from tests.e2e.prometheus import Prometheus

COMMANDS = pages.commands(*pages.GROUPS["test_docs_live.py"])
BEHIND: list[subprocess.Popen[bytes]] = []


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `deploy/` brings up, at the addresses that the page names: a real Prometheus, and
    Grafana's contract server."""
    with Prometheus(tmp_path_factory.mktemp("prometheus"), port=9090), Server(port=3000):
        yield {"GRAFANA_TOKEN": ADMIN, "TWIN_NO_BROWSER": "1"}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, fresh: Path, around: dict[str, str]) -> None:
    """Each does what it says without an error."""
    if command.endswith("&"):
        BEHIND.append(pages.begun(command.removesuffix("&"), fresh))
    elif command == "wait":
        assert BEHIND.pop().wait(PATIENCE_S) == 0
    elif command == "twin resume runs/short":
        assert "already finished" in pages.bash(command, fresh)
    else:
        pages.bash(command, fresh, **around)
