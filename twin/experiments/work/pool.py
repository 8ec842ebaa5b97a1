"""What carries out tasks, whichever kind of workers there are: the pool's protocol, its progress,
and one attempt at a task."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from twin.experiments.work.tasks import Task, execute
from twin.ground.errors import TwinError


@dataclass
class Progress:
    """What is shown while tasks run: done, failed and all, by weight."""

    total: int
    weight: float
    done: int = 0
    failed: int = 0
    done_weight: float = 0.0
    old_weight: float = 0.0
    """Of tasks that were done before this command began."""
    workers: int = 1


class Pool(Protocol):
    """Workers, each with one task at a time."""

    @property
    def workers(self) -> int:
        """How many there are."""

    @property
    def room(self) -> int:
        """How many have nothing to do."""

    def submit(self, root: str, task: Task) -> None:
        """Begin a task on a free worker."""

    def next(self) -> Iterator[tuple[Task, str | None]]:
        """Wait for some to end, but not forever: each with its error, or None."""

    def close(self, kill: bool) -> None:
        """Release the workers; at once if ``kill``."""


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def attempt(root: str, task: Task) -> str | None:
    """Do a task in a worker; its error as text, or None."""
    try:
        execute(root, task)
    except TwinError as error:
        return str(error)
    except Exception:
        return traceback.format_exc()
    return None
