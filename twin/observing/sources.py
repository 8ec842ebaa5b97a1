"""The files of a log: which they are, what kind each is, and its bytes with their digest."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from twin.ground.errors import UsageError, nearest

Kind = Literal["text", "lines", "parquet"]
KINDS: dict[str, Kind] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".inter": "text",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "lines",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""What a file is, by the ending of its name (without .gz)."""
CHUNK = 2**20


class Within(UsageError):
    """An error within a file, found where nobody knows which file it is."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.line = line

    def of(self, path: Path) -> UsageError:
        """The error with its file."""
        return UsageError(f"{path}:{self.line}: {self}" if self.line else f"{path}: {self}")


@dataclass
class Source:
    """A file of a log."""

    path: Path
    name: str
    """As it is shown and kept: relative to what was given."""
    kind: Kind
    zipped: bool
    size: int
    rows: int = 0
    sha256: str = ""
    notes: list[str] = field(default_factory=list)
    """What was noticed in it: columns of the layout that it lacks."""


class Hashed(io.RawIOBase):
    """A file whose bytes are digested while they are read; ``done`` is how many."""

    def __init__(self, path: Path) -> None:
        self._file, self._sha, self.done = path.open("rb"), hashlib.sha256(), 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As `io.RawIOBase` has it."""
        view = memoryview(buffer)
        many = self._file.readinto(view)
        self._sha.update(view[:many])
        self.done += many
        return many

    def digest(self) -> str:
        """Of the whole file: what was not read yet is read now."""
        while part := self._file.read(CHUNK):
            self._sha.update(part)
        return self._sha.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def opened(source: Source) -> tuple[Hashed, IO[bytes]]:
    """The digesting file, and its bytes as text has them (unzipped)."""
    raw = Hashed(source.path)
    buffered = io.BufferedReader(raw, CHUNK)
    stream: Any = gzip.GzipFile(fileobj=buffered) if source.zipped else buffered
    return raw, stream


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    raw = Hashed(path)
    try:
        return raw.digest()
    finally:
        raw.close()


def found(given: Iterable[str]) -> list[Source]:
    """The files that were given: as files, folders (all files in them that can be read, by their
    endings) or patterns; each once, in the order of their names.

    Raises UsageError for what is not there, cannot be read or is empty.
    """
    made: dict[Path, Source] = {}
    for one in given:
        for path, name in _files(one):
            made.setdefault(path.resolve(), _source(path, name))
    if not made:
        raise UsageError("LOG: nothing to read (give a file, a folder or a pattern)")
    return sorted(made.values(), key=lambda source: (source.name, str(source.path)))


def _files(given: str) -> Iterator[tuple[Path, str]]:
    path = Path(given)
    if path.is_file():
        yield path, path.name
    elif path.is_dir():
        inside = [each for each in sorted(path.rglob("*")) if each.is_file()]
        known = [each for each in inside if _ending(each) in KINDS and each.name[0] != "."]
        if not known:
            raise UsageError(f"{given}: holds no file that can be read ({_known()})")
        yield from ((each, str(each.relative_to(path))) for each in known)
    elif glob.has_magic(given):
        matched = [Path(each) for each in sorted(glob.iglob(given, recursive=True))]  # noqa: PTH207 (any root)
        if not any(each.is_file() for each in matched):
            raise UsageError(f"{given}: matches no file (quote it, so that the shell leaves it)")
        yield from ((each, each.name) for each in matched if each.is_file())
    else:
        around = [each.name for each in path.parent.glob("*")] if path.parent.is_dir() else []
        raise UsageError(f"{given}: no such file or folder ({nearest(path.name, around)})")


def _ending(path: Path) -> str:
    return path.with_suffix("").suffix.lower() if path.suffix == ".gz" else path.suffix.lower()


def _known() -> str:
    return "known endings: " + ", ".join(KINDS) + ", each also with .gz"


def _source(path: Path, name: str) -> Source:
    ending = _ending(path)
    if ending not in KINDS:
        raise UsageError(f"{path}: cannot tell what it is by its name ({_known()})")
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if not head:
        raise UsageError(f"{path}: is empty (0 bytes)")
    kind, zipped = KINDS[ending], head[:2] == b"\x1f\x8b"
    if kind == "parquet" and not zipped and head != b"PAR1":
        raise UsageError(f"{path}: is not Parquet, whatever its name says (it begins otherwise)")
    if kind != "parquet" and head == b"PAR1":
        kind = "parquet"
    return Source(path, name, kind, zipped, path.stat().st_size)
