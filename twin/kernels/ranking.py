"""Ranking and the slate of one session, from the serving snapshot alone.

A value model over the eight heads (weights w, item vector v, user vector u), plus a reward model
over what the platform's classifiers read off a post (signal g), which may be pooled or a person's
own (r):

    value = sum_h w_h sigmoid(c_h + sum_k W[k,h] u_k v_k + s_h b_u + r_h b_v + l_h) + weight <g, r>

where l_h is what the model makes of what is known of the post beside its IDs (`twin.kernels.side`),
u = mean + personalisation (own - mean), and r likewise of the pooled and the person's own weights.
Where a preset has an offset c, the value is lifted above 0, as X does: value + c, or (value + N) /
T c where it is negative (N, T: `twin.mechanisms.recommender.presets`). Factors for strangers, AI
creators, small creators, a creator's own, and arousal as a classifier reads it (a power, 1 at 0)
multiply it; without an offset they divide a negative one. Whatever the ranking, a share of the
posts of small creators may be withheld.

The slate takes the best one after another, under rules: at most so many and ever less weight for
one creator, at most so many AI posts, less weight for what resembles the chosen (cosine of item
vectors, maximal marginal relevance, Carbonell & Goldstein 1998), and some slots kept for
exploration, for small creators, and a share of all slots for creators whom the person follows.

Heads lie in eight lanes that the compiler packs into one register; every sum runs in a fixed order,
so a score does not depend on what is computed beside it.
"""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import mix64, unit
from twin.kernels.create import SIGNALS
from twin.kernels.lanes import dot8, dot8_four
from twin.kernels.maths import sigmoid32
from twin.kernels.respond import HEADS
from twin.kernels.rules import Ranking, Source
from twin.kernels.snapshot import GONE

AROUSAL = SIGNALS.index("arousal")
"""Place of a post's ``signal``."""
WITHHELD = np.uint64(0x5741)
"""Parts the draw of posts to withhold from all other luck of a post."""


@inner
def user_vector(row, arm, serve, u):
    """Fill u (D,) with the person's served vector, drawn to the mean person's by the lack of
    personalisation; returns the bias."""
    share = serve.rules[arm].personalisation
    # the detour over the mean would round differently
    if share >= 1:
        for d in range(len(u)):
            u[d] = serve.user_vec[row, d]
        return serve.user_bias[row]
    for d in range(len(u)):
        u[d] = serve.mean_vec[d] + share * (serve.user_vec[row, d] - serve.mean_vec[d])
    return serve.mean_bias[0] + share * (serve.user_bias[row] - serve.mean_bias[0])


@inner
def value_scores(bias, arm, n, serve, room):
    """Value-model scores of the first n candidates for the person whose vector is ``room.user`` and
    whose bias is given."""
    interaction, lanes, base, logits = serve.interaction, room.lanes, room.base, room.logits
    cand, scale, w = room.cand, serve.item_scale, serve.weights[arm]
    for d in range(interaction.shape[0]):
        for h in range(HEADS):
            lanes[d, h] = interaction[d, h] * room.user[d]
    for h in range(HEADS):
        base[h] = serve.intercept[h] + serve.user_scale[h] * bias
    # four at a time, whose sums share loads; each has the bits that it has alone
    fours = n - n % 4
    for i in range(0, fours, 4):
        dot8_four(serve.item_vec, cand, i, lanes, logits)
    for i in range(fours, n):
        dot8(serve.item_vec, cand[i], lanes, 0, logits, HEADS * i)
    if len(serve.linear):
        for i in range(n):
            b = serve.item_bias[cand[i]]
            for h in range(HEADS):
                logits[HEADS * i + h] += base[h] + scale[h] * b
                logits[HEADS * i + h] += serve.linear[cand[i], h]
    else:
        for i in range(n):
            b = serve.item_bias[cand[i]]
            for h in range(HEADS):
                logits[HEADS * i + h] += base[h] + scale[h] * b
    # one loop over all: it fills whole registers
    for i in range(HEADS * n):
        logits[i] = sigmoid32(logits[i])
    for i in range(n):
        o = HEADS * i
        room.score[i] = (
            (w[0] * logits[o] + w[1] * logits[o + 1])
            + (w[2] * logits[o + 2] + w[3] * logits[o + 3])
        ) + (
            (w[4] * logits[o + 4] + w[5] * logits[o + 5])
            + (w[6] * logits[o + 6] + w[7] * logits[o + 7])
        )


@inlined
def _reward(row, rules, n, serve, room):
    """Add to the first n scores what the reward model makes of each post's signals."""
    weight, share = rules.reward_weight, rules.reward_personalisation
    pool, own = serve.reward_pool, serve.reward_own[row]
    r0, r1, r2 = pool[0] + share * own[0], pool[1] + share * own[1], pool[2] + share * own[2]
    for i in range(n):
        g = serve.signal[room.cand[i]]
        room.score[i] += weight * ((g[0] * r0 + g[1] * r1) + g[2] * r2)


@inlined
def _lift(rules, n, score):
    """Lift the first n scores above 0 by the offset of a preset (see the module)."""
    offset, negative, total = rules.negative_offset, rules.negative_sum, rules.total_sum
    for i in range(n):
        score[i] = (
            score[i] + offset
            if score[i] >= 0 or total <= 0
            else (score[i] + negative) / total * offset
        )


@inlined
def _factor(post, rules, serve):
    """The factors on a post that most feeds leave at 1."""
    f = np.float32(1)
    if serve.item_small[post]:
        f *= rules.small_factor
    if rules.arousal_factor != 1:
        # a classifier's noise may lead beyond the scale
        read = min(max(serve.signal[post, AROUSAL], np.float32(0)), np.float32(1))
        f *= rules.arousal_factor**read
    if len(serve.item_factor):
        f *= serve.item_factor[post]
    return f


@inlined
def withhold(n, share, serve, room):
    """Take a stable share of the posts of small creators out of the first n candidates, the same
    posts for everybody."""
    for i in range(n):
        post = room.cand[i]
        if (
            serve.item_small[post]
            and unit(mix64(serve.item_key[post] ^ WITHHELD) >> np.uint64(32)) < share
        ):
            room.score[i] = GONE


@inner
def rank(row, arm, bias, n, serve, room):
    """Scores of the first n candidates in the mode of the snapshot, with the out-of-network and AI
    factors."""
    rules, cand, score = serve.rules[arm], room.cand, room.score
    if rules.ranking == Ranking.VALUE:
        value_scores(bias, arm, n, serve, room)
        if rules.reward_weight != 0:
            _reward(row, rules, n, serve, room)
        if rules.negative_offset > 0:
            _lift(rules, n, score)
        out_of_network, ai_factor = rules.out_of_network, rules.ai_factor
        more = rules.small_factor != 1 or rules.arousal_factor != 1 or len(serve.item_factor) > 0
        for i in range(n):
            f = np.float32(1)
            if room.source[i] != Source.IN_NETWORK:
                f *= out_of_network
            if serve.item_ai[cand[i]]:
                f *= ai_factor
            if more:
                f *= _factor(cand[i], rules, serve)
            # a factor below 1 must lower a negative score too
            score[i] = score[i] * f if score[i] > 0 else score[i] / max(f, np.float32(1e-6))
    elif rules.ranking == Ranking.CHRONOLOGICAL:
        for i in range(n):
            score[i] = serve.item_born[cand[i]] / np.float32(60)
    elif rules.ranking == Ranking.POPULARITY:
        for i in range(n):
            score[i] = serve.trend_score[cand[i]]
    # from OWN on the scores are set later, by `own.offered`
    if rules.small_withheld > 0:
        withhold(n, rules.small_withheld, serve, room)


@inlined
def weighs(rules):
    """Whether scores are weights, which rules of the slate may lower, and not an order alone."""
    return rules.ranking == Ranking.VALUE or rules.ranking == Ranking.OWN_WEIGHED


@inlined
def _kept_for(slot, want, floor, explore):
    """What a slot of the slate is kept for: FLOOR, EXPLORE or -1; kept slots are spread evenly over
    the slate."""
    kept = floor + explore
    for k in range(kept):
        if slot == (k + 1) * want // (kept + 1):
            return Source.FLOOR if k < floor else Source.EXPLORE
    return -1


@inlined
def _best_kept(need, n, serve, room):
    """The best candidate for a slot kept for FLOOR or EXPLORE, -1 for none."""
    best, score = -1, room.score
    for i in range(n):
        small = need == Source.FLOOR
        fits = serve.item_small[room.cand[i]] if small else room.source[i] == Source.EXPLORE
        if fits and score[i] > GONE and (best < 0 or score[i] > score[best]):
            best = i
    return best


@inlined
def _best_followed(n, source, score):
    """The best candidate of a creator whom the person follows, -1 for none."""
    best = -1
    for i in range(n):
        follows = source[i] == Source.IN_NETWORK
        if follows and score[i] > GONE and (best < 0 or score[i] > score[best]):
            best = i
    return best


@inlined
def _best_of_all(n, score):
    """The best candidate, -1 where none is left."""
    best, high = -1, GONE
    for i in range(n):
        if score[i] > high:
            best, high = i, score[i]
    return best


@inlined
def _less_of_creator(best, filled, n, rules, room):
    """The creator of the candidate just taken counts less, or no more once the cap is reached."""
    maker, score, out = room.maker, room.score, room.shown
    creator, k = maker[best], 0
    for j in range(filled):
        if maker[out[j]] == creator:
            k += 1
    decay, least = rules.author_decay, rules.author_floor
    # the score has the factor of k - 1 posts in it already: it gets that of k instead
    before = (1 - least) * decay ** np.float32(k - 1) + least
    after = (1 - least) * decay ** np.float32(k) + least
    weighted = weighs(rules)
    for i in range(n):
        if maker[i] == creator and score[i] > GONE:
            if k >= rules.author_cap:
                score[i] = GONE
            # a factor below 1 would raise a negative score
            elif weighted and score[i] > 0:
                score[i] = score[i] * after / before


@inlined
def _less_alike(best, n, spread, room):
    """What resembles the candidate just taken counts less, by the cosine of item vectors."""
    grid, cosine, score = room.grid, room.cosine, room.score
    for i in range(n):
        cosine[i] = np.float32(0)
    # dimension by dimension: the inner loop runs along a row of the grid
    for d in range(grid.shape[0]):
        x = grid[d, best]
        for i in range(n):
            cosine[i] += x * grid[d, i]
    for i in range(n):
        if score[i] > GONE:
            # a negative score sinks too, and being unlike is no gain
            score[i] -= spread * abs(score[i]) * max(np.float32(0), cosine[i])


@inner
def slate(serve, arm, n, take, room):
    """Fill ``room.shown`` with the first ``take`` of the best slate under the rules of the arm (see
    the module), as numbers of the n candidates; returns how many.

    The k-th post of a creator counts (1 - floor) decay^k + floor of its score, and no more than
    ``author_cap`` are taken. Scores are used up; ``room.maker`` gets the creator of every
    candidate.
    """
    rules, cand, score, out = serve.rules[arm], room.cand, room.score, room.shown
    by_value, spread, followed = (
        weighs(rules),
        rules.diversity,
        rules.in_network_slots,
    )
    filled = ai = own = 0
    want = min(rules.slate, n)
    # kept slots are spread over all of the slate, even where only its top is filled
    take = min(take, want)
    floor = min(rules.exposure_floor, want)
    explore = min(rules.explore_slots, want - floor)
    for i in range(n):
        room.maker[i] = serve.item_creator[cand[i]]
    while filled < take:
        best, need = -1, _kept_for(filled, want, floor, explore)
        if need >= 0:
            best = _best_kept(need, n, serve, room)
        # the share of followed creators would fall behind at this slot
        elif by_value and own < int(followed * (filled + 1)):
            best = _best_followed(n, room.source, score)
        # where nothing of the kind is left, the slot is like any other
        if best < 0:
            best = _best_of_all(n, score)
        if best < 0:
            break
        out[filled] = best
        filled += 1
        own += 1 if room.source[best] == Source.IN_NETWORK else 0
        # not again; its creator and what is like it count less from now on
        score[best] = GONE
        _less_of_creator(best, filled, n, rules, room)
        if serve.item_ai[cand[best]]:
            ai += 1
            if ai == rules.ai_cap:
                for i in range(n):
                    if serve.item_ai[cand[i]]:
                        score[i] = GONE
        if spread > 0 and by_value and filled < take:
            # most feeds ask for no diversity, so directions wait until they are needed
            if filled == 1:
                _directions(serve.item_vec, cand, n, room.grid)
            _less_alike(best, n, spread, room)
    return filled


@inner
def _directions(vec, cand, n, grid):
    """Unit vectors of the candidates, by dimension (D, n)."""
    for i in range(n):
        # not 0: a vector of length 0 would divide by it
        v, total = vec[cand[i]], np.float32(1e-20)
        for d in range(len(v)):
            total += v[d] * v[d]
        scale = np.float32(1) / np.sqrt(total)
        for d in range(len(v)):
            grid[d, i] = v[d] * scale
