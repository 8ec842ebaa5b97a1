"""Rows of a file that holds counts: whole numbers, each with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import ScenarioError, nearest
from twin.observing.blocks import Block
from twin.observing.convert import numbers, whole
from twin.observing.declared import Aggregate, Map
from twin.observing.files import read as blocks
from twin.observing.ledger import LINE_BITS, Ledger
from twin.observing.mapping import Mapped
from twin.observing.sources import Source


@dataclass
class Counted:
    """Rows of one file (n,): whole numbers by column; ``key`` as it stands."""

    key: list[Any]
    place: NDArray[np.int64]
    columns: dict[str, NDArray[np.int64]]


Path_ = tuple[str, ...]


def read(ledger: Ledger, mapped: Mapped, i: int, number: int, source: Source) -> Counted:
    """The rows of a file that can be used, by the i-th part of a map of aggregates."""
    part = mapped.map.aggregates[i]
    named: dict[Path_, str] = {
        (name,): getattr(part, name)
        for name in ("impressions", "users", "sessions", "count")
        if getattr(part, name)
    }
    named |= {("responses", name): column for name, column in part.responses.items()}

    def wanted(found: Sequence[str]) -> list[str]:
        return _wanted(mapped, i, str(source.path), named, found)

    keys: list[Any] = []
    places: list[NDArray[np.int64]] = []
    columns: dict[str, list[NDArray[np.int64]]] = {"/".join(path): [] for path in named}
    plain = Map.model_construct(delimiter=mapped.map.delimiter, columns=())
    file = number << LINE_BITS
    for job in blocks(source, plain, wanted, Path()):
        block = job()
        many = len(block.lines) + len(block.bad)
        ledger.rows, source.rows = ledger.rows + many, source.rows + many
        for line, reason in block.bad:
            ledger.add(reason, 1, [file + line])
        found, keep = _usable(block, part, named, ledger, file)
        if part.key:
            every = whole(block.table.column(part.key)).to_pylist()
            keys += [each for each, kept in zip(every, keep, strict=True) if kept]
        places.append(file + block.lines[keep])
        for name, array in found.items():
            columns[name].append(array[keep])
    return Counted(
        keys,
        np.concatenate(places),
        {name: np.concatenate(parts) for name, parts in columns.items()},
    )


def _wanted(
    mapped: Mapped, i: int, file: str, named: Mapping[Path_, str], found: Sequence[str]
) -> list[str]:
    """Columns to read. Raises ScenarioError for those that there are not."""
    every = dict(named)
    if key := mapped.map.aggregates[i].key:
        every[("key",)] = key
    lost = [(path, column) for path, column in every.items() if column not in found]
    if lost:
        raise ScenarioError(
            mapped.problem(
                ("aggregates", i, *path), f"{file} has no column {column}", nearest(column, found)
            )
            for path, column in lost
        )
    return list(dict.fromkeys(every.values()))


def _usable(
    block: Block, part: Aggregate, named: Mapping[Path_, str], ledger: Ledger, file: int
) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.bool_]]:
    """Counts of a block (n,) by column, and which rows can be used."""
    keep = np.ones(len(block.lines), bool)
    found: dict[str, NDArray[np.int64]] = {}

    def drop(bad: NDArray[np.bool_], reason: str) -> None:
        fresh = bad & keep
        places = file + block.lines[fresh]
        ledger.add(reason, len(places), places)
        keep[fresh] = False

    for path, column in named.items():
        values, bad = numbers(whole(block.table.column(column)), column)
        odd = bad | np.isnan(values) | (values < 0) | (values != np.floor(values))
        drop(odd, f"{column}: not a count")
        found["/".join(path)] = np.where(odd, 0, np.nan_to_num(values)).astype(np.int64)
    for name in part.responses:
        drop(found[f"responses/{name}"] > found["impressions"], f"more {name} than impressions")
    return found, keep
