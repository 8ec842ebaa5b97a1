"""The command that generates Grafana dashboards."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twin.ground.units import DAY
from twin.mechanisms import REGISTRY
from twin.readers.dashboards import dashboards as made_from
from twin.readers.dashboards import stale, write
from twin.readers.dashboards.frame import Span
from twin.scenario.loading import load
from twin.world import arms
from twin.world.metric import Metric


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=Path("dashboards"),
    show_default=True,
    help="Where to write them, one JSON file each.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; exit with status 1 if files in DIR are out of date.",
)
def dashboards(scenario: Path | None, out: Path, check: bool) -> None:
    """Write Grafana dashboards for every declared metric.

    With a SCENARIO, they include the metrics of its own mechanisms, leave out those of mechanisms
    that it turns off, and open at its dates. Load them with `twin grafana push`, by provisioning,
    or by hand.
    """

    made = made_from(*declared(scenario))
    changed = stale(made, out) if check else write(made, out)
    for path in changed:
        click.echo(f"{path}: {'is out of date' if check else 'written'}", err=check)
    if not check:
        click.echo(
            f"{out}: {len(made)} dashboards, {len(changed)} written, {len(made) - len(changed)} "
            f"unchanged"
        )
    elif changed:
        sys.exit(1)


def declared(path: Path | None) -> tuple[list[Metric], Span]:
    """The metrics to draw, and the time at which the dashboards open."""

    if path is None:
        kinds = sorted(REGISTRY.values(), key=lambda kind: (kind.order, kind.name))
        return arms.declared(kinds), Span()
    scenario = load(path)
    metrics = arms.declared([scenario.registry[name] for name in scenario.mechanisms])
    days = scenario.duration // DAY
    # The days before and after the policy must both lie within the run
    window = max(1, min(Span.window_days, days // 4))
    dates = [policy.at // DAY for policy in scenario.policies if policy.at is not None]
    # The first policy with room on both sides, else half-way
    day = next((day for day in dates if window <= day <= days - window), days // 2)
    return metrics, Span(scenario.start, scenario.duration, day, window)
