"""What the mechanism owns and publishes: columns of consumers and creators, metrics of the follow
graph."""

from __future__ import annotations

from twin.world.columns import Column
from twin.world.metric import ByArm, Metric

FOLLOWER_EDGES = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000)

CONSUMERS = (
    Column("community", "i2", "1", "Community of the person"),
    Column("wired", "?", "1", "True once the person has first follows"),
)
CREATORS = (
    Column(
        "community",
        "i2",
        "1",
        "Community of the creator: the person's, or drawn by size for AI",
    ),
    Column("followers", "i4", "followers", "Followers, at the last rebuild of the graph"),
)

METRICS = (
    Metric("follow_edges", "gauge", "follows", "Follows in the graph.", "platform", "Feed"),
    Metric(
        "follows_mean",
        "gauge",
        "follows",
        "Mean follows of active people.",
        "consumer",
        "What people do with it",
    ),
    Metric(
        "follower_gini",
        "gauge",
        "1",
        "Gini of followers across active creators.",
        "producer",
        "Followers and reputation: Concentration",
        good="down",
        by_arm=(
            ByArm(
                "followers",
                "creators",
                "followers",
                "Mean followers of human creators, at the last rebuild of the graph.",
                top="followers",
                good="up",
                sd=True,
            ),
            ByArm(
                "followers_gained_small",
                "creators",
                "followers/d",
                "Followers gained per day by human creators who were small before any policy for "
                "a share of creators.",
                "rate",
                "followers",
                among="small_before",
                good="up",
            ),
        ),
        title="Inequality of followers",
    ),
    Metric(
        "follower_tail_exponent",
        "gauge",
        "1",
        "Density exponent of followers: 1 + Hill estimate on the most followed twentieth of "
        "creators.",
        "producer",
        "Followers and reputation",
    ),
    Metric(
        "followers",
        "histogram",
        "creators",
        "Active creators by followers.",
        "producer",
        "Followers and reputation",
        edges=FOLLOWER_EDGES,
    ),
)
