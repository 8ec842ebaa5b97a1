"""All findings by key, and which worlds are needed to judge which."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from twin.experiments.findings import above
from twin.experiments.findings.kit.declare import Finding
from twin.ground.errors import UsageError, nearest

KEYS = ("F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8")


def chosen(wanted: Sequence[str]) -> list[str]:
    """Keys of findings, all if none is named. Raises UsageError."""
    for key in wanted:
        if key.upper() not in KEYS:
            raise UsageError(f"no finding {key} ({nearest(key.upper(), KEYS)})")
    # In the order of KEYS and each once, however they were asked for.
    return [key for key in KEYS if not wanted or key in {each.upper() for each in wanted}]


def finding(key: str) -> Finding:
    """A finding by its key."""
    if key == "F8":
        return above.FINDING
    found: Finding = importlib.import_module(
        f"twin.experiments.findings.{key.lower()}.finding"
    ).FINDING
    return found


def needed(keys: Sequence[str]) -> list[Finding]:
    """Findings whose worlds have to be run: F8 needs those of all others."""
    # F8 has no parts of its own: it reads those of the others.
    return [finding(key) for key in KEYS[:-1] if key in keys or "F8" in keys]
