"""Who follows whom: communities and the follow graph, built with networkx or read from an edge
list, kept current daily.

Kind ``communities`` is a degree-corrected planted partition (Karrer & Newman 2011): every follow
stays inside the person's community with probability `homophily`; within a block, networkx's
bipartite configuration model pairs out-degrees of people (lognormal) with in-degrees of creators,
proportional to a fitness

    ln f = body_sd * z   below the tail's quantile,   Pareto with P(f > x) ~ x^-(tail_exponent - 1)
                         above it.

Parallel edges are dropped and made up for by preferential attachment, which also wires everyone
beyond `core` people and all who arrive later. Such growth nearly keeps the shape of the in-degrees
(Price 1976). Fitness goes with the rate of posting and with skill.

People choose whom they follow by taste as well. For each follow they look at `choice` creators who
come by fame, and follow the one with the largest taste . niche (a cosine): so do those who are
wired by attachment, when they arrive and when they replace a follow. In the core each follow is
offered for exchange with `choice` - 1 others, and traded where that raises the sum of both cosines,
so in-degrees, out-degrees and the share inside communities stay what fitness and `homophily` made
them. Taste and niche are hidden columns: people know what they like and see what a creator posts
about; the platform has no part in it.

Kind ``edge_list`` reads a real graph (see `edge_list`): communities come from networkx's Louvain
method (label propagation where the graph is large), merged down to `communities`, so taste is
homophilous on it.

Once a day: follows made in sessions enter the CSR, people and creators who left drop out, newcomers
are wired. Whoever followed a creator who has quit follows another instead, found as a newcomer
finds one, with probability `replace`: people have about as much room for follows as they use, and
without it the graph thins out by the rate at which creators come and go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator
from scipy.special import ndtr, ndtri

from twin.ground.errors import StateError
from twin.ground.units import DAY
from twin.kernels import graph as kernel
from twin.kernels.follows import Follows
from twin.kernels.stats import gini
from twin.mechanisms.network.edge_list import communities, read_edges
from twin.world.columns import Column, lengthened, room_for, row_type
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Params, par
from twin.world.state import World

Ints = NDArray[np.integer[Any]]
FOLLOWER_EDGES = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000)


class NetworkParams(Params):
    """Parameters of the follow graph."""

    kind: Literal["communities", "edge_list"] = par(
        "communities", "a generated graph, or one read from `path`"
    )
    path: str = par(
        "", "edge list for kind edge_list: two ids a line, # comments, .gz allowed", path=True
    )
    directed: bool = par(False, "edge list: 'a b' means only that a follows b, not also b a")
    communities: int = par(6, "number of communities", unit="communities", low=1, high=1000)
    size_exponent: float = par(0.6, "sizes of communities fall as rank^-this", low=0, high=3)
    homophily: float = par(
        0.5,
        "chance that a follow stays inside the own community",
        low=0,
        high=1,
        source="searched, see body_log_sd",
    )
    follows_mean: float = par(
        30.0, "mean follows of a newcomer, before the cap", unit="follows", low=0, high=2000
    )
    follows_log_sd: float = par(
        1.0,
        "log-sd of follows across people",
        low=0,
        high=3,
        source="lognormal; KuaiRand has 1.39 among far more creators",
    )
    choice: int = par(
        4,
        "creators whom a person looks at for each follow, of whom the one that suits their taste "
        "best is followed (1: "
        "fame alone)",
        unit="creators",
        low=1,
        high=1000,
        source="assumption, between ties by fame alone (mean cosine 0.21) and follows that people "
        "make in sessions (0.49): "
        "the most that keeps KuaiRand's tail exponent at 20,000 people, too",
    )
    replace: float = par(
        1.0,
        "chance that a follow of a creator who has quit is replaced by another",
        low=0,
        high=1,
        source="assumption; people keep their number of ties as these turn over: Saramaki et al., "
        "PNAS 2014",
    )
    follows_most: float = par(
        0.1, "most follows of a newcomer, as a share of all creators", low=0, high=0.5
    )
    body_log_sd: float = par(
        3.2,
        "log-sd of creators' fitness below the tail",
        low=0,
        high=6,
        source="searched on 10,000 people and 2,000 creators for KuaiRand's follower Gini .90 and "
        "tail "
        "exponent 2.1; what people may not follow twice flattens the outcome",
    )
    tail_share: float = par(
        0.08,
        "share of creators in the Pareto tail of fitness",
        low=0,
        high=0.9,
        source="as body_log_sd",
    )
    tail_exponent: float = par(
        1.5, "density exponent of that tail", low=1.2, high=5, source="as body_log_sd"
    )
    rate_correlation: float = par(
        0.5, "correlation of fitness and posting rate (normal scores)", low=0, high=1
    )
    skill_correlation: float = par(
        0.5,
        "correlation of fitness and skill (normal scores)",
        low=0,
        high=1,
        source="assumption: success goes with quality, loosely (Salganik et al., Science 2006); "
        "followed "
        "creators then are 1.0 sd above the mean, those followed in sessions 1.2",
    )
    core: int = par(
        10_000,
        "people wired by networkx; the rest join them by preferential attachment",
        unit="consumers",
        low=1,
        high=200_000,
    )

    @model_validator(mode="after")
    def _is_possible(self) -> NetworkParams:
        if self.rate_correlation**2 + self.skill_correlation**2 > 1:
            raise ValueError(
                "fitness cannot go with rate and skill so closely; lower rate_correlation or "
                "skill_correlation until the "
                "sum of their squares is at most 1"
            )
        if self.kind == "edge_list" and not self.path:
            raise ValueError(
                "kind edge_list needs a file of edges; add --set network.path=FILE, or path: FILE "
                "below network"
            )
        return self


class Network(Mechanism[NetworkParams]):
    """Communities and follows."""

    name = "network"
    Params = NetworkParams
    order = 10
    provides = ("community_centres", "graph_nodes", "follow_graph", "reserve_follows")
    columns = {
        "consumers": (
            Column("community", "i2", "1", "Community of the person"),
            Column("wired", "?", "1", "True once the person has first follows"),
        ),
        "creators": (
            Column(
                "community",
                "i2",
                "1",
                "Community of the creator: the person's, or drawn by size for AI",
            ),
            Column("followers", "i4", "followers", "Followers, at the last rebuild of the graph"),
        ),
    }
    metrics = (
        Metric("follow_edges", "gauge", "follows", "Follows in the graph.", "platform", "Feed"),
        Metric(
            "follows_mean",
            "gauge",
            "follows",
            "Mean follows of active people.",
            "consumer",
            "What people do with it",
        ),
        Metric(
            "follower_gini",
            "gauge",
            "1",
            "Gini of followers across active creators.",
            "producer",
            "Followers and reputation: Concentration",
            good="down",
        ),
        Metric(
            "follower_tail_exponent",
            "gauge",
            "1",
            "Density exponent of followers: 1 + Hill estimate on the most followed twentieth of "
            "creators.",
            "producer",
            "Followers and reputation",
        ),
        Metric(
            "followers",
            "histogram",
            "creators",
            "Active creators by followers.",
            "producer",
            "Followers and reputation",
            edges=FOLLOWER_EDGES,
        ),
    )

    def __init__(self, params: Any, world: World) -> None:
        super().__init__(params, world)
        world.provide("community_centres", lambda: self.keep["centres"])
        world.provide("graph_nodes", lambda: int(self.keep["nodes"][0]))
        world.provide("follow_graph", self.follow_graph)
        world.provide("reserve_follows", self.reserve_follows)

    def setup(self) -> None:
        """Draw the communities' centres, and read the edge list if there is one."""
        p, keep = self.p, self.keep
        taste = (
            self.world.table("consumers").columns.get("taste")
            if "consumers" in self.world.tables
            else None
        )
        centres = self.normals(
            "centre", np.arange(p.communities, dtype=np.uint64), taste.shape[0] if taste else 16
        )
        keep["centres"] = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(
            np.float32
        )
        size = np.arange(1, p.communities + 1) ** -float(p.size_exponent)
        keep["nodes"], keep["pending_count"] = np.zeros(1, np.int64), np.zeros(1, np.int64)
        keep["start"], keep["target"] = np.zeros(1, np.int32), np.zeros(0, row_type(0))
        for name in ("pending_head", "pending_next", "pending_creator"):
            keep[name] = np.zeros(0, np.int32)
        if p.kind == "edge_list":
            nodes, edges = read_edges(Path(p.path), p.directed)
            keep["nodes"][0], keep["edges"] = nodes, edges.astype(np.int32)
            keep["node_community"] = communities(
                nodes, edges, p.communities, self.stream("louvain")
            ).astype(np.int16)
            size = np.bincount(keep["node_community"], minlength=p.communities).astype(float)
        keep["sizes"] = np.cumsum(size) / size.sum()

    def born(self, table: str, rows: Ints) -> None:
        """A newcomer's community: by size, or that of their node or person."""
        if table not in ("consumers", "creators"):
            return
        luck = self.uniforms(f"community.{table}", self.read(table, "key")[rows])[:, 0]
        community = np.searchsorted(self.keep["sizes"], luck, side="right")
        if table == "creators":
            person = self.read("creators", "person")[rows]
            home = self.read("consumers", "community")
            community = (
                np.where(person >= 0, home[np.maximum(person, 0)], community)
                if len(home)
                else community
            )
            if (
                "topic" in self.world.table("creators").columns
            ):  # confined to a community by whoever opened the row
                topic = self.read("creators", "topic")[rows]
                community = np.where(topic >= 0, topic, community)
        elif "node_community" in self.keep:
            node = rows < len(self.keep["node_community"])
            community[node] = self.keep["node_community"][rows[node]]
        self.mine(table, "community")[rows] = community

    def gone(self, table: str, rows: Ints) -> None:
        """Drop the follows of and to rows that are given back."""
        keep = self.keep
        if table == "consumers":
            for row in rows[rows < len(keep["start"]) - 1]:
                keep["target"][keep["start"][row] : keep["start"][row + 1]] = -1
            keep["pending_head"][rows[rows < len(keep["pending_head"])]] = -1
        elif table == "creators":
            dead = np.zeros(len(self.world.table("creators")) + 1, bool)  # one more: -1 stays -1
            dead[rows] = True
            for name in ("target", "pending_creator"):
                keep[name][dead[keep[name]]] = -1

    def follow_graph(self) -> Follows:
        """The graph as writable arrays for the session kernel (see `twin.kernels.graph`)."""
        keep = self.keep
        return Follows(
            keep["start"],
            keep["target"],
            keep["pending_head"],
            keep["pending_next"],
            keep["pending_creator"],
            keep["pending_count"],
        )

    def reserve_follows(self, count: int) -> None:
        """Grow the pending arrays so that ``count`` more follows fit, and every consumer has a
        chain."""
        keep = self.keep
        need, size = int(keep["pending_count"][0]) + count, len(self.world.table("consumers"))
        if len(keep["pending_next"]) < need:
            for name in ("pending_next", "pending_creator"):
                keep[name] = lengthened(keep[name], room_for(need), -1)
        keep["pending_head"] = lengthened(keep["pending_head"], size, -1)

    def clocks(self) -> list[Every]:
        """The graph is built at the start and rebuilt every day."""
        return [Every(DAY, "graph", self.rebuild, first=0)]

    def rebuild(self) -> None:
        """Merge what happened since the last rebuild, wire newcomers, count followers and
        follows."""
        keep, size = self.keep, len(self.world.table("consumers"))
        here, posting = self.read("consumers", "active"), self.read("creators", "active")
        start, target, lost = self._merged(here, posting)
        wired = self.mine("consumers", "wired")
        new = np.flatnonzero(here & ~wired)
        if self.world.now == 0:
            source, creator = (
                self._imported()
                if self.p.kind == "edge_list"
                else self._generated(new[: self.p.core])
            )
            start, target = kernel.csr(size, source, creator.astype(target.dtype))
            start = start.astype(edge_type(len(target)))
        if self.world.now > 0 or self.p.kind == "communities":
            start, target = self._wire(*self._wanting(new, lost, start), start, target)
        wired[new] = True
        keep["start"], keep["target"] = start, target
        keep["pending_head"] = np.full(size, -1, np.int32)
        keep["pending_count"] = np.zeros(1, np.int64)
        keep["pending_next"], keep["pending_creator"] = np.zeros(0, np.int32), np.zeros(0, np.int32)
        self.mine("creators", "followers")[:] = np.bincount(target, minlength=len(posting))

    def _merged(
        self, here: NDArray[np.bool_], posting: NDArray[np.bool_]
    ) -> tuple[Ints, Ints, Ints]:
        """The CSR of old and pending follows of those who are still active, and how many each
        person (C,) lost to creators who quit."""
        graph = self.follow_graph()
        most = len(graph.target) + int(graph.pending_count[0])
        start, target = (
            np.zeros(len(here) + 1, edge_type(most)),
            np.empty(most, row_type(len(posting))),
        )
        lost = np.zeros(len(here), np.int32)
        count = kernel.merge(graph, here, posting, start, target, lost)
        return start, target if count == most else target[:count].copy(), lost

    def _wanting(self, new: Ints, lost: Ints, start: Ints) -> tuple[Ints, Ints]:
        """Rows that want follows, rising, and how many in all each: newcomers, and people who
        ``lost`` some and replace them (in the mean a share, the fraction by luck)."""
        want = np.zeros(len(lost), np.int64)
        want[new] = self._want(new)
        again = np.flatnonzero((lost > 0) & self.mine("consumers", "wired"))
        if len(again):
            luck = self.uniforms(
                "replace", self.read("consumers", "key")[again], self.world.now // DAY
            )[:, 0]
            replaced = np.floor(self.p.replace * lost[again] + luck).astype(np.int64)
            want[again] = np.where(replaced > 0, np.diff(start)[again] + replaced, 0)
        rows = np.flatnonzero(want)
        return rows, want[rows]

    def _want(self, rows: Ints) -> Ints:
        """First follows of newcomers, int64 (rows,)."""
        p = self.p
        log = np.log(max(p.follows_mean, 1e-9)) - p.follows_log_sd**2 / 2
        log = log + p.follows_log_sd * self.normal(
            "follows", self.read("consumers", "key")[rows], 0
        )
        most = round(p.follows_most * self.read("creators", "active").sum())
        whole: Ints = np.minimum(np.rint(np.exp(log)), most).astype(np.int64)
        return whole

    def _wire(self, rows: Ints, want: Ints, start: Ints, target: Ints) -> tuple[Ints, Ints]:
        """Bring ``rows``, which rise, up to ``want`` follows each by preferential attachment."""
        active, community = self.read("creators", "active"), self.read("creators", "community")
        creators = np.flatnonzero(active)
        creators = creators[np.argsort(community[creators], kind="stable")]
        followers = np.bincount(target, minlength=len(active))[creators]
        cumulative = np.concatenate([[0.0], np.cumsum(followers + 1.0)])
        first = np.searchsorted(community[creators], np.arange(self.p.communities + 1))
        count, found = kernel.wire(
            self.stream("wire"),
            self.world.now // DAY,
            rows,
            self.read("consumers", "key"),
            want,
            self.p.homophily,
            self.read("consumers", "community"),
            self.read("creators", "person"),
            start,
            target,
            creators,
            first,
            cumulative,
            self._liking(),
        )
        most = len(target) + len(found)
        grown, wider = np.zeros(len(start), edge_type(most)), np.empty(most, target.dtype)
        kernel.extend(start, target, rows, count, found, grown, wider)
        return grown, wider

    def _liking(self) -> kernel.Liking:
        """What people choose by, if they have a taste and creators a niche: people know the former
        and see the latter in what a creator posts. Both are hidden from the platform, which has no
        part in this."""
        tables = self.world.tables
        if "taste" in tables["consumers"].columns and "niche" in tables["creators"].columns:
            return kernel.Liking(
                self.read("consumers", "taste"), self.read("creators", "niche"), self.p.choice
            )
        return kernel.Liking(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32), 1)

    def _fitness(self, creators: Ints) -> NDArray[np.float64]:
        """Fitness of creators: lognormal body, Pareto tail; correlated with posting rate and skill
        within humans and AI."""
        p = self.p
        score = self.normals("fitness", self.read("creators", "key")[creators], 1)[:, 0]
        goes_with = {
            name: share
            for name, share in (("rate", p.rate_correlation), ("skill", p.skill_correlation))
            if share and name in self.world.table("creators").columns
        }
        if goes_with:
            score *= np.sqrt(max(1.0 - sum(share**2 for share in goes_with.values()), 0.0))
            for name, share in goes_with.items():
                value, ai = (
                    self.read("creators", name)[creators],
                    self.read("creators", "ai")[creators],
                )
                for kind in (False, True):
                    who = np.flatnonzero(ai == kind)
                    rank = np.empty(len(who))
                    rank[np.argsort(value[who], kind="stable")] = np.arange(len(who)) + 0.5
                    score[who] += share * ndtri(rank / max(len(who), 1))
        knee = ndtri(1 - p.tail_share)
        tail = np.where(score > knee, ndtr(-score) / max(p.tail_share, 1e-12), 1.0) ** (
            -1 / (p.tail_exponent - 1)
        )
        fitness: NDArray[np.float64] = np.exp(p.body_log_sd * np.minimum(score, knee)) * tail
        return fitness

    def _generated(self, core: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """Edges (consumer, creator) of the core, sorted, from one bipartite configuration model per
        block."""
        p = self.p
        creators = np.flatnonzero(self.read("creators", "active"))
        fitness = self._fitness(creators)
        home, niche = (
            self.read("consumers", "community")[core],
            self.read("creators", "community")[creators],
        )
        want = self._want(core)
        luck = self.uniforms("inside", self.read("consumers", "key")[core])[:, 0]
        seeds = self.uniforms("generator", np.arange(2 * p.communities, dtype=np.uint64))[:, 0]
        found = []
        for c in range(p.communities):
            people = np.flatnonzero(home == c)
            for inside in (True, False):
                makers = np.flatnonzero((niche == c) == inside)
                most = len(makers) // 2
                own = np.minimum(
                    np.floor(p.homophily * want[people] + luck[people]).astype(np.int64),
                    int((niche == c).sum()) // 2,
                )
                out = np.minimum(own if inside else want[people] - own, most)
                if out.sum() == 0:
                    continue
                into = apportion(fitness[makers], int(out.sum()), 0.95 * len(people))
                graph = nx.bipartite.configuration_model(
                    out.tolist(),
                    into.tolist(),
                    create_using=nx.Graph(),
                    seed=int(seeds[2 * c + inside] * 2**31),
                )
                pairs = np.array(graph.edges(), np.int64).reshape(-1, 2)
                pairs.sort(axis=1)
                found.append(
                    np.stack(
                        [core[people[pairs[:, 0]]], creators[makers[pairs[:, 1] - len(people)]]],
                        axis=1,
                    )
                )
        edges = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
        edges = edges[self.read("creators", "person")[edges[:, 1]] != edges[:, 0]]
        edges = self._chosen(edges[np.lexsort((edges[:, 1], edges[:, 0]))])
        return edges[:, 0], edges[:, 1].astype(np.int32)

    def _chosen(self, edges: Ints) -> Ints:
        """Sorted edges with followed creators traded by taste; people's and creators' numbers of
        ties stay as they are."""
        liking, people = self._liking(), self.read("consumers", "community")
        if liking.choice == 1 or not len(edges):
            return edges
        start, target = kernel.csr(len(people), edges[:, 0].copy(), edges[:, 1].copy())
        kernel.exchange(
            self.stream("exchange"),
            self.read("consumers", "key"),
            edges[:, 0].copy(),
            start,
            target,
            people,
            self.read("creators", "community"),
            self.read("creators", "person"),
            liking,
        )
        traded = np.stack([edges[:, 0], target], axis=1)
        return traded[np.lexsort((target, edges[:, 0]))]

    def _imported(self) -> tuple[Ints, NDArray[np.int32]]:
        """Edges (consumer, creator) of the edge list, sorted; its working arrays are let go."""
        nodes, edges = int(self.keep["nodes"][0]), self.keep.pop("edges")
        del self.keep["node_community"]
        person = self.read("creators", "person")[:nodes]
        if (
            len(person) < nodes
            or (person != np.arange(nodes)).any()
            or len(self.world.table("consumers")) < nodes
        ):
            raise StateError(
                "an imported graph needs consumer i and creator i to be the same person for every "
                "node"
            )
        return edges[:, 0].astype(np.int64), np.ascontiguousarray(edges[:, 1])

    def measure(self) -> None:
        """Shape of the graph at the last rebuild."""
        board, here = self.world.board, self.read("consumers", "active")
        followers = self.read("creators", "followers")[self.read("creators", "active")].astype(
            float
        )
        start = self.keep["start"]
        follows = np.diff(start, append=np.full(len(here) + 1 - len(start), start[-1]))
        board.set("follow_edges", int(follows.sum()))
        board.set("follows_mean", float(follows[here].mean()) if here.any() else 0.0)
        board.set("follower_gini", gini(followers))
        board.set("follower_tail_exponent", tail_exponent(followers))
        bins = np.searchsorted(FOLLOWER_EDGES, followers, side="right") - 1
        board.set_all("followers", np.bincount(bins, minlength=len(FOLLOWER_EDGES)).astype(float))


def edge_type(edges: int) -> np.dtype[Any]:
    """The narrowest type of places in an array of so many edges."""
    return np.dtype(np.int32 if edges < 2**31 else np.int64)


def tail_exponent(values: NDArray[np.float64], share: float = 0.05) -> float:
    """Density exponent alpha of a tail: 1 + Hill estimate over the top ``share`` (at least 10); 0
    where there is no tail.

    Hill: the inverse of the mean of ln(x_i / x_k) over the k largest values.
    """
    top = np.sort(values[values > 0])[::-1]
    k = max(10, round(share * len(values)))
    if len(top) <= k or top[0] == top[k]:
        return 0.0
    return 1.0 + 1.0 / float(np.log(top[:k] / top[k]).mean())


def apportion(weight: NDArray[np.float64], total: int, most: float) -> Ints:
    """Whole shares of ``total`` proportional to ``weight``, none much above ``most`` (unless all
    must be)."""
    most = max(most, total / len(weight) * 1.0001)
    low, high = 0.0, total / float(weight.min())
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.minimum(most, middle * weight).sum() < total else (low, middle)
        )
    steps = np.rint(np.cumsum(np.minimum(most, high * weight))).astype(np.int64)
    steps[-1] = total
    shares: Ints = np.diff(np.minimum(steps, total), prepend=0)
    return shares
