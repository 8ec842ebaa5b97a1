"""The command that tests the published findings: findings."""

from __future__ import annotations

import os
from pathlib import Path

import click

from twin.cli import common
from twin.cli.experiments import experiment
from twin.experiments.experiment import Experiment
from twin.experiments.findings import catalogue, command
from twin.ground import files
from twin.ground.errors import UsageError
from twin.running.folder import free_folder
from twin.scenario.loading import load


@click.command()
@click.argument("keys", nargs=-1, metavar="[F1 ... F8]")
@click.option(
    "--quick",
    is_flag=True,
    help="Small worlds, and few of them: everything in about ten minutes on two cores.",
)
@click.option(
    "--world",
    type=click.Path(path_type=Path),
    default=Path("base"),
    show_default=True,
    help="The default world that all experiments start from.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder with ego-facebook.txt.gz and ml-latest-small-2016.csv.gz, which twin "
    "may not distribute. Default: TWIN_DATA. Without it, what needs real data is left out and "
    "reported as left out.",
)
@experiment
def findings(
    keys: tuple[str, ...],
    quick: bool,
    world: Path,
    data: Path | None,
    out: str | None,
    on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """Reproduce or refute the published findings that twin exists for, with their controls, and
    print the scoreboard.

    Each finding has a verdict by rules that are fixed in its file before the run: reproduced, null,
    refuted, confounded (a control does not vanish) or inconclusive. Without names all are run. The
    full set takes hours, so run it overnight or on a cluster (--on): it can be interrupted and
    resumed.

    \b
      twin findings --quick
      twin findings F4 F5 --out runs/tables
    """

    # Mistakes are reported before the folder is made
    chosen = catalogue.chosen(keys)
    folder = data or (Path(os.environ["TWIN_DATA"]) if os.environ.get("TWIN_DATA") else None)
    if folder is not None and not files.is_folder(folder):
        reason, mend = files.trouble(folder, str(folder), "*", "folder")
        raise UsageError(f"--data: {reason} ({mend})")
    checked = load(world, sets)
    # Absolute: the experiment may be resumed from another current folder
    args = {"keys": chosen, "quick": quick, "data": str(folder.resolve()) if folder else ""}
    made = Experiment(
        out or str(free_folder("quick" if quick else "full", "findings")),
        "findings",
        args,
        checked,
        quiet,
    )
    command.resume(made, on)
    common.ended(made.failed)
