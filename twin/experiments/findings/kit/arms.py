"""What a part of a finding is declared with: settings with their reasons, arms, outcomes, sizes,
studies and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.experiments.findings.kit.claims import UNSTATED, Matters

Evidence = Literal["validated", "sign", "hypothesis"]
Side = Literal["producer", "consumer"]
Change = Mapping[str, tuple[str, str]]
"""Settings that differ from the default world: path -> (value as --set takes it, reason)."""
# The first half is for the feed to learn in, and for people and creators to respond.
LAST = ((0.5, 1.0),)
"""The usual window: the second half of a run."""


def because(reason: str, **values: str) -> dict[str, tuple[str, str]]:
    """Several settings with one reason; ``__`` in a name stands for the dot."""
    return {path.replace("__", "."): (value, reason) for path, value in values.items()}


@dataclass(frozen=True)
class Arm:
    """One setting of the independent variable. ``dose`` is its place on the axis (NaN: none), and
    ``sets`` maps paths to values.

    ``control`` names the control that the arm belongs to, empty for the part itself; what the
    control changes is in ``Part.controls``.
    """

    name: str
    dose: float
    sets: Mapping[str, str] = field(default_factory=dict)
    control: str = ""


class Range(NamedTuple):
    """What is not known of a setting: its least and largest value, and where they come from. Every
    replicate draws a value, the same in all arms."""

    low: float
    high: float
    why: str


def drawn(ranges: Mapping[str, Range], replicate: int) -> dict[str, str]:
    """Values of a replicate, by path: places u in the ranges by the additive recurrence
    u_r = (1/2 + r a_k) mod 1, whose points fill a cube of d dimensions evenly however many there
    are, with a_k = g^-k and g the root of x^(d + 1) = x + 1 (Roberts 2018). No seed enters."""
    g = 2.0
    # A contraction whose fixed point is the root; 64 steps are exact to rounding.
    for _ in range(64):
        g = (1 + g) ** (1 / (len(ranges) + 1))
    return {
        path: f"{one.low + (one.high - one.low) * ((0.5 + replicate * g ** -(k + 1)) % 1):.4g}"
        for k, (path, one) in enumerate(ranges.items())
    }


@dataclass(frozen=True)
class Outcome:
    """A dependent variable: a metric of the board, the side that it shows, its name in claims and
    pictures, and the smallest change of it that matters (for claims about it)."""

    metric: str
    side: Side
    words: str
    labels: Mapping[str, str] = field(default_factory=dict)
    matters: Matters = UNSTATED


@dataclass(frozen=True)
class Size:
    """Worlds per arm, days of each, and the settings that make worlds smaller than the default,
    with their reasons."""

    replicates: int
    days: int
    sets: Change = field(default_factory=dict)


NOTHING = Size(0, 0)
"""No worlds."""


def smaller(
    replicates: int, days: int, people: int, creators: int, also: Change | None = None, **more: str
) -> Size:
    """A platform of so many people and human creators, in coarser steps than the default.

    ``more`` are further settings of its size (``__`` for the dot), ``also`` settings with reasons
    of their own.
    """
    return Size(
        replicates,
        days,
        {
            **because(
                "size: a smaller platform with coarser steps",
                **{
                    "audience__initial": str(people),
                    "creators__human__initial": str(creators),
                    "recommender__lists": "8",
                    "recommender__refresh": "30min",
                    "metrics__every": "1d",
                    **more,
                },
            ),
            # Last, so that a setting with a reason of its own wins.
            **(also or {}),
        },
    )


def minimal_feed(people: int) -> dict[str, tuple[str, str]]:
    """So many people and as little feed as can be: for worlds of an assistant, which needs people
    and no feed, and nobody's answers depend on what is shown."""
    return because(
        "size: people and a minimal feed, which the assistant does not touch",
        audience__initial=str(people),
        creators__human__initial="20",
        creators__ai__initial="0",
        network__communities="4",
        recommender__lists="4",
        recommender__dim="4",
        recommender__refresh="30min",
        metrics__every="1d",
    )


@dataclass(frozen=True)
class Study:
    """A calculation without a world.

    ``call`` names a ``module:function`` below `twin.experiments.findings`. It takes seed, data (a
    folder, or empty) and ``args``, plain data, and returns an array: empty where its data are
    missing.
    """

    name: str
    call: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """A line of a picture: x, middle, ends of intervals (empty for none); ``panel`` is the title of
    the picture that it belongs to."""

    panel: str
    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    x_label: str = ""
    y_label: str = ""
    log_x: bool = False
    control: bool = False


def averaged(
    panel: str,
    name: str,
    x: Sequence[float],
    values: NDArray[np.float64],
    x_label: str = "",
    y_label: str = "",
    control: bool = False,
) -> Curve:
    """A line of means with two standard errors to each side, from values (points, replicates)."""
    # Two standard errors: pictures show about 95 %, verdicts compute their own intervals.
    mean, half = values.mean(1), 2 * values.std(1, ddof=1) / np.sqrt(values.shape[1])
    return Curve(
        panel,
        name,
        x=x,
        y=mean.tolist(),
        low=(mean - half).tolist(),
        high=(mean + half).tolist(),
        x_label=x_label,
        y_label=y_label,
        control=control,
    )
