"""Options of `twin run` and `twin resume` that say who may watch, and the watchers that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from twin.readers.sidecar import Service
    from twin.readers.watch import Watcher

_OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option("--pace", type=click.FloatRange(0, min_open=True), metavar="DAYS", help="Run at most so many simulated days per "
                 "second. `twin pace` changes it later."),
    click.option("--remote-write", metavar="URL", help="Send every reading to a Prometheus, at its simulated time, such as "
                 "http://127.0.0.1:9090/api/v1/write. What it does not take now is sent later."),
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
    services = _services(flags)
    if not services:
        return view
    from twin.readers.sidecar import Link

    return Watchers(Link(services, view.note), view)


def _services(flags: dict[str, Any]) -> list[Service]:
    """One service per flag that was given. Imports happen here, so that a plain run does not pay for them."""
    services: list[Service] = []
    if url := flags["remote_write"]:
        from twin.readers.remote_write import RemoteWrite

        services.append(RemoteWrite(url))
    return services
