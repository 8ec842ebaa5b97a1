"""What reads a run in the benchmark of readers, in a process of its own: `python -m
tests.benchmarks.attached metrics|live|world NUMBER`.

It takes the address from standard input, says ``open`` when it reads, reads until standard input
ends, and says what it did.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time

import requests

from tests.live_page import pages


def scrape(url: str, every_s: float) -> str:
    """Scrape as Prometheus does: OpenMetrics, gzip, at a steady pace."""
    over, waits = threading.Event(), list[float]()

    def keep_scraping() -> None:
        with requests.Session() as session:
            session.headers["Accept"] = "application/openmetrics-text; version=1.0.0"
            while not over.wait(every_s):
                began = time.perf_counter()
                session.get(url, timeout=60).raise_for_status()
                waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=keep_scraping)
    thread.start()
    print("open", flush=True)
    sys.stdin.read()
    over.set()
    thread.join()
    return f"{len(waits)} scrapes, median {1e3 * statistics.median(waits):.1f} ms"


STOPPED = """(() => {
    const now = performance.now.bind(performance);
    let away = 0, last = now();
    const beat = () => { const next = now(); if (next - last > 1500) away += next - last; last = next; };
    setInterval(beat, 500);
    performance.now = () => { beat(); return now() - away; };
})()"""
"""A page's clock that stands while the page is stopped: else it would draw at the end of each stop
what became due meanwhile."""


UNFOLDED = "localStorage.setItem('world', 'open')"
"""A page with its view of the world unfolded."""


def open_pages(url: str, count: float, before: str = STOPPED) -> str:
    """Hold that many pages open, each with its first pictures drawn."""
    with pages(url, int(count), before):
        print("open", flush=True)
        sys.stdin.read()
    return f"{count:g} pages"


if __name__ == "__main__":
    readers = {
        "metrics": scrape,
        "live": open_pages,
        "world": lambda url, count: open_pages(url, count, f"{STOPPED}; {UNFOLDED}"),
    }
    print(readers[sys.argv[1]](input(), float(sys.argv[2])))
