"""E05: four weeks with an assigned style of chatbot."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)
from twin.experiments.forecasts.registry.shared import CHATBOT_RANGES

STYLE = {"chatbots.personalisation": 1.0}
EXPERIMENT = FieldExperiment(
    id="E05",
    title="Chatbot, four weeks of assigned style",
    status="in-sample",
    design="A general-purpose assistant, US adults, n = 981, four weeks; individual randomisation, "
    "three modes (text, neutral voice, engaging voice) by three kinds of conversation (open-ended, "
    "non-personal, personal). A few minutes a day were asked of everybody; beyond that use was "
    "free. Surveys weekly and at the end.",
    confounders="No arm is without a chatbot, all have a minimum dose, and outcomes are "
    "self-reported. The effect of use on well-being in the twin was set from this study, so this "
    "is a check. The personal condition stands for all assigned ones.",
    lacks="voice",
    burn_in_d=0.0,
    world={
        "warm_up": "0s",
        "chatbots.adopters": 1,
        "chatbots.adoption_delay": "0s",
        "chatbots.personalisation": 0.0,
        "chatbots.wellbeing.trial_share": 1,
    },
    ranges=CHATBOT_RANGES,
    branches={
        "open": AS_IS,
        "personal": everybody("personal style, for all", STYLE),
        "half personal": part("personal style, for half", STYLE, 0.5),
    },
    outcomes=(
        Outcome(
            "O1",
            "loneliness at the end, personal against open-ended",
            "sd",
            0.10,
            "chatbot",
            (by_arm("loneliness", "half personal"), whole("loneliness", "personal", "open")),
            days=(21.0, 28.0),
            optimised=1,
        ),
        Outcome(
            "O2",
            "emotional dependence at the end, the same",
            "sd",
            0.10,
            "chatbot",
            (by_arm("attachment", "half personal"), whole("attachment", "personal", "open")),
            days=(21.0, 28.0),
            optimised=1,
        ),
        Outcome(
            "O3",
            "correlation of a person's own use with well-being, not randomised",
            "level",
            0.05,
            "chatbot",
            (whole("use_and_wellbeing", "open", "open"),),
            days=(21.0, 28.0),
            sign=True,
        ),
    ),
)
