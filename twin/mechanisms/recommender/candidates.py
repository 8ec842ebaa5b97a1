"""Parameters of what is offered: candidates by source, and the shelf of related works."""

from __future__ import annotations

from typing import Literal

from twin.world.params import Params, par


class Quota(Params):
    """Candidates per session by source; a missing one is taken from the preset."""

    # Not given: the preset's, which may differ by arm
    in_network: int | None = par(
        None,
        "newest posts of followed creators",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: X 2023 half, X 2026 55 of 100; else an assumption",
    )
    nearest: int | None = par(
        None,
        "nearest posts of the two-tower index",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: an assumption",
    )
    trending: int | None = par(
        None,
        "posts with most clicks lately",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: an assumption",
    )
    explore: int | None = par(
        None,
        "posts that few have seen",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
        source="the preset's: an assumption",
    )
    # No preset has these: off by default
    co_viewed: int = par(
        0,
        "posts co-viewed with those viewed last",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
    )
    bought_together: int = par(
        0,
        "works bought together with those viewed last",
        unit="posts",
        low=0,
        high=500,
        lever=True,
        per="consumers",
    )


class Shelf(Params):
    """The shelf of related works that follows a work, shown to those who have viewed it to the
    end."""

    kind: Literal["co_viewed", "bought_together", "random", "none"] = par(
        "co_viewed", "which links it shows", lever=True, per="consumers"
    )
    size: int = par(
        4,
        "works on it",
        unit="posts",
        low=0,
        high=50,
        lever=True,
        per="consumers",
        under=".kind!=none",
    )
