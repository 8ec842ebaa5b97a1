"""Problems of a YAML tree, each with file, line, reason and mend; and parameter sets built from it,
with pydantic's errors reworded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from twin.ground.errors import Problem, nearest
from twin.ground.units import format_duration
from twin.scenario.node import Node
from twin.world.params import Params, meta

Path_ = tuple[str | int, ...]
T = TypeVar("T", bound=Params)


class Collector:
    """Collects every problem of one tree.

    ``problems`` holds those of reading it, ``unread`` the paths of values that could not be read;
    ``used`` says of a policy that came from a file of its own which file, and its path in there.
    """

    def __init__(
        self,
        tree: Node,
        problems: list[Problem],
        unread: Iterable[str] = (),
        used: Mapping[int, tuple[str, Path_]] | None = None,
    ) -> None:
        self.tree, self.problems, self.unread, self.used = tree, problems, list(unread), used or {}

    def add(self, path: Path_, reason: str, mend: str = "") -> None:
        """Note a problem at the deepest written place of a path, unless it may follow from a
        value below that could not be read."""
        file, line = self.tree.at(path)
        shown = _dotted(path)
        # with a dot at the end, so that `rate` does not cover `rates`
        if any(f"{unread}.".startswith(f"{shown}.") for unread in self.unread):
            return
        # in a policy's own file, paths begin there; of a flag, at the policy
        if len(path) > 1 and path[0] == "policies" and isinstance(path[1], int):
            own, within = self.used.get(path[1], ("", ()))
            shown = (
                _dotted((*within, *path[2:]))
                if file == own
                else _dotted(path[2:])
                if file.startswith("--policy")
                else shown
            )
        self.problems.append(Problem(file, line, shown, reason, mend))

    def elsewhere(self, name: str) -> str:
        """The mend for a parameter that stands in another place by that very name; empty if there is
        none."""
        return ""

    def build(self, model: type[T], data: Any, path: Path_) -> T | None:
        """A parameter set from plain data, or None with its problems noted."""
        if not isinstance(data, dict):
            known = next(iter(model.model_fields), None)
            self.add(
                path,
                "is not a mapping",
                # a mechanism of somebody's own may have no parameters
                f"write its settings below it, such as {known}: ..."
                if known
                else "it has no parameters: leave it out, or write {}",
            )
            return None
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for one in error.errors(include_url=False):
                self._translate(model, path, one)
            return None

    def _translate(self, model: type[Params], path: Path_, error: Any) -> None:
        loc: Path_ = tuple(error["loc"])
        # pydantic names the branch of a union, which nobody wrote
        while loc and not self.tree.has((*path, *loc)):
            loc = loc[:-1]
        kind, context = error["type"], error.get("ctx", {})
        holder, info = field_at(model, loc)
        if kind == "extra_forbidden" and loc:
            mend = self.elsewhere(str(loc[-1])) or nearest(
                str(loc[-1]), holder.model_fields if holder else ()
            )
            self.add((*path, *loc), "no such parameter", mend)
            return
        unit = meta(info)["unit"] if info else "1"
        shown = f" {unit}" if unit != "1" else ""
        value = error.get("input")
        text = "nothing" if value is None else str(value) if isinstance(value, str) else repr(value)
        if len(text) > 60:
            text = text[:57] + "..."
        if kind in ("greater_than_equal", "less_than_equal"):
            low, high = bounds(info)
            self.add(
                (*path, *loc),
                f"{text} is out of range",
                f"between {quantity(low, info)} and {quantity(high, info)}{shown}",
            )
        elif kind == "value_error":
            # validators of ours write `reason; mend` as one text
            reason, _, mend = str(context.get("error", error["msg"])).partition("; ")
            self.add((*path, *loc), reason, mend)
        elif kind == "literal_error":
            choices = str(context.get("expected", ""))
            options = [part.strip(" '") for part in choices.replace(" or ", ",").split(",")]
            self.add((*path, *loc), f"{text} is not one of {choices}", nearest(str(value), options))
        elif kind in ("model_type", "model_attributes_type", "dict_type"):
            self.add(
                (*path, *loc),
                f"{text} is not a mapping",
                "write its settings below it, name: value",
            )
        else:
            # pydantic's kinds of error, such as int_type and int_parsing, begin with the type
            wanted = {
                "int": "a whole number",
                "float": "a number",
                "bool": "true or false",
                "string": "text",
                "tuple": "a list",
            }.get(kind.split("_")[0], "a valid value")
            self.add(
                (*path, *loc),
                f"{text} is not {wanted}",
                f"write {wanted}{' of' + shown if shown else ''}",
            )


def _dotted(path: Path_) -> str:
    """A path as shown: the leading ``mechanisms`` is understood."""
    return ".".join(map(str, path[1:] if path[:1] == ("mechanisms",) and len(path) > 1 else path))


def field_at(model: type[BaseModel], loc: Path_) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The parameter set that holds a location, and the parameter there."""
    holder, info = model, None
    for part in loc:
        info = holder.model_fields.get(str(part))
        if (
            info is not None
            and isinstance(info.annotation, type)
            and issubclass(info.annotation, BaseModel)
        ):
            # a set of parameters, not a number: go on inside it
            holder, info = info.annotation, None
    return holder, info


def bounds(info: FieldInfo | None) -> tuple[float | None, float | None]:
    """Inclusive bounds of a parameter."""
    low = next((m.ge for m in info.metadata if hasattr(m, "ge")), None) if info else None
    high = next((m.le for m in info.metadata if hasattr(m, "le")), None) if info else None
    return low, high


def quantity(value: float | None, info: FieldInfo | None) -> str:
    """A bound in the unit that a user would write."""
    if value is None:
        return "any"
    return (
        format_duration(int(value))
        if info is not None and meta(info)["unit"] == "s"
        else f"{value:g}"
    )
