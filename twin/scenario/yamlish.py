"""YAML as scenarios use it: safe, strict, every value with its file and line.

PyYAML's parser does the reading; no constructor ever runs. What YAML 1.1 would quietly misread is
refused with the mend: duplicate keys, ``1e-3`` (text), ``12:30`` (750), ``off`` (false), ``010``
(8); also NaN, infinities, tags, anchors and aliases (a few lines of them can expand to gigabytes),
several documents, deep nesting, very long plain values (PyYAML takes quadratic time to tell a
number from text), and files beyond MAX_BYTES.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from twin.ground import files
from twin.ground.errors import Problem, ScenarioError, nearest
from twin.scenario import standard_input
from twin.scenario.node import Node

MAX_BYTES, MAX_DEPTH, MAX_PLAIN, MAX_KEPT = 200_000, 50, 1_000, 20_000
_SEXAGESIMAL = re.compile(r"^[-+]?\d+(:\d+)+(\.\d*)?$")
_EXPONENT = re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
_ODD_INT = re.compile(r"^[-+]?(0\d[\d_]*|0[xXbBoO][\da-fA-F_]+|\d[\d_]*_[\d_]*)$")
_ODD_FLOAT = re.compile(r"^[-+]?\.(inf|nan)$", re.IGNORECASE)
_HALF = re.compile("[\ud800-\udfff]")
_SWITCH = re.compile(r"^(y|n|yes|no|on|off)$", re.IGNORECASE)


def _refuse(file: str, line: int, reason: str, mend: str = "", path: str = "") -> ScenarioError:
    return ScenarioError([Problem(file, line, path, reason, mend)])


def read_file(path: Path, problems: list[Problem]) -> Node:
    """The mapping in a scenario file; see `read_text`. Raises ScenarioError where nothing can be
    read."""
    name = str(path)
    try:
        if files.is_folder(path):
            raise _refuse(name, 0, "is a folder", "give a .yaml file")
        # no more than is allowed: a huge file, or a device without end, is not loaded
        data = _bytes(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise _refuse(
                name,
                0,
                f"is more than {MAX_BYTES // 1000} kB long",
                f"a scenario is at most {MAX_BYTES // 1000} kB",
            )
        text = data.decode("utf-8")
    except FileNotFoundError:
        around = files.names(path.parent, "*.yaml")
        raise _refuse(name, 0, "no such file", nearest(path.name, around)) from None
    except OSError:
        raise _refuse(files.shown(name), 0, *files.trouble(path, path.name)) from None
    except (UnicodeDecodeError, ValueError):
        raise _refuse(name, 0, "is not text in UTF-8", "save it as UTF-8") from None
    node = read_text(text, name, problems)
    if node.kind != "mapping":
        raise _refuse(
            name,
            node.line,
            "is not a mapping",
            "begin with `name: ...`"
            if node.value is not None
            else "the file is empty; begin with `extends: package:twin/base` or `name: ...`",
        )
    return node


def _bytes(path: Path, most: int) -> bytes:
    if path == standard_input.PATH:
        try:
            return standard_input.opened(most).read()
        except OSError as error:
            reason, mend = files.reason(error)
            raise _refuse(
                str(path), 0, f"cannot be read: {reason}", mend or "pipe one in"
            ) from None
    with path.open("rb") as file:
        return file.read(most)


def read_text(text: str, file: str, problems: list[Problem], lines: bool = True) -> Node:
    """One YAML document; ``lines=False`` for text that is not in a file (a flag's value).

    A value that YAML would misread is left out and added to ``problems``, so that the rest can be
    checked too. Raises ScenarioError for text that is not YAML, or uses YAML that scenarios do not.
    """
    if _HALF.search(text):
        # Python reads bytes that it cannot decode as halves of surrogate pairs
        raise _refuse(
            file, 0, "is not text in UTF-8", "save it as UTF-8, or set LC_ALL=C.UTF-8 for flags"
        )
    try:
        composed = _composed(text, file, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _refuse(
            file,
            mark.line + 1 if mark and lines else 0,
            f"is not YAML: {error.problem or error.context}",
            "check quotes, brackets and indentation",
        ) from None
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1 if lines else 0
        raise _refuse(
            file, line, "has a character that YAML does not allow", "remove control characters"
        ) from None
    if composed is None:
        return Node("scalar", None, file, 1 if lines else 0)
    return _convert(composed, file, lines, problems, "") or Node(
        "mapping", {}, file, 1 if lines else 0
    )


class _Composer(yaml.composer.Composer, yaml.resolver.Resolver):
    """PyYAML's composer, of events that have been parsed already: parsing is what takes long."""

    def __init__(self, events: list[yaml.Event]) -> None:
        yaml.composer.Composer.__init__(self)
        yaml.resolver.Resolver.__init__(self)
        self._events, self._next = events, 0

    def peek_event(self) -> yaml.Event:
        """The event that comes next."""
        return self._events[self._next]

    def get_event(self) -> yaml.Event:
        """The event that comes next, which is taken."""
        self._next += 1
        return self._events[self._next - 1]

    def check_event(self, *kinds: type[yaml.Event]) -> bool:
        """Whether the event that comes next is of one of the kinds."""
        return isinstance(self._events[self._next], kinds)


def _composed(text: str, file: str, lines: bool) -> yaml.Node | None:
    """The nodes of a document, None for an empty one; nobody changes them.

    An experiment loads a file that others extend hundreds of times, and reads it once.
    """
    # nodes take some hundred times the room of their text, so those of a long one are not kept
    return (_kept if len(text) <= MAX_KEPT else _kept.__wrapped__)(text, file, lines)


@functools.lru_cache(maxsize=16)
def _kept(text: str, file: str, lines: bool) -> yaml.Node | None:
    # all events first: composing would already expand aliases and recurse
    found: yaml.Node | None = _Composer(list(_scanned(text, file, lines))).get_single_node()
    return found


def _scanned(text: str, file: str, lines: bool) -> Iterator[yaml.Event]:
    """The events of a document; refuses aliases, anchors, tags, several documents and deep nesting
    among them, before anything is built."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if lines and event.start_mark else 0
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refuse(
                file,
                line,
                "YAML anchors and aliases are not used here",
                "write the value out, or use extends:",
            )
        # a bare `!` only says that the value is text
        if tag and tag != "!":
            raise _refuse(file, line, f"YAML tags are not used here: {tag}", "write a plain value")
        if (
            isinstance(event, yaml.ScalarEvent)
            # quoted text is not compared with patterns of numbers, and may be long
            and event.style is None
            and len(event.value) > MAX_PLAIN
        ):
            raise _refuse(
                file,
                line,
                f"a plain value is {len(event.value)} characters long",
                "shorten it, or quote it",
            )
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise _refuse(
                file, line, "a second document begins", "one scenario a file: remove the `---`"
            )
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if depth > MAX_DEPTH:
            raise _refuse(
                file, line, f"is nested more than {MAX_DEPTH} deep", "a scenario needs four levels"
            )
        yield event


def _is_name(key: Any) -> bool:
    """Whether YAML reads a key as text that a file can hold: a bare on, 12 or null is a switch, a
    number or nothing, and half a surrogate pair has no bytes."""
    return isinstance(key, yaml.ScalarNode) and (
        (key.style is not None or key.tag == "tag:yaml.org,2002:str")
        and not _HALF.search(key.value)
    )


def _convert(node: Any, file: str, lines: bool, problems: list[Problem], path: str) -> Node | None:
    """The node with its places, or None (and a problem) for a value that would be misread."""
    line = node.start_mark.line + 1 if lines else 0
    if isinstance(node, yaml.MappingNode):
        made = Node("mapping", {}, file, line)
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1 if lines else 0
            key = key_node.value
            if not _is_name(key_node):
                shown = key if isinstance(key, str) else "a collection"
                problems.append(
                    Problem(
                        file,
                        at,
                        path.rstrip("."),
                        f"the key {shown} is not a name",
                        f"put quotes around it: '{shown}'",
                    )
                )
            # YAML would silently keep the last of them
            elif key in made.keys:
                problems.append(
                    Problem(
                        file,
                        at,
                        f"{path}{key}",
                        f"is given twice, first on line {made.keys[key]}",
                        "keep one of them",
                    )
                )
            else:
                made.keys[key] = at
                value = _convert(value_node, file, lines, problems, f"{path}{key}.")
                if value is not None:
                    made.value[key] = value
        return made
    if isinstance(node, yaml.SequenceNode):
        items = [
            _convert(item, file, lines, problems, f"{path}{i}.")
            for i, item in enumerate(node.value)
        ]
        whole = [item for item in items if item is not None]
        # a list with a hole would shift the places of the rest: left out as a whole
        return Node("list", whole, file, line) if len(whole) == len(items) else None
    scalar, trouble = _scalar(node)
    if trouble:
        problems.append(Problem(file, line, path.rstrip("."), *trouble))
        return None
    return Node("scalar", scalar, file, line)


def _scalar(node: Any) -> tuple[Any, tuple[str, str] | None]:
    text: str = node.value
    # "\ud800" in quotes: no file could hold it
    if _HALF.search(text):
        return None, ("has half a character (a surrogate)", "write the whole character")
    # quoted: text, whatever it looks like
    if node.style is not None:
        return text, None
    # what YAML 1.1 would misread, before its own idea of the type is used
    if _SWITCH.match(text):
        return None, (f"{text} is ambiguous in YAML", f"write true or false, or quote it: '{text}'")
    if _SEXAGESIMAL.match(text):
        return None, (
            f"{text} would be read as a number in base 60",
            f"quote it ('{text}') or write a duration such as 90min",
        )
    if _ODD_FLOAT.match(text):
        return None, (f"{text} is not a finite number", "write a finite number")
    if _ODD_INT.match(text):
        return None, (f"{text} is ambiguous in YAML", "write a plain decimal number")
    kind = node.tag.rpartition(":")[2]
    if _EXPONENT.match(text):
        number = float(text)
        if not math.isfinite(number):
            return None, (f"{text} is not a finite number", "write a finite number")
        # PyYAML wants a point and a signed exponent: say how to write the number
        if kind != "float":
            fixed = f"{number:.17g}"
            fixed = (
                fixed
                if "e" not in fixed
                else repr(number).replace("e", ".0e")
                if "." not in repr(number)
                else repr(number)
            )
            return None, (f"{text} would be read as text by YAML", f"write {fixed}")
        return number, None
    if kind == "null":
        return None, None
    if kind == "bool":
        return text.lower() == "true", None
    if kind == "int":
        return (
            (int(text), None)
            # longer ones do not fit into eight bytes
            if len(text) < 20
            else (None, (f"{text[:20]}... is too large a number", "write a smaller one"))
        )
    return (float(text) if kind == "float" else text), None


class _Writer(yaml.SafeDumper):
    """Quotes every text that `read_text` would not read back as it is."""


def _write_str(writer: _Writer, text: str) -> yaml.Node:
    read, trouble = _scalar(yaml.ScalarNode("tag:yaml.org,2002:str", text))
    # exactly what would be refused, or come back as another value
    quoted = bool(trouble) or read != text or len(text) > MAX_PLAIN
    return writer.represent_scalar("tag:yaml.org,2002:str", text, "'" if quoted else None)


_Writer.add_representer(str, _write_str)


def write_text(data: Any) -> str:
    """Plain data as YAML that `read_text` reads back to the same; keys keep their order."""
    return yaml.dump(data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=120)
