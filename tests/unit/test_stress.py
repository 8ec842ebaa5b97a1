"""Stress tests: goals and margins, how sure a share is, and the search on a function whose answer
is known."""

import math

import numpy as np
import pytest

from tests.conftest import SCENARIOS
from twin.experiments.stress import command as stress
from twin.experiments.stress import uncertain
from twin.experiments.stress.goals import parse_goal, parse_goals
from twin.experiments.stress.outcomes import CONFIRM, DRAWN, SEARCH
from twin.experiments.stress.search import Budget
from twin.experiments.stress.verdicts import rate, verdicts
from twin.experiments.stress.words import lines
from twin.ground.errors import UsageError
from twin.scenario.loading import load

RANGES = [
    "audience.return_effect=0.25..4.0:log",
    "audience.leave_effect=0.0..10.0",
    "creators.ai.skill_mean=-1.0..1.0",
]
BUDGET = Budget(40, 20, 5)


@pytest.fixture(scope="module")
def base():
    """The default world."""
    return load(SCENARIOS / "base.yaml")


@pytest.mark.parametrize(
    ("text", "base_value", "value", "margin", "holds"),
    [
        ("satisfaction_mean >= 0.25", 9.0, 0.5, 0.25, True),
        ("satisfaction_mean < 0.25", 9.0, 0.5, -0.25, False),
        ("satisfaction_mean > 0.5", 9.0, 0.5, 0.0, False),
        ("satisfaction_mean <= 0.5", 9.0, 0.5, 0.0, True),
        ("effect(satisfaction_mean) >= 0", 0.5, 0.5, 0.0, True),
        ("effect(satisfaction_mean) >= 0", 0.5, 0.25, -0.25, False),
        (" effect( posts{by=ai} )<-10% ", 8.0, 6.0, 15.0, True),
        ("effect(posts{by=ai}) > -5%", 8.0, 6.0, -20.0, False),
        ("effect(opinion_mean) > -5%", -2.0, -1.0, 55.0, True),
        ("effect(posts{by=ai}) >= 0%", 0.0, 0.0, 0.0, True),
    ],
)
def test_goals_and_margins(base, text, base_value, value, margin, holds):
    """The margin is the distance from the threshold in the goal's sense; percent are of the size of
    the world without the policy."""
    goal = parse_goal(text, base)
    assert goal.margin(base_value, value) == margin and goal.holds(base_value, value) is holds
    assert parse_goal(goal.text, base) == goal


def test_what_cannot_be_told_is_neither(base):
    """Without a reading, or in percent of nothing, a goal neither holds nor fails."""
    plain, percent = parse_goals(["satisfaction_mean > 0", "effect(satisfaction_mean) > -5%"], base)
    for goal, pair in ((plain, (1.0, math.nan)), (percent, (0.0, 1.0)), (percent, (math.nan, 1.0))):
        assert goal.holds(*pair) is None and math.isnan(goal.margin(*pair))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("satisfaction", "is no goal; write METRIC OP NUMBER"),
        ("satisfaction_mean > 5%", "is no goal"),
        ("effect(satisfaction_mean > 0)", "is no goal"),
        ("effect(satisfaction_mean) = 0", "is no goal"),
        ("effect(satisfaction_mean) > nan", "is no goal"),
        ("satisfaction_meen > 0", "did you mean satisfaction_mean?"),
        ("posts > 0", "posts is not one series"),
        ("posts{by=robot} > 0", "posts{by=robot} is not one series (did you mean posts{by="),
        ("posts{by} > 0", "are not labels"),
    ],
)
def test_bad_goals_are_refused_with_the_mend(base, text, words):
    """One line with the flag, the reason and the nearest that there is."""
    with pytest.raises(UsageError) as error:
        parse_goal(text, base)
    assert (
        str(error.value).startswith(f"--goal {text}: ")
        and words in str(error.value)
        and "\n" not in str(error.value)
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("audience.leave_efect=1.0..2.0", "did you mean audience.leave_effect?"),
        ("audience.leave_effect", "write PATH="),
        ("audience.leave_effect=2.0..1.0", "not below"),
        ("audience.leave_effect=3", "one value is certain"),
        ("seed=1..9", "no such parameter"),
        ("audience.patience=0.5..1.5", "at audience.patience=1.5: audience.patience"),
    ],
)
def test_bad_ranges_are_refused(base, text, words):
    """One line with the flag: misspelt, no range, or out of the parameter's bounds at one end."""
    with pytest.raises(UsageError) as error:
        uncertain.check(base, uncertain.read([text], base))
    assert (
        str(error.value).startswith("--uncertain")
        and words in str(error.value)
        and "\n" not in str(error.value)
    )


def test_the_standard_ranges_fit_the_default_world(base):
    """Every one is a parameter that no policy sets, within its bounds, around the default world's
    own value, with a reason."""
    texts = uncertain.standard(base)
    given = uncertain.read(texts, base)
    uncertain.check(base, given)
    assert texts == [text for text, _ in uncertain.REASONS] and len(texts) >= 12
    assert all(not each.notes and each.reason != "given on the command line" for each in given)


def test_levers_and_ranges_beside_the_scenario_are_noted(base):
    """A lever is allowed, with a word of warning; so is one that the policy sets, and a range
    without the scenario's own value."""
    lever, own, beside = (
        each.notes
        for each in uncertain.read(
            [
                "creators.pay_like=1.0..9.0",
                "recommender.ai_factor=0.5..1.5",
                "audience.leave_effect=6.0..7.0",
            ],
            base,
            [{"set": {"recommender.ai_factor": 0.5}}],
        )
    )
    assert (
        "is a lever" in lever[0]
        and "set by the policy itself" in own[0]
        and "is 5.0 in the scenario, outside" in beside[0]
    )


@pytest.mark.parametrize(
    "text",
    [
        *RANGES,
        "audience.initial=10..20",
        "creators.human.posts_mean=0.5/d..8.0/d:log",
        "recommender.ranking=value,chronological,popular",
        "recommender.retrain_every=12h..48h",
        "recommender.expiry=1h..4h:log",
    ],
)
def test_a_value_tells_its_place(base, text):
    """`position` is the inverse of ``at``, up to rounding of the text."""
    one = uncertain.read([text], base)[0]
    for share in (0.01, 0.3, 0.77, 0.99):
        assert one.vary.at(one.position(one.vary.at(share))) == one.vary.at(share)


@pytest.mark.parametrize(
    ("fails", "n", "low", "high"),
    [(0, 20, 0.0, 0.16843), (20, 20, 0.83157, 1.0), (3, 20, 0.03207, 0.37893)],
)
def test_the_interval_of_a_share(fails, n, low, high):
    """Clopper and Pearson's, as tabled; worlds that are not known do not count."""
    found = rate([False] * fails + [True] * (n - fails) + [None] * 2)
    assert (found.n, found.fails, found.unknown) == (n, fails, 2)
    assert found.low == pytest.approx(low, abs=1e-5) and found.high == pytest.approx(high, abs=1e-5)
    assert rate([True] * n).bound == pytest.approx(1 - 0.05 ** (1 / n)) and rate([None]).high == 1.0


class Known:
    """Stands in for simulation: the policy's effect is known, u0 + u1 - 0.5 + luck (u: places in
    the ranges, luck by replicate)."""

    def __init__(self, given, goals, luck=0.02, shift=0.5, fail=(), stop=None):
        self.given, self.many, self.luck, self.shift, self.fail, self.stop = (
            given,
            len(goals),
            luck,
            shift,
            fail,
            stop,
        )
        self.disk, self.ran = {}, 0

    def __call__(self, worlds, words):
        for world in worlds:
            key = world.values, world.replicate
            if key not in self.disk:
                if self.stop is not None and self.ran >= self.stop:
                    raise KeyboardInterrupt
                self.ran += 1
                u = [
                    one.position(value) for one, value in zip(self.given, world.values, strict=True)
                ]
                noise = np.random.default_rng([7, world.replicate]).normal()
                effect = (
                    math.nan
                    if world.point in self.fail
                    else u[0] + u[1] - self.shift + self.luck * noise
                )
                self.disk[key] = [[1.0, 1.0 + effect]] * self.many
        return np.array([self.disk[world.values, world.replicate] for world in worlds]).reshape(
            len(worlds), self.many, 2
        )


@pytest.fixture(scope="module")
def asked(base):
    """Goals and ranges."""
    return parse_goals(["effect(satisfaction_mean) >= 0"], base), uncertain.read(RANGES, base)


def test_a_known_answer_is_found(asked):
    """It fails where both are low, u0 + u1 < 0.5: an eighth of all worlds. Share, direction, worst
    corner and confirmation agree."""
    goals, given = asked
    seen = stress.explore(Known(given, goals), goals, given, BUDGET, 3)
    verdict = verdicts(seen, goals, given)[0]
    assert verdict.drawn.n == 40 and verdict.drawn.low < 1 / 8 < verdict.drawn.high
    assert {each.parameter for each in verdict.directions if each.sure} == {
        "audience.return_effect",
        "audience.leave_effect",
    }
    assert all(
        each.towards == "low" and each.failing < each.holding
        for each in verdict.directions
        if each.sure
    )
    drawn, searched = (
        np.array([each.margins(goals)[0] for each in seen if each.world.phase == phase])
        for phase in (DRAWN, SEARCH)
    )
    assert (
        searched.mean() < drawn.mean() - 0.3
        and verdict.searched.fails / verdict.searched.n > 2 * verdict.drawn.share
    )
    assert (
        verdict.worst.found < -0.35
        and verdict.worst.confirmed == "fails"
        and verdict.best.confirmed == "holds"
    )
    text = "\n".join(lines([verdict], given))
    assert (
        "It fails where audience." in text
        and "are low" in text
        and "the failure is confirmed" in text
    )


def test_luck_is_fresh(asked):
    """No two worlds drawn or searched share luck, and seeds that confirm were not used before."""
    goals, given = asked
    seen = stress.explore(Known(given, goals), goals, given, BUDGET, 3)
    by = {
        phase: [each.world.replicate for each in seen if each.world.phase == phase]
        for phase in (DRAWN, SEARCH, CONFIRM)
    }
    assert by[DRAWN] + by[SEARCH] == list(range(60)) and by[CONFIRM] == list(range(60, 65)) * 2


def test_bad_luck_is_not_a_failure(asked):
    """Where margins are luck alone around a goal that holds on average, the worst is not confirmed
    and no parameter is accused."""
    goals, given = asked
    flat = stress.explore(
        lambda worlds, words: np.array(
            [
                [[1.0, 1.3 + np.random.default_rng([5, world.replicate]).normal()]]
                for world in worlds
            ]
        ),
        goals,
        given,
        Budget(40, 8, 30),
        3,
    )
    verdict = verdicts(flat, goals, given)[0]
    assert (
        verdict.worst.found < 0
        and verdict.worst.confirmed != "fails"
        and not any(each.sure for each in verdict.directions)
    )
    assert "is not distinguishable from noise" in "\n".join(lines([verdict], given))


def test_no_failure_is_not_called_safe(asked):
    """Where it held everywhere, what is said is how much that excludes."""
    goals, given = asked
    verdict = verdicts(
        stress.explore(Known(given, goals, shift=-1.0), goals, given, BUDGET, 3), goals, given
    )[0]
    assert verdict.drawn.fails == 0 and verdict.drawn.bound == pytest.approx(1 - 0.05 ** (1 / 40))
    text = "\n".join(lines([verdict], given))
    assert "held in all 40 worlds" in text and "more than 7.22 %" in text and "3/40" in text
    assert "does not say that the policy is safe" in text


def test_stopped_at_any_point_it_goes_on_to_the_same(asked):
    """Worlds that are done are kept; the search finds its way back to where it was, also past
    worlds that are not known."""
    goals, given = asked
    whole = Known(given, goals, fail=(2, 41, 45))
    seen = stress.explore(whole, goals, given, BUDGET, 3)
    rows = str(stress.table(seen, goals, given).to_pylist())  # as text, in which NaN is NaN
    for stop in (5, 40, 47, 62):
        known = Known(given, goals, fail=(2, 41, 45), stop=stop)
        with pytest.raises(KeyboardInterrupt):
            stress.explore(known, goals, given, BUDGET, 3)
        known.stop = None
        assert (
            str(
                stress.table(
                    stress.explore(known, goals, given, BUDGET, 3), goals, given
                ).to_pylist()
            )
            == rows
        )
        assert known.ran == whole.ran
    assert (
        verdicts(seen, goals, given)[0].drawn.unknown == 1
        and verdicts(seen, goals, given)[0].searched.unknown == 2
    )
    other = stress.explore(Known(given, goals), goals, given, BUDGET, 4)
    assert [each.world.values for each in other] != [each.world.values for each in seen]
