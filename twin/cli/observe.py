"""The command that reads a platform's log: observe."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.observing import command, mapping, words
from twin.observing.layouts import LAYOUTS


@click.command()
@click.argument("log", nargs=-1, metavar="[LOG ...]")
@click.option(
    "--map",
    "map_",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="YAML that says which column is who, what and when.",
)
@click.option(
    "--layout", metavar="NAME", help=f"A layout that is well known: {', '.join(LAYOUTS)}."
)
@click.option(
    "--show-map", is_flag=True, help="Print the map of --layout, to begin your own, and stop."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("observed"),
    show_default=True,
    help="Folder for the aggregates, new or empty.",
)
@click.option(
    "--zone",
    help="Zone of times that name none, in which days and hours are counted too. Default: that of "
    "the map, else UTC.",
)
@click.option("--gap", help="A session ends after so long without an event. Default: 30min.")
@click.option(
    "--k",
    type=click.IntRange(1),
    default=command.K,
    show_default=True,
    help="Nothing is kept of a day or a cell with fewer people.",
)
@click.option(
    "--bad-share",
    type=click.FloatRange(0, 1),
    default=command.SHARE,
    show_default=True,
    help="Stop if more than this share of the rows is bad.",
)
@common.threads
@common.quiet
def observe(
    log: tuple[str, ...],
    map_: Path | None,
    layout: str | None,
    show_map: bool,
    out: Path,
    zone: str | None,
    gap: str | None,
    k: int,
    bad_share: float,
    threads: int | None,
    quiet: bool,
) -> None:
    """Read the log of a platform, keep aggregates of it, and say what it can and cannot identify.

    LOG is a file, a folder or a quoted pattern: CSV, TSV, JSON lines or Parquet, each also with
    gzip, and larger than memory. A map says what the columns mean; only these are read:

    \b
      user: member_id
      item: video_id
      time: {column: shown_at, unit: ms}
      responses: {click: clicked, like: liked}

    Rows may be impressions, events of several kinds (event:), or slates with all items in one cell
    (packed:). Files of counts by day, hour, person or item are read too (aggregates:).

    Bad rows are counted and named with their line. What is kept are sums and histograms: no row
    about one person, nothing of fewer than --k people.

    \b
      twin observe log.csv.gz --map columns.yaml --out observed
      twin observe 'KuaiRand-1K/data/log_*.csv' --layout kuairand --out observed
      twin observe --layout kuairand --show-map > columns.yaml
    """
    mapped = mapping.read(map_, layout, {"zone": zone, "gap": gap})
    if show_map:
        click.echo(mapping.text(mapped), nl=False)
        return
    settings = command.Settings(k, bad_share, quiet, threads)
    observed = command.observe(log, mapped, out, settings)
    if not quiet:
        for line in words.lines(observed):
            click.echo(line)
