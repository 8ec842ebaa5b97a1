"""FINDINGS F5 through the project's own tables: Monolith's Table 1 to the last ID, occupancy,
admission, and whom collisions hurt."""

from hashlib import md5

import numpy as np
import pytest

from twin.kernels.hashing import MD5, hashed
from twin.mechanisms.recommender.slots import TableSpec, by_decile
from twin.mechanisms.recommender.tables import EmbeddingTable

USERS, MOVIES, SLOTS = 162_541, 59_047, 10**6


def table(kind: str = "hash", size: int = SLOTS, **spec: object) -> EmbeddingTable:
    return EmbeddingTable({}, "t", TableSpec(kind, 2, size, **spec))  # type: ignore[arg-type]


def ids(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.uint64)


def expected_distinct(n: int, slots: int) -> float:
    return float(slots * -np.expm1(n * np.log1p(-1 / slots)))


@pytest.mark.parametrize("salt", [0, 7, 2**32 - 1])
@pytest.mark.parametrize("size", [1, 97, 10**6, 2**48])
def test_md5_is_md5(salt: int, size: int) -> None:
    """Residues of random and extreme IDs equal those of hashlib's digest of the decimal digits,
    whatever the salt and size."""
    keys = np.concatenate(
        [
            np.random.default_rng(size).integers(0, 2**64, 200, dtype=np.uint64),
            ids(20),
            np.array([10**19, 2**64 - 1], np.uint64),
        ]
    )
    out = np.empty(len(keys), np.int64)
    hashed(keys, MD5, salt, size, out)
    texts = [f"{key}:{salt}" if salt else str(key) for key in keys.tolist()]
    assert out.tolist() == [
        int(md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % size for text in texts
    ]


@pytest.mark.parametrize(
    ("n", "distinct", "sharing", "most"), [(USERS, 149_970, 24_463, 5), (MOVIES, 57_361, 3340, 3)]
)
def test_monolith_table_1_is_reproduced_exactly(
    n: int, distinct: int, sharing: int, most: int
) -> None:
    """MD5 of label-encoded IDs modulo a million: distinct slots, IDs that share one, and the
    fullest slot, with no tolerance."""
    made = table(function="md5")
    load = np.bincount(made.slots(ids(n))[:, 0])
    assert (load > 0).sum() == distinct and load.max() == most
    assert round(made.sharing(ids(n)) * n) == sharing
    assert made.collided(ids(n)) == pytest.approx(1 - distinct / n, abs=1e-12)


@pytest.mark.parametrize(("n", "sd"), [(USERS, 100.5), (MOVIES, 39.8)])
@pytest.mark.parametrize("salt", range(6))
def test_mix64_fills_slots_as_chance_would(n: int, sd: float, salt: int) -> None:
    """Distinct slots under mix64 lie within three standard deviations of M (1 - (1 - 1/M)^n), for
    each of six salts."""
    distinct = n * (1 - table(salt=salt).collided(ids(n)))
    assert abs(distinct - expected_distinct(n, SLOTS)) < 3 * sd


def test_sharing_grows_with_load() -> None:
    """As IDs arrive at a fixed table, the share that collide follows 1 - exp(-n/M), within 0.01,
    and only rises."""
    made, shares = table(size=20_000), []
    for load in (0.05, 0.2, 0.5, 1.0, 2.0):
        shares.append(made.sharing(ids(int(load * 20_000))))
        assert shares[-1] == pytest.approx(-np.expm1(-load), abs=0.01)
    assert shares == sorted(shares)


def damage(exponent: float, orders: int) -> np.ndarray:
    """Traffic on shared slots, and foreign gradient share of the top 1 % and the bottom half of
    IDs, by random order of IDs."""
    made, rng, out = table(function="md5"), np.random.default_rng(5), []
    for _ in range(orders):
        weight = np.arange(1, USERS + 1) ** -exponent
        key = rng.permutation(ids(USERS))
        foreign = made.foreign(key, weight)
        out.append(
            (
                made.traffic(key, weight),
                foreign[: USERS // 100].mean(),
                foreign[USERS // 2 :].mean(),
            )
        )
    return np.array(out)


def test_uniform_traffic_is_hit_as_often_as_ids() -> None:
    """All IDs alike: traffic on shared slots is the share of IDs on them, .1505; half of a pair's
    gradient is foreign (.002, .018)."""
    traffic, top, bottom = damage(0.0, 1)[0]
    assert traffic == pytest.approx(24_463 / USERS, abs=1e-12)
    assert bottom == pytest.approx(0.077, abs=0.002) and top == pytest.approx(0.077, abs=0.018)


@pytest.mark.parametrize(
    ("exponent", "spread", "top", "bottom"),
    [(1.0, 0.037, 0.004, 0.097), (1.2, 0.084, 0.003, 0.099)],
)
def test_heavy_tails_put_traffic_at_risk_and_corrupt_the_tail(
    exponent: float, spread: float, top: float, bottom: float
) -> None:
    """Zipf: the same mean traffic on shared slots (4 s.e.), far more spread; the head's vectors are
    clean (.002), the tail's not (.003)."""
    found = damage(exponent, 12)
    assert abs(found[:, 0].mean() - 0.1505) < 4 * spread / np.sqrt(12)
    assert spread / 3 < found[:, 0].std(ddof=1) < spread * 3
    assert found[:, 1].mean() == pytest.approx(top, abs=0.002)
    assert found[:, 2].mean() == pytest.approx(bottom, abs=0.003)


def test_deciles_rise_with_traffic() -> None:
    """Tenths of IDs by their own traffic, least first: under Zipf the foreign share falls from
    decile to decile, and none is empty."""
    key, weight = ids(20_000), np.random.default_rng(1).permutation(np.arange(1, 20_001) ** -1.0)
    made = table(size=100_000)
    tenths = by_decile(made.foreign(key, weight), weight)
    assert tenths.mean() == pytest.approx(made.foreign(key, weight).mean())
    assert (np.diff(tenths[[0, 4, 8, 9]]) < 0).all()
    assert by_decile(np.zeros(0), np.zeros(0)).tolist() == [0] * 10


def test_foreign_gradient_of_one_own_row_is_none() -> None:
    """Control: in a collisionless table nobody shares and no gradient is foreign; alone in a hash
    table neither."""
    key, weight = ids(1000), np.arange(1, 1001.0)
    for made in (table("collisionless", 0), table(size=2**31 - 1)):
        few = key[:5]
        assert (
            not made.foreign(few, weight[:5]).any()
            and made.sharing(few) == made.collided(few) == made.traffic(few, weight[:5]) == 0
        )


@pytest.mark.parametrize("kind", ["double_hash", "quotient_remainder"])
def test_two_rows_give_far_more_codes_than_rows(kind: str) -> None:
    """10,000 IDs on at most 2,000 rows: nearly all share a row, but codes collide only as chance
    has it in M (M-1) or M^2 of them."""
    made = table(kind, 1000)
    rows = made.slots(ids(10_000))
    assert (rows[:, 0] != rows[:, 1]).all() and rows.min() >= 0 and rows.max() < 2000
    assert made.sharing(ids(10_000)) > 0.99
    # a pair of codes h1, h2 falls on another's rows in the same order, so double hashing has M
    # (M-1) codes
    expected = (
        1 - expected_distinct(10_000, 1000 * 999 if kind == "double_hash" else 1000**2) / 10_000
    )
    assert made.collided(ids(10_000)) == pytest.approx(expected, abs=4 * np.sqrt(expected / 10_000))
    assert table(size=2000).collided(ids(10_000)) > 0.8


def test_quotient_and_remainder_are_what_they_say() -> None:
    """The rows of an ID give back its hashed ID: remainder + slots * quotient; a whole range of IDs
    is held in m + R/m rows."""
    made = table("quotient_remainder", 100, id_range=2550)
    made.setup()
    assert len(made.E) == 100 + 26
    part = np.empty(500, np.int64)
    hashed(ids(500), 0, 0, 2550, part)
    rows = made.slots(ids(500)).astype(np.int64)
    assert (rows[:, 0] + 100 * (rows[:, 1] - 100) == part).all()


@pytest.mark.parametrize("threshold", [0, 1, 3, 7])
def test_threshold_admission_is_monoliths(threshold: int) -> None:
    """Monolith filters while the sightings before this one are fewer than its threshold T; here
    that is ``admission`` = T + 1."""
    made = table("collisionless", admission=threshold + 1)
    made.setup()
    for before in range(10):
        made.learn(ids(50), np.ones(50, np.int64), before)
        filtered = before < threshold
        assert (made.rows(ids(50))[:, 0] < 0).all() == filtered and (
            made.rows(ids(50))[:, 0] >= 0
        ).all() != filtered
    assert made.turnover.tolist() == [50, 0]


def admitted(
    rule: str, batches: list[int], needed: int = 8, salt: int = 0, count: int = 20_000
) -> np.ndarray:
    made = table("collisionless", admission=needed, rule=rule, salt=salt)
    made.setup()
    for now, batch in enumerate(batches):
        made.learn(ids(count), np.full(count, batch), now)
    return np.asarray(made.rows(ids(count))[:, 0] >= 0)


@pytest.mark.parametrize(
    ("rule", "batches", "share"),
    [
        ("equal", [1] * 8, 0.95),
        ("equal", [8], 0.95),
        ("equal", [3, 4, 1], 0.95),
        ("equal", [2, 2], 1 - 0.05**0.5),
        ("unequal", [1], 1 / 8),
        ("unequal", [1] * 8, 1 - (7 / 8) ** 8),
        ("unequal", [8], 1.0),
        ("unequal", [20], 1.0),
    ],
)
def test_probabilistic_admission(rule: str, batches: list[int], share: float) -> None:
    """``equal`` lets 95 % in by T sightings however they come, ``unequal`` min(1, n/T) at a time (4
    sd of 20,000 IDs)."""
    assert abs(admitted(rule, batches).mean() - share) <= 4 * np.sqrt(share * (1 - share) / 20_000)


def test_admission_by_chance_is_a_function_of_the_id() -> None:
    """The same IDs are let in whoever else asks; another salt lets others in."""
    whole, part, other = (
        admitted("equal", [2]),
        admitted("equal", [2], count=500),
        admitted("equal", [2], salt=1),
    )
    assert np.array_equal(whole[:500], part)
    assert 0.3 < (whole != other).mean() < 0.7
