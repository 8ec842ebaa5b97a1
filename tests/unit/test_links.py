"""Links between posts: counted as a dict would, decayed exactly, bounded, and free of released
rows."""

import itertools
import math

import numpy as np
import pytest

from twin.ground.units import DAY, HOUR, MINUTE
from twin.kernels import links as kernel
from twin.mechanisms.recommender.links import COUNTED, KINDS, RING_COLUMNS, ItemLinks, Links, Ring

LONG, CLICK, BOTH = 2, 1, 3
STREAM = np.uint64(99)
NOW = 10 * DAY


def ring(consumers=60):
    return Ring(
        *(
            np.full((consumers, *column.shape), column.start, column.dtype)
            for column in RING_COLUMNS
        )
    )


def make(**params):
    """Empty links; durations in seconds."""
    given = {
        name: f"{value}s" if name in ("half_life", "links_every", "together") else value
        for name, value in params.items()
    }
    links = ItemLinks({}, Links(**given))
    links.setup()
    return links


def window(*sessions):
    """Columns consumer, post, responses of sessions (consumer, [(post, mask), ...])."""
    rows = [(consumer, post, mask) for consumer, seen in sessions for post, mask in seen]
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2].astype(np.uint16)


def works(posts, *rows):
    work = np.zeros(posts, bool)
    work[list(rows)] = True
    return work


def pairs(links, kind):
    """Weights by pair as of the landmark."""
    key, weight = links.keep[f"links.{kind}.key"], links.keep[f"links.{kind}.weight"]
    return {
        (int(k) >> 32, int(k) & 0xFFFFFFFF): float(w)
        for k, w in zip(key, weight, strict=True)
        if k != kernel.EMPTY
    }


def rebuild(links, now, posts=50, eligible=None, work=None):
    links.rebuild(
        now,
        np.arange(posts, dtype=np.uint64) * np.uint64(7919),
        np.arange(posts) if eligible is None else np.array(eligible),
        works(posts) if work is None else work,
        STREAM,
    )
    return {
        kind: [[other for other in row if other >= 0] for row in array[:posts].tolist()]
        for kind, array in links.linked.items()
    }


class Model:
    """The same in dicts: (weight, time) lists, no maps, no landmark, no kernels."""

    def __init__(self, p):
        self.p = p
        self.events = {kind: [] for kind in COUNTED}
        self.seen = {kind: [] for kind in COUNTED}
        self.bought = {}

    def observe(self, sessions, work, now):
        for _, seen in sessions:
            basket = list(dict.fromkeys(post for post, mask in seen if mask & LONG))[
                : kernel.BASKET
            ]
            self.seen["co_viewed"] += [(post, now) for post in basket]
            self.events["co_viewed"] += [
                (frozenset(pair), now) for pair in itertools.combinations(basket, 2)
            ]
        for consumer, seen in sessions:
            for post, mask in seen:
                if mask & BOTH == BOTH and work[post]:
                    last = self.bought.setdefault(consumer, [])
                    if post not in [other for other, _ in last]:
                        self.seen["bought_together"].append((post, now))
                        self.events["bought_together"] += [
                            (frozenset((post, other)), now)
                            for other, at in last
                            if now // MINUTE - at // MINUTE <= self.p.together // MINUTE
                        ]
                    last[:] = [(post, now), *((other, at) for other, at in last if other != post)][
                        : kernel.RING
                    ]

    def forget(self, rows):
        gone = set(rows)
        for kind in COUNTED:
            self.seen[kind] = [(post, at) for post, at in self.seen[kind] if post not in gone]
            self.events[kind] = [(pair, at) for pair, at in self.events[kind] if not pair & gone]
        for last in self.bought.values():
            last[:] = [(post, at) for post, at in last if post not in gone]

    def counts(self, kind, now):
        left = {}
        for pair, at in self.events[kind]:
            left[tuple(sorted(pair))] = left.get(tuple(sorted(pair)), 0.0) + 0.5 ** (
                (now - at) / self.p.half_life
            )
        return left

    def score(self, kind, a, b, now):
        n = self.counts(kind, now).get((min(a, b), max(a, b)), 0.0)
        d = [
            sum(0.5 ** ((now - at) / self.p.half_life) for post, at in self.seen[kind] if post == x)
            for x in (a, b)
        ]
        return n / math.sqrt(d[0] * d[1]) * n / (n + self.p.shrinkage) if n else 0.0


def some_sessions(rng, posts, count=12):
    return [
        (
            int(person),
            [
                (int(post), int(mask))
                for post, mask in zip(rng.integers(0, posts, 6), rng.integers(0, 4, 6), strict=True)
            ],
        )
        for person in rng.choice(60, count, replace=False)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_counts_and_links_are_those_of_dicts(seed):
    """Random sessions, decay, rebuilds at odd times and releases: every weight to 1e-9, every list
    the best partners by the formula."""
    rng, posts = np.random.default_rng(seed), 30
    links = make(
        half_life=int(rng.integers(1, 30)) * HOUR,
        width=4,
        floor=0,
        shrinkage=float(rng.choice([0, 2.0])),
        together=5 * HOUR,
    )
    model, people, work, now = Model(links.p), ring(), rng.random(posts) < 0.5, 0
    for step in range(60):
        now += int(rng.integers(1, 12)) * 10 * MINUTE
        sessions = some_sessions(rng, posts)
        links.observe(*window(*sessions), work, now, people)
        model.observe(sessions, work, now)
        if step % 7 == 3:
            rebuild(links, now, posts)
        if step % 20 == 11:
            gone = rng.choice(posts, 3, replace=False)
            links.forget(gone, people)
            model.forget(gone.tolist())
    eligible = np.sort(rng.choice(posts, 22, replace=False))
    made = rebuild(links, now, posts, eligible)
    for kind in COUNTED:
        held, true = pairs(links, kind), model.counts(kind, now)
        assert len(true) > 30
        assert held.keys() == true.keys()
        assert all(abs(held[pair] - true[pair]) < 1e-9 for pair in true)
        for row in range(posts):
            best = sorted(
                (model.score(kind, row, int(other), now) for other in eligible if other != row),
                reverse=True,
            )[:4]
            got = [model.score(kind, row, other, now) for other in made[kind][row]]
            assert got == pytest.approx([score for score in best if score], abs=1e-9)
            assert set(made[kind][row]) <= set(eligible.tolist())


def test_viewed_together_means_one_session_of_one_person():
    """Long views within a session are paired, once each; a click alone, another person's views and
    another session's are not."""
    links = make(floor=0)
    sessions = window(
        (1, [(3, LONG), (4, CLICK), (5, BOTH), (3, LONG)]), (2, [(6, LONG)]), (1, [(7, LONG)])
    )
    links.observe(*sessions, works(50), HOUR, ring())
    assert pairs(links, "co_viewed").keys() == {(3, 5)}
    assert pairs(links, "bought_together") == {}
    rebuild(links, HOUR)
    assert pairs(links, "co_viewed")[3, 5] == pytest.approx(1, abs=1e-12)


def test_bought_together_spans_sessions_and_only_works():
    """Works consumed (click and long view) by one person within ``together``, over sessions; not
    later, not posts, not a mere click."""
    links, people, work = make(floor=0, together=DAY), ring(), works(50, 1, 2, 3, 4)
    for at, post, mask in (
        (0, 1, BOTH),
        (HOUR, 9, BOTH),
        (2 * HOUR, 2, CLICK),
        (DAY, 3, BOTH),
        (DAY + 10 * MINUTE, 4, BOTH),
    ):
        links.observe(*window((5, [(post, mask)])), work, at, people)
    assert pairs(links, "bought_together").keys() == {(1, 3), (3, 4)}
    assert pairs(links, "co_viewed") == {}
    assert people.bought[5].tolist() == [4, 3, 1, -1]
    assert (people.bought[:5] == -1).all()


def test_a_person_counts_once_while_a_work_is_remembered():
    """Repeats of a work in the ring add nothing and renew it; after RING other works it is new
    again."""
    links, people, work = make(floor=0, half_life=365 * DAY), ring(), works(50, *range(10))
    for post in (0, 1, 0, 1, 0):
        links.observe(*window((5, [(post, BOTH)])), work, 0, people)
    assert pairs(links, "bought_together") == {(0, 1): 1.0}
    for post in (2, 3, 4, 5, 1):
        links.observe(*window((5, [(post, BOTH)])), work, 0, people)
    assert pairs(links, "bought_together")[0, 1] == 1.0  # 0 had left the ring by then
    assert links.keep["links.bought_together.degree"][:2].tolist() == [1, 2]


def test_counts_halve_every_half_life_whatever_the_cadence():
    """w(t) = 2^(-t / half-life) to 1e-12, rebuilt never, or every hour, or after more half-lives
    than a float of gains would bear."""
    for every in (HOUR, 90 * HOUR):
        links = make(half_life=10 * HOUR, floor=0)
        links.observe(*window((1, [(3, LONG), (5, LONG)])), works(50), HOUR, ring())
        for now in range(HOUR + every, 91 * HOUR + 1, every):
            rebuild(links, now)
        assert pairs(links, "co_viewed")[3, 5] == pytest.approx(2**-9, rel=1e-12)
    links.observe(*window((1, [(3, LONG), (5, LONG)])), works(50), 200_000 * HOUR, ring())
    assert np.isfinite(links.keep["links.co_viewed.degree"]).all()
    rebuild(links, 200_000 * HOUR)
    assert pairs(links, "co_viewed")[3, 5] == pytest.approx(1, rel=1e-12)


def test_floor_drops_what_has_faded():
    """A pair seen once goes when its count has fallen below the floor, and not before."""
    links = make(half_life=DAY, floor=0.25)
    links.observe(*window((1, [(3, LONG), (5, LONG)])), works(50), 0, ring())
    assert rebuild(links, 2 * DAY)["co_viewed"][3] == [5]
    assert rebuild(links, 2 * DAY + HOUR)["co_viewed"][3] == []
    assert links.stats("co_viewed")["pairs"] == 0


@pytest.mark.parametrize(("shrinkage", "order"), [(0.0, [4, 3]), (2.0, [3, 4])])
def test_score_is_the_shrunk_cosine(shrinkage, order):
    """0 was viewed with 3 in three of 10 and 20 sessions, with 4 in one of 10 and one: the plain
    cosine (.212, .316) puts the single coincidence first, the shrunk one (.127, .105) does not."""
    links = make(shrinkage=shrinkage, floor=0)
    sessions = [
        *((i, [(0, LONG), (3, LONG)]) for i in range(3)),
        *((i, [(0, LONG)]) for i in range(3, 9)),
        *((i, [(3, LONG)]) for i in range(10, 27)),
        (30, [(4, LONG), (0, LONG)]),
    ]
    links.observe(*window(*sessions), works(50), 0, ring())
    assert links.keep["links.co_viewed.degree"][[0, 3, 4]].tolist() == [10, 20, 1]
    assert rebuild(links, 0)["co_viewed"][0] == order


def test_windows_may_be_cut_anywhere_between_sessions():
    """The same sessions in one window or one by one, with room for all or growing on the way, give
    the same bytes of links."""
    rng = np.random.default_rng(5)
    work = rng.random(400) < 0.5
    whole, parts = make(), make()
    one, two = ring(), ring()
    for now in range(0, 12 * HOUR, HOUR):
        sessions = some_sessions(rng, 400, 60)
        whole.observe(*window(*sessions), work, now, one)
        for session in sessions:
            parts.observe(*window(session), work, now, two)
    assert len(whole.keep["links.co_viewed.key"]) > 2048
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert rebuild(whole, 12 * HOUR, 400, work=work) == rebuild(parts, 12 * HOUR, 400, work=work)
    assert pairs(whole, "co_viewed") == pairs(parts, "co_viewed")


def test_state_is_in_the_arrays():
    """Links rebuilt over copies of the arrays, as after a resume, go on bit for bit."""
    rng = np.random.default_rng(6)
    first, people = make(), ring()
    first.observe(*window(*some_sessions(rng, 50, 40)), works(50, *range(20)), HOUR, people)
    rebuild(first, HOUR)
    second, others = (
        ItemLinks({name: array.copy() for name, array in first.keep.items()}, first.p),
        Ring(*(a.copy() for a in people)),
    )
    later = window(*some_sessions(rng, 50, 40))
    for links, held in ((first, people), (second, others)):
        links.observe(*later, works(50, *range(20)), 3 * HOUR, held)
        rebuild(links, 4 * HOUR)
    assert first.keep.keys() == second.keep.keys()
    assert all(np.array_equal(first.keep[name], second.keep[name]) for name in first.keep)


def test_memory_is_bounded_and_keeps_the_heavy():
    """Sixty thousand passing pairs through room for 1024: never more, and a pair that keeps coming
    is still first."""
    rng, links, people = np.random.default_rng(7), make(pairs=1024, floor=0), ring()
    for step in range(40):
        crowd = [
            (
                int(c),
                [(int(post), LONG) for post in rng.choice(np.arange(2, 3000), 10, replace=False)],
            )
            for c in range(2, 36)
        ]
        links.observe(
            *window(*crowd, *((c, [(0, LONG), (1, LONG)]) for c in (0, 1, 2))),
            works(3000),
            step * 10 * MINUTE,
            people,
        )
        assert links.stats("co_viewed")["pairs"] <= 1024
    assert len(links.keep["links.co_viewed.key"]) == 2048
    assert pairs(links, "co_viewed")[0, 1] == pytest.approx(
        sum(3 * 2 ** (step / (7 * 144)) for step in range(40))
    )
    links.observe(
        *window((1, [(post, LONG) for post in range(100)])), works(3000), 7 * HOUR, people
    )
    assert links.stats("co_viewed")["pairs"] <= 1024


def test_map_shrinks_when_pairs_are_gone():
    """After a burst has faded, the map is small again."""
    rng, links = np.random.default_rng(8), make(half_life=HOUR)
    for _ in range(10):
        links.observe(*window(*some_sessions(rng, 5000, 60)), works(5000), 0, ring())
    assert len(links.keep["links.co_viewed.key"]) > 2048
    rebuild(links, 5 * HOUR, 5000)
    assert len(links.keep["links.co_viewed.key"]) == 2048


def test_released_posts_are_forgotten_everywhere():
    """After `forget` no map, list, ring or degree holds the rows, what others had stays, and a
    recycled row starts from nothing."""
    rng, links, people, work = np.random.default_rng(9), make(), ring(), works(50, *range(25))
    for now in range(0, DAY, 2 * HOUR):
        links.observe(*window(*some_sessions(rng, 50, 50)), work, now, people)
    before = rebuild(links, DAY, work=work)
    weights, bought = pairs(links, "co_viewed"), people.bought.copy()
    gone = np.array([3, 30])
    links.forget(gone, people)
    for kind in KINDS:
        after = [[other for other in row if other >= 0] for row in links.linked[kind][:50].tolist()]
        assert after == [
            [] if row in gone else [o for o in old if o not in gone]
            for row, old in enumerate(before[kind])
        ]
        assert (np.diff((links.linked[kind] >= 0).astype(int), axis=1) <= 0).all()  # no gaps
    assert any(3 in row for row in before["co_viewed"]) and any(3 in row for row in bought)
    assert pairs(links, "co_viewed") == {
        pair: weight for pair, weight in weights.items() if not set(pair) & {3, 30}
    }
    assert not np.isin(people.bought, gone).any()
    assert (links.keep["links.co_viewed.degree"][gone] == 0).all()
    assert rebuild(links, DAY, work=work)["bought_together"][3] == []


def test_random_links_are_a_fair_control():
    """Random links ignore the log: full, distinct, never to itself, of one sort, kept from rebuild
    to rebuild, everybody as often."""
    links, work = make(), works(400, *range(0, 400, 4))
    eligible = np.array([row for row in range(400) if row % 5])
    made = rebuild(links, HOUR, 400, eligible, work)["random"]
    for row in range(400):
        if row % 5:
            assert len(set(made[row])) == 8 and row not in made[row]
            assert {bool(work[other]) for other in made[row]} == {bool(work[row])} and all(
                other % 5 for other in made[row]
            )
        else:
            assert made[row] == []
    links.observe(
        *window(*some_sessions(np.random.default_rng(1), 400, 60)), work, 2 * HOUR, ring()
    )
    assert rebuild(links, 3 * HOUR, 400, eligible, work)["random"] == made
    left = eligible[20:]
    fewer = rebuild(links, 4 * HOUR, 400, left, work)["random"]
    for row in left:
        stay = [other for other in made[row] if other in left]
        assert fewer[row][: len(stay)] == stay and len(fewer[row]) == 8
    posts = eligible[~work[eligible]]
    counts = np.bincount(np.concatenate([made[row] for row in posts]), minlength=400)[posts]
    chi2, free = ((counts - 8) ** 2 / 8).sum(), len(posts) - 1
    assert abs(chi2 - free) < 5 * math.sqrt(2 * free)


def test_few_posts_are_enough():
    """No post, one post, two posts: lists as long as there are partners."""
    links = make()
    links.observe(*window(), works(0), 0, ring())
    assert rebuild(links, 0, 0) == {kind: [] for kind in KINDS}
    assert rebuild(links, 0, 1)["random"] == [[]]
    assert rebuild(links, 0, 2)["random"] == [[1], [0]]
    assert rebuild(links, 0, 3, work=works(3, 0))["random"] == [[], [2], [1]]
