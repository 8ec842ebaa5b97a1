"""Findings: what they declare, and the rules of their verdicts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit

from twin.experiments import effects
from twin.experiments.findings.catalogue import KEYS, chosen, finding
from twin.experiments.findings.kit.claims import (
    UNSTATED,
    Matters,
    afterwards,
    band,
    exact,
    moves,
    related,
    sign,
    vanishes,
)
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.judging import settled
from twin.experiments.findings.kit.means import interval, slope
from twin.experiments.findings.kit.power import in_words, needed, needed_within, worlds
from twin.experiments.findings.kit.verdicts import verdict
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


D = Matters(0.2, "a test")


def one(claim):
    return settled([claim])[0]


def state(claim):
    return one(claim).state


def signed(values, way=1, **more):
    return sign("x", values, way, "s", matters=D, **more)


UP, DOWN, WIDE = [1.0, 1.1, 0.9, 1.05], [-1.0, -1.1, -0.9, -1.05], [1.0, -1.0, 0.5, -0.4]
STILL = [0.01, -0.01, 0.02, -0.01]
TINY = [0.101, 0.102, 0.099, 0.098]
"""Certain, and smaller than what matters."""


def test_a_sign_holds_is_null_fails_or_stays_open():
    every = UP, DOWN, WIDE, STILL, TINY
    assert [state(signed(values)) for values in every] == [
        "holds",
        "fails",
        "open",
        "null",
        "null",
    ]
    assert [state(signed(values, -1)) for values in every] == [
        "fails",
        "holds",
        "open",
        "null",
        "null",
    ]
    assert one(signed([1.0, math.nan])).state == one(signed([1.0])).state == "open"


def test_null_is_two_one_sided_tests_at_five_per_cent():
    """The 90 % interval decides: just inside the smallest effect of interest or just outside."""
    values = np.array([0.3, -0.1, 0.2, 0.0, 0.15, 0.05])
    _, low, high = interval(values, 0.9)
    for room, expected in ((1.001, "null"), (0.999, "open")):
        least = Matters(max(-low, high) * room, "a test")
        assert one(sign("x", values, 1, "s", matters=least)).state == expected


def test_no_claim_without_a_smallest_effect_and_its_reason():
    for nothing in (UNSTATED, Matters(0.0, "a test"), Matters(0.1, "")):
        with pytest.raises(ValueError, match="no smallest effect"):
            sign("x", UP, 1, "s", matters=nothing)
        with pytest.raises(ValueError, match="no smallest effect"):
            moves("x", UP, "s", matters=nothing)


def test_a_band_asks_for_the_whole_interval():
    assert state(band("x", UP, (0.5, 1.5), "s")) == "holds"
    assert state(band("x", UP, (2, 3), "s")) == "fails"
    assert state(band("x", WIDE, (-0.1, 0.2), "s")) == "open"
    # A published band, and an effect that is excluded.
    assert state(band("x", STILL, (0.5, 1.5), "s", matters=D)) == "null"


def control(values, beside=UP, **more):
    return vanishes("c", values, signed(UP), beside=beside, **more)


def test_a_control_is_exactly_zero_or_shown_to_lie_within_its_share():
    assert state(control([0.0] * 4)) == "holds" and state(control([0.0] * 4, WIDE)) == "holds"
    assert state(control([0.05, -0.05, 0.03, -0.02])) == "holds"
    # It misses zero for certain, and is a tenth of the effect: the old rule failed it.
    assert state(control([0.1, 0.11, 0.09, 0.1])) == "holds"
    assert (
        state(control([0.5, 0.52, 0.49, 0.5])) == "fails"
        and "50 %" in one(control([0.5, 0.5, 0.5, 0.5], [1.0] * 4)).why
    )
    assert state(control([0.1, -0.1, 0.05, -0.3])) == "open" and state(control(WIDE)) == "open"


def test_the_share_of_a_control_is_a_parameter_with_a_reason():
    half = [0.4, 0.41, 0.39, 0.4]
    assert state(control(half)) == "fails"
    assert state(control(half, share=Matters(0.5, "argued"))) == "holds"
    with pytest.raises(ValueError, match="no smallest effect"):
        control(half, share=Matters(0.5, ""))


def test_the_error_of_the_main_effect_counts():
    """A control at a tenth of the effect: it vanishes beside an effect that is known, not beside
    one that is not; pairs cancel what both share."""
    tenth = np.array([0.1, 0.101, 0.099, 0.1, 0.1, 0.1])
    known, vague = np.ones(6), np.array([3.0, -1.0, 2.0, 0.5, 1.5, 0.0])
    assert state(control(tenth, known)) == "holds" and state(control(tenth, vague)) == "open"
    # Another number of values: no pairs, both errors add up (Welch).
    assert state(control(tenth, known[:4])) == "holds"
    assert state(control(tenth, np.tile(vague, 2))) == "open"
    assert state(control(0.1 * vague, vague)) == "open"
    lucky = 1 + 0.2 * vague
    paired = control(0.1 * lucky, lucky)
    shuffled = control(0.1 * lucky, lucky[[3, 2, 0, 5, 1, 4]])
    assert paired.values != paired.others and one(paired).p < one(shuffled).p


def test_a_control_beside_next_to_nothing_does_not_fail():
    """Beside an effect of about zero any share of it is tiny: the smallest effect of interest is
    the yardstick there."""
    assert state(control([0.01, 0.011, 0.009, 0.01], [0.001] * 4)) == "open"
    assert state(control([0.1, 0.11, 0.09, 0.1], [0.001] * 4)) == "fails"


def test_moves_asks_for_no_direction():
    assert [state(moves("x", values, "s", matters=D)) for values in (UP, DOWN, WIDE, STILL)] == [
        "holds",
        "holds",
        "open",
        "null",
    ]


def test_a_number_is_exact_or_fails():
    assert (
        state(exact("x", 149970, 149970, "s")) == "holds"
        and state(exact("x", 149971, 149970, "s")) == "fails"
    )
    assert state(exact("x", 1.004, 1.0, "s", within=0.01)) == "holds"


def test_a_correlation_is_judged_on_its_own_scale():
    x = np.arange(40.0)
    noise = np.random.default_rng(3).normal(size=40)
    medium = Matters(0.3, "a test")

    def related_to(y):
        return one(related("x", x, y, "s", matters=medium))

    assert related_to(x + noise).state == "holds" and related_to(-x).state == "fails"
    assert related_to(noise).state == "open" and worlds(related_to(noise)) == 90
    found = related_to(x + 20 * noise)
    # Fisher's z with 40 pairs: half-width 1.96 sqrt(1.06 / 37).
    half = np.arctanh(found.high) - np.arctanh(found.effect)
    assert half == pytest.approx(1.96 * np.sqrt(1.06 / 37), rel=1e-4)
    few = related("x", [1, 2, 3, 4], [1, 2, 3, 4], "s", matters=medium)
    assert one(few).state == "open"


def stated(state_, says="x", **more):
    return replace(signed(UP, primary=True, **more), says=says, state=state_)


def held(state_, says="c"):
    return replace(vanishes(says, UP, signed(UP)), state=state_)


ONE_CLAIM = {
    # claim, controls: verdict
    ("holds", ()): "reproduced",
    ("holds", ("holds",)): "reproduced",
    ("holds", ("open",)): "inconclusive",
    ("holds", ("fails",)): "confounded",
    ("null", ()): "null",
    ("null", ("holds",)): "null",
    ("null", ("open",)): "null",
    ("null", ("fails",)): "confounded",
    ("fails", ()): "refuted",
    ("fails", ("holds",)): "refuted",
    ("fails", ("open",)): "inconclusive",
    ("fails", ("fails",)): "confounded",
    ("open", ()): "inconclusive",
    ("open", ("holds",)): "inconclusive",
    ("open", ("open",)): "inconclusive",
    ("open", ("fails",)): "confounded",
    # One bad control is enough, whatever the other does.
    ("holds", ("holds", "fails")): "confounded",
    ("holds", ("holds", "open")): "inconclusive",
    ("fails", ("holds", "open")): "inconclusive",
    ("fails", ("open", "fails")): "confounded",
}


@pytest.mark.parametrize(("result", "controls"), ONE_CLAIM)
def test_verdict_of_one_primary_claim_and_its_controls(result, controls):
    claims = [stated(result), *(held(each, str(place)) for place, each in enumerate(controls))]
    assert verdict(claims) == ONE_CLAIM[result, controls]


TWO_CLAIMS = {
    ("holds", "holds"): "reproduced",
    ("holds", "null"): "inconclusive",
    ("holds", "fails"): "refuted",
    ("holds", "open"): "inconclusive",
    ("holds", "confounded"): "confounded",
    ("null", "null"): "null",
    ("null", "fails"): "refuted",
    ("null", "open"): "inconclusive",
    ("null", "confounded"): "confounded",
    ("fails", "fails"): "refuted",
    ("fails", "open"): "refuted",
    # A reversal with controls of its own is not undone by the other claim's.
    ("fails", "confounded"): "refuted",
    ("open", "open"): "inconclusive",
    ("open", "confounded"): "confounded",
    ("confounded", "confounded"): "confounded",
}


@pytest.mark.parametrize(("first", "second"), TWO_CLAIMS)
def test_verdict_of_two_primary_claims(first, second):
    """In either order, and with a third that holds too."""

    def made(result, says):
        claim = stated("holds" if result == "confounded" else result, says)
        bad = replace(held("fails" if result == "confounded" else "holds", f"{says}'s"), of=says)
        return [claim, bad]

    both = made(first, "x"), made(second, "y")
    assert verdict([*both[0], *both[1]]) == verdict([*both[1], *both[0]])
    assert verdict([*both[0], *both[1]]) == TWO_CLAIMS[first, second]
    third = "inconclusive" if (first, second) == ("null", "null") else TWO_CLAIMS[first, second]
    assert verdict([*both[0], *both[1], *made("holds", "z")]) == third


def test_what_is_not_primary_decides_nothing():
    good, bad = signed(UP, primary=True), replace(signed(DOWN), says="y")
    alone = vanishes("c", UP, bad)
    assert verdict(settled([good, bad, alone])) == "reproduced"
    assert verdict(settled([good, replace(bad, aside=True)])) == "reproduced"
    # A control that is only reported, and no primary claim at all.
    assert verdict(settled([good, vanishes("c", UP, good, aside=True)])) == "reproduced"
    assert verdict([]) == verdict(settled([signed(UP)])) == "inconclusive"


def test_secondary_claims_are_corrected_for_their_number():
    """Holm by hand: 0.01, 0.03, 0.04 of three become 0.03, 0.06, 0.06; and in `settled` a claim
    that holds alone is open among others."""
    assert effects.holm(np.array([0.04, np.nan, 0.01, 0.03])) == pytest.approx(
        [0.06, np.nan, 0.03, 0.06], nan_ok=True
    )
    assert effects.holm(np.array([0.9, 0.8])) == pytest.approx([1, 1])
    values = [0.9, 0.1, 0.5, 0.8, 0.2, 0.6]
    alone = settled([signed(values)])[0]
    many = settled([signed(values), *(signed(WIDE) for _ in range(30))])[0]
    assert "together" in many.why and many.low > 0
    assert alone.state == "holds" and many.state == "open" and many.p == pytest.approx(31 * alone.p)
    # Primary claims are not corrected by secondary ones.
    kept = settled([signed(values, primary=True), *(signed(WIDE) for _ in range(30))])[0]
    assert kept.state == "holds" and kept.p == alone.p


def test_needed_worlds_have_the_power_that_they_state():
    """As many worlds as `needed` says, of the spread that it was given: an effect of what matters
    is found in 80 % of 4,000 draws, none is called null in 80 % (4 sd: 2.5 points); a margin is
    shown in as many."""
    rng = np.random.default_rng(11)
    spread = np.array([-1.0, 1.0, -1.0, 1.0]) * np.sqrt(3 / 4)  # sd 1
    n = int(needed(spread, 0.8))
    draws = rng.normal(size=(4000, n))
    t, half = draws.mean(1) / draws.std(1, ddof=1) * np.sqrt(n), stdtrit(n - 1, [0.975, 0.95])
    shifted = (draws.mean(1) + 0.8) / draws.std(1, ddof=1) * np.sqrt(n)
    assert np.mean(shifted > half[0]) > 0.775
    room = 0.8 / draws.std(1, ddof=1) * np.sqrt(n)
    assert 0.775 < np.mean(np.abs(t) < room - half[1]) < 0.9
    assert needed_within(spread, 0.8) <= n
    assert needed(spread, 0.4) > 3 * n and math.isnan(needed([1.0], 0.1))
    assert needed([1.0, 1.0], 0.1) == 2 and math.isinf(needed(spread, 1e-9))


def test_open_claims_and_controls_say_how_many_worlds_they_need():
    wide, noisy = settled([signed(WIDE, primary=True), vanishes("c", WIDE, signed(UP))])
    assert worlds(wide) == needed(WIDE, 0.2) > 4 and worlds(noisy) > worlds(wide)
    assert math.isnan(worlds(one(signed(UP)))) and in_words(one(signed(UP))) == ""
    # Open by chance, or because of the other claims: no more worlds are asked for.
    assert in_words(replace(wide, values=tuple(TINY))) == "it has as many as 80 % power asks for"


def test_what_is_added_afterwards_changes_nothing_else():
    main = signed(UP)
    claims = [main, vanishes("c", WIDE, main), replace(signed(DOWN), says="y")]
    more = [afterwards(vanishes("d", UP, main)), afterwards(signed(DOWN))]
    assert settled([*claims, *more])[:3] == settled(claims) and settled([*more, *claims])[
        2:
    ] == settled(claims)
    late = settled([*claims, *more])[4]
    assert late.aside and late.state == "fails" and "afterwards" in late.says


def test_controls_fail_by_chance_about_as_seldom_as_said():
    """Five controls as far from zero as they may be: one fails in 2.5 % of findings, by Bonferroni
    and on one side; 2,000 findings, so 1.2 to 3.8 % (3.7 sd). Five of pure noise never do."""
    main = sign("x", [9.0], 1, "s", matters=D, primary=True)
    draws = np.random.default_rng(5).normal(size=(2000, 5, 6))

    def failed(shift):
        return np.mean(
            [
                any(
                    claim.state == "fails"
                    for claim in settled([main, *(vanishes("c", each, main) for each in some)])
                )
                for some in draws + shift
            ]
        )

    assert 0.012 < failed(0.15 * 9) < 0.038 and failed(0.0) < 0.002


def test_the_slope_is_per_standard_deviation_of_the_dose():
    assert slope([0, 1, 2, 3], np.outer([1, 3, 5, 7], [1, -1])) == pytest.approx(
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
        **{path: ("drawn", one.why) for path, one in part.drawn.items()},
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
