"""How posts are made: which are due, which draft of an AI post is posted, and what is counted.

An AI creator makes m drafts, each with its own luck, and posts the one with the highest prediction
(`predictor`); before any data all predictions are equal and the first draft is posted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import create, supply
from twin.kernels.classify import Misreading, Truth, classify
from twin.mechanisms.creators.declared import SIGNALS
from twin.mechanisms.creators.drafts import Drafting
from twin.mechanisms.creators.kinds import by_kind
from twin.mechanisms.creators.params import CreatorsParams
from twin.mechanisms.creators.predictor import Predictor
from twin.mechanisms.creators.timing import Timing
from twin.world.mechanism import Mechanism
from twin.world.state import Made

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLASSIFIED = (("classifier", 16 + len(SIGNALS)),)
COSTS = ("cost_post", "cost_comprehensiveness", "cost_quality")
UNLIMITED = 1_000_000
"""Posts per day that no cap is."""


class Levers(NamedTuple):
    """Levers that posting follows."""

    uncapped: bool  # no cap holds on AI posts
    label: Floats  # (A,): chance of a label by arm of creators


class Columns(NamedTuple):
    """Columns of creators and posts that kernels read and write."""

    origins: create.Origins
    written: create.Written
    creators: supply.Creators
    posts: supply.Posts


def effort(
    p: Any,
    ai: NDArray[np.bool_],
    assisted: NDArray[np.bool_],
    comprehensiveness: Floats,
    care: Floats,
) -> Floats:
    """What a post costs its creator: (c0 + c1 comprehensiveness^beta + c2 care^beta), times a
    factor for the assisted."""
    cost = (
        by_kind(p, ai, "cost_post")
        + by_kind(p, ai, "cost_comprehensiveness") * comprehensiveness**p.cost_exponent
    )
    cost += by_kind(p, ai, "cost_quality") * care**p.cost_exponent
    whole: Floats = cost * np.where(assisted, p.assisted_cost, 1.0)
    return whole


class Posting:
    """Makes posts; all state is in the mechanism's ``keep`` and columns."""

    def __init__(
        self, mechanism: Mechanism[CreatorsParams], timing: Timing, predictor: Predictor
    ) -> None:
        self.m, self.p, self.keep = mechanism, mechanism.p, mechanism.keep
        self.timing, self.predictor, self.drafting = timing, predictor, Drafting(mechanism)
        # (human, AI), as the kernel takes them
        self.works = by_kind(self.p, np.array([False, True]), "work_share")
        # At the defaults nothing costs anything: no time is spent on effort then
        self.costs = any(
            getattr(kind, name) for kind in (self.p.human, self.p.ai) for name in COSTS
        )
        self._columns: Made[Columns] = Made()
        self._levers: Made[Levers] = Made()
        # The truth about posts is hidden from the platform: it gets readings with errors
        mechanism.world.provide("classify", self.classify)

    def post(self) -> None:
        """Make every post that is due, in order of (time, creator)."""
        maker, time, number = self.timing.take()
        if not len(maker):
            return
        # Levers are looked up again only when one has been written
        levers = self._levers.get(self.m.world.lever_version, self._follow_levers)
        if not levers.uncapped:
            allowed = self._within_cap(maker, time)
            maker, time, number = maker[allowed], time[allowed], number[allowed]
        if len(maker):
            self._publish(maker, time, number, levers.label)

    def _follow_levers(self) -> Levers:
        by_arm = self.m.levers_by_arm
        return Levers(
            # A cap in any arm of creators is reason enough to count
            uncapped=min(map(int, by_arm("creators", "ai_posts_cap"))) >= UNLIMITED,
            label=np.array(by_arm("creators", "label_ai"), float),
        )

    def _within_cap(self, maker: Ints, time: Ints) -> NDArray[np.bool_]:
        """Which posts the cap on AI posts per day allows; blocked ones are lost. Posts come
        sorted by time."""
        own = self.m.mine
        cap = np.array(self.m.lever_of("creators", "ai_posts_cap", maker), np.int64)
        free = ~own("creators", "ai")[maker] | own("creators", "campaign")[maker]
        # Arms differ, but none of those who post now has a cap
        if (free | (cap >= UNLIMITED)).all():
            return np.ones(len(maker), bool)
        day = (time // DAY).astype(np.int32)
        # Stable: by time within a creator's day
        order = np.lexsort((day, maker))
        # Place of each post within its creator's day, by runs of equal (maker, day)
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(maker[order]) != 0) | (np.diff(day[order]) != 0)
        start = np.flatnonzero(first)
        size = np.diff(np.append(start, len(order)))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - np.repeat(start, size)
        # Posts that earlier windows of that day let out
        before = np.where(
            own("creators", "day")[maker] == day, own("creators", "day_posts")[maker], 0
        )
        allowed: NDArray[np.bool_] = free | (rank + before < cap)
        out = np.add.reduceat(allowed[order].astype(np.int64), start) + before[order][start]
        # The last day of a creator comes last, so that it is the one that stays.
        who, last = maker[order][start], day[order][start]
        own("creators", "day")[who], own("creators", "day_posts")[who] = last, out
        self.keep["tally"][supply.BLOCKED] += int((~allowed).sum())
        return allowed

    def _selected(self, keys: NDArray[np.uint64], maker: Ints) -> create.Drafts:
        """The draft that is posted: the first one, or for AI creators the one with the highest
        predicted engagement."""
        own, more = self.m.mine, int(self.m.lever("drafts")) - 1
        # Accounts of campaigns adapt to nothing, and so choose nothing either
        some = np.flatnonzero(own("creators", "ai")[maker] & ~own("creators", "campaign")[maker])
        if more == 0 or not len(some):
            return self.drafting.draw(keys, maker, 0)
        # First drafts of all, then the further ones of AI creators.
        again = np.concatenate([np.arange(len(keys)), np.repeat(some, more)])
        number = np.concatenate(
            [np.zeros(len(keys), np.int64), np.tile(np.arange(1, more + 1), len(some))]
        )
        drafts = self.drafting.draw(keys[again], maker[again], number)
        # By what a creator can know of its drafts, never by their true quality
        score = self.predictor.predict(drafts.content, drafts.signal, drafts.reading, maker[again])
        # A row per AI post: its first draft, then the further ones
        table = np.concatenate(
            [score[some, None], score[len(keys) :].reshape(len(some), more)], axis=1
        )
        # The first of equals
        best = np.argmax(table, axis=1)
        chosen = np.arange(len(keys))
        chosen[some] = np.where(best == 0, some, len(keys) + np.arange(len(some)) * more + best - 1)
        return create.Drafts(**{name: part[chosen] for name, part in drafts._asdict().items()})

    def _publish(self, maker: Ints, time: Ints, number: Ints, label: Floats) -> None:
        """Enter the posts of creators into the world, and count them."""
        m, own, creators = self.m, self.m.mine, self.m.world.tables["creators"]
        ai, assisted = creators["ai"][maker], creators["assisted"][maker]
        # Key, work and label follow from the creator and the post's number, not from its draft
        fates = create.fates(
            maker,
            number,
            m.stream("fate"),
            self._kernel_columns().origins,
            create.Chances(work=self.works, label=label),
        )
        rows = m.world.add(
            m.name,
            "posts",
            fates.key,
            creator=maker,
            born=time,
            work=fates.work,
            labelled=fates.labelled,
            assisted=assisted,
        )
        # After `add`, which may have moved the columns: `_write` takes its views again
        strategy = self._write(rows, maker, fates.key, bool(ai.any()))
        if self.costs:
            comprehensiveness, care = (
                strategy[:, create.COMPREHENSIVENESS],
                strategy[:, create.CARE],
            )
            cost = effort(self.p, ai, assisted, comprehensiveness, care)
            own("posts", "cost")[rows] = cost
            own("creators", "spent")[:] += np.bincount(maker, weights=cost, minlength=len(creators))
        # Counted last, from columns that are filled by then
        columns = self._kernel_columns()
        supply.tally(rows, maker, columns.creators, columns.posts, self._sums())

    def _write(self, rows: Ints, maker: Ints, keys: NDArray[np.uint64], selects: bool) -> Floats:
        """Draft the posts at rows; returns their strategies (n, 4). ``selects``: an AI creator is
        among the makers."""
        drafting, written = self.drafting, self._kernel_columns().written
        # One draft each: drawn and stored by one kernel
        if int(self.m.lever("drafts")) == 1 or not selects:
            strategy: Floats = create.publish(
                rows,
                maker,
                drafting.makers(),
                drafting.luck(keys, maker, 0),
                drafting.craft,
                written,
            )
            return strategy
        drafts = self._selected(keys, maker)
        create.store(rows, drafts, written)
        chosen: Floats = drafts.strategy
        return chosen

    def _sums(self) -> supply.Sums:
        return supply.Sums(**{name: self.keep[name] for name in supply.Sums._fields})

    def _kernel_columns(self) -> Columns:
        tables = self.m.world.tables
        # Views hold until one of the tables grows
        stamp = tables["creators"].version, tables["posts"].version
        return self._columns.get(stamp, self._make_columns)

    def _make_columns(self) -> Columns:
        own, creators = self.m.mine, self.m.world.tables["creators"]
        return Columns(
            origins=create.Origins(**{name: creators[name] for name in create.Origins._fields}),
            written=create.Written(**{name: own("posts", name) for name in create.Written._fields}),
            creators=supply.Creators(
                ai=own("creators", "ai"),
                campaign=own("creators", "campaign"),
                community=self.m.read("creators", "community"),
            ),
            posts=supply.Posts(**{name: own("posts", name) for name in supply.Posts._fields}),
        )

    def classify(self, rows: Ints, noise: Floats) -> Floats:
        """How the platform's classifiers read posts: content (16), then slant, arousal and
        comprehensiveness (n, 19).

        ``noise`` (4,): sd of their errors in each dimension of content and in the others, which are
        cut to their ranges. Every post is misread in its own way, whatever is asked when.
        """
        names, ranges = zip(*((name, (low, high)) for name, low, high in SIGNALS), strict=True)
        truth = Truth(
            **{name: self.m.mine("posts", name) for name in ("content", *names)}, ranges=ranges
        )
        luck = Misreading(*self.m.waves(CLASSIFIED, self.m.read("posts", "key")[rows]))
        found: Floats = classify(rows, truth, noise, luck)
        return found
