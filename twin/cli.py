"""The command line. Heavy imports happen inside the commands, so that ``twin --help`` answers at once.

Exit status: 0 done; 1 failed; 2 wrong usage or scenario; 130 interrupted, and the run can be resumed.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from twin.errors import TwinError, UsageError, nearest

if TYPE_CHECKING:
    from twin.scenario import Scenario

_sets = click.option("--set", "sets", multiple=True, metavar="PATH=VALUE",
                     help="Lay a value on the scenario, e.g. --set audience.initial=1000. May be given many times.")
_policies = click.option("--policy", "policies", multiple=True, metavar="FILE[@TIME]",
                         help="Add a policy file, such as scenarios/policies/chronological.yaml@90d. May be given many times.")
_oracle = click.option("--oracle", is_flag=True, help="Let the feed rank by what people will truly enjoy: an upper reference that no "
                       "real platform can reach.")
_file = click.argument("scenario", type=click.Path(path_type=Path))
_folder = click.argument("run", metavar="DIR", type=click.Path(path_type=Path))


class _Commands(click.Group):
    """A group that suggests the nearest command for a mistyped one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UsageError(f"no command {args[0]} ({nearest(args[0], self.commands)})")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twin")
def cli() -> None:
    """A digital twin of a social platform.

    Runs scenarios written in YAML: creators post, people browse, a recommender learns from what they did, opinions and trust move,
    and policies take hold. A run becomes a folder with its data (Parquet) and a report (HTML).

    \b
    Begin with:
      twin run scenarios/quickstart.yaml
      twin check scenarios/quickstart.yaml
      twin run scenarios/quickstart.yaml --set recommender.dim=4 --out runs/low-dim
    """


@cli.command()
@_file
@click.option("--out", type=click.Path(path_type=Path), help="Run folder, new or empty. Default: runs/<name>-<number>.")
@_sets
@_policies
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
@click.option("--reference", is_flag=True, help="One SimPy process per consumer: many times slower, the same bytes.")
@_oracle
def run(scenario: Path, out: Path | None, sets: tuple[str, ...], policies: tuple[str, ...], quiet: bool, reference: bool,
        oracle: bool) -> None:
    """Run a SCENARIO to its end and write the report.

    Ctrl-C stops at the next simulated hour with a checkpoint; `twin resume` goes on from there, to the same bytes. A scenario that
    names a class (`class: package.module.Class`) runs that code: run only what you trust. Without one it is data.
    """
    checked = _loaded(scenario, sets, policies)
    from twin import run as running
    from twin.readers.terminal import make_view

    folder = out or _free_folder(checked.name)
    try:
        outcome = running.start(checked, folder, reference=reference, oracle=oracle, view=make_view(quiet))
    except KeyboardInterrupt:
        raise _Interrupted(folder) from None
    if outcome.status == "interrupted":
        sys.exit(130)


@cli.command()
@_folder
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def resume(run: Path, quiet: bool) -> None:
    """Go on with the unfinished run in DIR, from its newest checkpoint."""
    from twin import run as running
    from twin.readers.terminal import make_view

    view = make_view(quiet)
    try:
        outcome = running.resume(run, view=view)
    except KeyboardInterrupt:
        raise _Interrupted(run) from None
    if outcome.status == "interrupted":
        sys.exit(130)
    if outcome.status == "finished" and not quiet:
        click.echo(outcome.text)


@cli.command()
@_file
@_sets
@_policies
@click.option("--regularities", is_flag=True, help="Run the scenario (at least 60 days) and compare it with regularities of real "
              "platforms: target, source, twin, within or not.")
def check(scenario: Path, sets: tuple[str, ...], policies: tuple[str, ...], regularities: bool) -> None:
    """Print what a SCENARIO says, in full, without running it.

    Every number with its unit, source and where it was set; the order of clocks within an instant; and an estimate of the run's time
    and memory. All mistakes are listed at once.
    """
    checked = _loaded(scenario, sets, policies)
    if regularities:
        from twin.experiments.regularities import check as compare

        text, good = compare(checked)
        click.echo(text)
        sys.exit(0 if good else 1)
    from twin.describe import describe, policy_lines
    from twin.run import plan

    rows = describe(checked)
    wide, mid = max(len(row.path) for row in rows), min(30, max(len(f"{row.value} {row.unit}") for row in rows))
    if checked.description:
        click.echo(checked.description)
    click.echo(f"{'parameter':{wide}}  {'value':{mid}}  {'set in':18}  source (* may be changed by a policy)")
    for row in rows:
        value = f"{row.value} {row.unit}".strip()
        click.echo(f"{row.path:{wide}}  {value:{mid}}  {row.origin:18}  {row.source}{' *' if row.lever else ''}")
    for line in policy_lines(checked):
        click.echo(line)
    click.echo()
    click.echo(plan(checked))


@cli.command()
@_folder
def report(run: Path) -> None:
    """Write the report of the run in DIR anew, finished or not."""
    from twin.readers.report import write_report

    click.echo(write_report(run))


@cli.command()
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
def schema(scenario: Path | None) -> None:
    """Print the JSON Schema of scenario files, for completion and checks in an editor.

    With a SCENARIO, the mechanisms that it brings itself are in it too.
    """
    import json

    from twin.describe import json_schema

    click.echo(json.dumps(json_schema(_loaded(scenario).registry) if scenario else json_schema(), indent=1))


class _Interrupted(TwinError):
    """Interrupted before the first step."""

    status = 130

    def __init__(self, folder: Path) -> None:
        super().__init__(f"interrupted before the first checkpoint; go on with: twin resume {folder}")


def _loaded(path: Path, sets: tuple[str, ...] = (), policies: tuple[str, ...] = ()) -> Scenario:
    from twin.scenario import load

    return load(path, sets, policies)


def _free_folder(name: str) -> Path:
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in name) or "run"
    return next(path for number in range(1, 10**6) if not (path := Path("runs") / f"{safe}-{number}").exists())


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
        _fail("out of memory (a smaller audience or shorter duration needs less; twin check SCENARIO estimates it)", 1)
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), 1)
    except Exception as error:  # a bug: keep its trace, show one line
        with tempfile.NamedTemporaryFile("w", prefix="twin-trace-", suffix=".txt", delete=False) as file:
            file.write(traceback.format_exc())
        from twin.outside import blame

        if theirs := blame(error):
            _fail(f"{theirs}: {type(error).__name__}: {error} (the trace is in {file.name})", 1)
        _fail(f"a bug in twin: {type(error).__name__}: {error} (please report it with {file.name})", 1)
