"""A Grafana for tests, and the command line with a token for it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import PATIENCE_S, ROOT
from tests.e2e.grafana_contract import Contract
from tests.given.inside import called

ADMIN, EDITOR, VIEWER = "glsa_admin_1", "glsa_editor_1", "glsa_viewer_1"
PROMETHEUS = "http://prometheus.test:9090"
THEIRS = ("GRAFANA_", "PROMETHEUS_URL")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(THEIRS)}
REAL = bool(os.environ.get("GRAFANA_URL") and os.environ.get("GRAFANA_TOKEN"))


@dataclass
class Place:
    """A Grafana and a token for it."""

    url: str
    token: str
    contract: Contract | None

    def twin(
        self, *args: str | Path, check: bool = True, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """The command line, with the token in its environment."""
        given = {"GRAFANA_URL": self.url, "GRAFANA_TOKEN": self.token, **env}
        with pytest.MonkeyPatch.context() as patch:
            for name in [each for each in os.environ if each.startswith(THEIRS)]:
                patch.delenv(name)
            done = called(*args, cwd=ROOT, check=check, **given)
        assert self.token not in done.stdout + done.stderr
        return done

    def get(self, path: str) -> Any:
        """What the API gives, read without the code under test."""
        reply = requests.get(
            f"{self.url}/api{path}",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=PATIENCE_S,
        )
        return reply.json() if reply.ok else reply.status_code

    def marks(self, run: str) -> list[dict[str, Any]]:
        """The annotations of a run, oldest first."""
        found = self.get(f"/annotations?limit=5000&tags=twin&tags=run:{run}")
        return sorted(found, key=lambda each: (each["time"], each["text"]))

    def sweep(self) -> None:
        """Leave a real Grafana as it was found."""
        headers = {"Authorization": f"Bearer {self.token}"}
        for uid in ("twin-test-a", "twin-test-b"):
            requests.delete(
                f"{self.url}/api/dashboards/uid/{uid}", headers=headers, timeout=PATIENCE_S
            )
        for run in ("test-run-1", "test-run-2"):
            for each in self.marks(run):
                requests.delete(
                    f"{self.url}/api/annotations/{each['id']}", headers=headers, timeout=PATIENCE_S
                )
