"""The reference pages of docs/, from the declarations alone: ``python -m tests.reference``.

The pages are committed, so that they can be read and searched without a build; a test makes them
again and compares.
"""

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from tests.conftest import ROOT
from twin.cli import COMMANDS, cli
from twin.ground.errors import STATUSES
from twin.ground.units import format_duration, format_rate
from twin.mechanisms import REGISTRY
from twin.mechanisms.policies import Policy
from twin.ranking.remote import HttpParams
from twin.readers.panels import title
from twin.scenario.checking import Head, MetricsParams
from twin.world.arms import ARMS, declared
from twin.world.columns import Column
from twin.world.mechanism import PHASES
from twin.world.metric import Metric
from twin.world.params import Params, leaves, meta
from twin.world.protocol import protocol

FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `python -m tests.reference`; a test compares. Change the declarations. -->"
KINDS = sorted(REGISTRY.items(), key=lambda item: (item[1].order, item[0]))
"""Mechanisms in the order in which they act."""


def cell(text: object) -> str:
    """Text for a cell of a table: on one line, and no character that ends the cell or begins
    HTML."""
    return addresses(" ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;"))


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    names = list(heads)
    lines = [names, ["---"] * len(names), *([cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def plain(text: str) -> str:
    """A docstring as a paragraph: no HTML, no indentation."""
    return addresses(" ".join(text.split()).replace("``", "`").replace("<", "&lt;"))


def addresses(text: str) -> str:
    """Bare addresses as code: most are placeholders, and none should become a link."""
    return re.sub(r"(?<![`(\w])(https?://[^\s,;)`]*[\w/])", r"`\1`", text)


def written(value: Any, info: FieldInfo) -> str:
    """A value as YAML takes it: durations and rates with their unit."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    kinds = str(info.metadata)
    if "_internal_duration" in kinds:
        return format_duration(int(value))
    if "_internal_rate" in kinds:
        return format_rate(float(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(written(each, info) for each in value)}]"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"
    return str(value) if value != "" else "empty"


def allowed(info: FieldInfo) -> str:
    """What may be given: choices, or bounds as in ``0 .. 1``."""
    choices = [
        str(choice)
        for kind in (info.annotation, *get_args(info.annotation))
        if str(get_origin(kind)) == "typing.Literal"
        for choice in get_args(kind)
    ]
    if choices:
        return ", ".join(dict.fromkeys(choices))
    if info.annotation is bool:
        return "true, false"
    low = next((each.ge for each in info.metadata if hasattr(each, "ge")), None)
    high = next((each.le for each in info.metadata if hasattr(each, "le")), None)
    if low is None and high is None:
        return ""
    ends = ["" if end is None else written(end, info) for end in (low, high)]
    return (
        f"{ends[0]} .. {ends[1]}".strip()
        if all(ends)
        else (f"at least {ends[0]}" if ends[0] else f"at most {ends[1]}")
    )


def parameters_of(model: type[Params], prefix: str) -> Iterator[tuple[str, ...]]:
    """Rows of a table of parameters. A group's defaults are those of the set that holds it."""
    defaults = model.model_construct(
        **{
            name: info.get_default(call_default_factory=True)
            for name, info in model.model_fields.items()
        }
    )
    for path, info in leaves(model):
        value: Any = defaults
        for part in path.split("."):
            value = getattr(value, part)
        about = meta(info)
        unit = about["unit"] if about["unit"] not in ("1", "s") else ""
        marks = ("yes" if about["lever"] else "") + (
            f", per {about['per']}" if about["per"] else ""
        )
        yield (
            f"`{prefix}{path}`",
            written(value, info),
            allowed(info),
            unit,
            marks,
            info.description or "",
            about["source"],
        )


def parameters() -> str:
    """Every parameter of every mechanism, and of the top level of a scenario."""
    heads = ("parameter", "default", "range", "unit", "lever", "meaning", "source")
    head = list(parameters_of(Head, ""))
    head += list(parameters_of(MetricsParams, "metrics."))
    parts = [
        f"{NOTE}\n# Parameters\n",
        "Paths are as in YAML below `mechanisms:` and as `--set` takes them. A **lever** may be "
        "changed by a policy during a run; one *per consumers* or *per creators* also for a share "
        "of them. An empty unit is a pure number, or a duration or rate that carries its unit. "
        "Sources are a paper, a data set, or the word assumption. `twin check SCENARIO` prints "
        "the values in effect.\n",
        "## The scenario itself\n",
        table(heads, head),
        "## A policy\n",
        "Keys of an entry of `policies:`, and of a policy file.\n",
        table(heads, parameters_of(Policy, "")),
    ]
    for name, kind in KINDS:
        rows = list(parameters_of(kind.Params, f"{name}."))
        if rows and name != "policies":
            parts += [f"## {name}\n", plain(kind.__doc__ or "") + "\n", table(heads, rows)]
        if name == "recommender":
            parts += [
                "## recommender.ranker\n",
                "A ranker behind HTTP. With `class: package.module.Class` in place of `url` the ranker is "
                "a class of your own, which declares its parameters; see [Own "
                "ranker](../how-to/ranker.md). With either, `recommender.ranking` has the value `own` too, "
                "and stands there unless the scenario says otherwise.\n",
                table(heads, parameters_of(HttpParams, "recommender.ranker.")),
            ]
    return "\n".join(parts)


def metrics() -> str:
    """Every metric that is declared."""
    parts = [
        f"{NOTE}\n# Metrics\n",
        "A counter is a running total since the start; a gauge is a value now; a histogram counts "
        "per bin. In Prometheus each is called `twin_NAME` (a counter ends in `_total`). Metrics "
        "in **bold** are headlines: the terminal, the report's cards and the tables of "
        "experiments begin with them.\n",
    ]
    for name, kind in KINDS:
        if kind.metrics:
            parts += [f"## {name}\n", metrics_of(kind.metrics)]
        if kind.reads_arms:
            derived = [one for one in declared([other for _, other in KINDS]) if one.trial]
            parts += [
                f"## {name}: readings by arm\n",
                "Of policies for a share, from what the metrics above declare. Label `arm`: "
                + ", ".join(f"`{arm}`" for arm in ARMS)
                + ". The number is that of the policy among those for a share of the same table, "
                "in the order of the plan; `alone`: no other of them holds for these people; "
                "`within-2`: the second does too. Of several labels `arm` is the last.\n",
                metrics_of(derived),
            ]
    return "\n".join(parts)


def labels_of(metric: Metric) -> str:
    """Labels and their values; arms have a list of their own."""
    return "; ".join(
        label if values == ARMS else f"{label}: {', '.join(values)}"
        for label, values in metric.labels.items()
    )


def metrics_of(metrics: Iterable[Metric]) -> str:
    """A table of metrics."""
    return table(
        ("metric", "called", "kind", "unit", "labels", "side", "better", "meaning"),
        (
            (
                f"**`{each.name}`**" if each.headline else f"`{each.name}`",
                title(each),
                each.kind,
                each.unit,
                labels_of(each),
                each.side,
                {"up": "more", "down": "less", "neither": ""}[each.good],
                each.help,
            )
            for each in metrics
        ),
    )


def state() -> str:
    """Tables and their columns, services, and the phases of an instant."""
    parts = [
        f"{NOTE}\n# State\n",
        "What mechanisms share. Every column belongs to the mechanism under which it is listed: "
        "only that one may write it, all others read it with `self.read(table, column)`. "
        "**Hidden** columns are refused to what stands for the platform's own software.\n",
        "## Phases of an instant\n",
        "Clocks that tick at the same second go in this order: "
        + ", ".join(f"`{phase}`" for phase in PHASES)
        + ".\n",
    ]
    for name, kind in KINDS:
        rows = [
            (
                f"`{table_name}.{column.name}`",
                column.dtype,
                column.unit,
                "hidden" if column.hidden else "",
                column.help,
            )
            for table_name, columns in kind.columns.items()
            for column in columns
        ]
        services = [
            f"{verb} {', '.join(f'`{each}`' for each in offered)}"
            for verb, offered in (("Provides", kind.provides), ("Needs", kind.needs))
            if offered
        ]
        if rows or services:
            parts.append(f"## {name}\n")
        if services:
            parts.append(f"{'. '.join(services)}.\n")
        if rows:
            parts.append(table(("column", "type", "unit", "", "meaning"), rows))
    return "\n".join(parts)


def stand_ins() -> str:
    """What a class must bring that stands in for a mechanism."""
    kinds = [kind for _, kind in KINDS]
    parts = [
        f"{NOTE}\n# Stand-ins\n",
        "What a class must bring that stands in for a mechanism "
        "([Own models](../how-to/own-models.md)): its `name`, its `order`, and what other "
        "mechanisms use of it. A class that derives from it has all of that.\n",
    ]
    for name, kind in KINDS:
        if kind.replaced_by == "none":
            parts += [f"## {name}\n", f"No class can stand in for it: write {kind.instead}.\n"]
            continue
        derives = f", and derives from `{kind.__module__}.{kind.__name__}`"
        derives = derives if kind.replaced_by == "derived" else ""
        parts += [f"## {name}\n", f"A class has `order = {kind.order}`{derives}.\n"]
        asked = protocol(kind, kinds)
        rows = [
            (f"column `{table_name}.{each}`", _typed(used.what), ", ".join(used.by), used.what.help)
            for (table_name, each), used in asked.columns.items()
        ]
        rows += [
            (f"service `{each}`", "", ", ".join(used.by), used.what)
            for each, used in asked.services.items()
        ]
        rows += [
            (f"lever `{each}`", "", ", ".join(used.by), used.what.description)
            for each, used in asked.levers.items()
        ]
        rows += [
            (f"metric `{each}`", used.what.kind, ", ".join(used.by), used.what.help)
            for each, used in asked.metrics.items()
        ]
        parts.append(
            table(("what", "type", "used by", "meaning"), rows)
            if rows
            else "Nobody uses anything of it.\n"
        )
    return "\n".join(parts)


def _typed(column: Column) -> str:
    """Type, shape, bounds, and whether it is hidden."""
    within = "" if math.isinf(column.within[0]) else f", {column.within[0]} .. {column.within[1]}"
    shape = f" {column.shape}" if column.shape else ""
    return f"{column.dtype}{shape}{within}{', hidden' if column.hidden else ''}"


def option_row(option: click.Parameter) -> tuple[str, str]:
    """Names with what they take, and help with the default."""
    if isinstance(option, click.Argument):
        return f"`{option.make_metavar(click.Context(cli))}`", "argument"
    assert isinstance(option, click.Option)
    takes = "" if option.is_flag else f" {option.make_metavar(click.Context(cli))}"
    help_ = option.help or ""
    if option.multiple and "many times" not in help_:
        help_ += " May be given many times."
    return f"`{', '.join(option.opts)}{takes}`", help_


def command_part(name: str, command: click.Command, level: str = "##") -> Iterator[str]:
    """A command: what it does, how it is called, its options; and its own commands."""
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    words = (command.help or "").replace("\b", "").strip().split("\n\n")
    yield f"{level} {name}\n"
    yield f"`{name} {usage}`\n"
    yield from (f"{plain(each)}\n" for each in words)
    rows = [option_row(each) for each in command.params]
    if rows:
        yield table(("option", "meaning"), rows)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from command_part(f"{name} {inner}", found, level + "#")


def commands() -> str:
    """Every command with its arguments and options."""
    context = click.Context(cli, info_name="twin")
    parts = [
        f"{NOTE}\n# Commands\n",
        "Every command answers `--help`.\n",
        table(
            ("command", "what it does"),
            ((f"[`twin {n}`](#twin-{n})", w) for n, (_, w) in COMMANDS.items()),
        ),
    ]
    for name in COMMANDS:
        found = cli.get_command(context, name)
        assert found is not None
        parts += command_part(f"twin {name}", found)
    parts += [
        "## Exit statuses\n",
        table(("status", "meaning"), ((f"`{n}`", words) for n, words in STATUSES.items())),
        "Errors go to standard error, one line each: where, why and the mend. With `--json` each is "
        "one line of JSON: `status`, `reason` and, for a scenario, `file`, `line`, `path`, "
        "`mend`.\n",
    ]
    return "\n".join(parts)


def pages() -> dict[Path, str]:
    """Text of every page by its file."""
    made = {
        "parameters": parameters,
        "metrics": metrics,
        "state": state,
        "stand-ins": stand_ins,
        "commands": commands,
    }
    return {FOLDER / f"{name}.md": f"{make().rstrip()}\n" for name, make in made.items()}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
