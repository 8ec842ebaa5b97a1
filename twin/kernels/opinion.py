"""Opinion dynamics on a follow graph (see `Graph`).

With (W x)_i the mean opinion of those whom i follows (x_i itself where there are none), all people
move at once:

    Friedkin-Johnsen 1990   x <- x + rate (lambda W x + (1 - lambda) anchor - x)      lambda_i = 1 -
                            stubbornness_i
    DeGroot 1974            the same with lambda = 1

whose fixed point, x* = (I - Lambda W)^-1 (I - Lambda) anchor, does not depend on the rate. `rest`
finds it by Gauss-Seidel sweeps in the order of rows, x_i <- lambda_i (W x)_i + (1 - lambda_i)
anchor_i with what the sweep has found already: with q = max lambda < 1 each sweep brings x nearer
by a factor q at least (maximum norm), so after a sweep that moved nobody by more than d the error
is at most d q / (1 - q).

Bounded confidence: only what lies within the tolerance is heard.

    Hegselmann-Krause 2002   x <- x + rate lambda (B x - x), all at once; (B x)_i the mean of x_i
                             and of the voices that i follows and that lie within the tolerance of
                             x_i
    Deffuant et al. 2000     pairs meet one after another, and those within the tolerance draw
                             nearer by a share mu
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, kernel
from twin.ground.draws import unit, words

Array = Any


class Graph(NamedTuple):
    """Whom people follow, in CSR form, and who creators are."""

    start: Array  # int (n + 1,)
    target: Array  # int (edges,), creators by person; -1 for a dropped follow
    person: Array  # i4, of creators: the person behind each, -1 for an AI
    slant: Array  # f4, of creators


class Meetings(NamedTuple):
    """Luck of one day's meetings, keyed by (person, day)."""

    stream: Array  # u8
    key: Array  # u8 (n,)
    occasion: Array  # day
    here: Array  # bool (n,), who meets somebody


@inlined
def voice(creator, x, person, slant):
    """Opinion that a creator stands for: that of the person behind it, or the slant of an AI."""
    return x[person[creator]] if person[creator] >= 0 else np.float64(slant[creator])


@kernel
def peers(x, graph):
    """W x: float64 (n,), the mean voice of those whom each person follows, added up in the order of
    the edges."""
    # out of the tuple once: numba counts who holds an array at every use of it in a loop
    start, target, person, slant = graph.start, graph.target, graph.person, graph.slant
    # whoever follows nobody, or joined since the graph was rebuilt, keeps x
    out = x.copy()
    for i in range(min(len(x), len(start) - 1)):
        total, count = 0.0, 0
        for e in range(start[i], start[i + 1]):
            if target[e] >= 0:
                total += voice(target[e], x, person, slant)
                count += 1
        if count:
            out[i] = total / count
    return out


@kernel
def friedkin_johnsen(x, anchor, susceptibility, rate, graph):
    """One synchronous step; ``susceptibility`` is lambda (all ones: DeGroot). Float64 arrays
    (n,)."""
    out = peers(x, graph)
    for i in range(len(x)):
        aim = susceptibility[i] * out[i] + (1.0 - susceptibility[i]) * anchor[i]
        out[i] = x[i] + rate * (aim - x[i])
    return out


@kernel
def rest(x, anchor, susceptibility, rows, within, most, graph):
    """Move the opinions of ``rows`` (in place) to the fixed point of Friedkin-Johnsen under their
    peers, all others held where they are.

    Ends once the error is below ``within`` (see above; where somebody is open to the full, once a
    sweep moves nobody by more), or after ``most`` sweeps. Whoever follows nobody is at the anchor.
    Returns the sweeps made. Float64 arrays (n,), rows int64.
    """
    start, target, person, slant = graph.start, graph.target, graph.person, graph.slant
    widest = 0.0
    for i in rows:
        widest = max(widest, susceptibility[i])
    # d q / (1 - q) <= within, solved for d
    enough = within * (1.0 - widest) / widest if 0.0 < widest < 1.0 else within
    for sweep in range(most):
        furthest = 0.0
        for i in rows:
            total, count = 0.0, 0
            if i < len(start) - 1:
                for e in range(start[i], start[i + 1]):
                    if target[e] >= 0:
                        total += voice(target[e], x, person, slant)
                        count += 1
            found = anchor[i]
            if count:
                found = susceptibility[i] * (total / count) + (1.0 - susceptibility[i]) * anchor[i]
            furthest = max(furthest, abs(found - x[i]))
            # in place: rows after this one hear it in the same sweep
            x[i] = found
        if furthest <= enough:
            return sweep + 1
    return most


@kernel
def hegselmann_krause(x, susceptibility, rate, tolerance, graph):
    """One synchronous step of bounded-confidence averaging; whoever follows themselves still counts
    once."""
    start, target, person, slant = graph.start, graph.target, graph.person, graph.slant
    out = x.copy()
    for i in range(min(len(x), len(start) - 1)):
        # everybody hears themselves
        total, count = x[i], 1
        for e in range(start[i], start[i + 1]):
            if target[e] >= 0 and person[target[e]] != i:
                heard = voice(target[e], x, person, slant)
                if abs(heard - x[i]) <= tolerance:
                    total += heard
                    count += 1
        out[i] = x[i] + rate * susceptibility[i] * (total / count - x[i])
    return out


@kernel
def deffuant(x, susceptibility, mu, tolerance, meetings, graph):
    """One meeting per present person, in the order of rows, with someone they follow; both move
    where both are people."""
    start, target, person, slant = graph.start, graph.target, graph.person, graph.slant
    stream, key, here = meetings.stream, meetings.key, meetings.here
    occasion = meetings.occasion
    # a meeting sees what those before it changed; the caller's opinions stay
    x = x.copy()
    for i in range(min(len(x), len(start) - 1)):
        degree = start[i + 1] - start[i]
        if degree == 0 or not here[i]:
            continue
        luck, _, _, _ = words(stream, key[i], occasion, 0)
        creator = target[start[i] + int(unit(luck) * degree)]
        # a dropped follow was drawn: no meeting today
        if creator < 0:
            continue
        gap = voice(creator, x, person, slant) - x[i]
        if abs(gap) <= tolerance:
            x[i] += mu * susceptibility[i] * gap
            j = person[creator]
            if j >= 0:
                x[j] -= mu * susceptibility[j] * gap
    return x


@kernel
def exposure(x, susceptibility, rate, mean_pull, count):
    """Opinions after ``count`` posts: n steps of ``rate`` towards one place go 1 - (1 - rate)^n of
    the mean pull's way."""
    out = x.copy()
    for i in range(len(x)):
        if count[i] > 0:
            moved = x[i] + susceptibility[i] * (1.0 - (1.0 - rate) ** count[i]) * mean_pull[i]
            # repulsion could push beyond the ends of the scale
            out[i] = min(1.0, max(-1.0, moved))
    return out
