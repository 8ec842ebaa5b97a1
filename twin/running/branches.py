"""Branches of a run: a copy up to its newest checkpoint, in a folder of its own, that continues
under another scenario.

A branch has the run's ``run_id`` and history, and a branch name that no other has: NAME if forked
from the main branch, else PARENT/NAME.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from twin.engine.simulation import Simulation
from twin.ground.errors import UsageError
from twin.ranking import answers
from twin.record import naming
from twin.record.results import MAIN
from twin.running import folder as runfolder
from twin.running.folder import slug
from twin.scenario.describe import digest, dump
from twin.scenario.interventions import amended, parse_when
from twin.scenario.loading import Scenario
from twin.world import checkpoint


def amended_by(out: Path, simulation: Simulation, command: dict[str, Any]) -> tuple[Scenario, str]:
    """The run's scenario with the command's policy, and that policy as it is recorded. Before the
    start, now is the start."""
    when, now = command.get("at"), max(simulation.now, 0)
    seconds = (
        None
        if when is None
        else parse_when(str(when), simulation.scenario.start, now, simulation.world.grid)
    )
    return amended(
        out, str(command.get("policy")), seconds, now, str(command.get("source", "policy"))
    )


def leave(
    out: Path, simulation: Simulation, manifest: dict[str, Any], command: dict[str, Any]
) -> str:
    """Leave a branch at the newest checkpoint in a folder of its own, with a policy of its own if
    one is given. Returns a line for the user."""
    scenario, name, target = simulation.scenario, command.get("branch"), command.get("out")
    own = None
    if command.get("policy") is not None:
        scenario, own = amended_by(out, simulation, command)
    elif command.get("at") is not None:
        raise UsageError(
            "a time was given, but no policy to take effect then (leave out --at, or give --policy)"
        )
    folder, branch = fork(
        out,
        manifest,
        scenario,
        None if name is None else str(name),
        Path(str(target)) if target else None,
        own,
    )
    return f"branch {branch} in {folder}; continue it with: twin resume {folder}"


def fork(
    out: Path,
    manifest: dict[str, Any],
    scenario: Scenario,
    name: str | None,
    target: Path | None,
    policies: str | None = None,
) -> tuple[Path, str]:
    """Copy a run up to its newest checkpoint into a folder of its own, where it continues under
    ``scenario``.

    ``policies`` are those that the branch alone gets, as text. ``manifest`` is the run's and is
    amended. Returns folder and branch. Raises UsageError for a name or a folder that is taken, and
    for a run without a checkpoint.
    """
    # Everything that can be refused comes first: a refusal leaves no files behind
    newest, now = _forkable(out, manifest, scenario)
    taken = manifest.setdefault("branches", [])
    name = _free_name(name, taken)
    # Names need to differ among siblings only, since the parent's stands before them
    branch = name if manifest["branch"] == MAIN else f"{manifest['branch']}/{name}"
    target = target or out.with_name(f"{out.name}-{name}")
    runfolder.free(target)
    with runfolder.made(target) as work:
        _copy_history(out, work, newest, now)
        (work / "scenario.yaml").write_text(dump(scenario), encoding="utf-8")
        if policies:
            runfolder.note_intervention(work, policies)
        runfolder.write_manifest(
            work,
            {
                # the log of impressions is of the run alone
                **{key: value for key, value in manifest.items() if key != "log"},
                "branch": branch,
                "branches": [],
                # `twin resume` continues it like any interrupted run
                "status": "interrupted",
                "scenario_digest": digest(scenario),
                "reached_s": now,
                "parent": {"branch": manifest["branch"], "at_s": now},
            },
        )
        # The run's manifest before the folder: a process that dies in between wastes a name, but
        # no name is given twice
        taken.append(name)
        runfolder.write_manifest(out, manifest)
    return target, branch


def _forkable(out: Path, manifest: dict[str, Any], scenario: Scenario) -> tuple[Path, int]:
    """The checkpoint from which a run can be forked, and its time. Raises UsageError for none."""
    if manifest["status"] == "done":
        raise UsageError(
            f"{out}: is finished, a branch has nothing left to run (fork a run before its end, or "
            f"start a new run with the policy)"
        )
    newest = checkpoint.latest(out / checkpoint.FOLDER)
    if newest is None:
        raise UsageError(f"{out}: has no checkpoint to fork from yet")
    now = checkpoint.when(newest)
    if now < 0:
        raise UsageError(
            f"{out}: is still warming up; a run can be forked from its start, {scenario.start}, on "
            f"(wait until then)"
        )
    return newest, now


def _free_name(name: str | None, taken: list[str]) -> str:
    """The name as given, or the next ``fork-N``. Raises UsageError for one that is taken or odd."""
    if name is None:
        return next(f"fork-{number}" for number in range(1, 10**6) if f"fork-{number}" not in taken)
    if slug(name) != name:
        raise UsageError(
            f"{name}: a branch is named by letters, digits, - and _ (such as {slug(name)})"
        )
    if name in (*taken, MAIN):
        raise UsageError(f"{name}: this run already has a branch of that name (give another name)")
    return name


def _copy_history(out: Path, work: Path, newest: Path, now: int) -> None:
    """Copy the checkpoint, the readings and marks up to it, and the policies given by hand."""
    shutil.copytree(newest, work / checkpoint.FOLDER / newest.name)

    # A part is named by the barrier that its readings precede: later ones belong to the parent
    def later(folder: str, names: list[str]) -> list[str]:
        return [
            each
            for each in names
            # Half written by a process that was killed; its name has no number to compare
            if each.endswith(".part")
            or int(each.removeprefix("part-").removesuffix(".parquet")) > now
        ]

    for part in ("metrics", "events"):
        shutil.copytree(out / part, work / part, ignore=later)
    if (out / naming.FILE).is_file():
        shutil.copy(out / naming.FILE, work / naming.FILE)
    # also answers behind the checkpoint: the branch asks the same until its policy acts
    if (out / answers.NAME).is_file():
        shutil.copy(out / answers.NAME, work / answers.NAME)
    if (out / "interventions").is_dir():
        shutil.copytree(out / "interventions", work / "interventions")
