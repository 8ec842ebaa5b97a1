"""The sessions of a serving window with their candidates, as a ranker sees them.

All of it is what a platform knows: ids, times, public counters as of the last refresh, what
classifiers read off posts, the person's own history, and the vectors of the built-in model. Nothing
is here of what people and posts truly are; the reads go through the recommender, to which hidden
columns are refused. An array is put together when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.draws import Draws, children
from twin.kernels.create import SIGNALS
from twin.kernels.own import Offer
from twin.kernels.rules import SOURCES
from twin.kernels.snapshot import Serving

__all__ = ["SIGNALS", "SOURCES", "Batch", "Feed"]


@dataclass(frozen=True)
class Feed:
    """What a batch is read from. ``read`` gives a column that a platform can observe, ``counts`` the
    public counters at the last refresh of the posts in ``served.eligible`` (i4 (E, 8), and
    impressions i4 (E,)), ``levers`` the values of a lever by arm of consumers."""

    read: Callable[[str, str], NDArray[Any]]
    served: Serving
    counts: tuple[NDArray[np.int32], NDArray[np.int32]]
    draws: Draws
    levers: Callable[[str], list[Any]]
    warm_up: int
    """Seconds before the scenario's start at which the world began."""


def _shown(array: NDArray[Any]) -> NDArray[Any]:
    """The array, read-only."""
    view = array.view()
    view.flags.writeable = False
    return view


class Posts:
    """What a platform knows of posts (m); all arrays are read-only.

    Rows (``post``, ``creator``) are places in tables and may be given to others once they are free
    (`Ranker.gone` tells); ids are for good.
    """

    def __init__(self, post: NDArray[np.int32], feed: Feed) -> None:
        self._feed = feed
        self.post = _shown(post)
        """Row of each post, i4 (m,)."""

    def some(self, which: NDArray[Any]) -> Posts:
        """Some of them, by their places."""
        return Posts(self.post[which], self._feed)

    @cached_property
    def post_id(self) -> NDArray[np.uint64]:
        """Id of each post, u8 (m,)."""
        return _shown(self._feed.served.item_key[self.post])

    @cached_property
    def creator(self) -> NDArray[np.int32]:
        """Row of each post's creator, i4 (m,)."""
        return _shown(self._feed.served.item_creator[self.post])

    @cached_property
    def creator_id(self) -> NDArray[np.uint64]:
        """Id of each post's creator, u8 (m,)."""
        return _shown(self._feed.read("creators", "key")[self.creator])

    @cached_property
    def created_at(self) -> NDArray[np.int64]:
        """When each post was made, s since the scenario's start, i8 (m,)."""
        return _shown(self._feed.served.item_born[self.post] - self._feed.warm_up)

    @cached_property
    def signals(self) -> NDArray[np.float32]:
        """Slant, arousal and comprehensiveness of each post as classifiers read them, with their
        errors, f4 (m, 3)."""
        return _shown(self._feed.served.signal[self.post])

    @cached_property
    def _place(self) -> NDArray[np.int64]:
        # Only eligible posts are candidates, and these ascend
        return np.searchsorted(self._feed.served.eligible, self.post)

    @cached_property
    def responses(self) -> NDArray[np.int32]:
        """Public counters of each post at the last refresh, by RESPONSES, i4 (m, 8)."""
        return _shown(self._feed.counts[0][self._place])

    @cached_property
    def impressions(self) -> NDArray[np.int32]:
        """Times that each post had been looked at, at the last refresh, i4 (m,)."""
        return _shown(self._feed.counts[1][self._place])

    @cached_property
    def popularity(self) -> NDArray[np.float32]:
        """Clicks of each post at the last refresh, fading by ``recommender.trend_half_life``, f4
        (m,)."""
        return _shown(self._feed.served.trend_score[self.post])

    @cached_property
    def followers(self) -> NDArray[np.int32]:
        """Followers of each creator at the last rebuild of the follow graph, i4 (m,)."""
        return _shown(self._feed.read("creators", "followers")[self.creator])

    @cached_property
    def ai(self) -> NDArray[np.bool_]:
        """Whether each creator is an AI, bool (m,)."""
        return _shown(self._feed.served.item_ai[self.post])


class Batch(Posts):
    """Sessions (n) and their candidates (m), one session after another; all arrays are read-only.

    Candidates are `Posts`, a post once for each session that may show it.
    """

    def __init__(self, rows: NDArray[np.int64], offer: Offer, feed: Feed) -> None:
        super().__init__(offer.post, feed)
        self.person, self.start = _shown(rows), _shown(offer.start)
        """Row of each person i8 (n,); where the candidates of each session begin i8 (n + 1,)."""
        self.source = _shown(offer.source)
        """Place in SOURCES of each candidate, i1 (m,)."""

    def __len__(self) -> int:
        return len(self.person)

    @property
    def size(self) -> int:
        """How many candidates there are in all."""
        return len(self.post)

    # Of sessions

    def _of_person(self, column: str) -> NDArray[Any]:
        return _shown(self._feed.read("consumers", column)[self.person])

    @cached_property
    def person_id(self) -> NDArray[np.uint64]:
        """Id of each person, u8 (n,)."""
        return self._of_person("key")

    @cached_property
    def at(self) -> NDArray[np.int64]:
        """When each session begins, s since the scenario's start, i8 (n,)."""
        return _shown(self._of_person("next_at") - self._feed.warm_up)

    @cached_property
    def visits(self) -> NDArray[np.int32]:
        """Sessions that the person has had before, i4 (n,)."""
        return self._of_person("sessions")

    @cached_property
    def joined_at(self) -> NDArray[np.int64]:
        """When the person joined, s since the scenario's start, i8 (n,)."""
        return _shown(self._of_person("joined_at").astype(np.int64) - self._feed.warm_up)

    @cached_property
    def time_zone(self) -> NDArray[np.int8]:
        """Hours of local time ahead of UTC, i1 (n,)."""
        return self._of_person("tz")

    @cached_property
    def seen(self) -> NDArray[Any]:
        """Rows of the posts that the person has looked at lately, in no order, -1 for none (n,
        32)."""
        return self._of_person("seen")

    @cached_property
    def viewed(self) -> NDArray[Any]:
        """Rows of the posts that the person has viewed to the end last, in no order, -1 for none (n,
        4)."""
        return self._of_person("viewed")

    def lever(self, name: str) -> NDArray[Any]:
        """The value in effect of a ranker's parameter that is a lever ``per="consumers"``, for each
        session (n,)."""
        values: NDArray[Any] = np.array(self._feed.levers(name))[self.arm]
        return values

    # Of candidates

    @cached_property
    def session(self) -> NDArray[np.int64]:
        """Number of the session of each candidate, i8 (m,)."""
        return _shown(np.repeat(np.arange(len(self)), np.diff(self.start)))

    @cached_property
    def age(self) -> NDArray[np.int64]:
        """Age of each post when the session begins, s, i8 (m,)."""
        return _shown(self.at[self.session] - self.created_at)

    @cached_property
    def distinct(self) -> tuple[Posts, NDArray[np.int64]]:
        """The posts among the candidates, each once, by row; and the place of each candidate among
        them, i8 (m,)."""
        there = np.zeros(int(self.post.max(initial=-1)) + 1, bool)
        there[self.post] = True
        rows = np.flatnonzero(there)
        place = np.zeros(len(there), np.int64)
        place[rows] = np.arange(len(rows))
        return Posts(rows.astype(np.int32), self._feed), _shown(place[self.post])

    @property
    def model(self) -> Serving:
        """The built-in model as it is served (vectors by row, dense weights, feed weights and rules
        by arm): see `twin.kernels.snapshot`. Not to be written."""
        return self._feed.served

    @cached_property
    def arm(self) -> NDArray[np.int8]:
        """The arm of each person, the row of ``model.weights`` and ``model.rules``, i1 (n,)."""
        return self._of_person("arm")

    def uniforms(self, decision: str) -> NDArray[np.float64]:
        """A uniform in (0, 1) for each candidate, f8 (m,), by (person, session, post) and the name
        of the decision: the same however sessions are batched."""
        both = children(self.person_id[self.session], self.post_id.view(np.int64))
        visit = self.visits[self.session]
        return self._feed.draws.uniforms(f"recommender.ranker.{decision}", both, visit)[:, 0]
