"""What a scenario is once it is checked, and the check: every problem of a merged YAML tree, with
file, line, reason and mend."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from twin.ground.errors import Problem, nearest
from twin.ground.units import DAY, HOUR, MINUTE, format_duration, parse_start
from twin.mechanisms import REGISTRY
from twin.mechanisms.policies import MOST_SHARES, PoliciesParams, Policy, parse_condition
from twin.scenario.outside import Outside, Trouble, clashes, find
from twin.scenario.problems import Collector, Path_, bounds, quantity
from twin.scenario.yamlish import Node
from twin.world.board import Board
from twin.world.mechanism import Mechanism
from twin.world.metric import Metric
from twin.world.params import Duration, Params, leaves, meta, par, value_at
from twin.world.state import Lever

TOP = (
    "extends",
    "name",
    "description",
    "start",
    "warm_up",
    "duration",
    "seed",
    "replicate",
    "mechanisms",
    "policies",
    "metrics",
)


LONGEST = 68 * 365 * DAY
"""The longest run, its warm-up included: seconds of a world fit into four bytes."""


class MetricsParams(Params):
    """When metrics are read."""

    every: Duration = par(
        6 * HOUR,
        "time between two readings of all metrics",
        unit="s",
        low=MINUTE,
        high=365 * DAY,
        grid=True,
    )


class Head(Params):
    """The top level, apart from mechanisms and policies."""

    name: str = par("unnamed", "name of the scenario; run folders are called after it")
    description: str = par("", "what it shows, for the report")
    warm_up: Duration = par(
        0,
        "simulated time before the start, in whole days: no metrics, no policy, no campaign; the "
        "world settles",
        unit="s",
        low=0,
        high=3650 * DAY,
        grid=True,
    )
    duration: Duration = par(
        30 * DAY, "simulated time from the start on", unit="s", low=HOUR, high=LONGEST, grid=True
    )
    seed: int = par(1, "seed of all random numbers", low=0, high=2**53)
    replicate: int = par(0, "number of the replicate: same scenario, other luck", low=0, high=2**53)


@dataclass(frozen=True)
class Scenario:
    """Checked values of a scenario. ``mechanisms`` holds the parameters of every enabled mechanism,
    by name."""

    name: str
    description: str
    start: dt.date
    duration: int
    seed: int
    replicate: int
    mechanisms: Mapping[str, Params]
    policies: tuple[Policy, ...]
    metrics: MetricsParams
    warm_up: int = 0
    """Seconds before ``start`` at which the world begins."""
    registry: Mapping[str, type[Mechanism[Any]]] = field(
        compare=False, repr=False, default_factory=lambda: REGISTRY
    )
    """The mechanisms that come with twin, and those that this scenario brings."""
    outside: Mapping[str, Outside] = field(default_factory=dict)
    """Where the latter come from."""
    tree: Node = field(
        compare=False, repr=False, default_factory=lambda: Node("mapping", {}, "default", 0)
    )
    """What was written, with its places."""

    @property
    def order(self) -> list[str]:
        """Names of the mechanisms, in the order in which they act and declare."""
        return sorted(self.mechanisms, key=lambda name: (self.registry[name].order, name))

    @property
    def grid(self) -> int:
        """Seconds between two refreshes of what is served: every period is a multiple of it."""
        return int(value_at(self.mechanisms["recommender"], "refresh"))

    def board(self) -> Board:
        """The board of a run, with every declared series at zero."""
        return Board(metric for name in self.order for metric in self.registry[name].metrics)

    def series(self) -> list[tuple[Metric, dict[str, str]]]:
        """Every declared series (metric, labels), in the order of readings."""
        return self.board().rows


class Checker(Collector):
    """Checks one tree."""

    def __init__(
        self,
        tree: Node,
        registry: Mapping[str, type[Mechanism[Any]]],
        problems: list[Problem],
        unread: Iterable[str] = (),
        used: Mapping[int, tuple[str, Path_]] | None = None,
    ) -> None:
        super().__init__(tree, problems, unread, used)
        self.registry = dict(registry)
        self.outside: dict[str, Outside] = {}
        self.off: list[str] = []
        self.failed: list[str] = []
        self.plan: tuple[Policy, ...] = ()
        """The policies with the values of their levers as mechanisms know them: seconds, events per
        day."""

    def scenario(self) -> Scenario | None:
        """The checked scenario, or None with the problems noted."""
        top = self.tree.plain()
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
        try:
            start = parse_start(top.get("start", "2025-01-01"))
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            self.add(("start",), reason, mend)
            start = dt.date(2025, 1, 1)
        given = top.get("mechanisms", {})
        if not isinstance(given, dict):
            self.add(
                ("mechanisms",),
                "is not a mapping",
                "write mechanisms below it, such as audience: {initial: 1000}",
            )
            given = {}
        self._own(given)
        mechanisms = self._mechanisms(given)
        plan = self._plan(top.get("policies", ()), mechanisms)
        if "policies" in self.registry:
            mechanisms["policies"] = PoliciesParams(plan=self.plan)
        if head is not None:
            self._begin(head, start)
        if head is not None and metrics is not None and not self.problems:
            self._grid(head, metrics, mechanisms)
        if head is None or metrics is None or self.problems:
            return None
        ordered = {
            name: mechanisms[name]
            for name in sorted(mechanisms, key=lambda name: (self.registry[name].order, name))
        }
        return Scenario(
            head.name,
            head.description.strip(),
            start,
            head.duration,
            head.seed,
            head.replicate,
            types.MappingProxyType(ordered),
            plan,
            metrics,
            head.warm_up,
            types.MappingProxyType(self.registry),
            types.MappingProxyType(self.outside),
            self.tree,
        )

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

    def _own(self, given: Mapping[str, Any]) -> None:
        """Find the classes that the scenario brings, and enter them in its registry."""
        builtin = dict(self.registry)
        for name, data in sorted(given.items()):
            if not isinstance(data, dict) or "class" not in data or name == "policies":
                continue
            path: Path_ = ("mechanisms", name, "class")
            if name in builtin:
                self.add(
                    path, f"{name} comes with twin", "give a mechanism of your own another name"
                )
                continue
            if data.get("enabled") is not False:
                try:
                    self.registry[name], self.outside[name] = find(
                        data["class"], self._folders(name, data), name
                    )
                    continue
                except Trouble as trouble:
                    self.add(path, trouble.reason, trouble.mend)
                except NotADirectoryError as error:
                    self.add(
                        (*path[:2], "from"),
                        str(error),
                        "write the folder that holds the module's package",
                    )
                self.failed.append(name)
            self.off.append(name)

    def _folders(self, name: str, data: Mapping[str, Any]) -> list[Path]:
        """Where a class is sought before Python's path."""
        key = "from" if "from" in data else "class"
        file, _ = self.tree.at(("mechanisms", name, key))
        beside = Path() if file.startswith("--") else Path(file).parent
        if key == "class":
            return [beside, Path()]
        folder = beside / str(data["from"])
        if not folder.is_dir():
            raise NotADirectoryError(f"there is no folder {folder}")
        return [folder]

    def _mechanisms(self, given: Mapping[str, Any]) -> dict[str, Params]:
        found: dict[str, Params] = {}
        for name in given:
            if name == "policies" or (name not in self.registry and name not in self.off):
                mend = "policies: is a top-level list"
                if name != "policies":
                    mend = nearest(name, [each for each in self.registry if each != "policies"])
                    mend += (
                        ""
                        if mend.startswith("did")
                        else "; one of your own needs class: package.module.Class"
                    )
                self.add(("mechanisms", name), "no such mechanism", mend)
        for name, kind in self.registry.items():
            if name == "policies":
                continue
            data = given.get(name, {})
            if data is None:
                data = {}
            if isinstance(data, dict) and "enabled" in data:
                if not isinstance(data["enabled"], bool):
                    self.add(
                        ("mechanisms", name, "enabled"),
                        "is not true or false",
                        "write enabled: false to leave it out",
                    )
                elif data["enabled"] is False:
                    self.off.append(name)
                    continue
                data = {key: value for key, value in data.items() if key != "enabled"}
            if isinstance(data, dict) and "class" in data:
                data = {key: value for key, value in data.items() if key not in ("class", "from")}
            data = self._paths(kind.Params, data, ("mechanisms", name))
            made = self.build(kind.Params, data, ("mechanisms", name))
            if made is not None:
                found[name] = made
        offered = {service for name in found for service in self.registry[name].provides}
        for gone in sorted(set(self.off) & set(self.registry)):
            lost = set(self.registry[gone].provides) - offered
            users = [name for name in found if lost & set(self.registry[name].needs)]
            if users:
                self.add(
                    ("mechanisms", gone),
                    f"is left out, but needed by {', '.join(users)}",
                    f"enable {gone}, or leave these out too",
                )
        for name in sorted(set(self.outside) & set(found)):
            for clash in clashes(
                self.registry[name], {each: self.registry[each] for each in found if each != name}
            ):
                self.add(
                    ("mechanisms", name, "class"), clash, f"change it in {self.outside[name].path}"
                )
        return found

    def _paths(self, model: type[Params], data: Any, path: Path_) -> Any:
        """File parameters relative to the file that gave them; a missing file is a problem."""
        for name, info in model.model_fields.items():
            if (
                isinstance(data, dict)
                and meta(info)["path"]
                and isinstance(data.get(name), str)
                and data[name]
            ):
                file, _ = self.tree.at((*path, name))
                base = Path() if file.startswith("--set") else Path(file).parent
                target = (base / data[name]).absolute()
                if not target.is_file():
                    around = (
                        [each.name for each in target.parent.iterdir()]
                        if target.parent.is_dir()
                        else []
                    )
                    self.add(
                        (*path, name),
                        f"there is no file {data[name]}",
                        nearest(target.name, around)
                        if around
                        else f"there is no folder {target.parent}",
                    )
                data = {**data, name: str(target)}
        return data

    def _plan(self, given: Any, mechanisms: dict[str, Params]) -> tuple[Policy, ...]:
        """The policies as written; what the world needs of them goes to ``self.plan``."""
        if not isinstance(given, tuple):
            self.add(("policies",), "is not a list", "begin each policy with `- name: ...`")
            return ()
        plan: list[Policy] = []
        for i, data in enumerate(given):
            policy = self.build(Policy, data, ("policies", i))
            if policy is None:
                continue
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
            at = (
                0 if policy.at is None and policy.when is None else policy.at
            )  # neither: from the start
            self.plan = (*self.plan, policy.model_copy(update={"set": values, "at": at}))
            if (
                policy.share is not None
                and sum(each.share is not None and each.of == policy.of for each in plan)
                > MOST_SHARES
            ):
                self.add(
                    ("policies", i, "share"),
                    f"there are more than {MOST_SHARES} policies for a share of {policy.of}",
                    "put what belongs together into one policy",
                )
        return tuple(plan)

    def _condition(self, path: Path_, text: str) -> None:
        try:
            name, labels, _, _ = parse_condition(text)
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            self.add(path, reason, mend)
            return
        metrics = {
            metric.name: metric
            for each, kind in self.registry.items()
            if each not in self.off
            for metric in kind.metrics
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
        per = {path: meta(info)["per"] for path, info in self._numbers().items()}
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
        levers = [p for p, info in self._numbers().items() if meta(info)["lever"]]
        if name in self.failed:
            return value
        if lever not in self._numbers():
            self.add(path, "no such lever", nearest(lever, levers))
        elif lever not in levers:
            same = [p for p in levers if p.startswith(name + ".")]
            shown = ", ".join(same[:8]) + (
                ", ...; twin check marks all with *" if len(same) > 8 else ""
            )
            self.add(path, "cannot be changed during a run", f"levers of {name}: {shown or 'none'}")
        elif name in mechanisms:  # else it has problems of its own
            data = mechanisms[name].model_dump()
            place, parts = data, rest.split(".")
            for part in parts[:-1]:
                place = place[part]
            place[parts[-1]] = value
            try:
                return value_at(type(mechanisms[name]).model_validate(data), rest)
            except ValidationError as error:
                info = self._numbers()[lever]
                low, high = bounds(info)
                what = f"between {quantity(low, info)} and {quantity(high, info)}"
                if low is None:
                    what = error.errors(include_url=False)[0]["msg"]
                self.add(path, f"{value!r} is not a value that it can take", what)
        return value

    def _numbers(self) -> dict[str, FieldInfo]:
        """Every number of every mechanism that takes part, by its path."""
        return {
            f"{each}.{path}": info
            for each, kind in self.registry.items()
            if each not in ("policies", *self.off)
            for path, info in leaves(kind.Params)
        }

    def _grid(self, head: Head, metrics: MetricsParams, mechanisms: Mapping[str, Params]) -> None:
        """Every clock's period must be a multiple of the serving refresh, and policies must lie
        within the run."""
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
        numbers = self._numbers()
        for i, policy in enumerate(self.plan):
            times += [
                (("policies", i, "set", lever), value)
                for lever, value in policy.set.items()
                if isinstance(value, int) and meta(numbers[lever])["grid"]
            ]
            for key in ("at", "until", "ramp", "after"):
                if (value := getattr(policy, key)) is not None:
                    times.append((("policies", i, key), value))
            if policy.after is not None and policy.when is None:
                self.add(
                    ("policies", i, "after"),
                    "there is no condition that it could hold back",
                    "add when:, or write at: instead",
                )
            if policy.at is not None and policy.at >= head.duration:
                self.add(
                    ("policies", i, "at"),
                    f"{format_duration(policy.at)} is after the end of the run",
                    f"the run lasts {format_duration(head.duration)}",
                )
        for path, value in times:
            if value % grid:
                below, above = value // grid * grid, (value // grid + 1) * grid
                self.add(
                    path,
                    f"{format_duration(value)} is not a multiple of recommender.refresh "
                    f"({format_duration(grid)})",
                    f"nearest: {format_duration(above)}"
                    if not below
                    else f"nearest: {format_duration(below)} or {format_duration(above)}",
                )
