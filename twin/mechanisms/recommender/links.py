"""Links between posts, from the interaction log alone: what is viewed together and what is bought
together.

    co_viewed         one person long-viewed both within one session
    bought_together   one person consumed both works (click and long view) within ``together``, over
                      any number of sessions
    random            the control: partners drawn among showable posts of the same sort (works with
                      works), kept while both may be shown

A link's strength is the cosine of the two posts' audiences (item-to-item filtering: Linden, Smith &
York, IEEE Internet Computing 2003), shrunk towards zero where few saw both (Koren, KDD 2008), over
counts that halve every ``half_life``:

    score_ab = n_ab / sqrt(n_a n_b) * n_ab / (n_ab + shrinkage)

Memory is bounded: at most ``pairs`` pairs of a kind; those below ``floor`` go at every rebuild, and
the lightest half when the map is full in between. All state is arrays in ``keep`` and the ring of
works per person, two columns that the recommender owns.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY, HOUR, MINUTE
from twin.kernels import links as kernel
from twin.world.columns import Column, lengthened, room_for
from twin.world.params import Duration, Params, par

Arrays = MutableMapping[str, NDArray[Any]]
COUNTED = ("co_viewed", "bought_together")
KINDS = (*COUNTED, "random")
RING_COLUMNS = (
    Column(
        "bought",
        "i4",
        "posts",
        "Works consumed last, newest first (-1: none)",
        -1,
        (kernel.RING,),
        lazy=True,
        rows_of="posts",
    ),
    Column("bought_at", "i4", "min", "When, minutes since the start", 0, (kernel.RING,), lazy=True),
)
"""Columns of consumers, for the recommender to own."""
FIRST = 2048
DOUBLINGS = 32
"""Half-lives after which weights are rescaled even without a rebuild, so that they stay finite."""


class Links(Params):
    """Links between posts that were viewed or bought together."""

    width: int = par(8, "links kept per post and kind", unit="posts", low=1, high=64)
    half_life: Duration = par(
        7 * DAY, "half-life of what was seen together", unit="s", low=HOUR, high=365 * DAY
    )
    links_every: Duration = par(
        6 * HOUR,
        "time between two rebuilds of the links",
        unit="s",
        low=10 * MINUTE,
        high=365 * DAY,
        grid=True,
    )
    together: Duration = par(
        DAY,
        "time within which two works count as bought together",
        unit="s",
        low=10 * MINUTE,
        high=365 * DAY,
    )
    floor: float = par(0.25, "decayed count below which a pair is dropped", low=0, high=1000)
    shrinkage: float = par(
        2.0,
        "count at which a pair's cosine is halved (0: plain cosine)",
        low=0,
        high=1000,
        source="form: Koren, KDD 2008; size: assumption",
    )
    pairs: int = par(2**17, "most pairs kept per kind", unit="pairs", low=1024, high=2**26)


class Ring(NamedTuple):
    """The columns RING_COLUMNS of consumers, writable."""

    bought: NDArray[np.int32]
    bought_at: NDArray[np.int32]


class ItemLinks:
    """Counts pairs as they happen and hands out the best links of every post."""

    def __init__(self, keep: Arrays, params: Links) -> None:
        self.keep, self.p = keep, params

    def _get(self, kind: str, name: str) -> NDArray[Any]:
        return self.keep[f"links.{kind}.{name}"]

    def _set(self, kind: str, name: str, array: NDArray[Any]) -> None:
        self.keep[f"links.{kind}.{name}"] = array

    def setup(self) -> None:
        """Nothing was seen together yet."""
        self.keep["links.since"] = np.zeros(1, np.int64)
        for kind in KINDS:
            self._set(kind, "linked", np.zeros((0, self.p.width), np.int32))
        for kind in COUNTED:
            self._set(kind, "degree", np.zeros(0))
            self._set(kind, "used", np.zeros(1, np.int64))
            self._map(kind, FIRST)

    def grow(self, posts: int) -> None:
        """Make room for the rows of a table of posts; without effect where there is room."""
        for kind in KINDS:
            linked = self._get(kind, "linked")
            if len(linked) < posts:
                size = room_for(posts)
                self._set(kind, "linked", lengthened(linked, size, -1))
                if kind in COUNTED:
                    self._set(kind, "degree", lengthened(self._get(kind, "degree"), size))

    @property
    def linked(self) -> dict[str, NDArray[np.int32]]:
        """Links by kind, i4 (rows, width): best first, -1 for none; at least as long as `grow`
        asked for.

        Partners might be shown when the links were rebuilt; one that left the feed since is still
        there.
        """
        return {kind: self._get(kind, "linked") for kind in KINDS}

    def observe(
        self,
        consumer: NDArray[np.int32],
        post: NDArray[np.int32],
        responses: NDArray[np.uint16],
        work: NDArray[np.bool_],
        now: int,
        ring: Ring | None,
    ) -> None:
        """Count the impressions of the serving window that ends now, rows of one session
        contiguous. ``work``: bool (posts,); no ring where there are no works."""
        self.grow(len(work))
        since = self.keep["links.since"]
        # Gains double every half-life: without rebuilds they would overflow in the end
        if now - int(since[0]) > DOUBLINGS * self.p.half_life:
            self._decay(now, 0.0)
        # Forward decay: newer counts weigh more, so old ones are untouched until the landmark moves
        gain = 2.0 ** ((now - int(since[0])) / self.p.half_life)
        minute, together = now // MINUTE, self.p.together // MINUTE
        log = kernel.Log(consumer=consumer, post=post, responses=responses)
        self._count(
            "co_viewed",
            len(post),
            lambda first, counts, limit: kernel.co_view(log, first, gain, counts, limit),
        )
        if ring is not None:
            purchases = kernel.Purchases(work=work, bought=ring.bought, bought_at=ring.bought_at)
            self._count(
                "bought_together",
                len(post),
                lambda first, counts, limit: kernel.co_buy(
                    log, first, gain, counts, limit, purchases, minute, together
                ),
            )

    def _count(
        self, kind: str, size: int, pass_from: Callable[[int, kernel.Counts, int], int]
    ) -> None:
        """Let a kernel count; wherever it stops for want of room, make some."""
        first = 0
        while True:
            slots = len(self._get(kind, "key"))
            counts = kernel.Counts(
                degree=self._get(kind, "degree"),
                slot_key=self._get(kind, "key"),
                slot_weight=self._get(kind, "weight"),
                used=self._get(kind, "used"),
            )
            # At most half full, so that linear probing stays short
            first = pass_from(first, counts, min(slots // 2, self.p.pairs))
            if first == size:
                return
            # Grow as long as the bound on pairs allows; then the lightest pairs give way
            if slots // 2 < self.p.pairs:
                self._repack(kind, 2 * slots)
            else:
                key, weight = self._get(kind, "key"), self._get(kind, "weight")
                taken = np.flatnonzero(key != kernel.EMPTY)
                # By key among equals, so that the choice does not depend on places in the map
                lightest = np.lexsort((key[taken], weight[taken]))[: len(taken) - self.p.pairs // 2]
                # A pair without weight is left out by repacking
                weight[taken[lightest]] = 0
                self._repack(kind, slots)

    def _map(self, kind: str, slots: int) -> None:
        self._set(kind, "key", np.full(slots, kernel.EMPTY, np.uint64))
        self._set(kind, "weight", np.zeros(slots))

    def _repack(self, kind: str, slots: int, scale: float = 1.0, floor: float = 0.0) -> None:
        key, weight = self._get(kind, "key"), self._get(kind, "weight")
        self._map(kind, slots)
        self._get(kind, "used")[0] = kernel.repack(
            key, weight, scale, floor, self._get(kind, "key"), self._get(kind, "weight")
        )

    def _decay(self, now: int, floor: float) -> None:
        """Move the landmark to now: every count becomes what is left of it, and pairs below
        ``floor`` go."""
        since = self.keep["links.since"]
        scale = 0.5 ** ((now - int(since[0])) / self.p.half_life)
        since[0] = now
        for kind in COUNTED:
            self._get(kind, "degree")[:] *= scale
            slots = len(self._get(kind, "key"))
            self._repack(kind, slots, scale, floor)
            # Below an eighth, while growth is at a half: no map shrinks and grows in turn
            while slots > FIRST and 8 * int(self._get(kind, "used")[0]) < slots:
                slots //= 2
                self._repack(kind, slots)

    def rebuild(
        self,
        now: int,
        keys: NDArray[np.uint64],
        eligible: NDArray[Any],
        work: NDArray[np.bool_],
        stream: np.uint64,
    ) -> None:
        """New links from the counts: ``keys`` and ``work`` of the table of posts, rows that may be
        shown, luck of the random links."""
        self.grow(len(keys))
        # First, so that scores are of counts as they are at this time
        self._decay(now, self.p.floor)
        size = len(self._get("random", "linked"))
        showable = np.zeros(size, bool)
        showable[eligible] = True
        best = np.empty((size, self.p.width))
        for kind in COUNTED:
            kernel.link(
                self._get(kind, "key"),
                self._get(kind, "weight"),
                self._get(kind, "degree"),
                showable,
                self.p.shrinkage,
                self._get(kind, "linked"),
                best,
            )
        linked = self._get("random", "linked")
        # Random links stay while both ends may be shown; the other kinds are made from scratch
        linked[~showable] = -1
        # Works with works, as on the shelves of which this is the control
        for sort in (work, ~work):
            pool = np.flatnonzero(showable[: len(work)] & sort)
            inside = np.zeros(size, bool)
            inside[pool] = True
            kernel.link_at_random(pool, inside, keys, stream, now, linked)

    def forget(self, rows: NDArray[np.int64], ring: Ring | None) -> None:
        """Posts are about to be released: nothing may hold their rows. No ring: nobody has consumed
        a work."""
        size = len(self._get("random", "linked"))
        # A post that came after the last growth may be beyond the arrays
        dead = np.zeros(max(size, int(rows.max(initial=-1)) + 1), bool)
        dead[rows] = True
        if ring is not None:
            kernel.forget_rows(dead, ring.bought)
        for kind in KINDS:
            kernel.forget_links(dead, self._get(kind, "linked"))
        for kind in COUNTED:
            # The row is given to another post, whose count begins at 0
            self._get(kind, "degree")[rows[rows < size]] = 0
            # An open-addressed map has no holes: what goes needs a new map
            if kernel.forget_pairs(dead, self._get(kind, "key"), self._get(kind, "weight")):
                self._repack(kind, len(self._get(kind, "key")))

    def stats(self, kind: str) -> dict[str, float]:
        """Pairs counted, posts that have a link, bytes held of one kind."""
        pairs = int(self._get(kind, "used")[0]) if kind in COUNTED else 0
        size = sum(
            array.nbytes for name, array in self.keep.items() if name.startswith(f"links.{kind}.")
        )
        return {
            "pairs": pairs,
            "posts": int((self._get(kind, "linked")[:, 0] >= 0).sum()),
            "bytes": size,
        }
