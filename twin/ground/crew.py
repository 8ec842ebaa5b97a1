"""The threads of one run. What they compute does not depend on how many they are; kernels release
Python's lock, so they run at once.

Threads are made when they are first needed, and again in each forked process, which has none of its
parent's.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from twin.ground.errors import UsageError


class Crew:
    """``threads`` threads, the caller's own included."""

    def __init__(self, threads: int = 1) -> None:
        if threads < 1:
            raise UsageError(f"{threads} threads: a run needs at least one")
        self.threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._process = -1

    def _others(self) -> ThreadPoolExecutor:
        # a forked process has its parent's pool, and none of the threads in it
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(self.threads - 1, thread_name_prefix="twin")
            self._process = os.getpid()
        return self._pool

    def together(self, own: Callable[[], None], others: Callable[[], None]) -> None:
        """Run ``own`` here and ``others`` on every other thread; return when all are done. Threads
        that have not begun by then are cancelled."""
        # before ``own``, so that they run beside it
        waiting = [self._others().submit(others) for _ in range(self.threads - 1)]
        own()
        for each in waiting:
            # one that has begun is waited for, and raises here what went wrong in it
            if not each.cancel():
                each.result()

    def each(self, tasks: Sequence[Callable[[], None]], worth: bool = True) -> None:
        """Do all tasks, each on whichever thread is free where it is worth waking one. They may not
        read what another of them writes."""
        # Python's lock makes each next() one step: no two threads get the same number
        turn = itertools.count()

        def work() -> None:
            while (k := next(turn)) < len(tasks):
                tasks[k]()

        if self.threads == 1 or len(tasks) < 2 or not worth:
            work()
        else:
            self.together(work, work)

    def split(self, size: int, least: int, work: Callable[[int, int], None]) -> None:
        """Do ``work(low, high)`` for pieces of range(size), each of ``least`` or more where they
        are several."""
        # two for each thread: one that finishes early takes another
        pieces = max(1, min(2 * self.threads, size // least)) if self.threads > 1 else 1
        ends = [size * k // pieces for k in range(pieces + 1)]
        self.each([partial(work, low, high) for low, high in itertools.pairwise(ends)])


def asked(given: int | None, default: int) -> int:
    """How many threads: as given, else as the environment says (TWIN_THREADS), else the default.
    Raises UsageError."""
    text = os.environ.get("TWIN_THREADS", "")
    if given is None and text:
        if not text.isdigit() or int(text) < 1:
            raise UsageError(
                f"TWIN_THREADS={text}: not a number of threads (a whole number from 1 on)"
            )
        return int(text)
    return default if given is None else given


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
