"""Commands that hold a calibrated model against its platform: backtest, sync, forecast."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.cli.calibrate import days_of
from twin.experiments.backtest import command as backtesting
from twin.experiments.calibrate import again
from twin.experiments.experiment import Experiment
from twin.experiments.following import command as telling
from twin.experiments.recommend import following
from twin.experiments.recommend.following import Applied
from twin.experiments.sync import command as syncing
from twin.experiments.sync import words as synced
from twin.ground.errors import UsageError
from twin.running.folder import free_folder

_calibrated = click.argument("calibrated", metavar="CALIBRATED")


@click.command()
@_calibrated
@click.option(
    "--on",
    "place",
    metavar="FOLDER",
    help="What was observed of the platform, later days too. Default: the folder that the "
    "calibration read.",
)
@click.option(
    "--from",
    "first",
    required=True,
    metavar="DATE",
    help="The first day on which a forecast is made: it knows this day and none later.",
)
@click.option(
    "--every", default="7d", show_default=True, help="How long until the next forecast is made."
)
@click.option("--ahead", default="14d", show_default=True, help="How far ahead forecasts go.")
@click.option(
    "--out",
    help="Folder, new or empty; or one that the same command began, to resume it. Default: "
    "runs/backtest-<name>-<number>.",
)
@common.run_on
@common.named
@common.quiet
def backtest(
    calibrated: str,
    place: str | None,
    first: str,
    every: str,
    ahead: str,
    out: str | None,
    run_on: str | None,
    quiet: bool,
) -> None:
    """Make forecasts on days of the past with a CALIBRATED model, and score them by what came.

    Each forecast is made from the bank of worlds of the calibration with what was known on its day.
    Scores (CRPS, how far off, what intervals held) stand beside those of five naive forecasters;
    where the model is worse, it says so.

    \b
      twin calibrate forecasts --on observed --until 2025-01-28 --out calibrated
      twin backtest calibrated --on observed --from 2025-01-14
    """
    of = again.opened(calibrated, place, quiet=True)
    args = {
        "calibrated": str(Path(calibrated).resolve()),
        "on": str(of.observed.path.resolve()),
        "observed": of.observed.digest(),
        "from": common.date("--from", first).isoformat(),
        "every_d": max(1, days_of("--every", every)),
        "ahead_d": days_of("--ahead", ahead),
    }
    # refused before there is a folder
    backtesting.origins(args, of)
    scenario = of.experiment.scenario
    made = Experiment(
        out or str(free_folder(scenario.name, "backtest")), "backtest", args, scenario, quiet
    )
    made.finish("running")
    backtesting.resume(made, run_on)
    common.ended(made.failed)


@click.command()
@_calibrated
@click.option(
    "--on",
    "place",
    required=True,
    metavar="FOLDER",
    help="What was observed of the platform: all that the calibration read, and later days.",
)
@click.option(
    "--until", metavar="DATE", help="The last day that is read. Default: the last there is."
)
@click.option(
    "--advice",
    metavar="FOLDER",
    help="A policy of this advice (the folder of `twin recommend`) was applied: days since then are "
    "held against what was foretold of it, and not fitted.",
)
@click.option(
    "--applied", metavar="POLICY", help="Which policy. Default: the one that was recommended."
)
@click.option(
    "--since",
    metavar="DATE",
    help="Its first day. Default: the first day that the advice foretells.",
)
@common.run_on
@common.quiet
def sync(
    calibrated: str,
    place: str,
    until: str | None,
    advice: str | None,
    applied: str | None,
    since: str | None,
    run_on: str | None,
    quiet: bool,
) -> None:
    """Bring a CALIBRATED model up to date with newer days of its platform.

    Makes a new version of posterior, scenario and forecast in CALIBRATED/versions, from the same
    worlds. Says when a day was not what was foretold of it the day before (on quiet days, once in
    200), and when new worlds are needed.

    \b
      twin observe log --layout twin --out observed-2
      twin sync calibrated --on observed-2
      twin sync calibrated --on observed-3 --advice runs/advice --applied "explore slots" --since 2025-02-03
    """
    last = None if until is None else common.date("--until", until)
    first = None if since is None else common.date("--since", since)
    if advice is None and (applied or since):
        raise UsageError("--applied, --since: say of which --advice")

    say = common.sayer(quiet)
    if advice is not None:
        given = Applied(advice, applied, first)
        for line in following.follow(calibrated, place, last, given, run_on):
            say(line)
        return
    found = syncing.sync(calibrated, place, last, run_on, quiet)
    for line in synced.lines(found):
        say(line)
    say(f"report: {calibrated.rstrip('/')}/{found.made.place}report.html")


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

    telling.forecast(calibrated, place, out, url, common.sayer(quiet), common.warn)
