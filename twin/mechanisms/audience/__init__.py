"""Consumers: who they are, when they come, what they do with what they are shown, and when they
leave for good.

Taste is a point on the unit sphere of the taste space: t = (1-s) centre(community) + s noise,
normalised. A day after a session a person comes back with their own daily chance h ~ Beta(a, b),
shifted by satisfaction; across people this mixture makes the hazard of returning fall with the gap.
Sessions within the day, the diurnal curve in local time, responses and leaving are in
`twin.kernels.browse` and `twin.kernels.respond`. Satisfaction is a moving mean of the share of
examined posts that the person was glad of, less half a point per hide or report. Satisfaction moves
the log-odds of coming again, on the same day and on later ones, and the chance to leave for good,
which newcomers have more of: after their n-th session a / (a + b + n - 1) on top, the hazard of a
beta-geometric law (Fader & Hardie 2007), so that many go early and those who stay seldom do. Days
may differ (``calendar``): the wait for the next visit is run down by the weight of each local day.

How far a person looks in a slate depends on what the last posts gave (`twin.kernels.plan.tired`).
People differ in how readily they open posts: a normal shift of the click's log-odds, correlated
with how often they come.

Arrivals are Poisson per day, so that IDs keep coming.
"""

from __future__ import annotations

import datetime as dt
import math
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri, pdtrik

from twin.ground.draws import children
from twin.ground.rhythm import cumulated, seconds
from twin.ground.units import DAY, HOUR, LATEST, NEVER
from twin.kernels import browse as kernel
from twin.kernels import truth
from twin.kernels.judging import MOST, judge_all
from twin.kernels.links import forget_rows
from twin.kernels.plan import Behaviour, empty_plan
from twin.kernels.respond import FEATURES, LIKE, Makers, People, Posts, reaches
from twin.kernels.rules import SOURCES, Source
from twin.kernels.totals import GAP_BINS, KEPT, TOTALS, since
from twin.kernels.training import HEADS
from twin.mechanisms.audience.params import AudienceParams
from twin.world.columns import Column
from twin.world.mechanism import MIN_WAKE, Every, Mechanism, Wakes
from twin.world.metric import Metric
from twin.world.state import Made, World

SEEN, VIEWED = 32, 4
SHARED, LEAST_CHUNK, MOST_CHUNK, CHUNKS = 100, 4, 64, 4
"""Sessions of a window from which on threads share them; and in how large chunks: so many for each
thread, within bounds."""
BLOCK = 2**14
"""Most people who are drawn at once."""
COHORT, FEW = 28, 20
"""Days whose newcomers are judged together for retention, and how few of them say nothing."""
CALENDAR = 3660
"""Days that the calendar covers, those beyond are alike: it is read at every visit."""
STANCE_MEMORY = 0.97
"""Share of the count of leanings seen that is kept per day: about a month."""


class Audience(Mechanism[AudienceParams]):
    """Consumers browse."""

    name = "audience"
    Params = AudienceParams
    order = 20
    provides = ("inflate", "visits")
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
    columns = {
        "consumers": (
            Column("active", "?", "1", "True until the person leaves for good"),
            Column("taste", "f4", "1", "True taste: a unit vector", shape=(16,), hidden=True),
            Column(
                "eagerness",
                "f4",
                "logit",
                "Shift of like, comment, reshare and follow",
                hidden=True,
            ),
            Column("click_shift", "f4", "logit", "Shift of the click", hidden=True),
            Column(
                "patience_shift", "f4", "logit", "Shift of looking at the next post", hidden=True
            ),
            Column(
                "return_logit",
                "f4",
                "logit",
                "Log-odds of coming back on any next day",
                hidden=True,
            ),
            Column("satisfaction", "f4", "1", "Moving mean of gladness per session", hidden=True),
            Column("tz", "i1", "h", "Time zone"),
            Column("next_at", "i8", "s", "Time of the next session", start=NEVER),
            Column("sessions", "i4", "sessions", "Sessions so far"),
            Column("last_day", "i2", "d", "Local day of the last session", start=-1),
            Column(
                "joined_at",
                "i4",
                "s",
                "When the person first came; 0 for those who were there when the world began",
            ),
            Column("left_at", "i4", "s", "When the person left", start=LATEST),
            Column(
                "seen", "i4", "rows", "Posts seen last", start=-1, shape=(SEEN,), rows_of="posts"
            ),
            Column("seen_at", "i1", "1", "Place in that ring"),
            Column(
                "viewed",
                "i4",
                "rows",
                "Posts viewed to the end last",
                start=-1,
                shape=(VIEWED,),
                rows_of="posts",
            ),
            Column("viewed_at", "i1", "1", "Place in that ring"),
            Column(
                "stance",
                "f4",
                "posts",
                "Posts examined that lean to either side, fading",
                shape=(2,),
                hidden=True,
            ),
            Column("pull_sum", "f8", "1", "Running sum of pulls on the opinion by posts"),
            Column("pull_count", "i4", "posts", "Posts in that sum"),
        ),
        "posts": (
            Column("impressions", "i4", "impressions", "Times examined"),
            Column("counts", "i4", "responses", "Responses by head", shape=(8,)),
            Column("enjoyed", "i4", "responses", "Times someone was glad of it", hidden=True),
        ),
    }
    metrics = (
        Metric(
            "sessions",
            "counter",
            "sessions",
            "Sessions begun.",
            "consumer",
            "Visits",
            good="up",
            headline=True,
        ),
        Metric(
            "consumers_active",
            "gauge",
            "consumers",
            "People who have not left for good.",
            "consumer",
            "Visits: People",
            good="up",
        ),
        Metric(
            "consumers_daily",
            "gauge",
            "consumers",
            "People with a session in the last 24 hours.",
            "consumer",
            "Visits: People",
            good="up",
        ),
        Metric(
            "consumers_joined",
            "counter",
            "consumers",
            "People who have ever joined.",
            "consumer",
            "Visits: Joining and leaving",
        ),
        Metric(
            "consumers_left",
            "counter",
            "consumers",
            "People who left for good.",
            "consumer",
            "Visits: Joining and leaving",
            good="down",
        ),
        Metric(
            "impressions",
            "counter",
            "impressions",
            "Posts examined, by kind of creator.",
            "producer",
            "Who is seen",
            labels={"by": ("human", "ai")},
        ),
        Metric(
            "responses",
            "counter",
            "responses",
            "Responses to posts, by kind of response and of creator.",
            "consumer",
            "What people do with it",
            labels={"head": HEADS, "by": ("human", "ai")},
        ),
        Metric(
            "enjoyed",
            "counter",
            "posts",
            "Examined posts that people were glad of afterwards.",
            "consumer",
            "What they are glad of",
            good="up",
        ),
        Metric(
            "enjoyed_per_session",
            "gauge",
            "posts/session",
            "Posts that people were glad of per session, since the last reading.",
            "consumer",
            "What they are glad of: Opened, and enjoyed",
            good="up",
            headline=True,
        ),
        Metric(
            "satisfaction_mean",
            "gauge",
            "1",
            "Mean satisfaction of active people.",
            "consumer",
            "What they are glad of",
            good="up",
            headline=True,
        ),
        Metric(
            "satisfaction",
            "histogram",
            "consumers",
            "Active people by satisfaction.",
            "consumer",
            "What they are glad of",
            edges=(-0.5, 0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8),
        ),
        Metric(
            "shown_match",
            "gauge",
            "1",
            "Mean match of taste and content of what was examined, since the last reading.",
            "consumer",
            "What is shown",
            good="up",
        ),
        Metric(
            "shown_quality",
            "gauge",
            "sd",
            "Mean true quality of what was examined, since the last reading.",
            "consumer",
            "What is shown",
            good="up",
        ),
        Metric(
            "shown_arousal",
            "gauge",
            "1",
            "Mean arousal of what was examined, since the last reading.",
            "consumer",
            "What is shown",
            good="down",
        ),
        Metric(
            "shown_popularity",
            "gauge",
            "impressions",
            "Mean impressions that an examined post had before, since the last reading.",
            "platform",
            "Feed",
        ),
        Metric(
            "source_impressions",
            "counter",
            "impressions",
            "Examined posts by candidate source.",
            "platform",
            "Feed",
            labels={"source": SOURCES},
        ),
        Metric(
            "in_network_share",
            "gauge",
            "1",
            "Share of examined posts that the feed took from creators whom the person follows, "
            "since "
            "the last reading.",
            "platform",
            "Feed",
        ),
        Metric(
            "cross_cutting_share",
            "gauge",
            "1",
            "Share of examined posts that lean to the other side than the person, since the last "
            "reading.",
            "consumer",
            "What is shown",
        ),
        Metric(
            "regret_share",
            "gauge",
            "1",
            "Share of opened posts that people were not glad of, since the last reading.",
            "consumer",
            "What they are glad of",
            good="down",
        ),
        Metric(
            "session_depth",
            "gauge",
            "posts/session",
            "Posts examined per session, since the last reading.",
            "consumer",
            "Visits: How long",
            headline=True,
        ),
        Metric(
            "retention",
            "gauge",
            "1",
            "Share of newcomers who came again so many days after their first, over those of four "
            "weeks; no "
            "reading while there were few.",
            "consumer",
            "Visits: Newcomers",
            labels={"day": tuple(map(str, KEPT))},
            good="up",
        ),
        Metric(
            "engaged_per_session",
            "gauge",
            "posts/session",
            "Posts opened per session, since the last reading.",
            "consumer",
            "What they are glad of: Opened, and enjoyed",
        ),
        Metric(
            "labelled_impressions",
            "counter",
            "impressions",
            "Examined posts that were shown as made by AI.",
            "platform",
            "Feed: Labelled posts, and works",
        ),
        Metric(
            "work_impressions",
            "counter",
            "impressions",
            "Examined long-lived works.",
            "platform",
            "Feed: Labelled posts, and works",
        ),
        Metric(
            "candidates_mean",
            "gauge",
            "posts",
            "Mean candidates ranked per session, since the start.",
            "platform",
            "Feed",
        ),
        Metric(
            "sessions_by_hour",
            "histogram",
            "sessions",
            "Sessions by local hour, since the start.",
            "consumer",
            "Visits",
            edges=tuple(float(h) for h in range(24)),
            total=True,
        ),
        Metric(
            "click_auc_ceiling",
            "gauge",
            "1",
            "AUC that the true chances of a click give on the impressions of random slots that the "
            "model is judged on (model_auc_holdout): no model can do better but by luck; no "
            "reading while there are none.",
            "platform",
            "Model: AUC on random slots",
        ),
        Metric(
            "click_log_loss_ceiling",
            "gauge",
            "nats",
            "Log loss of the true chances of a click on the same impressions: none can do "
            "better; no reading while there are none.",
            "platform",
            "Model: Log loss on random slots",
        ),
        Metric(
            "return_gap",
            "histogram",
            "visits",
            "Days from one active day to the next, since the start (last bin and above).",
            "consumer",
            "Visits",
            edges=tuple(float(d) for d in range(1, GAP_BINS + 1)),
            total=True,
        ),
    )

    def __init__(self, params: AudienceParams, world: World) -> None:
        super().__init__(params, world)
        world.provide("inflate", self.inflate)
        world.provide("visits", self.visits)
        self._behaves: Made[Behaviour] = Made()
        self._people: Made[People] = Made()
        self._posts: Made[Posts] = Made()

    def inflate(self, posts: NDArray[np.int64], likes: NDArray[np.int64]) -> None:
        """Add likes that nobody felt to the public counters of (distinct) posts."""
        self.mine("posts", "counts")[posts, LIKE] += likes.astype(np.int32)

    def visits(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected sessions per day of each person at the reference satisfaction, f8 (C,), and the
        chance per day to leave for good.

        A day is active with the daily chance h; every session of it is followed by another with
        P(again) where the gap leaves it in the same day, on average over the hours of `diurnal`.
        Both are 0 of those who have left.
        """
        p = self.p
        share = np.asarray(p.diurnal, float) / sum(p.diurnal)
        left = (24 - np.arange(24) - 0.5) * HOUR
        if p.again_gap_sd > 0:
            within = ndtr((np.log(left) - math.log(p.again_gap)) / p.again_gap_sd)
        else:
            within = (left > p.again_gap).astype(float)
        a_day = 1 / (1 - p.again * float(share @ within))
        logit = self.mine("consumers", "return_logit").astype(float)
        sessions = np.where(self.mine("consumers", "active"), a_day / (1 + np.exp(-logit)), 0.0)
        leave = np.full(len(sessions), p.leave)
        if p.churn_a > 0:
            new = self.mine("consumers", "joined_at") > 0
            leave[new] += p.churn_a / (
                p.churn_a + p.churn_b + self.mine("consumers", "sessions")[new]
            )
        return sessions, sessions * leave

    def setup(self) -> None:
        """Open the initial consumers and the running sums."""
        self.keep["total"] = np.zeros(1, TOTALS)
        self.keep["before"] = np.zeros(1, TOTALS)
        self.keep["joined"] = np.zeros(1, np.int64)
        # first and later visits of newcomers by days ago
        self.keep["cohorts"] = np.zeros((COHORT + KEPT[-1] + 1, 1 + len(KEPT)))
        self.keep["holdout.p"], self.keep["holdout.clicked"] = (
            np.zeros(0, np.float32),
            np.zeros(0, bool),
        )
        self.keep["holdout.at"], self.keep["holdout.judged"] = (
            np.zeros(0, np.int64),
            np.full(1, -1, np.int64),
        )
        self.keep["holdout.scores"] = np.full(3, np.nan)
        self._join(self.world.service("graph_nodes")() or self.p.initial)

    def _join(self, count: int) -> None:
        first = int(self.keep["joined"][0])
        root = np.full(count, self.stream("person"))
        self.keep["joined"][0] += count
        keys = children(root, np.arange(first, first + count))
        if count > BLOCK:
            self.world.table("consumers").reserve(count)
        for begin in range(
            0, count, BLOCK
        ):  # a few at a time, so that what is drawn for them takes little memory
            self.world.add(self.name, "consumers", keys[begin : begin + BLOCK])

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw who a new person is, and when they come first."""
        if table != "consumers":
            return
        p, now = self.p, self.world.now
        keys = self.read("consumers", "key")[rows]
        taste = self.mine("consumers", "taste")
        centres = self.world.service("community_centres")()
        own = self.normals("taste", keys, taste.shape[1])
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        blend = (1 - p.taste_spread) * centres[
            self.read("consumers", "community")[rows]
        ] + p.taste_spread * own
        taste[rows] = blend / np.linalg.norm(blend, axis=1, keepdims=True)
        u = self.uniforms("person", keys)
        zones = np.array(p.time_zones, np.int8)
        self.mine("consumers", "tz")[rows] = zones[(u[:, 0] * len(zones)).astype(int)]
        chance = np.clip(betaincinv(p.return_a, p.return_b, u[:, 1]), 1e-4, 0.999)
        self.mine("consumers", "return_logit")[rows] = np.log(chance / (1 - chance))
        self.mine("consumers", "eagerness")[rows] = (
            self.normals("eagerness", keys, 1)[:, 0] * p.eagerness_sd
        )
        self.mine("consumers", "patience_shift")[rows] = (
            self.normals("patience", keys, 1)[:, 0] * p.patience_sd
        )
        self.mine("consumers", "satisfaction")[rows] = (
            p.satisfaction_start if now == 0 else p.satisfaction_reference
        )
        self.mine("consumers", "active")[rows] = True
        self.mine("consumers", "click_shift")[rows] = self._click_shift(keys, u[:, 1])
        days = np.floor(np.log(u[:, 2]) / np.log1p(-chance)) if now == 0 else np.zeros(len(rows))
        second = seconds(u[:, 3], cumulated(p.diurnal))
        local = second - self.read("consumers", "tz")[rows].astype(np.int64) * HOUR
        first = now + days.astype(np.int64) * DAY + local % DAY
        self.mine("consumers", "next_at")[rows] = np.maximum(first, now)
        self.mine("consumers", "joined_at")[rows] = np.where(now == 0, 0, np.maximum(first, now))

    def _click_shift(
        self, keys: NDArray[np.uint64], often: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """How much more readily each person opens posts than the mean person, given their place
        (0..1) among people by daily chance to come."""
        together = self.p.click_frequency
        own = self.normals("click", keys, 1)[:, 0]
        whole: NDArray[np.float64] = self.p.click_sd * (
            together * ndtri(often) + math.sqrt(1 - together**2) * own
        )
        return whole

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """Forget released posts in the rings of what people saw."""
        if table == "posts":
            dead = np.zeros(len(self.world.table("posts")) + 1, bool)
            dead[rows] = True
            for name in ("seen", "viewed"):
                forget_rows(dead, self.mine("consumers", name))

    def clocks(self) -> list[Every]:
        """Arrivals and departures once a day; what random slots truly were at the end of every
        window, before anything else changes."""
        return [
            Every(DAY, "people", self.turnover),
            Every(self.world.grid, "react", self.note_truth),
        ]

    def wakes(self) -> list[Wakes]:
        """Every person's next session."""
        return [Wakes("consumers", "next_at", "browse", self.browse)]

    def turnover(self) -> None:
        """Poisson arrivals, and release of rows that nobody holds any more; what was seen fades."""
        self.mine("consumers", "stance")[:] *= STANCE_MEMORY
        self.keep["cohorts"] = np.concatenate([self._newcomers()[None], self.keep["cohorts"][:-1]])
        world = self.world
        day = np.array([world.now // DAY], np.uint64)
        u = self.uniforms("arrivals", day)[0, 0]
        rate = self.p.arrivals
        count = int(np.ceil(pdtrik(u, rate))) if rate > 0 else 0
        left = self.read("consumers", "left_at")
        held = int(world.service("oldest_held")())
        world.release(
            "consumers",
            np.flatnonzero(
                self.read("consumers", "alive") & (left < min(held, world.now - 2 * DAY))
            ),
        )
        if count:
            self._join(count)

    def browse(self, rows: NDArray[np.int64]) -> None:
        """Replay the sessions of these people, in order."""
        world = self.world
        serve = world.service("serving")()
        room = len(rows) * int((serve.rules["slate"] + serve.rules["shelf_size"]).max())
        log = world.service("log")(room)
        world.service("reserve_follows")(room)
        people, posts = self.columns_of_people(), self.columns_of_posts()
        creators = world.table("creators")
        makers = Makers(creators["ai"], creators["reputation"])
        graph, behaviour, total = (
            world.service("follow_graph")(),
            self._behaviour(),
            self.keep["total"],
        )
        threads = (
            1 if world.oracle else world.crew.threads
        )  # the oracle reads what other sessions of the window do
        if threads == 1 or len(rows) < SHARED:
            kernel.browse(
                rows, people, posts, makers, serve, graph, log, behaviour, total, MIN_WAKE
            )
            return
        chunk = max(LEAST_CHUNK, min(len(rows) // (CHUNKS * threads), MOST_CHUNK))
        shared = kernel.share(len(rows), chunk, threads, empty_plan(len(rows), serve))
        work = rows, people, posts, makers, serve, graph, log, behaviour, shared, total, MIN_WAKE
        world.crew.together(
            partial(kernel.browse_shared, True, *work), partial(kernel.browse_shared, False, *work)
        )
        kernel.collect(rows, people, shared, total)

    def note_truth(self) -> None:
        """Keep the true chance of a click of every impression of a random slot in the window that
        ends now, with what came of it.

        It is kept here alone: the recommender may read no array of another mechanism (DESIGN.md
        D8).
        """
        window, keep = self.world.service("window")(), self.keep
        chosen = np.flatnonzero(window.source == Source.RANDOM)
        if not len(chosen):
            return
        creators = self.world.table("creators")
        p = truth.true_clicks(
            chosen,
            window,
            self.columns_of_people(),
            self.columns_of_posts(),
            Makers(creators["ai"], creators["reputation"]),
            self._behaviour(),
        )
        first = self._judged()[0]
        for name, values in (
            ("p", p.astype(np.float32)),
            ("clicked", window.responses[chosen] & 1 > 0),
            ("at", np.full(len(p), self.world.now)),
        ):
            keep[f"holdout.{name}"] = np.concatenate([keep[f"holdout.{name}"][first:], values])

    def _judged(self) -> tuple[int, int]:
        """Which of the kept chances are of impressions that the model is judged on: from the first
        number up to the second."""
        begin, end = self.world.service("holdout_span")()
        first, last = np.searchsorted(self.keep["holdout.at"], [begin, end], "right").tolist()
        return max(first, last - MOST), last

    def _ceiling(self) -> NDArray[np.float64]:
        """AUC, log loss and calibration of true chances where the model is judged, (3,); reckoned
        once per judgement."""
        keep, end = self.keep, self.world.service("holdout_span")()[1]
        if end != keep["holdout.judged"][0]:
            first, last = self._judged()
            keep["holdout.scores"] = judge_all(
                keep["holdout.p"][first:last], keep["holdout.clicked"][first:last]
            )
            keep["holdout.judged"] = np.array([end], np.int64)
        return keep["holdout.scores"]

    def columns_of_people(self) -> People:
        """What a session reads and writes of consumers; one tuple for all until the table grows."""
        c = self.world.table("consumers")
        return self._people.get(c.version, self._people_now)

    def _people_now(self) -> People:
        c, own = self.world.table("consumers"), self.mine
        opinion = c["opinion"] if "opinion" in c.columns else np.zeros(len(c), np.float32)
        mine = {
            name: own("consumers", name)
            for name in People._fields
            if name not in ("key", "arm", "opinion")
        }
        return People(key=c["key"], arm=c["arm"], opinion=opinion, **mine)

    def columns_of_posts(self) -> Posts:
        """What a session reads and writes of posts; likewise."""
        return self._posts.get(self.world.table("posts").version, self._posts_now)

    def _posts_now(self) -> Posts:
        posts = self.world.table("posts")
        rating = (
            posts["rating_shown"]
            if "rating_shown" in posts.columns
            else np.zeros(len(posts), np.float32)
        )
        mine = {name: self.mine("posts", name) for name in ("impressions", "counts", "enjoyed")}
        read = {name: posts[name] for name in Posts._fields if name not in ("rating", *mine)}
        return Posts(rating=rating, **read, **mine)

    def _behaviour(self) -> Behaviour:
        """How people behave, as the kernel takes it; kept until a lever is written."""
        return self._behaves.get(self.world.lever_version, self._as_levers_say)

    def _as_levers_say(self) -> Behaviour:
        p, levers = self.p, self.world.levers
        counts = self.levers_by_arm("consumers", "counts_shown")
        rated = "ratings.ratings_shown"
        ratings = (
            self.world.levers_by_arm("consumers", rated)
            if rated in levers
            else [False] * len(counts)
        )
        names = ("intercept", *FEATURES)
        table = np.array(
            [
                [getattr(getattr(p.responses, response), name) for name in names]
                for response in (*HEADS, "glad")
            ]
        )
        number = np.array(
            [
                p.patience,
                p.again,
                math.log(p.again_gap),
                p.again_gap_sd,
                p.return_effect,
                p.satisfaction_reference,
                p.leave,
                p.leave_effect,
                p.satisfaction_rate,
                float(levers.get("opinions.tolerance") or 0.0),
                float(levers.get("opinions.repulsion") or 0.0),
                p.shelf_patience,
                p.patience_effect,
                p.patience_memory,
                p.churn_a,
                p.churn_b,
            ]
        )
        streams = np.array(
            [self.stream("session"), self.stream("visit"), self.stream("response")], np.uint64
        )
        shows = np.array([counts, ratings], float).T.copy()
        return Behaviour(
            table, reaches(table), number, shows, cumulated(p.diurnal), self._days(), streams
        )

    def _days(self) -> NDArray[np.float64]:
        """Cumulated weights of local days, that before the world began first; empty where all are
        alike."""
        calendar = self.p.calendar
        week = np.array(calendar.week) * 7 / sum(calendar.week)
        if np.ptp(week) == 0 and (calendar.holiday == 1 or not calendar.holidays):
            return np.zeros(0)
        begin = self.world.start - dt.timedelta(days=1)
        weight = week[(begin.weekday() + np.arange(CALENDAR)) % 7]
        off = np.array(
            [(dt.date.fromisoformat(day) - begin).days for day in calendar.holidays], np.int64
        )
        weight[off[(off >= 0) & (off < CALENDAR)]] *= calendar.holiday
        return np.cumsum(weight)

    def _newcomers(self) -> NDArray[np.float64]:
        """First visits of newcomers so far, then those on the days of KEPT."""
        total = self.keep["total"][0]
        return np.append(total["first"], total["kept"])

    def _retention(self) -> NDArray[np.float64]:
        """Of the newcomers of COHORT days, the share who came again so many days (KEPT) after their
        first; NaN where they were few."""
        cohorts, now = self.keep["cohorts"], self._newcomers()
        came = np.array([now[1 + k] - cohorts[COHORT, 1 + k] for k in range(len(KEPT))])
        first = np.array([cohorts[day, 0] - cohorts[day + COHORT, 0] for day in KEPT])
        found: NDArray[np.float64] = np.where(first >= FEW, came / np.maximum(first, 1), np.nan)
        return found

    def measure(self) -> None:
        """Running totals and what changed since the last reading."""
        board, total = self.world.board, self.keep["total"][0]
        new = since(self.keep["total"], self.keep["before"])
        examined, sessions = (
            new["impressions_human"] + new["impressions_ai"],
            new["sessions"],
        )
        active, c = self.read("consumers", "active"), self.world.table("consumers")
        joy = self.read("consumers", "satisfaction")[active]
        board.set("sessions", total["sessions"])
        board.set("consumers_active", int(active.sum()))
        board.set("consumers_joined", int(self.keep["joined"][0]))
        board.set("consumers_left", total["left"])
        board.set("impressions", total["impressions_human"], by="human")
        board.set("impressions", total["impressions_ai"], by="ai")
        board.set_all(
            "responses",
            np.stack(
                [
                    total["heads_human"],
                    total["heads_ai"],
                ],
                axis=1,
            ).ravel(),
        )
        board.set("enjoyed", total["enjoyed"])
        local = (self.world.now + c["tz"].astype(np.int64) * HOUR) // DAY
        board.set(
            "consumers_daily",
            int((active & (c["last_day"] >= local - 1) & (c["last_day"] >= 0)).sum()),
        )
        board.set("satisfaction_mean", float(joy.mean(dtype=np.float64)) if len(joy) else 0.0)
        edges = np.array(board.metrics["satisfaction"].edges)
        board.set_all(
            "satisfaction",
            np.bincount(
                np.clip(np.searchsorted(edges, joy, "right") - 1, 0, None), minlength=len(edges)
            ).astype(float),
        )
        board.set_all("source_impressions", total["sources"])
        board.set("candidates_mean", total["candidates"] / max(total["sessions"], 1))
        board.set_all("sessions_by_hour", total["hours"])
        board.set_all("return_gap", total["gaps"])
        board.set_all("retention", self._retention())
        board.set("labelled_impressions", total["labelled"])
        board.set("work_impressions", total["works"])
        for name, score in zip(
            ("click_auc_ceiling", "click_log_loss_ceiling"), self._ceiling().tolist(), strict=False
        ):
            board.set(name, score)
        if sessions and examined:
            board.set("session_depth", examined / sessions)
            clicks = new["heads_human"][0] + new["heads_ai"][0]
            board.set("engaged_per_session", clicks / sessions)
            board.set("in_network_share", new["sources"][Source.IN_NETWORK] / examined)
            board.set("cross_cutting_share", new["cross"] / examined)
            board.set("regret_share", new["regret"] / max(clicks, 1))
            board.set("enjoyed_per_session", new["enjoyed"] / sessions)
            for name, slot in (
                ("shown_match", "match"),
                ("shown_quality", "quality"),
                ("shown_arousal", "arousal"),
                ("shown_popularity", "popularity"),
            ):
                board.set(name, new[slot] / examined)
        self.keep["before"] = self.keep["total"].copy()
