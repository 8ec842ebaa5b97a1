"""A run's manifest, read and checked: what is missing or of another kind is said in a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twin.ground import files
from twin.ground.errors import UsageError, nearest
from twin.ground.units import parse_start
from twin.world.metric import metric_from_dict

KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("run_id", "branch", "name", "start", "status", "scenario_digest"), (str,)),
    **dict.fromkeys(("description", "next_digest", "log"), (str,)),
    **dict.fromkeys(("format", "seed", "replicate", "warm_up_s", "duration_s"), (int,)),
    **dict.fromkeys(("reached_s", "sessions"), (int,)),
    **dict.fromkeys(("wall_s", "paused_s", "memory_mb"), (int, float)),
    **dict.fromkeys(("reference", "oracle"), (bool,)),
    **dict.fromkeys(("versions", "code", "files", "parent"), (dict,)),
    **dict.fromkeys(("metrics", "branches", "remarks"), (list,)),
}
"""What a manifest says, if it says it."""
TEXTS = (
    "name",
    "kind",
    "unit",
    "help",
    "side",
    "panel",
    "good",
    "of",
    "moves",
    "trial",
    "split",
    "title",
)
LARGEST = 2**40
"""Of numbers: seconds are fewer."""


class Lacking(UsageError, KeyError):
    """A manifest lacks what was asked for; to templates and others who look first, a KeyError."""

    def __str__(self) -> str:
        # a KeyError would put quotes around it
        return str(self.args[0])


class Manifest(dict[str, Any]):
    """A manifest that was read: asked for what it lacks, it raises Lacking."""

    def __init__(self, folder: Path, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self._folder = folder

    def __missing__(self, key: str) -> Any:
        raise Lacking(f"{self._folder}: manifest.json is damaged: it lacks {key}")


def load_manifest(folder: Path) -> dict[str, Any]:
    """A run's manifest. Raises UsageError if the folder is not a run, or the manifest is damaged."""
    try:
        data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        around = files.beside(folder, "manifest.json")
        raise UsageError(
            f"{folder}: not a run folder, it has no manifest.json ({nearest(folder.name, around)})"
        ) from None
    except OSError as error:
        reason, _ = files.reason(error)
        raise UsageError(f"{files.shown(str(folder))}: not a run folder: {reason}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{folder}: manifest.json cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise UsageError(f"{folder}: manifest.json is damaged: it is no mapping")
    if wrong := _wrong(data):
        raise UsageError(f"{folder}: manifest.json is damaged: {wrong}")
    return Manifest(folder, data)


def _wrong(data: Mapping[str, Any]) -> str:
    """What is of another kind than it must be; empty if nothing is."""
    for key, kinds in KINDS.items():
        if key in data and not _is(data[key], kinds):
            return f"{key} is {files.shown(repr(data[key]))}"
    if "start" in data:
        try:
            parse_start(data["start"])
        except ValueError:
            return f"start is {data['start']!r}"
    for place, each in enumerate(data.get("metrics", ())):
        try:
            metric = metric_from_dict(each)
            odd = [name for name in TEXTS if not isinstance(getattr(metric, name), str)]
            words = [*metric.labels, *(word for words in metric.labels.values() for word in words)]
            if odd or not all(isinstance(word, str) for word in words):
                return f"metric {place + 1} has a part of another kind"
            tuple(metric.series())
        except (TypeError, ValueError, KeyError, AttributeError):
            return f"metric {place + 1} is none"
    return ""


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    # True is an int to Python
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int | float) and not abs(value) < LARGEST and str not in kinds:
        return False
    return isinstance(value, kinds)
