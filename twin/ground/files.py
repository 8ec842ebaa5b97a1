"""Files that a user names: whether they are there and, if not, why and what to write instead.

A name may be too long for the file system, or lie where this user may not look: to `pathlib` these
are errors, here they are files that cannot be used, with the reason.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twin.ground.errors import UsageError, nearest

MOST_NAMES = 1000
"""Names of a folder that are looked at for the nearest one."""
LONGEST_SHOWN = 120


def is_file(path: Path) -> bool:
    """Whether it is a file that can be found; a name that nothing can have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether it is a folder that can be found."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def names(folder: Path, pattern: str = "*") -> list[str]:
    """Names in a folder, sorted; none where it cannot be read."""
    try:
        return sorted(path.name for path in itertools.islice(folder.glob(pattern), MOST_NAMES))
    except (OSError, ValueError):
        return []


def beside(folder: Path, holding: str) -> list[str]:
    """Names of folders beside one that hold a file of this name, sorted."""
    return [name for name in names(folder.parent) if is_file(folder.parent / name / holding)]


def shown(name: str) -> str:
    """A name as an error has it: a long one is cut."""
    return name if len(name) <= LONGEST_SHOWN else f"{name[:40]}...{name[-20:]}"


def trouble(path: Path, name: str, pattern: str = "*.yaml", kind: str = "file") -> tuple[str, str]:
    """Why there is no such file (or ``kind`` of thing), called ``name`` by the user, and the
    mend: the nearest of those of the pattern in its folder."""
    text = shown(name)
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return f"{text} is too long for the name of a {kind}", "write a shorter one"
        if error.errno == errno.ELOOP:
            return f"{text} is a link that leads to itself", "name the file itself"
        if error.errno in (errno.EACCES, errno.EPERM):
            return f"{text} may not be read", f"check the rights of {path.parent}"
        if not is_folder(path.parent):
            return f"there is no {kind} {text}", f"there is no folder {shown(str(path.parent))}"
        if path.is_symlink():
            return f"{text} is a link to nowhere", "name the file itself"
        return f"there is no {kind} {text}", nearest(path.name, names(path.parent, pattern))
    except ValueError:
        return f"{text!r} cannot be the name of a {kind}", "write a plain name"
    return f"{text} is no {kind}", f"write the name of a {kind}"


def free(
    folder: Path,
    flag: str,
    kind: str,
    begun: Callable[[Path], bool] = lambda folder: False,
    hint: str = "",
) -> None:
    """Raise UsageError unless a folder that a user named with ``flag`` can become one of a
    ``kind``: it is new, empty, or holds only what a process left that died (``begun``), and can be
    written. ``hint``: what else to do with one that is not empty."""
    name, other = shown(str(folder)), f"give another {flag}"
    if "\0" in name:  # no flag can bring it, but a command in a mailbox
        raise UsageError(f"{name}: no folder can have such a name ({other})")
    try:
        there = folder.exists()
        if there and not folder.is_dir():
            raise UsageError(f"{name}: is a file (give {flag} a new or empty folder)")
        if there and any(folder.iterdir()) and not begun(folder):
            raise UsageError(f"{name}: this folder is not empty ({other}{hint})")
    except OSError as error:
        raise unmade(folder, error, flag, kind) from None
    if not there and folder.is_symlink():
        raise UsageError(
            f"{name}: is a link to nowhere (make the folder that it names, or {other})"
        )
    # the folder itself, or the nearest one above it that is there
    above = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not above.is_dir():
        raise UsageError(f"{name}: {above} is a file, no folder can lie in it ({other})")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"{name}: {above} may not be written ({other})")


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A place beside a file, which becomes it when the block ends well: the file is whole or as it
    was."""
    work = out.with_name(out.name + ".part")
    try:
        yield work
        work.replace(out)
    finally:
        work.unlink(missing_ok=True)


def place(out: Path, flag: str) -> Path:
    """The file that a user named with ``flag`` for what a command writes. Raises UsageError where
    none can lie there."""
    if is_folder(out):
        raise UsageError(f"{shown(str(out))}: is a folder (give {flag} a file)")
    if not is_folder(out.parent):
        raise UsageError(
            f"{shown(str(out))}: there is no folder {shown(str(out.parent))} (make it, or give "
            f"another {flag})"
        )
    return out


def unmade(folder: Path, error: OSError, flag: str, kind: str) -> UsageError:
    """That a folder cannot become what it should, and why."""
    why, _ = reason(error)
    return UsageError(f"{shown(str(folder))}: cannot become {kind}: {why} (give another {flag})")


_SAID = re.compile(r"\[errno (\d+)\]", re.IGNORECASE)
_SHORT = re.compile(r"\d+ requested and \d+ written")
_REASONS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", "make room"),
    errno.EDQUOT: ("your share of the disk is full", "make room"),
    errno.EIO: ("the disk reports an error", "check the disk, or use another"),
    errno.EROFS: ("the disk is read-only", "choose a place that can be written"),
    errno.EACCES: ("you have no right to", "choose a place that you may write to"),
    errno.EPERM: ("you have no right to", "choose a place that you may write to"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter one"),
    errno.ENOTDIR: ("a file is in the way", "give another place"),
    errno.EMFILE: ("too many files are open", "raise the limit, ulimit -n"),
}


def number(error: OSError) -> int | None:
    """The errno of an error, whatever library raised it: pyarrow writes it into the text, numpy
    (which writes less than it was asked to on a full disk) leaves it out."""
    if error.errno is not None:
        return error.errno
    if said := _SAID.search(str(error)):
        return int(said[1])
    return errno.ENOSPC if _SHORT.search(str(error)) else None


def reason(error: OSError) -> tuple[str, str]:
    """Why a file could not be read or written, and the mend ("": none is known)."""
    found = number(error)
    if found in _REASONS:
        return _REASONS[found]
    return (os.strerror(found) if found else str(error) or type(error).__name__), ""
