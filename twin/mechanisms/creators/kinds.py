"""The two kinds of creators, human and AI: parameters of each, and what is looked up by kind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.world.params import Params, Rate, par

KINDS = ("human", "ai")
"""Names, in the order of rows of whatever is kept by kind."""


class Kind(Params):
    """One kind of creator."""

    initial: int = par(
        300,
        "creators of this kind at the start (with an imported graph: every node is a human one)",
        unit="creators",
        low=0,
        high=1_000_000,
    )
    arrivals: Rate | None = par(
        None,
        "new creators of this kind while recent entrants earn the outside option; not given: as "
        "many as quit at the start at neutral morale (balance.py)",
        unit="creators/d",
        low=0,
        high=1e5,
        lever=True,
        source="a stationary number of creators where nothing changes",
    )
    posts_mean: Rate = par(0.8, "mean posts per creator", unit="posts/creator/d", low=0, high=1000)
    posts_log_sd: float = par(
        2.1,
        "log-sd of that rate across creators",
        low=0,
        high=4,
        source="top 10 % write 80 %: Pew 2019, lognormal",
    )
    posts_most: Rate = par(
        20.0, "highest rate of a creator", unit="posts/creator/d", low=0.01, high=1000
    )
    skill_mean: float = par(0.0, "mean quality of posts", unit="sd", low=-5, high=5)
    skill_sd: float = par(0.6, "sd of skill across creators", unit="sd", low=0, high=5)
    quality_noise: float = par(0.7, "sd of quality within a creator", unit="sd", low=0, high=5)
    arousal: float = par(0.30, "arousal at the start", low=0, high=1)
    comprehensiveness: float = par(0.40, "comprehensiveness at the start", low=0, high=1)
    entry_imitation: float = par(
        0.8,
        "where a later entrant starts: share of the way from those two values to the mean of "
        "active creators of its kind and community",
        low=0,
        high=1,
    )
    exploration: float = par(
        0.10, "sd of a post's strategy around the creator's mean", low=0, high=1
    )
    learning: float = par(
        0.3,
        "learning rate of strategies, the mean over creators",
        low=0,
        high=10,
        lever=True,
        source="fitted by twin.experiments.fitting.makers to Brady et al. 2021: 2 to 3 % more "
        "outrage the day after "
        "doubled feedback (0.22 to 0.39); rule of Williams, Machine Learning 8, 1992",
    )
    learning_log_sd: float = par(
        1.5,
        "log-sd across creators of the factor on that rate (mean 1; 0: all alike)",
        low=0,
        high=3,
        source="assumption; most creators hardly respond to a boost, a minority strongly: "
        "Marketing Science 2023.0178 (abstract); at 1.5 three in five respond less than "
        "half the mean, and a tenth account for three fifths of the response",
    )
    trend_following: float = par(
        0.0,
        "share of the gap to trending content that the niche closes per day",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
    )
    accrual: float = par(
        1.0,
        "reputation gained per like",
        low=0,
        high=100,
        lever=True,
        source="no speaker's reputation from AI posts: essay behind finding 6",
    )
    cost_post: float = par(
        0.0, "effort of any post, in the unit of log pay", unit="log pay", low=0, high=100
    )
    cost_comprehensiveness: float = par(
        0.0, "effort of a fully comprehensive post beyond that", unit="log pay", low=0, high=100
    )
    cost_quality: float = par(
        0.0, "effort of a post made with full care beyond that", unit="log pay", low=0, high=100
    )
    effort_gain: float = par(
        0.0,
        "quality gained by full care (0: care is not a choice and stays 0)",
        unit="sd",
        low=0,
        high=10,
    )
    supply_elasticity: float = par(
        0.0,
        "elasticity of the posting rate to what a post earns, net of effort",
        low=0,
        high=10,
        lever=True,
        source="assumption; labour supply of constant elasticity",
    )
    supply_rate: float = par(
        0.02, "share of the gap to that rate that is closed per day", unit="1/d", low=0, high=1
    )
    supply_most: float = par(
        2.0, "largest factor by which the rate rises or falls", low=1, high=1000
    )
    outside_option: float = par(
        0.0, "pay that a creator could earn elsewhere", unit="pay/d", low=0, high=1e9, lever=True
    )
    outside_effect: float = par(
        0.0, "elasticity of the chance to quit to income over the outside option", low=0, high=20
    )
    entry_elasticity: float = par(
        0.0,
        "elasticity of arrivals to recent entrants' income over the outside option (0: Poisson at "
        "the given rate)",
        low=0,
        high=20,
    )
    work_share: float = par(0.0, "chance that a post is a long-lived work", low=0, high=1)


class Human(Kind):
    """Human creators."""

    imitation: float = par(
        0.003,
        "share of the gap to what followed creators who earn more do that is closed per day, for a "
        "creator of mean responsiveness",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
        source="assumption; learning from others' success: Bandura 1977, norm learning in Brady et "
        "al. 2021",
    )


class Machine(Kind):
    """AI creators."""

    communities: int = par(
        0,
        "number of communities, largest first, in which AI creators work (0: all)",
        unit="communities",
        low=0,
        high=32767,
    )


def by_kind(p: Any, ai: NDArray[np.bool_], name: str) -> NDArray[np.float64]:
    """A parameter of `CreatorsParams` for each creator (n,), by its kind."""
    return np.where(ai, float(getattr(p.ai, name)), float(getattr(p.human, name)))
