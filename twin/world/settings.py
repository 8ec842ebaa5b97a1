"""Parameters as kernels take them: one record with a field for every number, named as in YAML.

A kernel reads ``bot.answers.agreement`` where YAML has ``answers: {agreement: 0.1}``. So a
parameter is declared in one place and used in another, and no list in between repeats its name. A
record is passed by reference; a structured dtype, unlike a generated tuple type, also tells numba's
cache which fields the compiled code was made for.

    float, Rate       f8, events per day
    int, Duration     i8, whole seconds
    bool              ?
    Literal           i8, the value's place among those that are declared
    a nested set      a nested record

Texts, lists and optional values have no field: kernels do not read them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from twin.world.params import Params, meta

PLAIN = {float: "f8", int: "i8", bool: "?"}
"""Types of numpy, by annotation."""


@functools.cache
def layout(model: type[Params]) -> np.dtype[Any]:
    """The record of a parameter set, fields in declared order."""
    fields: list[tuple[str, Any]] = []
    for name, info in model.model_fields.items():
        # Without its Annotated parts: a Duration is an int here, a Rate a float
        kind: Any = info.annotation
        if isinstance(kind, type) and issubclass(kind, Params):
            fields.append((name, layout(kind)))
        elif get_origin(kind) is Literal:
            fields.append((name, "i8"))
        elif kind in PLAIN:
            fields.append((name, PLAIN[kind]))
    # May be aligned, unlike records that are saved: a checkpoint keeps no such flag
    return np.dtype(fields, align=True)


def fill(record: Any, params: Params, lever: Callable[[str], Any] | None, prefix: str = "") -> None:
    """Write a parameter set into a record of its `layout`; levers, if ``lever`` gives their values
    by path, at what it gives."""
    for name in record.dtype.names:
        info, path = type(params).model_fields[name], f"{prefix}{name}"
        value = getattr(params, name)
        if isinstance(value, Params):
            fill(record[name], value, lever, f"{path}.")
            continue
        if lever is not None and meta(info)["lever"]:
            value = lever(path)
        # The same number as the kernel's constant, whose order is that of the declaration
        if get_origin(info.annotation) is Literal:
            value = get_args(info.annotation).index(value)
        record[name] = value


def settings(params: Params, *levers: Callable[[str], Any]) -> NDArray[np.void]:
    """Records of one parameter set: one for each of ``levers``, which give values of levers by
    path; without any, one of the values as declared."""
    # A kernel always takes an array of records, with one arm or many
    given = levers or (None,)
    records = np.zeros(len(given), layout(type(params)))
    for record, lever in zip(records, given, strict=True):
        fill(record, params, lever)
    return records
