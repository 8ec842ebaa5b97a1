"""Importing a scenario's own modules, each folder's kept apart from those of other folders.

Two scenarios of one process may each have a ``my/surveys.py``. A module is imported again when one
of its folder's files has changed.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

from twin.ground import files, safety
from twin.ground.errors import nearest


class Trouble(Exception):
    """Why a class cannot be used, and the mend."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.reason, self.mend = reason, mend


_KEPT: dict[Path, dict[str, ModuleType]] = {}
_STAMPS: dict[Path, dict[str, int]] = {}
"""Modules by the folder that they were found in, and when their files were written."""


def holds(folder: Path, name: str) -> bool:
    """Whether a folder has a module or package of that dotted name."""
    place = folder.joinpath(*name.split("."))
    return files.is_file(place.with_name(place.name + ".py")) or files.is_file(
        place / "__init__.py"
    )


@contextmanager
def seeing(folder: Path | None, name: str) -> Iterator[None]:
    """Imports of ``name`` inside see ``folder`` first, and of the modules kept by folder only its
    own.

    Afterwards ``sys.path`` is what it was. New modules stay in ``sys.modules`` unless another
    package of that name was there.
    """
    # What must not be seen goes first: the folder's own modules may have the same names
    aside = _set_aside(folder, name)
    own = _still_current(folder)
    sys.modules.update(own)
    if folder is not None:
        sys.path.insert(0, str(folder))
    # Whatever is new after this, and lies in the folder, belongs to it
    before = {top_of(each) for each in set(sys.modules) - set(own)}
    if folder is not None:
        _add_bare_package(folder, name)
    # Python remembers what folders contain: a file written a moment ago may be missing there
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder is not None:
            sys.path.remove(str(folder))
            _keep_new(folder, before)
        # What was set aside comes back, in place of what this import put under the same names.
        taken = {top_of(each) for each in aside}
        for each in [each for each in sys.modules if top_of(each) in taken]:
            del sys.modules[each]
        sys.modules.update(aside)


def _set_aside(folder: Path | None, name: str) -> dict[str, ModuleType]:
    """Take out of ``sys.modules`` what this import must not see, and return it: modules kept for
    other folders, and another package of the same name."""
    top = top_of(name)
    # By identity: two modules of one name are different modules
    others = {
        id(module)
        for place, modules in _KEPT.items()
        if place != folder
        for module in modules.values()
    }
    foreign = (
        folder is not None
        # Twin itself is never set aside: all of this runs on it
        and top != "twin"
        and top in sys.modules
        and not lies_in(sys.modules[top], folder)
    )
    aside = {
        each: module
        for each, module in sys.modules.items()
        if id(module) in others or (foreign and top_of(each) == top)
    }
    for each in aside:
        del sys.modules[each]
    return aside


def _still_current(folder: Path | None) -> dict[str, ModuleType]:
    """The modules kept for a folder; none, and none in ``sys.modules``, if a file has changed."""
    own = _KEPT.get(folder, {}) if folder else {}
    if folder is None or all(
        _stamp(module) == _STAMPS[folder][each] for each, module in own.items()
    ):
        return own
    # All of them, since one that is unchanged may have imported from one that is not
    for each in [each for each, module in own.items() if sys.modules.get(each) is module]:
        del sys.modules[each]
    return {}


def _add_bare_package(folder: Path, name: str) -> None:
    """Enter a top-level folder without ``__init__.py``, in place of which Python would prefer any
    package of that name elsewhere."""
    top = top_of(name)
    if top not in sys.modules and holds(folder, name) and not holds(folder, top):
        bare = ModuleSpec(top, None, is_package=True)
        bare.submodule_search_locations = [str(folder / top)]
        sys.modules[top] = module_from_spec(bare)


def _keep_new(folder: Path, before: set[str]) -> None:
    """Keep the modules that were found in a folder, with the times of their files."""
    tops = {top_of(each) for each in sys.modules} - before
    # What the import pulled in from elsewhere, such as a library, is not the folder's
    tops = {each for each in tops if each in sys.modules and lies_in(sys.modules[each], folder)}
    _KEPT[folder] = {each: module for each, module in sys.modules.items() if top_of(each) in tops}
    _STAMPS[folder] = {each: _stamp(module) for each, module in _KEPT[folder].items()}


def top_of(name: str) -> str:
    """The top-level package of a dotted name."""
    return name.partition(".")[0]


def lies_in(module: ModuleType, folder: Path) -> bool:
    """Whether a top-level module or package stands directly in a folder."""
    file = getattr(module, "__file__", None)
    # A folder without __init__.py
    if file is None:
        return any(
            Path(place).parent.resolve() == folder for place in getattr(module, "__path__", ())
        )
    place = Path(file).resolve()
    return (place.parent.parent if hasattr(module, "__path__") else place.parent) == folder


def _stamp(module: ModuleType) -> int:
    file = getattr(module, "__file__", None)
    return Path(file).stat().st_mtime_ns if file and Path(file).exists() else 0


def imported(name: str, places: list[Path]) -> ModuleType:
    """A module by its dotted name, searched for in ``places``. Raises Trouble."""
    if why := safety.refused(name):
        raise Trouble(why, safety.MEND)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        # The module itself, or a package above it; another name is an import inside the module
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
        # The first two frames are `imported` and importlib
        for frame in traceback.extract_tb(error.__traceback__)[2:]
        if not frame.filename.startswith("<frozen ")
    ]
    home = Path(frames[0].filename).parent if frames else None
    inner = [frame for frame in frames if home and Path(frame.filename).is_relative_to(home)]
    where = f"{inner[-1].filename}:{inner[-1].lineno}" if inner else ""
    # A file that does not compile has no frame of its own: the error says where
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
