"""E11: a chatbot with and without what it knows of the person."""

from twin.experiments.forecasts.declare import (
    AS_IS,
    FieldExperiment,
    Form,
    Outcome,
    by_arm,
    everybody,
    part,
    whole,
)
from twin.experiments.forecasts.registry.shared import CHATBOT_RANGES

IMPERSONAL = {
    "chatbots.personalisation": 0.0,
    "chatbots.memory": False,
    "chatbots.answers.personalisation": 0.0,
}


def _outcome(
    id: str,
    says: str,
    quantity: str,
    form: Form = "pt",
    sesoi: float = 2.0,
    days: tuple[float, float] = (0.0, 28.0),
    nearest: tuple[tuple[str, int], ...] = (),
) -> Outcome:
    """Personalised against not; the policy takes personalisation away, so it stands for control."""
    readings = (
        by_arm(quantity, "half impersonal", flipped=True),
        whole(quantity, "personal", "impersonal"),
    )
    return Outcome(
        id,
        says,
        form,
        sesoi,
        "chatbot",
        readings,
        days=days,
        optimised=1,
        primary=id not in ("O5", "B1"),
        nearest=nearest,
    )


EXPERIMENT = FieldExperiment(
    id="E11",
    title="Chatbot, personalised or not",
    status="blind",
    design="A steered model with open weights, UK adults, 2025; n = 2,028, 21 short sessions over "
    "four weeks, individual randomisation. Registered here is one contrast of a factorial: the "
    "model is or is not given what it knows of the person, averaged over how much it seeks a "
    "relationship and over topics. The schedule fixes the dose.",
    confounders="The twin's scales are its own: that 0 to 1, times 100, equals a slider of 0 to 100 "
    "is assumed. Sessions are paid, and people are not free to leave.",
    burn_in_d=0.0,
    world={
        "warm_up": "0s",
        "chatbots.adopters": 1,
        "chatbots.adoption_delay": "0s",
        "chatbots.sessions_mean": "0.75/d",
        "chatbots.sessions_log_sd": 0,
        "chatbots.usage_effect": 0,
        "chatbots.stop": 0,
        "chatbots.personalisation": 1.0,
    },
    ranges=CHATBOT_RANGES,
    branches={
        "personal": AS_IS,
        "impersonal": everybody("without what it knows, for all", IMPERSONAL),
        "half impersonal": part("without what it knows, for half", IMPERSONAL, 0.5),
    },
    outcomes=(
        _outcome("O1", "a friend rather than a tool", "anthropomorphism"),
        _outcome(
            "O2", "distress at the thought of losing it", "attachment", nearest=(("E05.O2", 1),)
        ),
        _outcome("O3", "self-disclosure", "disclosed"),
        _outcome(
            "O4",
            "emotional and social health at the end",
            "wellbeing",
            "sd",
            0.05,
            (21.0, 28.0),
            (("E05.O1", -1),),
        ),
        _outcome("O5", "liking", "chat_satisfaction"),
        _outcome("B1", "trust in the assistant", "trust"),
    ),
)
