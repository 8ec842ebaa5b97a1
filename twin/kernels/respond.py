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
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import mix64, unit, words

Array = Any


class Response(IntEnum):
    """What a person does; the first eight are the heads of the model, GLAD nobody but the person
    knows of. A mask holds one bit for each."""

    CLICK = 0
    LONG_VIEW = 1
    LIKE = 2
    COMMENT = 3
    RESHARE = 4
    FOLLOW = 5
    HIDE = 6
    REPORT = 7
    GLAD = 8


class Feature(IntEnum):
    """What a response depends on, by the names of the audience's weights."""

    MATCH = 0
    QUALITY = 1
    COMPREHENSIVENESS = 2
    AGREEMENT = 3
    AROUSAL = 4
    PROOF = 5
    REPUTATION = 6
    FATIGUE = 7
    LABEL = 8
    RATING = 9


FEATURES = tuple(feature.name.lower() for feature in Feature)
MANY = len(FEATURES)
HEADS = 8
"""Responses that a model predicts; their bits of a mask are logged."""
# what rounding may take off a slack, a reach without end, and the most that i4 holds
ROUNDING, ENDLESS, MOST_LIKES = 1e-9, 1e300, 2**31 - 1


class Meeting(NamedTuple):
    """A person before a post: rows of both, the post's likes, posts of the same creator shown
    before in the session, and the place in it."""

    row: Any  # whole numbers, of whatever width a kernel has them
    post: Any
    likes: Any
    same: Any
    place: Any


@inlined
def logistic(x):
    """The logistic function in float64."""
    return 1.0 / (1.0 + math.exp(-x))


@inlined
def features(meeting, people, posts, makers, shown, x):
    """Fill x (MANY,) for a `Meeting`; ``shown`` is a record of SHOWN: what is not shown counts as
    none."""
    row, post = meeting.row, meeting.post
    match = 0.0
    for d in range(people.taste.shape[1]):
        match += people.taste[row, d] * posts.content[post, d]
    x[Feature.MATCH] = match
    x[Feature.QUALITY] = posts.quality[post]
    x[Feature.COMPREHENSIVENESS] = posts.comprehensiveness[post]
    x[Feature.AGREEMENT] = 1.0 - abs(people.opinion[row] - posts.slant[post])
    x[Feature.AROUSAL] = posts.arousal[post]
    x[Feature.PROOF] = math.log1p(float(meeting.likes)) if shown.counts_shown else 0.0
    x[Feature.REPUTATION] = math.log1p(makers.reputation[posts.creator[post]])
    x[Feature.FATIGUE] = meeting.same + 0.1 * meeting.place
    x[Feature.LABEL] = 1.0 if posts.labelled[post] else 0.0
    rated = shown.ratings_shown and posts.rating[post] > 0
    x[Feature.RATING] = posts.rating[post] - 3.0 if rated else 0.0


@inlined
def utility(r, coefficients, x):
    """Log-odds of response r: intercept and coefficients in its row."""
    eta = coefficients[r, 0]
    for f in range(MANY):
        eta += coefficients[r, f + 1] * x[f]
    return eta


@inner
def enjoyment(row, post, scene, x):
    """True chance that a person clicks on a post and is glad of it: what the oracle ranks by."""
    people, posts, behaviour = scene.people, scene.posts, scene.behaviour
    meeting = Meeting(
        row=row, post=post, likes=np.int64(posts.counts[post, Response.LIKE]), same=0, place=0
    )
    features(meeting, people, posts, scene.makers, behaviour.shown[people.arm[row]], x)
    table = behaviour.coefficients
    return logistic(utility(Response.CLICK, table, x) + people.click_shift[row]) * logistic(
        utility(Response.GLAD, table, x)
    )


@inlined
def compared(word, r, more, behaviour, x):
    """Whether response r happens with this luck, ``more`` being added to its log-odds; and its
    slack, less what rounding may take."""
    u, p = unit(word), logistic(utility(r, behaviour.coefficients, x) + more)
    return u < p, (abs(u - p) - ROUNDING) * behaviour.reach[r]


@inlined
def respond(row, post, behaviour, people, posts, x, may_follow):
    """Responses of one meeting as a bit mask, and their slack (see the module); x as `features`
    fills it. Nobody follows from a post of a creator whom they follow already."""
    stream = behaviour.streams.response
    # luck belongs to the pair: the same meeting ends the same way in every branch
    pair = mix64(people.key[row] ^ mix64(posts.key[post]))
    a, b, c, d = words(stream, pair, 0, 0)
    eager = people.eagerness[row]
    mask = 0
    shift = np.float64(people.click_shift[row])
    happens, slack = compared(a, Response.CLICK, shift, behaviour, x)
    if happens:
        mask |= 1 << Response.CLICK
        yes, room = compared(b, Response.LONG_VIEW, 0.0, behaviour, x)
        mask, slack = mask | yes << Response.LONG_VIEW, min(slack, room)
        yes, room = compared(c, Response.LIKE, eager, behaviour, x)
        mask, slack = mask | yes << Response.LIKE, min(slack, room)
        yes, room = compared(d, Response.GLAD, 0.0, behaviour, x)
        mask, slack = mask | yes << Response.GLAD, min(slack, room)
        # a block of luck for each stage: whether one is drawn changes none of the others
        a, b, c, d = words(stream, pair, 0, 1)
        yes, room = compared(a, Response.COMMENT, eager, behaviour, x)
        mask, slack = mask | yes << Response.COMMENT, min(slack, room)
        yes, room = compared(b, Response.RESHARE, eager, behaviour, x)
        mask, slack = mask | yes << Response.RESHARE, min(slack, room)
        if may_follow:
            yes, room = compared(c, Response.FOLLOW, eager, behaviour, x)
            mask, slack = mask | yes << Response.FOLLOW, min(slack, room)
    # hiding needs no click
    a, b, c, d = words(stream, pair, 0, 2)
    happens, room = compared(a, Response.HIDE, 0.0, behaviour, x)
    slack = min(slack, room)
    if happens:
        mask |= 1 << Response.HIDE
        yes, room = compared(b, Response.REPORT, 0.0, behaviour, x)
        mask, slack = mask | yes << Response.REPORT, min(slack, room)
    return mask, slack


@inlined
def likes_until(likes, slack):
    """The most likes of a post, now at ``likes``, at which a mask with this slack still holds."""
    # log(1 + s) <= s: rather too few; and cut before it is a whole number, which could not hold it
    most = (1.0 + likes) * (1.0 + max(slack, 0.0)) - 1.0
    return math.floor(min(np.float64(MOST_LIKES), most))


def reaches(coefficients: Array) -> Array:
    """How far each response's slack reaches, f8 (9,): 4 / |weight of proof|, all but endless where
    proof has no weight."""
    weight = np.abs(coefficients[:, 1 + Feature.PROOF])
    # the branch that is not taken is computed too: it must not divide by zero
    return np.where(weight > 0, 4.0 / np.maximum(weight, 1e-300), ENDLESS)


@inlined
def pull(opinion, slant, tolerance, repulsion):
    """What one post does to an opinion: attraction within the tolerance, repulsion (or nothing)
    beyond it."""
    gap = np.float64(slant) - opinion
    return gap if abs(gap) <= tolerance else -repulsion * gap
