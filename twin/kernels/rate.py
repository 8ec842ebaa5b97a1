"""Ratings of works: what a person experiences, expects, says and posts.

A consumption of a work (person i, work j) on the rating scale, with f_i the person's general
expectation, a_j the average on show when the work was chosen, p_ij the prediction on show (terms of
what is not shown are left out), A_j the average when the rating is written, and parameters with the
names of `RatingsParams`:

    q = mean + quality_weight quality_j + match_weight taste_i . content_j + noise z_ij   experienced
    E = f_i + w_a (a_j - f_i) + w_p (p_ij - f_i)                                          expected
    r = q + kappa_up max(q - E, 0) - kappa_down max(E - q, 0) + c (p_ij - q) + h (A_j - q)
    f_i <- f_i + l_up max(q - E, 0) - l_down max(E - q, 0)                                cut to 1..5

with w_a expect_shown, w_p expect_prediction, c anchoring, h herding, l expectation_up and
expectation_down. r is what the person would say (disconfirmation, anchoring on the prediction,
herding on the average). Rounded and cut to 1..5 it is posted with P = min(1, b exp(x |r - 3|)), r
cut to 1..5 first, b report_base, x extremity.

On the related shelf of work v the expectation is another one. On a co-viewed shelf v is the
reference, E = a_v; or, with ``comparison``, two works side by side tell all that is on show, E =
a_j. On a bought-together shelf the person's expectation of v is carried over, E = f_i + w_a (a_v -
f_i) + w_p (p_iv - f_i). With ``reference`` none and without ``carried`` no shelf sets it.

The prediction is the baseline predictor of Koren (TKDD 2010) from posted ratings alone, m the mean
of all, n counts, shrinkage s:

    p_ij = m + b_j + b_i   b_j = sum_j (r - m) / (s_work + n_j)   b_i = sum_i (r - m - b_j) /
                           (s_person + n_i)

plus, in the perturbation experiment, ``prediction_shift`` for a random half of all pairs; cut to
1..5. Luck is keyed by (person, work).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel
from twin.ground.draws import unit, words
from twin.kernels.rules import Shelf
from twin.kernels.said import pair_key

Array = Any
REFERENCES = ("via", "comparison", "none")
VIA, COMPARISON, NONE = range(3)
"""Values of ``reference``."""
REPORTING = ("selective", "everyone")
SELECTIVE, EVERYONE = range(2)
"""Values of ``reporting``."""
MIDDLE = 3.0
"""Middle of the scale, and the mean before anybody has rated."""
JUDGED = np.dtype(
    [
        (name, "f8")
        for name in ("quality", "expectation", "prediction", "star", "posted")  # q, E, p, r
    ]
)
"""One judgement; ``posted`` is whole stars, 0 where nothing was posted."""


class Pulls(NamedTuple):
    """What else a judgement tells."""

    disconfirmation: Array  # stars by which each cause moves what is said
    anchoring: Array
    herding: Array
    move: Array  # of the prediction on show, by the experiment
    luck: Array  # of reporting
    moved: Array  # bool, whether the pair is in the half that is moved


@inlined
def cut(x):
    """Onto the rating scale."""
    return min(5.0, max(1.0, x))


@inlined
def stars(r):
    """A rating as posted: whole stars, halves up."""
    return int(cut(r) + 0.5)


@inner
def matched(i, j, people, works):
    """taste . content."""
    match = 0.0
    for d in range(people.taste.shape[1]):
        match += people.taste[i, d] * works.content[j, d]
    return match


@inlined
def mean_posted(total):
    """Mean of all posted ratings."""
    return total.stars / total.ratings if total.ratings > 0 else MIDDLE


@inlined
def work_bias(j, mean, works, rules):
    """b_j: how far a work's ratings lie from the mean of all, shrunk."""
    n = works.rating_count[j]
    # with no shrinkage and no ratings there is nothing to divide by
    return (works.rating_sum[j] - n * mean) / max(rules.shrink_work + n, 1e-9)


@inner
def predicted(i, j, scene):
    """The platform's prediction from posted ratings, before any perturbation."""
    people, rules = scene.people, scene.rules
    mean = mean_posted(scene.total)
    work = work_bias(j, mean, scene.works, rules)
    person = people.rating_residual[i] / max(rules.shrink_person + people.ratings_given[i], 1e-9)
    return cut(mean + work + person)


@inlined
def perturbed(prediction, luck, rules):
    """The prediction as shown: moved for half of all pairs, and never off the scale."""
    return cut(prediction + rules.prediction_shift) if luck < 0.5 else prediction


@inner
def expectation(i, j, sees_average, prediction, scene):
    """What a person expects of a work from all that is on show (``prediction`` 0: none is)."""
    shown, rules = scene.works.rating_shown[j], scene.rules
    level = np.float64(scene.people.rating_expectation[i])
    e = level
    if sees_average and shown > 0:
        e += rules.expect_shown * (shown - level)
    if prediction > 0:
        e += rules.expect_prediction * (prediction - level)
    return e


@inner
def judge(i, j, via, shelf, sees_average, sees_prediction, scene, out):
    """Fill ``out``, a record of JUDGED, for one consumption; returns `Pulls`. ``via`` is the work
    on whose shelf, of kind ``shelf``, this one hung, or -1."""
    people, works, rules = scene.people, scene.works, scene.rules
    # two for the noise, one for reporting, one for the half of pairs that is moved
    a, b, c, d = words(scene.rating_stream, pair_key(i, j, people, works), 0, 0)
    normal = math.sqrt(-2 * math.log(unit(a))) * math.cos(2 * math.pi * unit(b))
    # q, what the person experiences
    q = (
        rules.mean
        + rules.quality_weight * works.quality[j]
        + rules.match_weight * matched(i, j, people, works)
        + rules.noise * normal
    )
    plain, prediction = 0.0, 0.0
    if sees_prediction:
        plain = predicted(i, j, scene)
        prediction = perturbed(plain, unit(d), rules)
    # E; on a shelf of related works another expectation takes its place
    e = expectation(i, j, sees_average, prediction, scene)
    if via >= 0 and shelf == Shelf.BOUGHT_TOGETHER and rules.carried:
        other = 0.0
        if sees_prediction:
            # the other work's prediction is moved by the luck of that pair, not of this one
            _, _, _, half = words(scene.rating_stream, pair_key(i, via, people, works), 0, 0)
            other = perturbed(predicted(i, via, scene), unit(half), rules)
        e = expectation(i, via, sees_average, other, scene)
    elif via >= 0 and shelf == Shelf.CO_VIEWED and rules.reference != NONE and sees_average:
        reference = works.rating_shown[via if rules.reference == VIA else j]
        if reference > 0:
            e = np.float64(reference)
    # what the person would say: q and three pulls
    surprise = q - e
    disconfirmed = rules.kappa_up * max(surprise, 0.0) + rules.kappa_down * min(surprise, 0.0)
    anchored = rules.anchoring * (prediction - q) if sees_prediction else 0.0
    herded = 0.0
    if sees_average and works.rating_count[j] >= rules.shown_from:
        # the average as it stands now: ratings of the same window are seen
        herded = rules.herding * (works.rating_sum[j] / works.rating_count[j] - q)
    out.quality, out.expectation, out.prediction = q, e, prediction
    out.star, out.posted = q + disconfirmed + anchored + herded, 0.0
    return Pulls(
        disconfirmation=disconfirmed,
        anchoring=anchored,
        herding=herded,
        move=prediction - plain,
        luck=unit(c),
        moved=unit(d) < 0.5,
    )


@inner
def experiment(out, pulls, rules, total):
    """Count how far what is said lies from the unmoved prediction, by half of the pairs."""
    sign = 1.0 if rules.prediction_shift > 0 else -1.0
    # from the prediction before it was moved, in the direction of the move
    drift = sign * (out.star - (out.prediction - pulls.move))
    if pulls.moved:
        total.moved += 1
        total.move += sign * pulls.move
        total.drift_moved += drift
    else:
        total.unmoved += 1
        total.drift_unmoved += drift


@inner
def post(i, j, whole, pulls, scene, out):
    """Post a rating of ``whole`` stars, and count it."""
    people, works, total = scene.people, scene.works, scene.total
    # before this rating enters the mean
    mean = mean_posted(total)
    people.rating_residual[i] += whole - mean - work_bias(j, mean, works, scene.rules)
    people.ratings_given[i] += 1
    works.rating_sum[j] += whole
    works.rating_count[j] += 1
    total.ratings += 1
    total.stars += whole
    total.quality += out.quality
    total.disconfirmation += pulls.disconfirmation
    total.anchoring += pulls.anchoring
    total.herding += pulls.herding
    total.ratings_star[whole - 1] += 1
    out.posted = whole


@inner
def consume(i, j, via, shelf, sees_average, sees_prediction, scene, out):
    """One consumption: judge the work, learn what to expect, and perhaps post a rating."""
    people, total, rules = scene.people, scene.total, scene.rules
    pulls = judge(i, j, via, shelf, sees_average, sees_prediction, scene, out)
    surprise, whole = out.quality - out.expectation, stars(out.star)
    total.purchases += 1
    total.purchase_stars += whole
    total.ratings_star_bought[whole - 1] += 1
    total.surprise += surprise
    if sees_prediction and rules.prediction_shift != 0:
        experiment(out, pulls, rules, total)
    level = (
        people.rating_expectation[i]
        + rules.expectation_up * max(surprise, 0.0)
        + rules.expectation_down * min(surprise, 0.0)
    )
    people.rating_expectation[i] = cut(level)
    reports = rules.report_base * math.exp(rules.extremity * abs(cut(out.star) - MIDDLE))
    if rules.reporting == EVERYONE or pulls.luck < reports:
        post(i, j, whole, pulls, scene, out)


@kernel
def forced(rows, posts, sees_average, sees_prediction, scene):
    """What these people would say of each of these works, had they been made to consume it:
    counted, not posted. ``sees_average`` and ``sees_prediction`` bool (people,). Returns records of
    JUDGED (people, works)."""
    out, total = np.zeros((len(rows), len(posts)), JUDGED), scene.total
    for k in range(len(rows)):
        for w in range(len(posts)):
            # judged alone: nobody learns from it, and nothing is posted
            judge(
                rows[k],
                posts[w],
                -1,
                Shelf.RANDOM,
                sees_average[k],
                sees_prediction[k],
                scene,
                out[k, w],
            )
            whole = stars(out[k, w].star)
            total.forced += 1
            total.forced_stars += whole
            total.ratings_star_forced[whole - 1] += 1
    return out
