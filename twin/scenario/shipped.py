"""Scenarios and policies that come with twin: where they are, and which file a name means.

A name without a folder and without an ending, such as ``quickstart``, means the file of that name
where it is given and, if there is none, ``quickstart.yaml`` of those that come with twin.
``package:twin/quickstart`` says the same where a reader should see it, such as after ``extends:``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from twin.ground import files
from twin.ground.errors import closest

PACKAGE = "package:twin/"
HERE = Path()


@dataclass(frozen=True)
class Kind:
    """What a file is: its name in messages, its folder among what is shipped, and the command that
    lists it."""

    name: str
    folder: str
    command: str


SCENARIO = Kind("scenario", "", "twin scenarios")
EVENT = Kind("event", "events", "twin events")
POLICY = Kind("policy", "policies", "twin policies")


def place(kind: Kind) -> Path:
    """The folder of shipped files: ``scenarios/`` of a clone by a link, its copy in an installed
    package."""
    # a folder on disk in either case: twin does not run from an archive
    return Path(str(resources.files("twin"))) / "shipped" / kind.folder


@functools.cache
def named(kind: Kind) -> dict[str, Path]:
    """Shipped files by name, sorted."""
    return {path.stem: path for path in sorted(place(kind).glob("*.yaml"))}


def known(kind: Kind) -> dict[str, Path]:
    """Shipped files that a name may mean: an event is a scenario."""
    return named(SCENARIO) | named(EVENT) if kind == SCENARIO else named(kind)


def found(text: str, kind: Kind, beside: Path = HERE) -> Path:
    """The file that a user means by a path, relative to ``beside``, or by a name. Where there is
    none it is the path as written, see `missing`."""
    path = beside / text
    # a file that exists always wins
    return path if files.is_file(path) else known(kind).get(_name(text, kind), path)


def _name(text: str, kind: Kind) -> str:
    """The name in ``package:twin/NAME``, for a policy also ``package:twin/policies/NAME``, for an
    event ``package:twin/events/NAME``."""
    if not text.startswith(PACKAGE):
        return text
    folder = (EVENT if kind == SCENARIO else kind).folder
    return text.removeprefix(PACKAGE).removeprefix(f"{folder}/")


def unknown(text: str, kind: Kind, beside: Path = HERE) -> tuple[str, str] | None:
    """Why a name means nothing, and the mend: the nearest one shipped, the nearest file. None for
    what is no name."""
    path = beside / text
    reason, _ = files.trouble(path, text)
    if not reason.startswith("there is no file"):
        # too long, a folder, a link to nowhere
        return None
    if text.startswith(PACKAGE) or not (path.suffix or len(Path(text).parts) > 1):
        around = {} if text.startswith(PACKAGE) else _around(beside)
        name = _name(text, kind)
        near, file = closest(name, known(kind)), around.get(closest(name, around), "")
        likely = [near] if near else []
        likely += [f"the file {file}"] if file else []
        asked = f"did you mean {' or '.join(likely)}? " if likely else ""
        return (
            f"there is no {kind.name} {files.shown(text)}",
            f"{asked}{kind.command} lists those that come with twin",
        )
    if path.suffix == ".yaml" and path.stem in known(kind):
        return (
            f"there is no file {files.shown(text)}",
            f"write {path.stem} for the {kind.name} that comes with twin",
        )
    return None


def _around(folder: Path) -> dict[str, str]:
    """Files in a folder by their names without the ending."""
    return {Path(name).stem: name for name in files.names(folder, "*.yaml")}


def missing(text: str, kind: Kind, beside: Path = HERE) -> tuple[str, str]:
    """Why there is no such file or name, and the mend."""
    return unknown(text, kind, beside) or files.trouble(beside / text, text)
