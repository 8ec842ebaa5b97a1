"""Tasks on Dask distributed: a cluster on this machine, or one whose scheduler runs somewhere. The optional extra ``cluster``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from twin.errors import UsageError
from twin.experiments.backends import attempt
from twin.experiments.tasks import Task

PATIENCE_S = 10


class Cluster:
    """Workers of a Dask scheduler; workers need only the package and a path that they share."""

    def __init__(self, on: str) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError:
            raise UsageError(f"--on {on}: Dask is not installed here (pip install 'twin[cluster]')") from None
        self._own: Any = None
        try:
            if on == "dask":
                self._own = distributed.LocalCluster(threads_per_worker=1, dashboard_address=None, silence_logs=50)
                self._client: Any = distributed.Client(self._own)
            else:
                self._client = distributed.Client(on, timeout=PATIENCE_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(f"--on {on}: no Dask scheduler answers there ({error}); start one with dask scheduler") from None
        self.workers = max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))
        self.room = 2 * self.workers  # one in hand, one on its way
        self._waiting: Any = distributed.as_completed()
        self._tasks: dict[Any, tuple[Task, Any]] = {}

    def submit(self, root: str, task: Task) -> None:
        """Begin a task. Dask itself moves it to another worker when one dies."""
        future = self._client.submit(attempt, root, task, pure=False, retries=0)
        self._tasks[future.key] = task, future
        self._waiting.add(future)

    def next(self) -> Iterator[tuple[Task, str | None]]:
        """Wait for at least one to end."""
        for future in [next(self._waiting)]:
            task, _ = self._tasks.pop(future.key)
            yield task, future.result() if future.status == "finished" else f"{future.status}: {future.exception()}"

    def close(self, kill: bool) -> None:
        """Drop what is running and leave; a cluster of our own ends."""
        if kill:
            self._client.cancel([future for _, future in self._tasks.values()], force=True)
        self._client.close()
        if self._own is not None:
            self._own.close()
