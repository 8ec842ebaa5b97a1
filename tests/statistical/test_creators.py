"""Finding 6 and the supply side in whole small worlds: selection of drafts, displacement with its
placebo, supply that answers to pay.

Branches share every random number that their settings do not touch, so people, creators and posts
are compared pair by pair. A margin is four or more standard errors.
"""

from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]
FAST = ("recommender.refresh=30min", "policies=[]", "creators.ai.arrivals=0/d")


def differs(gap: np.ndarray) -> float:
    """Mean in standard errors."""
    return float(gap.mean() / (gap.std(ddof=1) / np.sqrt(len(gap))))


def test_selected_ai_posts_draw_more_clicks_than_unselected(small: Small) -> None:
    """AI of less skill than humans: unselected drafts get fewer clicks per impression than human
    posts, the best of eight get more than unselected ones (Nextdoor 2023: 56 % of human clicks
    unselected, more than them selected; the sizes are not claimed)."""
    gaps, behind, reach = [], [], []
    for seed in (1, 2):
        rates, seen = {}, {}
        for drafts in (1, 8):
            simulation, r = history(
                small(
                    *FAST,
                    "duration=70d",
                    f"seed={seed}",
                    "audience.initial=600",
                    "creators.human.initial=40",
                    "creators.ai.initial=24",
                    "creators.ai.learning=0.0",
                    "creators.ai.trend_following=0.0",
                    "creators.ai.skill_mean=-1.5",
                    f"creators.drafts={drafts}",
                )
            )
            index = simulation.world.board.index
            weeks = {
                by: [
                    np.diff(r[20:70:7, index(name, **labels, by=by)])
                    for name, labels in (("responses", {"head": "click"}), ("impressions", {}))
                ]
                for by in ("human", "ai")
            }
            rates[drafts] = {by: clicks / views for by, (clicks, views) in weeks.items()}
            seen[drafts] = weeks["ai"][1].sum()
        gaps.append(rates[8]["ai"] - rates[1]["ai"])
        behind.append(rates[1]["human"] - rates[1]["ai"])
        reach.append(seen[8] / seen[1])
    assert differs(np.concatenate(behind)) > 4
    assert differs(np.concatenate(gaps)) > 4
    assert min(reach) > 1  # and the feed shows them more


def test_a_predictor_without_data_changes_nothing(small: Small) -> None:
    """Before anything has been settled, eight drafts give the bytes of one, in every reading."""
    one, many = (
        history(small(*FAST, "duration=9d", "creators.settle_after=30d", f"creators.drafts={m}"))[1]
        for m in (1, 8)
    )
    assert one.tobytes() == many.tobytes()


def invaded(small: Small, seed: int, ai: int, *more: str) -> Simulation:
    """Humans whose supply answers to what posts bring; at day 30 some ``ai`` creators a day begin
    to come, for five days, into the two largest communities. No slots for exploration, which would
    carry AI posts into the feeds of the other communities."""
    wave = f"{{at: 30d, until: 35d, set: {{creators.ai.arrivals: {ai}/d}}}}"
    return history(
        small(
            *FAST,
            "duration=75d",
            f"seed={seed}",
            "audience.initial=600",
            "audience.arrivals=0/d",
            "audience.leave=0.0",
            "network.homophily=0.9",
            "creators.human.initial=200",
            "creators.human.posts_log_sd=0.8",
            "creators.human.arrivals=0/d",
            "creators.human.supply_elasticity=0.3",
            "creators.human.supply_rate=0.1",
            "creators.quit=0.0",
            "creators.ai.initial=0",
            "creators.ai.communities=2",
            "creators.ai.skill_mean=0.5",
            "creators.ai.trend_following=0.0",
            "recommender.explore_slots=0",
            f"policies=[{wave}]",
            *more,
        )
    )[0]


def supply(world: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """Log of the factor on each human creator's posting rate, by key, and whether AI creators work
    in its community."""
    creators = world.world.table("creators")
    human = np.flatnonzero(~creators["ai"])
    human = human[np.argsort(creators["key"][human])]
    pace = np.log(creators["pace"][human] * (0.5 + creators["morale"][human]))
    return pace, world.world.state["creators.invaded"][creators["community"][human]]


@pytest.fixture(scope="module")
def waves(small: Small) -> dict[tuple[int, int], Simulation]:
    """Three seeds, without and with a wave of about fifty AI creators."""
    return {(seed, ai): invaded(small, seed, ai) for seed in (1, 2, 3) for ai in (0, 10)}


def test_ai_supply_displaces_exposed_humans(waves: dict[tuple[int, int], Simulation]) -> None:
    """Humans in invaded communities post less than without AI, by more than 5 % (how much is
    finding 6's to judge); the others by less, and the difference in differences is beyond noise. AI
    posts take impressions from humans."""
    exposed, placebo = [], []
    for seed in (1, 2, 3):
        before, after = waves[seed, 0], waves[seed, 10]
        (without, where), (with_ai, _) = supply(before), supply(after)
        exposed.append((with_ai - without)[where])
        placebo.append((with_ai - without)[~where])
        board = [simulation.world.board for simulation in (before, after)]
        assert board[1].get("impressions", by="human") < 0.95 * board[0].get(
            "impressions", by="human"
        )
        assert board[0].get("posts", by="ai") == 0 < board[1].get("posts", by="ai")
        assert (
            board[0].get("reputation_mean", by="human")
            > 0
            == board[1].get("reputation_mean", by="ai")
        )
    one, other = np.concatenate(exposed), np.concatenate(placebo)
    assert differs(one) < -4 and np.expm1(one.mean()) < -0.05
    gap = one.mean() - other.mean()
    assert gap / np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)) < -4
    assert abs(other.mean()) < 0.6 * abs(one.mean())


def test_supply_answers_to_pay_only_where_it_may(small: Small) -> None:
    """Pay quadrupled at day 25: with an elasticity humans post more; at elasticity 0 (and nothing
    else that adapts) not one post more."""
    posts = {}
    for elasticity in (0.0, 0.3):
        for pay in (1.0, 4.0):
            rise = f"policies=[{{at: 25d, set: {{creators.pay_impression: {pay}}}}}]"
            simulation, r = history(
                small(
                    *FAST,
                    "duration=50d",
                    f"creators.human.supply_elasticity={elasticity}",
                    "creators.quit=0.0",
                    "creators.human.supply_rate=0.2",
                    "creators.human.imitation=0.0",
                    "creators.human.learning=0.0",
                    "creators.ai.learning=0.0",
                    "creators.human.posts_log_sd=0.5",
                    "creators.human.posts_mean=2/d",
                    rise,
                )
            )
            made = r[:, simulation.world.board.index("posts", by="human")]
            posts[elasticity, pay] = made[50] - made[35]
    assert posts[0.0, 4.0] == posts[0.0, 1.0] > 1000
    assert (
        posts[0.3, 4.0] > 1.05 * posts[0.3, 1.0]
    )  # posts that nobody sees earn nothing at any pay
