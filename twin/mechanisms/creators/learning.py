"""What creators earn, and what they make of it: pay, strategies, effort, morale, supply, reputation, niches.

With pay p and effort c of a post the reward is r = log(1 + p) - c. Strategies follow REINFORCE (see the package's docstring).

    supply   log target = elasticity (baseline - reference), bounded; pace <- pace + w (target - pace)
    effort   e <- e + (effort spent today - e) / 28
    burn-out morale <- morale - b max(0, e - 2 s morale)         (humans; s is what neutral morale sustains)

The reference is the mean reward of a creator's first posts: it stands for the taste for posting that the drawn rate reveals, so that
rate x exp(elasticity (r - reference)) is a labour supply of constant elasticity through the point at which the creator began.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twin.mechanism import Mechanism
from twin.mechanisms.creators.declared import STRATEGY, UNSET
from twin.mechanisms.creators.posting import Posting, by_kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LIKE = 2
MEMORY = 28
"""Days over which income and effort are averaged."""


class Learning:
    """The daily reckoning; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism, posting: Posting) -> None:
        self.m, self.p, self.keep, self.posting = mechanism, mechanism.p, mechanism.keep, posting

    def setup(self) -> None:
        """Nothing has been settled."""
        self.keep["settled_reach"] = np.zeros(0, np.int64)
        self.keep["settled_ai"] = np.zeros(0, bool)
        self.keep["trend"] = np.zeros(16)

    def settle(self) -> None:
        """Reckon the success of posts that have had their time, and of works; creators learn from it."""
        m, p, own, now = self.m, self.p, self.m.mine, self.m.world.now
        earned, liked = self._works()
        self._release()
        born = own("posts", "born")
        rows = np.flatnonzero(m.read("posts", "alive") & ~own("posts", "settled") & (born <= now - p.settle_after))
        rows = rows[np.lexsort((m.read("posts", "key")[rows], born[rows]))]
        own("posts", "settled")[rows] = True
        maker = own("posts", "creator")[rows]
        views = m.read("posts", "impressions")[rows].astype(float)
        likes = m.read("posts", "counts")[rows, LIKE].astype(float)
        pay, once, size = self.pay(maker, views, likes), ~own("posts", "work")[rows], len(earned)
        earned += np.bincount(maker[once], weights=pay[once], minlength=size)
        liked += np.bincount(maker[once], weights=likes[once], minlength=size)
        self.posting.learn(rows)
        plain = ~own("creators", "campaign")[maker]
        self._adapt(rows[plain], maker[plain], np.log1p(pay[plain]) - own("posts", "cost")[rows[plain]], views[plain])
        self._day(earned, liked)
        if likes.sum() > 0:
            self._follow((own("posts", "content")[rows] * likes[:, None]).sum(0, dtype=float))
        self.keep["settled_reach"] = views[plain].astype(np.int64)
        self.keep["settled_ai"] = own("creators", "ai")[maker[plain]].copy()

    def pay(self, maker: Ints, views: Floats, likes: Floats) -> Floats:
        """What the platform pays for impressions and likes: campaigns nothing, newcomers a bonus."""
        m, own = self.m, self.m.mine

        def lever(name: str) -> Floats:
            return m.lever_of("creators", name, maker).astype(float)

        amount = (lever("pay_impression") * views + lever("pay_like") * likes)
        amount = amount * np.where(own("creators", "ai")[maker], lever("ai_pay"), 1.0)
        new = own("creators", "entered_at")[maker] > m.world.now - self.p.newcomer_for
        found: Floats = amount * (1 + lever("newcomer_bonus") * new) * ~own("creators", "campaign")[maker]
        return found

    def _works(self) -> tuple[Floats, Floats]:
        """Pay and likes of living works since the last reckoning, by creator."""
        m, own, size = self.m, self.m.mine, len(self.m.world.table("creators"))
        rows = np.flatnonzero(m.read("posts", "alive") & own("posts", "work"))
        rows = rows[np.argsort(m.read("posts", "key")[rows], kind="stable")]
        maker, views = own("posts", "creator")[rows], m.read("posts", "impressions")[rows]
        likes = m.read("posts", "counts")[rows, LIKE]
        new = (views - own("posts", "paid_impressions")[rows]).astype(float)
        liked = (likes - own("posts", "paid_likes")[rows]).astype(float)
        own("posts", "paid_impressions")[rows], own("posts", "paid_likes")[rows] = views, likes
        return (np.bincount(maker, weights=self.pay(maker, new, liked), minlength=size).astype(float),
                np.bincount(maker, weights=liked, minlength=size).astype(float))  # of nothing it counts in integers

    def _release(self) -> None:
        """Give back settled posts that nobody holds any more."""
        m = self.m
        done = m.read("posts", "alive") & m.mine("posts", "settled")
        m.world.release("posts", np.flatnonzero(done & m.world.service("releasable")()))

    def _adapt(self, rows: Ints, maker: Ints, reward: Floats, views: Floats) -> None:
        """Strategies, baselines and morale of the creators of newly settled posts."""
        p, own, size = self.p, self.m.mine, len(self.m.world.table("creators"))
        count = np.bincount(maker, minlength=size)
        some = np.flatnonzero(count)
        n = count[some]

        def per_creator(values: Floats) -> Floats:
            return np.bincount(maker, weights=values, minlength=size).astype(float)[some]

        mean, reach = per_creator(reward) / n, per_creator(views) / n
        baseline, aspiration = own("creators", "baseline"), own("creators", "aspiration")
        baseline[some] = np.where(baseline[some] <= UNSET, mean, baseline[some])
        aspiration[some] = np.where(aspiration[some] < 0, reach, aspiration[some])
        kind = own("creators", "ai")[some]
        rate = np.where(kind, self.m.lever("ai.learning"), self.m.lever("human.learning"))
        sigma = by_kind(p, kind, "exploration")
        surprise, tried = reward - baseline[maker], own("posts", "tried")[rows]
        for k, (name, low, high) in enumerate(STRATEGY):
            step = rate * sigma * per_creator(surprise * tried[:, k]) / n
            own("creators", name)[some] = np.clip(own("creators", name)[some] + step, low, high)
        known = own("creators", "referred")[some]
        first = some[known < p.reference_posts]
        weight = n[known < p.reference_posts] / (n + known)[known < p.reference_posts]
        own("creators", "reference")[first] += weight * (mean[known < p.reference_posts] - own("creators", "reference")[first])
        own("creators", "referred")[first] += n[known < p.reference_posts].astype(np.int32)
        keep = p.baseline_memory
        baseline[some] = keep * baseline[some] + (1 - keep) * mean
        own("creators", "reach")[some] = reach
        target = expit(p.aspiration_effect * np.log((1 + reach) / (1 + aspiration[some])))
        own("creators", "morale")[some] += p.morale_rate * (target - own("creators", "morale")[some])
        keep = p.aspiration_memory
        aspiration[some] = keep * aspiration[some] + (1 - keep) * reach

    def _day(self, earned: Floats, liked: Floats) -> None:
        """A day of every creator: income, effort, burn-out, supply, reputation."""
        p, m, own = self.p, self.m, self.m.mine
        ai = own("creators", "ai")
        own("creators", "income")[:] += (earned - own("creators", "income")) / MEMORY
        own("creators", "effort")[:] += (own("creators", "spent") - own("creators", "effort")) / MEMORY
        own("creators", "spent")[:] = 0
        human, morale = np.flatnonzero(own("creators", "active") & ~ai), own("creators", "morale")
        strain = np.maximum(own("creators", "effort")[human] - 2 * p.sustained * morale[human], 0)
        morale[human] = np.maximum(morale[human] - p.burnout * strain, 0)
        elasticity = np.where(ai, m.lever("ai.supply_elasticity"), m.lever("human.supply_elasticity"))
        settled = own("creators", "referred") >= p.reference_posts
        gain = np.where(settled, elasticity * (own("creators", "baseline") - own("creators", "reference")), 0.0)
        most = np.log(by_kind(p, ai, "supply_most"))
        target = np.exp(np.clip(gain, -most, most))
        own("creators", "pace")[:] += by_kind(p, ai, "supply_rate") * (target - own("creators", "pace"))
        accrual = np.where(ai, m.lever("ai.accrual"), m.lever("human.accrual"))
        own("creators", "reputation")[:] = p.reputation_memory * own("creators", "reputation") + accrual * liked

    def _follow(self, trend: Floats) -> None:
        """Move niches towards the engagement-weighted mean content of what did well."""
        own, m = self.m.mine, self.m
        self.keep["trend"] = trend / max(float(np.linalg.norm(trend)), 1e-12)
        follow = np.where(own("creators", "ai"), m.lever("ai.trend_following"), m.lever("human.trend_following"))
        moving = np.flatnonzero((follow > 0) & own("creators", "active") & ~own("creators", "campaign"))
        niche = own("creators", "niche")[moving] * (1 - follow[moving, None]) + follow[moving, None] * self.keep["trend"]
        own("creators", "niche")[moving] = niche / np.maximum(np.linalg.norm(niche, axis=1, keepdims=True), 1e-12)
