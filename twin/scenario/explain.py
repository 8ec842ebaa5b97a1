"""What one setting is: meaning, value and where it was set, range, who may change it and when, what
it acts under, source."""

from __future__ import annotations

from typing import Any, get_args

from pydantic.fields import FieldInfo

from twin.ground.errors import UsageError, nearest_path
from twin.scenario.describe import Row, describe
from twin.scenario.idle import cannot, ways
from twin.scenario.model import Scenario
from twin.scenario.problems import bounds, quantity
from twin.world.params import leaves, meta


def explain(scenario: Scenario, path: str) -> list[str]:
    """Lines on a setting, or on all of a set of them (``recommender.tables.post``). Raises
    UsageError with the nearest path."""
    path = path.removeprefix("mechanisms.").rstrip(".")
    rows = {row.path: row for row in describe(scenario)}
    about: dict[str, FieldInfo] = {
        f"{name}.{leaf}": info
        for name, params in scenario.mechanisms.items()
        for leaf, info in leaves(type(params))
        if name != "policies"
    }
    wanted = [each for each in about if each == path or each.startswith(f"{path}.")]
    if not wanted and path in scenario.mechanisms:
        about_it = " ".join((scenario.registry[path].__doc__ or "").split())
        return [f"{path}: {about_it} It has nothing to set."]
    if not wanted:
        sets = {each.rpartition(".")[0] for each in about}
        raise UsageError(
            f"--explain {path}: no such setting ({nearest_path(path, {*about, *sets})})"
        )
    lines: list[str] = []
    for each in wanted:
        lines += [*([""] if lines else []), *_one(scenario, rows[each], about[each])]
    return lines


def _one(scenario: Scenario, row: Row, info: FieldInfo) -> list[str]:
    value = f"{row.value} {row.unit}".strip()
    lines = [
        f"{row.path} = {value}  ({row.origin})",
        f"  {info.description}",
        f"  {_range(info)}; {_turned(info)}",
    ]
    if under := ways(scenario, row.path):
        told = " or ".join(f"{other} {op} {wanted}" for other, op, wanted in under)
        now = cannot(scenario, row.path)
        lines.append(f"  acts only under {told}{': now it ' + now if now else ', as it is here'}")
    name = row.path.partition(".")[0]
    kind = (scenario.registry[name].__doc__ or "").splitlines()[0]
    return [*lines, f"  acts on {name}: {kind}", f"  source: {meta(info)['source']}"]


def _range(info: FieldInfo) -> str:
    """What it can be, in the words of YAML."""
    unit = meta(info)["unit"]
    choices = _choices(info.annotation)
    if choices:
        return f"one of {', '.join(choices)}"
    if info.annotation is bool:
        return "true or false"
    low, high = bounds(info)
    if low is None and high is None:
        return "free" if unit in ("1", "s") else f"in {unit}"
    ends = [
        f"{word} {quantity(end, info)}"
        for word, end in (("from", low), ("to", high))
        if end is not None
    ]
    shown = " ".join(ends)
    # a duration carries its unit
    return shown if unit in ("1", "s") else f"{shown} {unit}"


def _choices(annotation: Any) -> list[str]:
    return [str(each) for each in get_args(annotation) if isinstance(each, str)]


def _turned(info: FieldInfo) -> str:
    """Who may change it during a run."""
    about = meta(info)
    if not about["lever"]:
        return "fixed for a run"
    share = f", also for a share of {about['per']}" if about["per"] else ""
    return f"a lever: a policy may change it during a run{share}"
