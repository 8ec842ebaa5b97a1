"""Commands that look at a scenario without running it: check, schema."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twin.cli import common


@click.command()
@common.file
@common.sets
@common.policies
@click.option("--regularities", is_flag=True, help="Run the scenario (at least 60 days) and compare it with regularities of real "
              "platforms: target, source, twin, within or not.")
def check(scenario: Path, sets: tuple[str, ...], policies: tuple[str, ...], regularities: bool) -> None:
    """Print what a SCENARIO says, in full, without running it.

    Every number with its unit, source and where it was set; what the feed prizes; the order of clocks within an instant; and an
    estimate of the run's time and memory. All mistakes are listed at once.
    """
    checked = common.loaded(scenario, sets, policies)
    if regularities:
        from twin.experiments.regularities import check as compare

        text, good = compare(checked)
        click.echo(text)
        sys.exit(0 if good else 1)
    from twin.describe import describe, policy_lines, prized_lines
    from twin.estimate import plan

    rows = describe(checked)
    wide, mid = max(len(row.path) for row in rows), min(30, max(len(f"{row.value} {row.unit}") for row in rows))
    if checked.description:
        click.echo(checked.description)
    click.echo(f"{'parameter':{wide}}  {'value':{mid}}  {'set in':18}  source (* may be changed by a policy)")
    for row in rows:
        value = f"{row.value} {row.unit}".strip()
        click.echo(f"{row.path:{wide}}  {value:{mid}}  {row.origin:18}  {row.source}{' *' if row.lever else ''}")
    for line in policy_lines(checked):
        click.echo(line)
    click.echo()
    for line in prized_lines(checked):
        click.echo(line)
    click.echo()
    click.echo(plan(checked))


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
def schema(scenario: Path | None) -> None:
    """Print the JSON Schema of scenario files, for completion and checks in an editor.

    With a SCENARIO, the mechanisms that it brings itself are in it too.
    """
    import json

    from twin.describe import json_schema

    click.echo(json.dumps(json_schema(common.loaded(scenario).registry) if scenario else json_schema(), indent=1))
