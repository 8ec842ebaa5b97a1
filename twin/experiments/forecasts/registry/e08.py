"""E08: small creators of a short-video platform, and their viewers."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)

NO_FIRST_AUDIENCE = {"recommender.explore_slots": 0}
EXPERIMENT = FieldExperiment(
    id="E08",
    title="Short video, small creators: their viewers and themselves",
    status="blind",
    design="A leading short-video platform in Asia, before 2025; two large trials, n and days not "
    "known (28 days are assumed). Viewers: half of the videos of small creators are withheld from "
    "the treated, and what ranks next takes their place. Creators: the videos of treated small "
    "creators get more traffic than those of control small creators.",
    confounders="The dose on the creator side is not known. Creators of the default world do not "
    "change their rate of posting with what posts earn, so that elasticity is drawn.",
    lacks="a factor on the posts of small creators alone, for a share of them. Nearest: no slots "
    "kept for exploration, and two slots kept for small creators",
    world={"recommender.small_followers": 10},
    ranges=("creators.human.supply_elasticity=0.0..1.0",),
    branches={
        "as it is": AS_IS,
        "a tenth withheld": part(
            "no slots for exploration, for a tenth of people", NO_FIRST_AUDIENCE, 0.1
        ),
        "withheld": everybody("no slots for exploration, for all", NO_FIRST_AUDIENCE),
        "more traffic": everybody(
            "two slots of a slate kept for small creators", {"recommender.exposure_floor": 2}
        ),
    },
    outcomes=(
        Outcome(
            "O1",
            "viewers' watching",
            "rel",
            0.005,
            "consumption",
            (by_arm("watched", "a tenth withheld"), whole("watched", "withheld", "as it is")),
        ),
        Outcome(
            "O2",
            "videos made per small creator",
            "rel",
            0.01,
            "production",
            (whole("posts_small", "more traffic", "as it is"),),
        ),
        Outcome(
            "O3",
            "growth of followers of small creators",
            "rel",
            0.05,
            "production",
            (whole("followers_small", "more traffic", "as it is"),),
        ),
    ),
)
