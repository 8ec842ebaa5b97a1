"""Options of `twin run` and `twin resume` for watching a run, and the watchers that they ask
for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from twin.cli import beside as command_beside
from twin.cli import common
from twin.ground.errors import Undone, UsageError
from twin.readers.annotations import Annotator
from twin.readers.endpoint import Endpoint
from twin.readers.listening import parse
from twin.readers.live import Live
from twin.readers.live.address import can_browse
from twin.readers.remote_write import RemoteWrite
from twin.readers.service import Service
from twin.readers.sidecar import Link
from twin.readers.terminal import make_view
from twin.record.results import load_manifest
from twin.record.watch import Watcher, Watchers
from twin.running import beside

FACTS = ("status", "name", "run_id", "branch", "start", "reached_s", "sessions", "wall_s")
"""What of a run's manifest ``--json`` prints at its end."""

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--pace",
        type=common.Finite(0, min_open=True),
        metavar="DAYS",
        help="Run at most so many simulated days per second. `twin pace` changes it later.",
    ),
    click.option(
        "--metrics",
        metavar="[HOST]:PORT",
        help="Serve the latest reading and the run's health for Prometheus, at "
        "http://HOST:PORT/metrics. Without HOST: to this machine only. Port 0: any that is free.",
    ),
    click.option(
        "--remote-write",
        metavar="URL",
        help="Send every reading to a Prometheus, at its simulated time, such as "
        "http://127.0.0.1:9090/api/v1/write. What it cannot take now is sent later.",
    ),
    common.verify,
    click.option(
        "--grafana",
        metavar="URL",
        help="Show policies, migrations and campaigns as annotations in the Grafana there, as they "
        "come. Its token: GRAFANA_TOKEN.",
    ),
    click.option(
        "--live",
        is_flag=False,
        flag_value="127.0.0.1:0",
        metavar="[HOST:PORT]",
        help="Open a page in the browser that shows "
        "the run while it runs, and takes commands for it. For this machine only; without a port, "
        "any free one.",
    ),
)


def watched(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options for watching a run to a command."""
    # the option that is added last comes first in the help
    command = common.as_json(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def watcher(quiet: bool, flags: dict[str, Any]) -> Watcher:
    """The terminal's view and, if any service was asked for, the link to the process in which they
    live."""

    view = make_view(quiet)
    if quiet and flags.get("live"):
        raise UsageError(
            "--live prints the address of its page, and --quiet prints nothing (leave out one of "
            "them)"
        )
    asked = services(flags)
    if not asked:
        return view
    # the view first: it prints the lines of the others, and how the run ended
    return Watchers(view, Link(asked, view.note, common.warn))


def ended(status: str, watching: Watcher, folder: Path) -> None:
    """Leave with the status of a run that was interrupted, or of one that did not do all that was
    asked for; with ``--json`` the last line says how it ended. Raises Undone."""
    lines = watching.undone()
    if common.machine():
        manifest = load_manifest(folder)
        facts = {key: manifest.get(key) for key in FACTS}
        click.echo(json.dumps({"folder": str(folder), **facts, "undone": lines}))
    if status == "interrupted":
        sys.exit(130)
    if lines:
        raise Undone("\n".join(lines))


def services(flags: dict[str, Any]) -> list[Service]:
    """One service per flag that was given."""
    found: list[Service] = []
    if flags.get("metrics") is not None:
        address = parse("--metrics", flags["metrics"])
        # before the run's folder is made: a port that is taken costs nothing
        address.try_out()
        found.append(Endpoint(address))
    url, verify = flags.get("remote_write"), flags.get("verify")
    if url:
        found.append(RemoteWrite(url, verify))
    elif verify is not None:
        raise UsageError("--verify reads back what was sent (give --remote-write too)")
    if flags.get("grafana"):
        found.append(Annotator(flags["grafana"]))
    if flags.get("live"):
        # the page stays after the run until Ctrl-C, which needs somebody at a terminal
        found.append(
            Live(
                flags["live"],
                stay=sys.stdout.isatty(),
                browse=can_browse(),
                grow=beside.main,
                command=command_beside.main,
            )
        )
    return found
