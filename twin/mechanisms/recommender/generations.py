"""Generations of the model: what it takes to change the embedding dimension or a table's kind or
size while people are served.

The settings of a model are in its arrays' shapes, so they cannot move under it. When a lever asks
for others, the next training begins a new generation beside the one that serves: empty tables,
trained on the same log from there on. After ``warm_up`` the new one takes over (cut-over): served
vectors are copied from it, and the old arrays are dropped. A further change replaces the generation
that warms up; a return to what serves drops it. The settings of each generation are kept with its
arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.mechanisms.recommender.occupancy import ENTITIES
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.signals import SideInformation
from twin.mechanisms.recommender.tables import KINDS, EmbeddingTable, TableSpec
from twin.mechanisms.recommender.training import Trainer
from twin.world.mechanism import Mechanism
from twin.world.state import Keep

Settings = NDArray[np.int64]
"""dim, then kind and slots of each entity's table (0 slots where the table grows), then whether the
model knows signals."""


class Generations:
    """The generation that serves, over the mechanism's ``keep``, and the one that warms up, over
    ``next.*`` in it."""

    def __init__(self, mechanism: Mechanism[RecommenderParams], side: SideInformation) -> None:
        self.m, self.keep, self.p, self.side = mechanism, mechanism.keep, mechanism.p, side
        self.warm = Keep(mechanism.world, f"{mechanism.name}.next")

    def setup(self) -> None:
        """The first generation."""
        self.keep["settings"] = self._wanted()
        self.begin(self.serving())

    def begin(self, trainer: Trainer) -> None:
        """An untrained model of a generation's settings."""
        trainer.setup(bool(trainer.keep["settings"][-1]))

    @property
    def knowing(self) -> bool:
        """Whether any generation knows signals."""
        return any(keep["settings"][-1] for keep in (self.keep, self.warm) if "settings" in keep)

    def serving(self) -> Trainer:
        """The generation that serves."""
        return self._trainer(self.keep)

    def all(self) -> list[Trainer]:
        """The one that serves, and the one that warms up if there is one; none before `setup`."""
        return [self._trainer(keep) for keep in (self.keep, self.warm) if "settings" in keep]

    def born(self, entity: str, rows: NDArray[np.int64]) -> None:
        """Rows of the World get another ID, in every generation."""
        for keep in (self.keep, self.warm):
            if "settings" in keep:
                Trainer(keep, {}).born(entity, rows)

    @property
    def warming(self) -> bool:
        """Whether a generation is warming up."""
        return "settings" in self.warm

    @property
    def dim(self) -> int:
        """Embedding dimension of the generation that serves."""
        return int(self.keep["settings"][0] if "settings" in self.keep else self.m.lever("dim"))

    def _trainer(self, keep: Keep) -> Trainer:
        dim, tables = int(keep["settings"][0]), {}
        for place, entity in enumerate(ENTITIES):
            kind, slots = keep["settings"][1 + 2 * place : 3 + 2 * place].tolist()
            p = getattr(self.p.tables, entity)
            spec = TableSpec(
                KINDS[kind],
                dim,
                slots,
                p.salt,
                p.hash_function,
                p.operator,
                p.id_range,
                self.p.init_scale,
                p.admission,
                p.admission_rule,
                p.expire_after,
            )
            tables[entity] = EmbeddingTable(keep, entity, spec)
        return Trainer(keep, tables, self.m.world.crew)

    def _wanted(self) -> Settings:
        """The settings that the levers ask for now."""
        found = [int(self.m.lever("dim"))]
        for entity in ENTITIES:
            kind = str(self.m.lever(f"tables.{entity}.kind"))
            found += [
                KINDS.index(kind),
                0 if kind == "collisionless" else int(self.m.lever(f"tables.{entity}.slots")),
            ]
        found.append(int(self.side.wanted()))
        return np.array(found, np.int64)

    def follow_levers(self) -> None:
        """Begin a generation where the levers ask for settings that none has; drop one that nobody
        asks for any more."""
        wanted = self._wanted()
        newest = self.warm["settings"] if self.warming else self.keep["settings"]
        if np.array_equal(wanted, newest):
            return
        for name in list(self.warm):
            del self.warm[name]
        if np.array_equal(wanted, self.keep["settings"]):
            self.m.world.mark("migration", f"dropped: {_text(newest)} is not wanted any more")
            return
        self.warm["settings"], self.warm["begun"] = wanted, np.array([self.m.world.now], np.int64)
        if wanted[-1] and not self.keep["settings"][-1]:
            self.side.wake()
        self.begin(self._trainer(self.warm))
        self.m.world.mark("migration", f"begun: {_text(self.keep['settings'])} -> {_text(wanted)}")

    def cut_over(self) -> bool:
        """Let the new generation take over if it has warmed up; the old one's arrays go. Tells
        whether it did."""
        if (
            not self.warming
            or self.m.world.now - int(self.warm["begun"][0]) < self.p.migration_warm_up
        ):
            return False
        old = self.serving()
        so_far = {entity: table.turnover for entity, table in old.tables.items()}
        del self.warm["begun"]
        names = list(self.warm)
        for name in self.keep:
            if name.startswith("table."):
                del self.keep[name]
        for name in names:
            self.keep[name] = self.warm[name]
            del self.warm[name]
        for entity, table in self.serving().tables.items():
            table.turnover[:] += so_far[entity]
        self.m.world.mark("migration", f"cut over: {_text(self.keep['settings'])} serves")
        return True


def _text(settings: Settings) -> str:
    dim, *tables, knows = settings.tolist()
    parts = [
        f"{entity} {KINDS[kind]}" + (f" {slots}" if slots else "")
        for entity, kind, slots in zip(ENTITIES, tables[::2], tables[1::2], strict=True)
    ]
    return f"dim {dim}, {', '.join(parts)}, {'signals' if knows else 'no signals'}"
