"""Reads back what a receiver of remote write has confirmed: whether it is there.

A receiver that says yes may still drop what it took: a proxy in between, a retention time shorter
than the simulated past. So the first and the last reading of the run are asked of its query
interface (Prometheus's HTTP API, /api/v1/query) and compared series by series, bit by bit. The
first is the one that a retention time drops. A receiver may show readings late, hence PATIENCE_S.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from twin.ground.answers import Session, plain
from twin.ground.errors import UsageError
from twin.ground.hosts import is_host
from twin.ground.units import at
from twin.readers.backlog import stored
from twin.readers.dashboards.queries import escaped
from twin.readers.receiver import TIMEOUT_S, Auth, shown
from twin.record.names import series
from twin.record.watch import Rows

PATIENCE_S, STEP_S = 10.0, 0.25
"""Wall-clock seconds for which readings may be late, and between two questions."""
ENDS = {"/api/v1/write": "", "/api/v1/push": "/prometheus"}
"""Ends of receivers' addresses, and what stands for them before /api/v1/query: of Prometheus and
VictoriaMetrics, and of Mimir."""
Labels = frozenset[tuple[str, str]]


def address(url: str, given: str) -> str:
    """Where to ask for what was sent to a receiver: ``given``, or what follows from its address if
    that is empty. Raises UsageError."""
    if not given:
        plain = shown(url).rstrip("/")
        for end, instead in ENDS.items():
            if plain.endswith(end):
                return plain.removesuffix(end) + instead
        raise UsageError(
            f"--verify: where {plain} can be asked does not follow from its address (give it: "
            f"--verify http://127.0.0.1:9090)"
        )
    try:
        parts = urlsplit(given)
        valid = parts.scheme in ("http", "https") and is_host(parts.hostname or "")
        valid = valid and given.isprintable() and parts.port != 0
    except ValueError:
        parts, valid = urlsplit(""), False
    if not valid or "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "--verify: not the address of a Prometheus (write it as http://127.0.0.1:9090)"
        )
    return given.rstrip("/").removesuffix("/api/v1/query").removesuffix("/api/v1")


class UnansweredError(Exception):
    """The question was not answered; ``vain``: it will not be later."""

    def __init__(self, reason: str, vain: bool) -> None:
        super().__init__(reason)
        self.vain = vain


@dataclass(frozen=True)
class Verdict:
    """``why`` says what is wrong ("": nothing); ``lost``: readings are not there, so they have to be
    sent again; ``vain``: asking again would not help."""

    why: str = ""
    lost: bool = False
    vain: bool = False


@dataclass(frozen=True)
class ReadBack:
    """The readings of a run in its folder, which a receiver should have; ``run`` is its
    `identity`."""

    folder: Path
    start: dt.date
    rows: Rows
    run: Mapping[str, str]

    def ask(self, base: str, pause: Callable[[float], bool]) -> Verdict:
        """Compare the first and the last reading with what is at ``base``. ``pause`` waits so many
        seconds, and says whether to give up instead."""
        until = time.monotonic() + PATIENCE_S
        for now_s, wanted in self._wanted():
            while (found := self._asked_of(base, now_s, wanted)).why:
                if found.vain or time.monotonic() > until or pause(STEP_S):
                    return found
        return Verdict()

    def _wanted(self) -> list[tuple[int, dict[Labels, float]]]:
        """Times and values by series of the first and of the last reading."""
        names = [
            frozenset((key, value) for key, value in {**labels, "__name__": name}.items() if value)
            for name, labels in series(self.rows, self.run)
        ]
        last = -1
        for times, _ in stored(self.folder, self.start, self.rows, values=False):
            last = int(times[-1])
        found = {}
        for after in (-1, last):
            for times, values in stored(self.folder, self.start, self.rows, after):
                found[int(times[0])] = {
                    name: value
                    for name, value in zip(names, values[0].tolist(), strict=True)
                    if not math.isnan(value)
                }
                break
        return sorted(found.items())

    def _asked_of(self, base: str, now_s: int, wanted: Mapping[Labels, float]) -> Verdict:
        """Whether a reading is there."""
        moment = at(self.start, now_s)
        own = ",".join(f'{name}="{escaped(value)}"' for name, value in self.run.items() if value)
        try:
            found = _asked(base, f"{{{own}}}", moment.timestamp())
        except UnansweredError as error:
            return Verdict(f"{base} cannot be asked: {error}", vain=error.vain)
        there = sum(found.get(name) == value for name, value in wanted.items())
        if there == len(wanted):
            return Verdict()
        return Verdict(
            f"{base} has {there:,} of {len(wanted):,} series of the reading of {moment.date()}; "
            f"something between drops them, or it keeps no such dates (Prometheus: "
            f"--storage.tsdb.retention.time=100y)",
            lost=True,
        )


def _asked(base: str, query: str, seconds: float) -> dict[Labels, float]:
    """Values by labels of an instant query. Raises UnansweredError."""
    try:
        answer = Session().get(
            f"{base}/api/v1/query",
            params={"query": query, "time": repr(seconds)},
            auth=Auth(),
            timeout=TIMEOUT_S,
            # to a login page, say
            allow_redirects=False,
        )
        said = plain(f"{answer.status_code} {answer.reason or ''}")
        if answer.status_code != 200:
            later = answer.status_code == 429 or answer.status_code >= 502
            raise UnansweredError(f"it answers {said}", vain=not later)
        data: Any = answer.json()
        return {
            frozenset(each["metric"].items()): float(each["value"][1])
            for each in data["data"]["result"]
        }
    except (requests.ConnectionError, requests.Timeout):
        raise UnansweredError("it does not answer", vain=False) from None
    # JSON of requests is a ValueError too
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise UnansweredError(
            "its answer is not that of a Prometheus (give --verify its query address)", vain=True
        ) from None
    except requests.RequestException as error:
        raise UnansweredError(f"it cannot be asked ({type(error).__name__})", vain=True) from None
