"""Who gains and who loses: groups and Lorenz curves against the naive way, and what a report says of
made-up readings."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_story import DAYS, POLICY, WAVE, read
from twin.experiments.compare import groups as compared
from twin.experiments.compare.rows import Row
from twin.experiments.forks import outcome
from twin.kernels.groups import placed, sums
from twin.kernels.stats import gini
from twin.mechanisms.groups import (
    COMMUNITIES,
    CONSUMERS,
    CREATORS,
    Groups,
    community,
    lorenz_steps,
    lower_edges,
    parts,
)
from twin.readers.answers import Answer, Event, answers
from twin.readers.baseline import Mark, Windows
from twin.readers.chapters import chapters
from twin.readers.groups import extremes, group_words, splits
from twin.readers.headlines import SIDES
from twin.record.results import Metrics

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)
BY_KIND = next(metric for metric in Groups.metrics if metric.name == "pay_by_kind")
PLACE = "run"


@given(VALUES, st.integers(2, 10))
def test_parts_are_equal_and_in_order(values: list[float], count: int) -> None:
    """Sizes differ by one at most, and nobody in a lower part has more."""
    place = parts(np.array(values), count)
    sizes = np.bincount(place, minlength=count)
    assert len(values) < count or sizes.max() - sizes.min() <= 1
    for k in range(count - 1):
        low, high = (np.array(values)[place == j] for j in (k, k + 1))
        assert not len(low) or not len(high) or low.max() <= high.min()


@given(VALUES, st.data())
def test_sums_are_those_of_the_members(values: list[float], data: st.DataObject) -> None:
    """As numpy's of each group's own rows; who is not there counts nowhere."""
    size = len(values)
    code = np.array(data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    here = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    held = np.array(values)
    n, first, second = sums(code, here, held, held > 1, 4)
    for k in range(4):
        mine = held[(code == k) & here]
        assert n[k] == len(mine) and second[k] == (mine > 1).sum()
        assert np.isclose(first[k], mine.sum())


@given(st.sets(st.floats(-8, 8, width=32), max_size=60))
def test_parts_by_their_edges(values: set[float]) -> None:
    """Of different values, the same as by sorting them."""
    drawn = np.array(sorted(values, key=hash), np.float32)
    assert placed(drawn, lower_edges(drawn, 5)).tolist() == parts(drawn, 5).tolist()


@given(VALUES)
def test_steps_make_the_lorenz_curve(values: list[float]) -> None:
    """They rise, sum to one, and the area between the curve of single holders and the diagonal is
    half the Gini coefficient."""
    held = np.array(values)
    steps = lorenz_steps(held, len(held))
    if held.sum() == 0:
        assert np.isnan(steps).all()
        return
    assert np.isclose(steps.sum(), 1) and (np.diff(steps) >= -1e-9).all()
    curve = np.concatenate([[0], np.cumsum(steps)])
    area = np.trapezoid(curve, np.linspace(0, 1, len(curve)))
    assert np.isclose(1 - 2 * area, gini(held), atol=1e-9)


def test_a_lorenz_curve_between_two_holders_is_linear() -> None:
    """One of two has all: the upper half of a share in tenths."""
    assert lorenz_steps(np.array([0.0, 5.0]), 10) == pytest.approx([0] * 5 + [0.2] * 5)


def test_further_communities_share_a_group() -> None:
    """All beyond the eighth are counted together."""
    assert community(np.array([0, 7, 8, 500])).tolist() == [0, 7, COMMUNITIES, COMMUNITIES]
    assert len(CREATORS["community"]) == COMMUNITIES + 1


def test_groups_are_a_family_of_their_own() -> None:
    """None is an outcome of other experiments, each says by which label it splits, and every group
    has words."""
    for metric in Groups.metrics:
        assert not outcome(metric)
        assert list(metric.labels) == [metric.split]
        for label in metric.labels[metric.split]:
            assert "_" not in group_words(metric.split, label)
    assert {metric.split for metric in Groups.metrics} == {*CREATORS, *CONSUMERS, "tenth"}


def asked(metrics: Metrics, marks: list[Mark], events: list[Event]) -> list[Answer]:
    """The answers of a run's report."""
    windows = Windows(metrics, marks)
    found = {side: chapters(metrics, side) for side in SIDES}
    groups = {side: splits(metrics, windows, side) for side in SIDES}
    return answers(found, groups, windows, events, PLACE)


def told(human: np.ndarray, ai: np.ndarray) -> dict[str, list[str]]:
    """Lines of the answers by question, of pay by kind."""
    nobody = np.full(DAYS + 1, np.nan)
    metrics = read((BY_KIND, np.column_stack([human, nobody, ai])))
    events = [(when, "policy", f"{name}: recommender.dim -> 4") for when, name in POLICY]
    found = asked(metrics, POLICY, events)
    return {answer.question: [item.words for item in answer.items] for answer in found}


def test_report_says_who_gained_and_who_lost() -> None:
    """A group whose mean doubles gains, one that halves loses, with what it was and is."""
    after = np.arange(DAYS + 1) > 60
    found = told(np.where(after, 5.0, 10.0) + 0.1 * WAVE, np.where(after, 8.0, 4.0) + 0.1 * WAVE)
    assert found["What was done?"][0] == "recommender.dim -> 4, from 2 March 2025"
    (gained,) = found["Who gained?"]
    (lost,) = found["Who lost?"]
    assert gained.startswith("AI creators: pay +1") and "pay/d" in gained
    assert lost.startswith("human creators: pay −50 %")


def test_what_a_group_does_anyway_is_noise() -> None:
    """A group that wanders as far in the weeks before as it moved after is not said to gain."""
    wander = 10 + 5 * np.sin(np.arange(DAYS + 1) / 12)
    found = told(wander, np.full(DAYS + 1, 4.0) + 0.1 * WAVE)
    assert found["Who gained?"] == found["Who lost?"]
    assert found["Who gained?"][0].startswith("Nobody, beyond noise")


def test_no_policy_is_said() -> None:
    """Without a policy the first week is what the last is compared with."""
    metrics = read((BY_KIND, np.column_stack([WAVE + 9] * 3)))
    found = asked(metrics, [], [])
    assert (
        found[0].items[0].words.startswith("No policy took effect. What follows compares the last")
    )
    assert found[-1].items[-1].command == (
        "twin compare run/scenario.yaml --policy POLICY --replicates 8"
    )


def test_cohorts_that_pass_on_are_no_gain() -> None:
    """Groups by time on the platform are drawn, and left out of who gained."""
    by_age = next(metric for metric in Groups.metrics if metric.name == "pay_by_age")
    after = np.arange(DAYS + 1) > 60
    rows = np.column_stack([np.where(after, 20.0, 10.0) + 0.1 * WAVE] * len(by_age.labels["age"]))
    metrics = read((by_age, rows))
    found = splits(metrics, Windows(metrics, POLICY), "producer")
    assert all(one.tone == "good" for one in found[0].fortunes)
    assert extremes(found, better=True, most=3) == []


def row(label: str, effect: float, q: float, metric: str = "pay_by_followers") -> Row:
    """A row of a comparison by group."""
    numbers = {"base": 10.0, "value": 10 + effect, "effect": effect, "q": q, "p": q}
    numbers |= {"low": effect - 1, "high": effect + 1}
    rest = dict.fromkeys(("size", "correlation", "gain", "narrower", "runs_saved"), 1.0)
    return Row(
        branch="p",
        metric=metric,
        labels=f"{metric.rpartition('_')[2]}={label}",
        side="producer",
        unit="pay/d",
        good="up",
        headline=False,
        n=8,
        appears_s=None,
        **numbers,
        **rest,
    )


def test_no_more_than_all_is_lost() -> None:
    """Of pay, however wide the interval; an opinion can fall below zero."""
    (words,) = compared.summary([row("lowest_tenth", -9.5, 0.01)], "p")
    assert "lowest tenth by followers: pay −95\u00a0% [−100, −85\u00a0%]" in dict(words)
    opinion = replace(row("lowest_tenth", -9.5, 0.01), unit="1")
    assert opinion.percent(opinion.low) == -105


def test_comparison_names_the_largest_established_gains_and_losses() -> None:
    """One of a split each way, the largest; what is not established is not named."""
    rows = [
        row("highest_tenth", 3, 0.001),
        row("9th_tenth", 2, 0.001),
        row("lowest_tenth", -4, 0.01),
        row("2nd_tenth", -9, 0.5),
    ]
    (words,) = compared.summary(rows, "p")
    assert [each for each, tone in words if tone in ("good", "bad")] == [
        "highest tenth by followers: pay +30\u00a0% [+20, +40\u00a0%]",
        "lowest tenth by followers: pay −40\u00a0% [−50, −30\u00a0%]",
    ]
    said = compared.lines(rows)
    assert said[1] == "p, by group: 3 of 4 series differ, established beyond noise:"
    assert len(said) == 4
    assert compared.summary([], "p") == [] and compared.lines([]) == []
    assert asdict(rows[0])["labels"] == "followers=highest_tenth"
