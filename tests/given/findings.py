"""Readings of findings that nobody simulated: the right shapes, and numbers by the rule that a test
gives. For what judges and reports do with readings, whatever these are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings import above, worlds
from twin.experiments.findings.catalogue import KEYS, finding
from twin.experiments.findings.f1.graphs import REWIRED, Decay
from twin.experiments.findings.f3.pairs import Found
from twin.experiments.findings.f4.studies import Counts
from twin.experiments.findings.kit.arms import Study
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.declare import Examined, Part
from twin.experiments.findings.kit.readings import Readings, called
from twin.experiments.findings.kit.verdicts import controls_of
from twin.scenario.loading import load
from twin.world.metric import label_text

Floats = NDArray[np.float64]
Shape = Callable[[Mapping[str, Any]], tuple[int, ...]]
SHAPES: dict[str, Shape] = {
    "f1.graphs:decay": lambda args: (len(Decay._fields),),
    "f1.graphs:rewired": lambda args: (len(REWIRED), args["graphs"]),
    "f1.graphs:alone": lambda args: (1,),
    "f1.seeding:votes": lambda args: (args["replicates"], 3),
    "f2.equations:known": lambda args: (2, 3),
    "f2.equations:learned": lambda args: (2, 2),
    "f3.pairs:coefficients": lambda args: (args["replicates"], len(Found._fields)),
    "f4.studies:counts": lambda args: (len(Counts._fields),),
    "f4.studies:movies": lambda args: (len(args["dims"]), args["count"], 4),
    "f4.studies:patched": lambda args: (len(args["dims"]), args["count"], 4),
    "f4.studies:synthetic": lambda args: (len(args["dims"]), args["count"], 2),
    "f5.studies:table_1": lambda args: (2, 3),
    "f5.studies:loads": lambda args: (2, 6),
    "f5.studies:damage": lambda args: (args["orders"], 16),
    "f5.studies:sync": lambda args: (args["streams"], 4, 2),
    "f7.studies:geometric": lambda args: (2, args["sessions"]),
    "f7.studies:settled": lambda args: (3,),
    "f7.studies:failing": lambda args: (2, args["sessions"]),
}
"""Of what a study returns, by its call."""


@functools.cache
def _series(sets: tuple[str, ...]) -> dict[tuple[str, str], int]:
    """Places of all series of a scenario, which depend on the mechanisms that are on."""
    scenario = load("scenarios/base.yaml", sets)
    return {
        (metric.name, label_text(labels)): place
        for place, (metric, labels) in enumerate(scenario.series())
    }


@dataclass(frozen=True)
class Noise:
    """Every reading is ``level`` + ``spread`` z, with z of a fixed seed; below zero never."""

    seed: int = 1
    level: float = 1.0
    spread: float = 0.1

    def array(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Readings of this shape."""
        return np.maximum(self.level + self.spread * rng.normal(size=shape), 1e-3)


def readings(part: Part, quick: bool = True, noise: Noise = Noise()) -> Readings:
    """Of all arms and studies of a part."""
    size, rng = part.size(quick), np.random.default_rng(noise.seed)
    seen = Readings(part.arms, quick, size.days, size.replicates)
    for arm in part.arms:
        # Settings that turn mechanisms on or off decide which series there are.
        switches = tuple(each for each in worlds.settings(part, arm, quick) if ".enabled=" in each)
        seen.rows[called(arm)] = _series(switches)
        shape = size.replicates, len(part.windows), len(seen.rows[called(arm)])
        values = noise.array(rng, shape)
        # Fewer responses than impressions, as everywhere.
        rare = [
            place
            for (name, _), place in seen.rows[called(arm)].items()
            if name in ("responses", "click_rate_holdout")
        ]
        values[:, :, rare] *= 0.1
        seen.worlds[called(arm)] = values
    for study in part.studies(quick):
        seen.studies[study.name] = noise.array(rng, shape_of(study))
    return seen


def shape_of(study: Study) -> tuple[int, ...]:
    """The shape of what a study returns."""
    return SHAPES[study.call](study.args)


def examined(quick: bool = True, noise: Noise = Noise()) -> list[Examined]:
    """Every part of F1 to F7 with readings."""
    return [
        Examined(key, part, readings(part, quick, noise))
        for key in KEYS[:-1]
        for part in finding(key).parts
    ]


def claims(parts: Sequence[Examined]) -> list[Claim]:
    """Of parts with readings, each with the key of its part."""
    return [replace(claim, part=part.key) for _, part, seen in parts for claim in part.judge(seen)]


def decides() -> str:
    """The table of docs/explanation/findings.md: what decides each finding, as its judges declare
    it."""
    parts = examined()
    made = [
        "| finding | primary claim | expected | matters from | its controls |",
        "|---|---|---|---|---|",
    ]
    for key in KEYS:
        own = [each for each in parts if each.finding == key]
        every = claims(own) if own else above.judge(parts)
        for claim in every:
            if claim.primary:
                way = "above zero" if claim.sign > 0 else "below zero"
                controls = "; ".join(each.says for each in controls_of(claim, every)) or "none"
                size = f"{claim.matters.size:g} ({claim.matters.why})"
                made.append(f"| {key} | {claim.says} | {way} | {size} | {controls} |")
    return "\n".join(made)
