"""The naive way: one SimPy process per consumer, plain numpy, the same session as the twin's.

Same snapshot, candidate sources and quotas, heads, value model, author rule, responses and state;
no batching and no compiled kernel. It is spared the twin's training, its keyed random numbers (a
generator draws) and its metrics, so the comparison flatters it.
"""

from __future__ import annotations

import math
import time

import numpy as np
import simpy

from twin.engine.simulation import Simulation
from twin.ground.rhythm import MIND_HOURS
from twin.kernels.respond import MANY, Response
from twin.kernels.rules import Source

DAY = 86400
AFTER_CLICK = list(Response)[Response.LONG_VIEW : Response.HIDE]


class Naive:
    """Sessions on the state of a warmed-up simulation, which is copied and not changed."""

    def __init__(self, simulation: Simulation) -> None:
        by_name = {mechanism.name: mechanism for mechanism in simulation.mechanisms}
        self.serve = by_name["recommender"].server.serving()
        self.behaviour = by_name["audience"].sessions.behaviour()
        self.graph = simulation.world.service("follow_graph")()
        tables = simulation.world.tables
        self.people = {
            name: tables["consumers"].readable(name).copy() for name in tables["consumers"].columns
        }
        self.posts = {
            name: tables["posts"].readable(name).copy() for name in tables["posts"].columns
        }
        self.reputation = tables["creators"]["reputation"].copy()
        self.rng = np.random.default_rng(0)
        self.log: list[tuple[int, int, int, int]] = []
        self.done = 0
        self.hours = np.cumsum(MIND_HOURS) / np.sum(MIND_HOURS)

    def candidates(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Posts and whether each is in-network, without what was seen lately and without
        repeats."""
        s, rng = self.serve, self.rng
        rules = s.rules[0]
        quota = rules["quota"]
        start = self.graph.start
        followed = (
            self.graph.target[start[row] : start[row + 1]]
            if row < len(start) - 1
            else np.zeros(0, int)
        )
        followed = np.roll(followed, int(rng.integers(max(len(followed), 1))))[: rules["scan"]]
        near_by = [
            s.creator_post[s.creator_start[c] : min(s.creator_start[c + 1], s.creator_start[c] + 3)]
            for c in followed
            if c >= 0
        ]
        own = np.concatenate(near_by)[: quota[Source.IN_NETWORK]] if near_by else np.zeros(0, int)
        q = s.user_vec[row] * s.query[0, :-1]
        near = np.concatenate(
            np.einsum("d,tdc->tc", q, s.centre_vec) + s.query[0, -1] * s.centre_bias[0]
        )[: len(s.tile_start) - 1]
        lists = np.argpartition(-near, rules["probes"])
        parts = [slice(s.tile_start[k], s.tile_start[k + 1]) for k in lists[: rules["probes"]]]
        members, bias = (
            np.concatenate([array[part].ravel()[: rules["probe_cap"]] for part in parts])
            for array in (s.tile_post, s.tile_bias[0])
        )
        bias, members = bias[members >= 0], members[members >= 0]
        score = s.item_vec[members] @ q + s.query[0, -1] * bias
        nearest = (
            members[np.argpartition(-score, quota[Source.NEAREST])[: quota[Source.NEAREST]]]
            if len(members) > quota[Source.NEAREST]
            else members
        )
        fresh = s.fresh[rng.integers(0, len(s.fresh), quota[Source.EXPLORE])]
        every = np.concatenate([own, nearest, s.trending[: quota[Source.TRENDING]], fresh])
        every, first = np.unique(every, return_index=True)
        keep = ~np.isin(every, self.people["seen"][row])
        return every[keep], first[keep] < len(own)

    def slate(self, row: int, cand: np.ndarray, own: np.ndarray) -> list[int]:
        """Places of the shown candidates, by the value model and the author rule."""
        s = self.serve
        rules = s.rules[0]
        logits = (
            (s.user_vec[row] * s.item_vec[cand]) @ s.interaction
            + s.intercept
            + s.user_scale * s.user_bias[row]
            + s.item_bias[cand, None] * s.item_scale
            + (s.linear[cand] if len(s.linear) else 0)
        )
        value = (1 / (1 + np.exp(-logits))) @ s.weights[0]
        factor = np.where(own, 1, rules["out_of_network"]) * np.where(
            s.item_ai[cand], rules["ai_factor"], 1
        )
        value = np.where(value > 0, value * factor, value / factor)
        makers, shown = s.item_creator[cand], []
        for _ in range(min(int(rules["slate"]), len(cand))):
            best = int(np.argmax(value))
            shown.append(best)
            value[best] = -np.inf
            same = makers == makers[best]
            if sum(makers[place] == makers[best] for place in shown) >= rules["author_cap"]:
                value[same] = -np.inf
            else:
                value[same] *= rules["author_decay"]
        return shown

    def session(self, row: int) -> float:
        """One session; seconds until the next."""
        people, posts, rng, habits = self.people, self.posts, self.rng, self.behaviour.habits
        cand, own = self.candidates(row)
        shown = self.slate(row, cand, own)
        patience = habits.patience / (1 - habits.patience) * math.exp(people["patience_shift"][row])
        depth = min(1 + int(math.log(rng.random()) / -math.log1p(1 / patience)), len(shown))
        glad = hurt = 0
        x = np.ones(1 + MANY)
        for place, c in enumerate(shown[:depth]):
            post = cand[c]
            maker = posts["creator"][post]
            x[1:] = (
                people["taste"][row] @ posts["content"][post],
                posts["quality"][post],
                posts["comprehensiveness"][post],
                1 - abs(people["opinion"][row] - posts["slant"][post]),
                posts["arousal"][post],
                math.log1p(posts["counts"][post, Response.LIKE]),
                math.log1p(self.reputation[maker]),
                sum(posts["creator"][cand[e]] == maker for e in shown[:place]) + 0.1 * place,
                posts["labelled"][post],
                0,
            )
            eta = self.behaviour.coefficients @ x
            eta[Response.LIKE : Response.HIDE] += people["eagerness"][row]
            happens = rng.random(9) < 1 / (1 + np.exp(-eta))
            happens[[*AFTER_CLICK, Response.GLAD]] &= happens[Response.CLICK]
            happens[Response.REPORT] &= happens[Response.HIDE]
            glad += int(happens[Response.GLAD])
            hurt += int(happens[Response.HIDE]) + int(happens[Response.REPORT])
            posts["impressions"][post] += 1
            posts["counts"][post] += happens[:8]
            gap = posts["slant"][post] - people["opinion"][row]
            people["pull_sum"][row] += (
                gap if abs(gap) <= habits.tolerance else -habits.repulsion * gap
            )
            people["pull_count"][row] += 1
            self.log.append((row, post, int(np.packbits(happens[:8])[0]), place))
            people["seen"][row, people["seen_at"][row]] = post
            people["seen_at"][row] = (people["seen_at"][row] + 1) % people["seen"].shape[1]
        mood = people["satisfaction"][row]
        people["satisfaction"][row] += habits.satisfaction_rate * (
            glad / max(depth, 1) - 0.5 * hurt - mood
        )
        people["sessions"][row] += 1
        if rng.random() < habits.again:
            return max(
                1800.0,
                math.exp(habits.log_again_gap + habits.again_gap_sd * rng.normal()),
            )
        p = 1 / (
            1
            + math.exp(
                -people["return_logit"][row]
                - habits.return_effect * (mood - habits.satisfaction_reference)
            )
        )
        return DAY * float(rng.geometric(max(p, 1e-6))) + 3600 * float(
            np.searchsorted(self.hours, rng.random())
        )

    def us(self, sessions: int, people: int = 2000) -> float:
        """Microseconds per session, every person a SimPy process."""
        env = simpy.Environment()

        def person(row: int):
            yield env.timeout(self.rng.random() * DAY)
            while True:
                pause = self.session(row)
                self.done += 1
                yield env.timeout(pause)

        for row in np.flatnonzero(self.people["active"])[:people].tolist():
            env.process(person(row))
        self.done, begin = 0, time.perf_counter()
        while self.done < sessions:
            env.step()
        return (time.perf_counter() - begin) / self.done * 1e6
