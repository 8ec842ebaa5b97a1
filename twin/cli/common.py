"""Arguments and options that several commands share."""

from __future__ import annotations

import datetime as dt
import functools
import math
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from twin.ground import safety
from twin.ground.errors import UsageError
from twin.record import naming

sets = click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a value of the scenario, e.g. --set audience.initial=1000. May be given many times.",
)
policies = click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="POLICY[@TIME]",
    help="Add a policy: a file, or a name that `twin policies` lists, such as chronological@90d. "
    "May be given many times.",
)
oracle = click.option(
    "--oracle",
    is_flag=True,
    help="Let the feed rank by what people will truly enjoy: an upper reference that no "
    "real platform can reach.",
)


verify = click.option(
    "--verify",
    is_flag=False,
    flag_value="",
    metavar="[URL]",
    help="Read the first and the last reading back from the receiver once all were sent: status 3 "
    "if they are not there. URL is its address for queries, such as http://127.0.0.1:9090; it is "
    "known of Prometheus, VictoriaMetrics and Mimir.",
)


class Finite(click.FloatRange):
    """A number within bounds that is one: not "nan", which is beyond no bound."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


file = click.argument("scenario", type=click.Path(path_type=Path))
folder = click.argument("run", metavar="DIR", type=click.Path(path_type=Path))
threads = click.option(
    "--threads",
    type=click.IntRange(1),
    metavar="N",
    help="Threads that share the work of this run; the result is the "
    "same to the byte. Default: TWIN_THREADS, else one per processor.",
)


def _no_cache(context: click.Context, option: click.Parameter, given: bool) -> None:
    """By the environment, so that processes which this command starts see it too."""
    if given:
        os.environ["TWIN_CACHE"] = "off"


no_cache = click.option(
    "--no-cache",
    is_flag=True,
    # Acts by its callback alone, so commands need no parameter for it
    expose_value=False,
    callback=_no_cache,
    help="Do not use the cache of warmed-up worlds "
    "(TWIN_CACHE, else ~/.cache/twin): every world warms up again. The result is the same to the "
    "byte.",
)


def _safe(context: click.Context, option: click.Parameter, given: bool) -> None:
    """By the environment, so that processes which this command starts see it too."""
    if given:
        os.environ[safety.VARIABLE] = "1"


safe = click.option(
    "--safe",
    is_flag=True,
    # acts by its callback alone, and before the arguments are read
    expose_value=False,
    is_eager=True,
    callback=_safe,
    help="Run no code but twin's own: a scenario that names a class is refused. For what comes from "
    "others; TWIN_SAFE=1 says the same to every command.",
)


def _as_json(context: click.Context, option: click.Parameter, given: bool) -> None:
    context.meta[JSON] = given


def machine() -> bool:
    """Whether the command was asked for JSON."""
    return bool(click.get_current_context().meta.get(JSON))


JSON = "twin.json"
as_json = click.option(
    "--json",
    is_flag=True,
    # asked for by `machine`, so commands need no parameter for it
    expose_value=False,
    callback=_as_json,
    help="For programs: the result as one line of JSON, the last of the output, and each error as "
    "one.",
)


def named(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --name and --tag, which hold while the command runs; it needs no parameters for them."""

    @functools.wraps(command)
    def within(*args: Any, name: str | None, tags: tuple[str, ...], **more: Any) -> Any:
        with naming.giving(name, tags):
            return command(*args, **more)

    tagged = click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        help="A word to find it by: `twin ls --tag TAG`. May be given many times.",
    )(within)
    return click.option(
        "--name", metavar="TEXT", help="What it is called in lists and on its pages."
    )(tagged)


run_on = click.option(
    "--run-on",
    metavar="WHERE",
    help="Where worlds run or are read: local (default: all cores), local:N, dask, or "
    "tcp://host:8786.",
)
quiet = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")


def sayer(quiet: bool) -> Callable[[str], None]:
    """What prints a line, unless the command is quiet."""
    return (lambda line: None) if quiet else click.echo


def warn(text: str) -> None:
    """A line that also a quiet command prints."""
    click.echo(f"warning: {text}", err=True)


def ended(failed: Mapping[str, str]) -> None:
    """Exit with status 1 if tasks of an experiment failed."""
    if failed:
        sys.exit(1)


def axes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Axes of a two-sided map."""
    # The option that is added last comes first in the help
    for name, side in (("y", "consumers"), ("x", "creators")):
        command = click.option(
            f"--{name}",
            metavar="METRIC",
            help=f"Metric of {side} on the {name} axis of the map, such as "
            + ("creator_income{by=ai}." if name == "x" else "satisfaction_mean."),
        )(command)
    return command


def date(flag: str, text: str) -> dt.date:
    """A date as a flag has it. Raises UsageError."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{flag} {text}: is no date (write it as 2022-04-21)") from None
