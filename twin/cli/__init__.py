"""The command line. A command's file is imported when it is called, so that ``twin --help`` answers
at once.

Exit statuses are in `errors.STATUSES`. With ``--json`` a command prints its result, or each error, as
one line of JSON.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import tempfile
import traceback
from collections.abc import Iterable
from typing import Any, NoReturn

import click

from twin.ground import files, importing, interrupts
from twin.ground.errors import Problem, ScenarioError, TwinError, UsageError, nearest, one_line

COMMANDS = {
    "run": ("runs.run", "Run a scenario to its end and write the report."),
    "resume": ("runs.resume", "Continue an unfinished run from its newest checkpoint."),
    "check": ("scenarios.check", "Print what a scenario says, in full, without running it."),
    "ls": ("listing.ls", "List runs and experiments: names, tags, how far, in which state."),
    "report": ("runs.report", "Write the report of a run or an experiment again."),
    "pause": ("levers.pause", "Pause a run at its next simulated hour."),
    "continue": ("levers.continue_", "Let a paused run continue."),
    "pace": ("levers.pace", "Limit how many days a run simulates per second."),
    "intervene": ("levers.intervene", "Apply a policy to a run while it runs."),
    "fork": ("levers.fork", "Branch off a run into a folder of its own."),
    "compare": (
        "experiments.compare",
        "What policies do to creators and consumers, with intervals.",
    ),
    "sweep": ("experiments.sweep", "Run a scenario at many points of a parameter space."),
    "audit": ("experiments.audit", "Which engineering settings are political, and towards whom."),
    "stress": ("stress.stress", "In which plausible worlds a policy backfires."),
    "findings": ("findings.findings", "Reproduce or refute the published findings."),
    "forecasts": ("forecasts.forecasts", "Forecast published field experiments, and score that."),
    "observe": ("observe.observe", "Read the log of a platform into aggregates."),
    "calibrate": ("calibrate.calibrate", "Fit parameters to what was observed, and forecast."),
    "backtest": ("following.backtest", "What a calibrated model would have foretold, scored."),
    "sync": ("following.sync", "Bring a calibrated model up to date with its platform."),
    "recommend": ("recommend.recommend", "Which policy a platform should apply."),
    "forecast": ("following.forecast", "What a calibrated twin foretells, beside its platform."),
    "send": ("stream.send", "Send the readings of a run to a Prometheus."),
    "export": ("stream.export", "Write the readings of a run for other programs."),
    "grafana": ("grafana.grafana", "Send dashboards and annotations to a Grafana."),
    "dashboards": ("dashboards.dashboards", "Write Grafana dashboards for every metric."),
    "policies": ("shipped.policies", "List the policies that come with twin, by name."),
    "scenarios": ("shipped.scenarios", "List the scenarios that come with twin, by name."),
    "events": ("shipped.events", "List the events gallery: what real platforms did, to run."),
    "schema": ("scenarios.schema", "Print the JSON Schema of scenario files."),
}
"""Module and function of each command, and its line in the help, in the order of the help."""


class _Commands(click.Group):
    """A group that imports a command when it is called, and suggests the nearest one for a mistyped
    one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        # in declared order; click would sort them
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(".")
        with importing.for_good():
            found: click.Command = getattr(importlib.import_module(f"twin.cli.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # from the table: click would import every command for its line
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # before click, whose own message names no nearest command
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(f"no command {args[0]} ({nearest(args[0], COMMANDS)})")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twin")
def cli() -> None:
    """A digital twin of a social platform.

    Runs scenarios written in YAML: creators post, people browse, a recommender learns from what
    they did, opinions and trust move, and policies take effect. A run becomes a folder with its
    data (Parquet) and a report (HTML). Scenarios and policies that come with twin are given by name:
    `twin scenarios`, `twin events` and `twin policies` list them.

    \b
    Begin with:
      twin run quickstart
      twin check quickstart
      twin run quickstart --set recommender.dim=4 --out runs/low-dim
    """


class _Failure:
    """How errors are printed: a line each, for people or (``--json``) for programs."""

    def __init__(self, machine: bool) -> None:
        self.machine = machine

    def __call__(self, message: str, status: int, problems: Iterable[Problem] = ()) -> NoReturn:
        # what a user wrote is part of some messages
        lines = [one_line(line) for line in message.split("\n")]
        if self.machine:
            found = [each.plain() for each in problems] or [{"reason": line} for line in lines]
            lines = [json.dumps({"status": status, **each}) for each in found]
        for line in lines:
            click.echo(line if self.machine else f"error: {line}", err=True)
        sys.exit(status)


_CLICKS = (click.exceptions.Exit, click.Abort)
"""An end that is no error, and click's own word for an interrupt."""


def main(args: list[str] | None = None) -> Any:
    """Entry point: one line per error, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal or pipe in ASCII or Latin-1 must not end a run: what it lacks is spelt out
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # before the arguments are read: what is wrong with them is an error, too
    fail = _Failure("--json" in (sys.argv[1:] if args is None else args))
    try:
        with interrupts.listening(), interrupts.kept(but=_CLICKS):
            # else click would print errors in its own form and choose the exit status
            return cli.main(args, prog_name="twin", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as asked:
        # no question yet: the answer is what could be asked
        click.echo(asked.format_message())
        sys.exit(0)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "twin"
        fail(one_line(f"{error.format_message().rstrip('.')} (see {where} --help)"), 2)
    except TwinError as error:
        problems = error.problems if isinstance(error, ScenarioError) else ()
        fail(str(error), error.status, problems)
    except (click.Abort, KeyboardInterrupt):
        fail("interrupted", 130)
    except BrokenPipeError:
        # whoever read the output has gone, such as `head`: also silences Python's last flush
        sys.stderr.close()
        sys.exit(1)
    except MemoryError:
        fail(
            "out of memory (a smaller audience or shorter duration needs less; twin check SCENARIO "
            "estimates it)",
            1,
        )
    except UnicodeEncodeError as error:
        wrong = str(error.object)[error.start : error.end]
        fail(
            f"{wrong!a} has no place in {error.encoding}, in which file names and arguments "
            f"are read here (set LC_ALL=C.UTF-8 or PYTHONUTF8=1)",
            1,
        )
    except OSError as error:
        reason, mend = files.reason(error)
        where = f"{files.shown(str(error.filename))}: " if error.filename else ""
        fail(f"{where}{reason}{f' ({mend})' if mend else ''}", 1)
    # a bug: its trace goes to a file, one line to the user
    except Exception as error:
        fail(_bug(error), 1)


def _bug(error: Exception) -> str:
    """Keep the trace of a bug in a file, and say whose it is."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="twin-trace-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(traceback.format_exc())
    # inside, so that `twin --help` does not import what scenarios need
    from twin.scenario.outside import blame

    # a mechanism of the user's own may have failed, and then the bug is not twin's
    if theirs := blame(error):
        return f"{theirs}: {type(error).__name__}: {error} (the trace is in {file.name})"
    return f"a bug in twin: {type(error).__name__}: {error} (please report it with {file.name})"
