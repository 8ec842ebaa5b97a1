"""The real browser that tests, pictures and benchmarks drive: this machine's Chromium, or the one
that TWIN_CHROMIUM names."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


class MissingError(Exception):
    """Something that a test needs is not on this machine; the text says what and how to get it."""


@contextmanager
def chromium(*flags: str) -> Generator[Any, None, None]:
    """A headless browser. Raises MissingError."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise MissingError("no playwright on this machine: pip install playwright") from None
    path = next(
        filter(None, map(shutil.which, (os.environ.get("TWIN_CHROMIUM", NAMES[0]), *NAMES))), None
    )
    if path is None:
        raise MissingError(
            "no chromium on this machine: install Debian's package chromium (or set TWIN_CHROMIUM)"
        )
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=[*FLAGS, *flags])
        try:
            yield opened
        finally:
            opened.close()
