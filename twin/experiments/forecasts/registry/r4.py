"""R4: the most popular creators are left out of recommendations."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)

SMALL_ONLY = {"recommender.exposure_floor": 20}
EXPERIMENT = FieldExperiment(
    id="R4",
    title="Short video, without the most popular creators",
    status="reserve",
    design="Short video, Asia: some of the most popular creators are left out of what treated "
    "viewers are recommended. Days and n are not known (28 days and a tenth of people are assumed).",
    confounders="Which creators were left out is not known: those above the 99th percentile of "
    "followers are taken. All slots are kept for the others, so these choose by what is fresh too.",
    lacks="a factor on the posts of named creators",
    # 3,000 followers: the 99th percentile of human creators in the default world
    world={"recommender.slate": 20, "recommender.small_followers": 3000},
    branches={
        "all creators": AS_IS,
        "without": everybody("all slots for other creators, for all", SMALL_ONLY),
        "a tenth without": part("all slots for other creators, for a tenth", SMALL_ONLY, 0.1),
    },
    outcomes=(
        Outcome(
            "O1",
            "watching time",
            "rel",
            0.003,
            "consumption",
            (by_arm("watched", "a tenth without"), whole("watched", "without", "all creators")),
        ),
        Outcome(
            "O2",
            "treated viewers' own uploads",
            "rel",
            0.01,
            "production",
            cannot="readers are not creators in the twin",
        ),
    ),
)
