"""A strict reader of YAML that knows where every value was written, and the writer of what it reads.

Only the part of YAML is read that every YAML reader understands alike: mappings with text keys, lists, and scalars whose type
leaves no doubt. Refused, each with its line and a mend: duplicate keys, ``1e-3`` (text to PyYAML), ``12:30`` (750), ``off``
(false), ``010`` (8), NaN and infinity, tags, anchors and aliases, several documents, control characters, more than 1 MB, more
than 50 levels. The tree is built from PyYAML's event stream with a stack of its own: no constructor runs, nothing recurses,
and an alias is refused before anything is copied.

Source: YAML 1.1 (yaml.org/spec/1.1) as PyYAML resolves it, against the core schema of YAML 1.2.2.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from twin.errors import Problem

Scalar = str | int | float | bool | None
MOST_BYTES, MOST_LEVELS, MOST_PROBLEMS = 1_000_000, 50, 100
REFUSED = object()
"""Stands in the tree for a value that was refused (its problem is told already)."""
_SKIP, _NO_KEY = "\0skip", "\0none"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Mark:
    """Where a value was written: a file (or flag) and line; its relative paths start from ``base``."""

    file: str
    line: int
    base: Path

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def problem(self, path: str, reason: str, mend: str = "") -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, path, reason, mend)


@dataclass(frozen=True)
class Node:
    """A value with its place. ``value`` is a scalar, a tuple of nodes, a dict of nodes by key, or REFUSED."""

    mark: Mark
    value: Any

    def get(self, name: str) -> Node | None:
        """The child at a key, if this is a mapping that has it."""
        return self.value.get(name) if isinstance(self.value, dict) else None


def shown(value: object, width: int = 48) -> str:
    """A value as one short line of an error message."""
    if isinstance(value, Mapping):
        return "a block of settings"
    if isinstance(value, tuple | list):
        return "a list"
    text = {True: "true", False: "false", None: "nothing"}[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= width else f"{text[:width - 3]}..."


def join(path: str, key: str) -> str:
    """A dotted path, one level deeper, fit to print."""
    part = key if re.fullmatch(r"[\w.-]{1,80}", key) else shown(key)
    return f"{path}.{part}" if path else part


def bare(node: Node) -> Any:
    """The value without places: scalars, tuples and dicts; REFUSED if anything in it was refused."""
    if isinstance(node.value, dict):
        block = {key: bare(child) for key, child in node.value.items()}
        return REFUSED if any(child is REFUSED for child in block.values()) else block
    if isinstance(node.value, tuple):
        items = tuple(bare(child) for child in node.value)
        return REFUSED if any(child is REFUSED for child in items) else items
    return node.value


def merge(below: Node | None, above: Node) -> Node:
    """Lay one tree over another: mappings merge, everything else is replaced."""
    if below is None or not isinstance(below.value, dict) or not isinstance(above.value, dict):
        return above
    merged = {**below.value, **{key: merge(below.value.get(key), child) for key, child in above.value.items()}}
    return Node(above.mark, merged)


# ---- scalars ------------------------------------------------------------------------------------------------------------

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None,
                                  "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SWITCHES = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"([-+]?[0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)
_EXPONENT = re.compile(r"([-+]?)([0-9]*)\.?([0-9]*)[eE]([-+]?)([0-9]+)")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_OCTAL = re.compile(r"[-+]?0[0-9]+")
_OTHER_BASE = re.compile(r"[-+]?0[xXbBoO][0-9a-fA-F_]+")
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?")
_POINT_FIRST = re.compile(r"[-+]\.[0-9]+")


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises ValueError(reason, mend) for one that YAML readers take differently."""
    if text in _WORDS:
        return _WORDS[text]
    if text.lower() in _SWITCHES:
        raise ValueError(f"YAML takes {text} for {_SWITCHES[text.lower()]}",
                         f"write {_SWITCHES[text.lower()]}, or quote it if it is text")
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number", "quote it if it is text")
    if len(text) > 64:
        if re.fullmatch(r"[-+0-9_.]+", text):
            raise ValueError("a number with more than 64 digits", "write fewer")
        return text
    if _OCTAL.fullmatch(text):
        raise ValueError(f"YAML takes {text} for a number in base 8", f"write {int(text)}, or quote it if it is text")
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        if not math.isfinite(value := float(text)):
            raise ValueError(f"{text} is not a finite number", "write a smaller one")
        return value
    if match := _EXPONENT.fullmatch(text):
        if match[2] or match[3]:
            better = f"{match[1]}{match[2] or 0}.{match[3] or 0}e{match[4] or '+'}{match[5]}"
            raise ValueError(f"YAML takes {text} for text, not for a number", f"write {better}, or quote it if it is text")
        return text
    if _BASE_60.fullmatch(text):
        raise ValueError(f"YAML takes {text} for a number in base 60",
                         "write a duration such as 12h, or quote it if it is text")
    if _OTHER_BASE.fullmatch(text):
        raise ValueError(f"{text} is not a decimal number", "write it in decimals, or quote it if it is text")
    if _UNDERSCORES.fullmatch(text) or _POINT_FIRST.fullmatch(text):
        better = text.replace("_", "").replace("-.", "-0.").replace("+.", "0.")
        raise ValueError(f"some YAML readers take {text} for a number, some for text",
                         f"write {better}, or quote it if it is text")
    return text


def scalar_text(value: Scalar) -> str:
    """A scalar as YAML text that `plain` reads back as the same value."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        mantissa, e, exponent = repr(value).partition("e")
        return mantissa + ("" if "." in mantissa else ".0") + (f"e{'' if exponent[0] in '+-' else '+'}{exponent}" if e else "")
    if re.fullmatch(r"[A-Za-z0-9_/][A-Za-z0-9_./%+-]*", value):
        try:
            if plain(value) == value:
                return value
        except ValueError:
            pass
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    return '"' + "".join(escapes.get(char, char if char.isprintable() else f"\\U{ord(char):08x}") for char in value) + '"'


def write(block: Mapping[str, Any], indent: str = "") -> str:
    """Nested mappings as YAML text, one setting a line; lists of scalars on one line."""
    lines = []
    for key, value in block.items():
        name = f"{indent}{scalar_text(key)}:"
        if isinstance(value, Mapping):
            lines.append(f"{name}\n{write(value, indent + '  ')}" if value else f"{name} {{}}\n")
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            items = [write(item, indent + "    ") for item in value]
            lines.append(f"{name}\n" + "".join(f"{indent}  - {item[len(indent) + 4:]}" for item in items))
        elif isinstance(value, list | tuple):
            lines.append(f"{name} [{', '.join(map(scalar_text, value))}]\n")
        else:
            lines.append(f"{name} {scalar_text(value)}\n")
    return "".join(lines)


# ---- reading ------------------------------------------------------------------------------------------------------------

class _Stop(Exception):
    """The text cannot be read any further; the problem is noted."""


@dataclass
class _Open:
    """A mapping or list being read."""

    mark: Mark
    path: str
    items: dict[str, Node] | list[Node]
    key: str = _NO_KEY


class _Builder:
    """Builds the tree from events."""

    def __init__(self, file: str, base: Path, first_line: int) -> None:
        self.file, self.base, self.first_line = file, base, first_line
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.root: Node | None = None

    def mark(self, line: int) -> Mark:
        """The place of a line counted from 0."""
        return Mark(self.file, line + self.first_line if self.first_line else 0, self.base)

    def path(self) -> str:
        if not self.stack:
            return ""
        top = self.stack[-1]
        if isinstance(top.items, list):
            return f"{top.path}[{len(top.items)}]"
        return top.path if top.key in (_NO_KEY, _SKIP) else join(top.path, top.key)

    def refuse(self, mark: Mark, reason: str, mend: str = "", path: str | None = None) -> None:
        self.problems.append(mark.problem(self.path() if path is None else path, reason, mend))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Stop

    def put(self, node: Node) -> None:
        """Put a finished value where it belongs."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.items, list):
            top.items.append(node)
            return
        if top.key != _SKIP:
            top.items[top.key] = node
        top.key = _NO_KEY

    def key_wanted(self) -> _Open | None:
        """The open mapping whose next event is a key."""
        top = self.stack[-1] if self.stack else None
        return top if top is not None and isinstance(top.items, dict) and top.key == _NO_KEY else None

    def take(self, event: yaml.Event) -> None:
        """One event of the stream."""
        mark = self.mark(event.start_mark.line)
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self.refuse(mark, "a second document begins here", "a scenario is one document; remove the line ---", path="")
            raise _Stop
        if isinstance(event, yaml.AliasEvent):
            self.refuse(mark, "YAML aliases are not used here", "write it out")
            if top := self.key_wanted():
                top.key = _SKIP
            else:
                self.put(Node(mark, REFUSED))
        elif isinstance(event, yaml.ScalarEvent):
            self.scalar(event, mark)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.odd(event, mark)
            if self.key_wanted():
                self.refuse(mark, "a key must be text", "quote the whole value if it is meant as text")
                raise _Stop
            if len(self.stack) >= MOST_LEVELS:
                self.refuse(mark, f"nested deeper than {MOST_LEVELS} levels", "a scenario needs five", path="")
                raise _Stop
            self.stack.append(_Open(mark, self.path(), {} if isinstance(event, yaml.MappingStartEvent) else []))
        elif isinstance(event, yaml.CollectionEndEvent):
            done = self.stack.pop()
            self.put(Node(done.mark, done.items if isinstance(done.items, dict) else tuple(done.items)))

    def odd(self, event: Any, mark: Mark) -> bool:
        """Refuse anchors and tags."""
        if event.anchor is not None:
            self.refuse(mark, "YAML anchors are not used here", f"remove &{shown(event.anchor)[1:-1]}")
        if event.tag is not None:
            self.refuse(mark, "YAML tags are not used here", f"remove {shown(event.tag)[1:-1]}")
        return event.anchor is not None or event.tag is not None

    def scalar(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        """A key or a value."""
        value: Any = event.value
        top = self.key_wanted()
        try:
            if self.odd(event, mark):
                value = REFUSED
            elif event.style in (None, ""):
                value = plain(event.value)
            elif found := _CONTROL.search(event.value):
                raise ValueError(f"a control character (U+{ord(found[0]):04X})", "remove it")
        except ValueError as error:
            self.refuse(mark, *error.args)
            value = REFUSED
        if top is None:
            self.put(Node(mark, value))
        elif value is REFUSED:
            top.key = _SKIP
        elif not isinstance(value, str):
            self.refuse(mark, f"the key {shown(value)} is not text", "name the setting, or quote the key")
            top.key = _SKIP
        elif value in top.items:
            first = top.items[value].mark.line  # type: ignore[call-overload]
            self.refuse(mark, f"given twice{f', first on line {first}' if first else ''}", "remove one of the two",
                        path=join(top.path, value))
            top.key = _SKIP
        else:
            top.key = value


def _syntax(error: yaml.YAMLError, lines: Sequence[str]) -> tuple[int, str, str]:
    """Line (from 0), reason and mend of what PyYAML could not parse."""
    problem, context = str(getattr(error, "problem", None) or error), str(getattr(error, "context", None) or "")
    mark, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    line = mark.line if mark else 0
    since = f", opened on line {opened.line + 1}," if opened and opened.line != line else ""
    char = lines[line][mark.column:mark.column + 1] if mark and line < len(lines) else ""
    if "tab character" in problem or ("cannot start" in problem and char == "\t"):
        return line, "a tab where YAML wants spaces", "indent with spaces"
    if "cannot start" in problem:
        return line, f"a value cannot begin with {shown(char)}", "quote it"
    if "mapping values" in problem:
        return line, "a colon that YAML cannot place", "check the indentation, or quote text that holds a colon"
    if "quoted scalar" in context and "end of" in problem:
        return line, f"a quote{since} is not closed".replace("quote is", "quoted text is"), "close it"
    if "flow" in context:
        return line, f"a bracket{since} is not closed, or a comma is missing".replace("bracket is", "bracket [ or { is"), "mend it"
    if "block" in context and "expected" in problem and "node content" not in problem:
        return line, "this line does not fit the ones above", "check the indentation"
    if "expected ':'" in problem:
        return line, "a setting without a colon", "write name: value"
    if "escape" in problem:
        return line, "an unknown escape in a double-quoted text", "use single quotes, or double the backslash"
    return line, f"not valid YAML: {' '.join(problem.split())[:120]}", ""


def parse(text: str, file: str, base: Path, *, first_line: int = 1) -> tuple[Node | None, list[Problem]]:
    """The tree of one YAML document, and all problems found. The tree is None where the text could not be read to its end.

    ``file`` is what messages call it; ``first_line`` 0 for a text that has no lines, such as a flag's value.
    """
    builder = _Builder(file, base, first_line)
    if found := _CONTROL.search(text):
        line = builder.mark(text.count("\n", 0, found.start()))
        return None, [line.problem("", f"a control character (U+{ord(found[0]):04X})", "a scenario is plain text; remove it")]
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Stop:
        return None, builder.problems
    except yaml.YAMLError as error:
        line_no, reason, mend = _syntax(error, text.split("\n"))
        return None, [*builder.problems, builder.mark(line_no).problem("", reason, mend)]
    return builder.root, builder.problems


def decode(data: bytes) -> str:
    """Bytes of a file as text. Raises ValueError(reason, mend)."""
    if len(data) > MOST_BYTES:
        raise ValueError("larger than 1 MB", "a scenario is a few kB; is this the right file?")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"not UTF-8 text (line {line})", "is this the right file? save it as UTF-8") from None
