"""When a person comes, and when they come again, or that they do not.

After a session the next one is drawn:

    again today with P(again), after a lognormal gap of at least 30 min, if that is still the same
    local day; else on day +G, G geometric with P = sigmoid(return_logit + effect * (satisfaction -
    reference)), at an hour drawn from the diurnal curve in local time; or never: P(leave) = hazard
    * exp(-k (satisfaction - reference)).

Heterogeneous return_logit across people is what makes the hazard of returning fall (a mixture of
geometrics; beta-geometric, Fader & Hardie 2007).
"""

from __future__ import annotations

import math

from twin.ground.compiled import inlined, inner
from twin.ground.draws import unit, words
from twin.kernels.respond import logistic
from twin.kernels.totals import GAP_BINS, KEPT

DAY, HOUR, NEVER = 86400, 3600, 2**62
FAR_DAYS = 1e6
"""Whoever would come back later than this does not."""


@inner
def hour_of(u, hours):
    """Second of the local day at cumulated diurnal share u."""
    h = 0
    while h < 23 and hours[h + 1] <= u:
        h += 1
    # an hour in which nobody comes must not divide by zero
    inside = (u - hours[h]) / max(hours[h + 1] - hours[h], 1e-12)
    return h * HOUR + min(int(inside * HOUR), HOUR - 1)


@inner
def days_until(wait, day, weights):
    """Days from local ``day`` to the next visit: the first k whose days' weights add up to more
    than ``wait``, which is in days of weight 1. Days beyond the calendar weigh 1."""
    last = len(weights) - 1
    at = min(day + 1, last)
    # beyond the calendar, or without one, every day weighs 1
    if last < 0 or weights[last] - weights[at] <= wait:
        known, beyond = (weights[last] - weights[at], last - at) if last >= 0 else (0.0, 0)
        return beyond + 1 + int(min(wait - known, FAR_DAYS))
    low, high = at, last  # weights[low] <= goal < weights[high]
    goal = weights[at] + wait
    while high - low > 1:
        middle = (low + high) // 2
        if weights[middle] > goal:
            high = middle
        else:
            low = middle
    return high - at


@inlined
def _leaves(row, mood, people, habits):
    """The chance that a person leaves for good after a session; ``mood`` is satisfaction less the
    reference."""
    leave = habits.leave
    # a newcomer, who may find that this is not for them
    if people.joined_at[row] > 0 and habits.churn_a > 0:
        # beta-geometric; the session that ends here is counted already
        leave += habits.churn_a / (habits.churn_a + habits.churn_b + people.sessions[row] - 1)
    return leave * math.exp(-habits.leave_effect * mood)


@inner
def next_visit(row, t, people, behaviour, earliest):
    """Time of a person's next session, or NEVER; moves the visit's own luck with the session
    count."""
    habits, stream = behaviour.habits, behaviour.streams.visit
    # luck is drawn for every purpose apart, used or not, so that none shifts with another
    a, b, c, d = words(stream, people.key[row], people.sessions[row], 0)
    e, f, _, _ = words(stream, people.key[row], people.sessions[row], 1)
    mood = people.satisfaction[row] - habits.satisfaction_reference
    if unit(e) < _leaves(row, mood, people, habits):
        return NEVER
    local = t + people.tz[row] * HOUR
    day = local // DAY
    again = habits.again
    if again > 0:
        again = logistic(math.log(again / (1 - again)) + habits.return_effect * mood)
    if unit(a) < again:
        # Box and Muller: the wait must not depend on how many draws a rejection takes
        normal = math.sqrt(-2 * math.log(unit(b))) * math.cos(2 * math.pi * unit(c))
        gap = int(math.exp(habits.log_again_gap + habits.again_gap_sd * normal))
        later = local + max(earliest, gap)
        # past midnight it would be a visit of another day, whose chance is the one below
        if later // DAY == day:
            return t + (later - local)
    p = logistic(people.return_logit[row] + habits.return_effect * mood)
    # geometric, by inversion; P is held below 1, where log1p has its pole
    days = days_until(math.log(unit(d)) / math.log1p(-min(p, 0.999999)), day, behaviour.days)
    return max(t + earliest, t - local + (day + days) * DAY + hour_of(unit(f), behaviour.hours))


@inlined
def arrive(row, people, total):
    """Count a visit, by local hour and by days since the last, in a record of TOTALS."""
    local = people.next_at[row] + people.tz[row] * HOUR
    day = local // DAY
    total.sessions += 1
    total.hours[(local % DAY) // HOUR] += 1
    if people.last_day[row] >= 0 and day > people.last_day[row]:
        total.gaps[min(day - people.last_day[row], GAP_BINS) - 1] += 1
    if people.joined_at[row] > 0:
        if people.sessions[row] == 0:
            total.first += 1
        # a day counts once, however often the person comes
        elif day > people.last_day[row]:
            since = day - (people.joined_at[row] + people.tz[row] * HOUR) // DAY
            for k in range(len(KEPT)):
                if since == KEPT[k]:
                    total.kept[k] += 1
    people.last_day[row] = day
