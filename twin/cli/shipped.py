"""Commands that list what comes with twin: policies, scenarios, events."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from twin.cli import common
from twin.ground import files
from twin.ground.errors import UsageError
from twin.scenario import listing, shipped
from twin.scenario.loading import load

PIPE = 160
"""Columns of what is no terminal."""
_name = click.argument("name", required=False)


@click.command()
@_name
@click.option(
    "--in",
    "scenario",
    metavar="SCENARIO",
    help="The scenario whose values are those of now: a file, or a name. Default: base.",
)
@common.as_json
def policies(name: str | None, scenario: str | None) -> None:
    """List the policies that come with twin: what each sets, from its value now to its value then,
    and the rule or the practice that it stands for. With a NAME: its file in full.

    A name may be given wherever a command takes a policy file. A file of that name in the current
    folder comes first.

    \b
      twin policies
      twin policies --in quickstart
      twin policies chronological
      twin run quickstart --policy chronological@30d
    """
    if name is not None:
        if scenario is not None:
            raise UsageError(f"--in {scenario}: belongs to the list (leave it out, or {name})")
        _whole(name, shipped.POLICY)
        return
    found = listing.policies(load(scenario or "base"))
    if common.machine():
        click.echo(json.dumps([asdict(each) for each in found]))
        return
    _print(
        ("name", "sets (now -> then)", "source", "description"),
        [
            (each.name, "\n".join(one.text for one in each.sets), each.source, each.description)
            for each in found
        ],
        room=140,
    )


@click.command()
@_name
@common.as_json
def scenarios(name: str | None) -> None:
    """List the scenarios that come with twin: how long each runs, and with how many people and
    creators it starts. With a NAME: its file in full.

    A name may be given wherever a command takes a scenario file, and as `extends:
    package:twin/NAME` in a scenario of your own. A file of that name in the current folder comes
    first.

    \b
      twin scenarios
      twin scenarios quickstart
      twin check quickstart
    """
    if name is not None:
        _whole(name, shipped.SCENARIO)
        return
    found = listing.scenarios()
    if common.machine():
        click.echo(json.dumps([asdict(each) for each in found]))
        return
    _print(
        ("name", "duration", "people", "creators", "description"),
        [
            (each.name, each.duration, each.people, each.creators, each.description)
            for each in found
        ],
        room=80,
    )


@click.command()
@_name
@common.as_json
def events(name: str | None) -> None:
    """List the events gallery: what real platforms did, as scenarios that run. With a NAME: its
    file in full.

    Each asks a question, says what was done and what the world saw, as far as that is known, with
    sources. `twin compare NAME` runs the event's world without and with it.

    
      twin events
      twin run facebook_msi_2018
      twin compare facebook_msi_2018 --replicates 6
    """
    if name is not None:
        _whole(name, shipped.EVENT)
        return
    found = listing.events()
    if common.machine():
        click.echo(json.dumps([asdict(each) for each in found]))
        return
    _print(
        ("name", "question", "what was done", "what the world saw", "source"),
        [(each.name, each.question, each.done, each.world, each.source) for each in found],
        room=200,
    )


def _whole(name: str, kind: shipped.Kind) -> None:
    """Print a file as it is, so that it can be kept as one's own. Raises UsageError."""
    path = shipped.found(name, kind)
    if not files.is_file(path):
        reason, mend = shipped.missing(name, kind)
        raise UsageError(f"{files.shown(name)}: {reason} ({mend})")
    text = path.read_text(errors="replace", encoding="utf-8")
    click.echo(json.dumps({"name": path.stem, "text": text}) if common.machine() else text.rstrip())


def _print(heads: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> None:
    """A table as wide as the terminal; in one of less than ``room`` columns, in which texts side by
    side cannot be read, a paragraph for each row."""
    width = shutil.get_terminal_size((PIPE, 24)).columns
    if width < room:
        for row in rows:
            _paragraph(heads, row, width)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 1, 0), header_style="")
    for place, head in enumerate(heads):
        table.add_column(head, no_wrap=place == 0, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console: Any = Console(width=width, file=sys.stdout, markup=False, highlight=False)
    console.print(table)


def _paragraph(heads: Sequence[str], row: Sequence[str], width: int) -> None:
    click.echo(row[0])
    wrapper = textwrap.TextWrapper(
        max(width, 40),
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    for head, cell in zip(heads[1:], row[1:], strict=True):
        lines = cell.splitlines()
        # what a policy sets explains itself
        for line in lines if head.startswith("sets") else [f"{head}: {cell}"] if cell else ():
            click.echo(wrapper.fill(line))
