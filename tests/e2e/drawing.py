"""Dashboards drawn with Grafana's own panel components (grafana_panels/) in a real Chromium, from a
real Prometheus.

No Grafana server takes part: the page resolves variables, steps, legends and annotations itself, as
Grafana documents them, and Grafana's published packages apply the field options and draw. What is
drawn is what `twin grafana push` and `twin grafana annotate` left in a Grafana, be it the contract
server. `Site` brings the built page, that Grafana and the Prometheus behind one address; `Easel` is
the browser, and `Easel.draw` makes one picture and says everything that is wrong with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from tests.chromium import MissingError, chromium
from tests.conftest import PATIENCE_S
from tests.e2e.grafana_contract import Server
from tests.e2e.grafana_place import ADMIN, Place
from tests.e2e.prometheus import COMMAND, Prometheus

PANELS = Path(__file__).parent / "grafana_panels"
DASHBOARDS = Path(__file__).parents[2] / "dashboards"
NODE = (20, 19)
"""What Vite 7 needs."""
WIDTH, HEIGHT = 1440, 900
DRAWN_MS = 1000 * PATIENCE_S
ELSEWHERE = "Pacific/Auckland"
"""The browser's time zone, far from UTC: dashboards are in UTC wherever they are looked at."""
ERROR_MARKS = """[...document.querySelectorAll('[data-testid*="Panel status error"], [data-testid*="Alert error"], .alert-error')]
  .map(each => each.closest('[data-panel]')?.querySelector('h2')?.textContent ?? each.textContent)"""


def built() -> Path:
    """The folder of the built page. Installs its packages and builds it, unless that was done from
    the same files before."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise MissingError("no node and npm on this machine: install nodejs and npm")
    version = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if tuple(map(int, version.removeprefix("v").split(".")[:2])) < NODE:
        raise MissingError(
            f"node {version} is too old to build the drawing page: install {NODE[0]}.{NODE[1]} or "
            f"newer"
        )
    lock = [PANELS / "package-lock.json", PANELS / "package.json"]
    sources = [
        *lock,
        *sorted((PANELS / "src").iterdir()),
        PANELS / "index.html",
        PANELS / "vite.config.js",
    ]
    modules, dist = PANELS / "node_modules", PANELS / "dist"
    if _stamp(modules) != _digest(lock):
        _npm("ci", "--legacy-peer-deps", "--no-audit", "--no-fund", "--ignore-scripts")
        (modules / ".made-from").write_text(_digest(lock))
    if _stamp(dist) != _digest(sources):
        _npm("run", "build")
        (dist / ".made-from").write_text(_digest(sources))
    return dist


def check_types() -> None:
    """Raise if the page's sources do not fit each other or Grafana's types."""
    built()
    _npm("run", "check")


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(
        b"".join(file.name.encode() + file.read_bytes() for file in files)
    ).hexdigest()


def _stamp(folder: Path) -> str:
    """What a folder was made from; empty if it was not finished."""
    stamp = folder / ".made-from"
    return stamp.read_text() if stamp.exists() else ""


def _npm(*command: str) -> None:
    done = subprocess.run(
        ["npm", *command], cwd=PANELS, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"npm {' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )


class Site:
    """The page, a Grafana's dashboards and annotations, and a Prometheus under one address of the
    loopback interface."""

    def __init__(self, prometheus: Prometheus, grafana: Place) -> None:
        self.prometheus, self.grafana = prometheus, grafana
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self, built()))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def source(self) -> dict[str, Any]:
        """The settings of the data source that the dashboards use."""
        found: dict[str, Any] = self.grafana.get("/datasources/uid/simprom")
        return found


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, dist: Path, *args: Any) -> None:
        self.site = site
        super().__init__(*args, directory=str(dist))

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/api/v1/"):
            self._pass_on(self.site.prometheus.url, None)
        elif path.startswith("/api/"):
            self._pass_on(
                self.site.grafana.url, None, authorization=f"Bearer {self.site.grafana.token}"
            )
        else:
            super().do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._pass_on(
            self.site.prometheus.url, body, **{"content-type": self.headers["content-type"]}
        )

    def _pass_on(self, to: str, body: bytes | None, **headers: str) -> None:
        answer = requests.request(
            self.command, to + self.path, data=body, headers=headers, timeout=PATIENCE_S
        )
        self.send_response(answer.status_code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


HINT = "willReadFrequently"
"""Chromium's advice on speed to whoever reads a canvas back, which Grafana's charts do when they
are drawn often enough: nothing is wrong with the picture."""


@dataclass
class Picture:
    """A drawn dashboard: what the page says of itself (src/facts.ts), and what the browser
    noticed."""

    uid: str
    facts: dict[str, Any] = field(default_factory=dict)
    noticed: list[str] = field(default_factory=list)
    """Errors and warnings in the console, exceptions, failed requests, marks of errors."""

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Facts of each panel, in the order in which they were done."""
        found: list[dict[str, Any]] = self.facts["panels"]
        return found

    @property
    def problems(self) -> list[str]:
        """Everything wrong, one line each; empty if the picture is whole."""
        own = [f"{self.uid}: {text}" for text in (*self.facts["problems"], *self.noticed)]
        return own + [
            f"{self.uid}, {panel['type']} '{panel['title']}': {text}"
            for panel in self.panels
            for text in panel["problems"]
        ]


class Easel:
    """A browser that draws the dashboards of a site."""

    def __init__(self, browser: Any, site: Site) -> None:
        self.browser, self.site = browser, site

    @contextlib.contextmanager
    def shown(self, uid: str, theme: str = "light", **query: str) -> Iterator[tuple[Any, Picture]]:
        """A dashboard on the screen, drawn to the end, as playwright's page, and what is known of
        it.

        ``query`` may hold what Grafana's addresses may: ``from``, ``to``, ``var-NAME``.
        """
        page = self.browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme, timezone_id=ELSEWHERE
        )
        try:
            picture = Picture(uid)
            page.on(
                "console",
                lambda message: (
                    picture.noticed.append(f"console {message.type}: {message.text}")
                    if message.type in ("error", "warning") and HINT not in message.text
                    else None
                ),
            )
            page.on("pageerror", lambda error: picture.noticed.append(f"exception: {error}"))
            page.on(
                "requestfailed",
                lambda request: picture.noticed.append(f"request failed: {request.url}"),
            )
            page.on(
                "response",
                lambda answer: (
                    picture.noticed.append(f"{answer.status}: {answer.url}")
                    if answer.status >= 400
                    else None
                ),
            )
            least = self.site.source().get("jsonData", {}).get("timeInterval", "")
            page.goto(
                f"{self.site.url}/?{urlencode({'dashboard': uid, 'theme': theme, 'interval': least, **query})}"
            )
            page.wait_for_function("window.drawing && window.drawing.done", timeout=DRAWN_MS)
            page.evaluate("document.fonts.ready")
            picture.facts = page.evaluate("window.drawing")
            picture.noticed += [f"mark of an error: {each}" for each in page.evaluate(ERROR_MARKS)]
            yield page, picture
        finally:
            page.close()

    def draw(self, uid: str, into: Path, theme: str = "light", **query: str) -> Picture:
        """Draw a dashboard, and save it whole as PNG."""
        with self.shown(uid, theme, **query) as (page, picture):
            into.parent.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=into, full_page=True, animations="disabled")
            return picture


@contextlib.contextmanager
def easel(site: Site) -> Iterator[Easel]:
    """An Easel on the Chromium of this machine. Raises MissingError."""
    with chromium("--force-color-profile=srgb") as opened:
        yield Easel(opened, site)


@dataclass
class Studio:
    """Everything that a user of runs has: their readings in a Prometheus, their marks and the
    dashboards in a Grafana, and a browser."""

    folder: Path
    prometheus: Prometheus
    grafana: Place
    easel: Easel

    def add(self, run: Path) -> None:
        """Send a run's readings and annotate it."""
        copy = (
            self.folder / "runs" / f"{len(list(self.folder.glob('runs/*')))}"
        )  # sending leaves a cursor in a run's folder
        shutil.copytree(run, copy, ignore=shutil.ignore_patterns("checkpoints"))
        self.grafana.twin("send", copy, "--remote-write", self.prometheus.write_url)
        self.grafana.twin("grafana", "annotate", copy)

    def follow(self, calibrated: Path) -> dict[str, str]:
        """Send a twin's forecasts and its platform; gives what the address that is printed asks the
        dashboard to show."""
        told = self.grafana.twin(
            "forecast",
            calibrated,
            "--out",
            self.folder / "forecast.txt",
            "--remote-write",
            self.prometheus.write_url,
        )
        return dict(parse_qsl(urlsplit(told.stdout.split("dashboard: ")[1].strip()).query))

    def push(self, *, run: Path | None = None, dashboards: Path = DASHBOARDS) -> None:
        """Bring dashboards to the Grafana, turned to the dates of a run."""
        turned = ("--run", run) if run else ()
        self.grafana.twin(
            "grafana",
            "push",
            "--dashboards",
            dashboards,
            "--prometheus",
            self.prometheus.url,
            *turned,
        )


@contextlib.contextmanager
def studio(folder: Path, scraped: int) -> Iterator[Studio]:
    """An empty Studio. A run in progress that serves --metrics at the port ``scraped`` is scraped
    each second. Raises MissingError."""
    if shutil.which(COMMAND) is None:
        raise MissingError("no prometheus on this machine: install Debian's package prometheus")
    built()
    more = f"scrape_configs: [{{job_name: twin, scrape_interval: 1s, static_configs: [{{targets: ['127.0.0.1:{scraped}']}}]}}]\n"
    with Prometheus(folder / "prometheus", more=more) as prometheus, Server() as server:
        grafana = Place(server.url, ADMIN, server.contract)
        while not prometheus.query(
            "up", time.time()
        ):  # samples of now come before those of simulated time, as on a server in use
            time.sleep(0.1)
        with Site(prometheus, grafana) as site, easel(site) as ready:
            yield Studio(folder, prometheus, grafana, ready)


def drawable(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard's JSON that are to be drawn: all but headings, those in collapsed
    rows too."""
    inside = [each for panel in dashboard["panels"] for each in (panel, *panel.get("panels", ()))]
    return [panel for panel in inside if panel["type"] != "row"]


def saved(folder: Path) -> dict[str, dict[str, Any]]:
    """The dashboards of a folder by uid."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
