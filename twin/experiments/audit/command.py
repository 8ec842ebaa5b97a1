"""An audit: which settings that look like engineering push whom, and how hard.

Every step of `engineering` is a branch: from the fork on where the setting is a lever, from the
start where it is not. With x_rm and y_rm the means of outcome m over the last four weeks of
replicate r without and with the step, s_m the standard deviation of x_rm over replicates, and o_m =
+1 or -1 for what is good for the side,

    score_r = mean over the side's outcomes m of  o_m (y_rm - x_rm) / s_m
    effect  = mean over r, with a 95 % interval (Student's t)
    force   = sqrt(producer effect^2 + consumer effect^2)

p of a step is that of Hotelling's T^2 of both scores against nothing, q corrects it over the steps
(Benjamini-Hochberg). With ``--method morris`` or ``sobol`` levers are turned together: see
`twin.experiments.audit.sensitivity`.

    results.parquet  one row per step, strongest first: what is set, effects of both sides with
                     intervals, force, p, q, towards whom
    scores.parquet   the scores of every replicate
    parts.parquet    the effect of every step on every outcome of a score, in its unit and in
                     standard deviations
    report.html      see `twin.experiments.audit.report`
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.experiments import effects, forks
from twin.experiments.audit import report as audit_report
from twin.experiments.audit import scoring, sensitivity, sensitivity_report, turning
from twin.experiments.audit.engineering import OUTCOMES, STEPS, Step, chosen
from twin.experiments.audit.forces import SCHEMA, Force, as_row
from twin.experiments.audit.turning import Left, Turn
from twin.experiments.audit.worlds import based, branch_task, ids_at_fork, means, worlds_of
from twin.experiments.experiment import Experiment
from twin.experiments.forks import Branch
from twin.experiments.words import daily_unit
from twin.experiments.work.tasks import Task
from twin.ground.errors import UsageError
from twin.ground.units import DAY
from twin.record.watch import Rows
from twin.world.metric import label_text

PART_NUMBERS = ("base", "value", "effect", "low", "high", "sd", "p")
PARTS = pa.schema(
    [
        ("step", pa.string()),
        ("side", pa.string()),
        ("metric", pa.string()),
        ("labels", pa.string()),
        ("unit", pa.string()),
        ("good", pa.int64()),
        ("counts", pa.bool_()),
        *((name, pa.float64()) for name in PART_NUMBERS),
        ("n", pa.int64()),
    ]
)
SCORES = pa.schema(
    [("step", pa.string()), ("replicate", pa.int64()), *((side, pa.float64()) for side in OUTCOMES)]
)


def resume(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, print the results, write tables and report."""
    if experiment.manifest["args"]["method"] != "steps":
        said = sensitivity.resume(experiment, on)
    else:
        forces, left, runs = run(experiment, on)
        experiment.finish("done", runs=runs, left=[list(each) for each in left])
        said = lines(forces, left, runs)
    experiment.conclude(said, report)


def report(experiment: Experiment, **axes: str) -> None:
    """Write the report again. Raises UsageError for axes: the map of an audit has none to
    choose."""
    for name, text in axes.items():
        raise UsageError(
            f"--{name} {text}: the map of an audit has the scores of both sides on its axes (leave "
            f"it out)"
        )
    steps = experiment.manifest["args"]["method"] == "steps"
    (audit_report if steps else sensitivity_report).write(experiment)


def plan(
    experiment: Experiment, alive: Sequence[Task], steps: Sequence[Step]
) -> tuple[list[Turn], list[Left]]:
    """What each step sets. It is kept in the folder: the IDs alive at the fork are those of the
    first world that lived, and a world that is repaired later must not change them."""
    by_name = {step.name: step for step in STEPS}
    if not experiment.store.exists("steps.json"):
        first = int(next(task for task in alive if task.kind == "trunk").result.split("/")[1])
        ids, at = ids_at_fork(experiment, first), int(experiment.manifest["args"]["at_s"])
        taken, left = turning.turns(experiment.scenario, ids, steps, at)
        experiment.store.write_json(
            "steps.json", {"taken": [[turn.step.name, turn.change] for turn in taken], "left": left}
        )
    kept = experiment.store.read_json("steps.json")
    return (
        [
            Turn(by_name[name], tuple((path, old, new) for path, old, new in change))
            for name, change in kept["taken"]
        ],
        [(name, why) for name, why in kept["left"]],
    )


def run(experiment: Experiment, on: str | None) -> tuple[list[Force], list[Left], int]:
    """Do what is left to do and write the tables: forces (strongest first), steps left out with
    reasons, runs."""
    args, scenario = experiment.manifest["args"], experiment.scenario
    at, numbers = int(args["at_s"]), range(int(args["replicates"]))
    # worlds as they are come first: IDs are counted in them, and steps compared with them
    alive = based(experiment, at, numbers, on)
    taken, left = plan(experiment, alive, chosen(args["steps"]))
    ready = turning.ready(experiment, taken, left)
    # numbers of all steps taken, ready or not: a resume finds the same results; 0 is no step
    places = {turn.step.name: place for place, turn in enumerate(taken, 1)}
    worlds = worlds_of(alive)
    # sorted, since a set has no order, and tasks run in the order given
    tasks = [
        task
        for turn, branch in ready
        for task in _tasks(experiment, turn, branch, places[turn.step.name], at, sorted(worlds))
    ]
    # with those that are done already: branches need their trunks in the list
    experiment.run([*alive, *tasks], on, "runs with and without")
    rows = scenario.series()
    x = means(experiment, rows, {r: f"runs/{r}/0.npy" for r in numbers})
    forces, parts, scores = [], [], []
    for turn, _ in ready:
        results = {r: f"runs/{r}/{places[turn.step.name]}.npy" for r in numbers}
        y = means(experiment, rows, results, turn.step.fixed)
        both = scoring.both(x, y, rows)
        forces.append(_force(turn, both))
        parts += _parts(turn, x, y, rows)
        scores += [
            {
                "step": turn.step.name,
                "replicate": r,
                **{side: float(both[k, r]) for k, side in enumerate(OUTCOMES)},
            }
            for r in numbers
        ]
    # q needs the p of all steps, so forces get theirs afterwards
    q = effects.discoveries(np.array([force.p for force in forces]))
    forces = [
        Force(**{**vars(force), "q": float(each)}) for force, each in zip(forces, q, strict=True)
    ]
    # steps without a force go last: all others are below zero here
    forces.sort(key=lambda force: -force.size if np.isfinite(force.size) else 0.0)
    experiment.table("scores.parquet", pa.Table.from_pylist(scores, schema=SCORES))
    experiment.table("parts.parquet", pa.Table.from_pylist(parts, schema=PARTS))
    experiment.table(
        "results.parquet", pa.Table.from_pylist([as_row(force) for force in forces], schema=SCHEMA)
    )
    # a trunk and a branch as it is for each world, then one run for each step and world
    return forces, left, len(numbers) * 2 + len(ready) * len(worlds)


def _tasks(
    experiment: Experiment, turn: Turn, branch: Branch, place: int, at: int, numbers: Sequence[int]
) -> list[Task]:
    duration, warm_up = experiment.scenario.duration, experiment.scenario.warm_up
    # what is fixed for a run cannot change at a fork, so the world runs again from its start
    if turn.step.fixed:
        return [
            Task(
                "whole",
                f"runs/{r}/{place}.npy",
                {"sets": forks.settings(r, turn.sets)},
                weight=warm_up + duration + DAY,
            )
            for r in numbers
        ]
    return [
        branch_task(f"runs/{r}/{place}.npy", r, f"{branch.file}@{at}s", duration - at)
        for r in numbers
    ]


def _force(turn: Turn, both: NDArray[np.float64]) -> Force:
    # worlds in which both scores are known: the test is of both together
    known = both[:, np.isfinite(both).all(0)]
    producer, consumer = (scoring.score(one) for one in known)
    return Force(
        step=turn.step.name,
        set=turn.words,
        fixed=turn.step.fixed,
        producer=producer,
        consumer=consumer,
        n=known.shape[1],
        p=scoring.hotelling(known),
        q=np.nan,
    )


def _parts(
    turn: Turn, x: NDArray[np.float64], y: NDArray[np.float64], rows: Rows
) -> list[dict[str, Any]]:
    found = effects.paired(y, x)
    made = []
    for side in OUTCOMES:
        counted, scale = scoring.counted(x, y, side, rows)
        for (i, sign), counts, sd in zip(scoring.places(side, rows), counted, scale, strict=True):
            metric, labels = rows[i]
            row = {key: float(getattr(found, key)[i]) for key in PART_NUMBERS if key != "sd"}
            made.append(
                {
                    "step": turn.step.name,
                    "side": side,
                    "metric": metric.name,
                    "labels": label_text(labels),
                    "unit": daily_unit(metric),
                    "good": sign,
                    "counts": bool(counts),
                    **row,
                    "sd": row["effect"] / sd if sd > 0 else float("nan"),
                    "n": int(found.n[i]),
                }
            )
    return made


def lines(forces: Sequence[Force], left: Sequence[Left], runs: int) -> list[str]:
    """What the terminal shows."""
    made = [
        "",
        f"{'step':34s} {'creators':>24s} {'consumers':>24s}   (standard deviations from run to run, "
        f"95 % interval)",
    ]
    for force in forces:
        sides = [
            f"{each.effect:+7.2f} [{each.low:+6.2f},{each.high:+6.2f}]"
            for each in (force.producer, force.consumer)
        ]
        made.append(f"{force.step:34s} {sides[0]:>24s} {sides[1]:>24s}   {force.towards}")
    made += [f"left out: {name}: {reason}" for name, reason in left]
    counts = Counter(force.standing for force in forces)
    found = ", ".join(f"{counts[one]} {one}" for one in effects.STANDINGS)
    return [*made, f"{runs} runs; of {len(forces)} steps: {found}", ""]
