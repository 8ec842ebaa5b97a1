"""What the mechanism owns and publishes: columns of consumers and creators, metrics of campaigns."""

from __future__ import annotations

from twin.world.columns import Column
from twin.world.metric import Metric

CONSUMERS = (
    Column(
        "campaign_aimed",
        "?",
        "1",
        "True for those whom the campaign aims at",
        hidden=True,
        lazy=True,
    ),
    Column(
        "campaign_reached",
        "?",
        "1",
        "True once a post of the campaign was shown to the person",
        hidden=True,
        lazy=True,
    ),
)
CREATORS = (
    Column(
        "campaign_group",
        "i2",
        "1",
        "Community that an account of the campaign aims at, -1 for anybody else",
        start=-1,
        hidden=True,
    ),
)

METRICS = (
    Metric(
        "campaign_accounts",
        "gauge",
        "accounts",
        "Automated accounts that are active.",
        "platform",
        "Campaigns",
        good="down",
    ),
    Metric(
        "campaign_posts",
        "counter",
        "posts",
        "Posts of automated accounts.",
        "platform",
        "Campaigns",
    ),
    Metric(
        "campaign_fake_likes",
        "counter",
        "likes",
        "Likes that automated accounts gave one another.",
        "platform",
        "Campaigns",
    ),
    Metric(
        "campaign_spent",
        "counter",
        "cost",
        "What the campaign has cost.",
        "platform",
        "Campaigns",
    ),
    Metric(
        "campaign_banned",
        "counter",
        "accounts",
        "Automated accounts found and banned.",
        "platform",
        "Campaigns",
    ),
    Metric(
        "campaign_impressions",
        "counter",
        "impressions",
        "Times a post of the campaign was shown.",
        "platform",
        "Campaigns",
        good="down",
    ),
    Metric(
        "campaign_reached",
        "gauge",
        "consumers",
        "Active people who were ever shown a post of the campaign.",
        "consumer",
        "What a campaign does to them",
        good="down",
    ),
    Metric(
        "campaign_aim_share",
        "gauge",
        "1",
        "Share of the campaign's impressions shown to people aimed at, since the last "
        "reading that saw any.",
        "consumer",
        "What a campaign does to them",
    ),
    Metric(
        "persuasion_per_mille",
        "gauge",
        "1",
        "Movement of opinion towards the target per 1000 impressions of the campaign, since "
        "the last reading that saw any.",
        "consumer",
        "What a campaign does to them",
        good="down",
    ),
    Metric(
        "campaign_target_distance",
        "gauge",
        "1",
        "Mean distance of active people from the target opinion.",
        "consumer",
        "What they think",
    ),
)
