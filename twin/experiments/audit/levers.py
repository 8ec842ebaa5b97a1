"""The levers of an audit that turns all of them together: which there are, over which range each
runs, and the designs by SALib.

Every numeric lever runs over ``value / 4 .. value x 4`` on a log scale, within the bounds that it
declares; whole numbers and the grid of clocks are kept. One further parameter, LUCK, sets nothing:
what it seems to do is luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments.audit import turning
from twin.experiments.audit.engineering import chosen
from twin.experiments.design import Vary, quantity
from twin.ground.errors import UsageError
from twin.scenario.describe import Row, describe
from twin.scenario.idle import cannot, late
from twin.scenario.loading import Scenario
from twin.world.params import leaves

LUCK = "luck (sets nothing)"
SPAN = 4.0
"""A lever runs from its value divided by this to its value times this."""
LEVELS = 4
"""Of Morris' design."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lever:
    """A numeric lever: where it is, its value as the scenario has it, and its range."""

    now: str
    vary: Vary

    @property
    def path(self) -> str:
        """Its path."""
        return self.vary.path


def levers(
    scenario: Scenario, steps: Sequence[str], at: int = 0
) -> tuple[list[Lever], list[tuple[str, str]]]:
    """Numeric levers of the chosen steps that act when they are turned at ``at`` (seconds since the
    start), and paths that were left out with reasons."""
    rows = {row.path: row for row in describe(scenario)}
    made: list[Lever] = []
    left: list[tuple[str, str]] = []
    # each once, in the order of the steps: several steps set the same lever
    for path in dict.fromkeys(path for step in chosen(steps) for path in step.set):
        if why := _unfit(path, rows) or cannot(scenario, path) or late(scenario, path, at):
            left.append((path, why))
            continue
        lever = _lever(scenario, path, rows[path].value)
        # as text, so after rounding to whole numbers or to the grid
        if lever.vary.at(0.0) == lever.vary.at(1.0):
            left.append((path, "has no room within its bounds"))
        else:
            made.append(lever)
    return made, left


def _unfit(path: str, rows: Mapping[str, Row]) -> str:
    """Why a setting cannot be turned as a number; empty if it can."""
    if path not in rows:
        return "not here"
    row = rows[path]
    if not row.lever:
        return "fixed for a run, and no lever"
    value = quantity(row.value)
    if not np.isfinite(value):
        return f"is {row.value}, no number"
    # a range from value / SPAN to value x SPAN on a log scale needs a value above zero
    return f"is {row.value}, which has no multiples" if value <= 0 else ""


def _lever(scenario: Scenario, path: str, now: str) -> Lever:
    value = quantity(now)
    mechanism, _, rest = path.partition(".")
    info = dict(leaves(type(scenario.mechanisms[mechanism])))[rest]
    bounds = {
        name: float(found)
        for each in info.metadata
        for name in ("ge", "le")
        if (found := getattr(each, name, None)) is not None
    }
    low, high = (
        max(value / SPAN, bounds.get("ge", 0.0)),
        min(value * SPAN, bounds.get("le", np.inf)),
    )
    text = turning.plain(now)
    whole = isinstance(text, int) and not isinstance(text, bool)
    # in the units of `quantity`: rates per day, other texts are durations in seconds
    suffix = "" if not isinstance(text, str) else "/d" if "/" in now else "s"
    if whole:
        # inside the bounds, and above zero, which has no logarithm
        low, high = max(1.0, np.ceil(low)), np.floor(high)
    return Lever(
        now,
        Vary(
            path,
            low=float(low),
            high=float(high),
            suffix=suffix,
            log=True,
            whole=whole,
            grid=scenario.grid if suffix == "s" else 1,
        ),
    )


def check(scenario: Scenario, args: dict[str, Any]) -> None:
    """Raises UsageError if there is nothing to turn, or the budget does not fit the method."""
    found, left = levers(scenario, args["steps"], int(args["at_s"]))
    if not found:
        raise UsageError(
            f"--method {args['method']}: none of the chosen steps turns a numeric lever that can "
            f"act here ({'; '.join(f'{path} {why}' for path, why in left[:3])})"
        )
    budget = int(args["budget"])
    if args["method"] == "sobol" and budget & (budget - 1):
        raise UsageError(
            f"--points {budget}: is no power of two, as Sobol's sequence needs "
            f"({1 << budget.bit_length()} is the next)"
        )


def problem(found: Sequence[Lever]) -> dict[str, Any]:
    """The design space for SALib: shares of the way of each lever, and luck."""
    names = [*(each.path for each in found), LUCK]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def sample(found: Sequence[Lever], method: str, budget: int, seed: int) -> Array:
    """The design (runs, levers and luck), in shares of the way."""
    # SALib takes a second to import, and most commands never need it
    from SALib.sample import morris, sobol

    if method == "morris":
        return np.asarray(
            morris.sample(problem(found), budget, num_levels=LEVELS, seed=seed), np.float64
        )
    return np.asarray(
        sobol.sample(problem(found), budget, calc_second_order=False, seed=seed), np.float64
    )


def block(found: Sequence[Lever], method: str) -> int:
    """Runs of a trajectory (Morris) or block (Sobol)."""
    # with luck: Morris a base point and one run per parameter, Sobol A, B and one per parameter
    return len(found) + (2 if method == "morris" else 3)
