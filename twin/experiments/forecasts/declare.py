"""What a registered field experiment is: its design, the branches of a world that stand for its
arms, and how each of its outcomes is read off them.

A world runs to the fork under the experiment's settings. There it is continued once for every
branch that a reading needs. An outcome y compares a treated value t with a control value c of one
quantity, over a window of days after the fork:

    rel     y = ln(t / c)
    sd      y = (t - c) / spread       spread: sd of the control group, between persons or posts
    size    y = |t - c| / spread       for outcomes whose sign is arbitrary
    pt      y = 100 (t - c)            points of a scale of 100, for quantities in 0 .. 1
    level   y = t                      a correlation or other number that compares nothing

``sesoi`` is the smallest effect of interest on the same scale: inside it an effect counts as null.
Which quantities there are is said in `twin.experiments.forecasts.quantities`. An outcome lists its
readings in order of preference; the first one whose metrics the scenario declares is used, and an
outcome without any is answered "cannot", with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["development", "in-sample", "blind", "reserve"]
"""development: results are known, and scored by `results`; in-sample: they set parameters of the
twin, so they are checks and never forecasts (of a whole experiment, or of single outcomes of
another); blind: nobody here knows the results; reserve: blind, used where a blind one has leaked."""
Form = Literal["rel", "sd", "size", "pt", "level"]
Topic = Literal["consumption", "diversity", "content", "production", "attitudes", "chatbot"]
"""What an outcome is about: naive forecasters take the mean effect of a topic."""
Levers = Mapping[str, Any]
BURN_IN_D = 60.0
"""Days from the scenario's start to the fork, unless an experiment says otherwise."""
TREATED = "treated"
"""The name of a policy for a share. It keys the draw of who is treated, so all experiments with one
share treat the same people, and so does a placebo."""


@dataclass(frozen=True)
class Branch:
    """A way to continue a world. ``policies`` are as in a policy file, without times: they take
    effect at the fork. ``sets`` are settings of the whole world, and ``before`` policies that take
    effect at its start, for arms that no policy at the fork can make; such a branch has a world of
    its own."""

    says: str
    policies: tuple[Mapping[str, Any], ...] = ()
    sets: Levers = field(default_factory=dict)
    before: tuple[Mapping[str, Any], ...] = ()


AS_IS = Branch("as it is")


def everybody(says: str, levers: Levers) -> Branch:
    """A policy for all."""
    return Branch(says, ({"name": TREATED, "set": dict(levers)},))


def part(says: str, levers: Levers, share: float, of: str = "consumers") -> Branch:
    """A policy for a share."""
    return Branch(says, ({"name": TREATED, "share": share, "of": of, "set": dict(levers)},))


@dataclass(frozen=True)
class Reading:
    """How an outcome is read: ``quantity`` in branch ``treated`` against the same in ``control``.

    ``arms``: treated and control people of one branch, as an experimenter reads them: of the policy
    for a share with number ``policy``, in the stratum ``stratum`` (see `readings.groups`);
    ``flipped``: the policy stands for what the control group gets. ``against``: another quantity of
    the same branch, where both arms are series of one world. Several quantities, joined by ``&``,
    are an index: the mean of their effects.
    """

    quantity: str
    treated: str
    control: str
    arms: bool = False
    flipped: bool = False
    against: str = ""
    policy: int = 1
    stratum: str = ""

    @property
    def parts(self) -> list[str]:
        """Names of the quantities of an index; of any other reading, its own."""
        return [each.strip() for each in self.quantity.split("&")]

    @property
    def estimand(self) -> str:
        """In words, for the forecast."""
        if self.arms:
            stratum = " within a stratum" if self.stratum else ""
            return f"treated against control in one world{stratum}"
        return "within one world" if self.against else "whole worlds, forked"


def by_arm(quantity: str, branch: str, flipped: bool = False) -> Reading:
    """Treated against control people of one branch."""
    return Reading(quantity, branch, branch, arms=True, flipped=flipped)


def by_stratum(quantity: str, branch: str, policy: int, stratum: str) -> Reading:
    """The same within a stratum."""
    return Reading(quantity, branch, branch, arms=True, policy=policy, stratum=stratum)


def whole(quantity: str, treated: str, control: str) -> Reading:
    """Two branches of one world: what the effect would be if all were treated."""
    return Reading(quantity, treated, control)


def within(quantity: str, against: str, branch: str) -> Reading:
    """Two quantities of one branch."""
    return Reading(quantity, branch, branch, against=against)


@dataclass(frozen=True)
class Outcome:
    """One outcome of an experiment.

    ``days``: window after the fork, begin and end; ``beside``: further windows, reported and not
    scored. ``optimised``: +1 if the first arm of the comparison has the more optimised or
    personalised feed or assistant, -1 if the less, 0 if neither. ``sign``: only the sign is known
    or will be. Secondary outcomes (not ``primary``) are scored apart; those called B1, B2 ... are
    no outcomes of the experiment, but what its registration asks to report beside them.
    ``in_sample``: parameters of the twin were fitted to this result, so it is a check, although its
    experiment is none. ``nearest``: outcomes of the development set that N2 takes over, with the
    sign that the arms give. ``scale``: share of the effect that non-compliance leaves, where the analysis is by
    intention to treat. ``cannot``: why no metric could ever express it.
    """

    id: str
    says: str
    form: Form
    sesoi: float
    topic: Topic
    readings: tuple[Reading, ...] = ()
    days: tuple[float, float] = (0.0, 28.0)
    beside: tuple[tuple[float, float], ...] = ()
    optimised: int = 0
    sign: bool = False
    primary: bool = True
    in_sample: bool = False
    nearest: tuple[tuple[str, int], ...] = ()
    scale: float = 1.0
    cannot: str = ""


@dataclass(frozen=True)
class FieldExperiment:
    """A registered experiment.

    ``design`` says what was done, ``confounders`` what else differs between it and the twin,
    ``lacks`` what the twin has no counterpart of. ``world``: settings on the default world;
    ``ranges``: what is drawn beside the ranges of `twin stress`; ``days``: length after the fork.
    """

    id: str
    title: str
    status: Status
    design: str
    confounders: str
    outcomes: tuple[Outcome, ...]
    branches: Mapping[str, Branch] = field(default_factory=dict)
    world: Levers = field(default_factory=dict)
    ranges: tuple[str, ...] = ()
    burn_in_d: float = BURN_IN_D
    days: float = 28.0
    lacks: str = ""

    def status_of(self, outcome: Outcome) -> Status:
        """The status of an outcome: that of the experiment, unless it was fitted to."""
        return "in-sample" if outcome.in_sample else self.status

    @property
    def checks(self) -> list[str]:
        """Ids of outcomes that are in-sample."""
        return [each.id for each in self.outcomes if self.status_of(each) == "in-sample"]

    @property
    def standing(self) -> str:
        """The status in words, with the outcomes that have another."""
        if self.status == "in-sample" or not self.checks:
            return self.status
        return f"{self.status}; in-sample: {', '.join(self.checks)}"
