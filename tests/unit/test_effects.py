"""Effects from pairs: closed forms, what is missing, many tests at once, when an effect shows, bins
and windows."""

import numpy as np
import pytest
from scipy import stats

from twin.experiments import effects
from twin.experiments.forks import weeks
from twin.ground.units import DAY

LUCK = np.random.default_rng(20250101)


def pairs(
    n: int, series: int, rho: float = 0.8, shift: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Correlated normal pairs (n, series) with and without."""
    shared, x, y = (LUCK.normal(size=(n, series)) for _ in range(3))
    return shift + rho * shared + y, rho * shared + x


@pytest.mark.parametrize("n", [2, 3, 8, 20, 200])
def test_paired_is_the_paired_t_test(n: int) -> None:
    """Effect, interval and p are those of scipy.stats.ttest_rel, at 1e-9."""
    y, x = pairs(n, 6)
    found = effects.paired(y, x)
    for i in range(6):
        test = stats.ttest_rel(y[:, i], x[:, i])
        interval = test.confidence_interval(0.95)
        np.testing.assert_allclose(
            [found.effect[i], found.low[i], found.high[i], found.p[i]],
            [(y - x)[:, i].mean(), interval.low, interval.high, test.pvalue],
            rtol=1e-9,
            atol=1e-12,
        )
    assert (found.n == n).all()


def test_known_numbers() -> None:
    """Worked by hand: d = 1, 2, 3, 2; means, t(3) = 3.18244630528, pooled sd, correlation, gain,
    runs saved."""
    x = np.array([[1.0], [2.0], [4.0], [5.0]])
    found = effects.paired(x + np.array([[1.0], [2.0], [3.0], [2.0]]), x)
    half = 3.182446305284263 * np.sqrt(2 / 3) / 2
    of_x, of_y = 10 / 3, ((2 - 5) ** 2 + (4 - 5) ** 2 + (7 - 5) ** 2 + (7 - 5) ** 2) / 3
    np.testing.assert_allclose(
        [found.effect[0], found.low[0], found.high[0]], [2, 2 - half, 2 + half], rtol=1e-9
    )
    np.testing.assert_allclose(
        [found.base[0], found.value[0], found.size[0]],
        [3, 5, 2 / np.sqrt((of_x + of_y) / 2)],
        rtol=1e-9,
    )
    covariance = ((-2) * (-3) + (-1) * (-1) + 1 * 2 + 2 * 2) / 3
    gain = (of_x + of_y) / (2 / 3)
    np.testing.assert_allclose(
        [found.correlation[0], found.gain[0], found.runs_saved[0]],
        [covariance / np.sqrt(of_x * of_y), gain, 2 * 4 * (gain - 1)],
        rtol=1e-9,
    )


def test_unpaired_width_is_welchs() -> None:
    """Half the width of the interval without pairing is that of scipy.stats.ttest_ind with unequal
    variances, at 1e-9."""
    y, x = pairs(9, 5)
    y *= np.array([1, 2, 0.1, 5, 1])
    found = effects.paired(y, x)
    interval = stats.ttest_ind(y, x, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose(found.unpaired, (interval.high - interval.low) / 2, rtol=1e-9)
    np.testing.assert_allclose(
        found.narrower, (interval.high - interval.low) / (found.high - found.low), rtol=1e-9
    )


def test_independent_runs_gain_nothing() -> None:
    """Where branches share no luck the gain is about one and no run is saved, within 4 standard
    errors of 400 pairs."""
    y, x = LUCK.normal(size=(2, 400, 1))
    found = effects.paired(y, x)
    assert abs(found.correlation[0]) < 4 / np.sqrt(400)
    assert abs(found.gain[0] - 1) < 4 / np.sqrt(400) * 1.1
    assert abs(found.runs_saved[0]) < 800 * 0.22


def test_equal_pairs_have_exactly_no_effect() -> None:
    """Equal to the last bit: effect, interval and size are zero, p is one, whatever the values."""
    x = LUCK.normal(size=(7, 4)) * np.array([1e-300, 1.0, 1e15, 0.1])
    found = effects.paired(x.copy(), x)
    for name in ("effect", "low", "high", "size"):
        assert (getattr(found, name) == 0).all(), name
    assert (found.p == 1).all()
    assert np.isnan(found.narrower).all()


def test_equal_differences_make_an_interval_without_width() -> None:
    """A number that does not vary from run to run changes surely: no width, p zero, infinitely many
    standard deviations."""
    found = effects.paired(np.full((5, 1), 0.3), np.full((5, 1), 0.1))
    assert found.low[0] == found.high[0] == found.effect[0] == pytest.approx(0.2, abs=1e-15)
    assert found.p[0] == 0 and np.isposinf(found.size[0])


def test_pairs_without_a_reading_do_not_count() -> None:
    """A pair with NaN on either side is left out, of that series only; what is left is as if it had
    never been."""
    y, x = pairs(8, 3)
    y[2, 0], x[5, 0], x[0, 1] = np.nan, np.nan, np.inf
    found = effects.paired(y, x)
    assert found.n.tolist() == [6, 7, 8]
    for i, keep in enumerate(([0, 1, 3, 4, 6, 7], [1, 2, 3, 4, 5, 6, 7], list(range(8)))):
        alone = effects.paired(y[keep, i][:, None], x[keep, i][:, None])
        for name in (
            "base",
            "value",
            "effect",
            "low",
            "high",
            "size",
            "correlation",
            "gain",
            "p",
            "unpaired",
        ):
            np.testing.assert_allclose(
                getattr(found, name)[i], getattr(alone, name)[0], rtol=1e-12, err_msg=name
            )


@pytest.mark.parametrize("left", [0, 1])
def test_too_few_pairs_say_nothing(left: int) -> None:
    """One pair has an effect without interval and p; none has nothing."""
    y, x = pairs(3, 1)
    y[left:] = np.nan
    found = effects.paired(y, x)
    assert found.n[0] == left
    assert np.isnan([found.low[0], found.high[0], found.p[0], found.gain[0]]).all()
    assert np.isnan(found.effect[0]) == (left == 0)


def test_discoveries_are_benjamini_hochberg() -> None:
    """q is scipy's false_discovery_control of the p that are there, and NaN elsewhere; by hand for
    three."""
    p = LUCK.uniform(size=50) ** 3
    p[::7] = np.nan
    q = effects.discoveries(p)
    known = np.isfinite(p)
    np.testing.assert_allclose(q[known], stats.false_discovery_control(p[known]), rtol=1e-12)
    assert np.isnan(q[~known]).all()
    np.testing.assert_allclose(
        effects.discoveries(np.array([0.01, 0.04, 0.03])), [0.03, 0.04, 0.04], rtol=1e-12
    )
    assert np.isnan(effects.discoveries(np.full(3, np.nan))).all()


def test_appears_where_it_stays() -> None:
    """The first bin from which on zero is excluded to the end, on one side of it; -1 where the last
    bin covers zero or is not known."""
    nan = np.nan
    low = np.array(
        [
            [1, -1, 1, -1, 1, 1, -9],
            [-1, 1, 1, -1, nan, -2, -9],
            [1, 1, 1, -1, 1, -2, -9.0],
            [1, 1, -1, 1, 1, -2, nan],
        ]
    )
    high = np.array(
        [
            [2, 2, 2, 2, 2, 2, -8],
            [2, 2, 2, 2, nan, -1, -8],
            [2, 2, 2, 2, 2, -1, -8.0],
            [2, 2, 2, 2, 2, -1, nan],
        ]
    )
    assert effects.appears(low, high).tolist() == [2, 1, -1, 3, 2, 1, -1]


def test_weeks() -> None:
    """Whole weeks from the fork; what is left at the end belongs to the last; less than a week is
    one bin."""
    assert weeks(0, 14 * DAY) == [(0, 7 * DAY), (7 * DAY, 14 * DAY)]
    assert weeks(3 * DAY, 20 * DAY) == [(3 * DAY, 10 * DAY), (10 * DAY, 20 * DAY)]
    assert weeks(3 * DAY, 9 * DAY) == [(3 * DAY, 9 * DAY)]
    assert weeks(DAY, 8 * DAY) == [(DAY, 8 * DAY)]


def test_window_means_take_readings_after_begin_up_to_end() -> None:
    """The reading at the beginning of a window belongs to the one before; NaN does not count; an
    empty window is NaN."""
    times = np.arange(5) * DAY
    values = np.array([[1.0, 1], [2, np.nan], [4, 5], [8, 7], [16, np.nan]])
    assert effects.window_means(times, values, 0, 2 * DAY).tolist() == [3, 5]
    assert effects.window_means(times, values, 2 * DAY, 3 * DAY).tolist() == [8, 7]
    assert np.isnan(effects.window_means(times, values, 3 * DAY, 4 * DAY)[1])
    assert np.isnan(effects.window_means(times, values, 9 * DAY, 10 * DAY)).all()


def test_intervals_cover_as_often_as_they_say() -> None:
    """Of 4,000 normal null comparisons of five pairs, 95 % intervals cover zero: within 4 standard
    errors (false alarm < 1e-4)."""
    y, x = pairs(5, 4000, shift=0.0)
    found = effects.paired(y, x)
    share = ((found.low <= 0) & (found.high >= 0)).mean()
    assert abs(share - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)


def test_one_wording_for_how_sure_an_effect_is() -> None:
    """An interval that clears zero is never called noise, nor established for that alone."""
    assert effects.standing(0.04, 0.1, 0.2) == effects.ESTABLISHED
    assert effects.standing(0.06, 0.1, 0.2) == effects.standing(0.06, -2, -1) == effects.SUGGESTIVE
    assert effects.standing(0.06, -0.1, 0.2) == effects.NOISE
    assert effects.standing(np.nan, np.nan, np.nan) == effects.NOISE
    # and of a test without an interval
    assert effects.standing_of_test(0.04, 0.001) == effects.ESTABLISHED
    assert effects.standing_of_test(0.06, 0.049) == effects.SUGGESTIVE
    assert effects.standing_of_test(0.06, 0.051) == effects.NOISE
    assert effects.standing_of_test(np.nan, np.nan) == effects.NOISE


@pytest.mark.parametrize("n", [4, 8, 20, 80])
def test_the_smallest_effect_is_shown_four_times_in_five(n: int) -> None:
    """Statistical, fixed seed, 20,000 comparisons of n worlds that differ by the smallest effect
    which their true spread allows: 80 % of intervals clear zero, within 1.5 % (five standard
    errors) and what t quantiles added up lose with few worlds (0.8 to 0.83 at n = 4)."""
    spread, half = 0.7, float(stats.t.ppf(0.975, n - 1)) * 0.7 / np.sqrt(n)
    least = effects.smallest(-half, half, n)
    d = np.random.default_rng(5).normal(least, spread, (n, 20_000))
    found = effects.paired(d, np.zeros_like(d))
    assert 0.785 < (found.low > 0).mean() < 0.845


@pytest.mark.parametrize("n", [12, 40, 200])
def test_the_smallest_correlation_is_shown_four_times_in_five(n: int) -> None:
    """Statistical, fixed seed, 4,000 samples of n points whose rank correlation is the smallest
    that shows: 80 % have p below 5 %, within 4.5 % (six standard errors, and what the normal
    approximation loses with twelve points). Below five points nothing is said."""
    least = effects.smallest_correlation(n)
    pearson = 2 * np.sin(np.pi * least / 6)  # of normal values with that rank correlation
    rng = np.random.default_rng(9)
    x = rng.normal(size=(4000, n))
    y = pearson * x + np.sqrt(1 - pearson**2) * rng.normal(size=(4000, n))
    p = [stats.spearmanr(a, b).pvalue for a, b in zip(x, y, strict=True)]
    assert 0.755 < (np.array(p) < 0.05).mean() < 0.845
    assert np.isnan(effects.smallest_correlation(4))


@pytest.mark.parametrize("tests", [1, 30])
def test_so_many_more_worlds_establish_it(tests: int) -> None:
    """Statistical, fixed seed: with as many more, 80 % of 10,000 comparisons have p below 5 % over
    the number of tests; with none needed it was sure already."""
    n, effect, spread = 8, 0.3, 1.0
    half = float(stats.t.ppf(0.975, n - 1)) * spread / np.sqrt(n)
    more = effects.more_worlds(effect, effect - half, effect + half, n, tests)
    d = np.random.default_rng(6).normal(effect, spread, (n + int(more), 10_000))
    found = effects.paired(d, np.zeros_like(d))
    assert 0.78 < (found.p < 0.05 / tests).mean() < 0.82
    assert effects.more_worlds(10.0, 9.9, 10.1, n, tests) == 0
    assert effects.more_worlds(0.0, -1.0, 1.0, n) == np.inf
    assert np.isnan(effects.more_worlds(1.0, np.nan, np.nan, 1))
