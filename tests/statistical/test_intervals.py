"""Intervals are honest: where there is nothing to find, they cover zero as often as they say.

The measurement with 200 comparisons is a command (`python -m tests.statistical.intervals`); here 40
comparisons of two pairs each, where a wrong quantile or a wrong n shows most (the normal quantile
would cover 70 %, not 95 %).
"""

from scipy import stats

from tests.statistical.intervals import measure

COMPARISONS, PAIRS = 40, 2
SERIES = (
    ("creator_morale", ""),
    ("creator_income", "by=human"),
    ("exposure_gini", ""),
    ("posts", "by=human"),
    ("reach_per_post", "by=human"),
    ("creator_human_share", ""),
    ("sessions", ""),
    ("enjoyed_per_session", ""),
    ("satisfaction_mean", ""),
    ("opinion_variance", ""),
    ("shown_match", ""),
    ("follows_mean", ""),
)
FALSE_ALARM = 1e-4


def test_intervals_of_independent_worlds_cover_zero() -> None:
    """Each of twelve series of both sides covers zero at least as often as 95 % allows; false alarm
    below 1 in 10,000 in all."""
    found = {(each.metric, each.labels): each for each in measure(COMPARISONS, PAIRS)}
    least = stats.binom.ppf(FALSE_ALARM / 2 / len(SERIES), COMPARISONS, 0.95)
    few = {key: found[key] for key in SERIES if COMPARISONS * found[key].paired < least}
    assert not few
