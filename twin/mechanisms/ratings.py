"""Ratings of long-lived posts (works) and votes on all posts: what people say of what they saw, and
why it is not what they experienced.

A rating is quality as experienced, less disappointed expectation (loss-averse disconfirmation),
drawn to the prediction on show (anchoring) and to the average on show (herding), posted more often
when extreme; who consumes a work at all is selected by the feed and by taste. So the average on
display is contaminated, and the feed and later people meet it again. Votes herd upwards on a
positive score; a negative one is corrected by people who like the post. All equations are in
`twin.kernels.rate`.

Experiments: ``prediction_shift`` moves the shown prediction for a random half of (person, work)
pairs, and ``anchoring_slope`` is how much further what people would say lies from the unmoved
prediction in that half, per star of the move; ``votes.seed_up`` and ``votes.seed_down`` give shares
of new posts one vote at birth (Muchnik et al. 2013), whose fate is read when posts reach the age
``votes.settle``; daily, a random sample of people is made to judge a random sample of rated works
(``forced``), which shows what purchasing and reporting select.

J shape of a sample with shares s_k of k stars: min(s_1 - s_2, s_5 - s_4), above 0 only where both
ends rise over their neighbours.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import rate as kernel
from twin.world.columns import Column
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, group, par
from twin.world.state import Made, World

SAMPLES = ("posted", "bought", "forced")
SEEDS = ("down", "none", "up")
STARS = (1.0, 2.0, 3.0, 4.0, 5.0)
ADOMAVICIUS = "linear: Adomavicius et al., ISR 2013; size recalled from it, weak"
HU = "sign: Hu, Pavlou & Zhang, CACM 2009"
MUCHNIK = "Muchnik, Aral & Taylor, Science 2013"


class Votes(Params):
    """Votes: log-odds of up and down, moved by liking and by the score on show."""

    enabled: bool = par(True, "whether people vote")
    up_rate: float = par(
        0.0513,
        "chance of an up-vote per viewing of a post one feels neutral about, score hidden or 0",
        low=1e-6,
        high=0.9,
        source=f"{MUCHNIK}, a slide on the baseline; weak",
    )
    down_rate: float = par(
        0.0082,
        "chance of a down-vote, likewise",
        low=1e-6,
        high=0.9,
        source=f"{MUCHNIK}, a slide on the baseline; weak",
    )
    quality: float = par(0.4, "weight of true quality in liking", unit="logit/sd", low=0, high=20)
    match: float = par(1.0, "weight of taste . content in liking", unit="logit", low=0, high=20)
    agreement: float = par(
        0.4, "weight of 1 - |opinion - slant| in liking", unit="logit", low=0, high=20
    )
    centre: float = par(
        1.25,
        "the sum of these three at which one is neutral",
        unit="logit",
        low=-20,
        high=20,
        source="mean over clicks in the default world",
    )
    herd_up: float = par(
        0.295,
        "log-odds of an up-vote at a score of +1 (twice that far above)",
        unit="logit",
        low=0,
        high=5,
        source=f"{MUCHNIK}: first viewer +32 % on .0513",
    )
    herd_down: float = par(
        0.295,
        "log-odds of a down-vote at a score of -1 (twice that far below)",
        unit="logit",
        low=0,
        high=5,
        source="assumed equal to herd_up",
    )
    correction: float = par(
        0.6,
        "log-odds by which people who like a post vote it up at a score of -1 (twice that far "
        "below)",
        unit="logit",
        low=0,
        high=5,
        source=f"sign: {MUCHNIK}, down-votes are corrected",
    )
    seed_up: float = par(
        0.0, "share of new posts that get one up-vote at birth", low=0, high=1, lever=True
    )
    seed_down: float = par(
        0.0, "share of new posts that get one down-vote at birth", low=0, high=1, lever=True
    )
    settle: Duration = par(
        2 * DAY, "age at which a post's score counts as final", unit="s", low=3600, high=365 * DAY
    )


class RatingsParams(Params):
    """Parameters of ratings; the scale is 1..5 stars."""

    mean: float = par(
        2.8,
        "experienced quality of a work of quality 0 and match 0",
        unit="stars",
        low=-5,
        high=10,
        source="set so that what people consume is near MovieLens small (mean 3.54, sd 1.06)",
    )
    quality_weight: float = par(0.5, "stars per sd of true quality", unit="stars", low=0, high=5)
    match_weight: float = par(1.0, "stars per unit of taste . content", unit="stars", low=0, high=5)
    noise: float = par(1.0, "sd of a person's experience of one work", unit="stars", low=0, high=5)
    prior: float = par(3.5, "general expectation of a new person", unit="stars", low=1, high=5)
    prior_sd: float = par(0.3, "its sd across people", unit="stars", low=0, high=2)
    expect_shown: float = par(
        0.5, "share of the way from one's general expectation to the average on show", low=0, high=1
    )
    expect_prediction: float = par(
        0.0,
        "likewise, to the prediction on show (0: the published slope of anchoring is net of it)",
        low=0,
        high=1,
    )
    expectation_up: float = par(
        0.10,
        "rate at which the general expectation rises to what was met",
        low=0,
        high=1,
        source="sign: Oliver 1980, Bhattacherjee 2001",
    )
    expectation_down: float = par(
        0.10,
        "rate at which it falls to it",
        low=0,
        high=1,
        source="sign: Oliver 1980, Bhattacherjee 2001",
    )
    kappa_up: float = par(
        0.2,
        "stars per star of pleasant surprise",
        low=0,
        high=2,
        source="sign: Oliver 1980; FINDINGS F3",
    )
    kappa_down: float = par(
        0.4,
        "stars per star of disappointment",
        low=0,
        high=2,
        source="above kappa_up: loss aversion",
    )
    anchoring: float = par(
        0.35, "pull to the prediction on show", unit="stars/star", low=0, high=1, source=ADOMAVICIUS
    )
    herding: float = par(
        0.15,
        "pull to the average on show",
        unit="stars/star",
        low=0,
        high=1,
        source=f"sign: {MUCHNIK}",
    )
    reference: Literal["via", "comparison", "none"] = par(
        "via",
        "expectation from a co-viewed shelf: the average of the work it hangs on; all that is on "
        "show (two works side by side); as "
        "elsewhere",
        source="assumption; FINDINGS F3",
    )
    report_base: float = par(
        0.02, "chance that a consumption which one would rate 3 is rated", low=0, high=1, lever=True
    )
    extremity: float = par(
        1.8, "growth of its log per star away from 3", unit="1/star", low=0, high=10, source=HU
    )
    reporting: Literal["selective", "everyone"] = par(
        "selective", "everyone: control, all who consume also rate", lever=True, source=HU
    )
    ratings_shown: bool = par(True, "whether averages are shown", lever=True, per="consumers")
    shown_from: int = par(
        1, "ratings from which an average is shown", unit="ratings", low=1, high=10**6
    )
    prediction_shown: bool = par(
        False, "whether predicted ratings are shown", lever=True, per="consumers"
    )
    prediction_shift: float = par(
        0.0,
        "experiment: moves the prediction shown for a random half of all (person, work) pairs",
        unit="stars",
        low=-4,
        high=4,
        lever=True,
        source="design: Adomavicius et al., ISR 2013",
    )
    shrink_work: float = par(
        25.0,
        "shrinkage of a work's bias in the prediction",
        unit="ratings",
        low=0,
        high=1e6,
        source="Koren, TKDD 2010, recalled",
    )
    shrink_person: float = par(
        10.0,
        "shrinkage of a person's bias in the prediction",
        unit="ratings",
        low=0,
        high=1e6,
        source="Koren, TKDD 2010, recalled",
    )
    votes_shown: bool = par(True, "whether vote scores are shown", lever=True, per="consumers")
    votes: Votes = group(Votes, "votes")
    forced_works: int = par(
        6, "rated works that the forced sample judges daily", unit="works", low=0, high=1000
    )
    forced_people: int = par(40, "people in it", unit="consumers", low=0, high=100_000)


class Ratings(Mechanism[RatingsParams]):
    """People rate works and vote on posts."""

    name = "ratings"
    Params = RatingsParams
    order = 65
    needs = ("window", "shelf_kinds")
    columns = {
        "consumers": (
            Column(
                "rating_expectation", "f4", "stars", "General expectation of works", hidden=True
            ),
            Column(
                "rating_residual",
                "f4",
                "stars",
                "Sum of posted ratings less the mean and the work's bias then",
            ),
            Column("ratings_given", "i4", "ratings", "Ratings posted"),
            Column(
                "said",
                "u2",
                "1",
                "Fingerprints of the works consumed and the posts voted on last",
                shape=(kernel.RING,),
            ),
            Column("said_at", "i1", "1", "Place in that ring"),
        ),
        "posts": (
            Column("rating_sum", "i4", "stars", "Sum of ratings"),
            Column("rating_count", "i4", "ratings", "Ratings"),
            Column("rating_shown", "f4", "stars", "Average on show, 0 where none is"),
            Column("votes_up", "i4", "votes", "Up-votes by people"),
            Column("votes_down", "i4", "votes", "Down-votes by people"),
            Column("seed", "i1", "votes", "Vote given at birth by the experiment: -1, 0, 1"),
            Column("votes_final", "?", "1", "True once its score has been counted as final"),
        ),
    }
    metrics = (
        Metric(
            "purchases",
            "counter",
            "works",
            "Works consumed: clicked and seen to the end.",
            "consumer",
            "How they rate",
        ),
        Metric("ratings", "counter", "ratings", "Ratings posted.", "consumer", "How they rate"),
        Metric(
            "ratings_star",
            "histogram",
            "ratings",
            "Ratings posted, by stars, since the start.",
            "consumer",
            "How they rate: Stars, by sample",
            edges=STARS,
            total=True,
        ),
        Metric(
            "ratings_star_bought",
            "histogram",
            "ratings",
            "What all who consumed a work would have posted, by stars, since the start.",
            "consumer",
            "How they rate: Stars, by sample",
            edges=STARS,
            total=True,
        ),
        Metric(
            "ratings_star_forced",
            "histogram",
            "ratings",
            "What people drawn at random say of rated works they are made to judge, by stars, "
            "since the start.",
            "consumer",
            "How they rate: Stars, by sample",
            edges=STARS,
            total=True,
        ),
        Metric(
            "rating_mean",
            "gauge",
            "stars",
            "Mean stars by sample, since the last reading with any.",
            "consumer",
            "How they rate: Stars",
            labels={"sample": SAMPLES},
        ),
        Metric(
            "rating_true_mean",
            "gauge",
            "stars",
            "Mean quality as experienced behind the posted ratings, since the last reading with "
            "any.",
            "consumer",
            "How they rate: Stars",
        ),
        Metric(
            "rating_extreme_share",
            "gauge",
            "1",
            "Share of 1 and 5 stars by sample, since the start.",
            "consumer",
            "How they rate",
            labels={"sample": SAMPLES},
        ),
        Metric(
            "rating_j_shape",
            "gauge",
            "1",
            "How far both ends rise over their neighbours (above 0: J or U shape), by sample, "
            "since the start.",
            "consumer",
            "How they rate",
            labels={"sample": SAMPLES},
        ),
        Metric(
            "rating_report_share",
            "gauge",
            "1",
            "Share of works consumed that were rated, since the last reading with any.",
            "consumer",
            "How they rate",
        ),
        Metric(
            "rating_bias",
            "gauge",
            "stars",
            "Average of a rated work less its quality as all active people would experience it, "
            "mean.",
            "platform",
            "Trust in ratings",
        ),
        Metric(
            "works_rated", "gauge", "works", "Works with ratings.", "platform", "Trust in ratings"
        ),
        Metric(
            "rating_pull",
            "gauge",
            "stars",
            "Mean pull on posted ratings by cause, since the last reading with any.",
            "platform",
            "Trust in ratings",
            labels={"cause": ("disconfirmation", "anchoring", "herding")},
        ),
        Metric(
            "anchoring_slope",
            "gauge",
            "stars/star",
            "Stars per star by which shown predictions were moved, since the start (0 without that "
            "experiment).",
            "platform",
            "Trust in ratings",
        ),
        Metric(
            "rating_disconfirmation_mean",
            "gauge",
            "stars",
            "Mean experienced less expected quality of works consumed, since the last reading with "
            "any.",
            "consumer",
            "How they rate",
            good="up",
        ),
        Metric(
            "rating_expectation_mean",
            "gauge",
            "stars",
            "Mean general expectation of active people.",
            "consumer",
            "How they rate",
        ),
        Metric(
            "votes",
            "counter",
            "votes",
            "Votes by people.",
            "consumer",
            "How they rate",
            labels={"way": ("up", "down")},
        ),
        Metric(
            "vote_posts",
            "counter",
            "posts",
            "Posts whose score is final, by seed vote.",
            "platform",
            "Trust in ratings",
            labels={"seed": SEEDS},
        ),
        Metric(
            "vote_score_mean",
            "gauge",
            "votes",
            "Mean final score, the seed vote included, since the start.",
            "platform",
            "Trust in ratings",
            labels={"seed": SEEDS},
        ),
        Metric(
            "vote_net_mean",
            "gauge",
            "votes",
            "Mean final ups less downs by people, since the start.",
            "platform",
            "Trust in ratings",
            labels={"seed": SEEDS},
        ),
        Metric(
            "vote_net_se",
            "gauge",
            "votes",
            "Standard error of that mean across posts.",
            "platform",
            "Trust in ratings",
            labels={"seed": SEEDS},
        ),
        Metric(
            "vote_seed_ratio",
            "gauge",
            "1",
            "Net votes by people on seeded posts over those on unseeded ones (1: no effect, or no "
            "seeded posts).",
            "platform",
            "Trust in ratings",
            labels={"seed": ("down", "up")},
        ),
    )

    def __init__(self, params: RatingsParams, world: World) -> None:
        super().__init__(params, world)
        self._columns: Made[tuple[kernel.Raters, kernel.Works]] = Made()
        self._settings: Made[tuple[NDArray[np.bool_], kernel.Rules, kernel.Voting]] = Made()
        self._streams = np.array([self.stream("rating"), self.stream("vote")], np.uint64)

    def setup(self) -> None:
        """Open the running sums."""
        keep = self.keep
        keep["total"], keep["before"] = np.zeros(kernel.T_SIZE), np.zeros(kernel.T_SIZE)
        keep["fate"] = np.zeros((len(SEEDS), 4), np.int64)  # posts, score, net votes, their squares
        keep["shown"] = np.zeros(
            1, bool
        )  # whether the averages on show are those of `ratings_shown`
        keep["reading"] = np.zeros(
            9
        )  # the last value of each metric that counts since the last reading

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw what a new person expects, and which new posts get a vote."""
        if table == "consumers":
            z = self.normals("prior", self.read("consumers", "key")[rows], 1)[:, 0]
            self.mine("consumers", "rating_expectation")[rows] = np.clip(
                self.p.prior + self.p.prior_sd * z, 1, 5
            )
        elif table == "posts":
            up, down = float(self.lever("votes.seed_up")), float(self.lever("votes.seed_down"))
            if up or down:
                u = self.uniforms("seed", self.read("posts", "key")[rows])[:, 0]
                self.mine("posts", "seed")[rows] = (u < up).astype(np.int8) - (u > 1 - down) * (
                    u >= up
                )

    def gone(self, table: str, rows: NDArray[np.int64]) -> None:
        """A post that goes before its time is final as it is."""
        if table == "posts":
            self._finish(rows[~self.mine("posts", "votes_final")[rows]])

    def clocks(self) -> list[Every]:
        """React to every serving window; settle scores and ask the forced sample daily."""
        return [
            Every(self.world.grid, "react", self.react),
            Every(DAY, "react", self.settle),
            Every(DAY, "react", self.ask),
        ]

    def _shown(self, name: str, rows: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether something is shown to each of these people."""
        arms = self.levers_by_arm("consumers", f"{name}_shown")
        if len(arms) == 1:
            return np.full(len(rows), bool(arms[0]))
        return np.array(self.lever_of("consumers", f"{name}_shown", rows), bool)

    def _arrays(self) -> tuple[kernel.Raters, kernel.Works]:
        c, own, read = self.world.table("consumers"), self.mine, self.read
        opinion = (
            read("consumers", "opinion") if "opinion" in c.columns else np.zeros(len(c), np.float32)
        )
        opinion.flags.writeable = False
        people = kernel.Raters(
            read("consumers", "key"),
            read("consumers", "taste"),
            opinion,
            own("consumers", "rating_expectation"),
            own("consumers", "rating_residual"),
            own("consumers", "ratings_given"),
            own("consumers", "said"),
            own("consumers", "said_at"),
        )
        works = kernel.Works(
            read("posts", "key"),
            read("posts", "content"),
            read("posts", "quality"),
            read("posts", "slant"),
            own("posts", "rating_shown"),
            own("posts", "rating_sum"),
            own("posts", "rating_count"),
            own("posts", "votes_up"),
            own("posts", "votes_down"),
            own("posts", "seed"),
        )
        return people, works

    def rules(self) -> kernel.Rules:
        """Parameters of ratings as the kernel takes them."""
        p = self.p
        return kernel.Rules(
            p.mean,
            p.quality_weight,
            p.match_weight,
            p.noise,
            p.expect_shown,
            p.expect_prediction,
            p.kappa_up,
            p.kappa_down,
            p.anchoring,
            p.herding,
            p.expectation_up,
            p.expectation_down,
            float(self.lever("report_base")),
            p.extremity,
            self.lever("reporting") == "everyone",
            p.shown_from,
            float(self.lever("prediction_shift")),
            p.shrink_work,
            p.shrink_person,
            kernel.REFERENCES.index(p.reference),
        )

    def voting(self) -> kernel.Voting:
        """Parameters of votes as the kernel takes them."""
        v = self.p.votes
        up, down = (math.log(rate / (1 - rate)) for rate in (v.up_rate, v.down_rate))
        return kernel.Voting(
            v.enabled,
            up,
            down,
            v.quality,
            v.match,
            v.agreement,
            v.centre,
            v.herd_up,
            v.herd_down,
            v.correction,
        )

    def react(self) -> None:
        """Ratings and votes on what was clicked in the serving window that ends now."""
        window, world = self.world.service("window")(), self.world
        touched = window.post[:0]
        if len(window.post):
            stamp = world.tables["consumers"].version, world.tables["posts"].version
            people, works = self._columns.get(stamp, self._arrays)
            shows, rules, voting = self._settings.get(world.lever_version, self._follow_levers)
            touched = kernel.answer(
                window.consumer,
                window.post,
                window.responses,
                window.via,
                self.read("posts", "work"),
                self.read("consumers", "arm"),
                shows,
                world.service("shelf_kinds")(),
                people,
                works,
                self.keep["total"],
                rules,
                voting,
                self._streams,
            )
        self._show(touched)

    def _follow_levers(self) -> tuple[NDArray[np.bool_], kernel.Rules, kernel.Voting]:
        """What is shown, by arm of consumers, and the parameters of ratings and of votes."""
        shows = [
            self.levers_by_arm("consumers", f"{name}_shown")
            for name in ("ratings", "prediction", "votes")
        ]
        return np.array(shows, bool).T.copy(), self.rules(), self.voting()

    def _show(self, rows: NDArray[Any]) -> None:
        """Renew the averages on show: of these works, or of all where the lever has changed (in any
        arm: who sees them is asked apart)."""
        shown = any(self.levers_by_arm("consumers", "ratings_shown"))
        if shown != bool(self.keep["shown"][0]):
            self.keep["shown"][0], rows = shown, np.arange(len(self.world.table("posts")))
        if len(rows):
            count = self.mine("posts", "rating_count")[rows]
            average = self.mine("posts", "rating_sum")[rows] / np.maximum(count, 1)
            self.mine("posts", "rating_shown")[rows] = np.where(
                shown & (count >= self.p.shown_from), average, 0
            )

    def settle(self) -> None:
        """Posts that have reached the age at which scores are final."""
        own = self.mine
        old = self.read("posts", "born") <= self.world.now - self.p.votes.settle
        self._finish(
            np.flatnonzero(self.read("posts", "alive") & old & ~own("posts", "votes_final"))
        )

    def _finish(self, rows: NDArray[np.int64]) -> None:
        own = self.mine
        own("posts", "votes_final")[rows] = True
        seed = own("posts", "seed")[rows].astype(np.int64)
        net = own("posts", "votes_up")[rows].astype(np.int64) - own("posts", "votes_down")[rows]
        for place in range(len(SEEDS)):
            arm = seed == place - 1
            self.keep["fate"][place] += np.array(
                [arm.sum(), (net + seed)[arm].sum(), net[arm].sum(), (net[arm] ** 2).sum()]
            )

    def ask(self) -> None:
        """Make a random sample of active people judge a random sample of rated works."""
        day = self.world.now // DAY
        rated = np.flatnonzero(
            self.read("posts", "alive") & (self.mine("posts", "rating_count") > 0)
        )
        posts = self._drawn("forced.works", "posts", rated, self.p.forced_works, day)
        if not len(posts):
            return
        rows = self._drawn(
            "forced.people",
            "consumers",
            np.flatnonzero(self.read("consumers", "active")),
            self.p.forced_people,
            day,
        )
        people, works = self._arrays()
        kernel.forced(
            rows,
            posts,
            self._shown("ratings", rows),
            self._shown("prediction", rows),
            people,
            works,
            self.keep["total"],
            self.rules(),
            self.stream("rating"),
        )

    def _drawn(
        self, decision: str, table: str, rows: NDArray[np.int64], count: int, day: int
    ) -> NDArray[np.int64]:
        """A random sample of rows, drawn anew every day."""
        if not len(rows) or not count:
            return rows[:0]
        luck = self.uniforms(decision, self.read(table, "key")[rows], day)[:, 0]
        return rows[np.argsort(luck, kind="stable")[:count]]

    def bias(self) -> NDArray[np.float64]:
        """Average less quality as all active people would experience it, for every rated work."""
        p, own, read = self.p, self.mine, self.read
        rated = np.flatnonzero(read("posts", "alive") & (own("posts", "rating_count") > 0))
        here = read("consumers", "active")
        if not len(rated) or not here.any():
            return np.zeros(0)
        taste = read("consumers", "taste")[here].mean(0, dtype=np.float64)
        match = (read("posts", "content")[rated] * taste).sum(1)
        true = p.mean + p.quality_weight * read("posts", "quality")[rated] + p.match_weight * match
        return np.asarray(
            own("posts", "rating_sum")[rated] / own("posts", "rating_count")[rated] - true
        )

    def measure(self) -> None:
        """Ratings, their contamination, votes and the fate of seeded posts."""
        board, total, k = self.world.board, self.keep["total"], kernel
        new, old = total - self.keep["before"], self.keep["reading"].copy()
        posted, bought, asked = new[k.T_POSTED], new[k.T_BOUGHT], new[k.T_FORCED]
        sums = (
            (new[k.T_STARS], posted),
            (new[k.T_BOUGHT_STARS], bought),
            (new[k.T_FORCED_STARS], asked),
            (new[k.T_QUALITY], posted),
            (posted, bought),
            (new[k.T_DISCONFIRMED], posted),
            (new[k.T_ANCHORED], posted),
            (new[k.T_HERDED], posted),
            (new[k.T_SURPRISE], bought),
        )
        reading = np.array(
            [value / count if count else was for (value, count), was in zip(sums, old, strict=True)]
        )
        self.keep["before"], self.keep["reading"] = total.copy(), reading
        board.set("purchases", total[k.T_BOUGHT])
        board.set("ratings", total[k.T_POSTED])
        board.set_all("rating_mean", reading[:3])
        board.set("rating_true_mean", reading[3])
        board.set("rating_report_share", reading[4])
        board.set_all("rating_pull", reading[5:8])
        board.set("rating_disconfirmation_mean", reading[8])
        counts = total[k.T_HIST_POSTED :].reshape(3, 5)
        share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        for row, name in enumerate(("ratings_star", "ratings_star_bought", "ratings_star_forced")):
            board.set_all(name, counts[row])
        board.set_all("rating_extreme_share", share[:, 0] + share[:, 4])
        board.set_all(
            "rating_j_shape", np.minimum(share[:, 0] - share[:, 1], share[:, 4] - share[:, 3])
        )
        bias = self.bias()
        board.set("works_rated", len(bias))
        board.set("rating_bias", float(bias.mean()) if len(bias) else 0.0)
        moved, unmoved = max(total[k.T_MOVED], 1.0), max(total[k.T_UNMOVED], 1.0)
        drift = total[k.T_DRIFT_MOVED] / moved - total[k.T_DRIFT_UNMOVED] / unmoved
        board.set(
            "anchoring_slope", drift / (total[k.T_MOVE] / moved) if total[k.T_MOVE] > 0 else 0.0
        )
        level = self.mine("consumers", "rating_expectation")[self.read("consumers", "active")]
        board.set(
            "rating_expectation_mean", float(level.mean(dtype=np.float64)) if len(level) else 0.0
        )
        board.set_all("votes", total[[k.T_UP, k.T_DOWN]])
        fate = self.keep["fate"].astype(np.float64)
        posts = np.maximum(fate[:, 0], 1)
        score, net, square = fate[:, 1] / posts, fate[:, 2] / posts, fate[:, 3] / posts
        board.set_all("vote_posts", fate[:, 0])
        board.set_all("vote_score_mean", score)
        board.set_all("vote_net_mean", net)
        board.set_all(
            "vote_net_se", np.sqrt(np.maximum(square - net**2, 0) / np.maximum(posts - 1, 1))
        )
        known = (fate[[0, 2], 0] > 0) & (net[1] > 0)
        board.set_all(
            "vote_seed_ratio", np.where(known, net[[0, 2]] / (net[1] if net[1] > 0 else 1), 1.0)
        )
