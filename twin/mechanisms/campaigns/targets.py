"""Whom a campaign aims at, and what each account makes to reach them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, NEVER
from twin.mechanisms.campaigns.params import CampaignsParams
from twin.world.mechanism import Mechanism

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
GOLDEN = 0.6180339887498949
"""Multiples of the golden ratio, modulo 1, spread evenly however many there are."""


class Targets:
    """Ranks people, and deals accounts out to their communities."""

    def __init__(self, mechanism: Mechanism[CampaignsParams]) -> None:
        self.m, self.keep, self.p = mechanism, mechanism.keep, mechanism.p

    def setup(self) -> None:
        """Nobody is aimed at."""
        # long ago: the first aim is due at once
        self.keep["aimed_at"] = np.full(1, -NEVER)
        self.keep["niches"], self.keep["weights"] = np.zeros((0, 0), np.float32), np.zeros(0)

    @property
    def due(self) -> bool:
        """Whether it is time to aim again."""
        return bool(self.m.world.now >= self.keep["aimed_at"][0] + self.p.aim_every)

    @property
    def found(self) -> bool:
        """Whether anybody is aimed at."""
        return bool(self.keep["weights"].sum() > 0)

    def groups(self, first: int, count: int) -> Rows:
        """Communities of the accounts from number ``first`` on: a golden-ratio sequence, so that
        replacements keep the proportions."""
        place = (first + np.arange(count, dtype=np.float64) + 0.5) * GOLDEN % 1
        return self._dealt(place)

    def niches(self, group: Rows) -> NDArray[np.float32]:
        """Mean taste of the people aimed at in these communities, f4 (n, L) unit vectors."""
        made: NDArray[np.float32] = self.keep["niches"][group]
        return made

    def aim(self, running: Rows) -> Rows:
        """Choose the people, and deal the ``running`` accounts out to them: their communities, empty
        where nobody is aimed at."""
        read, now = self.m.read, self.m.world.now
        taste, community = read("consumers", "taste"), read("consumers", "community")
        chosen = self._chosen(np.flatnonzero(read("consumers", "active")))
        aimed = self.m.mine("consumers", "campaign_aimed")
        aimed[:] = False
        aimed[chosen] = True
        # mean taste of the people aimed at in each community, up to its length
        size = np.bincount(community[chosen], minlength=1).astype(float)
        total = np.stack(
            [
                # bincount takes one weight a person: one dimension of taste after another
                np.bincount(community[chosen], weights=taste[chosen, k], minlength=1)
                for k in range(taste.shape[1])
            ],
            axis=1,
        )
        # a community without people aimed at has no direction; no account is dealt to it
        length = np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        self.keep["niches"] = (total / length).astype(np.float32)
        self.keep["weights"], self.keep["aimed_at"] = size, np.full(1, now)
        if not len(running) or not self.found:
            return running[:0]
        # evenly spaced places give each community its share, to within one account
        return self._dealt((np.arange(len(running)) + 0.5) / len(running))

    def minds(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Opinion and openness, 1 - stubbornness, of all people; 0 and 0, so that nobody is moved,
        in a world without opinions."""
        people = self.m.world.table("consumers")
        if "opinion" not in people.columns:
            nothing = np.zeros(len(people), np.float32)
            return nothing, nothing
        return self.m.read("consumers", "opinion"), 1 - self.m.read("consumers", "stubbornness")

    def _dealt(self, place: Floats) -> Rows:
        """Community at each place, 0..1, of the cumulated people aimed at."""
        reached = np.cumsum(self.keep["weights"])
        # right: a community without people aimed at takes no place of the cumulated sum
        group: Rows = np.searchsorted(reached, place * reached[-1], side="right")
        return group

    def _chosen(self, people: Rows) -> Rows:
        """The best share of people by worth, as far as it is known, in the order of rows."""
        worth, day = self._worth(people), self.m.world.now // DAY
        luck = self.m.uniforms("aim", self.m.read("consumers", "key")[people], day)[:, 0]
        rank = np.empty(len(people))
        # ties by luck: with equal worth (random targeting) the ranks are a random order
        rank[np.lexsort((luck, worth))] = (np.arange(len(people)) + 0.5) / max(len(people), 1)
        known, share = float(self.m.lever("profiling")), float(self.m.lever("share"))
        best = np.argsort(-(known * rank + (1 - known) * luck), kind="stable")
        # back to the order of rows, in which the sums of `aim` run
        chosen: Rows = np.sort(people[best[: int(np.ceil(share * len(people)))]])
        return chosen

    def _worth(self, people: Rows) -> Floats:
        """Worth of people to the campaign (see the equations of `twin.mechanisms.campaigns`)."""
        targeting = self.m.lever("targeting")
        if targeting == "reach":
            return self._reach(people)
        # in a world without opinions nobody is known to be susceptible: aim is random
        known = "opinion" in self.m.world.table("consumers").columns
        if targeting == "susceptibility" and known:
            return self._susceptibility(people)
        return np.zeros(len(people))

    def _reach(self, people: Rows) -> Floats:
        """Who is followed by many and comes often."""
        read, world = self.m.read, self.m.world
        person, followers = read("creators", "person"), read("creators", "followers")
        heard = np.zeros(len(world.table("consumers")))
        # a person is followed as the creator that they are; AI creators have no person
        behind = np.flatnonzero((person >= 0) & read("creators", "active"))
        np.add.at(heard, person[behind], followers[behind])
        days = np.maximum(world.now - read("consumers", "joined_at")[people], 0) / DAY
        worth: Floats = (
            (1 + heard[people]) * (1 + read("consumers", "sessions")[people]) / (1 + days)
        )
        return worth

    def _susceptibility(self, people: Rows) -> Floats:
        """Whom one post moves furthest towards the target."""
        opinion, openness = self.minds()
        gap = self.p.target - opinion[people].astype(float)
        levers = self.m.world.lever
        within = np.abs(gap) <= levers("opinions.tolerance")
        # beyond the tolerance a post repels: a negative worth puts these people last
        pull = np.where(within, 1.0, -float(levers("opinions.repulsion") or 0.0))
        worth: Floats = openness[people] * np.abs(gap) * pull
        return worth
