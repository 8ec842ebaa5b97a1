"""What an experimenter counts of every person, and of every post by arm, between two readings.

Sessions write here only where the world has the experimenter's mechanism; elsewhere a `Tally` is
empty and costs a test of its length per session. A person has one session in a window, so threads
never write the same record, and the sums of one person's fractions run in the order of their own
sessions: the bytes do not depend on threads. Counts of posts are written as sessions happen, in
order.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.compiled import inlined, inner
from twin.kernels.respond import HEADS, Response
from twin.kernels.rules import SOURCES, Source

Array = Any
# not aligned: a checkpoint keeps no such flag, and kernels would compile again for what is loaded
PERSON = np.dtype(
    [
        ("visits", "f4"),  # sessions
        ("impressions", "f4"),
        ("match", "f4"),  # over impressions, as all that have no count of their own
        ("quality", "f4"),
        ("arousal", "f4"),
        ("arousal_square", "f4"),
        ("popularity", "f4"),  # impressions that the post had before
        ("log_likes", "f4"),  # log(1 + likes) that it had before
        ("hostility", "f4"),  # arousal x half the distance of slant and opinion
        ("hostility_square", "f4"),
        ("enjoyed", "f4"),
        ("regret", "f4"),  # opened, and not glad of it
        ("cross", "f4"),  # impressions of posts that lean to the other side
        ("cross_enjoyed", "f4"),
        ("outside", "f4"),  # impressions from outside the network
        ("ai", "f4"),  # impressions of posts by AI creators, and clicks on them
        ("ai_clicks", "f4"),
        ("small", "f4"),  # likewise of small creators
        ("small_clicks", "f4"),
        ("works", "f4"),  # impressions of long-lived works
        ("aroused", "f4"),  # impressions of posts above the mark of arousal
        ("heads", "f4", (HEADS,)),  # responses
        ("aroused_heads", "f4", (HEADS,)),  # to posts above that mark
        ("sources", "f4", (len(SOURCES),)),  # impressions by source
        ("source_clicks", "f4", (len(SOURCES),)),
    ]
)
"""Sums of one person since the last reading."""
CHATTER = np.dtype([("chats", "f4"), ("chat_satisfaction", "f4"), ("disclosed", "f4")])
"""Sums over one chatter's sessions since the last reading."""
NOBODY = np.zeros(0, CHATTER)


class Tally(NamedTuple):
    """Where sessions are counted (C consumers, P posts, A arms, K communities); all of length 0
    where nobody reads arms."""

    person: Array  # PERSON (C,)
    opened: Array  # f4 (C, K): posts opened by community of the creator, fading
    shown: Array  # i4 (P, A): impressions of each post by arm
    community: Array  # i2 (creators,)
    mark: Array  # f8 (1,): the mark of arousal


def no_tally() -> Tally:
    """Nothing is counted."""
    community = np.zeros(0, np.int16)
    # as the views of columns are: kernels would compile once more for an array of another type
    community.flags.writeable = False
    return Tally(
        person=np.zeros(0, PERSON),
        opened=np.zeros((0, 0), np.float32),
        shown=np.zeros((0, 0), np.int32),
        community=community,
        mark=np.zeros(1),
    )


def values(counted: NDArray[Any], name: str) -> NDArray[np.float64]:
    """The sums of a name in records of PERSON or CHATTER, float64 (rows,) or (rows, values);
    ``clicks`` is the first head."""
    found = counted["heads"][:, Response.CLICK] if name == "clicks" else counted[name]
    return found.astype(np.float64)


@inlined
def tally_post(row, post, people, posts, tally):
    """Count one impression of a post, before the post's own counter does."""
    mine = tally.person[row]
    mine.popularity += posts.impressions[post]
    mine.log_likes += math.log1p(float(posts.counts[post, Response.LIKE]))
    tally.shown[post, people.arm[row]] += 1


@inlined
def _kind(row, post, maker, clicked, mask, scene, mine):
    """Count what kind of post was met."""
    posts, tally = scene.posts, scene.tally
    arousal, slant = posts.arousal[post], posts.slant[post]
    opinion = scene.people.opinion[row]
    hostility = arousal * abs(slant - opinion) * np.float32(0.5)
    mine.quality += posts.quality[post]
    mine.arousal += arousal
    mine.arousal_square += arousal * arousal
    mine.hostility += hostility
    mine.hostility_square += hostility * hostility
    glad = mask >> Response.GLAD & 1
    mine.enjoyed += glad
    mine.regret += clicked & (1 - glad)
    if slant * opinion < 0:
        mine.cross += 1
        mine.cross_enjoyed += glad
    if scene.makers.ai[maker]:
        mine.ai += 1
        mine.ai_clicks += clicked
    if scene.serve.item_small[post]:
        mine.small += 1
        mine.small_clicks += clicked
    if posts.work[post]:
        mine.works += 1
    if clicked:
        tally.opened[row, tally.community[maker]] += 1
    heads = mine.heads
    for h in range(HEADS):
        heads[h] += mask >> h & 1
    if arousal > tally.mark[0]:
        mine.aroused += 1
        aroused = mine.aroused_heads
        for h in range(HEADS):
            aroused[h] += mask >> h & 1


@inner
def tally_session(row, at, scene, plan):
    """Count the session that happened as number ``at`` of the plan. Writes the person's record and
    what the person opened."""
    mine = scene.tally.person[row]
    mine.visits += 1
    sources, source_clicks = mine.sources, mine.source_clicks
    for place in range(plan.shown[at]):
        mask, source = int(plan.mask[at, place]), plan.source[at, place]
        clicked = mask >> Response.CLICK & 1
        mine.impressions += 1
        mine.match += plan.match[at, place]
        if source != Source.IN_NETWORK:
            mine.outside += 1
        sources[source] += 1
        source_clicks[source] += clicked
        _kind(row, plan.post[at, place], plan.maker[at, place], clicked, mask, scene, mine)
