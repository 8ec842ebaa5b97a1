"""Commands that ask what would happen: compare."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from twin.cli import common

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--out", help="Folder, new or empty; or one that the same command began, to go on. An address that fsspec knows "
                 "(s3://bucket/path) where workers share no disk. Default: runs/<command>-<name>-<number>."),
    click.option("--on", metavar="WHERE", help="local (default: all cores), local:N, dask (a cluster of this machine), or the address of a "
                 "Dask scheduler, tcp://host:8786."),
    common.sets, common.quiet,
)
policies = click.option("--policy", "policies", multiple=True, required=True, metavar="FILE[@TIME]", help="A policy to try, in a branch of "
                        "its own. May be given many times.")
fork_at = click.option("--at", metavar="TIME", help="Where worlds are forked: a time since the start (90d) or a date. Default: half-way.")


def experiment(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every experiment has."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def free(out: str | None, command: str, name: str) -> str:
    """The folder given, or the next free one."""
    from twin.runfolder import slug

    return out or next(str(path) for number in range(1, 10**6)
                       if not (path := Path("runs") / f"{command}-{slug(name)}-{number}").exists())


@click.command()
@common.file
@policies
@fork_at
@click.option("--replicates", default=20, show_default=True, type=click.IntRange(2), help="Worlds, each with luck of its own.")
@common.axes
@experiment
def compare(scenario: Path, policies: tuple[str, ...], at: str | None, replicates: int, x: str | None, y: str | None, out: str | None,
            on: str | None, sets: tuple[str, ...], quiet: bool) -> None:
    """What would these policies do to those who make and those who watch, and how sure is that?

    Every replicate of the SCENARIO runs to the fork once, and goes on without and with each policy; people keep their luck, so what
    differs is what the policy does. Effects have 95 % intervals, and say from when on they show.

    \b
      twin compare scenarios/quickstart.yaml --policy scenarios/policies/chronological.yaml --at 90d
    """
    from dataclasses import asdict

    from twin.experiments import compare as comparing
    from twin.experiments import compare_report, forks
    from twin.experiments.experiment import Experiment

    checked = common.loaded(scenario, sets)
    fork = forks.fork_time(at, checked)
    plans = [forks.planned(policy, fork, checked) for policy in policies]
    forks.distinct(plans)
    axes = {key: value for key, value in (("x", x), ("y", y)) if value is not None}
    compare_report.check_axes(checked, axes)
    args = {"policies": [asdict(plan) for plan in plans], "at_s": fork, "replicates": replicates}
    made = Experiment(free(out, "compare", checked.name), "compare", args, checked, quiet)
    if axes:
        made.manifest["axes"] = axes
    comparing.go_on(made, on)
    if made.failed:
        sys.exit(1)
