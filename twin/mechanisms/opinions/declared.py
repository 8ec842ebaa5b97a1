"""What the mechanism owns and publishes: columns of consumers, metrics of opinion."""

from __future__ import annotations

from twin.world.columns import Column
from twin.world.metric import ByArm, Metric

BINS = 20
EDGES = tuple(round(-1 + 2 * k / BINS, 1) for k in range(BINS))

CONSUMERS = (
    Column("opinion", "f4", "1", "Opinion, -1..1", hidden=True, within=(-1, 1)),
    Column(
        "anchor",
        "f4",
        "1",
        "Opinion of one's own, which a stubborn person keeps",
        hidden=True,
        within=(-1, 1),
    ),
    Column("stubbornness", "f4", "1", "Weight of the anchor, 0..1", hidden=True, within=(0, 1)),
    Column("pull_seen", "f8", "1", "Sum of pulls already taken in", hidden=True),
    Column("posts_seen", "i4", "posts", "Posts already taken in", hidden=True),
)

METRICS = (
    Metric(
        "opinion_mean",
        "gauge",
        "1",
        "Mean opinion of active people, -1..1.",
        "consumer",
        "What they think",
        by_arm=(
            ByArm("opinion", "consumers", "1", "Mean opinion of people.", top="opinion", sd=True),
        ),
        title="Mean opinion",
    ),
    Metric(
        "opinion_variance",
        "gauge",
        "1",
        "Variance of opinion across active people.",
        "consumer",
        "What they think: Variance of opinion",
        headline=True,
        title="Spread of opinions",
    ),
    Metric(
        "opinion_polarisation",
        "gauge",
        "1",
        "Esteban-Ray polarisation: 0 one camp, 1 two equal camps at the ends.",
        "consumer",
        "What they think",
        good="down",
        by_arm=(
            ByArm(
                "opinion_extremity",
                "consumers",
                "1",
                "Mean distance of opinions from the middle.",
                top="opinion_extremity",
                good="down",
                sd=True,
            ),
        ),
    ),
    Metric(
        "opinion_bimodality",
        "gauge",
        "1",
        "Sarle's bimodality coefficient of opinion: 1/3 normal, 5/9 uniform, 1 two points.",
        "consumer",
        "What they think",
    ),
    Metric(
        "opinion_clusters",
        "gauge",
        "clusters",
        "Groups of opinion with 2 % of active people or more, separated by gaps above 0.02.",
        "consumer",
        "What they think",
    ),
    Metric(
        "between_community_variance",
        "gauge",
        "1",
        "Variance of the communities' mean opinions, weighted by people.",
        "consumer",
        "What they think: Variance of opinion",
    ),
    Metric(
        "opinion",
        "histogram",
        "consumers",
        "Active people by opinion.",
        "consumer",
        "What they think",
        edges=EDGES,
    ),
)
