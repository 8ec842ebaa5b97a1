"""Results of field experiments, on the scale of their designs: those of the development set, and
those that a key file brings.

A key file is YAML:

    source: who opened it, and from where
    results:
      E02:
        O1: {y: -0.31, s: 0.02}                    size with its standard error
        O2: {y: 0.004, s: 0.01, imputed: true}     s was not reported, and is a guess
        O3: {category: "+"}                        the sign alone: "-", "0" or "+"
        O4: {category: "-0"}                       not "+"

Where y is given, its category follows from the smallest effect of interest, unless the file says
another. An outcome that is left out is not scored.

The development set (E01 to E06) may be learned from, and its results are known; those of E04, of
E05, and of E01.O1 and O2 set parameters of the twin. No result of a blind experiment is in this
package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.experiments.forecasts.catalogue import IDS, experiment
from twin.experiments.forecasts.declare import Outcome
from twin.experiments.forecasts.document import SIGNS
from twin.ground import files
from twin.ground.errors import ScenarioError, UsageError, nearest
from twin.scenario.yamlish import read_file


@dataclass(frozen=True)
class Truth:
    """A result: ``y`` with standard error ``s`` (NaN where the sign alone is known), ``category``
    the signs that it may have; ``imputed``: s is max(SESOI / 2, |y| / 4), as no interval could be
    read; ``source``: how it is known."""

    category: str
    y: float = math.nan
    s: float = math.nan
    imputed: bool = False
    source: str = ""

    @property
    def sized(self) -> bool:
        """Whether there is a size."""
        return math.isfinite(self.y)


Key = Mapping[str, Mapping[str, Truth]]
"""Results by experiment and outcome."""


def category(y: float, sesoi: float) -> str:
    """The sign of an effect, null inside the smallest one of interest."""
    return SIGNS[0] if y < -sesoi else SIGNS[2] if y > sesoi else SIGNS[1]


_MILLI = "Milli et al., PNAS Nexus 2025"
_HOLTZ = "Holtz et al., EC 2020; abstract"
_MUCHNIK = "Muchnik et al., Science 2013; abstract"
_FANG = "Fang et al. 2025, version 2; abstract"
_NEXTDOOR = "Nextdoor engineering 2023; from a third party"
DEVELOPMENT: Key = {
    "E01": {
        "O1": Truth("+", 0.47, 0.12, True, f"{_MILLI}; size from a third party"),
        "O2": Truth("+", 0.24, 0.06, True, f"{_MILLI}; size from a third party"),
        "O3": Truth("-0", source=f"{_MILLI}; abstract"),
    },
    "E02": {
        "O1": Truth("+", 0.254, 0.063, True, _HOLTZ),
        "O2": Truth("-", -0.122, 0.031, True, _HOLTZ),
        "O3": Truth("+", 0.058, 0.014, True, _HOLTZ),
    },
    "E03": {
        "O1": Truth(
            "-",
            -0.765,
            0.002,
            source="KuaiRand, Gao et al., CIKM 2022; 0.1762 against 0.3787, computed by a third "
            "party from the data",
        )
    },
    "E04": {
        "O1": Truth("+", 0.278, 0.069, True, _MUCHNIK),
        "O2": Truth("+", 0.223, 0.056, True, _MUCHNIK),
        "O3": Truth("0", 0.0, 0.05, True, _MUCHNIK),
    },
    "E05": {
        "O1": Truth("0", 0.0, 0.07, True, _FANG),
        "O2": Truth("0", 0.0, 0.07, True, _FANG),
        "O3": Truth("-", source=_FANG),
    },
    "E06": {
        "O1": Truth("-", -0.580, 0.145, True, _NEXTDOOR),
        "O2": Truth("+", 0.010, 0.0025, True, _NEXTDOOR),
        "O3": Truth("+", 0.004, 0.001, True, _NEXTDOOR),
    },
}
"""The only place that holds results."""


def read(file: Path) -> dict[str, dict[str, Truth]]:
    """A key file. Raises UsageError with the first thing that is wrong."""
    if not files.is_file(file):
        reason, mend = files.trouble(file, file.name)
        raise UsageError(f"--key {files.shown(str(file))}: {reason} ({mend})")
    try:
        plain: Any = read_file(file, []).plain()
    except ScenarioError as error:
        raise UsageError(f"--key {error.problems[0]}") from None
    listed = plain.get("results") if isinstance(plain, dict) else None
    if not isinstance(listed, dict) or not listed:
        raise UsageError(f"--key {file}: has no results (write results: {{E02: {{O1: ...}}}})")
    made: dict[str, dict[str, Truth]] = {}
    for id, outcomes in listed.items():
        if id not in IDS:
            raise UsageError(f"--key {file}: no experiment {id} ({nearest(str(id), IDS)})")
        known = {each.id: each for each in experiment(id).outcomes}
        if not isinstance(outcomes, dict):
            raise UsageError(f"--key {file}: {id}: write its outcomes, {{O1: {{y: ..., s: ...}}}}")
        for name, given in outcomes.items():
            if name not in known:
                raise UsageError(f"--key {file}: {id} has no {name} ({nearest(str(name), known)})")
            made.setdefault(id, {})[name] = _truth(f"--key {file}: {id}.{name}", given, known[name])
    return made


def _truth(where: str, given: Any, outcome: Outcome) -> Truth:
    fields = ("y", "s", "category", "imputed", "source")
    if not isinstance(given, dict):
        raise UsageError(f"{where}: is no result (write y and s, or category)")
    odd = [str(key) for key in given if key not in fields]
    if odd:
        raise UsageError(f"{where}: {odd[0]} is no part of a result ({nearest(odd[0], fields)})")
    size = [_number(where, key, given[key]) for key in ("y", "s") if key in given]
    if len(size) == 1 or (not size and "category" not in given):
        raise UsageError(f"{where}: needs y and s, or category")
    if size and size[1] <= 0:
        raise UsageError(f"{where}: s is a standard error, above zero")
    signs = str(given.get("category", category(size[0], outcome.sesoi) if size else ""))
    if not signs or set(signs) - set(SIGNS) or len(signs) > 2:
        raise UsageError(f'{where}: category {signs}: write "-", "0", "+", or two of them')
    return Truth(
        signs,
        y=size[0] if size else math.nan,
        s=size[1] if size else math.nan,
        imputed=given.get("imputed") in (True, "true"),
        source=str(given.get("source", "")),
    )


def _number(where: str, key: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"{where}: {key}: {value} is no number")
    return number
