"""The check of a merged YAML tree: every problem with file, line, reason and mend, or the
scenario."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Mapping
from typing import Any

from twin.ground.errors import nearest
from twin.ground.units import DAY, MINUTE, format_duration, parse_start
from twin.mechanisms.policies import PoliciesParams
from twin.scenario.model import LONGEST, TOP, Head, MetricsParams, Scenario
from twin.scenario.policies import PolicyChecker
from twin.scenario.problems import Path_
from twin.world.params import Params, leaves, meta, value_at


class Checker(PolicyChecker):
    """Checks one tree."""

    def scenario(self) -> Scenario | None:
        """The checked scenario, or None with the problems noted."""
        top = self.tree.plain()
        # a mechanism's block at the top level: say where it belongs
        for key in top:
            if key not in TOP:
                mend = (
                    f"move it below mechanisms: as {key}: ..."
                    if key in self.registry
                    else nearest(key, TOP)
                )
                self.add((key,), "no such top-level key", mend)
        head = self.build(Head, {key: top[key] for key in Head.model_fields if key in top}, ())
        metrics = self.build(MetricsParams, top.get("metrics", {}), ("metrics",))
        start = self._start(top.get("start", "2025-01-01"))
        given = top.get("mechanisms", {})
        if not isinstance(given, dict):
            self.add(
                ("mechanisms",),
                "is not a mapping",
                "write mechanisms below it, such as audience: {initial: 1000}",
            )
            given = {}
        # classes first: parameters and levers of a scenario's own mechanisms are checked by them
        given = self.find_own(given)
        mechanisms = self.check_mechanisms(given)
        plan = self.check_policies(top.get("policies", ()), mechanisms, start)
        if "policies" in self.registry:
            # the world gets values in its own units; the scenario keeps the policies as written
            mechanisms["policies"] = PoliciesParams(plan=self.plan)
        if head is not None:
            self._begin(head, start)
        # values that are wrong by themselves would only bring follow-up problems here
        if head is not None and metrics is not None and not self.problems:
            self._grid(head, metrics, mechanisms)
        if head is None or metrics is None or self.problems:
            return None
        # in the order in which mechanisms act, whatever order the file has
        ordered = {
            name: mechanisms[name]
            for name in sorted(mechanisms, key=lambda name: (self.registry[name].order, name))
        }
        return Scenario(
            name=head.name,
            description=head.description.strip(),
            start=start,
            duration=head.duration,
            seed=head.seed,
            replicate=head.replicate,
            mechanisms=types.MappingProxyType(ordered),
            policies=plan,
            metrics=metrics,
            warm_up=head.warm_up,
            registry=types.MappingProxyType(self.registry),
            outside=types.MappingProxyType(self.outside),
            tree=self.tree,
        )

    def _start(self, given: Any) -> dt.date:
        """The date on which the run starts."""
        try:
            return parse_start(given)
        except ValueError as error:
            # `parse_start` gives reason and mend as one text
            reason, _, mend = str(error).partition("; ")
            self.add(("start",), reason, mend)
            # any date will do: the scenario is refused, and its other problems are found
            return dt.date(2025, 1, 1)

    def _begin(self, head: Head, start: dt.date) -> None:
        """The warm-up is whole days, so that the start is at midnight; the world begins on a date,
        and ends in time."""
        path: Path_ = ("warm_up",)
        if head.warm_up % DAY:
            below = head.warm_up // DAY
            self.add(
                path,
                f"{format_duration(head.warm_up)} is not a whole number of days, and a run starts "
                f"at midnight",
                f"nearest: {below}d or {below + 1}d",
            )
        elif head.warm_up // DAY >= start.toordinal():
            self.add(
                path,
                f"begins before the year 1, {format_duration(head.warm_up)} before {start}",
                "give a later start",
            )
        elif head.warm_up + head.duration > LONGEST:
            self.add(
                path,
                f"{format_duration(head.warm_up)} and a duration of "
                f"{format_duration(head.duration)} are longer than any run",
                f"together {LONGEST // DAY}d at most",
            )
        elif head.duration > (dt.date.max - start).days * DAY:
            # the last date of Python, and of what is read in four digits of a year
            latest = dt.date.max - dt.timedelta(seconds=head.duration + DAY - 1)
            self.add(
                ("start",),
                f"{start} and a duration of {format_duration(head.duration)} end after the year "
                f"9999",
                f"start on {latest} at the latest",
            )

    def _grid(self, head: Head, metrics: MetricsParams, mechanisms: Mapping[str, Params]) -> None:
        """Every clock's period must be a multiple of the serving refresh, and what delays a policy
        needs a condition."""
        recommender: Any = mechanisms.get("recommender")
        grid = int(recommender.refresh) if recommender else 10 * MINUTE
        times: list[tuple[Path_, int]] = [
            (("warm_up",), head.warm_up),
            (("duration",), head.duration),
            (("metrics", "every"), metrics.every),
        ]
        for name, params in mechanisms.items():
            if name != "policies":
                times += [
                    (("mechanisms", name, *path.split(".")), value_at(params, path))
                    for path, info in leaves(type(params))
                    if meta(info)["grid"]
                ]
        numbers = self.parameters()
        for i, policy in enumerate(self.plan):
            times += [
                (("policies", i, "set", lever), value)
                for lever, value in policy.set.items()
                # a policy that sets a clock's period must keep to the grid too
                if isinstance(value, int) and meta(numbers[lever])["grid"]
            ]
            for key in ("at", "until", "ramp", "after"):
                if (value := getattr(policy, key)) is not None:
                    times.append((("policies", i, key), value))
            if policy.after is not None and policy.when is None:
                self.add(
                    ("policies", i, "after"),
                    "there is no condition that it could delay",
                    "add when:, or write at: instead",
                )
        # a time off the grid would fall between two snapshots, where nothing is applied
        for path, value in times:
            if value % grid:
                below, above = value // grid * grid, (value // grid + 1) * grid
                self.add(
                    path,
                    f"{format_duration(value)} is not a multiple of recommender.refresh "
                    f"({format_duration(grid)})",
                    f"nearest: {format_duration(above)}"
                    # below the first multiple there is only 0, which is no period
                    if not below
                    else f"nearest: {format_duration(below)} or {format_duration(above)}",
                )
