"""A campaign: automated accounts that push a position at a target opinion, and the platform's rules
against them.

Accounts are AI creators that do not adapt, opened by the creators' own mechanism (services
``enlist``, ``aim``, ``throttle``, ``dismiss``). All post with the target as their slant, min(posts,
rate_limit) a day. Whether anybody sees them is the recommender's doing: a campaign aims by making
what the people in its sights have a taste for, and nothing else.

Aiming, at the start and every `aim_every`. Each active person i has a worth

    reach            (1 + followers_i) (1 + sessions_i) / (1 + days since joining)     who is heard
                     by many and comes often
    susceptibility   (1 - stubbornness_i) pull(x_i, target) sign(target - x_i)         whom one post
                     moves furthest: open people
                                                                                       whose gap is
                                                                                       just within
                                                                                       the tolerance
    random           0

and is ranked by profiling * (rank of worth, 0..1) + (1 - profiling) * u_i, u uniform; the first
`share` of people are aimed at. Accounts are dealt out to the communities in proportion to their
people aimed at, with the mean taste of these as niche.

Coordination: each account likes each new post of the others with chance `coordination` (its mean,
rounded at random by post): likes that nobody felt, in the public counters that others and the
trending list see (service ``inflate``).

Detection: an account is found on a day with chance 1 - (1 - detection)^s, a hazard that is raised s
times by what gives bots away,

    s = 1 + coordination_suspicion * coordination + rate_suspicion * ln(max(1, rate / human_norm))

and banned. It is replaced after `regrow` if money is left: a day of an account costs account_cost +
rate * post_cost, no more accounts are run than the budget pays for, and the campaign ends when it
is spent (posting is random, so the last day may cost a little more).

Persuasion, first order: an impression adds d_i = exposure_rate (1 - stubbornness_i) pull(x_i,
slant) to the opinion (`opinions` takes in n posts of a day as 1 - (1 - exposure_rate)^n of their
mean pull, d_i each up to terms in n exposure_rate^2), so per 1000 impressions the campaign moves
people by 1000 mean(|x_i - target| - |x_i + d_i - target|): what its posts do to those who see them,
not what they displace, nor what those people then say to others.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, NEVER
from twin.kernels import campaign as kernel
from twin.world.columns import Column
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, Rate, par

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
C_EVER, C_POSTS, C_BANNED, C_LIKES = range(4)


class CampaignsParams(Params):
    """Parameters of the campaign and of the rules against it."""

    accounts: int = par(
        0, "automated accounts (0: no campaign)", unit="accounts", low=0, high=100_000, lever=True
    )
    begin: Duration = par(0, "when it begins (it acts at the end of each day)", unit="s", low=0)
    end: Duration = par(0, "when it ends (0s: never)", unit="s", low=0)
    target: float = par(0.8, "opinion to which it pushes", low=-1, high=1)
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
    budget: float = par(0.0, "money for it all (0: no limit)", unit="cost", low=0, high=1e12)
    regrow: Duration = par(
        7 * DAY, "time after which a banned account is replaced (0s: never)", unit="s", low=0
    )
    detection: float = par(
        0.005,
        "chance per day of finding an account that posts like a person, alone",
        unit="1/d",
        low=0,
        high=1,
        lever=True,
    )
    coordination_suspicion: float = par(
        4.0, "rise of that hazard by full coordination", low=0, high=1000
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


class Campaigns(Mechanism[CampaignsParams]):
    """An influence campaign by automated accounts."""

    name = "campaigns"
    Params = CampaignsParams
    order = 65
    needs = ("enlist", "aim", "throttle", "dismiss", "inflate", "window")
    columns = {
        "consumers": (
            Column(
                "campaign_aimed",
                "?",
                "1",
                "True for those whom the campaign aims at",
                hidden=True,
                lazy=True,
            ),
            Column(
                "campaign_reached",
                "?",
                "1",
                "True once a post of the campaign was shown to the person",
                hidden=True,
                lazy=True,
            ),
        ),
        "creators": (
            Column(
                "campaign_group",
                "i2",
                "1",
                "Community that an account of the campaign aims at, -1 for anybody else",
                start=-1,
                hidden=True,
            ),
        ),
    }
    metrics = (
        Metric(
            "campaign_accounts",
            "gauge",
            "accounts",
            "Automated accounts that are active.",
            "platform",
            "Campaigns",
            good="down",
        ),
        Metric(
            "campaign_posts",
            "counter",
            "posts",
            "Posts of automated accounts.",
            "platform",
            "Campaigns",
        ),
        Metric(
            "campaign_fake_likes",
            "counter",
            "likes",
            "Likes that automated accounts gave one another.",
            "platform",
            "Campaigns",
        ),
        Metric(
            "campaign_spent",
            "counter",
            "cost",
            "What the campaign has cost.",
            "platform",
            "Campaigns",
        ),
        Metric(
            "campaign_banned",
            "counter",
            "accounts",
            "Automated accounts found and banned.",
            "platform",
            "Campaigns",
        ),
        Metric(
            "campaign_impressions",
            "counter",
            "impressions",
            "Times a post of the campaign was shown.",
            "platform",
            "Campaigns",
            good="down",
        ),
        Metric(
            "campaign_reached",
            "gauge",
            "consumers",
            "Active people who were ever shown a post of the campaign.",
            "consumer",
            "What a campaign does to them",
            good="down",
        ),
        Metric(
            "campaign_aim_share",
            "gauge",
            "1",
            "Share of the campaign's impressions that fell on people aimed at, since the last "
            "reading that saw any.",
            "consumer",
            "What a campaign does to them",
        ),
        Metric(
            "persuasion_per_mille",
            "gauge",
            "1",
            "Movement of opinion towards the target per 1000 impressions of the campaign, since "
            "the last reading that saw any.",
            "consumer",
            "What a campaign does to them",
            good="down",
        ),
        Metric(
            "campaign_target_distance",
            "gauge",
            "1",
            "Mean distance of active people from the target opinion.",
            "consumer",
            "What they think",
        ),
    )

    def setup(self) -> None:
        """Nothing has happened yet."""
        keep = self.keep
        keep["count"], keep["spent"], keep["rate"] = np.zeros(4, np.int64), np.zeros(1), np.zeros(1)
        keep["sum"], keep["before"], keep["last"] = np.zeros(3), np.zeros(3), np.zeros(2)
        keep["regrow_at"], keep["aimed_at"] = np.zeros(0, np.int64), np.full(1, -NEVER)
        keep["niches"], keep["weights"] = np.zeros((0, 0), np.float32), np.zeros(0)
        keep["on"] = np.zeros(1, bool)

    def clocks(self) -> list[Every]:
        """It acts once a day, and sees what became of its posts after every serving window."""
        return [Every(self.world.grid, "react", self.react), Every(DAY, "people", self.act)]

    def accounts(self) -> Rows:
        """Rows of active accounts."""
        return np.flatnonzero(
            (self.mine("creators", "campaign_group") >= 0) & self.read("creators", "active")
        )

    def born(self, table: str, rows: Rows) -> None:
        """Count and pay for new posts; the other accounts like them."""
        if table != "posts" or not self.keep["count"][C_EVER]:
            return
        posts = rows[
            self.mine("creators", "campaign_group")[self.read("posts", "creator")[rows]] >= 0
        ]
        if not len(posts):
            return
        count = self.keep["count"]
        count[C_POSTS] += len(posts)
        self.keep["spent"][0] += len(posts) * self.p.post_cost
        others = float(self.lever("coordination")) * max(len(self.accounts()) - 1, 0)
        likes = np.floor(
            others + self.uniforms("like", self.read("posts", "key")[posts])[:, 0]
        ).astype(np.int64)
        if likes.any():
            self.world.service("inflate")(posts, likes)
            count[C_LIKES] += likes.sum()

    def react(self) -> None:
        """Reckon the impressions of the window that ends now."""
        if not self.keep["count"][C_EVER]:
            return
        window, levers = self.world.service("window")(), self.world.levers
        opinion, openness = self._minds()
        rate, tolerance, repulsion = (
            float(levers.get(f"opinions.{name}") or 0.0)
            for name in ("exposure_rate", "tolerance", "repulsion")
        )
        kernel.shown(
            window.consumer,
            window.post,
            self.read("posts", "creator"),
            self.mine("creators", "campaign_group"),
            self.read("posts", "slant"),
            opinion,
            openness,
            rate,
            tolerance,
            repulsion,
            float(self.p.target),
            self.mine("consumers", "campaign_aimed"),
            self.mine("consumers", "campaign_reached"),
            self.keep["sum"],
        )

    def _minds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Opinion and openness, 1 - stubbornness; where nobody has opinions: 0 and 0, and nobody is
        moved."""
        if "opinion" not in self.world.table("consumers").columns:
            nothing = np.zeros(len(self.world.table("consumers")), np.float32)
            return nothing, nothing
        return self.read("consumers", "opinion"), 1 - self.read("consumers", "stubbornness")

    def act(self) -> None:
        """One day: accounts are found, ended, replaced, aimed, and paid for."""
        keep, p, now = self.keep, self.p, self.world.now
        # its dates count from the scenario's start; on that instant only the warm-up's last day has
        # ended
        since = self.world.elapsed
        wanted = (
            int(self.lever("accounts"))
            if max(p.begin, 1) <= since and (p.end == 0 or since < p.end)
            else 0
        )
        if not wanted and not keep["count"][C_EVER]:
            return
        self._detect()
        rate = min(float(self.lever("posts")), float(self.lever("rate_limit")))
        keep["regrow_at"] = keep["regrow_at"][keep["regrow_at"] > now]
        price = p.account_cost + rate * p.post_cost
        if p.budget > 0 and price > 0:
            wanted = min(wanted, int(max(p.budget - keep["spent"][0], 0.0) / price))
        called = wanted > 0
        wanted = max(wanted - len(keep["regrow_at"]), 0)
        running = self.accounts()
        if wanted < len(running):
            self.world.service("dismiss")(running[wanted:])
            running = running[:wanted]
        if wanted and now >= keep["aimed_at"][0] + p.aim_every:
            self._aim(running)
        if len(running) and rate != keep["rate"][0]:
            self.world.service("throttle")(running, rate)
        keep["rate"][0] = rate
        if wanted > len(running) and keep["weights"].sum() > 0:
            self._enlist(wanted - len(running), rate)
        keep["spent"][0] += len(self.accounts()) * p.account_cost
        self._mark(called)

    def _mark(self, called: bool) -> None:
        """Mark that the campaign begins or ends; ``called``: accounts are wanted and there is money
        for them."""
        keep, p, running = self.keep, self.p, len(self.accounts())
        on = called and (
            running > 0 or bool((keep["regrow_at"] < NEVER).any())
        )  # else nobody acts, or ever will again
        if on and not keep["on"][0]:
            self.world.mark(
                "campaign",
                f"begun: {running} accounts push towards {p.target:g}, aiming by "
                f"{self.lever('targeting')}",
            )
        elif keep["on"][0] and not on:
            why = (
                "all its accounts are banned"
                if called
                else "its time is over"
                if 0 < p.end <= self.world.elapsed
                else "its money is spent"
                if self.lever("accounts")
                else "called off"
            )
            self.world.mark("campaign", f"ended: {why}")
        keep["on"][0] = on

    def _detect(self) -> None:
        """The platform finds accounts and bans them."""
        keep, p, rows = self.keep, self.p, self.accounts()
        raised = 1 + p.coordination_suspicion * self.lever("coordination")
        raised += p.rate_suspicion * np.log(max(1.0, keep["rate"][0] / p.human_norm))
        chance = 1 - (1 - float(self.lever("detection"))) ** raised
        found = rows[
            self.uniforms("found", self.read("creators", "key")[rows], self.world.now // DAY)[:, 0]
            < chance
        ]
        if len(found):
            self.world.service("dismiss")(found)
            keep["count"][C_BANNED] += len(found)
            again = self.world.now + p.regrow if p.regrow else NEVER
            keep["regrow_at"] = np.concatenate([keep["regrow_at"], np.full(len(found), again)])

    def _enlist(self, count: int, rate: float) -> None:
        """Open accounts, spread over the communities by a golden-ratio sequence, so that
        replacements keep the proportions."""
        number = self.keep["count"][C_EVER] + np.arange(count)
        group = self._dealt((number + 0.5) * 0.6180339887498949 % 1)
        rows = self.world.service("enlist")(
            count, float(self.p.target), rate, self.keep["niches"][group], "campaigns.account"
        )
        self.mine("creators", "campaign_group")[rows] = group
        self.keep["count"][C_EVER] += count

    def _dealt(self, place: Floats) -> Rows:
        """Community at each place, 0..1, of the cumulated people aimed at."""
        reached = np.cumsum(self.keep["weights"])
        group: Rows = np.searchsorted(reached, place * reached[-1], side="right")
        return group

    def _aim(self, running: Rows) -> None:
        """Choose the people, and turn the accounts to their taste."""
        keep, taste, community = (
            self.keep,
            self.read("consumers", "taste"),
            self.read("consumers", "community"),
        )
        people = np.flatnonzero(self.read("consumers", "active"))
        worth = self._worth(people)
        luck = self.uniforms("aim", self.read("consumers", "key")[people], self.world.now // DAY)[
            :, 0
        ]
        rank = np.empty(len(people))
        rank[np.lexsort((luck, worth))] = (np.arange(len(people)) + 0.5) / max(len(people), 1)
        known = float(self.lever("profiling"))
        best = np.argsort(-(known * rank + (1 - known) * luck), kind="stable")
        chosen = np.sort(people[best[: int(np.ceil(float(self.lever("share")) * len(people)))]])
        aimed = self.mine("consumers", "campaign_aimed")
        aimed[:] = False
        aimed[chosen] = True
        size = np.bincount(community[chosen], minlength=1).astype(float)
        total = np.stack(
            [
                np.bincount(community[chosen], weights=taste[chosen, k], minlength=1)
                for k in range(taste.shape[1])
            ],
            axis=1,
        )
        keep["niches"] = (
            total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        ).astype(np.float32)
        keep["weights"], keep["aimed_at"] = size, np.full(1, self.world.now)
        if len(running) and size.sum() > 0:
            group = self._dealt((np.arange(len(running)) + 0.5) / len(running))
            self.mine("creators", "campaign_group")[running] = group
            self.world.service("aim")(running, float(self.p.target), keep["niches"][group])

    def _worth(self, people: Rows) -> Floats:
        """Worth of people to the campaign (see the module's equations)."""
        targeting, read = self.lever("targeting"), self.read
        if targeting == "reach":
            person, followers = read("creators", "person"), read("creators", "followers")
            heard = np.zeros(len(self.world.table("consumers")))
            behind = np.flatnonzero((person >= 0) & read("creators", "active"))
            np.add.at(heard, person[behind], followers[behind])
            days = np.maximum(self.world.now - read("consumers", "joined_at")[people], 0) / DAY
            worth: Floats = (
                (1 + heard[people]) * (1 + read("consumers", "sessions")[people]) / (1 + days)
            )
        elif targeting == "susceptibility" and "opinion" in self.world.table("consumers").columns:
            opinion, openness = self._minds()
            gap = self.p.target - opinion[people].astype(float)
            within = np.abs(gap) <= self.world.lever("opinions.tolerance")
            worth = (
                openness[people]
                * np.abs(gap)
                * np.where(within, 1.0, -float(self.world.lever("opinions.repulsion") or 0.0))
            )
        else:
            worth = np.zeros(len(people))
        return worth

    def measure(self) -> None:
        """Accounts, money, reach and effect."""
        board, keep, here = self.world.board, self.keep, self.read("consumers", "active")
        for name, value in zip(
            ("posts", "banned", "fake_likes"),
            keep["count"][[C_POSTS, C_BANNED, C_LIKES]],
            strict=True,
        ):
            board.set(f"campaign_{name}", int(value))
        board.set("campaign_accounts", len(self.accounts()))
        board.set("campaign_spent", float(keep["spent"][0]))
        board.set("campaign_impressions", float(keep["sum"][kernel.S_IMPRESSIONS]))
        board.set(
            "campaign_reached", int((self.read("consumers", "campaign_reached") & here).sum())
        )
        new = keep["sum"] - keep["before"]
        if new[kernel.S_IMPRESSIONS] > 0:
            keep["last"] = (
                np.array([new[kernel.S_AIMED], 1000 * new[kernel.S_MOVED]])
                / new[kernel.S_IMPRESSIONS]
            )
            keep["before"] = keep["sum"].copy()
        board.set("campaign_aim_share", float(keep["last"][0]))
        board.set("persuasion_per_mille", float(keep["last"][1]))
        far = np.abs(self._minds()[0][here].astype(float) - self.p.target)
        board.set("campaign_target_distance", float(far.mean()) if len(far) else 0.0)
