"""A scenario: YAML to frozen, checked values, with every problem found before the run.

Top-level keys: extends, name, description, start, duration, seed, replicate, mechanisms, policies, metrics. ``extends`` names
another scenario file, on which this one is laid: mappings merge, numbers and lists replace. ``--set path=value`` is laid on top; a
path may leave out the leading ``mechanisms.``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from twin.errors import Problem, ScenarioError, nearest
from twin.mechanism import Mechanism
from twin.mechanisms import REGISTRY
from twin.mechanisms.policies import MOST_SHARES, PoliciesParams, Policy, parse_condition
from twin.params import Duration, Params, leaves, meta, par, value_at
from twin.units import DAY, HOUR, MINUTE, format_duration, parse_start
from twin.yamlish import Node, merged, read_file, read_text, write_text

TOP = ("extends", "name", "description", "start", "duration", "seed", "replicate", "mechanisms", "policies", "metrics")
Path_ = tuple[str | int, ...]
_VALIDATION: Literal["validation"] = "validation"
T = TypeVar("T", bound=Params)


class MetricsParams(Params):
    """When metrics are read."""

    every: Duration = par(6 * HOUR, "time between two readings of all metrics", unit="s", low=MINUTE, high=365 * DAY, grid=True)


class Head(Params):
    """The top level, apart from mechanisms and policies."""

    name: str = par("unnamed", "name of the scenario; run folders are called after it")
    description: str = par("", "what it shows, for the report")
    duration: Duration = par(30 * DAY, "simulated time", unit="s", low=HOUR, high=100 * 366 * DAY, grid=True)
    seed: int = par(1, "seed of all random numbers", low=0, high=2**53)
    replicate: int = par(0, "number of the replicate: same scenario, other luck", low=0, high=2**53)


@dataclass(frozen=True)
class Scenario:
    """Checked values of a scenario. ``mechanisms`` holds the parameters of every enabled mechanism, by name."""

    name: str
    description: str
    start: dt.date
    duration: int
    seed: int
    replicate: int
    mechanisms: Mapping[str, Params]
    policies: tuple[Policy, ...]
    metrics: MetricsParams
    tree: Node = field(compare=False, repr=False, default_factory=lambda: Node("mapping", {}, "default", 0))
    """What was written, with its places."""


def load(path: Path | str, sets: Iterable[str] = (), registry: Mapping[str, type[Mechanism]] | None = None) -> Scenario:
    """Read a scenario file and the files that it extends, lay ``path=value`` settings on it, check everything.

    Raises ScenarioError with all problems.
    """
    known = dict(REGISTRY if registry is None else registry)
    problems: list[Problem] = []
    tree = _extended(Path(path), (), problems)
    problems = [replace(problem, path=problem.path.removeprefix("mechanisms.")) for problem in problems]
    for text in sets:
        try:
            tree = merged(tree, _setting(text, known))
        except ScenarioError as error:
            problems += error.problems
    scenario = _Checker(tree, known, problems).scenario()
    if problems or scenario is None:
        raise ScenarioError(problems)
    return scenario


def _extended(path: Path, seen: tuple[Path, ...], problems: list[Problem]) -> Node:
    """The file laid on what it extends; where that cannot be, the file alone and a problem."""
    node = read_file(path, problems)
    base = node.value.pop("extends", None)
    if base is None:
        return node

    def refuse(reason: str, mend: str) -> Node:
        problems.append(Problem(str(path), node.keys["extends"], "extends", reason, mend))
        return node

    if base.kind != "scalar" or not isinstance(base.value, str):
        return refuse("is not a file name", "write one path, such as base.yaml")
    target = path.parent / base.value
    here = (*seen, path.resolve())
    if target.resolve() in here:
        return refuse(f"goes round in a circle: {' -> '.join(each.name for each in (*here, target.resolve()))}",
                      "let one of them stand alone")
    if not target.is_file():
        found = [other.name for other in path.parent.glob("*.yaml") if other != path]
        return refuse(f"there is no file {base.value} beside this one", nearest(base.value, found))
    try:
        return merged(_extended(target, here, problems), node)
    except ScenarioError as error:
        problems += error.problems
        return node


def _setting(text: str, registry: Mapping[str, type[Mechanism]]) -> Node:
    """One ``--set path=value`` as a tree."""
    file = f"--set {text}"
    path, equals, value = text.partition("=")
    parts = path.strip().split(".")
    if not equals or not all(parts):
        raise ScenarioError([Problem(file, 0, "", "is not path=value", "write e.g. --set audience.initial=1000")])
    if parts[0] not in TOP:
        if parts[0] not in registry:
            raise ScenarioError([Problem(file, 0, path.strip(), "no such setting", nearest(parts[0], [*TOP, *registry]))])
        parts = ["mechanisms", *parts]
    if parts[0] == "extends":
        raise ScenarioError([Problem(file, 0, "extends", "cannot be set from outside", "run the other file instead")])
    problems: list[Problem] = []
    node = read_text(value, file, problems, lines=False)
    if problems:
        raise ScenarioError(problems)
    for part in reversed(parts):
        node = Node("mapping", {part: node}, file, 0, {part: 0})
    return node


class _Checker:
    """Collects every problem of one tree."""

    def __init__(self, tree: Node, registry: Mapping[str, type[Mechanism]], problems: list[Problem]) -> None:
        self.tree, self.registry, self.problems = tree, registry, problems
        self.unread = [problem.path for problem in problems]
        self.off: list[str] = []

    def add(self, path: Path_, reason: str, mend: str = "") -> None:
        """Note a problem at the deepest written place of a path, unless it may come of a value below that could not be read."""
        file, line = self.tree.at(path)
        shown = ".".join(map(str, path[1:] if path[:1] == ("mechanisms",) and len(path) > 1 else path))
        if not any(f"{unread}.".startswith(f"{shown}.") for unread in self.unread):
            self.problems.append(Problem(file, line, shown, reason, mend))

    def build(self, model: type[T], data: Any, path: Path_) -> T | None:
        """A parameter set from plain data, or None with its problems noted."""
        if not isinstance(data, dict):
            self.add(path, "is not a mapping", f"write its settings below it, such as {next(iter(model.model_fields))}: ...")
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                self._translate(model, path, one)
            return None

    def _translate(self, model: type[Params], path: Path_, error: Any) -> None:
        loc: Path_ = tuple(error["loc"])
        while loc and not self.tree.has((*path, *loc)) and not self._listed((*path, *loc)):
            loc = loc[:-1]  # pydantic names the branch of a union, which nobody wrote
        kind, context = error["type"], error.get("ctx", {})
        holder, info = _field(model, loc)
        if kind == "extra_forbidden" and loc:
            self.add((*path, *loc), "no such parameter", nearest(str(loc[-1]), holder.model_fields if holder else ()))
            return
        unit = meta(info)["unit"] if info else "1"
        shown = f" {unit}" if unit != "1" else ""
        value = error.get("input")
        text = "nothing" if value is None else str(value) if isinstance(value, str) else repr(value)
        if len(text) > 60:
            text = text[:57] + "..."
        if kind in ("greater_than_equal", "less_than_equal"):
            low, high = _bounds(info)
            self.add((*path, *loc), f"{text} is out of range", f"between {_quantity(low, info)} and {_quantity(high, info)}{shown}")
        elif kind == "value_error":
            reason, _, mend = str(context.get("error", error["msg"])).partition("; ")
            self.add((*path, *loc), reason, mend)
        elif kind == "literal_error":
            choices = str(context.get("expected", ""))
            options = [part.strip(" '") for part in choices.replace(" or ", ",").split(",")]
            self.add((*path, *loc), f"{text} is not one of {choices}", nearest(str(value), options))
        elif kind in ("model_type", "model_attributes_type", "dict_type"):
            self.add((*path, *loc), f"{text} is not a mapping", "write its settings below it, name: value")
        else:
            wanted = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "text",
                      "tuple": "a list"}.get(kind.split("_")[0], "a valid value")
            self.add((*path, *loc), f"{text} is not {wanted}", f"write {wanted}{' of' + shown if shown else ''}")

    def _listed(self, path: Path_) -> bool:
        return any(isinstance(part, int) for part in path) and self.tree.at(path)[1] > 0 and isinstance(path[-1], int)

    def scenario(self) -> Scenario | None:
        """The checked scenario, or None with the problems noted."""
        top = self.tree.plain()
        for key in top:
            if key not in TOP:
                mend = f"move it below mechanisms: as {key}: ..." if key in self.registry else nearest(key, TOP)
                self.add((key,), "no such top-level key", mend)
        head = self.build(Head, {key: top[key] for key in Head.model_fields if key in top}, ())
        metrics = self.build(MetricsParams, top.get("metrics", {}), ("metrics",))
        try:
            start = parse_start(top.get("start", "2025-01-01"))
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            self.add(("start",), reason, mend)
            start = dt.date(2025, 1, 1)
        mechanisms = self._mechanisms(top.get("mechanisms", {}))
        plan = self._plan(top.get("policies", ()), mechanisms)
        if "policies" in self.registry:
            mechanisms["policies"] = PoliciesParams(plan=plan)
        if head is not None and metrics is not None and not self.problems:
            self._grid(head, metrics, mechanisms, plan)
        if head is None or metrics is None or self.problems:
            return None
        ordered = {name: mechanisms[name] for name in sorted(mechanisms, key=lambda name: (self.registry[name].order, name))}
        return Scenario(head.name, head.description.strip(), start, head.duration, head.seed, head.replicate,
                        types.MappingProxyType(ordered), plan, metrics, self.tree)

    def _mechanisms(self, given: Any) -> dict[str, Params]:
        if not isinstance(given, dict):
            self.add(("mechanisms",), "is not a mapping", "write mechanisms below it, such as audience: {initial: 1000}")
            given = {}
        found: dict[str, Params] = {}
        for name in given:
            if name == "policies" or name not in self.registry:
                known = [each for each in self.registry if each != "policies"]
                mend = "policies: is a top-level list" if name == "policies" else nearest(name, known)
                self.add(("mechanisms", name), "no such mechanism", mend)
        for name, kind in self.registry.items():
            if name == "policies":
                continue
            data = given.get(name, {})
            if data is None:
                data = {}
            if isinstance(data, dict) and "enabled" in data:
                if not isinstance(data["enabled"], bool):
                    self.add(("mechanisms", name, "enabled"), "is not true or false", "write enabled: false to leave it out")
                elif data["enabled"] is False:
                    self.off.append(name)
                    continue
                data = {key: value for key, value in data.items() if key != "enabled"}
            data = self._paths(kind.Params, data, ("mechanisms", name))
            made = self.build(kind.Params, data, ("mechanisms", name))
            if made is not None:
                found[name] = made
        offered = {service: name for name, kind in self.registry.items() for service in kind.provides}
        for gone in sorted(self.off):
            users = [name for name in found if any(offered.get(service) == gone for service in self.registry[name].needs)]
            if users:
                self.add(("mechanisms", gone), f"is left out, but needed by {', '.join(users)}", f"enable {gone}, or leave these out too")
        return found

    def _paths(self, model: type[Params], data: Any, path: Path_) -> Any:
        """File parameters relative to the file that gave them; a missing file is a problem."""
        for name, info in model.model_fields.items():
            if isinstance(data, dict) and meta(info)["path"] and isinstance(data.get(name), str) and data[name]:
                file, _ = self.tree.at((*path, name))
                base = Path() if file.startswith("--set") else Path(file).parent
                target = (base / data[name]).absolute()
                if not target.is_file():
                    around = [each.name for each in target.parent.iterdir()] if target.parent.is_dir() else []
                    self.add((*path, name), f"there is no file {data[name]}", nearest(target.name, around) if around else
                             f"there is no folder {target.parent}")
                data = {**data, name: str(target)}
        return data

    def _plan(self, given: Any, mechanisms: dict[str, Params]) -> tuple[Policy, ...]:
        if not isinstance(given, tuple):
            self.add(("policies",), "is not a list", "begin each policy with `- name: ...`")
            return ()
        plan: list[Policy] = []
        for i, data in enumerate(given):
            policy = self.build(Policy, data, ("policies", i))
            if policy is None:
                continue
            if not policy.name:
                policy = policy.model_copy(update={"name": ", ".join(f"{key}={value}" for key, value in policy.set.items())})
            if policy.name in [other.name for other in plan]:
                self.add(("policies", i, "name"), f"two policies are named {policy.name}", "give each its own name")
            if not policy.set:
                self.add(("policies", i), "sets nothing", "add set: {recommender.preset: likes}, or the like")
            if policy.when is not None:
                self._condition(("policies", i, "when"), policy.when, mechanisms)
            for lever, value in policy.set.items():
                self._lever(("policies", i, "set", lever), lever, value, mechanisms)
                if policy.share is not None:
                    self._for_a_share(("policies", i, "set", lever), lever, policy.of)
            plan.append(policy)
            if policy.share is not None and sum(each.share is not None and each.of == policy.of for each in plan) > MOST_SHARES:
                self.add(("policies", i, "share"), f"there are more than {MOST_SHARES} policies for a share of {policy.of}",
                         "put what belongs together into one policy")
        return tuple(plan)

    def _condition(self, path: Path_, text: str, mechanisms: Mapping[str, Params]) -> None:
        try:
            name, labels, _, _ = parse_condition(text)
        except ValueError as error:
            reason, _, mend = str(error).partition("; ")
            self.add(path, reason, mend)
            return
        metrics = {metric.name: metric for each in mechanisms for metric in self.registry[each].metrics}
        if name not in metrics:
            self.add(path, f"no metric is named {name}", nearest(name, metrics))
        elif labels not in list(metrics[name].series()):
            series = ["{" + ",".join(f"{k}={v}" for k, v in one.items()) + "}" for one in metrics[name].series()]
            self.add(path, f"{name} has no series with labels {labels or 'none'}", nearest(str(labels), series))

    def _for_a_share(self, path: Path_, lever: str, table: str) -> None:
        """A lever that a policy sets for a share must be one that each of them can have a value of."""
        per = {f"{each}.{p}": meta(info)["per"] for each, kind in self.registry.items() for p, info in leaves(kind.Params)}
        if lever in per and per[lever] != table:
            mend = f"it can be set for a share of {per[lever]}: of: {per[lever]}" if per[lever] else \
                f"levers that can: {', '.join(sorted(name for name, one in per.items() if one == table))}"
            self.add(path, f"cannot be set for a share of {table}", mend)

    def _lever(self, path: Path_, lever: str, value: Any, mechanisms: Mapping[str, Params]) -> None:
        name, _, rest = lever.partition(".")
        paths = {f"{each}.{p}": info for each, kind in self.registry.items() if each not in ("policies", *self.off)
                 for p, info in leaves(kind.Params)}
        levers = [p for p, info in paths.items() if meta(info)["lever"]]
        if lever not in paths:
            self.add(path, "no such lever", nearest(lever, levers))
        elif lever not in levers:
            same = [p for p in levers if p.startswith(name + ".")]
            self.add(path, "cannot be changed during a run", f"levers of {name}: {', '.join(same) or 'none'}")
        elif name in mechanisms:  # else it has problems of its own
            data = mechanisms[name].model_dump()
            place, parts = data, rest.split(".")
            for part in parts[:-1]:
                place = place[part]
            place[parts[-1]] = value
            try:
                type(mechanisms[name]).model_validate(data)
            except ValidationError as error:
                low, high = _bounds(paths[lever])
                what = error.errors(include_url=False)[0]["msg"] if low is None else f"between {low:g} and {high:g}"
                self.add(path, f"{value!r} is not a value that it can take", what)

    def _grid(self, head: Head, metrics: MetricsParams, mechanisms: Mapping[str, Params], plan: tuple[Policy, ...]) -> None:
        """Every clock's period must be a multiple of the serving refresh, and policies must lie within the run."""
        recommender: Any = mechanisms.get("recommender")
        grid = int(recommender.refresh) if recommender else 10 * MINUTE
        times: list[tuple[Path_, int]] = [(("duration",), head.duration), (("metrics", "every"), metrics.every)]
        for name, params in mechanisms.items():
            if name != "policies":
                times += [(("mechanisms", name, *path.split(".")), value_at(params, path)) for path, info in leaves(type(params))
                          if meta(info)["grid"]]
        for i, policy in enumerate(plan):
            for key in ("at", "until", "ramp"):
                if (value := getattr(policy, key)) is not None:
                    times.append((("policies", i, key), value))
            if policy.at is not None and policy.at >= head.duration:
                self.add(("policies", i, "at"), f"{format_duration(policy.at)} is after the end of the run",
                         f"the run lasts {format_duration(head.duration)}")
        for path, value in times:
            if value % grid:
                below, above = value // grid * grid, (value // grid + 1) * grid
                self.add(path, f"{format_duration(value)} is not a multiple of recommender.refresh ({format_duration(grid)})",
                         f"nearest: {format_duration(above)}" if not below else
                         f"nearest: {format_duration(below)} or {format_duration(above)}")


def _field(model: type[BaseModel], loc: Path_) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The parameter set that holds a location, and the parameter there."""
    holder, info = model, None
    for part in loc:
        info = holder.model_fields.get(str(part))
        if info is not None and isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            holder, info = info.annotation, None
    return holder, info


def _bounds(info: FieldInfo | None) -> tuple[float | None, float | None]:
    """Inclusive bounds of a parameter."""
    low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None) if info else None
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None) if info else None
    return low, high


def _quantity(value: float | None, info: FieldInfo | None) -> str:
    if value is None:
        return "any"
    return format_duration(int(value)) if info is not None and meta(info)["unit"] == "s" else f"{value:g}"


def dump(scenario: Scenario) -> str:
    """The complete scenario as YAML: loading it gives the same scenario."""
    data: dict[str, Any] = {
        "name": scenario.name, "description": scenario.description, "start": scenario.start.isoformat(),
        "duration": format_duration(scenario.duration), "seed": scenario.seed, "replicate": scenario.replicate,
        "mechanisms": {}, "policies": [policy.model_dump(exclude_none=True) for policy in scenario.policies],
        "metrics": scenario.metrics.model_dump()}
    for name in REGISTRY:
        if name in scenario.mechanisms and name != "policies":
            data["mechanisms"][name] = scenario.mechanisms[name].model_dump()
        elif name != "policies":
            data["mechanisms"][name] = {"enabled": False}
    return write_text(_listed(data))


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple | list) else value


def digest(scenario: Scenario) -> str:
    """SHA-256 of the complete scenario."""
    return hashlib.sha256(dump(scenario).encode()).hexdigest()


@dataclass(frozen=True)
class Row:
    """One line of `describe`."""

    path: str
    value: str
    unit: str
    source: str
    origin: str
    lever: bool


def describe(scenario: Scenario) -> list[Row]:
    """Every number of the scenario with unit, source, and where it was set (``default``, ``file:line`` or ``--set``)."""
    rows = []

    def row(path: Path_, shown: str, value: Any, info: FieldInfo | None) -> None:
        file, line = scenario.tree.at(path)
        origin = (f"{Path(file).name}:{line}" if line else "--set") if scenario.tree.has(path) else "default"
        about: dict[str, Any] = meta(info) if info else {"unit": "1", "source": "", "lever": False}
        unit = "" if about["unit"] in ("1", "s") or isinstance(value, str) else about["unit"]
        rows.append(Row(shown, str(value), unit, about["source"], origin, bool(about["lever"])))

    for key in ("name", "start", "duration", "seed", "replicate"):
        value = getattr(scenario, key)
        row((key,), key, format_duration(value) if key == "duration" else value, None)
    row(("metrics", "every"), "metrics.every", format_duration(scenario.metrics.every), None)
    for name, params in scenario.mechanisms.items():
        if name == "policies":
            continue
        plain = params.model_dump()
        for path, info in leaves(type(params)):
            value = plain
            for part in path.split("."):
                value = value[part]
            row(("mechanisms", name, *path.split(".")), f"{name}.{path}", value, info)
    return rows


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a scenario file, for completion in editors."""
    kinds = {name: kind.Params for name, kind in REGISTRY.items() if name != "policies"}
    models: list[type[Params]] = [*kinds.values(), Head, MetricsParams, Policy]
    refs, defs = models_json_schema([(model, _VALIDATION) for model in models], title="twin scenario")
    head = defs["$defs"].pop("Head")["properties"]
    blocks = {}
    for name, model in kinds.items():
        ref = refs[(model, _VALIDATION)]["$ref"].rpartition("/")[2]
        defs["$defs"][ref]["properties"]["enabled"] = {"type": "boolean", "description": "false leaves the mechanism out"}
        blocks[name] = {"$ref": f"#/$defs/{ref}", "description": (REGISTRY[name].__doc__ or "").split("\n")[0]}
    for definition in defs["$defs"].values():
        definition.pop("required", None)
        for field_ in definition.get("properties", {}).values():
            extra = [f"unit: {field_['unit']}" if field_.get("unit", "1") not in ("1", "s") else "",
                     f"source: {field_['source']}" if field_.get("source") else "", "lever" if field_.get("lever") else ""]
            note = "; ".join(part for part in extra if part)
            if note:
                field_["description"] = f"{field_.get('description', '')} ({note})"
            for key in ("unit", "source", "lever", "per", "grid", "path"):
                field_.pop(key, None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "twin scenario", "type": "object",
        "additionalProperties": False,
        "properties": {
            "extends": {"type": "string", "description": "another scenario file that this one is laid on"},
            **head,
            "start": {"type": "string", "format": "date", "description": "first day, midnight UTC"},
            "mechanisms": {"type": "object", "additionalProperties": False, "properties": blocks},
            "policies": {"type": "array", "items": {"$ref": "#/$defs/Policy"}},
            "metrics": {"$ref": "#/$defs/MetricsParams"},
        },
        "$defs": defs["$defs"],
    }
