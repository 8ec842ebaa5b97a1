"""A forecast as a file: one JSON an experiment, the same bytes whenever the same code makes it.

    id, title, status, quick     quick: made by small worlds to see that all runs; no forecast
    worlds, seed, scenario       how many worlds, of which seed and scenario (its digest)
    ranges                       what was drawn
    code, mapping, drawn         SHA-256 of the package, of the mapping of outcomes, of the worlds
    digest                       SHA-256 over these three and the answers
    outcomes                     per outcome id, form, sesoi, and either
        cannot                       why the twin cannot express it
        estimand, days               what is compared, and the window in days after the fork
        quantiles                    5, 25, 50, 75, 95 % over worlds
        p                            shares of worlds below -sesoi, inside, above +sesoi
        worlds                       worlds with a value
        beside                       the same for further windows, not scored

Numbers have six digits, so that a last bit of a machine does not show.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.experiments.forecasts.declare import Form
from twin.experiments.forecasts.plan import Answered, Plan
from twin.ground.digest import sha
from twin.ground.errors import UsageError
from twin.running import warmed
from twin.scenario.describe import digest

FORMAT = 1
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
SIGNS = ("-", "0", "+")
"""Below the smallest effect of interest, inside it, above."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What a forecast says of an outcome: quantiles (5,) at `LEVELS` and probabilities (3,) of
    `SIGNS`; or why it cannot say anything."""

    id: str
    form: Form
    sesoi: float
    quantiles: tuple[float, ...] = ()
    p: tuple[float, ...] = ()
    cannot: str = ""


def spread(values: Array, sesoi: float) -> dict[str, Any]:
    """Quantiles and probabilities over worlds (worlds,); NaN is a world without a value."""
    known = values[np.isfinite(values)]
    shares = [float(np.mean(part)) for part in (known < -sesoi, abs(known) <= sesoi, known > sesoi)]
    return {
        "quantiles": {
            f"{100 * level:g}": _rounded(found)
            for level, found in zip(LEVELS, np.quantile(known, LEVELS), strict=True)
        },
        "p": {sign: _rounded(share) for sign, share in zip(SIGNS, shares, strict=True)},
        "worlds": len(known),
    }


def answer(each: Answered, windows: Mapping[tuple[float, float], Array]) -> dict[str, Any]:
    """An outcome as plain data, from its values in all worlds by window."""
    outcome = each.outcome
    made: dict[str, Any] = {
        "id": outcome.id,
        "says": outcome.says,
        "form": outcome.form,
        "sesoi": outcome.sesoi,
        "primary": outcome.primary,
    }
    if each.reading is None:
        return made | {"cannot": each.why}
    values = windows[outcome.days]
    # a fan of few worlds would look sharp
    if np.isfinite(values).sum() <= len(values) / 2:
        return made | {"cannot": "no value in half of the worlds or more"}
    made |= {"estimand": each.reading.estimand, "days": list(outcome.days)}
    made |= spread(values, outcome.sesoi)
    beside = [
        {"days": list(days), **spread(windows[days], outcome.sesoi)}
        for days in outcome.beside
        if np.isfinite(windows[days]).any()
    ]
    return made | ({"beside": beside} if beside else {})


def facts(plan: Plan) -> dict[str, str]:
    """What every byte of a forecast follows from: SHA-256 of code, mapping and worlds."""
    return {
        "code": warmed.code(),
        "mapping": sha(plan.facts()),
        "drawn": sha([digest(plan.scenario), plan.size.worlds, plan.points]),
    }


def forecast(plan: Plan, answers: Sequence[Mapping[str, Any]]) -> bytes:
    """The file."""
    experiment, made_by = plan.experiment, facts(plan)
    made = {
        "format": FORMAT,
        "id": experiment.id,
        "title": experiment.title,
        "status": experiment.status,
        "quick": plan.size.quick,
        "worlds": plan.size.worlds,
        "seed": plan.base.seed,
        "scenario": digest(plan.scenario),
        "ranges": [each.text for each in plan.given],
        **made_by,
        "digest": sha([made_by, list(answers)]),
        "outcomes": list(answers),
    }
    return (json.dumps(made, indent=1, ensure_ascii=False) + "\n").encode()


def answers(file: Path) -> tuple[dict[str, Any], list[Answer]]:
    """A forecast's head and its answers. Raises UsageError for what is none."""
    try:
        made = json.loads(file.read_text(encoding="utf-8"))
        if made["format"] != FORMAT:
            raise UsageError(f"{file}: is a forecast of another version")
        return made, [
            Answer(
                each["id"],
                each["form"],
                float(each["sesoi"]),
                tuple(float(each["quantiles"][f"{100 * level:g}"]) for level in LEVELS)
                if "quantiles" in each
                else (),
                tuple(float(each["p"][sign]) for sign in SIGNS) if "p" in each else (),
                str(each.get("cannot", "")),
            )
            for each in made["outcomes"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file}: is no forecast ({type(error).__name__}: {error})") from None


def _rounded(value: float) -> float:
    """Six digits; never -0.0."""
    return float(f"{value:.6g}") + 0.0 if math.isfinite(value) else value
