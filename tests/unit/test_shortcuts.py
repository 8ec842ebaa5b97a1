"""Ways that were cut short give the same bytes as the long ones."""

import numpy as np
import pytest

from twin.ground.draws import Draws
from twin.ground.rhythm import MIND_HOURS, cumulated, warp
from twin.ground.units import NEVER
from twin.kernels import pace
from twin.kernels.predicting import Model, predict
from twin.kernels.tables import Vectors, mean_row
from twin.kernels.training import HEADS
from twin.mechanisms.recommender.quality import EDGES, bucket
from twin.mechanisms.recommender.signals import NOTHING
from twin.mechanisms.recommender.slots import TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable


@pytest.mark.parametrize("occasion", [7, np.arange(50) % 13])
def test_one_normal_is_a_column_of_many(occasion: int | np.ndarray) -> None:
    """A single normal is bit for bit the column of the matrix, and fewer columns are the first of
    more."""
    draws, keys = Draws(3, 1), np.arange(50, dtype=np.uint64)
    many = draws.normals("a", keys, 11, occasion)
    for place in range(11):
        assert np.array_equal(draws.normal("a", keys, place, occasion), many[:, place])
        assert np.array_equal(draws.normals("a", keys, place + 1, occasion), many[:, : place + 1])
    assert len(np.unique(many)) == many.size


def test_next_post_is_read_through_the_diurnal_curve() -> None:
    """The kernel's second of a human's next post is that of `warp`, in every zone and at the edges
    of the curve; AI have no nights."""
    curve, luck = cumulated(MIND_HOURS), np.random.default_rng(4)
    flat = np.concatenate(
        [luck.random(4000) * 900, np.concatenate([curve, curve + 3]), [0.0, 1e5, 2e6]]
    )
    n = len(flat)
    zone, when = luck.integers(-11, 12, n).astype(np.int8), np.zeros(n, np.int64)
    person, ai = np.arange(n, dtype=np.int32), luck.random(n) < 0.2
    person[::7] = -1
    active = luck.random(n) < 0.9
    clocks = pace.Clocks(
        flat_at=flat, next_at=when, active=active, ai=ai, person=person, zone=zone, curve=curve
    )
    pace.wake(np.arange(n), clocks)
    tz = np.where(person >= 0, zone, 0).astype(np.int64)
    human = warp(np.minimum(flat, 1e7), curve, tz)
    expected = np.where(
        (flat < 1e6) & active, np.where(ai, (flat * 86400).astype(np.int64), human), NEVER
    )
    assert np.array_equal(when, expected)
    assert (when == NEVER).sum() > 300


def test_served_model_predicts_by_its_equation() -> None:
    """Predictions of the judged heads follow the equation of the model to single precision,
    whatever order people come in."""
    luck = np.random.default_rng(5)

    def floats(*shape: int) -> np.ndarray:
        return luck.normal(size=shape).astype(np.float32)

    user, post = (
        luck.integers(0, 9, 200).astype(np.int32),
        luck.integers(0, 30, 200).astype(np.int32),
    )
    u, bu, v, bv, w, su, si, c = (
        floats(9, 7),
        floats(9),
        floats(30, 7),
        floats(30),
        floats(7, 8),
        floats(8),
        floats(8),
        floats(8),
    )
    model = Model(u, bu, v, bv, w, su, si, c)
    got = predict(user, post, 3, model, NOTHING)
    logit = (
        c
        + np.einsum("nd,nd,dh->nh", u[user], v[post], w, dtype=float)
        + np.outer(bu[user], su)
        + np.outer(bv[post], si)
    )
    assert got.shape == (200, 3) and len(HEADS) == 8
    assert np.abs(got - 1 / (1 + np.exp(-logit[:, :3]))).max() < 1e-5
    order = np.argsort(user, kind="stable")
    assert np.array_equal(predict(user[order], post[order], 3, model, NOTHING), got[order])


@pytest.mark.parametrize("kind", ["collisionless", "hash", "double_hash", "quotient_remainder"])
def test_copy_to_serving_is_what_vectors_says(kind: str) -> None:
    """Vectors copied in one pass are those of `vectors`, unknown IDs included, with the maker's
    added where there is one."""
    table = EmbeddingTable({}, "post", TableSpec(kind, 6, 40, operator="product"))
    table.setup()
    keys = np.arange(1, 61, dtype=np.uint64)
    table.learn(keys[:30], np.ones(30, np.int64), 0)
    rows, unknown = np.arange(60)[::-1].copy(), np.linspace(0, 1, 7).astype(np.float32)
    maker, more = (
        (np.arange(60) % 4).astype(np.int32),
        np.random.default_rng(6).normal(size=(4, 7)).astype(np.float32),
    )
    plain = table.vectors(keys, unknown)
    for makers, expected in ((maker[:0], plain), (maker, plain + more[maker])):
        served = Vectors(vec=np.zeros((60, 6), np.float32), bias=np.zeros(60, np.float32))
        said = Vectors(vec=more[:, :-1].copy(), bias=more[:, -1].copy())
        table.copy(keys, unknown, rows, served, makers, said)
        assert np.array_equal(served.vec[rows], expected[:, :-1])
        assert np.array_equal(served.bias[rows], expected[:, -1])
    used = np.arange(len(table.E)) % 3 > 0
    assert np.array_equal(mean_row(table.E, used), table.E[used].mean(0, dtype=float))
    assert not mean_row(table.E, used & False).any()


def test_buckets_are_those_of_a_search() -> None:
    """The frequency bucket by comparisons is that of a sorted search, at the edges too."""
    seen = np.array([0, 1, 2, 9, 10, 11, 99, 100, 999, 1000, 10**6], np.int32)
    assert np.array_equal(bucket(seen), np.searchsorted(EDGES, seen, side="right"))
