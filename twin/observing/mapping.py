"""Reads and checks a map of a log, from a file or by the name of a layout."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.ground.digest import sha
from twin.ground.errors import Problem, ScenarioError, UsageError, nearest
from twin.observing.declared import MOST_AMOUNTS, MOST_RESPONSES, Map
from twin.observing.layouts import LAYOUTS
from twin.scenario.node import Node
from twin.scenario.problems import Collector
from twin.scenario.yamlish import read_file, read_text, write_text

NEEDED = (("user",), ("item",), ("time", "column"), ("packed", "column"), ("event", "column"))
"""Columns that a log in a layout cannot lack; others it may."""


@dataclass(frozen=True)
class Mapped:
    """A map, and where each of its words stands."""

    map: Map
    tree: Node
    name: str
    """The file or the layout, for messages and the manifest."""
    layout: bool

    def digest(self) -> str:
        """Marks everything that a map says."""
        return sha(self.map.model_dump(mode="json"), 16)

    def problem(self, path: tuple[str | int, ...], reason: str, mend: str = "") -> Problem:
        """A problem at a place of the map."""
        file, line = self.tree.at(path)
        return Problem(file, line, ".".join(map(str, path)), reason, mend)

    def fitted(self, found: Sequence[str], file: str) -> tuple[Mapped, tuple[str, ...]]:
        """The map for a file with these columns, and which columns of a layout are not in it.

        Raises ScenarioError for a column that the file does not have; a layout may name some that
        only part of its files have.
        """
        known, missing = set(found), []
        problems = []
        for path, column in self.map.named():
            if column in known:
                continue
            if self.layout and path not in NEEDED:
                missing.append((path, column))
                continue
            reason = f"{file} has no column {column}"
            problems.append(self.problem(path, reason, nearest(column, found)))
        if problems:
            raise ScenarioError(problems)
        data = self.map.model_dump()
        for path, _ in missing:
            if path[0] in ("responses", "amounts"):
                del data[path[0]][path[1]]
            elif len(path) == 1:
                data[path[0]] = ""
        made = Map.model_construct(**_kept(self.map, data)) if missing else self.map
        return Mapped(made, self.tree, self.name, self.layout), tuple(name for _, name in missing)


def _kept(of: Map, data: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a map with what a file lacks left out; nested ones stay as they are."""
    kept = {name: getattr(of, name) for name in type(of).model_fields}
    for name in ("responses", "amounts"):
        kept[name] = {key: value for key, value in kept[name].items() if key in data[name]}
    for name, value in data.items():
        if value == "":
            kept[name] = ""
    return kept


def read(
    file: Path | None, layout: str | None, over: Mapping[str, str | None], show: bool = False
) -> Mapped:
    """The map of ``--map`` or ``--layout``, with settings of flags on top.

    Raises UsageError without either or with both, ScenarioError for everything wrong in it.
    """
    if (file is None) == (layout is None):
        raise UsageError(
            "say what the columns mean: give --map columns.yaml, or --layout with one of "
            + ", ".join(LAYOUTS)
            if file is None
            else "--layout: --map is given too (give one of them)"
        )
    problems: list[Problem] = []
    if layout is not None:
        if layout not in LAYOUTS:
            raise UsageError(f"--layout {layout}: no such layout ({nearest(layout, LAYOUTS)})")
        tree = read_text(_text(LAYOUTS[layout]), f"--layout {layout}", problems, lines=False)
    else:
        assert file is not None
        tree = read_file(file, problems)
    for key, value in over.items():
        if value is not None:
            tree.value[key] = Node("scalar", value, f"--{key}", 0)
    name = f"layout {layout}" if layout else str(file)
    collector = Collector(tree, problems, [each.path for each in problems])
    made = collector.build(Map, tree.plain(), ())
    if made is not None:
        mapped = Mapped(made, tree, name, layout is not None)
        problems += _whole(mapped)
    if problems or made is None:
        raise ScenarioError(problems)
    return mapped


def text(mapped: Mapped) -> str:
    """A map as YAML."""
    return write_text(mapped.tree.plain())


def _text(data: Mapping[str, Any]) -> str:
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in data.items()}
    return write_text(plain)


def _whole(mapped: Mapped) -> list[Problem]:
    """What a map lacks or says twice."""
    of, found = mapped.map, []
    add = mapped.problem
    try:
        zoneinfo.ZoneInfo(of.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = nearest(of.zone, zoneinfo.available_timezones())
        mend = known if known.startswith("did") else "write one such as UTC or Europe/Berlin"
        found.append(add(("zone",), f"{of.zone} is no time zone", mend))
    if len(of.delimiter) > 1:
        found.append(add(("delimiter",), "is longer than one character", "write one, such as ;"))
    if of.aggregates:
        if of.time.column or of.item or of.user:
            found.append(
                add(("aggregates",), "stands beside columns of a log", "make a map for each")
            )
        return found + _aggregates(mapped)
    if not of.time.column:
        found.append(add(("time",), "is missing: no column says when", "write time: COLUMN"))
    if not of.item and not of.packed.column:
        found.append(
            add(("item",), "is missing: no column says what", "write item: COLUMN, or packed:")
        )
    if of.item and of.packed.column:
        found.append(add(("item",), "stands beside packed, which holds the items", "keep one"))
    if of.packed.column and bool(of.packed.mark) == bool(of.packed.responded):
        found.append(
            add(("packed",), "does not say which items got a response", "give mark or responded")
        )
    if of.event.column and not of.event.responses:
        found.append(
            add(("event",), "names no responses", "write responses: {click: [click]} below it")
        )
    for key, most in (("responses", MOST_RESPONSES), ("amounts", MOST_AMOUNTS)):
        many = len(of.binary()) if key == "responses" else len(of.amounts)
        if many > most:
            found.append(add((key,), f"names {many}", f"at most {most} are counted"))
    return found


def _aggregates(mapped: Mapped) -> list[Problem]:
    found = []
    for i, each in enumerate(mapped.map.aggregates):
        for key in ("files", "impressions"):
            if not getattr(each, key):
                found.append(mapped.problem(("aggregates", i), f"lacks {key}", "add it"))
        if not each.key and each.by not in ("user", "item"):
            reason = f"lacks key: the column of the {each.by}"
            found.append(mapped.problem(("aggregates", i), reason, "add it"))
        if each.count and each.by not in ("user", "item"):
            reason = "count is of people or items alone"
            found.append(mapped.problem(("aggregates", i, "count"), reason, "leave it out"))
    return found
