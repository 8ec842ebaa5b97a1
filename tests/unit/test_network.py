"""The follow graph: what it must look like, what it must keep, what it must let go."""

import datetime as dt
import gzip
from pathlib import Path

import numpy as np
import pytest

from twin.board import Board
from twin.columns import Column
from twin.draws import children
from twin.errors import ScenarioError
from twin.kernels import graph as kernel
from twin.mechanisms.network import Network, NetworkParams, apportion, tail_exponent
from twin.mechanisms.network.edge_list import communities, read_edges
from twin.units import DAY
from twin.world import World


def make(consumers=1000, creators=200, seed=1, ai=0, **params):
    """A world of people and creators (creator i is person i, the last ``ai`` are AI) with its graph built."""
    world = World(dt.date(2025, 1, 1), seed, 0, Board(Network.metrics))
    for table, columns in Network.columns.items():
        for column in columns:
            world.define("network", table, column)
    world.define("audience", "consumers", Column("active", "?", "1", "Here"))
    for name, dtype, start in (("active", "?", 0), ("ai", "?", 0), ("person", "i4", -1), ("rate", "f4", 0)):
        world.define("creators", "creators", Column(name, dtype, "1", "Test", start))
    network = Network(NetworkParams(**params), world)
    world.on_add(network.born)
    world.on_release(network.gone)
    network.setup()
    nodes = world.service("graph_nodes")()
    arrive(world, nodes or consumers, 0)
    count = nodes or creators
    person = np.where(np.arange(count) < count - ai, np.arange(count), -1)
    keys = children(np.full(count, np.uint64(17)), np.arange(count))
    world.add("creators", "creators", keys, person=person, active=np.ones(count, bool), ai=person < 0,
              rate=np.exp(world.draws.normals("rate", keys, 1)[:, 0]))
    network.rebuild()
    return world, network


def arrive(world, count, first):
    """New active people; their rows."""
    keys = children(np.full(count, np.uint64(16)), np.arange(first, first + count))
    return world.add("audience", "consumers", keys, active=np.ones(count, bool))


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
    """10,000 people and 2,000 creators: follower Gini .90 +- .05, tail exponent 2.1 +- .25, mean follows near 30."""
    for seed in (1, 2):
        world, network = make(10_000, 2_000, seed)
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
        inside = world.table("consumers")["community"][row] == world.table("creators")["community"][creator]
        assert low <= inside.mean() <= high


def test_growth_keeps_the_shape():
    """People beyond the core are wired by preferential attachment, which nearly keeps the inequality of followers."""
    gini = []
    for core in (4000, 2000):
        world, network = make(4000, 1000, core=core)
        network.measure()
        gini.append(world.board.get("follower_gini"))
    assert abs(gini[0] - gini[1]) < 0.05


def test_posting_and_followers_go_together():
    """Creators who post more have more followers, and with correlation 0 they do not."""
    def correlation(value):
        world, _ = make(3000, 1000, rate_correlation=value)
        table = world.table("creators")
        return np.corrcoef(np.argsort(np.argsort(table["rate"])), np.argsort(np.argsort(table["followers"])))[0, 1]
    assert correlation(0.8) > 0.5
    assert abs(correlation(0.0)) < 0.15


def test_same_seed_same_graph():
    """The graph is a function of the seed."""
    first, again, other = (make(500, 100, seed)[1].follow_graph().target for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_pending_follows_and_unfollows():
    """A day's follows enter the CSR, tombstones and those who left drop out, newcomers are wired."""
    world, network = make(300, 100)
    graph = network.follow_graph()
    stranger = next(c for c in range(100) if c not in graph.target[graph.start[5]:graph.start[6]])
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
    assert (graph.target[graph.start[4]:graph.start[5]] == -1).all() and graph.pending_head[4] == -1
    assert popular not in graph.target and popular not in graph.pending_creator[:graph.pending_count[0]]


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
    """One person and no creator, or few of both, make an empty or small graph and finite metrics."""
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
    """The estimate finds the density exponent of an exact Pareto sample, and says 0 where there is no tail."""
    values = (1 - (np.arange(20_000) + 0.5) / 20_000) ** (-1 / 1.1)
    assert abs(tail_exponent(values) - 2.1) < 0.03
    assert tail_exponent(np.ones(500)) == 0.0
    assert tail_exponent(np.zeros(0)) == 0.0


def test_edge_list_is_read(tmp_path):
    """Comments, blanks, commas, repeats, loops, sparse ids and gzip."""
    path = tmp_path / "graph.txt.gz"
    path.write_bytes(gzip.compress(b"# a graph\n7 900\r\n\n900\t30 # again\n30,7\n7 7\n7 900"))
    nodes, pairs = read_edges(path, directed=True)
    assert nodes == 3 and pairs.tolist() == [[0, 2], [1, 0], [2, 1]]
    assert len(read_edges(path, directed=False)[1]) == 6


@pytest.mark.parametrize(("text", "line"), [
    (b"1 2\n3\n", 2), (b"1 2\n3 4 5\n", 2), (b"1 2\n\na b\n", 3), (b"-1 2\n", 1), (b"1 2\n1 99999999999999999999\n", 2),
    (b"# only\n", 0), (b"", 0), (b"5 5\n", 0)])
def test_edge_list_errors_say_where(tmp_path, text, line):
    """A broken edge list is refused with its line."""
    path = tmp_path / "bad.txt"
    path.write_bytes(text)
    with pytest.raises(ScenarioError) as error:
        read_edges(path, directed=False)
    assert error.value.problems[0].line == line


def test_unreadable_edge_lists(tmp_path):
    """A missing file, a folder and a torn gzip are the user's errors, too."""
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(b"1 2\n" * 1000)[:30])
    for path in (tmp_path / "missing", tmp_path, torn):
        with pytest.raises(ScenarioError):
            read_edges(path, directed=False)


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
    assert {(i, (i + 1) % 60) for i in range(60)} <= set(zip(row.tolist(), creator.tolist(), strict=True))
    home = world.table("consumers")["community"]
    assert (home[row] == home[creator]).mean() > 0.8 and home.max() < 4
    rows = arrive(world, 5, 60)
    world.now = DAY
    network.rebuild()
    assert len(edges(network)[0]) > 120 and (edges(network)[0][120:] >= rows[0]).all()


def test_ego_facebook(real_data: Path):
    """The real graph: 4,039 people, 176,468 follows (both ways), taste communities along its own."""
    world, network = make(kind="edge_list", path=str(real_data / "ego-facebook.txt.gz"))
    row, creator = edges(network)
    home = world.table("consumers")["community"]
    assert len(world.table("consumers")) == 4039 and len(row) == 176_468
    assert np.bincount(creator).max() == 1045
    assert (home[row] == home[creator]).mean() > 0.8 and len(np.unique(home)) == network.p.communities


@pytest.mark.parametrize("replace", [0.0, 0.5, 1.0])
def test_lost_follows_are_replaced(replace):
    """A fifth of creators quit: the given share of what their followers lost is made up for, by nobody else, with creators still there; 1
    keeps everybody's number. A creator who was left by hand is not replaced."""
    world, network = make(2000, 300, replace=replace)
    source, target = edges(network)
    before = np.bincount(source, minlength=2000)
    gone = np.arange(300) % 5 == 0
    world.table("creators")["active"][gone] = False
    lost = np.bincount(source[gone[target]], minlength=2000)
    graph = network.follow_graph()
    first = int(graph.start[7])
    assert not gone[graph.target[first:graph.start[8]]].all()
    place = first + int(np.flatnonzero(~gone[graph.target[first:graph.start[8]]])[0])
    graph.target[place] = -1  # what the session kernel does when a person unfollows
    before[7] -= 1
    world.now += DAY
    network.rebuild()
    source, target = edges(network)
    now = np.bincount(source, minlength=2000)
    assert not gone[target].any() and len(np.unique(source * 300 + target)) == len(source)
    made = now - (before - lost)
    assert (made[lost == 0] == 0).all() and (made <= lost).all()
    assert made.sum() == pytest.approx(replace * lost.sum(), rel=0.05) and (made.sum() == 0) == (replace == 0)
    world.now += DAY
    network.rebuild()
    assert np.array_equal(now, np.bincount(edges(network)[0], minlength=2000))  # once
