"""E08: small creators of a short-video platform, and their viewers."""

from twin.experiments.forecasts.declare import FieldExperiment, Outcome, by_arm, part

EXPERIMENT = FieldExperiment(
    id="E08",
    title="Short video, small creators: their viewers and themselves",
    status="blind",
    design="A leading short-video platform in Asia, before 2025; two large trials, n and days not "
    "known (28 days are assumed). Viewers: half of the videos of small creators are withheld from "
    "the treated, and what ranks next takes their place. Creators: the videos of treated small "
    "creators get more traffic than those of control small creators.",
    confounders="The dose on the creator side is not known: posts of treated creators count 1.5 "
    "times in the ranking, and 3 times beside it. Creators of the default world do not change their "
    "rate of posting with what posts earn, so that elasticity is drawn. Half are treated where 1 % are "
    "assumed: luck of the draw matters less in a small world, and both arms see one supply.",
    lacks="a factor on the posts of small creators alone: all treated creators get it, and the "
    "small ones are read",
    world={"recommender.small_followers": 10},
    ranges=("creators.human.supply_elasticity=0.0..1.0",),
    branches={
        "withheld": part(
            "half of small creators' posts withheld from half of people",
            {"recommender.small_withheld": 0.5},
            0.5,
        ),
        "more traffic": part(
            "posts of half of creators count 1.5 times",
            {"recommender.creator_factor": 1.5},
            0.5,
            of="creators",
        ),
        "much more traffic": part(
            "posts of half of creators count 3 times",
            {"recommender.creator_factor": 3.0},
            0.5,
            of="creators",
        ),
    },
    outcomes=(
        Outcome(
            "O1", "viewers' watching", "rel", 0.005, "consumption", (by_arm("watched", "withheld"),)
        ),
        Outcome(
            "O2",
            "videos made per small creator",
            "rel",
            0.01,
            "production",
            (by_arm("posts_small", "more traffic"),),
        ),
        Outcome(
            "O3",
            "growth of followers of small creators",
            "rel",
            0.05,
            "production",
            (by_arm("followers_small", "more traffic"),),
        ),
        Outcome(
            "B1",
            "videos made per small creator, three times",
            "rel",
            0.01,
            "production",
            (by_arm("posts_small", "much more traffic"),),
            primary=False,
        ),
        Outcome(
            "B2",
            "growth of followers of small creators, three times",
            "rel",
            0.05,
            "production",
            (by_arm("followers_small", "much more traffic"),),
            primary=False,
        ),
    ),
)
