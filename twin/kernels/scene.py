"""What sessions read and write: columns of people, posts and creators, what is served, who follows
whom, and how people behave.

Names are those of the columns, and of the parameters of consumers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any
SHOWN = np.dtype([("counts_shown", "?"), ("ratings_shown", "?")])
"""What is shown beside a post, by arm of consumers."""


class People(NamedTuple):
    """Columns of consumers that a session reads and writes (C rows, L taste dimensions, S places in
    the seen ring)."""

    key: Array  # u8
    arm: Array  # i1, see World.arms
    taste: Array  # f4 (C, L)
    opinion: Array  # f4
    rating_expectation: Array  # f4 stars, of works at all
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


class Habits(NamedTuple):
    """Parameters of people that are one number each, by the names they have in a scenario."""

    patience: float
    patience_effect: float
    patience_memory: float
    shelf_patience: float
    shelf_expectation: float  # see `happen.content_with`
    satisfaction_reference: float
    satisfaction_rate: float
    again: float
    log_again_gap: float  # of the median gap in seconds
    again_gap_sd: float
    return_effect: float
    leave: float
    leave_effect: float
    churn_a: float
    churn_b: float
    tolerance: float  # of opinions
    repulsion: float


class Streams(NamedTuple):
    """Keys of the random numbers of sessions, of the visits between them, and of responses."""

    session: np.uint64
    visit: np.uint64
    response: np.uint64


class Behaviour(NamedTuple):
    """How people behave, and what they are shown of a post."""

    coefficients: Array  # f8 (9 responses, 1 + features), intercepts first
    reach: Array  # f8 (9,), see `respond.reaches`
    habits: Habits
    shown: Array  # SHOWN (A,)
    hours: Array  # f8 (25,) cumulated share of sessions by local hour
    # f8: cumulated weight of local days, the day before the world began first; (0,) where all are
    # alike
    days: Array
    # f8, by `rules.Shelf`: what contentment with a work adds to the log-odds of looking on at its shelf
    shelf_drawn: Array
    streams: Streams


class Scene(NamedTuple):
    """All that a session meets."""

    people: People
    posts: Posts
    makers: Makers
    serve: Any  # snapshot.Serving
    own: Any  # own.Offer, empty where no ranker of the scenario's own ranks
    graph: Any  # follows.Follows
    behaviour: Behaviour
    tally: Any  # tally.Tally, empty where nobody reads arms
