"""F6: posts by AI take reach from human creators, build nobody's reputation, and displace them;
what platforms may do, and who pays for it.

The source is an essay; field studies are mixed and one contradicts it (Nextdoor: unselected AI text
draws fewer clicks), so that this is a hypothesis shown with controls. The dose is posts by AI per
human post. Published studies do not tell theirs; the band is asked at 1, where AI doubles the
supply, and this was fixed before any run. AI works in half of the communities; humans in the others
are the placebo. That AI posts build no reputation is a parameter (``creators.ai.accrual`` 0) and
therefore no result.
"""

from __future__ import annotations

import numpy as np

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because, smaller
from twin.experiments.findings.kit.declare import Finding, Part
from twin.experiments.findings.kit.judging import (
    Array,
    Claim,
    afterwards,
    band,
    exact,
    moves,
    sign,
    slope,
    vanishes,
)
from twin.experiments.findings.kit.readings import Readings

BAND = "uploads of exposed humans: del Rio-Chanona et al. -16..-25 %, Liu et al. -14..-20 %, Burtch et al. over -10 %"
ESSAY = "essay; NBER w34733"
DOSES = (0.0, 0.15, 0.5, 1.0, 2.0)
"""Posts by AI per human post; .15 is the default world's."""
SHARE = Outcome("creator_human_share", "producer", "human share of reach")
INCOME = Outcome("creator_income", "producer", "income of a human creator", {"by": "human"})
EXITS = Outcome("creator_exits", "producer", "human creators who quit a day", {"by": "human"})
PEOPLE = Outcome("consumers_active", "consumer", "people who have not left for good")
EXPOSED = Outcome(
    "human_posts", "producer", "human posts a day where AI works", {"topic": "invaded"}
)
OTHERS = Outcome("human_posts", "producer", "human posts a day elsewhere", {"topic": "other"})
REACH = Outcome("impressions", "producer", "human posts examined a day", {"by": "human"})
AI_REACH = Outcome("reach_per_post", "producer", "reach of an AI post", {"by": "ai"})
HUMAN_REACH = Outcome("reach_per_post", "producer", "reach of a human post", {"by": "human"})
ENJOYED = Outcome("enjoyed_per_session", "consumer", "posts that people are glad of per session")
OPENED = Outcome("engaged_per_session", "consumer", "posts opened per session")
CONTENT = Outcome("satisfaction_mean", "consumer", "satisfaction")
OUTCOMES = (
    SHARE,
    INCOME,
    EXITS,
    EXPOSED,
    OTHERS,
    REACH,
    AI_REACH,
    HUMAN_REACH,
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
        "supply that answers to what posts bring is off by default; intensive labour supply .33, "
        "Chetty, Econometrica 2012 (abstract), from "
        "outside of this finding and not fitted to it",
        creators__human__supply_elasticity="0.33",
    )
)
ENDLESS = because(
    "infinite attention: everybody sees every post there is",
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
) | because(
    "few enough posts for everybody to see all",
    recommender__expiry="12h",
    creators__human__posts_mean="0.15/d",
    creators__ai__posts_mean="0.75/d",
    audience__return_effect="0",
)
APART = because(
    "communities that keep to themselves: feeds of followed creators, nobody follows across or "
    "anew",
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
FLAT = str([1] * 24)
ACCRUES = because(
    "equal accrual alone: likes build an AI creator a reputation as they do a human one",
    creators__ai__accrual="1",
)
ALIKE = because(
    "equal accrual, and an AI creator is made as a human one is: nothing is left but the name",
    creators__ai__accrual="1",
    creators__ai__posts_mean="0.8/d",
    creators__ai__posts_log_sd="2.1",
    creators__ai__skill_mean="0",
    creators__ai__skill_sd="0.6",
    creators__ai__quality_noise="0.7",
    creators__ai__arousal="0.3",
    creators__ai__comprehensiveness="0.4",
    creators__ai__learning_log_sd="1.5",
    creators__human__imitation="0",
    creators__ai__trend_following="0",
    creators__ai__supply_elasticity="0.33",
    creators__ai__supply_rate="0.02",
    creators__ai__supply_most="2",
    creators__ai__communities="0",
)

STAYS = ENDLESS | because(
    "and nobody leaves the platform for good, whatever they are shown", audience__leave="0"
)
PLACED = ALIKE | because(
    "and all tastes are their community's: a human's niche is the maker's own taste, that of an AI "
    "creator its community's centre",
    audience__taste_spread="0",
)
NAMELESS = PLACED | because(
    "and humans post round the clock and do not quit, as AI creators do",
    creators__diurnal=FLAT,
    creators__quit="0",
)


def _size(replicates: int, days: int, people: int, creators: int) -> Size:
    return smaller(
        replicates,
        days,
        people,
        creators,
        creators__ai__initial=str(creators // 5),
        network__follows_mean="10",
    )


QUICK, FULL = _size(4, 40, 400, 100), _size(10, 180, 2000, 400)


NONE = {"creators.ai.initial": "0"}
POLICIES = {
    "label": {"creators.label_ai": "0.8"},
    "demote": {"recommender.ai_factor": "0.5"},
    "cap": {"recommender.ai_cap": "1"},
    "volume cap": {"creators.ai_posts_cap": "3"},
    "no pay": {"creators.ai_pay": "0"},
}
"""As in scenarios/policies: label_ai, demote_ai, cap_ai, ai_posts_cap, no_pay_for_ai."""


def _dose(dose: float) -> dict[str, str]:
    """There are five human creators to one of AI, so that an AI creator at the default four posts a
    day makes as much as they do."""
    return {"creators.ai.posts_mean": f"{4 * dose:g}/d"} if dose else NONE


def _lost(seen: Readings, arm: str, base: str, metric: Outcome) -> Array:
    """Change as a share of what there is without (replicates,)."""
    before = seen.of(base, metric)
    return np.asarray(seen.of(arm, metric) / before - 1, np.float64)


def judge_supply(seen: Readings) -> list[Claim]:
    """Displacement over supply; the band of uploads; the placebo; no AI, nothing but the name, and
    infinite attention."""
    made = []
    for metric, way in ((SHARE, -1), (INCOME, -1), (EXITS, 1), (EXPOSED, -1)):
        doses, values = seen.doses(metric)
        made.append(
            sign(f"supply: {metric.words}, per sd of posts by AI", slope(doses, values), way, ESSAY)
        )
    exposed = _lost(seen, "1", "0", EXPOSED)
    made.append(
        band(
            "AI doubles the supply: uploads of exposed humans, change as a share",
            exposed,
            -0.25,
            -0.10,
            BAND,
        )
    )
    made.append(
        vanishes(
            "placebo, topics without AI: uploads, change as a share",
            _lost(seen, "1", "0", OTHERS),
            exposed,
        )
    )
    apart = _lost(seen, "apart/1", "apart/0", EXPOSED)
    made.append(
        vanishes(
            "placebo, communities that keep to themselves: uploads where no AI works",
            _lost(seen, "apart/1", "apart/0", OTHERS),
            apart,
            aside=True,
        )
    )
    made.append(sign("the same communities: uploads where AI works", apart, -1, ESSAY, aside=True))
    made.append(
        exact(
            "control, no AI: human share of reach", float(seen.of("0", SHARE).min()), 1.0, "control"
        )
    )
    made.append(
        vanishes(
            "control, infinite attention: human posts examined, change as a share",
            _lost(seen, "endless/1", "endless/0", REACH),
            _lost(seen, "1", "0", REACH),
        )
    )
    made.append(
        vanishes(
            "control, infinite attention: uploads where AI works",
            _lost(seen, "endless/1", "endless/0", EXPOSED),
            exposed,
        )
    )
    for metric, beside in ((REACH, _lost(seen, "1", "0", REACH)), (EXPOSED, exposed)):
        made.append(
            afterwards(
                vanishes(
                    f"infinite attention where nobody leaves: {metric.words}, change as a share",
                    _lost(seen, "stays/1", "stays/0", metric),
                    beside,
                )
            )
        )
    made.append(
        afterwards(
            sign(
                "infinite attention: people who have not left, change as a share",
                _lost(seen, "endless/1", "endless/0", PEOPLE),
                -1,
                "why the control does not vanish",
            )
        )
    )
    ahead = {
        arm: np.log(seen.of(arm, AI_REACH) / seen.of(arm, HUMAN_REACH))
        for arm in ("1", "alike/1", "placed/1", "nameless/1")
    }
    made.append(
        vanishes(
            "control, equal accrual and all else: log of reach of an AI post over that of a human "
            "one",
            ahead["alike/1"],
            ahead["1"],
        )
    )
    for arm, words in (
        ("placed/1", "niches as central"),
        ("nameless/1", "niches as central, same hours, nobody quits"),
    ):
        made.append(
            afterwards(
                vanishes(
                    f"equal accrual and all else, {words}: log of reach of an AI post over that of "
                    f"a human one",
                    ahead[arm],
                    ahead["1"],
                )
            )
        )
    made.append(
        moves(
            "AI posts that build reputation as human ones do: human share of reach",
            seen.effect("accrues/1", "1", SHARE),
            0.01,
            "no source",
            aside=True,
        )
    )
    for metric in (ENJOYED, OPENED, CONTENT):
        doses, values = seen.doses(metric)
        made.append(
            moves(
                f"supply: {metric.words}, per sd of posts by AI",
                slope(doses, values),
                0.005,
                "no source",
                aside=True,
            )
        )
    return made


def judge_drafts(seen: Readings) -> list[Claim]:
    """Selection: the best of several drafts takes more; with no AI there is nothing to select."""
    made = []
    for metric, way in ((SHARE, -1), (INCOME, -1)):
        doses, values = seen.doses(metric)
        made.append(
            sign(
                f"selection: {metric.words}, per sd of log drafts",
                slope(np.log2(doses), values),
                way,
                "Nextdoor 2023: engagement comes from selection",
            )
        )
    made.append(
        vanishes(
            "control, no AI: human posts a day, 16 drafts less 1",
            seen.effect("no AI/16", "no AI/1", EXPOSED),
            seen.effect("16", "1", EXPOSED),
        )
    )
    for metric in (EXPOSED, ENJOYED, OPENED):
        made.append(
            moves(
                f"selection: {metric.words}, 16 drafts less 1",
                seen.effect("16", "1", metric),
                0.0,
                "no source",
                aside=True,
            )
        )
    return made


def judge_policies(seen: Readings) -> list[Claim]:
    """What each brings back and what it costs, per policy; reported, for the finding says nothing
    of policies."""
    made = []
    for name in POLICIES:
        for metric in (SHARE, EXPOSED, INCOME, ENJOYED, OPENED, CONTENT):
            made.append(
                moves(
                    f"{name}: {metric.words}, change as a share",
                    _lost(seen, name, "none", metric),
                    0.005,
                    "no source",
                    aside=True,
                )
            )
    return made


PARTS = (
    Part(
        "supply",
        "Displacement, from no AI to twice what humans post",
        "posts by AI per human post",
        judge_supply,
        [
            *(Arm(f"{dose:g}", dose, _dose(dose)) for dose in DOSES),
            Arm("0", 0.0, NONE, "apart"),
            Arm("1", 1.0, _dose(1.0), "apart"),
            Arm("0", 0.0, NONE, "endless"),
            Arm("1", 1.0, {}, "endless"),
            Arm("1", 1.0, {}, "alike"),
            Arm("1", 1.0, {}, "accrues"),
            Arm("0", 0.0, NONE, "stays"),
            Arm("1", 1.0, {}, "stays"),
            Arm("1", 1.0, {}, "placed"),
            Arm("1", 1.0, {}, "nameless"),
        ],
        OUTCOMES,
        WORLD,
        {
            "apart": APART,
            "endless": ENDLESS,
            "alike": ALIKE,
            "accrues": ACCRUES,
            "stays": STAYS,
            "placed": PLACED,
            "nameless": NAMELESS,
        },
        full=FULL,
        quick=QUICK,
        doses=True,
        both_ends=(SHARE, ENJOYED),
    ),
    Part(
        "drafts",
        "Selection, from one draft to the best of sixteen",
        "drafts of an AI post",
        judge_drafts,
        [
            *(
                Arm(str(count), float(count), {"creators.drafts": str(count)})
                for count in (1, 4, 16)
            ),
            *(
                Arm(str(count), float(count), {"creators.drafts": str(count)}, "no AI")
                for count in (1, 16)
            ),
        ],
        OUTCOMES,
        WORLD,
        {"no AI": because("no AI", creators__ai__initial="0")},
        full=FULL,
        quick=QUICK,
        doses=True,
        log_dose=True,
        both_ends=(SHARE, ENJOYED),
    ),
    Part(
        "policies",
        "What brings reach back, and what it costs people",
        "policy",
        judge_policies,
        [
            Arm("none", float("nan")),
            *(Arm(name, float("nan"), sets) for name, sets in POLICIES.items()),
        ],
        OUTCOMES,
        WORLD
        | because(
            "as humans' supply does, that of AI answers to pay",
            creators__ai__supply_elasticity="0.33",
        ),
        full=FULL,
        quick=QUICK,
    ),
)
FINDING = Finding(
    "F6",
    "AI posts and displacement",
    "AI posts capture engagement by comprehensiveness, build no speaker's reputation, and displace "
    "human creators.",
    "hypothesis",
    (
        "an essay",
        "Nextdoor 2023 (contradicts it: only selected AI text draws more), secondary",
        "Kim, Jin & Lee, NBER w34733, abstract",
        "Liu, Hu & Gao, DSS 2025, abstract",
        "del Rio-Chanona et al., PNAS Nexus 2024, abstract",
        "Burtch et al., CACM, abstract",
    ),
    PARTS,
    "That AI posts build no reputation is a parameter of the twin, not a result. The dose of "
    "published studies is unknown; the band is "
    "asked where AI doubles the supply. In the default feed all topics compete for the same "
    "slates, so humans in topics without AI may "
    "lose too: that placebo need not be zero; where communities keep to themselves it should be, "
    "and this is reported beside it. Uploads "
    "answer through supply_elasticity, which is off by default: without it they fall only by those "
    "who quit. Two controls do not vanish, "
    "and were looked into afterwards. Attention that is endless in a session does not keep people: "
    "with AI posts they are less satisfied, "
    "more of them leave for good, and who is left examines less; where nobody leaves nothing is "
    "displaced. And an AI creator with the "
    "parameters of a human one still is no person: its niche is its community's centre, a human's "
    "the maker's own taste, so that its posts "
    "match more people; where tastes are their community's, no difference is left.",
)
