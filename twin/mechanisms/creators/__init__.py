"""Creators, human and AI: they post, see what the feed paid for, adapt, tire, leave and arrive.

Posting: a Poisson process per creator, rate lognormal across humans (heavy: few write most), read
through the diurnal curve; AI creators post at volume around the clock.

Strategy z = (arousal, comprehensiveness, slant, care): each post tries z + sigma eps, eps ~ N(0,
1). When a post has had its time, its reward r = log(1 + pay) - effort is compared with the
creator's moving baseline and the mean moves by the likelihood-ratio gradient of a Gaussian policy
(REINFORCE, Williams 1992), averaged over the posts settled that day:

    z <- z + rate * sigma * mean((r - baseline) eps)

with a rate of each creator's own: most hardly respond, some much. AI creators have the mean human's
rate; they learn faster in so far as they post every day and in greater numbers. No strategy is good
or bad by itself: what pays depends on what the feed shows and people do.

Quality of a post = skill + noise + gain * care; its effort = c0 + c1 comprehensiveness^b + c2
care^b. AI creators post the best of their drafts by a learned predictor (`posting`) and move their
niche towards the engagement-weighted mean content of what did well lately (trend-following). Humans
compare x, the mean log(1 + impressions) of a day's posts, with what they are used to (aspiration, a
slow moving mean of x): morale <- morale + w (sigmoid(k (x - aspiration)) - morale), so that under
any reach that is symmetric in logs and does not change morale stays neutral; low morale means fewer
posts and a higher chance to quit. Social proof on human posts builds reputation, R <- rho R + eta
likes; eta of AI is 0 by default.

Supply, burn-out, pay, imitation: `learning`; what pays: `incentives`; entry, exit, assistants:
`population`; what holds at rest before anything has happened: `balance`; accounts of campaigns:
`accounts`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.mechanisms.creators.accounts import Accounts
from twin.mechanisms.creators.balance import Balance
from twin.mechanisms.creators.declared import CREATORS, METRICS, POSTS
from twin.mechanisms.creators.incentives import Incentives
from twin.mechanisms.creators.learning import Learning
from twin.mechanisms.creators.measures import Measures
from twin.mechanisms.creators.params import CreatorsParams
from twin.mechanisms.creators.population import Population
from twin.mechanisms.creators.posting import Posting
from twin.world.mechanism import Every, Mechanism
from twin.world.state import World

__all__ = ["Creators", "CreatorsParams"]


class Creators(Mechanism[CreatorsParams]):
    """Creators post and adapt."""

    name = "creators"
    Params = CreatorsParams
    order = 30
    needs = (
        "community_centres",
        "graph_nodes",
        "follow_graph",
        "visits",
        "oldest_held",
        "releasable",
    )
    provides = ("enlist", "dismiss", "throttle", "aim", "classify")
    columns = {"creators": CREATORS, "posts": POSTS}
    metrics = METRICS

    def __init__(self, params: CreatorsParams, world: World) -> None:
        super().__init__(params, world)
        self.posting = Posting(self)
        self.incentives = Incentives(self)
        self.learning = Learning(self, self.posting, self.incentives)
        self.population = Population(self, self.posting)
        self.accounts = Accounts(self, self.posting, self.population)
        self.balance = Balance(self)
        self.measures = Measures(self, self.incentives)
        world.provide("classify", self.posting.classify)

    def setup(self) -> None:
        """Empty ledgers and the initial creators."""
        for part in (
            self.measures,
            self.posting,
            self.learning,
            self.incentives,
            self.population,
            self.balance,
        ):
            part.setup()

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who a new creator is."""
        if table == "creators":
            self.population.born(rows)

    def clocks(self) -> list[Every]:
        """Posts enter at every refresh; settling and turnover daily; reputations begin once there
        is a follow graph."""
        return [
            Every(self.world.grid, "create", self.posting.post),
            Every(DAY, "settle", self.learning.settle),
            Every(DAY, "people", self.population.turnover),
            Every(DAY, "graph", self.balance.begin, first=0),
        ]

    def measure(self) -> None:
        """Read both kinds of creators."""
        self.measures.measure()
