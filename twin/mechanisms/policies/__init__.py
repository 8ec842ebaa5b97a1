"""Policies: timed, ramped or conditional changes of levers during a run.

A policy takes effect at a time (``at``) or when a published metric crosses a number (``when``),
once, and ends at ``until`` or never. Policies apply one after another, in the order in which they
took effect: a lever has the value that the last policy which sets it gives, or that of the
scenario. A ramp moves a number in a straight line from the value before to the new one.

All times are seconds since the scenario's start. In a warm-up no policy acts, no condition is
judged, and nobody is drawn for a share yet.

The policies in effect, since when, and the scenario's own values are one JSON text in the World's
state, so a resumed run continues exactly. A fork with other policies keeps those with the same name
and drops the rest.

A policy for a ``share`` of consumers or creators treats those whose draw, keyed by the policy's
name and the person, is below the share: the same people in every branch, whenever they join. Each
combination of such policies is an arm (see `World.arms`), and the column ``arm`` says who is in
which: bit k for the k-th policy for a share of that table.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.units import NEVER, format_duration
from twin.mechanisms.policies.params import (
    UNCHANGED,
    PoliciesParams,
    Policy,
    holds,
    parse_condition,
)
from twin.world.columns import Column
from twin.world.mechanism import Every, Mechanism
from twin.world.metric import Metric
from twin.world.state import Lever

__all__ = ["Policies", "PoliciesParams", "Policy", "holds", "parse_condition"]

SHARED = ("consumers", "creators")


class Policies(Mechanism[PoliciesParams]):
    """Changes levers as planned."""

    name = "policies"
    Params = PoliciesParams
    order = 5
    replaced_by = "none"
    instead = "a top-level list, policies:"
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
            "policies_active", "gauge", "policies", "Policies in effect.", "platform", "Policies"
        ),
    )

    # nothing can change before this time; a cache, safe to lose
    _due = 0

    def setup(self) -> None:
        """No policy is in effect yet; no metric has been published."""
        self._store(
            {"held": [], "ended": [], "base": {}, "shares": {table: [] for table in SHARED}}
        )
        self.keep["read"] = np.zeros(1, bool)

    def clocks(self) -> list[Every]:
        """Policies take effect at the serving snapshot's pace."""
        return [Every(self.world.grid, "policy", self.apply, first=0)]

    def _shares(self, table: str) -> list[Policy]:
        """Policies for a share of a table, in the order of their bits."""
        return [policy for policy in self.p.plan if policy.share is not None and policy.of == table]

    def born(self, table: str, rows: NDArray[np.int64]) -> None:
        """Draw which policies for a share will treat a newcomer."""
        # those of the warm-up are drawn at the start, when `apply` first acts
        if table in SHARED and self.world.elapsed >= 0:
            self._draw(table, rows)

    def _draw(self, table: str, rows: NDArray[np.int64]) -> None:
        arm = np.zeros(len(rows), np.int8)
        for bit, policy in enumerate(self._shares(table)):
            # by the policy's name: other policies in the plan do not change whom it treats
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
        """Let policies take effect and end, and set every lever that they touch."""
        now, news = self.world.elapsed, bool(self.keep["read"][0])
        # most ticks end here: an idle plan writes nothing
        if now < 0 or (now < self._due and not news):
            return
        self.keep["read"][0] = False
        state, plan = self._load(), {policy.title: policy for policy in self.p.plan}
        for table in SHARED:
            shares = [[policy.title, policy.share] for policy in self._shares(table)]
            # a new world, or a fork with another plan
            if shares != state["shares"][table]:
                state["shares"][table] = shares
                self._draw(table, np.flatnonzero(self.read(table, "alive")))
        # a fork may have dropped policies that were in effect
        state["held"] = [[title, since] for title, since in state["held"] if title in plan]
        # a policy takes effect once: neither again while in effect nor after its end
        over = {title for title, _ in state["held"]} | set(state["ended"])
        begun: dict[str, Lever] = {}
        for title, policy in plan.items():
            if (
                title not in over
                and (policy.until is None or now < policy.until)
                and self._begins(policy, news)
            ):
                idle = self._changes_nothing(policy, begun, state, plan)
                state["held"].append([title, now])
                if policy.share is None:
                    begun |= policy.set
                change = UNCHANGED if idle else ""
                change += ", ".join(
                    f"{lever} {'is' if idle else '->'} {_text(value)}"
                    for lever, value in policy.set.items()
                )
                change += f" over {format_duration(policy.ramp)}" if policy.ramp else ""
                change += f" (when {policy.when})" if policy.when else ""
                self.world.mark("policy", f"{title}: {change}" if policy.name else change)
        for title, _ in list(state["held"]):
            if _end(plan[title]) <= now:
                state["held"] = [entry for entry in state["held"] if entry[0] != title]
                state["ended"].append(title)
                self.world.mark("policy", f"{title}: ended")
        # after starts and ends, which both move levers
        self._set_levers(state, plan)
        self._store(state)
        self._due = min([NEVER, *self._times(state, plan)])

    def _begins(self, policy: Policy, news: bool) -> bool:
        """Whether a policy takes effect now: its time has come, or newly published values meet its
        condition."""
        if policy.at is not None:
            return policy.at <= self.world.elapsed
        # once per reading: values on the board are complete at the first tick after it
        if policy.when is None or not news or self.world.elapsed < (policy.after or 0):
            return False
        metric, labels, op, number = parse_condition(policy.when)
        return holds(self.world.board.get(metric, **labels), op, number)

    def _changes_nothing(
        self,
        policy: Policy,
        begun: Mapping[str, Lever],
        state: Mapping[str, Any],
        plan: Mapping[str, Policy],
    ) -> bool:
        """Whether every value that a policy sets is in force as it begins; ``begun`` are those of
        policies that began at this instant before it."""
        moving = {
            lever
            for title, since in state["held"]
            # on its way to another value, or of an arm
            if self.world.elapsed < since + plan[title].ramp or plan[title].share is not None
            for lever in plan[title].set
        }
        return all(
            lever not in moving and begun.get(lever, self.world.lever(lever)) == value
            for lever, value in policy.set.items()
        )

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
            # a ramp moves its levers at every tick until it is over
            if now < since + plan[title].ramp:
                times.append(now + self.world.grid)
        return times

    def _set_levers(self, state: dict[str, Any], plan: dict[str, Policy]) -> None:
        base: dict[str, Lever] = state["base"]
        for title, _ in state["held"]:
            for lever in plan[title].set if plan[title].share is None else ():
                # noted before a policy first sets the lever: this value returns at the end
                base.setdefault(lever, self.world.lever(lever))
        self.world.levers.update(
            self._applied(
                [
                    (plan[title], since)
                    for title, since in state["held"]
                    if plan[title].share is None
                ],
                base,
            )
        )
        # each arm is a set of policies for a share; its values start from those of everybody
        for table in SHARED:
            bits = {policy.title: bit for bit, policy in enumerate(self._shares(table))}
            held = [(plan[title], since) for title, since in state["held"] if title in bits]
            arms: list[dict[str, Lever]] = []
            # bit k of an arm's number: the k-th policy treats it
            for arm in range(1 << len(bits)):
                mine = [(policy, since) for policy, since in held if arm >> bits[policy.title] & 1]
                arms.append(
                    self._applied(
                        mine,
                        {
                            lever: self.world.lever(lever)
                            for policy, _ in mine
                            for lever in policy.set
                        },
                    )
                )
            self.world.arms[table] = arms

    def _applied(self, held: list[tuple[Policy, int]], base: dict[str, Lever]) -> dict[str, Lever]:
        """Values of levers under policies that apply one after another."""
        value = dict(base)
        for policy, since in held:
            share = min(1.0, (self.world.elapsed - since) / policy.ramp) if policy.ramp else 1.0
            for lever, new in policy.set.items():
                # from the value under the policies before, so that a ramp starts where they are
                value[lever] = _between(value[lever], new, share)
        return value

    def measure(self) -> None:
        """Count the policies in effect; other metrics are complete, and may be judged, from the next
        snapshot on."""
        self.world.board.set("policies_active", len(self._load()["held"]))
        # set after this reading is complete, seen by the next `apply`; not in a warm-up
        self.keep["read"][0] = self.world.elapsed >= 0


def _end(policy: Policy) -> int:
    return NEVER if policy.until is None else policy.until


def _text(value: Lever) -> str:
    return json.dumps(value).strip('"')


def _between(old: Lever, new: Lever, share: float) -> Lever:
    """``share`` of the way from old to new where both are numbers, else new."""
    # bool is a kind of int in Python, and has nothing between its values
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new)
    )
    if not numbers or share >= 1.0:
        return new
    assert isinstance(old, int | float) and isinstance(new, int | float)
    moved = old + (new - old) * share
    return round(moved) if isinstance(old, int) and isinstance(new, int) else moved
