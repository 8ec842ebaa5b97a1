"""Chatbots over months: the trial's null beside the correlation of use, and the controls of finding
7. Fixed seeds.

Tolerances are 4 standard errors or more, so that a false alarm by luck alone is rarer than 1 in
10,000.
"""

import numpy as np
import pytest

from tests.given.chatbots import make, run
from twin.ground.units import DAY

N = 3000


def trial(days=70, **wellbeing):
    """A world in which everybody is enrolled; after ten weeks its metrics are read."""
    settings = {"trial_share": 1.0, "encouragement": 3.0, **wellbeing}
    world, mechanism = make(
        N, adoption_delay="1d", sessions_log_sd=0.5, stop=0.0, wellbeing=settings
    )
    run(world, mechanism, days * DAY, 1800)
    mechanism.measure()
    return world, mechanism


def read(world, name, **labels):
    return world.board.get(name, **labels)


def test_assignment_shows_nothing_while_use_goes_with_loneliness():
    """No effect of use, lonely people use more: |assigned - control| < 4 s.e., while use and
    well-being correlate negatively."""
    world, _ = trial(lonely_use=0.8, use_effect=0.0)
    assert abs(read(world, "wellbeing_assigned_effect")) < 4 * 2 / np.sqrt(N)
    assert read(world, "wellbeing_usage_correlation", among="trial") < -0.15
    assert (
        read(world, "chat_use_mean", arm="assigned")
        > 1.8 * read(world, "chat_use_mean", arm="control")
        > 0
    )


def test_without_selection_use_does_not_correlate():
    """Control: lonely_use = 0 and no effect: neither assignment nor correlation shows anything."""
    world, _ = trial(lonely_use=0.0, use_effect=0.0)
    assert abs(read(world, "wellbeing_assigned_effect")) < 4 * 2 / np.sqrt(N)
    assert abs(read(world, "wellbeing_usage_correlation", among="trial")) < 4 / np.sqrt(N)


def test_the_trial_sees_an_effect_where_there_is_one():
    """With an effect of use and no selection, assignment shows it at its size: effect times the
    difference in recent use."""
    world, _ = trial(lonely_use=0.0, use_effect=-0.5)
    more = read(world, "chat_use_mean", arm="assigned") - read(
        world, "chat_use_mean", arm="control"
    )
    effect = read(world, "wellbeing_assigned_effect")
    assert effect < -4 * 2 / np.sqrt(N) and effect == pytest.approx(
        -0.5 * more, abs=4 * 2 / np.sqrt(N)
    )


def test_well_being_is_a_standard_normal_that_turns_slowly():
    """Mean 0, sd 1 at any time; a day hardly changes it, and after two turns only loneliness is
    left: correlation r^2."""
    world, mechanism = make(N, wellbeing={"loneliness": 0.5, "turns": "60d"})
    rows, felt = np.arange(N), []
    for day in (15, 16, 45, 140):
        world.now = day * DAY
        felt.append(mechanism.wellbeing.of(rows, np.zeros(N)))
        assert felt[-1].mean() == pytest.approx(0, abs=4 / np.sqrt(N)) and felt[
            -1
        ].std() == pytest.approx(1, abs=0.06)
    assert np.corrcoef(felt[0], felt[1])[0, 1] > 0.99
    assert np.corrcoef(felt[0], felt[2])[0, 1] == pytest.approx(
        0.25 + 0.75 * np.cos(np.pi / 4), abs=0.06
    )
    assert np.corrcoef(felt[0], felt[3])[0, 1] == pytest.approx(0.25, abs=4 / np.sqrt(N))


def course(days, **params):
    """Readings every ten days of a world of eager users: metric name -> values."""
    world, mechanism = make(
        600, adopters=1.0, adoption_delay=0, sessions_mean="3.0/d", stop=0.0, **params
    )
    names = (
        "chat_performance_mean",
        "trust_mean",
        "concern_mean",
        "anthropomorphism_mean",
        "expectation_mean",
        "disappointment_per_failure",
        "disconfirmation_mean",
        "attachment_mean",
        "disclosed_mean",
    )
    found = {name: [] for name in names}
    for end in range(10 * DAY, days * DAY + 1, 10 * DAY):
        run(world, mechanism, end, 1800, first=end - 10 * DAY)
        mechanism.measure()
        for name in names:
            found[name].append(read(world, name))
    return {name: np.array(values) for name, values in found.items()}


def test_only_the_longitudinal_view_shows_the_ratchet():
    """Default: trust, anthropomorphism, attachment, concern, expectation rise together and a
    failure hurts ever more; the first reading alone cannot show any of it."""
    seen = course(60, failure_rate=0.1, answers={"contested": 0.0})
    for name in (
        "trust_mean",
        "anthropomorphism_mean",
        "concern_mean",
        "expectation_mean",
        "attachment_mean",
    ):
        assert seen[name][-1] > seen[name][0] + 0.05, name
    assert seen["disappointment_per_failure"][-1] > seen["disappointment_per_failure"][0] + 0.03
    assert seen["disconfirmation_mean"][-1] < -0.02


def test_equal_rates_leave_no_disconfirmation_in_the_long_run():
    """Control lambda_up = lambda_down: mean disconfirmation returns to 0; with the ratchet it stays
    below."""
    even = course(60, expectation_up=0.1, expectation_down=0.1, personalisation=0.0)[
        "disconfirmation_mean"
    ][2:]
    ratchet = course(60, personalisation=0.0)["disconfirmation_mean"][2:]
    assert np.abs(even).max() < 0.005 and ratchet.max() < -0.02


def test_without_personalisation_all_is_flat():
    """Control g = 0: performance flat, trust flat to .01, concern, anthropomorphism, disclosure
    exactly nothing."""
    seen = course(
        60,
        personalisation=0.0,
        failure_rate=0.0,
        expectation_up=0.1,
        expectation_down=0.1,
        gain_weight=1.0,
        loss_weight=1.0,
        wellbeing={"lonely_use": 0.0},
    )
    assert (
        np.ptp(seen["chat_performance_mean"][1:]) < 0.01 and np.ptp(seen["trust_mean"][1:]) < 0.01
    )
    for name in ("concern_mean", "anthropomorphism_mean", "disclosed_mean", "attachment_mean"):
        assert not seen[name].any(), name
