"""Who is drawn in a view of the world hangs on keys alone."""

import numpy as np

from twin.running.looking import sample


def test_the_same_are_drawn_for_as_long_as_they_are_there() -> None:
    """No more than asked for, all of few, spread over the rows; when somebody leaves only that one
    is replaced, and those who come displace no more than their part."""
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 2**64, 20_000, dtype=np.uint64)
    here = np.ones(len(keys), bool)
    drawn = sample(keys, here, 1000)
    assert len(set(drawn.tolist())) == 1000 and abs(drawn.mean() - 10_000) < 1000
    assert sample(keys[:7], here[:7], 1000).tolist() == list(range(7))
    here[drawn[:10]] = False
    later = sample(keys, here, 1000)
    assert len(np.intersect1d(drawn, later)) == 990
    more = np.concatenate([keys, rng.integers(0, 2**64, 20_000, dtype=np.uint64)])
    kept = np.intersect1d(sample(more, np.ones(len(more), bool), 1000), drawn)
    assert 400 < len(kept) < 600
