"""The command line in the process of the tests: no start to wait for, and what it computes can be
watched. For commands whose words, files and status are tested, and not that they are a process."""

import contextlib
import io
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from twin.cli import main


class Done(NamedTuple):
    """How a command ended, and all that it printed."""

    status: int
    output: str


def _ended(args: tuple[str | Path, ...], out: io.StringIO, err: io.StringIO) -> int:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(each) for each in args])
        except SystemExit as end:
            return int(end.code or 0)
    return 0


def twin(*args: str | Path) -> Done:
    """The command line in this process."""
    said = io.StringIO()
    return Done(_ended(args, said, said), said.getvalue())


def called(
    *args: str | Path, cwd: Path, check: bool = True, **env: str
) -> subprocess.CompletedProcess[str]:
    """The same, for what `tests.conftest.twin` would begin a process for."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for name, value in env.items():
            patch.setenv(name, value)
        done = subprocess.CompletedProcess(
            args, _ended(args, out, err), out.getvalue(), err.getvalue()
        )
    assert not check or done.returncode == 0, done.stderr
    return done
