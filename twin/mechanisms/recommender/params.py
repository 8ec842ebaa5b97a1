"""Parameters of the recommender that look like engineering choices, each with its unit, range and
source."""

from __future__ import annotations

from typing import Literal

from twin.ground.units import DAY, HOUR, MINUTE
from twin.mechanisms.recommender.candidates import Quota, Shelf
from twin.mechanisms.recommender.embeddings import Tables
from twin.mechanisms.recommender.links import Links
from twin.mechanisms.recommender.presets import Preset
from twin.mechanisms.recommender.reward import Reward
from twin.mechanisms.recommender.signals import Signals
from twin.mechanisms.recommender.weights import Rates, Weights
from twin.world.params import Duration, Params, group, par


class RecommenderParams(Params):
    """Parameters of the recommender."""

    # When things happen: lives of posts, periods of clocks
    refresh: Duration = par(
        10 * MINUTE, "time between two serving snapshots", unit="s", low=MINUTE, high=30 * MINUTE
    )
    expiry: Duration = par(
        2 * DAY,
        "age at which a post leaves the feed",
        unit="s",
        low=HOUR,
        high=365 * DAY,
        grid=True,
        source="48 h: xai-org/x-algorithm",
    )
    work_expiry: Duration = par(
        90 * DAY,
        "age at which a long-lived work leaves the feed",
        unit="s",
        low=HOUR,
        high=3650 * DAY,
        grid=True,
    )
    retrain_every: Duration = par(
        6 * HOUR,
        "time between two trainings on the log",
        unit="s",
        low=HOUR,
        high=365 * DAY,
        grid=True,
        lever=True,
    )
    sync_every: Duration = par(
        6 * HOUR,
        "time between two copies of trained vectors to serving",
        unit="s",
        low=MINUTE,
        high=365 * DAY,
        grid=True,
        lever=True,
    )
    sync_dense_every: Duration = par(
        0,
        "time between two copies of dense weights to serving (0s: with the vectors)",
        unit="s",
        low=0,
        high=365 * DAY,
        grid=True,
        source="Monolith, Liu et al. 2209.07663: dense daily",
    )
    # How the model learns from the log
    training: Literal["incremental", "full", "online"] = par(
        "incremental",
        "incremental: one pass over the log since the last training; full: a fresh model on the "
        "kept history; online: at every refresh on the log of the last window",
    )
    epochs: int = par(
        1,
        "passes over the history (full)",
        unit="passes",
        low=1,
        high=100,
        under="recommender.training=full",
    )
    history: Duration = par(
        7 * DAY,
        "how much of the log is kept to train on (full)",
        unit="s",
        low=HOUR,
        high=365 * DAY,
    )
    negatives: int = par(
        0,
        "random eligible posts that each impression brings as negatives; predicted rates fall by a "
        "factor of about 1 / (1 + negatives)",
        unit="posts",
        low=0,
        high=20,
        lever=True,
    )
    # The model itself; another dimension or table needs a new generation
    migration_warm_up: Duration = par(
        7 * DAY,
        "how long a new generation of the model trains beside the old one before it takes over",
        unit="s",
        low=0,
        high=365 * DAY,
        grid=True,
    )
    dim: int = par(
        32,
        "embedding dimension (a change is a migration)",
        unit="floats",
        low=1,
        high=512,
        lever=True,
    )
    learning_rate: float = par(0.08, "Adagrad rate of embeddings", low=1e-6, high=10, lever=True)
    dense_rate: float = par(0.02, "Adagrad rate of dense weights", low=1e-6, high=10, lever=True)
    regularisation: float = par(1e-5, "L2 on touched rows", low=0, high=10, lever=True)
    init_scale: float = par(0.3, "size of a new embedding's vector", low=0, high=10)
    tables: Tables = group(Tables, "embedding tables")
    signals: Signals = group(Signals, "what the model knows of a post beside its IDs")
    # What the feed shows: ranking, random slots, value model
    ranking: Literal["value", "chronological", "popularity", "random"] = par(
        "value",
        "how candidates are ordered; value is the learned value model; random draws from all "
        "eligible posts not seen lately, all equally likely, whatever quotas and slate rules say",
        lever=True,
        per="consumers",
    )
    random_share: float = par(
        0.0,
        "share of slots that show such a random draw, whatever the ranking; flagged in the log by "
        "the source random and never trained on: the model is evaluated on them",
        low=0,
        high=1,
        lever=True,
        per="consumers",
    )
    holdout_memory: Duration = par(
        7 * DAY,
        "how long impressions of such slots are kept to evaluate the model on (at most a million)",
        unit="s",
        low=HOUR,
        high=365 * DAY,
        source="assumption: few a day are random",
        under="recommender.random_share>0",
    )
    preset: Preset = par(
        "x_2026",
        "published feed to start from: its weights, quotas, kept slots and offset",
        lever=True,
        per="consumers",
        source="X's README and param.rs, Facebook 2018: see twin/mechanisms/recommender/presets.py",
    )
    weights: Weights = group(Weights, "weights that replace the preset's")
    rates: Rates = group(Rates, "how often what a preset weighs follows from what people do here")
    negative_offset: float | None = par(
        None,
        "offset c that lifts every score above 0, which is then multiplied by the factors for "
        "strangers and repeated authors; 0: none; not given: the preset's",
        low=0,
        high=1e6,
        lever=True,
        per="consumers",
        source="X: 0.001, ranking_scorer.rs and WeightedScoresSumScorer.scala",
        under="recommender.ranking=value",
    )
    in_network_slots: float | None = par(
        None,
        "share of slots kept for posts of followed creators, spread evenly; not given: the "
        "preset's",
        low=0,
        high=1,
        lever=True,
        per="consumers",
        source="X 2023: 60 of 120 results at most are out of network, ScoredTweetsParam.scala",
    )
    personalisation: float = par(
        1.0,
        "weight of the person's own vector: 0 ranks for everybody as for the mean person",
        low=0,
        high=1,
        lever=True,
        per="consumers",
        source="DESIGN.md section 6",
    )
    reward: Reward = group(Reward, "reward model on what classifiers read off posts")
    quota: Quota = group(Quota, "candidates by source")
    links: Links = group(Links, "links between posts")
    shelf: Shelf = group(Shelf, "related works")
    # Search of the index, and the slate
    probes: int = par(
        8,
        "inverted lists scanned per session",
        unit="lists",
        low=1,
        high=256,
        lever=True,
        per="consumers",
    )
    lists: int = par(32, "inverted lists", unit="lists", low=1, high=4096)
    probe_cap: int = par(64, "most posts scanned per list", unit="posts", low=1, high=4096)
    scan: int = par(
        64, "followed creators looked at per session", unit="creators", low=1, high=5000
    )
    slate: int = par(
        10, "posts per slate", unit="posts", low=1, high=100, lever=True, per="consumers"
    )
    author_cap: int = par(
        3,
        "most posts of one creator per slate",
        unit="posts",
        low=1,
        high=100,
        lever=True,
        per="consumers",
    )
    author_decay: float = par(
        0.5,
        "factor per further post of a creator in a slate",
        low=0.01,
        high=1,
        lever=True,
        per="consumers",
        source="xai-org/x-algorithm, ranking_scorer.rs",
        under="recommender.ranking=value|own",
    )
    author_floor: float = par(
        0.25,
        "least factor for further posts of a creator",
        low=0.01,
        high=1,
        lever=True,
        per="consumers",
        source="xai-org/x-algorithm, ranking_scorer.rs",
        under="recommender.ranking=value|own",
    )
    out_of_network: float = par(
        0.75,
        "factor on posts of creators not followed",
        low=0.01,
        high=10,
        lever=True,
        per="consumers",
        source="xai-org/x-algorithm, ranking_scorer.rs",
        under="recommender.ranking=value",
    )
    ai_factor: float = par(
        1.0,
        "factor on posts of AI creators (1: no demotion)",
        low=0.01,
        high=10,
        lever=True,
        per="consumers",
        under="recommender.ranking=value",
    )
    small_factor: float = par(
        1.0,
        "factor on posts of small creators (see small_followers)",
        low=0.01,
        high=10,
        lever=True,
        per="consumers",
        under="recommender.ranking=value",
    )
    small_withheld: float = par(
        0.0,
        "share of the posts of small creators that are left out, the same posts for everybody; "
        "what ranks next takes their place",
        low=0,
        high=1,
        lever=True,
        per="consumers",
    )
    creator_factor: float = par(
        1.0,
        "factor on a creator's posts, whoever sees them",
        low=0.01,
        high=10,
        lever=True,
        per="creators",
        under="recommender.ranking=value",
    )
    arousal_factor: float = par(
        1.0,
        "factor on a post that a classifier reads as fully aroused; less aroused ones get a power "
        "of it (below 1: it falls with arousal)",
        low=0.01,
        high=10,
        lever=True,
        per="consumers",
        under="recommender.ranking=value",
    )
    ai_cap: int = par(
        100, "most AI posts per slate", unit="posts", low=1, high=100, lever=True, per="consumers"
    )
    diversity: float = par(
        0.0,
        "share of a score lost by full likeness to a post chosen before it",
        low=0,
        high=1,
        lever=True,
        per="consumers",
        source="maximal marginal relevance, Carbonell & Goldstein 1998",
        under="recommender.ranking=value|own",
    )
    # Small creators, exploration, trending
    exposure_floor: int = par(
        0,
        "slots of a slate kept for small creators",
        unit="posts",
        low=0,
        high=20,
        lever=True,
        per="consumers",
    )
    small_followers: int = par(
        10, "followers up to which a creator is small", unit="followers", low=0, high=10**6
    )
    small_new: Duration = par(
        0,
        "time since entry for which a creator counts as small (0s: only followers count)",
        unit="s",
        low=0,
        high=3650 * DAY,
    )
    explore_slots: int = par(
        0,
        "slots of a slate kept for exploration",
        unit="posts",
        low=0,
        high=20,
        lever=True,
        per="consumers",
    )
    trend_half_life: Duration = par(
        6 * HOUR, "half-life of trending", unit="s", low=MINUTE, high=365 * DAY
    )
    explore_below: int = par(
        30, "impressions below which a post may be explored", unit="impressions", low=1, high=10**6
    )
