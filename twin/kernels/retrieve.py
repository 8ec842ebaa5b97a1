"""Candidates of one session, from the serving snapshot alone: nothing here knows what a person or
post truly is.

Candidate sources, each with a quota: posts of followed creators, newest first; the nearest posts of
a two-tower index (`twin.kernels.nearest`); trending; exploration (posts that few have seen); posts
linked to those viewed last, as co-viewed or bought together; and, where slots are kept for them,
posts of small creators. A post seen lately, or already a candidate, is skipped: ``mark`` (P,) says
so.

Some slots, or all, are filled by a uniform draw instead (`drawn`), which depends on nothing but
what is eligible and what the person has seen lately.
"""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import unit, words
from twin.kernels.rules import Ranking, Source

EACH = 3
"""Newest posts of a creator followed that may be candidates."""


@inlined
def take(post, flag, n, room):
    """Make a post of source ``flag`` candidate number n unless it is one already or was seen
    lately; returns how many there are."""
    if not room.mark[post]:
        room.mark[post] = True
        room.cand[n] = post
        room.source[n] = flag
        return n + 1
    return n


@inlined
def _newest_of(creator, limit, n, serve, room):
    """Append the newest posts of a creator, up to ``limit`` candidates in all."""
    if 0 <= creator < len(serve.creator_start) - 1:
        first, end = serve.creator_start[creator], serve.creator_start[creator + 1]
        for k in range(first, min(end, first + EACH)):
            if n < limit:
                n = take(serve.creator_post[k], Source.IN_NETWORK, n, room)
    return n


@inner
def in_network(row, luck, rules, serve, graph, room):
    """The first candidates: newest posts of followed creators, from a random place in the follow
    list, at most ``scan`` creators; then of those followed since the graph was rebuilt. Returns how
    many there are."""
    n, limit = 0, rules.quota[Source.IN_NETWORK]
    if row < len(graph.start) - 1:
        first, count = graph.start[row], graph.start[row + 1] - graph.start[row]
        # from a random place, so that whoever follows many comes across all of them in time
        shift = int(luck * count)
        for i in range(min(count, rules.scan)):
            if n >= limit:
                return n
            j = i + shift
            creator = graph.target[first + (j - count if j >= count else j)]
            n = _newest_of(creator, limit, n, serve, room)
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0 and n < limit:
        n = _newest_of(graph.pending_creator[edge], limit, n, serve, room)
        edge = graph.pending_next[edge]
    return n


@inner
def listed(luck, posts, flag, quota, n, room):
    """Append up to ``quota`` unseen posts of a list, from its start (trending) or, with ``luck`` >=
    0, from a random place."""
    count = len(posts)
    shift = int(luck * count) if luck >= 0 else 0
    limit = n + quota
    # where nearly all was seen, looking through a long list would take too long
    for i in range(min(count, 4 * quota)):
        if n >= limit:
            break
        j = i + shift
        n = take(posts[j - count if j >= count else j], flag, n, room)
    return n


@inner
def linked(viewed, links, flag, quota, n, can, room):
    """Append up to ``quota`` posts that may be shown (``can``) of those linked to the ones viewed
    last: every one's best link first, then the second, and so on."""
    limit = n + quota
    for j in range(links.shape[1]):
        for s in range(len(viewed)):
            if n >= limit:
                return n
            # -1 for nothing viewed yet; a row beyond the links has none
            if 0 <= viewed[s] < links.shape[0]:
                post = links[viewed[s], j]
                if post >= 0 and can[post]:
                    n = take(post, flag, n, room)
    return n


@inlined
def _hold(place, held, count):
    """Enter a place into the ascending ``held``, once; returns how many these are."""
    at = count
    while at > 0 and held[at - 1] >= place:
        at -= 1
    if at < count and held[at] == place:
        return count
    for k in range(count, at, -1):
        held[k] = held[k - 1]
    held[at] = place
    return count + 1


@inner
def drawn(row, arm, slots, people, serve, stream, room):
    """Decide which of the first ``slots`` slots show a uniform draw, and draw; returns how many do.

    A slot does with probability ``random_share``, and every slot where the ranking is random: by
    luck of its own, (person, session, slot), which nothing else reads. It shows any of the eligible
    posts that were neither seen lately nor drawn before, each as likely: a rank among them, then
    past all ``held`` (places in the ascending ``eligible``) up to it. Fills ``room.drawn`` with
    posts, -1 for other slots, and ``room.flag`` with sources; marks what was drawn.
    """
    rules, eligible, held, seen = serve.rules[arm], serve.eligible, room.held, people.seen[row]
    every = rules.ranking == Ranking.RANDOM
    # ranks among posts that are left, not draws until one is free: luck is used once a slot
    many, count, found = len(eligible), 0, 0
    for s in range(len(seen)):
        if seen[s] >= 0 and serve.can[seen[s]]:
            count = _hold(np.searchsorted(eligible, seen[s]), held, count)
    for slot in range(slots):
        # draws 0 and 1 of a session are its plan and its shelf
        a, b, _, _ = words(stream, people.key[row], people.sessions[row], 2 + slot)
        chosen = unit(a) < rules.random_share
        room.drawn[slot], room.flag[slot] = -1, Source.RANDOM if chosen else Source.UNIFORM
        if (chosen or every) and count < many:
            place = int(unit(b) * (many - count))
            # step over what is held, which rises: the rank becomes a place in ``eligible``
            for k in range(count):
                if held[k] > place:
                    break
                place += 1
            count = _hold(place, held, count)
            room.drawn[slot] = eligible[place]
            room.mark[eligible[place]] = True
            found += 1
    return found
