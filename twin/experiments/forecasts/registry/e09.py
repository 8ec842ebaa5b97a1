"""E09: like counts hidden on a photo-sharing platform."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)

HIDDEN = {"audience.counts_shown": False}
ALL = (0.0, 180.0)
EXPERIMENT = FieldExperiment(
    id="E09",
    title="Photo sharing, counts hidden",
    status="blind",
    design="Instagram, seven countries from 2019 on, internal readout of February 2020; user-level "
    "test, n and days not known (half of the people of a country and 180 days are assumed). The "
    "treated no longer see like counts on posts of others; they see their own. Liking works as "
    "before, and the ranking is the same.",
    confounders="What creators feel about their own counts has no counterpart. The treated live "
    "among the untreated. A long test of a changing app, known through documents, so rounded and "
    "selected.",
    lacks="treated creators: what the twin treats are readers",
    days=180.0,
    ranges=(
        "audience.responses.like.proof=0.03..0.3:log",
        "audience.responses.comment.proof=0.03..0.3:log",
        "audience.responses.reshare.proof=0.03..0.3:log",
    ),
    branches={
        "shown": AS_IS,
        "hidden": everybody("counts hidden, for all", HIDDEN),
        "half hidden": part("counts hidden, for half", HIDDEN, 0.5),
    },
    outcomes=(
        Outcome(
            "O1",
            "interactions with posts per person",
            "rel",
            0.01,
            "consumption",
            (by_arm("reacted", "half hidden"), whole("reacted", "hidden", "shown")),
            days=ALL,
            nearest=(("E04.O2", -1),),
        ),
        Outcome(
            "O2",
            "consumption of recommended media per person",
            "rel",
            0.01,
            "consumption",
            (by_arm("out_of_network", "half hidden"), whole("out_of_network", "hidden", "shown")),
            days=ALL,
        ),
        Outcome(
            "O3",
            "production by creators",
            "rel",
            0.01,
            "production",
            (whole("human_posts", "hidden", "shown"),),
            days=ALL,
        ),
        Outcome(
            "O4",
            "reach of large accounts",
            "rel",
            0.01,
            "diversity",
            (whole("top_share", "hidden", "shown"),),
            days=ALL,
            primary=False,
        ),
        Outcome(
            "B1",
            "sessions per person and day",
            "rel",
            0.01,
            "consumption",
            (by_arm("sessions", "half hidden"),),
            days=ALL,
            primary=False,
        ),
        Outcome(
            "B2",
            "satisfaction, in points of 100",
            "pt",
            1.0,
            "attitudes",
            (by_arm("satisfaction", "half hidden"),),
            days=ALL,
            primary=False,
        ),
    ),
)
