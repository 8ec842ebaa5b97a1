"""Policies: timed, ramped or conditional changes of levers during a run.

A policy takes hold at a time (``at``) or when a published metric crosses a number (``when``), once,
and ends at ``until`` or never. Policies in force lie on one another in the order in which they took
hold: a lever has the value of the uppermost one that sets it, or what the scenario gave it. A ramp
moves a number in a straight line from the value below to the new one.

All times are seconds since the scenario's start: in a warm-up no policy acts, no condition is
judged, and nobody is drawn for a share yet.

What has taken hold, when, and the scenario's own values are one JSON text in the World's state, so
a resumed run goes on exactly; a fork with other policies keeps those with the same name and drops
the rest.

A policy for a ``share`` of consumers or creators treats those whose draw, keyed by the policy's
name and the person, is below the share: the same people in every branch, whenever they join. Each
combination of such policies is an arm (see `World.arms`), and the column ``arm`` says who is in
which: bit k for the k-th policy for a share of that table.
"""

from __future__ import annotations

import copy
import json
import math
import re
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from twin.ground.units import NEVER, format_duration
from twin.world.columns import Column
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, par
from twin.world.state import Lever

SHARED = ("consumers", "creators")
MOST_SHARES = 4
"""Most policies for a share of one table: their combinations are arms, and every arm has settings
of its own."""
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION = re.compile(
    rf"^\s*([A-Za-z_]\w*)\s*(?:\{{([^{{}}]*)\}})?\s*(<=|>=|<|>)\s*({_NUMBER})\s*$"
)
_LABEL = re.compile(r"^\s*([A-Za-z_]\w*)\s*=\s*([^\s=,{}]+)\s*$")


def parse_condition(text: str) -> tuple[str, dict[str, str], str, float]:
    """Metric, labels, operator and number of ``METRIC OP NUMBER`` or ``METRIC{label=value} OP
    NUMBER``.

    Raises ValueError with the mend for anything else.
    """
    match = _CONDITION.match(text)
    number = float(match[4]) if match else math.inf
    if match is None or not math.isfinite(number):
        raise ValueError(
            f"{text!r} is not a condition; write METRIC OP NUMBER with OP one of < <= > >=, "
            "such as creator_human_share < 0.4 or posts{by=ai} > 1000"
        )
    labels: dict[str, str] = {}
    for part in match[2].split(",") if match[2] is not None else []:
        label = _LABEL.match(part)
        if label is None or label[1] in labels:
            raise ValueError(
                f"{{{match[2]}}} are not labels; write each once as label=value, such as "
                f"posts{{by=ai}}"
            )
        labels[label[1]] = label[2]
    return match[1], labels, match[3], number


def holds(value: float, op: str, number: float) -> bool:
    """Whether ``value op number``; never for NaN."""
    return {"<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number}[
        op
    ]


class Policy(Params):
    """One change of levers."""

    name: str = par("", "what marks and reports call it; empty: what it sets")
    at: Duration | None = par(None, "time at which it takes hold", unit="s", grid=True)
    until: Duration | None = par(
        None, "time at which it ends and what was before returns", unit="s", grid=True
    )
    ramp: Duration = par(0, "time over which numbers move to their new value", unit="s", low=0)
    when: str | None = par(
        None, "condition on a metric, such as creator_human_share < 0.4; it takes hold once"
    )
    after: Duration | None = par(
        None,
        "the condition counts from this time on only; nothing: from the start",
        unit="s",
        grid=True,
    )
    share: float | None = par(
        None,
        "share of people whom it treats, a stable random sample; nothing: everybody",
        low=0,
        high=1,
    )
    of: Literal["consumers", "creators"] = par("consumers", "whose share: consumers or creators")
    set: dict[str, float | int | bool | str] = par({}, "levers and their new values")

    @field_validator("when")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            parse_condition(value)
        return value

    @property
    def title(self) -> str:
        """The name, or what it sets."""
        return (
            self.name
            or ", ".join(f"{lever}={value}" for lever, value in self.set.items())
            or "nothing"
        )

    def describe(self) -> str:
        """One line: when it takes hold and what it sets."""
        when = [
            f"at {format_duration(self.at)}" if self.at is not None else "",
            f"when {self.when}" if self.when else "",
            f"after {format_duration(self.after)}" if self.after is not None else "",
            f"until {format_duration(self.until)}" if self.until is not None else "",
            f"over {format_duration(self.ramp)}" if self.ramp else "",
            f"for {self.share:.0%} of {self.of}" if self.share is not None else "",
        ]
        changes = ", ".join(f"{lever}={value}" for lever, value in self.set.items())
        return f"{self.title}: {', '.join(part for part in when if part) or 'from the start'}: {changes}"


class PoliciesParams(Params):
    """The plan of a run."""

    plan: tuple[Policy, ...] = par((), "policies, in the order in which they are listed")


class Policies(Mechanism[PoliciesParams]):
    """Changes levers as planned."""

    name = "policies"
    Params = PoliciesParams
    order = 5
    sees_hidden = False
    columns = {
        table: (
            Column(
                "arm", "i1", "1", "Which combination of policies for a share of these holds here"
            ),
        )
        for table in SHARED
    }
    metrics = (
        Metric(
            "policies_active", "gauge", "policies", "Policies in force.", "platform", "Policies"
        ),
    )

    _due = 0  # nothing can change before this time; a cache, safe to lose

    def setup(self) -> None:
        """Nothing has taken hold yet; no metric has been published."""
        self._store(
            {"held": [], "ended": [], "base": {}, "shares": {table: [] for table in SHARED}}
        )
        self.keep["read"] = np.zeros(1, bool)

    def clocks(self) -> list[Every]:
        """Policies take hold at the serving snapshot's pace."""
        return [Every(self.world.grid, "policy", self.apply, first=0)]

    def _shares(self, table: str) -> list[Policy]:
        """Policies for a share of a table, in the order of their bits."""
        return [policy for policy in self.p.plan if policy.share is not None and policy.of == table]

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw which policies for a share will treat a newcomer."""
        if table in SHARED and self.world.elapsed >= 0:
            self._draw(table, rows)

    def _draw(self, table: str, rows: NDArray[np.int64]) -> None:
        arm = np.zeros(len(rows), np.int8)
        for bit, policy in enumerate(self._shares(table)):
            luck = self.uniforms(f"share.{policy.title}", self.read(table, "key")[rows])[:, 0]
            arm |= (luck < float(policy.share or 0)).astype(np.int8) << np.int8(bit)
        self.mine(table, "arm")[rows] = arm

    def _load(self) -> dict[str, Any]:
        """A copy that may be changed: the record in the World is replaced, never written into."""
        state: dict[str, Any] = copy.deepcopy(self.world.records[self.name])
        return state

    def _store(self, state: dict[str, Any]) -> None:
        self.world.records[self.name] = state

    def apply(self) -> None:
        """Let policies take hold and end, and set every lever that they touch."""
        now, news = self.world.elapsed, bool(self.keep["read"][0])
        if now < 0 or (now < self._due and not news):
            return
        self.keep["read"][0] = False
        state, plan = self._load(), {policy.title: policy for policy in self.p.plan}
        for table in SHARED:
            shares = [[policy.title, policy.share] for policy in self._shares(table)]
            if shares != state["shares"][table]:  # a new world, or a fork with another plan
                state["shares"][table] = shares
                self._draw(table, np.flatnonzero(self.read(table, "alive")))
        state["held"] = [[title, since] for title, since in state["held"] if title in plan]
        over = {title for title, _ in state["held"]} | set(state["ended"])
        for title, policy in plan.items():
            if (
                title not in over
                and (policy.until is None or now < policy.until)
                and self._begins(policy, news)
            ):
                state["held"].append([title, now])
                change = ", ".join(
                    f"{lever} -> {_text(value)}" for lever, value in policy.set.items()
                )
                change += f" over {format_duration(policy.ramp)}" if policy.ramp else ""
                change += f" (when {policy.when})" if policy.when else ""
                self.world.mark("policy", f"{title}: {change}" if policy.name else change)
        for title, _ in list(state["held"]):
            if _end(plan[title]) <= now:
                state["held"] = [entry for entry in state["held"] if entry[0] != title]
                state["ended"].append(title)
                self.world.mark("policy", f"{title}: ended")
        self._set_levers(state, plan)
        self._store(state)
        self._due = min([NEVER, *self._times(state, plan)])

    def _begins(self, policy: Policy, news: bool) -> bool:
        """Whether a policy takes hold now: its time has come, or newly published values meet its
        condition."""
        if policy.at is not None:
            return policy.at <= self.world.elapsed
        if policy.when is None or not news or self.world.elapsed < (policy.after or 0):
            return False
        metric, labels, op, number = parse_condition(policy.when)
        return holds(self.world.board.get(metric, **labels), op, number)

    def _times(self, state: dict[str, Any], plan: dict[str, Policy]) -> list[int]:
        """When something timed can happen next: a start, an end, a step of a ramp."""
        now, over = self.world.elapsed, {title for title, _ in state["held"]} | set(state["ended"])
        times = [
            policy.at
            for title, policy in plan.items()
            if title not in over and policy.at is not None
        ]
        for title, since in state["held"]:
            times.append(_end(plan[title]))
            if now < since + plan[title].ramp:
                times.append(now + self.world.grid)
        return times

    def _set_levers(self, state: dict[str, Any], plan: dict[str, Policy]) -> None:
        base: dict[str, Lever] = state["base"]
        for title, _ in state["held"]:
            for lever in plan[title].set if plan[title].share is None else ():
                base.setdefault(lever, self.world.lever(lever))
        self.world.levers.update(
            self._laid(
                [
                    (plan[title], since)
                    for title, since in state["held"]
                    if plan[title].share is None
                ],
                base,
            )
        )
        for table in SHARED:
            bits = {policy.title: bit for bit, policy in enumerate(self._shares(table))}
            held = [(plan[title], since) for title, since in state["held"] if title in bits]
            arms: list[dict[str, Lever]] = []
            for arm in range(1 << len(bits)):
                mine = [(policy, since) for policy, since in held if arm >> bits[policy.title] & 1]
                arms.append(
                    self._laid(
                        mine,
                        {
                            lever: self.world.lever(lever)
                            for policy, _ in mine
                            for lever in policy.set
                        },
                    )
                )
            self.world.arms[table] = arms

    def _laid(self, held: list[tuple[Policy, int]], base: dict[str, Lever]) -> dict[str, Lever]:
        """Values of levers under policies that lie on one another, lowest first."""
        value = dict(base)
        for policy, since in held:
            share = min(1.0, (self.world.elapsed - since) / policy.ramp) if policy.ramp else 1.0
            for lever, new in policy.set.items():
                value[lever] = _between(value[lever], new, share)
        return value

    def measure(self) -> None:
        """Count the policies in force; other metrics are complete, and may be judged, from the next
        snapshot on."""
        self.world.board.set("policies_active", len(self._load()["held"]))
        self.keep["read"][0] = self.world.elapsed >= 0


def _end(policy: Policy) -> int:
    return NEVER if policy.until is None else policy.until


def _text(value: Lever) -> str:
    return json.dumps(value).strip('"')


def _between(old: Lever, new: Lever, share: float) -> Lever:
    """``share`` of the way from old to new where both are numbers, else new."""
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new)
    )
    if not numbers or share >= 1.0:
        return new
    assert isinstance(old, int | float) and isinstance(new, int | float)
    moved = old + (new - old) * share
    return round(moved) if isinstance(old, int) and isinstance(new, int) else moved
