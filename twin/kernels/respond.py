"""What a person does with a post: eight responses and, apart from them, whether they were glad of
it.

    eta_r = b_r + sum_f B[r,f] x_f ,  P(r) = sigmoid(eta_r)

over the features x = (match, quality, comprehensiveness, agreement, arousal, social proof,
reputation, fatigue, AI label, rating shown). A click comes first; long view, like, comment,
reshare, follow and gladness can only follow a click; hide and report can come without. Luck is
keyed by (person, post), so that the same meeting ends the same way in every branch of a fork.

Of the features only social proof, log(1 + likes), changes while others' sessions go on. How far may
likes rise before a response changes? Each response compares a uniform u with P(eta); P moves by at
most a quarter of what eta does, so all responses stay as they are while

    log((1 + likes') / (1 + likes)) <= slack = min over the comparisons made of 4 |u - P| / |weight
    of proof|
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import mix64, unit, words

Array = Any
CLICK, LONG_VIEW, LIKE, COMMENT, RESHARE, FOLLOW, HIDE, REPORT, GLAD = range(9)
FEATURES = (
    "match",
    "quality",
    "comprehensiveness",
    "agreement",
    "arousal",
    "proof",
    "reputation",
    "fatigue",
    "label",
    "rating",
)
MANY = len(FEATURES)
ROUNDING, ENDLESS, MOST_LIKES = 1e-9, 1e300, 2**31 - 1


class People(NamedTuple):
    """Columns of consumers that a session reads and writes (C rows, L taste dimensions, S places in
    the seen ring)."""

    key: Array  # u8
    arm: Array  # i1, see World.arms
    taste: Array  # f4 (C, L)
    opinion: Array  # f4
    eagerness: Array  # f4, shift of the active responses' log-odds
    click_shift: Array  # f4, shift of the click's
    patience_shift: Array  # f4, shift of the log-odds of looking at the next post
    joined_at: Array  # i4 s, 0 for those who were there when the world began
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
def features(row, post, likes, same, place, people, posts, makers, shows, x):
    """Fill x (MANY,) for one meeting with a post of so many ``likes``; ``same`` counts posts of
    this creator shown before in the session; ``shows`` (2,): whether like counts and ratings are
    shown."""
    match = 0.0
    for d in range(people.taste.shape[1]):
        match += people.taste[row, d] * posts.content[post, d]
    x[0] = match
    x[1] = posts.quality[post]
    x[2] = posts.comprehensiveness[post]
    x[3] = 1.0 - abs(people.opinion[row] - posts.slant[post])
    x[4] = posts.arousal[post]
    x[5] = math.log1p(float(likes)) if shows[0] > 0 else 0.0
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


@inner
def enjoyment(row, post, people, posts, makers, shows, behaviour, x):
    """True chance that a person clicks on a post and is glad of it: what the oracle ranks by."""
    features(row, post, np.int64(posts.counts[post, LIKE]), 0, 0, people, posts, makers, shows, x)
    return logistic(utility(CLICK, behaviour, x) + people.click_shift[row]) * logistic(
        utility(GLAD, behaviour, x)
    )


@inlined
def compared(word, r, more, behaviour, reach, x):
    """Whether response r happens with this luck, ``more`` being added to its log-odds; and its
    slack, less what rounding may take."""
    u, p = unit(word), logistic(utility(r, behaviour, x) + more)
    return u < p, (abs(u - p) - ROUNDING) * reach[r]


@inlined
def respond(row, post, stream, people, posts, behaviour, reach, x, may_follow):
    """Responses of one meeting as a bit mask (bit 8: glad), and their slack (see the module)."""
    pair = mix64(people.key[row] ^ mix64(posts.key[post]))
    a, b, c, d = words(stream, pair, 0, 0)
    eager = people.eagerness[row]
    mask = 0
    happens, slack = compared(a, CLICK, np.float64(people.click_shift[row]), behaviour, reach, x)
    if happens:
        mask |= 1 << CLICK
        yes, room = compared(b, LONG_VIEW, 0.0, behaviour, reach, x)
        mask, slack = mask | yes << LONG_VIEW, min(slack, room)
        yes, room = compared(c, LIKE, eager, behaviour, reach, x)
        mask, slack = mask | yes << LIKE, min(slack, room)
        yes, room = compared(d, GLAD, 0.0, behaviour, reach, x)
        mask, slack = mask | yes << GLAD, min(slack, room)
        a, b, c, d = words(stream, pair, 0, 1)
        yes, room = compared(a, COMMENT, eager, behaviour, reach, x)
        mask, slack = mask | yes << COMMENT, min(slack, room)
        yes, room = compared(b, RESHARE, eager, behaviour, reach, x)
        mask, slack = mask | yes << RESHARE, min(slack, room)
        if may_follow:
            yes, room = compared(c, FOLLOW, eager, behaviour, reach, x)
            mask, slack = mask | yes << FOLLOW, min(slack, room)
    a, b, c, d = words(stream, pair, 0, 2)
    happens, room = compared(a, HIDE, 0.0, behaviour, reach, x)
    slack = min(slack, room)
    if happens:
        mask |= 1 << HIDE
        yes, room = compared(b, REPORT, 0.0, behaviour, reach, x)
        mask, slack = mask | yes << REPORT, min(slack, room)
    return mask, slack


@inlined
def likes_until(likes, slack):
    """The most likes of a post, now at ``likes``, at which a mask with this slack still holds
    (log(1 + s) <= s: rather too few)."""
    return math.floor(
        min(np.float64(MOST_LIKES), (1.0 + likes) * (1.0 + max(slack, 0.0)) - 1.0)
    )  # cut before it is a whole number


def reaches(behaviour: Array) -> Array:
    """How far each response's slack reaches, f8 (9,): 4 / |weight of proof|, all but endless where
    proof has no weight."""
    weight = np.abs(behaviour[:, 1 + FEATURES.index("proof")])
    return np.where(weight > 0, 4.0 / np.maximum(weight, 1e-300), ENDLESS)


@inlined
def pull(opinion, slant, tolerance, repulsion):
    """What one post does to an opinion: attraction within the tolerance, repulsion (or nothing)
    beyond it."""
    gap = np.float64(slant) - opinion
    return gap if abs(gap) <= tolerance else -repulsion * gap
