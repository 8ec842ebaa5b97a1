"""Scenarios and folders that a command line names."""

from __future__ import annotations

from pathlib import Path

from twin.running.folder import slug
from twin.scenario.loading import Scenario, load


def loaded(path: Path, sets: tuple[str, ...] = (), policies: tuple[str, ...] = ()) -> Scenario:
    """The scenario of a command line. Raises ScenarioError."""
    return load(path, sets, policies)
