"""When the next post comes, what is in it and what is counted of it; and how AI creators predict
engagement.

Prediction is ridge regression with forgetting, in an order of sums that does not depend on threads:

    A <- gamma A + sum_i w_i x_i x_i' ,  b <- gamma b + sum_i w_i y_i x_i ,  beta = (A + ridge D)^-1
                                         b

D is the identity but for the intercept (feature 0), which is all but free. Before any data beta is
0.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel, making
from twin.ground.draws import child, unit, wave, words
from twin.ground.units import DAY, HOUR, NEVER

Array = Any
FREE = 1e-9
FAR = 1e7
"""Days beyond which a post's time is not worked out."""


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
    low: Array  # f8 (4,), range of strategies
    high: Array  # f8 (4,)
    signals: Array  # i8 (3,), places of signals among strategies


class Makers(NamedTuple):
    """Columns of creators."""

    ai: Array  # bool
    assisted: Array  # bool
    campaign: Array  # bool
    niche: Array  # f4 (C, L)
    skill: Array  # f4
    strategy: tuple[Array, Array, Array, Array]  # f4


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
    return math.sqrt(((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7)))


@making
def compose(maker, makers, radius, cosine, sine, craft):
    """One draft per entry of ``maker`` from standard normals (see `twin.ground.draws.wave`).

    Their columns: 0 for quality, 1 to 3 for the first three strategies, then L for content, three
    for signals, one for the critic, and, where there is another block, one for care. Returns
    float64 content (n, L), quality (n,), strategy (n, 4), tried (n, 4), signal (n, 3), reading
    (n,).
    """
    n, wide = len(maker), makers.niche.shape[1]
    content, quality, reading = np.empty((n, wide)), np.empty(n), np.empty(n)
    strategy, tried, signal = np.empty((n, 4)), np.empty((n, 4)), np.empty((n, 3))
    niche, (one, two, three, four) = makers.niche, makers.strategy
    noise, misread = np.empty(4 + wide), np.empty(4)
    cares = len(radius) > 4 + wide // 2
    for i in range(n):
        for k in range(4 + wide):
            noise[k] = wave(radius, cosine, sine, k, i)
        for k in range(4):
            misread[k] = wave(radius, cosine, sine, 4 + wide + k, i)
        care = wave(radius, cosine, sine, 8 + wide, i) if cares else 0.0
        m = maker[i]
        kind, helped = int(makers.ai[m]), makers.assisted[m]
        stray = craft.topic_spread_assisted if helped else craft.topic_spread
        near, off = np.float32(1 - stray), _length(noise[4:])
        for k in range(wide):
            content[i, k] = np.float64(near * niche[m, k]) + stray * (noise[4 + k] / off)
        size = _length(content[i])
        for k in range(wide):
            content[i, k] /= size
        sigma = 0.0 if makers.campaign[m] else craft.exploration[kind]
        tried[i, 0], tried[i, 1], tried[i, 2], tried[i, 3] = noise[1], noise[2], noise[3], care
        strategy[i, 0], strategy[i, 1], strategy[i, 2], strategy[i, 3] = (
            one[m],
            two[m],
            three[m],
            four[m],
        )
        for k in range(4):
            more = craft.assisted_comprehensiveness if helped and k == 1 else 0.0
            strategy[i, k] = min(
                max(strategy[i, k] + sigma * tried[i, k] + more, craft.low[k]), craft.high[k]
            )
        gain = craft.gain[kind]
        if gain == 0:
            strategy[i, 3] = 0
        sd = craft.noise[kind] * (craft.assisted_noise if helped else 1.0)
        quality[i] = makers.skill[m] + sd * noise[0] + gain * strategy[i, 3]
        for k in range(3):
            s = craft.signals[k]
            signal[i, k] = min(
                max(strategy[i, s] + craft.signal_noise * misread[k], craft.low[s]), craft.high[s]
            )
        reading[i] = quality[i] + craft.critic_noise * misread[3]
    return content, quality, strategy, tried, signal, reading


@kernel
def store(
    rows,
    content,
    quality,
    strategy,
    tried,
    signal,
    reading,
    contents,
    qualities,
    arousal,
    comprehensiveness,
    slant,
    trials,
    signals,
    readings,
):
    """Write drafts into the columns of posts."""
    for i in range(len(rows)):
        r = rows[i]
        for k in range(
            content.shape[1]
        ):  # not a slice: numba would compile what it says of slices that do not fit
            contents[r, k] = content[i, k]
        for k in range(tried.shape[1]):
            trials[r, k] = tried[i, k]
        for k in range(signal.shape[1]):
            signals[r, k] = signal[i, k]
        qualities[r], readings[r] = quality[i], reading[i]
        arousal[r], comprehensiveness[r], slant[r] = strategy[i, 0], strategy[i, 1], strategy[i, 2]


@kernel
def publish(
    rows,
    maker,
    makers,
    radius,
    cosine,
    sine,
    craft,
    contents,
    qualities,
    arousal,
    comprehensiveness,
    slant,
    trials,
    signals,
    readings,
):
    """`compose` one draft per post and `store` it; returns the strategies."""
    content, quality, strategy, tried, signal, reading = compose(
        maker, makers, radius, cosine, sine, craft
    )
    store(
        rows,
        content,
        quality,
        strategy,
        tried,
        signal,
        reading,
        contents,
        qualities,
        arousal,
        comprehensiveness,
        slant,
        trials,
        signals,
        readings,
    )
    return strategy


@kernel
def fates(maker, number, key, stream, share, label, arm, ai, campaign, discloses):
    """Of each new post its key u8, whether it is a long-lived work, and whether it is shown as made
    by AI.

    ``share`` f8 (human, AI) of works; ``label`` f8 (A,) chance of a label by arm of creators, or of
    all.
    """
    n = len(maker)
    keys, work, labelled = np.empty(n, np.uint64), np.empty(n, np.bool_), np.empty(n, np.bool_)
    for i in range(n):
        m = maker[i]
        keys[i] = child(key[m], number[i])
        a, b, _, _ = words(stream, keys[i], 0, 0)
        work[i] = unit(a) < share[int(ai[m])] and not campaign[m]
        labelled[i] = ai[m] and (discloses[m] or unit(b) < label[arm[m] if len(label) > 1 else 0])
    return keys, work, labelled


@kernel
def total(values):
    """A sum rounded as numpy's where it turns numbers to float64: pieces of 8192, halves down to
    128, eight lanes."""
    n = len(values)
    if n > 8192:
        s = 0.0
        for first in range(0, n, 8192):
            s += total(values[first : min(first + 8192, n)])
        return s
    if n < 8:
        s = 0.0
        for i in range(n):
            s += values[i]
        return s
    if n <= 128:
        r0, r1, r2, r3 = values[0], values[1], values[2], values[3]
        r4, r5, r6, r7 = values[4], values[5], values[6], values[7]
        whole = n - n % 8
        for i in range(8, whole, 8):
            r0, r1, r2, r3 = (
                r0 + values[i],
                r1 + values[i + 1],
                r2 + values[i + 2],
                r3 + values[i + 3],
            )
            r4, r5, r6, r7 = (
                r4 + values[i + 4],
                r5 + values[i + 5],
                r6 + values[i + 6],
                r7 + values[i + 7],
            )
        s = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
        for i in range(whole, n):
            s += values[i]
        return s
    half = n // 2
    half -= half % 8
    return total(values[:half]) + total(values[half:])


@kernel
def tally(
    rows,
    maker,
    ai,
    campaign,
    community,
    arousal,
    comprehensiveness,
    labelled,
    assisted,
    work,
    invaded,
    niche,
    made,
    supply,
    slots,
    counts,
):
    """Count new posts: by kind in ``made`` (2, 3) and ``supply`` (2, 6); in ``counts`` at ``slots``
    those of campaigns, and of humans those in niche, invaded and other communities."""
    values = np.empty((2, len(rows)))
    for kind in range(2):
        held, whole, shown, helped, lasting = kind == 1, 0, 0, 0, 0
        for i in range(len(rows)):
            r, m = rows[i], maker[i]
            if ai[m] == held and not campaign[m]:
                values[0, whole], values[1, whole] = arousal[r], comprehensiveness[r]
                whole += 1
                shown += labelled[r]
                helped += assisted[r]
                lasting += work[r]
        if whole:
            made[kind, 1] += whole
            supply[kind, 0] += whole
            supply[kind, 1] += total(values[0, :whole])
            supply[kind, 2] += total(values[1, :whole])
            supply[kind, 3] += shown
            supply[kind, 4] += helped
            supply[kind, 5] += lasting
    for i in range(len(rows)):
        m = maker[i]
        counts[slots[0]] += campaign[m]
        if not ai[m]:
            counts[slots[1]] += niche[community[m]]
            counts[slots[2 if invaded[community[m]] else 3]] += 1


@kernel
def take(next_at, posts_made, key, stream, now):
    """Creators with a post before ``now``: rows i8 in order, its time and number i8, and a uniform
    f8 for the gap to the next one. The post counts as made."""
    count = 0
    for row in range(len(next_at)):
        count += next_at[row] < now
    rows, time, number = (
        np.empty(count, np.int64),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )
    luck = np.empty(count)
    held = 0
    for row in range(len(next_at) if count else 0):
        if next_at[row] < now:
            rows[held], time[held], number[held] = row, next_at[row], posts_made[row]
            posts_made[row] += 1
            word, _, _, _ = words(stream, key[row], posts_made[row], 0)
            luck[held] = unit(word)
            held += 1
    return rows, time, number, luck


@inner
def clock(rows, log_u, rate, morale, pace, assisted, campaign, assisted_rate, slowest, flat_at):
    """Move the flat clock of creators by an exponential gap: ``log_u`` is the logarithm of a
    uniform each."""
    for i in range(len(rows)):
        r = rows[i]
        speed = rate[r] * (np.float32(0.5) + morale[r]) * pace[r]
        speed *= assisted_rate if assisted[r] else np.float32(1)
        if campaign[r]:
            speed = rate[r]
        flat_at[r] -= log_u[i] / max(speed, slowest)


@kernel
def wake(rows, flat_at, active, ai, person, zone, curve, next_at):
    """Turn flat clocks into the seconds of next posts: humans' through the diurnal curve
    (`twin.ground.rhythm.warp`) in their time zone."""
    for i in range(len(rows)):
        r = rows[i]
        flat = min(flat_at[r], FAR)
        if not flat_at[r] < 1e6 or not active[r]:
            next_at[r] = NEVER
        elif ai[r]:
            next_at[r] = np.int64(flat * DAY)
        else:
            tz = np.int64(zone[person[r]]) if person[r] >= 0 else np.int64(0)
            local = flat + tz / 24.0
            whole = math.floor(local)
            next_at[r] = np.int64(whole) * DAY + _second(local - whole, curve) - tz * HOUR


@kernel
def schedule(
    rows,
    log_u,
    rate,
    morale,
    pace,
    assisted,
    campaign,
    assisted_rate,
    slowest,
    flat_at,
    active,
    ai,
    person,
    zone,
    curve,
    next_at,
):
    """`clock`, then `wake`; returns the earliest of the times."""
    clock(rows, log_u, rate, morale, pace, assisted, campaign, assisted_rate, slowest, flat_at)
    wake(rows, flat_at, active, ai, person, zone, curve, next_at)
    least = NEVER
    for row in rows:
        least = min(least, next_at[row])
    return least


@inlined
def _second(fraction, curve):
    """`twin.ground.rhythm.seconds` of one number."""
    hour = len(curve) - 1
    if fraction < curve[hour]:
        hour = 0
        while curve[hour + 1] <= fraction:
            hour += 1
        if curve[hour] != fraction:
            slope = 1.0 / (curve[hour + 1] - curve[hour])
            return min(np.int64((slope * (fraction - curve[hour]) + hour) * HOUR), DAY - 1)
    return min(np.int64(np.float64(hour) * HOUR), DAY - 1)


@kernel
def accumulate(memory, x, y, weight, gram, moment):
    """Forget a little, then add rows x (n, f) with outcomes y and weights; gram (f, f) lower
    triangle and moment (f,) in place."""
    n, f = x.shape
    for i in range(f):
        moment[i] *= memory
        for j in range(i + 1):
            gram[i, j] *= memory
    for r in range(n):
        for i in range(f):
            wx = weight[r] * x[r, i]
            moment[i] += wx * y[r]
            for j in range(i + 1):
                gram[i, j] += wx * x[r, j]


@kernel
def solve(gram, moment, ridge):
    """Coefficients beta (f,) by Cholesky's decomposition of the lower triangle plus the penalty."""
    f = len(moment)
    low, beta = np.zeros((f, f)), np.empty(f)
    for i in range(f):
        for j in range(i + 1):
            s = gram[i, j]
            if i == j:
                s += FREE if i == 0 else ridge
            for k in range(j):
                s -= low[i, k] * low[j, k]
            low[i, j] = math.sqrt(max(s, FREE * FREE)) if i == j else s / low[j, j]
    for i in range(f):
        s = moment[i]
        for k in range(i):
            s -= low[i, k] * beta[k]
        beta[i] = s / low[i, i]
    for i in range(f - 1, -1, -1):
        s = beta[i]
        for k in range(i + 1, f):
            s -= low[k, i] * beta[k]
        beta[i] = s / low[i, i]
    return beta


@kernel
def predict(x, beta):
    """x (n, f) times beta, summed in order."""
    out = np.zeros(len(x))
    for r in range(len(x)):
        for i in range(len(beta)):
            out[r] += x[r, i] * beta[i]
    return out
