"""Parameters of consumers: how they respond, when they come, how far they look, when they leave for
good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.ground.rhythm import MIND_HOURS
from twin.ground.units import DAY, HOUR
from twin.mechanisms.audience.calendar import Calendar
from twin.world.params import Duration, Params, Rate, from_table, group, par


class Response(Params):
    """Log-odds of one response: intercept and the weight of each feature of the meeting."""

    intercept: float = par(
        0.0,
        "log-odds where every feature is zero",
        unit="logit",
        source="fitted to KuaiRand-Pure rates",
        low=-30,
        high=30,
    )
    # Named like the members of `twin.kernels.respond.Feature`, by which kernels find them
    match: float = par(
        0.0, "weight of taste . content (cosine, -1..1)", unit="logit", low=-20, high=20
    )
    quality: float = par(
        0.0, "weight of true quality (standard normal)", unit="logit", low=-20, high=20
    )
    comprehensiveness: float = par(
        0.0, "weight of comprehensiveness (0..1)", unit="logit", low=-20, high=20
    )
    agreement: float = par(
        0.0, "weight of 1 - |opinion - slant| (-1..1)", unit="logit", low=-20, high=20
    )
    arousal: float = par(0.0, "weight of arousal (0..1)", unit="logit", low=-20, high=20)
    proof: float = par(
        0.0,
        "weight of log(1 + likes shown)",
        unit="logit",
        low=-20,
        high=20,
        under="audience.counts_shown=true",
    )
    reputation: float = par(
        0.0, "weight of log(1 + reputation of the creator)", unit="logit", low=-20, high=20
    )
    label: float = par(
        0.0, "weight of a label that says that AI made it (0 or 1)", unit="logit", low=-20, high=20
    )
    rating: float = par(0.0, "weight of the rating shown, less 3", unit="logit", low=-20, high=20)
    fatigue: float = par(
        0.0,
        "weight of posts of the same creator seen before in the session, + place/10",
        unit="logit",
        low=-20,
        high=20,
    )


class Responses(Params):
    """All responses. Like, comment, reshare, follow, long view and glad are given a click; report
    is given a hide."""

    click: Response = group(
        Response,
        "opens the post",
        intercept=-1.6,
        match=2.2,
        quality=0.4,
        agreement=0.4,
        arousal=0.8,
        proof=0.1,
        reputation=0.03,
        label=-0.3,
        rating=0.3,
        fatigue=-0.3,
    )
    long_view: Response = group(
        Response,
        "stays to the end",
        intercept=-0.1,
        match=1.6,
        quality=0.6,
        comprehensiveness=0.5,
        agreement=0.2,
        arousal=-0.3,
        fatigue=-0.2,
    )
    like: Response = group(
        Response,
        "likes",
        intercept=-5.2,
        match=1.5,
        quality=0.6,
        agreement=0.6,
        proof=0.1,
        reputation=0.05,
    )
    comment: Response = group(
        Response, "comments", intercept=-6.5, match=0.5, agreement=-0.4, arousal=1.8, proof=0.1
    )
    reshare: Response = group(
        Response,
        "passes on",
        intercept=-8.3,
        match=0.8,
        quality=0.5,
        agreement=0.8,
        arousal=1.0,
        proof=0.1,
    )
    follow: Response = group(
        Response,
        "follows the creator",
        intercept=-9.0,
        match=2.0,
        quality=0.8,
        comprehensiveness=0.4,
        agreement=0.3,
        reputation=0.15,
    )
    hide: Response = group(
        Response,
        "hides",
        intercept=-7.5,
        match=-1.5,
        quality=-0.4,
        agreement=-0.8,
        arousal=0.9,
        fatigue=0.3,
    )
    report: Response = group(
        Response, "reports, given a hide", intercept=-3.5, quality=-0.5, agreement=-0.5, arousal=1.0
    )
    glad: Response = group(
        Response,
        "is glad of it afterwards",
        intercept=-0.8,
        match=2.4,
        quality=1.0,
        comprehensiveness=0.8,
        agreement=0.2,
        arousal=-1.5,
        label=-0.2,
        fatigue=-0.2,
    )


class Drawn(Params):
    """Who looks at which shelf of related works. Whoever was glad of the work that a shelf belongs
    to is content with it, less what they had expected of works at all:

        content = (1 if glad, else -1) - expectation (general expectation - 3.5 stars)

    and the log-odds of looking at the next work on the shelf move by content times the number
    below for its kind. All 0: everybody alike."""

    co_viewed: float = par(
        0.0,
        "on a co-viewed shelf (below 0: whom a work left wanting compares it with others)",
        unit="logit",
        low=-20,
        high=20,
        source="assumption: who compares is still searching; off by default",
    )
    bought_together: float = par(
        0.0,
        "on a bought-together shelf (above 0: who is content with a work adds to it)",
        unit="logit",
        low=-20,
        high=20,
        source="assumption: who extends a purchase is content with it; off by default",
    )
    random: float = par(
        0.0,
        "on a shelf of random works, whose label says nothing",
        unit="logit",
        low=-20,
        high=20,
        source="assumption: a control; off by default",
    )
    expectation: float = par(
        0.0,
        "how much less content a person is with a work who expects a star more of works (0: being "
        "glad alone counts)",
        unit="1/star",
        low=0,
        high=20,
        source="assumption; sign: disconfirmation, Oliver 1980; off by default",
    )


if TYPE_CHECKING:
    Tabled = Params
else:
    Tabled = from_table(
        "a CSV or Parquet table of the people who are there when the world begins, in place of "
        "`initial`: id, activity, time_zone, community, joined, opinion, taste_0 ..., any of them; "
        "the rest is drawn"
    )


class AudienceParams(Tabled):
    """Parameters of consumers."""

    # Who is there
    initial: int = par(5000, "consumers at the start", unit="consumers", low=1, high=5_000_000)
    arrivals: Rate = par(5.0, "new consumers", unit="consumers/d", low=0, high=1e6)
    taste_spread: float = par(
        0.45, "share of a person's taste that is their own, not their community's", low=0, high=1
    )
    # When they come: on which days, and again on the same day
    return_a: float = par(
        0.72,
        "first shape of the Beta law of daily return chances",
        source="fitted to KuaiRand gaps",
        low=0.01,
        high=100,
    )
    return_b: float = par(
        0.80,
        "second shape of the Beta law of daily return chances",
        source="fitted to KuaiRand gaps",
        low=0.01,
        high=100,
    )
    return_effect: float = par(
        0.6, "effect of satisfaction on the log-odds of returning", unit="logit", low=0, high=20
    )
    satisfaction_reference: float = par(
        0.25, "satisfaction at which behaviour is as fitted", low=-1, high=1
    )
    satisfaction_start: float | None = par(
        None,
        "satisfaction of those who are there when the world begins; at rest about what the feed "
        "gives. Not given: satisfaction_reference, where newcomers begin",
        low=-1,
        high=1,
        source="assumption",
    )
    satisfaction_rate: float = par(0.1, "weight of the last session in satisfaction", low=0, high=1)
    again: float = par(0.30, "chance of another session on the same day", low=0, high=0.95)
    again_gap: Duration = par(
        3 * HOUR,
        "median gap between sessions of a day",
        unit="s",
        low=1800,
        high=DAY,
        source="lognormal, Blenn & Van Mieghem 1607.02952",
        under=".again>0",
    )
    again_gap_sd: float = par(
        0.9, "log-sd of that gap", low=0, high=3, source="assumption", under=".again>0"
    )
    # When they leave for good: everybody's chance, and what newcomers have on top
    leave: float = par(
        0.0012, "chance per session of never coming back, at reference satisfaction", low=0, high=1
    )
    leave_effect: float = par(
        5.0, "how steeply that chance falls with satisfaction", low=0, high=50
    )
    churn_a: float = par(
        0.42,
        "first shape of the law of newcomers' chance to leave for good after a session (0: "
        "newcomers are as others)",
        low=0,
        high=100,
        source="beta-geometric, Fader & Hardie 2007; set for retention of published apps",
    )
    churn_b: float = par(
        2.1,
        "second shape of it: after the n-th session the chance is a / (a + b + n - 1)",
        low=0.01,
        high=1000,
        source="set for retention of published apps",
        under=".churn_a>0",
    )
    # How far they look
    patience: float = par(
        0.85,
        "chance of looking at the next post of a slate, where the last ones gave as much as the "
        "reference",
        low=0.01,
        high=0.999,
    )
    patience_sd: float = par(
        0.8,
        "sd across people of the log-odds of looking at the next",
        unit="logit",
        low=0,
        high=5,
        source="set for KuaiRec's sd over mean of plays in a day, 1.185",
    )
    patience_effect: float = par(
        1.5,
        "effect of what the last posts gave on the log-odds of looking at the next",
        unit="logit",
        low=0,
        high=50,
        source="assumption",
    )
    patience_memory: float = par(
        0.5,
        "weight of earlier posts in what the last ones gave",
        low=0,
        high=0.99,
        source="assumption",
        under=".patience_effect!=0",
    )
    # How they differ in responses, and what they are shown
    click_sd: float = par(
        0.75,
        "sd across people of the log-odds of a click",
        unit="logit",
        low=0,
        high=5,
        source="KuaiRand: sd of people's click rate .181, over .46 x .54",
    )
    click_frequency: float = par(
        -0.5,
        "correlation of that with how often people come",
        low=-1,
        high=1,
        source="KuaiRand: -.50 between log exposures and click rate",
        under=".click_sd>0",
    )
    shelf_patience: float = par(
        0.6,
        "chance of looking at the next work on the shelf of related works",
        low=0.01,
        high=0.999,
        under="recommender.shelf.kind!=none",
    )
    shelf_drawn: Drawn = group(Drawn, "who looks at which shelf of related works")
    eagerness_sd: float = par(
        0.8, "sd across people of the log-odds of like, comment, reshare, follow", low=0, high=4
    )
    counts_shown: bool = par(
        True, "whether like counts are shown (social proof)", lever=True, per="consumers"
    )
    # When in the day and on which days, by local time
    diurnal: tuple[float, ...] = par(
        MIND_HOURS,
        "share of sessions by local hour, 24 numbers",
        unit="%",
        source="MIND sample, FINDINGS.md",
    )
    calendar: Calendar = group(Calendar, "which days people come")
    time_zones: tuple[int, ...] = par(
        (-5, 0, 1, 8), "time zones of people, equally likely", unit="h"
    )
    responses: Responses = group(Responses, "how people respond")
