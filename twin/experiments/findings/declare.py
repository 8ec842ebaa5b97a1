"""What a finding is: a sentence, and the experiments by which the twin shows or refutes it, declared before they run.

A finding has parts. A part is either made of worlds, one per arm and replicate, each the default world with what the arm sets; or of
studies, calculations without a world (closed forms, graphs, real data); or of both. Arms of a control repeat those of the part in a
setting in which the effect must vanish. Every setting that differs from the default world is declared with its reason: as the dose of an
arm, as the world of a part, as the setting of a control, or as its size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from twin.experiments.findings.judging import Claim
    from twin.experiments.findings.seen import Seen

Evidence = Literal["validated", "sign", "hypothesis"]
Side = Literal["producer", "consumer"]
Change = Mapping[str, tuple[str, str]]
"""Settings that differ from the default world: path -> (value as --set takes it, reason)."""
LAST = ((0.5, 1.0),)
"""The usual window: the second half of a run."""


def because(reason: str, **values: str) -> dict[str, tuple[str, str]]:
    """Several settings with one reason; ``__`` in a name stands for the dot."""
    return {path.replace("__", "."): (value, reason) for path, value in values.items()}


@dataclass(frozen=True)
class Arm:
    """One setting of the independent variable: ``dose`` is where it stands on the axis (NaN: none), ``sets`` path -> value.

    ``control`` names the control that the arm belongs to, empty for the part itself; what the control changes is in ``Part.controls``.
    """

    name: str
    dose: float
    sets: Mapping[str, str] = field(default_factory=dict)
    control: str = ""


@dataclass(frozen=True)
class Outcome:
    """A dependent variable: a metric of the board, whose side it shows, and how it is called in pictures."""

    metric: str
    side: Side
    words: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Size:
    """How large: worlds per arm, days of each, and what makes worlds smaller than the default (with the reason)."""

    replicates: int
    days: int
    sets: Change = field(default_factory=dict)


def smaller(replicates: int, days: int, people: int, creators: int, also: Change | None = None, **more: str) -> Size:
    """A platform of so many people and human creators, in coarser steps than the default, and what else (``__`` for the dot); ``also`` is
    what has a reason of its own."""
    return Size(replicates, days, {**because("size: a smaller platform with coarser steps", **{
        "audience__initial": str(people), "creators__human__initial": str(creators), "recommender__lists": "8",
        "recommender__refresh": "30min", "metrics__every": "1d", **more}), **(also or {})})


@dataclass(frozen=True)
class Study:
    """A calculation without a world: ``call`` names ``module:function`` in this package; it takes seed, data (a folder, or empty) and
    ``args``, plain data, and returns an array.
    """

    name: str
    call: str
    args: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    """A line of a picture: x, middle, ends of intervals (empty for none); ``panel`` is the title of the picture that it belongs to."""

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


def averaged(panel: str, name: str, x: Sequence[float], values: NDArray[np.float64], x_label: str = "", y_label: str = "",
             control: bool = False) -> Curve:
    """A line of means with two standard errors to each side, from values (points, replicates)."""
    mean, half = values.mean(1), 2 * values.std(1, ddof=1) / np.sqrt(values.shape[1])
    return Curve(panel, name, x, mean.tolist(), (mean - half).tolist(), (mean + half).tolist(), x_label, y_label, control=control)


@dataclass(frozen=True)
class Part:
    """One experiment of a finding.

    ``varies`` is the independent variable in words; ``doses`` whether arms lie on an axis of numbers (``log_dose``: a logarithmic one);
    ``windows`` are shares of the run over which means are taken; ``controls`` name -> what the control changes. ``judge`` is the verdict
    rule, fixed here and before any run; ``curves`` what is drawn besides the outcomes over the arms. ``both_ends`` are the outcomes, one of
    each side, that the sentence above all findings is asked of.
    """

    key: str
    title: str
    varies: str
    judge: Callable[[Seen], Sequence[Claim]]
    arms: Sequence[Arm] = ()
    outcomes: Sequence[Outcome] = ()
    world: Change = field(default_factory=dict)
    controls: Mapping[str, Change] = field(default_factory=dict)
    full: Size = Size(0, 0)
    quick: Size = Size(0, 0)
    windows: Sequence[tuple[float, float]] = LAST
    studies: Callable[[bool], Sequence[Study]] = lambda quick: ()
    curves: Callable[[Seen], Sequence[Curve]] = lambda seen: ()
    doses: bool = False
    log_dose: bool = False
    both_ends: tuple[Outcome, Outcome] | None = None

    def size(self, quick: bool) -> Size:
        """The size of the quick or the full set."""
        return self.quick if quick else self.full

    def sets(self, arm: Arm, size: Size) -> dict[str, str]:
        """All settings of an arm; what comes later wins: size, world, control, dose. There is no
        warm-up: doses act from the begin."""
        control = self.controls[arm.control] if arm.control else {}
        made = {path: value for change in (size.sets, self.world, control) for path, (value, _) in change.items()}
        return made | dict(arm.sets) | {"duration": f"{size.days}d", "warm_up": "0d"}


@dataclass(frozen=True)
class Finding:
    """One of the published results: what it says, how strong its evidence is and where that comes from.

    ``note`` is what a reader has to know before the verdict, such as why the sign fails in the default world.
    """

    key: str
    title: str
    sentence: str
    evidence: Evidence
    sources: Sequence[str]
    parts: Sequence[Part]
    note: str = ""
