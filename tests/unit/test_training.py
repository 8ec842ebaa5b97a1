"""The trainer, its negatives and the judgement of it, apart from any world."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.kernels.judging import judge
from twin.kernels.negatives import Negatives, Shown, with_negatives
from twin.kernels.side import READ, WIDE
from twin.kernels.training import (
    Dense,
    Embeddings,
    Places,
    Rates,
    Samples,
    Table,
    empty_batch,
    train,
)
from twin.mechanisms.recommender.log import LOGGED, InteractionLog
from twin.mechanisms.recommender.quality import bucket
from twin.mechanisms.recommender.slots import TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Keys, Trainer

DIM = 5
Arrays = list[np.ndarray]


def parameters(rng: np.random.Generator, wide: int = 0) -> tuple[Arrays, Arrays]:
    """Tables (E, G) of three entities with 6 rows each, and dense weights with their accumulators,
    all accumulators large."""
    tables = [
        array
        for _ in range(3)
        for array in (rng.normal(size=(6, DIM + 1)).astype("f4"), np.full((6, 2), 1e8, "f4"))
    ]
    dense = [
        array
        for shape in ((DIM + 2, 8), (8,), (wide, 8), (READ if wide else 0, DIM))
        for array in (rng.normal(size=shape).astype("f4"), np.full(shape, 1e8, "f4"))
    ]
    return tables, dense


def side(rng: np.random.Generator, samples: int, wide: int) -> tuple[np.ndarray, ...]:
    """Place, tally, reading and mask of samples of posts of which signals are known; one signal is
    not in use."""
    if not wide:
        return np.zeros(0, "i4"), np.zeros(0, "i4"), np.zeros((0, READ), "f4"), np.zeros(0, "f4")
    tally = rng.integers(-127, 128, (samples, 4)).astype("i1").view("i4")[:, 0]
    mask = np.ones(WIDE, "f4")
    mask[READ - 1] = 0
    return (
        rng.integers(0, 9, samples).astype("i4"),
        tally,
        rng.normal(size=(9, READ)).astype("f4"),
        mask,
    )


def one_pass(tables: Arrays, dense: Arrays, samples: Samples, *rates: float) -> None:
    """Train on a log once."""
    weights = Dense(*dense)
    pairs = (samples.consumer, samples.post, samples.creator)
    batch = empty_batch(DIM, any(places.multiplies for places in pairs), weights)
    embeddings = Embeddings(*map(Table, tables[::2], tables[1::2]))
    train(embeddings, samples, weights, Rates(*np.array(rates, np.float32)), batch)


def loss(
    tables: Arrays,
    dense: Arrays,
    rows: np.ndarray,
    product: np.ndarray,
    responses: int,
    s: np.ndarray,
) -> float:
    """Cross-entropy of one sample by the formula in the kernel's head, in float64."""
    vectors, biases = [], []
    for k in range(3):
        E, (one, two) = tables[2 * k].astype(float), rows[k]
        vector, bias = (E[one, :DIM], E[one, DIM]) if one >= 0 else (np.zeros(DIM), 0.0)
        if two >= 0:
            vector, bias = (
                vector * E[two, :DIM] if product[k] else vector + E[two, :DIM],
                bias + E[two, DIM],
            )
        vectors.append(vector)
        biases.append(bias)
    W, item = dense[0].astype(float), vectors[1] + vectors[2]
    if len(s):
        item = item + s[:READ] @ dense[6].astype(float)
    logit = (
        dense[2]
        + W[:DIM].T @ (vectors[0] * item)
        + W[DIM] * biases[0]
        + W[DIM + 1] * (biases[1] + biases[2])
        + s @ dense[4]
    )
    truth = responses >> np.arange(8) & 1
    return float((np.logaddexp(0, logit) - truth * logit).sum())


@pytest.mark.parametrize("wide", [0, WIDE])
@pytest.mark.parametrize(
    "product", [(False, False, False), (True, True, True), (False, True, False)]
)
@pytest.mark.parametrize(
    "rows", [((0, 1), (2, 3), (4, 5)), ((0, -1), (2, 3), (-1, -1)), ((-1, -1), (1, 2), (3, -1))]
)
def test_step_is_the_gradient(
    rows: tuple[tuple[int, int], ...], product: tuple[bool, ...], wide: int
) -> None:
    """One step on one sample moves every number against the loss's numerical gradient, whichever
    IDs have no, one or two rows, with and without signals."""
    place, multiply, responses = np.array(rows), np.array(product), 0b00101101
    rng = np.random.default_rng(3)
    tables, dense = parameters(rng, wide)
    known = side(rng, 1, wide)
    s = (
        np.append(known[2][known[0][0]], known[1].view("i1") / 16.0) * known[3]
        if wide
        else np.zeros(0)
    )
    before = [array.copy() for array in (*tables, *dense)]
    first, second = place[:, :1].astype("i4"), place[:, 1:].astype("i4")
    places = map(Places, first, second, multiply)
    samples = Samples(*places, np.array([responses], "u2"), *known)
    one_pass(
        tables, dense, samples, 1e4, 1e4, 0.0, 1e4
    )  # over accumulators of 1e8: an effective rate of 1
    for index in range(0, 14 if wide else 10, 2):
        moved = before[index].astype(float) - (*tables, *dense)[index]
        numeric = np.zeros_like(moved)
        for at in np.ndindex(moved.shape):
            sides = []
            for step in (1e-3, -1e-3):
                shifted = [array.astype(float) for array in before]
                shifted[index][at] += step
                sides.append(loss(shifted[:6], shifted[6:], place, multiply, responses, s))
            numeric[at] = (sides[0] - sides[1]) / 2e-3
        assert np.allclose(moved, numeric, rtol=2e-3, atol=2e-4), index


def test_second_rows_of_none_change_no_bit() -> None:
    """The variant for pairs of rows, where nobody has a second one, gives the bits of the variant
    for single rows."""
    rng = np.random.default_rng(0)
    rows = [rng.integers(-1, 6, 3000).astype("i4") for _ in range(3)]
    responses = rng.integers(0, 256, 3000).astype("u2")
    results = []
    for second in (np.empty(0, "i4"), np.full(3000, -1, "i4")):
        tables, dense = parameters(np.random.default_rng(1))
        for array in (*tables[1::2], *dense[1::2]):
            array[:] = 0.1
        one_pass(
            tables,
            dense,
            Samples(
                *(Places(first, second, False) for first in rows), responses, *side(rng, 3000, 0)
            ),
            0.05,
            0.02,
            1e-4,
        )
        results.append(b"".join(array.tobytes() for array in (*tables, *dense)))
    assert results[0] == results[1]


class Law:
    """Clicks of 300 people on 200 posts of 40 creators, by taste in three dimensions; posts move by
    ``drift`` sd per batch."""

    def __init__(self, drift: float = 0.0, seed: int = 0) -> None:
        self.rng, self.drift = np.random.default_rng(seed), drift
        self.ids = {
            name: self.rng.integers(0, 2**63, size).astype(np.uint64)
            for name, size in (("consumer", 300), ("post", 200), ("creator", 40))
        }
        self.person, self.post = self.rng.normal(size=(300, 3)), self.rng.normal(size=(200, 3))

    def batch(self, samples: int) -> tuple[np.ndarray, ...]:
        self.post = (self.post + self.drift * self.rng.normal(size=self.post.shape)) / np.sqrt(
            1 + self.drift**2
        )
        u, p = (self.rng.integers(0, size, samples).astype(np.int32) for size in (300, 200))
        chance = 1 / (1 + np.exp(-1.5 * (self.person[u] * self.post[p]).sum(1)))
        return u, p, (self.rng.random(samples) < chance).astype(np.uint16)

    def trainer(self, kind: str = "collisionless", size: int = 64, **spec: object) -> Trainer:
        keep: dict[str, np.ndarray] = {}
        made = Trainer(
            keep,
            {
                name: EmbeddingTable(keep, name, TableSpec(kind, 8, size, **spec))
                for name in self.ids
            },
        )  # type: ignore[arg-type]
        made.setup()
        return made

    def fit(
        self, trainer: Trainer, batch: tuple[np.ndarray, ...], now: int = 1, lr: float = 0.1
    ) -> None:
        u, p, r = batch
        trainer.fit(
            Keys(**self.ids),
            Shown(consumer=u, post=p, creator=(p % 40).astype(np.int32), responses=r),
            now,
            rates=Rates(lr, 0.02, 0.0),
        )

    def vectors(self, trainer: Trainer) -> Mapping[str, np.ndarray]:
        """A copy to serve from."""
        served = {
            name: trainer.tables[name].vectors(key).astype(float) for name, key in self.ids.items()
        }
        return {**served, **{name: array.astype(float) for name, array in trainer.dense().items()}}

    def loss(self, served: Mapping[str, np.ndarray], batch: tuple[np.ndarray, ...]) -> float:
        """Log loss of clicks."""
        u, p, r = batch
        x, y = served["consumer"][u], served["post"][p] + served["creator"][p % 40]
        logit = (
            served["c"][0]
            + (x * y) @ np.append(served["W"][:8, 0], 0)
            + served["W"][8, 0] * x[:, 8]
            + served["W"][9, 0] * y[:, 8]
        )
        return float((np.logaddexp(0, logit) - (r & 1) * logit).mean())


def learned(kind: str, size: int, salt: int = 0, **spec: object) -> float:
    law = Law()
    trainer = law.trainer(kind, size, salt=salt, **spec)
    for _ in range(5):
        law.fit(trainer, law.batch(20_000))
    return law.loss(law.vectors(trainer), law.batch(20_000))


@pytest.fixture(scope="module")
def collisions() -> dict[str, np.ndarray]:
    """Log loss by kind of table in the same memory: 512 rows for 300 people, 200 posts and 40
    creators each; sixteen salts."""
    return {
        "none": np.array([learned("collisionless", 0)]),
        "hash": np.array([learned("hash", 512, salt) for salt in range(16)]),
        "double_hash": np.array([learned("double_hash", 512, salt) for salt in range(16)]),
        "sum": np.array(
            [learned("quotient_remainder", 256, salt, operator="sum") for salt in range(16)]
        ),
        "product": np.array(
            [learned("quotient_remainder", 256, salt, operator="product") for salt in range(16)]
        ),
    }


def test_collisions_hurt_and_two_rows_help(collisions: dict[str, np.ndarray]) -> None:
    """Every kind of fixed table loses to one row each; in the same memory two rows per ID, added or
    multiplied, beat one (4 s.e.).

    Shi et al. 2020 find the product best; here, with few passes over few IDs, the sum learns
    faster.
    """
    for kind in ("hash", "double_hash", "sum", "product"):
        assert collisions[kind].min() > collisions["none"][0] + 0.005, kind
    for kind in ("double_hash", "sum", "product"):
        gap = collisions["hash"] - collisions[kind]
        assert gap.mean() > 4 * gap.std(ddof=1) / 4, kind


def test_another_salt_does_the_same_damage(collisions: dict[str, np.ndarray]) -> None:
    """Control: salts 0-7 and 8-15 share other IDs' rows, and hurt alike on average (4 standard
    errors)."""
    one, two = collisions["hash"][:8], collisions["hash"][8:]
    assert abs(one.mean() - two.mean()) < 4 * np.sqrt(one.var(ddof=1) / 8 + two.var(ddof=1) / 8)


def staleness(drift: float) -> tuple[float, float]:
    """Mean progressive loss from copies synced after every batch, and after every eighth; 40
    batches after a burn-in of 200."""
    law = Law(drift)
    trainer = law.trainer()
    losses: list[tuple[float, float]] = []
    fresh = stale = law.vectors(trainer)
    for step in range(240):
        batch = law.batch(2000)
        if step >= 200:
            losses.append((law.loss(fresh, batch), law.loss(stale, batch)))
        law.fit(trainer, batch, step)
        fresh = law.vectors(trainer)
        stale = fresh if step % 8 == 7 else stale
    one, two = np.array(losses).mean(0)
    return float(one), float(two)


def test_sync_interval_matters_only_where_the_world_moves() -> None:
    """Control: on stationary data a copy eight batches old predicts as well (.001 nats); where
    posts drift it does not (ten times that)."""
    fresh, stale = staleness(0.0)
    assert abs(stale - fresh) < 0.001
    fresh, stale = staleness(0.2)
    assert stale - fresh > 0.01


def test_negatives_follow_the_person_not_the_order() -> None:
    """Each impression brings its negatives, drawn from the pool alike; a person's draws do not
    depend on who browses in between."""
    rng = np.random.default_rng(0)
    key, pool, maker = (
        rng.integers(0, 2**63, 50).astype(np.uint64),
        np.array([3, 5, 7, 11], np.int32),
        np.arange(20, dtype=np.int32) * 2,
    )
    u, p = (rng.integers(0, size, 8000).astype(np.int32) for size in (50, 20))
    r = rng.integers(1, 9, 8000).astype(np.uint16)
    negatives = Negatives(each=5, pool=pool, maker=maker, stream=np.uint64(99))
    U, P, C, R = with_negatives(Shown(u, p, maker[p], r), key, negatives, 7)
    assert np.array_equal(U.reshape(-1, 6), np.repeat(u[:, None], 6, 1)) and np.array_equal(
        C, maker[P]
    )
    assert (
        np.array_equal(P[::6], p)
        and np.array_equal(R[::6], r)
        and not R.reshape(-1, 6)[:, 1:].any()
    )
    drawn = P.reshape(-1, 6)[:, 1:]
    count = np.array([(drawn == post).sum() for post in pool])
    assert (
        count.sum() == drawn.size
        and (abs(count / drawn.size - 0.25) < 4 * np.sqrt(0.25 * 0.75 / drawn.size)).all()
    )
    alone = u == 4
    shown = Shown(u[alone], p[alone], maker[p[alone]], r[alone])
    only = with_negatives(shown, key, negatives, 7).post
    assert np.array_equal(only.reshape(-1, 6)[:, 1:], drawn[alone])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(-1, 2)), max_size=60))
def test_grouped_judgement_is_the_plain_one(rows: list[tuple[int, bool, int]]) -> None:
    """AUC (ties count half), log loss and calibration of each group, against all pairs."""
    p = np.array([0.05 + 0.15 * step for step, _, _ in rows], np.float32)
    truth, group = (
        np.array([good for _, good, _ in rows], bool),
        np.array([g for _, _, g in rows], np.int64),
    )
    scores = judge(p, truth, group, 3)
    for g in range(3):
        good, bad = p[(group == g) & truth].astype(float), p[(group == g) & ~truth].astype(float)
        if not len(good) or not len(bad):
            assert np.isnan(scores[:, g]).all()
            continue
        pairs = (good[:, None] > bad) + 0.5 * (good[:, None] == bad)
        n = len(good) + len(bad)
        wanted = (
            pairs.mean(),
            -(np.log(good).sum() + np.log1p(-bad).sum()) / n,
            (good.sum() + bad.sum()) / len(good),
        )
        assert scores[:, g] == pytest.approx(wanted, rel=1e-12)


def test_frequency_buckets() -> None:
    """0, 1-9, 10-99, 100-999, 1000 and more impressions."""
    assert bucket(np.array([0, 1, 9, 10, 99, 100, 999, 1000, 10**6])).tolist() == [
        0,
        1,
        1,
        2,
        2,
        3,
        3,
        4,
        4,
    ]


def test_log_keeps_whole_intervals_of_a_history() -> None:
    """Intervals that began before the history are cut off, the window moves with the log, and what
    is left is in order."""
    log = InteractionLog({})
    log.setup()
    for interval in range(12):
        for _ in range(2):
            log.close_window()
            room = log.room(10)
            at = len(log)
            room.consumer[at : at + 10] = interval
            room.size[0] += 10
        assert (log.window().consumer == interval).all() and len(log.window().consumer) == 10
        log.close_interval((interval + 1) * 100, oldest=(interval + 1) * 100 - 350)
        assert log.since >= (interval + 1) * 100 - 350 and log.interval == len(log)
        assert log.column("consumer", 0).tolist() == [
            k for k in range(max(0, interval - 2), interval + 1) for _ in range(20)
        ]
        assert (log.window().consumer == interval).all() and len(log.window().consumer) == 10
    assert len(log) == 60 and max(len(log.keep[f"log.{name}"]) for name in LOGGED) < 300
    log.close_interval(9999, oldest=9999)
    assert len(log) == len(log.window().post) == 0 and log.since == 9999
