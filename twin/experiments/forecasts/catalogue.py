"""All registered experiments by id, and which are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache

from twin.experiments.forecasts.declare import FieldExperiment, Status
from twin.ground.errors import UsageError, nearest

IDS = (*(f"E{n:02d}" for n in range(1, 13)), *(f"R{n}" for n in range(1, 5)))


@cache
def experiment(id: str) -> FieldExperiment:
    """A registered experiment by its id."""
    found: FieldExperiment = importlib.import_module(
        f"twin.experiments.forecasts.registry.{id.lower()}"
    ).EXPERIMENT
    return found


def chosen(wanted: Sequence[str], but: Sequence[Status] = ()) -> list[str]:
    """Ids in order, each once; all but those of some status if none is named. Raises UsageError."""
    for id in wanted:
        if id.upper() not in IDS:
            raise UsageError(f"no experiment {id} ({nearest(id.upper(), IDS)})")
    asked = {id.upper() for id in wanted}
    return [id for id in IDS if id in asked or (not asked and experiment(id).status not in but)]
