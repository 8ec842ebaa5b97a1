"""Grafana: dashboards and data source put there, and the marks of runs as annotations."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.cli.dashboards import declared
from twin.ground.errors import UsageError, nearest
from twin.readers import dashboards as generated
from twin.readers import publish
from twin.readers.annotations import KINDS, bring, from_marks, latest
from twin.readers.grafana import connect
from twin.record.names import identity
from twin.record.results import load_events, load_manifest

_url = click.option(
    "--url",
    envvar="GRAFANA_URL",
    metavar="URL",
    help="Grafana's address, such as http://127.0.0.1:3000 or "
    "https://host/grafana. Default: GRAFANA_URL.",
)


@click.group()
def grafana() -> None:
    """Put dashboards and annotations into a Grafana.

    The token of a service account comes from GRAFANA_TOKEN (or a login from GRAFANA_USER and
    GRAFANA_PASSWORD), never from the command line. The role Editor does; Admin to make the data
    source.
    """


@grafana.command()
@_url
@click.option(
    "--dashboards",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder with dashboards (*.json). Default: those of "
    "`twin dashboards`, with --run for the metrics that the run has.",
)
@click.option(
    "--prometheus",
    envvar="PROMETHEUS_URL",
    metavar="URL",
    help="Prometheus as Grafana reaches it: makes the data source. "
    "Default: PROMETHEUS_URL; without it the data source must be there.",
)
@click.option(
    "--run",
    "run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Turn the dashboards to the dates of the run in this folder, and select it.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def push(
    url: str | None,
    dashboards: Path | None,
    prometheus: str | None,
    run: Path | None,
    dry_run: bool,
) -> None:
    """Make the folder, the data source and the dashboards, or bring them up to date."""

    at = publish.Run.of(load_manifest(run)) if run else None
    those = (
        publish.load(dashboards)
        if dashboards
        else list(generated.dashboards(*declared(run / "scenario.yaml" if run else None)).values())
    )
    there = connect(url)
    if there.bare:
        click.echo(there.warning(), err=True)
    publish.push(there, those, prometheus, at, click.echo, dry_run)


@grafana.command()
@common.folder
@_url
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Marks to show, such as retrain; may be given many times. Default: "
    "policy, migration, campaign.",
)
def annotate(run: Path, url: str | None, kinds: tuple[str, ...]) -> None:
    """Show the marks of the run in DIR in Grafana, at their simulated dates.

    What is there stays, what is missing is added, and what the run does not say any more is
    removed, so that it may be done again.
    """

    manifest, marks = load_manifest(run), load_events(run)
    known = {*KINDS, *(kind for _, kind, _ in marks)}
    if odd := [kind for kind in kinds if kind not in known]:
        raise UsageError(f"--kind {odd[0]}: the run has no such marks ({nearest(odd[0], known)})")
    there = connect(url)
    if there.bare:
        click.echo(there.warning(), err=True)
    click.echo(f"Grafana at {there.url}: {there.health()}")
    shown = kinds or KINDS
    wanted = from_marks(marks, manifest, shown)
    until = None if manifest["status"] == "done" else latest(marks)
    change = bring(there, identity(manifest), wanted, shown, until)
    regions = sum(each.end_ms > each.time_ms for each in wanted)
    click.echo(
        f"{manifest['run_id']}, branch {manifest['branch']}: {len(wanted)} annotations "
        f"({', '.join(shown)}), {regions} of them "
        f"with an end: {change.added} added, {change.removed} removed, {change.kept} unchanged"
    )
