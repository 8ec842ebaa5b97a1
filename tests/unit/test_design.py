"""Designs of sweeps: what is written on the command line, and the points that come of it."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import qmc

from twin.experiments import design
from twin.experiments.design import Vary, fitted, loaded, parse, points, quantity, sample
from twin.ground.errors import ScenarioError, UsageError
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]


def test_levels_and_ranges_are_read() -> None:
    """Levels stay as written, brackets keep their commas, ranges keep their unit."""
    assert parse("recommender.dim=4, 16,64") == Vary("recommender.dim", ("4", "16", "64"))
    assert parse("a.b=[1,2],[3,4]").levels == ("[1,2]", "[3,4]")
    assert parse("creators.ai.arrivals=0.05/d..0.5/d:log") == Vary(
        "creators.ai.arrivals", (), 0.05, 0.5, "/d", True
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("recommender.dim", "write PATH=A,B,C"),
        ("x=", "write PATH=A,B,C"),
        ("x=1,2:log", ":log belongs to a range"),
        ("x=a..b", "a range is LOW..HIGH in numbers"),
        ("x=1h..2d", "different units"),
        ("x=2..1", "not below"),
        ("x=0..1:log", "above zero"),
        ("x=1,,2", "a level is empty"),
        ("x=1,1", "a level is there twice"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, words: str) -> None:
    """A wrong parameter is told with its flag and the reason."""
    with pytest.raises(UsageError, match=words) as caught:
        parse(text)
    assert str(caught.value).startswith(f"--vary {text}: ") and "\n" not in str(caught.value)


def test_a_grid_is_the_product_in_order() -> None:
    """The last parameter turns fastest."""
    assert points([parse("a=1,2"), parse("b=x,y,z")], "grid", 1, 0) == [
        ("1", "x"),
        ("1", "y"),
        ("1", "z"),
        ("2", "x"),
        ("2", "y"),
        ("2", "z"),
    ]
    with pytest.raises(UsageError, match="is a range"):
        points([parse("a=1..2")], "grid", 1, 0)


def test_a_latin_hypercube_has_one_point_in_every_stratum() -> None:
    """Each of n equal parts of every axis holds exactly one of n points; the seed decides which.
    The points are those of the library."""
    unit = sample(3, "lhs", 20, 7)
    assert (np.sort((unit * 20).astype(int), 0) == np.arange(20)[:, None]).all()
    assert (unit == sample(3, "lhs", 20, 7)).all() and (unit != sample(3, "lhs", 20, 8)).any()
    for dimensions, count, seed in ((3, 20, 7), (1, 400, 2**63)):
        library = qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(count)
        assert (sample(dimensions, "lhs", count, seed) == library).all()


def test_a_sobol_sequence_is_balanced_and_the_same_again() -> None:
    """Counts are raised to a power of two; every axis has one point per stratum; the same seed
    gives the same points."""
    unit = sample(4, "sobol", 13, 3)
    assert unit.shape == (16, 4) and (unit == sample(4, "sobol", 13, 3)).all()
    assert (np.sort((unit * 16).astype(int), 0) == np.arange(16)[:, None]).all()


def test_values_along_a_range() -> None:
    """Log ranges are geometric, whole numbers are whole with ends as likely as the rest, durations
    lie on the grid."""
    assert Vary("x", (), 0.01, 1.0, "/d", True).at(0.5) == "0.1/d"
    assert Vary("x", (), 2.0, 4.0).at(0.25) == "2.5"
    whole = Vary("x", (), 1, 4, whole=True)
    counts = np.unique(
        [int(whole.at(share)) for share in (np.arange(400) + 0.5) / 400], return_counts=True
    )
    assert counts[0].tolist() == [1, 2, 3, 4] and counts[1].tolist() == [100] * 4
    assert (
        Vary("x", (), 1, 12, "h", grid=600).at(0.0) == "1h"
        and quantity(Vary("x", (), 1, 12, "h", grid=600).at(0.377)) % 600 == 0
    )


def test_quantities_compare_across_units() -> None:
    """A day is more than six hours; what is no number has none."""
    assert [quantity(text) for text in ("6h", "1d", "2%/d", "3", "1e-3")] == [
        21600.0,
        86400.0,
        0.02,
        3.0,
        0.001,
    ]
    assert np.isnan(quantity("hash"))


def test_whole_numbers_are_the_scenarios(small: Small) -> None:
    """0..1 of a share is not whole, 4..64 of a dimension is."""
    share, dim, every = fitted(
        [
            parse("recommender.diversity=0..1"),
            parse("recommender.dim=4..64"),
            parse("recommender.retrain_every=1h..12h"),
        ],
        small(),
    )
    assert (share.whole, dim.whole, every.whole) == (
        False,
        True,
        False,
    ) and every.grid == small().grid
    for texts, words in (
        (["recommender.dim=4..8", "recommender.dim=1,2"], "is there twice"),
        (["replicate=1,2"], "use --replicates"),
        (["recommender.dim=4.5..8"], "whole numbers"),
    ):
        with pytest.raises(UsageError, match=words):
            fitted([parse(text) for text in texts], small())


def test_points_are_checked_before_anything_runs(small: Small) -> None:
    """A misspelt path and a value out of bounds are told with the flag and the mend."""
    with pytest.raises(ScenarioError) as caught:
        loaded(small(), [parse("recommender.dmi=1,2")], [("1",), ("2",)])
    assert (
        str(caught.value).count("\n") == 0
        and "--vary" in str(caught.value)
        and "did you mean" in str(caught.value)
    )
    made = loaded(small(), [parse("duration=10d,20d")], [("10d",), ("20d",)])
    assert [scenario.duration for scenario in made] == [864000, 1728000]
    assert design.sets([parse("a=1")], ("1",)) == ("a=1",)
