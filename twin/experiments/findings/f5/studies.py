"""Finding 5 without a world: Monolith's table 1, whom collisions hurt by how frequent an ID is, and
how fresh a served model has to be.

Sources: Liu et al., Monolith, arXiv 2209.07663; FINDINGS F5 for the reproduction and the correction
by frequency.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
"""Of the streams: people, items, dimensions of taste, and impressions per step."""
DAMAGE_FIELDS = 6
"""Columns of `damage` before its deciles."""


class SlotCounts(NamedTuple):
    """A table of slots: distinct slots in use, IDs that share theirs, IDs in the fullest slot."""

    distinct: float
    sharing: float
    fullest: float


def _ids(count: int) -> NDArray[np.uint64]:
    return np.arange(count, dtype=np.uint64)


def table_1(seed: int, data: str) -> Floats:
    """`SlotCounts` of users and of movies (2, 3): MD5 of label-encoded IDs modulo a million."""
    made = EmbeddingTable({}, "t", TableSpec("hash", 2, SLOTS, function="md5"))
    rows = []
    for n in (USERS, MOVIES):
        load = np.bincount(made.slots(_ids(n))[:, 0])
        rows.append(
            SlotCounts(
                distinct=(load > 0).sum(),
                # A share back to its count, which is asked for exactly.
                sharing=round(made.sharing(_ids(n)) * n),
                fullest=load.max(),
            )
        )
    return np.array(rows, np.float64)


def loads(seed: int, data: str) -> Floats:
    """Load n/M, and share of IDs that share a slot, under the project's own hash (2, loads)."""
    made, shares = (
        EmbeddingTable({}, "t", TableSpec("hash", 2, 20_000, salt=seed)),
        (0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
    )
    return np.array([shares, [made.sharing(_ids(int(load * 20_000))) for load in shares]])


def damage(seed: int, data: str, exponent: float, orders: int, kind: str = "hash") -> Floats:
    """Under Zipf traffic of this exponent on table 1's users, by random order of IDs
    (orders, 6 + 10). The columns are

    - traffic on shared slots, as a share
    - foreign share of gradients of the top 1 % and of the bottom half of IDs, mean over IDs
      (per-ID damage)
    - share of all traffic that these two groups have on shared slots (traffic-weighted risk, which
      a platform meets)
    - foreign share over all traffic
    - foreign share by tenth of IDs, least traffic first
    """
    table = EmbeddingTable({}, "t", TableSpec(kind, 2, SLOTS, function="md5"))
    rng = np.random.default_rng([seed, 5])
    # Traffic by rank; orders differ by which ID has which rank.
    weight = np.asarray(np.arange(1, USERS + 1) ** -exponent, np.float64)
    part = weight / weight.sum()
    shares = _shared(table, kind)
    top, bottom = slice(0, USERS // 100), slice(USERS // 2, None)
    rows = []
    for _ in range(orders):
        key = rng.permutation(_ids(USERS))
        foreign, shared = table.foreign(key, weight), shares[key.astype(np.int64)]
        rows.append(
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
    return np.array(rows)


def _shared(table: EmbeddingTable, kind: str) -> NDArray[np.bool_]:
    """Whether the slot of each user is another user's too (users,)."""
    if kind == "collisionless":
        return np.zeros(USERS, bool)
    slot = table.slots(_ids(USERS))[:, 0].astype(np.int64)
    return np.asarray(np.bincount(slot)[slot] > 1)


def sync(seed: int, data: str, drift: float, burn: int, days: int, streams: int) -> Floats:
    """Progressive AUC and log loss of clicks by sync interval (streams, 4, 2): one online model per
    stream, served from four copies.

    People click items by sigmoid(2 x_u . y_i - 0.5), x and y of unit length in 4 dimensions. Items
    turn by ``drift`` radians a day (0: stationary). Before anything is judged, the model trains for
    ``burn`` days. Assumption: sizes and drift are the twin's own; the source gives signs.
    """
    return np.array(
        [_stream(seed, at, drift, burn * DAY // STEP, days * DAY // STEP) for at in range(streams)]
    )


def _unit(x: Floats) -> Floats:
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True), np.float64)


class Clicks(NamedTuple):
    """What a step shows: people, items, and whether they are clicked, (impressions,) each."""

    who: NDArray[np.int32]
    what: NDArray[np.int32]
    clicked: NDArray[np.bool_]


class ClickStream:
    """People who click items whose content may turn, and one model that learns online from it."""

    def __init__(self, rng: np.random.Generator, drift: float) -> None:
        p = RecommenderParams()
        self.rng, self.drift = rng, drift
        self.rates = Rates(p.learning_rate, p.dense_rate, p.regularisation)
        keep: dict[str, NDArray[Any]] = {}
        spec = TableSpec("collisionless", 8, 64, init_scale=p.init_scale, expire_after_s=0)
        names = ("consumer", "post", "creator")
        self.trainer = Trainer(keep, {name: EmbeddingTable(keep, name, spec) for name in names})
        self.trainer.setup()
        self.people = _ids(PEOPLE) * np.uint64(0x9E3779B97F4A7C15)
        self.items = _ids(ITEMS) * np.uint64(0xA0761D6478BD642F)
        # One creator for all items: the stream has none.
        self.maker = np.ones(1, np.uint64)
        self.taste = _unit(rng.normal(size=(PEOPLE, RANK)))
        self.content = _unit(rng.normal(size=(ITEMS, RANK)))

    def step(self) -> Clicks:
        """Let items turn by a step of a random walk; what is shown in the step, and clicked."""
        # Angles of a random walk add up as the root of time.
        turn = self.drift * (STEP / DAY) ** 0.5
        if self.drift:
            noise = self.rng.normal(size=self.content.shape)
            self.content = _unit(self.content + turn * noise / np.sqrt(RANK - 1))
        who, what = (
            self.rng.integers(0, size, PER_STEP).astype(np.int32) for size in (PEOPLE, ITEMS)
        )
        match = (self.taste[who] * self.content[what]).sum(1)
        return Clicks(who, what, self.rng.random(PER_STEP) < 1 / (1 + np.exp(0.5 - 2 * match)))

    def learn(self, shown: Clicks, now: int) -> None:
        """Train the model on a step."""
        self.trainer.fit(
            Keys(consumer=self.people, post=self.items, creator=self.maker),
            Shown(
                consumer=shown.who,
                post=shown.what,
                creator=np.zeros(PER_STEP, np.int32),
                responses=shown.clicked.astype(np.uint16),
            ),
            now,
            rates=self.rates,
        )


def _stream(seed: int, at: int, drift: float, burn: int, steps: int) -> Floats:
    """AUC and log loss of every copy (4, 2) in one stream, after ``burn`` steps of training."""
    stream = ClickStream(np.random.default_rng([seed, at]), drift)
    copies: list[NDArray[np.float32]] = [np.zeros((PEOPLE, ITEMS), np.float32) for _ in SYNCS]
    said: list[list[NDArray[np.float32]]] = [[] for _ in SYNCS]
    truth = []
    for step in range(burn + steps):
        shown = stream.step()
        # A step is predicted before it is learned from: progressive validation.
        if step >= burn:
            truth.append(shown.clicked)
            for copy, every in enumerate(SYNCS):
                # Counted from burn, so that all copies are fresh at the first step judged.
                if (step - burn) % every == 0:
                    copies[copy] = _predicted(stream)
                said[copy].append(copies[copy][shown.who, shown.what])
        stream.learn(shown, step * STEP)
    clicked = np.concatenate(truth)
    bucket = np.zeros(len(clicked), np.int64)
    scores = [judge(np.concatenate(copy).astype(np.float32), clicked, bucket, 1) for copy in said]
    return np.array([[float(score[0, 0]), float(score[1, 0])] for score in scores])


def _predicted(stream: ClickStream) -> NDArray[np.float32]:
    """Chance of a click of every person on every item, by the model as it is now."""
    trainer = stream.trainer
    # The first head is the click.
    w, c = trainer.keep["W"][:, 0], trainer.keep["c"][0]
    u = trainer.tables["consumer"].vectors(stream.people)
    v = trainer.tables["post"].vectors(stream.items)
    v = v + trainer.tables["creator"].vectors(stream.maker)
    dim = u.shape[1] - 1
    logit = (u[:, :dim] * w[:dim]) @ v[:, :dim].T + w[dim] * u[:, dim:] + w[dim + 1] * v[:, dim] + c
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)
