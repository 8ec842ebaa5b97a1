"""Commands that ask what would happen: compare, sweep, audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from twin.cli import common
from twin.experiments.compare import trial
from twin.public import experiments as asked
from twin.scenario.loading import load

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--out",
        help="Folder, new or empty; or one that the same command began, to resume it. Where "
        "workers "
        "share no disk: an address that fsspec knows (s3://bucket/path). Default: "
        "runs/<command>-<name>-<number>.",
    ),
    click.option(
        "--on",
        metavar="WHERE",
        help="local (default: all cores), local:N, dask (a cluster of this machine), or the "
        "address of a "
        "Dask scheduler, tcp://host:8786.",
    ),
    common.sets,
    common.named,
    common.quiet,
    common.safe,
    common.no_cache,
)
policies = click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY[@TIME]",
    help="A policy to try, in a branch of its own: a file, or a name that `twin policies` lists. "
    "May be given many times. Default: the SCENARIO's own policies, against the same world without "
    "them.",
)
fork_at = click.option(
    "--at",
    metavar="TIME",
    help="Where worlds are forked: a time since the start (90d) or a date. Default: half-way.",
)


def experiment(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every experiment has."""
    # The option that is added last comes first in the help
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@common.file
@policies
@click.option(
    "--at",
    metavar="TIME",
    help="Where worlds are forked: a time since the start (90d) or a date. Default: half-way; with "
    "the SCENARIO's own policies, when the first of them takes effect.",
)
@click.option(
    "--replicates",
    default=20,
    show_default=True,
    type=click.IntRange(2),
    help="Worlds, each with its own random numbers.",
)
@click.option(
    "--share",
    type=common.Finite(0, 1, min_open=True, max_open=True),
    help="Also give each policy to this share of people, "
    "in a branch of its own, and say what an A/B test there would have reported beside the true "
    "effect.",
)
@click.option(
    "--of",
    type=click.Choice(["consumers", "creators"]),
    default="consumers",
    show_default=True,
    help="Whose share.",
)
@common.axes
@experiment
def compare(
    scenario: Path,
    policies: tuple[str, ...],
    at: str | None,
    replicates: int,
    share: float | None,
    of: str,
    x: str | None,
    y: str | None,
    out: str | None,
    on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """What would these policies do to creators and consumers, and how sure is that?

    Every replicate of the SCENARIO runs to the fork once, then continues without and with each
    policy. All branches draw the same random numbers, so only the policy makes them differ. Effects
    have 95 % intervals, and the date from which they are distinguishable from noise.

    \b
      twin compare quickstart --policy chronological --at 90d
      twin compare youtube_watch_time_2012 --replicates 6
    """

    # Arms are assigned by a mechanism that `base.yaml` turns off
    tried = (*sets, trial.SETTING) if share else sets
    found = asked.compare(
        load(scenario, tried),
        policies,
        at=at,
        replicates=replicates,
        share=share,
        of=of,
        axes={key: value for key, value in (("x", x), ("y", y)) if value is not None},
        out=out,
        on=on,
        quiet=quiet,
    )
    common.ended(found.failed)


@click.command()
@common.file
@click.option(
    "--vary",
    "varied",
    multiple=True,
    required=True,
    metavar="PATH=VALUES",
    help="Levels, PATH=A,B,C, or a range, "
    "PATH=LOW..HIGH (PATH=LOW..HIGH:log), in the scenario's words. May be given many times.",
)
@click.option(
    "--method",
    type=click.Choice(["grid", "lhs", "sobol"]),
    help="Default: grid if all are levels, else lhs (Latin hypercube).",
)
@click.option(
    "--points",
    default=32,
    show_default=True,
    type=click.IntRange(1),
    help="Points of a Latin hypercube or Sobol sequence.",
)
@click.option(
    "--replicates",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Runs per point, each with its own random numbers.",
)
@experiment
def sweep(
    scenario: Path,
    varied: tuple[str, ...],
    method: Any,
    points: int,
    replicates: int,
    out: str | None,
    on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """Run the SCENARIO at many points of a parameter space.

    \b
      twin sweep quickstart --vary recommender.dim=4,16,64 --vary creators.ai.arrivals=0.05/d,0.5/d
      twin sweep quickstart --vary recommender.learning_rate=0.01..0.5:log --vary recommender.diversity=0..1 --points 64
    """

    found = asked.sweep(
        load(scenario, sets),
        varied,
        method=method,
        points=points,
        replicates=replicates,
        out=out,
        on=on,
        quiet=quiet,
    )
    common.ended(found.failed)


@click.command()
@common.file
@fork_at
@click.option(
    "--method",
    default="steps",
    show_default=True,
    type=click.Choice(["steps", "morris", "sobol"]),
    help="Stated steps, one at "
    "a time; or all numeric levers together, from a quarter to four times their value: Morris "
    "elementary effects, Sobol indices.",
)
@click.option(
    "--replicates",
    default=8,
    show_default=True,
    type=click.IntRange(4),
    help="Worlds, each with its own random numbers.",
)
@click.option(
    "--step",
    "steps",
    multiple=True,
    metavar="NAME",
    help="Only steps whose name contains this. May be given many times.",
)
@click.option(
    "--trajectories",
    default=10,
    show_default=True,
    type=click.IntRange(4),
    help="Of Morris: paths through the space; runs are (levers + 2) times as many.",
)
@click.option(
    "--points",
    default=64,
    show_default=True,
    type=click.IntRange(4),
    help="Of Sobol: points of each of the two base samples, "
    "a power of two; runs are (levers + 3) times as many.",
)
@experiment
def audit(
    scenario: Path,
    at: str | None,
    method: str,
    replicates: int,
    steps: tuple[str, ...],
    trajectories: int,
    points: int,
    out: str | None,
    on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """Which settings that look like plain engineering are political, and towards whom?

    Changes every lever that looks like engineering (dimension, tables, cadence, quotas, weights
    ...) by a stated step in forked worlds. Ranks the steps by their effect on creators and
    consumers.

    \b
      twin audit quickstart --at 60d
      twin audit quickstart --step quota --step dimension --replicates 20
      twin audit quickstart --method morris --trajectories 20
    """

    found = asked.audit(
        load(scenario, sets),
        at=at,
        method=method,
        replicates=replicates,
        steps=steps,
        # Steps use neither
        budget=trajectories if method == "morris" else points,
        out=out,
        on=on,
        quiet=quiet,
    )
    common.ended(found.failed)
