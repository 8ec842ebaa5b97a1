"""Typed parameters: every number has a unit, a range and a source, and a misspelt name is an error.

A mechanism's parameters are a `Params` subclass (pydantic, frozen, unknown keys forbidden). `par`
declares one of them. Parameters marked ``lever=True`` may be changed by a policy during a run.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
from typing import Annotated, Any, ClassVar, TypedDict, TypeVar, Unpack

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo

from twin.ground.units import format_duration, format_rate, parse_duration, parse_rate


def _internal_duration(value: object) -> int:
    return parse_duration(value)


def _internal_rate(value: object) -> float:
    return parse_rate(value)


Duration = Annotated[
    int,
    BeforeValidator(_internal_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\d+(\.\d+)?(s|min|h|d|w|y))+$",
            "examples": ["10min", "6h", "90d", "1d12h"],
        }
    ),
]
"""Seconds inside, ``90d`` in YAML."""
Moment = Annotated[
    Duration,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^((\d+(\.\d+)?(s|min|h|d|w|y))+|\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?)$",
            "examples": ["90d", "2025-06-01", "2025-06-01T18:30"],
        }
    ),
]
"""A time since the start: seconds inside, ``90d`` or a date in YAML; the check of a scenario turns
dates into durations."""
Rate = Annotated[
    float,
    BeforeValidator(_internal_rate),
    PlainSerializer(format_rate, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d+(\.\d+)?([eE][-+]?\d+)?%?/(s|min|h|d|w)$",
            "examples": ["3/d", "2%/d"],
        }
    ),
]
"""Events per day inside, ``3/d`` in YAML."""


def _internal_date(value: object) -> str:
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"{value} is not a date (write it as 2025-12-25)") from None


Date = Annotated[
    str, BeforeValidator(_internal_date), WithJsonSchema({"type": "string", "format": "date"})
]
"""A day, as ``2025-12-25``."""


class Params(BaseModel):
    """Base of every parameter set: frozen, strict, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=False
    )

    UNDER: ClassVar[str] = ""
    """`Declared.under` of all parameters of the set (not of sets in it) that declare none."""
    ANYWAY: ClassVar[tuple[str, ...]] = ()
    """Names of those that act all the same."""

    @model_validator(mode="before")
    @classmethod
    def _keep_group_defaults(cls, data: Any) -> Any:
        """Values given for a nested set override that set's defaults here, not those of its
        class."""
        if not isinstance(data, dict):
            return data
        return {
            **data,
            **{
                name: _overridden(base, data[name])
                for name, base in _group_defaults(cls).items()
                if isinstance(data.get(name), dict)
            },
        }


SET = TypeVar("SET", bound=Params)


@functools.cache
def _group_defaults(model: type[Params]) -> dict[str, dict[str, Any]]:
    """The defaults of nested sets; as YAML text (``90d``), since what is merged with them is
    validated as text."""
    return {
        name: info.get_default(call_default_factory=True).model_dump()
        for name, info in model.model_fields.items()
        if info.default_factory
    }


def _overridden(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    both = {
        name: _overridden(base[name], value)
        for name, value in given.items()
        if isinstance(value, dict) and isinstance(base.get(name), dict)
    }
    return {**base, **given, **both}


class Declared(TypedDict, total=False):
    """What a parameter declares besides its default and its meaning."""

    unit: str
    source: str
    """The paper or data set, or the word ``assumption``."""
    low: float | None
    """Inclusive bound, in the parameter's internal unit; `high` likewise."""
    high: float | None
    lever: bool
    """A policy may change it during a run."""
    per: str
    """The table (consumers, creators) whose members may each have their own value of a lever, by a
    policy for a share."""
    grid: bool
    """It is a clock's period, a multiple of the serving refresh."""
    path: bool
    """It is a file name, relative to the file that gives it."""
    under: str
    """Without this it cannot act: ``PATH=A|B``, ``PATH!=A`` or ``PATH>0``, several joined by `` or
    ``. A path that begins with a dot is of the same set (``.kind=hash``), others begin with a
    mechanism (``recommender.training=full``). See `twin.scenario.idle`."""


PLAIN: dict[str, Any] = {
    "unit": "1",
    "source": "assumption",
    "lever": False,
    "per": "",
    "grid": False,
    "path": False,
    "under": "",
}
"""What holds where a parameter declares nothing else."""


def par(default: Any, help: str, **declared: Unpack[Declared]) -> Any:
    """Declare a parameter; ``default`` is the internal value (seconds for a `Duration`, events per
    day for a `Rate`). Raises TypeError for a word that `Declared` does not have."""
    # a type checker refuses these; what is written without one should not be lost in silence
    if unknown := declared.keys() - Declared.__annotations__.keys():
        raise TypeError(f"a parameter does not declare {', '.join(sorted(unknown))}")
    # Defaults are not validated, so a NaN would pass
    if isinstance(default, float) and not math.isfinite(default):
        raise ValueError("a default must be finite")
    extra = PLAIN | {key: value for key, value in declared.items() if key in PLAIN}
    low, high = declared.get("low"), declared.get("high")
    return Field(default=default, description=help, ge=low, le=high, json_schema_extra=extra)


def group(model: type[Params], help: str, **defaults: Any) -> Any:
    """Declare a nested parameter set, with defaults that differ from the set's own."""

    # frozen, so one serves every set that holds it
    @functools.cache
    def made() -> Params:
        # Not validated: defaults are internal values (seconds), validators expect YAML text
        return model.model_construct(
            **{
                **{
                    name: info.get_default(call_default_factory=True)
                    for name, info in model.model_fields.items()
                },
                **defaults,
            }
        )

    return Field(default_factory=made, description=help)


def from_table(help: str) -> type[Params]:
    """A base with one parameter, ``from``: a file with a table. The name is no identifier of
    Python, so no class body can declare it."""
    declared: Any = {"from": (str, par("", help, path=True))}
    made: type[Params] = create_model("FromTable", __base__=Params, **declared)
    return made


@functools.cache
def leaves(model: type[Params]) -> tuple[tuple[str, FieldInfo], ...]:
    """Every number of a parameter set with its dotted path, nested sets included, in declared
    order."""
    found: list[tuple[str, FieldInfo]] = []
    for name, info in model.model_fields.items():
        # A nested set is no number itself
        if isinstance(info.annotation, type) and issubclass(info.annotation, Params):
            found += [(f"{name}.{path}", each) for path, each in leaves(info.annotation)]
        else:
            found.append((name, info))
    return tuple(found)


def meta(info: FieldInfo) -> dict[str, Any]:
    """Unit, source and lever mark of a declared parameter."""
    extra = info.json_schema_extra
    if isinstance(extra, dict):
        # `par` leaves nothing out
        return extra if extra.keys() >= PLAIN.keys() else PLAIN | extra
    return dict(PLAIN)


def value_at(params: BaseModel, path: str) -> Any:
    """The value at a dotted path of a parameter set."""
    for name in path.split("."):
        params = getattr(params, name)
    return params


def changed(params: SET, **values: Any) -> SET:
    """A copy of a parameter set with other values, which are not checked; ``__`` stands for the dot
    of a nested set: ``answers__spread=0.3``."""
    nested: dict[str, dict[str, Any]] = {}
    update: dict[str, Any] = {}
    for path, value in values.items():
        name, _, rest = path.partition("__")
        if name not in type(params).model_fields:
            raise KeyError(f"{type(params).__name__} has no parameter {name}")
        if rest:
            # Collected first: several values of one nested set make one copy of it
            nested.setdefault(name, {})[rest] = value
        else:
            update[name] = value
    update |= {name: changed(getattr(params, name), **inner) for name, inner in nested.items()}
    return params.model_copy(update=update)
