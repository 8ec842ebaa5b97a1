"""Finding 1, topology: how fast opinions draw together on a graph, against the graph's second
eigenvalue.

DeGroot on an undirected graph: W = D^-1 A is self-adjoint under pi ~ degree, so the pi-weighted
distance to consensus shrinks in the long run by |lambda_2(W)| per round, and its square, the
variance of opinion, by lambda_2^2. The project's own kernel is measured, from random opinions.
Source: DeGroot 1974; numbers: FINDINGS F1, 1c (self-loops included, but for the real graph).
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import eigsh

from twin.experiments.findings.arms import Curve, Study
from twin.experiments.findings.declare import Part
from twin.experiments.findings.judging import Claim, band, exact, sign
from twin.experiments.findings.seen import Seen
from twin.kernels import opinion as kernel

Floats = NDArray[np.float64]
SOURCE = "FINDINGS F1, 1c"
GRAPHS = {
    "complete": (0.0, 0, 1),
    "random": (0.62242, 40, 15),
    "small world": (0.93746, 200, 100),
    "two cliques": (0.99923, 20, 2000),
    "ego-Facebook": (0.999163, 2500, 1000),
    "ring": (0.99967, 6000, 2000),
}
"""Published |lambda_2|, rounds before measuring, rounds measured."""
DEGREE = 10
REWIRED = (0.0, 0.02, 0.1, 0.5, 1.0)
"""At one degree: shares of ties that are thrown anew, from a ring of neighbours to a random graph
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
    made = {
        "complete": lambda: nx.complete_graph(200),
        "ring": lambda: nx.cycle_graph(200),
        "random": lambda: nx.gnp_random_graph(200, 0.05, seed=1),
        "small world": lambda: nx.watts_strogatz_graph(200, 10, 0.1, seed=1),
    }
    return made[name]()


def adjacency(graph: Any, loops: bool) -> Any:
    """Of a networkx graph, by sorted nodes (CSR); with ``loops`` everybody hears themselves too."""
    nodes: Any = sorted(graph)
    matrix = sparse.csr_array(
        nx.to_scipy_sparse_array(graph, nodelist=nodes, dtype=np.dtype(float))
    )
    if loops:
        matrix = sparse.csr_array(matrix + sparse.eye_array(matrix.shape[0]))
    matrix.sort_indices()
    return matrix


def modes(matrix: Any, count: int = 3) -> tuple[Floats, Floats, Floats]:
    """pi, the ``count`` eigenvalues of W of largest size, and the mode of the second, from D^-1/2 A
    D^-1/2."""
    degree = np.asarray(matrix.sum(axis=1)).ravel()
    root = sparse.diags_array(degree**-0.5)
    normal = root @ matrix @ root
    if matrix.shape[0] <= 500:
        values, vectors = np.linalg.eigh(normal.toarray())
    else:
        values, vectors = eigsh(normal, k=count, which="LM", v0=np.ones(matrix.shape[0]))
    order = np.argsort(-np.abs(values), kind="stable")
    return degree / degree.sum(), values[order][:count], root @ vectors[:, order[1]]


def _rounds(x: Floats, matrix: Any, count: int) -> Floats:
    """Opinions after so many rounds of DeGroot at full rate; creator i is person i."""
    n = len(x)
    start, target = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    for _ in range(count):
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
    """|lambda_2|, -ln lambda_2, the measured decay of the distance per round, and how far anybody
    is from the mean after it all."""
    made = _graph(graph, data)
    if made is None:
        return np.array([])
    _, burn, window = GRAPHS[graph]
    matrix = adjacency(made, graph != "ego-Facebook")
    pi, values, slow = modes(matrix)
    second = abs(values[1])
    x = np.random.default_rng(seed).uniform(-1, 1, len(made))
    if graph in (
        "random",
        "ego-Facebook",
    ):  # the next mode is close behind: a share of the slow one shortens the wait for it
        x = 0.05 * x + slow / np.abs(slow).max()
    before = _rounds(x, matrix, burn)
    after = _rounds(before, matrix, window)
    if graph == "complete":
        return np.array([second, np.inf, np.inf, float(np.abs(after - x.mean()).max())])
    return np.array(
        [
            second,
            -np.log(second),
            np.log(_distance(before, pi) / _distance(after, pi)) / window,
            float(np.abs(after - pi @ after).max()),
        ]
    )


def rewired(seed: int, data: str, graphs: int) -> Floats:
    """Variance of opinion left after 30 rounds, as a share, by share of ties rewired (5,) and graph
    (5, graphs); one degree for all."""
    left = np.zeros((len(REWIRED), graphs))
    for g in range(graphs):
        x = np.random.default_rng([seed, g]).uniform(-1, 1, 200)
        for row, share in enumerate(REWIRED):
            matrix = adjacency(
                nx.watts_strogatz_graph(200, DEGREE, share, seed=seed + g), loops=True
            )
            left[row, g] = _rounds(x, matrix, 30).var() / x.var()
    return left


def alone(seed: int, data: str) -> Floats:
    """Control W = I: the largest move of anybody in 1000 rounds where nobody hears anybody else."""
    x = np.random.default_rng(seed).uniform(-1, 1, 200)
    return np.array([np.abs(_rounds(x, sparse.eye_array(200, format="csr"), 1000) - x).max()])


def _studies(quick: bool) -> list[Study]:
    made = [Study(name, "f1_opinions:decay", {"graph": name}) for name in GRAPHS]
    return [
        *made,
        Study("rewired", "f1_opinions:rewired", {"graphs": 8 if quick else 32}),
        Study("alone", "f1_opinions:alone"),
    ]


def _judge(seen: Seen) -> list[Claim]:
    claims = []
    for name, (published, _, _) in GRAPHS.items():
        got = seen.study(name)
        if not len(got):
            claims.append(
                band(f"{name}: left out, its data are not there", [], 0, 0, SOURCE, aside=True)
            )
            continue
        if name == "complete":
            claims.append(
                exact(
                    "complete graph: distance from the mean after one round",
                    got[3],
                    0.0,
                    SOURCE,
                    within=1e-14,
                )
            )
            continue
        digits = 5e-7 if name == "ego-Facebook" else 5e-6
        claims.append(exact(f"{name}: lambda_2", got[0], published, SOURCE, within=digits))
        claims.append(
            exact(
                f"{name}: decay of the distance per round over -ln lambda_2",
                got[2] / got[1],
                1.0,
                SOURCE,
                within=0.01,
            )
        )
    left = seen.study("rewired")
    claims.append(
        sign(
            "at one degree, a ring of neighbours keeps more variance of opinion than a random "
            "graph",
            left[0] - left[-1],
            1,
            SOURCE,
        )
    )
    claims.append(
        exact(
            "control: nobody hears anybody (W = I), largest move of an opinion",
            seen.study("alone")[0],
            0.0,
            SOURCE,
        )
    )
    return claims


def _curves(seen: Seen) -> Sequence[Curve]:
    got = [seen.study(name) for name in GRAPHS if name != "complete" and len(seen.study(name))]
    rate = sorted((float(each[1]), float(each[2])) for each in got)
    x = [slow for slow, _ in rate]
    label, other = "-ln lambda_2", "decay per round"
    left = np.log10(np.maximum(seen.study("rewired"), 1e-30)).mean(1)
    return [
        Curve(
            "How fast opinions draw together",
            "measured",
            x,
            [fast for _, fast in rate],
            x_label=label,
            y_label=other,
            log_x=True,
        ),
        Curve(
            "How fast opinions draw together",
            "theory",
            x,
            x,
            x_label=label,
            y_label=other,
            log_x=True,
        ),
        Curve(
            "Variance left after 30 rounds, one degree",
            "measured",
            REWIRED,
            [float(v) for v in left],
            x_label="share of ties rewired",
            y_label="log10 of variance left",
        ),
    ]


PART = Part(
    "opinions",
    "Topology pulls opinion towards convergence",
    "graph",
    _judge,
    studies=_studies,
    curves=_curves,
)
