"""Tasks on Dask distributed: a cluster on this machine, or one whose scheduler runs somewhere. The
optional extra ``cluster``.

Each worker, however many threads it has, gets one task at a time, bound to it: were tasks free to
move, the scheduler would blame a worker's death on every task that was on its way there. When a
worker is gone, its task is tried again here. What travels is a path and a small dict; workers
import this package, and are asked first whether it is the same, since results must be the same
bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import logging
import time
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twin.experiments.work.pool import attempt, cores
from twin.experiments.work.processes import THREADS, ignoring_interrupts
from twin.experiments.work.tasks import Task
from twin.ground.errors import TwinError, UsageError
from twin.running.folder import PACKAGES

PATIENCE_S, POLL_S = 10, 1.0


class Failed(Exception):
    """A task's error as text. Unlike a result, an exception is kept by the scheduler, so it is not
    lost with its worker."""


def carry_out(root: str, task: Task) -> None:
    """Do a task on a worker. Raises Failed."""
    error = attempt(root, task)
    if error is not None:
        raise Failed(error)


@cache
def made_of() -> dict[str, str]:
    """What results depend on beside the task: digest of the package's source, and versions of what
    it computes with."""
    home, digest = Path(__file__).parent.parent.parent, hashlib.blake2b(digest_size=8)
    # sorted, as file systems list in any order; with names, as a moved file is another program
    for path in sorted(home.rglob("*.py")):
        digest.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return {"source of twin": digest.hexdigest(), **{name: version(name) for name in PACKAGES}}


class Cluster:
    """Workers of a Dask scheduler."""

    def __init__(self, on: str) -> None:
        try:
            self._dask: Any = importlib.import_module("distributed")
        except ImportError:
            raise UsageError(
                f"--on {on}: Dask is not installed here (pip install 'twin[cluster]')"
            ) from None
        for name in (
            "distributed",
            "tornado.application",
            "asyncio",
            *logging.root.manager.loggerDict,
        ):
            # what users need to know is an error of ours, in one line
            if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
        self.on, self.workers = on, 0
        self._running: dict[str, tuple[Task, Any]] = {}
        self._fit: set[str] = set()
        self._there: set[str] = set()
        self._own: Any = None
        self._client: Any = None
        try:
            if on == "dask":
                dask = importlib.import_module("dask")
                # before workers start: libraries read their number of threads on import
                with (
                    ignoring_interrupts(),
                    dask.config.set({"distributed.nanny.pre-spawn-environ": THREADS}),
                ):
                    self._own = self._dask.LocalCluster(
                        n_workers=cores(),
                        threads_per_worker=1,
                        # without a limit: Dask pauses, then ends a worker that comes close to it
                        memory_limit=None,
                        host="127.0.0.1",
                        # any free port, so that two commands can run side by side
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                    )
            self._client = self._dask.Client(self._own or on, timeout=PATIENCE_S)
        except (OSError, TimeoutError, ValueError, RuntimeError) as error:
            if self._own is not None:
                self._own.close()
            raise UsageError(
                f"--on {on}: no Dask scheduler answers there ({_line(error)}); start one with: "
                f"dask scheduler"
            ) from None
        try:
            # workers of another version are refused before the first task
            self._look()
        except BaseException:
            self.close(kill=True)
            raise

    @property
    def room(self) -> int:
        """How many workers have nothing to do."""
        return len(self._there - set(self._running))

    def _look(self) -> None:
        """See which workers are there; new ones must have the same program."""
        try:
            there = set(self._client.nthreads())
            # each is asked once: an answer is a round trip, and `_look` runs every second
            new = sorted(there - self._fit)
            answers = self._client.run(made_of, workers=new, on_error="return") if new else {}
        except (OSError, TimeoutError, ValueError, RuntimeError, KeyError) as error:
            raise TwinError(
                f"--on {self.on}: the Dask scheduler is gone ({_line(error)}); what is done is "
                f"kept, and the same command resumes"
            ) from None
        # one worker's error is an answer (on_error), and hides no other
        for worker, answer in answers.items():
            if isinstance(answer, (OSError, TimeoutError)):
                continue  # gone again, or not up yet
            if isinstance(answer, BaseException):
                raise UsageError(
                    f"--on {self.on}: the worker {worker} cannot import twin as installed here "
                    f"({_line(answer)}); install the same version on all workers"
                )
            other = next(
                (
                    f"{name} {answer.get(name)}, here {mine}"
                    for name, mine in made_of().items()
                    if answer.get(name) != mine
                ),
                None,
            )
            if other:
                raise UsageError(
                    f"--on {self.on}: the worker {worker} would give other results: {other} "
                    f"(install the same version on all workers, and restart them)"
                )
            self._fit.add(worker)
        self._there = there & self._fit
        self.workers = len(self._there)

    def submit(self, root: str, task: Task) -> None:
        """Begin a task on a free worker, the first in the order of addresses."""
        worker = min(self._there - set(self._running))
        self._running[worker] = (
            task,
            # not pure: a second attempt must run, not get the first one's result
            self._client.submit(carry_out, root, task, workers=[worker], pure=False),
        )

    def next(self) -> Iterator[tuple[Task, str | None]]:
        """Wait for one to end, a second at most."""
        futures = [future for _, future in self._running.values()]
        if futures:
            # a second at most, so that workers that come or go are noticed
            with contextlib.suppress(TimeoutError, self._dask.CancelledError):
                self._dask.wait(futures, timeout=POLL_S, return_when="FIRST_COMPLETED")
        else:
            time.sleep(POLL_S)  # until a worker joins
        self._look()
        for worker, (task, future) in list(self._running.items()):
            status = future.status
            # bound to its worker, the task of one that is gone would be pending for ever
            if status == "pending" and worker in self._there:
                continue
            del self._running[worker]
            if status == "finished":
                yield task, None
            elif status == "error":
                error = future.exception()
                yield (
                    task,
                    str(error) if isinstance(error, Failed) else f"{type(error).__name__}: {error}",
                )
            else:
                future.cancel()
                yield task, f"its Dask worker {worker} is gone"

    def close(self, kill: bool) -> None:
        """Leave. A cluster started here ends; workers elsewhere finish their task, and get no more."""
        with contextlib.suppress(Exception):  # whatever happened to the other side
            self._client.cancel([future for _, future in self._running.values()], force=True)
        with contextlib.suppress(Exception):
            self._client.close(timeout=PATIENCE_S)
        if self._own is not None:
            self._own.close(timeout=PATIENCE_S)


def _line(error: BaseException) -> str:
    return " ".join(f"{error}".split()) or type(error).__name__
