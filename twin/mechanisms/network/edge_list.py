"""A real graph from an edge list: node i in sorted order becomes consumer i and creator i; and the
communities in it."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import Problem, ScenarioError
from twin.kernels import graph as kernel

Ints = NDArray[np.int64]
LOUVAIN_EDGES = 500_000
"""networkx's Louvain method takes about 10 us per edge: beyond this many, label propagation."""


def read_edges(path: Path, directed: bool) -> tuple[int, Ints]:
    """Number of nodes and edges int64 (n, 2), follower first, of an edge list; ids relabelled
    0..n-1 in sorted order.

    Loops and repeats are dropped; undirected edges count both ways. Raises ScenarioError with the
    line.
    """

    def refuse(reason: str, mend: str, line: int = 0) -> ScenarioError:
        return ScenarioError([Problem(str(path), line, "network.path", reason, mend)])

    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refuse(
            f"the edge list cannot be read: {reason}",
            "give network.path an edge list, plain or .gz",
        ) from None
    pairs, bad = kernel.parse_edges(np.frombuffer(data, np.uint8))
    if bad:
        raise refuse("not two whole numbers", "write two node ids a line; # begins a comment", bad)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    if not len(pairs):
        raise refuse("the edge list holds no edge", "write two node ids a line")
    ids = distinct(pairs.ravel())
    # Dense ids: a table of ranks is faster than a search. Sparse ones would make it too large
    label = np.searchsorted(ids, pairs) if ids[-1] >= 8 * len(pairs) else _ranks(ids)[pairs]
    if not directed:
        label = np.concatenate([label, label[:, ::-1]])
    # One number per edge, so that sorting numbers drops repeats and leaves edges in order
    code = distinct(label[:, 0] * len(ids) + label[:, 1])
    return len(ids), np.stack([code // len(ids), code % len(ids)], axis=1)


def distinct(values: Ints) -> Ints:
    """Distinct values in rising order, by sorting: on millions of ids several times faster than
    hashing them."""
    ordered = np.sort(values)
    first: Ints = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return first


def _ranks(ids: Ints) -> Ints:
    """Rank of every distinct id, by id."""
    rank = np.zeros(int(ids[-1]) + 1, np.int64)
    rank[ids] = np.arange(len(ids))
    return rank


def communities(nodes: int, edges: Ints, count: int, luck: np.uint64) -> Ints:
    """At most ``count`` communities of a graph, largest first, int64 (nodes,).

    Found by Louvain (networkx) or, in large graphs, label propagation; smaller ones join the kept
    one to whose members they have most ties per head.
    """
    # Communities have no use for a direction
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    start, target = kernel.csr(nodes, both[:, 0], both[:, 1])
    if len(edges) <= LOUVAIN_EDGES:
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(nodes))
        graph.add_edges_from(edges.tolist())
        label = np.empty(nodes, np.int64)
        for c, members in enumerate(
            nx.community.louvain_communities(graph, seed=int(luck) % 2**31)
        ):
            label[sorted(members)] = c
    else:
        label = np.unique(kernel.propagate(start, target, luck, 20), return_inverse=True)[1]
    size = np.bincount(label)
    # Labels become ranks by size; equal sizes keep the order of their labels
    rank = np.empty(len(size), np.int64)
    rank[np.lexsort((np.arange(len(size)), -size))] = np.arange(len(size))
    label = rank[label]
    # Merge down: each small community joins the kept one with the most ties per head
    if len(size) > count:
        coarse = np.minimum(label, count)
        spare = np.flatnonzero(label >= count)
        kept = (label[both[:, 0]] >= count) & (coarse[both[:, 1]] < count)
        tie = np.zeros((len(size), count), np.int64)
        np.add.at(tie, (label[both[kept, 0]], label[both[kept, 1]]), 1)
        # a community without ties to a kept one joins the smallest, which distorts least
        join = np.where(
            tie.any(axis=1), (tie / np.sort(size)[::-1][:count]).argmax(axis=1), count - 1
        )
        label[spare] = join[label[spare]]
    return label
