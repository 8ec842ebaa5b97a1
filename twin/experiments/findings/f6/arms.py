"""Finding 6: outcomes, the world of its experiments, its controls and its policies.

Assumed is how comprehensiveness reaches attention, one person before one post: people open what
answers more fully (search-like intent) and stay with it longer (dwell). What a post reaches through
the feed, what that leaves to human creators, and whether these post less, follows. How strong both
are, and how far creators respond to pay, is drawn from ranges.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.kit.arms import (
    Change,
    Outcome,
    Range,
    Size,
    because,
    smaller,
)
from twin.experiments.findings.kit.claims import Matters
from twin.experiments.findings.kit.means import Array
from twin.experiments.findings.kit.readings import Readings

DOSES = (0.0, 1.0, 2.0)
"""Posts by AI per human post; the default world has about 0.15."""
FALL = Matters(0.05, "half of the smallest published fall of uploads, Burtch et al. over -10 %")
"""As a share."""
CHANGE = Matters(0.02, "assumption: as a share, two per cent")
SHARE = Outcome(
    "creator_human_share",
    "producer",
    "human share of reach",
    matters=Matters(0.01, "assumption: one examined post in a hundred"),
)
INCOME = Outcome("creator_income", "producer", "income of a human creator", {"by": "human"})
EXITS = Outcome(
    "creator_exits",
    "producer",
    "human creators who quit a day",
    {"by": "human"},
    Matters(0.05, "assumption: one more in twenty days"),
)
EXPOSED = Outcome(
    "human_posts", "producer", "human posts a day where AI works", {"topic": "invaded"}
)
OTHERS = Outcome("human_posts", "producer", "human posts a day elsewhere", {"topic": "other"})
REACH = Outcome("impressions", "producer", "human posts examined a day", {"by": "human"})
AI_REACH = Outcome("impressions", "producer", "AI posts examined a day", {"by": "ai"})
AI_POSTS = Outcome("posts", "producer", "AI posts a day", {"by": "ai"})
HUMAN_POSTS = Outcome("posts", "producer", "human posts a day", {"by": "human"})
ENJOYED = Outcome(
    "enjoyed_per_session",
    "consumer",
    "posts that people are glad of per session",
    matters=Matters(0.05, "assumption: one post in twenty sessions"),
)
OPENED = Outcome(
    "engaged_per_session",
    "consumer",
    "posts opened per session",
    matters=Matters(0.05, "assumption: one post in twenty sessions"),
)
CONTENT = Outcome(
    "satisfaction_mean",
    "consumer",
    "satisfaction",
    matters=Matters(0.01, "assumption: a hundredth of the scale"),
)
OUTCOMES = (
    SHARE,
    INCOME,
    EXITS,
    EXPOSED,
    OTHERS,
    REACH,
    AI_REACH,
    AI_POSTS,
    HUMAN_POSTS,
    ENJOYED,
    OPENED,
    CONTENT,
)
WORLD = (
    because(
        "isolates the mechanism: AI comes at the start and as much as the dose says",
        creators__ai__arrivals="0/d",
        creators__human__arrivals="0/d",
        audience__arrivals="0/d",
    )
    | because(
        "placebo: AI works in half of the communities, humans in the others are not exposed",
        creators__ai__communities="3",
        network__communities="6",
    )
    | because(
        "not part of this experiment",
        chatbots__enabled="false",
        ratings__enabled="false",
        campaigns__enabled="false",
    )
    | because(
        "isolates the mechanism: AI posts stay as comprehensive as the arm says",
        creators__ai__learning="0",
    )
    | because(
        "three posts tell what they earn, so that those who post seldom know it before AI comes",
        creators__reference_posts="3",
    )
    | because(
        "less noise: at the default spread, 2.1, a handful of creators write most human posts, and "
        "uploads are whether one of them quits",
        creators__human__posts_log_sd="1",
    )
)
DRAWN = {
    "creators.human.supply_elasticity": Range(
        0.0,
        0.66,
        "from no response to pay to twice the labour supply of 0.33 on the intensive margin, "
        "Chetty, Econometrica 2012 (abstract): from outside of this finding and not fitted to it",
    ),
    "audience.responses.click.comprehensiveness": Range(
        0.4,
        1.6,
        "assumption, search-like intent: people open what answers more fully, by half to twice "
        "what arousal weighs (0.8)",
    ),
    "audience.responses.long_view.comprehensiveness": Range(
        0.25, 1.0, "assumption, dwell: people stay with it, by half to twice the default weight"
    ),
}
BLIND = because(
    "no way to attention: nothing that people do or like depends on comprehensiveness",
    audience__responses__click__comprehensiveness="0",
    audience__responses__long_view__comprehensiveness="0",
    audience__responses__follow__comprehensiveness="0",
    audience__responses__glad__comprehensiveness="0",
)
PLAIN = because(
    "AI posts are as comprehensive as human ones", creators__ai__comprehensiveness="0.4"
)
# Slates, candidate lists and patience are so long that they end with the posts.
STAYS = (
    because(
        "infinite attention: everybody sees every post",
        recommender__slate="100",
        audience__patience="0.999",
        recommender__author_cap="100",
        recommender__lists="1",
        recommender__probes="1",
        recommender__probe_cap="4096",
        recommender__quota__in_network="500",
        recommender__quota__nearest="500",
        recommender__quota__trending="500",
        recommender__quota__explore="500",
    )
    | because(
        "few enough posts for everybody to see all of them",
        recommender__expiry="12h",
        creators__human__posts_mean="0.15/d",
        creators__ai__posts_mean="0.75/d",
        audience__return_effect="0",
    )
    | because("nobody leaves the platform for good, whatever they are shown", audience__leave="0")
)
# Everything that carries attention from one community to another is closed.
APART = because(
    "separate communities: feeds show followed creators only, and nobody follows across "
    "communities or follows new creators",
    network__homophily="1",
    network__follows_most="0.5",
    recommender__quota__nearest="0",
    recommender__quota__trending="0",
    recommender__quota__explore="0",
    recommender__explore_slots="0",
    audience__responses__follow__intercept="-30",
    network__replace="0",
    audience__return_effect="0",
    opinions__exposure_rate="0",
    opinions__peer_rate="0",
)
# All hours alike, as AI creators post.
FLAT = str([1] * 24)
# What an AI post is like, and whether it builds a reputation; how many they are stays.
SAME = because(
    "makers alike in all but who makes and how much: AI posts are like human ones, and likes build "
    "their makers' reputation",
    creators__ai__accrual="1",
    creators__ai__skill_mean="0",
    creators__ai__skill_sd="0.6",
    creators__ai__quality_noise="0.7",
    creators__ai__arousal="0.3",
    creators__ai__comprehensiveness="0.4",
    creators__ai__trend_following="0",
)
NAMELESS = (
    SAME
    | because(
        "makers alike in all but who makes: how much they post, what they learn, and how they "
        "respond to pay",
        creators__ai__posts_mean="0.8/d",
        creators__ai__posts_log_sd="1",
        creators__ai__learning="0.3",
        creators__ai__learning_log_sd="1.5",
        creators__human__imitation="0",
        creators__human__supply_elasticity="0.33",
        creators__human__supply_rate="0.02",
        creators__ai__supply_elasticity="0.33",
        creators__ai__supply_rate="0.02",
        creators__ai__supply_most="2",
        creators__ai__communities="0",
    )
    # A more central niche matches more people, and only humans have niches of their own.
    | because(
        "all tastes are their community's: the niche of a human is their own taste, that of an AI "
        "creator the centre of its community",
        audience__taste_spread="0",
    )
    | because(
        "humans post round the clock and do not quit, as AI creators do",
        creators__diurnal=FLAT,
        creators__quit="0",
    )
)


def arrival(day: int) -> dict[str, tuple[str, str]]:
    """AI creators post from that day on. Field studies compare before with after; and creators
    respond to what they earn against what they earned at first, so that must be without AI."""
    lifted = f"{{name: AI comes, at: {day}d, set: {{creators.ai_posts_cap: 1000000}}}}"
    return because(
        "AI comes when creators know what they earn without it",
        creators__ai_posts_cap="0",
        policies=f"[{lifted}]",
    )


def size(
    replicates: int, days: int, people: int, creators: int, also: Change | None = None
) -> Size:
    """So many worlds of so many days, people and human creators."""
    return smaller(
        replicates,
        days,
        people,
        creators,
        also,
        # One AI creator to five human ones: `supplied` counts on it.
        creators__ai__initial=str(creators // 5),
        network__follows_mean="10",
        recommender__retrain_every="1d",
        recommender__sync_every="1d",
    )


SOON = because(
    "size: days are few, so creators close a fifth of the gap to the rate that pay asks for a day, "
    "as AI creators do, not a fiftieth",
    creators__human__supply_rate="0.2",
)
# In three worlds of this size, where AI was there from the start, the sd of the change by doubling was 0.029 of posts examined and
# 0.007 of uploads, that of the capture 0.19 (its weights are drawn): 12 worlds show 0.05, 0.05 and
# 0.17 with 80 % power.
QUICK = size(4, 10, 300, 50, SOON | arrival(5))
FULL = size(12, 90, 1000, 200, arrival(30))
NO_AI = {"creators.ai.initial": "0"}
POLICIES = {
    "label": {"creators.label_ai": "0.8"},
    "demote": {"recommender.ai_factor": "0.5"},
    "cap": {"recommender.ai_cap": "1"},
    "volume cap": {"creators.ai_posts_cap": "3"},
    "no pay": {"creators.ai_pay": "0"},
}
"""As in scenarios/policies: label_ai, demote_ai, cap_ai, ai_posts_cap, no_pay_for_ai."""


def supplied(dose: float) -> dict[str, str]:
    """Settings at so many posts by AI per human post."""
    # An AI creator posts 4 times a day and five humans together about as often: see `size`.
    # At dose 1 they are the default's, and nothing is set: other parts have the same worlds.
    if dose == 1:
        return {}
    return {"creators.ai.posts_mean": f"{4 * dose:g}/d"} if dose else NO_AI


def relative(seen: Readings, arm: str, base: str, metric: Outcome) -> Array:
    """Relative change of a metric from arm ``base`` to ``arm`` (replicates,)."""
    before = seen.of(base, metric)
    return np.asarray(seen.of(arm, metric) / before - 1, np.float64)


def ahead(seen: Readings, arm: str) -> Array:
    """How far more people an AI post reaches than a human one: log of the ratio (replicates,)."""
    ai, human = (
        seen.of(arm, reach) / seen.of(arm, posts)
        for reach, posts in ((AI_REACH, AI_POSTS), (REACH, HUMAN_POSTS))
    )
    # A log ratio: twice the reach and half of it are equally far from none.
    return np.asarray(np.log(ai / human), np.float64)
