"""Finding 1, automation: what a campaign moves, by the number of its automated accounts and by whom
it targets.

People move if their mean distance from the campaign's target changes; per impression this is
``persuasion_per_mille``. Targeted are the tenth of people whom a post moves most, known by
profiling. That is the personal data of Salvi et al. 2025 (odds of agreement +81.2 % with it, no
effect without). Sizes of persuasion are assumptions, so only signs are asked for.
"""

from __future__ import annotations

import math

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because
from twin.experiments.findings.kit.claims import Claim, Matters, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.means import slope
from twin.experiments.findings.kit.readings import Readings

SALVI, OURS = "sign: Salvi et al., Nat. Hum. Behav. 2025", "sentence 1: automation scales"
ACCOUNTS = (0, 5, 20, 80)
FAR = Outcome(
    "campaign_target_distance",
    "consumer",
    "distance of people from the target",
    matters=Matters(
        0.005, "assumption: everybody a quarter of a per cent of the scale from -1 to 1 nearer"
    ),
)
EACH = Outcome(
    "persuasion_per_mille",
    "consumer",
    "movement per 1000 impressions",
    matters=Matters(
        0.05,
        "assumption: about a tenth of what posts shown at random move; Salvi et al. find at the "
        "least 26 % for odds",
    ),
)
REACHED = Outcome(
    "campaign_reached",
    "consumer",
    "people reached",
    matters=Matters(6, "assumption: one per cent of the people of the smallest worlds"),
)
INCOME = Outcome("creator_income", "producer", "income of human creators", {"by": "human"})
PAY = Matters(0.02, "assumption: two per cent of income")
WORLD = {
    **because(
        "not part of this experiment",
        chatbots__enabled="false",
        ratings__enabled="false",
        creators__ai__initial="0",
        creators__ai__arrivals="0/d",
    ),
    **because("the dose alone sets the number of accounts", campaigns__detection="0"),
}
# Nobody arrives, so the mean distance is always that of the same people.
SMALL = because(
    "size: small",
    audience__initial="600",
    audience__arrivals="0/d",
    creators__human__initial="80",
    creators__human__arrivals="0/d",
    network__communities="6",
    recommender__lists="8",
    recommender__refresh="30min",
    metrics__every="1d",
)
LARGE = because(
    "size: medium",
    audience__initial="3000",
    audience__arrivals="0/d",
    creators__human__initial="400",
    creators__human__arrivals="0/d",
    recommender__refresh="30min",
    metrics__every="1d",
)
OUTCOMES = (FAR, EACH, REACHED, INCOME)
QUICK, FULL = Size(4, 27, SMALL), Size(10, 90, LARGE)
DEAF, BLIND = "posts leave no mark", "people are not known"
LAST = f"{ACCOUNTS[-1]} accounts"


def _sets(accounts: int, targeting: str = "random") -> dict[str, str]:
    return {"campaigns.accounts": str(accounts), "campaigns.targeting": targeting}


def _judge(seen: Readings) -> list[Claim]:
    doses, income = seen.doses(INCOME)
    nearer = sign(
        "the more accounts, the nearer people are to the target (per sd of accounts)",
        # Nearer is a smaller distance, hence the minus.
        -slope(*seen.doses(FAR)),
        1,
        OURS,
        matters=FAR.matters,
        primary=True,
    )
    return [
        nearer,
        sign(
            "the more accounts, the more people are reached (per sd of accounts)",
            slope(*seen.doses(REACHED)),
            1,
            OURS,
            matters=REACHED.matters,
            unit="consumers",
        ),
        sign(
            "the more accounts, the less human creators earn, as a share of income without any "
            "(per sd of accounts)",
            slope(doses, income / income[0]),
            -1,
            "attention is shared",
            matters=PAY,
        ),
        vanishes(
            f"posts leave no mark: {EACH.words}, {LAST}",
            seen.of(f"{DEAF}/{LAST}", EACH),
            nearer,
            # Where posts leave no mark, only the largest dose is asked, per impression.
            beside=seen.of(LAST, EACH),
            matters=EACH.matters,
        ),
    ]


def _judge_aim(seen: Readings) -> list[Claim]:
    targeted = sign(
        "aimed at the susceptible, an impression moves people further than aimed at random",
        seen.effect("targeted", LAST, EACH),
        1,
        SALVI,
        matters=EACH.matters,
    )
    return [
        targeted,
        vanishes(
            "people are not known (profiling 0): targeted less random",
            seen.effect(f"{BLIND}/targeted", LAST, EACH),
            targeted,
        ),
    ]


NUMBER = Part(
    "campaigns",
    "Automation scales persuasion",
    varies="automated accounts",
    judge=_judge,
    arms=(
        *(Arm(f"{n} accounts", n, _sets(n)) for n in ACCOUNTS),
        # The control needs only the largest dose: what vanishes there vanishes below it.
        Arm(LAST, ACCOUNTS[-1], _sets(ACCOUNTS[-1]), DEAF),
    ),
    outcomes=OUTCOMES,
    world=WORLD,
    controls={DEAF: because("posts do not move anybody", opinions__exposure_rate="0")},
    quick=QUICK,
    full=FULL,
    doses=True,
    both_ends=(INCOME, FAR),
)
AIM = Part(
    "aim",
    "Knowing people makes persuasion stronger",
    varies="whom the campaign aims at",
    judge=_judge_aim,
    arms=(
        Arm(LAST, math.nan, _sets(ACCOUNTS[-1])),
        Arm("targeted", math.nan, _sets(ACCOUNTS[-1], "susceptibility")),
        # Only the targeted arm is repeated: aim at random needs no knowledge of people.
        Arm("targeted", math.nan, _sets(ACCOUNTS[-1], "susceptibility"), BLIND),
    ),
    outcomes=OUTCOMES,
    world=WORLD,
    controls={BLIND: because("the campaign knows nobody", campaigns__profiling="0")},
    quick=QUICK,
    full=FULL,
)
PARTS = (NUMBER, AIM)
