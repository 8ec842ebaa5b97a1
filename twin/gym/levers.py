"""Levers as parts of an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from twin.ground.errors import UsageError, nearest_path
from twin.scenario.model import Scenario
from twin.scenario.problems import field_at
from twin.world.params import leaves, meta, value_at


@dataclass(frozen=True)
class Lever:
    """One lever: its path; its ends as the mechanism knows them, or the values to choose from."""

    path: str
    ends: tuple[float, float] | None
    choices: tuple[Any, ...] = ()
    whole: bool = False

    def value(self, part: float) -> Any:
        """The value at a part in [0, 1] of the way."""
        if self.ends is None:
            return self.choices[min(int(part * len(self.choices)), len(self.choices) - 1)]
        low, high = self.ends
        value = low + (high - low) * part
        return round(value) if self.whole else value


def levers_of(scenario: Scenario, given: Mapping[str, Sequence[Any]]) -> list[Lever]:
    """The levers of an action, checked against the scenario. Raises UsageError."""
    if not given:
        raise UsageError("levers: there are none (give one, such as recommender.diversity)")
    known = {
        f"{name}.{path}"
        for name, params in scenario.mechanisms.items()
        for path, info in leaves(type(params))
        if meta(info)["lever"]
    }
    found = []
    for path, values in given.items():
        if path not in known:
            raise UsageError(f"levers: {path} is no lever here ({nearest_path(path, known)})")
        taken = [_taken(scenario, path, value) for value in values]
        numbers = all(
            isinstance(each, int | float) and not isinstance(each, bool) for each in taken
        )
        if isinstance(values, tuple) and len(values) == 2 and numbers:
            whole = all(isinstance(each, int) for each in taken)
            found.append(Lever(path, (float(taken[0]), float(taken[1])), whole=whole))
        elif isinstance(values, list) and len(values) > 1:
            found.append(Lever(path, None, tuple(taken)))
        else:
            raise UsageError(
                f"levers: {path} needs (low, high), or a list of values to choose from"
            )
    return found


def _taken(scenario: Scenario, path: str, value: Any) -> Any:
    """A value as the mechanism knows it: within its range, seconds for 6h. Raises UsageError."""
    name, _, rest = path.partition(".")
    params = scenario.mechanisms[name]
    data = params.model_dump()
    place, parts = data, rest.split(".")
    for part in parts[:-1]:
        place = place[part]
    _, info = field_at(type(params), tuple(parts))
    # an end may be written 0 where the parameter is a fraction
    place[parts[-1]] = float(value) if _fraction(info) and type(value) is int else value
    try:
        return value_at(type(params).model_validate(data), rest)
    except ValidationError as error:
        raise UsageError(
            f"levers: {path} cannot be {value!r}: {error.errors(include_url=False)[0]['msg']}"
        ) from None


def _fraction(info: Any) -> bool:
    return info is not None and info.annotation in (float, float | None)


def declared(levers: Sequence[Lever], action: NDArray[Any]) -> dict[str, Any]:
    """Values by path of an action in [-1, 1] (levers,). Raises UsageError for another shape, and for
    NaN."""
    parts = np.asarray(action, float)
    if parts.shape != (len(levers),) or np.isnan(parts).any():
        raise UsageError(
            f"an action is {len(levers)} numbers in [-1, 1], one for each lever, and not {action!r}"
        )
    parts = (np.clip(parts, -1, 1) + 1) / 2
    return {lever.path: lever.value(float(part)) for lever, part in zip(levers, parts, strict=True)}
