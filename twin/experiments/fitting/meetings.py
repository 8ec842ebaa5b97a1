"""A population of meetings of people with posts, and what the response model says of it in closed
form.

A meeting has features x (`twin.kernels.respond.FEATURES`) and a shift e of the active responses
(eagerness). With the coefficients B of the responses and p_r = sigmoid(B_r . (1, x) + e), the rate
of response r per impression over meetings m is

    rate_r = mean over m of p_r(m) g_r(m)

where g is 1 for click and hide, p_hide for report, and p_click for the others, which need a click.
Slopes change without changing rates: intercepts are set so that every rate_r stays what it was
(`held`).

A word in a post, as text studies count words, is worth so many standard deviations of arousal over
posts shown (an assumption, see `WORD`). With d this deviation and S the chance of a share, p_click
p_reshare,

    moral-emotional word   log of mean S(arousal + d) / mean S
    out-group word         the same in odds, over meetings where opinion and slant have one sign

An out-group word also raises agreement by one standard deviation (1 at most): it is written for the
author's own side, who agree with it more. A word that moved the slant instead would lower the
agreement of its own side, as most posts lean further than their readers.

Like, comment, reshare and follow carry eagerness. It has mean 0 over people, not over meetings, so
it is part of the population.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from twin.kernels.respond import FEATURES, Feature, Response
from twin.kernels.training import HEADS

Floats = NDArray[np.float64]
NAMES = (*HEADS, "glad")
"""Responses in the order of the kernel."""
EAGER = (Response.LIKE, Response.COMMENT, Response.RESHARE, Response.FOLLOW)
AROUSAL, AGREEMENT = Feature.AROUSAL, Feature.AGREEMENT
WORD = 1.0
"""One moral-emotional or out-group word, in standard deviations of arousal over posts shown (and of
agreement over meetings, for the latter). Assumption."""
WIDEST = 40.0
"""Largest change of an intercept that is searched, in log-odds."""


class Meetings(NamedTuple):
    """Meetings: features float64 (M, 10), shift of active responses (M,), opinion of the person and
    slant of the post (M,), and which post it was (M,)."""

    x: Floats
    eager: Floats
    opinion: Floats
    slant: Floats
    post: NDArray[np.int64]


def coefficients(responses: Any) -> Floats:
    """Intercept and slopes of every response (9, 11), in the order of the kernel, from the
    parameter set `Responses`."""
    names = ("intercept", *FEATURES)
    return np.array(
        [[getattr(getattr(responses, response), name) for name in names] for response in NAMES]
    )


def chance(meetings: Meetings, table: Floats, response: int) -> Floats:
    """p_r of every meeting (M,)."""
    eager = meetings.eager if response in EAGER else 0.0
    return np.asarray(
        expit(table[response, 0] + meetings.x @ table[response, 1:] + eager), np.float64
    )


def _given(meetings: Meetings, table: Floats, response: int) -> Floats | float:
    """The chance that the response can happen at all: a click has to come first, or for a report a
    hide."""
    if response in (Response.CLICK, Response.HIDE):
        return 1.0
    return chance(meetings, table, Response.HIDE if response == Response.REPORT else Response.CLICK)


def rates(meetings: Meetings, table: Floats) -> Floats:
    """Rate of every response per impression (9,)."""
    return np.array(
        [
            float(np.mean(chance(meetings, table, r) * _given(meetings, table, r)))
            for r in range(len(NAMES))
        ]
    )


def held(meetings: Meetings, before: Floats, slopes: Floats) -> Floats:
    """``slopes`` (9, 11) with the intercepts at which every rate over these meetings is that of
    ``before``."""
    out, target = slopes.copy(), rates(meetings, before)
    # Click and hide come first: the rates of the others depend on one of them.
    for r in sorted(range(len(NAMES)), key=lambda r: r not in (Response.CLICK, Response.HIDE)):
        given = _given(meetings, out, r)

        # defaults bind r and given of this round: a closure would see those of a later one
        def excess(shift: float, r: int = r, given: Floats | float = given) -> float:
            moved = out.copy()
            moved[r, 0] += shift
            return float(np.mean(chance(meetings, moved, r) * given) - target[r])

        # a rate that holds already keeps its intercept to the last bit
        if excess(0.0) != 0.0:
            out[r, 0] += brentq(excess, -WIDEST, WIDEST, xtol=1e-10)
    return out


def shares(meetings: Meetings, table: Floats) -> float:
    """Shares per impression: posts that are opened and reshared."""
    return float(
        np.mean(chance(meetings, table, Response.CLICK) * chance(meetings, table, Response.RESHARE))
    )


def over_posts(meetings: Meetings, feature: int) -> float:
    """Standard deviation of a feature of posts over the posts met, each counted once, as text
    studies count them."""
    return float(meetings.x[np.unique(meetings.post, return_index=True)[1], feature].std())


def _more(meetings: Meetings, feature: int, by: float, low: float, high: float) -> Meetings:
    # Features are bounded: an aroused post cannot become more aroused than 1.
    x = meetings.x.copy()
    x[:, feature] = np.clip(x[:, feature] + by, low, high)
    return meetings._replace(x=x)


def moral_word(meetings: Meetings, table: Floats) -> float:
    """Log of the ratio of shares with one more moral-emotional word in each post to shares as they
    are."""
    more = _more(meetings, AROUSAL, WORD * over_posts(meetings, AROUSAL), 0, 1)
    return float(np.log(shares(more, table) / shares(meetings, table)))


def outgroup_word(meetings: Meetings, table: Floats) -> float:
    """Log of the ratio of odds of a share with one more out-group word in each post, over readers
    on the side of the post."""
    own = np.sign(meetings.opinion) == np.sign(meetings.slant)
    mine = Meetings(*(each[own] for each in meetings))
    # the dose is by all posts met, not by those of one side
    more = _more(mine, AROUSAL, WORD * over_posts(meetings, AROUSAL), 0, 1)
    more = _more(more, AGREEMENT, WORD * meetings.x[:, AGREEMENT].std(), -1, 1)
    with_word, without = shares(more, table), shares(mine, table)
    return float(np.log(with_word / (1 - with_word)) - np.log(without / (1 - without)))
