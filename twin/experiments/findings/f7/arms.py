"""Finding 7: outcomes, the panel of users, its controls and its arms.

Creators of the feed are not touched by the assistant. The producer of this finding is the assistant
itself, read off its use and its answers; the consumers are its users. Means are over those who
still use it.
"""

from __future__ import annotations

from collections.abc import Sequence

from twin.experiments.findings.kit.arms import Arm, Outcome, Size, because, minimal_feed
from twin.experiments.findings.kit.claims import Matters

SOURCE = "Araujo & Bol 2024, direction"
WEEKS, LATE = 26, 6
"""Length of the experiment, and how many of the last weeks count as late."""
BY_WEEK = tuple((week / WEEKS, (week + 1) / WEEKS) for week in range(WEEKS))
DOSES = (0.0, 0.3, 0.6, 1.0)
DEFAULT = "0.6"
GAIN = "chatbots.personalisation"
SCALE = Matters(0.02, "assumption: two points of a scale of a hundred")
COST = Matters(0.01, "assumption: two per cent of what a failure costs without personalisation")
TRUST = Outcome("trust_mean", "consumer", "trust", matters=SCALE)
HUMAN = Outcome("anthropomorphism_mean", "consumer", "anthropomorphism", matters=SCALE)
CONCERN = Outcome("concern_mean", "consumer", "privacy concern", matters=SCALE)
EXPECTED = Outcome("expectation_mean", "consumer", "expectation", matters=SCALE)
HURT = Outcome("disappointment_per_failure", "consumer", "disappointment per failure", matters=COST)
SURPRISE = Outcome(
    "disconfirmation_mean",
    "consumer",
    "performance less expectation",
    matters=Matters(0.01, "assumption: two per cent of the usual performance, a half"),
)
ATTACHED = Outcome("attachment_mean", "consumer", "attachment", matters=SCALE)
MET = Outcome("chat_performance_mean", "producer", "performance of the assistant", matters=SCALE)
USE = Outcome("chat_sessions", "producer", "sessions that the assistant holds a day")
USERS = Outcome("chat_users", "producer", "users that the assistant keeps")
RISING = (TRUST, HUMAN, CONCERN, EXPECTED, HURT)
"""What the finding says rises over time and with personalisation."""
ASSISTANT = (
    because(
        "isolates the mechanism: a panel without newcomers",
        audience__arrivals="0/d",
        creators__human__arrivals="0/d",
        creators__ai__arrivals="0/d",
    )
    | because(
        "not part of this experiment: feed and assistant do not interact",
        ratings__enabled="false",
        campaigns__enabled="false",
        opinions__enabled="false",
    )
    | because(
        "a panel: everybody is a user from the first day, so that weeks are weeks of use",
        chatbots__adopters="1",
        chatbots__adoption_delay="1d",
    )
)
CONTROLS = {
    # Without asymmetry the expectile is the mean, so there is no ratchet.
    "equal rates": because(
        "lambda up = lambda down: the mean of both defaults",
        chatbots__expectation_up="0.1",
        chatbots__expectation_down="0.1",
    ),
    "nothing random": because(
        "performance is certain, so only personalisation could change anything",
        chatbots__performance_sd="0",
        chatbots__expectation_sd="0",
        chatbots__failure_rate="0",
        chatbots__answers__contested="0",
    ),
}
# A single session cannot change what is expected in the next one.
ONCE = because(
    "everybody stops after one session",
    chatbots__stop="1",
    chatbots__stop_effect="0",
    chatbots__stop_concern="0",
    chatbots__stop_attachment="0",
)


def size(replicates: int, people: int, days: int = 7 * WEEKS) -> Size:
    """So many users over so many days, and almost no feed."""
    return Size(
        replicates,
        days,
        minimal_feed(people)
        # Return chances of a Beta law with almost all mass at zero.
        | because(
            "size: nobody opens the feed, which costs as much time as the assistant does",
            audience__return_a="0.01",
            audience__return_b="100",
        )
        | because(
            "size: nobody posts and no model is trained, as nobody looks",
            creators__human__initial="1",
            creators__human__posts_mean="0/d",
            recommender__retrain_every="7d",
            recommender__sync_every="7d",
        ),
    )


def personalised(doses: Sequence[float], control: str = "") -> list[Arm]:
    """An arm for each degree of personalisation, 0 to 1."""
    return [Arm(f"{dose:g}", dose, {GAIN: f"{dose:g}"}, control) for dose in doses]
