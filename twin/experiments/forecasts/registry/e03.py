"""E03: random posts in a short-video feed."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
    within,
)
from twin.experiments.forecasts.registry.shared import UNIFORM

EXPERIMENT = FieldExperiment(
    id="E03",
    title="Short video, random posts in the feed",
    status="development",
    design="Kuaishou, China, 22 April to 8 May 2022, 27,285 active users. Each recommended video "
    "had the same chance to be replaced by one drawn uniformly from about 7,600 videos; about "
    "0.4 % were. The unit is the impression, within person; nobody was told.",
    confounders="The pool was recent and moderated, so it is not the catalogue. People were chosen "
    "for activity. Where whole slates are random, satisfaction moves too, hence three days.",
    days=3.0,
    branches={
        "recommended": AS_IS,
        "mixed": everybody("2 % of slots at random", {"recommender.random_share": 0.02}),
        "random": everybody("all posts at random", UNIFORM),
        "impersonal": everybody("for the mean person", {"recommender.personalisation": 0.0}),
        "few random": part("all posts at random, for 2 % of people", UNIFORM, 0.02),
    },
    outcomes=(
        Outcome(
            "O1",
            "click rate of random against recommended impressions",
            "rel",
            0.02,
            "consumption",
            (
                within("click_rate_random", "click_rate_chosen", "mixed"),
                by_arm("click_rate", "few random"),
                whole("click_rate", "random", "recommended"),
            ),
            days=(0.0, 3.0),
            optimised=-1,
            nearest=(("E02.O1", -1),),
        ),
        Outcome(
            "B1",
            "the same for a feed that ranks as for the mean person",
            "rel",
            0.02,
            "consumption",
            (whole("click_rate", "impersonal", "recommended"),),
            days=(0.0, 3.0),
            optimised=-1,
            primary=False,
        ),
    ),
)
