"""Votes on posts, by liking and by the score on show.

Liking l = quality quality_j + match taste . content + agreement (1 - |opinion - slant|) - centre,
and the score S = ups - downs + seed, as seen (0 where hidden), through s = 2 S / (1 + |S|), which
is 1 at a score of 1; parameters have the names of `Votes`:

    logit P(up) = logit(up_rate) + l + herd_up max(s, 0) + [l > 0] correction max(-s, 0)
    logit P(down) = logit(down_rate) - l + herd_down max(-s, 0)

Luck is keyed by (person, post).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel, making
from twin.ground.draws import mix64, unit, words
from twin.kernels.said import VOTE, fingerprint, first_time

Array = Any
VIEWING = np.dtype([("liking", "f8"), ("luck", "f8")])
"""What earlier votes do not change about a viewing."""


class Neutral(NamedTuple):
    """Log-odds of votes on a post that one feels neutral about, at a score of 0."""

    up: Array
    down: Array


@inlined
def logistic(x):
    """The logistic function in float64."""
    return 1.0 / (1.0 + math.exp(-x))


@inlined
def neutral(voting):
    """`Neutral` log-odds of the declared rates."""
    return Neutral(
        up=math.log(voting.up_rate / (1.0 - voting.up_rate)),
        down=math.log(voting.down_rate / (1.0 - voting.down_rate)),
    )


@inlined
def log_odds(liking, score, base, voting):
    """Of an up-vote and of a down-vote, before the two exclude one another."""
    s = 2.0 * score / (1.0 + abs(score))
    up, down = base.up + liking, base.down - liking
    if s > 0:
        up += voting.herd_up * s
    else:
        down -= voting.herd_down * s
        if liking > 0:
            up -= voting.correction * s
    return up, down


@inlined
def exclusive(up, down):
    """P(up) and P(down) from their log-odds."""
    p = logistic(up)
    # both are read off one uniform: together they cannot be above 1
    return p, min(logistic(down), 1.0 - p)


@kernel
def chances(liking, score, voting):
    """P(up) and P(down) of one viewing at the score on show."""
    up, down = log_odds(liking, score, neutral(voting), voting)
    return exclusive(up, down)


@making
def likings(seen, people, works, voting, stream):
    """For every viewing how far the post is liked and the luck of the vote, records of VIEWING
    (n,).

    A pass of its own: the processor need not wait for one person's memory before it asks for the
    next one's.
    """
    # arrays of a tuple are counted at every use in a loop of a part that makes arrays
    consumer, post, out = seen.consumer, seen.post, np.empty(len(seen.post), VIEWING)
    taste, opinion, person = people.taste, people.opinion, people.key
    content, slant, quality, key = works.content, works.slant, works.quality, works.key
    by_quality, by_match, by_agreement = voting.quality, voting.match, voting.agreement
    centre = voting.centre
    for k in range(len(post)):
        i, j = consumer[k], post[k]
        match = 0.0
        for d in range(taste.shape[1]):
            match += taste[i, d] * content[j, d]
        agreement = 1.0 - abs(opinion[i] - slant[j])
        out[k].liking = (
            by_quality * quality[j] + by_match * match + by_agreement * agreement - centre
        )
        word, _, _, _ = words(stream, mix64(person[i] ^ mix64(key[j])), 0, 0)
        out[k].luck = unit(word)
    return out


@inner
def vote(i, j, shown, viewing, base, scene):
    """One viewing, a record of VIEWING: up, down or, mostly, nothing. ``shown``: whether the person
    sees the score."""
    works, total, voting, luck = scene.works, scene.total, scene.rules.votes, viewing.luck
    score = works.votes_up[j] - works.votes_down[j] + works.seed[j] if shown else 0
    up, down = log_odds(viewing.liking, float(score), base, voting)
    if up < -0.85 and down < -2.2 and luck > 0.3 and luck < 0.9:
        return  # most viewings: P(up) < 0.3 and P(down) < 0.1 spare two exponentials
    up, down = exclusive(up, down)
    # the low end of the uniform votes up, the high end down
    if luck >= up and luck < 1.0 - down:
        return
    # only a vote takes a place in the ring, not a viewing
    if not first_time(i, fingerprint(works.key[j], VOTE), scene.people):
        return
    if luck < up:
        works.votes_up[j] += 1
        total.votes_up += 1
    else:
        works.votes_down[j] += 1
        total.votes_down += 1
