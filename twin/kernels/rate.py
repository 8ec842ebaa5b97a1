"""What people say of what they saw in one serving window: ratings of works and votes on posts, one
after another.

Each clicked impression is one event, in the order in which it happened, so that an event sees the
ratings and votes before it.

A consumption of a work (person i, work j) on the rating scale, with f_i the person's general
expectation, a_j the average on show when the work was chosen, p_ij the prediction on show (terms of
what is not shown are left out), A_j the average when the rating is written:

    q = mean + w_q quality_j + w_m taste_i . content_j + noise z_ij                       experienced quality
    E = f_i + w_a (a_j - f_i) + w_p (p_ij - f_i)                                          expectation before it
    r = q + kappa_up max(q - E, 0) - kappa_down max(E - q, 0) + c (p_ij - q) + h (A_j - q)
    f_i <- f_i + l_up max(q - E, 0) - l_down max(E - q, 0)                                cut to 1..5

r is what the person would say (disconfirmation, anchoring on the prediction, herding on the
average); rounded and cut to 1..5 it is posted with P = min(1, b exp(x |r - 3|)), r cut to 1..5
first. From the related shelf of work v the expectation is another: on a co-viewed shelf v is the
reference, E = a_v (or, ``comparison``: two works side by side tell all that is on show, E = a_j);
on a bought-together shelf the person's expectation of v is carried over, E = f_i + w_a (a_v - f_i)
+ w_p (p_iv - f_i).

The prediction is the baseline predictor of Koren (TKDD 2010) from posted ratings alone, m the mean
of all, n counts, shrinkage s:

    p_ij = m + b_j + b_i   b_j = sum_j (r - m) / (s_work + n_j)   b_i = sum_i (r - m - b_j) /
                           (s_person + n_i)

plus, in the perturbation experiment, ``shift`` for a random half of all pairs; cut to 1..5.

Votes on any clicked post, by liking l = v_q quality + v_m match + v_a agreement - centre and the
score S = ups - downs + seed, as seen (0 where hidden), through s = 2 S / (1 + |S|), which is 1 at a
score of 1:

    logit P(up) = logit(u) + l + herd_up max(s, 0) + [l > 0] correction max(-s, 0)
    logit P(down) = logit(d) - l + herd_down max(-s, 0)

Luck is keyed by (person, work) and (person, post). A person has one say per work and per post: a
ring of fingerprints holds the last ones.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel, making
from twin.ground.draws import mix64, unit, words
from twin.kernels.training import HEADS

Array = Any
RING = 16
CO_VIEWED, BOUGHT_TOGETHER, RANDOM = range(3)
BOUGHT = 1 << HEADS.index("click") | 1 << HEADS.index("long_view")
REFERENCES = ("via", "comparison", "none")
(
    T_BOUGHT,
    T_POSTED,
    T_STARS,
    T_QUALITY,
    T_SURPRISE,
    T_ANCHORED,
    T_HERDED,
    T_DISCONFIRMED,
    T_UP,
    T_DOWN,
    T_BOUGHT_STARS,
    T_FORCED,
    T_FORCED_STARS,
    T_MOVED,
    T_MOVE,
    T_DRIFT_MOVED,
    T_UNMOVED,
    T_DRIFT_UNMOVED,
    T_HIST_POSTED,
) = range(19)
T_HIST_BOUGHT, T_HIST_FORCED = T_HIST_POSTED + 5, T_HIST_POSTED + 10
T_SIZE = T_HIST_POSTED + 15
"""Running sums: works consumed, ratings posted, and of the posted ones stars, experienced quality,
and the three pulls; surprise q - E of all consumed; of the perturbation experiment pairs in both
halves, moves and r - p; stars by sample."""
O_QUALITY, O_EXPECTATION, O_PREDICTION, O_STAR, O_POSTED = range(5)


class Seen(NamedTuple):
    """Clicked impressions (n,) in order."""

    consumer: Array  # i4
    post: Array  # i4
    via: Array  # i4, the work on whose shelf it hung, else -1
    shelf: Array  # i1, kind of the person's shelves: CO_VIEWED, BOUGHT_TOGETHER, RANDOM
    bought: Array  # bool, a work seen to the end
    ratings_shown: Array  # bool, to this person
    prediction_shown: Array  # bool
    votes_shown: Array  # bool


class Raters(NamedTuple):
    """Columns of consumers."""

    key: Array  # u8
    taste: Array  # f4 (C, L)
    opinion: Array  # f4
    level: Array  # f4, general expectation
    residual: Array  # f4, sum of posted ratings less mean and work's bias
    given: Array  # i4, ratings posted
    ring: Array  # u2 (C, RING)
    ring_at: Array  # i1


class Works(NamedTuple):
    """Columns of posts."""

    key: Array  # u8
    content: Array  # f4 (P, L)
    quality: Array  # f4
    slant: Array  # f4
    shown: Array  # f4, average on show, 0 for none
    rating_sum: Array  # i4
    rating_count: Array  # i4
    up: Array  # i4
    down: Array  # i4
    seed: Array  # i1


class Rules(NamedTuple):
    """Parameters of ratings; levers included."""

    mean: float
    quality: float
    match: float
    noise: float
    expect_shown: float
    expect_prediction: float
    kappa_up: float
    kappa_down: float
    anchoring: float
    herding: float
    level_up: float
    level_down: float
    report_base: float
    extremity: float
    everyone: bool
    shown_from: int
    shift: float
    shrink_work: float
    shrink_person: float
    reference: int  # place in REFERENCES


class Voting(NamedTuple):
    """Parameters of votes."""

    enabled: bool
    up: float  # logit
    down: float  # logit
    quality: float
    match: float
    agreement: float
    centre: float
    herd_up: float
    herd_down: float
    correction: float


@inlined
def cut(x):
    """Onto the rating scale."""
    return min(5.0, max(1.0, x))


@inlined
def stars(r):
    """A rating as posted: whole stars, halves up."""
    return int(cut(r) + 0.5)


@inlined
def logistic(x):
    """The logistic function in float64."""
    return 1.0 / (1.0 + math.exp(-x))


@inlined
def pair_key(i, j, people, works):
    """Key of the meeting of a person and a post."""
    return mix64(people.key[i] ^ mix64(works.key[j]))


@inner
def matched(i, j, people, works):
    """taste . content."""
    match = 0.0
    for d in range(people.taste.shape[1]):
        match += people.taste[i, d] * works.content[j, d]
    return match


@inner
def predicted(i, j, people, works, total, rules):
    """The platform's prediction from posted ratings, before any perturbation."""
    posted = total[T_POSTED]
    mean = total[T_STARS] / posted if posted > 0 else 3.0
    n = works.rating_count[j]
    work = (works.rating_sum[j] - n * mean) / max(rules.shrink_work + n, 1e-9)
    person = people.residual[i] / max(rules.shrink_person + people.given[i], 1e-9)
    return cut(mean + work + person)


@inlined
def perturbed(prediction, luck, rules):
    """The prediction as shown: moved for half of all pairs, and never off the scale."""
    return cut(prediction + rules.shift) if luck < 0.5 else prediction


@inner
def expectation(i, j, sees_average, prediction, people, works, rules):
    """What a person expects of a work from all that is on show (``prediction`` 0: none is)."""
    level = np.float64(people.level[i])
    e = level
    if sees_average and works.shown[j] > 0:
        e += rules.expect_shown * (works.shown[j] - level)
    if prediction > 0:
        e += rules.expect_prediction * (prediction - level)
    return e


@inner
def judge(
    i, j, via, shelf, sees_average, sees_prediction, people, works, total, rules, stream, out
):
    """Fill out (5,) for one consumption; returns the pulls of disconfirmation, anchoring and
    herding, the move of the prediction, the luck of reporting, and whether the pair is in the half
    that is moved."""
    a, b, c, d = words(stream, pair_key(i, j, people, works), 0, 0)
    normal = math.sqrt(-2 * math.log(unit(a))) * math.cos(2 * math.pi * unit(b))
    q = (
        rules.mean
        + rules.quality * works.quality[j]
        + rules.match * matched(i, j, people, works)
        + rules.noise * normal
    )
    plain, prediction = 0.0, 0.0
    if sees_prediction:
        plain = predicted(i, j, people, works, total, rules)
        prediction = perturbed(plain, unit(d), rules)
    e = expectation(i, j, sees_average, prediction, people, works, rules)
    if via >= 0 and shelf == BOUGHT_TOGETHER:
        other = 0.0
        if sees_prediction:
            _, _, _, half = words(stream, pair_key(i, via, people, works), 0, 0)
            other = perturbed(predicted(i, via, people, works, total, rules), unit(half), rules)
        e = expectation(i, via, sees_average, other, people, works, rules)
    elif via >= 0 and shelf == CO_VIEWED and rules.reference < 2 and sees_average:
        reference = works.shown[via] if rules.reference == 0 else works.shown[j]
        if reference > 0:
            e = np.float64(reference)
    surprise = q - e
    disconfirmed = rules.kappa_up * max(surprise, 0.0) + rules.kappa_down * min(surprise, 0.0)
    anchored = rules.anchoring * (prediction - q) if sees_prediction else 0.0
    herded = 0.0
    if sees_average and works.rating_count[j] >= rules.shown_from:
        herded = rules.herding * (works.rating_sum[j] / works.rating_count[j] - q)
    out[O_QUALITY], out[O_EXPECTATION], out[O_PREDICTION] = q, e, prediction
    out[O_STAR], out[O_POSTED] = q + disconfirmed + anchored + herded, 0.0
    return disconfirmed, anchored, herded, prediction - plain, unit(c), unit(d) < 0.5


@inner
def first_time(i, mark, ring, ring_at):
    """Whether a person meets this fingerprint for the first time (of those remembered); remembers
    it if so."""
    for s in range(RING):
        if ring[i, s] == mark:
            return False
    ring[i, ring_at[i]] = mark
    ring_at[i] = (ring_at[i] + 1) % RING
    return True


@inlined
def fingerprint(key, kind):
    """Sixteen bits of an identity, 0 left for empty places; ``kind`` 0 for a rating, 1 for a
    vote."""
    bits = mix64(key + np.uint64(kind)) & np.uint64(0xFFFF)
    return np.uint16(bits) if bits else np.uint16(1)


@inner
def consume(
    i, j, via, shelf, sees_average, sees_prediction, people, works, total, rules, stream, out
):
    """One consumption: judge the work, learn what to expect, and perhaps post a rating."""
    disconfirmed, anchored, herded, move, luck, half = judge(
        i, j, via, shelf, sees_average, sees_prediction, people, works, total, rules, stream, out
    )
    r, surprise = out[O_STAR], out[O_QUALITY] - out[O_EXPECTATION]
    whole = stars(r)
    total[T_BOUGHT] += 1
    total[T_BOUGHT_STARS] += whole
    total[T_HIST_BOUGHT + whole - 1] += 1
    total[T_SURPRISE] += surprise
    if sees_prediction and rules.shift != 0:
        sign = 1.0 if rules.shift > 0 else -1.0
        drift = sign * (r - (out[O_PREDICTION] - move))
        if half:
            total[T_MOVED] += 1
            total[T_MOVE] += sign * move
            total[T_DRIFT_MOVED] += drift
        else:
            total[T_UNMOVED] += 1
            total[T_DRIFT_UNMOVED] += drift
    level = (
        people.level[i]
        + rules.level_up * max(surprise, 0.0)
        + rules.level_down * min(surprise, 0.0)
    )
    people.level[i] = cut(level)
    if rules.everyone or luck < rules.report_base * math.exp(rules.extremity * abs(cut(r) - 3.0)):
        posted = total[T_POSTED]
        mean = total[T_STARS] / posted if posted > 0 else 3.0
        n = works.rating_count[j]
        people.residual[i] += (
            whole - mean - (works.rating_sum[j] - n * mean) / max(rules.shrink_work + n, 1e-9)
        )
        people.given[i] += 1
        works.rating_sum[j] += whole
        works.rating_count[j] += 1
        total[T_POSTED] += 1
        total[T_STARS] += whole
        total[T_QUALITY] += out[O_QUALITY]
        total[T_DISCONFIRMED] += disconfirmed
        total[T_ANCHORED] += anchored
        total[T_HERDED] += herded
        total[T_HIST_POSTED + whole - 1] += 1
        out[O_POSTED] = whole


@inlined
def log_odds(liking, score, voting):
    """Of an up-vote and of a down-vote, before the two exclude one another."""
    s = 2.0 * score / (1.0 + abs(score))
    up, down = voting.up + liking, voting.down - liking
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
    return p, min(logistic(down), 1.0 - p)


@kernel
def chances(liking, score, voting):
    """P(up) and P(down) of one viewing at the score on show."""
    up, down = log_odds(liking, score, voting)
    return exclusive(up, down)


@making
def likings(seen, people, works, voting, stream):
    """For every viewing how far the post is liked and the luck of the vote, float64 (n, 2): what
    earlier votes do not change, apart, so that the processor need not wait for one person's memory
    before it asks for the next one's."""
    consumer, post, out = seen.consumer, seen.post, np.empty((len(seen.post), 2))
    taste, content, opinion, slant, quality = (
        people.taste,
        works.content,
        people.opinion,
        works.slant,
        works.quality,
    )
    person, key = people.key, works.key
    for k in range(len(post)):
        i, j = consumer[k], post[k]
        match = 0.0
        for d in range(taste.shape[1]):
            match += taste[i, d] * content[j, d]
        agreement = 1.0 - abs(opinion[i] - slant[j])
        out[k, 0] = (
            voting.quality * quality[j]
            + voting.match * match
            + voting.agreement * agreement
            - voting.centre
        )
        word, _, _, _ = words(stream, mix64(person[i] ^ mix64(key[j])), 0, 0)
        out[k, 1] = unit(word)
    return out


@inner
def vote(i, j, shown, liking, luck, key, ring, ring_at, ups, downs, seed, total, voting):
    """One viewing: up, down or, mostly, nothing."""
    score = ups[j] - downs[j] + seed[j] if shown else 0
    up, down = log_odds(liking, float(score), voting)
    if up < -0.85 and down < -2.2 and luck > 0.3 and luck < 0.9:
        return  # most viewings: P(up) < 0.3 and P(down) < 0.1 spare two exponentials
    up, down = exclusive(up, down)
    if luck >= up and luck < 1.0 - down:
        return
    if not first_time(i, fingerprint(key[j], 1), ring, ring_at):
        return
    if luck < up:
        ups[j] += 1
        total[T_UP] += 1
    else:
        downs[j] += 1
        total[T_DOWN] += 1


@kernel
def react(seen, people, works, total, rules, voting, rating_stream, vote_stream):
    """Ratings and votes of one window, in order. Returns float64 (works consumed, 5): q, E, p, r,
    stars posted or 0; rows of works that the person had consumed before stay 0."""
    out = np.zeros((int(seen.bought.sum()), 5))
    row, votes = 0, voting.enabled
    liked = likings(seen, people, works, voting, vote_stream) if votes else np.empty((0, 2))
    consumer, post, bought, votes_shown = (
        seen.consumer,
        seen.post,
        seen.bought,
        seen.votes_shown,
    )  # a tuple's arrays are counted at every
    key, ups, downs, seed, ring, ring_at = (
        works.key,
        works.up,
        works.down,
        works.seed,
        people.ring,
        people.ring_at,
    )  # use in a loop
    for k in range(len(post)):
        i, j = consumer[k], post[k]
        if bought[k]:
            if first_time(i, fingerprint(key[j], 0), ring, ring_at):
                consume(
                    i,
                    j,
                    seen.via[k],
                    seen.shelf[k],
                    seen.ratings_shown[k],
                    seen.prediction_shown[k],
                    people,
                    works,
                    total,
                    rules,
                    rating_stream,
                    out[row],
                )
            row += 1
        if votes:
            vote(
                i,
                j,
                votes_shown[k],
                liked[k, 0],
                liked[k, 1],
                key,
                ring,
                ring_at,
                ups,
                downs,
                seed,
                total,
                voting,
            )
    return out


@making
def clicked(consumer, post, responses, via, work, arm, shows, shelves, votes):
    """What of a window's impressions may be answered: all that were clicked or, without ``votes``,
    the works consumed.

    ``shows`` bool (A, 3) says whether ratings, predictions and votes are shown, and ``shelves`` i1
    (A,) the kind of shelves, by arm of consumers or, where there is one row, for all.
    """
    n = 0
    for k in range(len(post)):
        buys = responses[k] & BOUGHT == BOUGHT and work[post[k]]
        n += (responses[k] & 1 == 1 and votes) or buys
    who, what, where = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    shelf, bought, shown = np.empty(n, np.int8), np.empty(n, np.bool_), np.empty((3, n), np.bool_)
    held = 0
    for k in range(len(post)):
        buys = responses[k] & BOUGHT == BOUGHT and work[post[k]]
        if (responses[k] & 1 == 1 and votes) or buys:
            i = consumer[k]
            who[held], what[held], where[held], bought[held] = i, post[k], via[k], buys
            shelf[held] = shelves[arm[i] if len(shelves) > 1 else 0]
            for kind in range(3):
                shown[kind, held] = shows[arm[i] if len(shows) > 1 else 0, kind]
            held += 1
    return Seen(who, what, where, shelf, bought, shown[0], shown[1], shown[2])


@kernel
def answer(
    consumer,
    post,
    responses,
    via,
    work,
    arm,
    shows,
    shelves,
    people,
    works,
    total,
    rules,
    voting,
    streams,
):
    """`react` to what was `clicked` in a window; ``streams`` of ratings and votes. Returns the
    works consumed."""
    seen = clicked(consumer, post, responses, via, work, arm, shows, shelves, voting.enabled)
    if len(seen.post):
        react(seen, people, works, total, rules, voting, streams[0], streams[1])
    return seen.post[seen.bought]


@kernel
def forced(rows, posts, sees_average, sees_prediction, people, works, total, rules, stream):
    """What these people would say of each of these works, had they been made to consume it:
    counted, not posted. Returns float64 (people, works, 5) as `react` does."""
    out = np.zeros((len(rows), len(posts), 5))
    for k in range(len(rows)):
        for w in range(len(posts)):
            judge(
                rows[k],
                posts[w],
                -1,
                RANDOM,
                sees_average[k],
                sees_prediction[k],
                people,
                works,
                total,
                rules,
                stream,
                out[k, w],
            )
            whole = stars(out[k, w, O_STAR])
            total[T_FORCED] += 1
            total[T_FORCED_STARS] += whole
            total[T_HIST_FORCED + whole - 1] += 1
    return out
