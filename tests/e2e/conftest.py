"""Grafanas for end-to-end tests, dashboards to put there, and the small year, made once for all
that read it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import live_page
from tests.e2e.everything_small import branch_of_everything_small, everything_small
from tests.e2e.grafana_contract import Server
from tests.e2e.grafana_place import ADMIN, REAL, Place
from tests.e2e.pages import fresh
from tests.given.calibrated import calibrated

__all__ = ["branch_of_everything_small", "calibrated", "everything_small", "fresh"]
DASHBOARD = {
    "uid": "twin-test-a",
    "title": "Test: two sides",
    "schemaVersion": 39,
    "id": 7,
    "version": 3,
    "tags": ["twin"],
    "panels": [],
    "time": {"from": "2024-01-01T00:00:00.000Z", "to": "2025-01-01T00:00:00.000Z"},
    "templating": {
        "list": [
            {"name": "run", "type": "query"},
            {"name": "branch", "type": "query", "multi": True},
        ]
    },
}


@pytest.fixture(params=["contract", "real"] if REAL else ["contract"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """The contract and, where there is one, a real Grafana."""
    if request.param == "real":
        there = Place(os.environ["GRAFANA_URL"].rstrip("/"), os.environ["GRAFANA_TOKEN"], None)
        there.sweep()
        yield there
        there.sweep()
        return
    with Server() as server:
        yield Place(server.url, ADMIN, server.contract)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One real browser for all tests of a file."""
    with live_page.browser() as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """A folder with two dashboards."""
    folder = tmp_path / "boards"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(DASHBOARD))
    (folder / "b.json").write_text(
        json.dumps(
            {
                **DASHBOARD,
                "uid": "twin-test-b",
                "title": "Test: policy",
                "time": {"from": "now-15m", "to": "now"},
            }
        )
    )
    return folder
