"""Parameters of ratings and votes."""

from __future__ import annotations

from typing import ClassVar, Literal

from twin.ground.units import DAY
from twin.world.params import Duration, Params, group, par

ADOMAVICIUS = "linear: Adomavicius et al., ISR 2013; size recalled from it, weak"
HU = "sign: Hu, Pavlou & Zhang, CACM 2009"
MUCHNIK = "Muchnik, Aral & Taylor, Science 2013"


class Votes(Params):
    """Votes: log-odds of up and down, moved by liking and by the score on show."""

    UNDER: ClassVar[str] = ".enabled=true"
    # seeds are given to posts, and scores settle, whether people vote or not
    ANYWAY: ClassVar[tuple[str, ...]] = ("enabled", "seed_up", "seed_down", "settle")

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
    quality: float = par(
        0.4,
        "weight of true quality in liking",
        unit="logit/sd",
        low=0,
        high=20,
    )
    match: float = par(
        1.0,
        "weight of taste . content in liking",
        unit="logit",
        low=0,
        high=20,
    )
    agreement: float = par(
        0.4,
        "weight of 1 - |opinion - slant| in liking",
        unit="logit",
        low=0,
        high=20,
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
        source=f"{MUCHNIK}: first viewer +32 % on 0.0513",
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
        0.0,
        "share of new posts that get one up-vote at birth",
        low=0,
        high=1,
        lever=True,
    )
    seed_down: float = par(
        0.0,
        "share of new posts that get one down-vote at birth",
        low=0,
        high=1,
        lever=True,
    )
    settle: Duration = par(
        2 * DAY,
        "age at which a post's score counts as final",
        unit="s",
        low=3600,
        high=365 * DAY,
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
        0.5,
        "share of the way from one's general expectation to the average on show",
        low=0,
        high=1,
        under=".ratings_shown=true",
    )
    expect_prediction: float = par(
        0.0,
        "likewise, to the prediction on show (0: the published slope of anchoring is net of it)",
        low=0,
        high=1,
        under=".prediction_shown=true",
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
        0.35,
        "pull to the prediction on show",
        unit="stars/star",
        low=0,
        high=1,
        source=ADOMAVICIUS,
        under=".prediction_shown=true",
    )
    herding: float = par(
        0.15,
        "pull to the average on show",
        unit="stars/star",
        low=0,
        high=1,
        source=f"sign: {MUCHNIK}",
        under=".ratings_shown=true",
    )
    reference: Literal["via", "comparison", "none"] = par(
        "via",
        "expectation from a co-viewed shelf: via, the average of the work whose shelf it is; "
        "comparison, all that is on show (two works side by side); none, as elsewhere",
        source="assumption; FINDINGS F3",
    )
    carried: bool = par(
        True,
        "whether the expectation of a work is carried over to what hangs on its bought-together "
        "shelf; without it, as elsewhere",
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
        1,
        "ratings from which an average is shown",
        unit="ratings",
        low=1,
        high=10**6,
        under=".ratings_shown=true",
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
        under=".prediction_shown=true",
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
