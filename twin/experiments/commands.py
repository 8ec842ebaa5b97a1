"""Commands that make an experiment's folder, and what `twin resume DIR` and `twin report DIR` do
with one.

A command's module has ``resume(experiment, on)``, which does what is left from
``experiment.manifest["args"]`` alone, writes results and report and ends the experiment, and
``report(experiment)``, which writes the report again from what is in the folder. The command line
calls the same ``resume`` for a new folder, so a resumed command is the same as one that was never
stopped.
"""

from __future__ import annotations

import hashlib
import importlib
from typing import Any

from twin.experiments.experiment import FORMAT, Experiment
from twin.experiments.work.store import Store
from twin.experiments.work.tasks import SCENARIO
from twin.ground.errors import UsageError
from twin.scenario.loading import load

COMMANDS: dict[str, str] = {
    name: f"twin.experiments.{name}.command"
    for name in (
        "compare",
        "sweep",
        "audit",
        "stress",
        "findings",
        "forecasts",
        "calibrate",
        "backtest",
        "recommend",
    )
}
"""The module of each command."""


def of(out: str) -> str | None:
    """Which command made a folder; None for what is no experiment. Raises UsageError for a command
    that this version does not know."""
    store = Store(out)
    try:
        found = store.read_json("manifest.json") if store.exists("manifest.json") else {}
    except ValueError as error:
        raise UsageError(f"{out}: manifest.json cannot be read: {error}") from None
    command = found.get("command") if isinstance(found, dict) else None
    # a plain run has a manifest too, but no command
    if command is None:
        return None
    if command not in COMMANDS or found.get("format") != FORMAT:
        raise UsageError(
            f"{out}: was made by twin {command} of another version (give the command a new --out)"
        )
    return str(command)


def opened(out: str, quiet: bool = False, to_read: bool = False) -> Experiment:
    """The experiment in a folder, as its manifest says. Raises UsageError if the scenario in it was
    changed.

    To compute on, every setting must be as it was; ``to_read`` what was computed, settings that
    later versions added may have their defaults.
    """
    command = of(out)
    if command is None:
        raise UsageError(f"{out}: holds no experiment")
    store = Store(out)
    with store.local(SCENARIO) as path:
        scenario, written = load(path), hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = store.read_json("manifest.json")
    # the constructor compares digests, and so refuses a scenario that was edited
    known = ""
    # the file is as it was written, though a later version may read more settings from it
    if to_read and written == manifest["scenario_digest"]:
        known = written
    return Experiment(out, command, manifest["args"], scenario, quiet, known)


def resume(out: str, on: str | None, quiet: bool = False) -> Experiment:
    """Do what is left of an experiment."""
    experiment = opened(out, quiet)
    _module(experiment).resume(experiment, on)
    return experiment


def report(out: str, **options: str | None) -> str:
    """Write an experiment's report again; returns where it is. ``options`` are the command's own.

    Raises UsageError if there are no results yet.
    """
    experiment = opened(out, quiet=True, to_read=True)
    if not experiment.store.exists("results.parquet"):
        raise UsageError(f"{out}: has no results yet (continue with: twin resume {out})")
    given = {key: value for key, value in options.items() if value is not None}
    _module(experiment).report(experiment, **given)
    return f"{out.rstrip('/')}/report.html"


def _module(experiment: Experiment) -> Any:
    # when it is called: a command must not wait for the imports of the others
    return importlib.import_module(COMMANDS[experiment.command])
