"""Where tasks run: processes of this machine, or workers of a Dask cluster. Both do the same tasks
to the same bytes.

``local`` (default: all cores) hands one task at a time to each process of a pool; ``dask`` starts a
cluster of this machine's cores; ``tcp://host:8786`` uses one that runs. A task whose worker died,
or that raised, is tried again, three times in all; then its error is kept in ``failed/`` and the
rest continues. Ctrl-C ends the workers; what is done is kept, and the same command resumes from
there. Every worker has one task at a time, so a task that kills its worker is the only one that is
blamed for it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from twin.experiments.work.cluster import Cluster
from twin.experiments.work.pool import Pool, Progress, cores
from twin.experiments.work.processes import Processes
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import Task
from twin.ground.errors import UsageError, nearest

TRIES = 3


@dataclass
class Ended:
    """How a list of tasks ended: errors by result, last line of each."""

    failed: dict[str, str] = field(default_factory=dict)


class _List:
    """Tasks in the order given, each once those that it needs are done."""

    def __init__(self, tasks: Sequence[Task], have: set[str], store: Store) -> None:
        self._tasks, self._place = tasks, {task.result: place for place, task in enumerate(tasks)}
        self._missing: dict[str, set[str]] = {}
        self._needed_by: dict[str, list[Task]] = {}
        # a heap of places: a task that is tried again goes back to its place in the order
        self._ready: list[int] = []
        for task in tasks:
            if task.result not in have:
                missing = {need for need in task.needs if need not in have}
                for need in missing:
                    # nothing would ever free this task: a mistake of the caller, not a failed run
                    if need not in self._place:
                        raise ValueError(
                            f"{task.result} needs {need}, which nothing makes in {store.root}"
                        )
                    self._needed_by.setdefault(need, []).append(task)
                self._missing[task.result] = missing
                if not missing:
                    self.again(task)

    def __len__(self) -> int:
        return len(self._ready)

    def take(self) -> Task:
        """The first that can begin."""
        return self._tasks[heapq.heappop(self._ready)]

    def again(self, task: Task) -> None:
        """It can begin (again)."""
        heapq.heappush(self._ready, self._place[task.result])

    def done(self, task: Task) -> None:
        """What waited for nothing else can begin."""
        for other in self._needed_by.get(task.result, ()):
            self._missing[other.result].discard(task.result)
            if not self._missing[other.result]:
                self.again(other)

    def lost(self, task: Task) -> Iterator[tuple[Task, Task]]:
        """All that can never begin without it, each once, with what it would have needed."""
        # popped, so that nothing is given up twice
        for other in self._needed_by.pop(task.result, ()):
            yield other, task
            yield from self.lost(other)


class _Work:
    """Tasks on their way: which are running, and how often each was tried."""

    def __init__(self, store: Store, left: _List, progress: Progress, ended: Ended) -> None:
        self._store, self._left, self._progress, self._ended = store, left, progress, ended
        self._tries: dict[str, int] = {}
        self.running: dict[str, Task] = {}

    def begin(self, pool: Pool) -> None:
        """Give a task to every worker that is free."""
        while self._left and pool.room > 0:
            task = self._left.take()
            pool.submit(self._store.root, task)
            self.running[task.result] = task
        self._progress.workers = pool.workers

    def end(self, task: Task, error: str | None) -> None:
        """Note how a task ended; one that failed is tried again, or given up with all that need
        it."""
        del self.running[task.result]
        self._tries[task.result] = self._tries.get(task.result, 0) + 1
        # a worker may die when its result is already written: that is no failure
        if error is None or self._store.exists(task.result):
            self._progress.done += 1
            self._progress.done_weight += task.weight
            self._left.done(task)
            return
        # each attempt writes under a name of its own, which no later one would replace
        self._store.tidy(task.result)
        if self._tries[task.result] < TRIES:
            self._left.again(task)
            return
        self._fail(task, error)
        for other, need in self._left.lost(task):
            if other.result not in self._ended.failed:
                self._fail(other, f"needs {need.result}, which failed")

    def _fail(self, task: Task, error: str) -> None:
        """Keep a task's error."""
        line = next(reversed(error.strip().splitlines()), "unknown")
        self._ended.failed[task.result] = line
        self._store.write(f"failed/{task.result.replace('/', '-')}.txt", error.encode())
        self._progress.failed += 1


def run_all(
    root: str,
    tasks: Sequence[Task],
    on: str | None = None,
    show: Callable[[Progress], None] = lambda progress: None,
) -> Ended:
    """Run tasks whose results are not there yet, each after those that it needs. Raises UsageError
    for an unknown ``on``."""
    store, ended = Store(root), Ended()
    # a result is there whole or not at all, so its name is enough
    have = {task.result for task in tasks if store.exists(task.result)}
    progress = Progress(len(tasks), sum(task.weight for task in tasks), len(have))
    progress.done_weight = progress.old_weight = sum(
        task.weight for task in tasks if task.result in have
    )
    left = _List(tasks, have, store)
    # before the pool: what is complete must not start workers, nor need its cluster
    if not left:
        return ended
    # what an earlier command left when it was killed in the middle of a write
    for task in tasks:
        if task.result not in have:
            store.tidy(task.result)
    work = _Work(store, left, progress, ended)
    pool = _pool(on)
    try:
        while left or work.running:
            work.begin(pool)
            show(progress)
            for task, error in pool.next():
                work.end(task, error)
        show(progress)
    # Ctrl-C as well: no worker may outlive the command
    except BaseException:
        pool.close(kill=True)
        # after the workers have ended, who may have been writing
        for task in work.running.values():
            store.tidy(task.result)
        raise
    pool.close(kill=False)
    return ended


def _pool(on: str | None) -> Pool:
    where, colon, number = (on or "local").partition(":")
    if where == "local" and "://" not in (on or ""):
        if colon and not (number.isdecimal() and number.isascii() and int(number) > 0):
            raise UsageError(f"--on {on}: write local:N with a number of processes")

        return Processes(int(number) if colon else cores())
    if on == "dask" or "://" in str(on):
        return Cluster(str(on))
    raise UsageError(
        f"--on {on}: unknown ({nearest(where, ['local', 'dask'])}; write local, local:4, dask, or "
        f"the address of a Dask scheduler such as tcp://host:8786)"
    )
