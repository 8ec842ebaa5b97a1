"""Does the default world look like a real platform? Regularities of published logs, measured on a
run of the twin.

Targets and tolerances are those of FINDINGS ("Regularities of real platforms"): KuaiRand-Pure (Gao
et al., CIKM 2022) for rates, return gaps and followers; Pew 2019 for who writes; MovieLens and
Last.fm for item popularity; MIND (Wu et al., ACL 2020) for the day's rhythm; X for how much is
shown from creators followed (Ye et al., arXiv 2411.01852, and X's own text). A regularity is met
when the run's value lies within the tolerance; nothing is rescaled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from twin.engine.simulation import Simulation
from twin.ground.rhythm import MIND_HOURS
from twin.ground.units import DAY
from twin.kernels.rules import Source
from twin.kernels.totals import KEPT
from twin.kernels.training import HEADS
from twin.running import warmed
from twin.scenario.loading import Scenario
from twin.world.board import Board

WARM_UP = 30 * DAY
"""Days of learning and settling that are not counted; the run is twice as long at least."""


@dataclass(frozen=True)
class Target:
    """One regularity: the value must lie between low and high."""

    name: str
    value: float
    low: float
    high: float
    source: str

    def met(self, measured: float) -> bool:
        """Whether a measured value is within."""
        return bool(self.low <= measured <= self.high)


def _relative(name: str, value: float, share: float, source: str) -> Target:
    return Target(name, value, value * (1 - share), value * (1 + share), source)


RATES = {
    "click": (0.45965, 0.10),
    "long_view": (0.33184, 0.10),
    "like": (0.018478, 0.20),
    "comment": (0.002546, 0.30),
    "follow": (0.001074, 0.30),
    "reshare": (0.000962, 0.30),
    "hide": (0.000494, 0.30),
}
GAPS = (0.6170, 0.1654, 0.0787, 0.0473, 0.0310)
TARGETS = (
    *(
        _relative(f"P({head}) per impression", value, share, "KuaiRand-Pure")
        for head, (value, share) in RATES.items()
    ),
    *(
        _relative(f"next active day after {day}", value, 0.20, "KuaiRand-Pure")
        for day, value in enumerate(GAPS, 1)
    ),
    Target("falling hazard of returning (least step)", 0.01, 1e-9, 1.0, "KuaiRand-Pure"),
    Target("follower Gini", 0.90, 0.85, 0.95, "KuaiRand users"),
    Target("follower tail exponent", 2.1, 1.85, 2.35, "KuaiRand users"),
    Target("posts written by the top tenth", 0.80, 0.72, 0.88, "Pew 2019"),
    Target("item popularity Gini", 0.81, 0.72, 0.90, "MovieLens, Last.fm"),
    Target("shown from creators followed", 0.50, 0.40, 0.60, "X 2023; Ye et al. 2024"),
    Target("posts that nobody sees", 0.2, 0.0, 0.4, "assumption: most posts are seen by somebody"),
    Target("newcomers back on day 1", 0.40, 0.30, 0.50, "trade sources"),
    Target("newcomers back on day 7", 0.24, 0.18, 0.30, "trade sources"),
    Target("newcomers back on day 30", 0.14, 0.10, 0.18, "trade sources"),
    Target("posts looked at in a day, sd over mean", 1.185, 0.9, 1.5, "KuaiRec"),
    Target("drift of the click rate (logit a week)", 0.0, -0.02, 0.02, "a world at rest"),
    Target("correlation with the diurnal curve", 1.0, 0.98, 1.0, "MIND sample"),
)


def _total(board: Board, values: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """All series of a metric among values."""
    first = next(i for i, (metric, _) in enumerate(board.rows) if metric.name == name)
    return values[first : first + sum(1 for _ in board.metrics[name].series())]


def measure(
    scenario: Scenario, progress: Callable[[float], None] = lambda share: None
) -> dict[str, float]:
    """Run a scenario and measure every regularity over the time after the warm-up."""
    simulation = Simulation(scenario)
    warmed.up(simulation)
    simulation.run(1)  # the reading at the start, from which everything is counted
    board, people = simulation.world.board, simulation.world.table("consumers")
    settle = max(0, WARM_UP - scenario.warm_up)
    end = max(scenario.duration, settle + WARM_UP)
    popularity: list[float] = []
    unseen: list[float] = []
    clicked: list[float] = []
    daily: list[NDArray[np.float64]] = []
    start = before = board.snapshot()
    looked = people["pull_count"].copy()
    for now in range(DAY, end + 1, DAY):
        simulation.run(now)
        progress(now / end)
        if now == settle:
            start = board.snapshot()
        if now > settle:
            popularity.append(board.get("item_popularity_gini"))
            unseen.append(board.get("posts_unseen_share"))
            rise = people["pull_count"][: len(looked)] - looked
            daily.append(rise[rise > 0].astype(float))
            day = board.values - before
            clicked.append(
                _total(board, day, "responses")[:2].sum() / _total(board, day, "impressions").sum()
            )
        before, looked = board.snapshot(), people["pull_count"].copy()
    new = board.values - start

    def total(name: str) -> NDArray[np.float64]:
        return _total(board, new, name)

    impressions = total("impressions").sum()
    responses = total("responses").reshape(len(HEADS), 2).sum(1)
    gaps = total("return_gap")
    share = gaps / gaps.sum()
    left = 1 - np.concatenate([[0.0], np.cumsum(share)])[:5]
    hazard = share[:5] / left
    hours, looks = total("sessions_by_hour"), np.concatenate(daily)
    return {
        **{
            f"P({head}) per impression": responses[HEADS.index(head)] / impressions
            for head in RATES
        },
        **{f"next active day after {day}": share[day - 1] for day in range(1, 6)},
        "falling hazard of returning (least step)": float(-np.diff(hazard).max()),
        "follower Gini": board.get("follower_gini"),
        "follower tail exponent": board.get("follower_tail_exponent"),
        "posts written by the top tenth": board.get("posts_top_share"),
        "item popularity Gini": float(np.mean(popularity)),
        "shown from creators followed": total("source_impressions")[Source.IN_NETWORK]
        / impressions,
        "posts that nobody sees": float(np.mean(unseen)),
        **{f"newcomers back on day {day}": board.get("retention", day=str(day)) for day in KEPT},
        "posts looked at in a day, sd over mean": float(looks.std() / looks.mean()),
        "drift of the click rate (logit a week)": float(
            7 * np.polyfit(np.arange(len(clicked)), logit(clicked), 1)[0]
        ),
        "correlation with the diurnal curve": float(np.corrcoef(hours, MIND_HOURS)[0, 1]),
    }


def check(scenario: Scenario) -> tuple[str, bool]:
    """The table of targets, sources and measured values, and whether all are within."""
    measured = measure(scenario)
    lines = [
        f"{'regularity':42s} {'target':>10s} {'low':>10s} {'high':>10s} {'twin':>10s}  within  "
        f"source"
    ]
    good = True
    for target in TARGETS:
        value = measured[target.name]
        good &= target.met(value)
        lines.append(
            f"{target.name:42s} {target.value:10.4g} {target.low:10.4g} {target.high:10.4g} "
            f"{value:10.4g}  "
            f"{'yes' if target.met(value) else 'NO':6s}  {target.source}"
        )
    return "\n".join(lines), good
