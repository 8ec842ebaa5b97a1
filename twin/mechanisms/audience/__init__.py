"""Consumers: who they are, when they come, what they do with what they are shown, and when they
leave for good.

Taste is a point on the unit sphere of the taste space: t = (1-s) centre(community) + s noise,
normalised. A day after a session a person comes back with their own daily chance h ~ Beta(a, b),
shifted by satisfaction; across people this mixture makes the hazard of returning fall with the gap.
Sessions within the day, the diurnal curve in local time, responses and leaving are in
`twin.kernels.visits` and `twin.kernels.respond`. Satisfaction is a moving mean of the share of
examined posts that the person was glad of, less half a point per hide or report. Satisfaction moves
the log-odds of coming again, on the same day and on later ones, and the chance to leave for good,
which newcomers have more of: after their n-th session a / (a + b + n - 1) on top, the hazard of a
beta-geometric law (Fader & Hardie 2007), so that many go early and those who stay seldom do. Days
may differ (``calendar``, in a file of its own): the wait for the next visit is run down by the
weight of each local day.

How far a person looks in a slate depends on what the last posts gave (`twin.kernels.patience`).
People differ in how readily they open posts: a normal shift of the click's log-odds, correlated
with how often they come.

Arrivals are Poisson per day, so that IDs keep coming. The people of the beginning may come from a
table of the user's (``from``, see `twin.world.given`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels.respond import Response
from twin.mechanisms.audience.columns import CONSUMERS, POSTS
from twin.mechanisms.audience.measures import Measures
from twin.mechanisms.audience.metrics import METRICS
from twin.mechanisms.audience.params import AudienceParams
from twin.mechanisms.audience.population import Population
from twin.mechanisms.audience.sessions import Sessions
from twin.mechanisms.audience.truth import Truth
from twin.world.mechanism import Every, Mechanism, Wakes
from twin.world.state import World

__all__ = ["Audience", "AudienceParams"]


class Audience(Mechanism[AudienceParams]):
    """Consumers browse."""

    name = "audience"
    Params = AudienceParams
    order = 20
    replaced_by = "derived"
    reads = {
        "consumers": ("arm", "community", "opinion", "rating_expectation"),
        "creators": ("ai", "reputation"),
        "posts": (
            "arousal",
            "comprehensiveness",
            "content",
            "creator",
            "labelled",
            "quality",
            "rating_shown",
            "slant",
            "work",
        ),
    }
    heeds = ("opinions.tolerance", "opinions.repulsion", "ratings.ratings_shown")
    provides = ("inflate", "visits", "consumers.came_this_week", "starts", "people_given")
    needs = (
        "community_centres",
        "follow_graph",
        "reserve_follows",
        "graph_nodes",
        "serving",
        "log",
        "oldest_held",
        "window",
        "holdout_span",
    )
    columns = {"consumers": CONSUMERS, "posts": POSTS}
    metrics = METRICS

    def __init__(self, params: AudienceParams, world: World) -> None:
        super().__init__(params, world)
        self.population = Population(self)
        self.sessions = Sessions(self)
        self.truth = Truth(self, self.sessions)
        self.measures = Measures(self, self.truth)
        world.provide("inflate", self.inflate)
        world.provide("visits", self.population.visits)
        world.provide("people_given", self.population.given)
        world.provide("starts", self.sessions.starts)
        world.provide("consumers.came_this_week", lambda: self.measures.came_within(7))

    def inflate(self, posts: NDArray[np.int64], likes: NDArray[np.int64]) -> None:
        """Add likes that nobody felt to the public counters of (distinct) posts."""
        # Numpy adds once for each row that an index names, so repeated posts would count once
        self.mine("posts", "counts")[posts, Response.LIKE] += likes.astype(np.int32)

    def setup(self) -> None:
        """Open the running sums and the initial consumers."""
        # People last: opening their rows calls every mechanism's `born`
        for part in (self.sessions, self.measures, self.truth, self.population):
            part.setup()

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who a new person is, and when they come first."""
        if table == "consumers":
            self.population.born(rows)

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Forget released posts in the rings of what people saw."""
        if table == "posts":
            self.population.forget(rows)

    def clocks(self) -> list[Every]:
        """Arrivals and departures once a day; what random slots truly were at the end of every
        window, before anything else changes."""
        return [
            Every(DAY, "people", self.turnover),
            # Before posts change at a window's end: chances are read back from their likes
            Every(self.world.grid, "react", self.note_truth),
        ]

    def wakes(self) -> list[Wakes]:
        """Every person's next session."""
        return [Wakes("consumers", "next_at", "browse", self.sessions.browse)]

    def turnover(self) -> None:
        """A day ends: people join, and those who left long ago are forgotten."""
        self.measures.end_day()
        self.population.turnover()

    def note_truth(self) -> None:
        """Keep what random slots of the window truly were."""
        self.truth.note()

    def measure(self) -> None:
        """Read the consumer side."""
        self.measures.measure()
