"""A graph from a file of any common kind: text (see `graph_text`), Parquet, GraphML, GEXF, Pajek or
GML, plain or compressed (gz, bz2, xz, zip).

Loops and repeats are dropped, people without a tie left out, and all of it is counted and said.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from twin.ground import files, parquet
from twin.ground.errors import Problem, ScenarioError
from twin.mechanisms.network.graph_text import (
    SOURCES,
    TARGETS,
    Ints,
    Pairs,
    Unreadable,
    by_columns,
    distinct,
    heavy,
    read,
)
from twin.world.given import Given, canonical

READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    ".graphml": ("GraphML", nx.read_graphml),
    ".gexf": ("GEXF", nx.read_gexf),
    ".net": ("Pajek", nx.read_pajek),
    ".pajek": ("Pajek", nx.read_pajek),
    ".gml": ("GML", lambda file: nx.read_gml(file, label="id")),
}
PACKED = (".gz", ".bz2", ".xz", ".zip")
TORN = (
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What reading a packed file raises that is torn, locked, or packed in a way of its own."""
MOST_BYTES = 2**34
"""Unpacked; more is no edge list that a run could hold."""


@dataclass(frozen=True)
class Graph:
    """Nodes 0..n-1 in the order of their ids (numbers by size, names by code point) and ties int64
    (n, 2), follower first; ``said``: what was read, in a line."""

    nodes: int
    edges: Ints
    said: str


def read_graph(
    path: Path, directed: bool, least: float | None = None, people: Given | None = None
) -> Graph:
    """The graph in a file; undirected ties count both ways. ``least``: ties whose third column is
    below it are left out. ``people``: the table whose ids it has; nodes are then its rows, with a
    tie or without. Raises ScenarioError with the line."""
    try:
        stat = path.stat()
    except OSError:
        stat = None
    # an estimate, the check and the run read the same file
    key = (stat.st_mtime_ns, stat.st_size) if stat else None
    return _read(path, directed, least, people, key)


@functools.lru_cache(maxsize=1)
def _read(
    path: Path, directed: bool, least: float | None, people: Given | None, key: object
) -> Graph:
    try:
        pairs = _pairs(path, least)
        return _numbered(_among(pairs, people, path) if people else pairs, directed, path.name)
    except Unreadable as error:
        problem = Problem(str(path), error.line, "network.path", error.reason, error.mend)
        raise ScenarioError([problem]) from None


def _pairs(path: Path, least: float | None) -> Pairs:
    data, name = _unpacked(path)
    suffix = Path(name).suffix.lower()
    if data[:4] == b"PAR1":
        return _parquet(data, least)
    if suffix in READERS:
        if least is not None:
            raise Unreadable("network.least_weight is for edge lists", "leave it out")
        return _by_networkx(data, *READERS[suffix])
    return read(data, least)


def _unpacked(path: Path) -> tuple[bytes, str]:
    """The bytes of a file, unpacked, and its name without the ending of the packing."""
    try:
        data = path.read_bytes()
    except OSError as error:
        reason, mend = files.reason(error)
        raise Unreadable(f"the edge list cannot be read: {reason}", mend or "check it") from None
    name = path.stem if path.suffix.lower() in PACKED else path.name
    try:
        if data[:2] == b"\x1f\x8b":
            return gzip.decompress(data), name
        if data[:3] == b"BZh":
            return bz2.decompress(data), name
        if data[:6] == b"\xfd7zXZ\0":
            return lzma.decompress(data), name
        if data[:4] in (b"PK\3\4", b"PK\5\6"):
            return _zipped(data)
    except TORN as error:
        raise Unreadable(
            f"the edge list cannot be read: {error}", "it is torn, or packed in another way"
        ) from None
    return data, name


def _zipped(data: bytes) -> tuple[bytes, str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) != 1:
            raise Unreadable(f"the archive holds {len(members)} files", "pack the edge list alone")
        if members[0].file_size > MOST_BYTES or members[0].flag_bits & 1:
            raise Unreadable("the archive is locked or too large", "unpack it")
        return archive.read(members[0]), members[0].filename


def _parquet(data: bytes, least: float | None) -> Pairs:
    try:
        table = pq.read_table(io.BytesIO(data))
        names = [name.lower() for name in table.column_names]
    except parquet.DAMAGED as error:
        reason = str(error).partition("\n")[0]
        raise Unreadable(f"the Parquet file cannot be read: {reason}", "write it again") from None
    if len(names) < 2:
        raise Unreadable("the Parquet file has one column", "give two of ids")
    first = next((names.index(each) for each in SOURCES if each in names), 0)
    second = next((names.index(each) for each in TARGETS if each in names), 1)
    if least is not None:
        rest = [place for place in range(len(names)) if place not in (first, second)]
        if not rest:
            raise Unreadable("there is no third column for network.least_weight", "leave it out")
        table = heavy(table, table.column_names[rest[0]], least)
    columns = [table.column(place).combine_chunks() for place in (first, second)]
    if any(each.null_count for each in columns):
        raise Unreadable("an id is missing", "leave rows without two ids out")
    whole = all(pa.types.is_integer(each.type) for each in columns)
    try:
        pairs = by_columns([each.cast(pa.string()) for each in columns], whole)
    except pa.ArrowException as error:
        raise Unreadable(f"its first columns are no ids: {error}", "give two of ids") from None
    kind = "whole numbers" if whole else "names"
    return Pairs(pairs.places, pairs.ids, f"Parquet, {kind} in {names[first]} and {names[second]}")


def _by_networkx(data: bytes, kind: str, reader: Callable[[Any], Any]) -> Pairs:
    try:
        graph = reader(io.BytesIO(data))
        ties = [(str(a), str(b)) for a, b in graph.edges()]
        alone = sum(1 for node in graph if not graph.degree(node))
    except Exception as error:  # parsers of other people's files raise anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise Unreadable(f"is no {kind} that networkx reads: {reason}", "write it again") from None
    if not ties:
        raise Unreadable(f"the {kind} file holds no edge", "give a graph with ties")
    both = [each for tie in ties for each in tie]
    way = "directed" if graph.is_directed() else "undirected"
    said = f"{kind}, {way} there" + (f", {alone:,} nodes without a tie" if alone else "")
    if all(each.isdigit() and int(each) < 2**63 for each in both):
        numbers = np.array([int(each) for each in both], np.int64)
        ids = distinct(numbers)
        return Pairs(np.searchsorted(ids, numbers).reshape(-1, 2), ids, said)
    words = sorted(set(both))
    place = {word: k for k, word in enumerate(words)}
    return Pairs(np.array([place[each] for each in both], np.int64).reshape(-1, 2), words, said)


def _among(pairs: Pairs, people: Given, path: Path) -> Pairs:
    """Ties between the rows of a table of people. Raises Unreadable for an id that it does not
    have, with the line."""
    if people.ids is None:
        raise Unreadable(
            f"{people.path.name} has no column id, by which its people are tied", "add the column"
        )
    ids = canonical([str(each) for each in pairs.ids])
    rows = np.array([people.row_of.get(each, -1) for each in ids], np.int64)
    found = rows[pairs.places]
    if (bad := found < 0).any():
        row, side = np.argwhere(bad)[0]
        missing = pairs.ids[pairs.places[row, side]]
        line = _line(path, str(missing))
        raise Unreadable(
            f"{'' if line else f'edge {row + 1}: '}{missing} is no id of {people.path.name}",
            "give that person a row there",
            line,
        )
    return Pairs(found, people.ids, pairs.said, all_people=True)


def _line(path: Path, missing: str) -> int:
    """The first line of a text file that has an id; 0 where it has no lines."""
    data, _ = _unpacked(path)
    alone = re.compile(rb"(?<![^\s,;|\"'])" + re.escape(missing.encode()) + rb"(?![^\s,;|\"'])")
    if data[:4] == b"PAR1":
        return 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip()[:1] not in (b"#", b"%") and alone.search(line):
            return number
    return 0


def _numbered(pairs: Pairs, directed: bool, name: str) -> Graph:
    """Loops and repeats dropped, nodes without a tie left out and the rest numbered."""
    found = pairs.places
    kept = found[found[:, 0] != found[:, 1]]
    if not len(kept):
        raise Unreadable("the edge list holds no edge", "write two node ids a line")
    tied = np.zeros(len(pairs.ids), bool)
    tied[kept.ravel()] = True
    nodes, alone = int(tied.sum()), int(len(tied) - tied.sum())
    if pairs.all_people:
        nodes = len(pairs.ids)
    label = (np.cumsum(tied) - 1)[kept] if alone and not pairs.all_people else kept
    if not directed:
        label = np.concatenate([label, label[:, ::-1]])
    # one number per edge, so that sorting numbers drops repeats and leaves edges in order
    code = distinct(label[:, 0] * nodes + label[:, 1])
    ties = len(code) if directed else len(code) // 2
    dropped = [
        f"{count:,} {what}"
        for count, what in (
            (len(found) - len(kept), "loops"),
            (len(kept) - ties, "repeats"),
            (0 if pairs.all_people else alone, "people without a tie"),
        )
        if count
    ]
    said = (
        f"{name}: {pairs.said}; {nodes:,} people, {ties:,} ties"
        + ("" if directed else ", each both ways")
        + (f", {alone:,} of them without a tie" if alone and pairs.all_people else "")
        + (f"; left out: {', '.join(dropped)}" if dropped else "")
    )
    return Graph(nodes, np.stack([code // nodes, code % nodes], axis=1), said)
