"""Parameters of the recommender: what looks like engineering, each with its unit, range and source."""

from __future__ import annotations

from typing import Literal

from twin.mechanisms.recommender.links import Links
from twin.mechanisms.recommender.presets import Preset
from twin.mechanisms.recommender.reward import Reward
from twin.mechanisms.recommender.signals import Signals
from twin.params import Duration, Params, group, par
from twin.units import DAY, HOUR, MINUTE


class Weights(Params):
    """Weights of the value model; a missing one is taken from the preset."""

    click: float | None = par(None, "weight of P(click)", low=-1e6, high=1e6, lever=True, per="consumers")
    long_view: float | None = par(None, "weight of P(long view)", low=-1e6, high=1e6, lever=True, per="consumers")
    like: float | None = par(None, "weight of P(like)", low=-1e6, high=1e6, lever=True, per="consumers")
    comment: float | None = par(None, "weight of P(comment)", low=-1e6, high=1e6, lever=True, per="consumers")
    reshare: float | None = par(None, "weight of P(reshare)", low=-1e6, high=1e6, lever=True, per="consumers")
    follow: float | None = par(None, "weight of P(follow)", low=-1e6, high=1e6, lever=True, per="consumers")
    hide: float | None = par(None, "weight of P(hide)", low=-1e6, high=1e6, lever=True, per="consumers")
    report: float | None = par(None, "weight of P(report)", low=-1e6, high=1e6, lever=True, per="consumers")


class Quota(Params):
    """Candidates per session by source."""

    in_network: int = par(30, "newest posts of followed creators", unit="posts", low=0, high=500, lever=True, per="consumers")
    nearest: int = par(45, "nearest posts of the two-tower index", unit="posts", low=0, high=500, lever=True, per="consumers")
    trending: int = par(15, "posts with most clicks lately", unit="posts", low=0, high=500, lever=True, per="consumers")
    explore: int = par(10, "posts that few have seen", unit="posts", low=0, high=500, lever=True, per="consumers")
    co_viewed: int = par(0, "posts co-viewed with those viewed last", unit="posts", low=0, high=500, lever=True, per="consumers")
    bought_together: int = par(0, "works bought together with those viewed last", unit="posts", low=0, high=500, lever=True,
                               per="consumers")


class Shelf(Params):
    """The shelf of related works that follows a work, shown to those who have viewed it to the end."""

    kind: Literal["co_viewed", "bought_together", "random", "none"] = par("co_viewed", "which links it shows", lever=True,
                                                                         per="consumers")
    size: int = par(4, "works on it", unit="posts", low=0, high=50, lever=True, per="consumers")


class Table(Params):
    """One embedding table."""

    kind: Literal["hash", "double_hash", "quotient_remainder", "collisionless"] = par(
        "collisionless", "hash: fixed slots, collisions shared; double_hash: the sum of two of them; quotient_remainder: one of each of "
        "two tables; collisionless: a cuckoo map that grows (a change is a migration, see migration_warm_up)", lever=True,
        source="Monolith, Liu et al. 2209.07663; Shi et al. 1909.02107")
    slots: int = par(65536, "slots of a fixed table; of the remainder table of quotient_remainder (a change is a migration)",
                     unit="rows", low=1, high=2**31 - 1, lever=True)
    hash_function: Literal["mix64", "md5"] = par("mix64", "hash of IDs: SplitMix64's finaliser, or MD5 of the decimal ID",
                                                 source="md5: reproduces Monolith's Table 1")
    salt: int = par(0, "salt of the hash, and of the luck of admission", low=0, high=2**31 - 1)
    operator: Literal["sum", "product"] = par("sum", "how the two rows of quotient_remainder combine, element by element",
                                              source="sum: Monolith's baseline, Liu et al. 2209.07663; product: Shi et al. 1909.02107")
    id_range: int = par(0, "range to which quotient_remainder hashes IDs before it splits them (0: slots squared)", unit="ids", low=0,
                        high=2**48, source="Monolith, Liu et al. 2209.07663: 2^48 into 2 x 2^24")
    admission: int = par(1, "sightings that admit an ID to a row (collisionless)", unit="sightings", low=1, high=255,
                         source="Monolith, Liu et al. 2209.07663")
    admission_rule: Literal["threshold", "unequal", "equal"] = par(
        "threshold", "threshold: after so many sightings; unequal: by chance min(1, n/T) at n more; equal: by chance 1 - 0.05^(n/T)",
        source="bytedance/monolith, probabilistic_filter.cc")
    expire_after: Duration = par(30 * DAY, "age since the last sighting at which a row is recycled (collisionless; 0s: never)",
                                 unit="s", low=0, source="Monolith, Liu et al. 2209.07663")


class Tables(Params):
    """Embedding tables by entity."""

    consumer: Table = group(Table, "consumers", expire_after=90 * DAY)
    post: Table = group(Table, "posts", expire_after=7 * DAY)
    creator: Table = group(Table, "creators", expire_after=90 * DAY)


class RecommenderParams(Params):
    """Parameters of the recommender."""

    refresh: Duration = par(10 * MINUTE, "time between two serving snapshots", unit="s", low=MINUTE, high=30 * MINUTE)
    expiry: Duration = par(2 * DAY, "age at which a post leaves the feed", unit="s", low=HOUR, high=365 * DAY, grid=True,
                           source="48 h: xai-org/x-algorithm")
    work_expiry: Duration = par(90 * DAY, "age at which a long-lived work leaves the feed", unit="s", low=HOUR, high=3650 * DAY, grid=True)
    retrain_every: Duration = par(6 * HOUR, "time between two trainings on the log", unit="s", low=HOUR, high=365 * DAY, grid=True,
                                  lever=True)
    sync_every: Duration = par(6 * HOUR, "time between two copies of trained vectors to serving", unit="s", low=MINUTE,
                               high=365 * DAY, grid=True, lever=True)
    sync_dense_every: Duration = par(0, "time between two copies of dense weights to serving (0s: with the vectors)", unit="s", low=0,
                                     high=365 * DAY, grid=True, source="Monolith, Liu et al. 2209.07663: dense daily")
    training: Literal["incremental", "full", "online"] = par(
        "incremental", "incremental: one pass over the log since the last training; full: a fresh model on the kept history; online: at "
        "every refresh on what the window brought")
    epochs: int = par(1, "passes over the history (full)", unit="passes", low=1, high=100)
    history: Duration = par(7 * DAY, "how much of the log is kept to train on (full)", unit="s", low=HOUR, high=365 * DAY)
    negatives: int = par(0, "random eligible posts that each impression brings as negatives; predicted rates fall by about 1 / (1 + it)",
                         unit="posts", low=0, high=20, lever=True)
    migration_warm_up: Duration = par(7 * DAY, "how long a new generation of the model trains beside the old one before it takes over",
                                      unit="s", low=0, high=365 * DAY, grid=True)
    dim: int = par(32, "embedding dimension (a change is a migration)", unit="floats", low=1, high=512, lever=True)
    learning_rate: float = par(0.08, "Adagrad rate of embeddings", low=1e-6, high=10, lever=True)
    dense_rate: float = par(0.02, "Adagrad rate of dense weights", low=1e-6, high=10, lever=True)
    regularisation: float = par(1e-5, "L2 on touched rows", low=0, high=10, lever=True)
    init_scale: float = par(0.3, "size of a new embedding's vector", low=0, high=10)
    tables: Tables = group(Tables, "embedding tables")
    signals: Signals = group(Signals, "what the model knows of a post beside its IDs")
    ranking: Literal["value", "chronological", "popularity", "random"] = par(
        "value", "how candidates are ordered; value is the learned value model", lever=True,
        per="consumers")
    preset: Preset = par("x_2026", "published feed weights to start from", lever=True, per="consumers", source="DESIGN.md section 7")
    weights: Weights = group(Weights, "weights that replace the preset's")
    personalisation: float = par(1.0, "how far the user vector is the person's own: 0 ranks for everybody as for the mean person",
                                 low=0, high=1, lever=True, per="consumers", source="DESIGN.md section 6")
    reward: Reward = group(Reward, "reward model on what classifiers read off posts")
    quota: Quota = group(Quota, "candidates by source")
    links: Links = group(Links, "links between posts")
    shelf: Shelf = group(Shelf, "related works")
    probes: int = par(8, "inverted lists scanned per session", unit="lists", low=1, high=256, lever=True, per="consumers")
    lists: int = par(32, "inverted lists", unit="lists", low=1, high=4096)
    probe_cap: int = par(64, "most posts scanned per list", unit="posts", low=1, high=4096)
    scan: int = par(64, "followed creators looked at per session", unit="creators", low=1, high=5000)
    slate: int = par(10, "posts per slate", unit="posts", low=1, high=100, lever=True, per="consumers")
    author_cap: int = par(3, "most posts of one creator per slate", unit="posts", low=1, high=100, lever=True, per="consumers")
    author_decay: float = par(0.5, "factor per further post of a creator in a slate", low=0.01, high=1, lever=True, per="consumers",
                              source="xai-org/x-algorithm, ranking_scorer.rs")
    author_floor: float = par(0.25, "least factor for further posts of a creator", low=0.01, high=1, lever=True, per="consumers",
                              source="xai-org/x-algorithm, ranking_scorer.rs")
    out_of_network: float = par(0.75, "factor on posts of creators not followed", low=0.01, high=10, lever=True, per="consumers",
                                source="xai-org/x-algorithm, ranking_scorer.rs")
    ai_factor: float = par(1.0, "factor on posts of AI creators (1: no demotion)", low=0.01, high=10, lever=True, per="consumers")
    ai_cap: int = par(100, "most AI posts per slate", unit="posts", low=1, high=100, lever=True, per="consumers")
    diversity: float = par(0.0, "share of a score lost by full likeness to a post chosen before it", low=0, high=1, lever=True,
                           per="consumers", source="maximal marginal relevance, Carbonell & Goldstein 1998")
    exposure_floor: int = par(0, "slots of a slate kept for small creators", unit="posts", low=0, high=20, lever=True, per="consumers")
    small_followers: int = par(10, "followers up to which a creator is small", unit="followers", low=0, high=10**6)
    small_new: Duration = par(0, "time since entry for which a creator counts as small (0s: only followers count)", unit="s", low=0,
                              high=3650 * DAY)
    explore_slots: int = par(0, "slots of a slate kept for exploration", unit="posts", low=0, high=20, lever=True, per="consumers")
    trend_half_life: Duration = par(6 * HOUR, "half-life of trending", unit="s", low=MINUTE, high=365 * DAY)
    explore_below: int = par(30, "impressions below which a post may be explored", unit="impressions", low=1, high=10**6)
