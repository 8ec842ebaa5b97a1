"""Intervals are honest: where there is nothing to find, they cover zero as often as they say.

The measurement with 200 comparisons is a command (`python -m tests.statistical.intervals`); here 48 comparisons of two pairs each, where a
wrong quantile or a wrong n shows most (the normal quantile would cover 70 %, not 95 %).
"""

from scipy import stats

from tests.statistical.intervals import measure

COMPARISONS, PAIRS = 48, 2
SERIES = (("creator_morale", ""), ("creator_income", "by=human"), ("exposure_gini", ""), ("posts", "by=human"), ("reach_per_post", "by=human"),
          ("creator_human_share", ""), ("sessions", ""), ("enjoyed_per_session", ""), ("satisfaction_mean", ""), ("opinion_variance", ""),
          ("shown_match", ""), ("follows_mean", ""))
FALSE_ALARM = 1e-4


def test_intervals_of_independent_worlds_cover_zero() -> None:
    """Each of twelve series of both sides covers zero at least as often as 95 % allows; false alarm below 1 in 10,000 in all."""
    found = {(each.metric, each.labels): each for each in measure(COMPARISONS, PAIRS)}
    least = stats.binom.ppf(FALSE_ALARM / 2 / len(SERIES), COMPARISONS, 0.95)
    few = {key: found[key] for key in SERIES if COMPARISONS * found[key].paired < least}
    assert not few
    assert stats.binom.ppf(1 - 1e-3, COMPARISONS, 0.70) < least + 7  # what the normal quantile would give lies about there or below
    mean = sum(found[key].paired for key in SERIES) / len(SERIES)
    assert 0.85 < mean < 1.0  # all twelve always covering would be intervals that are far too wide
