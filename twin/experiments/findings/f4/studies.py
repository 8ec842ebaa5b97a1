"""Finding 4 without a world: how many rankings dot products can express, and what dimension does to
recommendations on fixed data.

TopMeasures: recall = hits / min(20, held out), mean over users; ARP = mean popularity in training
of what is recommended; coverage = share of items recommended to anybody; Gini of recommendations
over items. Sources: Ohsaka & Togashi, SIGIR 2023 (arXiv 2305.13597); Cover 1967 for the counts;
FINDINGS F4 for the table.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.negatives import Negatives, Shown
from twin.kernels.stats import gini, rankings
from twin.kernels.training import Rates
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.slots import TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Keys, Trainer

Floats = NDArray[np.float64]
TOP = 20
NEGATIVES, EPOCHS = 4, 10
ARP = 60.0
"""Popularity to which the patch brings recommendations: under half of that at two dimensions
(131.8)."""


class Split(NamedTuple):
    """Who liked what: for training and held out, bool (users, items)."""

    seen: NDArray[np.bool_]
    held: NDArray[np.bool_]


class TopMeasures(NamedTuple):
    """TopMeasures of twenty recommendations to each user."""

    recall: float
    arp: float
    coverage: float
    gini: float


class Counts(NamedTuple):
    """Rankings Q(n, d) of n items that d dimensions can express (the last one as log10), and
    distinct rankings of 8 items among 200,000 random users in 2 and in 3 dimensions."""

    q_8_2: float
    q_6_3: float
    q_8_3: float
    log_q_1000_64: float
    found_8_2: float
    found_8_3: float


def best(score: NDArray[Any], split: Split) -> NDArray[np.int64]:
    """The twenty best unseen items of each user."""
    # What was liked in training comes last, as it cannot be a hit.
    return np.argpartition(np.where(split.seen, np.inf, -score), TOP, axis=1)[:, :TOP]


def recalls(score: NDArray[Any], split: Split) -> Floats:
    """Recall of every user who has something held out."""
    hits, wanted = np.take_along_axis(split.held, best(score, split), 1).sum(1), split.held.sum(1)
    return np.asarray(hits[wanted > 0] / np.minimum(wanted, TOP)[wanted > 0], np.float64)


def measures(score: NDArray[Any], split: Split) -> TopMeasures:
    """All measures of a matrix of scores (users, items)."""
    chosen, popularity = best(score, split), split.seen.sum(0)
    times = np.bincount(chosen.ravel(), minlength=len(popularity)).astype(float)
    return TopMeasures(
        float(recalls(score, split).mean()),
        float(popularity[chosen].mean()),
        float((times > 0).mean()),
        gini(times),
    )


def trained(split: Split, dim: int) -> NDArray[np.float32]:
    """Scores (users, items) of the project's trainer with its own negative sampling: likes are
    clicks, and four random items after each are not."""
    p, rng, keep = RecommenderParams(), np.random.default_rng(1), dict[str, NDArray[Any]]()
    users, items = split.seen.shape
    trainer = Trainer(
        keep,
        {
            name: EmbeddingTable(
                keep, name, TableSpec("collisionless", dim, 64, init_scale=p.init_scale)
            )
            for name in ("consumer", "post", "creator")
        },
    )
    trainer.setup()
    # Odd factors keep keys distinct modulo 2^64 and spread them over all bits.
    user_keys = np.arange(1, users + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    item_keys, creator = (
        np.arange(1, items + 1, dtype=np.uint64) * np.uint64(0xA0761D6478BD642F),
        np.ones(1, np.uint64),
    )
    negatives = Negatives(
        NEGATIVES, np.arange(items, dtype=np.int32), np.zeros(items, np.int32), np.uint64(7)
    )
    liker, liked = (rows.astype(np.int32) for rows in np.nonzero(split.seen))
    # One pass per call: negatives are keyed by the time, so that each pass meets others.
    for now in range(EPOCHS):
        order = rng.permutation(len(liker))
        trainer.fit(
            Keys(consumer=user_keys, post=item_keys, creator=creator),
            Shown(
                consumer=liker[order],
                post=liked[order],
                creator=np.zeros(len(order), np.int32),
                responses=np.ones(len(order), np.uint16),
            ),
            now,
            rates=Rates(p.learning_rate, p.dense_rate, p.regularisation),
            negatives=negatives,
        )
    u, w = trainer.tables["consumer"].vectors(user_keys), keep["W"][:, 0]
    v = trainer.tables["post"].vectors(item_keys) + trainer.tables["creator"].vectors(creator)
    # The last column of a vector is the bias of its row.
    score: NDArray[np.float32] = (
        (u[:, :dim] * w[:dim]) @ v[:, :dim].T + w[dim] * u[:, dim:] + w[dim + 1] * v[:, dim]
    )
    return score


def by_count(likes: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows with the same number of likes, (n,), and the places of their likes, (n, count), so that
    many small systems are solved at once."""
    count = likes.sum(1)
    return [
        (rows, np.nonzero(likes[rows])[1].reshape(len(rows), each))
        for each in np.unique(count)
        for rows in [np.flatnonzero(count == each)]
    ]


def ials(
    split: Split,
    dim: int,
    seed: int,
    regularisation: float = 0.03,
    weight: float = 0.02,
    sweeps: int = 8,
) -> Floats:
    """Implicit ALS (Hu, Koren & Volinsky 2008; regularised by frequency, Rendle et al. 2022): sum
    over likes of (1 - s)^2 + weight * sum over all pairs of s^2 + regularisation * sum over rows of
    (likes + weight * others) |row|^2.
    """
    rng = np.random.default_rng(seed)
    u, v = (rng.normal(0, 0.1 / np.sqrt(dim), (size, dim)) for size in split.seen.shape)
    # Both halves hold the same two arrays: each solves for one in place, given the other.
    halves = ((u, v, by_count(split.seen)), (v, u, by_count(split.seen.T)))
    for _ in range(sweeps):
        for mine, other, groups in halves:
            # The term over all pairs is the same for every row; only likes differ.
            gram = weight * other.T @ other
            for rows, places in groups:
                some = other[places]
                # Regularised by frequency: rows with many likes are penalised in proportion.
                ridge = regularisation * (places.shape[1] + weight * len(other))
                mine[rows] = np.linalg.solve(
                    gram + some.transpose(0, 2, 1) @ some + ridge * np.eye(dim),
                    some.sum(1)[..., None],
                )[..., 0]
    return np.asarray(u @ v.T, np.float64)


def splits(path: Path, count: int) -> list[Split]:
    """Random 80/20 splits of MovieLens latest-small of 2016 (from GroupLens): ratings of at least
    3.5."""
    with gzip.open(path, "rt") as file:
        ratings = np.loadtxt(file, delimiter=",", skiprows=1)
    ratings = ratings[ratings[:, 2] >= 3.5]
    user, item = (np.unique(ratings[:, column], return_inverse=True)[1] for column in (0, 1))
    made = []
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(user))
        parts = np.zeros((2, user.max() + 1, item.max() + 1), bool)
        part = np.zeros(len(user), int)
        part[order[: len(user) // 5]] = 1
        parts[part, user, item] = True
        made.append(Split(*parts))
    return made


def tastes(
    rank: int, skew: float, users: int = 800, items: int = 400, rate: float = 0.1, seed: int = 0
) -> Split:
    """Likes by P(u, i) = a_u b_i exp(1.5 x_u . y_i / sqrt(rank)), tastes of ``rank`` dimensions (0:
    all the same).

    Everybody likes a tenth of all items, and an item's popularity is lognormal with log-sd ``skew``
    (0: all are as popular).
    """
    rng = np.random.default_rng(seed)
    p = np.exp(
        1.5
        * rng.normal(size=(users, rank))
        @ rng.normal(size=(rank, items))
        / np.sqrt(max(rank, 1))
    )
    popularity = np.exp(skew * rng.normal(size=items))
    popularity *= rate * users * items / popularity.sum()
    # Iterative proportional fitting: both margins at once, users' activity and items' popularity.
    for _ in range(50):
        p *= rate * items / p.sum(1, keepdims=True)
        p *= popularity / p.sum(0)
    like, hold = rng.random(p.shape) < p, rng.random(p.shape) < 0.2
    return Split(like & ~hold, like & hold)


def _movies(data: str, count: int) -> list[Split]:
    path = Path(data) / "ml-latest-small-2016.csv.gz"
    return splits(path, count) if data and path.exists() else []


def movies(seed: int, data: str, dims: Sequence[int], count: int) -> Floats:
    """TopMeasures by dimension and split (dims, splits, 4). The splits are those of FINDINGS,
    whatever the seed."""
    made = _movies(data, count)
    return np.array(
        [[measures(ials(split, dim, at), split) for at, split in enumerate(made)] for dim in dims]
        if made
        else []
    )


def patched(seed: int, data: str, dims: Sequence[int], count: int) -> Floats:
    """The same after a penalty on log popularity that reduces ARP to 60: what re-ranking can do to
    a finished model."""
    made = []
    for at, split in enumerate(_movies(data, count)):
        penalty = np.log1p(split.seen.sum(0))
        row = []
        for dim in dims:
            score, low, high = ials(split, dim, at), 0.0, 2.0
            # Bisection: nine halvings bring the penalty to 0.004.
            for _ in range(9):
                middle = (low + high) / 2
                low, high = (
                    (low, middle)
                    if measures(score - middle * penalty, split).arp < ARP
                    else (middle, high)
                )
            # The upper end, whose ARP is below the target; that of the lower end is not.
            row.append(measures(score - high * penalty, split))
        made.append(row)
    return np.array(made).transpose(1, 0, 2) if made else np.array([])


def synthetic(
    seed: int, data: str, rank: int, skew: float, dims: Sequence[int], count: int
) -> Floats:
    """Recall, and ARP over mean popularity, by dimension and data set (dims, sets, 2), of the
    project's own trainer."""
    sets = [tastes(rank, skew, seed=seed + at) for at in range(count)]
    made = np.empty((len(dims), count, 2))
    for row, dim in enumerate(dims):
        for at, split in enumerate(sets):
            got = measures(trained(split, dim), split)
            made[row, at] = got.recall, got.arp / split.seen.sum(0).mean()
    return made


def counts(seed: int, data: str) -> Floats:
    """How many rankings there are, and how many are found: `Counts` (6,)."""
    rng, found = np.random.default_rng(seed), []
    for n, d in ((8, 2), (8, 3)):
        order = np.argsort(-(rng.normal(size=(200_000, d)) @ rng.normal(size=(n, d)).T), axis=1)
        # A ranking as one number, in base n.
        found.append(len(np.unique(order @ n ** np.arange(n))))
    made = Counts(
        q_8_2=rankings(8, 2),
        q_6_3=rankings(6, 3),
        q_8_3=rankings(8, 3),
        log_q_1000_64=math.log10(rankings(1000, 64)),
        found_8_2=found[0],
        found_8_3=found[1],
    )
    return np.array(made, np.float64)
