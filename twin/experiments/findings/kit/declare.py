"""What a finding is: a sentence, and the experiments by which the twin shows or refutes it,
declared before they run.

A finding has parts. A part has worlds, or studies, or both. There is one world per arm and
replicate: the default world with the settings of the arm. A study is a calculation without a world
(closed forms, graphs, real data). Arms of a control repeat those of the part in a setting in which
the effect must vanish. One to three primary claims decide, each with controls
(`twin.experiments.findings.kit.verdicts`). Every setting that differs from the default world is
declared with its reason: as the dose of an arm, as the world of a part, as the setting of a
control, or as its size.
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
    Range,
    Size,
    Study,
    drawn,
)
from twin.experiments.findings.kit.claims import Claim
from twin.experiments.findings.kit.readings import Readings


@dataclass(frozen=True)
class Part:
    """One experiment of a finding.

    ``varies`` is the independent variable in words. ``doses`` says whether arms lie on an axis of
    numbers, ``log_dose`` that it is a logarithmic one. ``windows`` are the parts of the run over
    which means are taken, as shares of it. ``controls`` maps the name of a control to what it
    changes. ``drawn`` are settings that every replicate draws from a range, where the control does
    not set them. ``judge`` makes the claims, which are fixed here before any run: what is primary, what
    matters, and which controls belong to it. ``curves`` are drawn besides the outcomes over the
    arms. ``both_ends`` are two outcomes, one of each side, for finding 8.
    """

    key: str
    title: str
    varies: str
    judge: Callable[[Readings], Sequence[Claim]]
    arms: Sequence[Arm] = ()
    outcomes: Sequence[Outcome] = ()
    world: Change = field(default_factory=dict)
    controls: Mapping[str, Change] = field(default_factory=dict)
    drawn: Mapping[str, Range] = field(default_factory=dict)
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

    def sets(self, arm: Arm, size: Size, replicate: int = 0) -> dict[str, str]:
        """All settings of an arm; the later ones win: size, world, what the replicate draws,
        control, dose. Without a ``warm_up`` of their own, worlds have none.
        """
        control = self.controls[arm.control] if arm.control else {}
        # Without a warm-up doses act from the start, so both ends of an effect are in the readings.
        made = {"warm_up": "0d"} | {
            path: value for change in (size.sets, self.world) for path, (value, _) in change.items()
        }
        made |= drawn(self.drawn, replicate)
        made |= {path: value for path, (value, _) in control.items()}
        return made | dict(arm.sets) | {"duration": f"{size.days}d"}


@dataclass(frozen=True)
class Finding:
    """A published result: what it says, how strong its evidence is, and its sources.

    ``note`` is what readers need to know beside the verdict, such as why the sign fails in the
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
    """A part, the key of its finding, and the readings of its runs."""

    finding: str
    part: Part
    seen: Readings
