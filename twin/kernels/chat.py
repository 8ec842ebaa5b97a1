"""One chatbot session after another, each at its own time; people meet only in the reward model
that chooses answers.

With expectation E, trust T, concern C, memory M of the assistant, anthropomorphism A, and
personalisation g (parameters, on the right of each line, have the names of `ChatbotsParams`):

    P = performance + gain g M + noise z - (depth if the session fails) + said   performance met
    D = P - E                                                             disconfirmation
    S = alpha E + beta_up max(D, 0) - beta_down max(-D, 0)                satisfaction (Oliver 1980)
    E <- E + lambda_up max(D, 0) - lambda_down max(-D, 0)                 the ratchet, where
                                                                          lambda_up > lambda_down
    T <- T + k (S cut to 0..1 - T)
    disclosed = d g T (1 - C) (1 - nu (1 - exp(-n / N)))                  less once the novelty has
                                                                          worn off, n = sessions so
                                                                          far
    C <- (1 - fade) C + p disclosed     M <- M + m disclosed (1 - M)
    A <- A + a g (1 - A) where D >= 0,  A - b g A where D < 0
    attachment <- attachment exp(-absence / F), then + r A (1 - attachment)

so that g = 0 leaves P, T, C flat once E has met P. Symbols and names:

    gain personalisation_gain   noise performance_sd   depth failure_depth   alpha assimilation
    beta_up gain_weight   beta_down loss_weight   lambda_up expectation_up   lambda_down
    expectation_down   k trust_rate   d disclosure   nu novelty   N novelty_sessions   fade
    concern_fade   p concern_rate   m memory_rate   a human_rate   b human_loss
    F attachment_fade   r attachment_rate   u usage_effect   h stop   w stop_effect
    v stop_concern   x stop_attachment

The next session comes after an exponential gap of mean 1 / (rate exp(u (S - performance))), or
never: P(stop) = h exp(w (performance - S) + v C - x attachment).

Answers. A share of sessions asks about something that touches the person's stance. The true answer
is worth dq more and agrees with the person (s = 1) or not (s = -1); the false one says the
opposite. An answer is worth q + b a_u s to the person, with b = agreement and the person's own
taste a_u for being agreed with. The assistant gives the answer that its reward model prefers
(`twin.kernels.reward`; features s, with an own weight per person, and q, pooled; a tie goes to the
truth). Some people are shown both and say which they like better,

    P(true preferred) = sigmoid((dq + 2 b a_u s) / comparison_noise),

and the model learns from nothing else. ``said`` is the worth of the answer given, less dq: 0 for
the truth told to somebody who does not care. The reward model serves only g times its share of the
person's own deviation, and nothing of it without memory.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel
from twin.ground.draws import unit, words
from twin.kernels.reward import margin, update
from twin.kernels.tally import NOBODY

Array = Any
DAY, NEVER = 86400, 2**62
REMEMBERED = 128
"""Answers after which a person's counts of answers are halved: recent ones weigh more, and a byte
holds them."""
STANCE, QUALITY = range(2)
"""Features of the reward model: how far an answer agrees with the person, and its worth."""
FEATURES = 2
SUMS = np.dtype(
    [
        (name, "f8")
        for name in (
            "sessions",
            "failures",
            "hurt",  # satisfaction lost by disappointment in failed sessions
            "satisfaction",
            "stopped",
            "disconfirmation",
            "performance",
            "disclosed",
            "contested",  # answers to questions that touch the person's stance
            "false",  # of them, false ones
            "compared",
            "foreseen",  # comparisons that the reward model predicted
        )
    ]
)
"""Running sums over all sessions, a record."""


class Chatters(NamedTuple):
    """Columns of those who take the assistant up, one entry per row, and two of all consumers."""

    key: Array  # u8
    left_at: Array  # i4 s, of consumers
    arm: Array  # i1, of consumers; not read where all have the same assistant
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


class Assistant(NamedTuple):
    """What all sessions share."""

    settings: Array  # records of ChatbotsParams, one per arm of consumers
    reward: Array  # f8 (2, FEATURES), pool of the reward model
    stream: Array  # u8
    total: Array  # record of SUMS
    tally: Array = NOBODY  # tally.CHATTER (n,), or (0,) where nobody reads arms


@inlined
def _normal(a, b):
    return math.sqrt(-2.0 * math.log(unit(a))) * math.cos(2.0 * math.pi * unit(b))


@inner
def answer(i, people, assistant, bot, turn, shown, x):
    """Say the true or the false answer, learn from a comparison if there is one, and count.

    ``turn`` and ``shown`` are the luck of whose side the truth is on and of a comparison; ``x``
    (FEATURES,) is scratch. Returns what the answer given was worth, less dq.
    """
    asked, total, remembers = bot.answers, assistant.total, bot.memory
    pull, precision, reward = people.pull, people.precision, assistant.reward
    side = 1.0 if turn < asked.truth_agrees else -1.0
    a, b, preferring, _ = words(assistant.stream, people.key[i], people.sessions[i], 2)
    dq = asked.truth_value
    if asked.truth_log_sd > 0.0:
        sd = asked.truth_log_sd
        # a lognormal factor of mean 1: the mean worth stays ``truth_value``
        dq *= math.exp(sd * _normal(a, b) - 0.5 * sd**2)
    # the true answer less the false one: they differ by two stances and by dq
    x[STANCE], x[QUALITY] = 2.0 * side, dq
    own = bot.personalisation * asked.personalisation if remembers else 0.0
    # a margin of 0, as before any comparison, goes to the truth
    true = margin(i, x, pull, precision, reward, asked.spread, own) >= 0.0
    liking = asked.agreement * people.taste[i] * side
    if shown < asked.feedback:
        # the exponent is held above -700, where exp would overflow
        prefers = unit(preferring) < 1.0 / (
            1.0 + math.exp(-max(-700.0, (dq + 2.0 * liking) / asked.comparison_noise))
        )
        total.compared += 1.0
        total.foreseen += 1.0 if prefers == true else 0.0
        if not prefers:
            # `update` learns that x was preferred: here the false answer less the true one
            x[STANCE], x[QUALITY] = -x[STANCE], -x[QUALITY]
        # without memory the pool learns from the comparison, and nothing is kept of the person
        update(i if remembers else -1, x, pull, precision, reward, asked.spread, 1.0)
    if people.answers[i, 0] == REMEMBERED:
        people.answers[i, 0] = REMEMBERED // 2
        people.answers[i, 1] = people.answers[i, 1] // 2
    people.answers[i, 0] += 1
    people.answers[i, 1] += 1 if true == (side > 0.0) else 0
    total.contested += 1.0
    total.false += 0.0 if true else 1.0
    return liking if true else -liking - dq


@inner
def relate(i, t, people, bot, total, up, satisfied, down):
    """Move what a session changes in the person: expectation, trust, concern, memory,
    anthropomorphism, attachment and recent use. ``up`` and ``down`` are the positive and the
    negative part of disconfirmation. Returns what was disclosed."""
    g, n = bot.personalisation, people.sessions[i]
    expected = np.float64(people.expectation[i])
    people.expectation[i] = expected + bot.expectation_up * up - bot.expectation_down * down
    # what is disclosed follows from trust and concern as they were before this session
    trust, concern = np.float64(people.trust[i]), np.float64(people.concern[i])
    worn = 1.0 - bot.novelty * (1.0 - math.exp(-n / bot.novelty_sessions))
    disclosed = bot.disclosure * g * trust * (1.0 - concern) * worn
    people.trust[i] = trust + bot.trust_rate * (min(1.0, max(0.0, satisfied)) - trust)
    people.concern[i] = min(1.0, (1.0 - bot.concern_fade) * concern + bot.concern_rate * disclosed)
    if bot.memory:
        memory = np.float64(people.memory[i])
        people.memory[i] = memory + bot.memory_rate * disclosed * (1.0 - memory)
    human = np.float64(people.anthropomorphism[i])
    human = (
        human - bot.human_loss * g * human
        if down > 0.0
        else human + bot.human_rate * g * (1.0 - human)
    )
    people.anthropomorphism[i] = human
    # attachment and recent use are held as of the last session: let them fade over the absence
    absence, window = (t - people.last[i]) / DAY, bot.wellbeing.use_window / DAY
    attached = people.attachment[i] * math.exp(-absence / (bot.attachment_fade / DAY))
    people.attachment[i] = attached + bot.attachment_rate * human * (1.0 - attached)
    people.use[i] = people.use[i] * math.exp(-absence / window) + 1.0 / window
    people.last[i] = t
    people.sessions[i] = n + 1
    total.disclosed += disclosed
    return disclosed


@kernel
def chat(rows, people, assistant, least):
    """One session per row, in the order given, each at the row's own ``next_at``, which moves on by
    ``least`` s or more.

    Luck is keyed by (person, n-th chat). Who has left the platform stops.
    """
    x, total, settings = np.empty(FEATURES), assistant.total, assistant.settings
    for i in rows:
        t, person = people.next_at[i], people.person[i]
        if people.left_at[person] <= t:
            people.next_at[i] = NEVER
            continue
        bot = settings[people.arm[person] if len(settings) > 1 else 0]
        n = people.sessions[i]
        # three blocks of luck, so that contested questions leave all other luck as it is
        a, b, c, d = words(assistant.stream, people.key[i], n, 0)
        stop, asks, turn, shown = words(assistant.stream, people.key[i], n, 1)
        failed = unit(c) < bot.failure_rate
        memory = np.float64(people.memory[i]) if bot.memory else 0.0
        # P, performance met
        met = (
            bot.performance
            + bot.personalisation_gain * bot.personalisation * memory
            + bot.performance_sd * _normal(a, b)
            - (bot.failure_depth if failed else 0.0)
        )
        if unit(asks) < bot.answers.contested:
            met += answer(i, people, assistant, bot, unit(turn), unit(shown), x)
        expected = np.float64(people.expectation[i])
        # D in its two parts, and S
        up, down = max(met - expected, 0.0), max(expected - met, 0.0)
        satisfied = bot.assimilation * expected + bot.gain_weight * up - bot.loss_weight * down
        disclosed = relate(i, t, people, bot, total, up, satisfied, down)
        if len(assistant.tally):
            mine = assistant.tally[i]
            mine.chats += 1
            mine.chat_satisfaction += satisfied
            mine.disclosed += disclosed
        total.sessions += 1.0
        total.satisfaction += satisfied
        total.disconfirmation += up - down
        total.performance += met
        if failed:
            total.failures += 1.0
            total.hurt += bot.loss_weight * down
        mood = satisfied - bot.performance
        if unit(stop) < bot.stop * math.exp(
            bot.stop_concern * people.concern[i]
            - bot.stop_effect * mood
            - bot.stop_attachment * people.attachment[i]
        ):
            people.next_at[i] = NEVER
            total.stopped += 1.0
            continue
        # a rate of 0 would divide by zero, and a mood beyond 5 would overflow the gap
        pace = max(people.rate[i], 1e-6) * math.exp(bot.usage_effect * max(-5.0, min(5.0, mood)))
        people.next_at[i] = t + least + int(-math.log(unit(d)) / pace * DAY)
