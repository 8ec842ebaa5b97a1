"""A class of the scenario's own in the place of a mechanism that comes with twin:
``opinions: {class: package.module.Class}``.

What it must bring: `twin.world.protocol`. Settings of the replaced mechanism in a file over which
the class was named (``extends``, or a ``--set``) hold for the class as far as it has them, and are
left out where it does not: they were meant for another one. Whatever is written beside the class or
over it must be a setting of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twin.mechanisms import REGISTRY
from twin.mechanisms.recommender.own import named
from twin.scenario.importing import Trouble
from twin.scenario.model import Scenario
from twin.scenario.node import Node
from twin.scenario.problems import Path_
from twin.world.mechanism import Mechanism
from twin.world.params import Params

Kind = type[Mechanism[Any]]
SWITCHES = ("class", "from", "class_from", "enabled")
"""Keys of a mechanism's block that are no parameters, unless its class has them."""


def must_derive(kind: Kind, replaced: Kind) -> None:
    """Raises Trouble for a class that does not derive from the one that it replaces, where it
    has to."""
    if replaced.replaced_by != "derived" or (
        issubclass(kind, replaced) and issubclass(kind.Params, replaced.Params)
    ):
        return
    what = kind if not issubclass(kind, replaced) else kind.Params
    base = replaced if what is kind else replaced.Params
    raise Trouble(
        f"{what.__name__} does not derive from {base.__name__}, on which kernels and estimates rest",
        f"write class {what.__name__}({base.__name__}), with {base.__name__} from "
        f"{replaced.__module__}",
    )


def without_inherited(data: dict[str, Any], block: Node | None, model: type[Params]) -> Any:
    """A block's plain data without the settings that were meant for another class."""
    for path, _ in _inherited(block, model):
        data = _less(data, path)
    return data


def _inherited(block: Node | None, model: type[Params]) -> Iterator[tuple[Path_, Node]]:
    """Settings below the class that it does not have, each with the mapping that holds it."""
    if block is None or block.kind != "mapping" or block.below is None:
        return
    yield from _unknown(block, block.below, model, ())


def _unknown(
    block: Node, below: Node, model: type[Params], path: Path_
) -> Iterator[tuple[Path_, Node]]:
    for key, node in below.value.items():
        here, info = block.value.get(key), model.model_fields.get(key)
        inner = info.annotation if info else None
        # the very node: nothing was written over it
        if info is None and here is node and key not in SWITCHES:
            yield (*path, key), below
        elif here is None or here.kind != "mapping" or node.kind != "mapping":
            continue
        elif isinstance(inner, type) and issubclass(inner, Params):
            yield from _unknown(here, node, inner, (*path, key))


def _less(data: Any, path: Path_) -> Any:
    first, *rest = path
    if not rest:
        return {key: value for key, value in data.items() if key != first}
    return {**data, first: _less(data[first], tuple(rest))}


def stand_ins(scenario: Scenario) -> list[str]:
    """Which classes stand in for which mechanisms, a line each: where they are named, what they do
    not have of what they replace, and which settings they leave out."""
    lines = []
    for name in scenario.order:
        outside, replaced = scenario.outside.get(name), REGISTRY.get(name)
        if outside is None or replaced is None:
            continue
        kind = scenario.registry[name]
        file, line = scenario.tree.at(("mechanisms", name, "class"))
        own = {metric.name for metric in kind.metrics}
        gone = [metric.name for metric in replaced.metrics if metric.name not in own]
        without = f"; without the metrics {', '.join(gone)}" if gone else ""
        lines.append(
            f"{name}: {outside.path} ({named(file, line)}, {outside.file}) stands in for twin's "
            f"{replaced.__name__}{without}"
        )
        block = scenario.tree.inside(("mechanisms", name))
        for path, holder in _inherited(block, kind.Params):
            lines.append(
                f"{name}: {'.'.join(map(str, path))} ({Path(holder.file).name}:"
                f"{holder.keys.get(str(path[-1]), holder.line)}) is left out, as "
                f"{kind.__name__} has no such parameter"
            )
    return lines
