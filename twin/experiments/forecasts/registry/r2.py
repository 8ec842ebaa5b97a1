"""R2: more diverse music recommendations."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)

DIVERSE = {"recommender.diversity": 0.5}
EXPERIMENT = FieldExperiment(
    id="R2",
    title="Music streaming, more diverse recommendations",
    status="reserve",
    design="Music streaming, global, about 2022: standard against more diverse recommendations. "
    "Days and n are not known (28 days and half of the people are assumed).",
    confounders="How much more diverse is not known; half of a score is taken for full likeness.",
    lacks="days with a click (nearest: sessions)",
    branches={
        "standard": AS_IS,
        "diverse": everybody("diverse, for all", DIVERSE),
        "half diverse": part("diverse, for half", DIVERSE, 0.5),
    },
    outcomes=(
        Outcome(
            "O1",
            "diversity of what is heard",
            "rel",
            0.01,
            "diversity",
            (
                by_arm("diversity_within", "half diverse"),
                whole("diversity_within", "diverse", "standard"),
            ),
            optimised=-1,
        ),
        Outcome(
            "O2",
            "days with a click",
            "rel",
            0.005,
            "consumption",
            (by_arm("sessions", "half diverse"), whole("sessions", "diverse", "standard")),
            optimised=-1,
        ),
        Outcome(
            "O3",
            "consumption of active users",
            "rel",
            0.01,
            "consumption",
            (by_arm("opened", "half diverse"), whole("opened", "diverse", "standard")),
            optimised=-1,
        ),
    ),
)
