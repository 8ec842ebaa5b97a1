"""Parameters of the follow graph."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from twin.world.params import Params, par


class NetworkParams(Params):
    """Parameters of the follow graph."""

    # Where the graph comes from, and its communities
    kind: Literal["communities", "edge_list"] = par(
        "communities", "a generated graph, or one read from `path`"
    )
    path: str = par(
        "",
        "graph for kind edge_list: two ids a line as text (any separator, header, comments), "
        "Parquet, GraphML, GEXF, Pajek or GML; also .gz, .bz2, .xz, .zip",
        path=True,
        under=".kind=edge_list",
    )
    least_weight: float | None = par(
        None,
        "edge list: ties whose third column is below this are left out; not given: further columns "
        "are not used",
        under=".kind=edge_list",
    )
    directed: bool = par(
        False,
        "edge list: 'a b' means only that a follows b, not also b a",
        under=".kind=edge_list",
    )
    communities: int = par(6, "number of communities", unit="communities", low=1, high=1000)
    size_exponent: float = par(0.6, "sizes of communities fall as rank^-this", low=0, high=3)
    homophily: float = par(
        0.5,
        "chance that a follow stays inside the own community",
        low=0,
        high=1,
        source="searched, see body_log_sd",
    )
    # How many follows people have, and how they choose them
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
    # Fitness of creators: how unequal their followers are, and what fitness goes with
    body_log_sd: float = par(
        3.2,
        "log-sd of creators' fitness below the tail",
        low=0,
        high=6,
        source="searched on 10,000 people and 2,000 creators for KuaiRand's follower Gini 0.90 and "
        "tail exponent 2.1; the outcome is flatter because nobody follows a creator twice",
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
        # Else the part of fitness that goes with neither would have a negative variance
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
