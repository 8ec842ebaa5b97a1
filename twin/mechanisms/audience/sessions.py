"""Lets people browse: hands the kernels what a session reads and writes, on one thread or several.

Columns are put together once and kept until their table grows, since a world has many small
windows.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.kernels import browse, shared
from twin.kernels.happen import TYPICAL
from twin.kernels.own import Offer, gather_offers, nothing, widest
from twin.kernels.plan import empty_plan
from twin.kernels.rules import Ranking
from twin.kernels.scene import Behaviour, Makers, People, Posts, Scene
from twin.kernels.tally import Tally, no_tally
from twin.kernels.totals import TOTALS
from twin.mechanisms.audience.behaviour import behaviour
from twin.mechanisms.audience.params import AudienceParams
from twin.world.mechanism import MIN_WAKE, Mechanism
from twin.world.state import Made

SHARED, LEAST_CHUNK, MOST_CHUNK, CHUNKS = 100, 4, 64, 4
"""Sessions of a window from which on threads share them; and in how large chunks: so many for each
thread, within bounds."""
GATHERED = 2048
"""Sessions whose candidates are gathered at once for a ranker of the scenario's own."""


class Sessions:
    """Replays sessions; ``keep["total"]`` (1,) is what they add up to."""

    def __init__(self, mechanism: Mechanism[AudienceParams]) -> None:
        self.m, self.keep = mechanism, mechanism.keep
        self._behaviour: Made[Behaviour] = Made()
        self._people: Made[People] = Made()
        self._posts: Made[Posts] = Made()
        self._none, self._no_offer = no_tally(), nothing()
        self._starts = np.zeros(0, np.int64)

    def setup(self) -> None:
        """Nobody has come yet."""
        self.keep["total"] = np.zeros(1, TOTALS)

    def people(self) -> People:
        """What a session reads and writes of consumers."""
        return self._people.get(self.m.world.table("consumers").version, self._people_now)

    def _people_now(self) -> People:
        c, own = self.m.world.table("consumers"), self.m.mine
        # Without opinions everybody is neutral, so the kernel needs no branch
        opinion = c["opinion"] if "opinion" in c.columns else np.zeros(len(c), np.float32)
        # Without ratings nobody is harder to please than others
        expectation = (
            c["rating_expectation"]
            if "rating_expectation" in c.columns
            else np.full(len(c), TYPICAL, np.float32)
        )
        read = {"key": c["key"], "arm": c["arm"]}
        read |= {"opinion": opinion, "rating_expectation": expectation}
        mine = {name: own("consumers", name) for name in People._fields if name not in read}
        return People(**read, **mine)

    def posts(self) -> Posts:
        """What a session reads and writes of posts."""
        return self._posts.get(self.m.world.table("posts").version, self._posts_now)

    def _posts_now(self) -> Posts:
        posts = self.m.world.table("posts")
        # Without ratings all are 0, which means that none is shown
        rating = (
            posts["rating_shown"]
            if "rating_shown" in posts.columns
            else np.zeros(len(posts), np.float32)
        )
        mine = {name: self.m.mine("posts", name) for name in ("impressions", "counts", "enjoyed")}
        read = {name: posts[name] for name in Posts._fields if name not in ("rating", *mine)}
        return Posts(rating=rating, **read, **mine)

    def makers(self) -> Makers:
        """What a session reads of creators."""
        creators = self.m.world.table("creators")
        return Makers(ai=creators["ai"], reputation=creators["reputation"])

    def behaviour(self) -> Behaviour:
        """How people behave; kept until a lever is written."""
        return self._behaviour.get(self.m.world.lever_version, partial(behaviour, self.m))

    def _tally(self) -> Tally:
        """Where an experimenter counts, nothing where there is none."""
        world = self.m.world
        if not world.has_service("tally"):
            return self._none
        tally: Tally = world.service("tally")()
        return tally

    def starts(self) -> NDArray[np.int64]:
        """When the last session of each person began, in the world's seconds (consumers,); only in
        a watched world, and only of the window that ends now."""
        return self._starts

    def _note_starts(self, rows: NDArray[np.int64]) -> None:
        """A person comes at most once in a window, so one number each says when."""
        next_at = self.m.mine("consumers", "next_at")
        if len(self._starts) < len(next_at):
            self._starts = np.zeros(len(next_at), np.int64)
        self._starts[rows] = next_at[rows]

    def _offer(self, rows: NDArray[np.int64], scene: Scene) -> Offer:
        """Candidates of the sessions that a ranker of the scenario's own serves, with its
        scores."""
        own = scene.serve.rules["ranking"][scene.people.arm[rows]] >= Ranking.OWN
        if not own.any():
            return self._no_offer
        wide, many = widest(scene.serve.rules), np.zeros(len(rows), np.int64)
        parts: list[tuple[NDArray[np.int32], NDArray[np.int8]]]
        parts = [(self._no_offer.post, self._no_offer.source)] * -(-len(rows) // GATHERED)

        def gather(part: int) -> None:
            some = slice(part * GATHERED, (part + 1) * GATHERED)
            count = len(rows[some])
            post, source = np.empty((count, wide), np.int32), np.empty((count, wide), np.int8)
            gather_offers(rows[some], scene, post, source, many[some])
            there = np.arange(wide) < many[some][:, None]
            parts[part] = post[there], source[there]

        self.m.world.crew.each([partial(gather, part) for part in range(len(parts))])
        start = np.concatenate([[0], np.cumsum(many)])
        post, source = (np.concatenate(each) for each in zip(*parts, strict=True))
        # Only those that it serves: the others have no candidates here
        offer = Offer(start=start, post=post, source=source, score=self._no_offer.score)
        scores: NDArray[np.float32] = self.m.world.service("rank")(rows, own, offer)
        return offer._replace(score=scores)

    def browse(self, rows: NDArray[np.int64]) -> None:
        """Replay the sessions of these people, in order."""
        world, total = self.m.world, self.keep["total"]
        if world.watched:
            self._note_starts(rows)
        serve = world.service("serving")()
        # Room for the most that can be shown, each with a follow: kernels cannot grow arrays
        most = len(rows) * int((serve.rules["slate"] + serve.rules["shelf_size"]).max())
        log = world.service("log")(most)
        # Before the scene is put together: room may come as new arrays
        world.service("reserve_follows")(most)
        scene = Scene(
            people=self.people(),
            posts=self.posts(),
            makers=self.makers(),
            serve=serve,
            own=self._no_offer,
            graph=world.service("follow_graph")(),
            behaviour=self.behaviour(),
            tally=self._tally(),
        )
        if world.has_service("rank"):
            scene = scene._replace(own=self._offer(rows, scene))
        # the oracle reads what other sessions of the window do
        threads = 1 if world.oracle else world.crew.threads
        if threads == 1 or len(rows) < SHARED:
            browse.browse(rows, scene, log, total, MIN_WAKE)
            return
        # Several chunks per thread even out sessions of unequal length; tiny ones cost turns
        chunk = max(LEAST_CHUNK, min(len(rows) // (CHUNKS * threads), MOST_CHUNK))
        plan = empty_plan(len(rows), serve)
        work = shared.share(len(rows), chunk, threads, plan)
        given = rows, scene, log, work, total, MIN_WAKE
        # Exactly one thread leads: it lets sessions happen in order while the others plan ahead
        world.crew.together(
            partial(shared.browse_shared, True, *given),
            partial(shared.browse_shared, False, *given),
        )
        # Sums of fractions are left to one thread: their rounding depends on the order
        shared.collect(rows, scene.people.satisfaction, work, total)
