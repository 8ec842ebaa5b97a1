"""How metrics of the consumer side are read by arm of a policy for a share.

Names of what is summed are counts of `twin.kernels.tally`, columns of consumers, or services.
"""

from __future__ import annotations

from twin.kernels.rules import SOURCES
from twin.kernels.training import HEADS
from twin.world.metric import ByArm, Good

SINCE = "since the last reading."


def _per_impression(
    name: str, unit: str, text: str, top: str, good: Good = "neither", over: str = "impressions"
) -> ByArm:
    """A mean over impressions, or over what else is counted."""
    return ByArm(name, "consumers", unit, f"{text}, {SINCE}", "ratio", top, over, good=good)


def _per_person(name: str, unit: str, text: str, top: str, good: Good = "neither") -> ByArm:
    """A rate per person and day, and how it differs between people."""
    text = f"{text} per person and day, {SINCE}"
    return ByArm(name, "consumers", f"{unit}/d", text, "rate", top, good=good, sd=True)


def _by_head(name: str, unit: str, text: str, top: str, over: str = "") -> ByArm:
    """A rate per person and day, or per ``over``, by kind of response."""
    return ByArm(
        name,
        "consumers",
        unit,
        f"{text}, {SINCE}",
        "ratio" if over else "rate",
        top,
        over,
        labels={"head": HEADS},
        sd=not over,
    )


BY_ARM: dict[str, tuple[ByArm, ...]] = {
    "sessions": (_per_person("sessions", "sessions", "Sessions", "sessions"),),
    "consumers_active": (
        ByArm("people", "consumers", "consumers", "People who have not left for good.", "count"),
    ),
    "consumers_daily": (
        ByArm(
            "weekly",
            "consumers",
            "consumers",
            "People with a session in the last seven days.",
            "count",
            among="came_this_week",
            good="up",
        ),
        ByArm(
            "weekly_active",
            "consumers",
            "1",
            "Share of people with a session in the last seven days among those who are active or "
            "left for good since the policy took effect.",
            "pooled",
            good="up",
        ),
    ),
    "impressions": (
        _per_person("impressions", "impressions", "Posts examined", "impressions"),
        ByArm(
            "distinct_posts",
            "consumers",
            "posts",
            "Different posts examined since the last reading, at as many impressions as the "
            "smaller of treated and control has (rarefaction).",
            "pooled",
        ),
        _per_impression("shown_ai", "1", "Share of examined posts that are by AI creators", "ai"),
        _per_impression(
            "clicks_per_ai_impression", "1", "Clicks per impression of AI", "ai_clicks", over="ai"
        ),
        _per_person(
            "small_impressions", "impressions", "Posts of small creators examined", "small"
        ),
        _per_person("small_clicks", "clicks", "Posts of small creators opened", "small_clicks"),
    ),
    "responses": (
        _by_head("responses", "responses/d", "Responses per person and day", "heads"),
        _by_head(
            "responses_per_impression", "1", "Responses per impression", "heads", "impressions"
        ),
        _by_head(
            "aroused_responses",
            "responses/d",
            "Responses to aroused posts per person and day",
            "aroused_heads",
        ),
        _by_head(
            "aroused_share_of_responses",
            "1",
            "Share of responses that go to aroused posts",
            "aroused_heads",
            "heads",
        ),
    ),
    "enjoyed": (
        _per_impression(
            "enjoyed_per_impression",
            "1",
            "Share of examined posts that people were glad of",
            "enjoyed",
            "up",
        ),
        _per_impression(
            "enjoyed_per_cross_impression",
            "1",
            "Share that people were glad of among posts that lean to the other side",
            "cross_enjoyed",
            "up",
            "cross",
        ),
    ),
    "enjoyed_per_session": (
        _per_impression(
            "enjoyed_per_session",
            "posts/session",
            "Posts that people were glad of per session",
            "enjoyed",
            "up",
            "visits",
        ),
    ),
    "satisfaction_mean": (
        ByArm(
            "satisfaction",
            "consumers",
            "1",
            "Mean satisfaction of people.",
            top="satisfaction",
            good="up",
            sd=True,
        ),
    ),
    "shown_match": (
        _per_impression("shown_match", "1", "Mean match of taste and content", "match", "up"),
    ),
    "shown_quality": (
        _per_impression("shown_quality", "sd", "Mean true quality", "quality", "up"),
    ),
    "shown_arousal": (
        _per_impression("shown_arousal", "1", "Mean arousal", "arousal", "down"),
        ByArm(
            "shown_arousal_spread",
            "consumers",
            "1",
            f"Standard deviation of arousal over examined posts, {SINCE}",
            "spread",
            "arousal",
            "impressions",
        ),
        _per_impression(
            "shown_aroused",
            "1",
            "Share of examined posts above a percentile of the arousal of all posts that there "
            "are (trials.aroused_above)",
            "aroused",
            "down",
        ),
        _per_impression(
            "shown_hostility",
            "1",
            "Mean arousal times half the distance of slant and the person's opinion",
            "hostility",
            "down",
        ),
        ByArm(
            "shown_hostility_spread",
            "consumers",
            "1",
            f"Standard deviation of that product over examined posts, {SINCE}",
            "spread",
            "hostility",
            "impressions",
        ),
    ),
    "shown_popularity": (
        _per_impression(
            "shown_popularity",
            "impressions",
            "Mean impressions that an examined post had before",
            "popularity",
        ),
        _per_impression(
            "shown_log_likes",
            "log likes",
            "Mean log(1 + likes) that an examined post had before",
            "log_likes",
        ),
    ),
    "source_impressions": (
        ByArm(
            "source_impressions",
            "consumers",
            "impressions/d",
            f"Posts examined per person and day by candidate source, {SINCE}",
            "rate",
            "sources",
            labels={"source": SOURCES},
        ),
        ByArm(
            "source_clicks_per_impression",
            "consumers",
            "1",
            f"Clicks per impression by candidate source, {SINCE}",
            "ratio",
            "source_clicks",
            "sources",
            labels={"source": SOURCES},
        ),
    ),
    "in_network_share": (
        _per_person(
            "outside_impressions",
            "impressions",
            "Posts examined that come from creators not followed",
            "outside",
        ),
        _per_impression(
            "outside_share",
            "1",
            "Share of examined posts that come from creators not followed",
            "outside",
        ),
    ),
    "cross_cutting_share": (
        _per_impression(
            "cross_cutting_share",
            "1",
            "Share of examined posts that lean to the other side than the person",
            "cross",
        ),
    ),
    "regret_share": (
        _per_impression(
            "regret_share",
            "1",
            "Share of opened posts that people were not glad of",
            "regret",
            "down",
            "clicks",
        ),
    ),
    "session_depth": (
        _per_impression(
            "session_depth",
            "posts/session",
            "Posts examined per session",
            "impressions",
            over="visits",
        ),
    ),
    "engaged_per_session": (
        _per_impression(
            "engaged_per_session",
            "posts/session",
            "Posts opened per session",
            "clicks",
            over="visits",
        ),
        ByArm(
            "opened_entropy_within",
            "consumers",
            "nats",
            "Mean entropy over communities of what one person opened lately (trials.memory).",
            top="opened_entropy",
            sd=True,
        ),
        ByArm(
            "opened_entropy_pooled",
            "consumers",
            "nats",
            "Entropy over communities of what all people of an arm opened lately.",
            "pooled",
        ),
    ),
    "work_impressions": (
        _per_person("work_impressions", "impressions", "Long-lived works examined", "works"),
    ),
}
"""By the name of the metric."""
