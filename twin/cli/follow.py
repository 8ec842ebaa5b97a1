"""Commands of a calibrated twin that follows its platform: forecast."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.experiments.following import command


@click.command()
@click.argument("calibrated", metavar="CALIBRATED", type=click.Path(path_type=Path))
@click.option(
    "--on",
    "place",
    metavar="FOLDER",
    help="What was observed since: a newer folder of `twin observe`. Default: the one that the "
    "calibration read.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="OpenMetrics text for promtool. Default: openmetrics.txt in CALIBRATED.",
)
@click.option(
    "--remote-write",
    "url",
    metavar="URL",
    help="Send it to a Prometheus as well, such as http://127.0.0.1:9090/api/v1/write. "
    "Credentials are read from the environment as by `twin send`.",
)
@common.quiet
def forecast(
    calibrated: Path, place: str | None, out: Path | None, url: str | None, quiet: bool
) -> None:
    """Print what a CALIBRATED twin foretells of its platform, beside what was observed since, and
    write both as series at real dates.

    The dashboard "Twin and platform" draws them. A day's number stands at noon UTC.

    \b
      twin forecast calibrated --remote-write http://127.0.0.1:9090/api/v1/write
    """

    def say(line: str) -> None:
        if not quiet:
            click.echo(line)

    command.forecast(calibrated, place, out, url, say, common.warn)
