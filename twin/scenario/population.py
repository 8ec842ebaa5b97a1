"""The population that a scenario takes from files: tables of people and of creators, and the graph
between them; read and checked against each other before a run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.mechanisms.network.graph_files import Graph, read_graph
from twin.scenario.model import Scenario
from twin.world.given import Given, check_communities, overfull, persons_of
from twin.world.given_reading import read_table
from twin.world.params import leaves, meta, value_at


@dataclass(frozen=True)
class Population:
    """What the files of a scenario hold; None where it has none. ``said``: what was read, a line
    each."""

    people: Given | None
    makers: Given | None
    graph: Graph | None
    said: tuple[str, ...]

    @property
    def count(self) -> int:
        """People, 0 where no file says how many."""
        if self.people is not None:
            return self.people.rows
        return self.graph.nodes if self.graph else 0

    @property
    def creators(self) -> int:
        """Human creators, 0 where no file says how many."""
        if self.makers is not None:
            return self.makers.rows
        return self.graph.nodes if self.graph else 0


def population(scenario: Scenario) -> Population:
    """The population in a scenario's files. Raises ScenarioError with file and row."""
    people, makers = (_table(scenario, *each) for each in TABLES)
    network: Any = scenario.mechanisms.get("network")
    said = [each.said for each in (people, makers) if each]
    graph = None
    if people is not None and hasattr(network, "communities"):
        check_communities(people, network.communities)
    if getattr(network, "kind", "") == "edge_list":
        graph = read_graph(Path(network.path), network.directed, network.least_weight, people)
        said.append(f"graph {graph.said}")
    found = Population(people, makers, graph, tuple(said))
    if makers is None:
        return found
    rows = persons_of(makers, people, graph=graph is not None)
    audience: Any = scenario.mechanisms.get("audience")
    there = found.count or getattr(audience, "initial", makers.rows)
    if makers.rows > there:
        raise overfull(makers, there)
    if graph is None or rows is None:
        return found
    # who posts nothing cannot be followed
    left = int((~np.isin(graph.edges[:, 1], rows)).sum())
    words = f"{len(graph.edges) - left:,} follows of creators"
    words += f"; left out: {left:,} ties to people who are no creators" if left else ""
    return Population(people, makers, graph, (*said, words))


TABLES = (("audience", "people"), ("creators", "creators"))
"""Mechanisms that take a table, and its kind."""


def _table(scenario: Scenario, mechanism: str, kind: str) -> Given | None:
    path = getattr(scenario.mechanisms.get(mechanism), "from", "")
    return read_table(path, kind) if path else None


def digests(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of every file that a parameter names, by the parameter's path."""
    return {
        f"{name}.{path}": hashlib.sha256(Path(file).read_bytes()).hexdigest()
        for name, params in scenario.mechanisms.items()
        for path, info in leaves(type(params))
        if meta(info)["path"] and (file := value_at(params, path))
    }
