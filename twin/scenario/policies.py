"""The check of a scenario's policies: their levers, values, conditions and shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from twin.ground.errors import nearest, nearest_path
from twin.ground.units import counted, format_duration, is_moment
from twin.mechanisms.policies import Policy, parse_condition
from twin.scenario.mechanisms import MechanismChecker
from twin.scenario.problems import Path_, bounds, quantity
from twin.world.arms import MOST_SHARES, declared
from twin.world.params import Params, meta, value_at
from twin.world.state import Lever

TIMES = ("at", "until", "after")
"""Keys of a policy that hold a time since the start, or a date."""


class PolicyChecker(MechanismChecker):
    """Checks the list under ``policies``."""

    plan: tuple[Policy, ...] = ()
    """The policies with the values of their levers as mechanisms know them: seconds, events per
    day."""

    def check_policies(
        self, given: Any, mechanisms: dict[str, Params], start: dt.date
    ) -> tuple[Policy, ...]:
        """The policies as written, dates as times since the ``start``; what the world needs of them
        goes to ``self.plan``."""
        if not isinstance(given, tuple):
            self.add(("policies",), "is not a list", "begin each policy with `- name: ...`")
            return ()
        plan: list[Policy] = []
        for i, data in enumerate(given):
            policy = self.build(Policy, self._dated(i, data, start), ("policies", i))
            # reported already; the others are checked all the same
            if policy is None:
                continue
            # marks and state go by the name, so one without is called by what it sets
            if not policy.name:
                policy = policy.model_copy(
                    update={
                        "name": ", ".join(f"{key}={value}" for key, value in policy.set.items())
                    }
                )
            if policy.name in [other.name for other in plan]:
                self.add(
                    ("policies", i, "name"),
                    f"two policies are named {policy.name}",
                    "give each its own name",
                )
            if not policy.set:
                self.add(
                    ("policies", i),
                    "sets nothing",
                    "add set: {recommender.preset: likes}, or the like",
                )
            if policy.when is not None:
                self._condition(("policies", i, "when"), policy.when)
            values: dict[str, Lever] = {}
            for lever, value in policy.set.items():
                values[lever] = self._lever(("policies", i, "set", lever), lever, value, mechanisms)
                if policy.share is not None:
                    self._for_a_share(("policies", i, "set", lever), lever, policy.of)
            plan.append(policy)
            # without a time and a condition: from the start
            at = 0 if policy.at is None and policy.when is None else policy.at
            self.plan = (*self.plan, policy.model_copy(update={"set": values, "at": at}))
            if (
                policy.share is not None
                and sum(each.share is not None and each.of == policy.of for each in plan)
                > MOST_SHARES
            ):
                self.add(
                    ("policies", i, "share"),
                    f"there are more than {MOST_SHARES} policies for a share of {policy.of}",
                    "merge those that belong together into one policy",
                )
        return tuple(plan)

    def _dated(self, i: int, data: Any, start: dt.date) -> Any:
        """A policy's plain data with the durations that its dates stand for."""
        if not isinstance(data, dict):
            return data
        made = dict(data)
        for key in TIMES:
            if not is_moment(data.get(key)):
                continue
            try:
                made[key] = counted(data[key], start)
            except ValueError as error:
                reason, _, mend = str(error).partition("; ")
                self.add(("policies", i, key), reason, mend)
                made[key] = format_duration(0)
        return made

    def _condition(self, path: Path_, text: str) -> None:
        try:
            name, labels, _, _ = parse_condition(text)
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            self.add(path, reason, mend)
            return
        metrics = {
            metric.name: metric
            for metric in declared(
                [kind for each, kind in self.registry.items() if each not in self.off]
            )
        }
        if name not in metrics and self.failed:
            return  # it may be one of theirs
        if name not in metrics:
            self.add(path, f"no metric is named {name}", nearest(name, metrics))
        elif labels not in list(metrics[name].series()):
            series = [
                "{" + ",".join(f"{k}={v}" for k, v in one.items()) + "}"
                for one in metrics[name].series()
            ]
            self.add(
                path,
                f"{name} has no series with labels {labels or 'none'}",
                nearest(str(labels), series),
            )

    def _for_a_share(self, path: Path_, lever: str, table: str) -> None:
        """A lever that a policy sets for a share must be one that each of them can have a value
        of."""
        per = {path: meta(info)["per"] for path, info in self.parameters().items()}
        # unknown levers are reported by `_lever`
        if lever in per and per[lever] != table:
            mend = (
                f"it can be set for a share of {per[lever]}: of: {per[lever]}"
                if per[lever]
                else f"levers that can: "
                f"{', '.join(sorted(name for name, one in per.items() if one == table))}"
            )
            self.add(path, f"cannot be set for a share of {table}", mend)

    def _lever(self, path: Path_, lever: str, value: Any, mechanisms: Mapping[str, Params]) -> Any:
        """The value as the mechanism knows it, or as it was given and a problem."""
        name, _, rest = lever.partition(".")
        levers = [p for p, info in self.parameters().items() if meta(info)["lever"]]
        # its class cannot be used, which is reported: what levers it has is not known
        if name in self.failed:
            return value
        if lever not in self.parameters():
            self.add(path, "no such lever", nearest_path(lever, levers))
        elif lever not in levers:
            same = [p for p in levers if p.startswith(name + ".")]
            shown = ", ".join(same[:8]) + (
                ", ...; twin check marks all with *" if len(same) > 8 else ""
            )
            self.add(path, "cannot be changed during a run", f"levers of {name}: {shown or 'none'}")
        elif name in mechanisms:  # else it has problems of its own
            # validated in place of the scenario's value, so that bounds and units are the same
            data = mechanisms[name].model_dump()
            place, parts = data, rest.split(".")
            for part in parts[:-1]:
                place = place[part]
            place[parts[-1]] = value
            try:
                return value_at(type(mechanisms[name]).model_validate(data), rest)
            except ValidationError as error:
                info = self.parameters()[lever]
                low, high = bounds(info)
                what = f"between {quantity(low, info)} and {quantity(high, info)}"
                # not a number with bounds: pydantic's own words
                if low is None:
                    what = error.errors(include_url=False)[0]["msg"]
                self.add(path, f"{value!r} is not a value that it can take", what)
        return value
