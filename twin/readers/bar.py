"""The bar of work whose share done and time left are known."""

from __future__ import annotations

from rich.progress import BarColumn, Progress, TaskID, TextColumn


def bar(what: str) -> tuple[Progress, TaskID]:
    """A bar in the terminal, running: update its task with ``completed`` (0..1), ``left`` (text)
    and perhaps another ``description``, and stop it in the end."""
    made = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[left]}"),
        transient=True,
    )
    task = made.add_task(what, total=1.0, left="")
    made.start()
    return made, task
