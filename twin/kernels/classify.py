"""What classifiers read off posts: the truth, misread by a normal error of each post's own, cut to
the range of what is read.

    reading = clip(truth + noise x N(0, 1), low, high)        (content: not cut)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import kernel
from twin.ground.draws import wave

Array = Any


class Truth(NamedTuple):
    """Columns of posts (P), and the ranges (low, high) of the last three."""

    content: Array  # f4 (P, L)
    slant: Array  # f4
    arousal: Array  # f4
    comprehensiveness: Array  # f4
    ranges: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


class Misreading(NamedTuple):
    """Normals of posts that are read (n), not yet multiplied: see `twin.ground.draws.wave`."""

    radius: Array  # f8 (., n)
    cosine: Array
    sine: Array


@kernel
def classify(rows, truth, noise, luck):
    """Readings f8 (n, L + 3) of posts ``rows``: content, slant, arousal, comprehensiveness.

    ``noise`` f8 (4,): sd of the errors in each dimension of content, and in the others.
    """
    wide = truth.content.shape[1]
    found = np.empty((len(rows), wide + 3))
    for i, row in enumerate(rows):
        for k in range(wide + 3):
            error = wave(luck.radius, luck.cosine, luck.sine, k, i)
            # one sd for all dimensions of content (k < wide), then one for each reading
            found[i, k] = error * noise[max(k - wide, -1) + 1]
        for k in range(wide):
            found[i, k] += truth.content[row, k]
        true = truth.slant[row], truth.arousal[row], truth.comprehensiveness[row]
        # content has no range that it could be cut to
        for k in range(3):
            low, high = truth.ranges[k]
            found[i, wide + k] = min(max(found[i, wide + k] + true[k], low), high)
    return found
