"""Comparisons that the page began: `twin compare` of the run's scenario, with the change that the
page asks for and without it, in worlds of their own; a command line like any other, in a process of
its own, whose folder lies beside the run's.

It takes the processors that are free when it begins, one for each world at most. One that is
stopped keeps the worlds that are done, and continues as `twin resume` does.
"""

from __future__ import annotations

import contextlib
import glob
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from twin.ground.units import at, format_duration
from twin.readers.live.aside import Jobs, Process, Queue
from twin.record import verdicts
from twin.record.watch import RunInfo

Command = Callable[["Connection[Any, Any]", list[str]], None]
"""What a comparison's process does: the command line with these arguments. It passes on the lines
``said`` and ``complained`` through the pipe, and the status at its ``end``."""
INTERRUPTED = 130
PREFIX = "compare-"
"""Names of comparisons begin so: their folders lie among those of the branches."""
_PROGRESS = re.compile(r"(\d+)/(\d+) runs on .*")
WARNING, ERROR = "warning: ", "error: "


@dataclass
class Comparison:
    """One comparison: its name and folder, what it changes in words, the policy as YAML and the
    name of its branch, the scenario's text, in how many worlds and from when on (simulated
    seconds); and how far it is."""

    name: str
    folder: Path
    says: str
    policy: str
    branch: str
    scenario: str
    worlds: int
    at_s: int
    state: str = "queued"
    takes: int = 1
    share: float = 0.0
    progress: str = ""
    remark: str = ""
    """What the comparison warns of."""
    error: str = ""
    command: str = ""
    """The command line that makes the same again."""
    found: list[dict[str, Any]] = field(default_factory=list)
    status: int | None = None
    process: Process | None = field(default=None, repr=False)
    given: Path | None = None
    """Where its process finds scenario and policy, before its folder has them."""


class Comparisons(Jobs[Comparison]):
    """All comparisons of a page."""

    KIND = "comparison"

    def __init__(self, info: RunInfo, command: Command | None, queue: Queue) -> None:
        super().__init__(queue)
        self.possible = command is not None
        self._info, self._command = info, command

    def restore(self) -> None:
        """Comparisons that lie beside a run that was resumed."""
        out = self._info.out
        for folder in sorted(out.parent.glob(f"{glob.escape(out.name)}-{PREFIX}*")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, IndexError):
                found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
                if found["command"] != "compare":
                    continue
                args = found["args"]
                one = Comparison(
                    folder.name.removeprefix(f"{out.name}-"),
                    folder,
                    args["policies"][0]["name"],
                    "",
                    args["policies"][0]["name"],
                    "",
                    args["replicates"],
                    args["at_s"],
                    "done" if found["status"] == "done" else "stopped",
                )
                self._read(one)
                self._take(one)
        self._queue.told()

    def _start(self, one: Comparison, room: int) -> None:
        assert self._command is not None
        one.takes = min(room, one.worlds)
        one.state, one.error, one.remark, one.status = "running", "", "", None
        self.edition += 1
        try:
            begun = (one.folder / "manifest.json").is_file()
            arguments = ["resume", str(one.folder)] if begun else self._first(one)
        except OSError as error:
            one.state, one.error = "failed", f"{one.folder}: {error.strerror}"
            return
        one.process = Process(
            self._command,
            ([*arguments, "--on", f"local:{one.takes}"],),
            lambda kind, data: self._heard(one, kind, data[0]),
            lambda: self._gone(one),
        )

    def _first(self, one: Comparison) -> list[str]:
        """The command line of one that has no folder yet."""
        one.given = Path(tempfile.mkdtemp(prefix="twin-compare-"))
        scenario, policy = one.given / "scenario.yaml", one.given / f"{one.branch}.yaml"
        scenario.write_text(one.scenario, encoding="utf-8")
        policy.write_text(one.policy, encoding="utf-8")
        return _line(one, scenario, policy, "--out", str(one.folder))

    def _heard(self, one: Comparison, kind: str, data: Any) -> None:
        if kind == "said" and (found := _PROGRESS.fullmatch(data.strip())):
            one.share, one.progress = int(found[1]) / int(found[2]), data.strip()
        elif kind == "complained" and data.startswith(WARNING):
            # what the scenario says that cannot act is not about the change
            if data.startswith(f"{WARNING}policy "):
                one.remark = data.removeprefix(WARNING).strip()
        elif kind == "complained" and data.strip():
            one.error = data.removeprefix(ERROR).strip()
        elif kind == "end":
            one.status = data
        self._queue.told()

    def _gone(self, one: Comparison) -> None:
        self._read(one)
        if one.state == "stopping" and one.status == INTERRUPTED:
            one.state, one.error = "stopped", ""
        elif one.found and one.status in (0, 1):
            # 1: some worlds failed, and the others say what they say
            one.state, one.share = "done", 1.0
        else:
            one.state = "failed"
            one.error = one.error or "its process died; it can be continued"
        if one.given is not None:  # the folder has both by now
            shutil.rmtree(one.given, ignore_errors=True)
        one.process = one.given = None
        self.edition += 1
        self._queue.next()

    def _read(self, one: Comparison) -> None:
        """What its folder has."""
        one.found = verdicts.read(one.folder)
        policy = one.folder / "policies" / f"{one.branch}.yaml"
        if policy.is_file():
            scenario = one.folder / "scenario.yaml"
            one.command = " ".join(["twin", *_line(one, scenario, policy)])

    def close(self) -> list[str]:
        """Stop those that still run; a line for the user on each."""
        return [
            f"comparison {one.name} has stopped; continue it with: twin resume {one.folder}"
            for one in self._stopped()
            if (one.folder / "manifest.json").is_file()
        ]

    def shown(self) -> list[dict[str, Any]]:
        """For the page: name, state, part that is done and, at the end, what was found."""
        return [
            {
                "name": one.name,
                "folder": str(one.folder),
                "says": one.says,
                "worlds": one.worlds,
                "from": f"{at(self._info.start, one.at_s):%Y-%m-%d}",
                "state": one.state,
                "before": self._queue.before(one),
                "share": round(one.share, 4),
                "progress": one.progress,
                "remark": one.remark,
                "error": one.error,
                "command": one.command,
                "found": one.found if one.state == "done" else [],
            }
            for one in self.all
        ]


def _line(one: Comparison, scenario: Path, policy: Path, *more: str) -> list[str]:
    """The command line of a comparison."""
    worlds, when = str(one.worlds), format_duration(one.at_s)
    given = ["--policy", str(policy), "--at", when, "--replicates", worlds]
    return ["compare", str(scenario), *given, *more]
