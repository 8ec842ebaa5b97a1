"""Findings: what they declare, and the rules of their verdicts."""

import math

import numpy as np
import pytest

from twin.experiments.findings.catalogue import KEYS, chosen, finding
from twin.experiments.findings.kit import judging
from twin.experiments.findings.kit.claims import afterwards, band, exact, moves, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.judging import settled, verdict
from twin.experiments.findings.worlds import settings
from twin.ground.errors import UsageError
from twin.scenario.describe import describe
from twin.scenario.loading import load

BASE = "scenarios/base.yaml"
PARTS = [
    (key, part, quick) for key in KEYS for part in finding(key).parts for quick in (False, True)
]
NAMES = [f"{key}-{part.key}-{'quick' if quick else 'full'}" for key, part, quick in PARTS]
FREE = {"warm_up", "duration", "replicate", "mechanisms"}


def one(claim):
    return settled([claim])[0]


def state(claim):
    return one(claim).state


UP, DOWN, WIDE = [1.0, 1.1, 0.9, 1.05], [-1.0, -1.1, -0.9, -1.05], [1.0, -1.0, 0.5, -0.4]


def test_a_sign_holds_fails_or_stays_open():
    assert [state(sign("x", values, 1, "s")) for values in (UP, DOWN, WIDE)] == [
        "holds",
        "fails",
        "open",
    ]
    assert [state(sign("x", values, -1, "s")) for values in (UP, DOWN, WIDE)] == [
        "fails",
        "holds",
        "open",
    ]
    assert (
        one(sign("x", [1.0, math.nan], 1, "s")).state
        == one(sign("x", [1.0], 1, "s")).state
        == "open"
    )


def test_a_band_asks_for_the_point_and_for_most_of_the_interval():
    assert (
        state(band("x", UP, 0.5, 1.5, "s")) == "holds"
        and state(band("x", UP, 2, 3, "s")) == "fails"
    )
    assert state(band("x", WIDE, -0.1, 0.2, "s")) == "open"


def test_a_control_is_exactly_zero_or_holds_zero_narrowly():
    assert (
        state(vanishes("x", [0.0] * 4, UP)) == "holds" and state(vanishes("x", UP, UP)) == "fails"
    )
    assert (
        state(vanishes("x", [0.1, -0.1, 0.05, -0.06], UP)) == "holds"
        and state(vanishes("x", WIDE, UP)) == "open"
    )


def test_moves_asks_for_no_direction():
    still = [0.01, -0.01, 0.02, -0.01]
    assert [state(moves("x", values, 0.2, "s")) for values in (UP, DOWN, WIDE, still)] == [
        "holds",
        "holds",
        "open",
        "fails",
    ]


def test_a_number_is_exact_or_fails():
    assert (
        state(exact("x", 149970, 149970, "s")) == "holds"
        and state(exact("x", 149971, 149970, "s")) == "fails"
    )
    assert state(exact("x", 1.004, 1.0, "s", within=0.01)) == "holds"


def test_a_finding_needs_all_its_claims_and_its_controls():
    good, bad, open_ = sign("x", UP, 1, "s"), vanishes("c", UP, UP), sign("x", WIDE, 1, "s")
    assert verdict(settled([good, vanishes("c", [0.0] * 4, UP)])) == "reproduced"
    assert (
        verdict(settled([good, bad])) == "refuted"
        and verdict(settled([good, open_])) == "inconclusive"
    )
    assert (
        verdict(settled([good, sign("x", DOWN, 1, "s", aside=True)])) == "reproduced"
        and verdict([]) == "inconclusive"
    )


def test_what_is_added_afterwards_changes_nothing_else():
    claims = [sign("x", UP, 1, "s"), vanishes("c", WIDE, UP), sign("y", DOWN, 1, "s")]
    more = [afterwards(vanishes("d", UP, UP)), afterwards(sign("z", DOWN, 1, "s"))]
    assert settled([*claims, *more])[:3] == settled(claims) and settled([*more, *claims])[
        2:
    ] == settled(claims)
    late = settled([*claims, *more])[3]
    assert late.aside and late.state == "fails" and "afterwards" in late.says


def test_controls_fail_by_chance_about_as_seldom_as_said():
    """Five controls of pure noise: all hold zero in 95 % of findings, by Bonferroni; 2,000
    findings, so at most .068 fail (3.7 sd)."""
    draws = np.random.default_rng(5).normal(size=(2000, 5, 6))
    failed = [
        any(
            claim.state == "fails"
            for claim in settled([vanishes("c", each, [9.0]) for each in some])
        )
        for some in draws
    ]
    assert 0.02 < np.mean(failed) < 0.068


def test_the_slope_is_per_standard_deviation_of_the_dose():
    assert judging.slope([0, 1, 2, 3], np.outer([1, 3, 5, 7], [1, -1])) == pytest.approx(
        np.array([2, -2]) * np.std([0, 1, 2, 3])
    )


def test_an_unknown_finding_is_named_with_the_nearest():
    assert chosen([]) == list(KEYS) and chosen(["f4"]) == ["F4"]
    with pytest.raises(UsageError, match=r"no finding F44.*F4"):
        chosen(["F44"])


@pytest.mark.parametrize(("key", "part", "quick"), PARTS, ids=NAMES)
def test_every_difference_from_the_default_world_is_declared_with_its_reason(
    key, part: Part, quick
):
    """What an arm's scenario has other than scenarios/base.yaml is its dose, its part's world, its
    control or its size, and no more."""
    base = {row.path: row.value for row in describe(load(BASE))}
    declared = {
        **part.size(quick).sets,
        **part.world,
        **{path: each for change in part.controls.values() for path, each in change.items()},
    }
    assert all(len(reason) > 3 for _, reason in declared.values())
    for arm in part.arms:
        assert not arm.control or arm.control in part.controls
        made = {row.path: row.value for row in describe(load(BASE, settings(part, arm, quick)))}
        given = {path.removeprefix("mechanisms.") for path in (*declared, *arm.sets)}
        different = {path for path in {*base, *made} if base.get(path) != made.get(path)}
        off = {path.removesuffix(".enabled") for path in given if path.endswith(".enabled")}
        undeclared = {
            path
            for path in different
            if not any(path == each or path.startswith(f"{each}.") for each in given | FREE | off)
        }
        assert not undeclared, f"{key} {part.key} {arm.name}: {undeclared}"


@pytest.mark.parametrize("key", KEYS[:-1])
def test_every_finding_looks_at_both_sides_and_has_controls(key):
    found = finding(key)
    assert {outcome.side for part in found.parts for outcome in part.outcomes} == {
        "producer",
        "consumer",
    }
    assert any(part.controls for part in found.parts) and found.sources
    for part in found.parts:
        if part.arms:
            assert part.full.replicates >= 8 and part.quick.replicates >= 4
            names = [(arm.control, arm.name) for arm in part.arms]
            assert len(set(names)) == len(names)
