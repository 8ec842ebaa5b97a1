"""Commands for forecasts of published field experiments: list, make, score."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.cli.experiments import experiment
from twin.experiments.experiment import Experiment
from twin.experiments.forecasts import catalogue, command, listing, truths, words
from twin.experiments.forecasts.plan import LEAST, Plan, Size
from twin.ground.errors import UsageError
from twin.running.folder import free_folder
from twin.scenario.loading import load

QUICK = 4
"""Worlds of a quick fan."""
FOLDER = Path("docs/forecasts")
_world = click.option(
    "--world",
    type=click.Path(path_type=Path),
    default=Path("forecasts"),
    show_default=True,
    help="The default world that all experiments start from.",
)
_ids = click.argument("ids", nargs=-1, metavar="[ID ...]")


@click.group()
def forecasts() -> None:
    """Forecast published field experiments, and score forecasts once results are known.

    Experiments are registered with their design, the policies that stand for their arms, and how
    each outcome is read. Results of the blind ones are not in this package.

    \b
      twin forecasts list
      twin forecasts make E02 E03
      twin forecasts score --key key.yaml
    """


@forecasts.command(name="list")
@_ids
@_world
@common.sets
def list_(ids: tuple[str, ...], world: Path, sets: tuple[str, ...]) -> None:
    """List the registered experiments, and whether the twin can express each outcome. With ids:
    all that is registered of them."""
    base = load(world, sets)
    chosen = catalogue.chosen(ids)
    plans = [Plan(catalogue.experiment(id), base, Size(1)) for id in chosen]
    for line in listing.full(plans) if ids else listing.short(plans):
        click.echo(line)


@forecasts.command()
@_ids
@click.option(
    "--worlds",
    type=click.IntRange(2),
    help=f"Worlds per experiment: seeds times draws of what is assumed. Default and fewest: "
    f"{LEAST}; {QUICK} with --quick.",
)
@click.option(
    "--quick",
    is_flag=True,
    help="Small and short worlds, and few of them, to see that all runs. Marked as quick, and "
    "never copied to --into.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Folder for the forecasts, to be committed; the page beside it is written too.",
)
@click.option(
    "--replace", is_flag=True, help="Replace forecasts in --into that were made in another way."
)
@_world
@experiment
def make(
    ids: tuple[str, ...],
    worlds: int | None,
    quick: bool,
    into: Path,
    replace: bool,
    world: Path,
    out: str | None,
    on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """Make forecasts: of the experiments named, else of all but the reserves.

    Each experiment runs in worlds that differ in their seed and in every assumption of
    `twin stress`. A forecast holds quantiles and the probability of each sign per outcome, with a
    digest over code, mapping and worlds. The same command makes the same bytes.

    This takes hours: it can be interrupted and resumed, and can run on a cluster (--on).

    \b
      twin forecasts make E03 --quick
      twin forecasts make E02 E03 E06 --out runs/development
    """
    many = worlds or (QUICK if quick else LEAST)
    if many < LEAST and not quick:
        raise UsageError(f"--worlds {many}: a forecast needs {LEAST} (or give --quick)")
    base, chosen = load(world, sets), catalogue.chosen(ids, but=("reserve",))
    plans = [Plan(catalogue.experiment(id), base, Size(many, quick)) for id in chosen]
    if not quick and not replace:
        command.other(plans, into)
    made = Experiment(
        out or str(free_folder("quick" if quick else "full", "forecasts")),
        "forecasts",
        {"ids": chosen, "worlds": many, "quick": quick},
        base,
        quiet,
    )
    made.manifest["into"] = str(into.resolve())
    # now, so that a resume of what is killed knows it too
    made.finish("running")
    command.resume(made, on)
    common.ended(made.failed)


@forecasts.command()
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    help="Results, as YAML: results: {E02: {O1: {y: -0.31, s: 0.02}, O2: {category: '+'}}}. "
    "Default: those of the development set, with in-sample checks apart.",
)
@click.option(
    "--from",
    "place",
    type=click.Path(path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Folder with forecasts.",
)
def score(key: Path | None, place: Path) -> None:
    """Score forecasts against results: coverage, Brier score, skill over naive forecasters, and the
    sentence that may be written.

    \b
    The sentence follows from a rule that was fixed before any key was opened:
      void              more than a quarter of the outcomes cannot be expressed
      predicts          skill against N0, N1 and N2 is positive with 80 % intervals above zero; 14 of
                        18 sizes lie in the 90 % interval; the Brier score beats the best naive one;
                        half of the nulls are called null
      promising         skill against all three is positive, without the rest
      worse than naive  any other

    \b
      twin forecasts score
      twin forecasts score --key key.yaml --from docs/forecasts
    """
    found = words.folder(place)
    if not found:
        raise UsageError(f"--from {place}: holds no forecasts (make some: twin forecasts make)")
    if key is not None:
        results = truths.read(key)
        lost = [id for id in results if id not in found]
        if lost:
            raise UsageError(
                f"--from {place}: holds no forecast of {lost[0]}, of which --key has results"
            )
        lines = words.scored(results, found)
    else:
        lines = words.development(found)
    for line in lines:
        click.echo(line)
