"""Posteriors where the truth is known exactly: worlds whose statistics are linear in normal
parameters, with normal luck."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest

from tests.conftest import SCENARIOS
from twin.experiments.calibrate import bank as bank_of
from twin.experiments.calibrate import (
    coverage,
    ensemble,
    fit,
    neighbours,
    prior,
    regression,
    smoother,
)
from twin.observing.daily import Seen
from twin.observing.statistics import Statistics
from twin.scenario.loading import load
from twin.world.params import value_at

PARAMETERS, STATISTICS = 6, 20
_RNG = np.random.default_rng(7)
SLOPES = (
    _RNG.normal(size=(PARAMETERS, STATISTICS)) * (np.array([0.9, 0.9, 0.5, 0.5, 0.1, 0.0])[:, None])
)
"""Two parameters well told, two half, one hardly, one not at all."""
EXACT = np.sqrt(np.diag(np.linalg.inv(np.eye(PARAMETERS) + SLOPES @ SLOPES.T)))
"""Posterior sd of each parameter: the prior's is 1, the luck of a statistic's too."""


def worlds(many: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (normal scores) and statistics of worlds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(many, PARAMETERS))
    return x, x @ SLOPES + rng.normal(size=(many, STATISTICS))


def bank(many: int, seed: int) -> ensemble.Ensemble:
    """An ensemble of such worlds."""
    x, y = worlds(many, seed)
    names = [f"parameter {p}" for p in range(PARAMETERS)]
    return ensemble.ensemble(names, x, [f"statistic {k}" for k in range(STATISTICS)], y)


def truths(of: ensemble.Ensemble, many: int, seed: int) -> ensemble.Ensemble:
    """Worlds that are not in a bank, on its scale."""
    x, y = worlds(many, seed)
    return ensemble.Ensemble(of.quantities, of.statistics, x, of.standard(y), of.middle, of.spread)


NONE = np.zeros(STATISTICS)


@pytest.mark.parametrize("many", [60, 240])
def test_the_smoother_covers_whatever_the_number_of_worlds(many: int) -> None:
    """80 and 90 % intervals of 300 fresh truths: within 0.06 of their level. Truths share the bank,
    whose luck is the larger part of the sd, 0.014 with 60 worlds: four of them."""
    given = bank(many, 1)
    found = coverage.fresh(given, truths(given, 300, 2), NONE, smoother.posterior, 3)
    assert found.pooled(0.8) == pytest.approx(0.8, abs=0.06)
    assert found.pooled(0.9) == pytest.approx(0.9, abs=0.05)


def test_with_many_worlds_it_is_the_exact_posterior() -> None:
    """Widths of 600 worlds within a tenth of the exact ones; its error is as large as it says."""
    found = coverage.held_out(bank(600, 4), NONE, smoother.posterior, 5)
    assert found.widths == pytest.approx(EXACT, rel=0.1)
    assert found.errors == pytest.approx(EXACT, rel=0.15)
    assert found.identified.tolist() == [True, True, True, True, False, False]
    assert found.verdict == "calibrated" and found.uniform.min() > coverage.LEAST_RANKS


@pytest.mark.parametrize("many", [30, 400])
def test_ranks_are_held_against_uniform_ones(many: int) -> None:
    """The p of the library's exact test, within 4 % down to 0.0003; of bent ranks too."""
    ranks = np.random.default_rng(11).random((many, 200))
    ranks[:, :80] **= np.linspace(1.0, 1.5, 80)
    names = tuple(f"quantity {k}" for k in range(200))
    found = coverage.Coverage(names, ranks, np.ones(200), np.ones(200)).uniform
    exact = np.array([kstest(each, "uniform").pvalue for each in ranks.T])
    told = exact > 0.0003
    assert told.sum() > 150 and exact.min() < 0.05
    assert found[told] == pytest.approx(exact[told], rel=0.04)
    assert (found[~told] < 0.0004).all()


def test_a_smoother_that_trusts_its_residuals_is_called_overconfident() -> None:
    """The textbook update with 60 worlds: each world has drawn the line that it is measured
    from."""

    def textbook(given, observed, noise, seed):
        gain, *_ = np.linalg.lstsq(given.y, given.x, rcond=None)
        return given.x + (observed - given.y) @ gain

    given = bank(60, 1)
    assert coverage.held_out(given, NONE, textbook, 1).verdict == "overconfident"
    assert coverage.held_out(given, NONE, smoother.posterior, 1).verdict != "overconfident"


def test_the_second_opinion_agrees() -> None:
    """Regression-adjusted rejection, with enough worlds."""
    given = bank(400, 8)
    found = coverage.fresh(given, truths(given, 150, 9), NONE, neighbours.posterior, 3)
    assert found.pooled(0.8) == pytest.approx(0.8, abs=0.07)
    assert found.widths[:2] == pytest.approx(EXACT[:2], rel=0.25)


def test_truths_left_out_in_closed_form_are_those_of_refits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ranks, widths and errors of every world, for a fixed penalty exactly; where refits choose
    theirs again, nearly."""
    given = bank(120, 6)
    chosen = coverage.held_out(given, NONE, smoother.posterior, 1)
    near = smoother.held_out(given, regression.fit(given.y, given.x))
    assert np.abs(near.ranks - chosen.ranks).mean() < 0.01
    assert near.widths == pytest.approx(chosen.widths, rel=0.02)
    monkeypatch.setattr(regression, "PENALTIES", np.array([30.0]))
    fast, slow = (
        smoother.held_out(given, regression.fit(given.y, given.x)),
        coverage.held_out(given, NONE, smoother.posterior, 1),
    )
    assert fast.ranks == pytest.approx(slow.ranks, abs=1e-9)
    assert fast.widths == pytest.approx(slow.widths, rel=1e-9)
    # a posterior mean has the mean of the others' errors too
    assert fast.errors == pytest.approx(slow.errors, rel=1e-3)


def test_few_worlds_lie_around_what_is_far_from_all() -> None:
    """A world's own statistics have company as a typical one does; at four times the distance they
    have less than a third of that."""
    given = bank(300, 6)
    found = regression.fit(given.y, given.x)
    near = np.array([1 / np.median(found.alone(given.y[world])) for world in range(60)])
    assert np.median(near) == pytest.approx(1.0, abs=0.15) and near.min() > 0.5
    far = np.array([1 / np.median(found.alone(4 * given.y[world])) for world in range(60)])
    assert far.max() < 0.34


def test_noise_of_what_was_observed_widens_the_posterior() -> None:
    """Statistics as noisy again as worlds are: the exact posterior of twice the variance."""
    given = bank(600, 4)
    noise = 1 / given.spread**2
    found = coverage.fresh(given, truths(given, 300, 2), noise, smoother.posterior, 3)
    wider = np.sqrt(np.diag(np.linalg.inv(np.eye(PARAMETERS) + SLOPES @ SLOPES.T / 2)))
    assert found.widths == pytest.approx(wider, rel=0.12)
    assert found.pooled(0.8) == pytest.approx(0.8, abs=0.06)


def test_errors_out_of_fold_are_those_of_leaving_out() -> None:
    """The closed form against refits without each world, for a fixed penalty."""
    x, y = worlds(40, 3)
    whole = regression.fit(y, x)
    for world in (0, 17, 39):
        kept = np.arange(40) != world
        # the penalty of the whole, found again by its weights
        for penalty in regression.PENALTIES:
            away = y - y.mean(0)
            weights = np.linalg.solve(
                away.T @ away + penalty * np.eye(STATISTICS), away.T @ (x - x.mean(0))
            )
            if not np.allclose(weights[:, 0], whole.weights[:, 0]):
                continue
            # an unpenalised mean, which the world left out no longer moves
            design = np.column_stack([np.ones(39), y[kept]])
            shrink = np.diag([0.0, *[penalty] * STATISTICS])
            told = np.linalg.solve(design.T @ design + shrink, design.T @ x[kept, 0])
            assert whole.left[world, 0] == pytest.approx(told @ [1, *y[world]], rel=1e-6)
            break
        else:
            pytest.fail("no penalty gives the weights")


def test_a_parameter_is_asked_for_on_the_scale_that_is_told() -> None:
    """Statistics that are straight in the log-odds of a value take it on that scale; where scales
    are as good as each other, the first is kept."""
    rng = np.random.default_rng(5)
    shares = rng.random((200, 2))
    base = load(SCENARIOS / "forecasts.yaml")
    texts = ["audience.patience=0.75..0.97", "audience.patience_sd=0.3..1.6"]
    scales = prior.scales(prior.ranges(texts, base))
    told = [scales[0][3].of(shares[:, 0]), scales[1][0].of(shares[:, 1])]
    y = np.column_stack(told) + 0.1 * rng.normal(size=(200, 2))
    chosen = fit.Asked(("a", "b"), shares, scales).told((y - y.mean(0)) / y.std(0))
    assert chosen == (scales[0][3], scales[1][0])


def test_a_second_round_draws_from_where_the_posterior_lies() -> None:
    """A quarter of the spread beyond both ends, inside the range; whole numbers are rounded
    outwards; what nothing tells keeps its range."""
    base = load(SCENARIOS / "forecasts.yaml")
    texts = (
        "audience.again=0.1..0.5",
        "creators.human.posts_mean=0.1/d..1.6/d:log",
        "recommender.explore_slots=0..12",
        "audience.patience=0.75..0.97",
    )
    given = prior.ranges(texts, base)
    draws = np.array([[0.4, 0.5, 0.3, 0.01], [0.6, 1.0, 0.5, 0.99]])
    made = prior.within(given, draws)
    assert made[0] == "audience.again=0.24..0.36"
    assert made[1] == "creators.human.posts_mean=0.282843/d..1.6/d:log"
    assert made[2] == "recommender.explore_slots=3..7" and made[3] == texts[3]
    assert prior.ranges(made, base)[2].vary.whole


def test_scores_are_normal_and_stay_in_their_range() -> None:
    """Shares and back on every scale, at the ends too; what lies beyond is at the end."""
    base = load(SCENARIOS / "forecasts.yaml")
    given = prior.ranges(["audience.patience=0.75..0.97", "audience.return_a=0.25..2.5:log"], base)
    shares = np.array([0.0, 0.1, 0.5, 1.0])
    scales = prior.scales(given)
    assert [len(each) for each in scales] == [4, 2]
    for scale in (each for some in scales for each in some):
        assert scale.back(scale.of(shares)) == pytest.approx(shares, abs=1e-3)
        assert scale.back(np.array([-99.0, 99.0])).tolist() == [0.0, 1.0]
    with pytest.raises(ValueError, match="no statistic differs"):
        ensemble.ensemble(["a"], np.zeros((3, 1)), ["b"], np.ones((3, 1)))


def test_what_no_world_comes_near_is_left_out_and_named() -> None:
    """A statistic beyond all worlds, one that few worlds have, one that the platform lacks."""
    x, y = worlds(80, 3)
    seen = [Seen({f"s{k}": float(v) for k, v in enumerate(row)}, {}) for row in y]
    for each in seen[10:]:
        del each.statistics["s3"]
    observed: Statistics = {f"s{k}": 0.1 for k in range(STATISTICS - 1)} | {"s5": 99.0}
    names = tuple(f"p{k}" for k in range(PARAMETERS))
    grid = np.linspace(0, 1, 101)
    scales = [[ensemble.Scale(grid, ensemble.scores(grid))]] * PARAMETERS
    found = fit.fit(fit.Asked(names, ndtr(x), scales), seen, observed, {}, 0)
    assert found.beyond == ("s5",)
    left = {f"s{k}" for k in range(STATISTICS)} - {"s3", "s5", f"s{STATISTICS - 1}"}
    assert set(found.worlds.statistics) == left
    assert {each.name for each in found.checks} == left
    assert abs(found.checks[0].z) >= abs(found.checks[-1].z)


def test_a_smaller_world_has_creators_and_newcomers_in_proportion() -> None:
    """A hundredth of the default world; loaded, it is that."""
    base = load(SCENARIOS / "base.yaml")
    small = load(SCENARIOS / "base.yaml", [f"{k}={v}" for k, v in bank_of.sized(base, 100).items()])
    for mechanism, path in (
        ("audience", "initial"),
        ("audience", "arrivals"),
        ("creators", "human.initial"),
        ("creators", "ai.arrivals"),
    ):
        value = value_at(base.mechanisms[mechanism], path)
        assert value_at(small.mechanisms[mechanism], path) == pytest.approx(value / 100)
