"""How far the reading of a log is: a bar in a terminal, a line now and then in a file."""

from __future__ import annotations

import time

import click
from rich.console import Console
from rich.progress import Progress as Bar

from twin.readers.bar import bar
from twin.readers.text import human, span

EVERY = 5.0
"""Seconds between two lines; nothing is shown of what takes less."""


class Progress:
    """Shows the stages of a reading."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._bar: Bar | None = None
        self._what, self._began, self._said = "", time.monotonic(), time.monotonic()
        if not quiet and Console().is_terminal:
            self._bar, self._task = bar("")

    def show(self, what: str, share: float, rows: int = 0) -> None:
        """A stage and the share of it that is done."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._began = what, now
        passed = now - self._began
        left = f"left {span(passed * (1 - share) / share)}" if share > 0.01 and passed > 1 else ""
        shown = f"{what}, {human(rows)} rows" if rows else what
        if self._bar is not None:
            self._bar.update(self._task, description=shown, completed=share, left=left)
        elif not self.quiet and now - self._said > EVERY:
            self._said = now
            click.echo(f"{shown}  {100 * share:.0f} %  {left}".rstrip())

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
