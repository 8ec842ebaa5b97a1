"""The command line in the process of the tests: no start to wait for, and what it computes can be
watched."""

import contextlib
import io
from pathlib import Path
from typing import NamedTuple

from twin.cli import main


class Done(NamedTuple):
    """How a command ended, and all that it printed."""

    status: int
    output: str


def twin(*args: str | Path) -> Done:
    """The command line in this process."""
    said, status = io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main([str(each) for each in args])
        except SystemExit as end:
            status = int(end.code or 0)
    return Done(status, said.getvalue())
