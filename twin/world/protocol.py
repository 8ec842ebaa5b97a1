"""What a mechanism must bring to stand in for another one: what the others use of that, read off
their declarations.

A stand-in has the name and the ``order`` of what it replaces, and

    columns   that another mechanism ``reads``: same table, name, type and shape, hidden if that was
    services  that it ``provides``; of readings by row (``consumers.wellbeing``) those that another
              one ``needs``
    levers    that another mechanism ``heeds``: parameters of the same path, declared as levers
    metrics   that another mechanism ``watches``; any other metric is its own choice, but under a
              name that the replaced mechanism has it is the same metric, since readers draw it so

Which classes may stand in is ``Mechanism.replaced_by``: ``any``, or ``derived`` where kernels,
estimates and fits rest on the class itself, or ``none``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from twin.world.columns import Column
from twin.world.mechanism import Mechanism
from twin.world.metric import Metric
from twin.world.params import leaves, meta

Kind = type[Mechanism[Any]]
SAME = ("kind", "unit", "labels", "edges", "total")
"""What two metrics of one name have in common."""


@dataclass(frozen=True)
class Used:
    """Something of a mechanism that others use: their names."""

    what: Any
    by: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """What stands in for a mechanism must bring. Columns by ``(table, name)``, the rest by name."""

    columns: Mapping[tuple[str, str], Used]
    services: Mapping[str, Used]
    levers: Mapping[str, Used]
    metrics: Mapping[str, Used]


def protocol(replaced: Kind, others: Iterable[Kind]) -> Protocol:
    """What ``others`` use of a mechanism, by their declarations; they may include itself."""
    around = [each for each in others if each.name != replaced.name]

    def users(asks: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
        return tuple(name for name, yes in asks if yes)

    columns = {
        (table, column.name): Used(column, by)
        for table, columns in replaced.columns.items()
        for column in columns
        if (by := users((o.name, column.name in o.reads.get(table, ())) for o in around))
    }
    services = {
        name: Used(replaced.gives.get(name, ""), by)
        for name in replaced.provides
        if (by := users((o.name, name in o.needs) for o in around)) or "." not in name
    }
    levers = {
        path: Used(info, by)
        for path, info in leaves(replaced.Params)
        if (by := users((o.name, f"{replaced.name}.{path}" in o.heeds) for o in around))
    }
    metrics = {
        each.name: Used(each, by)
        for each in replaced.metrics
        if (by := users((o.name, each.name in o.watches) for o in around))
    }
    return Protocol(columns, services, levers, metrics)


def lacks(kind: Kind, replaced: Kind, others: Iterable[Kind]) -> Iterator[tuple[str, str]]:
    """What keeps a class from standing in for a mechanism among ``others``: each a reason and its
    mend."""
    asked, title = protocol(replaced, others), kind.__name__
    if kind.order != replaced.order:
        yield (
            f"its order is {kind.order}, and that of what it replaces {replaced.order}",
            f"write order = {replaced.order} in {title}",
        )
    yield from _columns(kind, asked)
    for name, used in asked.services.items():
        if name not in kind.provides:
            yield (
                f"it does not provide {name}{_which(used, 'needs', 'need')}",
                f'add "{name}" to provides of {title}, and world.provide("{name}", ...) to its '
                f"__init__{f'; it is {used.what}' if used.what else ''}",
            )
    own = dict(leaves(kind.Params))
    for path, used in asked.levers.items():
        if path not in own or not meta(own[path])["lever"]:
            yield (
                f"it has no lever {path}{_which(used, 'heeds', 'heed')}",
                f"add to {kind.Params.__name__}: {_lever(path, used.what)}",
            )
    yield from _metrics(kind, replaced, asked)


def _columns(kind: Kind, asked: Protocol) -> Iterator[tuple[str, str]]:
    own = {(table, each.name): each for table, columns in kind.columns.items() for each in columns}
    for (table, name), used in asked.columns.items():
        wanted: Column = used.what
        mine, add = own.get((table, name)), _column(wanted)
        if mine is None:
            yield (
                f"it has no column {table}.{name}{_which(used, 'reads', 'read')}",
                f'add to columns of {kind.__name__}, under "{table}": {add}',
            )
        elif (mine.dtype, mine.shape, mine.rows_of) != (wanted.dtype, wanted.shape, wanted.rows_of):
            yield (
                f"its column {table}.{name} is {_type(mine)}, and who reads it "
                f"({', '.join(used.by)}) takes {_type(wanted)}",
                f"write {add}",
            )
        elif wanted.hidden and not mine.hidden:
            yield (
                f"its column {table}.{name} is open to the platform, which cannot observe it",
                f"write {add}",
            )


def _metrics(kind: Kind, replaced: Kind, asked: Protocol) -> Iterator[tuple[str, str]]:
    own = {each.name: each for each in kind.metrics}
    for name, used in asked.metrics.items():
        if name not in own:
            yield (
                f"it has no metric {name}{_which(used, 'watches', 'watch')}",
                f"add it to metrics of {kind.__name__}, as in {replaced.__name__}",
            )
    for wanted in replaced.metrics:
        mine = own.get(wanted.name, wanted)
        if odd := [each for each in SAME if getattr(mine, each) != getattr(wanted, each)]:
            yield (
                f"its metric {wanted.name} has another {' and '.join(odd)} than that of "
                f"{replaced.__name__}, as which it is drawn",
                f"give it another name, or {_parts(wanted, odd)}",
            )


def _which(used: Used, one: str, many: str) -> str:
    """`, which audience and campaigns read`; nothing where nobody is known to."""
    if not used.by:
        return ""
    *most, last = used.by
    return f", which {', '.join(most)} and {last} {many}" if most else f", which {last} {one}"


def _type(column: Column) -> str:
    shape = f" of shape {column.shape}" if column.shape else ""
    return f"{column.dtype}{shape}{f', rows of {column.rows_of}' if column.rows_of else ''}"


def _column(column: Column) -> str:
    """The declaration of a column, as Python."""
    more = [f", shape={column.shape}" if column.shape else ""]
    more += [f', rows_of="{column.rows_of}"' if column.rows_of else ""]
    more += [", hidden=True" if column.hidden else ""]
    return (
        f'Column("{column.name}", "{column.dtype}", "{column.unit}", "{column.help}"'
        f"{''.join(more)})"
    )


def _lever(path: str, info: FieldInfo) -> str:
    """The declaration of a lever, as Python."""
    kind = getattr(info.annotation, "__name__", "Any")
    return f'{path}: {kind} = par({info.default!r}, "{info.description}", lever=True)'


def _parts(metric: Metric, names: Iterable[str]) -> str:
    return ", ".join(f"{each}={getattr(metric, each)!r}" for each in names)
