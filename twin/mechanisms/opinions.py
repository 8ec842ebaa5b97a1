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
anchors`` does so everywhere).

Exposure, daily: with m the mean pull of the n posts examined since the last day (slant - x within
the tolerance, minus repulsion times that beyond it; summed in the session kernel) and lambda = 1 -
stubbornness,

    x <- x + lambda (1 - (1 - exposure_rate)^n) m      cut to -1..1

then one step of the chosen model on the follow graph: see `twin.kernels.opinion`.

Polarisation is the index of Esteban & Ray (Econometrica 1994) over 20 bins with shares p and
midpoints y, scaled so that
two equal camps in the outermost bins have 1 and one camp has 0:  c sum_ij p_i^(1+a) p_j |y_i - y_j|, a = 1.6.

Bimodality is Sarle's coefficient (SAS/STAT; Pfister et al., Frontiers in Psychology 4:700, 2013) in
its population form,

    b = (skewness^2 + 1) / kurtosis       1/3 for a normal law, 5/9 for a uniform one, 1 (the most)
                                          for two points

and clusters are counted as in studies of bounded confidence: a gap of more than GAP separates two
of them, and only those with SHARE of the people or more count.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import opinion as kernel
from twin.world.columns import Column
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Params, par

Floats = NDArray[np.float64]
BINS = 20
GAP, SHARE = 0.02, 0.02
"""What separates two clusters of opinion (1 % of the axis), and the least share of people in one
that counts."""
WITHIN, SWEEPS = 1e-9, 10_000
"""How near to rest opinions start, and the most sweeps on the way there: some 100 are needed unless
somebody is open to the full."""
EDGES = tuple(round(-1 + 2 * k / BINS, 1) for k in range(BINS))


class OpinionsParams(Params):
    """Parameters of opinions."""

    model: Literal["friedkin_johnsen", "degroot", "deffuant", "hegselmann_krause", "none"] = par(
        "friedkin_johnsen",
        "how those whom one follows move one's opinion",
        source="DeGroot 1974; Friedkin & Johnsen 1990; Deffuant et al. 2000; Hegselmann & Krause "
        "2002",
    )
    start: Literal["rest", "anchors"] = par(
        "rest",
        "where opinions start: where peers would hold them (friedkin_johnsen only), or at their "
        "anchors",
        source="fixed point of Friedkin & Johnsen 1990",
    )
    lean: float = par(0.6, "size of communities' leanings, before tanh", low=0, high=5)
    spread: float = par(
        0.4, "sd of people around their community's leaning, before tanh", low=0, high=5
    )
    stubbornness_mean: float = par(
        0.4,
        "mean weight of the anchor",
        low=0,
        high=1,
        source="assumption; model of Friedkin & Johnsen 1990",
    )
    stubbornness_spread: float = par(
        0.3, "half-width of the uniform law around that mean (cut to 0..1)", low=0, high=1
    )
    peer_rate: float = par(
        0.03,
        "share of the way to the model's next opinion, per day (not used by deffuant)",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
    )
    tolerance: float = par(
        0.8,
        "largest gap that attracts",
        low=0,
        high=2,
        lever=True,
        source="bounded confidence, Deffuant et al. 2000; their epsilon on 0..1 is half of this",
    )
    repulsion: float = par(
        0.0, "push by gaps beyond the tolerance, relative to pull", low=0, high=1, lever=True
    )
    exposure_rate: float = par(
        0.002, "share of the gap that one post closes", unit="1/post", low=0, high=1, lever=True
    )
    convergence: float = par(
        0.5,
        "deffuant: share of the gap that a meeting closes on each side",
        low=0,
        high=0.5,
        source="Deffuant et al. 2000",
    )


class Opinions(Mechanism[OpinionsParams]):
    """Opinions of people."""

    name = "opinions"
    Params = OpinionsParams
    order = 60
    needs = ("follow_graph",)
    columns = {
        "consumers": (
            Column("opinion", "f4", "1", "Opinion, -1..1", hidden=True),
            Column(
                "anchor",
                "f4",
                "1",
                "Opinion of one's own, to which a stubborn person holds",
                hidden=True,
            ),
            Column("stubbornness", "f4", "1", "Weight of the anchor, 0..1", hidden=True),
            Column("pull_seen", "f8", "1", "Sum of pulls already taken in", hidden=True),
            Column("posts_seen", "i4", "posts", "Posts already taken in", hidden=True),
        ),
    }
    metrics = (
        Metric(
            "opinion_mean",
            "gauge",
            "1",
            "Mean opinion of active people, -1..1.",
            "consumer",
            "What they think",
        ),
        Metric(
            "opinion_variance",
            "gauge",
            "1",
            "Variance of opinion across active people.",
            "consumer",
            "What they think: Variance of opinion",
            headline=True,
        ),
        Metric(
            "opinion_polarisation",
            "gauge",
            "1",
            "Esteban-Ray polarisation: 0 one camp, 1 two equal camps at the ends.",
            "consumer",
            "What they think",
            good="down",
        ),
        Metric(
            "opinion_bimodality",
            "gauge",
            "1",
            "Sarle's bimodality coefficient of opinion: 1/3 normal, 5/9 uniform, 1 two points.",
            "consumer",
            "What they think",
        ),
        Metric(
            "opinion_clusters",
            "gauge",
            "clusters",
            "Groups of opinion with 2 % of active people or more, parted by gaps above 0.02.",
            "consumer",
            "What they think",
        ),
        Metric(
            "between_community_variance",
            "gauge",
            "1",
            "Variance of the communities' mean opinions, weighted by people.",
            "consumer",
            "What they think: Variance of opinion",
        ),
        Metric(
            "opinion",
            "histogram",
            "consumers",
            "Active people by opinion.",
            "consumer",
            "What they think",
            edges=EDGES,
        ),
    )

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw a newcomer's opinion and stubbornness."""
        if table != "consumers":
            return
        p, keys, community = (
            self.p,
            self.read("consumers", "key")[rows],
            self.read("consumers", "community")[rows],
        )
        leaning = 2 * self.uniforms("leaning", community.astype(np.uint64))[:, 0] - 1
        start = np.tanh(p.lean * leaning + p.spread * self.normals("start", keys, 1)[:, 0])
        self.mine("consumers", "opinion")[rows] = start
        self.mine("consumers", "anchor")[rows] = start
        u = 2 * self.uniforms("stubbornness", keys)[:, 0] - 1
        self.mine("consumers", "stubbornness")[rows] = np.clip(
            p.stubbornness_mean + p.stubbornness_spread * u, 0, 1
        )

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
        new = np.flatnonzero(
            self.read("consumers", "active")
            & (self.read("consumers", "joined_at") >= self.world.now)
        )
        if not len(new) or float(self.lever("peer_rate")) == 0:
            return
        opinion, graph = self.mine("consumers", "opinion"), self.world.service("follow_graph")()
        x = opinion.astype(float)
        kernel.rest(
            x,
            self.read("consumers", "anchor").astype(float),
            1.0 - self.mine("consumers", "stubbornness").astype(float),
            new,
            WITHIN,
            SWEEPS,
            graph.start,
            graph.target,
            self.read("creators", "person"),
            self.read("creators", "slant"),
        )
        opinion[new] = x[new]

    def step(self) -> None:
        """Take in what was seen since yesterday, then hear those who are followed."""
        own, here = self.mine, self.read("consumers", "active")
        opinion, sum_seen = own("consumers", "opinion"), own("consumers", "pull_seen")
        posts_seen = own("consumers", "posts_seen")
        x, susceptibility = (
            opinion.astype(float),
            1.0 - own("consumers", "stubbornness").astype(float),
        )
        pulled, posts = self.read("consumers", "pull_sum"), self.read("consumers", "pull_count")
        new = (posts - posts_seen).astype(float)
        mean = (pulled - sum_seen) / np.maximum(new, 1)
        sum_seen[:], posts_seen[:] = pulled, posts
        x = kernel.exposure(x, susceptibility, float(self.lever("exposure_rate")), mean, new)
        moved = self._social(x, susceptibility, here)
        opinion[:] = np.where(here, np.clip(moved, -1, 1), opinion)

    def _social(self, x: Floats, susceptibility: Floats, here: NDArray[np.bool_]) -> Floats:
        """Opinions float64 (n,) after one day of the chosen model."""
        p, graph = self.p, self.world.service("follow_graph")()
        where = (
            graph.start,
            graph.target,
            self.read("creators", "person"),
            self.read("creators", "slant"),
        )
        rate, moved = float(self.lever("peer_rate")), x
        if p.model in ("friedkin_johnsen", "degroot"):
            anchor = self.read("consumers", "anchor").astype(float)
            openness = susceptibility if p.model == "friedkin_johnsen" else np.ones_like(x)
            moved = kernel.friedkin_johnsen(x, anchor, openness, rate, *where)
        elif p.model == "hegselmann_krause":
            moved = kernel.hegselmann_krause(
                x, susceptibility, rate, float(self.lever("tolerance")), *where
            )
        elif p.model == "deffuant":
            moved = kernel.deffuant(
                x,
                susceptibility,
                p.convergence,
                float(self.lever("tolerance")),
                self.stream("meeting"),
                self.read("consumers", "key"),
                self.world.now // DAY,
                here,
                *where,
            )
        return moved

    def measure(self) -> None:
        """Describe the opinions of active people."""
        board, here = self.world.board, self.read("consumers", "active")
        x = self.mine("consumers", "opinion")[here].astype(float)
        counts = np.bincount(
            np.clip(((x + 1) / 2 * BINS).astype(int), 0, BINS - 1), minlength=BINS
        ).astype(float)
        board.set_all("opinion", counts)
        board.set("opinion_mean", float(x.mean()) if len(x) else 0.0)
        board.set("opinion_variance", float(x.var()) if len(x) else 0.0)
        board.set("opinion_polarisation", polarisation(counts))
        board.set("opinion_bimodality", bimodality(x))
        board.set("opinion_clusters", clusters(x))
        community = self.read("consumers", "community")[here]
        size = np.maximum(np.bincount(community, minlength=1), 1e-12)
        mean = np.bincount(community, weights=x, minlength=1) / size
        board.set(
            "between_community_variance",
            float((size * (mean - x.mean()) ** 2).sum() / len(x)) if len(x) else 0.0,
        )


def polarisation(counts: Floats, alpha: float = 1.6) -> float:
    """Esteban-Ray index of a histogram over -1..1, 0..1 (see the module's equation)."""
    total = counts.sum()
    if total == 0:
        return 0.0
    share = counts / total
    middle = np.arange(len(counts)) / (len(counts) - 1)
    apart = np.abs(middle[:, None] - middle[None, :])
    return float((share[:, None] ** (1 + alpha) * share[None, :] * apart).sum() * 2 ** (1 + alpha))


def bimodality(x: Floats) -> float:
    """Sarle's bimodality coefficient, 0..1; 0 where all agree."""
    apart = x - x.mean() if len(x) else x
    square = apart**2
    variance = float(square.mean()) if len(x) else 0.0
    if variance < 1e-12:
        return 0.0
    skewness, kurtosis = (
        float((square * apart).mean()) / variance**1.5,
        float((square**2).mean()) / variance**2,
    )
    return float((skewness**2 + 1) / kurtosis)


def clusters(x: Floats) -> int:
    """Groups of at least SHARE of the people after cutting the sorted opinions at every gap above
    GAP."""
    if len(x) == 0:
        return 0
    ordered = np.sort(x)
    cuts = np.flatnonzero(np.diff(ordered) > GAP) + 1
    size = np.diff(np.concatenate([[0], cuts, [len(x)]]))
    return int((size >= SHARE * len(x)).sum())
