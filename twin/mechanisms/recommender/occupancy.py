"""What sharing rows costs, by entity: who shares, how much traffic falls on shared rows, and whose
gradient moves them.

Three views of one table, which differ under heavy-tailed traffic (FINDINGS F5): collisions fall on
IDs whatever their popularity; a head that collides puts much traffic at risk; but an ID's own
vector is corrupted by others' gradients where the ID is rare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from twin.mechanisms.recommender.slots import by_decile
from twin.mechanisms.recommender.tables import Arrays, EmbeddingTable
from twin.world.board import Board
from twin.world.metric import Metric

ENTITIES = ("consumer", "post", "creator")
RANKED = ("consumer", "post")
DECILES = tuple(map(str, range(1, 11)))
BY = {"entity": ENTITIES}

METRICS = (
    Metric(
        "table_rows",
        "gauge",
        "rows",
        "Embedding rows in use.",
        "platform",
        "Embedding tables",
        labels=BY,
    ),
    Metric(
        "table_ids",
        "gauge",
        "ids",
        "Distinct living IDs that want a row.",
        "platform",
        "Embedding tables",
        labels=BY,
    ),
    Metric(
        "table_bytes",
        "gauge",
        "bytes",
        "Memory of embedding tables, those of a generation that warms up included.",
        "platform",
        "Embedding tables",
        labels=BY,
    ),
    Metric(
        "table_occupancy",
        "gauge",
        "1",
        "Rows in use over rows held.",
        "platform",
        "Embedding tables",
        labels=BY,
    ),
    Metric(
        "table_sharing",
        "gauge",
        "1",
        "Share of living IDs that share their row with another.",
        "platform",
        "Embedding tables",
        labels=BY,
        good="down",
    ),
    Metric(
        "table_collision",
        "gauge",
        "1",
        "1 - distinct / n: living IDs less distinct rows (pairs of rows), per ID.",
        "platform",
        "Embedding tables",
        labels=BY,
        good="down",
    ),
    Metric(
        "table_shared_traffic",
        "gauge",
        "1",
        "Share of the last training's impressions whose ID shares a row with another of them.",
        "platform",
        "Embedding tables",
        labels=BY,
        good="down",
    ),
    Metric(
        "table_foreign_gradient",
        "gauge",
        "1",
        "Mean share of the gradient updates on an ID's rows in the last training that other "
        "IDs made, by decile of the ID's own traffic (10: the most).",
        "platform",
        "Foreign gradient",
        labels={"entity": RANKED, "decile": DECILES},
        good="down",
    ),
    Metric(
        "table_admitted",
        "counter",
        "rows",
        "Rows given to IDs since the start (a full retrain gives them again).",
        "platform",
        "Embedding tables: Rows given and taken back",
        labels=BY,
    ),
    Metric(
        "table_expired",
        "counter",
        "rows",
        "Rows taken back from IDs not seen for long, since the start.",
        "platform",
        "Embedding tables: Rows given and taken back",
        labels=BY,
    ),
)


class Occupancy:
    """The last training's traffic on shared rows, in ``keep``."""

    def __init__(self, keep: Arrays) -> None:
        self.keep = keep

    def setup(self) -> None:
        """Nothing was trained yet."""
        self.keep["shared.traffic"] = np.zeros(len(ENTITIES))
        self.keep["shared.foreign"] = np.zeros((len(RANKED), len(DECILES)))

    def note(
        self,
        entity: str,
        table: EmbeddingTable,
        keys: NDArray[np.uint64],
        traffic: NDArray[np.int64],
    ) -> None:
        """Reckon the traffic of the distinct IDs of a training."""
        # Of the training, so that traffic is what moved the rows; other figures are of living IDs
        keys, weight = np.ascontiguousarray(keys), traffic.astype(float)
        self.keep["shared.traffic"][ENTITIES.index(entity)] = table.traffic(keys, weight)
        if entity in RANKED:
            self.keep["shared.foreign"][RANKED.index(entity)] = by_decile(
                table.foreign(keys, weight), weight
            )

    def measure(
        self,
        board: Board,
        generations: Sequence[Mapping[str, EmbeddingTable]],
        living: Mapping[str, NDArray[np.uint64]],
    ) -> None:
        """Write METRICS, of the tables that serve (bytes: of all generations); ``living`` are the
        IDs of the entities that live now."""
        for entity in ENTITIES:
            # The first generation is the one that serves
            table, keys = generations[0][entity], living[entity]
            stats = table.stats()
            size = sum(tables[entity].stats()["bytes"] for tables in generations)
            values = {
                "rows": stats["rows"],
                "ids": len(keys),
                "bytes": size,
                "occupancy": stats["load"],
                "sharing": table.sharing(keys),
                "collision": table.collided(keys),
                "admitted": int(table.turnover[0]),
                "expired": int(table.turnover[1]),
            }
            for name, value in values.items():
                board.set(f"table_{name}", value, entity=entity)
        board.set_all("table_shared_traffic", self.keep["shared.traffic"])
        board.set_all("table_foreign_gradient", self.keep["shared.foreign"].ravel())
