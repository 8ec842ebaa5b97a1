"""Commands that run: run, resume, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from twin.cli import common
from twin.cli.watching import ended, watched, watcher
from twin.experiments import commands
from twin.ground import interrupts
from twin.ground.crew import asked, cores
from twin.ground.errors import TwinError, UsageError
from twin.readers.report import write_report
from twin.running import drive as running
from twin.running.folder import free_folder
from twin.scenario.idle import remarks
from twin.scenario.loading import load

# a path, or an address such as s3://bucket/path, which a Path would change
_folder = click.argument("run", metavar="DIR")


@click.command()
@common.file
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Run folder, new or empty. Default: runs/<name>-<number>.",
)
@click.option(
    "--log",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Write every impression there, a Parquet file per simulated day: who, what, when, where in "
    "the slate, and eight responses. `twin observe --layout twin` reads it.",
)
@common.sets
@common.policies
@common.named
@common.quiet
@click.option(
    "--reference",
    is_flag=True,
    help="One SimPy process per consumer: many times slower, the same bytes.",
)
@common.oracle
@common.threads
@common.safe
@common.no_cache
@watched
def run(
    scenario: Path,
    out: Path | None,
    log: Path | None,
    sets: tuple[str, ...],
    policies: tuple[str, ...],
    quiet: bool,
    reference: bool,
    oracle: bool,
    threads: int | None,
    pace: float | None,
    **flags: Any,
) -> None:
    """Run a SCENARIO (- for standard input) to its end and write the report.

    Ctrl-C stops at the next simulated hour with a checkpoint; `twin resume` continues from there to
    the same bytes. A scenario that names a class (`class: package.module.Class`) runs that code:
    give --safe for what you do not trust. Without one it is data.
    """
    checked = load(scenario, sets, policies)
    for line in remarks(checked):
        common.warn(line)

    folder, watching = out or free_folder(checked.name), watcher(quiet, flags)
    try:
        with interrupts.kept():
            outcome = running.start(
                checked,
                folder,
                reference=reference,
                oracle=oracle,
                watcher=watching,
                pace=pace,
                threads=asked(threads, cores()),
                log=log,
            )
    # while the world is built; from the first step on Ctrl-C only asks the run to stop
    except KeyboardInterrupt:
        raise Interrupted(folder) from None
    ended(outcome.status, watching, folder)


@click.command()
@_folder
@click.option(
    "--on", metavar="WHERE", help="Of an experiment: where its tasks run (see twin compare --help)."
)
@common.quiet
@common.threads
@common.safe
@common.no_cache
@watched
def resume(
    run: str, on: str | None, quiet: bool, threads: int | None, pace: float | None, **flags: Any
) -> None:
    """Continue the unfinished run in DIR from its newest checkpoint, or the unfinished experiment
    there."""

    if commands.of(run):
        context = click.get_current_context()
        if any(
            # only what was typed counts: some options have a value in any case
            context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            for name in ("pace", "threads", *flags)
        ):
            raise UsageError(
                f"{run}: holds an experiment, whose runs cannot be watched (leave out all flags "
                f"but --on and --quiet)"
            )
        failed = commands.resume(run, on, quiet).failed
        if common.machine():
            click.echo(json.dumps({"folder": run, "failed": failed}))
        common.ended(failed)
        return
    if on is not None:
        raise UsageError(
            f"--on {on}: {run} holds no experiment, a run continues in this process (leave it out)"
        )

    watching = watcher(quiet, flags)
    try:
        with interrupts.kept():
            outcome = running.resume(
                Path(run), watcher=watching, pace=pace, threads=asked(threads, cores())
            )
    except KeyboardInterrupt:
        raise Interrupted(Path(run)) from None
    if outcome.status == "finished" and not quiet:
        click.echo(outcome.text)
    ended(outcome.status, watching, Path(run))


@click.command()
@_folder
@common.axes
@common.safe
def report(run: str, x: str | None, y: str | None) -> None:
    """Write the report of the run or experiment in DIR again, finished or not."""

    if commands.of(run):
        click.echo(commands.report(run, x=x, y=y))
        return
    if x or y:
        raise UsageError(
            f"{'--x' if x else '--y'}: {run} holds no experiment, its report has no map (leave it "
            f"out)"
        )
    click.echo(write_report(Path(run)))


class Interrupted(TwinError):
    """Interrupted before the first step."""

    status = 130

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"interrupted before the first checkpoint; continue with: twin resume {folder}"
        )
