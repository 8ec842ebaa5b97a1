"""Where tasks run: processes of this machine, or workers of a Dask cluster. Both do the same tasks to the same bytes.

``local`` (default: all cores) hands one task at a time to each process of a pool; ``dask`` starts a cluster of this machine's cores;
``tcp://host:8786`` uses one that runs. A task whose worker died, or that raised, is tried again, three times in all; then its error
is kept in ``failed/`` and the rest goes on. Ctrl-C ends the workers; what is done is done, and the same command goes on from there.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, Protocol

from twin.errors import TwinError, UsageError
from twin.experiments.store import Store
from twin.experiments.tasks import Task, execute

TRIES = 3


@dataclass
class Progress:
    """What is told while tasks run: done, failed and all, by weight."""

    total: int
    weight: float
    done: int = 0
    failed: int = 0
    done_weight: float = 0.0
    old_weight: float = 0.0
    """Of tasks that were done before this command began."""
    workers: int = 1


@dataclass
class Ended:
    """How a list of tasks ended: errors by result, last line of each."""

    failed: dict[str, str] = field(default_factory=dict)


class Pool(Protocol):
    """Something that runs one task per worker, and takes as many at a time as it has ``room`` for."""

    workers: int
    room: int

    def submit(self, root: str, task: Task) -> Any:
        """Begin a task; returns a handle."""

    def next(self) -> Iterator[tuple[Task, str | None]]:
        """Wait for some to end: each with its error, or None."""

    def close(self, kill: bool) -> None:
        """Let go of the workers."""


def run_all(root: str, tasks: Sequence[Task], on: str | None = None, show: Callable[[Progress], None] = lambda progress: None) -> Ended:
    """Run tasks whose results are not there yet, each after those that it needs. Raises UsageError for an unknown ``on``."""
    store, ended = Store(root), Ended()
    have = {task.result for task in tasks if store.exists(task.result)}
    left = [task for task in tasks if task.result not in have]
    progress = Progress(len(tasks), sum(task.weight for task in tasks), len(have))
    progress.done_weight = progress.old_weight = sum(task.weight for task in tasks if task.result in have)
    if not left:
        return ended
    pool = _pool(on)
    progress.workers = pool.workers
    tries: dict[str, int] = {}
    running = 0
    try:
        show(progress)
        while left or running:
            for task in list(left):
                broken = next((need for need in task.needs if need in ended.failed), None)
                if broken:
                    left.remove(task)
                    ended.failed[task.result] = f"needs {broken}, which failed"
                    progress.failed += 1
                elif running < pool.room and all(need in have for need in task.needs):
                    left.remove(task)
                    pool.submit(root, task)
                    running += 1
            if not running:
                continue
            for task, error in pool.next():
                running -= 1
                tries[task.result] = tries.get(task.result, 0) + 1
                if error is None:
                    have.add(task.result)
                    progress.done += 1
                    progress.done_weight += task.weight
                elif tries[task.result] < TRIES:
                    left.insert(0, task)
                else:
                    ended.failed[task.result] = error.strip().splitlines()[-1] if error.strip() else "unknown"
                    store.write(f"failed/{task.result.replace('/', '-')}.txt", error.encode())
                    progress.failed += 1
                show(progress)
    except BaseException:
        pool.close(kill=True)
        raise
    pool.close(kill=False)
    return ended


def _pool(on: str | None) -> Pool:
    if on is None or on == "local" or on.startswith("local:"):
        text = (on or "local").partition(":")[2]
        if text and not (text.isdigit() and int(text) > 0):
            raise UsageError(f"--on {on}: write local:N with a number of processes")
        return _Processes(int(text) if text else _cores())
    if on == "dask" or "://" in on:
        from twin.experiments.cluster import Cluster

        return Cluster(on)
    raise UsageError(f"--on {on}: unknown (write local, local:4, dask, or the address of a Dask scheduler such as tcp://host:8786)")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def attempt(root: str, task: Task) -> str | None:
    """Do a task in a worker; its error as text, or None. One thread: a simulation is one thread's work."""
    try:
        execute(root, task)
    except TwinError as error:
        return str(error)
    except Exception:
        return traceback.format_exc()
    return None


def _quietly() -> None:
    """Workers leave Ctrl-C to the command that began them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Processes:
    """Pools of one process each, so that a worker that dies takes nothing with it but the task in its hands."""

    def __init__(self, workers: int) -> None:
        self.workers = self.room = workers
        self._free = [self._process() for _ in range(workers)]
        self._running: dict[Future[str | None], tuple[Task, ProcessPoolExecutor]] = {}

    @staticmethod
    def _process() -> ProcessPoolExecutor:
        return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _quietly)

    def submit(self, root: str, task: Task) -> None:
        """Begin a task on a free process."""
        pool = self._free.pop()
        self._running[pool.submit(attempt, root, task)] = task, pool

    def next(self) -> Iterator[tuple[Task, str | None]]:
        """Wait for at least one to end."""
        ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in ended:
            task, pool = self._running.pop(future)
            try:
                error = future.result()
            except BrokenProcessPool:
                error, pool = "its worker process died", self._process()
            self._free.append(pool)
            yield task, error

    def close(self, kill: bool) -> None:
        """End the workers, at once if ``kill``."""
        pools = [*self._free, *(pool for _, pool in self._running.values())]
        for pool in pools if kill else ():
            for process in list((pool._processes or {}).values()):
                with contextlib.suppress(OSError):
                    process.terminate()
        for pool in pools:
            pool.shutdown(wait=True, cancel_futures=True)
