"""E01: a microblog's engagement ranking against the newest posts of accounts followed."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    everybody,
    whole,
)
from twin.experiments.forecasts.registry.shared import CHRONOLOGICAL

EXPERIMENT = FieldExperiment(
    id="E01",
    title="Microblog, what the ranking shows",
    status="development",
    design="Twitter, US adults, February 2023, run from outside; 806 people, 1,730 pairs of "
    "timelines, within person. Each person rates the ten top posts of their own ranked feed and "
    "the ten newest posts of accounts that they follow. Nobody's feed is changed for longer.",
    confounders="The newest posts hold none of strangers, so ranking and sourcing change together. "
    "Anger is judged by readers, not measured. The panel is paid and uses the platform regularly. "
    "Slopes of responses in the twin were fitted to O1 and O2, so these two are a check.",
    lacks="readings of one person's two feeds at one moment",
    world={"recommender.preset": "x_2023"},
    days=1.0,
    branches={
        "ranked": AS_IS,
        "newest": everybody("newest posts of accounts followed", CHRONOLOGICAL),
    },
    outcomes=(
        Outcome(
            "O1",
            "anger that the author expresses, ranked against newest",
            "sd",
            0.05,
            "content",
            (whole("arousal", "ranked", "newest"),),
            days=(0.0, 1.0),
            optimised=1,
            in_sample=True,
        ),
        Outcome(
            "O2",
            "animosity towards the other political side, in political posts",
            "sd",
            0.05,
            "content",
            (whole("animosity", "ranked", "newest"),),
            days=(0.0, 1.0),
            optimised=1,
            in_sample=True,
        ),
        Outcome(
            "O3",
            "whether readers would want such political posts shown",
            "sd",
            0.05,
            "attitudes",
            (whole("enjoyed", "ranked", "newest"),),
            days=(0.0, 1.0),
            optimised=1,
            sign=True,
        ),
    ),
)
