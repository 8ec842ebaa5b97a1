"""The live page in a real browser: a run with its page, pages opened on it, pictures of it."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import MissingError, chromium
from tests.conftest import PATIENCE_S, ROOT

DRAWN = "#face[data-empty=false]"
"""The large chart, once it shows something."""
DESKTOP, PHONE = {"width": 1440, "height": 1000}, {"width": 375, "height": 812}

HANDSET: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
NAMELESS = """() => [...document.querySelectorAll('button, input, select, textarea, a, summary, svg[role], [role=progressbar]')]
    .filter(one => one.checkVisibility() && !(one.ariaLabel || one.getAttribute('aria-labelledby')
        || one.closest('label')?.textContent.trim() || one.textContent.trim() || one.title))
    .map(one => one.outerHTML.slice(0, 90))"""
FAINT = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data]; };
    const light = ([r, g, b]) => [r, g, b].map(one => one / 255).map(one => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
        .reduce((sum, one, i) => sum + one * [.2126, .7152, .0722][i], 0);
    const ground = one => { for (; one; one = one.parentElement) { const found = rgba(getComputedStyle(one).backgroundColor);
        if (found[3] > 250) return found; } return [255, 255, 255]; };
    const faint = [];
    for (const one of document.querySelectorAll('body *')) {
        const text = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        if (!text || one.tagName === 'TITLE') continue;
        if ( !one.checkVisibility({visibilityProperty: true}) || one.closest(':disabled, .plot')) continue;
        const style = getComputedStyle(one);
        const [a, b] = [light(rgba(one instanceof SVGElement ? style.fill : style.color)), light(ground(one))];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5)
            faint.push(`${one.tagName} ${one.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return faint; }"""
"""Texts whose contrast with their ground is below 4.5 (WCAG AA)."""


class Running:
    """A run in a process of its own, with its live page; ``lines`` are what it has said so far."""

    def __init__(self, here: Path, scenario: Path | None, *arguments: str, out: str = "a") -> None:
        self.folder, self.lines, self.url = here / out, list[str](), ""
        begin = ["run", str(scenario), "--out", out] if scenario else ["resume", out]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "twin", *begin, "--live", *arguments],
            cwd=here,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TWIN_NO_BROWSER": "1"},
        )
        threading.Thread(target=self._hear, daemon=True).start()
        until = time.monotonic() + PATIENCE_S
        while not self.url and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert self.url, self.lines

    def _hear(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if found := re.search(r"live page: (http://\S+)", line):
                self.url = found[1]

    @property
    def base(self) -> str:
        """The page's address without its token."""
        return self.url.partition("/#")[0]

    @property
    def token(self) -> str:
        """The token."""
        return self.url.partition("token=")[2]

    def stop(self) -> None:
        """End it, wherever it is."""
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@contextmanager
def running(here: Path, scenario: Path | None, *arguments: str) -> Generator[Running, None, None]:
    """A run with its page, or one that is resumed; ended at the end."""
    run = Running(here, scenario, *arguments)
    try:
        yield run
    finally:
        run.stop()


@contextmanager
def browser() -> Generator[Any, None, None]:
    """A headless Chromium; skips where there is none."""
    try:
        with chromium() as opened:
            yield opened
    except MissingError as error:
        pytest.skip(str(error))


def visit(
    opened: Any, url: str, *, before: str = "", **context: Any
) -> tuple[Any, list[str], list[str]]:
    """A page in a context of its own, the complaints on its console, and the addresses that it
    asked for; ``before``: a script that comes before its own.
    """
    page = opened.new_context(**({"viewport": DESKTOP} | context)).new_page()
    page.set_default_timeout(1000 * PATIENCE_S)
    if before:
        page.add_init_script(before)
    complaints: list[str] = []
    asked: list[str] = []
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    return page, complaints, asked


def until(page: Any, expression: str, given: Any = None, patience_s: float = PATIENCE_S) -> None:
    """Wait until a JavaScript function is true of its argument. (Playwright's own wait evaluates
    text, which the page allows nobody.)"""
    end = time.monotonic() + patience_s
    while not page.evaluate(expression, given):
        assert time.monotonic() < end, f"{expression} of {given} never came true"
        page.wait_for_timeout(50)


@contextmanager
def pages(url: str, count: int, before: str = "") -> Generator[list[Any], None, None]:
    """So many pages open on a run at once, each drawing; for benchmarks."""
    with browser() as opened:
        made = [visit(opened, url, before=before)[0] for _ in range(count)]
        for page in made:
            page.wait_for_selector(DRAWN)
        yield made


def picture(
    folder: Path, here: Path, scenario: str = "quickstart", *, pace: str = "12", share: float = 0.6
) -> list[Path]:
    """Write live.png, live-dark.png and live-phone.png into ``folder``: a scenario's page, paused
    when ``share`` of it is done."""
    made: dict[str, dict[str, Any]] = {
        "live": {"viewport": DESKTOP, "color_scheme": "light"},
        "live-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
        "live-phone": {
            "viewport": PHONE,
            "color_scheme": "light",
            "device_scale_factor": 2,
            "is_mobile": True,
            "has_touch": True,
        },
    }
    with (
        running(here, ROOT / "scenarios" / f"{scenario}.yaml", "--pace", pace) as run,
        browser() as opened,
    ):
        page, *_ = visit(opened, run.url)
        until(
            page,
            "least => parseInt(document.getElementById('share').textContent) >= least",
            100 * share,
            900,
        )
        page.click("#pause")
        page.wait_for_selector("[data-state=paused]")
        for name, context in made.items():
            page, *_ = visit(opened, run.url, **context)
            page.wait_for_selector("[data-state=paused]")
            if name != "live-phone":
                page.wait_for_selector(DRAWN)
            page.wait_for_timeout(2000)  # until everything is painted
            page.screenshot(path=str(folder / f"{name}.png"))
    return [folder / f"{name}.png" for name in made]
