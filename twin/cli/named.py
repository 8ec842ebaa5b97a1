"""Scenarios and folders that a command line names."""

from __future__ import annotations

from pathlib import Path

from twin.running.folder import slug
from twin.scenario.loading import Scenario, load


def loaded(path: Path, sets: tuple[str, ...] = (), policies: tuple[str, ...] = ()) -> Scenario:
    """The scenario of a command line. Raises ScenarioError."""
    return load(path, sets, policies)


def free_folder(name: str, command: str = "") -> Path:
    """The next free folder in ``runs/`` for what a scenario (and a command) is called."""
    begin = "-".join(filter(None, (command, slug(name))))
    return next(
        path
        for number in range(1, 10**6)
        if not (path := Path("runs") / f"{begin}-{number}").exists()
    )
