"""The registry of field experiments: whole, checked by the scenario's own rules, and read off
quantities that exist or are said to be lacking."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import ROOT, SCENARIOS
from twin.experiments import forks
from twin.experiments.forecasts import (
    catalogue,
    command,
    document,
    expressions,
    listing,
    page,
    quantities,
    readings,
    words,
    worlds,
)
from twin.experiments.forecasts.declare import Branch, by_arm, by_stratum, part, whole, within
from twin.experiments.forecasts.plan import LEAST, PLACEBO, Answered, Plan, Size, points
from twin.experiments.forecasts.registry import shared
from twin.experiments.stress import uncertain
from twin.experiments.work.store import Store
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.scenario.loading import load
from twin.scenario.yamlish import read_file
from twin.world.metric import Metric

EXPERIMENTS = [catalogue.experiment(id) for id in catalogue.IDS]
STATUS = {
    **dict.fromkeys(("E01", "E02", "E03", "E06"), "development"),
    **dict.fromkeys(("E04", "E05"), "in-sample"),
    **dict.fromkeys(("E07", "E08", "E09", "E10", "E11", "E12"), "blind"),
    **dict.fromkeys(("R1", "R2", "R3", "R4"), "reserve"),
}


@pytest.fixture(scope="module")
def base():
    """The default world."""
    return load(SCENARIOS / "base.yaml")


@pytest.fixture(scope="module")
def plans(base):
    """A plan of every experiment, by id."""
    return {each.id: Plan(each, base, Size()) for each in EXPERIMENTS}


def rows(*metrics: Metric):
    """Series of metrics, as a board has them, by name."""
    return expressions.declared(
        [(metric, labels) for metric in metrics for labels in metric.series()]
    )


ARMS = {"arm": ("everybody", "treated-1", "control-1", "treated-2-alone", "control-2-alone")}


def gauge(name: str, **labels: tuple[str, ...]) -> Metric:
    """A gauge."""
    return Metric(name, "gauge", "1", "A number.", "consumer", "Panel", labels=labels)


def test_every_experiment_is_registered_with_its_status() -> None:
    """One file each, named as it says."""
    assert {each.id: each.status for each in EXPERIMENTS} == STATUS
    files = {path.stem for path in (Path(catalogue.__file__).parent / "registry").glob("[er]*.py")}
    assert files == {id.lower() for id in STATUS}


@pytest.mark.parametrize("each", EXPERIMENTS, ids=lambda each: each.id)
def test_a_design_says_all_that_a_stranger_needs(each) -> None:
    """Design and confounders in words; outcomes with form, smallest effect, window, and a reading
    or a reason; each branch is read, or is an alternative of one that is."""
    assert len(each.design) > 80 and len(each.confounders) > 40 and each.outcomes
    assert len({outcome.id for outcome in each.outcomes}) == len(each.outcomes)
    named = set()
    for outcome in each.outcomes:
        assert outcome.sesoi > 0 and bool(outcome.readings) != bool(outcome.cannot)
        assert outcome.optimised in (-1, 0, 1) and 0 < outcome.scale <= 1
        for begin, end in (outcome.days, *outcome.beside):
            assert 0 <= begin < end <= each.days
        for reading in outcome.readings:
            assert {*reading.parts, reading.against} - {""} <= set(quantities.QUANTITIES)
            named |= {reading.treated, reading.control}
    assert named == set(each.branches)


def test_every_formula_is_one_and_every_quantity_is_used() -> None:
    """All texts parse; nothing is left over."""
    used = set()
    for each in EXPERIMENTS:
        for outcome in each.outcomes:
            for reading in outcome.readings:
                used |= {*reading.parts, reading.against}
    assert used - {""} == set(quantities.QUANTITIES)
    for quantity in quantities.QUANTITIES.values():
        assert quantity.arm or quantity.whole
        for text in (quantity.arm, quantity.whole, quantity.spread_arm, quantity.spread_whole):
            assert not text or expressions.parse(text)
    with pytest.raises(ValueError, match="no part of a formula"):
        expressions.parse("posts ** 2")


@pytest.mark.parametrize("id", catalogue.IDS)
def test_every_branch_passes_the_check(id: str, plans) -> None:
    """Settings and policies, with their placebos, as `twin check` would judge them."""
    plan = plans[id]
    names = list(plan.experiment.branches)
    names += [
        f"{name}, placebo"
        for name in names
        if any("share" in policy for policy in plan.branch(name).policies)
    ]
    for name in names:
        branch = plan.branch(name)
        scenario, policies = plan.scenario_of(branch), plan.policies(branch)
        made = forks.checked(scenario, policies, name) if policies else scenario
        assert len(made.policies) == len(branch.policies) + len(branch.before)
    uncertain.check(plan.scenario, plan.given)


def test_levers_are_those_of_the_policy_files() -> None:
    """What the registry calls chronological or popular is what the shipped policies are."""
    for name, levers in (
        ("chronological", shared.CHRONOLOGICAL),
        ("popular_only", shared.POPULAR),
    ):
        plain = read_file(SCENARIOS / "policies" / f"{name}.yaml", []).plain()
        assert {key: str(value) for key, value in levers.items()} == {
            key: str(value) for key, value in plain["set"].items()
        }


def test_a_placebo_sets_what_holds_anyway(plans) -> None:
    """In the world of every experiment."""
    for plan in plans.values():
        for levers in PLACEBO.values():
            for path, value in levers.items():
                mechanism, _, name = path.partition(".")
                assert getattr(plan.scenario.mechanisms[mechanism], name) == value


def test_what_a_reading_lacks_is_said(base) -> None:
    """By arm, within a stratum, in whole worlds; with the sd where the form needs one. It becomes
    available as soon as the metrics are declared."""
    declared = rows(gauge("trial_satisfaction", **ARMS), gauge("satisfaction_mean"))
    reading = by_arm("satisfaction", "half")
    assert not readings.lacking(reading, "rel", declared)
    assert readings.lacking(reading, "sd", declared) == ["there is no metric trial_satisfaction_sd"]
    more = declared | rows(gauge("trial_satisfaction_sd", **ARMS))
    assert not readings.lacking(reading, "sd", more)
    assert not readings.lacking(by_stratum("satisfaction", "half", 2, "alone"), "sd", more)
    assert readings.lacking(by_stratum("satisfaction", "half", 2, "within-1"), "rel", more) == [
        "trial_satisfaction is not read for treated-2-within-1",
        "trial_satisfaction is not read for control-2-within-1",
    ]
    assert readings.lacking(whole("satisfaction", "a", "b"), "sd", more) == [
        "satisfaction has no sd of a world"
    ]
    assert not readings.lacking(whole("satisfaction", "a", "b"), "rel", more)
    # as the default world declares them today: one group per arm
    today = load(SCENARIOS / "base.yaml", ["trials.enabled=true"]).series()
    assert not readings.lacking(reading, "rel", expressions.declared(today))


def test_sums_and_gauges() -> None:
    """A counter without labels is their sum; a gauge needs all its labels; bins are no value."""
    counter = Metric(
        "responses", "counter", "1", "Sum.", "consumer", "P", labels={"by": ("a", "b")}
    )
    histogram = Metric("spread", "histogram", "1", "Bins.", "consumer", "P", edges=(0.0, 1.0))
    listed = rows(counter, gauge("level", by=("a", "b")), histogram)
    series = expressions.Series
    assert expressions.places(series("responses", {}), listed) == [0, 1]
    assert expressions.places(series("responses", {"by": "b"}), listed) == [1]
    assert expressions.places(series("level", {"by": "b"}), listed) == [3]
    for name, labels in (("level", {}), ("spread", {}), ("none", {}), ("level", {"on": "a"})):
        assert not expressions.places(series(name, labels), listed)


def test_values_of_formulas() -> None:
    """Arithmetic as written; what is not defined is NaN."""
    read = {"a": 6.0, "b{by=x}": 2.0, "zero": 0.0}

    def value(text: str) -> float:
        return expressions.value(expressions.parse(text), lambda series: read[str(series)])

    assert value("a / b{by=x} - 1") == 2 and value("-(a + b{by=x}) * 2") == -16
    assert value("sqrt(a * a)") == 6
    assert math.isnan(value("a / zero")) and math.isnan(value("sqrt(zero - a)"))


@pytest.mark.parametrize(
    ("form", "effect"),
    [("rel", math.log(0.3 / 0.2)), ("sd", 0.2), ("size", 0.2), ("pt", 10.0), ("level", 0.3)],
)
def test_effects_by_form(form, effect) -> None:
    """Treated 0.3 against control 0.2, sd 0.5."""
    found = readings.effect(form, readings.Pair(0.3, 0.2, 0.5))
    assert found == pytest.approx(effect)


def test_a_flipped_policy_is_the_control(plans) -> None:
    """Where the policy stands for control, its people are the control group, whose sd counts."""
    seen = {
        ("trial_satisfaction", "treated-1"): 0.2,
        ("trial_satisfaction", "control-1"): 0.5,
        ("trial_satisfaction_sd", "treated-1"): 0.1,
        ("trial_satisfaction_sd", "control-1"): 0.3,
    }

    def read(branch, series, arms):
        return seen[series.name, arms[0]]

    plain, flipped = (by_arm("satisfaction", "half", flipped=each) for each in (False, True))
    assert readings.effects(plain, "sd", read) == pytest.approx(-0.3 / 0.3)
    assert readings.effects(flipped, "sd", read) == pytest.approx(0.3 / 0.1)
    index = replace(flipped, quantity="satisfaction & satisfaction")
    assert readings.effects(index, "sd", read) == pytest.approx(0.3 / 0.1)
    assert within("net_seeded_up", "net_unseeded", "seeded").estimand == "within one world"


def test_windows_take_means_and_rates() -> None:
    """Gauges: readings after the begin up to the end, NaN left out; counts: what came between the
    readings at both ends, per day."""
    times = np.arange(5, dtype=np.int64) * DAY // 2
    values = np.array([[9.0, 0.0], [1.0, 2.0], [np.nan, 4.0], [3.0, 9.0], [7.0, 10.0]])
    counters = np.array([False, True])
    found = worlds.windowed(values, times, counters, (0, 3 * DAY // 2))
    assert found.tolist() == [2.0, 6.0]
    assert worlds.windowed(values, times, counters, (DAY, 2 * DAY)).tolist() == [5.0, 6.0]
    assert np.isnan(worlds.windowed(values, times, counters, (2 * DAY, 3 * DAY))).all()


def test_draws_fill_the_ranges_and_stay(base) -> None:
    """Every parameter takes one value in each of as many equal parts as there are worlds; a further
    range leaves the draws of the others as they were; no two worlds are alike."""
    given = uncertain.read(uncertain.standard(base), base)
    drawn = points(given, LEAST, 1)
    assert len(set(drawn)) == LEAST
    for k, each in enumerate(given):
        parts = sorted(int(each.position(point[k]) * LEAST) for point in drawn)
        # values are written in six digits, so one at an edge may fall beyond it
        assert np.abs(np.array(parts) - np.arange(LEAST)).max() <= 1
    assert [point[3:4] for point in drawn] == points(given[3:4], LEAST, 1)
    assert points(given, LEAST, 2) != drawn


def test_what_an_experiment_sets_is_not_drawn(plans) -> None:
    """Not by its world, its branches or its policies."""
    for plan in plans.values():
        drawn = {each.vary.path for each in plan.given}
        fixed = set(plan.experiment.world)
        for branch in plan.experiment.branches.values():
            fixed |= {lever for policy in branch.policies for lever in policy["set"]}
            fixed |= set(branch.sets)
        assert drawn and not drawn & fixed
        assert {each.partition("=")[0] for each in plan.experiment.ranges} <= drawn | fixed


def test_arms_of_one_share_are_the_same_people() -> None:
    """The draw is keyed by the policy's name, and all have one."""
    for each in EXPERIMENTS:
        for branch in each.branches.values():
            assert {policy["name"] for policy in branch.policies} <= {"treated"}
    assert part("x", {}, 0.5).policies[0]["name"] == "treated" and not Branch("y").policies


def test_a_fan_is_said_in_quantiles_and_shares() -> None:
    """Shares below, inside and above the smallest effect; lost worlds do not count; a fan that lost
    half of its worlds says nothing."""
    values = np.array([-0.3, -0.1, 0.0, 0.04, 0.2, np.nan])
    found = document.spread(values, 0.05)
    assert found["p"] == {"-": 0.4, "0": 0.4, "+": 0.2} and found["worlds"] == 5
    assert found["quantiles"]["50"] == 0.0
    outcome = catalogue.experiment("E02").outcomes[0]
    lost = document.answer(
        Answered(outcome, outcome.readings[-1]), {outcome.days: np.array([1.0, np.nan])}
    )
    assert "half of the worlds" in lost["cannot"]


def test_a_forecast_is_the_same_bytes_and_follows_its_mapping(plans, base, tmp_path) -> None:
    """The digest changes with mapping, worlds or answers; the file reads back."""
    plan = plans["E03"]
    each = plan.answers[0]
    values = {each.outcome.days: np.linspace(-1, 0, LEAST)}
    answers = [document.answer(each, values)]
    text = document.forecast(plan, answers)
    assert text == document.forecast(Plan(plan.experiment, base, Size()), answers)
    (tmp_path / "E03.json").write_bytes(text)
    head, (said,) = document.answers(tmp_path / "E03.json")
    assert head["worlds"] == LEAST and not head["quick"] and said.id == "O1"
    assert said.quantiles[2] == -0.5 and sum(said.p) == pytest.approx(1)
    digests = {head["digest"]}
    outcome = replace(plan.experiment.outcomes[0], sesoi=0.03)
    other = replace(plan.experiment, outcomes=(outcome,))
    for another in (Plan(other, base, Size()), Plan(plan.experiment, base, Size(LEAST + 1))):
        (tmp_path / "E03.json").write_bytes(document.forecast(another, answers))
        digests.add(document.answers(tmp_path / "E03.json")[0]["digest"])
    assert len(digests) == 3
    (tmp_path / "E03.json").write_text("{}")
    with pytest.raises(UsageError, match="is no forecast"):
        document.answers(tmp_path / "E03.json")


def test_what_is_committed_is_not_changed_in_silence(plans, base, tmp_path) -> None:
    """The same code, mapping and worlds may make a forecast again; any other is refused before it
    runs."""
    plan = plans["E03"]
    (tmp_path / "E03.json").write_bytes(document.forecast(plan, []))
    command.other([plan, plans["E02"]], tmp_path)
    with pytest.raises(UsageError, match="holds a forecast by other code, mapping or worlds"):
        command.other([Plan(plan.experiment, base, Size(LEAST + 1))], tmp_path)


@pytest.mark.parametrize("quick", [False, True])
def test_forecasts_are_copied_with_their_page_and_quick_ones_never(plans, tmp_path, quick) -> None:
    """The same bytes as in the experiment's folder, and the page beside them."""
    store = Store(str(tmp_path / "out"))
    text = document.forecast(plans["E03"], [])
    store.write("forecasts/E03.json", text)
    into = tmp_path / "docs" / "forecasts"
    manifest = {"args": {"ids": ["E03"], "worlds": LEAST, "quick": quick}, "into": str(into)}
    command.committed(SimpleNamespace(store=store, manifest=manifest, say=lambda text: None))
    assert into.exists() != quick
    if not quick:
        assert (into / "E03.json").read_bytes() == text
        assert into.with_suffix(".md").read_text() == page.text(into)
        assert "(forecasts/E03.json), 30 worlds" in page.text(into)


def test_quick_worlds_are_small_and_short(base) -> None:
    """Never larger than the scenario asks for, and marked in the file."""
    plan = Plan(catalogue.experiment("E09"), base, Size(2, quick=True))
    assert plan.scenario.warm_up == plan.at == plan.length == 2 * DAY
    assert plan.scenario.mechanisms["audience"].initial == 600
    assert b'"quick": true' in document.forecast(plan, [])
    tiny = load(SCENARIOS / "base.yaml", ["audience.initial=50", "warm_up=1d"])
    plan = Plan(catalogue.experiment("E09"), tiny, Size(2, quick=True))
    assert plan.scenario.mechanisms["audience"].initial == 50
    assert plan.scenario.warm_up == DAY


def test_the_page_is_that_of_the_files() -> None:
    """``twin forecasts make`` would write the same; what is committed is no quick fan, and has the
    worlds that a forecast needs."""
    place = ROOT / "docs" / "forecasts"
    assert place.with_suffix(".md").read_text() == page.text(place)
    for id, (head, said) in words.folder(place).items():
        assert not head["quick"] and head["worlds"] >= LEAST and head["id"] == id
        assert [each.id for each in said] == [each.id for each in catalogue.experiment(id).outcomes]


def test_what_was_fitted_to_is_named_where_experiments_are_listed(plans, tmp_path) -> None:
    """In both lists, on the page and by `make`; and no digest of a mapping rests on it."""
    short, full = "\n".join(listing.short(plans.values())), "\n".join(listing.full([plans["E01"]]))
    for text in (short, full):
        assert "O1 sd, SESOI 0.05, in-sample: anger" in text
        assert "O3 sd, SESOI 0.05, sign: whether" in text
    assert "(development; in-sample: O1, O2)" in full
    assert "| development; in-sample: O1, O2 | not made yet |" in page.text(tmp_path)
    made = ({"id": "E01", "title": "", "status": "development", "worlds": 30, "quick": False},)
    said = [document.Answer(name, "sd", 0.05, cannot="no") for name in ("O1", "O3")]
    lines = "\n".join(words.lines([(*made, said)]))
    assert "O1, in-sample" in lines and "O3, in-sample" not in lines
    plan = plans["E01"]
    plain = [replace(each, in_sample=False) for each in plan.experiment.outcomes]
    other = Plan(replace(plan.experiment, outcomes=tuple(plain)), plan.base, plan.size)
    assert other.facts() == plan.facts()


def test_unknown_ids_are_refused() -> None:
    """With the nearest one."""
    assert catalogue.chosen(("e03", "E01", "e03")) == ["E01", "E03"]
    assert catalogue.chosen((), but=("reserve",)) == sorted(id for id in STATUS if id[0] == "E")
    with pytest.raises(UsageError, match="no experiment E13"):
        catalogue.chosen(("E13",))
