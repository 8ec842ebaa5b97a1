"""The metrics endpoint: a run's latest reading and its health, for Prometheus to scrape (`twin run
SCENARIO --metrics :9464`).

``/metrics`` has every series of the latest reading, all of one reading, and `health`, as text or
OpenMetrics, by prometheus-client. Timestamps are the scraper's wall clock; for simulated time
use remote write. Series without a value are left out. A reading is rendered once, when the first
scraper asks for it; scraping never interrupts the run.
"""

from __future__ import annotations

import gzip
import html
import time
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.registry import Collector
from tornado.web import Application, RequestHandler

from twin.readers import listening
from twin.readers.health import readings
from twin.readers.limits import Limited, local_name
from twin.readers.listening import Address
from twin.readers.pulse import Pulse
from twin.readers.service import Service
from twin.record.names import series
from twin.record.watch import Frame, RunInfo

FRESH_S = 0.1
"""Wall-clock seconds for which health rendered for one scraper is served to others."""
BODY_BYTES = 4096
"""Bytes of a request's body, which no answer depends on."""
OPENMETRICS = "application/openmetrics-text"
EOF = b"# EOF\n"
"""The end of an OpenMetrics text."""


class Endpoint(Service):
    """The service; ``address`` must have been tried already."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def begin(self, info: RunInfo) -> None:
        """Take the declarations."""
        self.pulse = Pulse(
            info,
            lambda: {
                name: length
                for service in self.hub.services
                for name, length in service.waiting().items()
            },
        )
        self._sessions = [metric.name for metric, _ in info.rows].index("sessions")
        # Apart, since the text of a reading is kept until the next one, and health is not
        self._catalogue, self._health = CollectorRegistry(), CollectorRegistry()
        self._catalogue.register(_Catalogue(self))
        self._health.register(_Health(self))
        self._read: dict[bool, bytes] = {}
        self._pages: dict[tuple[bool, bool], tuple[float, bytes]] = {}

    def reading(self, now_s: int, values: NDArray[np.float64]) -> None:
        """A new reading: pages rendered of the last one are stale."""
        self.pulse.reading(now_s, float(values[self._sessions]))
        self._read.clear()
        self._pages.clear()

    def update(self, frame: Frame) -> None:
        """Note it."""
        self.pulse.take(frame)

    async def open(self) -> str:
        """Listen."""
        sockets = self.address.bind()
        port = sockets[0].getsockname()[1]
        pages = [
            (path, page, {"endpoint": self})
            for path, page in (
                ("/metrics", _MetricsPage),
                ("/-/healthy", _HealthyPage),
                ("/", _FrontPage),
            )
        ]
        self._server = Limited(
            Application(
                pages,
                default_handler_class=_NoPage,
                default_handler_args={"endpoint": self},
                # The terminal belongs to the run
                log_function=lambda page: None,
            ),
            body_bytes=BODY_BYTES,
        )
        self._server.add_sockets(sockets)
        place = Address(self.address.flag, self.address.host, port).shown
        line = f"metrics at http://{place}/metrics"
        if not self.address.local:
            line += (
                f"\nwarning: {self.address.flag} {place} can be reached from other machines "
                f"without a password"
            )
        return line

    async def close(self, complete: bool) -> str:
        """Stop listening."""
        await listening.close(self._server)
        return ""

    def page(self, openmetrics: bool, small: bool) -> bytes:
        """The exposition now, gzipped if ``small``."""
        now = time.monotonic()
        rendered, page = self._pages.get((openmetrics, small), (float("-inf"), b""))
        if now - rendered >= FRESH_S:
            if small:
                # From the plain page, which is kept too
                page = gzip.compress(self.page(openmetrics, False), compresslevel=1)
            else:
                encode, _ = choose_encoder(OPENMETRICS if openmetrics else "")
                if openmetrics not in self._read:
                    # Health follows, and only the last part may end the text
                    self._read[openmetrics] = encode(self._catalogue).removesuffix(EOF)
                page = self._read[openmetrics] + encode(self._health)
            self._pages[openmetrics, small] = (now, page)
        return page


class _Catalogue(Collector):
    """The latest reading."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        info = endpoint.pulse.info
        named = zip(info.rows, series(info.rows, info.labels), strict=True)
        # All samples of a metric together, as the format wants them
        self.metrics = [
            (metric, [(place, labels) for place, (_, (_, labels)) in group])
            for metric, group in groupby(enumerate(named), lambda item: item[1][0][0])
        ]

    def collect(self) -> Iterator[Metric]:
        """All metrics that have a value."""
        values = self.endpoint.hub.values.tolist()
        # Empty before the first reading
        if values:
            for metric, places in self.metrics:
                known = [
                    (labels, values[place])
                    for place, labels in places
                    # A NaN differs from itself
                    if values[place] == values[place]
                ]
                if known:
                    yield _family(
                        f"twin_{metric.name}",
                        "counter" if metric.kind == "counter" else "gauge",
                        metric.help,
                        known,
                    )


class _Health(Collector):
    """The run's own health."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.pulse = endpoint.pulse

    def collect(self) -> Iterator[Metric]:
        """All numbers that have a value."""
        for each, values in readings(self.pulse, time.monotonic()):
            known = [
                ({each.label: name} if each.label else {}, value) for name, value in values.items()
            ]
            yield _family(
                f"twin_run_{each.name}",
                each.kind,
                each.help,
                [({**own, **self.pulse.info.labels}, value) for own, value in known],
            )


def _family(
    name: str, kind: str, text: str, samples: Iterable[tuple[dict[str, str], float]]
) -> Metric:
    """One metric with its samples; in this library a counter's name has no ``_total``, but the
    names of its samples have."""
    family = Metric(name, text, kind)
    for labels, value in samples:
        family.add_sample(name + ("_total" if kind == "counter" else ""), labels, value)
    return family


class _Page(RequestHandler):
    """What all pages share."""

    def initialize(self, endpoint: Endpoint) -> None:
        """Keep the service."""
        self.endpoint = endpoint

    def set_default_headers(self) -> None:
        """A browser caches nothing, guesses no type and runs no script."""
        self.clear_header("Server")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'")

    def prepare(self) -> None:
        """On loopback, refuse names of other machines."""
        host, address = self.request.headers.get("Host"), self.endpoint.address
        if host is not None and address.local and not local_name(host, address.host):
            self.send_error(403, reason="Forbidden: this machine's own name alone is served")

    def compute_etag(self) -> str | None:
        """None: a scraper does not ask for what it has."""
        return None

    def head(self) -> None:
        """As GET; tornado leaves the body out."""
        self.get()

    def write_error(self, status_code: int, **more: Any) -> None:
        """One line."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code} {self._reason}; see /metrics\n")


class _MetricsPage(_Page):
    """The exposition."""

    def get(self) -> None:
        """In the form that the scraper asks for."""
        openmetrics = OPENMETRICS in self.request.headers.get("Accept", "")
        small = gzip_accepted(self.request.headers.get("Accept-Encoding", ""))
        self.set_header("Content-Type", choose_encoder(OPENMETRICS if openmetrics else "")[1])
        self.set_header("Vary", "Accept, Accept-Encoding")
        if small:
            self.set_header("Content-Encoding", "gzip")
        self.finish(self.endpoint.page(openmetrics, small))


class _HealthyPage(_Page):
    """Whether the process beside the run answers."""

    def get(self) -> None:
        """It does."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("healthy\n")


class _FrontPage(_Page):
    """Where to look."""

    def get(self) -> None:
        """The run's name and a link."""
        title = html.escape(f"twin: {self.endpoint.hub.info.name}")
        self.finish(
            f'<!doctype html><html lang="en"><meta '
            f'charset="utf-8"><title>{title}</title><h1>{title}</h1>'
            '<p><a href="/metrics">/metrics</a></p></html>\n'
        )


class _NoPage(_Page):
    """Everything else."""

    def prepare(self) -> None:
        """There is none."""
        super().prepare()
        if not self._finished:
            self.send_error(404)
