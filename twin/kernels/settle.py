"""A session that happened is settled: what the person keeps of it, and the next visit.

Satisfaction moves by rate (enjoyed share - hurt / 2 - satisfaction) with every session.
"""

from __future__ import annotations

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.kernels.happen import OF_HEADS
from twin.kernels.respond import HEADS, Response, pull
from twin.kernels.tally import tally_session
from twin.kernels.visits import NEVER, arrive, next_visit


@inlined
def _met(row, post, maker, mask, scene, total):
    """What the person keeps of one meeting: leanings seen, the pull on the opinion, what was viewed
    to the end; and counts of it."""
    people, posts, habits = scene.people, scene.posts, scene.behaviour.habits
    slant, opinion = np.float64(posts.slant[post]), people.opinion[row]
    people.stance[row, 1 if slant > 0 else 0] += 1
    people.pull_sum[row] += pull(opinion, slant, habits.tolerance, habits.repulsion)
    people.pull_count[row] += 1
    if mask >> Response.LONG_VIEW & 1:
        people.viewed[row, people.viewed_at[row]] = post
        people.viewed_at[row] = (people.viewed_at[row] + 1) % people.viewed.shape[1]
    ai = scene.makers.ai[maker]
    if ai:
        total.impressions_ai += 1
    else:
        total.impressions_human += 1
    if mask & OF_HEADS:
        heads = total.heads_ai if ai else total.heads_human
        for h in range(HEADS):
            heads[h] += mask >> h & 1
    total.regret += 1 if mask & 1 and not mask >> Response.GLAD & 1 else 0
    total.labelled += 1 if posts.labelled[post] else 0
    total.works += 1 if posts.work[post] else 0
    total.cross += 1 if slant * opinion < 0 else 0


@inner
def settle(row, at, scene, plan, total, min_wake):
    """What a person keeps of the session that happened as number ``at`` of the plan, and the next
    visit. Reads posts, writes the person's row (also of the tally) and counts in ``total``."""
    people, behaviour = scene.people, scene.behaviour
    arrive(row, people, total)
    total.candidates += plan.many[at]
    glad, hurt, shown = 0, 0, plan.shown[at]
    for place in range(shown):
        mask = int(plan.mask[at, place])
        glad += mask >> Response.GLAD & 1
        # a report hurts as much again as the hiding that it comes with
        hurt += (mask >> Response.HIDE & 1) * (1 + (mask >> Response.REPORT & 1))
        # whole numbers: threads may count them apart and add up later
        total.sources[plan.source[at, place]] += 1
        _met(row, plan.post[at, place], plan.maker[at, place], mask, scene, total)
    if len(scene.tally.person):
        tally_session(row, at, scene, plan)
    joy = glad / shown if shown else 0.0
    learned = behaviour.habits.satisfaction_rate
    people.satisfaction[row] += learned * (joy - 0.5 * hurt - people.satisfaction[row])
    total.enjoyed += glad
    # the next visit has luck of its own, that of this many sessions
    people.sessions[row] += 1
    t = people.next_at[row]
    people.next_at[row] = next_visit(row, t, people, behaviour, min_wake)
    if people.next_at[row] == NEVER:
        people.active[row] = False
        people.left_at[row] = t
        total.left += 1
