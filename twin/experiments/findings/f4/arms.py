"""Finding 4: outcomes, the default feed at other dimensions, and its controls.

All other settings stay the same. Results are judged up to 32 dimensions, as FINDINGS gates them:
with one regulariser for all dimensions the curve partly turns back beyond.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because, smaller
from twin.experiments.findings.kit.claims import Matters

SOURCE = "Ohsaka & Togashi, SIGIR 2023; FINDINGS F4"
DIMS = (2, 4, 8, 16, 32, 64, 128)
GATED = 32
"""Largest dimension over which slopes are judged."""
# Windows for the course over time; levels are read in the second half.
SIXTHS = tuple((i / 6, (i + 1) / 6) for i in range(6))
SHARE = Matters(0.01, "assumption: one in a hundred")
INEQUALITY = Matters(0.01, "assumption: a hundredth of the Gini, whose range is 0 to 1")
POPULAR = Outcome(
    "shown_popularity",
    "consumer",
    "popularity of what is shown",
    matters=Matters(0.05, "assumption: as a share of the level at 2 dimensions, five per cent"),
)
MATCH = Outcome(
    "shown_match",
    "consumer",
    "match of what is shown to taste",
    matters=Matters(0.01, "assumption: a hundredth of a cosine, about a thirtieth of its level"),
)
GLAD = Outcome("enjoyed_per_session", "consumer", "posts per session that people are glad of")
COVERAGE = Outcome("post_coverage", "producer", "share of posts that anybody sees", matters=SHARE)
GINI = Outcome("exposure_gini", "producer", "Gini of reach across creators", matters=INEQUALITY)
SMALL = Outcome(
    "small_creator_share",
    "producer",
    "share of reach of the less followed half of creators",
    matters=SHARE,
)
INCOME = Outcome(
    "niche_income",
    "producer",
    "income of niche creators",
    matters=Matters(0.02, "assumption: as a share of the level at 2 dimensions, two per cent"),
)
EXITS = Outcome(
    "niche_exits",
    "producer",
    "niche creators who quit per day",
    matters=Matters(0.02, "assumption: one more in fifty days"),
)
RELATIVE = (POPULAR, INCOME)
"""Outcomes whose claims are shares of the level at two dimensions, as their units have no scale."""
SIGNS = ((POPULAR, -1), (COVERAGE, 1), (GINI, -1), (INCOME, 1), (EXITS, -1))
"""What each outcome does as dimensions are added."""
WORLD = because(
    "not part of this experiment",
    ratings__enabled="false",
    campaigns__enabled="false",
    chatbots__enabled="false",
    opinions__enabled="false",
)
CONTROLS = {
    "random feed": because(
        "control: feedback collected at random does not depend on the dimension",
        recommender__ranking="random",
    ),
    "one taste": because(
        "control: everybody has the same taste, so further dimensions add nothing",
        network__communities="1",
        audience__taste_spread="0",
    ),
}


def _size(replicates: int, days: int, people: int, creators: int) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        audience__arrivals=f"{people // 250}/d",
        # As many arrive per creator in the quick set as in the full one.
        creators__human__arrivals=f"{creators / 1000:g}/d",
        creators__ai__initial=str(creators // 30),
        creators__ai__arrivals=f"{creators / 20000:g}/d",
    )


QUICK, FULL = _size(4, 48, 400, 80), _size(8, 360, 1500, 300)


def dimension_arms(dims: Sequence[int], control: str = "", **more: str) -> list[Arm]:
    """An arm for each dimension, with other settings (``__`` in a name stands for the dot)."""
    sets = {path.replace("__", "."): value for path, value in more.items()}
    return [Arm(str(dim), dim, {"recommender.dim": str(dim), **sets}, control) for dim in dims]
