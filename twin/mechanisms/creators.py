"""Creators, human and AI: they post, see what the feed paid for, adapt, tire, leave and arrive.

Posting: a Poisson process per creator, rate lognormal across humans (heavy: few write most), read through the diurnal
curve; AI creators post at volume around the clock.

Strategy z = (arousal, comprehensiveness, slant): each post tries z + sigma eps, eps ~ N(0, 1). When a post has had its
time, its reward r = log(1 + pay) is compared with the creator's moving baseline and the mean moves by the likelihood-ratio
gradient of a Gaussian policy (REINFORCE, Williams 1992), averaged over the posts settled that day:

    z <- z + rate * sigma * mean((r - baseline) eps)

humans slowly, AI fast. No strategy is good or bad by itself: what pays depends on what the feed shows and people do.

Quality of a post = skill + noise. AI creators also move their niche towards the engagement-weighted mean content of what did
well lately (trend-following). Humans compare their reach with what they are used to (aspiration, a slow moving mean):
morale <- morale + w (sigmoid(k log((1 + reach) / (1 + aspiration))) - morale); low morale means fewer posts and a
higher chance to quit. Social proof on human posts builds reputation, R <- rho R + eta likes; eta of AI is 0 by default.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, pdtrik

from twin.columns import Column
from twin.draws import children
from twin.kernels.stats import gini, top_share
from twin.mechanism import Every, Mechanism
from twin.metric import Metric
from twin.params import Duration, Params, Rate, group, par
from twin.rhythm import MIND_HOURS, cumulated, warp
from twin.units import DAY, HOUR, NEVER

LIKE = 2
KINDS = ("human", "ai")
PUBLISHED = ("arousal", "comprehensiveness", "slant")


class Kind(Params):
    """One kind of creator."""

    initial: int = par(300, "creators of this kind at the start (with an imported graph: every node is a human one)",
                       unit="creators", low=0, high=1_000_000)
    arrivals: Rate = par(0.3, "new creators of this kind", unit="creators/d", low=0, high=1e5, lever=True)
    posts_mean: Rate = par(0.8, "mean posts per creator", unit="posts/creator/d", low=0, high=1000)
    posts_log_sd: float = par(2.1, "log-sd of that rate across creators", low=0, high=4,
                              source="top 10 % write 80 %: Pew 2019, lognormal")
    posts_most: Rate = par(20.0, "highest rate of a creator", unit="posts/creator/d", low=0.01, high=1000)
    skill_mean: float = par(0.0, "mean quality of posts", unit="sd", low=-5, high=5)
    skill_sd: float = par(0.6, "sd of skill across creators", unit="sd", low=0, high=5)
    quality_noise: float = par(0.7, "sd of quality within a creator", unit="sd", low=0, high=5)
    arousal: float = par(0.30, "arousal at the start", low=0, high=1)
    comprehensiveness: float = par(0.40, "comprehensiveness at the start", low=0, high=1)
    exploration: float = par(0.10, "sd of a post's strategy around the creator's mean", low=0, high=1)
    learning: float = par(0.02, "learning rate of strategies", low=0, high=10, lever=True)
    trend_following: float = par(0.0, "share of the way to trending content that the niche moves per day", unit="1/d", low=0,
                                 high=1, lever=True)
    accrual: float = par(1.0, "reputation gained per like", low=0, high=100, lever=True,
                         source="no speaker's reputation from AI posts: essay behind finding 6")


class CreatorsParams(Params):
    """Parameters of creators."""

    human: Kind = group(Kind, "human creators")
    ai: Kind = group(Kind, "AI creators", initial=15, arrivals=0.03, posts_mean=4.0, posts_log_sd=0.5, skill_mean=-0.1,
                     skill_sd=0.2, quality_noise=0.4, arousal=0.35, comprehensiveness=0.80, learning=0.2,
                     trend_following=0.05, accrual=0.0)
    niche_spread: float = par(0.35, "share of a niche that is the creator's own, not the community's", low=0, high=1)
    topic_spread: float = par(0.30, "share of a post's content that is off the niche", low=0, high=1)
    settle_after: Duration = par(2 * DAY, "age at which a post's success is reckoned", unit="s", low=HOUR, high=365 * DAY,
                                 grid=True)
    pay_impression: float = par(1.0, "pay per impression", unit="pay", low=0, high=1000, lever=True)
    pay_like: float = par(5.0, "pay per like", unit="pay", low=0, high=1000, lever=True)
    ai_pay: float = par(1.0, "pay of AI posts relative to human ones", low=0, high=10, lever=True)
    baseline_memory: float = par(0.8, "weight of the past in a creator's reward baseline, per day with posts", low=0, high=1)
    aspiration_memory: float = par(0.985, "weight of the past in a human's aspiration, per day with posts", low=0, high=1)
    aspiration_effect: float = par(1.0, "how steeply morale answers to reach against aspiration", low=0, high=20)
    morale_rate: float = par(0.05, "weight of the newest day in morale", unit="1/d", low=0, high=1)
    quit: float = par(0.001, "chance per day that a human quits at neutral morale", unit="1/d", low=0, high=1)
    quit_effect: float = par(6.0, "how steeply that chance falls with morale", low=0, high=50)
    reputation_memory: float = par(0.99, "share of reputation kept per day", unit="1/d", low=0, high=1)
    diurnal: tuple[float, ...] = par(MIND_HOURS, "share of human posts by local hour, 24 numbers", unit="%",
                                     source="assumed equal to consumers'")


class Creators(Mechanism):
    """Creators post and adapt."""

    name = "creators"
    Params = CreatorsParams
    order = 30
    needs = ("community_centres", "graph_nodes", "oldest_held", "releasable")
    columns = {
        "creators": (
            Column("active", "?", "1", "True until the creator quits"),
            Column("ai", "?", "1", "True for AI creators"),
            Column("person", "i4", "row", "Row of the consumer who is this creator, -1 for AI", start=-1),
            Column("niche", "f4", "1", "What the creator makes: a unit vector in taste space", shape=(16,), hidden=True),
            Column("skill", "f4", "sd", "Mean quality of posts", hidden=True),
            Column("rate", "f4", "posts/d", "Posts per day at neutral morale"),
            Column("flat_at", "f8", "d", "Next post on a clock without nights"),
            Column("next_at", "i8", "s", "Next post", start=NEVER),
            Column("posts_made", "i4", "posts", "Posts so far"),
            Column("arousal", "f4", "1", "Mean arousal of posts", hidden=True),
            Column("comprehensiveness", "f4", "1", "Mean comprehensiveness of posts", hidden=True),
            Column("slant", "f4", "1", "Mean slant of posts, -1..1", hidden=True),
            Column("baseline", "f4", "log pay", "Moving mean of rewards", start=-1, hidden=True),
            Column("reach", "f4", "impressions", "Moving mean of impressions per post", hidden=True),
            Column("aspiration", "f4", "impressions", "Reach the creator is used to", start=-1, hidden=True),
            Column("morale", "f4", "1", "0 burnt out, 0.5 neutral, 1 elated", start=0.5, hidden=True),
            Column("income", "f4", "pay/d", "Moving mean of pay per day (28 days)"),
            Column("reputation", "f4", "likes", "Reputation stock"),
            Column("entered_at", "i8", "s", "When the creator began"),
            Column("left_at", "i8", "s", "When the creator quit", start=NEVER),
        ),
        "posts": (
            Column("creator", "i4", "row", "Who made it", start=-1),
            Column("born", "i8", "s", "When it was posted", start=NEVER),
            Column("settled", "?", "1", "True once its success has been reckoned"),
            Column("content", "f4", "1", "What it is about: a unit vector in taste space", shape=(16,), hidden=True),
            Column("quality", "f4", "sd", "True quality", hidden=True),
            Column("arousal", "f4", "1", "Arousal, 0..1", hidden=True),
            Column("comprehensiveness", "f4", "1", "Comprehensiveness, 0..1", hidden=True),
            Column("slant", "f4", "1", "Slant, -1..1", hidden=True),
            Column("work", "?", "1", "True for a long-lived work"),
            Column("labelled", "?", "1", "True where the post is shown as made by AI"),
            Column("signal", "f4", "1", "What a classifier reads off the post: slant, arousal, comprehensiveness", shape=(3,)),
            Column("tried", "f4", "sd", "Strategy noise of this post", shape=(3,), hidden=True),
        ),
    }
    metrics = (
        Metric("posts", "counter", "posts", "Posts made.", "producer", "Supply", labels={"by": KINDS}, headline=True),
        Metric("creators_active", "gauge", "creators", "Creators who have not quit.", "producer", "Population", labels={"by": KINDS}),
        Metric("creator_entries", "counter", "creators", "Creators who ever began.", "producer", "Population", labels={"by": KINDS}),
        Metric("creator_exits", "counter", "creators", "Creators who quit.", "producer", "Population", labels={"by": KINDS}, good="down"),
        Metric("creator_morale", "gauge", "1", "Mean morale of active human creators (0.5 is neutral).", "producer", "Morale",
               good="up", headline=True),
        Metric("creator_morale_spread", "histogram", "creators", "Active human creators by morale.", "producer", "Morale",
               edges=tuple(round(0.1 * k, 1) for k in range(10))),
        Metric("creator_income", "gauge", "pay/d", "Mean pay per creator and day (28-day mean).", "producer", "Income",
               labels={"by": KINDS}, good="up"),
        Metric("creator_income_gini", "gauge", "1", "Gini of pay across active creators.", "producer", "Income", good="down"),
        Metric("reach_per_post", "gauge", "impressions/post", "Mean impressions of the posts settled last.", "producer", "Reach",
               labels={"by": KINDS}, good="up"),
        Metric("post_reach", "histogram", "posts", "Posts settled last, by impressions.", "producer", "Reach",
               edges=(0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000)),
        Metric("item_popularity_gini", "gauge", "1", "Gini of impressions across the posts settled last that anybody saw.",
               "producer", "Reach", good="down"),
        Metric("creator_arousal", "gauge", "1", "Mean arousal strategy of active creators.", "producer", "Strategy",
               labels={"by": KINDS}, good="down"),
        Metric("creator_comprehensiveness", "gauge", "1", "Mean comprehensiveness strategy of active creators.", "producer",
               "Strategy", labels={"by": KINDS}),
        Metric("creator_slant_spread", "gauge", "1", "Standard deviation of slant across active creators.", "producer", "Strategy"),
        Metric("reputation_mean", "gauge", "likes", "Mean reputation of active creators.", "producer", "Reputation",
               labels={"by": KINDS}, good="up"),
        Metric("posts_top_share", "gauge", "1", "Share of posts written by the most active tenth of creators.", "producer", "Supply"),
    )

    def setup(self) -> None:
        """Open the initial creators: humans are consumers too."""
        self.keep["made"] = np.zeros((2, 3), np.int64)
        self.keep["settled_reach"] = np.zeros(0, np.int64)
        self.keep["settled_ai"] = np.zeros(0, bool)
        self.keep["trend"] = np.zeros(16)
        nodes = int(self.world.service("graph_nodes")())
        persons = np.arange(nodes) if nodes else self._persons(self.p.human.initial)
        self._enter(0, len(persons), persons)
        self._enter(1, self.p.ai.initial, np.full(self.p.ai.initial, -1))

    def _persons(self, count: int) -> NDArray[np.int64]:
        """Active consumers who are not creators yet, drawn at random."""
        free = self.read("consumers", "active").copy()
        persons = self.read("creators", "person")[self.read("creators", "active")]
        free[persons[persons >= 0]] = False
        rows = np.flatnonzero(free)
        luck = self.uniforms("begin", self.read("consumers", "key")[rows], self.world.now // DAY)[:, 0]
        return rows[np.argsort(luck, kind="stable")][:count]

    def _enter(self, kind: int, count: int, persons: NDArray[np.int64]) -> None:
        made = self.keep["made"]
        root = np.full(count, self.stream(f"creator.{KINDS[kind]}"))
        keys = children(root, np.arange(made[kind, 0], made[kind, 0] + count))
        made[kind, 0] += count
        self.world.add(self.name, "creators", keys, ai=np.full(count, kind == 1), person=persons[:count])

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who a new creator is."""
        if table != "creators":
            return
        p, now, own = self.p, self.world.now, self.mine
        keys, ai = self.read("creators", "key")[rows], self.read("creators", "ai")[rows]
        person = self.read("creators", "person")[rows]
        normal = self.normals("creator", keys, 4)

        def of(name: str) -> NDArray[np.float64]:
            return np.where(ai, float(getattr(p.ai, name)), float(getattr(p.human, name)))

        centre = self.world.service("community_centres")()[self.read("creators", "community")[rows]]
        is_person = person >= 0
        if is_person.any():
            centre[is_person] = self.read("consumers", "taste")[person[is_person]]
        noise = self.normals("niche", keys, 16)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        niche = (1 - p.niche_spread) * centre + p.niche_spread * noise
        own("creators", "niche")[rows] = niche / np.linalg.norm(niche, axis=1, keepdims=True)
        own("creators", "skill")[rows] = of("skill_mean") + of("skill_sd") * normal[:, 0]
        spread = of("posts_log_sd")
        rate = of("posts_mean") * np.exp(spread * normal[:, 1] - spread**2 / 2)
        own("creators", "rate")[rows] = np.minimum(rate, of("posts_most"))
        own("creators", "arousal")[rows] = np.clip(of("arousal") + 0.1 * normal[:, 2], 0, 1)
        own("creators", "comprehensiveness")[rows] = np.clip(of("comprehensiveness") + 0.1 * normal[:, 3], 0, 1)
        slant = np.clip(0.4 * self.normals("slant", keys, 1)[:, 0], -1, 1)
        if is_person.any() and "opinion" in self.world.table("consumers").columns:
            slant[is_person] = self.read("consumers", "opinion")[person[is_person]]
        own("creators", "slant")[rows] = slant
        own("creators", "active")[rows] = True
        own("creators", "entered_at")[rows] = now
        own("creators", "flat_at")[rows] = now / DAY
        self._schedule(rows)

    def _schedule(self, rows: NDArray[np.int64]) -> None:
        """Draw the next post of each creator; the n-th post has its own luck."""
        own = self.mine
        u = self.uniforms("gap", self.read("creators", "key")[rows], own("creators", "posts_made")[rows])[:, 0]
        pace = own("creators", "rate")[rows] * (0.5 + own("creators", "morale")[rows])
        flat = own("creators", "flat_at")[rows] - np.log(u) / np.maximum(pace, 1e-9)
        own("creators", "flat_at")[rows] = flat
        person = own("creators", "person")[rows]
        tz = np.where(person >= 0, self.read("consumers", "tz")[np.maximum(person, 0)], 0).astype(np.int64)
        human = warp(np.minimum(flat, 1e7), cumulated(self.p.diurnal), tz)
        when = np.where(own("creators", "ai")[rows], (np.minimum(flat, 1e7) * DAY).astype(np.int64), human)
        own("creators", "next_at")[rows] = np.where(flat < 1e6, when, NEVER)

    def clocks(self) -> list[Every]:
        """Posts enter at every refresh; settling and turnover daily."""
        return [Every(self.world.grid, "create", self.post), Every(DAY, "settle", self.settle),
                Every(DAY, "people", self.turnover)]

    def post(self) -> None:
        """Make every post that is due, in order of (time, creator)."""
        now, own = self.world.now, self.mine
        due = np.flatnonzero(own("creators", "next_at") < now)
        if not len(due):
            return
        makers, times, counts = [], [], []
        while len(due):
            makers.append(due)
            times.append(own("creators", "next_at")[due])
            counts.append(own("creators", "posts_made")[due].astype(np.int64))
            own("creators", "posts_made")[due] += 1
            self._schedule(due)
            due = due[own("creators", "next_at")[due] < now]
        maker, time, count = np.concatenate(makers), np.concatenate(times), np.concatenate(counts)
        order = np.lexsort((count, maker, time))
        maker, time, count = maker[order], time[order], count[order]
        keys = children(self.read("creators", "key")[maker], count)
        rows = self.world.add(self.name, "posts", keys, creator=maker, born=time)
        p, ai = self.p, own("creators", "ai")[maker]
        noise = self.normals("post", keys, 20)
        off = noise[:, 4:] / np.linalg.norm(noise[:, 4:], axis=1, keepdims=True)
        content = (1 - p.topic_spread) * own("creators", "niche")[maker] + p.topic_spread * off
        own("posts", "content")[rows] = content / np.linalg.norm(content, axis=1, keepdims=True)
        own("posts", "quality")[rows] = (own("creators", "skill")[maker]
                                         + np.where(ai, p.ai.quality_noise, p.human.quality_noise) * noise[:, 0])
        sigma = np.where(ai, p.ai.exploration, p.human.exploration)
        own("posts", "tried")[rows] = noise[:, 1:4]
        for k, (name, low) in enumerate(zip(PUBLISHED, (0, 0, -1), strict=True)):
            own("posts", name)[rows] = np.clip(own("creators", name)[maker] + sigma * noise[:, k + 1], low, 1)
        self.keep["made"][:, 1] += np.bincount(ai, minlength=2)

    def settle(self) -> None:
        """Reckon the success of posts that have had their time; creators learn from it."""
        p, own, now = self.p, self.mine, self.world.now
        born = own("posts", "born")
        self.world.release("posts", np.flatnonzero(own("posts", "settled") & self.world.service("releasable")()))
        rows = np.flatnonzero(self.read("posts", "alive") & ~own("posts", "settled") & (born <= now - p.settle_after))
        rows = rows[np.lexsort((self.read("posts", "key")[rows], born[rows]))]
        own("posts", "settled")[rows] = True
        maker, size = own("posts", "creator")[rows], len(self.world.table("creators"))
        ai = own("creators", "ai")[maker]
        views = self.read("posts", "impressions")[rows].astype(float)
        likes = self.read("posts", "counts")[rows, LIKE].astype(float)
        pay = (self.lever("pay_impression") * views + self.lever("pay_like") * likes) * np.where(ai, self.lever("ai_pay"), 1.0)
        reward = np.log1p(pay)
        count = np.bincount(maker, minlength=size)
        some = np.flatnonzero(count)
        n = count[some]

        def per_creator(values: NDArray[np.float64]) -> NDArray[np.float64]:
            total = np.bincount(maker, weights=values, minlength=size).astype(float)
            return total[some]

        mean, reach = per_creator(reward) / n, per_creator(views) / n
        baseline, aspiration = own("creators", "baseline"), own("creators", "aspiration")
        fresh = baseline[some] < 0
        baseline[some] = np.where(fresh, mean, baseline[some])
        aspiration[some] = np.where(aspiration[some] < 0, reach, aspiration[some])
        kind = own("creators", "ai")[some]
        rate = np.where(kind, self.lever("ai.learning"), self.lever("human.learning"))
        sigma = np.where(kind, p.ai.exploration, p.human.exploration)
        surprise = reward - baseline[maker]
        tried = own("posts", "tried")[rows]
        for k, (name, low) in enumerate(zip(PUBLISHED, (0, 0, -1), strict=True)):
            step = rate * sigma * per_creator(surprise * tried[:, k]) / n
            own("creators", name)[some] = np.clip(own("creators", name)[some] + step, low, 1)
        keep = p.baseline_memory
        baseline[some] = keep * baseline[some] + (1 - keep) * mean
        own("creators", "reach")[some] = reach
        target = expit(p.aspiration_effect * np.log((1 + reach) / (1 + aspiration[some])))
        own("creators", "morale")[some] += p.morale_rate * (target - own("creators", "morale")[some])
        keep = p.aspiration_memory
        aspiration[some] = keep * aspiration[some] + (1 - keep) * reach
        earned = np.bincount(maker, weights=pay, minlength=size)
        own("creators", "income")[:] += (earned - own("creators", "income")) / 28
        accrual = np.where(own("creators", "ai"), self.lever("ai.accrual"), self.lever("human.accrual"))
        liked = np.bincount(maker, weights=likes, minlength=size)
        own("creators", "reputation")[:] = p.reputation_memory * own("creators", "reputation") + accrual * liked
        if likes.sum() > 0:
            trend = (own("posts", "content")[rows] * likes[:, None]).sum(0, dtype=float)
            self.keep["trend"] = trend / max(float(np.linalg.norm(trend)), 1e-12)
            follow = np.where(own("creators", "ai"), self.lever("ai.trend_following"), self.lever("human.trend_following"))
            moving = np.flatnonzero((follow > 0) & own("creators", "active"))
            niche = own("creators", "niche")[moving] * (1 - follow[moving, None]) + follow[moving, None] * self.keep["trend"]
            own("creators", "niche")[moving] = niche / np.maximum(np.linalg.norm(niche, axis=1, keepdims=True), 1e-12)
        self.keep["settled_reach"], self.keep["settled_ai"] = views.astype(np.int64), ai.copy()

    def turnover(self) -> None:
        """Humans quit or follow their person out; newcomers of both kinds begin."""
        p, own, now = self.p, self.mine, self.world.now
        day = now // DAY
        held = int(self.world.service("oldest_held")())
        gone = self.read("creators", "alive") & (own("creators", "left_at") < min(held - p.settle_after, now - 3 * DAY))
        still = np.zeros(len(gone), bool)
        still[self.read("posts", "creator")[self.read("posts", "alive")]] = True
        self.world.release("creators", np.flatnonzero(gone & ~still))
        active, person = own("creators", "active"), own("creators", "person")
        human = np.flatnonzero(active & ~own("creators", "ai"))
        u = self.uniforms("quit", self.read("creators", "key")[human], day)[:, 0]
        chance = p.quit * np.exp(p.quit_effect * (0.5 - own("creators", "morale")[human]))
        here = self.read("consumers", "active")[np.maximum(person[human], 0)] | (person[human] < 0)
        out = human[(u < chance) | ~here]
        active[out] = False
        own("creators", "left_at")[out] = now
        own("creators", "next_at")[out] = NEVER
        person[out] = -1
        self.keep["made"][0, 2] += len(out)
        for kind, name in enumerate(KINDS):
            rate = float(self.lever(f"{name}.arrivals"))
            u = self.uniforms(f"arrivals.{name}", np.array([day], np.uint64))[0, :1]
            count = int(np.ceil(pdtrik(u[0], rate))) if rate > 0 else 0
            persons = self._persons(count) if kind == 0 else np.full(count, -1)
            self._enter(kind, len(persons), persons)

    def measure(self) -> None:
        """Read both kinds of creators."""
        board, own, made = self.world.board, self.mine, self.keep["made"]
        active, ai = own("creators", "active"), own("creators", "ai")
        for kind, name in enumerate(KINDS):
            who = active & (ai == bool(kind))
            board.set("posts", made[kind, 1], by=name)
            board.set("creator_entries", made[kind, 0], by=name)
            board.set("creator_exits", made[kind, 2], by=name)
            board.set("creators_active", int(who.sum()), by=name)
            settled = self.keep["settled_reach"][self.keep["settled_ai"] == bool(kind)]
            board.set("reach_per_post", float(settled.mean()) if len(settled) else 0.0, by=name)
            for metric, column in (("creator_income", "income"), ("creator_arousal", "arousal"),
                                   ("creator_comprehensiveness", "comprehensiveness"), ("reputation_mean", "reputation")):
                values = own("creators", column)[who]
                board.set(metric, float(values.mean(dtype=float)) if len(values) else 0.0, by=name)
        human = active & ~ai
        morale = own("creators", "morale")[human]
        board.set("creator_morale", float(morale.mean(dtype=float)) if len(morale) else 0.0)
        board.set_all("creator_morale_spread", np.bincount(np.clip((morale * 10).astype(int), 0, 9), minlength=10).astype(float))
        board.set("creator_slant_spread", float(own("creators", "slant")[active].std(dtype=float)) if active.any() else 0.0)
        board.set("creator_income_gini", gini(own("creators", "income")[active].astype(float)))
        seen = self.keep["settled_reach"]
        board.set("item_popularity_gini", gini(seen[seen > 0].astype(float)))
        edges = np.array(board.metrics["post_reach"].edges)
        board.set_all("post_reach", np.bincount(np.searchsorted(edges, self.keep["settled_reach"], "right") - 1,
                                                minlength=len(edges)).astype(float))
        board.set("posts_top_share", top_share(own("creators", "posts_made")[human].astype(float), 0.1))
