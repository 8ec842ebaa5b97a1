"""Run folders that are nearly right: bits flipped, files cut, missing, or of another kind.

The first line of an input is what is done with the folder; each further line is a change of it, as
JSON: what, which file, and where.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

from tests.campaign import mutate, samples

RUN, BRANCH, OUT = "run", "branch", "exported"
COMMANDS = {
    "resume": ["resume", RUN],
    "fork": ["fork", RUN, "--name", "b", "--out", BRANCH],
    "ls": ["ls", "."],
    "export csv": ["export", RUN, "--format", "csv", "--out", f"{OUT}/x"],
    "export wide": ["export", RUN, "--format", "wide", "--out", f"{OUT}/x"],
    "export": ["export", RUN, "--out", f"{OUT}/x"],
    "report": ["report", RUN],
    "check": ["check", f"{RUN}/scenario.yaml"],
}
FILES = ("manifest.json", "scenario.yaml", "name.json")


def _files() -> list[str]:
    run = Path(samples.SAMPLES) / samples.RUN
    return sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())


def draw(draw: random.Random) -> str:
    """A command and one to three changes."""
    # a report takes seconds to draw, and what is resumed says most
    quick = [*(name for name in COMMANDS if name != "report"), *3 * ["resume"]]
    lines = [draw.choice(quick) if draw.random() < 0.97 else "report"]
    names = _files()
    for _ in range(draw.choice([1, 1, 2, 3])):
        # a checkpoint has some hundred files, and the few others matter as much
        name = draw.choice(names if draw.random() < 0.5 else [n for n in names if ".npy" not in n])
        how = draw.choice(
            ["flip", "flip", "cut", "remove", "empty", "text", "folder", "json", "json"]
        )
        change: list[Any] = [how, name, draw.random(), draw.randrange(8)]
        if how == "json":
            change = [how, draw.choice([n for n in names if n.endswith(".json")]), draw.random()]
            value = draw.choice([*mutate.SCALARS, *mutate.COLLECTIONS])
            change.append(value if not isinstance(value, int) or abs(value) < 2**70 else 0)
        lines.append(json.dumps(change))
    return "\n".join(lines)


def arguments(text: str) -> list[str]:
    """The command of an input."""
    return COMMANDS.get(text.partition("\n")[0], COMMANDS["resume"])


def place(folder: Path, text: str) -> None:
    """Bring the sample's folder there, and change it."""
    for name in (RUN, BRANCH, OUT):
        shutil.rmtree(folder / name, ignore_errors=True)
    run = folder / RUN
    shutil.copytree(folder / samples.SAMPLES / samples.RUN, run)
    (folder / OUT).mkdir()
    for line in text.split("\n"):
        try:
            change = json.loads(line)
            if isinstance(change, list):
                _change(run, *change)
        except (ValueError, TypeError, OSError, KeyError, IndexError):
            continue  # made smaller, it may be no change any more


def _change(run: Path, how: str, name: str, where: float, more: Any) -> None:
    path = run / name
    data = path.read_bytes()
    at = int(where * len(data))
    if how == "flip":
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << more]) + data[at + 1 :])
    elif how == "cut":
        path.write_bytes(data[:at])
    elif how == "remove":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_bytes(b"\xff\xfe no such file")
    elif how == "folder":
        path.unlink()
        path.mkdir()
    elif how == "json":
        tree = json.loads(data)
        places = mutate.places(tree)
        *above, last = places[int(where * len(places))] or ("x",)
        inner = tree
        for part in above:
            inner = inner[part]
        inner[last] = more
        path.write_text(json.dumps(tree), encoding="utf-8")


def silent(folder: Path, text: str) -> str:
    """Whether a run was resumed to other readings than it should have, and nothing was said."""
    if arguments(text)[0] != "resume":
        return ""
    right = folder / samples.SAMPLES / samples.WHOLE / "metrics.parquet"
    found = folder / RUN / "metrics.parquet"
    if not found.is_file():
        return "resumed, and there are no readings"
    return "" if found.read_bytes() == right.read_bytes() else "resumed to other readings"
