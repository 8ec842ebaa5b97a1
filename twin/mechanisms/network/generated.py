"""The generated graph: fitness of creators, and one bipartite configuration model per block of
communities."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from twin.mechanisms.network.choosing import Choosing
from twin.mechanisms.network.params import NetworkParams
from twin.world.mechanism import Mechanism

Ints = NDArray[np.integer[Any]]


class Generated:
    """Draws the follows of the core of people."""

    def __init__(self, mechanism: Mechanism[NetworkParams], choosing: Choosing) -> None:
        self.m, self.p, self.choosing = mechanism, mechanism.p, choosing

    def fitness(self, creators: Ints) -> NDArray[np.float64]:
        """Fitness of creators: lognormal body, Pareto tail; correlated with posting rate and skill
        within humans and AI."""
        p = self.p
        score = self.m.normals("fitness", self.m.read("creators", "key")[creators], 1)[:, 0]
        goes_with = {
            name: share
            for name, share in (("rate", p.rate_correlation), ("skill", p.skill_correlation))
            if share and name in self.m.world.table("creators").columns
        }
        if goes_with:
            # The part that goes with neither; where the squares sum to 1, rounding may go below 0
            score *= np.sqrt(max(1.0 - sum(share**2 for share in goes_with.values()), 0.0))
            for name, share in goes_with.items():
                value, ai = (
                    self.m.read("creators", name)[creators],
                    self.m.read("creators", "ai")[creators],
                )
                # AI creators post at volume: common ranks would mostly tell AI from human
                for kind in (False, True):
                    who = np.flatnonzero(ai == kind)
                    # Normal scores: places in the order, as quantiles of a standard normal
                    rank = np.empty(len(who))
                    rank[np.argsort(value[who], kind="stable")] = np.arange(len(who)) + 0.5
                    score[who] += share * ndtri(rank / max(len(who), 1))
        # Body up to the knee; beyond it a Pareto factor, 1 at the knee, multiplies its value there
        knee = ndtri(1 - p.tail_share)
        tail = np.where(score > knee, ndtr(-score) / max(p.tail_share, 1e-12), 1.0) ** (
            -1 / (p.tail_exponent - 1)
        )
        fitness: NDArray[np.float64] = np.exp(p.body_log_sd * np.minimum(score, knee)) * tail
        return self._known(creators, fitness)

    def _known(self, creators: Ints, fitness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Fitness in proportion to followers where a table of the user's gives these; together as
        fit as drawn."""
        world = self.m.world
        if (
            not world.has_service("makers_given")
            or (given := world.service("makers_given")()) is None
        ):
            return fitness
        # half a follower, as a creator of none has a chance, too
        followers = np.maximum(given.known("followers", creators), 0.5)
        known = ~np.isnan(followers)
        made = fitness.copy()
        made[known] = followers[known] * (fitness[known].sum() / followers[known].sum())
        return made

    def generated(self, core: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """Edges (consumer, creator) of the core, sorted, from one bipartite configuration model per
        block."""
        p = self.p
        creators = np.flatnonzero(self.m.read("creators", "active"))
        fitness = self.fitness(creators)
        home, niche = (
            self.m.read("consumers", "community")[core],
            self.m.read("creators", "community")[creators],
        )
        want = self.choosing.want(core)
        # Luck for the fraction of follows that stay inside, seeds for networkx: one per block
        luck = self.m.uniforms("inside", self.m.read("consumers", "key")[core])[:, 0]
        seeds = self.m.uniforms("generator", np.arange(2 * p.communities, dtype=np.uint64))[:, 0]
        found = []
        for c in range(p.communities):
            people = np.flatnonzero(home == c)
            for inside in (True, False):
                makers = np.flatnonzero((niche == c) == inside)
                # At most half of a block: the nearer to all, the more edges repeat and are dropped
                most = len(makers) // 2
                # Whole follows, right in the mean; those that do not fit inside go outside
                own = np.minimum(
                    np.floor(p.homophily * want[people] + luck[people]).astype(np.int64),
                    int((niche == c).sum()) // 2,
                )
                out = np.minimum(own if inside else want[people] - own, most)
                if out.sum() == 0:
                    continue
                # In-degrees add up to out-degrees; nobody has more followers than there are people
                into = apportion(fitness[makers], int(out.sum()), 0.95 * len(people))
                # Into a simple graph, which drops parallel edges
                graph = nx.bipartite.configuration_model(
                    out.tolist(),
                    into.tolist(),
                    create_using=nx.Graph(),
                    seed=int(seeds[2 * c + inside] * 2**31),
                )
                pairs = np.array(graph.edges(), np.int64).reshape(-1, 2)
                # People have the lower numbers, so they come first in every pair
                pairs.sort(axis=1)
                found.append(
                    np.stack(
                        [core[people[pairs[:, 0]]], creators[makers[pairs[:, 1] - len(people)]]],
                        axis=1,
                    )
                )
        edges = np.concatenate(found) if found else np.zeros((0, 2), np.int64)
        # Nobody follows themselves
        edges = edges[self.m.read("creators", "person")[edges[:, 1]] != edges[:, 0]]
        # In the order of a CSR, which also makes edges independent of networkx's order
        edges = self.choosing.exchange(edges[np.lexsort((edges[:, 1], edges[:, 0]))])
        return edges[:, 0], edges[:, 1].astype(np.int32)


def apportion(weight: NDArray[np.float64], total: int, most: float) -> Ints:
    """Whole shares of ``total`` proportional to ``weight``, none much above ``most`` (unless all
    must be)."""
    # Where all together could not hold the total, the bound gives way
    most = max(most, total / len(weight) * 1.0001)
    low, high = 0.0, total / float(weight.min())
    # Bisection: the scale at which capped shares add up to the total
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.minimum(most, middle * weight).sum() < total else (low, middle)
        )
    # Running sums are rounded, not shares, so that these add up to the total
    steps = np.rint(np.cumsum(np.minimum(most, high * weight))).astype(np.int64)
    steps[-1] = total
    shares: Ints = np.diff(np.minimum(steps, total), prepend=0)
    return shares
