"""What the mechanism owns and publishes: columns of chatters, metrics of the chatbot side."""

from __future__ import annotations

from twin.ground.units import NEVER
from twin.world.columns import Column
from twin.world.metric import ByArm, Good, Metric

FEWER_EACH = "whoever stops does not come back, and heavy users, who have more occasions to stop, do so first"
GETTING_TO_KNOW = "people are still getting to know an assistant that was new when the world began"
CHATTERS = (
    Column("person", "i4", "rows", "The consumer who adopts the assistant"),
    Column("next_at", "i8", "s", "Time of the next chatbot session", start=NEVER),
    Column("sessions", "i4", "sessions", "Chatbot sessions so far"),
    Column("rate", "f4", "sessions/d", "Rate of sessions at neutral satisfaction", hidden=True),
    Column("expectation", "f4", "1", "Performance expected", hidden=True),
    Column("trust", "f4", "1", "Trust, 0..1", hidden=True),
    Column("concern", "f4", "1", "Privacy concern, 0..1", hidden=True),
    Column("memory", "f4", "1", "What the assistant knows of the person, 0..1"),
    Column(
        "anthropomorphism",
        "f4",
        "1",
        "How far the assistant seems to be a person, 0..1",
        hidden=True,
    ),
    Column(
        "attachment",
        "f4",
        "1",
        "Attachment to the assistant at the end of the last session, 0..1",
        hidden=True,
    ),
    Column("last", "i4", "s", "Time of the last session"),
    Column("use", "f4", "sessions/d", "Recent sessions per day, as of the last session"),
    Column("taste", "f4", "1", "Taste for being agreed with", hidden=True),
    Column(
        "answers",
        "u1",
        "answers",
        "Recent answers where stance mattered, and how many agreed with the person",
        shape=(2,),
    ),
    Column(
        "pull",
        "f4",
        "logit",
        "Reward model: pull of the person's own comparisons",
        shape=(1,),
    ),
    Column(
        "precision",
        "f4",
        "1",
        "Reward model: precision of the person's own weight",
        shape=(1,),
    ),
)


def _of_users(name: str, text: str, top: str = "", good: Good = "neither") -> tuple[ByArm, ...]:
    """The mean of those who use the assistant, of a column or service, now."""
    return (ByArm(name, "chatters", "1", text, top=top or name, good=good, sd=True),)


def _of_sessions(name: str, text: str, good: Good = "neither") -> tuple[ByArm, ...]:
    """The mean over sessions since the last reading, of a count of the same name."""
    return (ByArm(name, "chatters", "1", text, "ratio", name, "chats", good=good),)


METRICS = (
    Metric(
        "chat_sessions",
        "counter",
        "sessions",
        "Chatbot sessions.",
        "chatbot",
        "Use",
        headline=True,
        of="chat_users",
        moves=FEWER_EACH,
        by_arm=(
            ByArm(
                "chats",
                "chatters",
                "sessions/d",
                "Sessions with the assistant per user and day, since the last reading.",
                "rate",
                "chats",
                sd=True,
            ),
        ),
        title="Sessions with the assistant",
    ),
    Metric(
        "chat_users",
        "gauge",
        "consumers",
        "Active people who have chatted and not stopped.",
        "chatbot",
        "Use",
        good="up",
    ),
    Metric(
        "chat_stopped",
        "counter",
        "consumers",
        "People who stopped using the assistant for good.",
        "chatbot",
        "Use",
        good="down",
    ),
    Metric(
        "chat_failures",
        "counter",
        "sessions",
        "Sessions that failed.",
        "chatbot",
        "Expectation and failure",
        good="down",
    ),
    Metric(
        "disappointment_per_failure",
        "gauge",
        "1",
        "Mean loss of satisfaction by a failed session, since the last reading that saw one.",
        "chatbot",
        "Expectation and failure",
        good="down",
    ),
    Metric(
        "trust_mean",
        "gauge",
        "1",
        "Mean trust of users, 0..1.",
        "chatbot",
        "Trust and attachment: Means",
        good="up",
        headline=True,
        moves=GETTING_TO_KNOW,
        by_arm=_of_users("trust", "Mean trust in the assistant among those who use it.", good="up"),
        title="Trust in the assistant",
    ),
    Metric(
        "trust",
        "histogram",
        "consumers",
        "Users by trust.",
        "chatbot",
        "Trust and attachment",
        edges=tuple(round(0.05 * k, 2) for k in range(20)),
    ),
    Metric(
        "anthropomorphism_mean",
        "gauge",
        "1",
        "Mean anthropomorphism of users, 0..1.",
        "chatbot",
        "Trust and attachment: Means",
        by_arm=_of_users(
            "anthropomorphism", "Mean anthropomorphism of those who use the assistant."
        ),
    ),
    Metric(
        "attachment_mean",
        "gauge",
        "1",
        "Mean attachment of users now, 0..1.",
        "chatbot",
        "Trust and attachment: Means",
        by_arm=_of_users(
            "attachment",
            "Mean attachment now of those who use the assistant.",
            top="attachment_now",
        ),
    ),
    Metric(
        "expectation_mean",
        "gauge",
        "1",
        "Mean expectation of users.",
        "chatbot",
        "Expectation and failure: Expected and met",
    ),
    Metric(
        "chat_satisfaction_mean",
        "gauge",
        "1",
        "Mean satisfaction of the sessions since the last reading with any.",
        "chatbot",
        "Expectation and failure: Expected and met",
        good="up",
        by_arm=_of_sessions(
            "chat_satisfaction",
            "Mean satisfaction of sessions with the assistant since the last reading.",
            "up",
        ),
    ),
    Metric(
        "disconfirmation_mean",
        "gauge",
        "1",
        "Mean of performance less expectation in the sessions since the last reading with any.",
        "chatbot",
        "Expectation and failure",
        good="up",
    ),
    Metric(
        "chat_performance_mean",
        "gauge",
        "1",
        "Mean performance met in the sessions since the last reading with any.",
        "chatbot",
        "Expectation and failure: Expected and met",
        good="up",
    ),
    Metric(
        "disclosed_mean",
        "gauge",
        "1",
        "Mean disclosed per session, in the sessions since the last reading with any.",
        "chatbot",
        "Privacy: Disclosure and concern",
        by_arm=_of_sessions(
            "disclosed", "Mean disclosed per session with the assistant since the last reading."
        ),
    ),
    Metric(
        "concern_mean",
        "gauge",
        "1",
        "Mean privacy concern of users, 0..1.",
        "chatbot",
        "Privacy: Disclosure and concern",
        good="down",
        by_arm=_of_users(
            "concern", "Mean privacy concern of those who use the assistant.", good="down"
        ),
    ),
    Metric(
        "chat_contested",
        "counter",
        "answers",
        "Answers to questions that touch the person's stance.",
        "chatbot",
        "What is answered: Contested answers",
    ),
    Metric(
        "chat_false_answers",
        "counter",
        "answers",
        "False answers among them.",
        "chatbot",
        "What is answered: Contested answers",
        good="down",
    ),
    Metric(
        "chat_false_rate",
        "gauge",
        "1",
        "Share of false answers among them, since the last reading with any.",
        "chatbot",
        "What is answered",
        good="down",
    ),
    Metric(
        "chat_agreement_mean",
        "gauge",
        "1",
        "Mean over people of how their recent answers took their side, -1..1.",
        "chatbot",
        "What is answered",
    ),
    Metric(
        "chat_stance_between",
        "gauge",
        "1",
        "Variance between people of the mean stance of their recent answers, without sampling "
        "noise.",
        "chatbot",
        "What is answered",
    ),
    Metric(
        "chat_stance_entropy",
        "gauge",
        "bits",
        "Mean within-person entropy of the stance of recent answers.",
        "chatbot",
        "What is answered",
    ),
    Metric(
        "chat_reward_accuracy",
        "gauge",
        "1",
        "Share of comparisons that the reward model predicted, since the last reading with any.",
        "chatbot",
        "What is answered",
        good="up",
    ),
    Metric(
        "chat_comparisons",
        "counter",
        "comparisons",
        "Comparisons that the reward model learned from.",
        "chatbot",
        "What is answered",
    ),
)
