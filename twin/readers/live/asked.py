"""What a page may ask of the run: the few commands there are, with a policy from its form, and
refusals in words that speak of that form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twin.ground.errors import TwinError, UsageError
from twin.readers.live import levers
from twin.readers.live.ready import ready
from twin.record.mailbox import command

FORM, BOX = "form", "box"
"""Where a policy was given, as the run names it before each problem."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
LONGEST_NAME = 40
"""Characters of a branch's name that is made of what the branch does."""


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


def _branch(run: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """A name that no branch of the run has, the folder beside the run's, and what it does."""
    given = str(asked.get("branch") or "").strip()
    says = _says(asked)
    if given and not _NAME.fullmatch(given):
        return {
            "name": given,
            "says": says,
        }  # which the run refuses, with a name that it would take
    wanted = given or re.sub(r"[^A-Za-z0-9]+", "-", says).strip("-")[:LONGEST_NAME] or "as-it-is"
    name, number = wanted, 2
    while not given and run.with_name(f"{run.name}-{name}").exists():
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
