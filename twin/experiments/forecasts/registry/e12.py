"""E12: eight weeks with one of three feeds of an open microblog."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)
from twin.experiments.forecasts.registry.shared import CHRONOLOGICAL

CALMER = {"recommender.author_cap": 1, "recommender.weights.comment": 0.0}
BEFORE, AFTER = (0.0, 28.0), (28.0, 56.0)
RANKED = (
    by_arm("aroused_share", "half newest", flipped=True),
    by_arm("arousal", "half newest", flipped=True),
    whole("aroused_share", "ranked", "newest"),
    whole("arousal", "ranked", "newest"),
)
EXPERIMENT = FieldExperiment(
    id="E12",
    title="Open microblog, eight weeks with one of three feeds",
    status="blind",
    design="Bluesky, US partisans, September to December 2024, before and after an election; "
    "n = 2,000, eight weeks, the researchers' own feeds, individual randomisation, a registered "
    "report. A: predicted engagement ranks. B: newest first. C: as A, with fewer posts of very "
    "active authors, less toxic and more constructive ones. Weekly surveys.",
    confounders="Only the researchers' feed is treated. Supply may differ before and after the "
    "election, so the arousal of human creators is drawn; half of the time is taken to lie before.",
    lacks="a factor that falls with the rate of posting (nearest: one post per author, no weight for "
    "comments)",
    world={"recommender.preset": "equal"},
    ranges=("creators.human.arousal=0.15..0.6:log",),
    days=56.0,
    branches={
        "ranked": AS_IS,
        "newest": everybody("newest first, for all", CHRONOLOGICAL),
        "half newest": part("newest first, for half", CHRONOLOGICAL, 0.5),
        "calmer": everybody("one post per author and no weight for comments, for all", CALMER),
        "half calmer": part("the same, for half", CALMER, 0.5),
    },
    outcomes=(
        Outcome(
            "O1a",
            "share of intergroup, moralised or emotional posts, A over B, before the election",
            "rel",
            0.03,
            "content",
            RANKED,
            days=BEFORE,
            optimised=1,
            nearest=(("E01.O1", 1),),
        ),
        Outcome(
            "O1b",
            "the same after the election",
            "rel",
            0.03,
            "content",
            RANKED,
            days=AFTER,
            optimised=1,
            nearest=(("E01.O1", 1),),
        ),
        Outcome(
            "O2",
            "enjoyment of the platform, A less B, after the election",
            "sd",
            0.05,
            "attitudes",
            (
                by_arm("satisfaction", "half newest", flipped=True),
                whole("satisfaction", "ranked", "newest"),
            ),
            days=AFTER,
            optimised=1,
        ),
        Outcome(
            "O3",
            "own engagement with such posts, A against B",
            "rel",
            0.10,
            "consumption",
            (
                by_arm("aroused_responses", "half newest", flipped=True),
                whole("aroused_responses", "ranked", "newest"),
            ),
            days=(0.0, 56.0),
            optimised=1,
        ),
        Outcome(
            "O4",
            "share of such posts, C over A",
            "rel",
            0.03,
            "content",
            (
                by_arm("aroused_share", "half calmer"),
                by_arm("arousal", "half calmer"),
                whole("aroused_share", "calmer", "ranked"),
                whole("arousal", "calmer", "ranked"),
            ),
            days=(0.0, 56.0),
            optimised=-1,
            primary=False,
        ),
    ),
)
