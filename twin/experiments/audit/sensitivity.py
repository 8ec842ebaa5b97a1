"""All numeric engineering levers turned together: Morris' elementary effects or Sobol's indices of
both sides' scores.

Every lever runs over ``value / 4 .. value x 4`` on a log scale, within the bounds that it declares;
whole numbers and the grid of clocks are kept. A run is a branch: a world goes on from the fork with
all levers at one point of the design, and is scored by `scoring` against the same world as it is.
The seed draws which world a run is in, so that a difference between two runs holds luck as well.
One further parameter, LUCK, sets nothing at all: what it seems to do is luck, and nothing else, and
a lever whose index cannot be told from that of LUCK (their 95 % intervals overlap) cannot be told
from noise.

    Morris (1991), Campolongo et al. (2007): EE_i = (f(x + delta e_i) - f(x)) / delta per
    trajectory, in scores per whole range;
        mu* = mean |EE|, mu = mean EE (interval by Student's t over trajectories), sigma = sd EE
        (curvature, interplay, and luck)
    Sobol (2001), Saltelli (2010): S1 share of the variance by the lever alone, ST with all its
    interplay;
        trend = Spearman's correlation of the lever with the score over the two base samples
        (interval by Fisher's z)

Both by SALib. A trajectory (Morris) or block (Sobol) with a run that failed, or that the scenario
refuses, is left out whole.

    results.parquet  one row per lever and side
    runs.parquet     every run: world, levers as set, scores
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from twin.experiments import effects
from twin.experiments.audit import scoring, turning
from twin.experiments.audit.engineering import SIDES, chosen
from twin.experiments.audit.worlds import based, branch_task, means
from twin.experiments.design import Vary, quantity
from twin.experiments.experiment import Experiment
from twin.ground.errors import ScenarioError, UsageError
from twin.scenario.describe import as_file, describe
from twin.scenario.loading import Scenario, load
from twin.scenario.yamlish import write_text
from twin.world.params import leaves

LUCK = "luck (sets nothing)"
SPAN = 4.0
"""A lever runs from its value divided by this to its value times this."""
LEVELS = 4
"""Of Morris' design."""
RESAMPLES = 1000
"""Of the bootstrap of intervals."""
LEAST = 4
"""Fewest trajectories or blocks."""
INDEX = {"morris": "mu_star", "sobol": "ST"}
"""The index by which levers are ranked and told from luck."""
COLUMNS = {
    "morris": ("mu_star", "mu_star_conf", "mu", "mu_low", "mu_high", "sigma"),
    "sobol": ("S1", "S1_conf", "ST", "ST_conf", "trend", "trend_low", "trend_high"),
}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Lever:
    """A numeric lever: where it is, its value as the scenario has it, and its range."""

    now: str
    vary: Vary

    @property
    def path(self) -> str:
        """Its path."""
        return self.vary.path


def levers(scenario: Scenario, steps: Sequence[str]) -> tuple[list[Lever], list[tuple[str, str]]]:
    """Numeric levers of the chosen steps, and paths that were left out with reasons."""
    rows = {row.path: row for row in describe(scenario)}
    made: list[Lever] = []
    left: list[tuple[str, str]] = []
    for path in dict.fromkeys(path for step in chosen(steps) for path in step.set):
        why = ""
        if path not in rows:
            why = "not here"
        elif not rows[path].lever:
            why = "fixed for a run, and no lever"
        elif (
            path.endswith(".slots")
            and rows[path.removesuffix("slots") + "kind"].value == "collisionless"
        ):
            why = "the table is collisionless, so that its size does nothing"
        elif not np.isfinite(value := quantity(rows[path].value)):
            why = f"is {rows[path].value}, no number"
        elif value <= 0:
            why = f"is {rows[path].value}, which has no multiples"
        else:
            lever = _lever(scenario, path, rows[path].value, value, scenario.grid)
            if lever.vary.at(0.0) == lever.vary.at(1.0):
                why = "has no room within its bounds"
            else:
                made.append(lever)
        if why:
            left.append((path, why))
    return made, left


def _lever(scenario: Scenario, path: str, now: str, value: float, grid: int) -> Lever:
    mechanism, _, rest = path.partition(".")
    info = dict(leaves(type(scenario.mechanisms[mechanism])))[rest]
    bounds = {
        name: float(found)
        for each in info.metadata
        for name in ("ge", "le")
        if (found := getattr(each, name, None)) is not None
    }
    low, high = (
        max(value / SPAN, bounds.get("ge", 0.0)),
        min(value * SPAN, bounds.get("le", np.inf)),
    )
    text = turning.plain(now)
    whole = isinstance(text, int) and not isinstance(text, bool)
    suffix = "" if not isinstance(text, str) else "/d" if "/" in now else "s"
    if whole:
        low, high = max(1.0, np.ceil(low)), np.floor(high)
    return Lever(
        now,
        Vary(path, (), float(low), float(high), suffix, True, whole, grid if suffix == "s" else 1),
    )


def check(scenario: Scenario, args: dict[str, Any]) -> None:
    """Raises UsageError if there is nothing to turn, or the budget does not fit the method."""
    found, _ = levers(scenario, args["steps"])
    if not found:
        raise UsageError(
            f"--method {args['method']}: none of the chosen steps turns a numeric lever that is "
            f"above zero here"
        )
    budget = int(args["budget"])
    if args["method"] == "sobol" and budget & (budget - 1):
        raise UsageError(
            f"--points {budget}: is no power of two, as Sobol's sequence needs "
            f"({1 << budget.bit_length()} is the next)"
        )


def problem(found: Sequence[Lever]) -> dict[str, Any]:
    """The design space for SALib: shares of the way of each lever, and luck."""
    names = [*(each.path for each in found), LUCK]
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def sample(found: Sequence[Lever], method: str, budget: int, seed: int) -> Array:
    """The design (runs, levers and luck), in shares of the way."""
    from SALib.sample import morris, sobol

    if method == "morris":
        return np.asarray(
            morris.sample(problem(found), budget, num_levels=LEVELS, seed=seed), np.float64
        )
    return np.asarray(
        sobol.sample(problem(found), budget, calc_second_order=False, seed=seed), np.float64
    )


def block(found: Sequence[Lever], method: str) -> int:
    """Runs of a trajectory or block."""
    return len(found) + (2 if method == "morris" else 3)


def resume(experiment: Experiment, on: str | None) -> list[str]:
    """Do what is left to do and write results; what there is to tell of them."""
    args, scenario = experiment.manifest["args"], experiment.scenario
    method, at, numbers = str(args["method"]), int(args["at_s"]), range(int(args["replicates"]))
    found, left = levers(scenario, args["steps"])
    design = sample(found, method, int(args["budget"]), scenario.seed)
    points = [
        [each.vary.at(float(share)) for each, share in zip(found, row[:-1], strict=True)]
        for row in design
    ]
    of = np.random.default_rng([scenario.seed, len(design)]).integers(
        len(numbers), size=len(design)
    )
    alive = based(experiment, at, numbers, on)
    refused = lay(experiment, found, points)
    worlds = {int(task.result.split("/")[1]) for task in alive if task.kind == "branch"}
    names = [f"points/{i:05d}.npy" for i in range(len(design))]
    asked = [i for i in range(len(design)) if i not in refused and int(of[i]) in worlds]
    tasks = [
        branch_task(
            names[i], int(of[i]), f"policies/point-{i:05d}.yaml@{at}s", scenario.duration - at
        )
        for i in asked
    ]
    experiment.run([*alive, *tasks], on, "runs of the design")
    rows = scenario.series()
    x = means(experiment, rows, numbers, lambda r: f"runs/{r}/0.npy")
    y = np.full((len(design), len(rows)), np.nan)
    for i in asked:
        y[i] = means(experiment, rows, [int(of[i])], lambda r, i=i: names[i])[0]
    both = scoring.both(x, y, rows, of)
    indices = [
        row
        for side, values in zip(SIDES, both, strict=True)
        for row in analysed(found, method, design, values, side, scenario.seed)
    ]
    schema = pa.schema(
        [
            ("lever", pa.string()),
            ("now", pa.string()),
            ("low", pa.string()),
            ("high", pa.string()),
            ("side", pa.string()),
            ("n", pa.int64()),
            *((name, pa.float64()) for name in COLUMNS[method]),
            ("told", pa.bool_()),
        ]
    )
    table = {
        "run": range(len(design)),
        "world": of,
        **{each.path: [point[k] for point in points] for k, each in enumerate(found)},
        **{side: both[k] for k, side in enumerate(SIDES)},
    }
    experiment.table(
        "runs.parquet", pa.table({name: pa.array(values) for name, values in table.items()})
    )
    experiment.table("results.parquet", pa.Table.from_pylist(indices, schema=schema))
    runs = 2 * len(numbers) + len(tasks)
    experiment.finish(
        "done",
        runs=runs,
        left=[list(each) for each in left],
        refused=len(refused),
        blocks=len(design) // block(found, method),
    )
    return lines(indices, method, left, runs)


def lay(
    experiment: Experiment, found: Sequence[Lever], points: Sequence[Sequence[str]]
) -> dict[int, str]:
    """Write a policy for every point; numbers of those that the scenario refuses, with the
    reason."""
    refused: dict[int, str] = {}
    with as_file(experiment.scenario) as base:
        policy = base.with_name("policy.yaml")
        for i, point in enumerate(points):
            name = f"policies/point-{i:05d}.yaml"
            values = {
                each.path: turning.plain(value) for each, value in zip(found, point, strict=True)
            }
            text = write_text({"name": f"point {i}", "set": values})
            policy.write_text(text)
            try:
                load(base, (), (str(policy),))
            except ScenarioError as error:
                refused[i] = "; ".join(each.reason for each in error.problems)
                continue
            if not experiment.store.exists(name):
                experiment.store.write(name, text.encode())
    return refused


def analysed(
    found: Sequence[Lever], method: str, design: Array, values: Array, side: str, seed: int
) -> list[dict[str, Any]]:
    """Indices of every lever and of luck for one side's score (runs,), strongest first."""
    size = block(found, method)
    kept = np.isfinite(values).reshape(-1, size).all(1)
    n = int(kept.sum())
    some = np.repeat(kept, size)
    names = [*(each.path for each in found), LUCK]
    numbers = {name: np.full(len(names), np.nan) for name in COLUMNS[method]}
    if n >= LEAST:
        numbers = (_morris if method == "morris" else _sobol)(
            found, design[some], values[some], n, seed
        )
    index, spread = numbers[INDEX[method]], numbers[f"{INDEX[method]}_conf"]
    told = index - spread > index[-1] + spread[-1]
    shown = {each.path: (each.now, each.vary.at(0.0), each.vary.at(1.0)) for each in found}
    made = []
    for k, name in enumerate(names):
        now, low, high = shown.get(name, ("", "", ""))
        made.append(
            {
                "lever": name,
                "now": now,
                "low": low,
                "high": high,
                "side": side,
                "n": n,
                **{key: float(each[k]) for key, each in numbers.items()},
                "told": bool(told[k]),
            }
        )
    return sorted(
        made, key=lambda row: -row[INDEX[method]] if np.isfinite(row[INDEX[method]]) else 0.0
    )


def _morris(
    found: Sequence[Lever], design: Array, values: Array, n: int, seed: int
) -> dict[str, Array]:
    from SALib.analyze import morris

    result = morris.analyze(
        problem(found),
        design,
        values,
        num_resamples=RESAMPLES,
        conf_level=effects.LEVEL,
        num_levels=LEVELS,
        seed=seed,
    )
    got = {
        name: np.asarray(result[name], np.float64)
        for name in ("mu_star", "mu_star_conf", "mu", "sigma")
    }
    half = stats.t.ppf((1 + effects.LEVEL) / 2, n - 1) * got["sigma"] / np.sqrt(n)
    return {**got, "mu_low": got["mu"] - half, "mu_high": got["mu"] + half}


def _sobol(
    found: Sequence[Lever], design: Array, values: Array, n: int, seed: int
) -> dict[str, Array]:
    from SALib.analyze import sobol

    size = block(found, "sobol")
    ends = np.sort(
        np.concatenate([np.arange(0, len(values), size), np.arange(size - 1, len(values), size)])
    )  # A and B alone
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what never varies has no indices: NaN
        result = sobol.analyze(
            problem(found),
            values,
            calc_second_order=False,
            num_resamples=RESAMPLES,
            conf_level=effects.LEVEL,
            seed=seed,
        )
        trend = np.array(
            [
                stats.spearmanr(design[ends, k], values[ends]).statistic
                for k in range(design.shape[1])
            ]
        )
        half = stats.norm.ppf((1 + effects.LEVEL) / 2) / np.sqrt(2 * n - 3)
        low, high = np.tanh(np.arctanh(trend) - half), np.tanh(np.arctanh(trend) + half)
    return {
        **{
            name: np.asarray(result[name], np.float64)
            for name in ("S1", "S1_conf", "ST", "ST_conf")
        },
        "trend": trend,
        "trend_low": low,
        "trend_high": high,
    }


def lines(
    rows: Sequence[dict[str, Any]], method: str, left: Sequence[tuple[str, str]], runs: int
) -> list[str]:
    """What the terminal says: levers by side, strongest first."""
    index, made = INDEX[method], [""]
    for side, name in (("producer", "Creators"), ("consumer", "Consumers")):
        mine = [row for row in rows if row["side"] == side]
        made.append(
            f"{name}: {index} of {mine[0]['n']} "
            f"{'trajectories' if method == 'morris' else 'blocks'}, with 95 % intervals"
        )
        made += [
            f"  {row['lever']:34s} {row[index]:8.3f} +- {row[f'{index}_conf']:.3f}   "
            f"{'' if row['lever'] == LUCK else 'told from luck' if row['told'] else 'not told from luck'}"
            for row in mine
        ]
    made += [f"left out: {name}: {why}" for name, why in left]
    turned = {row["lever"] for row in rows} - {LUCK}
    unsure = sum(
        not any(row["told"] for row in rows if row["lever"] == lever) for lever in sorted(turned)
    )
    return [
        *made,
        f"{runs} runs; {unsure} of {len(turned)} levers could not be told from luck on either side",
        "",
    ]
