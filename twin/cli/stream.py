"""Commands that send a run's readings elsewhere: send, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from twin.cli import common
from twin.ground import files
from twin.ground.errors import Undone
from twin.ground.units import parse_start
from twin.readers import openmetrics, recbole, tables
from twin.readers.backlog import declared
from twin.readers.reading_back import address
from twin.readers.receiver import checked
from twin.readers.remote_write import READ_BACK, Sender, ahead
from twin.record.names import identity
from twin.record.results import load_manifest


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; yields the function that takes how much is done."""

    with Progress(
        # On stderr: what the command prints may go into a pipe
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@click.command()
@common.folder
@click.option(
    "--remote-write",
    "url",
    metavar="URL",
    required=True,
    help="The receiver, such as http://127.0.0.1:9090/api/v1/write. "
    "Credentials are read from TWIN_REMOTE_WRITE_TOKEN, or TWIN_REMOTE_WRITE_USER and "
    "TWIN_REMOTE_WRITE_PASSWORD.",
)
@common.verify
def send(run: Path, url: str, verify: str | None) -> None:
    """Send the readings of the run in DIR to a Prometheus, at their simulated times.

    The run may be finished or not. Readings that the receiver already has are not sent again.
    """

    asked = None if verify is None else address(checked(url), verify)
    manifest = load_manifest(run)
    sender = Sender(
        checked(url),
        run,
        parse_start(manifest["start"]),
        declared(manifest),
        identity(manifest),
        note=lambda line: click.echo(line, err=True),
    )
    if line := ahead(parse_start(manifest["start"]), manifest["duration_s"], url):
        common.warn(line)
    left = sender.backlog.undelivered
    # All readings are in the folder: without an answer the sender gives up after PATIENCE_S
    sender.hasten()
    with _progress("sending", left) as report:
        done = sender.run(lambda undelivered: report(left - undelivered))
    if not done:
        raise Undone(sender.outcome())
    if asked is not None and (line := sender.verify(asked)):
        raise Undone(line)
    click.echo(sender.outcome() + ("" if asked is None else READ_BACK))
    if manifest["status"] != "done":
        click.echo("the run has not ended yet; send again later for the readings to come")


FORMS = {
    "openmetrics": ("openmetrics.txt", "text with simulated times, for promtool"),
    "csv": ("readings.csv", "a row per reading and series"),
    "wide": ("wide.csv", "a row per reading and a column per series, for R and spreadsheets"),
    "parquet": ("wide.parquet", "the same as Parquet, with unit and help in each field's metadata"),
    "recbole": ("recbole", "the log of impressions (run --log) as RecBole's atomic files"),
}
"""Formats of `export`: the default name in the run's folder, and what it is."""


@click.command()
@common.folder
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMS)),
    default="openmetrics",
    help=f"{'; '.join(f'{name}: {words}' for name, (_, words) in FORMS.items())}.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it; of recbole a folder, new or empty. Default: in the run's folder, "
    f"{', '.join(name for name, _ in FORMS.values())}.",
)
def export(run: Path, form: str, out: Path | None) -> None:
    """Write the readings of the run in DIR for other programs, finished or not.

    With --format recbole it is the run's log of impressions; DIR may also be the log itself.
    """
    if form == "recbole":
        _recbole(run, out)
        return
    if out is not None:
        files.place(out, "--out")  # what its name alone refuses, before anything is read
    manifest = load_manifest(run)
    file = files.place(out or run / FORMS[form][0], "--out")
    if form != "openmetrics":
        with _progress("writing", tables.readings(run)) as report:
            readings, series = tables.export(run, file, form, report)
        click.echo(f"{file}: {readings:,} readings of {series:,} series")
        return
    with _progress("writing", len(declared(manifest))) as report:
        samples, series = openmetrics.export(run, file, report)
    click.echo(
        f"{file}: {samples:,} samples of {series:,} series; load them into a Prometheus with:\n  "
        f"{openmetrics.command(file)}\n"
        "its server keeps such dates only with --storage.tsdb.retention.time=100y"
    )


def _recbole(run: Path, out: Path | None) -> None:
    """Write the log of impressions of a run, or a log itself, as atomic files."""
    log = recbole.log_of(run)
    # never into a log, whose folder others read as a whole
    name = FORMS["recbole"][0]
    folder = out or (run.with_name(f"{run.name}-{name}") if log == run else run / name)
    with _progress("writing", len(recbole.days(log))) as report:
        impressions, posts = recbole.export(log, folder, report)
    click.echo(f"{folder}: {impressions:,} impressions of {posts:,} posts, as RecBole reads them")
