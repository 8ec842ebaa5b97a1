"""What a person does with a post: eight responses and, apart from them, whether they were glad of it.

    eta_r = b_r + sum_f B[r,f] x_f ,  P(r) = sigmoid(eta_r)

over the features x = (match, quality, comprehensiveness, agreement, arousal, social proof, reputation, fatigue, AI label,
rating shown). A click
comes first; long view, like, comment, reshare, follow and gladness can only follow a click; hide and report can come
without. Luck is keyed by (person, post), so that the same meeting ends the same way in every branch of a fork.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.compiled import inlined, kernel
from twin.draws import mix64, unit, words

Array = Any
CLICK, LONG_VIEW, LIKE, COMMENT, RESHARE, FOLLOW, HIDE, REPORT, GLAD = range(9)
FEATURES = ("match", "quality", "comprehensiveness", "agreement", "arousal", "proof", "reputation", "fatigue", "label", "rating")
MANY = len(FEATURES)


class People(NamedTuple):
    """Columns of consumers that a session reads and writes (C rows, L taste dimensions, S places in the seen ring)."""

    key: Array  # u8
    arm: Array  # i1, see World.arms
    taste: Array  # f4 (C, L)
    opinion: Array  # f4
    eagerness: Array  # f4, shift of the active responses' log-odds
    return_logit: Array  # f4, log-odds of coming back on any next day
    tz: Array  # i1, hours
    next_at: Array  # i8 s
    sessions: Array  # i4
    last_day: Array  # i2, local day of the last session
    satisfaction: Array  # f4
    seen: Array  # i2 or i4 (C, S), as are all rows of posts in columns of people
    seen_at: Array  # i1
    viewed: Array  # (C, V), posts viewed to the end last
    viewed_at: Array  # i1
    stance: Array  # f4 (C, 2), posts examined that lean to either side, fading
    pull_sum: Array  # f8
    pull_count: Array  # i4
    active: Array  # bool
    left_at: Array  # i4 s


class Posts(NamedTuple):
    """Columns of posts that a session reads and writes."""

    key: Array  # u8
    creator: Array  # i4
    content: Array  # f4 (P, L)
    quality: Array  # f4
    arousal: Array  # f4
    comprehensiveness: Array  # f4
    slant: Array  # f4
    work: Array  # bool, long-lived
    labelled: Array  # bool, shown as made by AI
    rating: Array  # f4, average rating as shown, 0 for none
    impressions: Array  # i4
    counts: Array  # i4 (P, 8)
    enjoyed: Array  # i4


class Makers(NamedTuple):
    """Columns of creators that a session reads."""

    ai: Array  # bool
    reputation: Array  # f4


@inlined
def logistic(x):
    """The logistic function in float64."""
    return 1.0 / (1.0 + math.exp(-x))


@inlined
def features(row, post, same, place, people, posts, makers, shows, x):
    """Fill x (MANY,) for one meeting; ``same`` counts posts of this creator shown before in the session; ``shows`` (2,):
    whether like counts and ratings are shown."""
    match = 0.0
    for d in range(people.taste.shape[1]):
        match += people.taste[row, d] * posts.content[post, d]
    x[0] = match
    x[1] = posts.quality[post]
    x[2] = posts.comprehensiveness[post]
    x[3] = 1.0 - abs(people.opinion[row] - posts.slant[post])
    x[4] = posts.arousal[post]
    x[5] = math.log1p(float(posts.counts[post, LIKE])) if shows[0] > 0 else 0.0
    x[6] = math.log1p(makers.reputation[posts.creator[post]])
    x[7] = same + 0.1 * place
    x[8] = 1.0 if posts.labelled[post] else 0.0
    x[9] = posts.rating[post] - 3.0 if shows[1] > 0 and posts.rating[post] > 0 else 0.0


@inlined
def utility(r, behaviour, x):
    """Log-odds of response r: intercept and coefficients in behaviour[r]."""
    eta = behaviour[r, 0]
    for f in range(MANY):
        eta += behaviour[r, f + 1] * x[f]
    return eta


@kernel
def enjoyment(row, post, people, posts, makers, shows, behaviour, x):
    """True chance that a person clicks on a post and is glad of it: what the oracle ranks by."""
    features(row, post, 0, 0, people, posts, makers, shows, x)
    return logistic(utility(CLICK, behaviour, x)) * logistic(utility(GLAD, behaviour, x))


@inlined
def respond(row, post, stream, people, posts, behaviour, x, may_follow):
    """Responses of one meeting as a bit mask (bit 8: glad)."""
    pair = mix64(people.key[row] ^ mix64(posts.key[post]))
    a, b, c, d = words(stream, pair, 0, 0)
    eager = people.eagerness[row]
    mask = 0
    if unit(a) < logistic(utility(CLICK, behaviour, x)):
        mask |= 1 << CLICK
        if unit(b) < logistic(utility(LONG_VIEW, behaviour, x)):
            mask |= 1 << LONG_VIEW
        if unit(c) < logistic(utility(LIKE, behaviour, x) + eager):
            mask |= 1 << LIKE
        if unit(d) < logistic(utility(GLAD, behaviour, x)):
            mask |= 1 << GLAD
        a, b, c, d = words(stream, pair, 0, 1)
        if unit(a) < logistic(utility(COMMENT, behaviour, x) + eager):
            mask |= 1 << COMMENT
        if unit(b) < logistic(utility(RESHARE, behaviour, x) + eager):
            mask |= 1 << RESHARE
        if may_follow and unit(c) < logistic(utility(FOLLOW, behaviour, x) + eager):
            mask |= 1 << FOLLOW
    a, b, c, d = words(stream, pair, 0, 2)
    if unit(a) < logistic(utility(HIDE, behaviour, x)):
        mask |= 1 << HIDE
        if unit(b) < logistic(utility(REPORT, behaviour, x)):
            mask |= 1 << REPORT
    return mask


@inlined
def pull(opinion, slant, tolerance, repulsion):
    """What one post does to an opinion: attraction within the tolerance, repulsion (or nothing) beyond it."""
    gap = np.float64(slant) - opinion
    return gap if abs(gap) <= tolerance else -repulsion * gap
