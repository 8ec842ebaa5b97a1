"""The content of posts: drafts from a creator's means and random draws, and how they are stored.

Strategy k of a draft is z_k + sigma eps_k within its range; quality is skill + noise + gain * care;
content lies between the creator's niche and a random direction.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, kernel, making
from twin.ground.draws import child, unit, wave, words

Array = Any
STRATEGIES = ("arousal", "comprehensiveness", "slant", "care")
"""Places of ``strategy`` and ``tried``."""
AROUSAL, COMPREHENSIVENESS, SLANT, CARE = range(len(STRATEGIES))
SIGNALS = ("slant", "arousal", "comprehensiveness")
"""Places of ``signal``: what a classifier reads off a post."""
QUALITY = 0
"""Column of normals that moves quality; the strategies but care follow."""
CONTENT = len(STRATEGIES)
"""First column of normals that move content."""
MISREAD = len(SIGNALS) + 1
"""Columns of normals behind those of content: errors of the signals, and last of the critic."""


class Craft(NamedTuple):
    """Parameters of making posts; those of a kind as (human, AI)."""

    gain: Array  # f8 (2,), quality per care
    exploration: Array  # f8 (2,)
    noise: Array  # f8 (2,), sd of quality
    topic_spread: float
    topic_spread_assisted: float
    assisted_noise: float
    assisted_comprehensiveness: float
    signal_noise: float
    critic_noise: float
    low: Array  # f8 (4,), range of STRATEGIES
    high: Array  # f8 (4,)
    signals: Array  # i8 (3,), places of SIGNALS among STRATEGIES


class Makers(NamedTuple):
    """Columns of creators from which a draft follows."""

    ai: Array  # bool
    assisted: Array  # bool
    campaign: Array  # bool
    niche: Array  # f4 (C, L)
    skill: Array  # f4
    arousal: Array  # f4
    comprehensiveness: Array  # f4
    slant: Array  # f4
    care: Array  # f4


class Luck(NamedTuple):
    """Standard normals of drafts, not yet multiplied: see `twin.ground.draws.wave`.

    Columns: QUALITY, three strategies, L from CONTENT on, MISREAD, and, where there is another
    block, one for care.
    """

    radius: Array  # f8 (2 blocks, n)
    cosine: Array
    sine: Array


class Drafts(NamedTuple):
    """One draft per post (n)."""

    content: Array  # f8 (n, L): unit vectors
    quality: Array  # f8 (n,)
    strategy: Array  # f8 (n, 4): STRATEGIES
    tried: Array  # f8 (n, 4): standard normals, by STRATEGIES
    signal: Array  # f8 (n, 3): SIGNALS
    reading: Array  # f8 (n,): quality as a critic reads it


class Written(NamedTuple):
    """Columns of posts that a draft fills."""

    content: Array  # f4 (P, L)
    quality: Array  # f4
    arousal: Array  # f4
    comprehensiveness: Array  # f4
    slant: Array  # f4
    tried: Array  # f4 (P, 4)
    signal: Array  # f4 (P, 3)
    reading: Array  # f4


class Origins(NamedTuple):
    """Columns of creators that decide what a post is to the platform."""

    key: Array  # u8
    arm: Array  # i1
    ai: Array  # bool
    campaign: Array  # bool
    discloses: Array  # bool


class Chances(NamedTuple):
    """Chances that a post is a long-lived work, and that an AI post gets a label."""

    work: Array  # f8 (2,): human, AI
    label: Array  # f8 (A,): by arm of creators, or one for all


class Fates(NamedTuple):
    """What new posts are (n)."""

    key: Array  # u8
    work: Array  # bool
    labelled: Array  # bool


@inlined
def _length(x):
    """Euclidean norm, summed in eight lanes as numpy sums (L a multiple of 8, at most 128)."""
    r0, r1, r2, r3, r4, r5, r6, r7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(0, len(x), 8):
        r0 += x[k] * x[k]
        r1 += x[k + 1] * x[k + 1]
        r2 += x[k + 2] * x[k + 2]
        r3 += x[k + 3] * x[k + 3]
        r4 += x[k + 4] * x[k + 4]
        r5 += x[k + 5] * x[k + 5]
        r6 += x[k + 6] * x[k + 6]
        r7 += x[k + 7] * x[k + 7]
    # the tree in which numpy adds its eight lanes
    return math.sqrt(((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7)))


@making
def compose(maker, makers, luck, craft):
    """`Drafts`, one per entry of ``maker``."""
    n, wide = len(maker), makers.niche.shape[1]
    content, quality, reading = np.empty((n, wide)), np.empty(n), np.empty(n)
    strategy, tried, signal = np.empty((n, 4)), np.empty((n, 4)), np.empty((n, 3))
    noise, misread = np.empty(CONTENT + wide), np.empty(MISREAD)
    behind = CONTENT + wide
    # two rows a block of four: is there one for care?
    cares = len(luck.radius) > behind // 2 + 2
    for i in range(n):
        for k in range(behind):
            noise[k] = wave(luck.radius, luck.cosine, luck.sine, k, i)
        for k in range(MISREAD):
            misread[k] = wave(luck.radius, luck.cosine, luck.sine, behind + k, i)
        care = wave(luck.radius, luck.cosine, luck.sine, behind + MISREAD, i) if cares else 0.0
        m = maker[i]
        kind, helped = int(makers.ai[m]), makers.assisted[m]
        stray = craft.topic_spread_assisted if helped else craft.topic_spread
        # between the niche and a random direction; the product with the f4 niche is f4
        near, off = np.float32(1 - stray), _length(noise[CONTENT:])
        for k in range(wide):
            content[i, k] = np.float64(near * makers.niche[m, k]) + stray * (
                noise[CONTENT + k] / off
            )
        # back to a unit vector
        size = _length(content[i])
        for k in range(wide):
            content[i, k] /= size
        sigma = 0.0 if makers.campaign[m] else craft.exploration[kind]  # campaigns do not explore
        # normals of strategies follow that of quality; care has one in a block of its own
        tried[i, AROUSAL], tried[i, COMPREHENSIVENESS] = (
            noise[1 + AROUSAL],
            noise[1 + COMPREHENSIVENESS],
        )
        tried[i, SLANT], tried[i, CARE] = noise[1 + SLANT], care
        strategy[i, AROUSAL], strategy[i, SLANT] = makers.arousal[m], makers.slant[m]
        strategy[i, COMPREHENSIVENESS] = makers.comprehensiveness[m]
        strategy[i, CARE] = makers.care[m]
        for k in range(len(STRATEGIES)):
            more = craft.assisted_comprehensiveness if helped and k == COMPREHENSIVENESS else 0.0
            strategy[i, k] = min(
                max(strategy[i, k] + sigma * tried[i, k] + more, craft.low[k]), craft.high[k]
            )
        gain = craft.gain[kind]
        if gain == 0:
            # care that brings nothing is no choice
            strategy[i, CARE] = 0
        sd = craft.noise[kind] * (craft.assisted_noise if helped else 1.0)
        quality[i] = makers.skill[m] + sd * noise[QUALITY] + gain * strategy[i, CARE]
        # what classifiers read off the draft, and then what a critic does
        for k in range(len(SIGNALS)):
            s = craft.signals[k]
            signal[i, k] = min(
                max(strategy[i, s] + craft.signal_noise * misread[k], craft.low[s]), craft.high[s]
            )
        reading[i] = quality[i] + craft.critic_noise * misread[len(SIGNALS)]
    return Drafts(
        content=content,
        quality=quality,
        strategy=strategy,
        tried=tried,
        signal=signal,
        reading=reading,
    )


@kernel
def store(rows, drafts, posts):
    """Write `Drafts` (n) into `Written` columns of posts at rows."""
    for i in range(len(rows)):
        r = rows[i]
        # Loops instead of slices: numba would compile what it says of slices that do not fit.
        for k in range(drafts.content.shape[1]):
            posts.content[r, k] = drafts.content[i, k]
        for k in range(drafts.tried.shape[1]):
            posts.tried[r, k] = drafts.tried[i, k]
        for k in range(drafts.signal.shape[1]):
            posts.signal[r, k] = drafts.signal[i, k]
        posts.quality[r], posts.reading[r] = drafts.quality[i], drafts.reading[i]
        posts.arousal[r] = drafts.strategy[i, AROUSAL]
        posts.comprehensiveness[r] = drafts.strategy[i, COMPREHENSIVENESS]
        posts.slant[r] = drafts.strategy[i, SLANT]


@kernel
def publish(rows, maker, makers, luck, craft, posts):
    """`compose` one draft per post and `store` it; returns the strategies f8 (n, 4)."""
    drafts = compose(maker, makers, luck, craft)
    store(rows, drafts, posts)
    return drafts.strategy


@kernel
def draft(maker, makers, luck, craft):
    """`compose` for Python."""
    return compose(maker, makers, luck, craft)


@kernel
def fates(maker, number, stream, origins, chances):
    """`Fates` of new posts: the ``number``-th (i8) of each ``maker``, with the luck of a stream."""
    n = len(maker)
    keys, work, labelled = np.empty(n, np.uint64), np.empty(n, np.bool_), np.empty(n, np.bool_)
    for i in range(n):
        m = maker[i]
        keys[i] = child(origins.key[m], number[i])
        # keyed by the post itself, which is made once: occasion and draw are 0
        a, b, _, _ = words(stream, keys[i], 0, 0)
        work[i] = unit(a) < chances.work[int(origins.ai[m])] and not origins.campaign[m]
        arm = origins.arm[m] if len(chances.label) > 1 else 0
        labelled[i] = origins.ai[m] and (origins.discloses[m] or unit(b) < chances.label[arm])
    return Fates(key=keys, work=work, labelled=labelled)
