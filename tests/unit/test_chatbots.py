"""Chatbot sessions: closed forms of expectation, trust, concern and answers, their controls, the
calendar, the trial."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import norm

from tests.given.chatbots import chatters, make, run
from twin.ground.draws import children
from twin.ground.units import DAY, NEVER
from twin.kernels import chat as kernel
from twin.kernels.reward import pool
from twin.mechanisms.chatbots import ChatbotsParams
from twin.world.columns import Column
from twin.world.mechanism import MIN_WAKE
from twin.world.params import changed
from twin.world.settings import settings

PLAIN = changed(
    ChatbotsParams(),
    personalisation=0.0,
    failure_rate=0.0,
    performance=0.5,
    personalisation_gain=0.0,
    performance_sd=0.0,
    failure_depth=0.0,
    assimilation=1.0,
    gain_weight=0.5,
    loss_weight=1.0,
    expectation_up=0.1,
    expectation_down=0.1,
    trust_rate=0.1,
    disclosure=0.5,
    novelty=0.0,
    novelty_sessions=20.0,
    concern_rate=0.1,
    concern_fade=0.0,
    memory_rate=0.2,
    human_rate=0.05,
    human_loss=0.05,
    attachment_rate=0.0,
    attachment_fade=60 * DAY,
    wellbeing__use_window=28 * DAY,
    usage_effect=0.0,
    stop=0.0,
    stop_effect=0.0,
    stop_concern=0.0,
    stop_attachment=0.0,
    answers__contested=0.0,
    answers__truth_agrees=0.5,
    answers__truth_value=0.5,
    answers__truth_log_sd=0.0,
    answers__agreement=0.5,
    answers__feedback=0.0,
    answers__comparison_noise=0.5,
    answers__spread=1.0,
)


def talk(
    people,
    bot,
    sessions,
    personalisation=0.0,
    failure_rate=0.0,
    remembers=True,
    own=1.0,
    reward=None,
):
    """Hold that many sessions with everybody; the running sums and the expectations before each."""
    total, before, n = np.zeros(1, kernel.SUMS)[0], [], len(people.key)
    bot = changed(
        bot,
        personalisation=personalisation,
        memory=remembers,
        failure_rate=failure_rate,
        answers__personalisation=own,
    )
    assistant = kernel.Assistant(
        settings(bot), pool(2, 10.0) if reward is None else reward, np.uint64(77), total
    )
    for _ in range(sessions):
        before.append(people.expectation.copy())
        kernel.chat(np.arange(n), people, assistant, MIN_WAKE)
    return total, np.array(before)


def test_disconfirmation_shrinks_geometrically():
    """Constant performance, equal rates: D_t = (1 - lambda)^t D_0, from above and from below."""
    for first in (0.1, 0.9):
        _, expected = talk(chatters(1, first), PLAIN, 60)
        assert np.abs((0.5 - expected[:, 0]) - 0.9 ** np.arange(60) * (0.5 - first)).max() < 1e-14


def expectile(tau):
    """e of N(0, 1) with tau E(P - e)+ = (1 - tau) E(e - P)+."""

    def gap(e):
        above = norm.pdf(e) - e * norm.sf(e)  # E(P - e)+
        return tau * above - (1 - tau) * (e + above)

    return brentq(gap, -3, 3, xtol=1e-14)


def test_the_expectile_is_as_published():
    """tau = .75 gives .436 sd; tau = .5 the mean, exactly; symmetric."""
    assert expectile(0.75) == pytest.approx(0.436, abs=5e-4) and abs(expectile(0.5)) < 1e-14
    assert expectile(0.25) == pytest.approx(-expectile(0.75), abs=1e-12)


@pytest.mark.parametrize(("up", "down"), [(0.003, 0.001), (0.002, 0.002), (0.001, 0.003)])
def test_expectation_settles_at_an_expectile(up, down):
    """Noise and small rates: E stays at the expectile of tau = up / (up + down) within .004 sd, and
    then D is minus that."""
    at = expectile(up / (up + down))
    bot = changed(PLAIN, performance_sd=1.0, expectation_up=up, expectation_down=down)
    people = chatters(1000, 0.5 + at)
    talk(people, bot, 1000)
    total, expected = talk(people, bot, 500)
    assert expected.mean() - 0.5 == pytest.approx(
        at, abs=0.004
    )  # a few standard errors; the bias is of the order of the rates
    assert total["disconfirmation"] / total["sessions"] == pytest.approx(-at, abs=0.008)
    far = chatters(200, 1.5)
    talk(far, changed(bot, expectation_up=10 * up, expectation_down=10 * down), 400)
    assert far.expectation.mean() - 0.5 == pytest.approx(at, abs=0.06)  # from wherever it began


def test_failures_hurt_more_as_the_baseline_rises():
    """With the ratchet a failure costs beta_down (E - P_fail): later failures hurt more."""

    def hurt(bot):
        people = chatters(3000)
        first, _ = talk(people, bot, 5, failure_rate=0.1)
        talk(people, bot, 100, failure_rate=0.1)
        last, _ = talk(people, bot, 5, failure_rate=0.1)
        return [t["hurt"] / t["failures"] for t in (first, last)]

    early, late = hurt(
        changed(
            PLAIN, performance_sd=0.2, expectation_up=0.15, expectation_down=0.03, failure_depth=0.5
        )
    )
    assert late > early + 0.05
    early, late = hurt(changed(PLAIN, failure_depth=0.5, expectation_up=0.0, expectation_down=0.0))
    assert early == pytest.approx(0.5) == late


def test_personalisation_raises_trust_and_concern_together():
    """Personalisation and memory raise performance met, trust, anthropomorphism and concern; each
    off is the control."""
    full = changed(PLAIN, personalisation_gain=0.4)
    people = chatters(1, 0.5, 0.5)
    talk(people, full, 80, personalisation=1.0)
    assert people.trust[0] > 0.6 and people.expectation[0] > 0.7
    assert people.concern[0] > 0.3 and people.anthropomorphism[0] > 0.5
    off, forgetful = chatters(1), chatters(1)
    total, _ = talk(off, full, 80)
    assert [
        getattr(off, name)[0]
        for name in ("expectation", "trust", "concern", "memory", "anthropomorphism")
    ] == pytest.approx([0.5, 0.5, 0, 0, 0], abs=1e-15)  # P, T, C flat
    assert total["performance"] == 40 and total["disclosed"] == 0
    talk(forgetful, full, 80, personalisation=1.0, remembers=False)
    assert (
        forgetful.memory[0] == 0
        and forgetful.expectation[0] == pytest.approx(0.5)
        and forgetful.concern[0] > 0.3
    )


def test_trust_moves_to_satisfaction():
    """T goes the share k of the way to S each session: (1 - k)^t at constant satisfaction."""
    people = chatters(1, 0.5, 0.1)
    talk(people, PLAIN, 20)
    assert people.trust[0] == pytest.approx(0.5 - 0.4 * 0.9**20, abs=1e-14)


def test_concern_is_the_sum_of_what_was_disclosed():
    """C grows by p times what was disclosed, and fades where it may."""
    bot = changed(PLAIN, trust_rate=0.0, concern_rate=0.2)
    people = chatters(1)
    talk(people, bot, 10, personalisation=1.0)
    assert people.concern[0] == pytest.approx(1 - (1 - 0.2 * 0.5 * 0.5) ** 10, abs=1e-14)
    talk(people, changed(bot, disclosure=0.0, concern_fade=0.5), 1, personalisation=1.0)
    assert people.concern[0] == pytest.approx(0.5 * (1 - 0.95**10), abs=1e-14)


def test_disclosure_declines_with_novelty():
    """disclosed = d g T (1 - nu (1 - exp(-n / N))) without concern: exact sum; nu = 0 keeps it
    flat."""
    bot = changed(PLAIN, trust_rate=0.0, concern_rate=0.0, novelty=0.4, novelty_sessions=5.0)
    total, _ = talk(chatters(1), bot, 30, personalisation=1.0)
    worn = 1 - 0.4 * (1 - np.exp(-np.arange(30) / 5))
    assert total["disclosed"] == pytest.approx(0.25 * worn.sum(), abs=1e-12)
    flat, _ = talk(chatters(1), changed(bot, novelty=0.0), 30, personalisation=1.0)
    assert flat["disclosed"] == pytest.approx(0.25 * 30, abs=1e-12)


def test_attachment_grows_with_use_and_fades_with_absence():
    """Each session closes r A of the gap to 1 after fading for as long as the person was away; A =
    0: none ever."""
    bot = changed(PLAIN, attachment_rate=0.2, human_rate=0.0)
    people = chatters(1)
    people.anthropomorphism[:] = 0.5
    expected, last = 0.0, 0
    for _ in range(25):
        now = int(people.next_at[0])
        expected *= np.exp(-(now - last) / DAY / 60)
        expected, last = expected + 0.2 * 0.5 * (1 - expected), now
        talk(people, bot, 1, personalisation=1.0)
        assert people.attachment[0] == pytest.approx(expected, abs=1e-12) and people.last[0] == last
    assert expected > 0.5
    none = chatters(1)
    talk(none, bot, 25)
    assert none.attachment[0] == 0


def test_recent_use_is_sessions_per_day():
    """Sessions at their rate give that rate as recent use, on average over people, after some
    windows."""
    people = chatters(3000)
    people.rate[:] = 2.0
    talk(people, PLAIN, 100)
    per_day = 1 / (0.5 + MIN_WAKE / DAY)
    assert people.use.mean() == pytest.approx(
        per_day * (1 - np.exp(-100 / per_day / 28)) + 1 / 56, rel=0.02
    )


def test_attachment_keeps_people():
    """The chance to stop falls by exp(-x attachment)."""
    stopped = []
    for attached in (0.0, 1.0):
        people = chatters(8000)
        people.attachment[:] = attached
        total, _ = talk(people, changed(PLAIN, stop=0.2, stop_attachment=1.0), 1)
        stopped.append(total["stopped"])
    assert stopped[1] / stopped[0] == pytest.approx(np.exp(-1), rel=0.12)


# ---- answers: finding 2 by an assistant that learns ----


def tastes(mu, sigma, n=1000):
    """People at the quantiles of N(mu, sigma^2), in an order that tells nothing."""
    return np.random.default_rng(0).permutation(mu + sigma * ndtri((np.arange(n) + 0.5) / n))


def served(mu, sigma, own, learning=250, **changes):
    """People at normal quantiles of taste, after a time of learning from comparisons: the people,
    and 60 sessions' sums."""
    asked = {f"answers__{name}": value for name, value in changes.items()}
    bot = changed(PLAIN, answers__contested=1.0, answers__feedback=1.0, **asked)
    people, reward = chatters(1000, taste=tastes(mu, sigma)), pool(2, 10.0)
    talk(people, bot, learning, personalisation=1.0, own=own, reward=reward)
    people.answers[:] = 0
    total, _ = talk(
        people, changed(bot, answers__feedback=0.0), 60, personalisation=1.0, own=own, reward=reward
    )
    return people, total


def stances(people):
    """Mean stance of the last answers to each person, 1 agreed always."""
    return 2 * people.answers[:, 1] / people.answers[:, 0].astype(float) - 1


@pytest.mark.parametrize(("mu", "sigma"), [(0.0, 1.0), (0.6, 0.8)])
def test_personal_reward_tells_people_what_they_like(mu, sigma):
    """False answers at rate (Phi((mu - h)/sigma) + Phi((-mu - h)/sigma)) / 2, h = dq/2b, truth on
    either side; pooled: none."""
    people, total = served(mu, sigma, 1.0)
    false = (ndtr((mu - 0.5) / sigma) + ndtr((-mu - 0.5) / sigma)) / 2
    assert total["false"] / total["contested"] == pytest.approx(false, abs=0.015)
    agreement = ndtr((mu - 0.5) / sigma) - ndtr((-mu - 0.5) / sigma)
    assert stances(people).mean() == pytest.approx(agreement, abs=0.03)
    _, total = served(
        mu, sigma, 1.0, truth_agrees=1.0
    )  # as finding 2 states it: the truth has s = 1
    assert total["false"] / total["contested"] == pytest.approx(ndtr((-0.5 - mu) / sigma), abs=0.02)
    pooled, total = served(mu, sigma, 0.0)
    if mu == 0:
        assert total["false"] == 0 and abs(stances(pooled).mean()) < 0.01
    else:
        assert total["false"] / total["contested"] == pytest.approx(
            0.5, abs=0.01
        )  # b E[a] > dq/2: flatter all


def test_at_equal_quality_agreement_is_e_abs_a():
    """dq = 0: answers agree with a_u s in the mean E|a| = .798 (personal), sampling and learning
    within .02; pooled |E a| = 0."""
    people, total = served(0.0, 1.0, 1.0, truth_value=0.0)
    assert (people.taste * stances(people)).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.02)
    assert total["performance"] / total["sessions"] - 0.5 == pytest.approx(
        0.5 * np.sqrt(2 / np.pi), abs=0.01
    )
    assert stances(people).var() == pytest.approx(
        1, abs=0.02
    )  # echo chamber: between people 1, within people nothing
    pooled, _ = served(0.0, 1.0, 0.0, truth_value=0.0)
    assert abs((pooled.taste * stances(pooled)).mean()) < 0.02 and stances(pooled).var() < 0.05


@pytest.mark.parametrize("changes", [{"sigma": 0.0}, {"agreement": 0.0}, {"truth_value": 50.0}])
def test_without_taste_difference_or_with_high_stakes_personal_and_pooled_agree(changes):
    """Controls: sigma = 0, b = 0 or a large dq: no false answer by either model once it has
    learned."""
    sigma = changes.pop("sigma", 1.0)
    for own in (1.0, 0.0):
        _, total = served(0.0, sigma, own, spread=0.3, **changes)
        assert total["false"] / total["contested"] < 2e-3


def test_the_assistant_knows_of_tastes_only_by_comparisons():
    """Control: without feedback it tells everybody the truth, whatever they would like to hear."""
    people = chatters(500, taste=tastes(0.0, 5.0, 500))
    total, _ = talk(people, changed(PLAIN, answers__contested=1.0), 20, personalisation=1.0)
    assert total["contested"] == 10000 and total["false"] == total["compared"] == 0


def test_shrinkage_lies_between():
    """Half of a person's own deviation served: fewer false answers than all of it, more than
    none."""
    rates = [total["false"] for _, total in (served(0.0, 1.0, own) for own in (0.0, 0.5, 1.0))]
    assert rates[0] < rates[1] < rates[2]


def test_without_memory_or_personalisation_the_pool_chooses():
    """Memory off, or g = 0: nothing of the person is served; with memory off nothing is kept of the
    person either."""
    bot = changed(PLAIN, answers__contested=1.0, answers__feedback=1.0)
    for offered, kept in (
        ({"personalisation": 1.0, "remembers": False}, False),
        ({"personalisation": 0.0}, True),
    ):
        people, reward = chatters(500, taste=tastes(0.0, 1.0, 500)), pool(2, 10.0)
        talk(people, bot, 200, reward=reward, **offered)
        total, _ = talk(people, bot, 50, reward=reward, **offered)
        assert total["false"] == 0 and people.precision.any() == kept
        assert total["compared"] == 25000 and 0.5 < total["foreseen"] / 25000 < 0.9


def test_answers_leave_other_luck_alone():
    """Contested questions change what is met, not when people fail or come back: luck of old draws
    is untouched."""
    plain, asked = chatters(500), chatters(500, taste=1.0)
    first, _ = talk(plain, changed(PLAIN, failure_depth=0.3), 20, failure_rate=0.2)
    second, _ = talk(
        asked,
        changed(PLAIN, failure_depth=0.3, answers__contested=0.5, answers__feedback=0.5),
        20,
        failure_rate=0.2,
    )
    assert np.array_equal(plain.next_at, asked.next_at) and first["failures"] == second["failures"]
    assert first["performance"] != second["performance"]


def test_sessions_come_at_their_rate_and_not_too_soon():
    """Gaps are at least the least, exponential beyond it; bad sessions make them longer."""
    people = chatters(4000)
    talk(people, PLAIN, 1)
    gap = people.next_at - MIN_WAKE
    assert (
        gap.min() >= 0
        and gap.mean() == pytest.approx(DAY, rel=0.06)
        and gap.std() == pytest.approx(DAY, rel=0.1)
    )
    sad = chatters(4000, 0.9)
    talk(sad, changed(PLAIN, usage_effect=2.0, loss_weight=2.0), 1)
    assert (sad.next_at >= people.next_at).all() and (sad.next_at > people.next_at).mean() > 0.9


def test_people_stop():
    """The chance to stop is as stated at neutral mood, and higher with a bad one; who left the
    platform does not chat."""
    people = chatters(5000)
    total, _ = talk(people, changed(PLAIN, stop=0.2, stop_effect=2.0), 1)
    assert total["stopped"] == (people.next_at == NEVER).sum() == pytest.approx(1000, abs=120)
    sad = chatters(5000, 0.9)
    worse, _ = talk(sad, changed(PLAIN, stop=0.2, stop_effect=2.0, loss_weight=2.0), 1)
    assert worse["stopped"] > 1.2 * total["stopped"]
    gone = chatters(10)
    gone.left_at[:] = 0
    total, _ = talk(gone, PLAIN, 1)
    assert total["sessions"] == 0 and (gone.next_at == NEVER).all()


def test_batches_and_single_sessions_agree_to_the_bit():
    """Ten-minute windows, half-hour windows and one session at a time give the same people and
    sums."""
    worlds = []
    for window in (600, 1800):
        world, mechanism = make(60, sessions_mean="4.0/d", adoption_delay="1d")
        run(world, mechanism, 20 * DAY, window)
        worlds.append((world, mechanism))
    single, alone = make(60, sessions_mean="4.0/d", adoption_delay="1d")
    at = single.table("chatters")["next_at"]
    while at.min() < 20 * DAY:
        alone.chat(np.array([np.argmin(at)]))
    worlds.append((single, alone))
    assert single.table("chatters")["sessions"].sum() > 500
    for world, mechanism in worlds[:2]:
        assert np.array_equal(mechanism.keep["total"], alone.keep["total"])
        assert np.array_equal(mechanism.keep["reward"], alone.keep["reward"])
        for name, values in world.table("chatters").save().items():
            assert np.array_equal(values, single.table("chatters")[name]), name


def test_metrics_and_small_state():
    """Metrics describe users only; the columns take less than 80 bytes a chatter, and nothing for
    anybody else."""
    world, mechanism = make(sessions_mean="2.0/d", failure_rate=0.2)
    mechanism.measure()
    assert world.board.get("chat_users") == 0 and np.isfinite(world.board.values).all()
    run(world, mechanism, 60 * DAY, 1800)
    mechanism.measure()
    table, board = world.table("chatters"), world.board
    user = (table["sessions"] > 0) & (table["next_at"] < NEVER)
    assert board.get("chat_sessions") == table["sessions"].sum() > 1000
    assert board.get("chat_users") == user.sum() and len(table) < 0.36 * len(
        world.table("consumers")
    )
    assert board.get("trust_mean") == pytest.approx(table["trust"][user].mean(), rel=1e-5)
    assert sum(board.get("trust", bin=b) for b in board.metrics["trust"].bins) == user.sum()
    assert board.get("disappointment_per_failure") > 0 and board.get("disconfirmation_mean") != 0
    assert table.bytes_per_row() < 80
    assert board.get("chat_contested") == pytest.approx(0.3 * board.get("chat_sessions"), rel=0.1)
    assert 0 < board.get("chat_false_answers") < 0.4 * board.get("chat_contested")
    assert board.get("disclosed_mean") > 0 and 0 < board.get("attachment_mean") < 1
    assert 0 < board.get("chat_stance_entropy") <= 1 and 0 <= board.get("chat_stance_between") < 1
    assert board.get("chat_performance_mean") == pytest.approx(0.5, abs=0.2)
    kept, old = board.values.copy(), mechanism.keep["shown"].copy()
    mechanism.measure()  # nothing new: everything stands
    assert np.array_equal(board.values, kept) and np.array_equal(mechanism.keep["shown"], old)


def test_levers_act_at_once():
    """A policy that switches personalisation off stops disclosure from the next session on."""
    world, mechanism = make(
        200, adopters=1.0, adoption_delay=0, sessions_mean="5.0/d", stop=0.0, concern_fade=0.0
    )
    run(world, mechanism, 10 * DAY, 1800)
    before = world.table("chatters")["concern"].copy()
    assert before.mean() > 0.05
    world.levers["chatbots.personalisation"] = 0.0
    for end in range(10 * DAY + 1800, 15 * DAY, 1800):
        at = world.table("chatters")["next_at"]
        rows = np.flatnonzero(at < end)
        mechanism.chat(rows[np.argsort(at[rows], kind="stable")])
    assert np.array_equal(world.table("chatters")["concern"], before)


def test_released_rows_do_not_wake():
    """A place that is given back has no next session."""
    world, _ = make(50, adopters=1.0)
    table = world.table("chatters")
    assert (table["next_at"] < NEVER).all() and table["person"].tolist() == list(range(50))
    world.release("consumers", np.arange(50))
    assert (table["next_at"] == NEVER).all() and not table["alive"].any()
    mine = children(np.full(20, np.uint64(4)), np.arange(50, 70))
    world.add("test", "consumers", mine, active=np.ones(20, bool))
    assert (
        len(table) == 50
        and table["alive"].sum() == 20
        and not table["sessions"][table["alive"]].any()
    )


def test_arms_of_consumers_are_offered_different_assistants():
    """A policy for a share: personalisation off for one arm stops disclosure there and nowhere
    else."""
    world, mechanism = make(
        200, adopters=1.0, adoption_delay=0, sessions_mean="5.0/d", stop=0.0, concern_fade=0.0
    )
    world.define("test", "consumers", Column("arm", "u1", "1", "Arm"))
    world.table("consumers")["arm"][100:] = 1
    world.arms["consumers"] = [{}, {"chatbots.personalisation": 0.0}]
    run(world, mechanism, 10 * DAY, 1800)
    concern = world.table("chatters")["concern"]
    assert concern[:100].min() > 0 and not concern[100:].any()
