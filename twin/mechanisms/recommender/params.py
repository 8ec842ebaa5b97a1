"""Parameters of the recommender: what looks like engineering, each with its unit, range and
source."""

from __future__ import annotations

from typing import Literal

from twin.ground.units import DAY, HOUR, MINUTE
from twin.mechanisms.recommender.links import Links
from twin.mechanisms.recommender.presets import Preset
from twin.mechanisms.recommender.reward import Reward
from twin.mechanisms.recommender.signals import Signals
from twin.world.params import Duration, Params, group, par


class Weights(Params):
    """Weights of the value model; a missing one is taken from the preset. One that is given holds
    as it is: nothing is added to it."""

    click: float | None = par(
        None, "weight of P(click)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    long_view: float | None = par(
        None, "weight of P(long view)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    like: float | None = par(
        None, "weight of P(like)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    comment: float | None = par(
        None, "weight of P(comment)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    reshare: float | None = par(
        None, "weight of P(reshare)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    follow: float | None = par(
        None, "weight of P(follow)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    hide: float | None = par(
        None, "weight of P(hide)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    report: float | None = par(
        None, "weight of P(report)", low=-1e6, high=1e6, lever=True, per="consumers"
    )
    angry: float | None = par(
        None,
        "weight of an angry reaction, in the preset's unit; it comes with comments, see "
        "rates.angry",
        low=-1e6,
        high=1e6,
        lever=True,
        per="consumers",
        source="5, 4, 1.5, 0 likes: Facebook from 2018 on (NBC, CNN)",
    )


class Rates(Params):
    """How often what a published value model weighs follows from a response of the twin: see
    `presets`.

    Those of ``x_2023`` are chosen so that the published head weighs as much at KuaiRand's rates as
    the reply, 13.5 x .002546: "weights were originally set so that each weighted probability
    contributes near-equally" (README of the-algorithm-ml); they were tuned since.
    """

    answered: float = par(
        0.18,
        "the author reacts to a comment, per comment (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 / 75",
    )
    conversation: float = par(
        0.15,
        "a like or comment was made in the opened conversation, per like or comment (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 x .002546 / (11 x (.018478 + .002546))",
    )
    stays: float = par(
        0.01,
        "stays in the conversation for two minutes, per long view (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 x .002546 / (10 x .33184)",
    )
    profile: float = par(
        0.006,
        "opens the author's profile, and likes or replies there, per click (x_2023)",
        low=0,
        high=1,
        source="assumption: as much as replies, 13.5 x .002546 / (12 x .45965)",
    )
    mutual: float = par(
        0.11,
        "author and reader follow each other, per comment (x_2026)",
        low=0,
        high=1,
        source="assumption: half in network, 22 % of follows returned (Kwak et al. 2010, from "
        "memory)",
    )
    opened: float = par(
        0.09,
        "clicks in X's sense per click (x_2026): that opens a post whose text is read by then, "
        "KuaiRand's (.46 of "
        "impressions) starts a video",
        low=0,
        high=1,
        source="assumption: posts are opened as often as news whose headline is read, .0398 of "
        "those shown (MIND, Wu et "
        "al., ACL 2020) / .45965",
    )
    quote: float = par(0.2, "is a quote, per reshare (x_2026)", low=0, high=1)
    share: float = par(0.3, "uses the share sheet, per reshare (x_2026)", low=0, high=1)
    share_dm: float = par(0.2, "is sent as a direct message, per reshare (x_2026)", low=0, high=1)
    share_link: float = par(0.1, "is a copied link, per reshare (x_2026)", low=0, high=1)
    photo: float = par(0.3, "expands a photo, per click (x_2026)", low=0, high=1)
    video: float = par(0.3, "opens a video, per click (x_2026)", low=0, high=1)
    link: float = par(0.05, "follows a link, per click (x_2026)", low=0, high=1)
    dwell: float = par(
        14.6,
        "time spent, per long view (x_2026); the unit of the published weight is not, seconds are "
        "assumed",
        unit="s",
        low=0,
        high=3600,
        source="mean clip of KuaiRec (Gao et al., CIKM 2022)",
    )
    block: float = par(0.1, "blocks the author, per hide (x_2026)", low=0, high=1)
    mute: float = par(0.1, "mutes the author, per hide (x_2026)", low=0, high=1)
    reaction: float = par(
        0.1, "is an emoji reaction beside a plain like, per like (facebook_2018)", low=0, high=1
    )
    angry: float = par(
        1.0,
        "angry reactions per comment, where they are weighed",
        low=0,
        high=100,
        source="assumption: what angers brings comments",
    )
    significant: float = par(
        0.5, "is longer than a few words, per comment or reshare (facebook_2018)", low=0, high=1
    )


class Quota(Params):
    """Candidates per session by source; a missing one is taken from the preset."""

    in_network: int | None = par(
        None,
        "newest posts of followed creators",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: X 2023 half, X 2026 55 of 100; else an assumption",
    )
    nearest: int | None = par(
        None,
        "nearest posts of the two-tower index",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: an assumption",
    )
    trending: int | None = par(
        None,
        "posts with most clicks lately",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: an assumption",
    )
    explore: int | None = par(
        None,
        "posts that few have seen",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: an assumption",
    )
    co_viewed: int = par(
        0,
        "posts co-viewed with those viewed last",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
    )
    bought_together: int = par(
        0,
        "works bought together with those viewed last",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
    )


class Shelf(Params):
    """The shelf of related works that follows a work, shown to those who have viewed it to the
    end."""

    kind: Literal["co_viewed", "bought_together", "random", "none"] = par(
        "co_viewed", "which links it shows", lever=True, per="consumers"
    )
    size: int = par(4, "works on it", unit="posts", low=0, high=50, lever=True, per="consumers")


class Table(Params):
    """One embedding table."""

    kind: Literal["hash", "double_hash", "quotient_remainder", "collisionless"] = par(
        "collisionless",
        "hash: fixed slots, collisions shared; double_hash: the sum of two of them; "
        "quotient_remainder: one of each of "
        "two tables; collisionless: a cuckoo map that grows (a change is a migration, see "
        "migration_warm_up)",
        lever=True,
        source="Monolith, Liu et al. 2209.07663; Shi et al. 1909.02107",
    )
    slots: int = par(
        65536,
        "slots of a fixed table; of the remainder table of quotient_remainder (a change is a "
        "migration)",
        unit="rows",
        low=1,
        high=2**31 - 1,
        lever=True,
    )
    hash_function: Literal["mix64", "md5"] = par(
        "mix64",
        "hash of IDs: SplitMix64's finaliser, or MD5 of the decimal ID",
        source="md5: reproduces Monolith's Table 1",
    )
    salt: int = par(0, "salt of the hash, and of the luck of admission", low=0, high=2**31 - 1)
    operator: Literal["sum", "product"] = par(
        "sum",
        "how the two rows of quotient_remainder combine, element by element",
        source="sum: Monolith's baseline, Liu et al. 2209.07663; product: Shi et al. 1909.02107",
    )
    id_range: int = par(
        0,
        "range to which quotient_remainder hashes IDs before it splits them (0: slots squared)",
        unit="ids",
        low=0,
        high=2**48,
        source="Monolith, Liu et al. 2209.07663: 2^48 into 2 x 2^24",
    )
    admission: int = par(
        1,
        "sightings that admit an ID to a row (collisionless)",
        unit="sightings",
        low=1,
        high=255,
        source="Monolith, Liu et al. 2209.07663",
    )
    admission_rule: Literal["threshold", "unequal", "equal"] = par(
        "threshold",
        "threshold: after so many sightings; unequal: by chance min(1, n/T) at n more; equal: by "
        "chance 1 - 0.05^(n/T)",
        source="bytedance/monolith, probabilistic_filter.cc",
    )
    expire_after: Duration = par(
        30 * DAY,
        "age since the last sighting at which a row is recycled (collisionless; 0s: never)",
        unit="s",
        low=0,
        source="Monolith, Liu et al. 2209.07663",
    )


class Tables(Params):
    """Embedding tables by entity."""

    consumer: Table = group(Table, "consumers", expire_after=90 * DAY)
    post: Table = group(Table, "posts", expire_after=7 * DAY)
    creator: Table = group(Table, "creators", expire_after=90 * DAY)


class RecommenderParams(Params):
    """Parameters of the recommender."""

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
    training: Literal["incremental", "full", "online"] = par(
        "incremental",
        "incremental: one pass over the log since the last training; full: a fresh model on the "
        "kept history; online: at "
        "every refresh on what the window brought",
    )
    epochs: int = par(1, "passes over the history (full)", unit="passes", low=1, high=100)
    history: Duration = par(
        7 * DAY,
        "how much of the log is kept to train on (full)",
        unit="s",
        low=HOUR,
        high=365 * DAY,
    )
    negatives: int = par(
        0,
        "random eligible posts that each impression brings as negatives; predicted rates fall by "
        "about 1 / (1 + it)",
        unit="posts",
        low=0,
        high=20,
        lever=True,
    )
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
    ranking: Literal["value", "chronological", "popularity", "random"] = par(
        "value",
        "how candidates are ordered; value is the learned value model; random draws from all "
        "eligible posts that were not seen "
        "lately, each as likely, whatever quotas and rules of the slate say",
        lever=True,
        per="consumers",
    )
    random_share: float = par(
        0.0,
        "share of slots that show such a draw, whatever the ranking; flagged in the log by the "
        "source random, "
        "never trained on: the model is judged on them",
        low=0,
        high=1,
        lever=True,
        per="consumers",
    )
    holdout_memory: Duration = par(
        7 * DAY,
        "how long impressions of such slots are remembered to judge the model on (at most a "
        "million)",
        unit="s",
        low=HOUR,
        high=365 * DAY,
        source="assumption: few a day are random",
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
        "strangers and repeated authors; 0: none; nothing: the preset's",
        low=0,
        high=1e6,
        lever=True,
        per="consumers",
        source="X: .001, ranking_scorer.rs and WeightedScoresSumScorer.scala",
    )
    in_network_slots: float | None = par(
        None,
        "share of slots kept for posts of creators followed, spread evenly; nothing: the preset's",
        low=0,
        high=1,
        lever=True,
        per="consumers",
        source="X 2023: 60 of 120 results at most are out of network, ScoredTweetsParam.scala",
    )
    personalisation: float = par(
        1.0,
        "how far the user vector is the person's own: 0 ranks for everybody as for the mean person",
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
    )
    author_floor: float = par(
        0.25,
        "least factor for further posts of a creator",
        low=0.01,
        high=1,
        lever=True,
        per="consumers",
        source="xai-org/x-algorithm, ranking_scorer.rs",
    )
    out_of_network: float = par(
        0.75,
        "factor on posts of creators not followed",
        low=0.01,
        high=10,
        lever=True,
        per="consumers",
        source="xai-org/x-algorithm, ranking_scorer.rs",
    )
    ai_factor: float = par(
        1.0,
        "factor on posts of AI creators (1: no demotion)",
        low=0.01,
        high=10,
        lever=True,
        per="consumers",
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
    )
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
