"""`twin forecasts make`: run the worlds of registered experiments and write their forecasts.

forecasts/ID.json  what `twin.experiments.forecasts.document` describes
results.parquet    one row per outcome, window and world: experiment, outcome, begin_d, end_d,
                   world, value
report.html        what was forecast, as tables
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from twin.experiments.experiment import Experiment
from twin.experiments.forecasts import document, page, words, worlds
from twin.experiments.forecasts import report as report_page
from twin.experiments.forecasts.catalogue import experiment as registered
from twin.experiments.forecasts.plan import Plan, Size
from twin.experiments.words import without_axes
from twin.ground.errors import UsageError


def plans(experiment: Experiment) -> list[Plan]:
    """The plans of an experiment's folder."""
    args = experiment.manifest["args"]
    size = Size(int(args["worlds"]), bool(args["quick"]))
    return [Plan(registered(id), experiment.scenario, size) for id in args["ids"]]


def resume(experiment: Experiment, on: str | None) -> None:
    """Run the worlds that are left, group by group, and write the forecasts."""
    made = plans(experiment)
    for group in worlds.groups(made):
        listed = {task.result: task for plan in group for task in worlds.tasks(experiment, plan)}
        ids = ", ".join(plan.experiment.id for plan in group)
        experiment.run(list(listed.values()), on, f"runs of {ids}")
        worlds.tidy(experiment, group)
    rows: list[dict[str, Any]] = []
    for plan in made:
        found = worlds.values(experiment, plan)
        rows += [
            {
                "experiment": plan.experiment.id,
                "outcome": id,
                "begin_d": days[0],
                "end_d": days[1],
                "world": world,
                "value": value,
            }
            for (id, days), values in found.items()
            for world, value in enumerate(values.tolist())
        ]
        answers = [
            document.answer(
                each,
                {days: values for (id, days), values in found.items() if id == each.outcome.id},
            )
            for each in plan.answers
        ]
        file = f"forecasts/{plan.experiment.id}.json"
        experiment.store.write(file, document.forecast(plan, answers))
    experiment.table("results.parquet", pa.Table.from_pylist(rows, SCHEMA))
    experiment.finish("done")
    committed(experiment)
    experiment.conclude(words.lines([_read(experiment, plan) for plan in made]), report)


SCHEMA = pa.schema(
    [
        ("experiment", pa.string()),
        ("outcome", pa.string()),
        ("begin_d", pa.float64()),
        ("end_d", pa.float64()),
        ("world", pa.int64()),
        ("value", pa.float64()),
    ]
)


def committed(experiment: Experiment) -> None:
    """Copy the forecasts to the folder of those that count, and write its page. Quick ones never
    get there."""
    args = experiment.manifest["args"]
    # how the folder is used, not which experiment it holds
    into = Path(experiment.manifest.get("into", ""))
    if args["quick"] or not into.name:
        return
    into.mkdir(parents=True, exist_ok=True)
    for id in args["ids"]:
        (into / f"{id}.json").write_bytes(experiment.store.read(f"forecasts/{id}.json"))
    page.write(into)
    experiment.say(f"forecasts: {into} and {into.with_suffix('.md')}")


def other(made: Sequence[Plan], into: Path) -> None:
    """Raise UsageError if a folder holds a forecast of the same experiment that other code, another
    mapping or other worlds made: known before anything runs, as these determine every byte."""
    for plan in made:
        file = into / f"{plan.experiment.id}.json"
        if file.exists():
            head, _ = document.answers(file)
            if any(head[key] != value for key, value in document.facts(plan).items()):
                raise UsageError(
                    f"{file}: holds a forecast by other code, mapping or worlds; what is committed "
                    f"is not changed in silence (give --replace, or another --into)"
                )


def _read(experiment: Experiment, plan: Plan) -> words.Read:
    with experiment.store.local(f"forecasts/{plan.experiment.id}.json") as file:
        return document.answers(file)


def report(experiment: Experiment, **options: str) -> None:
    """Write the report again. Raises UsageError for options, as this report has none."""
    without_axes("forecasts have", options)
    report_page.write(experiment, [_read(experiment, plan) for plan in plans(experiment)])
