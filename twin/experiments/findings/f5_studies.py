"""Finding 5 without a world: Monolith's table 1, whom collisions hurt by how frequent an ID is, and
how fresh a served model has to be.

Sources: Liu et al., Monolith, arXiv 2209.07663; FINDINGS F5 for the reproduction and the correction
by frequency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, MINUTE
from twin.kernels.judging import judge
from twin.kernels.negatives import Shown
from twin.kernels.training import Rates
from twin.mechanisms.recommender.params import RecommenderParams
from twin.mechanisms.recommender.slots import TableSpec, by_decile
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Keys, Trainer

Floats = NDArray[np.float64]
USERS, MOVIES, SLOTS = 162_541, 59_047, 10**6
STEP = 30 * MINUTE
SYNCS = (1, 2, 10, 48)
"""Sync intervals in steps: 30 min, 1 h, 5 h, 1 d."""
PEOPLE, ITEMS, RANK, PER_STEP = 300, 200, 4, 150


def _ids(count: int) -> NDArray[np.uint64]:
    return np.arange(count, dtype=np.uint64)


def table_1(seed: int, data: str) -> Floats:
    """Distinct slots, IDs that share one, and the fullest slot, of users and of movies (2, 3): MD5
    of label-encoded IDs modulo a million."""
    made = EmbeddingTable({}, "t", TableSpec("hash", 2, SLOTS, function="md5"))
    rows = []
    for n in (USERS, MOVIES):
        load = np.bincount(made.slots(_ids(n))[:, 0])
        rows.append([(load > 0).sum(), round(made.sharing(_ids(n)) * n), load.max()])
    return np.array(rows, np.float64)


def loads(seed: int, data: str) -> Floats:
    """Load n/M, and share of IDs that share a slot, under the project's own hash (2, loads)."""
    made, shares = (
        EmbeddingTable({}, "t", TableSpec("hash", 2, 20_000, salt=seed)),
        (0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
    )
    return np.array([shares, [made.sharing(_ids(int(load * 20_000))) for load in shares]])


def damage(seed: int, data: str, exponent: float, orders: int, kind: str = "hash") -> Floats:
    """By random order of IDs (orders, 6 + 10), under Zipf traffic of this exponent on table 1's
    users:

    traffic on shared slots; foreign share of gradients of the top 1 % and of the bottom half of
    IDs, mean over IDs (per-ID damage); share of all traffic that these two groups have on shared
    slots (traffic-weighted risk, which a platform meets); foreign share over all traffic; foreign
    share by tenth of IDs, least traffic first.
    """
    made, rng, out = (
        EmbeddingTable({}, "t", TableSpec(kind, 2, SLOTS, function="md5")),
        np.random.default_rng([seed, 5]),
        [],
    )
    weight = np.asarray(np.arange(1, USERS + 1) ** -exponent, np.float64)
    part = weight / weight.sum()
    slot = (
        np.zeros(USERS, np.int64)
        if kind == "collisionless"
        else made.slots(_ids(USERS))[:, 0].astype(np.int64)
    )
    full = np.bincount(slot) if kind != "collisionless" else np.ones(1, np.int64)
    shares = full[slot] > 1
    top, bottom = slice(0, USERS // 100), slice(USERS // 2, None)
    for _ in range(orders):
        key = rng.permutation(_ids(USERS))
        foreign, shared = made.foreign(key, weight), shares[key.astype(np.int64)]
        out.append(
            [
                float(part[shared].sum()),
                foreign[top].mean(),
                foreign[bottom].mean(),
                float(part[top][shared[top]].sum()),
                float(part[bottom][shared[bottom]].sum()),
                float((part * foreign).sum()),
                *by_decile(foreign, weight),
            ]
        )
    return np.array(out)


def sync(seed: int, data: str, drift: float, burn: int, days: int, streams: int) -> Floats:
    """Progressive AUC and log loss of clicks by sync interval (streams, 4, 2): one online model per
    stream, served from four copies.

    People click items by sigmoid(2 x_u . y_i - 0.5), x and y of unit length in 4 dimensions; items
    turn by ``drift`` radians a day (0: stationary). Training, before anything is judged, lasts
    ``burn`` days. Assumption: sizes and drift are ours; the source says signs.
    """
    return np.array(
        [_stream(seed, at, drift, burn * DAY // STEP, days * DAY // STEP) for at in range(streams)]
    )


def _unit(x: Floats) -> Floats:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), np.float64)


def _stream(seed: int, at: int, drift: float, burn: int, steps: int) -> Floats:
    p, rng, keep, dim = (
        RecommenderParams(),
        np.random.default_rng([seed, at]),
        dict[str, NDArray[Any]](),
        8,
    )
    tables = {
        name: EmbeddingTable(
            keep,
            name,
            TableSpec("collisionless", dim, 64, init_scale=p.init_scale, expire_after_s=0),
        )
        for name in ("consumer", "post", "creator")
    }
    trainer = Trainer(keep, tables)
    trainer.setup()
    people, items, maker = (
        _ids(PEOPLE) * np.uint64(0x9E3779B97F4A7C15),
        _ids(ITEMS) * np.uint64(0xA0761D6478BD642F),
        np.ones(1, np.uint64),
    )
    x, y = _unit(rng.normal(size=(PEOPLE, RANK))), _unit(rng.normal(size=(ITEMS, RANK)))
    turn = drift * (STEP / DAY) ** 0.5  # a random walk: angles add up as the root of time
    copies: list[NDArray[np.float32]] = [np.zeros((PEOPLE, ITEMS), np.float32) for _ in SYNCS]
    said: list[list[NDArray[np.float32]]] = [[] for _ in SYNCS]
    truth = []
    for step in range(burn + steps):
        y = _unit(y + turn * rng.normal(size=y.shape) / np.sqrt(RANK - 1)) if drift else y
        who, what = (rng.integers(0, size, PER_STEP).astype(np.int32) for size in (PEOPLE, ITEMS))
        clicked = rng.random(PER_STEP) < 1 / (1 + np.exp(0.5 - 2 * (x[who] * y[what]).sum(1)))
        if step >= burn:
            truth.append(clicked)
            for copy, every in enumerate(SYNCS):
                if (step - burn) % every == 0:
                    copies[copy] = _predicted(trainer, people, items, maker)
                said[copy].append(copies[copy][who, what])
        trainer.fit(
            Keys(consumer=people, post=items, creator=maker),
            Shown(
                consumer=who,
                post=what,
                creator=np.zeros(PER_STEP, np.int32),
                responses=clicked.astype(np.uint16),
            ),
            step * STEP,
            rates=Rates(p.learning_rate, p.dense_rate, p.regularisation),
        )
    all_true = np.concatenate(truth)
    scores = [
        judge(
            np.concatenate(copy).astype(np.float32), all_true, np.zeros(len(all_true), np.int64), 1
        )
        for copy in said
    ]
    return np.array([[float(score[0, 0]), float(score[1, 0])] for score in scores])


def _predicted(
    trainer: Trainer,
    people: NDArray[np.uint64],
    items: NDArray[np.uint64],
    maker: NDArray[np.uint64],
) -> NDArray[np.float32]:
    """Chance of a click of everybody on everything, by the model as it is now."""
    w, c = trainer.keep["W"][:, 0], trainer.keep["c"][0]
    u = trainer.tables["consumer"].vectors(people)
    v = trainer.tables["post"].vectors(items) + trainer.tables["creator"].vectors(maker)
    dim = u.shape[1] - 1
    logit = (u[:, :dim] * w[:dim]) @ v[:, :dim].T + w[dim] * u[:, dim:] + w[dim + 1] * v[:, dim] + c
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)
