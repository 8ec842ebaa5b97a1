"""What the mechanism owns and publishes: columns of consumers and posts, metrics of ratings and
votes."""

from __future__ import annotations

from twin.kernels.said import RING
from twin.world.columns import Column
from twin.world.metric import Metric

SAMPLES = ("posted", "bought", "forced")
SEEDS = ("down", "none", "up")
"""Vote given at birth by the experiment: -1, 0, 1."""
CAUSES = ("disconfirmation", "anchoring", "herding")
STARS = (1.0, 2.0, 3.0, 4.0, 5.0)

CONSUMERS = (
    Column("rating_expectation", "f4", "stars", "General expectation of works", hidden=True),
    Column(
        "rating_residual",
        "f4",
        "stars",
        "Sum of posted ratings less the mean and the work's bias then",
    ),
    Column("ratings_given", "i4", "ratings", "Ratings posted"),
    Column(
        "said",
        "u2",
        "1",
        "Fingerprints of the works consumed and the posts voted on last",
        shape=(RING,),
    ),
    Column("said_at", "i1", "1", "Place in that ring"),
)
POSTS = (
    Column("rating_sum", "i4", "stars", "Sum of ratings"),
    Column("rating_count", "i4", "ratings", "Ratings"),
    Column("rating_shown", "f4", "stars", "Average on show, 0 where none is"),
    Column("votes_up", "i4", "votes", "Up-votes by people"),
    Column("votes_down", "i4", "votes", "Down-votes by people"),
    Column("seed", "i1", "votes", "Vote given at birth by the experiment: -1, 0, 1"),
    Column("votes_final", "?", "1", "True once its score has been counted as final"),
)

METRICS = (
    Metric(
        "purchases",
        "counter",
        "works",
        "Works consumed: clicked and seen to the end.",
        "consumer",
        "How they rate",
    ),
    Metric("ratings", "counter", "ratings", "Ratings posted.", "consumer", "How they rate"),
    Metric(
        "ratings_star",
        "histogram",
        "ratings",
        "Ratings posted, by stars, since the start.",
        "consumer",
        "How they rate: Stars, by sample",
        edges=STARS,
        total=True,
    ),
    Metric(
        "ratings_star_bought",
        "histogram",
        "ratings",
        "Ratings that all who consumed a work would have posted, by stars, since the start.",
        "consumer",
        "How they rate: Stars, by sample",
        edges=STARS,
        total=True,
    ),
    Metric(
        "ratings_star_forced",
        "histogram",
        "ratings",
        "Ratings by people drawn at random who judge rated works, by stars, since the start.",
        "consumer",
        "How they rate: Stars, by sample",
        edges=STARS,
        total=True,
    ),
    Metric(
        "rating_mean",
        "gauge",
        "stars",
        "Mean stars by sample, since the last reading with any.",
        "consumer",
        "How they rate: Stars",
        labels={"sample": SAMPLES},
    ),
    Metric(
        "rating_true_mean",
        "gauge",
        "stars",
        "Mean quality as experienced behind the posted ratings, since the last reading with any.",
        "consumer",
        "How they rate: Stars",
    ),
    Metric(
        "rating_extreme_share",
        "gauge",
        "1",
        "Share of 1 and 5 stars by sample, since the start.",
        "consumer",
        "How they rate",
        labels={"sample": SAMPLES},
    ),
    Metric(
        "rating_j_shape",
        "gauge",
        "1",
        "How far both ends rise over their neighbours (above 0: J or U shape), by sample, "
        "since the start.",
        "consumer",
        "How they rate",
        labels={"sample": SAMPLES},
    ),
    Metric(
        "rating_report_share",
        "gauge",
        "1",
        "Share of works consumed that were rated, since the last reading with any.",
        "consumer",
        "How they rate",
    ),
    Metric(
        "rating_bias",
        "gauge",
        "stars",
        "Average of a rated work less its quality as all active people would experience it, mean.",
        "platform",
        "Trust in ratings",
    ),
    Metric("works_rated", "gauge", "works", "Works with ratings.", "platform", "Trust in ratings"),
    Metric(
        "rating_pull",
        "gauge",
        "stars",
        "Mean pull on posted ratings by cause, since the last reading with any.",
        "platform",
        "Trust in ratings",
        labels={"cause": CAUSES},
    ),
    Metric(
        "anchoring_slope",
        "gauge",
        "stars/star",
        "Stars per star by which shown predictions were moved, since the start (0 without that "
        "experiment).",
        "platform",
        "Trust in ratings",
    ),
    Metric(
        "rating_disconfirmation_mean",
        "gauge",
        "stars",
        "Mean experienced minus expected quality of works consumed, since the last reading with "
        "any.",
        "consumer",
        "How they rate",
        good="up",
    ),
    Metric(
        "rating_expectation_mean",
        "gauge",
        "stars",
        "Mean general expectation of active people.",
        "consumer",
        "How they rate",
    ),
    Metric(
        "votes",
        "counter",
        "votes",
        "Votes by people.",
        "consumer",
        "How they rate",
        labels={"way": ("up", "down")},
    ),
    Metric(
        "vote_posts",
        "counter",
        "posts",
        "Posts whose score is final, by seed vote.",
        "platform",
        "Trust in ratings",
        labels={"seed": SEEDS},
    ),
    Metric(
        "vote_score_mean",
        "gauge",
        "votes",
        "Mean final score, including the seed vote, since the start.",
        "platform",
        "Trust in ratings",
        labels={"seed": SEEDS},
    ),
    Metric(
        "vote_net_mean",
        "gauge",
        "votes",
        "Mean final up-votes minus down-votes by people, since the start.",
        "platform",
        "Trust in ratings",
        labels={"seed": SEEDS},
    ),
    Metric(
        "vote_net_se",
        "gauge",
        "votes",
        "Standard error of that mean across posts.",
        "platform",
        "Trust in ratings",
        labels={"seed": SEEDS},
    ),
    Metric(
        "vote_seed_ratio",
        "gauge",
        "1",
        "Net votes by people on seeded posts over those on unseeded ones (1: no effect, or no "
        "seeded posts).",
        "platform",
        "Trust in ratings",
        labels={"seed": ("down", "up")},
    ),
)
