"""One chatbot session after another, each at its own time; people meet only in the reward model
that chooses answers.

With expectation E, trust T, concern C, memory M of the assistant, anthropomorphism A, and
personalisation g:

    P = base + gain g M + noise z - (depth if the session fails) + said   performance met
    D = P - E                                                             disconfirmation
    S = alpha E + beta_up max(D, 0) - beta_down max(-D, 0)                satisfaction (Oliver 1980)
    E <- E + lambda_up max(D, 0) - lambda_down max(-D, 0)                 the ratchet, where lambda_up > lambda_down
    T <- T + k (S cut to 0..1 - T)
    disclosed = d g T (1 - C) (1 - nu (1 - exp(-n / N)))                  less once the novelty has worn off, n = sessions so far
    C <- (1 - fade) C + p disclosed     M <- M + m disclosed (1 - M)
    A <- A + a g (1 - A) where D >= 0,  A - b g A where D < 0
    attachment <- attachment exp(-absence / F), then + r A (1 - attachment)

so that g = 0 leaves P, T, C flat once E has met P. The next session comes after an exponential gap
of mean 1 / (rate exp(u (S - base))), or never: P(stop) = h exp(w (base - S) + v C - x attachment).

Answers. A share of sessions asks what touches on the person's stance. The true answer is worth dq
more and agrees with the person (s = 1) or not (s = -1), the false one says the opposite. What an
answer is worth to the person is q + b a_u s, with an own taste a_u for being agreed with. The
assistant gives the answer that its reward model prefers (`twin.kernels.reward`; features s, with an
own weight per person, and q, pooled; a tie goes to the truth); some people are shown both and say
which they like better,

    P(true preferred) = sigmoid((dq + 2 b a_u s) / noise),

and that is all that the model learns from. ``said`` is what the answer given was worth, less dq: 0
for the truth told to somebody who does not care. Only g times the reward model's share of what is
the person's own is served, and without memory none.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel
from twin.ground.draws import unit, words
from twin.kernels.reward import margin, update

Array = Any
DAY, NEVER = 86400, 2**62
REMEMBERED = 128
"""Answers after which a person's counts of answers are halved: recent ones weigh more, and a byte
holds them."""
(
    T_SESSIONS,
    T_FAILURES,
    T_HURT,
    T_SATISFACTION,
    T_STOPPED,
    T_DISCONFIRMATION,
    T_PERFORMANCE,
    T_DISCLOSED,
    T_CONTESTED,
    T_FALSE,
    T_COMPARED,
    T_FORESEEN,
) = range(12)
T_SIZE = 12


class Chatters(NamedTuple):
    """Columns of those who take the assistant up, one entry per row, and one of all consumers."""

    key: Array  # u8
    left_at: Array  # i4 s, of consumers
    person: Array  # i4, row of the consumer
    next_at: Array  # i8 s
    sessions: Array  # i4
    rate: Array  # f4 sessions/d at neutral satisfaction
    expectation: Array
    trust: Array
    concern: Array
    memory: Array
    anthropomorphism: Array
    attachment: Array
    last: Array  # i4 s
    use: Array  # sessions/d, as of the last session
    taste: Array  # a_u
    answers: Array  # u1 (n, 2): answers where stance mattered, and how many of them agreed
    pull: Array  # f4 (n, 1), of the reward model
    precision: Array  # f4 (n, 1)


class Offer(NamedTuple):
    """What each session's person is offered, one entry per session."""

    personalisation: Array  # g
    remembers: Array  # bool
    failure_rate: Array
    own: Array  # share of a person's own deviation that the reward model serves


class Chatbot(NamedTuple):
    """Parameters of the equations above."""

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
    novelty: float
    novelty_sessions: float
    concern_rate: float
    concern_fade: float
    memory_rate: float
    human_rate: float
    human_loss: float
    attachment_rate: float
    attachment_fade: float  # d
    use_window: float  # d
    usage_effect: float
    stop: float
    stop_effect: float
    stop_concern: float
    stop_attachment: float
    contested: float  # share of sessions where stance matters
    truth_agrees: float  # share of those where the truth is on the person's side
    truth_value: float  # mean of dq
    truth_log_sd: float
    agreement: float  # b
    feedback: float  # share of those where both answers are compared
    comparison_noise: float
    spread: float  # of the reward model


@inlined
def _normal(a, b):
    return math.sqrt(-2.0 * math.log(unit(a))) * math.cos(2.0 * math.pi * unit(b))


@inner
def answer(i, n, people, bot, own, remembers, stream, reward, total, x, side, compares):
    """Say the true or the false answer, learn from a comparison where there is one, and count: what
    was said was worth."""
    a, b, preferring, _ = words(stream, people.key[i], n, 2)
    dq = bot.truth_value
    if bot.truth_log_sd > 0.0:
        dq *= math.exp(bot.truth_log_sd * _normal(a, b) - 0.5 * bot.truth_log_sd**2)
    x[0], x[1] = 2.0 * side, dq
    lean = margin(i, x, people.pull, people.precision, reward, bot.spread, own)
    liking = bot.agreement * people.taste[i] * side
    true = lean >= 0.0
    if compares:
        prefers = unit(preferring) < 1.0 / (
            1.0 + math.exp(-max(-700.0, (dq + 2.0 * liking) / bot.comparison_noise))
        )
        total[T_COMPARED] += 1.0
        total[T_FORESEEN] += 1.0 if prefers == true else 0.0
        if not prefers:
            x[0], x[1] = -x[0], -x[1]
        update(i if remembers else -1, x, people.pull, people.precision, reward, bot.spread, 1.0)
    if people.answers[i, 0] == REMEMBERED:
        people.answers[i, 0] = REMEMBERED // 2
        people.answers[i, 1] = people.answers[i, 1] // 2
    people.answers[i, 0] += 1
    people.answers[i, 1] += 1 if true == (side > 0.0) else 0
    total[T_CONTESTED] += 1.0
    total[T_FALSE] += 0.0 if true else 1.0
    return liking if true else -liking - dq


@kernel
def chat(rows, people, bot, offer, reward, stream, total, least):
    """One session per row, in the order given, each at the row's own ``next_at``, which moves on by
    ``least`` s or more.

    Luck is keyed by (person, n-th chat). ``reward`` (2, 2) is the reward model's pool, ``total``
    (T_SIZE,) holds running sums; who has left the platform stops.
    """
    x = np.empty(2)
    for j in range(len(rows)):
        i = rows[j]
        t = people.next_at[i]
        if people.left_at[people.person[i]] <= t:
            people.next_at[i] = NEVER
            continue
        n = people.sessions[i]
        g, remembers = offer.personalisation[j], offer.remembers[j]
        a, b, c, d = words(stream, people.key[i], n, 0)
        stop, asks, turn, shown = words(stream, people.key[i], n, 1)
        failed = unit(c) < offer.failure_rate[j]
        memory = np.float64(people.memory[i]) if remembers else 0.0
        expected = np.float64(people.expectation[i])
        met = (
            bot.base
            + bot.gain * g * memory
            + bot.noise * _normal(a, b)
            - (bot.depth if failed else 0.0)
        )
        if unit(asks) < bot.contested:
            side = 1.0 if unit(turn) < bot.truth_agrees else -1.0
            met += answer(
                i,
                n,
                people,
                bot,
                g * offer.own[j] if remembers else 0.0,
                remembers,
                stream,
                reward,
                total,
                x,
                side,
                unit(shown) < bot.feedback,
            )
        up, down = max(met - expected, 0.0), max(expected - met, 0.0)
        satisfied = bot.alpha * expected + bot.beta_up * up - bot.beta_down * down
        people.expectation[i] = expected + bot.lambda_up * up - bot.lambda_down * down
        trust, concern = np.float64(people.trust[i]), np.float64(people.concern[i])
        worn = 1.0 - bot.novelty * (1.0 - math.exp(-n / bot.novelty_sessions))
        disclosed = bot.disclosure * g * trust * (1.0 - concern) * worn
        people.trust[i] = trust + bot.trust_rate * (min(1.0, max(0.0, satisfied)) - trust)
        people.concern[i] = min(
            1.0, (1.0 - bot.concern_fade) * concern + bot.concern_rate * disclosed
        )
        if remembers:
            people.memory[i] = memory + bot.memory_rate * disclosed * (1.0 - memory)
        human = np.float64(people.anthropomorphism[i])
        human = (
            human - bot.human_loss * g * human
            if down > 0.0
            else human + bot.human_rate * g * (1.0 - human)
        )
        people.anthropomorphism[i] = human
        absence = (t - people.last[i]) / DAY
        attached = people.attachment[i] * math.exp(-absence / bot.attachment_fade)
        people.attachment[i] = attached + bot.attachment_rate * human * (1.0 - attached)
        people.use[i] = people.use[i] * math.exp(-absence / bot.use_window) + 1.0 / bot.use_window
        people.last[i] = t
        people.sessions[i] = n + 1
        total[T_SESSIONS] += 1.0
        total[T_SATISFACTION] += satisfied
        total[T_DISCONFIRMATION] += up - down
        total[T_PERFORMANCE] += met
        total[T_DISCLOSED] += disclosed
        if failed:
            total[T_FAILURES] += 1.0
            total[T_HURT] += bot.beta_down * down
        mood = satisfied - bot.base
        if unit(stop) < bot.stop * math.exp(
            bot.stop_concern * people.concern[i]
            - bot.stop_effect * mood
            - bot.stop_attachment * people.attachment[i]
        ):
            people.next_at[i] = NEVER
            total[T_STOPPED] += 1.0
            continue
        pace = max(people.rate[i], 1e-6) * math.exp(bot.usage_effect * max(-5.0, min(5.0, mood)))
        people.next_at[i] = t + least + int(-math.log(unit(d)) / pace * DAY)
