"""Ratings of long-lived posts (works) and votes on all posts: what people say of what they saw, and
why it differs from what they experienced.

A rating is quality as experienced, less disappointed expectation (loss-averse disconfirmation),
drawn to the prediction on show (anchoring) and to the average on show (herding), posted more often
when extreme. The feed and taste select who consumes a work at all. So the average on display is
contaminated, and the feed and later people meet it again. Votes herd upwards on a positive score;
a negative one is corrected by people who like the post. The equations are in `twin.kernels.rate`
and `twin.kernels.vote`.

Experiments. ``prediction_shift`` moves the shown prediction for a random half of (person, work)
pairs; ``anchoring_slope`` is how much further ratings lie from the unmoved prediction in that half,
per star of the move. ``votes.seed_up`` and ``votes.seed_down`` give shares of new posts one vote at
birth (Muchnik et al. 2013); their fate is read when posts reach the age ``votes.settle``. Daily, a
random sample of people judges a random sample of rated works (``forced``), which shows what
purchasing and reporting select.

J shape of a sample with shares s_k of k stars: min(s_1 - s_2, s_5 - s_4), above 0 only where both
ends rise over their neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import rate
from twin.kernels import react as kernel
from twin.kernels.said import SUMS, Raters, Scene, Works
from twin.mechanisms.ratings.declared import CONSUMERS, METRICS, POSTS
from twin.mechanisms.ratings.measures import Measures
from twin.mechanisms.ratings.params import RatingsParams
from twin.world.mechanism import Every, Mechanism
from twin.world.state import Made, World

__all__ = ["Ratings", "RatingsParams"]

Rows = NDArray[np.int64]


class Ratings(Mechanism[RatingsParams]):
    """People rate works and vote on posts."""

    name = "ratings"
    Params = RatingsParams
    order = 65
    reads = {
        "consumers": ("active", "arm", "opinion", "taste"),
        "posts": ("born", "content", "quality", "slant", "work"),
    }
    needs = ("window", "shelf_kinds")
    columns = {"consumers": CONSUMERS, "posts": POSTS}
    metrics = METRICS

    def __init__(self, params: RatingsParams, world: World) -> None:
        super().__init__(params, world)
        self.measures = Measures(self)
        self._columns: Made[tuple[Raters, Works]] = Made()

    def setup(self) -> None:
        """Open the running sums."""
        self.measures.setup()
        # whether the averages on show are those of `ratings_shown`
        self.keep["shown"] = np.zeros(1, bool)

    def born(self, table: str, rows: Rows) -> None:
        """Draw what a new person expects, and which new posts get a vote."""
        if table == "consumers":
            z = self.normals("prior", self.read("consumers", "key")[rows], 1)[:, 0]
            expected = np.clip(self.p.prior + self.p.prior_sd * z, 1, 5)
            self.mine("consumers", "rating_expectation")[rows] = expected
        elif table == "posts":
            up, down = float(self.lever("votes.seed_up")), float(self.lever("votes.seed_down"))
            # without the experiment nothing is drawn
            if up or down:
                u = self.uniforms("seed", self.read("posts", "key")[rows])[:, 0]
                # the lowest draws get an up-vote, the highest a down-vote; up-votes come first
                seeded_down = (u > 1 - down) & (u >= up)
                self.mine("posts", "seed")[rows] = (u < up).astype(np.int8) - seeded_down

    def gone(self, table: str, rows: Rows) -> None:
        """A post that goes before its time is final as it is."""
        if table == "posts":
            self.measures.finish(rows[~self.mine("posts", "votes_final")[rows]])

    def clocks(self) -> list[Every]:
        """React to every serving window; settle scores and ask the forced sample daily."""
        return [
            Every(self.world.grid, "react", self.react),
            Every(DAY, "react", self.settle),
            Every(DAY, "react", self.ask),
        ]

    def scene(self) -> Scene:
        """What ratings and votes read and write, as the kernels take it."""
        tables = self.world.tables
        stamp = tables["consumers"].version, tables["posts"].version
        people, works = self._columns.get(stamp, self._arrays)
        return Scene(
            people=people,
            works=works,
            total=self.keep["total"].view(SUMS)[0],
            rules=self.settings()[0],
            rating_stream=self.stream("rating"),
            vote_stream=self.stream("vote"),
        )

    def _arrays(self) -> tuple[Raters, Works]:
        c = self.world.table("consumers")
        opinion = (
            self.read("consumers", "opinion")
            if "opinion" in c.columns
            else np.zeros(len(c), np.float32)
        )
        # a view that may be written to would have another type, and so compile everything again
        opinion.flags.writeable = False
        people = self.filled(Raters, "consumers", opinion=opinion)
        return people, self.filled(Works, "posts")

    def react(self) -> None:
        """Ratings and votes on what was clicked in the serving window that ends now."""
        window, world = self.world.service("window")(), self.world
        # also without impressions: a lever may have changed what is on show
        touched = window.post[:0]
        if len(window.post):
            impressions = kernel.Impressions(
                consumer=window.consumer,
                post=window.post,
                responses=window.responses,
                via=window.via,
            )
            arms = kernel.Arms(
                arm=self.read("consumers", "arm"),
                settings=self.settings(),
                shelves=world.service("shelf_kinds")(),
            )
            touched = kernel.answer(impressions, self.read("posts", "work"), arms, self.scene())
        # after the window: expectations in it went by the averages on show at its start
        self._show(touched)

    def _show(self, rows: Rows) -> None:
        """Renew the averages on show: of these works, or of all if the lever has changed in any
        arm. Who sees them is decided per person."""
        shown = any(self.levers_by_arm("consumers", "ratings_shown"))
        if shown != bool(self.keep["shown"][0]):
            # switched on or off: every work, not only those rated in this window
            self.keep["shown"][0], rows = shown, np.arange(len(self.world.table("posts")))
        if len(rows):
            count = self.mine("posts", "rating_count")[rows]
            average = self.mine("posts", "rating_sum")[rows] / np.maximum(count, 1)
            # 0 is off the scale: nothing on show
            self.mine("posts", "rating_shown")[rows] = np.where(
                shown & (count >= self.p.shown_from), average, 0
            )

    def settle(self) -> None:
        """Posts that have reached the age at which scores are final."""
        old = self.read("posts", "born") <= self.world.now - self.p.votes.settle
        # those that are released before that age are counted by `gone`
        due = self.read("posts", "alive") & old & ~self.mine("posts", "votes_final")
        self.measures.finish(np.flatnonzero(due))

    def ask(self) -> None:
        """Make a random sample of active people judge a random sample of rated works."""
        rated = self.read("posts", "alive") & (self.mine("posts", "rating_count") > 0)
        posts = self._drawn("forced.works", "posts", np.flatnonzero(rated), self.p.forced_works)
        if not len(posts):
            return
        # whoever is here judges, not whoever chose the work: no selection by purchase or report
        here = np.flatnonzero(self.read("consumers", "active"))
        rows = self._drawn("forced.people", "consumers", here, self.p.forced_people)
        # what is on show differs between people by their arm
        average, prediction = (
            np.array(self.lever_of("consumers", name, rows), bool)
            for name in ("ratings_shown", "prediction_shown")
        )
        rate.forced(rows, posts, average, prediction, self.scene())

    def _drawn(self, decision: str, table: str, rows: Rows, count: int) -> Rows:
        """A random sample of rows, a new one every day."""
        if not len(rows) or not count:
            return rows[:0]
        day = self.world.now // DAY
        luck = self.uniforms(decision, self.read(table, "key")[rows], day)[:, 0]
        # the lowest draws of the day: a sample without replacement, whatever the order of rows
        return rows[np.argsort(luck, kind="stable")[:count]]

    def measure(self) -> None:
        """Ratings, their contamination, votes and the fate of seeded posts."""
        self.measures.measure()
