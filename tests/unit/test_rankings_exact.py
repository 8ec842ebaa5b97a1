"""How many rankings d dimensions can express (finding F4): the exact count, and that dot products
keep to it."""

import math

import numpy as np
import pytest

from twin.kernels.negatives import Shown
from twin.kernels.stats import rankings
from twin.kernels.training import Rates
from twin.mechanisms.recommender.slots import TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Keys, Trainer


def seen(items, users):
    """Distinct full rankings that sampled users give to items by dot product."""
    order = np.argsort(-(users @ items.T), axis=1, kind="stable")
    return len(np.unique(order @ len(items) ** np.arange(len(items))))


@pytest.mark.parametrize(
    ("n", "d", "count"),
    [
        (4, 2, 12),
        (5, 2, 20),
        (6, 2, 30),
        (8, 2, 56),
        (10, 2, 90),
        (5, 3, 72),
        (6, 3, 172),
        (8, 3, 646),
        (2, 1, 2),
        (9, 1, 2),
        (2, 5, 2),
        (1, 3, 1),
    ],
)
def test_exact_counts(n, d, count):
    """Q(n, d) as printed in FINDINGS."""
    assert rankings(n, d) == count


def test_all_rankings_from_n_minus_1_dimensions_on():
    """Q(n, d) = n! for d >= n - 1, less below."""
    for n in range(2, 12):
        assert rankings(n, n - 1) == rankings(n, n) == rankings(n, 30) == math.factorial(n)
        assert n == 2 or rankings(n, n - 2) < math.factorial(n)


def test_thousand_items_in_64_dimensions():
    """log10 Q(1000, 64) = 270.9 against log10 1000! = 2567.6: of 10^2568 rankings, 10^271 can be
    expressed."""
    assert abs(math.log10(rankings(1000, 64)) - 270.9) < 0.05
    assert abs(math.log10(math.factorial(1000)) - 2567.6) < 0.05


def test_nonsense_is_refused():
    """No items or no dimensions is an error."""
    for n, d in ((0, 2), (3, 0)):
        with pytest.raises(ValueError, match="at least 1"):
            rankings(n, d)


@pytest.mark.parametrize("n", [4, 5, 6, 8, 10])
def test_two_dimensions_reach_the_count_and_never_exceed_it(n):
    """300,000 users all round the circle give exactly Q(n, 2) rankings of generic items."""
    rng = np.random.default_rng(n)
    angle = rng.uniform(0, 2 * np.pi, 300_000)
    assert seen(
        rng.normal(size=(n, 2)), np.column_stack([np.cos(angle), np.sin(angle)])
    ) == rankings(n, 2)


@pytest.mark.parametrize(("n", "d"), [(5, 3), (6, 3), (8, 3), (6, 4)])
def test_more_dimensions_never_exceed_the_count(n, d):
    """Sampled rankings stay within Q(n, d) and find most of it; one dimension more finds more than
    that."""
    rng = np.random.default_rng(n * d)
    count = seen(rng.normal(size=(n, d)), rng.normal(size=(200_000, d)))
    assert 0.8 * rankings(n, d) < count <= rankings(n, d)
    assert seen(rng.normal(size=(n, d + 1)), rng.normal(size=(200_000, d + 1))) > rankings(n, d)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_trained_vectors_keep_to_it(d):
    """Posts as the project's own trainer embeds them, eight of them: no user vector, trained or
    not, ranks them beyond Q(8, d)."""
    rng = np.random.default_rng(d)
    keep: dict[str, np.ndarray] = {}
    trainer = Trainer(
        keep,
        {
            name: EmbeddingTable(keep, name, TableSpec("collisionless", d, 64))
            for name in ("consumer", "post", "creator")
        },
    )
    trainer.setup()
    consumer, post = (
        rng.integers(0, 3000, 60_000).astype(np.int32),
        rng.integers(0, 8, 60_000).astype(np.int32),
    )
    people, posts = np.arange(1, 3001).astype(np.uint64), np.arange(1, 9).astype(np.uint64)
    liked = (rng.normal(size=(3000, 4))[consumer] * rng.normal(size=(8, 4))[post]).sum(1) > 0
    trainer.fit(
        Keys(consumer=people, post=posts, creator=np.ones(1, np.uint64)),
        Shown(
            consumer=consumer,
            post=post,
            creator=np.zeros(60_000, np.int32),
            responses=liked.astype(np.uint16),
        ),
        0,
        rates=Rates(0.1, 0.02, 0.0),
    )
    items = trainer.tables["post"].vectors(posts)[:, :d].astype(float)
    users = np.concatenate(
        [
            trainer.tables["consumer"].vectors(people)[:, :d] * keep["W"][:d, 0],
            rng.normal(size=(200_000, d)),
        ]
    )
    assert seen(items, users) <= rankings(8, d)
    assert d > 2 or seen(items, users) == rankings(8, d)
