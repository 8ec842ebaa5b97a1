"""``python -m tests.campaign NAME [--minutes N] [--inputs N] [--times N] [--seed S] [--surface NAME]
[--fault NAME]``; see the package for the names."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Sized
from types import FrameType
from typing import Protocol

from tests.campaign import crowd, disk, fuzz, kill, servers, soak
from tests.campaign.proxy import FAULTS, LOCAL
from tests.campaign.surfaces import SURFACES


class Found(Protocol):
    """What a campaign gives."""

    @property
    def failures(self) -> Sized:
        """What went wrong."""

    def lines(self) -> Iterable[str]:
        """What is printed."""


CAMPAIGNS: dict[str, Callable[[argparse.Namespace], Found]] = {
    "fuzz": lambda given: fuzz.campaign(
        given.seed, given.surface or list(SURFACES), minutes=given.minutes, inputs=given.inputs
    ),
    "kill": lambda given: kill.campaign(given.seed, minutes=given.minutes),
    "disk": lambda given: disk.campaign(given.seed, minutes=given.minutes),
    "servers": lambda given: servers.campaign(
        given.seed, times=given.times, faults=given.fault or (*FAULTS, *LOCAL)
    ),
    "crowd": lambda given: crowd.campaign(
        given.seed, crowd.Size(given.pages, given.scrapes, given.days, given.pace)
    ),
    "soak": lambda given: soak.campaign(given.seed, minutes=given.minutes),
}


def _end(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C, so that no process and no folder is left behind."""
    fuzz.over.set()
    raise KeyboardInterrupt


def main() -> int:
    """Status 0 if nothing failed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("campaign", choices=list(CAMPAIGNS))
    parser.add_argument("--minutes", type=float, default=1.0, help="of fuzz, kill, disk and soak")
    parser.add_argument("--inputs", type=int, default=0, help="of fuzz, in place of minutes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--surface", choices=list(SURFACES), action="append", help="of fuzz")
    parser.add_argument("--times", type=int, default=1, help="of servers: of each fault")
    parser.add_argument("--fault", choices=[*FAULTS, *LOCAL], action="append", help="of servers")
    parser.add_argument("--pages", type=int, default=200, help="of crowd")
    parser.add_argument("--scrapes", type=float, default=1000.0, help="of crowd: a second")
    parser.add_argument("--days", type=int, default=30, help="of crowd: of the run")
    parser.add_argument("--pace", type=float, default=1.0, help="of crowd: 0 for none")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    found = CAMPAIGNS[given.campaign](given)
    for line in found.lines():
        print(line, flush=True)
    return 1 if len(found.failures) else 0


if __name__ == "__main__":
    sys.exit(main())
