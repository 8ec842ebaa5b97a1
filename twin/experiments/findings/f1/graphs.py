"""Finding 1, topology: how fast opinions converge on a graph, by the twin's own kernel.

DeGroot on an undirected graph: W = D^-1 A is self-adjoint under pi ~ degree. So in the long run the
pi-weighted distance to consensus shrinks by |lambda_2(W)| per round, and its square, the variance
of opinion, by lambda_2^2. Source: DeGroot 1974; numbers: FINDINGS F1, 1c (with self-loops, except
on the real graph).
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from twin.kernels import opinion as kernel

Floats = NDArray[np.float64]


class Graph(NamedTuple):
    """Published |lambda_2|, rounds before measuring, and rounds measured."""

    published: float
    burn: int
    window: int


class Decay(NamedTuple):
    """|lambda_2|, -ln lambda_2, the measured decay of the distance per round, and the largest
    distance of anybody from the mean at the end."""

    second: float
    theory: float
    measured: float
    apart: float


# Faster modes have to die out before measuring, with the distance still far above rounding.
GRAPHS = {
    "complete": Graph(0.0, 0, 1),
    "random": Graph(0.62242, 40, 15),
    "small world": Graph(0.93746, 200, 100),
    "two cliques": Graph(0.99923, 20, 2000),
    "ego-Facebook": Graph(0.999163, 2500, 1000),
    "ring": Graph(0.99967, 6000, 2000),
}
DEGREE = 10
REWIRED = (0.0, 0.02, 0.1, 0.5, 1.0)
"""Shares of ties that are rewired, at one degree: from a ring of neighbours to a random graph
(Watts & Strogatz 1998)."""


def _graph(name: str, data: str) -> Any:
    """The graph of this name; None if its data are not there."""
    if name == "ego-Facebook":
        file = Path(data) / "ego-facebook.txt.gz"
        if not data or not file.exists():
            return None
        return nx.from_edgelist(np.loadtxt(gzip.open(file), dtype=int).tolist())
    if name == "two cliques":
        graph = nx.disjoint_union(nx.complete_graph(50), nx.complete_graph(50))
        graph.add_edge(0, 50)
        return graph
    # Seeds are fixed because the published eigenvalues are those of these very graphs.
    made = {
        "complete": lambda: nx.complete_graph(200),
        "ring": lambda: nx.cycle_graph(200),
        "random": lambda: nx.gnp_random_graph(200, 0.05, seed=1),
        "small world": lambda: nx.watts_strogatz_graph(200, 10, 0.1, seed=1),
    }
    return made[name]()


def adjacency(graph: Any, loops: bool) -> Any:
    """Matrix (CSR) of a networkx graph by sorted nodes; with ``loops`` everybody also listens to
    themselves."""
    nodes: Any = sorted(graph)
    matrix = sparse.csr_array(
        nx.to_scipy_sparse_array(graph, nodelist=nodes, dtype=np.dtype(float))
    )
    if loops:
        matrix = sparse.csr_array(matrix + sparse.eye_array(matrix.shape[0]))
    # Neighbours in a fixed order: sums over them round in the same way everywhere.
    matrix.sort_indices()
    return matrix


def modes(matrix: Any, count: int = 3) -> tuple[Floats, Floats, Floats]:
    """pi, the ``count`` eigenvalues of W of largest size, and the mode of the second one.

    They are those of D^-1/2 A D^-1/2, which is symmetric.
    """
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    root = sparse.diags_array(degree**-0.5)
    normal = root @ matrix @ root
    # A dense solver is exact and fast on small graphs, and too slow on the real one.
    if matrix.shape[0] <= 500:
        values, vectors = np.linalg.eigh(normal.toarray())
    else:
        # A fixed start: by default the solver draws one, and the last digits differ.
        values, vectors = eigsh(normal, k=count, which="LM", v0=np.ones(matrix.shape[0]))
    # A stable sort: where eigenvalues tie, the choice must not depend on the platform.
    order = np.argsort(-np.abs(values), kind="stable")
    # D^-1/2 takes a mode of the symmetric matrix back to one of W.
    return degree / degree.sum(), values[order][:count], root @ vectors[:, order[1]]


def _rounds(x: Floats, matrix: Any, count: int) -> Floats:
    """Opinions after so many rounds of DeGroot at full rate; creator i is person i."""
    n = len(x)
    start, target = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    for _ in range(count):
        # Everybody is fully open (ones), so the anchor does not enter: plain DeGroot.
        x = kernel.friedkin_johnsen(
            x,
            x,
            np.ones(n),
            1.0,
            kernel.Graph(start, target, np.arange(n, dtype=np.int32), np.zeros(n, np.float32)),
        )
    return x


def _distance(x: Floats, pi: Floats) -> float:
    return float(np.sqrt(pi @ (x - pi @ x) ** 2))


def decay(seed: int, data: str, graph: str) -> Floats:
    """How fast opinions converge on a graph, from random opinions: `Decay` (4,)."""
    made = _graph(graph, data)
    if made is None:
        return np.array([])
    _, burn, window = GRAPHS[graph]
    matrix = adjacency(made, graph != "ego-Facebook")
    pi, values, slow = modes(matrix)
    second = abs(values[1])
    x = np.random.default_rng(seed).uniform(-1, 1, len(made))
    # Here the third mode decays almost as slowly. A share of the second one shortens the wait.
    if graph in ("random", "ego-Facebook"):
        x = 0.05 * x + slow / np.abs(slow).max()
    before = _rounds(x, matrix, burn)
    after = _rounds(before, matrix, window)
    # On the complete graph everybody is at the mean after one round: there is no rate.
    if graph == "complete":
        return np.array(Decay(second, np.inf, np.inf, float(np.abs(after - x.mean()).max())))
    return np.array(
        Decay(
            second=second,
            theory=-np.log(second),
            measured=np.log(_distance(before, pi) / _distance(after, pi)) / window,
            apart=float(np.abs(after - pi @ after).max()),
        )
    )


def rewired(seed: int, data: str, graphs: int) -> Floats:
    """Variance of opinion left after 30 rounds, as a share, by share of ties rewired (5,) and graph
    (5, graphs); one degree for all."""
    left = np.zeros((len(REWIRED), graphs))
    for g in range(graphs):
        # The same opinions for every share, so that only the ties differ.
        x = np.random.default_rng([seed, g]).uniform(-1, 1, 200)
        for row, share in enumerate(REWIRED):
            matrix = adjacency(
                nx.watts_strogatz_graph(200, DEGREE, share, seed=seed + g), loops=True
            )
            left[row, g] = _rounds(x, matrix, 30).var() / x.var()
    return left


def alone(seed: int, data: str) -> Floats:
    """Control W = I: the largest change of any opinion in 1000 rounds in which nobody listens to
    anybody else."""
    x = np.random.default_rng(seed).uniform(-1, 1, 200)
    return np.array([np.abs(_rounds(x, sparse.eye_array(200, format="csr"), 1000) - x).max()])
