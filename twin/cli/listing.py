"""The command that lists runs and experiments: ls."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from twin.cli import common
from twin.ground.errors import nearest, one_line
from twin.record.listing import Entry, entries

HEADS = ("folder", "name", "tags", "scenario", "seed", "days", "state", "when", "kind")
STYLES = {"done": "green", "running": "cyan", "paused": "yellow", "unreadable": "red"}
ENDLESS = 10_000
"""Columns of a line that goes into a pipe or a file: no cell is broken there."""


@click.command()
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="TAG",
    help="Only what has this tag. May be given many times: all of them.",
)
@common.as_json
def ls(folders: tuple[Path, ...], tags: tuple[str, ...]) -> None:
    """List the runs and experiments in FOLDERs, one or two levels down, the latest first.

    Without a FOLDER: the current one. A run that is not done is running, paused or stopped; one that
    is stopped continues with `twin resume`. An experiment that is not done is unfinished, running
    somewhere or not. What cannot be read is listed with the reason.

    \b
      twin run scenarios/quickstart.yaml --name "likes only" --tag pilot --tag likes
      twin ls --tag pilot
    """
    every = [entry for folder in folders or (Path(),) for entry in entries(folder)]
    # a folder that two of the arguments hold is listed once
    found = list({Path(entry.folder).resolve(): entry for entry in every}.values())
    found = [entry for entry in found if set(tags) <= set(entry.tags)]
    if common.machine():
        click.echo(json.dumps({"found": [asdict(entry) for entry in found]}))
        return
    if not found:
        where = ", ".join(str(folder) for folder in folders) or "this folder"
        known = {tag for entry in every for tag in entry.tags}
        mend = f" with {' and '.join(tags)} ({nearest(tags[0], known)})" if tags else ""
        click.echo(f"no runs or experiments in {where}{mend}")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for head in HEADS:
        table.add_column(head, overflow="fold", justify="right" if head == "days" else "left")
    for entry in found:
        table.add_row(
            *(Text(one_line(cell), STYLES.get(cell.partition(":")[0], "")) for cell in cells(entry))
        )
    width = None if sys.stdout.isatty() else ENDLESS
    Console(file=sys.stdout, width=width, soft_wrap=width is not None).print(table)


def cells(entry: Entry) -> tuple[str, ...]:
    """A row of the table."""
    done = "" if entry.days_done is None else f"{entry.days_done:.0f}"
    date = dt.datetime.fromisoformat(entry.when).astimezone() if entry.when else None
    return (
        entry.folder,
        entry.name,
        ", ".join(entry.tags),
        entry.scenario,
        "" if entry.seed is None else str(entry.seed),
        "" if entry.days is None else f"{done or '?'}/{entry.days:g}",
        entry.state + (", resumable" if entry.resumable else f": {entry.why}" if entry.why else ""),
        f"{date:%Y-%m-%d %H:%M}" if date else "",
        entry.kind,
    )
