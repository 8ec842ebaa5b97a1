"""Opinion dynamics on graphs against published and computed numbers (FINDINGS F1, 1c), with the
project's own kernels.

DeGroot on an undirected graph: W = D^-1 A is self-adjoint under pi ~ degree, so the pi-weighted
distance to consensus shrinks per step by |lambda_2(W)| in the long run: measured to 1 % of -ln
lambda_2. Bounded confidence: cluster counts over fixed seeds, as a thousand people leave
finite-size variation.
"""

import gzip
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from twin.experiments.findings.f1.graphs import adjacency, modes
from twin.ground.draws import children
from twin.kernels import opinion as kernel
from twin.mechanisms.opinions import clusters


def undirected(graph, loops=True):
    """CSR (start, target) and the adjacency matrix of a networkx graph; with ``loops`` everybody
    hears themselves too."""
    matrix = adjacency(graph, loops)
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix


def rounds(x, start, target, count):
    """Opinions after ``count`` rounds of DeGroot at full rate; creator i is person i."""
    n = len(x)
    person, slant, open_to_all = np.arange(n, dtype=np.int32), np.zeros(n, np.float32), np.ones(n)
    for _ in range(count):
        x = kernel.friedkin_johnsen(
            x, x, open_to_all, 1.0, kernel.Graph(start, target, person, slant)
        )
    return x


def decay(x, pi, start, target, burn, window):
    """-ln of the factor by which the pi-weighted distance to consensus shrinks per round, over
    ``window`` rounds after ``burn``."""

    def distance(x):
        return np.sqrt(pi @ (x - pi @ x) ** 2)

    x = rounds(x, start, target, burn)
    return np.log(distance(x) / distance(rounds(x, start, target, window))) / window


def cliques():
    """Two cliques of 50 with one bridge."""
    graph = nx.disjoint_union(nx.complete_graph(50), nx.complete_graph(50))
    graph.add_edge(0, 50)
    return graph


GRAPHS = {
    "ring": (nx.cycle_graph(200), 0.99967, 6000, 2000),
    "small world": (nx.watts_strogatz_graph(200, 10, 0.1, seed=1), 0.93746, 200, 100),
    "random": (nx.gnp_random_graph(200, 0.05, seed=1), 0.62242, 40, 15),
    "two cliques": (cliques(), 0.99923, 20, 2000),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_degroot_decays_by_the_second_eigenvalue(name):
    """Anybody's opinions, drawn at random: after a while the distance shrinks at -ln lambda_2 to 1
    %, self-loops included."""
    graph, printed, burn, window = GRAPHS[name]
    start, target, matrix = undirected(graph)
    pi, values, slow = modes(matrix)
    assert round(abs(values[1]), 5) == printed
    x = np.random.default_rng(0).uniform(-1, 1, len(graph))
    if (
        name == "random"
    ):  # lambda_3 = .609 is close behind: the random start gets a share of the slow mode to shorten the wait
        x = 0.05 * x + slow / np.abs(slow).max()
    assert decay(x, pi, start, target, burn, window) == pytest.approx(
        -np.log(abs(values[1])), rel=0.01
    )


def test_complete_graph_agrees_in_one_round():
    """Control of topology: where everybody hears everybody, lambda_2 = 0 and one round is
    enough."""
    start, target, matrix = undirected(nx.complete_graph(200))
    _, values, _ = modes(matrix)
    assert abs(values[1]) < 1e-12
    x = np.random.default_rng(1).uniform(-1, 1, 200)
    assert np.abs(rounds(x, start, target, 1) - x.mean()).max() < 1e-14


def test_consensus_is_the_weighted_mean():
    """DeGroot's consensus is pi . x(0): whoever is heard by more people weighs more."""
    start, target, matrix = undirected(nx.barabasi_albert_graph(200, 3, seed=2))
    pi, _, _ = modes(matrix)
    x = np.random.default_rng(3).uniform(-1, 1, 200)
    assert np.abs(rounds(x, start, target, 2000) - pi @ x).max() < 1e-12


def test_real_graph_mixes_slowly(real_data: Path):
    """ego-Facebook: lambda_2 of the normalised adjacency is .999163, and opinions on it decay so
    slowly; a random graph of the same size and density forgets hundreds of times faster."""
    with gzip.open(real_data / "ego-facebook.txt.gz", "rt") as file:
        graph = nx.read_edgelist(file, nodetype=int)
    assert (len(graph), graph.number_of_edges()) == (4039, 88234)
    start, target, matrix = undirected(graph, loops=False)
    pi, values, slow = modes(matrix)
    assert abs(values[1]) == pytest.approx(0.999163, abs=5e-7) and 1 / -np.log(
        abs(values[1])
    ) == pytest.approx(1195, abs=1)
    x = slow / np.abs(slow).max() + 0.1 * np.random.default_rng(4).uniform(-1, 1, len(graph))
    assert decay(x, pi, start, target, 2500, 1000) == pytest.approx(
        -np.log(abs(values[1])), rel=0.01
    )
    start, target, matrix = undirected(nx.gnm_random_graph(4039, 88234, seed=1), loops=False)
    assert -np.log(abs(modes(matrix)[1][1])) > 500 * -np.log(abs(values[1]))


N = 1000
EVERYBODY = (
    np.arange(N + 1, dtype=np.int64) * N,
    np.tile(np.arange(N, dtype=np.int32), N),
    np.arange(N, dtype=np.int32),
    np.zeros(N, np.float32),
)
"""Complete graph of N people who are their own creators: start, target, person, slant."""


def deffuant(epsilon, seed, sweeps=120):
    """Clusters after meetings of random pairs; epsilon on the scale 0..1 of the literature, which
    is 2 epsilon on -1..1."""
    x, key = (
        np.random.default_rng(seed).uniform(-1, 1, N),
        children(np.full(N, np.uint64(1)), np.arange(N)),
    )
    for sweep in range(sweeps):
        x = kernel.deffuant(
            x,
            np.ones(N),
            0.5,
            2 * epsilon,
            kernel.Meetings(np.uint64(9 + seed), key, sweep, np.ones(N, bool)),
            kernel.Graph(*EVERYBODY),
        )
    return clusters(x)


def hegselmann_krause(epsilon, seed):
    """Clusters at the fixed point of synchronous bounded-confidence averaging."""
    x, before = np.random.default_rng(seed).uniform(-1, 1, N), None
    while before is None or np.abs(x - before).max() > 1e-12:
        before = x
        x = kernel.hegselmann_krause(x, np.ones(N), 1.0, 2 * epsilon, kernel.Graph(*EVERYBODY))
    return clusters(x)


@cache
def counted(model, epsilon, seeds):
    """How often each number of clusters came out."""
    return Counter(model(epsilon, seed) for seed in range(seeds))


@pytest.mark.parametrize(
    ("epsilon", "expected", "least"),
    [
        (0.5, {1}, 1.0),
        (0.4, {1}, 1.0),
        (0.3, {1}, 0.9),
        (0.25, {2}, 0.9),
        (0.2, {2}, 0.9),
        (0.15, {3}, 0.8),
        (0.12, {3, 4}, 0.9),
        (0.10, {4, 5}, 0.9),
        (0.05, set(range(8, 12)), 0.8),
    ],
)
def test_deffuant_clusters(epsilon, expected, least):
    """mu = .5: the most frequent number of clusters over 40 seeds is the published one, and hardly
    any seed strays."""
    found = counted(deffuant, epsilon, 40)
    assert found.most_common(1)[0][0] in expected
    assert sum(found[k] for k in expected) >= least * 40


@pytest.mark.parametrize(
    ("epsilon", "expected", "near"),
    [
        (0.25, {1}, {1, 2}),
        (0.20, {2}, {1, 2}),
        (0.15, {2, 3}, {2, 3}),
        (0.10, {4, 5}, {3, 4, 5}),
        (0.05, {7}, {5, 6, 7, 8, 9, 10}),
    ],
)
def test_hegselmann_krause_clusters(epsilon, expected, near):
    """The most frequent number of clusters over 60 seeds is the published one; single seeds differ
    (eps .10: 3 to 5, .05: 6 to 9)."""
    found = counted(hegselmann_krause, epsilon, 60)
    assert found.most_common(1)[0][0] in expected
    assert set(found) <= near


def test_wider_tolerance_never_splits_more():
    """Mean number of clusters falls with the tolerance, in both models."""
    for model, seeds in ((deffuant, 40), (hegselmann_krause, 60)):
        mean = [
            sum(k * times for k, times in counted(model, epsilon, seeds).items()) / seeds
            for epsilon in (0.05, 0.10, 0.15, 0.20, 0.25)
        ]
        assert all(narrow >= wide for narrow, wide in pairwise(mean)) and mean[0] > 3 * mean[-1]
