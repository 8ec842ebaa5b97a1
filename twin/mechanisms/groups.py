"""Who gains, who loses: what creators and consumers get, group by group. Read only; it writes
nothing but metrics.

    mean of group g   sum of z_i over the active rows i in g / their number
    tenth k by z      the active rows of rank (k - 1) n / 10 to k n / 10 in rising order of z
                      (equal values in the order in which their rows were opened)
    share of tenth k  L(k / 10) - L((k - 1) / 10), L the Lorenz curve of z

A group is made anew at every reading, of those who belong to it then: somebody who gains followers
moves to a higher tenth. A mean by group so says how the platform treats people in that position,
not how the same people fare. A group in which there is nobody has no reading.

What a creator gets is seen in the impressions of the posts that are now in the feed (those of the
last days) and in pay (a 28-day mean); what a person gets in satisfaction, and in whether they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import DAY
from twin.kernels import groups as kernel
from twin.world.mechanism import Mechanism
from twin.world.metric import Metric, Side
from twin.world.params import Params
from twin.world.state import World

__all__ = ["Groups", "GroupsParams"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_BETWEEN = ("2nd", "3rd", *(f"{k}th" for k in range(4, 10)))
TENTHS = ("lowest_tenth", *(f"{each}_tenth" for each in _BETWEEN), "highest_tenth")
FIFTHS = ("lowest_fifth", "2nd_fifth", "middle_fifth", "4th_fifth", "highest_fifth")
AGES = {"first_month": 0, "1_to_3_months": 30, "3_to_12_months": 90, "over_a_year": 365}
"""Least days on the platform."""
COMMUNITIES = 8
"""So many communities, the largest first, have a series each; the further ones share the last."""
NEW = 28
"""Days for which a person is a newcomer, as retention counts them."""
MIDDLE = 1 / 3
"""Opinions nearer to zero than this are in the middle."""
EDGES, SIDES = np.array(list(AGES.values())[1:], float), np.array([-MIDDLE, MIDDLE])

CREATORS: dict[str, tuple[str, ...]] = {
    "followers": TENTHS,
    "age": tuple(AGES),
    "community": (*map(str, range(1, COMMUNITIES + 1)), "further"),
    "kind": ("human", "assisted", "ai"),
}
CONSUMERS: dict[str, tuple[str, ...]] = {
    "activity": FIFTHS,
    "community": CREATORS["community"],
    "opinion": ("left", "middle", "right"),
    "tenure": ("newcomer", "settled"),
}
"""What rows are grouped by, with the names of the groups."""
WORDS = {
    "followers": "tenth of active creators by followers",
    "age": "time since they began",
    "community": "community, the largest first",
    "kind": "kind of creator: human without and with an AI assistant, and AI",
    "activity": "fifth of active people by how likely they are to come back on any day",
    "opinion": f"opinion: left and right are further than {MIDDLE:.2g} from zero",
    "tenure": f"time since they joined: newcomers came in the last {NEW} days",
}
PANELS: dict[Side, str] = {
    "producer": "Creators who gain and lose",
    "consumer": "Consumers who gain and lose",
}
NOBODY = "no reading of a group in which there is nobody"


def _by_group(
    name: str, unit: str, what: str, side: Side, groups: Mapping[str, tuple[str, ...]]
) -> tuple[Metric, ...]:
    """One quantity by each way of grouping."""
    return tuple(
        Metric(
            f"{name}_by_{split}",
            "gauge",
            unit,
            f"{what}, by {WORDS[split]}; {NOBODY}.",
            side,
            PANELS[side],
            labels={split: values},
            good="up",
            split=split,
            moves="whole cohorts pass from one group to the next"
            if split in ("age", "tenure")
            else "",
        )
        for split, values in groups.items()
    )


def _lorenz(name: str, what: str) -> Metric:
    return Metric(
        name,
        "gauge",
        "1",
        f"Share of {what} that goes to each tenth of active creators, from those with least to "
        f"those with most of it: steps of the Lorenz curve; no reading while there is none.",
        "producer",
        PANELS["producer"],
        labels={"tenth": TENTHS},
        split="tenth",
    )


class GroupsParams(Params):
    """There is nothing to set."""


class Groups(Mechanism[GroupsParams]):
    """Readings by group."""

    name = "groups"
    Params = GroupsParams
    order = 91
    reads = {
        "consumers": (
            "active",
            "community",
            "joined_at",
            "opinion",
            "return_logit",
            "satisfaction",
        ),
        "creators": (
            "active",
            "ai",
            "assisted",
            "campaign",
            "community",
            "entered_at",
            "followers",
            "income",
        ),
        "posts": ("creator", "impressions", "settled", "work"),
    }
    needs = ("consumers.came_this_week",)
    metrics = (
        *_by_group(
            "reach",
            "impressions",
            "Mean impressions of a creator's posts now in the feed",
            "producer",
            CREATORS,
        ),
        *_by_group("pay", "pay/d", "Mean pay of a creator per day", "producer", CREATORS),
        _lorenz("reach_share", "impressions of posts now in the feed"),
        _lorenz("pay_share", "pay"),
        *_by_group(
            "satisfaction", "1", "Mean satisfaction of active people", "consumer", CONSUMERS
        ),
        *_by_group(
            "came_weekly",
            "1",
            "Share of active people who had a session in the last seven days",
            "consumer",
            CONSUMERS,
        ),
    )

    def measure(self) -> None:
        """All means by group, and the steps of both Lorenz curves."""
        self._creators()
        self._consumers()

    def _creators(self) -> None:
        """Accounts of campaigns are in no statistic of creators."""
        here = self.read("creators", "active") & ~self.read("creators", "campaign")
        values = {"reach": reach(self.world), "pay": self.read("creators", "income")}
        for name, each in values.items():
            self.world.board.set_all(
                f"{name}_share", lorenz_steps(each[here].astype(np.float64), len(TENTHS))
            )
        days = (self.world.now - self.read("creators", "entered_at")) / DAY
        human = np.where(self.read("creators", "assisted"), 1, 0)
        followers = np.zeros(len(here), np.int64)
        followers[here] = parts(self.read("creators", "followers")[here], len(TENTHS))
        codes = {
            "followers": followers,
            # the first age begins at 0, below which there is nothing
            "age": kernel.placed(days, EDGES),
            "community": community(self.read("creators", "community")),
            "kind": np.where(self.read("creators", "ai"), 2, human),
        }
        self._publish(values, codes, here, CREATORS)

    def _consumers(self) -> None:
        here = self.read("consumers", "active")
        values = {
            "satisfaction": self.read("consumers", "satisfaction"),
            "came_weekly": self.world.service("consumers.came_this_week")(),
        }
        joined = self.read("consumers", "joined_at")
        # 0: was there when the world began
        new = (joined > 0) & (joined > self.world.now - NEW * DAY)
        eager = self.read("consumers", "return_logit")
        codes = {
            "activity": kernel.placed(eager, lower_edges(eager[here], len(FIFTHS))),
            "community": community(self.read("consumers", "community")),
            "tenure": np.where(new, 0, 1),
        }
        if "opinion" in self.world.table("consumers").columns:
            codes["opinion"] = kernel.placed(self.read("consumers", "opinion"), SIDES)
        self._publish(values, codes, here, CONSUMERS)

    def _publish(
        self,
        values: Mapping[str, NDArray[Any]],
        codes: Mapping[str, Ints],
        here: NDArray[np.bool_],
        groups: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Means of both quantities by each way of grouping; none of a group with nobody."""
        for split, code in codes.items():
            n, *totals = kernel.sums(code, here, *values.values(), len(groups[split]))
            for name, total in zip(values, totals, strict=True):
                means = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
                self.world.board.set_all(f"{name}_by_{split}", means)


def reach(world: World) -> Floats:
    """Impressions by creator of the posts that are in the feed, float64 (creators,)."""
    posts = world.table("posts")
    # a plain post counts until it is settled, a work as long as it lives, as in `probes`
    live = posts.readable("alive") & (~posts.readable("settled") | posts.readable("work"))
    seen: Floats = np.bincount(
        posts.readable("creator")[live],
        weights=posts.readable("impressions")[live].astype(float),
        minlength=len(world.table("creators")),
    ).astype(np.float64)
    return seen


def community(number: NDArray[np.integer]) -> Ints:
    """The place of each community (n,) among the groups."""
    return np.minimum(number.astype(np.int64), COMMUNITIES)


def parts(values: NDArray[np.number], count: int) -> Ints:
    """Which of ``count`` equal parts each value (n,) is in, by rank: 0 the lowest."""
    place = np.empty(len(values), np.int64)
    place[np.argsort(values, kind="stable")] = np.arange(len(values)) * count // max(len(values), 1)
    return place


def lower_edges(values: NDArray[np.floating], count: int) -> NDArray[np.floating]:
    """The least value of every part but the lowest: with these edges values (n,), no two of them
    equal, are in the same parts as by `parts`, without sorting all."""
    first = [-(-k * len(values) // count) for k in range(1, count)]
    # of fewer values than parts, the last parts are empty
    first = [each for each in first if each < len(values)]
    return np.partition(values, first)[first] if first else values[:0]


def lorenz_steps(values: Floats, steps: int) -> Floats:
    """Rises of the Lorenz curve of non-negative values over equal parts of those who hold them,
    float64 (steps,); NaN where there is nothing to share. The curve is linear between two holders.
    """
    total = float(values.sum())
    if total <= 0:
        return np.full(steps, np.nan)
    curve = np.concatenate([[0.0], np.cumsum(np.sort(values))]) / total
    holders = np.linspace(0, 1, len(curve))
    rises = np.diff(np.interp(np.linspace(0, 1, steps + 1), holders, curve))
    return np.asarray(rises, np.float64)
