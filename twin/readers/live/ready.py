"""Ready policies of the page: those that come with twin, and files in ``scenarios/policies`` of the
folder in which the run was started, which come first. The page knows only their names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twin.ground.errors import ScenarioError
from twin.ground.units import at, format_duration, moment
from twin.scenario import listing, shipped
from twin.scenario.idle import warm_up_of
from twin.scenario.model import Scenario

FOLDER = Path("scenarios") / "policies"
LONGEST = 100_000
"""Most bytes of a file that is offered."""


def ready() -> dict[str, Path]:
    """Ready policy files by name, sorted."""
    try:
        own = {
            path.stem: path
            for path in FOLDER.glob("*.yaml")
            if path.is_file() and path.stat().st_size <= LONGEST
        }
    except OSError:
        own = {}
    return dict(sorted({**shipped.named(shipped.POLICY), **own}.items()))


def described(scenario: Scenario | None, over: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each with what its file says of it, and what it would change in a scenario under the levers
    that policies have set (``over``)."""
    return [
        {"name": name, "says": _said(path), **_sets(path, scenario, over)}
        for name, path in ready().items()
    ]


def _said(path: Path) -> str:
    try:
        return ". ".join(part.rstrip(".") for part in listing.said(path) if part)
    except OSError:
        return ""


def _sets(path: Path, scenario: Scenario | None, over: Mapping[str, Any]) -> dict[str, Any]:
    """What it sets, and whether all of that is in force. Nothing of a file that is no policy: the
    run refuses it with the reason."""
    try:
        found = list(listing.changes(path, scenario, over)) if scenario else []
    except ScenarioError:
        found = []
    turned = [each.path for each in found if not each.same]
    return {
        "sets": [each.text for each in found],
        "idle": bool(found) and not turned,
        "late": next((late for path in turned if (late := too_late(scenario, path))), None),
    }


def too_late(scenario: Scenario | None, lever: str) -> dict[str, Any] | None:
    """From when on a change of a lever no longer acts in the run: the day's first instant in ms
    since 1970, as pages count, and words; None of one that acts whenever it is changed."""
    warms_up = warm_up_of(scenario, lever) if scenario else None
    if scenario is None or warms_up is None:
        return None
    last_s = max(scenario.duration - warms_up, 0)
    return {
        "from": round(1000 * at(scenario.start, last_s).timestamp()),
        "words": f"{lever}: changed on {moment(scenario.start, last_s)} or later it acts too late. "
        f"The new model warms up for {format_duration(warms_up)} "
        f"(recommender.migration_warm_up) and would take over after the run ends.",
    }
