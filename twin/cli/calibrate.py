"""Commands that make a model a twin of a platform: calibrate."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.experiments.calibrate import command
from twin.experiments.calibrate.bank import BURN_IN, PEOPLE
from twin.experiments.experiment import Experiment
from twin.experiments.sync import versions
from twin.ground.errors import UsageError
from twin.ground.units import DAY, parse_duration
from twin.observing import folder
from twin.running.folder import free_folder
from twin.scenario.loading import load

WORLDS, QUICK_WORLDS, QUICK_PEOPLE = 400, 8, 200
AHEAD = "14d"


@click.command()
@common.file
@click.option(
    "--on",
    "place",
    required=True,
    metavar="FOLDER",
    help="What was observed of the platform: the folder that `twin observe` made.",
)
@click.option(
    "--until",
    metavar="DATE",
    help="The last day that is read; what came later cannot be. Default: the last observed.",
)
@click.option("--ahead", default=AHEAD, show_default=True, help="How far ahead to forecast.")
@click.option(
    "--worlds",
    type=click.IntRange(2),
    help=f"Worlds drawn from the priors. Default: {WORLDS}; fewest: {command.LEAST_WORLDS}.",
)
@click.option(
    "--people",
    type=click.IntRange(50),
    help=f"People of each world, with creators in proportion. Default: {PEOPLE}. Fit and forecast "
    "hold for this size.",
)
@click.option(
    "--burn-in",
    default=f"{BURN_IN // DAY}d",
    show_default=True,
    help="Simulated before the first observed day.",
)
@click.option(
    "--vary",
    multiple=True,
    metavar="PATH=LOW..HIGH",
    help="A parameter to fit, with its prior (:log for a uniform logarithm). Default: twelve that "
    "a log can tell. May be given many times.",
)
@click.option(
    "--within",
    metavar="CALIBRATED",
    help="Draw worlds from the priors of an earlier calibration, cut off to where its newest posterior "
    "lies: more worlds where they tell most. Without --vary.",
)
@click.option(
    "--chance",
    is_flag=True,
    help="Also fit to impressions that chance chose, where the log marks them. Without it they can "
    "be forecast.",
)
@click.option(
    "--calendar",
    is_flag=True,
    help="Declare the shape of the week that the log has as audience.calendar, in all worlds and in "
    "calibrated.yaml. Without it the shape is said alone.",
)
@click.option(
    "--quick",
    is_flag=True,
    help=f"{QUICK_WORLDS} small worlds, to see that all runs: no calibration.",
)
@click.option(
    "--out",
    help="Folder, new or empty; or one that the same command began, to resume it. Default: "
    "runs/calibrate-<name>-<number>.",
)
@common.run_on
@common.sets
@common.named
@common.quiet
def calibrate(
    scenario: Path,
    place: str,
    until: str | None,
    ahead: str,
    worlds: int | None,
    people: int | None,
    burn_in: str,
    vary: tuple[str, ...],
    within: str | None,
    chance: bool,
    calendar: bool,
    quick: bool,
    out: str | None,
    run_on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """Fit parameters of a SCENARIO to what was observed of a platform, and forecast its next days.

    Worlds are drawn from the priors, each simulated over the platform's dates and observed by the
    same code. One update gives the posterior of the parameters and of the days to come. It says
    which parameters the log does not identify, which statistics the model misses, and, with every
    world in turn as the truth, whether its intervals can be believed.

    \b
      twin observe log.parquet --map columns.yaml --out observed
      twin calibrate forecasts --on observed --until 2022-04-21 --out calibrated
    """
    many = worlds or (QUICK_WORLDS if quick else WORLDS)
    if many < command.LEAST_WORLDS and not quick:
        raise UsageError(
            f"--worlds {many}: a calibration needs {command.LEAST_WORLDS} (or give --quick)"
        )
    if within is not None and vary:
        raise UsageError("--within: has the ranges of an earlier calibration (leave out --vary)")
    base = load(scenario, sets)
    args = {
        "on": str(Path(place).resolve()),
        "until": _day(until, place),
        "ahead_d": days_of("--ahead", ahead),
        "worlds": many,
        "people": people or (QUICK_PEOPLE if quick else PEOPLE),
        "burn_in_s": days_of("--burn-in", burn_in) * DAY,
        "vary": list(vary if within is None else versions.narrowed(within)),
        "chance": chance,
        "calendar": calendar,
        "quick": quick,
    }
    # everything that can be refused, before there is a folder
    observed, _ = command.made(base, args)
    args["observed"] = observed.digest()
    made = Experiment(
        out or str(free_folder(base.name, "calibrate")), "calibrate", args, base, quiet
    )
    made.finish("running")
    command.resume(made, run_on)
    common.ended(made.failed)


def _day(until: str | None, place: str) -> str:
    if until is None:
        return str(folder.read(place).manifest["last"])
    return common.date("--until", until).isoformat()


def days_of(flag: str, text: str) -> int:
    """A duration in whole days. Raises UsageError with the flag."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text}: {error}") from None
    if seconds % DAY:
        raise UsageError(f"{flag} {text}: is not in whole days")
    return seconds // DAY
