"""Ranking and slates: published weights and rules exactly, kept slots, diversity, personalisation,
the reward model."""

from collections.abc import Callable

import numpy as np
import pytest

from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels import nearest
from twin.kernels.index import TILE, places, tiles
from twin.kernels.ranking import rank, slate, user_vector
from twin.kernels.respond import MANY
from twin.kernels.room import Room, Scan
from twin.kernels.rules import Ranking, Source
from twin.kernels.snapshot import GONE, Serving
from twin.scenario.loading import Scenario


@pytest.fixture(scope="module")
def served(small: Callable[..., Scenario]) -> Serving:
    """A snapshot after three days; tests change copies of it."""
    simulation = Simulation(small("duration=4d"))
    simulation.begin()
    simulation.run(3 * DAY)
    return next(m for m in simulation.mechanisms if m.name == "recommender").server.serving()  # type: ignore[attr-defined]


PLAIN = {
    "author_cap": 100,
    "ai_cap": 100,
    "slate": 10,
    "exposure_floor": 0,
    "explore_slots": 0,
    "out_of_network": 1,
    "author_decay": 1,
    "author_floor": 1,
    "diversity": 0,
    "personalisation": 1,
    "reward_weight": 0,
    "negative_offset": 0,
    "in_network_slots": 0,
}
"""No rule at work."""


def plain(serve: Serving, creators: list[int], **rules: float) -> Serving:
    """The snapshot with one arm, given creators of posts 0.., no rule in force but those
    given."""
    rule = serve.rules[:1].copy()
    for name, value in {**PLAIN, **rules}.items():
        rule[name] = value
    maker = serve.item_creator.copy()
    maker[: len(creators)] = creators
    return serve._replace(rules=rule, item_creator=maker)


def space(serve: Serving, n: int, source: int | list[int] = Source.NEAREST) -> Room:
    """Scratch with the first n posts as candidates of these sources."""
    dim, f4 = serve.item_vec.shape[1], np.float32
    return Room(
        mark=np.zeros(len(serve.can), bool),
        cand=np.arange(n),
        source=np.full(n, source, np.int8),
        score=np.empty(n, f4),
        logits=np.empty(8 * n, f4),
        maker=np.empty(n, np.int32),
        cosine=np.empty(n, f4),
        grid=np.empty((dim, n), f4),
        lanes=np.empty((dim, 8), f4),
        base=np.empty(8, f4),
        user=np.empty(dim, f4),
        query=np.empty(dim, f4),
        scan=scratch(len(serve.tile_post), len(serve.tile_post), len(serve.tile_start) - 1),
        shown=np.empty(20, np.int64),
        x=np.empty(MANY),
        drawn=np.full(20, -1),
        flag=np.empty(20, np.int8),
        held=np.empty(20, np.int64),
    )


def picked(
    serve: Serving, scores: list[float], source: int | list[int] = Source.NEAREST, take: int = 10
) -> list[int]:
    """The slate of candidates 0.. with the given scores."""
    room = space(serve, len(scores), source)
    room.score[:] = scores
    count = slate(serve, 0, len(scores), take, room)
    return room.shown[:count].tolist()


def test_author_diversity_is_as_published(served: Serving) -> None:
    """m(k) = (1 - f) d^k + f with d = .5, f = .25: 1, .625, .4375, .34375, ... to .25. Each rival
    just below or above one of these factors stands on the side of the creator's k-th post that the
    formula says."""
    for k, factor in enumerate((1.0, 0.625, 0.4375, 0.34375)):
        for rival, first in ((factor - 1e-4, False), (factor + 1e-4, True)):
            serve = plain(served, [1, 1, 1, 1, 2], author_decay=0.5, author_floor=0.25)
            order = picked(serve, [1.0, 1.0, 1.0, 1.0, rival])
            assert order.index(4) == (k if first else k + 1)
    serve = plain(served, [1] * 9 + [2], author_decay=0.5, author_floor=0.25)
    assert picked(serve, [1.0] * 9 + [0.2505]).index(9) == 9  # 1/4 + 3/4 / 2^9 is still above
    assert picked(serve, [1.0] * 9 + [0.2530]).index(9) == 9 - 1  # and that of the ninth just below


def test_author_cap_and_ai_cap(served: Serving) -> None:
    """No more than the cap of one creator, or of AI posts, however good they are."""
    assert picked(plain(served, [1, 1, 1, 2, 3], author_cap=2), [5, 4, 3, 2, 1]) == [0, 1, 3, 4]
    serve = plain(served, [1, 2, 3, 4, 5], ai_cap=1)
    ai = serve.item_ai.copy()
    ai[:5] = [True, False, True, True, False]
    assert picked(serve._replace(item_ai=ai), [5, 4, 3, 2, 1]) == [0, 1, 4]


def test_slots_are_kept(served: Serving) -> None:
    """Slots for exploration and for small creators hold the best of their kind and are spread
    evenly; without such, the best of all."""
    serve = plain(served, list(range(12)), explore_slots=1, exposure_floor=1)
    small = serve.item_small.copy()
    small[:12] = np.arange(12) == 11
    sources = [Source.NEAREST] * 9 + [Source.EXPLORE] * 2 + [Source.NEAREST]
    order = picked(serve._replace(item_small=small), [float(s) for s in range(12, 0, -1)], sources)
    assert order == [0, 1, 2, 11, 3, 4, 9, 5, 6, 7]
    small[:] = False
    assert picked(serve._replace(item_small=small), [float(s) for s in range(12, 0, -1)]) == list(
        range(10)
    )


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"explore_slots": 2, "exposure_floor": 2},
        {"author_decay": 0.5, "author_floor": 0.25, "diversity": 0.4, "author_cap": 2},
    ],
)
def test_what_is_looked_at_is_the_top_of_the_whole_slate(
    rules: dict[str, float], served: Serving
) -> None:
    """Filling only the first places gives the first places of the full slate."""
    rng = np.random.default_rng(1)
    serve = plain(served, rng.integers(0, 6, 40).tolist(), **rules)
    scores, sources = (
        rng.normal(size=40).tolist(),
        rng.choice([Source.IN_NETWORK, Source.EXPLORE, Source.NEAREST], 40).tolist(),
    )
    whole = picked(serve, scores, sources)
    for take in range(1, 11):
        assert picked(serve, scores, sources, take) == whole[:take]


def test_slots_for_creators_followed(served: Serving) -> None:
    """With a share of one half, of the first k slots half of k at least, rounded down, hold posts
    of creators followed, the best of them, wherever there are any; a share of 0 is no rule, and a
    share of 1 is all."""
    sources, scores = (
        [Source.NEAREST] * 8 + [Source.IN_NETWORK] * 6,
        [float(s) for s in range(14, 0, -1)],
    )
    assert picked(plain(served, list(range(14)), in_network_slots=0.5), scores, sources) == [
        0,
        8,
        1,
        9,
        2,
        10,
        3,
        11,
        4,
        12,
    ]
    assert picked(plain(served, list(range(14)), in_network_slots=0.3), scores, sources) == [
        0,
        1,
        2,
        8,
        3,
        4,
        9,
        5,
        6,
        10,
    ]
    assert picked(plain(served, list(range(14)), in_network_slots=1), scores, sources) == [
        8,
        9,
        10,
        11,
        12,
        13,
        0,
        1,
        2,
        3,
    ]
    assert picked(plain(served, list(range(14))), scores, sources) == list(range(10))
    mixed = [Source.IN_NETWORK] * 5 + [Source.NEAREST] * 9  # those that come by themselves count
    assert picked(plain(served, list(range(14)), in_network_slots=0.5), scores, mixed) == list(
        range(10)
    )


def test_negative_scores_are_lifted_as_published(served: Serving) -> None:
    """X: s + c, or (s + N) / T c below 0; then the factor for strangers. Without an offset it
    divides a negative score."""
    ones, weights = np.zeros((2, 1, 8), np.float32)
    ones[0, [0, 6]] = 1, 0
    clicks = scored(plain(served._replace(weights=ones), []), 3)
    ones[0, [0, 6]] = 0, 1
    weights[0, [0, 6]] = (
        1,
        -np.median(clicks / scored(plain(served._replace(weights=ones), []), 3)),
    )  # half are below 0
    serve = plain(served._replace(weights=weights), [], negative_sum=367.22, total_sum=410.54)
    s = scored(serve, 3).astype(float)
    assert 20 < (s < 0).sum() < 40
    lifted = plain(serve, [], negative_offset=0.001)
    want = np.where(s < 0, (s + 367.22) / 410.54 * 0.001, s + 0.001)
    assert scored(lifted, 3) == pytest.approx(want, rel=2e-6) and (want > 0).all()
    assert scored(
        plain(serve, [], negative_offset=0.001, out_of_network=0.75), 3, source=Source.NEAREST
    ) == pytest.approx(0.75 * want, rel=2e-6)
    assert scored(plain(serve, [], out_of_network=0.75), 3, source=Source.NEAREST) == pytest.approx(
        np.where(s < 0, s / 0.75, 0.75 * s), rel=2e-6
    )


def test_diversity_takes_the_cosine_off(served: Serving) -> None:
    """After the first post a likeness of cosine c costs the share d c of a score; nothing in common
    costs nothing; d = 0 is no rule."""
    serve = plain(served, [1, 2, 3], diversity=0.5)
    vec = serve.item_vec.copy()
    vec[:3] = 0
    vec[0, 0], vec[1, 0], vec[1, 1], vec[2, 2] = 2, 3, 4, 1  # cosines .6 and 0
    serve = serve._replace(item_vec=vec)
    assert picked(serve, [3, 2, 1.399]) == [0, 1, 2]  # 2 (1 - .5 .6) = 1.4
    assert picked(serve, [3, 2, 1.401]) == [0, 2, 1]
    off = serve._replace(rules=plain(served, []).rules)
    assert picked(off, [3, 2, 1.401]) == [0, 1, 2]


def test_factors_on_groups_of_posts(served: Serving) -> None:
    """Small creators, a creator's own factor, and a power of the factor of arousal as it was read:
    each multiplies a positive score and divides a negative one; all together, their product."""
    plain_, n = scored(plain(served, []), 3).astype(float), 60
    small = np.arange(n) % 3 == 0
    item_small = served.item_small.copy()
    item_small[:n] = small
    serve = served._replace(item_small=item_small)
    read = served.signal[:n, 1].clip(0, 1).astype(float)
    assert small.any() and read.std() > 0.02

    def want(factor: np.ndarray) -> np.ndarray:
        return np.where(plain_ > 0, plain_ * factor, plain_ / factor)

    few = np.where(small, 0.25, 1.0)
    assert scored(plain(serve, [], small_factor=0.25), 3) == pytest.approx(want(few), rel=1e-5)
    calm = 0.1**read
    assert scored(plain(serve, [], arousal_factor=0.1), 3) == pytest.approx(want(calm), rel=1e-5)
    own = np.ones(len(served.item_creator), np.float32)
    own[:10] = 3
    more = serve._replace(item_factor=own)
    assert scored(plain(more, []), 3) == pytest.approx(want(own[:n]), rel=1e-5)
    assert scored(plain(more, [], small_factor=0.25, arousal_factor=0.1), 3) == pytest.approx(
        want(few * calm * own[:n]), rel=1e-5
    )


@pytest.mark.parametrize("ranking", [Ranking.VALUE, Ranking.CHRONOLOGICAL, Ranking.POPULARITY])
def test_posts_of_small_creators_are_withheld(served: Serving, ranking: Ranking) -> None:
    """About the given share of them, the same for everybody and a part of those of a larger share;
    all other scores stay."""
    small = np.arange(len(served.item_small)) % 2 == 0
    serve, gone = served._replace(item_small=small), []
    n = min(400, len(small))
    free = scored(plain(serve, [], ranking=ranking), 3, n)
    for share in (0.25, 0.5, 1):
        rule = plain(serve, [], ranking=ranking, small_withheld=share)
        score = scored(rule, 3, n)
        gone.append(score == GONE)
        assert np.array_equal(gone[-1], scored(rule, 7, n) == GONE)
        assert np.array_equal(score[~gone[-1]], free[~gone[-1]])
        assert gone[-1][small[:n]].mean() == pytest.approx(share, abs=0.12)
        assert not gone[-1][~small[:n]].any()
    assert (gone[0] <= gone[1]).all() and (gone[1] <= gone[2]).all()


def scored(serve: Serving, row: int, n: int = 60, source: int = Source.IN_NETWORK) -> np.ndarray:
    """Scores of the first n posts for a person."""
    room = space(serve, n, source)
    bias = user_vector(row, 0, serve, room.user)
    rank(row, 0, bias, n, serve, room)
    return room.score


def test_scaling_all_weights_changes_no_order(served: Serving) -> None:
    """Control B of finding 1: all weights times a power of two, every score is exactly that much
    larger; the order stays."""
    serve = plain(served, [])
    one, four = scored(serve, 3), scored(serve._replace(weights=serve.weights * np.float32(4)), 3)
    assert np.array_equal(four, 4 * one) and len(set(one.tolist())) > 30


def test_personalisation_draws_everybody_to_the_mean(served: Serving) -> None:
    """At 0 all people get the same scores, at 1 their own; between, the vector is the blend."""
    vec = served.user_vec + np.random.default_rng(2).normal(size=served.user_vec.shape).astype(
        np.float32
    )
    serve = plain(served._replace(user_vec=vec), [])
    assert not np.array_equal(scored(serve, 1), scored(serve, 2))
    none = plain(served._replace(user_vec=vec), [], personalisation=0)
    assert np.array_equal(scored(none, 1), scored(none, 2))
    u = np.empty(vec.shape[1], np.float32)
    bias = user_vector(5, 0, plain(served._replace(user_vec=vec), [], personalisation=0.25), u)
    assert u == pytest.approx(0.75 * served.mean_vec + 0.25 * vec[5], abs=1e-6)
    assert bias == pytest.approx(0.75 * served.mean_bias[0] + 0.25 * served.user_bias[5], abs=1e-6)


def test_reward_model_adds_its_logit(served: Serving) -> None:
    """The score gains weight <signal, pool + share own>; weight 0 adds nothing."""
    rng = np.random.default_rng(3)
    signal = rng.normal(size=served.signal.shape).astype(np.float32)
    pool, own = (
        rng.normal(size=3).astype(np.float32),
        rng.normal(size=(len(served.user_vec), 3)).astype(np.float32),
    )
    serve = plain(served._replace(signal=signal, reward_pool=pool, reward_own=own), [])
    base = scored(serve, 4)
    weighted = plain(serve, [], reward_weight=2, reward_personalisation=0.5)
    assert scored(weighted, 4) - base == pytest.approx(
        2 * signal[:60] @ (pool + 0.5 * own[4]), abs=1e-4
    )


def scratch(tiles: int, scanned: int, lists: int = 8) -> Scan:
    """Scratch for an index of so many tiles and lists."""
    i4, f4 = np.int32, np.float32
    posts = scanned * TILE
    return Scan(
        near=np.empty(-(-lists // TILE) * TILE, f4),
        tile=np.empty(scanned, i4),
        at=np.full(tiles, -1, i4),
        score=np.empty(posts, f4),
        place=np.empty(posts, i4),
        best=np.empty(posts, i4),
        edge=np.empty(posts, i4),
        bins=np.empty(128, np.int64),
        bounds=np.empty(2 * TILE, f4),
    )


def test_nearest_keeps_exactly_the_best() -> None:
    """Selection by a histogram of scores finds the scores that sorting finds, with many ties or
    none, whatever the number wanted and wherever entries are left out; where all fit, they come in
    the order of entries."""
    rng = np.random.default_rng(0)
    for trial in range(600):
        tiles = int(rng.integers(1, 40))
        size = tiles * TILE
        want, there = int(rng.integers(1, size)), rng.random(size) < rng.choice([0.1, 0.9, 1.0])
        score = (rng.normal(size=size) if trial % 3 else rng.integers(0, 4, size)).astype(
            np.float32
        )
        scan, posts = (
            scratch(tiles, tiles),
            rng.permutation(size).astype(np.int32).reshape(-1, TILE),
        )
        scan.tile[:] = np.arange(tiles)
        scan.score[:] = np.where(there, score, GONE)
        count = nearest._best(size, want, posts, scan)
        best = scan.best[:count]
        assert (
            count == min(want, there.sum())
            and len(set(best.tolist())) == count
            and there[best].all()
        )
        assert np.array_equal(np.sort(score[best]), np.sort(score[there])[there.sum() - count :])
        if there.sum() <= want:
            assert np.array_equal(best, np.flatnonzero(there))
        elif (
            len(set(score[there].tolist())) < there.sum() / 4
        ):  # of equals at the edge, the lower posts
            edge = score[best].min()
            equal = np.flatnonzero(there & (score == edge))
            assert set(posts.ravel()[best[score[best] == edge]]) == set(
                np.sort(posts.ravel()[equal])[: (score[best] == edge).sum()]
            )


def test_nearest_takes_the_best_that_may_be_taken(served: Serving) -> None:
    """Against plain numpy over a real index: the best of the scanned lists, none seen lately, none
    a candidate already; and scratch is as clean afterwards as before."""
    rng, dim = np.random.default_rng(1), served.item_vec.shape[1]
    rules = served.rules.copy()
    rules["probes"], rules["probe_cap"] = len(served.tile_start) - 1, 10_000
    served, worth = served._replace(rules=rules), np.zeros(len(served.can), np.float32)
    worth[served.tile_post[served.tile_post >= 0]] = served.tile_bias[0][served.tile_post >= 0]
    for _ in range(50):
        q, qb = rng.normal(size=dim).astype(np.float32), np.float32(rng.normal())
        room, query = space(served, 400), served.query.copy()
        room.query[:], query[0, dim] = q, qb
        seen = np.append(rng.choice(served.eligible, 20), -1).astype(np.int32)
        cand, mark = room.cand, room.mark
        cand[:5] = rng.choice(np.setdiff1d(served.eligible, seen), 5, replace=False)
        mark[cand[:5]] = True
        mark[seen[:-1]] = True
        n = nearest.nearest(rng.random(), 0, 5, seen, served._replace(query=query), room)
        score = served.item_vec[served.eligible] @ q + qb * worth[served.eligible]
        free = ~np.isin(served.eligible, np.concatenate([seen, cand[:5]]))
        best = served.eligible[free][np.argsort(-score[free])[: rules["quota"][0, Source.NEAREST]]]
        at = np.searchsorted(served.eligible, cand[5:n])
        assert (
            n == 5 + len(best) and free[at].all()
        )  # new posts of one creator are alike: which of equals comes is not asked
        assert np.sort(score[at]) == pytest.approx(
            np.sort(score[free])[len(score[free]) - len(best) :], abs=1e-5
        )
        assert (room.scan.at == -1).all()


@pytest.mark.parametrize("dim", [1, 7, 32])
def test_tiles_hold_every_post_once(dim: int) -> None:
    """Vectors laid out in tiles are those of the rows; lanes beyond a list's end are marked."""
    rng = np.random.default_rng(1)
    vec, bias = (
        rng.normal(size=(50, dim)).astype(np.float32),
        rng.normal(size=50).astype(np.float32),
    )
    rows, start = rng.permutation(50)[:41].astype(np.int32), np.array([0, 8, 8, 20, 41], np.int32)
    first, row_of, vec_of, bias_of = tiles(start, rows, vec, bias)
    assert first.tolist() == [0, 1, 1, 3, 6]
    for g in range(4):
        held = row_of[first[g] : first[g + 1]].ravel()
        assert held[held >= 0].tolist() == rows[start[g] : start[g + 1]].tolist()
    where = places(row_of, 50)
    assert (row_of.ravel()[where[rows]] == rows).all() and (np.delete(where, rows) == -1).all()
    for t in range(len(row_of)):
        inside = row_of[t] >= 0
        assert np.array_equal(bias_of[t, inside], bias[row_of[t, inside]])
        assert np.array_equal(vec_of[t][:, inside].T, vec[row_of[t, inside]])
