"""Is a world at rest: truncation by MSER-5 on known series, planted drift and none, and the
command."""

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from tests.conftest import SCENARIOS, settings, twin
from twin.engine.simulation import Simulation
from twin.experiments import drifts, rest
from twin.experiments.compare import measures
from twin.experiments.compare import words as compare_words
from twin.experiments.compare.rows import NUMBERS, Row
from twin.experiments.forks import BASE, Forked
from twin.ground.units import DAY
from twin.scenario.loading import Scenario
from twin.world.metric import Metric

Small = Callable[..., Scenario]


def noise(replicates: int, days: int, seed: int, memory: float = 0.7) -> np.ndarray:
    """Autocorrelated noise of unit variance (replicates, days)."""
    rng, made = np.random.default_rng(seed), np.zeros((replicates, days))
    shock = rng.normal(size=(replicates, days)) * math.sqrt(1 - memory**2)
    made[:, 0] = rng.normal(size=replicates)
    for day in range(1, days):
        made[:, day] = memory * made[:, day - 1] + shock[:, day]
    return made


def test_mser_by_hand() -> None:
    """Batches 9, 1, 0, 0, 0, 0, 0, 0: sums of squares over squared counts are least once both high
    ones are cut, at ten days."""
    z = np.array([9.0, 1, 0, 0, 0, 0, 0, 0, 0.0])
    values = np.repeat(z, 5)
    assert drifts.mser(values) == 10
    assert drifts.mser(values, batch=1) == 10
    assert (
        drifts.mser(np.append(values, [50.0, 50.0])) == 10
    )  # what is left of the last batch does not count
    assert drifts.mser(np.full(60, 3.0)) == 0 and drifts.mser(np.arange(7.0)) is None


def test_mser_is_the_published_rule() -> None:
    """The least of the squared standard error over all truncations, by brute force over batch
    means."""
    rng = np.random.default_rng(4)
    for seed in range(20):
        values = 5 * np.exp(-np.arange(100) / 6) + noise(1, 100, seed)[0] * rng.uniform(0.1, 1)
        z = values.reshape(20, 5).mean(1)
        errors = [z[k:].var() / (20 - k) for k in range(16)]
        best = int(np.argmin(errors))
        assert drifts.mser(values) == (5 * best if best <= 10 else None)


def test_mser_cuts_a_transient_and_not_a_settled_series() -> None:
    """An exponential approach with a time constant of 8 days is cut after some three of them; one
    that never bends is not settled."""
    cut = [
        drifts.mser(10 * np.exp(-np.arange(180) / 8) + noise(1, 180, seed)[0]) for seed in range(20)
    ]
    known = [each for each in cut if each is not None]
    assert (
        len(known) >= 17 and min(known) >= 10 and max(known) <= 60 and 15 <= np.median(known) <= 40
    )
    assert drifts.mser(np.arange(180.0)) is None
    still = [drifts.mser(noise(1, 180, seed)[0]) for seed in range(40)]
    assert np.median([90 if each is None else each for each in still]) <= 30


def test_slopes_are_least_squares() -> None:
    """Against numpy's fit."""
    days = noise(3, 90, 1) + 0.02 * np.arange(90)
    assert drifts.slopes(days) == pytest.approx(np.polyfit(np.arange(90), days.T, 1)[0])


def test_planted_drift_is_found_and_none_is_not() -> None:
    """10 % of drift over 180 days under noise of 4 % is named with its size; without drift rest is
    shown; neither where noise drowns it."""
    t = np.arange(180)
    verdicts = {"drifts": 0, "at rest": 0, "unclear": 0}
    for seed in range(40):
        moving = drifts.judged("x", "1", 1 + 0.1 * t / 150 + 0.02 * noise(4, 180, seed))
        assert moving.verdict == "drifts" and moving.change[0] == pytest.approx(0.1, abs=0.03)
        assert moving.slope[0] == pytest.approx(0.02, abs=0.006) and moving.slope[1] > 0
        verdicts[drifts.judged("x", "1", 1 + 0.02 * noise(4, 180, 100 + seed)).verdict] += 1
    assert verdicts["drifts"] == 0 and verdicts["at rest"] > 30
    assert drifts.judged("x", "1", 1 + 0.8 * noise(4, 180, 3)).verdict == "unclear"


def test_false_alarms_are_as_rare_as_said() -> None:
    """Without drift, under noise that remembers for days, the 95 % interval holds 0 in 95 of 100
    cases: replicates need no model of it."""
    holds = [
        low <= 0 <= high
        for seed in range(400)
        for _, low, high in [drifts.judged("x", "1", 1 + 0.3 * noise(4, 120, seed, 0.9)).change]
    ]
    assert 0.92 <= np.mean(holds) <= 0.98


def test_growth_by_people_is_explained() -> None:
    """A total that grows as people do is explained; one that grows per person too drifts, and so
    does a mean."""
    t = np.arange(120)
    people = 1000 * (1 + t / 120) * (1 + 0.005 * noise(4, 120, 1))
    steady = drifts.judged(
        "sessions", "sessions/d", people * (0.3 + 0.002 * noise(4, 120, 2)), people
    )
    assert steady.verdict == "follows" and abs(steady.per_person[0]) < 0.02  # type: ignore[index]
    both = drifts.judged("sessions", "sessions/d", people * (0.3 + 0.001 * t), people)
    assert both.verdict == "drifts" and both.per_person is not None
    assert drifts.judged("mean", "1", people / 1000).verdict == "drifts"


def test_what_was_nothing_and_what_never_moves() -> None:
    """From zero to something drifts without end; equal days are at rest, zero or not."""
    zero = drifts.judged("x", "1", np.zeros((4, 60)))
    assert zero.verdict == "at rest" and zero.change == (0, 0, 0)
    assert drifts.judged("x", "1", np.full((4, 60), 2.0)).verdict == "at rest"
    begun = drifts.judged("x", "1", np.where(np.arange(60) < 30, 0.0, 1.0) * np.ones((4, 1)))
    assert begun.verdict == "drifts" and begun.change[0] == math.inf


def drift(**given: object) -> drifts.Drift:
    """A headline with some of its numbers."""
    estimates = {
        name: drifts.Estimate(*value) if isinstance(value, tuple) else value
        for name, value in {"change": (0.2, 0.1, 0.3), "slope": (0, 0, 0), **given}.items()
    }
    return drifts.Drift(
        **{"name": "x", "unit": "1", "first": 1.0, "last": 1.2, "settles": 20, **estimates}
    )  # type: ignore[arg-type]


def test_the_proposal(small: Small) -> None:
    """The most days that something not at rest needs, on top of the warm-up that there is; what
    never settles is named."""
    scenario = small("warm_up=10d")
    still = drift(change=(0.0, -0.01, 0.01), settles=80)
    assert rest.proposed(scenario, [still]) == (10, [])
    assert rest.proposed(
        scenario, [still, drift(), drift(settles=35, change=(0.01, -0.1, 0.12))]
    ) == (45, [])
    assert rest.proposed(scenario, [drift(), drift(name="y", settles=None)]) == (30, ["y"])
    grows = drift(per_person=(0.0, -0.01, 0.01), settles=None, settles_per_person=5)
    assert rest.proposed(scenario, [grows]) == (10, [])


def test_verdicts_in_words() -> None:
    """What moves surely, but not surely by more than the tolerance, is not called indistinguishable
    from rest."""
    said = {
        "at rest": (0.01, -0.02, 0.04),
        "moves, but not surely by 5%": (0.044, 0.034, 0.053),
        "not distinguishable from rest": (0.08, -0.1, 0.2),
        "DRIFTS by −12.0 % [−20.0, −4.0]": (-0.12, -0.2, -0.04),
    }
    for words, change in said.items():
        assert rest._words(drift(change=change)) == words
    grows = drift(per_person=(0.01, -0.02, 0.04))
    assert rest._words(grows) == "follows the number of active people; per head +1.0 % [−2.0, +4.0]"


def test_reasons_that_are_declared(small: Small) -> None:
    """A total is judged by those who make it up, each kind by its own; a mean by nobody; a declared
    reason counts where it drifts, only."""
    rows = list(Simulation(small()).world.board.rows)

    def heads(name: str, **labels: str) -> tuple[str, dict[str, str]] | None:
        found = rest._heads(
            rows,
            rows.index(next(row for row in rows if row[0].name == name and dict(row[1]) == labels)),
        )
        return None if found is None else (rows[found][0].name, dict(rows[found][1]))

    for kind in ("ai", "human"):
        assert heads("posts", by=kind) == ("creators_active", {"by": kind})
    assert heads("chat_sessions") == ("chat_users", {}) and heads("sessions") == (
        "consumers_active",
        {},
    )
    assert (
        heads("trust_mean") is None
        and heads("satisfaction_mean") is None
        and heads("consumers_active") is None
    )
    for metric, _ in rows:
        assert not metric.of or heads(metric.name, **next(metric.series())) is not None, metric.name
    known = drift(why="they age")
    assert (
        known.verdict == "moves"
        and rest._words(known) == "moves: they age"
        and rest.proposed(small(), [known])[1] == []
    )
    assert drift(why="they age", change=(0.0, -0.01, 0.01)).verdict == "at rest"
    assert drift(why="they age", change=(0.08, -0.1, 0.2)).verdict == "unclear"


def test_without_policies(small: Small) -> None:
    """The look leaves out policies, reads daily at least, and takes replicates one after
    another."""
    scenario = small(
        "policies=[{at: 5d, set: {recommender.preset: likes}}]", "metrics.every=7d", "replicate=3"
    )
    one = rest.without_policies(scenario, 60, 2)
    assert not one.policies and not one.mechanisms["policies"].plan and one.duration == 60 * DAY  # type: ignore[attr-defined]
    assert one.metrics.every == DAY and one.replicate == 5 and one.warm_up == scenario.warm_up


def test_the_command(tmp_path: Path) -> None:
    """Opinions that begin at their anchors drift, sessions in a world that empties follow the
    number of people: exit status 1, a row per headline, a verdict, a proposal; its flags belong
    together."""
    given = settings(
        "opinions.start=anchors",
        "audience.leave=0.03",
        "audience.arrivals=0/d",
        "audience.initial=200",
        "warm_up=2d",
    )
    done = twin(
        "check",
        SCENARIOS / "base.yaml",
        *given,
        "--at-rest",
        "--days",
        "60",
        "--replicates",
        "2",
        cwd=tmp_path,
        check=False,
        TWIN_CACHE=str(tmp_path / "cache"),
    )
    assert done.returncode == 1, done.stderr
    assert (
        "2 replicates without policies, 60 days from 2025-01-01 on, after a warm-up of 2 days"
        in done.stdout
    )
    for words in (
        "Opinion variance",
        "DRIFTS by",
        "follows the number of active people",
        "Proposed warm_up: ",
    ):
        assert words in done.stdout
    assert len(list((tmp_path / "cache" / "worlds").iterdir())) == 2
    for flags, words in (
        (("--days", "90"), "belongs to --at-rest"),
        (("--at-rest", "--regularities"), "two questions"),
    ):
        failed = twin("check", SCENARIOS / "base.yaml", *flags, cwd=tmp_path, check=False)
        assert failed.returncode == 2 and words in failed.stderr


def forked(course: np.ndarray) -> Forked:
    """The world as it is, week by week before the fork: (replicates, weeks) of one metric."""
    metric = Metric("morale", "gauge", "1", "Mean morale.", "producer", "Supply", headline=True)
    return Forked(
        [(metric, {})],
        [(k * 7 * DAY, (k + 1) * 7 * DAY) for k in range(course.shape[1])],
        {BASE: course[:, :, None]},
    )


def test_a_comparison_knows_what_moved_before_its_fork() -> None:
    """The pace per 30 days, how far it goes, and its interval over replicates, against numpy's
    fits."""
    rng = np.random.default_rng(1)
    course = 1 + 0.07 * np.arange(4) + 0.01 * rng.normal(size=(6, 4))
    (row,) = measures.before(forked(course), 60 * DAY).to_pylist()
    paces = np.polyfit(np.arange(4) * 7.0, course.T, 1)[0]
    assert row["pace"] == pytest.approx(30 * paces.mean()) and row["moves"] == pytest.approx(
        60 * paces.mean()
    )
    half = stats.t.ppf(0.975, 5) * paces.std(ddof=1) / math.sqrt(6)
    assert (row["low"], row["high"]) == (
        pytest.approx(30 * (paces.mean() - half)),
        pytest.approx(30 * (paces.mean() + half)),
    )
    assert row["low"] > 0 and row["n"] == 6


def test_the_report_of_a_comparison_warns(tmp_path: Path) -> None:
    """An effect on a series whose pace before the fork is more than a quarter of it is reported
    with that; a smaller or unsure pace is not."""
    numbers = dict.fromkeys(NUMBERS, 0.0) | {"effect": -0.2}
    row = Row("b", "creator_morale", "", "producer", "1", "up", True, 6, **numbers, appears_s=0)
    data = SimpleNamespace(moving={("creator_morale", ""): 0.1})
    said = compare_words._restless(data, [row])  # type: ignore[arg-type]
    assert said.startswith(
        "Not at rest in the weeks before the fork: creator morale was rising, by 50% of the effect "
        "at that pace; both"
    )
    assert (
        compare_words._restless(SimpleNamespace(moving={("creator_morale", ""): 0.04}), [row]) == ""
    )  # type: ignore[arg-type]
    assert compare_words._restless(SimpleNamespace(moving={}), [row]) == ""  # type: ignore[arg-type]


def test_a_comparison_writes_it_down(tmp_path: Path) -> None:
    """`twin compare` of a world that warms up: one row per outcome, read from two weeks before the
    fork; and from less, none."""
    (tmp_path / "p.yaml").write_text("name: few\nset: {recommender.slate: 5}\n")
    given = settings("warm_up=2d", "duration=24d", "audience.initial=150")
    for at, wanted in (("15d", True), ("10d", False)):
        twin(
            "compare",
            SCENARIOS / "base.yaml",
            *given,
            "--policy",
            "p.yaml",
            "--at",
            at,
            "--replicates",
            "2",
            "--out",
            at,
            "--on",
            "local:1",
            cwd=tmp_path,
            TWIN_CACHE=str(tmp_path / "cache"),
        )
        assert (tmp_path / at / "before.parquet").exists() is wanted
    table = pq.read_table(tmp_path / "15d" / "before.parquet").to_pylist()
    assert {row["metric"] for row in table} == {
        row["metric"] for row in pq.read_table(tmp_path / "15d" / "results.parquet").to_pylist()
    }
    assert any(np.isfinite(row["pace"]) and row["pace"] != 0 for row in table)
    assert (
        len(list((tmp_path / "cache" / "worlds").iterdir())) == 2
    )  # two replicates, which both comparisons share
