"""What is judged in a world is what was served."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import SIGNALS_OFF
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels import ranking
from twin.kernels.predicting import Model, predict
from twin.kernels.room import empty_room
from twin.kernels.side import WIDE
from twin.mechanisms.recommender import Recommender
from twin.scenario.loading import Scenario


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize("dim", [32, 7])
def test_what_is_judged_is_what_was_served(
    dim: int, knows: bool, small: Callable[..., Scenario]
) -> None:
    """Progressive validation predicts bit for bit what the ranking computed, for odd and even
    dimensions, with and without signals."""
    world = Simulation(small(f"recommender.dim={dim}", *(() if knows else SIGNALS_OFF)))
    world.begin()
    world.run(2 * DAY)
    served = world.world.service("serving")()
    luck = np.random.default_rng(7)
    user, post = (
        luck.integers(0, len(served.user_vec), 300).astype(np.int32),
        luck.choice(served.eligible, 300),
    )
    learner = next(m for m in world.mechanisms if isinstance(m, Recommender)).learner
    known = learner.side.of_log(0)._replace(tally=world.world.table("posts")["tally"][post])
    room, whole = empty_room(len(served.can), 32, served), np.empty((len(user), 8), np.float32)
    for who, what, logits in zip(user, post, whole, strict=True):
        room.user[:], room.cand[0] = served.user_vec[who], what
        ranking.value_scores(served.user_bias[who], 0, 1, served, room)
        logits[:] = room.logits[:8]
    model = Model(**{name: getattr(served, name) for name in Model._fields})
    got = predict(user, post, 3, model, known)
    assert len(known.S) == (WIDE if knows else 0)
    assert np.array_equal(got, whole[:, :3]) and len(np.unique(got)) > 300
