"""An audit: which settings that look like engineering push whom, and how hard.

Every step of `engineering` is a branch: from the fork on where the setting is a lever, from the start where it is not. With x_rm and
y_rm the means of outcome m over the last four weeks of replicate r without and with the step, s_m the standard deviation of x_rm
over replicates, and o_m = +1 or -1 for what is good for the side,

    score_r = mean over the side's outcomes m of  o_m (y_rm - x_rm) / s_m
    effect  = mean over r, with a 95 % interval (Student's t)
    force   = sqrt(producer effect^2 + consumer effect^2)

p of a step is that of Hotelling's T^2 of both scores against nothing, q corrects it over the steps (Benjamini-Hochberg).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from twin.describe import describe
from twin.errors import ScenarioError
from twin.experiments import effects, forks
from twin.experiments.engineering import SIDES, STEPS, Step
from twin.experiments.experiment import Experiment
from twin.experiments.forks import BASE, Branch
from twin.experiments.tasks import Task
from twin.metric import label_text
from twin.readers.watch import Rows
from twin.scenario import Scenario, load
from twin.units import DAY
from twin.yamlish import write_text

WINDOW = 28 * DAY
_FACTOR, _IDS = re.compile(r"^x(\d*\.?\d+)$"), re.compile(r"^ids/(\d+)$")
_NUMBER = re.compile(r"^(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)([a-z/]*)$")


@dataclass(frozen=True)
class Turn:
    """A step as this scenario can take it: settings before and after, as text."""

    step: Step
    change: tuple[tuple[str, str, str], ...]

    @property
    def words(self) -> str:
        """What is set, from what to what."""
        return ", ".join(f"{path} {old} -> {new}" for path, old, new in self.change)


@dataclass(frozen=True)
class Score:
    """What one step does to one side: effect and interval in standard deviations, and its replicates."""

    effect: float
    low: float
    high: float
    each: tuple[float, ...]


@dataclass(frozen=True)
class Force:
    """A step with what it does to both sides."""

    turn: Turn
    producer: Score
    consumer: Score
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
    def towards(self) -> str:
        """Whom it favours, as far as its intervals say."""
        signs = [0 if each.low <= 0 <= each.high else 1 if each.effect > 0 else -1 for each in (self.producer, self.consumer)]
        return {(1, 1): "for both", (-1, -1): "against both", (1, -1): "for creators, against consumers",
                (-1, 1): "for consumers, against creators", (1, 0): "for creators", (-1, 0): "against creators", (0, 1): "for consumers",
                (0, -1): "against consumers"}.get((signs[0], signs[1]), "not told from noise")


def turns(scenario: Scenario, ids: dict[str, int], steps: Sequence[Step] = STEPS) -> tuple[list[Turn], list[tuple[str, str]]]:
    """Steps as this scenario can take them, and names of those that it cannot, each with the reason.

    ``ids`` are IDs alive at the fork by table.
    """
    rows = {row.path: row for row in describe(scenario)}
    made, left = [], []
    for step in steps:
        missing = [path for path in step.set if path not in rows]
        if missing:
            left.append((step.name, f"no {missing[0]} here"))
            continue
        change = []
        for path, wanted in step.set.items():
            old = str(rows[path].value)
            new = _turned(old, wanted, ids.get(_entity(path), 0))
            if new is None:
                left.append((step.name, f"{path} is {old}, which has no such multiple"))
                break
            if new != old:
                change.append((path, old, new))
        else:
            if change:
                made.append(Turn(step, tuple(change)))
            else:
                left.append((step.name, "is so already"))
    return made, left


def _entity(path: str) -> str:
    part = path.split(".tables.")[-1].split(".")[0]
    return f"{part}s" if ".tables." in path else ""


def _turned(old: str, wanted: Any, ids: int) -> str | None:
    """A new value as text; None where it cannot be made."""
    if isinstance(wanted, str) and (match := _IDS.match(wanted)):
        return str(2 ** max(4, int(np.log2(max(2, ids // int(match[1]))))))
    if not isinstance(wanted, str) or not (match := _FACTOR.match(wanted)):
        return str(wanted)
    number = _NUMBER.match(old)
    if number is None or float(number[1]) == 0:
        return None
    value = float(number[1]) * float(match[1])
    whole = "." not in number[1] and "e" not in number[1].lower()
    if whole and not number[2]:
        return str(max(1, round(value)))
    if number[2] in ("h", "d", "w") and value != round(value):
        return f"{round(value * {'h': 60, 'd': 1440, 'w': 10080}[number[2]])}min"
    return f"{value:g}{number[2]}"


def run(experiment: Experiment, at: int, replicates: int, on: str | None, steps: Sequence[Step] = STEPS
        ) -> tuple[list[Force], list[tuple[str, str]], list[dict[str, Any]], int]:
    """Do what is left to do: forces (strongest first), steps left out with reasons, effects on every part of both scores, runs."""
    scenario, numbers = experiment.scenario, range(replicates)
    base = forks.tasks(scenario, at, numbers, [Branch(BASE)])
    experiment.run(base, on, "runs without a step")
    ids = {table: int(experiment.store.read_array(f"runs/0/trunk.npy.world/table.{table}.alive.npy").sum())
           for table in ("consumers", "creators", "posts")}
    taken, left = turns(scenario, ids, steps)
    ready: list[tuple[Turn, Branch]] = []
    for place, turn in enumerate(taken, 1):
        try:
            ready.append((turn, _branch(experiment, turn, place)))
        except ScenarioError as error:
            left.append((turn.step.name, "; ".join(each.reason for each in error.problems)))
    tasks = [task for place, (turn, branch) in enumerate(ready, 1) for task in _tasks(experiment, turn, branch, place, at, numbers)]
    experiment.run([*base, *tasks], on)
    rows, window = _rows(scenario), (max(at, scenario.duration - WINDOW), scenario.duration)
    x = _means(experiment, scenario, numbers, 0, window, False)
    forces, parts = [], []
    for place, (turn, _) in enumerate(ready, 1):
        y = _means(experiment, scenario, numbers, place, window, turn.step.fixed)
        forces.append(_force(turn, x, y, rows))
        parts += _parts(turn, x, y, rows)
    q = effects.discoveries(np.array([force.p for force in forces]))
    forces = [Force(force.turn, force.producer, force.consumer, force.p, float(each)) for force, each in zip(forces, q, strict=True)]
    forces.sort(key=lambda force: -force.size if np.isfinite(force.size) else 0.0)
    experiment.table("results.parquet", pa.Table.from_pylist([_row(force) for force in forces]))
    experiment.table("parts.parquet", pa.Table.from_pylist(parts))
    return forces, left, parts, len(base) + len(tasks)


def _branch(experiment: Experiment, turn: Turn, place: int) -> Branch:
    """The step's policy file, or nothing for one that holds from the start; checked. Raises ScenarioError."""
    with experiment.store.local("scenario.yaml") as base:
        if turn.step.fixed:
            load(base, _sets(turn))
            return Branch(turn.step.name)
        name = f"policies/step-{place:02d}.yaml"
        values = {path: _plain(new) for path, _, new in turn.change}
        experiment.store.write(name, write_text({"name": turn.step.name, "set": values}).encode())
        with experiment.store.local(name) as laid:
            load(base, (), (str(laid),))
    return Branch(turn.step.name, name)


def _plain(text: str) -> Any:
    """A value as YAML has it."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"True": True, "False": False}.get(text, text)


def _sets(turn: Turn) -> tuple[str, ...]:
    return tuple(f"{path}={new}" for path, _, new in turn.change)


def _tasks(experiment: Experiment, turn: Turn, branch: Branch, place: int, at: int, numbers: Sequence[int]) -> list[Task]:
    scenario = experiment.scenario
    if turn.step.fixed:
        return [Task("whole", f"runs/{r}/{place}.npy", {"sets": forks.settings(r, _sets(turn))}, weight=scenario.duration + DAY)
                for r in numbers]
    made = []
    for r in numbers:
        trunk = f"runs/{r}/trunk.npy"
        args = {"sets": forks.settings(r), "trunk": trunk, "policies": [f"{branch.file}@{at}s"]}
        made.append(Task("branch", f"runs/{r}/{place}.npy", args, (trunk,), scenario.duration - at + DAY))
    return made


def _rows(scenario: Scenario) -> Rows:
    from twin.engine import Simulation

    return Simulation(scenario).world.board.rows


def _means(experiment: Experiment, scenario: Scenario, numbers: Sequence[int], place: int, window: tuple[int, int], fixed: bool
           ) -> NDArray[np.float64]:
    """Means over the window (replicates, series); NaN for a replicate that failed."""
    from twin.experiments.tasks import reduced

    rows = _rows(scenario)
    made = np.full((len(numbers), len(rows)), np.nan)
    for r in numbers:
        name = f"runs/{r}/{place}.npy"
        if name not in experiment.failed:
            readings = experiment.store.read_array(name)
            if not fixed:
                readings = np.concatenate([experiment.store.read_array(f"runs/{r}/trunk.npy"), readings])
            made[r] = reduced(readings, scenario.metrics.every, rows, [window])[0]
    return made


def _places(side: str, rows: Rows) -> list[tuple[int, int]]:
    """Places of a side's outcomes and their direction; what a scenario does not have is left out."""
    index = {(metric.name, label_text(labels)): i for i, (metric, labels) in enumerate(rows)}
    return [(index[name, labels], sign) for name, labels, sign in SIDES[side] if (name, labels) in index]


def scores(x: NDArray[np.float64], y: NDArray[np.float64], side: str, rows: Rows) -> NDArray[np.float64]:
    """Scores of a side (replicates,). Outcomes that never vary from run to run have no scale and do not count."""
    places = _places(side, rows)
    at, sign = np.array([i for i, _ in places]), np.array([s for _, s in places], float)
    scale = np.nanstd(x[:, at], 0, ddof=1)
    d = sign * (y[:, at] - x[:, at]) / np.where(scale > 0, scale, np.nan)
    return np.asarray(np.nanmean(d, 1))


def _force(turn: Turn, x: NDArray[np.float64], y: NDArray[np.float64], rows: Rows) -> Force:
    both = np.array([scores(x, y, side, rows) for side in SIDES])
    known = both[:, np.isfinite(both).all(0)]
    sides = []
    for one in known:
        paired = effects.paired(one[:, None], np.zeros((len(one), 1)))
        sides.append(Score(float(paired.effect[0]), float(paired.low[0]), float(paired.high[0]), tuple(one.tolist())))
    return Force(turn, sides[0], sides[1], hotelling(known), np.nan)


def hotelling(scores: NDArray[np.float64]) -> float:
    """p of Hotelling's T^2 that the mean of (variables, n) is zero; 1 where all is exactly zero; NaN where n is too small."""
    variables, n = scores.shape
    if n <= variables:
        return float("nan")
    if not scores.any():
        return 1.0
    covariance, mean = np.cov(scores), scores.mean(1)
    if np.linalg.matrix_rank(covariance) < variables:
        return float("nan")
    t2 = n * mean @ np.linalg.solve(covariance, mean)
    return float(stats.f.sf(t2 * (n - variables) / (variables * (n - 1)), variables, n - variables))


def _parts(turn: Turn, x: NDArray[np.float64], y: NDArray[np.float64], rows: Rows) -> list[dict[str, Any]]:
    found = effects.paired(y, x)
    made = []
    for side in SIDES:
        for i, sign in _places(side, rows):
            metric, labels = rows[i]
            made.append({"step": turn.step.name, "side": side, "metric": metric.name, "labels": label_text(labels), "good": sign,
                         **{key: float(getattr(found, key)[i]) for key in ("base", "value", "effect", "low", "high", "size", "p")},
                         "n": int(found.n[i])})
    return made


def _row(force: Force) -> dict[str, Any]:
    return {"step": force.turn.step.name, "set": force.turn.words, "fixed": force.turn.step.fixed, "force": force.size,
            **{f"{side}_{key}": getattr(getattr(force, side), key) for side in SIDES for key in ("effect", "low", "high")},
            "n": len(force.producer.each), "p": force.p, "q": force.q, "towards": force.towards}


def lines(forces: Sequence[Force], left: Sequence[tuple[str, str]], runs: int) -> list[str]:
    """What the terminal says."""
    made = [f"{'step':34s} {'creators':>24s} {'consumers':>24s}   (standard deviations from run to run, 95 % interval)"]
    for force in forces:
        sides = [f"{each.effect:+7.2f} [{each.low:+6.2f},{each.high:+6.2f}]" for each in (force.producer, force.consumer)]
        words = force.towards if force.sure else "not told from noise"
        made.append(f"{force.turn.step.name:34s} {sides[0]:>24s} {sides[1]:>24s}   {words}")
    made += [f"left out: {name}: {reason}" for name, reason in left]
    unsure = sum(not force.sure for force in forces)
    return [*made, f"{runs} runs; {unsure} of {len(forces)} steps could not be told from noise"]
