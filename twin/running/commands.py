"""Commands to a running simulation: pause, continue, pace, intervene, fork, status, look (see
`mailbox`).

They are carried out between two steps of the run, at a barrier, so that what they change is the
same whatever the wall clock says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from twin.engine.simulation import Simulation
from twin.ground.errors import TwinError, UsageError
from twin.ground.units import at
from twin.running import branches
from twin.running import folder as runfolder
from twin.running.looking import look
from twin.running.pace import Pace
from twin.scenario import idle

TEXTS = ("policy", "source", "at", "branch", "out")
"""What of a command is text, if it is there."""


class Steered(Protocol):
    """The run that is commanded, see `drive`."""

    simulation: Simulation
    out: Path
    manifest: dict[str, Any]
    pace: Pace
    paused: bool

    @property
    def now(self) -> int:
        """Simulated seconds since the start."""

    def save(self) -> Path:
        """Bring everything to disk; the checkpoint."""

    def replace(self, simulation: Simulation) -> None:
        """Continue with another simulation of the same world."""


def carry_out(run: Steered, command: dict[str, Any]) -> dict[str, Any]:
    """Carry out a command as it came through the mailbox; returns the reply."""
    try:
        if command["do"] not in _DOERS:
            raise UsageError(f"no command {command['do']}")
        for key in TEXTS:
            if not isinstance(command.get(key, ""), str | None):
                raise UsageError(f"{key}: is no text (write it in quotes, or leave it out)")
        said = _DOERS[command["do"]](run, command)
    # A wrong request, or a disk that is full: the reply says so
    except (TwinError, OSError) as error:
        return {"error": str(error)}
    # A bug, or nonsense written into the mailbox: the run itself is not affected and continues.
    except Exception as error:
        return {"error": f"the command failed: {type(error).__name__}: {error}"}
    return {
        **(said if isinstance(said, dict) else {"ok": said}),
        "now_s": run.now,
        "date": f"{at(run.simulation.scenario.start, run.now):%Y-%m-%d %H:%M}",
        "paused": run.paused,
        "days_per_second": run.pace.limit,
    }


def _pause(run: Steered, command: dict[str, Any]) -> str:
    run.paused = True
    # Here, since no checkpoint is written while the run waits
    run.save()
    return "paused, and a checkpoint is written"


def _continue(run: Steered, command: dict[str, Any]) -> str:
    run.paused = False
    run.pace.restart(run.now)
    return "continues"


def _set_pace(run: Steered, command: dict[str, Any]) -> str:
    limit = command.get("days_per_second")
    # True is an int to Python; NaN, which json reads, fails the comparison; whole numbers in JSON
    # have no end
    if limit is not None and not (
        isinstance(limit, int | float)
        and not isinstance(limit, bool)
        and 0 < limit <= sys.float_info.max
    ):
        raise UsageError(
            "a pace is a positive number of simulated days per second, or nothing for as fast as "
            "it can"
        )
    run.pace.limit = None if limit is None else float(limit)
    run.pace.restart(run.now)
    return "as fast as it can" if limit is None else f"{limit:g} simulated days per second at most"


def _intervene(run: Steered, command: dict[str, Any]) -> str:
    """Apply a policy to the rest of the run: a simulation of the amended scenario loads the world
    as it stands."""
    before = run.simulation
    # 1. Check the policy: nothing of the run is touched if it is refused
    scenario, policies = branches.amended_by(run.out, before, command)
    known = {policy.name for policy in before.scenario.policies}
    # 2. Load the world as it stands at this barrier into a simulation of the new scenario
    folder = run.save()
    simulation = Simulation(
        scenario,
        reference=before.reference,
        oracle=before.oracle,
        threads=before.world.crew.threads,
    )
    simulation.load(folder)
    # What outlives a simulation: the seconds spent in each phase, and who takes the readings
    simulation.spent = before.spent
    simulation.on_measure = before.on_measure
    # 3. Only when the new simulation stands: from here on `twin resume` takes the new scenario
    runfolder.amend(run.out, scenario, run.manifest, policies)
    run.replace(simulation)
    given = [policy for policy in scenario.policies if policy.name not in known]
    said = [policy.describe(scenario.start) for policy in given]
    # said and not refused: as a scenario's own policy would be
    plan = idle.plan_of(scenario)
    for policy in plan[len(plan) - len(given) :]:
        said += [f"warning: {reason}" for reason in idle.of_policy(scenario, policy)]
    return "; ".join(said)


def _fork(run: Steered, command: dict[str, Any]) -> str:
    """Leave a branch of the run as it stands in a folder of its own."""
    # A branch begins at the newest checkpoint, which must be the present
    run.save()
    return branches.leave(run.out, run.simulation, run.manifest, command)


def _status(run: Steered, command: dict[str, Any]) -> str:
    return "paused" if run.paused else "running"


def _look(run: Steered, command: dict[str, Any]) -> dict[str, Any]:
    return {"ok": "looked", "view": look(run.simulation)}


_DOERS: dict[str, Callable[[Steered, dict[str, Any]], str | dict[str, Any]]] = {
    "pause": _pause,
    "continue": _continue,
    "pace": _set_pace,
    "intervene": _intervene,
    "fork": _fork,
    "status": _status,
    "look": _look,
}
