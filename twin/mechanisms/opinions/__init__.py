"""Opinions on one axis, -1..1: moved by the posts that people see and by those whom they follow.

Anchor: a = tanh(lean * L(community) + spread * z), L uniform on -1..1 per community, z normal.

Start (``start: rest``): people have lived among one another before they are looked at, so they
start where the model comes to rest under peers, not at their anchors, from which variance would
fall for weeks whatever the feed does. With W the follow graph just built and Lambda = 1 -
stubbornness,

    x* = (I - Lambda W)^-1 (I - Lambda) a       everybody at the start, AI voices held at their
                                                slant
    x_i = lambda_i (W x)_i + (1 - lambda_i) a_i   those who join later, all others held; solved
                                                  together where they follow each other

Posts move opinions too; that part settles in the run (or its warm-up). It holds for
Friedkin-Johnsen: DeGroot comes to rest in one opinion for all and bounded confidence in as many as
there are clusters, so there, and where peers have no rate, people start at their anchors (``start:
anchors`` does so everywhere). Opinions that a table gives (``audience.from``) are start and anchor.

Exposure, daily: with m the mean pull of the n posts examined since the last day (slant - x within
the tolerance, minus repulsion times that beyond it; summed in the session kernel) and lambda = 1 -
stubbornness,

    x <- x + lambda (1 - (1 - exposure_rate)^n) m      cut to -1..1

then one step of the chosen model on the follow graph: see `twin.kernels.opinion`. Under model
``none`` everybody is wholly stubborn, so that nothing moves an opinion.

How the distribution of opinions is measured: `measures`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import opinion as kernel
from twin.mechanisms.opinions.declared import CONSUMERS, METRICS
from twin.mechanisms.opinions.measures import (
    between,
    bimodality,
    clusters,
    histogram,
    polarisation,
)
from twin.mechanisms.opinions.params import OpinionsParams
from twin.world.mechanism import Every, Mechanism
from twin.world.state import World

__all__ = ["Opinions", "OpinionsParams", "bimodality", "clusters", "polarisation"]

Floats = NDArray[np.float64]
WITHIN, SWEEPS = 1e-9, 10_000
"""How near to rest opinions start, and the most sweeps on the way there: some 100 are needed unless
somebody is open to the full."""


class Opinions(Mechanism[OpinionsParams]):
    """Opinions of people."""

    name = "opinions"
    Params = OpinionsParams
    order = 60
    reads = {
        "consumers": ("active", "community", "joined_at", "pull_count", "pull_sum"),
        "creators": ("person", "slant"),
    }
    needs = ("follow_graph",)
    provides = ("consumers.opinion_extremity",)
    columns = {"consumers": CONSUMERS}
    metrics = METRICS

    def __init__(self, params: OpinionsParams, world: World) -> None:
        super().__init__(params, world)
        world.provide("consumers.opinion_extremity", self.extremity)

    def extremity(self) -> NDArray[np.float32]:
        """Distance of each person's opinion from the middle, f4 (C,)."""
        found: NDArray[np.float32] = np.abs(self.mine("consumers", "opinion"))
        return found

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw a newcomer's opinion and stubbornness."""
        if table != "consumers":
            return
        p, keys, community = (
            self.p,
            self.read("consumers", "key")[rows],
            self.read("consumers", "community")[rows],
        )
        # keyed by the community's number: one leaning for all its people, whenever they join
        leaning = 2 * self.uniforms("leaning", community.astype(np.uint64))[:, 0] - 1
        # tanh keeps opinions within -1..1
        start = np.tanh(p.lean * leaning + p.spread * self.normals("start", keys, 1)[:, 0])
        known = self._known(rows)
        start = np.where(np.isnan(known), start, known)
        self.mine("consumers", "opinion")[rows] = start
        self.mine("consumers", "anchor")[rows] = start
        u = 2 * self.uniforms("stubbornness", keys)[:, 0] - 1
        drawn = np.clip(p.stubbornness_mean + p.stubbornness_spread * u, 0, 1)
        # who is wholly stubborn is moved by nothing, which campaigns know too
        self.mine("consumers", "stubbornness")[rows] = 1.0 if p.model == "none" else drawn

    def _known(self, rows: NDArray[np.int64]) -> Floats:
        """Opinions that a table of the user's gives new people (n,), NaN where it gives none; who
        has one is kept, to start there."""
        service = self.world.has_service("people_given")
        # later a newcomer may have the row of somebody of the beginning
        given = self.world.service("people_given")() if service and self.world.now == 0 else None
        if given is None:
            return np.full(len(rows), np.nan)
        known: Floats = given.known("opinion", rows)
        if "opinion" in given.numbers:
            before = self.keep.get("held", np.zeros(0, np.int64))
            self.keep["held"] = np.concatenate([before, rows[~np.isnan(known)]])
        return known

    def clocks(self) -> list[Every]:
        """Opinions move once a day; whoever has been wired since yesterday comes to rest among
        those whom they follow."""
        rests = self.p.start == "rest" and self.p.model == "friedkin_johnsen"
        return [
            Every(DAY, "opinion", self.step),
            *([Every(DAY, "graph", self.settle, first=0)] if rests else []),
        ]

    def settle(self) -> None:
        """Let those who join today, at first everybody, start at rest; the graph of this instant is
        built (phase and order)."""
        # joined_at is the first session, in the day that begins; for all at the start it is 0
        new = np.flatnonzero(
            self.read("consumers", "active")
            & (self.read("consumers", "joined_at") >= self.world.now)
        )
        if "held" in self.keep:
            # what a table says is where they start, also those who join later
            held = self.keep["held"]
            new = np.setdiff1d(new, held)
            self.keep["held"] = held[self.read("consumers", "joined_at")[held] > self.world.now]
        if not len(new) or float(self.lever("peer_rate")) == 0:
            return
        opinion = self.mine("consumers", "opinion")
        # columns are f4, the kernel computes in f8: a copy, of which only newcomers are taken back
        x = opinion.astype(float)
        kernel.rest(
            x,
            self.read("consumers", "anchor").astype(float),
            1.0 - self.mine("consumers", "stubbornness").astype(float),
            new,
            WITHIN,
            SWEEPS,
            self.graph(),
        )
        opinion[new] = x[new]

    def step(self) -> None:
        """Take in what was seen since yesterday, then hear those who are followed."""
        own, here = self.mine, self.read("consumers", "active")
        # running sums of the session kernel at the last step: their growth is what a day showed
        opinion, sum_seen = own("consumers", "opinion"), own("consumers", "pull_seen")
        posts_seen = own("consumers", "posts_seen")
        x, susceptibility = (
            opinion.astype(float),
            1.0 - own("consumers", "stubbornness").astype(float),
        )
        pulled, posts = self.read("consumers", "pull_sum"), self.read("consumers", "pull_count")
        new = (posts - posts_seen).astype(float)
        # mean pull m of the n posts of the day, 0 of none
        mean = (pulled - sum_seen) / np.maximum(new, 1)
        # in place: both are views of columns
        sum_seen[:], posts_seen[:] = pulled, posts
        x = kernel.exposure(x, susceptibility, float(self.lever("exposure_rate")), mean, new)
        moved = self.hear(x, susceptibility, here)
        # whoever has left keeps the last opinion
        opinion[:] = np.where(here, np.clip(moved, -1, 1), opinion)

    def hear(self, x: Floats, susceptibility: Floats, here: NDArray[np.bool_]) -> Floats:
        """Opinions float64 (n,) after one day among those whom people follow, by the chosen model;
        for classes that derive from this one, which may have another."""
        p, graph, moved = self.p, self.graph(), x
        rate, tolerance = float(self.lever("peer_rate")), float(self.lever("tolerance"))
        if p.model in ("friedkin_johnsen", "degroot"):
            anchor = self.read("consumers", "anchor").astype(float)
            # lambda = 1 is DeGroot: the anchor has no weight
            openness = susceptibility if p.model == "friedkin_johnsen" else np.ones_like(x)
            moved = kernel.friedkin_johnsen(x, anchor, openness, rate, graph)
        elif p.model == "hegselmann_krause":
            moved = kernel.hegselmann_krause(x, susceptibility, rate, tolerance, graph)
        # pairs meet one after another, so luck is keyed by (person, day) and not by their order
        elif p.model == "deffuant":
            meetings = kernel.Meetings(
                stream=self.stream("meeting"),
                key=self.read("consumers", "key"),
                occasion=self.world.now // DAY,
                here=here,
            )
            moved = kernel.deffuant(x, susceptibility, p.convergence, tolerance, meetings, graph)
        return moved

    def graph(self) -> kernel.Graph:
        """Whom people follow now."""
        graph = self.world.service("follow_graph")()
        return kernel.Graph(
            start=graph.start,
            target=graph.target,
            person=self.read("creators", "person"),
            slant=self.read("creators", "slant"),
        )

    def measure(self) -> None:
        """Describe the opinions of active people."""
        board, here = self.world.board, self.read("consumers", "active")
        x = self.mine("consumers", "opinion")[here].astype(float)
        counts = histogram(x)
        board.set_all("opinion", counts)
        board.set("opinion_mean", float(x.mean()) if len(x) else 0.0)
        board.set("opinion_variance", float(x.var()) if len(x) else 0.0)
        board.set("opinion_polarisation", polarisation(counts))
        board.set("opinion_bimodality", bimodality(x))
        board.set("opinion_clusters", clusters(x))
        community = self.read("consumers", "community")[here]
        board.set("between_community_variance", between(x, community))
