"""Ratings in a world of their own: people, works, and what is said of them."""

import datetime as dt
from types import SimpleNamespace

import numpy as np

from twin.ground.draws import children
from twin.kernels import react as kernel
from twin.kernels.rules import Shelf
from twin.kernels.said import RING, SUMS, Raters, Scene, Works
from twin.mechanisms.ratings import Ratings, RatingsParams
from twin.mechanisms.ratings.params import Votes
from twin.world.board import Board
from twin.world.columns import Column
from twin.world.params import changed, leaves, meta, value_at
from twin.world.settings import settings
from twin.world.state import World

SILENT = changed(
    Votes(),
    enabled=False,
    quality=0.0,
    match=0.0,
    agreement=0.0,
    centre=0.0,
    herd_up=0.0,
    herd_down=0.0,
    correction=0.0,
)
FAIR = changed(SILENT, enabled=True, up_rate=0.0513, down_rate=0.0082)
CERTAIN = 1 - 2**-53
"""The largest rate below 1."""
PLAIN = changed(
    RatingsParams(),
    mean=3.0,
    quality_weight=1.0,
    match_weight=0.0,
    noise=0.0,
    expect_shown=0.0,
    expect_prediction=0.0,
    kappa_up=0.0,
    kappa_down=0.0,
    anchoring=0.0,
    herding=0.0,
    expectation_up=0.0,
    expectation_down=0.0,
    report_base=0.0,
    extremity=0.0,
    reporting="everyone",
    shown_from=1,
    prediction_shift=0.0,
    shrink_work=25.0,
    shrink_person=10.0,
    reference="via",
    votes=SILENT,
)
"""Everybody says what the work's quality is, and nothing else matters."""
RATE, VOTE = np.uint64(11), np.uint64(12)


def frozen(array):
    """Read-only, as a mechanism sees what it does not own."""
    array.flags.writeable = False
    return array


def crowd(n, level=3.0, seed=1):
    """People with random tastes and opinions and one general expectation."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(n, 16)).astype(np.float32)
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    return Raters(
        key=frozen(children(np.full(n, np.uint64(seed)), np.arange(n))),
        taste=frozen(taste),
        opinion=frozen(rng.uniform(-1, 1, n).astype(np.float32)),
        rating_expectation=np.full(n, level, np.float32),
        rating_residual=np.zeros(n, np.float32),
        ratings_given=np.zeros(n, np.int32),
        said=np.zeros((n, RING), np.uint16),
        said_at=np.zeros(n, np.int8),
    )


def shop(quality, seed=2):
    """Works of these qualities with random content and slant, without ratings or votes."""
    n, rng = len(quality), np.random.default_rng(seed)
    content = rng.normal(size=(n, 16)).astype(np.float32)
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    counts = ("rating_sum", "rating_count", "votes_up", "votes_down")
    return Works(
        key=frozen(children(np.full(n, np.uint64(seed + 50)), np.arange(n))),
        content=frozen(content),
        quality=frozen(np.array(quality, np.float32)),
        slant=frozen(rng.uniform(-1, 1, n).astype(np.float32)),
        rating_shown=np.zeros(n, np.float32),
        seed=np.zeros(n, np.int8),
        **{name: np.zeros(n, np.int32) for name in counts},
    )


def seen(
    consumer,
    post,
    via=None,
    shelf=Shelf.CO_VIEWED,
    bought=True,
    average=True,
    prediction=False,
    votes=True,
):
    """Clicked impressions in order."""
    consumer, post = (
        np.atleast_1d(np.array(consumer, np.int32)),
        np.atleast_1d(np.array(post, np.int32)),
    )
    n = len(post)
    return kernel.Seen(
        consumer=consumer,
        post=post,
        via=np.full(n, -1, np.int32) if via is None else np.array(via, np.int32),
        shelf=np.full(n, shelf, np.int8),
        bought=np.full(n, bought),
        ratings_shown=np.full(n, average),
        prediction_shown=np.full(n, prediction),
        votes_shown=np.full(n, votes),
    )


def react(events, people, works, rules=PLAIN, voting=SILENT, total=None):
    """One window; what was said, and the running sums."""
    total = np.zeros(1, SUMS)[0] if total is None else total
    record = settings(changed(rules, votes=voting))[0]
    return kernel.react(events, Scene(people, works, total, record, RATE, VOTE)), total


def pairs(people, works, **how):
    """Everybody meets every work, person by person."""
    n, m = len(people.key), len(works.key)
    return seen(np.repeat(np.arange(n), m), np.tile(np.arange(m), n), **how)


def make(n=300, posts=60, **params):
    """A world of people and posts, the first half of which are works, with a window that a test
    fills."""
    world = World(dt.date(2025, 1, 1), 1, 0, Board(Ratings.metrics))
    for table, columns in Ratings.columns.items():
        for column in columns:
            world.define("ratings", table, column)
    for table, columns in (
        ("consumers", "active:? arm:i1 taste:f4 opinion:f4"),
        ("posts", "work:? content:f4 quality:f4 slant:f4 born:i8"),
    ):
        for name, dtype in (column.split(":") for column in columns.split()):
            world.define(
                "test",
                table,
                Column(
                    name, dtype, "1", "Test", shape=(16,) if name in ("taste", "content") else ()
                ),
            )
    impressions = SimpleNamespace(
        consumer=np.zeros(0, np.int32),
        post=np.zeros(0, np.int32),
        responses=np.zeros(0, np.uint16),
        via=np.zeros(0, np.int32),
    )
    world.provide("window", lambda: impressions)
    world.provide("shelf_kinds", lambda: np.zeros(1, np.int8))
    mechanism = Ratings(RatingsParams(**params), world)
    for path, info in leaves(RatingsParams):
        if meta(info)["lever"]:
            world.levers[f"ratings.{path}"] = value_at(mechanism.p, path)
    world.on_add(mechanism.born)
    world.on_release(mechanism.gone)
    mechanism.setup()
    people, works = crowd(n), shop(np.random.default_rng(4).normal(size=posts))
    world.add(
        "test",
        "consumers",
        people.key,
        active=np.ones(n, bool),
        taste=people.taste,
        opinion=people.opinion,
    )
    world.add(
        "test",
        "posts",
        works.key,
        work=np.arange(posts) < posts // 2,
        content=works.content,
        quality=works.quality,
        slant=works.slant,
    )
    return world, mechanism, impressions


def sums(mechanism):
    """Running sums of a mechanism, by name."""
    return mechanism.keep["total"].view(SUMS)[0]


def meet(impressions, consumer, post, responses=3, via=-1):
    """Fill the window: everybody clicks and stays unless said."""
    n = len(post)
    impressions.consumer, impressions.post = np.array(consumer, np.int32), np.array(post, np.int32)
    impressions.responses = np.array(np.broadcast_to(responses, n), np.uint16)
    impressions.via = np.array(np.broadcast_to(via, n), np.int32)
