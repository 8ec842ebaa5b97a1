"""`twin forecast`: what a calibrated twin foretells, beside its platform, as text and as series."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

from twin.experiments.following import read, words
from twin.experiments.following.read import Beside
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.readers import forecast_send, forecast_series, openmetrics
from twin.readers.dashboards.frame import PLATFORM
from twin.readers.forecast_series import Series, noon
from twin.readers.receiver import checked

Tell = Callable[[str], None]
BEFORE_D = 28
"""Most days before the first forecast at which the dashboard opens."""


def forecast(
    out: Path, on: str | None, file: Path | None, url: str | None, say: Tell, warn: Tell
) -> None:
    """Print the forecast, write it as OpenMetrics text to ``file`` (default: openmetrics.txt in the
    folder), and send it to ``url``.

    Raises UsageError before anything is done, and Undone if not all was sent.
    """
    into = file or out / "openmetrics.txt"
    if into.is_dir():
        raise UsageError(f"--out {into}: is a folder (give a file)")
    if file and not into.parent.is_dir():
        raise UsageError(f"--out {into}: there is no folder {into.parent} (make it first)")
    receiver = checked(url) if url else None
    beside = read.read(out, on)
    those = series(beside)
    for line in words.lines(beside):
        say(line)
    forecast_series.export(into, those, beside.identity)
    for line in _written(into, those):
        say(line)
    if receiver:
        now = dt.datetime.now(dt.UTC)
        kept, later = forecast_send.now_and_later(those, now)
        if later:
            warn(
                f"remote write: {later:,} samples of days to come are not sent: Prometheus takes "
                f"none from after now (give the command again each day; {into} has all)"
            )
        say(forecast_send.send(receiver, kept, beside.identity, warn))
    say(f"dashboard: {address(beside)}")


def series(beside: Beside) -> list[Series]:
    """Everything as series."""
    return [
        *forecast_series.forecast(beside.foretold),
        *forecast_series.observed(beside.observed),
    ]


def _written(file: Path, those: list[Series]) -> Iterator[str]:
    yield f"{file}: {forecast_series.count(those)}; load them into a Prometheus with:"
    yield f"  {openmetrics.command(file)}"


def address(beside: Beside) -> str:
    """Where in a Grafana the dashboard opens at these days."""
    days = [day for fans in beside.foretold.values() for day, _ in fans]
    known = [day for values in beside.observed.values() for day in values]
    first = max(noon(min(days)) - BEFORE_D * DAY, noon(min([*known, *days])) - DAY)
    last = noon(max(days)) + DAY
    query = {
        "from": first * 1000,
        "to": last * 1000,
        "var-calibration": beside.identity["calibration"],
    }
    return f"/d/{PLATFORM}?{urlencode(query)}"
