"""What a class must keep to that stands in for a mechanism of twin's, beside what every mechanism
keeps to (`twin.testing.contract`). Each check raises AssertionError and says what to mend.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from twin.engine.simulation import Simulation
from twin.testing.contract import Kind, of
from twin.world.protocol import lacks, protocol


def check_brings_what_others_use(kind: Kind, replaced: Kind, others: Iterable[Kind]) -> None:
    """Columns, services, levers and metrics that other mechanisms use, declared as they take
    them."""
    wrong = "\n".join(f"{reason} ({mend})" for reason, mend in lacks(kind, replaced, others))
    assert not wrong, f"{kind.__name__} cannot stand in for {replaced.__name__}:\n{wrong}"


def check_services_are_alike(
    mine: Simulation, theirs: Simulation, replaced: Kind, others: Iterable[Kind]
) -> None:
    """Every service is offered, takes what the replaced one takes, and gives the same kind of
    thing."""
    title = type(of(mine, replaced.name)).__name__
    for name, used in protocol(replaced, others).services.items():
        assert mine.world.has_service(name), (
            f'{title} lists {name} in provides and does not offer it (add world.provide("{name}", '
            f"...) to its __init__)"
        )
        here, there = mine.world.service(name), theirs.world.service(name)
        given = [None] * len(inspect.signature(there).parameters)
        assert _takes(here, len(given)), (
            f"service {name} of {title} does not take {len(given)} arguments"
            f"{f' (it is {used.what})' if used.what else ''}"
        )
        # a service with arguments does something, and this world is shared by all checks
        if not given and (odd := unlike(here(), there())):
            raise AssertionError(
                f"service {name} of {title} gives {odd}{f' (it is {used.what})' if used.what else ''}"
            )


def check_values_are_within(simulation: Simulation, replaced: Kind, others: Iterable[Kind]) -> None:
    """What others read is within the bounds that the replaced mechanism keeps to."""
    kind = type(of(simulation, replaced.name))
    for (table, name), used in protocol(replaced, others).columns.items():
        (low, high), data = used.what.within, simulation.world.tables[table]
        values = np.asarray(data[name])[data["alive"]]
        out = values[(values < low) | (values > high)]
        assert not len(out), (
            f"{table}.{name} holds {out[0]:g} in {len(out)} of {len(values)} rows, and "
            f"{', '.join(used.by)} take it for {used.what.help.rstrip('.')} (keep it between {low:g} "
            f"and {high:g}, as by np.clip, wherever {kind.__name__} writes it)"
        )


def unlike(mine: Any, theirs: Any) -> str:
    """How one thing is of another kind than a second one; "" where it is not."""
    if isinstance(theirs, np.ndarray):
        if not isinstance(mine, np.ndarray):
            return f"{type(mine).__name__}, not an array"
        # lengths are a world's; what an entry is, is the service's
        both = [(each.dtype, each.ndim) for each in (mine, theirs)]
        return (
            ""
            if both[0] == both[1]
            else "an array {} with {} axes, not {} with {}".format(*both[0], *both[1])
        )
    if isinstance(theirs, tuple):
        if type(mine) is not type(theirs) or len(mine) != len(theirs):
            return f"{type(mine).__name__}, not {type(theirs).__name__}"
        names = getattr(theirs, "_fields", range(len(theirs)))
        odd = ((name, unlike(a, b)) for name, a, b in zip(names, mine, theirs, strict=True))
        return next((f"{name}: {what}" for name, what in odd if what), "")
    same = isinstance(mine, type(theirs)) or (theirs is None and mine is None)
    return "" if same else f"{type(mine).__name__}, not {type(theirs).__name__}"


def _takes(service: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(service).bind(*[None] * count)
    except TypeError:
        return False
    return True
