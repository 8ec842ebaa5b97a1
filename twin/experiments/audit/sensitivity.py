"""All numeric engineering levers turned together: Morris' elementary effects or Sobol's indices of
both sides' scores.

Which levers there are and how far each is turned: `twin.experiments.audit.levers`; what the indices
are: `twin.experiments.audit.indices`. A run is a branch: a world continues from the fork with all
levers at one point of the design, and is scored by `scoring` against the same world as it is. The
seed draws which world a run is in, so that a difference between two runs holds luck as well. One
further parameter, LUCK, sets nothing at all: a lever whose index is not distinguishable from that
of LUCK (their 95 % intervals overlap) may be luck.

    results.parquet  one row per lever and side
    runs.parquet     every run: world, levers as set, scores
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.experiments.audit import scoring, turning
from twin.experiments.audit.engineering import OUTCOMES
from twin.experiments.audit.indices import INDEX, analysed, schema
from twin.experiments.audit.levers import LUCK, Array, Lever, block, levers, sample
from twin.experiments.audit.worlds import based, branch_task, means, worlds_of
from twin.experiments.experiment import Experiment
from twin.experiments.words import SIDES, WHO
from twin.experiments.work.tasks import Task
from twin.ground.errors import ScenarioError
from twin.scenario.describe import as_file
from twin.scenario.loading import load
from twin.scenario.yamlish import write_text

BLOCKS = {"morris": "trajectories", "sobol": "blocks"}
"""What a design consists of."""


@dataclass(frozen=True)
class Design:
    """Runs of all levers together: ``shares`` of each lever's way (runs, levers and luck), the
    values that these are as text, and in ``world`` (runs,) the replicate of each run."""

    levers: Sequence[Lever]
    shares: Array
    values: Sequence[Sequence[str]]
    world: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shares)


def resume(experiment: Experiment, on: str | None) -> list[str]:
    """Do what is left to do and write results; the lines that report them."""
    args = experiment.manifest["args"]
    method, numbers = str(args["method"]), range(int(args["replicates"]))
    found, left = levers(experiment.scenario, args["steps"], int(args["at_s"]))
    design = _design(experiment, found)
    alive = based(experiment, int(args["at_s"]), numbers, on)
    # before anything runs: a point that the scenario refuses would fail three times as a task
    refused = write_policies(experiment, design)
    tasks = _tasks(experiment, design, refused, worlds_of(alive))
    experiment.run([*alive, *tasks.values()], on, "runs of the design")
    both = _scores(experiment, design, tasks)
    indices = [
        row
        for side, values in zip(OUTCOMES, both, strict=True)
        for row in analysed(found, method, design.shares, values, side, experiment.scenario.seed)
    ]
    experiment.table("runs.parquet", _runs(design, both))
    experiment.table("results.parquet", pa.Table.from_pylist(indices, schema=schema(method)))
    runs = 2 * len(numbers) + len(tasks)
    experiment.finish(
        "done",
        runs=runs,
        left=[list(each) for each in left],
        refused=len(refused),
        blocks=len(design) // block(found, method),
    )
    return lines(indices, method, left, runs)


def _design(experiment: Experiment, found: Sequence[Lever]) -> Design:
    args, seed = experiment.manifest["args"], experiment.scenario.seed
    shares = sample(found, str(args["method"]), int(args["budget"]), seed)
    # the last column is luck, which sets nothing
    values = [
        [each.vary.at(float(share)) for each, share in zip(found, row[:-1], strict=True)]
        for row in shares
    ]
    # from seed and design alone, so that a resume puts each run into the same world
    world = np.random.default_rng([seed, len(shares)]).integers(
        int(args["replicates"]), size=len(shares)
    )
    return Design(found, shares, values, world)


def _tasks(
    experiment: Experiment, design: Design, refused: Mapping[int, str], worlds: set[int]
) -> dict[int, Task]:
    """Tasks by run: those that the scenario takes, in worlds that reached the fork."""
    at = int(experiment.manifest["args"]["at_s"])
    return {
        i: branch_task(
            f"points/{i:05d}.npy",
            int(world),
            f"{_policy(i)}@{at}s",
            experiment.scenario.duration - at,
        )
        for i, world in enumerate(design.world)
        if i not in refused and int(world) in worlds
    }


def _scores(experiment: Experiment, design: Design, tasks: Mapping[int, Task]) -> Array:
    """Scores of both sides (sides, runs); NaN for what did not run."""
    rows = experiment.scenario.series()
    numbers = range(int(experiment.manifest["args"]["replicates"]))
    x = means(experiment, rows, {r: f"runs/{r}/0.npy" for r in numbers})
    y = np.full((len(design), len(rows)), np.nan)
    for i, task in tasks.items():
        y[i] = means(experiment, rows, {int(design.world[i]): task.result})[0]
    return scoring.both(x, y, rows, design.world)


def _runs(design: Design, both: Array) -> pa.Table:
    """The rows of ``runs.parquet``."""
    columns = {
        "run": range(len(design)),
        "world": design.world,
        **{
            each.path: [point[k] for point in design.values] for k, each in enumerate(design.levers)
        },
        **dict(zip(OUTCOMES, both, strict=True)),
    }
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def _policy(run: int) -> str:
    return f"policies/point-{run:05d}.yaml"


def write_policies(experiment: Experiment, design: Design) -> dict[int, str]:
    """Write a policy for every point; numbers of those that the scenario refuses, with the
    reason."""
    refused: dict[int, str] = {}
    with as_file(experiment.scenario) as base:
        # checked beside the scenario first: the folder gets what the scenario takes, and no more
        policy = base.with_name("policy.yaml")
        for i, point in enumerate(design.values):
            values = {
                each.path: turning.plain(value)
                for each, value in zip(design.levers, point, strict=True)
            }
            text = write_text({"name": f"point {i}", "set": values})
            policy.write_text(text, encoding="utf-8")
            try:
                load(base, (), (str(policy),))
            except ScenarioError as error:
                refused[i] = "; ".join(each.reason for each in error.problems)
                continue
            # a resume finds thousands of them already written
            if not experiment.store.exists(_policy(i)):
                experiment.store.write(_policy(i), text.encode())
    return refused


def lines(
    rows: Sequence[dict[str, Any]], method: str, left: Sequence[tuple[str, str]], runs: int
) -> list[str]:
    """What the terminal shows: levers by side, strongest first."""
    index, made = INDEX[method], [""]
    for side in WHO:
        mine = [row for row in rows if row["side"] == side]
        made.append(
            f"{SIDES[side]}: {index} of {mine[0]['n']} {BLOCKS[method]}, with 95 % intervals"
        )
        made += [
            f"  {row['lever']:34s} {row[index]:8.3f} +- {row[f'{index}_conf']:.3f}   "
            f"{_verdict(row)}"
            for row in mine
        ]
    made += [f"left out: {name}: {why}" for name, why in left]
    turned = {row["lever"] for row in rows} - {LUCK}
    moving = {row["lever"] for row in rows if row["distinguishable"]}
    return [
        *made,
        f"{runs} runs; {len(turned - moving)} of {len(turned)} levers are not distinguishable from "
        f"luck on either side",
        "",
    ]


def _verdict(row: Mapping[str, Any]) -> str:
    if row["lever"] == LUCK:
        return ""
    return f"{'' if row['distinguishable'] else 'not '}distinguishable from luck"
