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

Kind ``edge_list`` reads a real graph from any common kind of file (see `graph_files`): communities
come from networkx's Louvain method (label propagation where the graph is large), merged down to
`communities`, so taste is homophilous on it. With a table of people (``audience.from``) its ids are
those of the table; with one of creators only these can be followed.

Once a day: follows made in sessions enter the CSR, people and creators who left drop out, newcomers
are wired. Whoever followed a creator who has quit follows another instead, found as a newcomer
finds one, with probability `replace`: people have about as much room for follows as they use, and
without it the graph thins out by the rate at which creators come and go.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import StateError
from twin.ground.units import DAY
from twin.kernels import graph as kernel
from twin.kernels.follows import Follows
from twin.kernels.stats import gini
from twin.mechanisms.network.choosing import Choosing, edge_type
from twin.mechanisms.network.communities import communities
from twin.mechanisms.network.declared import CONSUMERS, CREATORS, FOLLOWER_EDGES, METRICS
from twin.mechanisms.network.generated import Generated, apportion
from twin.mechanisms.network.graph_files import read_graph
from twin.mechanisms.network.params import NetworkParams
from twin.world.columns import lengthened, room_for, row_type
from twin.world.given import Given, check_communities
from twin.world.mechanism import Every, Mechanism
from twin.world.state import World

__all__ = ["Network", "NetworkParams", "apportion", "tail_exponent"]

Ints = NDArray[np.integer[Any]]


class Network(Mechanism[NetworkParams]):
    """Communities and follows."""

    name = "network"
    Params = NetworkParams
    order = 10
    reads = {
        "consumers": ("active", "taste"),
        "creators": ("active", "ai", "niche", "person", "rate", "skill", "topic"),
    }
    provides = ("community_centres", "graph_nodes", "follow_graph", "reserve_follows")
    gives = {
        "community_centres": "() -> f4 (communities, L): a unit vector of taste for each community",
        "graph_nodes": "() -> int: people that an imported graph has, 0 where none was imported",
        "follow_graph": "() -> twin.kernels.follows.Follows: who follows whom; sessions write to it",
        "reserve_follows": "(count) -> None: make room for so many more follows in that graph",
    }
    columns = {"consumers": CONSUMERS, "creators": CREATORS}
    metrics = METRICS

    def __init__(self, params: Any, world: World) -> None:
        super().__init__(params, world)
        self.choosing = Choosing(self)
        self.generated = Generated(self, self.choosing)
        # Looked up at each call: only set-up or a checkpoint fills ``keep``
        world.provide("community_centres", lambda: self.keep["centres"])
        world.provide("graph_nodes", lambda: int(self.keep["nodes"][0]))
        world.provide("follow_graph", self.follow_graph)
        world.provide("reserve_follows", self.reserve_follows)

    def setup(self) -> None:
        """Draw the communities' centres, and read the edge list if there is one."""
        p, keep = self.p, self.keep
        # A world without an audience has no taste; the centres then have its usual 16 dimensions
        taste = (
            self.world.table("consumers").columns.get("taste")
            if "consumers" in self.world.tables
            else None
        )
        # Communities have no keys of their own: their numbers serve
        centres = self.normals(
            "centre", np.arange(p.communities, dtype=np.uint64), taste.shape[0] if taste else 16
        )
        keep["centres"] = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(
            np.float32
        )
        # Sizes by rank, as a distribution function below, so that a uniform gives a community
        size = np.arange(1, p.communities + 1) ** -float(p.size_exponent)
        keep["nodes"], keep["pending_count"] = np.zeros(1, np.int64), np.zeros(1, np.int64)
        # An empty graph: valid before the first rebuild
        keep["start"], keep["target"] = np.zeros(1, np.int32), np.zeros(0, row_type(0))
        for name in ("pending_head", "pending_next", "pending_creator"):
            keep[name] = np.zeros(0, np.int32)
        if p.kind == "edge_list":
            graph = read_graph(Path(p.path), p.directed, p.least_weight, self._given("people"))
            nodes, edges = graph.nodes, graph.edges
            keep["nodes"][0], keep["edges"] = nodes, edges.astype(np.int32)
            keep["node_community"] = communities(
                nodes, edges, p.communities, self.stream("louvain")
            ).astype(np.int16)
            # Who joins an imported graph later is spread as its nodes are
            size = np.bincount(keep["node_community"], minlength=p.communities).astype(float)
        if (people := self._given("people")) is not None:
            check_communities(people, p.communities)
            if "community" in people.numbers:
                known = people.numbers["community"]
                known = known[~np.isnan(known)].astype(int)
                size = np.bincount(known, minlength=p.communities).astype(float)
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
                # Without a person (AI) the row is -1, which must not read the last consumer
                np.where(person >= 0, home[np.maximum(person, 0)], community)
                if len(home)
                else community
            )
            # Confined to a community by whoever opened the row
            if "topic" in self.world.table("creators").columns:
                topic = self.read("creators", "topic")[rows]
                community = np.where(topic >= 0, topic, community)
        # Only while the imported graph waits to be built: the first rebuild drops it
        elif "node_community" in self.keep:
            node = rows < len(self.keep["node_community"])
            community[node] = self.keep["node_community"][rows[node]]
        # rows of a user's table are those of the beginning; later a newcomer may have such a row
        people = self._given("people") if table == "consumers" and self.world.now == 0 else None
        if people is not None:
            known = people.known("community", rows)
            community = np.where(np.isnan(known), community, known)
        self.mine(table, "community")[rows] = community

    def _given(self, kind: str) -> Given | None:
        """The user's table of ``people`` or ``makers``, if a mechanism has one."""
        name = f"{kind}_given"
        found: Given | None = self.world.service(name)() if self.world.has_service(name) else None
        return found

    def gone(self, table: str, rows: Ints) -> None:
        """Drop the follows of and to rows that are given back."""
        keep = self.keep
        if table == "consumers":
            # Rows opened since the last rebuild are not in the CSR yet; the next merge skips -1
            for row in rows[rows < len(keep["start"]) - 1]:
                keep["target"][keep["start"][row] : keep["start"][row + 1]] = -1
            keep["pending_head"][rows[rows < len(keep["pending_head"])]] = -1
        elif table == "creators":
            # One more than rows: -1 reads the last, which is not dead, and stays -1
            dead = np.zeros(len(self.world.table("creators")) + 1, bool)
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
        # Kernels cannot grow arrays, so callers reserve the most that a window may add
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
        # Merged first: what is wired below starts from the follows that are left
        start, target, lost = self._merged(here, posting)
        wired = self.mine("consumers", "wired")
        new = np.flatnonzero(here & ~wired)
        # The graph of the beginning takes the place of the merged one, which is empty
        if self.world.now == 0:
            source, creator = (
                self._imported()
                if self.p.kind == "edge_list"
                else self.generated.generated(new[: self.p.core])
            )
            start, target = kernel.csr(size, source, creator.astype(target.dtype))
            start = start.astype(edge_type(len(target)))
        # At the start, an imported graph is complete: nobody is wired beyond it
        if self.world.now > 0 or self.p.kind == "communities":
            start, target = self.choosing.attach(
                *self.choosing.wanting(new, lost, start), start, target
            )
        wired[new] = True
        keep["start"], keep["target"] = start, target
        # The merge took the pending follows in
        keep["pending_head"] = np.full(size, -1, np.int32)
        keep["pending_count"] = np.zeros(1, np.int64)
        keep["pending_next"], keep["pending_creator"] = np.zeros(0, np.int32), np.zeros(0, np.int32)
        # After a merge no -1 is left in ``target``, which bincount would refuse
        self.mine("creators", "followers")[:] = np.bincount(target, minlength=len(posting))

    def _merged(
        self, here: NDArray[np.bool_], posting: NDArray[np.bool_]
    ) -> tuple[Ints, Ints, Ints]:
        """The CSR of old and pending follows of those who are still active, and how many each
        person (C,) lost to creators who quit."""
        graph = self.follow_graph()
        # An upper bound, since a kernel fills the arrays; the rest is cut off
        most = len(graph.target) + int(graph.pending_count[0])
        start, target = (
            np.zeros(len(here) + 1, edge_type(most)),
            np.empty(most, row_type(len(posting))),
        )
        lost = np.zeros(len(here), np.int32)
        count = kernel.merge(graph, here, posting, start, target, lost)
        # A copy, since a view would keep the whole array in memory
        return start, target if count == most else target[:count].copy(), lost

    def _imported(self) -> tuple[Ints, NDArray[np.int32]]:
        """Edges (consumer, creator) of the edge list, sorted; its working arrays are let go."""
        nodes, edges = int(self.keep["nodes"][0]), self.keep.pop("edges")
        del self.keep["node_community"]
        if self._given("makers") is not None:
            return self._between(edges)
        person = self.read("creators", "person")[:nodes]
        # Node i must be consumer i and creator i: edges are row numbers of both tables
        if (
            len(person) < nodes
            or (person != np.arange(nodes)).any()
            or len(self.world.table("consumers")) < nodes
        ):
            raise StateError(
                "an imported graph needs consumer i and creator i to be the same person for every "
                "node"
            )
        # In one piece: the column becomes ``target`` as it is
        return edges[:, 0].astype(np.int64), np.ascontiguousarray(edges[:, 1])

    def _between(self, edges: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """Edges (consumer, creator) of ties between people, of whom some are creators; nobody can
        follow the others."""
        person = self.read("creators", "person")
        creator = np.full(len(self.world.table("consumers")), -1, np.int32)
        creator[person[person >= 0]] = np.flatnonzero(person >= 0)
        source, target = edges[:, 0].astype(np.int64), creator[edges[:, 1]]
        source, target = source[target >= 0], target[target >= 0]
        order = np.lexsort((target, source))
        return source[order], target[order]

    def measure(self) -> None:
        """Shape of the graph at the last rebuild."""
        board, here = self.world.board, self.read("consumers", "active")
        followers = self.read("creators", "followers")[self.read("creators", "active")].astype(
            float
        )
        start = self.keep["start"]
        # People who came since the last rebuild follow nobody in it
        follows = np.diff(start, append=np.full(len(here) + 1 - len(start), start[-1]))
        board.set("follow_edges", int(follows.sum()))
        board.set("follows_mean", float(follows[here].mean()) if here.any() else 0.0)
        board.set("follower_gini", gini(followers))
        board.set("follower_tail_exponent", tail_exponent(followers))
        bins = np.searchsorted(FOLLOWER_EDGES, followers, side="right") - 1
        board.set_all("followers", np.bincount(bins, minlength=len(FOLLOWER_EDGES)).astype(float))


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
