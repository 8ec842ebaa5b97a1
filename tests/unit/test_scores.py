"""Proper scores equal the formulas as published, and a library that has them."""

import importlib
import sys
from types import ModuleType

import numpy as np
import pytest

from twin.experiments import scores
from twin.experiments.forecasts import scoring

RNG = np.random.default_rng(7)
MANY = 200


@pytest.fixture(scope="module")
def rules() -> ModuleType:
    """The library, without the kernels that it would compile at import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "numba", None)
        return importlib.import_module("scoringrules")


def fans() -> tuple[np.ndarray, np.ndarray]:
    """Sorted quantiles (MANY, 5), some of them equal, and results (MANY,) inside and outside."""
    fans = np.sort(RNG.normal(size=(MANY, 5)), axis=1)
    fans[:9] = fans[:9, :1]
    results = RNG.normal(scale=2.0, size=MANY)
    results[:3], results[9:12] = fans[:3, 0], fans[9:12, 4]
    return fans, results


def test_the_weighted_score_is_its_formula_and_that_of_the_library(rules: ModuleType) -> None:
    """By sums in plain Python; by the library's interval scores, and by its quantile scores, whose
    mean is half of it."""
    q, y = fans()
    own = scores.weighted(q[:, 2], q[:, [1, 0]], q[:, [3, 4]], (0.5, 0.1), y)
    for fan, result, found in zip(q.tolist(), y.tolist(), own.tolist(), strict=True):
        total = abs(fan[2] - result) / 2
        for alpha, low, high in ((0.5, fan[1], fan[3]), (0.1, fan[0], fan[4])):
            missed = 2 / alpha * max(low - result, 0) + 2 / alpha * max(result - high, 0)
            total += alpha / 2 * (high - low + missed)
        assert found == pytest.approx(total / 2.5, rel=1e-12)
        assert scoring.wis(fan, result) == found
    levels, alphas = np.array([0.05, 0.25, 0.5, 0.75, 0.95]), np.array([0.5, 0.1])
    theirs = rules.interval_score(y, q[:, [1, 0]], q[:, [3, 4]], alphas, backend="numpy")
    ours = scores.interval(q[:, [1, 0]], q[:, [3, 4]], alphas, y[:, None])
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    pinball = rules.quantile_score(y[:, None], q, levels, backend="numpy")
    np.testing.assert_allclose(own, 2 * pinball.mean(1), rtol=1e-12)


def test_the_score_of_an_ensemble_is_that_of_the_library(rules: ModuleType) -> None:
    """Of any size, one member too, with members that are equal; and by all pairs."""
    for many in (1, 2, 7, 30):
        members, y = RNG.normal(size=(MANY, many)), RNG.normal(size=MANY)
        members[:5] = members[:5, :1]
        own = scores.crps(members, y)
        theirs = rules.crps_ensemble(y, members, estimator="nrg", backend="numpy")
        np.testing.assert_allclose(own, theirs, rtol=1e-10, atol=1e-14)
        pairs = np.abs(members[:, :, None] - members[:, None]).mean((1, 2))
        near = np.abs(members - y[:, None]).mean(1)
        np.testing.assert_allclose(own, near - pairs / 2, rtol=1e-10, atol=1e-14)
    assert np.isnan(scores.crps([1.0, np.nan], 0.0))
