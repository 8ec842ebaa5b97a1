"""E02: an audio platform's personal recommendations against what is popular."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)
from twin.experiments.forecasts.registry.shared import POPULAR

EXPERIMENT = FieldExperiment(
    id="E02",
    title="Audio streaming, whose recommendations",
    status="development",
    design="Spotify, premium users in many countries, 2019; individual randomisation. Days and n "
    "are not known: 28 days and a large n are assumed. Both arms see one shelf of podcasts. "
    "Control: the podcasts most popular in the person's demographic group. Treated: podcasts chosen "
    "from the person's music history by a model that aims at consumption alone.",
    confounders="One shelf of many: here the whole feed is treated, so sizes are those of a full "
    "dose. Podcasts were new to most. Popularity was within demographic groups, the twin's is "
    "global.",
    branches={
        "personal": AS_IS,
        "popular": everybody("what is popular, for all", POPULAR),
        "half popular": part("what is popular, for half", POPULAR, 0.5),
    },
    outcomes=(
        Outcome(
            "O1",
            "streams per person, personal against popular",
            "rel",
            0.02,
            "consumption",
            (
                by_arm("opened", "half popular", flipped=True),
                whole("opened", "personal", "popular"),
            ),
            optimised=1,
            nearest=(("E03.O1", -1),),
        ),
        Outcome(
            "O2",
            "diversity of one person's streams over categories",
            "rel",
            0.02,
            "diversity",
            (
                by_arm("diversity_within", "half popular", flipped=True),
                whole("diversity_within", "personal", "popular"),
            ),
            optimised=1,
        ),
        Outcome(
            "O3",
            "diversity of all streams of an arm",
            "rel",
            0.02,
            "diversity",
            (
                by_arm("diversity_pooled", "half popular", flipped=True),
                whole("diversity_pooled", "personal", "popular"),
            ),
            optimised=1,
        ),
    ),
)
