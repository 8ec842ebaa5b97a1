"""Tasks on processes of this machine, each behind a pipe of its own, so that one that dies
loses nothing but its task.

A simulation is one thread's work: numerical libraries get one thread each, or N workers would fight
for the cores. Ctrl-C is for the command alone, which ends its workers; should it be killed itself,
they see that and end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from twin.experiments.work.pool import attempt
from twin.experiments.work.tasks import Task
from twin.ground import importing

THREADS = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
POLL_S = 1.0


class Processes:
    """Workers that start when there is something for them to do."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._free: list[_Worker] = []
        self._running: dict[Connection[Any, Any], tuple[_Worker, Task]] = {}

    @property
    def room(self) -> int:
        """How many have nothing to do."""
        return self.workers - len(self._running)

    def submit(self, root: str, task: Task) -> None:
        """Begin a task on a free process."""
        worker = self._free.pop() if self._free else _Worker()
        self._running[worker.pipe] = worker, task
        worker.give(root, task)

    def next(self) -> Iterator[tuple[Task, str | None]]:
        """Wait for at least one to end, a second at most."""
        for pipe in connection.wait(list(self._running), POLL_S):
            assert isinstance(pipe, Connection)
            worker, task = self._running.pop(pipe)
            try:
                error = pipe.recv()
                self._free.append(worker)
            # the pipe ended without an answer: the process is dead
            except (EOFError, OSError):
                error = worker.end()
            yield task, error

    def close(self, kill: bool) -> None:
        """End the workers. Those that are at work are killed: results are written whole or not at
        all."""
        workers = [*self._free, *(worker for worker, _ in self._running.values())]
        for worker in workers:
            worker.process.kill()
        # after all are killed, so that the waits overlap
        for worker in workers:
            worker.end()


class _Worker:
    """A process and our end of the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # no locks or threads of ours in it
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=importing.call, args=(__name__, _serve.__name__, theirs), daemon=True
        )
        # a process inherits mask and environment as they are when it starts
        with ignoring_interrupts(), environment(THREADS):
            self.process.start()
        # with our copy of its end open, the pipe would not end when the process does
        theirs.close()

    def give(self, root: str, task: Task) -> None:
        """Give it a task. If it is dead, its pipe shows that when it is asked for the result."""
        try:
            self.pipe.send((root, task))
        except OSError:
            self.process.kill()

    def end(self) -> str:
        """Wait for it to be gone; in words, how it went."""
        self.pipe.close()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        if code >= 0:
            return f"its worker process ended with status {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"its worker process was killed by {name}" + (
            " (was there enough memory?)" if name == "SIGKILL" else ""
        )


def _serve(pipe: Connection[Any, Any]) -> None:
    """Do the tasks that come through the pipe, until it ends."""
    # nobody reads the pipe during a task, so a thread watches for the end of the command
    threading.Thread(target=_end_with_the_command, daemon=True).start()
    while True:
        try:
            root, task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(attempt(root, task))


def _end_with_the_command() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # sys.exit would end this thread alone
        os._exit(1)


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Processes that begin in the block never see Ctrl-C, which this one sees after the block; and
    they do not run the script again that began this one (it need not guard itself by its name)."""
    # else the first start of a process would begin the tracker, and let Ctrl-C through again
    resource_tracker.ensure_running()
    # children inherit the blocked signal; one that comes here waits until it is unblocked
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")  # what spawn would run again
    try:
        yield
    finally:
        sys.modules["__main__"] = script
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Variables that processes which begin in the block have."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
