"""A run's folder: what is in it, written so that it is whole at every instant.

``scenario.yaml`` (resolved; policies given while the run runs are added to it), ``manifest.json``,
``name.json`` (what the user calls the run, see `naming`), ``metrics.parquet`` and
``events.parquet`` (parts while the run lives), ``checkpoints/``, ``interventions/`` (policies given
by hand, as they were applied), ``mailbox/`` (while a process runs), ``sent/`` (what each
remote-write receiver has confirmed) and ``report.html``.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twin.engine.simulation import Simulation
from twin.ground import files
from twin.ground.errors import CheckpointError
from twin.ranking import answers
from twin.record import naming
from twin.record.mailbox import FOLDER, is_open
from twin.record.results import FORMAT, MAIN, load_manifest
from twin.scenario.describe import digest, dump
from twin.scenario.idle import remarks
from twin.scenario.loading import Scenario, load
from twin.scenario.population import digests
from twin.world import checkpoint
from twin.world.metric import metric_to_dict

PACKAGES = ("twin", "numpy", "numba", "simpy", "networkx", "pyarrow", "scipy")
LONGEST_SLUG = 60
"""Characters: with up to four bytes each, a number and an ending, a name stays below 255 bytes."""
KIND = "a run folder"
BEGUN = ".begun"
"""Where a run folder is made in a folder that is there."""
PARTS = (
    checkpoint.FOLDER,
    "scenario.yaml",
    "metrics",
    "events",
    "interventions",
    naming.FILE,
    answers.NAME,
)
"""What a new run or branch has besides its manifest."""


def free(out: Path) -> None:
    """Raise UsageError unless ``out`` can become a run folder."""
    resume = f", or `twin resume {files.shown(str(out))}` if it is an unfinished run"
    files.free(out, "--out", KIND, _half_made, resume)


def _half_made(out: Path) -> bool:
    """Whether a process died while it made a run folder of this one, or before it had computed
    anything in it."""
    there = {path.name for path in out.iterdir()}
    return (BEGUN in there and there <= {BEGUN, *PARTS}) or _nothing_computed(out)


def _nothing_computed(out: Path) -> bool:
    """Whether a run folder has no state yet from which it could go on, and nobody works on one."""
    there = {path.name for path in out.iterdir()}
    return (
        "manifest.json" in there
        and there <= {"manifest.json", "scenario.yaml", checkpoint.FOLDER, naming.FILE, FOLDER}
        and not any((out / checkpoint.FOLDER).glob("*"))
        and not is_open(out)
    )


def abandon(out: Path, there_before: bool) -> None:
    """Take away the folder of a run that ended before it computed anything, so that the corrected
    command may have it; one that the user had made stays, empty."""
    if not _nothing_computed(out):
        return
    for part in out.iterdir():
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink()
    if not there_before:
        out.rmdir()


@contextmanager
def made(out: Path) -> Iterator[Path]:
    """A place at which the block makes a run folder, which becomes ``out`` when the block ends
    well: a run folder is whole or absent. Raises UsageError where that cannot be."""
    # A folder that is there may be a link or a mounted volume, over which nothing can be renamed:
    # its parts are moved into it, and the manifest, without which it is no run, comes last
    inside = out.is_dir()
    work = out / BEGUN if inside else out.with_name(out.name + ".part")
    try:
        # what a killed process left
        shutil.rmtree(work, ignore_errors=True)
        for name in PARTS if inside and out.is_dir() else ():
            shutil.rmtree(out / name, ignore_errors=True)
            (out / name).unlink(missing_ok=True)
        work.mkdir(parents=True)
        yield work
        if inside:
            for part in sorted(work.iterdir(), key=lambda part: part.name == "manifest.json"):
                part.replace(out / part.name)
            work.rmdir()
        else:
            work.replace(out)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise files.unmade(out, error, "--out", KIND) from None


def create(out: Path, scenario: Scenario, simulation: Simulation) -> dict[str, Any]:
    """Make the folder of a new run of a scenario as `told`; returns its manifest."""
    free(out)
    manifest = {
        "format": FORMAT,
        "run_id": f"{slug(scenario.name)}-{secrets.token_hex(4)}",
        "branch": MAIN,
        "name": scenario.name,
        "description": scenario.description,
        "seed": scenario.seed,
        "replicate": scenario.replicate,
        "scenario_digest": digest(scenario),
        "start": scenario.start.isoformat(),
        "warm_up_s": scenario.warm_up,
        "duration_s": scenario.duration,
        "reference": simulation.reference,
        "oracle": simulation.oracle,
        "status": "running",
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
        "code": {name: outside.code() for name, outside in scenario.outside.items()},
        "files": digests(scenario),
        "metrics": [metric_to_dict(metric) for metric in simulation.world.board.metrics.values()],
    }
    if idle := remarks(scenario):
        manifest["remarks"] = idle
    with made(out) as work:
        (work / checkpoint.FOLDER).mkdir()
        (work / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
        if named := naming.given().text:
            _write(work / naming.FILE, named)
        write_manifest(work, manifest)
    return manifest


def open_(out: Path) -> tuple[Scenario, dict[str, Any]]:
    """Scenario and manifest of an unfinished run. Raises CheckpointError if either is not what the
    run began with."""
    manifest = load_manifest(out)
    if manifest.get("format") != FORMAT:
        raise CheckpointError(
            f"{out}: run format {manifest.get('format')}, this version reads {FORMAT} (run the "
            f"scenario again)"
        )
    scenario = load(out / "scenario.yaml")
    found = digest(scenario)
    # another scenario than recorded: changed by hand, or `amend` did not come to its end
    if found != manifest["scenario_digest"]:
        if found != manifest.get("next_digest"):
            raise CheckpointError(
                f"{out}: scenario.yaml was changed since the run began (start a new run instead)"
            )
        manifest["scenario_digest"] = found  # the process died between the writes of `amend`
    _settle(out, amended=found == manifest.pop("next_digest", None))
    # other code would compute other bytes, and the run would be of two kinds
    for name, outside in scenario.outside.items():
        if outside.code() != manifest["code"].get(name):
            raise CheckpointError(
                f"{out}: {outside.file}, the code of {name}, was changed since the run began "
                f"(start a new run instead)"
            )
    # runs of earlier versions have no digests of files
    before = manifest.get("files", {})
    for name, found in digests(scenario).items() if before else ():
        if found != before.get(name):
            raise CheckpointError(
                f"{out}: the file of {name} was changed since the run began (bring it back, or "
                f"start a new run)"
            )
    return scenario, manifest


def amend(out: Path, scenario: Scenario, manifest: dict[str, Any], policies: str) -> None:
    """Make another scenario, with the policies given by hand, that of the run: whenever the
    process dies, the scenario is the old or the new one."""
    # both digests are on disk before the scenario changes: `open_` finds either one, and then keeps
    # or drops the pending policies
    note_intervention(out, policies, pending=True)
    write_manifest(out, {**manifest, "next_digest": digest(scenario)})
    _write(out / "scenario.yaml", dump(scenario))
    _settle(out, amended=True)
    manifest["scenario_digest"] = digest(scenario)
    write_manifest(out, manifest)


def note_intervention(out: Path, policies: str, *, pending: bool = False) -> None:
    """Keep policies given by hand in ``interventions/``, for the reader; while they are pending,
    under another ending."""
    folder = out / "interventions"
    folder.mkdir(exist_ok=True)
    number = 1 + max(
        (int(path.stem) for path in folder.glob("*.yaml") if path.stem.isdigit()), default=0
    )
    _write(folder / f"{number:03d}.{'pending' if pending else 'yaml'}", policies)


def _settle(out: Path, *, amended: bool) -> None:
    """Keep pending policies if the scenario has them, else forget them."""
    for path in (out / "interventions").glob("*.pending"):
        if amended:
            path.replace(path.with_suffix(".yaml"))
        else:
            path.unlink()


def write_manifest(out: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest, whole or not at all."""
    _write(out / "manifest.json", json.dumps(manifest, indent=1))


def _write(path: Path, text: str) -> None:
    work = path.with_name(path.name + ".part")
    with work.open("w", encoding="utf-8") as file:
        file.write(text)
        # on disk before the name: after a power cut the name must not lead to an empty file
        file.flush()
        os.fsync(file.fileno())
    work.replace(path)


def slug(text: str) -> str:
    """Text as a part of a file name: letters, digits, ``-`` and ``_`` that file names here can
    have, LONGEST_SLUG at most."""
    kept = (c if (c.isalnum() and _nameable(c)) or c in "-_" else "-" for c in text[:LONGEST_SLUG])
    return "".join(kept) or "run"


def _nameable(character: str) -> bool:
    """Whether file names can have it: with LC_ALL=C and without PYTHONUTF8, only ASCII."""
    try:
        os.fsencode(character)
    except UnicodeEncodeError:
        return False
    return True


def free_folder(name: str, command: str = "") -> Path:
    """The next free folder in ``runs/`` for what a scenario (and a command) is called."""
    begin = "-".join(filter(None, (command, slug(name))))
    return next(
        path
        for number in range(1, 10**6)
        if not (path := Path("runs") / f"{begin}-{number}").exists()
    )
