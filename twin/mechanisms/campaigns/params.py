"""Parameters of the campaign and of the rules against it."""

from __future__ import annotations

from typing import ClassVar, Literal

from twin.ground.units import DAY
from twin.world.params import Duration, Params, Rate, par


class CampaignsParams(Params):
    """Parameters of the campaign and of the rules against it."""

    UNDER: ClassVar[str] = ".accounts>0"
    # the target is measured against people's opinions in any case
    ANYWAY: ClassVar[tuple[str, ...]] = ("accounts", "target")

    accounts: int = par(
        0, "automated accounts (0: no campaign)", unit="accounts", low=0, high=100_000, lever=True
    )
    begin: Duration = par(0, "when it begins (it acts at the end of each day)", unit="s", low=0)
    end: Duration = par(0, "when it ends (0s: never)", unit="s", low=0)
    target: float = par(0.8, "opinion that it promotes", low=-1, high=1)
    posts: Rate = par(
        5.0, "posts per account", unit="posts/account/d", low=0, high=1000, lever=True
    )
    targeting: Literal["reach", "susceptibility", "random"] = par(
        "random", "whom it aims at", lever=True
    )
    share: float = par(0.1, "share of people aimed at", low=0, high=1, lever=True)
    profiling: float = par(
        1.0,
        "how well people are known: 1 ranks them by true worth, 0 by chance",
        low=0,
        high=1,
        lever=True,
        source="personal data make messages persuasive: Salvi et al. 2025; size assumed",
    )
    aim_every: Duration = par(
        7 * DAY, "time between two aims", unit="s", low=DAY, high=365 * DAY, grid=True
    )
    coordination: float = par(
        0.2, "chance that an account likes another's new post", low=0, high=1, lever=True
    )
    account_cost: float = par(1.0, "cost of an account per day", unit="cost", low=0, high=1e6)
    post_cost: float = par(0.1, "cost of a post", unit="cost", low=0, high=1e6)
    budget: float = par(0.0, "total budget (0: no limit)", unit="cost", low=0, high=1e12)
    regrow: Duration = par(
        7 * DAY, "time after which a banned account is replaced (0s: never)", unit="s", low=0
    )
    detection: float = par(
        0.005,
        "chance per day of finding an account that posts like a person and does not coordinate",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
    )
    coordination_suspicion: float = par(
        4.0, "rise of that hazard at full coordination", low=0, high=1000
    )
    rate_suspicion: float = par(
        1.0, "rise of that hazard per e-fold of posts above the human norm", low=0, high=1000
    )
    human_norm: Rate = par(
        4.6,
        "posts per day that still look human",
        unit="posts/d",
        low=0.01,
        high=1000,
        source="median of the most active tenth of US adults on Twitter, 138 a month: Pew 2019",
    )
    rate_limit: Rate = par(
        1000.0,
        "most posts that an account may make",
        unit="posts/account/d",
        low=0,
        high=1000,
        lever=True,
    )
