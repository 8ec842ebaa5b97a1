"""The command that asks a calibrated model what to do: recommend."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from twin.cli import common
from twin.cli.calibrate import days_of
from twin.experiments import forks
from twin.experiments.calibrate import again
from twin.experiments.calibrate.again import Calibration
from twin.experiments.calibrate.command import LEAST_WORLDS
from twin.experiments.experiment import Experiment
from twin.experiments.recommend import command
from twin.experiments.stress.goals import parse_goals
from twin.experiments.sync import versions
from twin.ground.errors import UsageError
from twin.running.folder import free_folder

WORLDS = 200
GOALS = {
    "satisfaction_mean": "effect(satisfaction_mean) > 0%",
    "creator_morale": "effect(creator_morale) >= -1%",
}
"""Without other goals, of metrics that the scenario has."""


@click.command()
@click.argument("calibrated", metavar="CALIBRATED")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    required=True,
    metavar="POLICY[@TIME]",
    help="A policy to think of, applied the day after what was observed ends. May be given many "
    "times.",
)
@click.option(
    "--goal",
    "goals",
    multiple=True,
    metavar="GOAL",
    help="What a policy must achieve, as in `twin stress`: effect(METRIC) OP NUMBER%. May be given "
    f"many times. Default: {' and '.join(GOALS.values())} (people gain, creators hardly lose).",
)
@click.option(
    "--on",
    "place",
    metavar="FOLDER",
    help="What was observed of the platform, until the newest sync at least. Default: the folder "
    "that the calibration read.",
)
@click.option(
    "--ahead", default="14d", show_default=True, help="How far ahead the policy is followed."
)
@click.option(
    "--worlds",
    type=click.IntRange(2),
    help=f"How many worlds of the calibration are run again. Default: {WORLDS}, or all that it has; "
    f"fewest: {LEAST_WORLDS}.",
)
@click.option(
    "--out",
    help="Folder, new or empty; or one that the same command began, to resume it. Default: "
    "runs/recommend-<name>-<number>.",
)
@common.run_on
@common.named
@common.quiet
def recommend(
    calibrated: str,
    policies: tuple[str, ...],
    goals: tuple[str, ...],
    place: str | None,
    ahead: str,
    worlds: int | None,
    out: str | None,
    run_on: str | None,
    quiet: bool,
) -> None:
    """Which policy should the platform of a CALIBRATED model apply?

    Worlds of the calibration are run again, and continued without and with each policy. Says of
    each what it would do to both sides, with intervals from the posterior, how probably it keeps
    the goals, what to measure to see that it works, and when the advice expires. Recommends none
    where none is sure enough. Once one was applied, `twin sync --advice` says how it went.

    \b
      twin recommend calibrated --policy explore_slots --policy chronological
    """
    of = again.opened(calibrated, place, quiet=True)
    args = _arguments(of, calibrated, worlds, ahead)
    # everything that can be refused, before there is a folder
    scenario = command.worlds_of(of, args)
    wanted = command.asked(of, args, ())
    fork = wanted.seconds(wanted.until)
    plans = [forks.planned(path, fork, scenario) for path in policies]
    forks.distinct(plans)
    known = {metric.name for metric, _ in scenario.series()}
    texts = goals or [text for name, text in GOALS.items() if name in known]
    made = {
        "policies": [asdict(plan) for plan in plans],
        "goals": [goal.text for goal in parse_goals(texts, scenario)],
    }
    experiment = Experiment(
        out or str(free_folder(scenario.name, "recommend")),
        "recommend",
        args | made,
        scenario,
        quiet,
    )
    experiment.finish("running")
    command.resume(experiment, run_on)
    common.ended(experiment.failed)


def _arguments(of: Calibration, calibrated: str, worlds: int | None, ahead: str) -> dict[str, Any]:
    """What is asked of a calibration. Raises UsageError for what it cannot answer."""
    until = versions.newest(of.experiment).until
    if until > of.observed.last:
        raise UsageError(
            f"--on {of.observed.path}: ends on {of.observed.last}, {calibrated} was brought up to "
            f"date until {until} (give the folder that the sync read)"
        )
    many = worlds or min(WORLDS, len(of.bank))
    if many > len(of.bank):
        raise UsageError(f"--worlds {many}: {calibrated} has {len(of.bank)}")
    if many < LEAST_WORLDS and not of.experiment.manifest["args"]["quick"]:
        raise UsageError(f"--worlds {many}: advice needs {LEAST_WORLDS}")
    ahead_d = days_of("--ahead", ahead)
    if not ahead_d:
        raise UsageError(f"--ahead {ahead}: must be a day at least")
    return {
        "calibrated": str(Path(calibrated).resolve()),
        "on": str(of.observed.path.resolve()),
        "read": of.experiment.manifest["args"]["observed"],
        "until": until.isoformat(),
        "ahead_d": ahead_d,
        "worlds": many,
    }
