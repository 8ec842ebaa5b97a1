"""Opinion dynamics against their closed forms, and the mechanism that applies them."""

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtri

from twin.ground.draws import children
from twin.ground.units import DAY
from twin.kernels import opinion as kernel
from twin.mechanisms.opinions import Opinions, OpinionsParams, bimodality, clusters, polarisation
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.state import World


def random_graph(n, degree, seed=0):
    """CSR of a random graph, creator i being person i, and its row-stochastic matrix."""
    rng = np.random.default_rng(seed)
    target = np.concatenate(
        [np.sort(rng.choice(n, degree, replace=False)) for _ in range(n)]
    ).astype(np.int32)
    start = np.arange(n + 1, dtype=np.int64) * degree
    matrix = np.zeros((n, n))
    matrix[np.repeat(np.arange(n), degree), target] = 1 / degree
    return start, target, matrix


def ring(n):
    """CSR of a ring in which everybody follows both neighbours and themselves."""
    target = np.array([sorted({(i - 1) % n, i, (i + 1) % n}) for i in range(n)], np.int32).ravel()
    return np.arange(n + 1, dtype=np.int64) * 3, target


def people(n):
    """Every creator is the person of the same number; no slants."""
    return np.arange(n, dtype=np.int32), np.zeros(n, np.float32)


def test_friedkin_johnsen_reaches_its_fixed_point():
    """x* = (I - Lambda W)^-1 (I - Lambda) anchor to 1e-9, at whatever rate."""
    n = 40
    start, target, matrix = random_graph(n, 5)
    rng = np.random.default_rng(1)
    anchor, openness = rng.uniform(-1, 1, n), rng.uniform(0, 0.95, n)
    exact = np.linalg.solve(np.eye(n) - openness[:, None] * matrix, (1 - openness) * anchor)
    for rate, steps in ((1.0, 600), (0.3, 2500)):
        x = anchor.copy()
        for _ in range(steps):
            x = kernel.friedkin_johnsen(
                x, anchor, openness, rate, kernel.Graph(start, target, *people(n))
            )
        assert np.abs(x - exact).max() < 1e-9


def test_controls_leave_opinions_alone():
    """Lambda = 0 holds everyone at the anchor; nobody to follow (W = I) holds everyone where they
    are."""
    start, target, _ = random_graph(20, 4)
    x = np.linspace(-1, 1, 20)
    assert np.array_equal(
        kernel.friedkin_johnsen(x, x, np.zeros(20), 1.0, kernel.Graph(start, target, *people(20))),
        x,
    )
    alone = np.zeros(21, np.int64)
    assert np.array_equal(
        kernel.friedkin_johnsen(
            x, -x, np.ones(20), 1.0, kernel.Graph(alone, target[:0], *people(20))
        ),
        x,
    )


def test_degroot_contracts_by_the_second_eigenvalue():
    """On a ring with self-loops the slowest mode shrinks by (1 + 2 cos(2 pi / n)) / 3 per step,
    exactly."""
    n = 30
    start, target = ring(n)
    x = np.cos(2 * np.pi * np.arange(n) / n)
    second = (1 + 2 * np.cos(2 * np.pi / n)) / 3
    for step in range(1, 50):
        x = kernel.friedkin_johnsen(x, x, np.ones(n), 1.0, kernel.Graph(start, target, *people(n)))
        assert np.abs(x - second**step * np.cos(2 * np.pi * np.arange(n) / n)).max() < 1e-12


def test_degroot_on_a_complete_graph_agrees_in_one_step():
    """Everybody hears everybody: consensus on the mean at once."""
    n = 12
    target, start = np.tile(np.arange(n, dtype=np.int32), n), np.arange(n + 1, dtype=np.int64) * n
    x = np.linspace(-1, 0.5, n)
    moved = kernel.friedkin_johnsen(x, x, np.ones(n), 1.0, kernel.Graph(start, target, *people(n)))
    assert np.abs(moved - x.mean()).max() < 1e-15


def test_the_graph_decides_how_fast():
    """Topology control: two cliques with one bridge keep their difference where a random graph
    loses it."""
    n, x = 40, np.where(np.arange(40) < 20, -1.0, 1.0)
    cliques = [[j for j in range(40) if (i < 20) == (j < 20)] for i in range(n)]
    cliques[0] = [*cliques[0], 20]
    cliques[20] = [0, *cliques[20]]
    start = np.concatenate([[0], np.cumsum([len(row) for row in cliques])]).astype(np.int64)
    graphs = (
        (start, np.array([j for row in cliques for j in row], np.int32)),
        random_graph(n, 20)[:2],
    )
    apart = []
    for start, target in graphs:
        y = x.copy()
        for _ in range(20):
            y = kernel.friedkin_johnsen(
                y, y, np.ones(n), 1.0, kernel.Graph(start, target, *people(n))
            )
        apart.append(abs(y[20:].mean() - y[:20].mean()))
    assert apart[0] > 1.5 and apart[1] < 0.01


def test_ai_speaks_with_its_slant_and_dropped_follows_are_silent():
    """The voice of an AI creator is its slant; -1 in the CSR counts for nothing."""
    start, target = np.array([0, 3, 3]), np.array([0, -1, 1], np.int32)
    heard = kernel.peers(
        np.array([0.2, 0.6]),
        kernel.Graph(start, target, np.array([1, -1], np.int32), np.array([0.0, -0.4], np.float32)),
    )
    assert heard == pytest.approx([(0.6 - 0.4) / 2, 0.6], abs=1e-7)


def complete(n):
    """CSR in which everybody follows everybody, themselves too."""
    return np.arange(n + 1, dtype=np.int64) * n, np.tile(np.arange(n, dtype=np.int32), n)


def test_deffuant_keeps_the_mean():
    """Meetings of two open people move both by the same amount: the mean is kept (cluster counts:
    test_opinion_graphs)."""
    n = 1000
    x = first = np.random.default_rng(2).uniform(-1, 1, n)
    for sweep in range(60):
        x = kernel.deffuant(
            x,
            np.ones(n),
            0.5,
            0.4,
            kernel.Meetings(
                np.uint64(9),
                children(np.full(n, np.uint64(1)), np.arange(n)),
                sweep,
                np.ones(n, bool),
            ),
            kernel.Graph(*complete(n), *people(n)),
        )
    assert x.mean() == pytest.approx(first.mean(), abs=1e-12) and clusters(x) == 2


def test_hegselmann_krause_by_hand():
    """Only voices within the tolerance are averaged, oneself always, and once even if one follows
    oneself."""
    x = np.array([0.0, 0.1, 0.3, 0.9])
    moved = kernel.hegselmann_krause(
        x, np.ones(4), 1.0, 0.25, kernel.Graph(*complete(4), *people(4))
    )
    assert moved == pytest.approx([0.05, 0.4 / 3, 0.2, 0.9], abs=1e-15)
    half = kernel.hegselmann_krause(
        x, np.array([1, 0, 0.5, 1]), 0.5, 0.25, kernel.Graph(*complete(4), *people(4))
    )
    assert half == pytest.approx([0.025, 0.1, 0.275, 0.9], abs=1e-15)
    alone = kernel.hegselmann_krause(
        x,
        np.ones(4),
        1.0,
        0.25,
        kernel.Graph(np.arange(5), np.arange(4, dtype=np.int32), *people(4)),
    )
    assert np.array_equal(alone, x)


def test_hegselmann_krause_between_its_limits():
    """A tolerance that covers the axis gives DeGroot with self-loops; one of zero moves nobody, nor
    do dropped follows."""
    n, x = 60, np.random.default_rng(5).uniform(-1, 1, 60)
    start, target, _ = random_graph(n, 6)
    loops = [sorted({i, *target[start[i] : start[i + 1]].tolist()}) for i in range(n)]
    wide = kernel.friedkin_johnsen(
        x,
        x,
        np.ones(n),
        1.0,
        kernel.Graph(
            np.concatenate([[0], np.cumsum([len(row) for row in loops])]),
            np.array([j for row in loops for j in row], np.int32),
            *people(n),
        ),
    )
    assert (
        np.abs(
            kernel.hegselmann_krause(
                x, np.ones(n), 1.0, 2.0, kernel.Graph(start, target, *people(n))
            )
            - wide
        ).max()
        < 1e-14
    )
    assert np.array_equal(
        kernel.hegselmann_krause(x, np.ones(n), 1.0, 0.0, kernel.Graph(start, target, *people(n))),
        x,
    )
    assert np.array_equal(
        kernel.hegselmann_krause(
            x, np.ones(n), 1.0, 2.0, kernel.Graph(start, np.full_like(target, -1), *people(n))
        ),
        x,
    )


def test_hegselmann_krause_hears_ai_by_its_slant():
    """A voice without a person counts with its slant, if that is near enough."""
    person, slant = np.array([-1, -1], np.int32), np.array([0.5, -0.5], np.float32)
    moved = kernel.hegselmann_krause(
        np.array([0.25]),
        np.ones(1),
        1.0,
        0.5,
        kernel.Graph(np.array([0, 2]), np.array([0, 1], np.int32), person, slant),
    )
    assert moved == pytest.approx([0.375], abs=1e-12)


def test_permuted_labels_without_ties_move_nobody():
    """Control: everybody follows only themselves (W = I), whatever numbers their creators bear; no
    model moves anybody."""
    n, rng = 50, np.random.default_rng(6)
    label = rng.permutation(n).astype(np.int32)
    person = np.argsort(label).astype(np.int32)
    x, slant, start = (
        rng.uniform(-1, 1, n),
        np.zeros(n, np.float32),
        np.arange(n + 1, dtype=np.int64),
    )
    assert np.array_equal(
        kernel.friedkin_johnsen(x, x, np.ones(n), 1.0, kernel.Graph(start, label, person, slant)), x
    )
    assert np.array_equal(
        kernel.hegselmann_krause(
            x, np.ones(n), 1.0, 2.0, kernel.Graph(start, label, person, slant)
        ),
        x,
    )
    key = children(np.full(n, np.uint64(1)), np.arange(n))
    assert np.array_equal(
        kernel.deffuant(
            x,
            np.ones(n),
            0.5,
            2.0,
            kernel.Meetings(np.uint64(3), key, 0, np.ones(n, bool)),
            kernel.Graph(start, label, person, slant),
        ),
        x,
    )


def test_labels_carry_no_meaning():
    """Control: renumbering people and their graph renumbers the Friedkin-Johnsen outcome, to
    rounding, and nothing else."""
    n, rng = 40, np.random.default_rng(7)
    start, target, matrix = random_graph(n, 5)
    order = rng.permutation(n)
    rows = [np.flatnonzero(matrix[i][order]).astype(np.int32) for i in order]
    anchor, openness = rng.uniform(-1, 1, n), rng.uniform(0, 1, n)
    x, y = anchor.copy(), anchor[order].copy()
    for _ in range(50):
        x = kernel.friedkin_johnsen(
            x, anchor, openness, 0.7, kernel.Graph(start, target, *people(n))
        )
        y = kernel.friedkin_johnsen(
            y,
            anchor[order],
            openness[order],
            0.7,
            kernel.Graph(start, np.concatenate(rows), *people(n)),
        )
    assert np.abs(x[order] - y).max() < 1e-13


def test_exposure_is_a_chain_of_small_pulls():
    """n posts of one slant move an opinion as n single steps would; no post, full stubbornness or
    rate 0 move nothing."""
    x, slant, rate = 0.1, 0.7, 0.03
    y = x
    for _ in range(25):
        y += rate * (slant - y)
    moved = kernel.exposure(
        np.full(3, x),
        np.array([1.0, 0.0, 1.0]),
        rate,
        np.full(3, slant - x),
        np.array([25.0, 25.0, 0.0]),
    )
    assert moved == pytest.approx([y, x, x], abs=1e-12)
    assert kernel.exposure(np.array([0.9]), np.ones(1), 1.0, np.array([2.0]), np.ones(1))[0] == 1.0


def test_polarisation_index():
    """Two equal camps at the ends: 1; one camp: 0; spread evenly lies between."""
    ends, one = np.zeros(20), np.zeros(20)
    ends[[0, -1]], one[7] = 50, 100
    assert polarisation(ends) == pytest.approx(1.0)
    assert polarisation(one) == 0.0 == polarisation(np.zeros(20))
    assert 0 < polarisation(np.ones(20)) < 0.5


def test_bimodality_coefficient():
    """Sarle's coefficient: 1 for two points, 5/9 for a uniform law, 1/3 for a normal one, 0 where
    all agree."""
    assert bimodality(np.repeat([-1.0, 1.0], [30, 70])) == pytest.approx(1.0)
    assert bimodality((np.arange(100_000) + 0.5) / 50_000 - 1) == pytest.approx(5 / 9, abs=1e-6)
    assert bimodality(ndtri((np.arange(1_000_000) + 0.5) / 1e6)) == pytest.approx(1 / 3, abs=1e-4)
    assert bimodality(np.full(9, 0.3)) == 0.0 == bimodality(np.zeros(0))


def test_clusters_need_a_gap_and_a_share():
    """Gaps above 0.02 part clusters; those with less than 2 % of the people do not count."""
    x = np.concatenate([np.full(60, -0.5), np.full(38, 0.2), np.full(1, 0.9), np.full(1, 0.205)])
    assert (
        clusters(x) == 2 and clusters(np.linspace(-1, 1, 1000)) == 1 and clusters(np.zeros(0)) == 0
    )
    assert clusters(np.append(x, [0.9, 0.9])) == 3


def make(n=400, **params):
    """A world of people, every one a creator, in which everybody follows five others."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board(Opinions.metrics))
    for column in Opinions.columns["consumers"]:
        world.define("opinions", "consumers", column)
    for name, dtype in (
        ("active", "?"),
        ("community", "i2"),
        ("pull_sum", "f8"),
        ("pull_count", "f8"),
    ):
        world.define("test", "consumers", Column(name, dtype, "1", "Test"))
    for name, dtype in (("person", "i4"), ("slant", "f4")):
        world.define("test", "creators", Column(name, dtype, "1", "Test"))
    start, target, _ = random_graph(n, 5)
    world.provide("follow_graph", lambda: SimpleNamespace(start=start, target=target))
    mechanism = Opinions(OpinionsParams(**params), world)
    for name in ("peer_rate", "tolerance", "repulsion", "exposure_rate"):
        world.levers[f"opinions.{name}"] = getattr(mechanism.p, name)
    world.on_add(mechanism.born)
    keys = children(np.full(n, np.uint64(4)), np.arange(n))
    world.add("test", "consumers", keys, active=np.ones(n, bool), community=np.arange(n) % 4)
    world.add("test", "creators", keys, person=np.arange(n))
    return world, mechanism


def test_people_start_by_community():
    """Communities lean; within one, people differ; anchors are the first opinions."""
    world, mechanism = make(lean=1.5, spread=0.1)
    mechanism.measure()
    x = world.table("consumers")["opinion"]
    assert (
        world.board.get("between_community_variance")
        > 0.8 * world.board.get("opinion_variance")
        > 0.01
    )
    assert np.array_equal(x, world.table("consumers")["anchor"]) and np.abs(x).max() < 1
    assert (
        sum(world.board.get("opinion", bin=b) for b in world.board.metrics["opinion"].bins) == 400
    )
    flat, still = make(lean=0.0, spread=0.1)
    still.measure()
    assert flat.board.get("between_community_variance") < 0.1 * flat.board.get("opinion_variance")


def test_each_pull_counts_once():
    """What was seen moves opinion on the next day and never again."""
    world, mechanism = make(
        peer_rate=0.0, stubbornness_mean=0.0, stubbornness_spread=0.0, exposure_rate=0.01
    )
    table = world.table("consumers")
    before = table["opinion"].copy()
    table["pull_sum"][:], table["pull_count"][:] = 2.0, 10.0
    mechanism.step()
    moved = table["opinion"].copy()
    assert moved - before == pytest.approx(np.minimum((1 - 0.99**10) * 0.2, 1 - before), abs=1e-6)
    mechanism.step()
    assert np.array_equal(table["opinion"], moved)


@pytest.mark.parametrize("model", ["friedkin_johnsen", "degroot", "deffuant", "hegselmann_krause"])
def test_ties_draw_people_together(model):
    """Every social model lowers variance on a connected graph, and the inactive do not move."""
    world, mechanism = make(model=model, peer_rate=0.5)
    table = world.table("consumers")
    table["active"][3] = False
    before = table["opinion"].copy()
    for day in range(10):
        world.now = day * DAY
        mechanism.step()
    assert table["opinion"].var() < 0.9 * before.var()
    assert table["opinion"][3] == before[3] and np.abs(table["opinion"]).max() <= 1


def test_bounded_confidence_makes_camps():
    """The tolerance lever decides: Hegselmann-Krause in the mechanism leaves a narrow-minded world
    apart, a broad-minded one agreed."""
    ends = {}
    for tolerance in (0.1, 2.0):
        world, mechanism = make(
            model="hegselmann_krause",
            peer_rate=1.0,
            stubbornness_mean=0.0,
            stubbornness_spread=0.0,
            spread=2.0,
            tolerance=tolerance,
        )
        for day in range(60):
            world.now = day * DAY
            mechanism.step()
        mechanism.measure()
        ends[tolerance] = [
            world.board.get(name)
            for name in ("opinion_clusters", "opinion_variance", "opinion_bimodality")
        ]
    assert ends[2.0][0] == 1 and ends[2.0][1] < 1e-6
    assert ends[0.1][0] > 3 and ends[0.1][1] > 0.3 and ends[0.1][2] > 5 / 9


def test_no_model_no_movement():
    """Under model `none` neither posts nor people move an opinion, and campaigns find everybody
    closed; the opinions themselves are those of any other model."""
    world, mechanism = make(model="none", exposure_rate=0.5, peer_rate=0.5, tolerance=2.0)
    table = world.table("consumers")
    assert np.array_equal(table["opinion"], make()[0].table("consumers")["opinion"])
    before = table["opinion"].copy()
    table["pull_sum"][:], table["pull_count"][:] = 2.0, 10.0
    mechanism.step()
    assert np.array_equal(table["opinion"], before) and (table["stubbornness"] == 1).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rest_is_the_dense_solution(seed):
    """x* = (I - Lambda W)^-1 (I - Lambda) anchor to 1e-9, AI voices held; who follows nobody is at
    the anchor; nobody then moves."""
    n, rng = 60, np.random.default_rng(seed)
    start, target, _ = random_graph(n, 4, seed)
    target = np.where(rng.random(len(target)) < 0.1, -1, target + 20).astype(
        np.int32
    )  # some follows were dropped
    start[8:] -= start[8] - start[7]  # person 7 follows nobody
    person, slant = (
        np.r_[np.full(20, -1), np.arange(n)].astype(np.int32),
        rng.uniform(-1, 1, 80).astype(np.float32),
    )
    target[::5] = rng.integers(0, 20, len(target[::5]))  # creators 0 to 19 are AI
    anchor, openness = rng.uniform(-1, 1, n), rng.uniform(0, 0.97, n)
    heard, matrix = np.zeros(n), np.zeros((n, n))
    for i in range(n):
        voices = [creator for creator in target[start[i] : start[i + 1]] if creator >= 0]
        for creator in voices:
            if person[creator] >= 0:
                matrix[i, person[creator]] += 1 / len(voices)
            else:
                heard[i] += float(slant[creator]) / len(voices)
    matrix[7] = 0
    pull = np.where((matrix.sum(1) > 0) | (heard != 0), openness, 0.0)
    exact = np.linalg.solve(np.eye(n) - pull[:, None] * matrix, pull * heard + (1 - pull) * anchor)
    x = rng.uniform(-1, 1, n)
    sweeps = kernel.rest(
        x, anchor, openness, np.arange(n), 1e-9, 10_000, kernel.Graph(start, target, person, slant)
    )
    assert np.abs(x - exact).max() < 1e-9 and x[7] == anchor[7] and 1 < sweeps < 2000
    moved = kernel.friedkin_johnsen(
        x, anchor, openness, 1.0, kernel.Graph(start, target, person, slant)
    )
    assert np.abs(moved - x)[np.arange(n) != 7].max() < 1e-9


def test_rest_of_some_holds_the_others():
    """Newcomers come to rest among those whom they follow, and among one another; nobody else moves
    by a bit."""
    n, rng = 40, np.random.default_rng(3)
    start, target, matrix = random_graph(n, 5)
    anchor, openness, x = rng.uniform(-1, 1, n), rng.uniform(0, 0.9, n), rng.uniform(-1, 1, n)
    new = np.arange(30, 40)
    before = x.copy()
    kernel.rest(x, anchor, openness, new, 1e-9, 1000, kernel.Graph(start, target, *people(n)))
    assert np.array_equal(x[:30], before[:30])
    inner = np.eye(10) - openness[new][:, None] * matrix[np.ix_(new, new)]
    exact = np.linalg.solve(
        inner,
        openness[new] * (matrix[new][:, :30] @ before[:30]) + (1 - openness[new]) * anchor[new],
    )
    assert np.abs(x[new] - exact).max() < 1e-9
