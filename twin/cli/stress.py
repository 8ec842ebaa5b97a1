"""The command that searches for worlds in which a policy backfires: stress."""

from __future__ import annotations

from pathlib import Path

import click

from twin.cli import common
from twin.cli.experiments import experiment, fork_at
from twin.public import experiments as asked
from twin.scenario.loading import load


@click.command()
@common.file
@click.option("--policy", required=True, metavar="POLICY[@TIME]", help="The policy to test.")
@click.option(
    "--goal",
    "goals",
    multiple=True,
    required=True,
    metavar="GOAL",
    help="What the policy must achieve, see above. May be given many times.",
)
@click.option(
    "--uncertain",
    "ranges",
    multiple=True,
    metavar="PATH=LOW..HIGH[:log]",
    help="An uncertain parameter and its range, "
    "in the scenario's words. May be given many times. Default: a table of assumptions about "
    "people and creators.",
)
@fork_at
@click.option(
    "--worlds",
    default=asked.EFFORT["worlds"],
    show_default=True,
    type=click.IntRange(8),
    help="Worlds drawn at random from the ranges.",
)
@click.option(
    "--search",
    default=asked.EFFORT["search"],
    show_default=True,
    type=click.IntRange(0),
    help="Further worlds, in the search for the worst.",
)
@click.option(
    "--confirm",
    default=asked.EFFORT["confirm"],
    show_default=True,
    type=click.IntRange(2),
    help="Fresh seeds for the worst and the least bad world.",
)
@experiment
def stress(
    scenario: Path,
    policy: str,
    goals: tuple[str, ...],
    ranges: tuple[str, ...],
    at: str | None,
    worlds: int,
    search: int,
    confirm: int,
    out: str | None,
    on: str | None,
    sets: tuple[str, ...],
    quiet: bool,
) -> None:
    """In which plausible worlds does the policy backfire?

    Draws worlds from the ranges of the uncertain parameters, and forks each without and with the
    policy. Reports in which share of them a goal fails, and in which region. Then searches for
    worse worlds, and runs the worst again with fresh seeds.

    \b
    A goal is one of
      METRIC OP NUMBER            mean over the last four weeks (after the fork), with the policy
      effect(METRIC) OP NUMBER    that, minus the same mean without the policy
      effect(METRIC) OP NUMBER%   the same, in percent of the mean without the policy
    with OP one of < <= > >=, and METRIC a name, or name{label=value}. Counters are taken per day.

    \b
      twin stress quickstart --policy demote_ai --goal "effect(satisfaction_mean) >= 0"
      twin stress base --policy chronological --goal "effect(creator_income{by=human}) > -5%" \\
        --uncertain audience.return_effect=0.2..1.8:log --uncertain creators.ai.skill_mean=-0.6..0.6
    """

    found = asked.stress(
        load(scenario, sets),
        policy,
        goals,
        ranges=ranges,
        at=at,
        effort={"worlds": worlds, "search": search, "confirm": confirm},
        out=out,
        on=on,
        quiet=quiet,
    )
    common.ended(found.failed)
