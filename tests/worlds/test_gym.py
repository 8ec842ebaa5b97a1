"""A platform as an environment of Gymnasium."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import twin.gym
from tests.conftest import SCENARIOS, SMALL, history
from twin.engine.simulation import Simulation
from twin.ground.errors import UsageError
from twin.scenario.loading import load

SETS = (*SMALL, "duration=6d")
GIVEN = {
    "levers": {"recommender.diversity": (0, 1), "recommender.retrain_every": ["6h", "1h", "2h"]},
    "observe": ["satisfaction_mean", "sessions", "posts{by=ai}"],
    "reward": {"enjoyed_per_session": 2.0, "sessions": -0.01},
    "step": "2d",
}


def made(**given: object) -> twin.gym.PlatformEnv:
    return twin.gym.PlatformEnv(SCENARIOS / "base.yaml", sets=SETS, **(GIVEN | given))  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:.*A Box observation space:UserWarning")
def test_gymnasium_accepts_it() -> None:
    """Gymnasium's own checker: spaces, seeds, determinism, types."""
    check_env(made(), skip_render_check=True)


def test_an_episode_is_the_run_whose_policies_do_the_same() -> None:
    """Actions are levers at their instant; what is observed and rewarded follows from the readings of
    that run."""
    env = made()
    seen, told = env.reset(seed=7)
    assert seen[1] == 0 and told["seed"] == 7
    actions = [(-1, -1), (1, 0), (0, 1)]
    steps = [env.step(np.array(each, np.float32)) for each in actions]
    assert [over for *_, over, _ in steps] == [False, False, True]
    assert steps[1][4]["levers"] == {
        "recommender.diversity": 1.0,
        "recommender.retrain_every": 3600,
    }
    # levers are set behind the refresh of their instant, a policy's before it
    policies = (
        "policies=[{at: 30min, set: {recommender.diversity: 0.0}},"
        "{name: a, at: 2d30min, set: {recommender.diversity: 1.0, recommender.retrain_every: 1h}},"
        "{name: b, at: 4d30min, set: {recommender.diversity: 0.5, recommender.retrain_every: 2h}}]"
    )
    whole, readings = history(load(SCENARIOS / "base.yaml", (*SETS, "seed=7", policies)))
    board = whole.world.board
    sessions = readings[:, board.index("sessions")]
    satisfied = readings[:, board.index("satisfaction_mean")]
    enjoyed = readings[:, board.index("enjoyed_per_session")]
    for k, (observed, reward, *_) in enumerate(steps):
        days = slice(2 * k + 1, 2 * k + 3)
        rise = (sessions[2 * k + 2] - sessions[2 * k]) / 2
        assert observed[:2] == pytest.approx([satisfied[days].mean(), rise], rel=1e-6)
        assert reward == pytest.approx(2 * enjoyed[days].mean() - 0.01 * rise, rel=1e-6)
    with pytest.raises(UsageError, match="the episode is over"):
        env.step(np.zeros(2, np.float32))


def test_seeds() -> None:
    """The same seed and actions give the same bytes; another one does not; without one, worlds
    differ, the same ones after the same seed."""
    env, other = made(), made(threads=2)
    act = np.zeros(2, np.float32)
    found = []
    for one, seeds in ((env, (3, None, None)), (other, (3, None, 4))):
        for seed in seeds:
            _, told = one.reset(seed=seed)
            found.append((told["seed"], one.step(act)[0].tobytes()))
    assert found[:2] == found[3:5] and len({seen for _, seen in found}) == 4
    env.close()
    with pytest.raises(UsageError, match="call reset"):
        env.step(act)


REFUSED = {
    "levers: there are none": {"levers": {}},
    "recommender.diversty is no lever here (did you mean recommender.diversity?)": {
        "levers": {"recommender.diversty": (0, 1)}
    },
    "recommender.lists is no lever here": {"levers": {"recommender.lists": (1, 2)}},
    "recommender.diversity cannot be 3": {"levers": {"recommender.diversity": (0, 3)}},
    "needs (low, high), or a list": {"levers": {"recommender.preset": ("likes", "equal")}},
    "metric satisfaction_men is not declared (did you mean satisfaction_mean?)": {
        "observe": ["satisfaction_men"]
    },
    "metric posts has no series 'by=humans'": {"reward": {"posts{by=humans}": 1.0}},
    "posts{by: is no series (write one such as": {"observe": ["posts{by"]},
    "step: 36h is no multiple of metrics.every (1d)": {"step": "36h"},
    "that divides the duration (6d)": {"step": "4d"},
    "step: '3' is not a duration": {"step": "3"},
}


@pytest.mark.parametrize("words", REFUSED)
def test_mistakes(words: str) -> None:
    """One line, with the nearest name."""
    with pytest.raises(UsageError) as caught:
        made(**REFUSED[words])
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("action", [[0.0], [0.0, np.nan]])
def test_no_action(action: list[float]) -> None:
    """Another number of parts, or NaN, sets no lever."""
    env = made()
    env.simulation = Simulation(env.scenario)
    with pytest.raises(UsageError, match="an action is 2 numbers"):
        env.step(np.array(action, np.float32))
