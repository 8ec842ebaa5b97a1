"""Commands to a running simulation from another terminal: pause, continue, pace, intervene,
fork."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from twin.cli import common
from twin.ground import files
from twin.ground.errors import UsageError
from twin.record.mailbox import command, is_open
from twin.scenario import shipped

_at = click.option(
    "--at",
    metavar="TIME",
    help="When it takes effect: a time since the start (90d) or a date (2025-06-01). Default: what "
    "the policy says, else now.",
)


def _command(run: Path, **request: Any) -> None:

    reply = command(run, request)
    click.echo(f"{reply['date']}  {reply['ok']}")


def _policy(path: Path) -> dict[str, str]:
    """A policy file, or a shipped one by its name, as part of a command."""
    found = shipped.found(str(path), shipped.POLICY)
    if not files.is_file(found):
        reason, mend = shipped.missing(str(path), shipped.POLICY)
        raise UsageError(f"{files.shown(str(path))}: {reason} ({mend})")
    # the text and not the path, which may mean nothing in the run's current folder
    return {"policy": found.read_text(errors="replace", encoding="utf-8"), "source": str(found)}


@click.command()
@common.folder
def pause(run: Path) -> None:
    """Pause the run in DIR at its next simulated hour, with a checkpoint."""
    _command(run, do="pause")


@click.command("continue")
@common.folder
def continue_(run: Path) -> None:
    """Continue the paused run in DIR."""
    _command(run, do="continue")


@click.command()
@common.folder
@click.argument("days", metavar="DAYS|max")
def pace(run: Path, days: str) -> None:
    """Limit the run in DIR to DAYS simulated days per second, or lift the limit (max)."""
    try:
        number = None if days == "max" else float(days)
    except ValueError:
        raise UsageError(
            f"{days}: is neither a number of simulated days per second nor max"
        ) from None
    _command(run, do="pace", days_per_second=number)


@click.command()
@common.folder
@click.argument("policy", metavar="POLICY", type=click.Path(path_type=Path))
@_at
def intervene(run: Path, policy: Path, at: str | None) -> None:
    """Apply a policy, a file or a name that `twin policies` lists, to the run in DIR while it runs.

    The policy becomes part of the run's scenario, with the time at which it took effect. So
    `twin run DIR/scenario.yaml` gives the same bytes as this run.
    """
    _command(run, do="intervene", at=at, **_policy(policy))


@click.command()
@common.folder
@click.option("--name", help="The branch's name. Default: fork-1, fork-2, ...")
@click.option(
    "--policy",
    type=click.Path(path_type=Path),
    metavar="POLICY",
    help="A policy for the branch alone: a file, or a name that `twin policies` lists.",
)
@_at
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The branch's folder, new or empty. Default: beside the run, <run>-<name>.",
)
def fork(
    run: Path, name: str | None, policy: Path | None, at: str | None, out: Path | None
) -> None:
    """Branch off the run in DIR as it stands, into a folder of its own.

    The run itself continues unchanged. `twin resume` continues the branch, from the same world and
    with the same random numbers. An interrupted run is forked at its newest checkpoint.
    """
    # inside, because it takes half a second to import, which pause and pace are spared
    from twin.running.drive import fork_stopped

    given = _policy(policy) if policy else {}
    # a living run forks itself at its next barrier, a stopped one is forked here
    if is_open(run):
        _command(
            run,
            do="fork",
            branch=name,
            at=at,
            # absolute: the run may have another current folder
            out=str(out.resolve()) if out else None,
            **given,
        )
    else:
        click.echo(
            fork_stopped(run, {"branch": name, "at": at, "out": str(out) if out else None, **given})
        )
