"""The page of the metrics endpoint, whatever the machine's clock says."""

import datetime as dt
from pathlib import Path

import pytest

from twin.readers import endpoint
from twin.readers.listening import Address
from twin.readers.service import Hub
from twin.record.watch import RunInfo
from twin.world.metric import Metric


@pytest.mark.parametrize("uptime", [0.03, 5.0, 1000.3, 16953.27, 70_000.1, 3e6, 9e8])
@pytest.mark.parametrize("small", [False, True])
def test_the_first_scrape_is_never_empty(
    uptime: float, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every uptime of the machine: now less a span, less now, need not be that span in floating
    point."""
    sessions = Metric("sessions", "counter", "sessions", "Sessions.", "consumer", "Visits")
    info = RunInfo("x", dt.date(2025, 1, 1), 86400, 0, [(sessions, {})], Path("x"), {"run_id": "x"})
    service = endpoint.Endpoint(Address("--metrics", "127.0.0.1", 0))
    service.hub = Hub(info, print)
    service.begin(info)
    monkeypatch.setattr(endpoint.time, "monotonic", lambda: uptime)
    page = service.page(False, small)
    assert len(page) > 100 and page is service.page(False, small)
