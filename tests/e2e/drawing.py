"""Dashboards drawn with Grafana's own panel components (grafana_panels/) in a real Chromium, from a real Prometheus.

No Grafana server takes part: the page resolves variables, steps and legends itself, as Grafana documents them, and Grafana's published
packages apply the field options and draw. `Site` serves the built page, the dashboards, marks, and Prometheus's API behind one address;
`Easel` is the browser, and `Easel.draw` makes one picture and says everything that is wrong with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

PANELS = Path(__file__).parent / "grafana_panels"
DASHBOARDS = Path(__file__).parents[2] / "dashboards"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--force-color-profile=srgb"]
WIDTH, HEIGHT = 1440, 900
DRAWN_MS = 60_000


class MissingError(Exception):
    """Something that drawing needs is not on this machine; the text says what and how to get it."""


def built() -> Path:
    """The folder of the built page. Installs its packages and builds it, unless that was done from the same files before."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise MissingError("no node and npm on this machine: install Debian's packages nodejs and npm (node 20 or newer)")
    lock = [PANELS / "package-lock.json", PANELS / "package.json"]
    sources = [*lock, *sorted((PANELS / "src").iterdir()), PANELS / "index.html", PANELS / "vite.config.js"]
    modules, dist = PANELS / "node_modules", PANELS / "dist"
    if _stamp(modules) != _digest(lock):
        _npm(npm, "ci", "--legacy-peer-deps", "--no-audit", "--no-fund", "--ignore-scripts")
        (modules / ".made-from").write_text(_digest(lock))
    if _stamp(dist) != _digest(sources):
        _npm(npm, "run", "build")
        (dist / ".made-from").write_text(_digest(sources))
    return dist


def checked() -> None:
    """Raise if the types of the page's sources do not agree with each other and with Grafana's."""
    built()
    _npm(shutil.which("npm") or "npm", "run", "check")


def _digest(files: Sequence[Path]) -> str:
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()


def _stamp(folder: Path) -> str:
    """What a folder was made from; empty if it was not finished."""
    stamp = folder / ".made-from"
    return stamp.read_text() if stamp.exists() else ""


def _npm(npm: str, *command: str) -> None:
    done = subprocess.run([npm, *command], cwd=PANELS, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm {' '.join(command)} failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


class Site:
    """The page, dashboards, marks and Prometheus under one address of the loopback interface.

    ``marks`` are annotations as Grafana's API gives them: time (milliseconds), timeEnd, text, tags.
    """

    def __init__(self, prometheus: str, dashboards: Path = DASHBOARDS, marks: Sequence[Mapping[str, Any]] = ()) -> None:
        self.prometheus, self.dashboards, self.marks = prometheus, dashboards, marks
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self, built()))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, dist: Path, *args: Any) -> None:
        self.site = site
        super().__init__(*args, directory=str(dist))

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        if path.startswith("/api/v1/"):
            self._pass_on("GET", None)
        elif path == "/api/annotations":
            self._give(200, json.dumps(self._annotations(query)).encode())
        elif path.startswith("/dashboards/"):
            file = self.site.dashboards / Path(path).name
            self._give(200, file.read_bytes()) if file.exists() else self._give(404, b"{}")
        else:
            super().do_GET()

    def do_POST(self) -> None:
        self._pass_on("POST", self.rfile.read(int(self.headers["content-length"])))

    def _annotations(self, query: Mapping[str, Sequence[str]]) -> list[Mapping[str, Any]]:
        """Those within the time that have all the tags, or any."""
        wanted = set(query.get("tags", ()))
        enough = (lambda tags: bool(wanted & tags)) if query.get("matchAny") == ["true"] else wanted.issubset
        return [each for each in self.site.marks if int(query["from"][0]) <= each["time"] <= int(query["to"][0]) and enough(set(each["tags"]))]

    def _pass_on(self, method: str, body: bytes | None) -> None:
        answer = requests.request(method, self.site.prometheus + self.path, data=body, timeout=60,
                                  headers={"content-type": self.headers.get("content-type", "")})
        self._give(answer.status_code, answer.content)

    def _give(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Picture:
    """A drawn dashboard: what the page says of itself (src/facts.ts), and what the browser noticed."""

    uid: str
    facts: dict[str, Any]
    noticed: list[str] = field(default_factory=list)
    """Console errors and warnings of the page, exceptions, failed requests, marks of errors."""

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Facts of each panel."""
        found: list[dict[str, Any]] = self.facts["panels"]
        return found

    @property
    def problems(self) -> list[str]:
        """Everything wrong, one line each; empty if the picture is whole."""
        own = [f"{self.uid}: {text}" for text in (*self.facts["problems"], *self.noticed)]
        return own + [f"{self.uid}, {panel['type']} '{panel['title']}': {text}" for panel in self.panels for text in panel["problems"]]


class Easel:
    """A browser that draws the dashboards of a site. ``least`` is the data source's setting of how far apart points may lie."""

    def __init__(self, browser: Any, site: Site, least: str = "1d") -> None:
        self.browser, self.site, self.least = browser, site, least

    @contextlib.contextmanager
    def shown(self, uid: str, theme: str = "light", **query: str) -> Iterator[tuple[Any, Picture]]:
        """A dashboard on the screen, drawn to the end, as a page of playwright and what is known of it; ``query`` may hold
        ``from``, ``to`` and ``var-NAME``."""
        page = self.browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=theme, timezone_id="America/New_York")
        try:
            picture = Picture(uid, {})
            page.on("console", lambda message: picture.noticed.append(f"console {message.type}: {message.text}")
                    if message.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: picture.noticed.append(f"exception: {error}"))
            page.on("requestfailed", lambda request: picture.noticed.append(f"request failed: {request.url}"))
            page.on("response", lambda response: picture.noticed.append(f"{response.status}: {response.url}") if response.status >= 400 else None)
            page.goto(f"{self.site.url}/?{urlencode({'dashboard': uid, 'theme': theme, 'interval': self.least, **query})}")
            page.wait_for_function("window.drawing && window.drawing.done", timeout=DRAWN_MS)
            page.evaluate("document.fonts.ready")
            picture.facts = page.evaluate("window.drawing")
            picture.noticed += [f"mark of an error: {each}" for each in page.evaluate(ERROR_MARKS)]
            yield page, picture
        finally:
            page.close()

    def draw(self, uid: str, into: Path | None = None, theme: str = "light", **query: str) -> Picture:
        """Draw a dashboard, and save it as PNG."""
        with self.shown(uid, theme, **query) as (page, picture):
            if into is not None:
                into.parent.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=into, full_page=True, animations="disabled")
            return picture


ERROR_MARKS = """[...document.querySelectorAll('[data-testid*="Panel status error"], [data-testid*="Alert error"], .alert-error')]
  .map(each => each.closest('[data-panel]')?.querySelector('h2')?.textContent ?? each.textContent)"""


@contextlib.contextmanager
def easel(site: Site, **more: Any) -> Iterator[Easel]:
    """An Easel on Debian's Chromium. Raises MissingError."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise MissingError("no chromium on this machine: install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield Easel(browser, site, **more)
        finally:
            browser.close()
