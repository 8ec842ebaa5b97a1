"""Closed forms of finding 7, computed with the twin's own sessions (`twin.kernels.chat`).

With constant performance P and equal rates lambda_up = lambda_down = l,

    D_t = (1 - l)^t D_0

With noise and lambda_up > lambda_down, E settles at the expectile of P with
tau = lambda_up / (lambda_up + lambda_down). With E below P, a failure at session t costs
beta_down (E_t - P_fail), which grows and saturates: E_t = P - (P - E_0) (1 - lambda_up)^t. Forms:
Oliver 1980, Bhattacherjee 2001, as in FINDINGS.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from twin.ground.draws import children
from twin.ground.units import DAY, NEVER
from twin.kernels import chat as kernel
from twin.kernels.chat import Chatters
from twin.kernels.reward import pool
from twin.mechanisms.chatbots import ChatbotsParams
from twin.world.mechanism import MIN_WAKE
from twin.world.params import changed
from twin.world.settings import settings

Floats = NDArray[np.float64]
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
    loss_weight=1.2,
    expectation_up=0.1,
    expectation_down=0.1,
    trust_rate=0.05,
    disclosure=0.5,
    novelty=0.0,
    novelty_sessions=20.0,
    concern_rate=0.08,
    concern_fade=0.0,
    memory_rate=0.15,
    human_rate=0.04,
    human_loss=0.02,
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
    answers__truth_value=0.2,
    answers__truth_log_sd=0.0,
    answers__agreement=0.1,
    answers__feedback=0.0,
    answers__comparison_noise=0.1,
    answers__spread=1.0,
)
"""An assistant without chance that nobody stops using; each study changes what it is about."""


class Settled(NamedTuple):
    """Where expectation settles under noise N(0, 1), in sd above mean performance; the mean
    disconfirmation; and the expectile that theory gives for both."""

    expectation: float
    disconfirmation: float
    expectile: float


def expectile(tau: float) -> float:
    """The e of N(0, 1) with tau E(P - e)+ = (1 - tau) E(e - P)+."""

    def lacks(e: float) -> float:
        # E(P - e)+ of N(0, 1); as E P = 0, E(e - P)+ is e more.
        above = float(norm.pdf(e) - e * norm.sf(e))
        return tau * above - (1 - tau) * (e + above)

    return float(brentq(lacks, -3, 3, xtol=1e-14))


def _people(seed: int, count: int, expectation: float) -> Chatters:
    zero = np.zeros
    return Chatters(
        key=children(np.full(count, np.uint64(seed)), np.arange(count)),
        left_at=np.full(count, NEVER),
        arm=zero(count, np.int8),
        person=np.arange(count),
        next_at=zero(count, np.int64),
        sessions=zero(count, np.int32),
        rate=np.ones(count),
        expectation=np.full(count, expectation),
        trust=np.full(count, 0.5),
        concern=zero(count),
        memory=zero(count),
        anthropomorphism=zero(count),
        attachment=zero(count),
        last=zero(count, np.int32),
        use=zero(count),
        taste=zero(count),
        answers=zero((count, 2), np.uint8),
        pull=zero((count, 1), np.float32),
        precision=zero((count, 1), np.float32),
    )


def _talk(
    people: Chatters, bot: ChatbotsParams, sessions: int, seed: int
) -> tuple[np.void, Floats]:
    """Hold sessions with everybody; running sums, and expectations before each session (sessions,
    people)."""
    count, total = len(people.key), np.zeros(1, kernel.SUMS)[0]
    before = np.zeros((sessions, count))
    assistant = kernel.Assistant(settings(bot), pool(2, 10.0), np.uint64(seed), total)
    for session in range(sessions):
        before[session] = people.expectation
        # Everybody, whether due or not: the forms count sessions, not time.
        kernel.chat(np.arange(count), people, assistant, MIN_WAKE)
    return total, before


def geometric(seed: int, data: str, rate: float, sessions: int, first: float) -> Floats:
    """D_t of one person, and (1 - rate)^t D_0 (2, sessions). The same whatever the seed."""
    _, expected = _talk(
        _people(seed, 1, first),
        changed(PLAIN, expectation_up=rate, expectation_down=rate),
        sessions,
        seed,
    )
    return np.stack([0.5 - expected[:, 0], (1 - rate) ** np.arange(sessions) * (0.5 - first)])


def settled(seed: int, data: str, up: float, down: float, people: int, sessions: int) -> Floats:
    """Where the expectation of many people settles, as `Settled` (3,)."""
    bot = changed(PLAIN, performance_sd=1.0, expectation_up=up, expectation_down=down)
    crowd = _people(seed, people, 0.5)
    # Everybody starts at the mean. The first half is several times the time that settling takes.
    _talk(crowd, bot, sessions // 2, seed)
    # Each call starts its sums from zero, so these are over the settled half alone.
    total, expected = _talk(crowd, bot, sessions // 2, seed)
    return np.array(
        Settled(
            expectation=expected.mean() - 0.5,
            disconfirmation=total["disconfirmation"] / total["sessions"],
            expectile=expectile(up / (up + down)),
        )
    )


def failing(seed: int, data: str, rate: float, depth: float, sessions: int) -> Floats:
    """Cost of a failure after t good sessions that exceed what was expected, and beta_down (E_t -
    P_fail) as in the text (2, sessions)."""
    first, good = 0.2, changed(PLAIN, expectation_up=rate)
    _, expected = _talk(_people(seed, 1, first), good, sessions, seed)
    fails = changed(good, failure_depth=depth, failure_rate=1.0)
    made = []
    for e in expected[:, 0]:
        # One more session that is certain to fail shows what a failure would have cost then.
        # A new person will do: without personalisation only expectation enters the cost.
        total, _ = _talk(_people(seed, 1, float(e)), fails, 1, seed)
        made.append(total["hurt"] / total["failures"])
    law = 0.5 - (0.5 - first) * (1 - rate) ** np.arange(sessions) - (0.5 - depth)
    return np.array([made, PLAIN.loss_weight * law])
