"""Chatbot sessions: closed forms of expectation, trust and concern, their controls, and the calendar of sessions."""

import datetime as dt

import numpy as np
import pytest

from twin.board import Board
from twin.columns import Column
from twin.draws import children
from twin.kernels import chat as kernel
from twin.kernels.chat import Chatbot, Chatters
from twin.mechanism import MIN_WAKE
from twin.mechanisms.chatbots import Chatbots, ChatbotsParams
from twin.units import DAY, NEVER
from twin.world import World

PLAIN = Chatbot(personalisation=0.0, remembers=True, failure_rate=0.0, base=0.5, gain=0.0, noise=0.0, depth=0.0, alpha=1.0,
                beta_up=0.5, beta_down=1.0, lambda_up=0.1, lambda_down=0.1, trust_rate=0.1, disclosure=0.5, concern_rate=0.1,
                concern_fade=0.0, memory_rate=0.2, human_rate=0.05, human_loss=0.05, usage_effect=0.0, stop=0.0,
                stop_effect=0.0, stop_concern=0.0)


def chatters(n, expectation=0.5, trust=0.5):
    """Fresh people in float64, so that closed forms hold to rounding."""
    return Chatters(children(np.full(n, np.uint64(8)), np.arange(n)), np.full(n, NEVER), np.zeros(n, np.int64),
                    np.zeros(n, np.int32), np.ones(n), np.full(n, float(expectation)), np.full(n, float(trust)), np.zeros(n),
                    np.zeros(n), np.zeros(n))


def talk(people, bot, sessions):
    """Hold that many sessions with everybody; the running sums and the expectations before each."""
    total, before = np.zeros(kernel.T_SIZE), []
    for _ in range(sessions):
        before.append(people.expectation.copy())
        kernel.chat(np.arange(len(people.key)), people, bot, np.uint64(77), total, MIN_WAKE)
    return total, np.array(before)


def test_disconfirmation_shrinks_geometrically():
    """Constant performance, equal rates: D_t = (1 - lambda)^t D_0, from above and from below."""
    for first in (0.1, 0.9):
        _, expected = talk(chatters(1, first), PLAIN, 60)
        assert np.abs((0.5 - expected[:, 0]) - 0.9 ** np.arange(60) * (0.5 - first)).max() < 1e-14


@pytest.mark.parametrize(("up", "down", "where"), [(0.03, 0.01, 0.436), (0.02, 0.02, 0.0), (0.01, 0.03, -0.436)])
def test_expectation_settles_at_an_expectile(up, down, where):
    """Noise and lambda_up > lambda_down: E settles .436 sd above mean performance (tau .75); equal rates: at the mean."""
    bot = PLAIN._replace(noise=1.0, lambda_up=up, lambda_down=down)
    people = chatters(2000)
    talk(people, bot, 600)
    _, expected = talk(people, bot, 100)
    assert expected.mean() - 0.5 == pytest.approx(where, abs=0.02)  # at a finite rate the bias is of the order of lambda


def test_failures_hurt_more_as_the_baseline_rises():
    """With the ratchet a failure costs beta_down (E - P_fail): later failures hurt more."""
    def hurt(bot):
        people = chatters(3000)
        first, _ = talk(people, bot, 5)
        talk(people, bot, 100)
        last, _ = talk(people, bot, 5)
        return [t[kernel.T_HURT] / t[kernel.T_FAILURES] for t in (first, last)]
    early, late = hurt(PLAIN._replace(noise=0.2, lambda_up=0.15, lambda_down=0.03, failure_rate=0.1, depth=0.5))
    assert late > early + 0.05
    early, late = hurt(PLAIN._replace(failure_rate=0.1, depth=0.5, lambda_up=0.0, lambda_down=0.0))
    assert early == pytest.approx(0.5) == late


def test_personalisation_raises_trust_and_concern_together():
    """Personalisation and memory raise performance met, trust, anthropomorphism and concern; each off is the control."""
    full = PLAIN._replace(personalisation=1.0, gain=0.4)
    people = chatters(1, 0.5, 0.5)
    talk(people, full, 80)
    assert people.trust[0] > 0.6 and people.expectation[0] > 0.7
    assert people.concern[0] > 0.3 and people.anthropomorphism[0] > 0.5
    off, forgetful = chatters(1), chatters(1)
    talk(off, full._replace(personalisation=0.0), 80)
    assert [x[0] for x in off[5:]] == pytest.approx([0.5, 0.5, 0, 0, 0], abs=1e-15)
    talk(forgetful, full._replace(remembers=False), 80)
    assert forgetful.memory[0] == 0 and forgetful.expectation[0] == pytest.approx(0.5) and forgetful.concern[0] > 0.3


def test_trust_moves_to_satisfaction():
    """T goes the share k of the way to S each session: (1 - k)^t at constant satisfaction."""
    people = chatters(1, 0.5, 0.1)
    talk(people, PLAIN, 20)
    assert people.trust[0] == pytest.approx(0.5 - 0.4 * 0.9**20, abs=1e-14)


def test_concern_is_the_sum_of_what_was_disclosed():
    """C grows by p times what was disclosed, and fades where it may."""
    bot = PLAIN._replace(personalisation=1.0, trust_rate=0.0, concern_rate=0.2)
    people = chatters(1)
    talk(people, bot, 10)
    assert people.concern[0] == pytest.approx(1 - (1 - 0.2 * 0.5 * 0.5) ** 10, abs=1e-14)
    talk(people, bot._replace(disclosure=0.0, concern_fade=0.5), 1)
    assert people.concern[0] == pytest.approx(0.5 * (1 - 0.95**10), abs=1e-14)


def test_sessions_come_at_their_rate_and_not_too_soon():
    """Gaps are at least the least, exponential beyond it; bad sessions make them longer."""
    people = chatters(4000)
    talk(people, PLAIN, 1)
    gap = people.next_at - MIN_WAKE
    assert gap.min() >= 0 and gap.mean() == pytest.approx(DAY, rel=0.06) and gap.std() == pytest.approx(DAY, rel=0.1)
    sad = chatters(4000, 0.9)
    talk(sad, PLAIN._replace(usage_effect=2.0, beta_down=2.0), 1)
    assert (sad.next_at >= people.next_at).all() and (sad.next_at > people.next_at).mean() > 0.9


def test_people_stop():
    """The chance to stop is as stated at neutral mood, and higher with a bad one; who left the platform does not chat."""
    people = chatters(5000)
    total, _ = talk(people, PLAIN._replace(stop=0.2, stop_effect=2.0), 1)
    assert total[kernel.T_STOPPED] == (people.next_at == NEVER).sum() == pytest.approx(1000, abs=120)
    sad = chatters(5000, 0.9)
    worse, _ = talk(sad, PLAIN._replace(stop=0.2, stop_effect=2.0, beta_down=2.0), 1)
    assert worse[kernel.T_STOPPED] > 1.2 * total[kernel.T_STOPPED]
    gone = chatters(10)
    gone.left_at[:] = 0
    total, _ = talk(gone, PLAIN, 1)
    assert total[kernel.T_SESSIONS] == 0 and (gone.next_at == NEVER).all()


def make(n=500, **params):
    """A world with a chatbot and nothing else."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board(Chatbots.metrics))
    for column in Chatbots.columns["consumers"]:
        world.define("chatbots", "consumers", column)
    world.define("test", "consumers", Column("active", "?", "1", "Here"))
    world.define("test", "consumers", Column("left_at", "i8", "s", "Left", start=NEVER))
    mechanism = Chatbots(ChatbotsParams(**params), world)
    for name in ("personalisation", "memory", "failure_rate"):
        world.levers[f"chatbots.{name}"] = getattr(mechanism.p, name)
    world.on_add(mechanism.born)
    world.on_release(mechanism.gone)
    mechanism.setup()
    world.add("test", "consumers", children(np.full(n, np.uint64(4)), np.arange(n)), active=np.ones(n, bool))
    return world, mechanism


def run(world, mechanism, until, window):
    """Replay all sessions before ``until`` in windows, each in order of (time, row)."""
    for end in range(window, until + 1, window):
        world.now = end
        at = world.table("consumers")["chat_next"]
        rows = np.flatnonzero(at < end)
        rows = rows[np.argsort(at[rows], kind="stable")]
        if len(rows):
            mechanism.chat(rows)


def test_batches_and_single_sessions_agree_to_the_bit():
    """Ten-minute windows, half-hour windows and one session at a time give the same people and sums."""
    worlds = []
    for window in (600, 1800):
        world, mechanism = make(60, sessions_mean="4.0/d", adoption_delay="1d")
        run(world, mechanism, 20 * DAY, window)
        worlds.append((world, mechanism))
    single, alone = make(60, sessions_mean="4.0/d", adoption_delay="1d")
    at = single.table("consumers")["chat_next"]
    while at.min() < 20 * DAY:
        alone.chat(np.array([np.argmin(at)]))
    worlds.append((single, alone))
    assert single.table("consumers")["chat_sessions"].sum() > 500
    for world, mechanism in worlds[:2]:
        assert np.array_equal(mechanism.keep["total"], alone.keep["total"])
        for name, values in world.table("consumers").save().items():
            assert np.array_equal(values, single.table("consumers")[name]), name


def test_metrics_and_small_state():
    """Metrics describe users only; the columns take less than 60 bytes a person."""
    world, mechanism = make(sessions_mean="2.0/d", failure_rate=0.2)
    mechanism.measure()
    assert world.board.get("chat_users") == 0 and np.isfinite(world.board.values).all()
    run(world, mechanism, 60 * DAY, 1800)
    mechanism.measure()
    table, board = world.table("consumers"), world.board
    user = (table["chat_sessions"] > 0) & (table["chat_next"] < NEVER)
    assert board.get("chat_sessions") == table["chat_sessions"].sum() > 1000
    assert board.get("chat_users") == user.sum() and (table["chat_sessions"] > 0).mean() < 0.36
    assert board.get("trust_mean") == pytest.approx(table["chat_trust"][user].mean(), rel=1e-5)
    assert sum(board.get("trust", bin=b) for b in board.metrics["trust"].bins) == user.sum()
    assert board.get("disappointment_per_failure") > 0 and board.get("disconfirmation_mean") != 0
    assert sum(np.dtype(column.dtype).itemsize for column in Chatbots.columns["consumers"]) < 60


def test_levers_act_at_once():
    """A policy that switches personalisation off stops disclosure from the next session on."""
    world, mechanism = make(200, adopters=1.0, adoption_delay=0, sessions_mean="5.0/d", stop=0.0, concern_fade=0.0)
    run(world, mechanism, 10 * DAY, 1800)
    before = world.table("consumers")["chat_concern"].copy()
    assert before.mean() > 0.05
    world.levers["chatbots.personalisation"] = 0.0
    for end in range(10 * DAY + 1800, 15 * DAY, 1800):
        at = world.table("consumers")["chat_next"]
        rows = np.flatnonzero(at < end)
        mechanism.chat(rows[np.argsort(at[rows], kind="stable")])
    assert np.array_equal(world.table("consumers")["chat_concern"], before)


def test_released_rows_do_not_wake():
    """A place that is given back has no next session."""
    world, _ = make(50, adopters=1.0)
    assert (world.table("consumers")["chat_next"] < NEVER).all()
    world.release("consumers", np.arange(50))
    assert (world.table("consumers")["chat_next"] == NEVER).all()
