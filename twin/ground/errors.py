"""Errors that a user can cause, each one line: where, why, and the mend.

Everything the command line prints as ``error:`` is a `TwinError`; any other exception is a bug of
ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

STATUSES = {
    0: "done, and all that was asked for",
    1: "failed; or, of a command that judges, the answer is no: a task of an experiment failed, a "
    "regularity is not met (check --regularities), a metric drifts (check --at-rest), dashboards "
    "are out of date (dashboards --check)",
    2: "wrong usage, scenario, policy or folder: nothing was begun",
    3: "the run is done, but readings or marks did not arrive where they were to be sent, or "
    "something that served them failed: each is named, with the command that delivers it later",
    4: "the run stopped, such as on a full disk: what was saved can be resumed with twin resume",
    130: "interrupted: what was saved can be resumed with twin resume",
}
"""Every exit status of the command line, and what it means."""


def one_line(text: str) -> str:
    """Line breaks and other control characters spelt out, so that what a user wrote cannot break a
    line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class TwinError(Exception):
    """An error with one printable line; ``status`` is the exit status of the command line."""

    status = 1


class UsageError(TwinError):
    """A wrong flag, path or argument, in one line whatever the user wrote in it."""

    status = 2

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


class Undone(TwinError):
    """The run is done, but not all that was asked for beside it: readings or marks that did not
    arrive."""

    status = 3


class Stopped(TwinError):
    """The run could not go on, such as on a full disk; what it had saved can be resumed."""

    status = 4


class Foreign(TwinError):
    """Code or a service of the user's own failed in the middle of a run: where it is named, and
    what went wrong."""


class StateError(TwinError):
    """A mechanism broke a rule of the world: wrote a foreign column, read a hidden one, asked for
    an unknown name."""


class CheckpointError(TwinError):
    """A checkpoint or run folder that cannot be read, or that belongs to another version."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a scenario.

    ``file`` is a path or a flag such as ``--set``; ``line`` counts from 1 and is 0 where a line has
    no meaning.
    """

    file: str
    line: int
    path: str
    reason: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        path = f" {self.path}" if self.path else ""
        mend = f" ({self.mend})" if self.mend else ""
        return one_line(f"{where}{path}: {self.reason}{mend}")

    def plain(self) -> dict[str, Any]:
        """The same as plain data, for programs."""
        return {
            "file": self.file,
            "line": self.line or None,
            "path": self.path,
            "reason": self.reason,
            "mend": self.mend,
        }


class ScenarioError(TwinError):
    """All problems of a scenario at once, each printed as one line."""

    status = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        # by file and line; what two checks found is printed once
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def closest(name: str, known: Iterable[str]) -> str:
    """The known name that is like one that is not known; "" if none is."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.55)), "")


def nearest(name: str, known: Iterable[str]) -> str:
    """The mend for a name that is not known: the nearest valid one, or the list of all."""
    names = sorted(known)
    if close := closest(name, names):
        return f"did you mean {close}?"
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"known: {shown}" if names else "none is known here"


def nearest_path(path: str, known: Iterable[str]) -> str:
    """The mend for a dotted path that is not known: one that ends with the same name elsewhere (of
    several the most similar), else as `nearest`."""
    paths = sorted(known)
    leaf = path.rpartition(".")[2]
    same = [each for each in paths if each.rpartition(".")[2] == leaf]
    found = same[0] if len(same) == 1 else closest(path, same)
    return f"did you mean {found}?" if found else nearest(path, paths)
