"""Mechanisms from outside the package, named in a scenario by ``class: package.module.Class``.

Loading a scenario that names a class runs that class's module; without ``class:`` a scenario is
data. The module is searched for in the folders that the caller gives (that of the scenario, the
current one), then on Python's path (see `importing`).
"""

from __future__ import annotations

import hashlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from twin.ground import files
from twin.ground.errors import nearest
from twin.mechanisms import REGISTRY
from twin.scenario.importing import Trouble, holds, imported, lies_in, seeing, top_of
from twin.world.mechanism import Mechanism
from twin.world.params import Params


@dataclass(frozen=True)
class Outside:
    """Where a scenario's own mechanism comes from.

    ``path`` is the dotted path of the class, ``folder`` what was put on Python's path to find it
    (None: nothing), ``file`` its module.
    """

    path: str
    folder: Path | None
    file: str

    def code(self) -> str:
        """SHA-256 of the module's file as it is now; empty where there is none."""
        return (
            hashlib.sha256(Path(self.file).read_bytes()).hexdigest()
            if Path(self.file).is_file()
            else ""
        )


def folder_key(name: str) -> str:
    """The key beside ``class`` that names the folder of its package: ``from``, or ``class_from`` in a
    block in which ``from`` is a table (of people, of creators)."""
    known = REGISTRY.get(name)
    return "class_from" if known is not None and "from" in known.Params.model_fields else "from"


def located(path: object, folders: Iterable[Path], base: type[Any]) -> tuple[Any, Outside]:
    """What stands at a dotted path, which should be a class derived from ``base``. Raises
    Trouble."""
    if (
        not isinstance(path, str)
        or "." not in path
        or not all(part.isidentifier() for part in path.split("."))
    ):
        raise Trouble(f"{path!r} is not the dotted path of a class", "write package.module.Class")
    name, _, title = path.rpartition(".")
    places = [folder.resolve() for folder in folders]
    top = top_of(name)
    # a folder with the module itself, else one with its package, where the error will be of use
    likely = [place for place in places if holds(place, name)] or [
        place for place in places if files.is_folder(place / top)
    ]
    folder = likely[0] if likely else None
    with seeing(folder, name):
        module = imported(name, places)
        # the module may have come from Python's path after all; then no folder need be recorded
        folder = folder if folder and lies_in(sys.modules[top], folder) else None
    kind = vars(module).get(title)
    if kind is None:
        raise Trouble(
            f"the module {name} has no class {title}", nearest(title, _classes(module, base))
        )
    # noted for `blame`, which tells errors of these files from ours
    _FILES.add(file := str(getattr(module, "__file__", None) or ""))
    return kind, Outside(path, folder, file)


def find(
    path: object, folders: Iterable[Path], block: str = ""
) -> tuple[type[Mechanism[Any]], Outside]:
    """The mechanism at a dotted path; ``block`` is the name that it must have, if any. Raises
    Trouble."""
    kind, outside = located(path, folders, Mechanism)
    title = outside.path.rpartition(".")[2]
    if not isinstance(kind, type) or not issubclass(kind, Mechanism):
        raise Trouble(
            f"{path} is not a mechanism", "derive the class from twin.world.mechanism.Mechanism"
        )
    called = getattr(kind, "name", None)
    # the class must have the name of its block: columns, levers and state go by it
    if not isinstance(called, str) or called != (block or called):
        raise Trouble(
            f"{title} has no name"
            if called is None
            else f"{title} is named {called}, and not {block}",
            f'write name = "{block or title.lower()}" in the class'
            + (f", or {called}: here" if isinstance(called, str) else ""),
        )
    parameters = getattr(kind, "Params", None)
    if not isinstance(parameters, type) or not issubclass(parameters, Params):
        raise Trouble(
            f"{title} has no parameters", "add Params = ..., a subclass of twin.world.params.Params"
        )
    places = ("class", folder_key(called), "enabled")
    if taken := [each for each in places if each in parameters.model_fields]:
        raise Trouble(
            f"{title} has a parameter {taken[0]}",
            f"give it another name: {', '.join(places)} are of the block itself",
        )
    return kind, outside


def clashes(
    kind: type[Mechanism[Any]], others: Mapping[str, type[Mechanism[Any]]]
) -> Iterator[str]:
    """What a mechanism declares that another one already has, or needs and no other offers, each as
    a phrase."""
    for name, other in others.items():
        mine, theirs = _declared(kind), _declared(other)
        for what in ("metric", "column", "service"):
            for each in sorted(mine[what] & theirs[what]):
                yield f"its {what} {each} already belongs to {name}"
    # its own services count: it may offer what it needs
    offered = {service for each in (kind, *others.values()) for service in each.provides}
    for service in kind.needs:
        if service not in offered:
            yield f"it needs the service {service}, which no mechanism offers"


def _declared(kind: type[Mechanism[Any]]) -> dict[str, set[str]]:
    return {
        "metric": {metric.name for metric in kind.metrics},
        "service": set(kind.provides),
        "column": {
            f"{table}.{column.name}"
            for table, columns in kind.columns.items()
            for column in columns
        },
    }


def blame(error: BaseException) -> str | None:
    """``file:line`` of the deepest frame of an error that lies in a module of the scenario's own,
    if any does."""
    cause: BaseException | None = error
    # SimPy raises what a handler raised again, with it as the cause
    while cause is not None:
        frames = [
            frame for frame in traceback.extract_tb(cause.__traceback__) if frame.filename in _FILES
        ]
        if frames:
            return f"{frames[-1].filename}:{frames[-1].lineno}"
        cause = cause.__cause__
    return None


_FILES: set[str] = set()


def _classes(module: ModuleType, base: type[Any]) -> list[str]:
    """Names of a module's classes derived from ``base``; of all classes where none is."""
    kinds: dict[str, Any] = {
        name: kind for name, kind in vars(module).items() if isinstance(kind, type)
    }
    derived = [name for name, kind in kinds.items() if issubclass(kind, base) and kind is not base]
    return derived or list(kinds)
