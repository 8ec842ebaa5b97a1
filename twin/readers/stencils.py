"""Bokeh's JSON of many pictures of one kind, from one picture that Bokeh drew.

A report has a hundred pictures of lines over time that differ in their data, names and colours
only, and Bokeh takes 30 to 60 ms to build the forty models of each. A stencil is what Bokeh writes
of one of them, with blanks; filling it takes 2 ms, and what comes out is what Bokeh would have
written, but for the ids (a test compares).

Blanks are attributes of some models, words that stand anywhere, and models: each stands for one, or
for the several of a tuple. Models that all pictures share (formatters) stay what they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bokeh.core.serialization import Serializer
from bokeh.model import Model
from bokeh.util.serialization import make_id


class Blank(NamedTuple):
    """What is filled in by its name; a tuple, into the list around it."""

    name: str


class Own(NamedTuple):
    """The id of a model that every picture has of its own, by its number in the stencil."""

    number: int


class Shared(NamedTuple):
    """A model that all pictures share."""

    model: Model


@dataclass(frozen=True)
class Stencil:
    """What Bokeh writes of a model, with blanks; ``own``: how many ids each copy needs."""

    node: Any
    own: int

    def filled(self, values: Mapping[str, Any], serializer: Serializer) -> Any:
        """The JSON of a picture with these values, models among them, as ``serializer`` writes it
        into its document: whole where they are met first, by their ids afterwards."""
        return _fill(self.node, values, [make_id() for _ in range(self.own)], serializer)


def stencil(
    model: Model,
    *,
    attributes: Mapping[Model, Mapping[str, str]],
    words: Mapping[str, str],
    models: Mapping[Model, str],
    shared: Collection[Model],
) -> Stencil:
    """What Bokeh writes of ``model``, with blanks for ``attributes`` of models within it, for
    ``words`` and in the place of ``models``, by the names with which they are filled."""
    stands: dict[str, Blank | Shared] = {one.id: Shared(one) for one in shared}
    stands |= {one.id: Blank(name) for one, name in models.items()}
    makes = _Making({one.id: names for one, names in attributes.items()}, words, stands, {})
    node = makes.blanked(Serializer(deferred=False).encode(model))
    return Stencil(node, len(makes.own))


@dataclass(frozen=True)
class _Making:
    """What stands for what while a stencil is made; models by their ids."""

    attributes: Mapping[str, Mapping[str, str]]
    words: Mapping[str, str]
    models: Mapping[str, Blank | Shared]
    own: dict[str, Own]

    def blanked(self, node: Any) -> Any:
        if isinstance(node, str):
            return Blank(self.words[node]) if node in self.words else node
        if isinstance(node, list | tuple):
            return [self.blanked(one) for one in node]
        if not isinstance(node, dict):
            return node
        # objects and references to them have ids
        name = str(node.get("id", ""))
        if name in self.models:
            return self.models[name]
        if name:
            self.own.setdefault(name, Own(len(self.own)))
        made: dict[str, Any] = {
            key: self.own[name] if key == "id" else self.blanked(value)
            for key, value in node.items()
        }
        for attribute, blank in self.attributes.get(name, {}).items() if "type" in node else ():
            made.setdefault("attributes", {})[attribute] = Blank(blank)
        return made


def _fill(node: Any, values: Mapping[str, Any], ids: Sequence[str], serializer: Serializer) -> Any:
    """A part of a stencil with its blanks filled."""
    kind = type(node)
    if kind is dict:
        return {key: _fill(value, values, ids, serializer) for key, value in node.items()}
    if kind is list:
        made: list[Any] = []
        for one in node:
            if type(one) is Blank and isinstance(values[one.name], tuple):
                made += [serializer.encode(each) for each in values[one.name]]
            else:
                made.append(_fill(one, values, ids, serializer))
        return made
    if kind is Own:
        return ids[node.number]
    if kind is Blank:
        return serializer.encode(values[node.name])
    if kind is Shared:
        return serializer.encode(node.model)
    return node
