"""The follow graph: what it must look like, what it must keep, what it must let go."""

import datetime as dt
import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from twin.ground.draws import children
from twin.ground.errors import ScenarioError
from twin.ground.units import DAY
from twin.kernels import graph as kernel
from twin.kernels import wire as wiring
from twin.mechanisms.network import Network, NetworkParams, apportion, tail_exponent
from twin.mechanisms.network.communities import communities
from twin.mechanisms.network.graph_files import read_graph
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.state import World


def make(consumers=1000, creators=200, seed=1, ai=0, tastes=False, **params):
    """A world of people and creators (creator i is person i, the last ``ai`` are AI) with its graph
    built; ``tastes``: people have tastes around their community's, and creators niches and
    skill."""
    world = World(dt.date(2025, 1, 1), seed, 0, Board(Network.metrics))
    for table, columns in Network.columns.items():
        for column in columns:
            world.define("network", table, column)
    world.define("audience", "consumers", Column("active", "?", "1", "Here"))
    for name, dtype, start in (
        ("active", "?", 0),
        ("ai", "?", 0),
        ("person", "i4", -1),
        ("rate", "f4", 0),
    ):
        world.define("creators", "creators", Column(name, dtype, "1", "Test", start))
    if tastes:
        world.define(
            "audience", "consumers", Column("taste", "f4", "1", "Test", shape=(16,), hidden=True)
        )
        world.define(
            "creators", "creators", Column("niche", "f4", "1", "Test", shape=(16,), hidden=True)
        )
        world.define("creators", "creators", Column("skill", "f4", "sd", "Test", hidden=True))
    network = Network(NetworkParams(**params), world)
    world.on_add(network.born)
    world.on_release(network.gone)
    network.setup()
    nodes = world.service("graph_nodes")()
    arrive(world, nodes or consumers, 0)
    count = nodes or creators
    person = np.where(np.arange(count) < count - ai, np.arange(count), -1)
    keys = children(np.full(count, np.uint64(17)), np.arange(count))
    world.add(
        "creators",
        "creators",
        keys,
        person=person,
        active=np.ones(count, bool),
        ai=person < 0,
        rate=np.exp(world.draws.normals("rate", keys, 1)[:, 0]),
    )
    if tastes:
        community, centre = (
            world.table("creators")["community"],
            world.service("community_centres")(),
        )
        world.table("creators")["niche"][:] = around(world, centre[community], keys)
        world.table("creators")["skill"][:] = world.draws.normals("skill", keys, 1)[:, 0]
    network.rebuild()
    return world, network


def around(world, centre, keys):
    """Unit vectors half way between centres (n, 16) and noise."""
    noise = world.draws.normals("own", keys, 16)
    blend = centre + noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return blend / np.linalg.norm(blend, axis=1, keepdims=True)


def arrive(world, count, first):
    """New active people; their rows."""
    keys = children(np.full(count, np.uint64(16)), np.arange(first, first + count))
    rows = world.add("audience", "consumers", keys, active=np.ones(count, bool))
    if "taste" in world.table("consumers").columns:
        home = world.table("consumers")["community"][rows]
        world.table("consumers")["taste"][rows] = around(
            world, world.service("community_centres")()[home], keys
        )
    return rows


def cosine(world, row, creator):
    """How well creators suit the people who follow them."""
    return (world.table("consumers")["taste"][row] * world.table("creators")["niche"][creator]).sum(
        1
    )


def edges(network):
    """The CSR as (consumer, creator) pairs."""
    graph = network.follow_graph()
    return np.repeat(np.arange(len(graph.start) - 1), np.diff(graph.start)), graph.target


def follow(network, row, creator):
    """What the session kernel does when a person follows."""
    network.reserve_follows(1)
    graph = network.follow_graph()
    edge = graph.pending_count[0]
    graph.pending_creator[edge], graph.pending_next[edge] = creator, graph.pending_head[row]
    graph.pending_head[row] = edge
    graph.pending_count[0] += 1


def test_followers_match_kuairand():
    """10,000 people and 2,000 creators: follower Gini .90 +- .05, tail exponent 2.1 +- .25, mean
    follows near 30."""
    for seed, tastes in ((1, False), (2, False), (1, True), (2, True)):
        world, network = make(10_000, 2_000, seed, tastes=tastes)
        network.measure()
        assert abs(world.board.get("follower_gini") - 0.90) < 0.05
        assert abs(world.board.get("follower_tail_exponent") - 2.1) < 0.25
        assert 26 < world.board.get("follows_mean") < 32
        assert world.board.get("follow_edges") == len(network.follow_graph().target)


def test_no_loops_no_repeats():
    """Nobody follows themselves or the same creator twice, and everyone is counted."""
    world, network = make(ai=20)
    row, creator = edges(network)
    assert (world.table("creators")["person"][creator] != row).all()
    assert len(np.unique(row * 10_000 + creator)) == len(row) > 5000
    assert (world.table("creators")["followers"] == np.bincount(creator, minlength=200)).all()


def test_homophily_is_the_share_inside():
    """The share of follows inside the own community is the parameter, and at 0 less than chance."""
    for homophily, low, high in ((0.0, 0.0, 0.02), (0.3, 0.25, 0.36), (0.6, 0.5, 0.66)):
        world, network = make(4000, 1000, homophily=homophily, follows_mean=10.0)
        row, creator = edges(network)
        inside = (
            world.table("consumers")["community"][row]
            == world.table("creators")["community"][creator]
        )
        assert low <= inside.mean() <= high


def test_growth_keeps_the_shape():
    """People beyond the core are wired by preferential attachment, which nearly keeps the
    inequality of followers."""
    gini = []
    for core in (4000, 2000):
        world, network = make(4000, 1000, core=core)
        network.measure()
        gini.append(world.board.get("follower_gini"))
    assert abs(gini[0] - gini[1]) < 0.05


def test_posting_and_followers_go_together():
    """Creators who post more have more followers, better ones as well, and with correlation 0 they
    do not."""

    def correlation(name, **values):
        world, _ = make(3000, 1000, tastes=True, **values)
        table = world.table("creators")
        return np.corrcoef(
            np.argsort(np.argsort(table[name])), np.argsort(np.argsort(table["followers"]))
        )[0, 1]

    for name, other in (("rate", "skill"), ("skill", "rate")):
        some = {f"{name}_correlation": 0.8, f"{other}_correlation": 0.0}
        assert correlation(name, **some) > 0.5
        assert abs(correlation(other, **some)) < 0.15
    both = {"rate_correlation": 0.5, "skill_correlation": 0.5}
    assert correlation("rate", **both) > 0.3 and correlation("skill", **both) > 0.3
    with pytest.raises(ValueError, match="sum of their squares"):
        NetworkParams(rate_correlation=0.8, skill_correlation=0.8)


def test_follows_fit_taste():
    """The more creators people look at, the better those suit whom they follow: in the core, beyond
    it, and where a follow is replaced. Nobody's follows and hardly anybody's followers change."""
    fit, inside, famous = {}, {}, {}
    for choice in (1, 4, 16):
        world, network = make(4000, 1000, tastes=True, core=2000, choice=choice, follows_mean=10.0)
        row, creator = edges(network)
        suits = cosine(world, row, creator)
        home = (
            world.table("consumers")["community"][row]
            == world.table("creators")["community"][creator]
        )
        assert (
            len(np.unique(row * 1000 + creator)) == len(row)
            and (world.table("creators")["person"][creator] != row).all()
        )
        gone = np.arange(1000) % 5 == 0
        world.table("creators")["active"][gone] = False
        had = np.zeros((4000, 1000), bool)
        had[row, creator] = True
        world.now = DAY
        network.rebuild()
        then = edges(network)
        new = ~had[then]
        assert new.sum() > 1000
        fit[choice] = (
            suits[home & (row < 2000)].mean(),
            suits[home & (row >= 2000)].mean(),
            cosine(world, *then)[new].mean(),
        )
        inside[choice], famous[choice] = (
            home.mean(),
            np.bincount(creator[row < 2000], minlength=1000),
        )
    for some, more in ((1, 4), (4, 16)):
        assert all(b - a > 0.02 for a, b in zip(fit[some], fit[more], strict=True)), fit
        assert (
            0.4 < inside[some] < inside[more] < 0.51
        )  # nearer the parameter: fewer looks are lost on who is followed already
        assert np.corrcoef(famous[some], famous[more])[0, 1] > 0.98


def test_without_choice_taste_plays_no_part():
    """With one creator to look at, the graph is that of people without tastes."""
    plain, blind = (
        make(2000, 500, tastes=tastes, core=1000, choice=1, skill_correlation=0.0)[1]
        .follow_graph()
        .target
        for tastes in (False, True)
    )
    assert np.array_equal(plain, blind)
    assert not np.array_equal(
        plain,
        make(2000, 500, tastes=True, core=1000, choice=2, skill_correlation=0.0)[1]
        .follow_graph()
        .target,
    )


@pytest.mark.parametrize("choice", [1, 2, 3, 4, 7, 8])
def test_best_of_those_looked_at(choice):
    """Of 12 creators of equal fame the r-th best is followed with probability ((13 - r)^k - (12 -
    r)^k) / 12^k: chi-square, and what one person gets depends on nobody else."""
    people, n = 20_000, 12
    angle = np.arange(n) / n
    niche = np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)  # the first is the best
    liking = wiring.Liking(np.tile(np.float32([1, 0]), (people, 1)), niche, choice)
    key, none = children(np.full(people, np.uint64(5)), np.arange(people)), np.zeros(0, np.int32)
    home = np.zeros(n, np.int16)  # not read

    def wired(rows, inside):
        return wiring.wire(
            wiring.Luck(np.uint64(9), 0),
            rows,
            np.ones(len(rows), np.int64),
            inside,
            wiring.People(key, np.zeros(people, np.int16), home, np.full(n, -1, np.int32)),
            wiring.Ties(np.zeros(people + 1, np.int32), none),
            wiring.Candidates(np.arange(n), np.array([0, n if inside else 0]), np.arange(n + 1.0)),
            liking,
        )[1]

    for inside in (1.0, 0.0):
        found = wired(np.arange(people), inside)
        rank = np.arange(1, n + 1)
        expected = people * ((n + 1.0 - rank) ** choice - (n - rank) ** choice) / n**choice
        many = expected > 5
        counts = np.bincount(found, minlength=n)
        assert ((counts - expected)[many] ** 2 / expected[many]).sum() < chi2.isf(
            1e-5, many.sum() - 1
        )
        assert np.array_equal(wired(np.arange(0, people, 3), inside), found[::3])


def test_exchange_keeps_all_but_the_fit():
    """Follows and followers of everybody, ties inside every community, no loops, no repeats; and
    the sum of cosines never falls."""
    rng = np.random.default_rng(3)
    people, creators = 300, 60
    community, home = (
        rng.integers(0, 3, people).astype(np.int16),
        rng.integers(0, 3, creators).astype(np.int16),
    )
    person = np.arange(creators, dtype=np.int32)
    pairs = np.unique(
        np.stack(
            [rng.integers(0, people, 3000), (creators * rng.random(3000) ** 2).astype(int)], 1
        ),
        axis=0,
    )
    source, before = pairs[pairs[:, 0] != pairs[:, 1]].T
    taste, niche = (rng.normal(size=(size, 4)).astype(np.float32) for size in (people, creators))
    start, target = kernel.csr(people, source, before.copy())
    key, fit = (
        rng.integers(0, 2**63, people).astype(np.uint64),
        (taste[source] * niche[before]).sum(),
    )
    for choice in (2, 3, 6):
        target = before.copy()
        wiring.exchange(
            wiring.Luck(np.uint64(4), 0),
            source,
            wiring.Ties(start, target),
            wiring.People(key, community, home, person),
            wiring.Liking(taste, niche, choice),
        )
        assert np.array_equal(
            np.bincount(target, minlength=creators), np.bincount(before, minlength=creators)
        )
        assert (
            len(np.unique(source * creators + target)) == len(source) and (source != target).all()
        )
        inside, was = (home[t] == community[source] for t in (target, before))
        assert np.array_equal(inside, was) and np.array_equal(
            np.bincount(home[target[inside]]), np.bincount(home[before[was]])
        )
        now = (taste[source] * niche[target]).sum()
        assert now > fit + 10
        fit = now


def test_same_seed_same_graph():
    """The graph is a function of the seed."""
    first, again, other = (make(500, 100, seed)[1].follow_graph().target for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pending_follows_and_unfollows():
    """A day's follows enter the CSR, tombstones and those who left drop out, newcomers are
    wired."""
    world, network = make(300, 100)
    graph = network.follow_graph()
    stranger = next(c for c in range(100) if c not in graph.target[graph.start[5] : graph.start[6]])
    follow(network, 5, stranger)
    dropped = graph.target[graph.start[8]]
    graph.target[graph.start[8]] = -1
    world.table("creators")["active"][7] = False
    world.table("consumers")["active"][9] = False
    rows = arrive(world, 20, 300)
    world.now = DAY
    network.rebuild()
    row, creator = edges(network)
    assert stranger in creator[row == 5]
    assert dropped not in creator[row == 8]
    assert 7 not in creator and 9 not in row and (creator >= 0).all()
    assert (np.bincount(row, minlength=320)[rows] > 0).mean() > 0.8
    before = network.follow_graph().target.copy()
    world.now = 2 * DAY
    network.rebuild()
    assert np.array_equal(network.follow_graph().target, before)


def test_newcomers_prefer_the_followed():
    """Preferential attachment: new followers come in proportion to those a creator has."""
    world, network = make(2000, 500, homophily=0.0)
    old = world.table("creators")["followers"].copy()
    rows = arrive(world, 2000, 2000)
    world.now = DAY
    network.rebuild()
    row, creator = edges(network)
    new = np.bincount(creator[np.isin(row, rows)], minlength=500)
    assert np.corrcoef(old, new)[0, 1] > 0.95


def test_released_rows_take_their_follows_along():
    """A recycled place inherits neither follows nor followers, in the CSR or pending."""
    world, network = make(300, 100)
    follow(network, 4, 50)
    popular = int(np.argmax(world.table("creators")["followers"]))
    follow(network, 6, popular)
    world.release("consumers", np.array([4]))
    world.release("creators", np.array([popular]))
    graph = network.follow_graph()
    assert (graph.target[graph.start[4] : graph.start[5]] == -1).all() and graph.pending_head[
        4
    ] == -1
    assert (
        popular not in graph.target
        and popular not in graph.pending_creator[: graph.pending_count[0]]
    )


def test_reserve_keeps_what_is_pending():
    """Growing the arrays keeps follows made before, and everybody has a place for a chain."""
    world, network = make(50, 20)
    for creator in range(10):
        follow(network, 3, creator)
    arrive(world, 30, 50)
    network.reserve_follows(1000)
    graph = network.follow_graph()
    found, edge = [], graph.pending_head[3]
    while edge >= 0:
        found.append(int(graph.pending_creator[edge]))
        edge = graph.pending_next[edge]
    assert found == list(range(9, -1, -1))
    assert len(graph.pending_head) == 80 and len(graph.pending_next) >= 1010


def test_tiny_worlds():
    """One person and no creator, or few of both, make an empty or small graph and finite
    metrics."""
    for consumers, creators in ((1, 0), (1, 1), (3, 2), (20, 5)):
        world, network = make(consumers, creators)
        network.measure()
        assert np.isfinite(world.board.values).all()


def test_apportion():
    """Whole shares add up, follow the weights, and respect the cap."""
    assert apportion(np.array([1.0, 2.0, 1.0]), 8, 100).tolist() == [2, 4, 2]
    shares = apportion(np.array([1000.0, 1.0, 1.0, 2.0]), 100, 60)
    assert shares.sum() == 100 and shares[0] == 60 and shares[3] == 20
    assert apportion(np.ones(4), 400, 10).tolist() == [100] * 4


def test_tail_exponent_of_a_pareto():
    """The estimate finds the density exponent of an exact Pareto sample, and says 0 where there is
    no tail."""
    values = (1 - (np.arange(20_000) + 0.5) / 20_000) ** (-1 / 1.1)
    assert abs(tail_exponent(values) - 2.1) < 0.03
    assert tail_exponent(np.ones(500)) == 0.0
    assert tail_exponent(np.zeros(0)) == 0.0


def drawn(path, directed):
    """Nodes and ties of a file."""
    graph = read_graph(path, directed)
    return graph.nodes, graph.edges


def test_edge_list_is_read(tmp_path):
    """Comments, blanks, commas, repeats, loops, sparse ids and gzip."""
    path = tmp_path / "graph.txt.gz"
    path.write_bytes(gzip.compress(b"# a graph\n7 900\r\n\n900\t30 # again\n30,7\n7 7\n7 900"))
    nodes, pairs = drawn(path, directed=True)
    assert nodes == 3 and pairs.tolist() == [[0, 2], [1, 0], [2, 1]]
    assert len(drawn(path, directed=False)[1]) == 6


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"1 2\n3\n", 2),
        (b"1 2\n3 4 5\n", 2),
        (b"1 2\n\na b\n", 3),
        (b"-1 2\n", 1),
        (b"1 2\n1 99999999999999999999\n", 2),
        (b"# only\n", 0),
        (b"", 0),
        (b"5 5\n", 0),
    ],
)
def test_edge_list_errors_say_where(tmp_path, text, line):
    """A broken edge list is refused with its line."""
    path = tmp_path / "bad.txt"
    path.write_bytes(text)
    with pytest.raises(ScenarioError) as error:
        drawn(path, directed=False)
    assert error.value.problems[0].line == line


def test_unreadable_edge_lists(tmp_path):
    """A missing file, a folder and a torn gzip are the user's errors, too."""
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(b"1 2\n" * 1000)[:30])
    for path in (tmp_path / "missing", tmp_path, torn):
        with pytest.raises(ScenarioError):
            drawn(path, directed=False)


def test_communities_of_two_cliques():
    """Louvain and label propagation find two cliques; merged down to one there is one."""
    clique = np.array([(i, j) for i in range(10) for j in range(10) if i != j])
    pairs = np.concatenate([clique, clique + 10, [[0, 10]]])
    label = communities(20, pairs, 5, np.uint64(3))
    assert len(set(label[:10])) == len(set(label[10:])) == 1 and label[0] != label[10]
    assert set(communities(20, pairs, 1, np.uint64(3))) == {0}
    both = np.concatenate([pairs, pairs[:, ::-1]])
    start, target = kernel.csr(20, *both[np.lexsort((both[:, 1], both[:, 0]))].T)
    spread = kernel.propagate(start, target, np.uint64(3), 20)
    assert len(set(spread[:10])) == len(set(spread[10:])) == 1 and spread[0] != spread[10]


def test_imported_graph(tmp_path):
    """Node i is consumer i and creator i; nothing is added, and arrivals are wired later."""
    path = tmp_path / "ring.txt"
    path.write_text("".join(f"{i} {(i + 1) % 60}\n" for i in range(60)))
    world, network = make(kind="edge_list", path=str(path), communities=4)
    row, creator = edges(network)
    assert len(row) == 120 and (np.bincount(creator) == 2).all()
    assert {(i, (i + 1) % 60) for i in range(60)} <= set(
        zip(row.tolist(), creator.tolist(), strict=True)
    )
    home = world.table("consumers")["community"]
    assert (home[row] == home[creator]).mean() > 0.8 and home.max() < 4
    rows = arrive(world, 5, 60)
    world.now = DAY
    network.rebuild()
    assert len(edges(network)[0]) > 120 and (edges(network)[0][120:] >= rows[0]).all()


def test_ego_facebook(real_data: Path):
    """The real graph: 4,039 people, 176,468 follows (both ways), taste communities along its
    own."""
    world, network = make(kind="edge_list", path=str(real_data / "ego-facebook.txt.gz"))
    row, creator = edges(network)
    home = world.table("consumers")["community"]
    assert len(world.table("consumers")) == 4039 and len(row) == 176_468
    assert np.bincount(creator).max() == 1045
    assert (home[row] == home[creator]).mean() > 0.8 and len(
        np.unique(home)
    ) == network.p.communities


@pytest.mark.parametrize("replace", [0.0, 0.5, 1.0])
def test_lost_follows_are_replaced(replace):
    """A fifth of creators quit: the given share of what their followers lost is made up for, by
    nobody else, with creators still there; 1 keeps everybody's number. A creator who was left by
    hand is not replaced."""
    world, network = make(2000, 300, replace=replace)
    source, target = edges(network)
    before = np.bincount(source, minlength=2000)
    gone = np.arange(300) % 5 == 0
    world.table("creators")["active"][gone] = False
    lost = np.bincount(source[gone[target]], minlength=2000)
    graph = network.follow_graph()
    first = int(graph.start[7])
    assert not gone[graph.target[first : graph.start[8]]].all()
    place = first + int(np.flatnonzero(~gone[graph.target[first : graph.start[8]]])[0])
    graph.target[place] = -1  # what the session kernel does when a person unfollows
    before[7] -= 1
    world.now += DAY
    network.rebuild()
    source, target = edges(network)
    now = np.bincount(source, minlength=2000)
    assert not gone[target].any() and len(np.unique(source * 300 + target)) == len(source)
    made = now - (before - lost)
    assert (made[lost == 0] == 0).all() and (made <= lost).all()
    assert made.sum() == pytest.approx(replace * lost.sum(), rel=0.05) and (made.sum() == 0) == (
        replace == 0
    )
    world.now += DAY
    network.rebuild()
    assert np.array_equal(now, np.bincount(edges(network)[0], minlength=2000))  # once
