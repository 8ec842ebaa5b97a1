"""Designs of findings 3 and 6 without worlds: who goes over a link, which worlds parts share, and
what their controls leave of the difference that they are to remove."""

import numpy as np
import pytest

from twin.experiments.findings.f3 import pairs, shelves
from twin.experiments.findings.f3.model import AUDIENCES, COMPARES, EXTENDS
from twin.experiments.findings.f3.pairs import Found
from twin.experiments.findings.f6 import policies, supply
from twin.experiments.findings.f6.arms import DRAWN
from twin.experiments.findings.kit.arms import Range, drawn
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import called
from twin.experiments.findings.worlds import settings, tasks, world_task
from twin.ground.units import DAY
from twin.mechanisms.audience.params import Responses
from twin.scenario.loading import load

BASE = "scenarios/base.yaml"


def loaded(part: Part, name: str, replicate: int = 0):
    """The scenario of an arm."""
    (arm,) = [arm for arm in part.arms if called(arm) == name]
    return load(BASE, settings(part, arm, True, replicate))


def found(look, pairs_=60, labels="linked") -> Found:
    (row,) = pairs.coefficients(1, "", list(look), labels, replicates=1, pairs=pairs_)
    return Found(*row)


# F3
def test_audiences_follow_from_who_looks():
    """Almost certain looks: who extends expects less of works than who compares; with labels swapped
    the other way round."""
    one, other = found((-30, 30, 0)), found((30, -30, 0))
    assert one.expectation_c - one.expectation_s < -0.1
    assert other.expectation_c - other.expectation_s > 0.1


def test_no_link_knows_its_label():
    """With equal audiences the labels may be dealt anew: nothing that people do or rate changes, so
    coefficients of swapped labels are swapped; and where audiences differ they are not equal."""
    rated = [
        pairs._rated(np.random.default_rng(3), 40, look) for look in (pairs.Looks(), AUDIENCES)
    ]
    again = pairs._rated(np.random.default_rng(3), 40, pairs.Looks())
    assert (rated[0].after == again.after).all() and (rated[0].before == rated[1].before).all()
    kinds = rated[0].kinds
    same = rated[0].after == rated[1].after
    # Pairs linked at random are looked at alike in both; many of the others are not.
    assert same[kinds == 2].mean() > 0.5 > same[kinds < 2].mean()
    # Where labels are dealt after everybody has rated, whom they draw does not change.
    first, second = found(AUDIENCES), found(AUDIENCES, labels="random")
    assert first.b_s != second.b_s and first[2:] == second[2:]


def test_who_looks_differs_between_arms_and_nothing_else():
    """Arms of one shelf differ by what draws people to it, and all have links that set no
    expectation."""
    seen = {called(arm): loaded(shelves.SHELVES, called(arm)) for arm in shelves.SHELVES.arms}
    drawn_ = {name: one.mechanisms["audience"].shelf_drawn for name, one in seen.items()}
    for name, (co, bought, random) in {
        shelves.CO: (COMPARES, EXTENDS, 0),
        f"equal/{shelves.CO}": (0, 0, 0),
        f"swapped/{shelves.BOUGHT}": (EXTENDS, COMPARES, 0),
        f"compares/{shelves.RANDOM}": (COMPARES, EXTENDS, COMPARES),
        f"extends/{shelves.RANDOM}": (COMPARES, EXTENDS, EXTENDS),
    }.items():
        one = drawn_[name]
        assert (one.co_viewed, one.bought_together, one.random) == (co, bought, random)
    rules = [one.mechanisms["ratings"] for one in seen.values()]
    assert all(each == rules[0] for each in rules)
    assert rules[0].reference == "none" and not rules[0].carried


@pytest.mark.parametrize("quick", [True, False])
def test_doses_are_worlds_of_the_controls(quick):
    """No world is run for the doses, and drafts share those of the supply."""
    own = {task.result for task in tasks([shelves.SHELVES], quick, 1, "")}
    assert {task.result for task in tasks([shelves.LOOKS], quick, 1, "")} <= own
    own = {task.result for task in tasks([supply.PART], quick, 1, "")}
    more = {task.result for task in tasks([policies.DRAFTS], quick, 1, "")} - own
    assert len(more) == 3 * policies.DRAFTS.size(quick).replicates


# F6
def test_nobody_cares_where_there_is_no_way_to_attention():
    """Every weight of comprehensiveness that the audience has is zero in that control, whatever a
    replicate draws."""
    for replicate in range(3):
        for name in ("blind/1", "blind plain/1"):
            responses = loaded(supply.PART, name, replicate).mechanisms["audience"].responses
            assert [
                getattr(responses, each).comprehensiveness for each in Responses.model_fields
            ] == [0.0] * len(Responses.model_fields)
        responses = loaded(supply.PART, "1", replicate).mechanisms["audience"].responses
        assert responses.click.comprehensiveness > 0 and responses.long_view.comprehensiveness > 0


def test_makers_alike_in_all_but_who_makes():
    """Every parameter that both kinds have is equal, but how many there are; with the same number
    of posts as AI makes, those of what a post is like."""
    allowed = {"initial", "arrivals", "entry_imitation"}
    creators = loaded(supply.PART, "nameless/1").mechanisms["creators"]
    different = {
        name
        for name in type(creators.human).model_fields
        if name in type(creators.ai).model_fields
        and getattr(creators.human, name) != getattr(creators.ai, name)
    }
    assert different <= allowed
    same = loaded(supply.PART, "same/1").mechanisms["creators"]
    post = ("skill_mean", "skill_sd", "quality_noise", "arousal", "comprehensiveness", "accrual")
    assert all(getattr(same.human, name) == getattr(same.ai, name) for name in post)
    assert same.ai.posts_mean == loaded(supply.PART, "1").mechanisms["creators"].ai.posts_mean


def test_replicates_draw_and_arms_do_not():
    """Every replicate has its own place in the ranges, which they fill evenly in each dimension; an
    arm has that of its replicate, unless its control says otherwise."""
    ranges = {"a": Range(0.0, 1.0, "a test"), "b": Range(2.0, 4.0, "a test")}
    values = np.array([[float(v) for v in drawn(ranges, r).values()] for r in range(40)])
    assert (values.min(0) >= [0, 2]).all() and (values.max(0) <= [1, 4]).all()
    for column, low, high in zip(values.T, (0, 2), (1, 4), strict=True):
        counts, _ = np.histogram(column, 4, (low, high))
        assert counts.min() >= 8 and counts.max() <= 12
    assert abs(np.corrcoef(values.T)[0, 1]) < 0.2 and drawn({}, 3) == {}
    part, path = supply.PART, "creators.human.supply_elasticity"
    for replicate in range(4):
        sets = {called(arm): part.sets(arm, part.quick, replicate) for arm in part.arms}
        assert {each[path] for name, each in sets.items() if name != "nameless/1"} == {
            drawn(DRAWN, replicate)[path]
        }
        assert sets["nameless/1"][path] == "0.33"
    results = {world_task(part, part.arms[0], True, replicate).result for replicate in range(4)}
    assert len({result.split("/")[1] for result in results}) == 4


@pytest.mark.parametrize("quick", [True, False])
def test_ai_comes_before_what_is_read(quick):
    """No AI post before the day on which it comes, which is no later than the first day that is
    read, and any number from then on."""
    part = supply.PART
    for arm in part.arms:
        scenario = load(BASE, settings(part, arm, quick))
        (comes,) = scenario.policies
        assert scenario.mechanisms["creators"].ai_posts_cap == 0
        assert 0 < comes.at <= part.windows[0][0] * part.size(quick).days * DAY
        assert dict(comes.set) == {"creators.ai_posts_cap": 1_000_000}
