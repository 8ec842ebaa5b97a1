"""What a finding is: a sentence, and the experiments by which the twin shows or refutes it,
declared before they run.

A finding has parts. A part is either made of worlds, one per arm and replicate, each the default
world with what the arm sets; or of studies, calculations without a world (closed forms, graphs,
real data); or of both. Arms of a control repeat those of the part in a setting in which the effect
must vanish. Every setting that differs from the default world is declared with its reason: as the
dose of an arm, as the world of a part, as the setting of a control, or as its size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from twin.experiments.findings.kit.arms import (
    LAST,
    NOTHING,
    Arm,
    Change,
    Curve,
    Evidence,
    Outcome,
    Size,
    Study,
)
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.readings import Readings


@dataclass(frozen=True)
class Part:
    """One experiment of a finding.

    ``varies`` is the independent variable in words; ``doses`` whether arms lie on an axis of
    numbers (``log_dose``: a logarithmic one); ``windows`` are shares of the run over which means
    are taken; ``controls`` name -> what the control changes. ``judge`` is the verdict rule, fixed
    here and before any run; ``curves`` what is drawn besides the outcomes over the arms.
    ``both_ends`` are the outcomes, one of each side, that the sentence above all findings is asked
    of.
    """

    key: str
    title: str
    varies: str
    judge: Callable[[Readings], Sequence[Claim]]
    arms: Sequence[Arm] = ()
    outcomes: Sequence[Outcome] = ()
    world: Change = field(default_factory=dict)
    controls: Mapping[str, Change] = field(default_factory=dict)
    full: Size = NOTHING
    quick: Size = NOTHING
    windows: Sequence[tuple[float, float]] = LAST
    studies: Callable[[bool], Sequence[Study]] = lambda quick: ()
    curves: Callable[[Readings], Sequence[Curve]] = lambda seen: ()
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
        made = {
            path: value
            for change in (size.sets, self.world, control)
            for path, (value, _) in change.items()
        }
        return made | dict(arm.sets) | {"duration": f"{size.days}d", "warm_up": "0d"}


@dataclass(frozen=True)
class Finding:
    """One of the published results: what it says, how strong its evidence is and where that comes
    from.

    ``note`` is what a reader has to know before the verdict, such as why the sign fails in the
    default world.
    """

    key: str
    title: str
    sentence: str
    evidence: Evidence
    sources: Sequence[str]
    parts: Sequence[Part]
    note: str = ""


class Examined(NamedTuple):
    """A part, the key of the finding that it belongs to, and what its runs left."""

    finding: str
    part: Part
    seen: Readings
