"""Who creators are, and how they enter, adopt assistants and quit.

An entrant's arousal and comprehensiveness are centred between the parameter and the mean of active
creators of its kind and community.

    exit   chance per day = q exp(a (1/2 - morale)) ((1 + outside) / (1 + income))^b      (AI:
           without the morale term)
    entry  Poisson, arrivals x min(10, ((1 + mean income of recent entrants) / (1 +
           outside))^elasticity)

Arrivals, where none are given, are as many as leave at the start (`balance`). Income here is its
28-day mean corrected for its start at 0, and is not compared before a week of pay.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrik

from twin.ground.draws import children
from twin.ground.units import DAY, NEVER
from twin.kernels import supply
from twin.mechanisms.creators.declared import MEMORY
from twin.mechanisms.creators.kinds import KINDS, by_kind
from twin.mechanisms.creators.params import CreatorsParams
from twin.mechanisms.creators.timing import Timing
from twin.world.given import Given, overfull, persons_of
from twin.world.given_reading import read_table
from twin.world.mechanism import Mechanism

Ints = NDArray[np.int64]
WEEK = 7
HANDFUL = 5
"""Active creators of a kind and community from which on an entrant looks at what they do."""
MOST_ENTRY = 10.0
SKILL, RATE, AROUSAL, COMPREHENSIVENESS = range(4)
"""Columns of the normals of a new creator."""


class Population:
    """Opens and closes creators; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism[CreatorsParams], timing: Timing) -> None:
        self.m, self.p, self.keep, self.timing = mechanism, mechanism.p, mechanism.keep, timing

    def setup(self) -> None:
        """Open the initial creators: humans are consumers too."""
        m, keep = self.m, self.keep
        keep["made"] = np.zeros((len(KINDS), len(supply.MADE)), np.int64)
        keep["open"] = np.zeros(1, bool)
        communities = len(m.world.service("community_centres")())
        people = np.bincount(
            m.read("consumers", "community")[m.read("consumers", "active")], minlength=communities
        )
        # by people at the start: where AI creators work stays what it was then
        keep["by_size"] = np.argsort(-people, kind="stable")
        keep["people"] = people
        keep["invaded"] = np.zeros(communities, bool)
        keep["invaded"][keep["by_size"][: self.p.ai.communities or communities]] = True
        self._rank_communities()
        nodes = int(m.world.service("graph_nodes")())
        if (makers := self.given()) is not None:
            persons = self._matched(makers, nodes)
        else:
            # an imported graph has its own persons: every node is a creator
            persons = np.arange(nodes) if nodes else self._persons(self.p.human.initial)
        self.enter(0, len(persons), persons)
        self.enter(1, self.p.ai.initial, np.full(self.p.ai.initial, -1))
        # from here on entrants look at who is there already (`_usual`)
        keep["open"][0] = True

    def given(self) -> Given | None:
        """The table of the human creators of the beginning, the first rows in its order; None
        without one."""
        return self._given

    @functools.cached_property
    def _given(self) -> Given | None:
        # once: a run does not look at its files again
        path: str = getattr(self.p, "from")
        return read_table(path, "creators") if path else None

    def _matched(self, makers: Given, nodes: int) -> Ints:
        """The person of each creator of the table: by id, or drawn. Raises ScenarioError."""
        service = self.m.world.has_service("people_given")
        people = self.m.world.service("people_given")() if service else None
        rows = persons_of(makers, people, graph=bool(nodes))
        rows = self._persons(makers.rows) if rows is None else rows
        if len(rows) < makers.rows:
            raise overfull(makers, len(rows))
        return rows

    def _rank_communities(self) -> None:
        """Niche communities: the smaller half by active people."""
        m, count = self.m, len(self.keep["invaded"])
        people = np.bincount(
            m.read("consumers", "community")[m.read("consumers", "active")], minlength=count
        )
        self.keep["niche"] = np.zeros(count, bool)
        self.keep["niche"][np.argsort(-people, kind="stable")[(count + 1) // 2 :]] = True

    def _persons(self, count: int) -> Ints:
        """Active consumers who are not creators yet, drawn at random."""
        m = self.m
        # a copy to mark in: a person is one active creator at most
        free = m.read("consumers", "active").copy()
        persons = m.read("creators", "person")[m.read("creators", "active")]
        free[persons[persons >= 0]] = False
        rows = np.flatnonzero(free)
        luck = m.uniforms("begin", m.read("consumers", "key")[rows], m.world.now // DAY)[:, 0]
        return rows[np.argsort(luck, kind="stable")][:count]

    def enter(self, kind: int, count: int, persons: Ints) -> None:
        """Open creators of one kind."""
        m, made = self.m, self.keep["made"]
        root = np.full(count, m.stream(f"creator.{KINDS[kind]}"))
        # the n-th of its kind, whatever row it gets; numbers are never given twice
        keys = children(root, made[kind, supply.ENTRIES] + np.arange(count))
        made[kind, supply.ENTRIES] += count
        topic = np.full(count, -1)
        if kind == 1 and self.p.ai.communities:
            open_to = self.keep["by_size"][: self.p.ai.communities]
            # by people at the start, each community at least one
            share = np.cumsum(self.keep["people"][open_to] + 1.0)
            luck = m.uniforms("topic", keys)[:, 0] * share[-1]
            topic = open_to[
                # rounding may put the luck at the very end of the sum
                np.minimum(np.searchsorted(share, luck, side="right"), len(open_to) - 1)
            ]
        m.world.add(
            m.name,
            "creators",
            keys,
            ai=np.full(count, kind == 1),
            person=persons[:count],
            topic=topic,
        )

    def born(self, rows: Ints) -> None:
        """Draw who a new creator is."""
        m, p, now, own = self.m, self.p, self.m.world.now, self.m.mine
        keys, ai = m.read("creators", "key")[rows], own("creators", "ai")[rows]
        person, campaign = own("creators", "person")[rows], own("creators", "campaign")[rows]
        normal = m.normals("creator", keys, COMPREHENSIVENESS + 1)
        # a copy by fancy indexing: people's tastes are written into it next
        centre = m.world.service("community_centres")()[m.read("creators", "community")[rows]]
        is_person = person >= 0
        if is_person.any():
            centre[is_person] = m.read("consumers", "taste")[person[is_person]]
        noise = m.normals("niche", keys, 16)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        niche = (1 - p.niche_spread) * centre + p.niche_spread * noise
        niche /= np.linalg.norm(niche, axis=1, keepdims=True)
        # until then only those of the beginning enter, humans first
        given = None if self.keep["open"][0] else self.given()
        own("creators", "niche")[rows] = (
            niche if given is None else given.vector("niche", rows, niche)
        )
        own("creators", "skill")[rows] = (
            by_kind(p, ai, "skill_mean") + by_kind(p, ai, "skill_sd") * normal[:, SKILL]
        )
        spread = by_kind(p, ai, "posts_log_sd")
        # less half the variance: the mean of this lognormal law is posts_mean, before the cap
        rate = by_kind(p, ai, "posts_mean") * np.exp(spread * normal[:, RATE] - spread**2 / 2)
        rate = np.minimum(rate, by_kind(p, ai, "posts_most"))
        if given is not None:
            known = given.known("posts_per_day", rows)
            rate = np.where(np.isnan(known), rate, known)
        own("creators", "rate")[rows] = rate
        for k, (name, place) in enumerate(
            (("arousal", AROUSAL), ("comprehensiveness", COMPREHENSIVENESS))
        ):
            # kept as well: `creators_responding` measures how far they move from it
            start = np.clip(self._usual(rows, name) + p.strategy_sd * normal[:, place], 0, 1)
            own("creators", name)[rows] = own("creators", "entered_with")[rows, k] = start
        spread = by_kind(p, ai, "learning_log_sd")
        # lognormal of mean 1, so that the learning rate is the mean over creators
        own("creators", "responsiveness")[rows] = np.exp(
            spread * m.normal("responsiveness", keys, 0) - spread**2 / 2
        )
        slant = np.clip(p.slant_sd * m.normals("slant", keys, 1)[:, 0], -1, 1)
        if is_person.any() and "opinion" in m.world.table("consumers").columns:
            # people write what they think; others have the slant that was drawn
            slant[is_person] = m.read("consumers", "opinion")[person[is_person]]
        own("creators", "slant")[rows] = slant
        own("creators", "discloses")[rows] = (
            ai & ~campaign & (m.uniforms("discloses", keys)[:, 0] < p.disclosed_share)
        )
        # after `_usual`, which takes the mean over active creators without the new ones
        own("creators", "active")[rows] = True
        own("creators", "entered_at")[rows] = now
        own("creators", "flat_at")[rows] = now / DAY
        self._assist(rows)
        # accounts of campaigns get a rate of their own first (`Accounts.enlist`)
        self.timing.schedule(rows[~campaign])

    def _usual(self, rows: Ints, name: str) -> NDArray[np.float64]:
        """Where a strategy of new creators is centred: the parameter, moved towards active
        creators of their kind and community."""
        own, ai = self.m.mine, self.m.mine("creators", "ai")
        at, community = (
            by_kind(self.p, ai[rows], name),
            self.m.read("creators", "community").astype(np.int64),
        )
        share = np.where(
            own("creators", "campaign")[rows], 0.0, by_kind(self.p, ai[rows], "entry_imitation")
        )
        if not self.keep["open"][0] or not share.any():
            return at
        # community and kind as one number
        group = 2 * community + ai
        there = np.flatnonzero(
            own("creators", "active") & ~own("creators", "campaign")
        )  # not yet the new ones
        size = int(group.max()) + 1
        count = np.bincount(group[there], minlength=size)
        mean = np.bincount(
            group[there], weights=own("creators", name)[there], minlength=size
        ) / np.maximum(count, 1)
        # a mean of fewer would be the chance of a few creators
        share = np.where(count[group[rows]] >= HANDFUL, share, 0.0)
        usual: NDArray[np.float64] = at + share * (mean[group[rows]] - at)
        return usual

    def _assistants_from(self) -> int:
        """The world's second from which assistants are available: dated from the scenario's start,
        unless they always are."""
        since = int(self.p.assisted_from)
        return since + self.m.world.warm_up if since else 0

    def _assist(self, rows: Ints) -> None:
        """Who of these uses an assistant now: those who ever will, once their own delay has
        passed."""
        m, p, own = self.m, self.p, self.m.mine
        luck = m.uniforms("assistant", m.read("creators", "key")[rows])
        # the wait begins with entry, or with the first assistants where that is later
        since = (
            np.maximum(own("creators", "entered_at")[rows], self._assistants_from())
            - np.log(luck[:, 1]) * p.assisted_delay
        )
        # the same draw every day: at a given share the same people, whoever looks when
        will = luck[:, 0] < m.lever_of("creators", "assisted_share", rows)
        own("creators", "assisted")[rows] = (
            will & (since <= m.world.now) & ~own("creators", "ai")[rows]
        )

    def income(self, rows: Ints) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Mean income corrected for its start at 0, and whether it is known for a week."""
        own = self.m.mine
        # days with pay so far: a post is paid only once it settles
        days = (
            self.m.world.now - own("creators", "entered_at")[rows] - self.p.settle_after
        ) // DAY - 1
        known = days >= WEEK
        # a moving mean that began at 0 holds this much of its limit after so many days
        weight = 1 - (1 - 1 / MEMORY) ** np.maximum(days, 1).astype(float)
        return own("creators", "income")[rows] / weight, known

    def _chance(self, rows: Ints, kind: int) -> NDArray[np.float64]:
        """Chance that each of these quits today."""
        p, own = self.p, self.m.mine
        income, known = self.income(rows)
        outside = float(self.m.lever(f"{KINDS[kind]}.outside_option"))
        # log of (1 + outside) / (1 + income); the power b is a factor in exp
        gap = np.where(known, np.log1p(outside) - np.log1p(np.maximum(income, 0)), 0.0)
        pull = (p.ai if kind else p.human).outside_effect * gap
        mood = 0.0 if kind else p.quit_effect * (0.5 - own("creators", "morale")[rows])
        chance: NDArray[np.float64] = (p.ai_quit if kind else p.quit) * np.exp(mood + pull)
        return chance

    def turnover(self) -> None:
        """Creators quit, or leave with their person; newcomers of both kinds enter; assistants
        spread."""
        m, own, now = self.m, self.m.mine, self.m.world.now
        held = int(m.world.service("oldest_held")())
        # late enough that neither the log nor a settlement of its posts needs the row
        gone = m.read("creators", "alive") & (
            own("creators", "left_at") < min(held - self.p.settle_after, now - 3 * DAY)
        )
        # a living post still names the row as its creator: works outlive the log
        still = np.zeros(len(gone), bool)
        still[own("posts", "creator")[m.read("posts", "alive")]] = True
        m.world.release("creators", np.flatnonzero(gone & ~still))
        # before anybody quits: exits are counted by today's niches
        self._rank_communities()
        active, person = own("creators", "active"), own("creators", "person")
        human = np.flatnonzero(active & ~own("creators", "ai"))
        u = m.uniforms("quit", m.read("creators", "key")[human], now // DAY)[:, 0]
        # whoever has left the platform takes the creator along; row 0 stands in for no person
        here = m.read("consumers", "active")[np.maximum(person[human], 0)] | (person[human] < 0)
        self._quit(0, human[(u < self._chance(human, 0)) | ~here])
        machine = np.flatnonzero(active & own("creators", "ai") & ~own("creators", "campaign"))
        u = m.uniforms("quit", m.read("creators", "key")[machine], now // DAY)[:, 0]
        self._quit(1, machine[u < self._chance(machine, 1)])
        # after the exits, so that a person who quit may begin again
        for kind in (0, 1):
            self._arrive(kind)
        # daily for all: delays pass, and a policy may change the share
        self._assist(np.flatnonzero(own("creators", "active")))

    def close(self, rows: Ints) -> None:
        """Close creators: they post no more."""
        own = self.m.mine
        own("creators", "active")[rows] = False
        own("creators", "left_at")[rows] = self.m.world.now
        own("creators", "next_at")[rows] = NEVER
        # the person may be a creator again, and may leave before this row is given back
        own("creators", "person")[rows] = -1

    def _quit(self, kind: int, rows: Ints) -> None:
        community, keep = self.m.read("creators", "community")[rows], self.keep
        self.close(rows)
        keep["made"][kind, supply.EXITS] += len(rows)
        if kind == 0:
            invaded = int(keep["invaded"][community].sum())
            keep["tally"][supply.NICHE_EXITS] += int(keep["niche"][community].sum())
            keep["tally"][supply.INVADED_EXITS] += invaded
            keep["tally"][supply.OTHER_EXITS] += len(rows) - invaded

    def _arrive(self, kind: int) -> None:
        m, name, day = self.m, KINDS[kind], self.m.world.now // DAY
        given: Any = m.lever(f"{name}.arrivals")
        rate = float(self.keep["balanced"][kind] if given is None else given) * self._attraction(
            kind
        )
        # one uniform per kind and day through the inverse Poisson law: forks meet the same luck
        u = m.uniforms(f"arrivals.{name}", np.array([day], np.uint64))[0, :1]
        count = int(np.ceil(pdtrik(u[0], rate))) if rate > 0 else 0
        # fewer than drawn where too few people are left who do not create
        persons = self._persons(count) if kind == 0 else np.full(count, -1)
        self.enter(kind, len(persons), persons)

    def _attraction(self, kind: int) -> float:
        """Factor on arrivals: what recent entrants earn against the outside option."""
        m, own, elasticity = (
            self.m,
            self.m.mine,
            float((self.p.ai if kind else self.p.human).entry_elasticity),
        )
        if elasticity == 0:
            return 1.0
        rows = np.flatnonzero(
            own("creators", "active")
            & (own("creators", "ai") == bool(kind))
            & ~own("creators", "campaign")
            & (own("creators", "entered_at") > m.world.now - self.p.entry_window)
        )
        income, known = self.income(rows)
        if not known.any():
            return 1.0
        outside = float(m.lever(f"{KINDS[kind]}.outside_option"))
        return float(min(((1 + income[known].mean()) / (1 + outside)) ** elasticity, MOST_ENTRY))
