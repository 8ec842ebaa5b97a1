"""Embedding tables against plain Python: a dict of IDs, and the arithmetic of balls in bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.kernels.negatives import Shown
from twin.kernels.training import Rates
from twin.mechanisms.recommender.slots import TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Keys, Trainer

KEYS = st.lists(st.integers(0, 2**64 - 1), max_size=200, unique=True)


def table(kind: str, **given: object) -> EmbeddingTable:
    made = EmbeddingTable({}, "t", TableSpec(kind, 4, **{"size": 64, **given}))  # type: ignore[arg-type]
    made.setup()
    return made


def keys(numbers: list[int]) -> np.ndarray:
    return np.array(numbers, np.uint64)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(KEYS, st.integers(1, 5)), max_size=8))
def test_collisionless_is_a_dict_with_expiry(batches: list[tuple[list[int], int]]) -> None:
    """Whatever arrives, rests or expires: one row per living ID, no two alike, unchanged while the
    ID lives."""
    made, known, last, now = (
        table("collisionless", expire_after_s=3),
        dict[int, int](),
        dict[int, int](),
        0,
    )
    for batch, wait in batches:
        now += wait
        rows = made.learn(keys(batch), np.ones(len(batch), np.int64), now)[:, 0]
        for key, row in zip(batch, rows.tolist(), strict=True):
            assert known.setdefault(key, row) == row
            last[key] = now
        assert made.expire(now) == sum(1 for key in known if last[key] < now - 3)
        known = {key: row for key, row in known.items() if last[key] >= now - 3}
        assert len(set(known.values())) == len(known)
        assert made.rows(keys(list(known)))[:, 0].tolist() == list(known.values())
        assert made.stats()["rows"] == len(known)
        absent = [key for key in last if key not in known]
        assert (made.rows(keys(absent)) == -1).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(KEYS, st.integers(1, 3)), min_size=1, max_size=6), st.integers(2, 5))
def test_admission_waits_for_enough_sightings(
    batches: list[tuple[list[int], int]], needed: int
) -> None:
    """An ID has a row exactly when its sightings have reached the number asked for."""
    made, seen = table("collisionless", admission=needed), dict[int, int]()
    for batch, times in batches:
        made.learn(keys(batch), np.full(len(batch), times), 0)
        for key in batch:
            seen[key] = seen.get(key, 0) + times
        assert (made.rows(keys(list(seen)))[:, 0] >= 0).tolist() == [
            count >= needed for count in seen.values()
        ]


def test_memory_follows_the_living() -> None:
    """A thousand generations of IDs in one table: rows are recycled, so it holds a few generations
    and not all."""
    made = table("collisionless", expire_after_s=2)
    for now in range(1000):
        made.learn(keys([now * 1000 + i for i in range(100)]), np.ones(100, np.int64), now)
        made.expire(now)
    assert made.stats()["rows"] == 300
    assert made.stats()["capacity"] <= 1024


@pytest.mark.parametrize(("ids", "slots"), [(1000, 1000), (1000, 10_000), (5000, 2000)])
def test_hash_collides_as_balls_in_bins(ids: int, slots: int) -> None:
    """Share of IDs that share a row: 1 - (1 - 1/M)^(n-1), within five sd of a binomial over IDs
    (over-wide: they are correlated)."""
    expected = 1 - (1 - 1 / slots) ** (ids - 1)
    shares = [
        table("hash", size=slots, salt=salt).sharing(keys([i * 7919 for i in range(ids)]))
        for salt in range(20)
    ]
    assert (
        abs(np.mean(shares) - expected)
        < 5 * np.sqrt(2 * expected * (1 - expected) / ids / 20) + 1e-3
    )


def test_traffic_weighs_ids() -> None:
    """Traffic on shared rows counts by weight: all of it on an ID that is alone gives none."""
    made, ids = table("hash", size=100), keys(list(range(60)))
    rows = made.learn(ids, np.ones(60, np.int64), 0)[:, 0]
    alone = np.bincount(rows, minlength=100)[rows] == 1
    assert 0 < alone.sum() < 60
    assert made.traffic(ids, alone.astype(float)) == 0
    assert made.traffic(ids, 1.0 - alone) == 1
    assert made.traffic(ids, np.ones(60)) == pytest.approx(made.sharing(ids))


def fitted(
    kind: str,
    slots: int,
    rates: tuple[float, float] = (0.1, 0.02),
    samples: int = 20_000,
    **spec: object,
) -> Trainer:
    rng = np.random.default_rng(3)
    keep: dict[str, np.ndarray] = {}
    sizes = {"consumer": 300, "post": 200, "creator": 40}
    tables = {name: EmbeddingTable(keep, name, TableSpec(kind, 8, slots, **spec)) for name in sizes}
    trainer = Trainer(keep, tables)
    trainer.setup()
    ids = {name: rng.integers(0, 2**63, size).astype(np.uint64) for name, size in sizes.items()}
    person, post = rng.normal(size=(300, 3)), rng.normal(size=(200, 3))
    u, p = (
        rng.integers(0, 300, samples).astype(np.int32),
        rng.integers(0, 200, samples).astype(np.int32),
    )
    c = (p % 40).astype(np.int32)
    truth = rng.random(samples) < 1 / (1 + np.exp(-(person[u] * post[p]).sum(1) * 1.5))
    trainer.fit(
        Keys(**ids),
        Shown(consumer=u, post=p, creator=c, responses=truth.astype(np.uint16)),
        1,
        rates=Rates(rates[0], rates[1], 0.0),
    )
    return trainer


def test_wide_hash_is_collisionless_bit_for_bit() -> None:
    """Where no two IDs meet, the hash table trains to the very bits of the collisionless one; a
    narrow one does not."""
    wide, exact, narrow = (
        fitted("hash", 2**22, samples=2000),
        fitted("collisionless", 64, samples=2000),
        fitted("hash", 64, samples=2000),
    )
    for name in ("W", "c"):
        assert np.array_equal(wide.keep[name], exact.keep[name])
        assert not np.array_equal(narrow.keep[name], exact.keep[name])


def test_no_rates_no_change() -> None:
    """Control: with both learning rates at zero a pass over the log leaves every weight as it
    was."""
    still = fitted("collisionless", 64, rates=(0.0, 0.0))
    fresh = fitted("collisionless", 64, rates=(0.0, 0.0), samples=0)
    assert np.array_equal(still.keep["W"], fresh.keep["W"]) and np.array_equal(
        still.keep["c"], fresh.keep["c"]
    )
