"""An audit: which settings that look like engineering push whom, and how hard.

Every step of `engineering` is a branch: from the fork on where the setting is a lever, from the start where it is not. With x_rm and
y_rm the means of outcome m over the last four weeks of replicate r without and with the step, s_m the standard deviation of x_rm
over replicates, and o_m = +1 or -1 for what is good for the side,

    score_r = mean over the side's outcomes m of  o_m (y_rm - x_rm) / s_m
    effect  = mean over r, with a 95 % interval (Student's t)
    force   = sqrt(producer effect^2 + consumer effect^2)

p of a step is that of Hotelling's T^2 of both scores against nothing, q corrects it over the steps (Benjamini-Hochberg). With
``--method morris`` or ``sobol`` levers are turned together: see `twin.experiments.audit.sensitivity`.

    results.parquet  one row per step, strongest first: what is set, effects of both sides with intervals, force, p, q, towards whom
    scores.parquet   the scores of every replicate
    parts.parquet    the effect of every step on every outcome of a score, in its unit and in standard deviations
    report.html      see `twin.experiments.audit.report`
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.experiments import effects, forks
from twin.experiments.audit import scoring, turning
from twin.experiments.audit.engineering import SIDES, STEPS, Step
from twin.experiments.audit.scoring import Score
from twin.experiments.audit.turning import Left, Turn
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch
from twin.experiments.work.tasks import Task, reduced
from twin.ground.errors import UsageError, nearest
from twin.ground.units import DAY
from twin.record.watch import Rows
from twin.world.metric import label_text

WINDOW = 28 * DAY
_ENDS = ("effect", "low", "high")
SCHEMA = pa.schema([("step", pa.string()), ("set", pa.string()), ("fixed", pa.bool_()), ("force", pa.float64()),
                    *((f"{side}_{end}", pa.float64()) for side in SIDES for end in _ENDS),
                    ("n", pa.int64()), ("p", pa.float64()), ("q", pa.float64()), ("towards", pa.string())])
_PART = ("base", "value", "effect", "low", "high", "sd", "p")
PARTS = pa.schema([("step", pa.string()), ("side", pa.string()), ("metric", pa.string()), ("labels", pa.string()), ("unit", pa.string()),
                   ("good", pa.int64()), ("counts", pa.bool_()), *((name, pa.float64()) for name in _PART), ("n", pa.int64())])
SCORES = pa.schema([("step", pa.string()), ("replicate", pa.int64()), *((side, pa.float64()) for side in SIDES)])


@dataclass(frozen=True)
class Force:
    """A step (what is ``set``; ``fixed`` from the start or from the fork) with what it does to both sides."""

    step: str
    set: str
    fixed: bool
    producer: Score
    consumer: Score
    n: int
    p: float
    q: float

    @property
    def size(self) -> float:
        """Length of the vector of both effects."""
        return float(np.hypot(self.producer.effect, self.consumer.effect))

    @property
    def sure(self) -> bool:
        """Whether it is told from noise, many steps considered."""
        return bool(self.q < 1 - effects.LEVEL)

    @property
    def untouched(self) -> bool:
        """Whether no world differs, to the last bit."""
        return all(side.effect == side.low == side.high == 0 for side in (self.producer, self.consumer))

    @property
    def towards(self) -> str:
        """Whom it favours, as far as q and its intervals say."""
        if not self.sure:
            return "nothing at all" if self.untouched else "not told from noise"
        return {(1, 1): "for both", (-1, -1): "against both", (1, -1): "for creators, against consumers",
                (-1, 1): "for consumers, against creators", (1, 0): "for creators", (-1, 0): "against creators", (0, 1): "for consumers",
                (0, -1): "against consumers"}.get((self.producer.sign, self.consumer.sign), "both together differ, neither side alone")


def chosen(names: Sequence[str]) -> list[Step]:
    """Steps whose name contains one of the texts; all if there is none. Raises UsageError."""
    for text in names:
        if not any(text in step.name for step in STEPS):
            raise UsageError(f"--step {text}: no step is called so ({nearest(text, [step.name for step in STEPS])})")
    return [step for step in STEPS if not names or any(text in step.name for text in names)]


def go_on(experiment: Experiment, on: str | None) -> None:
    """Do what is left to do, tell it, write results and report."""
    if experiment.manifest["args"]["method"] != "steps":
        from twin.experiments.audit import sensitivity

        told = sensitivity.go_on(experiment, on)
    else:
        forces, left, runs = run(experiment, on)
        experiment.finish("done", runs=runs, left=[list(each) for each in left])
        told = lines(forces, left, runs)
    experiment.tell(told, report)


def report(experiment: Experiment, **wishes: str) -> None:
    """Write the report anew. Raises UsageError for wishes, as it has none."""
    from twin.experiments.audit import report as audit_report
    from twin.experiments.audit import sensitivity_report

    for name, text in wishes.items():
        raise UsageError(f"--{name} {text}: the map of an audit has the scores of both sides on its axes (leave it out)")
    (audit_report if experiment.manifest["args"]["method"] == "steps" else sensitivity_report).write(experiment)


def based(experiment: Experiment, at: int, numbers: Sequence[int], on: str | None) -> list[Task]:
    """Run the worlds as they are; returns their tasks, without those that failed. Raises UsageError if fewer than two are left."""
    base = forks.tasks(experiment.scenario, at, numbers, [Branch(BASE)])
    experiment.run(base, on, "runs without a step")
    alive = [task for task in base if task.result not in experiment.failed]
    if sum(task.kind == "branch" for task in alive) < 2:
        experiment.finish("failed")
        raise UsageError(f"{experiment.out}: worlds as they are failed, fewer than two are left (their errors are in failed/)")
    return alive


def ids_at_fork(experiment: Experiment, replicate: int) -> dict[str, int]:
    """IDs alive at the fork of a world, by table."""
    return {table: int(experiment.store.read_array(f"runs/{replicate}/trunk.npy.world/table.{table}.alive.npy").sum())
            for table in ("consumers", "creators", "posts")}


def plan(experiment: Experiment, alive: Sequence[Task], steps: Sequence[Step]) -> tuple[list[Turn], list[Left]]:
    """What each step sets; kept in the folder, since a world that failed once and is mended later must not change it."""
    by_name = {step.name: step for step in STEPS}
    if not experiment.store.exists("steps.json"):
        first = int(next(task for task in alive if task.kind == "trunk").result.split("/")[1])
        taken, left = turning.turns(experiment.scenario, ids_at_fork(experiment, first), steps)
        experiment.store.write_json("steps.json", {"taken": [[turn.step.name, turn.change] for turn in taken], "left": left})
    kept = experiment.store.read_json("steps.json")
    return ([Turn(by_name[name], tuple((path, old, new) for path, old, new in change)) for name, change in kept["taken"]],
            [(name, why) for name, why in kept["left"]])


def run(experiment: Experiment, on: str | None) -> tuple[list[Force], list[Left], int]:
    """Do what is left to do and write the tables: forces (strongest first), steps left out with reasons, runs."""
    args, scenario = experiment.manifest["args"], experiment.scenario
    at, numbers = int(args["at_s"]), range(int(args["replicates"]))
    alive = based(experiment, at, numbers, on)
    taken, left = plan(experiment, alive, chosen(args["steps"]))
    ready = turning.ready(experiment, taken, left)
    places = {turn.step.name: place for place, turn in enumerate(taken, 1)}
    worlds = {int(task.result.split("/")[1]) for task in alive if task.kind == "branch"}
    tasks = [task for turn, branch in ready for task in _tasks(experiment, turn, branch, places[turn.step.name], at, sorted(worlds))]
    experiment.run([*alive, *tasks], on, "runs with and without")
    rows = Simulation(scenario).world.board.rows
    x = means(experiment, rows, numbers, lambda r: f"runs/{r}/0.npy")
    forces, parts, scores = [], [], []
    for turn, _ in ready:
        place = places[turn.step.name]
        y = means(experiment, rows, numbers, lambda r, place=place: f"runs/{r}/{place}.npy", turn.step.fixed)
        both = scoring.both(x, y, rows)
        forces.append(_force(turn, both))
        parts += _parts(turn, x, y, rows)
        scores += [{"step": turn.step.name, "replicate": r, **{side: float(both[k, r]) for k, side in enumerate(SIDES)}} for r in numbers]
    q = effects.discoveries(np.array([force.p for force in forces]))
    forces = [Force(**{**vars(force), "q": float(each)}) for force, each in zip(forces, q, strict=True)]
    forces.sort(key=lambda force: (-force.size if np.isfinite(force.size) else 0.0))
    experiment.table("scores.parquet", pa.Table.from_pylist(scores, schema=SCORES))
    experiment.table("parts.parquet", pa.Table.from_pylist(parts, schema=PARTS))
    experiment.table("results.parquet", pa.Table.from_pylist([_row(force) for force in forces], schema=SCHEMA))
    return forces, left, len(numbers) * 2 + len(ready) * len(worlds)


def _tasks(experiment: Experiment, turn: Turn, branch: Branch, place: int, at: int, numbers: Sequence[int]) -> list[Task]:
    duration, warm_up = experiment.scenario.duration, experiment.scenario.warm_up
    if turn.step.fixed:
        return [Task("whole", f"runs/{r}/{place}.npy", {"sets": forks.settings(r, turn.sets)}, weight=warm_up + duration + DAY)
                for r in numbers]
    return [branch_task(f"runs/{r}/{place}.npy", r, f"{branch.file}@{at}s", duration - at) for r in numbers]


def branch_task(result: str, replicate: int, policy: str, seconds: int) -> Task:
    """A branch of a world under a policy."""
    trunk = f"runs/{replicate}/trunk.npy"
    return Task("branch", result, {"sets": forks.settings(replicate), "trunk": trunk, "policies": [policy]}, (trunk,), seconds + DAY)


def means(experiment: Experiment, rows: Rows, numbers: Sequence[int], name: Any, whole: bool = False) -> NDArray[np.float64]:
    """Means over the window (replicates, series) of the results that ``name`` gives; NaN for a replicate that failed."""
    scenario, at = experiment.scenario, int(experiment.manifest["args"]["at_s"])
    made = np.full((len(numbers), len(rows)), np.nan)
    for place, r in enumerate(numbers):
        if not lost(experiment, name(r), r):
            readings = experiment.store.read_array(name(r))
            if not whole:
                readings = np.concatenate([experiment.store.read_array(f"runs/{r}/trunk.npy"), readings])
            made[place] = reduced(readings, scenario.metrics.every, rows, [(max(at, scenario.duration - WINDOW), scenario.duration)])[0]
    return made


def lost(experiment: Experiment, result: str, replicate: int) -> bool:
    """Whether a result is not there, or the world that it is compared with."""
    return not {result, f"runs/{replicate}/0.npy", f"runs/{replicate}/trunk.npy"}.isdisjoint(experiment.failed)


def _force(turn: Turn, both: NDArray[np.float64]) -> Force:
    known = both[:, np.isfinite(both).all(0)]
    producer, consumer = (scoring.score(one) for one in known)
    return Force(turn.step.name, turn.words, turn.step.fixed, producer, consumer, known.shape[1], scoring.hotelling(known), np.nan)


def _parts(turn: Turn, x: NDArray[np.float64], y: NDArray[np.float64], rows: Rows) -> list[dict[str, Any]]:
    found = effects.paired(y, x)
    made = []
    for side in SIDES:
        counted, scale = scoring.counted(x, y, side, rows)
        for (i, sign), counts, sd in zip(scoring.places(side, rows), counted, scale, strict=True):
            metric, labels = rows[i]
            row = {key: float(getattr(found, key)[i]) for key in _PART if key != "sd"}
            made.append({"step": turn.step.name, "side": side, "metric": metric.name, "labels": label_text(labels),
                         "unit": f"{metric.unit}/d" if metric.kind == "counter" else metric.unit, "good": sign, "counts": bool(counts),
                         **row, "sd": row["effect"] / sd if sd > 0 else float("nan"), "n": int(found.n[i])})
    return made


def _row(force: Force) -> dict[str, Any]:
    return {"step": force.step, "set": force.set, "fixed": force.fixed, "force": force.size,
            **{f"{side}_{key}": getattr(getattr(force, side), key) for side in SIDES for key in _ENDS},
            "n": force.n, "p": force.p, "q": force.q, "towards": force.towards}


def read_forces(experiment: Experiment) -> list[Force]:
    """The rows of ``results.parquet``."""
    made = []
    for row in read_table(experiment, "results.parquet").to_pylist():
        sides = {side: Score(*(row[f"{side}_{key}"] for key in _ENDS)) for side in SIDES}
        made.append(Force(row["step"], row["set"], row["fixed"], **sides, n=row["n"], p=row["p"], q=row["q"]))
    return made


def read_table(experiment: Experiment, name: str) -> pa.Table:
    """A table of the experiment."""
    return pq.read_table(io.BytesIO(experiment.store.read(name)))


def lines(forces: Sequence[Force], left: Sequence[Left], runs: int) -> list[str]:
    """What the terminal says."""
    made = ["", f"{'step':34s} {'creators':>24s} {'consumers':>24s}   (standard deviations from run to run, 95 % interval)"]
    for force in forces:
        sides = [f"{each.effect:+7.2f} [{each.low:+6.2f},{each.high:+6.2f}]" for each in (force.producer, force.consumer)]
        made.append(f"{force.step:34s} {sides[0]:>24s} {sides[1]:>24s}   {force.towards}")
    made += [f"left out: {name}: {reason}" for name, reason in left]
    unsure = sum(not force.sure for force in forces)
    return [*made, f"{runs} runs; {unsure} of {len(forces)} steps could not be told from noise", ""]
