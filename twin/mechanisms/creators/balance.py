"""Initial values in closed form: as many creators enter as quit, and reputations are what likes at
rest would have built.

Entry. Where no rate of arrivals is given, it is the expected exits per day at the start, of n
creators with persons i:

    humans  sum_i (q + l_i - q l_i)     AI  n q_ai

with q the chance to quit at neutral morale and the outside option's pay, and l_i that of the person
leaving at the reference satisfaction (service ``visits``). It is computed once and does not
follow actual exits: if more creators quit because they earn less or are seen less, their number
falls until exits equal this rate again. (Morale that varies around neutral raises exits by
some 3 %, as the chance is convex in it; that is left out.)

Reputation. R <- rho R + eta likes has the mean, over creators who leave at the rate lambda and are
replaced by others who start at 0,

    R_i = eta L_i / (1 - rho + lambda) ,   L_i = L ((1 - f) v_i / sum_j v_j + f v_i n_i / sum_j v_j
                                           n_j)

where L is the likes a day that all visits give (visits per day x ``likes_per_session``), v_i posts
per day, n_i followers, f the share of likes that comes through follows, and lambda = entry / n.
Sums are over creators of both kinds: AI creators get likes, but (eta 0) no name.
"""

from __future__ import annotations

import numpy as np

from twin.mechanisms.creators.kinds import KINDS
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism


class Balance:
    """Closed forms at the start; state is in the mechanism's ``keep``."""

    def __init__(self, mechanism: Mechanism[CreatorsParams]) -> None:
        self.m, self.p, self.keep = mechanism, mechanism.p, mechanism.keep

    def setup(self) -> None:
        """Compute entry from the creators and persons at the start."""
        own, p = self.m.mine, self.p
        here, ai, person = (
            own("creators", "active"),
            own("creators", "ai"),
            own("creators", "person"),
        )
        _, leaving = self.m.world.service("visits")()
        # humans who are persons leave with them or quit; the others only quit
        persons = person[here & ~ai & (person >= 0)]
        alone = int((here & ~ai).sum()) - len(persons)
        human = (p.quit + leaving[persons] * (1 - p.quit)).sum() + alone * p.quit
        self.keep["balanced"] = np.array([human, p.ai_quit * int((here & ai).sum())])
        self.keep["begun"] = np.zeros(1, bool)

    def begin(self) -> None:
        """Give the first creators their reputations, once, when the follow graph has been built."""
        # the clock ticks daily; reputations at rest are given at its first tick alone
        if self.keep["begun"][0]:
            return
        self.keep["begun"][0] = True
        m, p, own = self.m, self.p, self.m.mine
        here, ai = own("creators", "active") & ~own("creators", "campaign"), own("creators", "ai")
        visits, _ = m.world.service("visits")()
        posts = np.where(here, own("creators", "rate").astype(float), 0.0)
        # v_i n_i; where nobody is followed all likes go by posts alone
        followed = posts * m.read("creators", "followers")
        through = p.liked_through_follows if followed.sum() > 0 else 0.0
        # the bracket of L_i; L is a factor below
        likes = (1 - through) * posts / max(posts.sum(), 1e-12) + through * followed / max(
            followed.sum(), 1e-12
        )
        likes *= visits.sum() * p.likes_per_session
        for kind, name in enumerate(KINDS):
            who = np.flatnonzero(here & (ai == bool(kind)))
            # 1 - rho + lambda, lambda the share of creators who are replaced per day
            fading = 1 - p.reputation_memory + self.keep["balanced"][kind] / max(len(who), 1)
            if fading > 0:
                own("creators", "reputation")[who] = (
                    p.reputation_start * float(m.lever(f"{name}.accrual")) * likes[who] / fading
                )
