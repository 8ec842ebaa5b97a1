"""Communities of a real graph, whose node i becomes consumer i and creator i."""

from __future__ import annotations

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin.kernels import graph as kernel

Ints = NDArray[np.int64]
LOUVAIN_EDGES = 500_000
"""networkx's Louvain method takes about 10 us per edge: beyond this many, label propagation."""


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
