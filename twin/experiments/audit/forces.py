"""Forces: what one step of one setting does to creators and to consumers, and the tables that hold
them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from twin.experiments import effects
from twin.experiments.audit.engineering import OUTCOMES
from twin.experiments.audit.scoring import Score
from twin.experiments.experiment import Experiment

_ENDS = ("effect", "low", "high")
SCHEMA = pa.schema(
    [
        ("step", pa.string()),
        ("set", pa.string()),
        ("fixed", pa.bool_()),
        ("force", pa.float64()),
        *((f"{side}_{end}", pa.float64()) for side in OUTCOMES for end in _ENDS),
        ("n", pa.int64()),
        ("p", pa.float64()),
        ("q", pa.float64()),
        ("towards", pa.string()),
    ]
)


@dataclass(frozen=True)
class Force:
    """A step (what is ``set``; ``fixed`` from the start or from the fork) with what it does to both
    sides."""

    step: str
    set: str
    fixed: bool
    producer: Score
    consumer: Score
    n: int
    p: float
    q: float

    @property
    def size(self) -> float:
        """Length of the vector of both effects."""
        return float(np.hypot(self.producer.effect, self.consumer.effect))

    @property
    def sure(self) -> bool:
        """Whether it is distinguishable from noise, many steps considered."""
        return effects.established(self.q)

    @property
    def standing(self) -> str:
        """How sure it is, in the wording of all reports."""
        return effects.standing_of_test(self.q, self.p)

    @property
    def untouched(self) -> bool:
        """Whether no world differs, to the last bit."""
        return all(
            side.effect == side.low == side.high == 0 for side in (self.producer, self.consumer)
        )

    @property
    def towards(self) -> str:
        """Whom it favours, as far as q and its intervals show."""
        if not self.sure:
            return "nothing at all" if self.untouched else "not distinguishable from noise"
        return {
            (1, 1): "for both",
            (-1, -1): "against both",
            (1, -1): "for creators, against consumers",
            (-1, 1): "for consumers, against creators",
            (1, 0): "for creators",
            (-1, 0): "against creators",
            (0, 1): "for consumers",
            (0, -1): "against consumers",
        }.get((self.producer.sign, self.consumer.sign), "both together differ, neither side alone")


def as_row(force: Force) -> dict[str, Any]:
    """A row of ``results.parquet``, as `read_forces` reads it."""
    return {
        "step": force.step,
        "set": force.set,
        "fixed": force.fixed,
        "force": force.size,
        **{
            f"{side}_{key}": getattr(getattr(force, side), key)
            for side in OUTCOMES
            for key in _ENDS
        },
        "n": force.n,
        "p": force.p,
        "q": force.q,
        # derived, for readers of the table: `read_forces` reads neither this nor the force
        "towards": force.towards,
    }


def read_forces(experiment: Experiment) -> list[Force]:
    """The rows of ``results.parquet``."""
    made = []
    for row in experiment.store.read_table("results.parquet").to_pylist():
        sides = {side: Score(**{key: row[f"{side}_{key}"] for key in _ENDS}) for side in OUTCOMES}
        made.append(
            Force(
                row["step"], row["set"], row["fixed"], **sides, n=row["n"], p=row["p"], q=row["q"]
            )
        )
    return made
