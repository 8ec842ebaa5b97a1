"""Designs of findings 1 and 5, on readings that nobody simulated: what decides, and what makes the
design unable to say."""

import numpy as np
import pytest
import yaml

from tests.given import findings as given
from twin.experiments.findings.f1 import rewards
from twin.experiments.findings.f5 import arms as f5
from twin.experiments.findings.f5 import holdout, sync
from twin.experiments.findings.kit.arms import Outcome
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.judging import settled
from twin.experiments.findings.kit.readings import Readings, called
from twin.experiments.findings.kit.verdicts import controls_of, standings, verdict
from twin.experiments.findings.worlds import settings, tasks
from twin.world.metric import label_text

STEADY = given.Noise(level=0.7, spread=1e-3)


def put(seen: Readings, arm: str, metric: str | Outcome, values) -> None:
    """Let an arm read these values (replicates, windows), in place."""
    name, labels = (metric.metric, metric.labels) if isinstance(metric, Outcome) else (metric, {})
    seen.worlds[arm][:, :, seen.rows[arm][name, label_text(labels)]] = values


def same_impressions(part, base: str) -> Readings:
    """Readings of a part whose arms were judged on the same."""
    seen = given.readings(part, noise=STEADY)
    for metric in ("model_holdout_size", "click_rate_holdout", "click_auc_ceiling"):
        for arm in part.arms:
            put(seen, called(arm), metric, seen.over_time(base, metric))
    return seen


def hurt(seen: Readings, late: float, early: float, still: float) -> Readings:
    """AUC that collisions take: in the first quarter, in the others, and where nothing is new."""
    shape = seen.over_time(holdout.EXACT, f5.AUC).shape
    damage = np.full(shape, late)
    damage[:, 0] = early
    rng = np.random.default_rng(1)
    for arm in holdout.PART.arms:
        lost = {"": damage, f5.STILL: np.full(shape, still), holdout.SALT: damage}.get(arm.control)
        lost = np.zeros(shape) if lost is None or arm.name in ("collisionless", "wide") else lost
        put(seen, called(arm), f5.AUC, 0.7 - lost + 1e-5 * rng.normal(size=shape))
    return seen


def outcomes(judge, seen: Readings) -> list[str]:
    return [result for _, result in standings(settled(judge(seen)))]


def test_collisions_are_judged_on_the_same_impressions_or_not_at_all():
    seen = hurt(same_impressions(holdout.PART, holdout.EXACT), late=0.06, early=0.02, still=0.03)
    assert outcomes(holdout.judge, seen) == ["holds", "holds"]
    # One impression more for one table in one window of one world: nothing can be said.
    own = seen.over_time("256", "model_holdout_size").copy()
    own[0, 0] += 1
    put(seen, "256", "model_holdout_size", own)
    assert f5.apart(seen, "256", holdout.EXACT) == pytest.approx(1.0)
    assert outcomes(holdout.judge, seen) == ["confounded", "holds"]


def test_what_grows_without_new_ids_is_not_growth_by_new_ids():
    """A model that is still learning loses more and more to collisions: where that shows in worlds
    in which nothing is new, the growth is confounded, the damage is not."""
    seen = hurt(same_impressions(holdout.PART, holdout.EXACT), late=0.06, early=0.02, still=0.03)
    for name, lost in (("256", 0.05), ("collisionless", 0.0)):
        values = seen.over_time(f"{f5.STILL}/{name}", f5.AUC).copy()
        values[:, 3] -= lost
        put(seen, f"{f5.STILL}/{name}", f5.AUC, values)
    assert outcomes(holdout.judge, seen) == ["holds", "confounded"]
    constant = hurt(same_impressions(holdout.PART, holdout.EXACT), 0.06, 0.06, 0.06)
    assert outcomes(holdout.judge, constant) == ["holds", "null"]


def test_a_model_that_knows_the_click_rate_alone_has_a_normalised_entropy_of_one():
    seen = given.readings(holdout.PART, noise=STEADY)
    rate = seen.over_time("256", "click_rate_holdout")
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    put(seen, "256", f5.LOSS, entropy)
    put(seen, "64", f5.LOSS, 1.1 * entropy)
    put(seen, "64", "click_rate_holdout", rate)
    assert f5.normalised(seen, "256") == pytest.approx(np.ones(4))
    assert f5.normalised(seen, "64") == pytest.approx(np.full(4, 1.1))


@pytest.mark.parametrize("quick", [True, False])
def test_worlds_that_are_compared_differ_in_tables_or_the_interval_alone(quick):
    """And none of them lets a model decide what is shown."""
    for part, free in (
        (holdout.PART, "recommender.tables."),
        (sync.SYNC, "recommender.sync_every"),
    ):
        for control in ("", f5.STILL):
            # Controls of the tables are worlds of the part in all but the tables.
            groups = [
                arm for arm in part.arms if (arm.control == f5.STILL) == (control == f5.STILL)
            ]
            rest = {
                tuple(sorted(each for each in settings(part, arm, quick) if free not in each))
                for arm in groups
            }
            assert len(rest) == 1 and "recommender.ranking=popularity" in rest.pop()
        warm = {
            each for arm in part.arms for each in settings(part, arm, quick) if "warm_up" in each
        }
        assert len(warm) == 1 and warm != {"warm_up=0d"}


def paid(contrasts: dict[str, float], supply: dict[str, float]) -> list[Claim]:
    """Claims about the default world: what 5 likes change in pay and in supply, by group of arms."""
    claims, rng = [], np.random.default_rng(2)
    for part in rewards.PARTS:
        seen = given.readings(part, noise=given.Noise(level=0.5, spread=1e-3))
        for arm in part.arms:
            for outcome, effects in ((rewards.PAID, contrasts), (rewards.POSTED, supply)):
                values = effects.get(arm.control, 0.0) * (arm.name == "angry 5")
                shape = seen.over_time(called(arm), outcome).shape
                put(seen, called(arm), outcome, 0.3 + values + 1e-4 * rng.normal(size=shape))
        claims += part.judge(seen)
    return settled(claims)


READ = {"": 0.8, "classifiers err by 0.2": 0.5, "classifiers err by 0.4": 0.2}


def test_an_incentive_of_a_feed_that_cannot_read_is_not_one_of_what_it_reads():
    offered = READ | {rewards.STILL: 0.6}
    assert verdict(paid(offered, {})) == "reproduced"
    assert verdict(paid(offered | {rewards.BLIND: 0.8}, {})) == "confounded"
    assert verdict(paid({}, {"": 0.05})) == "null"
    assert verdict(paid({"": -0.8}, {})) == "refuted"


def test_supply_is_second_and_not_that_of_creators_who_do_not_adapt():
    by_says = {claim.says: claim for claim in paid(READ | {rewards.STILL: 0.6}, {"": 0.05})}
    posted = by_says[f"{rewards.WHAT}: {rewards.POSTED.words}"]
    assert posted.state == "holds" and posted.role == "secondary"
    controls = controls_of(posted, list(by_says.values()))
    assert [each.state for each in controls] == ["holds", "holds"]
    dose = next(claim for says, claim in by_says.items() if says.startswith("the worse"))
    assert dose.state == "holds" and dose.effect == pytest.approx(-0.245, abs=0.01)
    # Creators who do not adapt are paid for arousal as well.
    still = by_says[f"default world, {rewards.STILL}: {rewards.PAID.words}"]
    assert still.state == "holds" and still.effect == pytest.approx(0.6, abs=0.01)


def test_the_feed_that_cannot_read_differs_in_its_classifiers_alone():
    """All arms share one warm-up: they differ in what one policy sets at its end."""
    sets = {}
    for arm in rewards.SUPPLY.arms:
        chosen = [each for each in settings(rewards.SUPPLY, arm, quick=True) if "policies=" in each]
        policy = yaml.safe_load(chosen[0].split("=", 1)[1])
        assert [each["at"] for each in policy] == ["0d"]
        sets[called(arm)] = set(policy[0]["set"].items())
    for control in (rewards.BLIND, "classifiers err by 0.4"):
        other = {path for path, _ in sets[f"{control}/angry 5"] ^ sets["angry 5"]}
        assert len(other) == 4 and all(path.endswith(".noise") for path in other)
    assert {path for path, _ in sets["angry 5"] ^ sets["angry 0"]} == {"recommender.weights.angry"}
    rest = [
        {each for each in settings(rewards.SUPPLY, arm, quick=True) if "policies=" not in each}
        for arm in rewards.SUPPLY.arms
    ]
    assert all(each == rest[0] for each in rest) and "warm_up=40d" in rest[0]


@pytest.mark.parametrize("quick", [True, False])
def test_both_parts_of_the_default_world_share_their_worlds(quick):
    """What pays and what is made of it are read in the same worlds: none is run twice."""
    pay, supply = ({task.result for task in tasks([part], quick, 1, "")} for part in rewards.PARTS)
    shared = len(rewards.PAY.arms) * rewards.SUPPLY.size(quick).replicates
    assert len(pay & supply) == shared
