"""The name and the tags that a user gives a run or an experiment, in ``name.json`` beside its
manifest: words for people and for `twin ls`, on which nothing that is computed depends.

What a command was given holds while the command runs (`giving`), and is written by whatever makes a
folder meanwhile.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path

from twin.ground.errors import UsageError

FILE = "name.json"
LONGEST = 120
"""Characters of a name or a tag."""


@dataclass(frozen=True)
class Naming:
    """A name ("" for none) and tags, sorted."""

    name: str = ""
    tags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As the file has it; "" if there is nothing to write."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) if self != NOTHING else ""

    def title(self, otherwise: str) -> str:
        """What a page is called."""
        return self.name or otherwise


NOTHING = Naming()
_given: ContextVar[Naming] = ContextVar("naming", default=NOTHING)


def given() -> Naming:
    """What the command that runs now was given."""
    return _given.get()


@contextlib.contextmanager
def giving(name: str | None, tags: Sequence[str]) -> Iterator[None]:
    """Within the block, folders that are made get this name and these tags; what is not given here
    is as it was given around it, such as by the command line. Raises UsageError for what is neither
    name nor tag."""
    around = given()
    mine = Naming(_checked("--name", name or "") or around.name, _tags(tags) or around.tags)
    before = _given.set(mine)
    try:
        yield
    finally:
        _given.reset(before)


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    for tag in tags:
        _checked("--tag", tag)
        if not tag or any(c.isspace() or c == "," for c in tag):
            mend = "-".join(tag.replace(",", " ").split()) or "a-word"
            raise UsageError(f"--tag {tag}: a tag is one word (such as {mend})")
    return tuple(sorted(set(tags)))


def _checked(flag: str, text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{flag} {text}: holds characters that cannot be printed (leave them out)")
    if len(text) > LONGEST:
        raise UsageError(
            f"{flag} {text[:20]}...: is {len(text)} characters long, at most {LONGEST}"
        )
    return text.strip()


def parse(data: bytes) -> Naming:
    """Name and tags of a file's bytes; nothing where they are not that: what is only shown must
    stop nobody."""
    try:
        found = json.loads(data)
        return Naming(str(found["name"]), tuple(sorted(str(tag) for tag in found["tags"])))
    except (ValueError, KeyError, TypeError):
        return NOTHING


def read(folder: Path) -> Naming:
    """Name and tags of a run or experiment in a folder of this machine."""
    try:
        return parse((folder / FILE).read_bytes())
    except OSError:
        return NOTHING
