"""A tree of YAML values in which every value keeps its file and line, and how two trees merge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Node:
    """A value with its place. ``value``: dict of nodes, list of nodes, or None, bool, int, float,
    str."""

    kind: Literal["mapping", "list", "scalar"]
    value: Any
    file: str
    line: int
    keys: dict[str, int] = field(default_factory=dict)
    """Line of each key of a mapping."""
    below: Node | None = None
    """Of a mapping with a ``class``: the mapping over which that was written. Its values were meant
    for another class."""

    def plain(self) -> Any:
        """The value without places; lists become tuples."""
        if self.kind == "mapping":
            return {key: node.plain() for key, node in self.value.items()}
        return tuple(node.plain() for node in self.value) if self.kind == "list" else self.value

    def inside(self, path: tuple[str, ...]) -> Node | None:
        """The node at a path of keys, if it was written."""
        node: Node | None = self
        for part in path:
            node = node.value.get(part) if node is not None and node.kind == "mapping" else None
        return node

    def found(self, path: tuple[str | int, ...]) -> tuple[tuple[str, int], bool]:
        """File and line of the deepest existing node on a path, and whether that is its end."""
        node, where = self, (self.file, self.line)
        for part in path:
            if node.kind == "mapping" and part in node.value:
                key, node = node.keys.get(str(part)), node.value[part]
                # the line of the key: a value may begin lines below it
                where = (node.file, node.line if key is None else key)
            elif node.kind == "list" and part in range(len(node.value)):
                node = node.value[part]
                where = (node.file, node.line)
            else:
                return where, False
        return where, True

    def at(self, path: tuple[str | int, ...]) -> tuple[str, int]:
        """File and line of the deepest existing node on a path."""
        return self.found(path)[0]

    def has(self, path: tuple[str | int, ...]) -> bool:
        """Whether a path was written."""
        return self.found(path)[1]


def merged(base: Node, over: Node) -> Node:
    """``base`` with ``over`` on top: mappings merge, everything else is replaced."""
    if base.kind != "mapping" or over.kind != "mapping":
        return over
    # places of the values themselves are kept: each problem names the file that gave it
    made = Node("mapping", dict(base.value), over.file, over.line, {**base.keys, **over.keys})
    made.below = base if "class" in over.value else base.below
    for key, node in over.value.items():
        made.value[key] = merged(made.value[key], node) if key in made.value else node
    return made
