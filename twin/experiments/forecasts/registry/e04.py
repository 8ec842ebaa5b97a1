"""E04: seeded votes on comments of a news aggregator."""

from twin.experiments.forecasts.declare import FieldExperiment, Outcome, everybody, within

SEEDS = {"ratings.votes.seed_up": 0.04, "ratings.votes.seed_down": 0.02}
EXPERIMENT = FieldExperiment(
    id="E04",
    title="News aggregator, a seeded vote",
    status="in-sample",
    design="A large social news site, five months about 2010, 101,281 comments. At creation a "
    "comment got at random one fake up-vote (4 %), one fake down-vote (2 %) or none. Scores are "
    "public, raters do not know. The unit is the comment.",
    confounders="Comments, not posts; friends and enemies of the author; topics differ. The rates "
    "and the herding of votes in the twin were set from this study, so this is a check.",
    lacks="the first vote after the seed",
    burn_in_d=0.0,
    days=60.0,
    ranges=("ratings.votes.quality=0.13..1.2:log", "ratings.votes.match=0.33..3.0:log"),
    branches={
        "seeded": everybody("one fake vote for some posts", SEEDS),
        "hidden": everybody(
            "the same, with scores that nobody sees", {**SEEDS, "ratings.votes_shown": False}
        ),
    },
    outcomes=(
        Outcome(
            "O1",
            "chance that the first viewer votes an up-seeded comment up",
            "rel",
            0.05,
            "consumption",
            (within("first_seeded_up", "first_unseeded", "seeded"),),
            days=(59.0, 60.0),
        ),
        Outcome(
            "O2",
            "final mean score of up-seeded comments, without the seed",
            "rel",
            0.05,
            "consumption",
            (within("net_seeded_up", "net_unseeded", "seeded"),),
            days=(59.0, 60.0),
        ),
        Outcome(
            "O3",
            "final mean score of down-seeded comments, without the seed",
            "rel",
            0.05,
            "consumption",
            (within("net_seeded_down", "net_unseeded", "seeded"),),
            days=(59.0, 60.0),
        ),
        *(
            Outcome(
                name,
                f"control: the score of {way}-seeded comments where scores are hidden",
                "rel",
                0.05,
                "consumption",
                (within(f"net_seeded_{way}", "net_unseeded", "hidden"),),
                days=(59.0, 60.0),
                primary=False,
            )
            for name, way in (("B1", "up"), ("B2", "down"))
        ),
    ),
)
