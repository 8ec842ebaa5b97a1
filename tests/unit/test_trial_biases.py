"""An A/B test beside the truth: estimate, truth and bias of made-up readings."""

import numpy as np
import pytest

from twin.experiments.compare.trial import Given, biases
from twin.experiments.forks import BASE, Forked
from twin.mechanisms import REGISTRY
from twin.world.arms import declared
from twin.world.board import Board

REPLICATES = 12


def forked(number: int) -> Forked:
    """Twelve replicates: sessions differ by 3 between arms and by 1 in truth, all other readings
    are chance."""
    board = Board(declared(sorted(REGISTRY.values(), key=lambda kind: (kind.order, kind.name))))
    rng = np.random.default_rng(4)
    made = Forked(board.rows, [(0, 1)])
    common = rng.normal(size=(REPLICATES, 1, len(board.rows)))
    for name in (BASE, "p", "p, for 50%"):
        made.of[name] = common + 0.1 * rng.normal(size=common.shape)
    at = board.index
    made.of["p"][:, 0, at("trial_sessions", arm="everybody")] += 1
    part = made.of["p, for 50%"]
    control = part[:, 0, at("trial_sessions", arm=f"control-{number}")]
    part[:, 0, at("trial_sessions", arm=f"treated-{number}")] = control + 3
    # nobody was read in one arm: no estimate
    part[:, 0, at("trial_opinion", arm=f"treated-{number}")] = np.nan
    return made


@pytest.mark.parametrize("number", [1, 2])
def test_estimate_truth_and_bias(number: int) -> None:
    """The arms of the policy's own number; the one real bias is found among many quantities."""
    found = biases(forked(number), [Given("p", "p, for 50%", "consumers", number)])
    one = {each.quantity: each for each in found}
    sessions = one["sessions"]
    assert sessions.estimate == pytest.approx(3) and sessions.truth == pytest.approx(1, abs=0.15)
    assert sessions.bias == pytest.approx(sessions.estimate - sessions.truth) and sessions.sure
    assert sum(each.sure for each in found) <= 3 and len(found) > 60
    assert "responses, like" in one and "shown AI" in one


def test_what_has_no_bias_to_speak_of_is_left_out() -> None:
    """Numbers of people, pooled readings, an arm without a reading, and the other side."""
    names = {
        each.quantity for each in biases(forked(1), [Given("p", "p, for 50%", "consumers", 1)])
    }
    assert not names & {"people", "weekly", "distinct posts", "opinion", "morale", "income"}
    makers = biases(forked(1), [Given("p", "p, for 50%", "creators", 1)])
    assert {"morale", "income", "posts"} <= {each.quantity for each in makers}
    assert all(each.side == "producer" for each in makers)
