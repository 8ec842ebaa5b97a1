"""R3: random posts instead of a ranked feed of short videos."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)
from twin.experiments.forecasts.registry.shared import UNIFORM

EXPERIMENT = FieldExperiment(
    id="R3",
    title="Short video, the ranked feed replaced by random posts",
    status="reserve",
    design="Short video, India, 8 million users: the ranked feed is replaced by random posts. Days "
    "are not known: 28 are assumed, and a twentieth of people treated.",
    confounders="Toxicity has no counterpart but arousal. For the two outcomes of which a sign is "
    "asked, 0.01 counts as null; this number is ours.",
    branches={
        "ranked": AS_IS,
        "random": everybody("random posts, for all", UNIFORM),
        "few random": part("random posts, for a twentieth", UNIFORM, 0.05),
    },
    outcomes=(
        Outcome(
            "O1",
            "toxic posts seen per person",
            "rel",
            0.03,
            "content",
            (by_arm("aroused_seen", "few random"), whole("aroused_seen", "random", "ranked")),
            optimised=-1,
        ),
        Outcome(
            "O2",
            "use of the platform",
            "rel",
            0.01,
            "consumption",
            (by_arm("sessions", "few random"), whole("sessions", "random", "ranked")),
            optimised=-1,
            sign=True,
        ),
        Outcome(
            "O3",
            "share of toxic posts among what people engage with",
            "rel",
            0.01,
            "content",
            (
                by_arm("aroused_engaged_share", "few random"),
                whole("aroused_engaged_share", "random", "ranked"),
            ),
            optimised=-1,
            sign=True,
        ),
    ),
)
