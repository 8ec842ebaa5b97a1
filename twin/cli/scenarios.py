"""Commands on a scenario itself: check, schema."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from twin.cli import common
from twin.experiments import rest
from twin.experiments.fitting.regularities import check as compare
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.running.estimate import memory, plan
from twin.scenario.changes import about, changes
from twin.scenario.describe import describe, digest, policy_lines, prized_lines
from twin.scenario.explain import explain
from twin.scenario.idle import remarks
from twin.scenario.loading import Scenario, extended, load
from twin.scenario.population import population
from twin.scenario.rankers import who_ranks
from twin.scenario.replacing import stand_ins
from twin.scenario.schema import json_schema


@click.command()
@common.file
@common.sets
@common.policies
@click.option(
    "--regularities",
    is_flag=True,
    help="Run the scenario (at least 60 days) and compare it with regularities of real "
    "platforms: target, source, twin, within or not.",
)
@click.option(
    "--at-rest",
    is_flag=True,
    help="Run the scenario without policies and compare its headline metrics between days 1 to 30 "
    "and the last 30: at rest or drifting, and the warm-up that would settle them.",
)
@click.option(
    "--days",
    type=click.IntRange(60),
    help="With --at-rest: days after the start. Default: the scenario's, 60 at least.",
)
@click.option(
    "--replicates",
    type=click.IntRange(2),
    help="With --at-rest: runs, each with its own random numbers. Default: 4.",
)
@click.option(
    "--explain",
    "explained",
    multiple=True,
    metavar="PATH",
    help="Only this setting, or all below it: meaning, range, unit, source, whether a policy may "
    "change it, and what it acts under. May be given many times.",
)
@click.option(
    "--diff",
    "against",
    is_flag=False,
    flag_value="",
    metavar="[SCENARIO]",
    help="Only what differs from another scenario. Default: the one that this one extends, else "
    "twin's own defaults.",
)
@common.as_json
@common.safe
@common.no_cache
def check(
    scenario: Path,
    sets: tuple[str, ...],
    policies: tuple[str, ...],
    regularities: bool,
    at_rest: bool,
    days: int | None,
    replicates: int | None,
    explained: tuple[str, ...],
    against: str | None,
) -> None:
    """Print what a SCENARIO says, in full, without running it; - stands for standard input.

    Every number with its unit, source and where it was set (--explain says what it means); what the feed rewards; the order of
    clocks within an instant; and an estimate of the run's time and memory. All mistakes are listed
    at once. With --regularities or --at-rest the scenario is run. The exit status is then 1 if a
    regularity is not met or a headline metric drifts.
    """
    # Flags that contradict each other are refused before anything is read
    if regularities and at_rest:
        raise UsageError(
            "--regularities and --at-rest cannot be combined (give one after the other)"
        )
    if not at_rest and (days is not None or replicates is not None):
        raise UsageError(
            f"--{'replicates' if days is None else 'days'}: belongs to --at-rest (add it, or leave "
            f"this out)"
        )
    if common.machine() and (regularities or at_rest):
        raise UsageError(
            f"--json: belongs to a check that runs nothing (leave it out, or "
            f"--{'regularities' if regularities else 'at-rest'})"
        )
    checked = load(scenario, sets, policies)
    if explained or against is not None:
        _print_some(checked, explained, against)
        return
    if common.machine():
        click.echo(json.dumps(_plain(checked)))
        return
    if regularities:
        text, good = compare(checked)
        click.echo(text)
        sys.exit(0 if good else 1)
    if at_rest:
        text, good = rest.check(
            checked,
            days or max(rest.LEAST_DAYS, checked.duration // DAY),
            replicates or 4,
            _progress(),
        )
        click.echo(text)
        sys.exit(0 if good else 1)

    _print(checked)


def _print(checked: Scenario) -> None:
    """The scenario for people: a table of its numbers, what it rewards, and the estimate."""
    rows = describe(checked)
    # A long value pushes its own line, not the whole table
    wide, mid = (
        max(len(row.path) for row in rows),
        min(30, max(len(f"{row.value} {row.unit}") for row in rows)),
    )
    if said := about(checked):
        click.echo(said)
    click.echo(
        f"{'parameter':{wide}}  {'value':{mid}}  {'set in':18}  source (* may be changed by a "
        f"policy)"
    )
    group, lines = "", []
    for row in rows:
        if (name := row.path.partition(".")[0]) != group and name in checked.registry:
            group = name
            lines.append(f"\n{group}: {(checked.registry[group].__doc__ or '').splitlines()[0]}")
        value = f"{row.value} {row.unit}".strip()
        lines.append(
            f"{row.path:{wide}}  {value:{mid}}  {row.origin:18}  "
            f"{row.source}{' *' if row.lever else ''}"
        )
    lines += policy_lines(checked) + stand_ins(checked)
    if said := who_ranks(checked):
        lines.append(said)
    lines += [*population(checked).said, "", *prized_lines(checked)]
    lines += [f"cannot act: {line}" for line in remarks(checked)]
    click.echo("\n".join(lines))
    click.echo()
    click.echo(plan(checked))


def _print_some(checked: Scenario, explained: Iterable[str], against: str | None) -> None:
    """Settings that are asked for, and what differs from another scenario."""
    lines = {path: explain(checked, path) for path in explained}
    base = None
    if against is not None:
        base = load(against) if against else extended(checked.source)
    if common.machine():
        found = None if base is None else [asdict(each) for each in changes(checked, base)]
        click.echo(json.dumps({"explained": lines, "changes": found}))
        return
    for line in itertools.chain(*lines.values()):
        click.echo(line)
    if base is not None:
        _print_changes(checked, base)


def _print_changes(checked: Scenario, base: Scenario) -> None:
    """Every setting that differs from another scenario: value there, value here, where it was
    set."""
    found = changes(checked, base)
    origin = {row.path: row.origin for row in describe(checked)}
    wide = max([len(each.path) for each in found] or [0])
    mid = max([len(each.before) for each in found] or [0])
    click.echo(f"{len(found)} settings differ from {base.name}")
    for each in found:
        where = origin.get(each.path, "")
        click.echo(
            f"{each.path:{wide}}  {each.before:{mid}}  -> {each.after or 'gone'}"
            f"{'  (' + where + ')' if where else ''}"
        )


def _plain(checked: Scenario) -> dict[str, Any]:
    """What `check` prints, as plain data."""
    return {
        "name": checked.name,
        "digest": digest(checked),
        "parameters": [vars(row) for row in describe(checked)],
        "policies": [
            policy.model_dump(mode="json", exclude_none=True) for policy in checked.policies
        ],
        "stand_ins": stand_ins(checked),
        "ranker": who_ranks(checked),
        "files": list(population(checked).said),
        "remarks": remarks(checked),
        "memory_bytes": round(memory(checked).peak),
    }


def _progress() -> Callable[[float], None]:
    """Shows the progress of a check on a terminal."""
    # A log must not fill with percentages
    if not sys.stderr.isatty():
        return lambda share: None

    def tell(share: float) -> None:
        # Wiped at the end, so that the result begins on a clean line
        click.echo(f"\r{share:4.0%} " if share < 1 else "\r     \r", nl=False, err=True)

    return tell


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
def schema(scenario: Path | None) -> None:
    """Print the JSON Schema of scenario files, for completion and checks in an editor.

    With a SCENARIO, its own mechanisms are included.
    """

    click.echo(
        json.dumps(json_schema(load(scenario).registry) if scenario else json_schema(), indent=1)
    )
