"""A checked scenario as text: complete YAML that loads to the same, its digest, its table of
numbers, and the JSON Schema."""

from __future__ import annotations

import functools
import hashlib
import operator
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from twin.ground.units import format_duration
from twin.mechanisms.recommender.presets import effective, prized
from twin.scenario.model import Scenario
from twin.scenario.outside import folder_key
from twin.scenario.problems import Path_
from twin.scenario.rankers import NAME as RANKER
from twin.scenario.yamlish import write_text
from twin.world.params import PLAIN, leaves, meta


def dump(scenario: Scenario) -> str:
    """The complete scenario as YAML: loading it gives the same scenario.

    A mechanism of its own is named by ``class`` and, unless Python finds it by itself, ``from``,
    the folder that holds its package.
    """
    return write_text(_data(scenario))


@contextmanager
def as_file(scenario: Scenario) -> Iterator[Path]:
    """The complete scenario as a file while the block lasts, for settings and policies on top of
    it."""
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(dump(scenario), encoding="utf-8")
        yield path


def _data(scenario: Scenario, places: bool = True) -> Any:
    data: dict[str, Any] = {
        "name": scenario.name,
        "description": scenario.description,
        "start": scenario.start.isoformat(),
        "warm_up": format_duration(scenario.warm_up),
        "duration": format_duration(scenario.duration),
        "seed": scenario.seed,
        "replicate": scenario.replicate,
        "mechanisms": {},
        "policies": [policy.model_dump(exclude_none=True) for policy in scenario.policies],
        "metrics": scenario.metrics.model_dump(),
    }
    # those that are left out are listed as such: loading would give them their defaults
    for name in scenario.registry:
        if name in scenario.mechanisms and name != "policies":
            data["mechanisms"][name] = (
                _origin(scenario, name, places) | scenario.mechanisms[name].model_dump()
            )
            if name == "recommender" and RANKER in scenario.outside:
                data["mechanisms"][name]["ranker"] = (
                    _origin(scenario, RANKER, places) | data["mechanisms"][name]["ranker"]
                )
        elif name != "policies":
            data["mechanisms"][name] = {"enabled": False}
    return _listed(data)


def _origin(scenario: Scenario, name: str, places: bool) -> dict[str, Any]:
    """Class and folder of a scenario's own mechanism; nothing for one that comes with twin."""
    outside = scenario.outside.get(name)
    if outside is None:
        return {}
    return {"class": outside.path} | (
        # places are no part of the digest: the code may lie elsewhere
        {folder_key(name): str(outside.folder)} if outside.folder and places else {}
    )


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, tuple | list) else value


def digest(scenario: Scenario) -> str:
    """SHA-256 of the complete scenario; the same wherever the code of its own mechanisms is."""
    return hashlib.sha256(write_text(_data(scenario, places=False)).encode()).hexdigest()


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
    """Every number of the scenario with unit, source, and where it was set (``default``,
    ``file:line`` or ``--set``)."""
    rows = []
    for number in _numbers(scenario):
        (file, line), written = scenario.tree.found(number.path)
        origin = (
            # flags have no lines
            (f"{Path(file).name}:{line}" if line else "--set") if written else "default"
        )
        about = meta(number.info) if number.info else PLAIN | {"source": ""}
        rows.append(
            Row(
                number.shown,
                str(number.value),
                number.unit,
                about["source"],
                origin,
                bool(about["lever"]),
            )
        )
    return rows


def settings(scenario: Scenario) -> dict[str, str]:
    """The value and unit of every number of `describe`, by its path."""
    return {number.shown: f"{number.value} {number.unit}".strip() for number in _numbers(scenario)}


class _Number(NamedTuple):
    path: Path_
    shown: str
    value: Any
    info: FieldInfo | None = None

    @property
    def unit(self) -> str:
        """Empty where the value says it itself."""
        unit: str = meta(self.info)["unit"] if self.info else "1"
        return "" if unit in ("1", "s") or isinstance(self.value, str) else unit


def _numbers(scenario: Scenario) -> Iterator[_Number]:
    """Every number of a scenario in the order in which they are shown."""
    for key in ("name", "start", "warm_up", "duration", "seed", "replicate"):
        value = getattr(scenario, key)
        yield _Number(
            (key,), key, format_duration(value) if key in ("warm_up", "duration") else value
        )
    yield _Number(("metrics", "every"), "metrics.every", format_duration(scenario.metrics.every))
    for name, params in scenario.mechanisms.items():
        if name == "policies":
            continue
        block: Path_ = ("mechanisms", name)
        if name in scenario.outside:
            yield _Number((*block, "class"), f"{name}.class", scenario.outside[name].path)
        if name == "recommender" and RANKER in scenario.outside:
            place: Path_ = ("mechanisms", *RANKER.split("."), "class")
            yield _Number(place, f"{RANKER}.class", scenario.outside[RANKER].path)
        plain = params.model_dump()
        for path, info in leaves(type(params)):
            parts = path.split(".")
            # values as they would be written, with units: hence the dump and not the parameters
            value = functools.reduce(operator.getitem, parts, plain)
            yield _Number((*block, *parts), f"{name}.{path}", value, info)


def policy_lines(scenario: Scenario) -> list[str]:
    """The policies, one line each, with where they were written."""
    lines = []
    for i, policy in enumerate(scenario.policies):
        file, line = scenario.tree.at(("policies", i, "set"))
        lines.append(
            f"policy {policy.describe()}  "
            f"({f'{Path(file).name}:{line}' if line else file.partition(' ')[0]})"
        )
    return lines


def prized_lines(scenario: Scenario) -> list[str]:
    """What the scenario's feed rewards at first, and after each policy that changes it, with those
    listed before it in effect too."""
    recommender: Any = scenario.mechanisms.get("recommender")
    if recommender is None:
        return []
    state = {
        "preset": recommender.preset,
        **{f"weights.{name}": value for name, value in recommender.weights.model_dump().items()},
    }
    lines = [
        "What the feed rewards: weight x rate of each response, per impression at KuaiRand's rates "
        "(a report's is an assumption)"
    ]
    lines += _prized("at the start", state, recommender.rates.model_dump())
    for policy in scenario.policies:
        new = {
            lever.removeprefix("recommender."): value
            for lever, value in policy.set.items()
            if lever.removeprefix("recommender.") in state and lever.startswith("recommender.")
        }
        if new:
            state |= new
            lines += _prized(f"under {policy.title}", state, recommender.rates.model_dump())
    return lines


def _prized(when: str, state: Mapping[str, Any], rates: Mapping[str, float]) -> list[str]:
    """The table of one feed, the largest share first; responses without weight are left out."""
    given = {
        name.removeprefix("weights."): value for name, value in state.items() if name != "preset"
    }
    own = any(value is not None for value in given.values())
    return [
        f"  {when}, {state['preset']}{' with weights of its own' if own else ''}",
        f"    {'response':9s} {'weight':>9s} {'x rate':>9s} {'share':>6s}",
        *(
            f"    {head:9s} {weight:9.4g} {worth:9.4f} {share:6.1%}"
            for head, weight, worth, share in prized(effective(str(state["preset"]), rates, given))
            if weight
        ),
    ]
