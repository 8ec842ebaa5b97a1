"""Dashboards held against the types of Grafana's own SDK (grafana-foundation-sdk).

Its ``from_json`` drops what it does not know and takes values of any type. So what comes back from
a round trip is compared with what went in (a misspelt field is gone), and every field of the models
is held against its annotation (a wrong type is named).
"""

from __future__ import annotations

import enum
import json
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest

LOOSE = (
    "/templating/list/*/definition",
    "/annotations/list/*/step",
    "/annotations/list/*/titleFormat",
    "/annotations/list/*/textFormat",
    "/annotations/list/*/tagKeys",
    "/annotations/list/*/useValueForTime",
)
"""Fields that Grafana has and the SDK has not: of variables and annotations that a data source
plugin adds."""


def problems(dashboard: dict[str, Any]) -> list[str]:
    """All that the SDK's types say against a dashboard."""
    dashboards = pytest.importorskip(
        "grafana_foundation_sdk.models.dashboard",
        reason="no grafana-foundation-sdk: install the dev group",
    )
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins

    register_default_plugins()
    try:
        model = dashboards.Dashboard.from_json(dashboard)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        return [f"cannot be read: {type(error).__name__}: {error}"]
    back = json.loads(JSONEncoder(sort_keys=True).encode(model))
    return [*_lost(dashboard, back, ""), *_ill(model, type(model), "")]


def _lost(sent: Any, back: Any, path: str) -> Iterator[str]:
    """What went in and did not come back."""
    if isinstance(sent, dict) and isinstance(back, dict):
        for key, value in sent.items():
            here = f"{path}/{key}"
            if key in back:
                yield from _lost(value, back[key], here)
            elif _starred(here) not in LOOSE:
                yield f"{here}: no such field"
    elif isinstance(sent, list) and isinstance(back, list) and len(sent) == len(back):
        for place, (one, other) in enumerate(zip(sent, back, strict=True)):
            yield from _lost(one, other, f"{path}/{place}")
    elif sent != back:
        yield f"{path}: {sent!r} came back as {back!r}"


def _starred(path: str) -> str:
    return "/".join("*" if part.isdigit() else part for part in path.split("/"))


def _ill(value: Any, kind: Any, path: str) -> Iterator[str]:
    """Where a value is not of its annotated type."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, object) or isinstance(kind, typing.TypeVar):
        if hasattr(type(value), "from_json"):
            yield from _ill(value, type(value), path)
        return
    if origin in (typing.Union, types.UnionType):
        tries = [list(_ill(value, each, path)) for each in inside]
        if all(tries):
            yield min(tries, key=len)[0]
    elif origin is typing.Literal:
        if value not in inside:
            yield f"{path}: {value!r} is none of {inside}"
    elif origin in (list, dict):
        if not isinstance(value, origin):
            yield f"{path}: {value!r} is no {origin.__name__}"
            return
        for key, each in enumerate(value) if origin is list else value.items():
            yield from _ill(each, inside[-1], f"{path}/{key}")
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        if value not in [each.value for each in kind]:
            yield f"{path}: {value!r} is no {kind.__name__}"
    elif kind in (int, float):
        if isinstance(value, bool) or not isinstance(
            value, (int,) if kind is int else (int, float)
        ):
            yield f"{path}: {value!r} is no {kind.__name__}"
    elif not isinstance(value, kind):
        yield f"{path}: {value!r} is no {kind.__name__}"
    elif hasattr(type(value), "from_json"):
        for name, annotated in typing.get_type_hints(type(value)).items():
            yield from _ill(getattr(value, name), annotated, f"{path}/{name}")
