"""Settings that look like plain engineering, and by what step an audit turns each.

A step is a factor (``x0.25``), a value, or a value by what the world holds (``ids/2``: half as many
rows as IDs are alive at the fork, at the next power of two below). Most are levers and are turned
at the fork; what is fixed for a run is turned from its start. What a step cannot do in a scenario
(no such mechanism, out of range, already there) is left out, with the reason. The steps are round numbers
that teams do choose between, not equal in any other sense: read the force of a step, not of a
parameter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twin.ground.errors import UsageError, nearest


@dataclass(frozen=True)
class Step:
    """One turn: a name for maps, what it sets, and whether it holds from the start (``fixed``) or
    from the fork."""

    name: str
    set: Mapping[str, str | float | int | bool]
    fixed: bool = False


def _table(entity: str) -> tuple[Step, ...]:
    table = f"recommender.tables.{entity}"
    return (
        Step(
            f"{entity} table: hash, half the IDs",
            {f"{table}.kind": "hash", f"{table}.slots": "ids/2"},
        ),
        Step(
            f"{entity} table: hash, an eighth", {f"{table}.kind": "hash", f"{table}.slots": "ids/8"}
        ),
        Step(
            f"{entity} table: quotient-remainder",
            {f"{table}.kind": "quotient_remainder", f"{table}.slots": "ids/2"},
        ),
    )


STEPS = (
    # size: of the vectors, and of the tables that hold them
    Step("dimension / 4", {"recommender.dim": "x0.25"}),
    Step("dimension x 4", {"recommender.dim": "x4"}),
    *_table("post"),
    *_table("consumer"),
    *_table("creator"),
    # age of the served model
    Step("retrain / 4 as often", {"recommender.retrain_every": "x4"}),
    Step("retrain / 28 as often", {"recommender.retrain_every": "x28"}),
    Step("sync / 4 as often", {"recommender.sync_every": "x4"}),
    # how it is trained
    Step("learning rate / 4", {"recommender.learning_rate": "x0.25"}),
    Step("learning rate x 4", {"recommender.learning_rate": "x4"}),
    Step("dense rate / 4", {"recommender.dense_rate": "x0.25"}),
    Step("dense rate x 4", {"recommender.dense_rate": "x4"}),
    Step("regularisation x 100", {"recommender.regularisation": "x100"}),
    Step("negatives: 2", {"recommender.negatives": 2}),
    # where candidates come from
    Step("probes / 4", {"recommender.probes": "x0.25"}),
    Step("quota: nothing followed", {"recommender.quota.in_network": 0}),
    Step("quota: nothing near", {"recommender.quota.nearest": 0}),
    Step("quota: trending 45", {"recommender.quota.trending": 45}),
    Step("quota: no trending", {"recommender.quota.trending": 0}),
    Step("quota: co-viewed 15", {"recommender.quota.co_viewed": 15}),
    Step("exploration: none", {"recommender.explore_slots": 0, "recommender.quota.explore": 0}),
    # how a slate is made of them
    Step("slate / 2", {"recommender.slate": "x0.5"}),
    Step("slate x 2", {"recommender.slate": "x2"}),
    Step("author cap 1", {"recommender.author_cap": 1}),
    Step("out of network x 4/3", {"recommender.out_of_network": 1.0}),
    Step("diversity 0.5", {"recommender.diversity": 0.5}),
    # what a slate is to please, and whom
    Step("weights: X 2023", {"recommender.preset": "x_2023"}),
    Step("weights: likes", {"recommender.preset": "likes"}),
    Step("personalisation 0", {"recommender.personalisation": 0.0}),
    Step("personalisation 0.5", {"recommender.personalisation": 0.5}),
    Step(
        "reward model per person",
        {"recommender.reward.weight": 0.5, "recommender.reward.personalisation": 1.0},
    ),
    Step(
        "reward model pooled",
        {"recommender.reward.weight": 0.5, "recommender.reward.personalisation": 0.0},
    ),
    # fixed for a run: no policy can turn these
    Step("refresh x 3", {"recommender.refresh": "x3"}, fixed=True),
    Step("expiry / 2", {"recommender.expiry": "x0.5"}, fixed=True),
    Step("expiry x 2", {"recommender.expiry": "x2"}, fixed=True),
)

OUTCOMES: dict[str, tuple[tuple[str, str, int], ...]] = {
    "producer": (
        ("creator_income", "by=human", 1),
        ("creator_morale", "", 1),
        ("creator_exits", "by=human", -1),
        ("reach_per_post", "by=human", 1),
        ("creator_human_share", "", 1),
        ("small_creator_share", "", 1),
        ("exposure_gini", "", -1),
        ("niche_income", "", 1),
    ),
    "consumer": (
        ("enjoyed_per_session", "", 1),
        ("satisfaction_mean", "", 1),
        ("regret_share", "", -1),
        ("sessions", "", 1),
        ("consumers_left", "", -1),
        ("shown_quality", "", 1),
        ("stance_within_entropy", "", 1),
        ("opinion_polarisation", "", -1),
    ),
}
"""What counts as good for each side: metric, labels, direction. A side's score is the mean of its
oriented effects, each in standard deviations from run to run of the world as it is; equal weights
are a choice, and the table shows every part."""


def chosen(names: Sequence[str]) -> list[Step]:
    """Steps that one of the texts names: the one of exactly that name, else all whose name contains
    it; every step if there is no text. Raises UsageError."""
    every = [step.name for step in STEPS]
    wanted: set[str] = set()
    for text in names:
        found = [name for name in every if text == name] or [name for name in every if text in name]
        if not found:
            raise UsageError(f"--step {text}: no step is called so ({nearest(text, every)})")
        wanted.update(found)
    return [step for step in STEPS if not names or step.name in wanted]
