"""Audits: steps as a scenario can take them, scores, what is distinguishable from noise, and designs of many
levers."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy import stats

from twin.experiments.audit import command as audit
from twin.experiments.audit import indices, levers, scoring
from twin.experiments.audit.engineering import STEPS, Step
from twin.experiments.audit.forces import Force
from twin.experiments.audit.levers import LUCK, Lever
from twin.experiments.audit.scoring import Score
from twin.experiments.audit.turning import turned, turns
from twin.experiments.design import Vary
from twin.ground.errors import UsageError
from twin.scenario.loading import Scenario
from twin.world.metric import Metric

Small = Callable[..., Scenario]
ROWS: list[tuple[Metric, Mapping[str, str]]] = [
    (Metric("creator_morale", "gauge", "1", "How it is.", "producer", "Supply"), {}),
    (Metric("exposure_gini", "gauge", "1", "How uneven it is.", "producer", "Supply"), {}),
    (Metric("regret_share", "gauge", "1", "What is regretted.", "consumer", "Visits"), {}),
]


@pytest.mark.parametrize(
    ("old", "wanted", "new"),
    [
        ("32", "x0.25", "8"),
        ("3", "x0.25", "1"),
        ("0.08", "x4", "0.32"),
        ("1e-05", "x100", "0.001"),
        ("6h", "x4", "1d"),
        ("6h", "x28", "1w"),
        ("1h", "x0.25", "15min"),
        ("10min", "x3", "30min"),
        ("3/d", "x0.5", "1.5/d"),
        ("0", "x4", None),
        ("hash", "x4", None),
        ("None", "x4", None),
        ("True", "x4", None),
        ("4", 2, "2"),
    ],
)
def test_steps_turn_values_in_their_units(old: str, wanted: object, new: str | None) -> None:
    """Factors keep units; whole numbers stay whole and above zero; what has no multiples cannot be
    turned."""
    found = turned(old, wanted)
    assert found == new or (new == "1w" and found == "7d")


def test_tables_have_rows_by_the_ids_at_the_fork() -> None:
    """Half the IDs, at the power of two below, and never fewer than sixteen."""
    assert [turned("65536", wanted, 1100) for wanted in ("ids/2", "ids/8")] == [
        "512",
        "128",
    ] and turned("65536", "ids/8", 20) == "16"


def test_steps_left_out_have_reasons(small: Small) -> None:
    """What is not here, has these values already (whatever their spelling), or has no multiple is
    left out with that reason, and nothing is lost."""
    steps = [
        Step("a", {"recommender.dim": "x4"}),
        Step("b", {"recommender.diversity": 0}),
        Step("c", {"nowhere.at_all": 1}),
        Step("d", {"recommender.quota.co_viewed": "x3"}),
    ]
    made, left = turns(small(), {}, steps)
    assert [turn.words for turn in made] == ["recommender.dim 32 -> 128"]
    assert left == [
        ("b", "has these values already"),
        ("c", "no nowhere.at_all here"),
        ("d", "recommender.quota.co_viewed is 0, which has no such multiple"),
    ]
    made, left = turns(small(), {"posts": 400, "consumers": 300, "creators": 66})
    assert len(made) + len(left) == len(STEPS) and len(made) > 20


def test_scores_are_the_mean_of_oriented_standardised_changes() -> None:
    """More morale is good, more inequality and regret bad, each in standard deviations of the world
    as it is."""
    x = np.array([[1.0, 0.2, 5.0], [3.0, 0.4, 5.0]])
    y = x + np.array([[1.0, 0.1, 1.0], [0.0, 0.0, 0.0]])
    producer = scoring.scores(x, y, "producer", ROWS)
    assert producer == pytest.approx(
        [(1 / np.sqrt(2) - 0.1 / np.std([0.2, 0.4], ddof=1)) / 2, 0.0], abs=1e-12
    )
    assert np.isnan(
        scoring.scores(x, y, "consumer", ROWS)
    ).all()  # the same in all worlds: no scale
    assert (scoring.scores(x, x, "producer", ROWS) == 0.0).all()
    y[1] = np.nan
    assert np.isnan(scoring.scores(x, y, "producer", ROWS)[1]) and np.isfinite(
        scoring.scores(x, y, "producer", ROWS)[0]
    )
    of = np.array([1, 1, 0])
    assert scoring.scores(x, x[of], "producer", ROWS, of).tolist() == [0.0, 0.0, 0.0]


def test_hotelling_is_what_scipy_and_algebra_say() -> None:
    """One variable: the t-test. Two: T^2 by the inverse covariance; zeros in all worlds: nothing
    found; too few: unknown."""
    values = np.random.default_rng(1).normal(0.4, 1.0, (2, 12))
    assert scoring.hotelling(values[:1]) == pytest.approx(
        stats.ttest_1samp(values[0], 0).pvalue, rel=1e-9
    )
    assert scoring.hotelling(np.array([values[0], np.zeros(12)])) == pytest.approx(
        stats.ttest_1samp(values[0], 0).pvalue, rel=1e-9
    )
    t2 = 12 * values.mean(1) @ np.linalg.inv(np.cov(values)) @ values.mean(1)
    assert scoring.hotelling(values) == pytest.approx(
        stats.f.sf(t2 * 10 / (2 * 11), 2, 10), rel=1e-9
    )
    assert scoring.hotelling(np.zeros((2, 5))) == 1.0
    assert np.isnan(scoring.hotelling(values[:, :2]))
    assert scoring.hotelling(np.array([values[0], values[0]])) == pytest.approx(
        2 * stats.ttest_1samp(values[0], 0).pvalue, rel=1e-9
    )


def test_a_false_alarm_of_hotelling_is_as_rare_as_said() -> None:
    """Of 4000 nulls with correlated scores, 5 % are below 0.05, within 4.5 standard errors (1.6
    points)."""
    rng = np.random.default_rng(5)
    mixed = np.array([[1.0, 0.0], [0.6, 0.8]])
    found = [scoring.hotelling(mixed @ rng.normal(size=(2, 8))) < 0.05 for _ in range(4000)]
    assert abs(np.mean(found) - 0.05) < 0.016


def test_towards_whom() -> None:
    """Intervals say towards whom, if q says that there is anything."""
    up, down, none = Score(1.0, 0.5, 1.5), Score(-1.0, -1.5, -0.5), Score(0.1, -1.0, 1.2)
    say = [
        Force("s", "", False, producer, consumer, 8, 0.01, q).towards
        for producer, consumer, q in (
            (up, down, 0.01),
            (down, down, 0.01),
            (none, up, 0.01),
            (up, up, 0.2),
            (none, none, 0.01),
        )
    ]
    assert say == [
        "for creators, against consumers",
        "against both",
        "for consumers",
        "not distinguishable from noise",
        "both together differ, neither side alone",
    ]
    zero = Score(0.0, 0.0, 0.0)
    assert Force("s", "", False, zero, zero, 8, 1.0, 1.0).towards == "nothing at all"


def test_a_step_of_that_very_name_is_meant_alone() -> None:
    """A name that others begin with names one step; a part of names, all that contain it."""
    assert [step.name for step in audit.chosen(["personalisation 0"])] == ["personalisation 0"]
    assert len(audit.chosen(["personalisation"])) == 2


def test_an_unknown_step_has_a_mend() -> None:
    """The nearest step is named."""
    with pytest.raises(UsageError, match="did you mean"):
        audit.chosen(["dimensoin x 4"])


def test_levers_stay_within_their_bounds(small: Small) -> None:
    """Ranges are a quarter to four times the value, cut at what the parameter allows; zeros and
    texts are left out with reasons."""
    found, left = levers.levers(small(), [])
    ends = {lever.path: (lever.vary.at(0.0), lever.vary.at(1.0)) for lever in found}
    assert ends["recommender.dim"] == ("8", "128") and ends["recommender.slate"] == ("8", "100")
    assert ends["recommender.personalisation"] == ("0.25", "1.0") and ends[
        "recommender.retrain_every"
    ] == ("90min", "1d")
    assert (
        dict(left)["recommender.diversity"] == "is 0.0, which has no multiples"
        and "no lever" in dict(left)["recommender.expiry"]
    )
    with pytest.raises(UsageError, match="no power of two"):
        levers.check(small(), {"steps": [], "method": "sobol", "budget": 6, "at_s": 0})


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_indices_of_a_known_function(method: str) -> None:
    """Of 3 a + noise, lever a is distinguishable from luck and b is not; Morris' mu* of a is 3, Sobol's ST of
    a its share of the variance."""
    found = [Lever("1", Vary(name, (), 0.25, 4.0, "", True)) for name in ("a", "b")]
    design = levers.sample(found, method, 128, 4)
    assert (design == levers.sample(found, method, 128, 4)).all() and len(
        design
    ) == 128 * levers.block(found, method)
    values = 3 * design[:, 0] + np.random.default_rng(2).normal(0, 0.2, len(design))
    values[0] = np.nan
    rows = {
        row["lever"]: row for row in indices.analysed(found, method, design, values, "producer", 1)
    }
    assert (
        rows["a"]["n"] == 127
        and rows["a"]["distinguishable"]
        and not rows["b"]["distinguishable"]
        and not rows[LUCK]["distinguishable"]
    )
    wanted, index, off = (3.0, "mu_star", 0.2) if method == "morris" else (1.0, "ST", 0.25)
    assert rows["a"][index] == pytest.approx(wanted, abs=off)
    assert rows["a"]["mu_low" if method == "morris" else "trend_low"] > 0
