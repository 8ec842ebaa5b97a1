"""Who consumers are: they join, are forgotten, and come so often as their own chance says.

Taste is a point on the unit sphere of the taste space: t = (1-s) centre(community) + s noise,
normalised. A person's daily chance to come is h ~ Beta(a, b). People differ in how readily they
open posts: a normal shift of the click's log-odds, correlated with h. Arrivals are Poisson per day,
so that IDs keep coming.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtr, ndtri, pdtrik

from twin.ground.draws import children
from twin.ground.rhythm import cumulated, seconds
from twin.ground.units import DAY, EPOCH, HOUR, LATEST
from twin.kernels.links import forget_rows
from twin.mechanisms.audience.calendar import days, first_days, weight
from twin.mechanisms.audience.params import AudienceParams
from twin.world.given import Floats, Given
from twin.world.given_reading import read_table
from twin.world.mechanism import Mechanism

BLOCK = 2**14
"""Most people who are drawn at once."""
STANCE_MEMORY = 0.97
"""Share of the count of leanings seen that is kept per day: about a month."""


class Population:
    """Draws people, and lets go of those who left."""

    def __init__(self, mechanism: Mechanism[AudienceParams]) -> None:
        self.m, self.keep, self.p = mechanism, mechanism.keep, mechanism.p
        self._days = days(mechanism.p.calendar, mechanism.world.start)

    def setup(self) -> None:
        """Open the initial consumers."""
        self.keep["joined"] = np.zeros(1, np.int64)
        given = self.given()
        nodes = int(self.m.world.service("graph_nodes")())
        self._join(given.rows if given else nodes or self.p.initial)

    def given(self) -> Given | None:
        """The table of the people of the beginning, the first rows in its order; None without
        one."""
        return self._given

    @functools.cached_property
    def _given(self) -> Given | None:
        # once: a run does not look at its files again
        path: str = getattr(self.p, "from")
        return read_table(path, "people") if path else None

    def _join(self, count: int) -> None:
        # The n-th person has the same key, so the same taste and luck, in every branch
        first = int(self.keep["joined"][0])
        root = np.full(count, self.m.stream("person"))
        self.keep["joined"][0] += count
        keys = children(root, np.arange(first, first + count))
        world = self.m.world
        # Room for all at once: growing block by block would copy every column each time
        if count > BLOCK:
            world.table("consumers").reserve(count)
        # a few at a time, so that what is drawn for them takes little memory
        for begin in range(0, count, BLOCK):
            world.add(self.m.name, "consumers", keys[begin : begin + BLOCK])

    def born(self, rows: NDArray[np.int64]) -> None:
        """Draw who new people are, and when they come first."""
        p, m, now = self.p, self.m, self.m.world.now
        keys = m.read("consumers", "key")[rows]
        # rows of the table are those of the beginning; later a newcomer may have such a row
        given = self.given() if now == 0 else None
        self._tastes(rows, keys, given)
        # One uniform each for zone, chance to come, first day, and hour
        u = m.uniforms("person", keys)
        zones = np.array(p.time_zones, np.int8)
        # Not 0 or 1, near which the fitted law has much of its mass: log-odds must be finite
        often = u[:, 1]
        chance = np.clip(betaincinv(p.return_a, p.return_b, often), 1e-4, 0.999)
        if given is not None:
            chance, often = self._activity(given.known("activity", rows), chance, often)
        # Those who are there already may know what the feed gives; newcomers do not
        start = p.satisfaction_start if now == 0 else None
        zone = zones[(u[:, 0] * len(zones)).astype(int)]
        if given is not None:
            known = given.known("time_zone", rows)
            zone = np.where(np.isnan(known), zone, known)
        drawn = {
            "tz": zone,
            "return_logit": np.log(chance / (1 - chance)),
            "eagerness": m.normals("eagerness", keys, 1)[:, 0] * p.eagerness_sd,
            "patience_shift": m.normals("patience", keys, 1)[:, 0] * p.patience_sd,
            "click_shift": self._click_shift(keys, often),
            "satisfaction": p.satisfaction_reference if start is None else start,
            "active": True,
        }
        for name, values in drawn.items():
            m.mine("consumers", name)[rows] = values
        second = seconds(u[:, 3], cumulated(p.diurnal))
        # Local hour to UTC; the remainder keeps it within the day
        local = second - m.read("consumers", "tz")[rows].astype(np.int64) * HOUR
        wait = np.zeros(len(rows), np.int64)
        # The first people are between two visits, a geometric wait; newcomers come on their day
        if now == 0:
            alike = np.log(u[:, 2]) / np.log1p(-chance)
            # The second moves by whole days into the first UTC day, and so does the local day
            wait = first_days(self._days, alike, -(local // DAY))
        joined = self._joining(given, rows)
        wait = np.where(joined >= 0, joined, wait)
        first = np.maximum(now + wait * DAY + local % DAY, now)
        m.mine("consumers", "next_at")[rows] = first
        # 0 marks those who are no newcomers: their hazard of leaving is the settled one
        there = (now == 0) & (joined < 0)
        m.mine("consumers", "joined_at")[rows] = np.where(there, 0, np.minimum(first, LATEST))

    def _activity(self, known: Floats, chance: Floats, often: Floats) -> tuple[Floats, Floats]:
        """Daily chances, and places (0..1) among people by them, with those that are known."""
        p = self.p
        given = np.clip(known, 1e-4, 0.999)
        # what is drawn beside it goes with how often they come, so never quite 0 or 1
        share = np.clip(betainc(p.return_a, p.return_b, given), 1e-6, 1 - 1e-6)
        drawn = np.isnan(known)
        return np.where(drawn, chance, given), np.where(drawn, often, share)

    def _joining(self, given: Given | None, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Days from the world's beginning to when a person joins, -1 for those who are there."""
        if given is None:
            return np.full(len(rows), -1, np.int64)
        begin = (self.m.world.start - EPOCH).days
        days = given.known("joined", rows) - begin
        return np.where(days >= 0, days, -1).astype(np.int64)

    def _tastes(
        self, rows: NDArray[np.int64], keys: NDArray[np.uint64], given: Given | None
    ) -> None:
        """Tastes of new people, about those of their communities."""
        m, spread = self.m, self.p.taste_spread
        taste = m.mine("consumers", "taste")
        centres = m.world.service("community_centres")()
        own = m.normals("taste", keys, taste.shape[1])
        # Of length 1 like a centre, so that the spread is a share
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        common = centres[m.read("consumers", "community")[rows]]
        blend = (1 - spread) * common + spread * own
        drawn = blend / np.linalg.norm(blend, axis=1, keepdims=True)
        taste[rows] = drawn if given is None else given.vector("taste", rows, drawn)

    def _click_shift(
        self, keys: NDArray[np.uint64], often: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """How much more readily each person opens posts than the mean person, given their place
        (0..1) among people by daily chance to come."""
        together = self.p.click_frequency
        own = self.m.normals("click", keys, 1)[:, 0]
        # One normal made of two: its correlation with the normal score of ``often`` is ``together``
        shift: NDArray[np.float64] = self.p.click_sd * (
            together * ndtri(often) + math.sqrt(1 - together**2) * own
        )
        return shift

    def forget(self, posts: NDArray[np.int64]) -> None:
        """Forget released posts in the rings of what people saw."""
        dead = np.zeros(len(self.m.world.table("posts")) + 1, bool)
        dead[posts] = True
        for name in ("seen", "viewed"):
            forget_rows(dead, self.m.mine("consumers", name))

    def turnover(self) -> None:
        """Poisson arrivals, and release of rows that nobody holds any more; what was seen fades."""
        m, world, rate = self.m, self.m.world, self.p.arrivals
        m.mine("consumers", "stance")[:] *= STANCE_MEMORY
        day = np.array([world.now // DAY], np.uint64)
        u = m.uniforms("arrivals", day)[0, 0]
        # Poisson by its inverse at one uniform, so that branches with other rates share their luck
        rate *= weight(self._days, world.now // DAY)
        count = int(np.ceil(pdtrik(u, rate))) if rate > 0 else 0
        left = m.read("consumers", "left_at")
        # The log names rows of people: those that it may still name are not given away
        held = int(world.service("oldest_held")())
        gone = m.read("consumers", "alive") & (left < min(held, world.now - 2 * DAY))
        # Before anybody joins, so that newcomers take these rows
        world.release("consumers", np.flatnonzero(gone))
        if count:
            self._join(count)

    def visits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected sessions per day of each person at the reference satisfaction, f8 (C,), and the
        chance per day to leave for good.

        A day is active with the daily chance h; every session of it is followed by another with
        P(again) where the gap leaves it in the same day, on average over the hours of `diurnal`.
        Both are 0 of those who have left.
        """
        p, mine = self.p, self.m.mine
        share = np.asarray(p.diurnal, float) / sum(p.diurnal)
        # What is left of the day from the middle of each hour
        left = (24 - np.arange(24) - 0.5) * HOUR
        if p.again_gap_sd > 0:
            within = ndtr((np.log(left) - math.log(p.again_gap)) / p.again_gap_sd)
        else:
            within = (left > p.again_gap).astype(float)
        # 1 + q + q^2 ...: each session brings another with q = P(again) x P(gap fits into the day)
        a_day = 1 / (1 - p.again * float(share @ within))
        logit = mine("consumers", "return_logit").astype(float)
        sessions = np.where(mine("consumers", "active"), a_day / (1 + np.exp(-logit)), 0.0)
        leave = np.full(len(sessions), p.leave)
        if p.churn_a > 0:
            # a / (a + b + n - 1) at the next session, the n-th: n - 1 lie behind
            new = mine("consumers", "joined_at") > 0
            leave[new] += p.churn_a / (p.churn_a + p.churn_b + mine("consumers", "sessions")[new])
        return sessions, sessions * leave
