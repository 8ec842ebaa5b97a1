"""Mechanisms from outside the package, named in a scenario by ``class: package.module.Class``.

To load a scenario that names a class is to run that class's module: without ``class:`` a scenario
is data. The module is sought in the folders that the caller gives (that of the scenario, the
current one), then on Python's path. Modules found in such a folder are kept apart by folder, so
that two scenarios of one process may each have a ``my/surveys.py``; they are read anew when a file
of theirs was changed.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from twin.ground.errors import nearest
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


class Trouble(Exception):
    """Why a class cannot be used, and the mend."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason, self.mend = reason, mend


def find(
    path: object, folders: Iterable[Path], block: str = ""
) -> tuple[type[Mechanism[Any]], Outside]:
    """The mechanism at a dotted path; ``block`` is the name that it must have, if any. Raises
    Trouble."""
    if (
        not isinstance(path, str)
        or "." not in path
        or not all(part.isidentifier() for part in path.split("."))
    ):
        raise Trouble(f"{path!r} is not the dotted path of a class", "write package.module.Class")
    name, _, title = path.rpartition(".")
    places = [folder.resolve() for folder in folders]
    top = _top(name)
    likely = [place for place in places if _holds(place, name)] or [
        place for place in places if (place / top).is_dir()
    ]
    folder = likely[0] if likely else None
    with _seeing(folder, name):
        module = _imported(name, places)
        folder = folder if folder and _lies_in(sys.modules[top], folder) else None
    kind = vars(module).get(title)
    if kind is None:
        raise Trouble(f"the module {name} has no class {title}", nearest(title, _classes(module)))
    if not isinstance(kind, type) or not issubclass(kind, Mechanism):
        raise Trouble(
            f"{path} is not a mechanism", "derive the class from twin.world.mechanism.Mechanism"
        )
    called = getattr(kind, "name", None)
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
    _FILES.add(file := str(getattr(module, "__file__", None) or ""))
    return kind, Outside(path, folder, file)


def clashes(
    kind: type[Mechanism[Any]], others: Mapping[str, type[Mechanism[Any]]]
) -> Iterator[str]:
    """What a mechanism declares that another one has already, or needs and nobody offers, each in
    words."""
    for name, other in others.items():
        mine, theirs = _declared(kind), _declared(other)
        for what in ("metric", "column", "service"):
            for each in sorted(mine[what] & theirs[what]):
                yield f"its {what} {each} belongs to {name} already"
    offered = {service for each in (kind, *others.values()) for service in each.provides}
    for service in kind.needs:
        if service not in offered:
            yield f"it needs the service {service}, which nobody offers"


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
    while cause is not None:  # SimPy raises anew what a handler raised
        frames = [
            frame for frame in traceback.extract_tb(cause.__traceback__) if frame.filename in _FILES
        ]
        if frames:
            return f"{frames[-1].filename}:{frames[-1].lineno}"
        cause = cause.__cause__
    return None


_FILES: set[str] = set()
_KEPT: dict[Path, dict[str, ModuleType]] = {}
_STAMPS: dict[Path, dict[str, int]] = {}
"""Modules by the folder that they were found in, and when their files were written."""


def _holds(folder: Path, name: str) -> bool:
    place = folder.joinpath(*name.split("."))
    return place.with_name(place.name + ".py").is_file() or (place / "__init__.py").is_file()


@contextmanager
def _seeing(folder: Path | None, name: str) -> Iterator[None]:
    """Imports inside see ``folder`` first, and of the modules kept by folder only its own.

    Afterwards ``sys.path`` is what it was; the new modules stay in ``sys.modules`` unless another
    package of that name was there.
    """
    top = _top(name)
    own = _KEPT.get(folder, {}) if folder else {}
    others = {
        id(module)
        for place, modules in _KEPT.items()
        if place != folder
        for module in modules.values()
    }
    foreign = (
        folder is not None
        and top != "twin"
        and top in sys.modules
        and not _lies_in(sys.modules[top], folder)
    )
    aside = {
        each: module
        for each, module in sys.modules.items()
        if id(module) in others or (foreign and _top(each) == top)
    }
    for each in aside:
        del sys.modules[each]
    if folder is not None and any(
        _stamp(module) != _STAMPS[folder][each] for each, module in own.items()
    ):  # somebody edits: read it anew
        for each in [each for each, module in own.items() if sys.modules.get(each) is module]:
            del sys.modules[each]
        own = {}
    sys.modules.update(own)
    if folder is not None:
        sys.path.insert(0, str(folder))
    before = {_top(each) for each in set(sys.modules) - set(own)}
    if (
        folder is not None
        and top not in sys.modules
        and _holds(folder, name)
        and not _holds(folder, top)
    ):
        bare = ModuleSpec(
            top, None, is_package=True
        )  # no __init__.py: Python would prefer any package of that name elsewhere
        bare.submodule_search_locations = [str(folder / top)]
        sys.modules[top] = module_from_spec(bare)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder is not None:
            sys.path.remove(str(folder))
            tops = {_top(each) for each in sys.modules} - before
            tops = {
                each for each in tops if each in sys.modules and _lies_in(sys.modules[each], folder)
            }
            _KEPT[folder] = {
                each: module for each, module in sys.modules.items() if _top(each) in tops
            }
            _STAMPS[folder] = {each: _stamp(module) for each, module in _KEPT[folder].items()}
        taken = {_top(each) for each in aside}
        for each in [each for each in sys.modules if _top(each) in taken]:
            del sys.modules[each]
        sys.modules.update(aside)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _lies_in(module: ModuleType, folder: Path) -> bool:
    """Whether a top-level module or package stands directly in a folder."""
    file = getattr(module, "__file__", None)
    if file is None:  # a folder without __init__.py
        return any(
            Path(place).parent.resolve() == folder for place in getattr(module, "__path__", ())
        )
    place = Path(file).resolve()
    return (place.parent.parent if hasattr(module, "__path__") else place.parent) == folder


def _stamp(module: ModuleType) -> int:
    file = getattr(module, "__file__", None)
    return Path(file).stat().st_mtime_ns if file and Path(file).exists() else 0


def _imported(name: str, places: list[Path]) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(missing + "."):
            parent = missing.rpartition(".")[0]
            around = (
                [Path(place) for place in getattr(sys.modules.get(parent), "__path__", ())]
                if parent
                else places
            )
            known = {f"{parent}.{each}".lstrip(".") for place in around for each in _modules(place)}
            looked = " or ".join(map(str, dict.fromkeys(places)))
            raise Trouble(
                f"there is no module {missing} in {looked}, nor on Python's path",
                nearest(missing, known),
            ) from None
        raise _failure(name, error) from None
    except (Exception, SystemExit) as error:
        raise _failure(name, error) from None


def _failure(name: str, error: BaseException) -> Trouble:
    """An error inside the user's module, with its place there."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)[2:]
        if not frame.filename.startswith("<frozen ")
    ]
    home = Path(frames[0].filename).parent if frames else None
    inner = [frame for frame in frames if home and Path(frame.filename).is_relative_to(home)]
    where = f"{inner[-1].filename}:{inner[-1].lineno}" if inner else ""
    if isinstance(error, SyntaxError) and error.filename:
        where, text = f"{error.filename}:{error.lineno}", error.msg
    else:
        text = str(error)
    return Trouble(
        f"importing {name} fails at {where or 'an unknown line'}: {type(error).__name__}: {text}",
        "correct the module",
    )


def _modules(folder: Path) -> list[str]:
    """Names of the modules and packages of a folder."""
    found: list[Path] = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        each.stem
        for each in found
        if each.stem.isidentifier() and (each.suffix == ".py" or any(each.glob("*.py")))
    ]


def _classes(module: ModuleType) -> list[str]:
    kinds: dict[str, Any] = {
        name: kind for name, kind in vars(module).items() if isinstance(kind, type)
    }
    mechanisms = [
        name
        for name, kind in kinds.items()
        if issubclass(kind, Mechanism) and kind is not Mechanism
    ]
    return mechanisms or list(kinds)
