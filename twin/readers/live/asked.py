"""What a page may ask of the run: the few commands there are, with a policy from its form, and
refusals in words that speak of that form."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from twin.ground.errors import TwinError, UsageError
from twin.ground.units import format_duration
from twin.readers.live import levers
from twin.readers.live.compared import PREFIX, Comparison
from twin.readers.live.ready import ready
from twin.readers.text import human
from twin.record.mailbox import command
from twin.scenario.interventions import laid, parse_when
from twin.scenario.loading import load
from twin.world import checkpoint

FORM, BOX = "form", "box"
"""Where a policy was given, as the run names it before each problem."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
LONGEST_NAME = 40
"""Characters of a branch's name that is made of what the branch does."""
FEWEST, MOST_WORLDS = 2, 200
"""Worlds of a comparison that the page begins."""


def command_of_page(run: Path, asked: dict[str, Any], begun: tuple[str, ...]) -> dict[str, Any]:
    """Give the run the command that the page asks for. A page can give no path and no other
    command. The reply to a fork has the branch's ``name``, ``folder`` and ``says``. Raises
    TwinError."""
    request: dict[str, Any] = {"do": asked.get("do")}
    branch: dict[str, Any] = {}
    if request["do"] == "pace":
        request["days_per_second"] = asked.get("days_per_second")
    elif request["do"] in ("intervene", "fork"):
        request |= _policy(run, asked, begun)
        if when := str(asked.get("at") or "").strip():
            request["at"] = when
        if request["do"] == "fork":
            branch = _branch(run, asked)
            request |= {"branch": branch["name"]}
            if "folder" in branch:
                request["out"] = branch["folder"]
        elif "policy" not in request:
            raise UsageError("choose a policy")
    elif request["do"] not in ("pause", "continue"):
        raise UsageError("no such command")
    try:
        return {**command(run, request), **branch}
    except TwinError as error:
        raise UsageError(spoken(str(error))) from None


def spoken(text: str) -> str:
    """A refusal without the file name of a form, which is no file: ``form:2 set.x: ...`` becomes
    ``x: ...``, and a line of the box is called that."""
    text = re.sub(rf"^{FORM}:\d+ (?:set\.)?", "", text, flags=re.MULTILINE)
    return re.sub(rf"^{BOX}:(\d+) ", r"line \1, ", text, flags=re.MULTILINE)


def comparison_of_page(
    run: Path, asked: dict[str, Any], begun: tuple[str, ...], now_s: int, taken: Collection[str]
) -> Comparison:
    """The comparison that the page asks for: the run's scenario as it is, forked at a time or
    ``now_s``, with and without the page's policy. ``taken``: names that others have. Raises
    TwinError for what could not begin."""
    given = _policy(run, asked, begun)
    if not given:
        raise UsageError("a comparison needs a change: choose a lever, a ready policy or YAML")
    worlds = _worlds(asked)
    scenario = load(run / "scenario.yaml")
    when = str(asked.get("at") or "").strip()
    # worlds of their own begin at the start: an earlier date than the run's is no obstacle
    at_s = parse_when(when, scenario.start, 0, scenario.grid) if when else max(now_s, 0)
    if at_s >= scenario.duration:
        raise UsageError(
            f"{when or 'now'}: is not before the end of the run, which lasts "
            f"{format_duration(scenario.duration)}"
        )
    try:
        laid(run / "scenario.yaml", given["policy"], None, at_s, given["source"])
    except TwinError as error:
        raise UsageError(spoken(str(error))) from None
    _room(run, worlds)
    called = _branch(run, {**asked, "branch": _prefixed(asked)}, taken)
    if "folder" not in called:
        raise UsageError(
            f"{called['name']}: a comparison is named by letters, digits, - and _ (60 at most)"
        )
    return Comparison(
        called["name"],
        Path(called["folder"]),
        called["says"],
        given["policy"],
        called["name"].removeprefix(PREFIX).replace("_", "-"),
        (run / "scenario.yaml").read_text(encoding="utf-8"),
        worlds,
        at_s,
    )


def _worlds(asked: dict[str, Any]) -> int:
    """In how many worlds. Raises UsageError."""
    text = str(asked.get("worlds") or "").strip()
    if not re.fullmatch(r"\d{1,9}", text) or not FEWEST <= int(text) <= MOST_WORLDS:
        raise UsageError(
            f"worlds: {text or 'nothing'} is no number from {FEWEST} to {MOST_WORLDS}"
            + (
                " (for more worlds, twin compare in a terminal can spread them over machines)"
                if text.isdigit() and int(text) > MOST_WORLDS
                else ""
            )
        )
    return int(text)


def _room(run: Path, worlds: int) -> None:
    """Raise UsageError where the folder beside the run's cannot be made, or is too small."""
    there = run.resolve().parent
    if not os.access(there, os.W_OK):
        raise UsageError(f"{there}: nothing can be written there")
    newest = checkpoint.latest(run / checkpoint.FOLDER)
    world = sum(path.stat().st_size for path in newest.iterdir()) if newest else 0
    free = shutil.disk_usage(there).free
    if world * worlds > free:
        raise UsageError(
            f"{there}: {worlds} worlds need {human(world * worlds / 1e6)} MB of disk, and "
            f"{human(free / 1e6)} MB are free (give fewer worlds, or make room)"
        )


def _prefixed(asked: dict[str, Any]) -> str:
    """The name as given, as that of a comparison."""
    given = str(asked.get("branch") or "").strip()
    return f"{PREFIX}{given.removeprefix(PREFIX)}" if given else ""


def _branch(run: Path, asked: dict[str, Any], taken: Collection[str] = ()) -> dict[str, Any]:
    """A name that no branch of the run has, the folder beside the run's, and what it does."""
    given = str(asked.get("branch") or "").strip()
    says = _says(asked)
    if given and not _NAME.fullmatch(given):
        # which the run refuses, with a name that it would take
        return {"name": given, "says": says}
    compares = asked.get("do") == "compare"
    made = re.sub(r"[^A-Za-z0-9]+", "-", says).strip("-")[:LONGEST_NAME] or "as-it-is"
    wanted = given or (PREFIX if compares else "") + made
    name, number = wanted, 2
    while (not given or compares) and (
        name in taken or run.with_name(f"{run.name}-{name}").exists()
    ):
        name, number = f"{wanted}-{number}", number + 1
    return {"name": name, "folder": str(run.with_name(f"{run.name}-{name}")), "says": says}


def _says(asked: dict[str, Any]) -> str:
    """What a branch does, in a few words."""
    form = asked.get("form")
    if isinstance(form, dict):
        name, lever = str(form.get("name") or "").strip(), str(form.get("lever") or "")
        return name or f"{lever.partition('.')[2]} = {str(form.get('value', '')).strip()}"
    if asked.get("yaml"):
        named = re.search(r"name: *[\"']?([^\"'\n#,}]+)", str(asked["yaml"]))
        return named[1].strip() if named else "a policy of one's own"
    return str(asked["file"]).replace("_", " ") if asked.get("file") else "no change"


def _policy(run: Path, asked: dict[str, Any], begun: tuple[str, ...]) -> dict[str, str]:
    """A policy from the form, from the box for YAML, or from a ready file, by its name."""
    if isinstance(asked.get("form"), dict):
        known = levers.now(run, begun)
        return {"policy": levers.policy_yaml(asked["form"], known), "source": FORM}
    if text := str(asked.get("yaml") or "").strip():
        return {"policy": text, "source": BOX}
    if name := asked.get("file"):
        # by name among those offered, so that the page cannot read other files
        path = ready().get(str(name))
        if path is None:
            raise UsageError("no such ready policy")
        return {"policy": path.read_text(errors="replace", encoding="utf-8"), "source": path.name}
    return {}
