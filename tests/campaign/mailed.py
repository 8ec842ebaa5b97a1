"""Commands that are nearly right, as they lie in the mailbox of a run that stands at a barrier."""

from __future__ import annotations

import json
import random
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.campaign import mutate, samples
from twin.engine.simulation import Simulation
from twin.record.mailbox import Mailbox
from twin.record.watch import Watcher
from twin.running import drive
from twin.running import folder as runfolder
from twin.running.commands import carry_out

RUN = "mailed"
GOOD: tuple[dict[str, Any], ...] = (
    {"do": "pause"},
    {"do": "continue"},
    {"do": "pace", "days_per_second": 2.0},
    {"do": "intervene", "policy": "set: {recommender.preset: likes}", "at": "1d"},
    {
        "do": "fork",
        "branch": "b",
        "policy": "set: {recommender.preset: likes}",
        "at": None,
        "out": None,
    },
    {"do": "status"},
)


def draw(draw: random.Random) -> str:
    """A command with a value or two changed, and now and then its text."""
    tree: dict[str, Any] = dict(draw.choice(GOOD))
    for _ in range(draw.randrange(3)):
        key = draw.choice([*tree, "do", "policy", "at", "out", "branch", "x"])
        value = draw.choice([*mutate.SCALARS, *mutate.COLLECTIONS])
        if key == "policy" and draw.random() < 0.7:
            value = mutate.document(draw, mutate.POLICIES)
        # where a branch goes is the user's own choice: only names within the folder
        if key == "out" and isinstance(value, str):  # anything else is refused
            value = draw.choice(
                [None, f"{RUN}/out", f"{RUN}/run", f"{RUN}/{mutate.LONG}", f"{RUN}/a\0b"]
            )
        tree[key] = value
    text = json.dumps(tree, default=str)
    other = mutate.garbled(draw, text) if draw.random() < 0.2 else text
    return other if _within(other) else text


def _within(text: str) -> bool:
    """Whether a branch stays in the folder, if there is one."""
    try:
        out = json.loads(text).get("out")
    except (ValueError, AttributeError, RecursionError):
        return True
    return not isinstance(out, str) or out.startswith(f"{RUN}/")


_standing: dict[Path, tuple[ExitStack, drive._Drive]] = {}
"""The run of a campaign, by its folder: one that nobody has amended."""


def call(folder: Path, text: str) -> None:
    """Put a command there, let the run carry it out, and print its reply."""
    run = _run(folder)
    reply = run.out / "mailbox" / "1.reply"
    (run.out / "mailbox" / "1.json").write_text(text, encoding="utf-8", errors="replace")
    for name, command in run.mailbox.commands():
        run.mailbox.answer(name, carry_out(run, command))
    answer = json.loads(reply.read_text(encoding="utf-8"))
    reply.unlink()
    if "error" not in answer:
        if run.manifest.get("next_digest") or len(run.simulation.scenario.policies):
            end(folder)
        print(answer["ok"])
        return
    if answer["error"].startswith("the command failed"):
        raise AssertionError(answer["error"][:200])
    for line in answer["error"].split("\n"):
        print(f"error: {line}", file=sys.stderr)
    sys.exit(2)


def _run(folder: Path) -> drive._Drive:
    """A run that stands at its first barrier, after which it has a checkpoint."""
    if folder in _standing:
        return _standing[folder][1]
    place = folder / RUN
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    simulation = Simulation(samples.small())
    manifest = runfolder.create(place / "run", simulation.scenario, simulation)
    simulation.begin()
    stack = ExitStack()
    mailbox = stack.enter_context(Mailbox(place / "run"))
    run = drive._Drive(simulation, place / "run", manifest, Watcher(), None, mailbox)
    run.save()
    _standing[folder] = stack, run
    return run


def end(folder: Path) -> None:
    """The run is over."""
    if folder in _standing:
        _standing.pop(folder)[0].close()
