"""Options of `twin run` and `twin resume` that say who may watch, and the watchers that follow from them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from twin.errors import UsageError

if TYPE_CHECKING:
    from twin.readers.sidecar import Service
    from twin.readers.watch import Watcher

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--pace", type=click.FloatRange(0, min_open=True), metavar="DAYS", help="Run at most so many simulated days per "
                 "second. `twin pace` changes it later."),
    click.option("--live", is_flag=False, flag_value="127.0.0.1:0", metavar="[HOST:PORT]", help="Open a page in the browser that draws "
                 "the run while it goes on, and steers it. For this machine only; without a port, a free one."),
)


def watched(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that may watch a run."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def watcher(quiet: bool, flags: dict[str, Any]) -> Watcher:
    """The terminal's view and, if any service was asked for, the link to the process in which they live."""
    from twin.readers.terminal import make_view
    from twin.readers.watch import Watchers

    view = make_view(quiet)
    if quiet and flags.get("live"):
        raise UsageError("--live says where its page is, and --quiet says nothing (leave out one of them)")
    services = _services(flags)
    if not services:
        return view
    from twin.readers.sidecar import Link

    return Watchers(view, Link(services, view.note))  # the view first: it shows the lines of the others, and says how it ended


def _services(flags: dict[str, Any]) -> list[Service]:
    """One service per flag that was given. Imports happen here, so that a plain run does not pay for them."""
    services: list[Service] = []
    if flags.get("live"):
        from twin.readers.live import Live
        from twin.readers.live.service import can_browse

        services.append(Live(flags["live"], stay=sys.stdout.isatty(), browse=can_browse()))
    return services
