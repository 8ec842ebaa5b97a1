"""What people say of what they saw in one serving window: ratings of works (`twin.kernels.rate`)
and votes on posts (`twin.kernels.vote`), one after another.

Each clicked impression is one event, in the order in which it happened, so that an event sees the
ratings and votes before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inner, kernel, making
from twin.kernels.rate import JUDGED, consume
from twin.kernels.said import RATING, fingerprint, first_time
from twin.kernels.training import HEADS
from twin.kernels.vote import VIEWING, likings, neutral, vote

Array = Any
CLICK = 1 << HEADS.index("click")
BOUGHT = CLICK | 1 << HEADS.index("long_view")


class Impressions(NamedTuple):
    """All impressions of a window (n,) in order."""

    consumer: Array  # i4
    post: Array  # i4
    responses: Array  # u2, bits over HEADS
    via: Array  # i4, the work on whose shelf it hung, else -1


class Arms(NamedTuple):
    """What differs between people by their arm."""

    arm: Array  # i1, of consumers
    settings: Array  # records of RatingsParams, one per arm
    shelves: Array  # i1, kinds of shelves: one per arm, or one for all


class Seen(NamedTuple):
    """Clicked impressions (n,) in order."""

    consumer: Array  # i4
    post: Array  # i4
    via: Array  # i4, the work on whose shelf it hung, else -1
    shelf: Array  # i1, kind of the person's shelves, see `rules.Shelf`
    bought: Array  # bool, a work seen to the end
    ratings_shown: Array  # bool, to this person
    prediction_shown: Array  # bool
    votes_shown: Array  # bool


@inner
def replay(seen, viewings, scene, out):
    """All events in order; ``viewings`` records of VIEWING (n,), not read without votes.

    A loop in a part that makes no arrays: elsewhere arrays of a tuple are counted at every use.
    """
    row, people, voting = 0, scene.people, scene.rules.votes
    base = neutral(voting)
    for k in range(len(seen.post)):
        i, j = seen.consumer[k], seen.post[k]
        if seen.bought[k]:
            # one say per work
            if first_time(i, fingerprint(scene.works.key[j], RATING), people):
                average, prediction = seen.ratings_shown[k], seen.prediction_shown[k]
                consume(i, j, seen.via[k], seen.shelf[k], average, prediction, scene, out[row])
            # also where nothing was said: rows of ``out`` stand for all works consumed
            row += 1
        if voting.enabled:
            vote(i, j, seen.votes_shown[k], viewings[k], base, scene)


@kernel
def react(seen, scene):
    """Ratings and votes of one window, in order. Returns records of JUDGED (works consumed,); rows
    of works that the person had consumed before stay 0."""
    out, voting = np.zeros(int(seen.bought.sum()), JUDGED), scene.rules.votes
    if voting.enabled:
        viewings = likings(seen, scene.people, scene.works, voting, scene.vote_stream)
    else:
        viewings = np.empty(0, VIEWING)
    replay(seen, viewings, scene, out)
    return out


@making
def clicked(window, work, arms, votes):
    """What of a window's `Impressions` may be answered: all that were clicked or, without
    ``votes``, the works consumed; ``work`` bool (posts,)."""
    consumer, post, responses, via = window.consumer, window.post, window.responses, window.via
    arm, settings, shelves = arms.arm, arms.settings, arms.shelves
    # counted first: arrays of the exact size
    n = 0
    for k in range(len(post)):
        buys = responses[k] & BOUGHT == BOUGHT and work[post[k]]
        n += (responses[k] & CLICK == CLICK and votes) or buys
    who, what, where = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    shelf, bought, shown = np.empty(n, np.int8), np.empty(n, np.bool_), np.empty((3, n), np.bool_)
    held = 0
    for k in range(len(post)):
        buys = responses[k] & BOUGHT == BOUGHT and work[post[k]]
        if (responses[k] & CLICK == CLICK and votes) or buys:
            i = consumer[k]
            who[held], what[held], where[held], bought[held] = i, post[k], via[k], buys
            shelf[held] = shelves[arm[i] if len(shelves) > 1 else 0]
            mine = settings[arm[i] if len(settings) > 1 else 0]
            shown[0, held], shown[1, held] = mine.ratings_shown, mine.prediction_shown
            shown[2, held] = mine.votes_shown
            held += 1
    return Seen(
        consumer=who,
        post=what,
        via=where,
        shelf=shelf,
        bought=bought,
        ratings_shown=shown[0],
        prediction_shown=shown[1],
        votes_shown=shown[2],
    )


@kernel
def answer(window, work, arms, scene):
    """`react` to what was `clicked` in a window. Returns the works consumed."""
    seen = clicked(window, work, arms, scene.rules.votes.enabled)
    if len(seen.post):
        react(seen, scene)
    return seen.post[seen.bought]
