"""How posts are made: when, how many, what is in them, and which draft of an AI post goes out.

The draft predictor is a ridge regression of clicks per impression on what a maker can know of a
post (`features`): public readings and what a critic, a model that reads quality with an error,
makes of the text. It is learned day by day from the public counters of settled posts
(`twin.kernels.create`). An AI maker makes m drafts, each with its own luck, and posts the one with
the highest prediction; before any data all predictions are equal and the first draft goes out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.rhythm import cumulated
from twin.ground.units import DAY
from twin.kernels import create as kernel
from twin.kernels.classify import Luck, Truth, classify
from twin.mechanisms.creators.declared import SIGNALS, STRATEGY, SUPPLY, TALLIES
from twin.mechanisms.creators.params import CreatorsParams
from twin.world.mechanism import Mechanism
from twin.world.state import Made

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLICK = 0
SLOWEST = 1e-9
"""Posts per day below which a creator is as good as silent."""
SURE = 10.0
"""Impressions at which a click rate weighs half of what it would with endless ones."""
RECORD = 0.9
"""Weight of the past in a maker's record of clicks, per day with posts that anybody saw."""
FEATURES = 12 + 16
COSTS = ("cost_post", "cost_comprehensiveness", "cost_quality")
DECISIONS = (("post", 4 + 16), ("signal", 4))
CAREFUL = (*DECISIONS, ("care", 1))
CLASSIFIED = (("classifier", 16 + len(SIGNALS)),)
WRITTEN = (
    "content",
    "quality",
    "arousal",
    "comprehensiveness",
    "slant",
    "tried",
    "signal",
    "reading",
)
"""Columns of posts that a draft fills, as `kernel.store` takes them."""
UNLIMITED = 1_000_000
"""Posts per day that no cap is."""


class Drafts(NamedTuple):
    """One draft per post."""

    content: Floats  # (n, 16) unit vectors
    quality: Floats  # (n,)
    strategy: Floats  # (n, 4) as in STRATEGY
    tried: Floats  # (n, 4) standard normal
    signal: Floats  # (n, 3) as in SIGNALS
    reading: Floats  # (n,)


def by_kind(p: Any, ai: NDArray[np.bool_], name: str) -> Floats:
    """A parameter of its kind for each creator."""
    return np.where(ai, float(getattr(p.ai, name)), float(getattr(p.human, name)))


def effort(
    p: Any,
    ai: NDArray[np.bool_],
    assisted: NDArray[np.bool_],
    comprehensiveness: Floats,
    care: Floats,
) -> Floats:
    """What a post costs its maker: (c0 + c1 comprehensiveness^beta + c2 care^beta), times a factor
    for the assisted."""
    cost = (
        by_kind(p, ai, "cost_post")
        + by_kind(p, ai, "cost_comprehensiveness") * comprehensiveness**p.cost_exponent
    )
    cost += by_kind(p, ai, "cost_quality") * care**p.cost_exponent
    whole: Floats = cost * np.where(assisted, p.assisted_cost, 1.0)
    return whole


class Posting:
    """Makes posts; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism[CreatorsParams]) -> None:
        self.m, self.p, self.keep = mechanism, mechanism.p, mechanism.keep
        p, names, both = self.p, [name for name, _, _ in STRATEGY], np.array([False, True])
        self.curve = cumulated(p.diurnal)
        self.costs = any(getattr(kind, name) for kind in (p.human, p.ai) for name in COSTS)
        self.craft = kernel.Craft(
            by_kind(p, both, "effort_gain"),
            by_kind(p, both, "exploration"),
            by_kind(p, both, "quality_noise"),
            float(p.topic_spread),
            float(min(p.topic_spread * p.assisted_noise, 1.0)),
            float(p.assisted_noise),
            float(p.assisted_comprehensiveness),
            float(p.signal_noise),
            float(p.critic_noise),
            np.array([low for _, low, _ in STRATEGY]),
            np.array([high for _, _, high in STRATEGY]),
            np.array([names.index(name) for name, _, _ in SIGNALS]),
        )
        self.caring = bool(self.craft.gain.any())
        self.works = by_kind(p, both, "work_share")
        self.slots = np.array(
            [TALLIES.index(f"{name}_posts") for name in ("campaign", "niche", "invaded", "other")]
        )
        self._makers: Made[kernel.Makers] = Made()
        self._columns: Made[tuple[list[NDArray[Any]], list[NDArray[Any]]]] = Made()
        self._clocks: Made[tuple[Any, ...]] = Made()
        self._levers: Made[tuple[bool, Floats]] = Made()

    def setup(self) -> None:
        """Nothing was made, nothing is known."""
        self.keep["gram"], self.keep["moment"] = np.zeros((FEATURES, FEATURES)), np.zeros(FEATURES)
        self.keep["beta"], self.keep["fit"] = np.zeros(FEATURES), np.zeros(1)

    def schedule(self, rows: Ints) -> None:
        """Draw the next post of each creator; the n-th post has its own luck."""
        m, own = self.m, self.m.mine
        luck = m.uniforms(
            "gap", m.read("creators", "key")[rows], own("creators", "posts_made")[rows]
        )
        self._schedule(rows, luck[:, 0])

    def _schedule(self, rows: Ints, luck: Floats) -> int:
        """Move the clocks of creators on; returns the earliest of their next posts."""
        tables = self.m.world.tables
        columns = self._clocks.get(
            (tables["creators"].version, tables["consumers"].version), self._clock_columns
        )
        return int(kernel.schedule(rows, np.log(luck), *columns))

    def _clock_columns(self) -> tuple[Any, ...]:
        rate, morale, pace, assisted, campaign, flat_at, active, ai, person, next_at = (
            self.m.mine("creators", name)
            for name in (
                "rate",
                "morale",
                "pace",
                "assisted",
                "campaign",
                "flat_at",
                "active",
                "ai",
                "person",
                "next_at",
            )
        )
        return (
            rate,
            morale,
            pace,
            assisted,
            campaign,
            np.float32(self.p.assisted_rate),
            np.float32(SLOWEST),
            flat_at,
            active,
            ai,
            person,
            self.m.read("consumers", "tz"),
            self.curve,
            next_at,
        )

    def wake(self, rows: Ints) -> None:
        """Turn the flat clock of each creator into the second of its next post."""
        own = self.m.mine
        kernel.wake(
            rows,
            own("creators", "flat_at"),
            own("creators", "active"),
            own("creators", "ai"),
            own("creators", "person"),
            self.m.read("consumers", "tz"),
            self.curve,
            own("creators", "next_at"),
        )

    def post(self) -> None:
        """Make every post that is due, in order of (time, creator)."""
        m, own, now = self.m, self.m.mine, self.m.world.now
        made, again = [], True
        while again:
            *due, luck = kernel.take(
                own("creators", "next_at"),
                own("creators", "posts_made"),
                m.read("creators", "key"),
                m.stream("gap"),
                now,
            )
            if not len(luck):
                break
            made.append(due)
            again = self._schedule(due[0], luck) < now
        if not made:
            return
        maker, time, number = (
            made[0]
            if len(made) == 1
            else (np.concatenate(part) for part in zip(*made, strict=True))
        )
        if len(maker) > 1:
            order = np.lexsort((number, maker, time))
            maker, time, number = maker[order], time[order], number[order]
        uncapped, label = self._levers.get(m.world.lever_version, self._follow_levers)
        if not uncapped:
            allowed = self._within_cap(maker, time)
            maker, time, number = maker[allowed], time[allowed], number[allowed]
        if len(maker):
            self._publish(maker, time, number, label)

    def _follow_levers(self) -> tuple[bool, Floats]:
        """Whether no cap holds on AI posts, and the chance of a label by arm of creators."""
        capped = min(map(int, self.m.levers_by_arm("creators", "ai_posts_cap"))) < UNLIMITED
        return not capped, np.array(self.m.levers_by_arm("creators", "label_ai"), float)

    def _within_cap(self, maker: Ints, time: Ints) -> NDArray[np.bool_]:
        """Which posts the cap on AI posts per day lets out; blocked ones are lost. Posts come
        sorted by time."""
        own = self.m.mine
        cap = np.array(self.m.lever_of("creators", "ai_posts_cap", maker), np.int64)
        free = ~own("creators", "ai")[maker] | own("creators", "campaign")[maker]
        if (free | (cap >= UNLIMITED)).all():
            return np.ones(len(maker), bool)
        day = (time // DAY).astype(np.int32)
        order = np.lexsort((day, maker))  # stable: by time within a creator's day
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(maker[order]) != 0) | (np.diff(day[order]) != 0)
        start = np.flatnonzero(first)
        size = np.diff(np.append(start, len(order)))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - np.repeat(start, size)
        before = np.where(
            own("creators", "day")[maker] == day, own("creators", "day_posts")[maker], 0
        )
        allowed: NDArray[np.bool_] = free | (rank + before < cap)
        out = np.add.reduceat(allowed[order].astype(np.int64), start) + before[order][start]
        who, last = (
            maker[order][start],
            day[order][start],
        )  # the last day of a creator comes last and stays
        own("creators", "day")[who], own("creators", "day_posts")[who] = last, out
        self.keep["tally"][TALLIES.index("blocked")] += int((~allowed).sum())
        return allowed

    def draw(self, keys: NDArray[np.uint64], maker: Ints, draft: int | Ints) -> Drafts:
        """The draft with this number (one, or one each) of each post, from what its maker is like
        now and its own luck."""
        makers = self._makers.get(self.m.world.tables["creators"].version, self._maker_columns)
        return Drafts(*kernel.compose(maker, makers, *self._luck(keys, maker, draft), self.craft))

    def _maker_columns(self) -> kernel.Makers:
        own = self.m.mine
        one, two, three, four = (own("creators", name) for name, _, _ in STRATEGY)
        return kernel.Makers(
            own("creators", "ai"),
            own("creators", "assisted"),
            own("creators", "campaign"),
            own("creators", "niche"),
            own("creators", "skill"),
            (one, two, three, four),
        )

    def _luck(
        self, keys: NDArray[np.uint64], maker: Ints, draft: int | Ints
    ) -> tuple[Floats, Floats, Floats]:
        """Normals for `kernel.compose`; care has some where it is a choice of any of these
        makers."""
        cares = (
            self.caring
            and (self.craft.gain[self.m.mine("creators", "ai")[maker].astype(np.int64)] > 0).any()
        )
        return self.m.waves(CAREFUL if cares else DECISIONS, keys, draft)

    def _selected(self, keys: NDArray[np.uint64], maker: Ints) -> Drafts:
        """The draft that goes out: the first one, or for AI creators the one with the highest
        predicted engagement."""
        own, more = self.m.mine, int(self.m.lever("drafts")) - 1
        some = np.flatnonzero(own("creators", "ai")[maker] & ~own("creators", "campaign")[maker])
        if more == 0 or not len(some):
            return self.draw(keys, maker, 0)
        again = np.concatenate(
            [np.arange(len(keys)), np.repeat(some, more)]
        )  # first drafts of all, then the further ones
        number = np.concatenate(
            [np.zeros(len(keys), np.int64), np.tile(np.arange(1, more + 1), len(some))]
        )
        drafts = self.draw(keys[again], maker[again], number)
        score = kernel.predict(
            self.features(drafts.content, drafts.signal, drafts.reading, maker[again]),
            self.keep["beta"],
        )
        table = np.concatenate(
            [score[some, None], score[len(keys) :].reshape(len(some), more)], axis=1
        )
        best = np.argmax(table, axis=1)  # the first of equals
        chosen = np.arange(len(keys))
        chosen[some] = np.where(best == 0, some, len(keys) + np.arange(len(some)) * more + best - 1)
        return Drafts(*(part[chosen] for part in drafts))

    def features(
        self, content: NDArray[Any], signal: NDArray[Any], reading: NDArray[Any], maker: Ints
    ) -> Floats:
        """What a maker can know of a draft and of a posted post, (n, f): 1, signals, their squares,
        match with what did well lately and with the maker's niche, whether the maker is an AI, the
        maker's record of clicks (so that the rest compares posts of like makers), a critic's
        reading, topic."""
        own, x = self.m.mine, np.empty((len(maker), FEATURES))
        x[:, 0], x[:, 1:4], x[:, 11], x[:, 12:] = 1, signal, reading, content
        x[:, 4:7] = x[:, 1:4] ** 2
        x[:, 7] = (x[:, 12:] * self.keep["trend"]).sum(1)
        x[:, 8] = (x[:, 12:] * own("creators", "niche")[maker]).sum(1)
        x[:, 9], x[:, 10] = (
            own("creators", "ai")[maker],
            np.maximum(own("creators", "record")[maker], 0),
        )
        return x

    def classify(self, rows: Ints, noise: Floats) -> Floats:
        """What the platform's classifiers read off posts: content (16), then slant, arousal and
        comprehensiveness (n, 19).

        ``noise`` (4,): sd of their errors in each dimension of content and in the others, which are
        cut to their ranges. Every post is misread in its own way, whatever is asked when.
        """
        names, ranges = zip(*((name, (low, high)) for name, low, high in SIGNALS), strict=True)
        truth = Truth(
            **{name: self.m.mine("posts", name) for name in ("content", *names)}, ranges=ranges
        )
        luck = Luck(*self.m.waves(CLASSIFIED, self.m.read("posts", "key")[rows]))
        found: Floats = classify(rows, truth, noise, luck)
        return found

    def learn(self, rows: Ints) -> None:
        """Judge the predictor on newly settled posts, then learn from their public counters; renew
        the makers' records."""
        m, own, keep, record = self.m, self.m.mine, self.keep, self.m.mine("creators", "record")
        rows = rows[m.read("posts", "impressions")[rows] > 0]
        maker, seen = (
            own("posts", "creator")[rows],
            m.read("posts", "impressions")[rows].astype(float),
        )
        clicks = m.read("posts", "counts")[rows, CLICK].astype(float)
        rate = clicks / np.maximum(seen, 1)
        x = self.features(
            own("posts", "content")[rows],
            own("posts", "signal")[rows],
            own("posts", "reading")[rows],
            maker,
        )
        weight = seen / (seen + SURE) * (record[maker] >= 0)
        guess = kernel.predict(x, keep["beta"])
        if (weight > 0).sum() > 2:
            a, b = (
                guess - np.average(guess, weights=weight),
                rate - np.average(rate, weights=weight),
            )
            both = float((weight * a * a).sum() * (weight * b * b).sum())
            keep["fit"][0] = float((weight * a * b).sum()) / np.sqrt(both) if both > 0 else 0.0
        kernel.accumulate(
            float(self.p.predictor_memory), x, rate, weight, keep["gram"], keep["moment"]
        )
        keep["beta"] = kernel.solve(keep["gram"], keep["moment"], float(self.p.predictor_ridge))
        size = len(record)
        views, hits = (
            np.bincount(maker, weights=seen, minlength=size),
            np.bincount(maker, weights=clicks, minlength=size),
        )
        some = np.flatnonzero(views)
        new = hits[some] / views[some]
        record[some] = np.where(record[some] < 0, new, RECORD * record[some] + (1 - RECORD) * new)

    def _publish(self, maker: Ints, time: Ints, number: Ints, label: Floats) -> None:
        m, own, creators = self.m, self.m.mine, self.m.world.tables["creators"]
        ai, assisted = creators["ai"][maker], creators["assisted"][maker]
        keys, work, labelled = kernel.fates(
            maker,
            number,
            creators["key"],
            m.stream("fate"),
            self.works,
            label,
            creators["arm"],
            creators["ai"],
            creators["campaign"],
            creators["discloses"],
        )
        rows = m.world.add(
            m.name,
            "posts",
            keys,
            creator=maker,
            born=time,
            work=work,
            labelled=labelled,
            assisted=assisted,
        )
        columns, counted = self._columns.get(
            (creators.version, m.world.tables["posts"].version), self._post_columns
        )
        if int(m.lever("drafts")) == 1 or not ai.any():
            makers = self._makers.get(creators.version, self._maker_columns)
            strategy = kernel.publish(
                rows, maker, makers, *self._luck(keys, maker, 0), self.craft, *columns
            )
        else:
            drafts = self._selected(keys, maker)
            strategy = drafts.strategy
            kernel.store(
                rows,
                drafts.content,
                drafts.quality,
                strategy,
                drafts.tried,
                drafts.signal,
                drafts.reading,
                *columns,
            )
        if self.costs:
            cost = effort(self.p, ai, assisted, strategy[:, 1], strategy[:, 3])
            own("posts", "cost")[rows] = cost
            own("creators", "spent")[:] += np.bincount(maker, weights=cost, minlength=len(creators))
        keep = self.keep
        kernel.tally(
            rows,
            maker,
            *counted,
            keep["invaded"],
            keep["niche"],
            keep["made"],
            keep["supply"],
            self.slots,
            keep["tally"],
        )

    def _post_columns(self) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Columns of posts that a draft fills, and the columns that `kernel.tally` reads."""
        own = self.m.mine
        return (
            [own("posts", name) for name in WRITTEN],
            [
                own("creators", "ai"),
                own("creators", "campaign"),
                self.m.read("creators", "community"),
                *(own("posts", name) for name in (*SUPPLY[1:5], "work")),
            ],
        )
