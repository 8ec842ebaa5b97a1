"""What the page may change: the levers of the run's own scenario, with unit, range and value in
effect, and ready policies.

A policy given by the form becomes the same YAML as in a policy file; the run checks it like any
other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import PlainSerializer
from pydantic.fields import FieldInfo

from twin.ground.errors import TwinError, UsageError
from twin.ground.units import format_duration, format_rate
from twin.readers.live.ready import described, too_late
from twin.scenario.idle import cannot
from twin.scenario.listing import shown
from twin.scenario.loading import Scenario, load
from twin.scenario.yamlish import write_text
from twin.world.params import leaves, meta

FORMATS = {format_duration: "duration", format_rate: "rate"}


def levers(scenario: Scenario, begun: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every lever: path, what it does, unit, kind, bounds or choices, its value under the policies
    in force (``begun``: titles), why it cannot act, if so, and from when on it is too late."""
    over = _in_force(scenario, begun)
    found = []
    for name, params in scenario.mechanisms.items():
        plain = params.model_dump()
        for path, info in leaves(type(params)):
            if not (about := meta(info))["lever"]:
                continue
            value: Any = plain
            for part in path.split("."):
                value = value[part]
            full = f"{name}.{path}"
            found.append(
                {
                    "path": full,
                    "mechanism": name,
                    "help": info.description or "",
                    "of": about["per"],
                    "unit": "" if about["unit"] in ("1", "s") else about["unit"],
                    "value": shown(over.get(full, value)),
                    "idle": cannot(scenario, full),
                    "late": too_late(scenario, full),
                    **_domain(info),
                }
            )
    return found


def _in_force(scenario: Scenario, begun: Sequence[str]) -> dict[str, Any]:
    """Levers that policies have set, with their values."""
    over: dict[str, Any] = {}
    by_title = {policy.title: policy for policy in scenario.policies}
    for title in begun:
        # a policy for a share of people leaves the value for all others
        if title in by_title and by_title[title].share is None:
            over |= by_title[title].set
    return over


def _domain(info: FieldInfo) -> dict[str, Any]:
    """Kind, and bounds or choices, of a parameter."""
    # durations and rates are known by how they are written
    kind = next(
        (
            FORMATS[each.func]
            for each in info.metadata
            if isinstance(each, PlainSerializer) and each.func in FORMATS
        ),
        "",
    )
    low = next((each.ge for each in info.metadata if isinstance(each, Ge)), None)
    high = next((each.le for each in info.metadata if isinstance(each, Le)), None)
    if info.annotation is bool:
        return {"kind": "choice", "choices": ["true", "false"]}
    if get_origin(info.annotation) is Literal:
        return {"kind": "choice", "choices": [str(each) for each in get_args(info.annotation)]}
    write: Any = {"duration": format_duration, "rate": format_rate}.get(
        kind, lambda number: f"{number:g}"
    )
    bounds = {
        "low": low if low is None else write(low),
        "high": high if high is None else write(high),
    }
    # the type itself, or a part of one such as `float | None`
    number = info.annotation, *get_args(info.annotation)
    return {
        "kind": kind or ("int" if int in number else "number" if float in number else "text"),
        **bounds,
    }


def policy_yaml(given: Mapping[str, Any], known: Sequence[Mapping[str, Any]]) -> str:
    """The YAML of a policy from the form: ``lever``, ``value``, and, if wanted, ``name`` and
    ``share``. Raises UsageError."""
    lever = next((each for each in known if each["path"] == given.get("lever")), None)
    if lever is None:
        raise UsageError("choose a lever")
    text = str(given.get("value", "")).strip()
    policy: dict[str, Any] = {"set": {lever["path"]: _typed(lever, text)}}
    if name := str(given.get("name") or "").strip():
        policy = {"name": name, **policy}
    if share := str(given.get("share") or "").strip():
        if not lever["of"]:
            raise UsageError(
                f"{lever['path']} has one value for all: it cannot be set for a share of people "
                f"(leave the share empty)"
            )
        policy |= {
            "share": _number(share, "a share", "a number of percent, such as 10") / 100,
            "of": lever["of"],
        }
    return write_text(policy)


def _typed(lever: Mapping[str, Any], text: str) -> Any:
    if lever["kind"] == "choice":
        if text not in lever["choices"]:
            raise UsageError(f"{lever['path']}: choose one of {', '.join(lever['choices'])}")
        return {"true": True, "false": False}.get(text, text)
    if lever["kind"] in ("int", "number"):
        number = _number(text, lever["path"], f"a number from {lever['low']} to {lever['high']}")
        # a fraction for a whole number goes on as it is: the run refuses it
        return int(number) if lever["kind"] == "int" and number == int(number) else number
    if not text:
        raise UsageError(f"{lever['path']}: give a value")
    return text


def _number(text: str, what: str, mend: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number - number != 0:  # neither infinite nor NaN
        raise UsageError(f"{what}: {text!r} is not a number (give {mend})")
    return number


def offered(run: Path, begun: Sequence[str]) -> dict[str, Any]:
    """What the page may change in the run in a folder: levers, and ready policies."""
    try:
        scenario = load(run / "scenario.yaml")
    except TwinError:
        return {"levers": [], "ready": described(None, {})}
    return {
        "levers": levers(scenario, begun),
        "ready": described(scenario, _in_force(scenario, begun)),
    }


def now(run: Path, begun: Sequence[str]) -> list[dict[str, Any]]:
    """The levers of the run in a folder; none if its scenario cannot be read."""
    try:
        return levers(load(run / "scenario.yaml"), begun)
    except TwinError:
        return []
