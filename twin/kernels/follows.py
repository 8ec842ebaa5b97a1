"""The follow graph as sessions read and change it.

Rows of a sparse matrix hold the follows of the last rebuild; those since then hang in a chain for
each person, so that following somebody moves nothing in memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from twin.ground.compiled import inlined, inner
from twin.kernels.respond import Response

Array = Any


class Follows(NamedTuple):
    """The follow graph (C consumers, E follows): sparse rows of creators per consumer, and a chain
    of follows since the last rebuild."""

    start: Array  # i4 or i8 (C + 1,): where each person's row begins in ``target``
    target: Array  # i2 or i4 (E,): creators followed, -1 for one that was unfollowed
    pending_head: Array  # i4 (C,): the newest new follow, -1 for none
    pending_next: Array  # i4: the one before it, -1 for none
    pending_creator: Array  # i4: whom it follows, -1 for one that was unfollowed
    pending_count: Array  # i8 (1,): new follows in all


@inner
def follows(row, creator, graph):
    """Whether a person follows a creator already."""
    # people who joined since the last rebuild have no row in the matrix
    if row < len(graph.start) - 1:
        for e in range(graph.start[row], graph.start[row + 1]):
            if graph.target[e] == creator:
                return True
    # those since the last rebuild
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0:
        if graph.pending_creator[edge] == creator:
            return True
        edge = graph.pending_next[edge]
    return False


@inner
def unfollow(row, creator, graph):
    """Drop a follow if there is one."""
    if row < len(graph.start) - 1:
        for e in range(graph.start[row], graph.start[row + 1]):
            if graph.target[e] == creator:
                # only marked: gaps are closed at the next rebuild
                graph.target[e] = -1
    edge = graph.pending_head[row] if row < len(graph.pending_head) else -1
    while edge >= 0:
        if graph.pending_creator[edge] == creator:
            graph.pending_creator[edge] = -1
        edge = graph.pending_next[edge]


@inlined
def act(row, creator, mask, graph):
    """Follow or unfollow as a mask of responses says; returns the mask, without a follow of a
    creator who is followed already."""
    if mask >> Response.FOLLOW & 1:
        if follows(row, creator, graph):
            mask &= ~(1 << Response.FOLLOW)
        else:
            # there is a place for it: they are reserved before a window
            edge = graph.pending_count[0]
            graph.pending_creator[edge] = creator
            graph.pending_next[edge] = graph.pending_head[row]
            graph.pending_head[row] = edge
            graph.pending_count[0] = edge + 1
    # whoever hides a post has had enough of its creator
    if mask >> Response.HIDE & 1:
        unfollow(row, creator, graph)
    return mask
