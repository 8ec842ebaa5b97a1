"""Ranking and the slate of one session, from the serving snapshot alone.

A value model over the eight heads (weights w, item vector v, user vector u), plus a reward model
over what the platform's classifiers read off a post (signal g), which may be pooled or a person's
own (r):

    value = sum_h w_h sigmoid(c_h + sum_k W[k,h] u_k v_k + s_h b_u + r_h b_v + l_h) + weight <g, r>

where l_h is what the model makes of what is known of the post beside its IDs (`twin.kernels.side`),
u = mean + personalisation (own - mean), and r likewise of the pooled and the person's own weights.
Where a preset has an offset c, the value is lifted above 0, as X does: value + c, or (value + N) /
T c where it is negative (N, T: `twin.mechanisms.recommender.presets`). Factors for strangers and AI
creators multiply it; without an offset they divide a negative one.

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
from twin.kernels.lanes import dot8, dot8_four
from twin.kernels.maths import sigmoid32
from twin.kernels.retrieve import GONE
from twin.kernels.rules import Ranking, Source


@inner
def user_vector(row, arm, serve, u):
    """Fill u (D,) with the person's served vector, drawn to the mean person's by the lack of
    personalisation; returns the bias."""
    share = serve.rules[arm].personalisation
    if share >= 1:
        for d in range(len(u)):
            u[d] = serve.user_vec[row, d]
        return serve.user_bias[row]
    for d in range(len(u)):
        u[d] = serve.mean_vec[d] + share * (serve.user_vec[row, d] - serve.mean_vec[d])
    return serve.mean_bias[0] + share * (serve.user_bias[row] - serve.mean_bias[0])


@inner
def value_scores(u, bu, arm, serve, cand, n, lanes, base, logits, score):
    """Value-model scores of the first n candidates for a user vector and bias; scratch: lanes (D,
    8), base (8,), logits (n * 8,)."""
    interaction, item_vec, item_bias, scale, w = (
        serve.interaction,
        serve.item_vec,
        serve.item_bias,
        serve.item_scale,
        serve.weights[arm],
    )
    for d in range(interaction.shape[0]):
        for h in range(8):
            lanes[d, h] = interaction[d, h] * u[d]
    for h in range(8):
        base[h] = serve.intercept[h] + serve.user_scale[h] * bu
    fours = n - n % 4
    for i in range(0, fours, 4):
        dot8_four(item_vec, cand, i, lanes, logits)
    for i in range(fours, n):
        dot8(item_vec, cand[i], lanes, 0, logits, 8 * i)
    if len(serve.linear):
        for i in range(n):
            b = item_bias[cand[i]]
            for h in range(8):
                logits[8 * i + h] += base[h] + scale[h] * b
                logits[8 * i + h] += serve.linear[cand[i], h]
    else:
        for i in range(n):
            b = item_bias[cand[i]]
            for h in range(8):
                logits[8 * i + h] += base[h] + scale[h] * b
    for i in range(8 * n):  # one loop over all: it fills whole registers
        logits[i] = sigmoid32(logits[i])
    for i in range(n):
        o = 8 * i
        score[i] = (
            (w[0] * logits[o] + w[1] * logits[o + 1])
            + (w[2] * logits[o + 2] + w[3] * logits[o + 3])
        ) + (
            (w[4] * logits[o + 4] + w[5] * logits[o + 5])
            + (w[6] * logits[o + 6] + w[7] * logits[o + 7])
        )


@inner
def rank(row, u, bu, arm, serve, cand, source, n, lanes, base, logits, score):
    """Scores of the first n candidates in the mode of the snapshot, with the out-of-network and AI
    multipliers."""
    mode = serve.rules[arm].ranking
    if mode == Ranking.VALUE:
        value_scores(u, bu, arm, serve, cand, n, lanes, base, logits, score)
        weight = serve.rules[arm].reward_weight
        if weight != 0:
            share, pool, own = (
                serve.rules[arm].reward_personalisation,
                serve.reward_pool,
                serve.reward_own[row],
            )
            r0, r1, r2 = (
                pool[0] + share * own[0],
                pool[1] + share * own[1],
                pool[2] + share * own[2],
            )
            for i in range(n):
                g = serve.signal[cand[i]]
                score[i] += weight * ((g[0] * r0 + g[1] * r1) + g[2] * r2)
        offset, negative, total = (
            serve.rules[arm].negative_offset,
            serve.rules[arm].negative_sum,
            serve.rules[arm].total_sum,
        )
        if offset > 0:
            for i in range(n):
                score[i] = (
                    score[i] + offset
                    if score[i] >= 0 or total <= 0
                    else (score[i] + negative) / total * offset
                )
        for i in range(n):
            f = np.float32(1)
            if source[i] != Source.IN_NETWORK:
                f *= serve.rules[arm].out_of_network
            if serve.item_ai[cand[i]]:
                f *= serve.rules[arm].ai_factor
            score[i] = score[i] * f if score[i] > 0 else score[i] / max(f, np.float32(1e-6))
    elif mode == Ranking.CHRONOLOGICAL:
        for i in range(n):
            score[i] = serve.item_born[cand[i]] / np.float32(60)
    else:
        for i in range(n):
            score[i] = serve.trend_score[cand[i]]


@inlined
def _kept_for(slot, want, floor, explore):
    """What a slot of the slate is kept for: FLOOR, EXPLORE or -1; kept slots are spread evenly over
    the slate."""
    kept = floor + explore
    for k in range(kept):
        if slot == (k + 1) * want // (kept + 1):
            return Source.FLOOR if k < floor else Source.EXPLORE
    return -1


@inner
def slate(serve, arm, cand, source, n, score, maker, grid, cosine, out, take):
    """Fill ``out`` with the first ``take`` posts of the best slate under the rules of the arm (see
    the module); returns how many.

    The k-th post of a creator counts (1 - floor) decay^k + floor of its score, and no more than
    ``author_cap`` are taken. ``score`` is used up; scratch: maker i4 (n,), which gets the creator
    of every candidate, grid f4 (D, n) and cosine f4 (n,).
    """
    rules = serve.rules[arm]
    decay, least, spread = (
        serve.rules[arm].author_decay,
        serve.rules[arm].author_floor,
        serve.rules[arm].diversity,
    )
    plain, followed = rules.ranking != Ranking.VALUE, serve.rules[arm].in_network_slots
    filled = ai = own = 0
    item_creator, item_ai = serve.item_creator, serve.item_ai
    want = min(rules.slate, n)
    take = min(take, want)
    floor = min(rules.exposure_floor, want)
    explore = min(rules.explore_slots, want - floor)
    for i in range(n):
        maker[i] = item_creator[cand[i]]
    while filled < take:
        best, need = -1, _kept_for(filled, want, floor, explore)
        if need >= 0:
            for i in range(n):
                fits = (
                    serve.item_small[cand[i]]
                    if need == Source.FLOOR
                    else source[i] == Source.EXPLORE
                )
                if fits and score[i] > GONE and (best < 0 or score[i] > score[best]):
                    best = i
        elif not plain and own < int(followed * (filled + 1)):
            for i in range(n):
                if (
                    source[i] == Source.IN_NETWORK
                    and score[i] > GONE
                    and (best < 0 or score[i] > score[best])
                ):
                    best = i
        if best < 0:
            high = GONE
            for i in range(n):
                if score[i] > high:
                    best, high = i, score[i]
        if best < 0:
            break
        out[filled] = best
        filled += 1
        own += 1 if source[best] == Source.IN_NETWORK else 0
        score[best] = GONE
        creator, k = maker[best], 0
        for j in range(filled):
            if maker[out[j]] == creator:
                k += 1
        before = (1 - least) * decay ** np.float32(k - 1) + least
        after = (1 - least) * decay ** np.float32(k) + least
        for i in range(n):
            if maker[i] == creator and score[i] > GONE:
                if k >= rules.author_cap:
                    score[i] = GONE
                elif not plain and score[i] > 0:
                    score[i] = score[i] * after / before
        if item_ai[cand[best]]:
            ai += 1
            if ai == rules.ai_cap:
                for i in range(n):
                    if item_ai[cand[i]]:
                        score[i] = GONE
        if spread > 0 and not plain and filled < take:
            if filled == 1:
                _directions(serve.item_vec, cand, n, grid)
            for i in range(n):
                cosine[i] = np.float32(0)
            for d in range(grid.shape[0]):
                x = grid[d, best]
                for i in range(n):
                    cosine[i] += x * grid[d, i]
            for i in range(n):
                if score[i] > GONE:
                    score[i] -= spread * abs(score[i]) * max(np.float32(0), cosine[i])
    return filled


@inner
def _directions(vec, cand, n, grid):
    """Unit vectors of the candidates, by dimension (D, n)."""
    for i in range(n):
        v, total = vec[cand[i]], np.float32(1e-20)
        for d in range(len(v)):
            total += v[d] * v[d]
        scale = np.float32(1) / np.sqrt(total)
        for d in range(len(v)):
            grid[d, i] = v[d] * scale
