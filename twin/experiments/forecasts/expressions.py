"""Formulas over metrics, as text: ``responses{head=click} / impressions``.

Names are metrics, with labels in braces; ``+ - * /``, brackets, numbers and ``sqrt`` mean what
they do in Python. A counter without all its labels is the sum over the rest; any other metric needs
all. Where a metric has a label ``arm`` that the text does not give, the group asked for fills it:
the first of its possible names that the metric has.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twin.record.watch import Rows
from twin.world.metric import Metric

_SERIES = re.compile(r"\b([a-z][a-z0-9_]*)(\{[^{}]*\})?")
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
FUNCTIONS = ("sqrt",)


@dataclass(frozen=True)
class Series:
    """A metric with some of its labels, as a formula names it."""

    name: str
    labels: Mapping[str, str]

    def __str__(self) -> str:
        inner = ",".join(f"{key}={value}" for key, value in self.labels.items())
        return f"{self.name}{{{inner}}}" if inner else self.name


@dataclass(frozen=True)
class Formula:
    """A parsed text: the expression over ``s0``, ``s1`` ..., and what these stand for."""

    text: str
    tree: ast.expr
    series: tuple[Series, ...]


def parse(text: str) -> Formula:
    """A formula from text. Raises ValueError for what is none."""
    found: list[Series] = []

    def named(match: re.Match[str]) -> str:
        if match[1] in FUNCTIONS and match[2] is None:
            return match[0]
        pairs = [each.partition("=") for each in (match[2] or "{}")[1:-1].split(",") if each]
        found.append(Series(match[1], {key.strip(): value.strip() for key, _, value in pairs}))
        return f"s{len(found) - 1}"

    tree = ast.parse(_SERIES.sub(named, text), mode="eval").body
    value(Formula(text, tree, tuple(found)), lambda series: 1.0)
    return Formula(text, tree, tuple(found))


Declared = Mapping[str, Sequence[tuple[int, Metric, Mapping[str, str]]]]
"""Series by the name of their metric: place on the board, metric, labels."""


def declared(rows: Rows) -> Declared:
    """The series of a scenario by name; looked up often, of thousands."""
    made: dict[str, list[tuple[int, Metric, Mapping[str, str]]]] = {}
    for place, (metric, labels) in enumerate(rows):
        made.setdefault(metric.name, []).append((place, metric, labels))
    return made


def places(series: Series, known: Declared, arms: Sequence[str] = ()) -> list[int]:
    """Where a series is among the declared ones; empty where it is not, or where its labels leave
    open which gauge is meant."""
    found = known.get(series.name, ())
    if not found:
        return []
    _, metric, _ = found[0]
    labels = dict(series.labels)
    if "arm" in metric.labels and "arm" not in labels:
        groups = [arm for arm in arms if arm in metric.labels["arm"]]
        labels |= {"arm": groups[0]} if groups else {}
    if not labels.keys() <= metric.labels.keys():
        return []
    # sums of gauges mean nothing, and bins of a histogram are no value
    if metric.edges or (metric.kind != "counter" and labels.keys() != metric.labels.keys()):
        return []
    return [
        place
        for place, _, own in found
        if all(own.get(key) == value for key, value in labels.items())
    ]


def missing(formula: Formula, known: Declared, arms: Sequence[str] = ()) -> list[str]:
    """What a scenario lacks for a formula, in words."""
    return [
        f"{each} is not read for {' or '.join(arms)}"
        if arms and each.name in known
        else f"there is no metric {each}"
        for each in formula.series
        if not places(each, known, arms)
    ]


def value(formula: Formula, read: Callable[[Series], float]) -> float:
    """The number, with ``read`` for the value of a series; NaN where it is not defined."""
    names = {f"s{i}": each for i, each in enumerate(formula.series)}

    def of(node: ast.expr) -> float:
        match node:
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                one, other = of(left), of(right)
                if isinstance(op, ast.Div) and other == 0:
                    return math.nan
                return _BINARY[type(op)](one, other)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -of(operand)
            case ast.Call(args=[inner]):
                under = of(inner)
                return math.sqrt(under) if under >= 0 else math.nan
            case ast.Constant(value=number) if isinstance(number, int | float):
                return float(number)
            case ast.Name(id=name):
                return read(names[name])
        raise ValueError(f"{formula.text}: {ast.unparse(node)} is no part of a formula")

    return of(formula.tree)
