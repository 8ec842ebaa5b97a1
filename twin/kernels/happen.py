"""A planned session happens: responses, counters of posts, follows, the log, and the shelf of
related works.

Only this goes in the order of sessions, since each changes what the next one meets.
"""

from __future__ import annotations

import math

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.ground.draws import unit, words
from twin.kernels.follows import act
from twin.kernels.respond import HEADS, Feature, Meeting, Response, features, logistic, respond
from twin.kernels.rules import Shelf, Source
from twin.kernels.tally import tally_post

OF_HEADS = (1 << HEADS) - 1
"""Bits of a mask that others may know of."""
TYPICAL = 3.5
"""General expectation in stars of a person who is neither easy nor hard to please."""


@inner
def shelf_post(row, links, work, nth, seen, can):
    """The next post on a work's shelf of ``links`` (works, L), from the ``nth`` on, that may be
    shown and was not seen lately (-1: none), and where to look after it."""
    post = -1
    while nth < links.shape[1] and post < 0:
        post = int(links[work, nth])
        nth += 1
        if post >= 0 and not can[post]:
            post = -1
        for s in range(seen.shape[1]):
            if seen[row, s] == post:
                post = -1
    return post, nth


@inlined
def _hang(row, at, place, via, nth, scene, plan):
    """Put the next post of the shelf of work ``via`` at a place of the plan; returns whether there
    is one, and where to look after it."""
    people, posts, serve = scene.people, scene.posts, scene.serve
    kind = serve.rules[people.arm[row]].shelf_kind
    links = serve.random_links if kind == Shelf.RANDOM else serve.co_viewed
    if kind == Shelf.BOUGHT_TOGETHER:
        links = serve.bought_together
    post, nth = shelf_post(row, links, via, nth, people.seen, serve.can)
    if post >= 0:
        plan.post[at, place], plan.source[at, place] = post, Source.SHELF
        # fatigue of a creator counts on the slate alone
        plan.maker[at, place], plan.same[at, place] = posts.creator[post], 0
    return post >= 0, nth


@inlined
def content_with(glad, expectation, habits):
    """How content a person is with a work, by whether they were ``glad`` of it and their general
    ``expectation`` of works, in stars."""
    return (1.0 if glad else -1.0) - habits.shelf_expectation * (expectation - TYPICAL)


@inlined
def looks_on(content, drawn, habits):
    """Chance of looking at the next work on a shelf, of a person who is so ``content`` with the work
    that it belongs to; ``drawn`` is what that adds to its log-odds."""
    if drawn == 0:
        return habits.shelf_patience
    usual = math.log(habits.shelf_patience / (1 - habits.shelf_patience))
    return logistic(usual + drawn * content)


@inlined
def _shelf_depth(row, via, glad, scene):
    """How many posts the person looks at on the shelf of work ``via`` (-1: none was viewed), of
    which they were ``glad`` or not."""
    people, serve, behaviour = scene.people, scene.serve, scene.behaviour
    rules = serve.rules[people.arm[row]]
    # a work whose row lies beyond the links has no shelf
    if 0 <= via < len(serve.co_viewed) and rules.shelf_size > 0 and rules.shelf_kind != Shelf.NONE:
        key, session = people.key[row], people.sessions[row]
        # draw 0 planned the session, draws from 2 on belong to its slots
        luck, _, _, _ = words(behaviour.streams.session, key, session, 1)
        # geometric, by inversion: each further post is looked at with the same chance
        content = content_with(glad, np.float64(people.rating_expectation[row]), behaviour.habits)
        chance = looks_on(content, behaviour.shelf_drawn[rules.shelf_kind], behaviour.habits)
        # rounding may make it 1, whose logarithm would divide by zero
        depth = math.log(unit(luck)) / min(math.log(chance), -1e-9)
        return int(min(depth, np.float64(rules.shelf_size)))
    return 0


@inlined
def _meet(row, at, place, scene, plan, x):
    """What the person does with the post at a place of the plan, by the likes that it has now."""
    people, posts, behaviour = scene.people, scene.posts, scene.behaviour
    post, same = np.int64(plan.post[at, place]), np.int64(plan.same[at, place])
    likes = np.int64(posts.counts[post, Response.LIKE])
    meeting = Meeting(row=row, post=post, likes=likes, same=same, place=place)
    features(meeting, people, posts, scene.makers, behaviour.shown[people.arm[row]], x)
    stranger = plan.source[at, place] != Source.IN_NETWORK
    mask, _ = respond(row, post, behaviour, people, posts, x, stranger)
    plan.mask[at, place], plan.match[at, place] = mask, x[Feature.MATCH]


@inlined
def _count(post, mask, match, posts, total):
    """Counters of a post, and running sums of fractions, after one meeting."""
    if mask >> Response.GLAD & 1:
        posts.enjoyed[post] += 1
    # impressions before this one
    total.popularity += posts.impressions[post]
    posts.impressions[post] += 1
    if mask & OF_HEADS:
        for h in range(HEADS):
            posts.counts[post, h] += mask >> h & 1
    # fractions are summed here and nowhere else: their rounding depends on the order
    total.match += match
    total.quality += np.float64(posts.quality[post])
    total.arousal += np.float64(posts.arousal[post])


@inlined
def _note(row, post, mask, place, source, via, log):
    """One line of the log."""
    at = log.size[0]
    log.consumer[at], log.post[at] = row, post
    # gladness is not logged: nobody but the person knows of it
    log.responses[at], log.place[at] = mask & OF_HEADS, place
    log.source[at], log.via[at] = source, via
    log.size[0] = at + 1


@inner
def happen(row, at, scene, log, plan, total, x):
    """Let session number ``at`` of the plan happen. Writes the plan, posts, follows, log, sums of
    fractions, what was seen, and what the tally keeps of posts."""
    people, posts = scene.people, scene.posts
    likes_shown = scene.behaviour.shown[people.arm[row]].counts_shown
    depth, place, tallied = plan.depth[at], 0, len(scene.tally.person) > 0
    # the work viewed to the end last, posts left to look at on its shelf, and where these begin
    via, left, nth, glad = -1, 0, 0, False
    while True:
        # the work on whose shelf the post hangs
        on = -1
        if place >= depth:
            if left <= 0:
                break
            there, nth = _hang(row, at, place, via, nth, scene, plan)
            if not there:
                break
            left -= 1
            on = via
        post = int(np.int64(plan.post[at, place]))
        # a guess holds until the post has got too many likes; what hangs on a shelf has none yet
        if on >= 0 or (likes_shown and posts.counts[post, Response.LIKE] > plan.until[at, place]):
            _meet(row, at, place, scene, plan, x)
        mask = int(plan.mask[at, place])
        if mask & (1 << Response.FOLLOW | 1 << Response.HIDE):
            # whom the person follows by now cannot be followed again: `act` takes that response out
            mask = act(row, plan.maker[at, place], mask, scene.graph)
            plan.mask[at, place] = mask
        if tallied:
            tally_post(row, post, people, posts, scene.tally)
        _count(post, mask, plan.match[at, place], posts, total)
        _note(row, post, mask, place, int(plan.source[at, place]), on, log)
        # a ring: the oldest memory gives way
        people.seen[row, people.seen_at[row]] = post
        people.seen_at[row] = (people.seen_at[row] + 1) % people.seen.shape[1]
        # a shelf follows works of the slate alone: shelves lead to no further shelf
        if posts.work[post] and mask >> Response.LONG_VIEW & 1 and place < depth:
            via, glad = post, bool(mask >> Response.GLAD & 1)
        place += 1
        if place == depth:
            left = _shelf_depth(row, via, glad, scene)
    plan.shown[at] = place
