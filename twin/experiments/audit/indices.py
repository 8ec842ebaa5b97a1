"""Indices of levers: Morris' elementary effects or Sobol's indices of one side's score, beside those
of a parameter that sets nothing.

    Morris (1991), Campolongo et al. (2007): EE_i = (f(x + delta e_i) - f(x)) / delta per
    trajectory, in scores per whole range;
        mu* = mean |EE|, mu = mean EE (interval by Student's t over trajectories), sigma = sd EE
        (curvature, interplay, and luck)
    Sobol (2001), Saltelli (2010): S1 share of the variance by the lever alone, ST with all its
    interplay;
        trend = Spearman's correlation of the lever with the score over the two base samples
        (interval by Fisher's z)

A trajectory (Morris) or block (Sobol) with a run that failed, or that the scenario refuses, is left
out whole. A lever whose interval overlaps that of LUCK is not distinguishable from luck.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import ndtri, stdtrit

from twin.experiments import effects
from twin.experiments.audit.levers import LEVELS, LUCK, Array, Lever, block, problem
from twin.ground.later import stats

RESAMPLES = 1000
"""Of the bootstrap of intervals."""
LEAST = 4
"""Fewest trajectories or blocks."""
INDEX = {"morris": "mu_star", "sobol": "ST"}
"""The index by which levers are ranked and compared with luck."""
COLUMNS = {
    "morris": ("mu_star", "mu_star_conf", "mu", "mu_low", "mu_high", "sigma"),
    "sobol": ("S1", "S1_conf", "ST", "ST_conf", "trend", "trend_low", "trend_high"),
}


def schema(method: str) -> pa.Schema:
    """Of ``results.parquet``."""
    return pa.schema(
        [
            ("lever", pa.string()),
            ("now", pa.string()),
            ("low", pa.string()),
            ("high", pa.string()),
            ("side", pa.string()),
            ("n", pa.int64()),
            *((name, pa.float64()) for name in COLUMNS[method]),
            ("distinguishable", pa.bool_()),
        ]
    )


def analysed(
    found: Sequence[Lever], method: str, design: Array, values: Array, side: str, seed: int
) -> list[dict[str, Any]]:
    """Indices of every lever and of luck for one side's score (runs,), strongest first."""
    size = block(found, method)
    # SALib takes whole trajectories or blocks: one lost run costs all of its own
    kept = np.isfinite(values).reshape(-1, size).all(1)
    n = int(kept.sum())
    some = np.repeat(kept, size)
    names = [*(each.path for each in found), LUCK]
    # NaN where too little is left to say anything
    numbers = {name: np.full(len(names), np.nan) for name in COLUMNS[method]}
    if n >= LEAST:
        numbers = (_morris if method == "morris" else _sobol)(
            found, design[some], values[some], n, seed
        )
    index, spread = numbers[INDEX[method]], numbers[f"{INDEX[method]}_conf"]
    # luck comes last: what lies wholly above its interval is no luck
    distinguishable = index - spread > index[-1] + spread[-1]
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
                "distinguishable": bool(distinguishable[k]),
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
    # one elementary effect of a lever per trajectory, hence n of them
    half = stdtrit(n - 1, (1 + effects.LEVEL) / 2) * got["sigma"] / np.sqrt(n)
    return {**got, "mu_low": got["mu"] - half, "mu_high": got["mu"] + half}


def _sobol(
    found: Sequence[Lever], design: Array, values: Array, n: int, seed: int
) -> dict[str, Array]:
    from SALib.analyze import sobol

    size = block(found, "sobol")
    # the first and the last run of a block are points of the two base samples, A and B; the others
    # differ from these in one lever each, and would count its neighbours twice
    ends = np.sort(
        np.concatenate([np.arange(0, len(values), size), np.arange(size - 1, len(values), size)])
    )
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what never varies has no indices: NaN
        result = sobol.analyze(
            problem(found),
            values,
            # as in `levers.sample`, which makes no runs for second-order indices
            calc_second_order=False,
            num_resamples=RESAMPLES,
            conf_level=effects.LEVEL,
            seed=seed,
        )
        trend = np.array(
            [
                stats().spearmanr(design[ends, k], values[ends]).statistic
                for k in range(design.shape[1])
            ]
        )
        # Fisher's z has sd 1 / sqrt(points - 3), and the ends of n blocks are 2 n points
        half = ndtri((1 + effects.LEVEL) / 2) / np.sqrt(2 * n - 3)
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
