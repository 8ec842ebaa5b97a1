"""How posts are made: when, how many, what is in them, and which draft of an AI post goes out.

The draft predictor is a ridge regression of clicks per impression on what anybody can see of a settled post (`features`), learned
day by day from public counters (`twin.kernels.create`). An AI maker makes m drafts, each with its own luck, and posts the one with
the highest prediction; before any data all predictions are equal and the first draft goes out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.draws import children
from twin.kernels import create as kernel
from twin.mechanism import Mechanism
from twin.mechanisms.creators.declared import SIGNALS, STRATEGY, TALLIES
from twin.rhythm import cumulated, warp
from twin.units import DAY, NEVER

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CLICK = 0
SLOWEST = 1e-9
"""Posts per day below which a creator is as good as silent."""
SURE = 10.0
"""Impressions at which a click rate weighs half of what it would with endless ones."""
FEATURES = 11 + 16


class Drafts(NamedTuple):
    """One draft per post."""

    content: Floats  # (n, 16) unit vectors
    quality: Floats  # (n,)
    strategy: Floats  # (n, 4) as in STRATEGY
    tried: Floats  # (n, 4) standard normal
    signal: Floats  # (n, 3) as in SIGNALS


def by_kind(p: Any, ai: NDArray[np.bool_], name: str) -> Floats:
    """A parameter of its kind for each creator."""
    return np.where(ai, float(getattr(p.ai, name)), float(getattr(p.human, name)))


def effort(p: Any, ai: NDArray[np.bool_], assisted: NDArray[np.bool_], comprehensiveness: Floats, care: Floats) -> Floats:
    """What a post costs its maker: (c0 + c1 comprehensiveness^beta + c2 care^beta), times a factor for the assisted."""
    cost = by_kind(p, ai, "cost_post") + by_kind(p, ai, "cost_comprehensiveness") * comprehensiveness**p.cost_exponent
    cost += by_kind(p, ai, "cost_quality") * care**p.cost_exponent
    whole: Floats = cost * np.where(assisted, p.assisted_cost, 1.0)
    return whole


class Posting:
    """Makes posts; all state is in the mechanism's ``keep`` and columns."""

    def __init__(self, mechanism: Mechanism) -> None:
        self.m, self.p, self.keep = mechanism, mechanism.p, mechanism.keep

    def setup(self) -> None:
        """Nothing was made, nothing is known."""
        self.keep["gram"], self.keep["moment"] = np.zeros((FEATURES, FEATURES)), np.zeros(FEATURES)
        self.keep["beta"], self.keep["fit"] = np.zeros(FEATURES), np.zeros(1)

    def schedule(self, rows: Ints) -> None:
        """Draw the next post of each creator; the n-th post has its own luck."""
        m, own, p = self.m, self.m.mine, self.p
        u = m.uniforms("gap", m.read("creators", "key")[rows], own("creators", "posts_made")[rows])[:, 0]
        pace = own("creators", "rate")[rows] * (0.5 + own("creators", "morale")[rows]) * own("creators", "pace")[rows]
        pace *= np.where(own("creators", "assisted")[rows], np.float32(p.assisted_rate), np.float32(1))
        pace = np.where(own("creators", "campaign")[rows], own("creators", "rate")[rows], pace)
        own("creators", "flat_at")[rows] -= np.log(u) / np.maximum(pace, SLOWEST)
        self.wake(rows)

    def wake(self, rows: Ints) -> None:
        """Turn the flat clock of each creator into the second of its next post."""
        own = self.m.mine
        flat, person = own("creators", "flat_at")[rows], own("creators", "person")[rows]
        tz = np.where(person >= 0, self.m.read("consumers", "tz")[np.maximum(person, 0)], 0).astype(np.int64)
        human = warp(np.minimum(flat, 1e7), cumulated(self.p.diurnal), tz)
        when = np.where(own("creators", "ai")[rows], (np.minimum(flat, 1e7) * DAY).astype(np.int64), human)
        own("creators", "next_at")[rows] = np.where((flat < 1e6) & own("creators", "active")[rows], when, NEVER)

    def post(self) -> None:
        """Make every post that is due, in order of (time, creator)."""
        m, own, now = self.m, self.m.mine, self.m.world.now
        due = np.flatnonzero(own("creators", "next_at") < now)
        if not len(due):
            return
        makers, times, counts = [], [], []
        while len(due):
            makers.append(due)
            times.append(own("creators", "next_at")[due])
            counts.append(own("creators", "posts_made")[due].astype(np.int64))
            own("creators", "posts_made")[due] += 1
            self.schedule(due)
            due = due[own("creators", "next_at")[due] < now]
        maker, time, count = np.concatenate(makers), np.concatenate(times), np.concatenate(counts)
        order = np.lexsort((count, maker, time))
        maker, time, count = maker[order], time[order], count[order]
        allowed = self._within_cap(maker, time)
        maker, time, count = maker[allowed], time[allowed], count[allowed]
        if len(maker):
            self._publish(maker, time, children(m.read("creators", "key")[maker], count))

    def _within_cap(self, maker: Ints, time: Ints) -> NDArray[np.bool_]:
        """Which posts the cap on AI posts per day lets out; blocked ones are lost. Posts come sorted by time."""
        own = self.m.mine
        cap = np.array(self.m.lever_of("creators", "ai_posts_cap", maker), np.int64)
        free = ~own("creators", "ai")[maker] | own("creators", "campaign")[maker]
        if (free | (cap >= 1_000_000)).all():
            return np.ones(len(maker), bool)
        day = (time // DAY).astype(np.int32)
        order = np.lexsort((day, maker))  # stable: by time within a creator's day
        first = np.ones(len(order), bool)
        first[1:] = (np.diff(maker[order]) != 0) | (np.diff(day[order]) != 0)
        start = np.flatnonzero(first)
        size = np.diff(np.append(start, len(order)))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - np.repeat(start, size)
        before = np.where(own("creators", "day")[maker] == day, own("creators", "day_posts")[maker], 0)
        allowed: NDArray[np.bool_] = free | (rank + before < cap)
        out = np.add.reduceat(allowed[order].astype(np.int64), start) + before[order][start]
        who, last = maker[order][start], day[order][start]  # the last day of a creator comes last and stays
        own("creators", "day")[who], own("creators", "day_posts")[who] = last, out
        self.keep["tally"][TALLIES.index("blocked")] += int((~allowed).sum())
        return allowed

    def draw(self, keys: NDArray[np.uint64], maker: Ints, draft: int) -> Drafts:
        """The draft with this number of each post, from what its maker is like now and its own luck."""
        m, p, own = self.m, self.p, self.m.mine
        ai, assisted = own("creators", "ai")[maker], own("creators", "assisted")[maker]
        noise = m.normals("post", keys, 20, draft)
        off = noise[:, 4:] / np.linalg.norm(noise[:, 4:], axis=1, keepdims=True)
        stray = np.where(assisted, min(p.topic_spread * p.assisted_noise, 1.0), p.topic_spread)
        content = (1 - stray).astype(np.float32)[:, None] * own("creators", "niche")[maker] + stray[:, None] * off
        content /= np.linalg.norm(content, axis=1, keepdims=True)
        tried, gain = np.zeros((len(keys), 4)), by_kind(p, ai, "effort_gain")
        tried[:, :3] = noise[:, 1:4]
        if (gain > 0).any():
            tried[:, 3] = m.normals("care", keys, 1, draft)[:, 0]
        sigma = by_kind(p, ai, "exploration") * ~own("creators", "campaign")[maker]
        added = (0.0, np.where(assisted, p.assisted_comprehensiveness, 0.0), 0.0, 0.0)
        strategy = np.stack([np.clip(own("creators", name)[maker] + sigma * tried[:, k] + added[k], low, high)
                             for k, (name, low, high) in enumerate(STRATEGY)], axis=1)
        strategy[gain == 0, 3] = 0
        own_noise = by_kind(p, ai, "quality_noise") * np.where(assisted, p.assisted_noise, 1.0)
        quality = own("creators", "skill")[maker] + own_noise * noise[:, 0] + gain * strategy[:, 3]
        misread, names = p.signal_noise * m.normals("signal", keys, 3, draft), [name for name, _, _ in STRATEGY]
        signal = np.stack([np.clip(strategy[:, names.index(name)] + misread[:, k], low, high)
                           for k, (name, low, high) in enumerate(SIGNALS)], axis=1)
        return Drafts(content, quality, strategy, tried, signal)

    def _selected(self, keys: NDArray[np.uint64], maker: Ints) -> Drafts:
        """The draft that goes out: the first one, or for AI creators the one with the highest predicted engagement."""
        drafts, own = self.draw(keys, maker, 0), self.m.mine
        most = int(self.m.lever("drafts"))
        some = np.flatnonzero(own("creators", "ai")[maker] & ~own("creators", "campaign")[maker])
        if most > 1 and len(some):
            best = self.predict(drafts.content[some], drafts.signal[some], maker[some])
            for draft in range(1, most):
                other = self.draw(keys[some], maker[some], draft)
                score = self.predict(other.content, other.signal, maker[some])
                better = np.flatnonzero(score > best)
                best[better] = score[better]
                for old, new in zip(drafts, other, strict=True):
                    old[some[better]] = new[better]
        return drafts

    def features(self, content: NDArray[Any], signal: NDArray[Any], maker: Ints) -> Floats:
        """What anybody can see of a post, (n, f): 1, signals, their squares, match with what did well lately and with the maker's
        niche, whether the maker is an AI, its reputation, topic."""
        own, x = self.m.mine, np.empty((len(maker), FEATURES))
        x[:, 0], x[:, 1:4], x[:, 11:] = 1, signal, content
        x[:, 4:7] = x[:, 1:4] ** 2
        x[:, 7] = (x[:, 11:] * self.keep["trend"]).sum(1)
        x[:, 8] = (x[:, 11:] * own("creators", "niche")[maker]).sum(1)
        x[:, 9], x[:, 10] = own("creators", "ai")[maker], np.log1p(own("creators", "reputation")[maker])
        return x

    def predict(self, content: NDArray[Any], signal: NDArray[Any], maker: Ints) -> Floats:
        """Predicted clicks per impression."""
        found: Floats = kernel.predict(self.features(content, signal, maker), self.keep["beta"])
        return found

    def learn(self, rows: Ints) -> None:
        """Judge the predictor on newly settled posts, then learn from their public counters."""
        m, own, keep = self.m, self.m.mine, self.keep
        rows = rows[m.read("posts", "impressions")[rows] > 0]
        seen = m.read("posts", "impressions")[rows].astype(float)
        rate = m.read("posts", "counts")[rows, CLICK] / np.maximum(seen, 1)
        x = self.features(own("posts", "content")[rows], own("posts", "signal")[rows], own("posts", "creator")[rows])
        weight = seen / (seen + SURE)
        guess = kernel.predict(x, keep["beta"])
        if len(rows) > 2:
            a, b = guess - np.average(guess, weights=weight), rate - np.average(rate, weights=weight)
            both = float((weight * a * a).sum() * (weight * b * b).sum())
            keep["fit"][0] = float((weight * a * b).sum()) / np.sqrt(both) if both > 0 else 0.0
        kernel.accumulate(float(self.p.predictor_memory), x, rate, weight, keep["gram"], keep["moment"])
        keep["beta"] = kernel.solve(keep["gram"], keep["moment"], float(self.p.predictor_ridge))

    def _publish(self, maker: Ints, time: Ints, keys: NDArray[np.uint64]) -> None:
        m, p, own, keep = self.m, self.p, self.m.mine, self.keep
        ai, assisted = own("creators", "ai")[maker], own("creators", "assisted")[maker]
        campaign = own("creators", "campaign")[maker]
        luck = m.uniforms("fate", keys)
        work = (luck[:, 0] < by_kind(p, ai, "work_share")) & ~campaign
        labelled = ai & (own("creators", "discloses")[maker] | (luck[:, 1] < m.lever_of("creators", "label_ai", maker)))
        rows = m.world.add(m.name, "posts", keys, creator=maker, born=time, work=work, labelled=labelled, assisted=assisted)
        drafts = self._selected(keys, maker)
        own("posts", "content")[rows], own("posts", "quality")[rows] = drafts.content, drafts.quality
        own("posts", "tried")[rows], own("posts", "signal")[rows] = drafts.tried, drafts.signal
        for k, name in enumerate(("arousal", "comprehensiveness", "slant")):
            own("posts", name)[rows] = drafts.strategy[:, k]
        cost = effort(p, ai, assisted, drafts.strategy[:, 1], drafts.strategy[:, 3])
        own("posts", "cost")[rows] = cost
        if cost.any():
            own("creators", "spent")[:] += np.bincount(maker, weights=cost, minlength=len(m.world.table("creators")))
        self._count(maker, rows, ai, campaign)
        keep["made"][:, 1] += np.bincount(ai[~campaign], minlength=2)

    def _count(self, maker: Ints, rows: Ints, ai: NDArray[np.bool_], campaign: NDArray[np.bool_]) -> None:
        """Running sums of what was made, for metrics."""
        own, keep = self.m.mine, self.keep
        community = self.m.read("creators", "community")[maker]
        for kind in (0, 1):
            these = rows[(ai == bool(kind)) & ~campaign]
            keep["supply"][kind] += [len(these), *(float(own("posts", name)[these].sum(dtype=float)) for name in
                                                   ("arousal", "comprehensiveness", "labelled", "assisted", "work"))]
        where = community[~ai]
        invaded = int(keep["invaded"][where].sum())
        for name, count in (("campaign_posts", int(campaign.sum())), ("niche_posts", int(keep["niche"][where].sum())),
                            ("invaded_posts", invaded), ("other_posts", len(where) - invaded)):
            keep["tally"][TALLIES.index(name)] += count
