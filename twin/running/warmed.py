"""Worlds that have warmed up, kept so that branches and repeated runs pay for a warm-up once.

A world at its scenario's start follows from the scenario without what cannot act before it
(policies, duration, name, description), the seed and replicate in it, the way it ran, the code of
twin and of the scenario's own mechanisms, the files that parameters name, and the versions of what
computes. The SHA-256 of all that is the name of its entry, a checkpoint (see `checkpoint`) with the
digests of its files in ``sums.json``. An entry that does not match them is removed with a warning,
and the world warms up without it. A run's bytes are the same with and without the cache.

Entries lie in ``worlds/`` under ``TWIN_CACHE`` (a folder; ``off`` for no cache), else
``$XDG_CACHE_HOME/twin``, else ``~/.cache/twin``. They take ``TWIN_CACHE_MB`` megabytes at most
(4096 unless given); the least recently used go first. An entry is written beside its name and
renamed, so several processes may use one cache.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import platform
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from twin.engine.simulation import Simulation
from twin.ground import files
from twin.ground.digest import sha
from twin.ground.errors import CheckpointError, UsageError
from twin.ground.places import cache_home
from twin.scenario.describe import digest
from twin.scenario.population import digests
from twin.world import checkpoint

OFF = "off"
MOST_MB = 4096
STALE_S = 86400.0
"""Wall-clock seconds after which what a killed process left half written is removed."""
SUMS = "sums.json"
_ENTRY = re.compile(r"[0-9a-f]{64}")
_COMPUTE = ("numpy", "numba", "scipy", "simpy", "networkx")
Note = Callable[[str], None]


def _aloud(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def folder() -> Path | None:
    """Where warmed-up worlds are kept; None where the cache is off."""
    given = os.environ.get("TWIN_CACHE", "")
    if given == OFF:
        return None
    return (Path(given) if given else cache_home()) / "worlds"


def most_mb() -> float:
    """Megabytes that the cache may take. Raises UsageError for a TWIN_CACHE_MB that is no
    number."""
    text = os.environ.get("TWIN_CACHE_MB") or str(MOST_MB)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    # also not a number, and below zero
    if not 0 <= number < math.inf:
        raise UsageError(f"TWIN_CACHE_MB={text}: not a number of megabytes (such as {MOST_MB})")
    return number


@functools.cache
def code() -> str:
    """SHA-256 of all of twin's Python files."""
    package, found = Path(__file__).parent.parent, hashlib.sha256()
    # in a fixed order, with names and lengths: other files never give the same bytes
    for file in sorted(package.rglob("*.py")):
        data = file.read_bytes()
        found.update(f"{file.relative_to(package)} {len(data)}\n".encode() + data)
    return found.hexdigest()


def key(simulation: Simulation) -> str:
    """The name of a simulation's world at the scenario's start: SHA-256 of everything that it
    follows from."""
    scenario = simulation.scenario
    parts = {
        "format": checkpoint.FORMAT,
        "scenario": digest(replace(scenario, name="", description="", duration=0, policies=())),
        "mode": [simulation.reference, simulation.oracle],
        "code": code(),
        "files": digests(scenario),
        "own": {name: outside.code() for name, outside in scenario.outside.items()},
        "versions": [
            platform.python_version(),
            platform.system(),
            platform.machine(),
            *(version(name) for name in _COMPUTE),
        ],
    }
    return sha(parts)


def _asks(simulation: Simulation) -> bool:
    """Whether the world does not follow from the scenario alone: a service has a part in it."""
    return any(mechanism.asks for mechanism in simulation.mechanisms)


def begin(simulation: Simulation, note: Note = _aloud) -> bool:
    """Begin a new world: at the scenario's start if it is kept warmed up (True), else where its
    warm-up begins."""
    root = folder()
    # before the warm-up, after which it would be too late to say that it is no number
    most_mb()
    if root is not None and simulation.scenario.warm_up and not _asks(simulation):
        name = key(simulation)
        place = root / name
        try:
            if files.is_folder(place):
                _verify(place, name)
                simulation.load(place)
                # when it was last used, for `_trim`
                os.utime(place)
                return True
        except FileNotFoundError:
            pass  # another process has just removed it
        except (OSError, ValueError, KeyError, CheckpointError) as error:
            note(
                f"a warmed-up world in the cache is damaged and is removed "
                f"({type(error).__name__}: {error}); it warms up again"
            )
            _remove(place)
    simulation.begin()
    return False


def keep(simulation: Simulation, note: Note = _aloud) -> None:
    """Cache a world that has reached its scenario's start after a warm-up. A cache that cannot be
    written is a warning."""
    root = folder()
    if root is None or not simulation.scenario.warm_up or _asks(simulation):
        return
    name = key(simulation)
    # a name of its own: two processes may bring the same world to its start at once
    work = root / f"{name}.{secrets.token_hex(4)}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not (root / name).exists():
            simulation.save(work)
            sums = {file.name: _sum(file) for file in sorted(work.iterdir())}
            (work / SUMS).write_text(json.dumps({"key": name, "files": sums}), encoding="utf-8")
            # asked again: saving and summing a large world takes a while
            if not (root / name).exists():
                work.rename(root / name)
        _trim(root)
    except OSError as error:
        if not files.is_folder(
            root / name
        ):  # else another process has kept the same world meanwhile
            note(
                f"the warmed-up world is not kept for later runs: {error.filename or root}: "
                f"{files.reason(error)[0]} (set TWIN_CACHE to a folder that can be written, or off)"
            )
    finally:
        shutil.rmtree(work, ignore_errors=True)


def up(simulation: Simulation, note: Note = _aloud) -> None:
    """Bring a new world to its scenario's start, where everything before has happened and nothing
    at it."""
    if not begin(simulation, note) and simulation.now < 0:
        simulation.run(0)
        keep(simulation, note)


def _sum(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _verify(place: Path, name: str) -> None:
    """Raise CheckpointError unless an entry is whole, of this name, and unchanged."""
    said = json.loads((place / SUMS).read_text(encoding="utf-8"))
    found = {file.name for file in place.iterdir()} - {SUMS}
    if said["key"] != name or found != set(said["files"]):
        raise CheckpointError(f"{place}: has other files than were written")
    for file, sum_ in said["files"].items():
        if _sum(place / file) != sum_:
            raise CheckpointError(f"{place / file}: was changed")


def _remove(place: Path) -> None:
    """Remove an entry in one step: another process finds it whole or not at all."""
    gone = place.with_name(f"{place.name}.{secrets.token_hex(4)}.gone")
    try:
        place.rename(gone)
    except OSError:
        return  # another process did
    shutil.rmtree(gone, ignore_errors=True)


def _trim(root: Path) -> None:
    """Remove the least recently used entries until the rest takes TWIN_CACHE_MB at most, and what
    a killed process left half written."""
    most = most_mb() * 2**20
    entries = []
    for place in root.iterdir():
        try:
            used = place.stat().st_mtime
            if _ENTRY.fullmatch(place.name):
                entries.append((used, place, sum(file.stat().st_size for file in place.iterdir())))
            # neither an entry nor still being written
            elif time.time() - used > STALE_S:
                shutil.rmtree(place, ignore_errors=True)
        # another process has removed it
        except FileNotFoundError:
            continue
    total = sum(size for _, _, size in entries)
    for _, place, size in sorted(entries, key=lambda entry: (entry[0], entry[1].name)):
        if total <= most:
            return
        _remove(place)
        total -= size
