"""Creators, human and AI: they post, learn what the feed pays for, adapt, burn out, quit and enter.

Posting: a Poisson process per creator, through the diurnal curve, at a rate that is lognormal
across humans (heavy-tailed: few write most); AI creators post at volume around the clock.

Strategy z = (arousal, comprehensiveness, slant, care): each post tries z + sigma eps, eps ~ N(0,
1). When a post settles, its reward r = log(1 + pay) - effort is compared with the
creator's moving baseline and the mean moves by the likelihood-ratio gradient of a Gaussian policy
(REINFORCE, Williams 1992), averaged over the posts settled that day:

    z <- z + rate * sigma * mean((r - baseline) eps)

Rates differ between creators: most hardly respond, some strongly. AI creators have the mean human's
rate; they learn faster only because they post daily and in greater numbers. No strategy is good or
bad by itself: what pays depends on what the feed shows and how people respond.

Quality of a post = skill + noise + gain * care; its effort = c0 + c1 comprehensiveness^b + c2
care^b. AI creators post the best of their drafts by a learned predictor (`predictor`) and move
their niche towards the engagement-weighted mean content of what did well lately (trend-following).
Humans compare x, the mean log(1 + impressions) of a day's posts, with their aspiration, a slow
moving mean of x: morale <- morale + w (sigmoid(k (x - aspiration)) - morale), so that under any
reach that is symmetric in logs and does not change morale stays neutral; low morale means fewer
posts and a higher chance to quit. Social proof on human posts builds reputation, R <- rho R + eta
likes; eta of AI is 0 by default.

Supply, burn-out, pay, imitation: `learning`; what pays: `incentives`; entry, exit, assistants:
`population`; initial values at rest: `balance`; clocks: `timing`; posts: `posting`, `drafts`,
`predictor`; how strategies are learned: `strategy`; accounts of campaigns: `accounts`; parameters: `params`, `kinds`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.mechanisms.creators.accounts import Accounts
from twin.mechanisms.creators.balance import Balance
from twin.mechanisms.creators.columns import CREATORS, POSTS
from twin.mechanisms.creators.incentives import Incentives
from twin.mechanisms.creators.learning import Learning
from twin.mechanisms.creators.measures import Measures
from twin.mechanisms.creators.params import CreatorsParams
from twin.mechanisms.creators.population import Population
from twin.mechanisms.creators.posting import Posting
from twin.mechanisms.creators.predictor import Predictor
from twin.mechanisms.creators.standing import STANDING
from twin.mechanisms.creators.strategy import Settled, reinforce
from twin.mechanisms.creators.supplied import SUPPLIED
from twin.mechanisms.creators.timing import Timing
from twin.world.mechanism import Every, Mechanism
from twin.world.state import World

__all__ = ["Creators", "CreatorsParams", "Settled"]


class Creators(Mechanism[CreatorsParams]):
    """Creators post and adapt."""

    name = "creators"
    Params = CreatorsParams
    order = 30
    replaced_by = "derived"
    reads = {
        "consumers": ("active", "community", "opinion", "taste", "tz"),
        "creators": ("arm", "community", "followers"),
        "posts": ("counts", "impressions"),
    }
    needs = (
        "community_centres",
        "graph_nodes",
        "follow_graph",
        "visits",
        "oldest_held",
        "releasable",
    )
    provides = ("enlist", "dismiss", "throttle", "aim", "classify", "makers_given")
    columns = {"creators": CREATORS, "posts": POSTS}
    metrics = (*STANDING, *SUPPLIED)

    def __init__(self, params: CreatorsParams, world: World) -> None:
        super().__init__(params, world)
        self.timing, self.predictor = Timing(self), Predictor(self)
        self.posting = Posting(self, self.timing, self.predictor)
        self.incentives = Incentives(self)
        self.learning = Learning(self, self.predictor, self.incentives, self.learn)
        self.population = Population(self, self.timing)
        self.accounts = Accounts(self, self.timing, self.population)
        world.provide("makers_given", self.population.given)
        self.balance = Balance(self)
        self.measures = Measures(self, self.incentives)

    def learn(self, day: Settled) -> NDArray[np.float64]:
        """New strategies f8 (n, 4) of those whose posts settled today; what they copy from others
        comes on top. For classes that derive from this one, which may have another rule."""
        return reinforce(day)

    def setup(self) -> None:
        """Empty ledgers and the initial creators."""
        # population before balance, which reads the creators at the start
        for part in (
            self.measures,
            self.predictor,
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
        """Posts enter at every refresh; settling and turnover daily; reputations start once there
        is a follow graph."""
        # within an instant phases decide: turnover, then posts that are due, then settlement
        return [
            Every(self.world.grid, "create", self.posting.post),
            Every(DAY, "settle", self.learning.settle),
            Every(DAY, "people", self.population.turnover),
            Every(DAY, "graph", self.balance.begin, first=0),
        ]

    def measure(self) -> None:
        """Read both kinds of creators."""
        self.measures.measure()
