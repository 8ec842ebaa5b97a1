"""Finding 7: assigned against self-selected use.

A trial assigns encouragement at random, so it shows what use does. Use that people choose
themselves goes with low well-being even where use does nothing, because lonely people seek the
assistant's company.
"""

from __future__ import annotations

from twin.experiments.findings.f7.arms import ASSISTANT, size
from twin.experiments.findings.kit.arms import Arm, Outcome, because
from twin.experiments.findings.kit.claims import Claim, Matters, sign, vanishes
from twin.experiments.findings.kit.declare import Part
from twin.experiments.findings.kit.readings import Readings

FELT = Outcome(
    "wellbeing_mean",
    "consumer",
    "well-being of those encouraged",
    {"arm": "assigned"},
    Matters(0.04, "sd: what six weeks without Instagram do, NBER 33697, third-party table"),
)
TRIAL = Outcome("wellbeing_assigned_effect", "consumer", "well-being, assigned less control")
TOGETHER = Outcome(
    "wellbeing_usage_correlation",
    "consumer",
    "correlation of well-being and use",
    {"among": "trial"},
    Matters(0.02, "assumption: a fifth of a small correlation by Cohen's convention"),
)
USED = Outcome(
    "chat_use_mean",
    "producer",
    "use by those encouraged",
    {"arm": "assigned"},
    Matters(0.03, "assumption: sessions a day, about a tenth of usual use"),
)
FANG = "Fang et al. 2503.17473 v2"


def _trial(control: str = "") -> list[Arm]:
    """The same people, encouraged to use the assistant twice as much or not."""
    path = "chatbots.wellbeing.encouragement"
    return [Arm("encouraged", 2.0, {path: "2"}, control), Arm("not", 1.0, {path: "1"}, control)]


HARM = {"chatbots.wellbeing.use_effect": "-0.5"}
ARMS = [
    *_trial(),
    # Shows that the trial can detect harm, so that seeing none means something.
    *(Arm(f"{arm.name}, use harms", arm.dose, {**arm.sets, **HARM}) for arm in _trial()),
    # The correlation is read within one arm, so this control needs no second one.
    _trial("no selection")[0],
]


def judge_trial(seen: Readings) -> list[Claim]:
    """Assignment shows no effect where use has none, while chosen use goes with lower
    well-being."""
    used = sign(
        "encouragement raises use (sessions/d)",
        seen.effect("encouraged", "not", USED),
        1,
        "the trial's design",
        matters=USED.matters,
    )
    chosen = sign(
        "self-selected use goes with worse well-being: correlation",
        seen.of("encouraged", TOGETHER),
        -1,
        FANG,
        matters=TOGETHER.matters,
    )
    harm = sign(
        "where use harms, assignment shows it: well-being of the same people, encouraged or not",
        seen.effect("encouraged, use harms", "not, use harms", FELT),
        -1,
        "the trial can see",
        matters=FELT.matters,
    )
    return [
        used,
        chosen,
        harm,
        # Unlike chosen use, assigned use cannot follow from well-being, only change it.
        vanishes(
            "use does nothing: well-being of the same people, encouraged or not",
            seen.effect("encouraged", "not", FELT),
            harm,
        ),
        vanishes(
            "loneliness does not drive use: correlation of well-being and use",
            seen.of("no selection/encouraged", TOGETHER),
            chosen,
        ),
        sign(
            "the trial's own estimate, assigned less control (sd), where use does nothing",
            seen.of("encouraged", TRIAL),
            -1,
            "reported: no effect",
            matters=FELT.matters,
            aside=True,
        ),
    ]


PART = Part(
    "trial",
    "Assigned and self-selected use",
    varies="encouragement to use the assistant",
    judge=judge_trial,
    arms=ARMS,
    outcomes=[FELT, TRIAL, TOGETHER, USED],
    world=ASSISTANT
    | because("everybody is enrolled in the trial", chatbots__wellbeing__trial_share="1"),
    controls={
        "no selection": because(
            "loneliness does not drive use", chatbots__wellbeing__lonely_use="0"
        )
    },
    full=size(12, 6000),
    quick=size(5, 800, 42),
)
