"""One chatbot session after another, each at its own time, touching nobody but the person who chats.

With expectation E, trust T, concern C, memory M of the assistant, anthropomorphism A, and personalisation g:

    P = base + gain g M + noise z - (depth if the session fails)          performance met
    D = P - E                                                             disconfirmation
    S = alpha E + beta_up max(D, 0) - beta_down max(-D, 0)                satisfaction (Oliver 1980)
    E <- E + lambda_up max(D, 0) - lambda_down max(-D, 0)                 the ratchet, where lambda_up > lambda_down
    T <- T + k (S cut to 0..1 - T)
    disclosed = d g T (1 - C)
    C <- (1 - fade) C + p disclosed     M <- M + m disclosed (1 - M)
    A <- A + a g (1 - A) where D >= 0,  A - b g A where D < 0

so that g = 0 leaves P, T, C flat once E has met P. The next session comes after an exponential gap of mean
1 / (rate exp(u (S - base))), or never: P(stop) = h exp(w (base - S) + v C).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba as nb
import numpy as np

from twin.draws import unit, words

Array = Any
DAY, NEVER = 86400, 2**62
(T_SESSIONS, T_FAILURES, T_HURT, T_SATISFACTION, T_STOPPED, T_DISCONFIRMATION) = range(6)
T_SIZE = 6


class Chatters(NamedTuple):
    """Columns of consumers, one entry per row."""

    key: Array  # u8
    left_at: Array  # i8 s
    next_at: Array  # i8 s
    sessions: Array  # i4
    rate: Array  # f4 sessions/d at neutral satisfaction
    expectation: Array
    trust: Array
    concern: Array
    memory: Array
    anthropomorphism: Array


class Chatbot(NamedTuple):
    """Parameters of the equations above; levers included."""

    personalisation: float
    remembers: bool
    failure_rate: float
    base: float
    gain: float
    noise: float
    depth: float
    alpha: float
    beta_up: float
    beta_down: float
    lambda_up: float
    lambda_down: float
    trust_rate: float
    disclosure: float
    concern_rate: float
    concern_fade: float
    memory_rate: float
    human_rate: float
    human_loss: float
    usage_effect: float
    stop: float
    stop_effect: float
    stop_concern: float


@nb.njit(cache=True)
def chat(rows, people, bot, stream, total, least):
    """One session per row, in the order given, each at the row's own ``next_at``, which moves on by ``least`` s or more.

    Luck is keyed by (person, n-th chat). ``total`` (T_SIZE,) holds running sums; who has left the platform stops.
    """
    for i in rows:
        t = people.next_at[i]
        if people.left_at[i] <= t:
            people.next_at[i] = NEVER
            continue
        n = people.sessions[i]
        a, b, c, d = words(stream, people.key[i], n, 0)
        stop, _, _, _ = words(stream, people.key[i], n, 1)
        normal = math.sqrt(-2.0 * math.log(unit(a))) * math.cos(2.0 * math.pi * unit(b))
        failed = unit(c) < bot.failure_rate
        memory = np.float64(people.memory[i]) if bot.remembers else 0.0
        expected = np.float64(people.expectation[i])
        met = bot.base + bot.gain * bot.personalisation * memory + bot.noise * normal - (bot.depth if failed else 0.0)
        up, down = max(met - expected, 0.0), max(expected - met, 0.0)
        satisfied = bot.alpha * expected + bot.beta_up * up - bot.beta_down * down
        people.expectation[i] = expected + bot.lambda_up * up - bot.lambda_down * down
        trust, concern = np.float64(people.trust[i]), np.float64(people.concern[i])
        disclosed = bot.disclosure * bot.personalisation * trust * (1.0 - concern)
        people.trust[i] = trust + bot.trust_rate * (min(1.0, max(0.0, satisfied)) - trust)
        people.concern[i] = min(1.0, (1.0 - bot.concern_fade) * concern + bot.concern_rate * disclosed)
        if bot.remembers:
            people.memory[i] = memory + bot.memory_rate * disclosed * (1.0 - memory)
        human = np.float64(people.anthropomorphism[i])
        if down > 0.0:
            people.anthropomorphism[i] = human - bot.human_loss * bot.personalisation * human
        else:
            people.anthropomorphism[i] = human + bot.human_rate * bot.personalisation * (1.0 - human)
        people.sessions[i] = n + 1
        total[T_SESSIONS] += 1.0
        total[T_SATISFACTION] += satisfied
        total[T_DISCONFIRMATION] += up - down
        if failed:
            total[T_FAILURES] += 1.0
            total[T_HURT] += bot.beta_down * down
        mood = satisfied - bot.base
        if unit(stop) < bot.stop * math.exp(bot.stop_concern * people.concern[i] - bot.stop_effect * mood):
            people.next_at[i] = NEVER
            total[T_STOPPED] += 1.0
            continue
        pace = max(people.rate[i], 1e-6) * math.exp(bot.usage_effect * max(-5.0, min(5.0, mood)))
        people.next_at[i] = t + least + int(-math.log(unit(d)) / pace * DAY)
