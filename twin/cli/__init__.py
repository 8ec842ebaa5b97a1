"""The command line. Heavy imports happen inside the commands, so that ``twin --help`` answers at
once.

Exit status: 0 done; 1 failed; 2 wrong usage or scenario; 130 interrupted, and the run can be
resumed.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from typing import Any, NoReturn

import click

from twin.cli import (
    dashboards,
    experiments,
    findings,
    grafana,
    levers,
    runs,
    scenarios,
    stream,
    stress,
)
from twin.ground.errors import TwinError, UsageError, nearest


class _Commands(click.Group):
    """A group that suggests the nearest command for a mistyped one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UsageError(f"no command {args[0]} ({nearest(args[0], self.commands)})")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twin")
def cli() -> None:
    """A digital twin of a social platform.

    Runs scenarios written in YAML: creators post, people browse, a recommender learns from what
    they did, opinions and trust move, and policies take hold. A run becomes a folder with its data
    (Parquet) and a report (HTML).

    \b
    Begin with:
      twin run scenarios/quickstart.yaml
      twin check scenarios/quickstart.yaml
      twin run scenarios/quickstart.yaml --set recommender.dim=4 --out runs/low-dim
    """


_COMMANDS = (
    runs.run,
    runs.resume,
    scenarios.check,
    runs.report,
    levers.pause,
    levers.go_on,
    levers.pace,
    levers.intervene,
    levers.fork,
    experiments.compare,
    experiments.sweep,
    experiments.audit,
    stress.stress,
    findings.findings,
    stream.send,
    stream.export,
    grafana.grafana,
    dashboards.dashboards,
    scenarios.schema,
)
for _command in _COMMANDS:
    cli.add_command(_command)


def _fail(message: str, status: int) -> NoReturn:
    for line in message.splitlines():
        click.echo(f"error: {line}", err=True)
    sys.exit(status)


def main(args: list[str] | None = None) -> Any:
    """Entry point: one line per error, never a traceback."""
    try:
        return cli.main(args, prog_name="twin", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "twin"
        _fail(f"{error.format_message().rstrip('.')} (see {where} --help)", 2)
    except TwinError as error:
        _fail(str(error), error.status)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", 130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except MemoryError:
        _fail(
            "out of memory (a smaller audience or shorter duration needs less; twin check SCENARIO "
            "estimates it)",
            1,
        )
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), 1)
    except Exception as error:  # a bug: keep its trace, show one line
        with tempfile.NamedTemporaryFile(
            "w", prefix="twin-trace-", suffix=".txt", delete=False
        ) as file:
            file.write(traceback.format_exc())
        from twin.scenario.outside import blame

        if theirs := blame(error):
            _fail(f"{theirs}: {type(error).__name__}: {error} (the trace is in {file.name})", 1)
        _fail(
            f"a bug in twin: {type(error).__name__}: {error} (please report it with {file.name})", 1
        )
