"""What the served model predicts of logged impressions, to judge it before it learns from them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel
from twin.kernels.lanes import dot8
from twin.kernels.maths import sigmoid32
from twin.kernels.side import fill

Array = Any


class Model(NamedTuple):
    """The served copy of the model: fields of `twin.kernels.snapshot.Serving`."""

    user_vec: Array  # f4 (C, D)
    user_bias: Array  # f4 (C,)
    item_vec: Array  # f4 (P, D)
    item_bias: Array  # f4 (P,)
    interaction: Array  # f4 (D, 8)
    user_scale: Array  # f4 (8,)
    item_scale: Array  # f4 (8,)
    intercept: Array  # f4 (8,)


@kernel
def predict(consumer, post, heads, model, side):
    """Probabilities f4 (n, ``heads``) of the first heads that the `Model` gives to impressions.

    The order of sums is that of `ranking.value_scores`: what is judged is what was served. ``side``
    is a `twin.kernels.side.Side`.
    """
    n, dim, wide = len(consumer), model.interaction.shape[0], len(side.S)
    known, lift = np.empty((1, wide), np.float32), np.zeros(8, np.float32)
    out, lanes = np.empty((n, heads), np.float32), np.empty((dim, 8), np.float32)
    base, eight = np.empty(8, np.float32), np.empty(8, np.float32)
    last = -1
    for i in range(n):
        u, p = consumer[i], post[i]
        if u != last:  # impressions of a session follow one another: its product is kept
            last = u
            for d in range(dim):
                for h in range(8):
                    lanes[d, h] = model.interaction[d, h] * model.user_vec[u, d]
            for h in range(8):
                base[h] = model.intercept[h] + model.user_scale[h] * model.user_bias[u]
        dot8(model.item_vec, p, lanes, 0, eight, 0)
        for h in range(heads):
            eight[h] += base[h] + model.item_scale[h] * model.item_bias[p]
        if wide:
            fill(side.reading, p, side.tally[i], side.mask, known, 0)
            dot8(known, 0, side.S, 0, lift, 0)
            for h in range(heads):
                eight[h] += lift[h]
        for h in range(heads):
            out[i, h] = sigmoid32(eight[h])
    return out
