"""A campaign: automated accounts that push a position at a target opinion, and the platform's rules
against them.

Accounts are AI creators that do not adapt, opened by the creators' own mechanism (services
``enlist``, ``aim``, ``throttle``, ``dismiss``). All post with the target as their slant, min(posts,
rate_limit) a day. Only the recommender decides who sees them: a campaign aims by posting about
subjects for which the people aimed at have a taste, and in no other way.

Aiming, at the start and every `aim_every`. Each active person i has a worth

    reach            (1 + followers_i) (1 + sessions_i) / (1 + days since joining)     who is
                                                                                       followed by
                                                                                       many and
                                                                                       comes often
    susceptibility   (1 - stubbornness_i) pull(x_i, target) sign(target - x_i)         whom one post
                                                                                       moves
                                                                                       furthest:
                                                                                       open people
                                                                                       whose gap is
                                                                                       just within
                                                                                       the tolerance
    random           0

and is ranked by profiling * (rank of worth, 0..1) + (1 - profiling) * u_i, u uniform; the first
`share` of people are aimed at. Accounts are dealt out to the communities in proportion to their
people aimed at, with the mean taste of these as niche.

Coordination: each account likes each new post of the others with chance `coordination` (its mean,
rounded at random by post). Nobody felt these likes, but they are in the public counters that others
and the trending list see (service ``inflate``).

Detection: an account is found on a day with chance 1 - (1 - detection)^s, a hazard that is raised s
times by what gives bots away,

    s = 1 + coordination_suspicion * coordination + rate_suspicion * ln(max(1, rate / human_norm))

and banned. It is replaced after `regrow` if money is left: a day of an account costs account_cost +
rate * post_cost, no more accounts are run than the budget pays for, and the campaign ends when it
is spent (posting is random, so the last day may cost a little more).

Persuasion, first order: an impression adds d_i = exposure_rate (1 - stubbornness_i) pull(x_i,
slant) to the opinion. (`opinions` takes in n posts of a day as 1 - (1 - exposure_rate)^n of their
mean pull, d_i each up to terms in n exposure_rate^2.) So per 1000 impressions the campaign moves
people by 1000 mean(|x_i - target| - |x_i + d_i - target|). This is the effect of its posts on those
who see them; it leaves out the posts that they displace and what those people then say to others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, NEVER
from twin.kernels import campaign as kernel
from twin.mechanisms.campaigns.declared import CONSUMERS, CREATORS, METRICS
from twin.mechanisms.campaigns.params import CampaignsParams
from twin.mechanisms.campaigns.targets import Targets
from twin.world.mechanism import Every, Mechanism
from twin.world.state import World

__all__ = ["Campaigns", "CampaignsParams"]

Rows = NDArray[np.int64]
COUNTS = np.dtype([("ever", "i8"), ("posts", "i8"), ("banned", "i8"), ("likes", "i8")])
"""Accounts ever opened, their posts, accounts banned, likes among accounts."""
LAST = np.dtype([("campaign_aim_share", "f8"), ("persuasion_per_mille", "f8")])
"""Metrics that keep the value of the last reading that saw an impression."""


class Campaigns(Mechanism[CampaignsParams]):
    """An influence campaign by automated accounts."""

    name = "campaigns"
    Params = CampaignsParams
    order = 65
    reads = {
        "consumers": (
            "active",
            "community",
            "joined_at",
            "opinion",
            "sessions",
            "stubbornness",
            "taste",
        ),
        "creators": ("active", "followers", "person"),
        "posts": ("creator", "slant"),
    }
    heeds = ("opinions.exposure_rate", "opinions.repulsion", "opinions.tolerance")
    needs = ("enlist", "aim", "throttle", "dismiss", "inflate", "window")
    columns = {"consumers": CONSUMERS, "creators": CREATORS}
    metrics = METRICS

    def __init__(self, params: CampaignsParams, world: World) -> None:
        super().__init__(params, world)
        self.targets = Targets(self)

    def setup(self) -> None:
        """Nothing has happened yet."""
        keep = self.keep
        keep["count"] = np.zeros(1, COUNTS).view(np.int64)
        keep["spent"], keep["rate"] = np.zeros(1), np.zeros(1)
        for name in ("sum", "before"):
            keep[name] = np.zeros(1, kernel.SUMS).view(np.float64)
        keep["last"] = np.zeros(1, LAST).view(np.float64)
        keep["regrow_at"] = np.zeros(0, np.int64)
        keep["on"] = np.zeros(1, bool)
        self.targets.setup()

    def clocks(self) -> list[Every]:
        """It acts once a day, and sees what became of its posts after every serving window."""
        return [Every(self.world.grid, "react", self.react), Every(DAY, "people", self.act)]

    @property
    def count(self) -> np.void:
        """What has been counted, a record of COUNTS that may be written to."""
        counted: np.void = self.keep["count"].view(COUNTS)[0]
        return counted

    def accounts(self) -> Rows:
        """Rows of active accounts."""
        return np.flatnonzero(
            (self.mine("creators", "campaign_group") >= 0) & self.read("creators", "active")
        )

    def born(self, table: str, rows: Rows) -> None:
        """Count and pay for new posts; the other accounts like them."""
        if table != "posts" or not self.count["ever"]:
            return
        group = self.mine("creators", "campaign_group")
        posts = rows[group[self.read("posts", "creator")[rows]] >= 0]
        if not len(posts):
            return
        count = self.count
        count["posts"] += len(posts)
        self.keep["spent"][0] += len(posts) * self.p.post_cost
        others = float(self.lever("coordination")) * max(len(self.accounts()) - 1, 0)
        # rounded up with the chance of the fraction, which keeps the mean of every post
        luck = self.uniforms("like", self.read("posts", "key")[posts])[:, 0]
        likes = np.floor(others + luck).astype(np.int64)
        if likes.any():
            self.world.service("inflate")(posts, likes)
            count["likes"] += likes.sum()

    def react(self) -> None:
        """Count the impressions of the window that ends now."""
        if not self.count["ever"]:
            return
        window, levers = self.world.service("window")(), self.world.levers
        # opinions move once a day, in a later phase: these held throughout the window
        opinion, openness = self.targets.minds()
        kernel.shown(
            window.consumer,
            window.post,
            self.filled(
                kernel.Posts, "posts", campaign_group=self.mine("creators", "campaign_group")
            ),
            self.filled(kernel.People, "consumers", opinion=opinion, openness=openness),
            kernel.Persuasion(
                **{
                    # without the mechanism of opinions there are no such levers: nobody is moved
                    name: float(levers.get(f"opinions.{name}") or 0.0)
                    for name in kernel.Persuasion._fields
                }
            ),
            # arm 0: a campaign's own parameters do not differ between people
            self.settings()[0],
            self.keep["sum"].view(kernel.SUMS)[0],
        )

    def act(self) -> None:
        """One day: accounts are found, ended, replaced, aimed, and paid for."""
        keep, p, now = self.keep, self.p, self.world.now
        # its dates count from the scenario's start; on that instant only the warm-up's last day has
        # ended
        since = self.world.elapsed
        runs = max(p.begin, 1) <= since and (p.end == 0 or since < p.end)
        wanted = int(self.lever("accounts")) if runs else 0
        # never begun: no service is asked, and nothing changes
        if not wanted and not self.count["ever"]:
            return
        # at the rate of the day that ends, before a new one is set; bans make room below
        self._detect()
        rate = min(float(self.lever("posts")), float(self.lever("rate_limit")))
        # whose time has come is no longer waited for: the place may be filled again
        keep["regrow_at"] = keep["regrow_at"][keep["regrow_at"] > now]
        # no more accounts than the money left buys for one day
        price = p.account_cost + rate * p.post_cost
        if p.budget > 0 and price > 0:
            wanted = min(wanted, int(max(p.budget - keep["spent"][0], 0.0) / price))
        # before the places of banned accounts are set aside: waiting for replacements is no end
        called = wanted > 0
        wanted = max(wanted - len(keep["regrow_at"]), 0)
        running = self.accounts()
        # too many: dismissed, which is no ban and is not replaced
        if wanted < len(running):
            self.world.service("dismiss")(running[wanted:])
            running = running[:wanted]
        # before accounts are opened, since they are dealt out to the people aimed at
        if wanted and self.targets.due:
            self._aim(running)
        # only on a change: throttling stretches what is left of every gap between posts
        if len(running) and rate != keep["rate"][0]:
            self.world.service("throttle")(running, rate)
        keep["rate"][0] = rate
        # nobody aimed at, no account: it would have no niche
        if wanted > len(running) and self.targets.found:
            self._enlist(wanted - len(running), rate)
        # accounts that are open tonight are paid for the day to come
        keep["spent"][0] += len(self.accounts()) * p.account_cost
        self._mark(called)

    def _aim(self, running: Rows) -> None:
        """Choose the people anew, and turn the accounts to their taste."""
        group = self.targets.aim(running)
        if len(group):
            self.mine("creators", "campaign_group")[running] = group
            self.world.service("aim")(running, float(self.p.target), self.targets.niches(group))

    def _enlist(self, count: int, rate: float) -> None:
        """Open accounts, spread over the communities of the people aimed at."""
        # numbered over the whole campaign, so that replacements continue the same sequence
        group = self.targets.groups(int(self.count["ever"]), count)
        rows = self.world.service("enlist")(
            count, float(self.p.target), rate, self.targets.niches(group), "campaigns.account"
        )
        self.mine("creators", "campaign_group")[rows] = group
        self.count["ever"] += count

    def _detect(self) -> None:
        """The platform finds accounts and bans them."""
        keep, p, rows = self.keep, self.p, self.accounts()
        # s of the equation, then the chance of a day
        raised = 1 + p.coordination_suspicion * self.lever("coordination")
        raised += p.rate_suspicion * np.log(max(1.0, keep["rate"][0] / p.human_norm))
        chance = 1 - (1 - float(self.lever("detection"))) ** raised
        day = self.world.now // DAY
        found = rows[self.uniforms("found", self.read("creators", "key")[rows], day)[:, 0] < chance]
        if len(found):
            self.world.service("dismiss")(found)
            self.count["banned"] += len(found)
            # NEVER holds the place for good: nobody replaces the account
            again = self.world.now + p.regrow if p.regrow else NEVER
            keep["regrow_at"] = np.concatenate([keep["regrow_at"], np.full(len(found), again)])

    def _mark(self, called: bool) -> None:
        """Mark that the campaign begins or ends; ``called``: accounts are wanted and there is money
        for them."""
        keep, p, running = self.keep, self.p, len(self.accounts())
        # without accounts that run or will be replaced nobody acts, or ever will again
        on = called and (running > 0 or bool((keep["regrow_at"] < NEVER).any()))
        if on and not keep["on"][0]:
            self.world.mark(
                "campaign",
                f"begun: {running} accounts push towards {p.target:g}, aiming by "
                f"{self.lever('targeting')}",
            )
        elif keep["on"][0] and not on:
            self.world.mark("campaign", f"ended: {self._why(called)}")
        keep["on"][0] = on

    def _why(self, called: bool) -> str:
        """Why the campaign ends."""
        # accounts are wanted and paid for: only bans without replacement can have ended it
        if called:
            return "all its accounts are banned"
        if 0 < self.p.end <= self.world.elapsed:
            return "its time is over"
        return "its money is spent" if self.lever("accounts") else "called off"

    def measure(self) -> None:
        """Accounts, money, reach and effect."""
        board, keep, count = self.world.board, self.keep, self.count
        here = self.read("consumers", "active")
        board.set("campaign_posts", int(count["posts"]))
        board.set("campaign_banned", int(count["banned"]))
        board.set("campaign_fake_likes", int(count["likes"]))
        board.set("campaign_accounts", len(self.accounts()))
        board.set("campaign_spent", float(keep["spent"][0]))
        board.set("campaign_impressions", float(keep["sum"].view(kernel.SUMS)[0]["impressions"]))
        board.set(
            "campaign_reached", int((self.read("consumers", "campaign_reached") & here).sum())
        )
        # without an impression since the last reading both ratios keep their value
        new = (keep["sum"] - keep["before"]).view(kernel.SUMS)[0]
        if new["impressions"] > 0:
            reading = np.zeros(1, LAST)
            reading["campaign_aim_share"] = new["aimed"] / new["impressions"]
            reading["persuasion_per_mille"] = 1000 * new["moved"] / new["impressions"]
            keep["last"], keep["before"] = reading.view(np.float64), keep["sum"].copy()
        for name in LAST.fields or ():
            board.set(name, float(keep["last"].view(LAST)[0][name]))
        far = np.abs(self.targets.minds()[0][here].astype(float) - self.p.target)
        board.set("campaign_target_distance", float(far.mean()) if len(far) else 0.0)
