"""When creators post: a Poisson process on a clock without nights, read through the diurnal curve.

    flat <- flat + exponential gap / (rate (1/2 + morale) pace)

with the rate multiplied for the assisted, and neither morale nor pace for accounts of campaigns.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel
from twin.ground.draws import unit, words
from twin.ground.units import DAY, HOUR, NEVER

Array = Any
FAR = 1e7
"""Days beyond which a post's time is not computed."""
SOON = 1e6
"""Days from which on a post never comes."""


class Speeds(NamedTuple):
    """How fast creators post: columns of creators, and two numbers for all."""

    rate: Array  # f4, posts/d
    morale: Array  # f4
    pace: Array  # f4
    assisted: Array  # bool
    campaign: Array  # bool
    assisted_rate: Any  # f4: factor for the assisted
    slowest: Any  # f4, posts/d: nobody is slower


class Clocks(NamedTuple):
    """When creators post next, and what turns their flat clocks into seconds."""

    flat_at: Array  # f8, d
    next_at: Array  # i8, s
    active: Array  # bool
    ai: Array  # bool
    person: Array  # i4: row of consumers, -1 for none
    zone: Array  # i1: time zones of consumers, h
    curve: Array  # f8 (25,): share of posts before each local hour


class Due(NamedTuple):
    """Posts whose time has come (n)."""

    maker: Array  # i8: rows of creators
    time: Array  # i8, s
    number: Array  # i8: how many posts the creator has made before
    luck: Array  # f8: a uniform for the gap to the next one


@kernel
def take(next_at, posts_made, key, stream, now):
    """Posts that are `Due` before ``now``, in the order of rows of creators; they count as made."""
    count = 0
    for row in range(len(next_at)):
        count += next_at[row] < now
    maker = np.empty(count, np.int64)
    time, number = np.empty(count, np.int64), np.empty(count, np.int64)
    luck = np.empty(count)
    held = 0
    for row in range(len(next_at) if count else 0):
        if next_at[row] < now:
            maker[held], time[held], number[held] = row, next_at[row], posts_made[row]
            posts_made[row] += 1
            # after it was counted: the gap is keyed by the number of the post that ends it
            word, _, _, _ = words(stream, key[row], posts_made[row], 0)
            luck[held] = unit(word)
            held += 1
    return Due(maker=maker, time=time, number=number, luck=luck)


@inner
def clock(rows, log_u, speeds, flat_at):
    """Move the flat clock of creators by an exponential gap: ``log_u`` is the logarithm of a
    uniform each."""
    for i in range(len(rows)):
        r = rows[i]
        speed = speeds.rate[r] * (np.float32(0.5) + speeds.morale[r]) * speeds.pace[r]
        speed *= speeds.assisted_rate if speeds.assisted[r] else np.float32(1)
        if speeds.campaign[r]:
            speed = speeds.rate[r]  # a campaign sets the rate of its accounts itself
        # logarithms of uniforms are negative, so this adds; the floor keeps the gap finite
        flat_at[r] -= log_u[i] / max(speed, speeds.slowest)


@kernel
def wake(rows, clocks):
    """Turn flat clocks into the seconds of next posts: humans' through the diurnal curve
    (`twin.ground.rhythm.warp`) in their time zone; AI creators have no nights."""
    for i in range(len(rows)):
        r = rows[i]
        flat = min(clocks.flat_at[r], FAR)  # beyond that seconds would not fit into i8
        if not clocks.flat_at[r] < SOON or not clocks.active[r]:
            clocks.next_at[r] = NEVER
        elif clocks.ai[r]:
            clocks.next_at[r] = np.int64(flat * DAY)
        else:
            person = clocks.person[r]
            tz = np.int64(clocks.zone[person]) if person >= 0 else np.int64(0)
            local = flat + tz / 24.0
            whole = math.floor(local)
            second = _second(local - whole, clocks.curve)
            clocks.next_at[r] = np.int64(whole) * DAY + second - tz * HOUR


@kernel
def schedule(rows, log_u, speeds, clocks):
    """`clock`, then `wake`; returns the earliest of the times."""
    clock(rows, log_u, speeds, clocks.flat_at)
    wake(rows, clocks)
    least = NEVER
    for row in rows:
        least = min(least, clocks.next_at[row])
    return least


@inlined
def _second(fraction, curve):
    """`twin.ground.rhythm.seconds` of one number."""
    hour = len(curve) - 1
    if fraction < curve[hour]:
        hour = 0
        while curve[hour + 1] <= fraction:
            hour += 1
        # on a knot np.interp gives the knot itself
        if curve[hour] != fraction:
            # in the order in which np.interp computes, for the same bits
            slope = 1.0 / (curve[hour + 1] - curve[hour])
            return min(np.int64((slope * (fraction - curve[hour]) + hour) * HOUR), DAY - 1)
    return min(np.int64(np.float64(hour) * HOUR), DAY - 1)
