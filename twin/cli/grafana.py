"""Commands for Grafana: dashboards, data source, and the events of runs as annotations."""

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
    """Send dashboards and annotations to a Grafana.

    The token of a service account comes from GRAFANA_TOKEN (or a login from GRAFANA_USER and
    GRAFANA_PASSWORD), never from the command line. The role Editor suffices; creating the data
    source needs Admin.
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
    help="Open the dashboards at the dates of the run in this folder, with it selected.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
def push(
    url: str | None,
    dashboards: Path | None,
    prometheus: str | None,
    run: Path | None,
    dry_run: bool,
) -> None:
    """Create the folder, the data source and the dashboards, or update them."""

    at = publish.SelectedRun.of(load_manifest(run)) if run else None
    # By the scenario of the run, which may have metrics of its own mechanisms
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
    help="Events to show, such as retrain; may be given many times. Default: "
    "policy, migration, campaign.",
)
def annotate(run: Path, url: str | None, kinds: tuple[str, ...]) -> None:
    """Show the events of the run in DIR in Grafana, at their simulated dates.

    Correct annotations stay, missing ones are added, and those that the run no longer has are
    removed. Repeating the command changes nothing.
    """

    manifest, marks = load_manifest(run), load_events(run)
    # Kinds that are shown by default are valid even if the run has none of them
    known = {*KINDS, *(kind for _, kind, _ in marks)}
    if odd := [kind for kind in kinds if kind not in known]:
        raise UsageError(f"--kind {odd[0]}: the run has no such events ({nearest(odd[0], known)})")
    there = connect(url)
    if there.bare:
        click.echo(there.warning(), err=True)
    # Before anything is changed: fails where there is no Grafana, or one that is too old
    click.echo(f"Grafana at {there.url}: {there.health()}")
    shown = kinds or KINDS
    wanted = from_marks(marks, manifest, shown)
    # Annotations after the last mark stay while the run may still compute that part again
    until = None if manifest["status"] == "done" else latest(marks)
    change = bring(there, identity(manifest), wanted, shown, until)
    regions = sum(each.end_ms > each.time_ms for each in wanted)
    click.echo(
        f"{manifest['run_id']}, branch {manifest['branch']}: {len(wanted)} annotations "
        f"({', '.join(shown)}), {regions} of them "
        f"with an end: {change.added} added, {change.removed} removed, {change.kept} unchanged"
    )
