"""Services of the process beside a run, and the `Hub` that all of them may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.record.watch import Frame, RunInfo, Watcher


@dataclass
class Hub:
    """What every service may read: the run, its latest frame and reading, and the way to report
    to its user."""

    info: RunInfo
    note: Callable[[str], None]
    """Shows one line to the user of the run."""
    missed: Callable[[str], None] = lambda text: None
    """Notes what was asked for and not done, for the end of the run."""
    frame: Frame | None = None
    now_s: int = -1
    """Simulated time of the latest reading; -1 before the first."""
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    services: Sequence[Service] = ()


class Service(Watcher):
    """One thing that the sidecar does. It is made in the run's process and must pickle; sockets and
    threads come with `open`."""

    hub: Hub
    unfinished: str = ""
    """Once it is closed: what was asked for and not done, and how to do it later."""

    def warning(self, info: RunInfo) -> str:
        """What the user should know before the run begins; called in the run's process."""
        return ""

    async def open(self) -> str:
        """Begin to serve; returns lines for the user, such as an address, or nothing. Raises
        TwinError."""
        return ""

    async def close(self, complete: bool) -> str:
        """The run has ended (``complete``: to its end, or by the user's interrupt) or died. Finish,
        and return a line or nothing."""
        return ""

    def waiting(self) -> dict[str, int]:
        """What waits to be worked through, by name; shown as the health of the run."""
        return {}

    def hurry(self) -> None:
        """The user does not want to wait for `close` any longer."""
