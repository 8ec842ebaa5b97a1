"""Generations of the model: what it takes to change the embedding dimension or a table's kind or
size while people are served.

The settings of a model are in its arrays' shapes, so they cannot move under it. When a lever asks
for others, the next training starts a new generation beside the one that serves: empty tables,
trained on the same log from there on. After ``warm_up`` the new one takes over (cut-over): served
vectors are copied from it, and the old arrays are dropped. A further change replaces the generation
that warms up; a return to what serves drops it. The settings of each generation are kept with its
arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.mechanisms.recommender.occupancy import ENTITIES
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.signals import SideInformation
from twin.mechanisms.recommender.slots import KINDS, TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Trainer
from twin.world.mechanism import Mechanism
from twin.world.state import Keep


class Size(NamedTuple):
    """Kind and slots of a table; 0 slots where it grows."""

    kind: str
    slots: int

    def __str__(self) -> str:
        return f"{self.kind} {self.slots}" if self.slots else self.kind


class Settings(NamedTuple):
    """What a generation is made to."""

    dim: int
    consumer: Size
    post: Size
    creator: Size
    knows: bool  # whether the model knows signals

    def kept(self) -> NDArray[np.int64]:
        """The settings as an array, for ``keep``."""
        # Kinds by their places in KINDS: a checkpoint keeps arrays of numbers
        sizes = [(KINDS.index(size.kind), size.slots) for size in self.sizes().values()]
        return np.array([self.dim, *np.ravel(sizes), self.knows], np.int64)

    @classmethod
    def read(cls, kept: NDArray[np.int64]) -> Settings:
        """The settings that `kept` made an array of."""
        dim, *sizes, knows = kept.tolist()
        tables = zip(ENTITIES, sizes[::2], sizes[1::2], strict=True)
        named = {entity: Size(kind=KINDS[kind], slots=slots) for entity, kind, slots in tables}
        return cls(dim=dim, **named, knows=bool(knows))

    def sizes(self) -> dict[str, Size]:
        """Tables by entity."""
        return {entity: getattr(self, entity) for entity in ENTITIES}

    def __str__(self) -> str:
        parts = ", ".join(f"{entity} {size}" for entity, size in self.sizes().items())
        return f"dim {self.dim}, {parts}, {'signals' if self.knows else 'no signals'}"


class Generations:
    """The generation that serves, over the mechanism's ``keep``, and the one that warms up, over
    ``next.*`` in it."""

    def __init__(self, mechanism: Mechanism[RecommenderParams], side: SideInformation) -> None:
        self.m, self.keep, self.p, self.side = mechanism, mechanism.keep, mechanism.p, side
        self.warm = Keep(mechanism.world, f"{mechanism.name}.next")

    def setup(self) -> None:
        """The first generation."""
        self.keep["settings"] = self._wanted().kept()
        self.begin(self.serving())

    def begin(self, trainer: Trainer) -> None:
        """An untrained model of a generation's settings."""
        trainer.setup(Settings.read(trainer.keep["settings"]).knows)

    @property
    def knowing(self) -> bool:
        """Whether any generation knows signals."""
        return any(
            Settings.read(keep["settings"]).knows
            for keep in (self.keep, self.warm)
            if "settings" in keep
        )

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
                # Without tables: only counts by row are touched, and rows of tables go by ID
                Trainer(keep, {}).born(entity, rows)

    @property
    def warming(self) -> bool:
        """Whether a generation is warming up."""
        return "settings" in self.warm

    @property
    def dim(self) -> int:
        """Embedding dimension of the generation that serves."""
        if "settings" in self.keep:
            return Settings.read(self.keep["settings"]).dim
        return int(self.m.lever("dim"))

    def _trainer(self, keep: Keep) -> Trainer:
        # Made at every call: nothing but ``keep`` and parameters says what a trainer is
        settings, tables = Settings.read(keep["settings"]), {}
        for entity, size in settings.sizes().items():
            p = getattr(self.p.tables, entity)
            spec = TableSpec(
                kind=size.kind,
                dim=settings.dim,
                size=size.slots,
                salt=p.salt,
                function=p.hash_function,
                operator=p.operator,
                id_range=p.id_range,
                init_scale=self.p.init_scale,
                admission=p.admission,
                rule=p.admission_rule,
                expire_after_s=p.expire_after,
            )
            tables[entity] = EmbeddingTable(keep, entity, spec)
        return Trainer(keep, tables, self.m.world.crew)

    def _wanted(self) -> Settings:
        """The settings that the levers ask for now."""

        def size(entity: str) -> Size:
            kind = str(self.m.lever(f"tables.{entity}.kind"))
            grows = kind == "collisionless"
            return Size(kind, 0 if grows else int(self.m.lever(f"tables.{entity}.slots")))

        return Settings(
            dim=int(self.m.lever("dim")),
            **{entity: size(entity) for entity in ENTITIES},
            knows=bool(self.side.wanted()),
        )

    def follow_levers(self) -> None:
        """Begin a generation where the levers ask for settings that none has; drop one that is not
        wanted any more."""
        wanted, serves = self._wanted(), Settings.read(self.keep["settings"])
        # Compared with what warms up, so that a generation under way is not begun again
        newest = Settings.read(self.warm["settings"]) if self.warming else serves
        if wanted == newest:
            return
        # Another wish replaces the generation that warms up, or drops it
        for name in list(self.warm):
            del self.warm[name]
        if wanted == serves:
            self.m.world.mark("migration", f"dropped: {newest} is not wanted any more")
            return
        self.warm["settings"] = wanted.kept()
        self.warm["begun"] = np.array([self.m.world.now], np.int64)
        # Until then nobody has read posts, and the new model would find zeros
        if wanted.knows and not serves.knows:
            self.side.wake()
        self.begin(self._trainer(self.warm))
        self.m.world.mark("migration", f"begun: {serves} -> {wanted}")

    def cut_over(self) -> bool:
        """Let the new generation take over if it has warmed up; the old one's arrays are dropped.
        Returns whether it did."""
        if (
            not self.warming
            or self.m.world.now - int(self.warm["begun"][0]) < self.p.migration_warm_up
        ):
            return False
        old = self.serving()
        # Counters of rows are of the whole run: those of both generations add up
        so_far = {entity: table.turnover for entity, table in old.tables.items()}
        # No part of a model
        del self.warm["begun"]
        names = list(self.warm)
        for name in self.keep:
            # All other arrays have the same names in the new one and are overwritten
            if name.startswith("table."):
                del self.keep[name]
        for name in names:
            self.keep[name] = self.warm[name]
            del self.warm[name]
        for entity, table in self.serving().tables.items():
            # On the arrays that have just moved: the tables are those of the new generation
            table.turnover[:] += so_far[entity]
        self.m.world.mark("migration", f"cut over: {Settings.read(self.keep['settings'])} serves")
        return True
