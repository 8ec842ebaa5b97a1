"""E10: seven weeks with the other feed of a microblog."""

from dataclasses import replace

from twin.experiments.forecasts.declare import (
    AS_IS,
    Branch,
    FieldExperiment,
    Outcome,
    Reading,
    by_stratum,
    everybody,
    part,
    whole,
)
from twin.experiments.forecasts.registry.shared import CHRONOLOGICAL, ENGAGEMENT

ALL, END = (0.0, 49.0), (42.0, 49.0)
COMPLIANCE = 0.85
STRATUM = {"name": "stratum", "share": 0.25, "of": "consumers", "set": dict(CHRONOLOGICAL)}
"""Who used the chronological feed before: a quarter, from the start."""


def _on(quantity: str) -> tuple[Reading, ...]:
    """Algorithm against staying chronological, among those of the stratum; else in worlds in which
    all are of it."""
    return (
        by_stratum(quantity, "half on", 2, "within-1"),
        whole(quantity, "algorithm on", "chronological stays"),
    )


def _off(quantity: str) -> tuple[Reading, ...]:
    """Chronological against staying with the algorithm, among all others."""
    return (
        by_stratum(quantity, "half off", 2, "alone"),
        whole(quantity, "algorithm off", "algorithm stays"),
    )


EXPERIMENT = FieldExperiment(
    id="E10",
    title="Microblog, seven weeks with the other feed",
    status="blind",
    design="X, US, July to September 2023; a survey panel independent of the company, 4,965 final "
    "surveys, stratified by the feed used before. People are paid to use the algorithmic or the "
    "chronological tab for seven weeks; reported compliance is about 85 %, and the analysis is by "
    "intention to treat. ON: chronological before, algorithm against staying. OFF: algorithm before, "
    "chronological against staying.",
    confounders="The slant of supply is symmetric in the twin, so only sizes of shifts in attitudes "
    "are forecast. Non-compliance scales effects by 0.85. Outcomes are self-reported.",
    lacks="an index of engagement of one person (the mean of two standardised effects is taken)",
    world={"recommender.preset": "x_2023"},
    burn_in_d=120.0,
    days=49.0,
    branches={
        "half on": replace(part("the algorithm, for half", ENGAGEMENT, 0.5), before=(STRATUM,)),
        "half off": replace(part("chronological, for half", CHRONOLOGICAL, 0.5), before=(STRATUM,)),
        "algorithm stays": AS_IS,
        "algorithm off": everybody("from the algorithm to chronological", CHRONOLOGICAL),
        "chronological stays": Branch("chronological from the start", sets=CHRONOLOGICAL),
        "algorithm on": Branch(
            "chronological from the start, then the algorithm",
            everybody("the algorithm", ENGAGEMENT).policies,
            CHRONOLOGICAL,
        ),
    },
    outcomes=(
        Outcome(
            "O1",
            "engagement, ON",
            "sd",
            0.05,
            "consumption",
            _on("sessions & opened"),
            days=ALL,
            optimised=1,
            scale=COMPLIANCE,
        ),
        Outcome(
            "O2",
            "size of the shift of policy attitudes, ON",
            "size",
            0.05,
            "attitudes",
            _on("opinion"),
            days=END,
            scale=COMPLIANCE,
        ),
        Outcome(
            "O3",
            "size of that shift, OFF",
            "size",
            0.05,
            "attitudes",
            _off("opinion"),
            days=END,
            scale=COMPLIANCE,
        ),
        Outcome(
            "O4",
            "likes of posts in the feed, algorithm over chronological",
            "rel",
            0.05,
            "content",
            _on("popularity"),
            days=ALL,
            optimised=1,
        ),
        Outcome(
            "O5a",
            "affective polarisation, ON",
            "sd",
            0.05,
            "attitudes",
            _on("extremity"),
            days=END,
            optimised=1,
            primary=False,
            scale=COMPLIANCE,
        ),
        Outcome(
            "O5b",
            "affective polarisation, OFF",
            "sd",
            0.05,
            "attitudes",
            _off("extremity"),
            days=END,
            optimised=-1,
            primary=False,
            scale=COMPLIANCE,
        ),
    ),
)
