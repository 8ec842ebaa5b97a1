"""What creators earn and how they respond: pay, strategies, effort, morale, supply, reputation,
niches.

With pay p and effort c of a post the reward is r = log(1 + p) - c. Strategies follow REINFORCE (see
the package's docstring), and those of humans also what followed creators who earn more do
(`twin.kernels.learn`; whose stand one shares is a matter of opinion, so slant is not copied, and AI
creators follow nobody). Both are scaled by the creator's own responsiveness.

    supply   log target = elasticity (baseline - reference), bounded; pace <- pace + w (target -
             pace)
    effort   e <- e + (effort spent today - e) / 28
    burn-out morale <- morale - b max(0, e - 2 s morale)     (humans; s: sustained at neutral morale)
    morale   see the package's docstring; aspiration is a plain mean of the days so far until the
             past weighs as much as it ever will

The reference is the mean reward of a creator's first posts: it stands for the taste for posting
that the drawn rate reveals, so that rate x exp(elasticity (r - reference)) is a labour supply of
constant elasticity through the creator's starting point.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twin.kernels.learn import imitate
from twin.mechanisms.creators.declared import MEMORY, STRATEGY, UNSET
from twin.mechanisms.creators.incentives import Incentives
from twin.mechanisms.creators.kinds import by_kind
from twin.mechanisms.creators.params import CreatorsParams
from twin.mechanisms.creators.predictor import Predictor
from twin.mechanisms.creators.strategy import NAMES, Settled, usable
from twin.world.mechanism import Mechanism

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LIKE = 2
COPIED = ("arousal", "comprehensiveness", "care")


class Learning:
    """The daily settlement; all state is in the mechanism's ``keep`` and columns."""

    def __init__(
        self,
        mechanism: Mechanism[CreatorsParams],
        predictor: Predictor,
        incentives: Incentives,
        learn: Callable[[Settled], Floats],
    ) -> None:
        self.m, self.p, self.keep = mechanism, mechanism.p, mechanism.keep
        self.predictor, self.incentives, self.learn = predictor, incentives, learn

    def setup(self) -> None:
        """Nothing has been settled."""
        self.keep["settled_reach"] = np.zeros(0, np.int64)
        self.keep["settled_ai"] = np.zeros(0, bool)
        self.keep["trend"] = np.zeros(16)

    def settle(self) -> None:
        """Measure the success of posts that are old enough, and of works; creators learn from
        it."""
        m, p, own, now = self.m, self.p, self.m.mine, self.m.world.now
        # before the release: a work that goes today is paid for its last impressions
        earned, liked = self._works()
        # before new posts are marked as settled, so that none goes before it has been paid
        self._release()
        born = own("posts", "born")
        rows = np.flatnonzero(
            m.read("posts", "alive") & ~own("posts", "settled") & (born <= now - p.settle_after)
        )
        # in order of birth: incentives compare each post with its creator's earlier ones
        rows = rows[np.lexsort((m.read("posts", "key")[rows], born[rows]))]
        own("posts", "settled")[rows] = True
        maker = own("posts", "creator")[rows]
        views = m.read("posts", "impressions")[rows].astype(float)
        likes = m.read("posts", "counts")[rows, LIKE].astype(float)
        # works are paid day by day in `_works`, all other posts here, once
        pay, once, size = self.pay(maker, views, likes), ~own("posts", "work")[rows], len(earned)
        earned += np.bincount(maker[once], weights=pay[once], minlength=size)
        liked += np.bincount(maker[once], weights=likes[once], minlength=size)
        # on all of them: posts of campaigns have public counters too
        self.predictor.learn(rows)
        # accounts of campaigns earn nothing and adapt to nothing
        plain = ~own("creators", "campaign")[maker]
        self._adapt(
            rows[plain],
            maker[plain],
            np.log1p(pay[plain]) - own("posts", "cost")[rows[plain]],
            views[plain],
        )
        self.incentives.settle(rows[plain], maker[plain], pay[plain])
        # after `_adapt`: leads are compared on baselines that know today's rewards
        self._imitate()
        self._day(earned, liked)
        if likes.sum() > 0:
            self._follow((own("posts", "content")[rows] * likes[:, None]).sum(0, dtype=float))
        self.keep["settled_reach"] = views[plain].astype(np.int64)
        self.keep["settled_ai"] = own("creators", "ai")[maker[plain]].copy()

    def pay(self, maker: Ints, views: Floats, likes: Floats) -> Floats:
        """What the platform pays for impressions and likes: campaigns nothing, newcomers a
        bonus."""
        m, own = self.m, self.m.mine

        def lever(name: str) -> Floats:
            return m.lever_of("creators", name, maker).astype(float)

        amount = lever("pay_impression") * views + lever("pay_like") * likes
        amount = amount * np.where(own("creators", "ai")[maker], lever("ai_pay"), 1.0)
        # the bonus is for who is new when paid, not when the post was made
        new = own("creators", "entered_at")[maker] > m.world.now - self.p.newcomer_for
        found: Floats = (
            amount * (1 + lever("newcomer_bonus") * new) * ~own("creators", "campaign")[maker]
        )
        return found

    def _works(self) -> tuple[Floats, Floats]:
        """Pay and likes of living works since the last settlement, by creator."""
        m, own, size = self.m, self.m.mine, len(self.m.world.table("creators"))
        rows = np.flatnonzero(m.read("posts", "alive") & own("posts", "work"))
        # sums run in the order of keys, not of rows, which are reused
        rows = rows[np.argsort(m.read("posts", "key")[rows], kind="stable")]
        maker, views = own("posts", "creator")[rows], m.read("posts", "impressions")[rows]
        likes = m.read("posts", "counts")[rows, LIKE]
        # what came since the last payment; counters never fall
        new = (views - own("posts", "paid_impressions")[rows]).astype(float)
        liked = (likes - own("posts", "paid_likes")[rows]).astype(float)
        own("posts", "paid_impressions")[rows], own("posts", "paid_likes")[rows] = views, likes
        # bincount of nothing counts in integers, whatever its weights
        return (
            np.bincount(maker, weights=self.pay(maker, new, liked), minlength=size).astype(float),
            np.bincount(maker, weights=liked, minlength=size).astype(float),
        )

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

        # a creator's first rewards are their own baseline
        mean, baseline = per_creator(reward) / n, own("creators", "baseline")
        baseline[some] = np.where(baseline[some] <= UNSET, mean, baseline[some])
        # against the baseline of the days before; today's rewards enter it below
        self._learn(some, rows, maker, reward)
        # a running mean of the first posts, which then stays: the reference for supply
        known = own("creators", "referred")[some]
        first = some[known < p.reference_posts]
        weight = n[known < p.reference_posts] / (n + known)[known < p.reference_posts]
        own("creators", "reference")[first] += weight * (
            mean[known < p.reference_posts] - own("creators", "reference")[first]
        )
        own("creators", "referred")[first] += n[known < p.reference_posts].astype(np.int32)
        keep = p.baseline_memory
        baseline[some] = keep * baseline[some] + (1 - keep) * mean
        own("creators", "reach")[some] = per_creator(views) / n
        self._feel(some, per_creator(np.log1p(views)) / n)

    def _learn(self, some: Ints, rows: Ints, maker: Ints, reward: Floats) -> None:
        """Strategies of these creators, by the rule of the mechanism's class."""
        m, own = self.m, self.m.mine
        kind = own("creators", "ai")[some]
        rates = float(m.lever("ai.learning")), float(m.lever("human.learning"))
        place = np.empty(len(m.world.table("creators")), np.int64)
        place[some] = np.arange(len(some))
        day = Settled(
            creator=some,
            ai=kind,
            strategy=np.stack([own("creators", name)[some] for name in NAMES], axis=1, dtype=float),
            rate=np.where(kind, *rates) * own("creators", "responsiveness")[some],
            sigma=by_kind(self.p, kind, "exploration"),
            by=place[maker],
            tried=own("posts", "tried")[rows].astype(float),
            reward=reward,
            baseline=own("creators", "baseline")[maker].astype(float),
        )
        found = usable(self.learn(day), day, type(m).__name__)
        for k, (name, low, high) in enumerate(STRATEGY):
            own("creators", name)[some] = np.clip(found[:, k], low, high)

    def _feel(self, some: Ints, reach: Floats) -> None:
        """Morale of creators against what they are used to; ``reach`` is today's mean log(1 +
        impressions) of each.

        What they are used to moves by 4 (target - 1/2) / k, which is reach - aspiration where the
        two are close: so it settles where the target is 1/2 in the mean, whatever the spread and
        skewness of reach (a logistic location; Huber 1964).
        """
        p, own = self.p, self.m.mine
        aspiration, days = own("creators", "aspiration"), own("creators", "reckonings")
        # the first reach of all is what one is used to
        used_to = np.where(days[some] > 0, aspiration[some], reach)
        target = expit(p.aspiration_effect * (reach - used_to))
        own("creators", "morale")[some] += p.morale_rate * (
            target - own("creators", "morale")[some]
        )
        days[some] += 1
        # morale that does not respond has no scale for the gap: the plain difference then
        gap = (
            4 * (target - 0.5) / p.aspiration_effect if p.aspiration_effect > 0 else reach - used_to
        )
        # 1 / days: a plain mean until the past weighs as much as its memory lets it
        aspiration[some] = used_to + np.maximum(1 - p.aspiration_memory, 1 / days[some]) * gap

    def _imitate(self) -> None:
        """Human creators go a share of the way to what those whom they follow and who earn more
        do."""
        own, rate = self.m.mine, float(self.m.lever("human.imitation"))
        if rate == 0:
            return
        campaign, active = own("creators", "campaign"), own("creators", "active")
        # with a reward so far; AI creators can be followed, and follow nobody
        known = active & ~campaign & (own("creators", "baseline") > UNSET)
        rows = np.flatnonzero(known & ~own("creators", "ai"))
        # a quick learner goes all the way in a day, not beyond
        share = np.minimum(rate * own("creators", "responsiveness")[rows].astype(float), 1.0)
        graph = self.m.world.service("follow_graph")()
        # copies: all move at once, each towards what the others did before
        columns = np.stack([own("creators", name) for name in COPIED])
        new = imitate(
            rows,
            own("creators", "person"),
            graph.start,
            graph.target,
            own("creators", "baseline"),
            known,
            columns,
            share,
        )
        for k, name in enumerate(COPIED):
            own("creators", name)[rows] = new[:, k]

    def _day(self, earned: Floats, liked: Floats) -> None:
        """A day of every creator: income, effort, burn-out, supply, reputation."""
        p, m, own = self.p, self.m, self.m.mine
        ai = own("creators", "ai")
        own("creators", "income")[:] += (earned - own("creators", "income")) / MEMORY
        own("creators", "effort")[:] += (
            own("creators", "spent") - own("creators", "effort")
        ) / MEMORY
        own("creators", "spent")[:] = 0
        human, morale = np.flatnonzero(own("creators", "active") & ~ai), own("creators", "morale")
        # humans only; sustained is what neutral morale, 1/2, bears
        strain = np.maximum(own("creators", "effort")[human] - 2 * p.sustained * morale[human], 0)
        morale[human] = np.maximum(morale[human] - p.burnout * strain, 0)
        elasticity = np.where(
            ai, m.lever("ai.supply_elasticity"), m.lever("human.supply_elasticity")
        )
        # no response before the reference stands: it is what supply is compared with
        settled = own("creators", "referred") >= p.reference_posts
        gain = np.where(
            settled, elasticity * (own("creators", "baseline") - own("creators", "reference")), 0.0
        )
        most = np.log(by_kind(p, ai, "supply_most"))
        # bounded in logs, so that the rate rises and falls by the same factor at most
        target = np.exp(np.clip(gain, -most, most))
        own("creators", "pace")[:] += by_kind(p, ai, "supply_rate") * (
            target - own("creators", "pace")
        )
        accrual = np.where(ai, m.lever("ai.accrual"), m.lever("human.accrual"))
        own("creators", "reputation")[:] = (
            p.reputation_memory * own("creators", "reputation") + accrual * liked
        )

    def _follow(self, trend: Floats) -> None:
        """Move niches towards the engagement-weighted mean content of what did well."""
        own, m = self.m.mine, self.m
        # a direction, as niches are; drafts are compared with it too (predictor)
        self.keep["trend"] = trend / max(float(np.linalg.norm(trend)), 1e-12)
        rates = float(m.lever("ai.trend_following")), float(m.lever("human.trend_following"))
        follow = np.where(own("creators", "ai"), *rates)
        moving = np.flatnonzero(
            (follow > 0) & own("creators", "active") & ~own("creators", "campaign")
        )
        niche = (
            own("creators", "niche")[moving] * (1 - follow[moving, None])
            + follow[moving, None] * self.keep["trend"]
        )
        own("creators", "niche")[moving] = niche / np.maximum(
            np.linalg.norm(niche, axis=1, keepdims=True), 1e-12
        )
