"""Commands that run: run, resume, report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from twin.cli import common
from twin.cli.watching import watched, watcher
from twin.errors import TwinError


@click.command()
@common.file
@click.option("--out", type=click.Path(path_type=Path), help="Run folder, new or empty. Default: runs/<name>-<number>.")
@common.sets
@common.policies
@common.quiet
@click.option("--reference", is_flag=True, help="One SimPy process per consumer: many times slower, the same bytes.")
@common.oracle
@watched
def run(scenario: Path, out: Path | None, sets: tuple[str, ...], policies: tuple[str, ...], quiet: bool, reference: bool,
        oracle: bool, pace: float | None, **flags: Any) -> None:
    """Run a SCENARIO to its end and write the report.

    Ctrl-C stops at the next simulated hour with a checkpoint; `twin resume` goes on from there, to the same bytes. A scenario that
    names a class (`class: package.module.Class`) runs that code: run only what you trust. Without one it is data.
    """
    checked = common.loaded(scenario, sets, policies)
    from twin import run as running

    folder = out or _free_folder(checked.name)
    try:
        outcome = running.start(checked, folder, reference=reference, oracle=oracle, watcher=watcher(quiet, flags), pace=pace)
    except KeyboardInterrupt:
        raise Interrupted(folder) from None
    if outcome.status == "interrupted":
        sys.exit(130)


@click.command()
@common.folder
@common.quiet
@watched
def resume(run: Path, quiet: bool, pace: float | None, **flags: Any) -> None:
    """Go on with the unfinished run in DIR, from its newest checkpoint."""
    from twin import run as running

    try:
        outcome = running.resume(run, watcher=watcher(quiet, flags), pace=pace)
    except KeyboardInterrupt:
        raise Interrupted(run) from None
    if outcome.status == "interrupted":
        sys.exit(130)
    if outcome.status == "finished" and not quiet:
        click.echo(outcome.text)


@click.command()
@common.folder
def report(run: Path) -> None:
    """Write the report of the run in DIR anew, finished or not."""
    from twin.readers.report import write_report

    click.echo(write_report(run))


class Interrupted(TwinError):
    """Interrupted before the first step."""

    status = 130

    def __init__(self, folder: Path) -> None:
        super().__init__(f"interrupted before the first checkpoint; go on with: twin resume {folder}")


def _free_folder(name: str) -> Path:
    from twin.runfolder import slug

    return next(path for number in range(1, 10**6) if not (path := Path("runs") / f"{slug(name)}-{number}").exists())
