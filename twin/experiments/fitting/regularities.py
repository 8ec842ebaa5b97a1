"""Whether the default world resembles a real platform: regularities of published logs, measured on
a run of the twin.

Targets and tolerances are those of FINDINGS ("Regularities of real platforms"): KuaiRand-Pure (Gao
et al., CIKM 2022) for rates, return gaps and followers; Pew 2019 for who writes; MovieLens and
Last.fm for item popularity; MIND (Wu et al., ACL 2020) for the daily rhythm; X for the share of
impressions from creators followed (Ye et al., arXiv 2411.01852, and X's own text). A regularity is
met when the run's value lies within the tolerance; nothing is rescaled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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

Floats = NDArray[np.float64]
WARM_UP = 30 * DAY
"""Time of learning and settling that is not counted; the run is at least twice as long."""


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
    return Target(
        name, value=value, low=value * (1 - share), high=value * (1 + share), source=source
    )


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
    Target(
        "falling hazard of returning (least step)",
        value=0.01,
        low=1e-9,
        high=1.0,
        source="KuaiRand-Pure",
    ),
    Target("follower Gini", value=0.90, low=0.85, high=0.95, source="KuaiRand users"),
    Target("follower tail exponent", value=2.1, low=1.85, high=2.35, source="KuaiRand users"),
    Target("posts written by the top tenth", value=0.80, low=0.72, high=0.88, source="Pew 2019"),
    Target("item popularity Gini", value=0.81, low=0.72, high=0.90, source="MovieLens, Last.fm"),
    Target(
        "shown from creators followed",
        value=0.50,
        low=0.40,
        high=0.60,
        source="X 2023; Ye et al. 2024",
    ),
    Target(
        "posts that nobody sees",
        value=0.2,
        low=0.0,
        high=0.4,
        source="assumption: somebody sees most posts",
    ),
    Target("newcomers back on day 1", value=0.40, low=0.30, high=0.50, source="trade sources"),
    Target("newcomers back on day 7", value=0.24, low=0.18, high=0.30, source="trade sources"),
    Target("newcomers back on day 30", value=0.14, low=0.10, high=0.18, source="trade sources"),
    Target(
        "posts looked at in a day, sd over mean", value=1.185, low=0.9, high=1.5, source="KuaiRec"
    ),
    Target(
        "drift of the click rate (logit a week)",
        value=0.0,
        low=-0.02,
        high=0.02,
        source="a world at rest",
    ),
    Target(
        "correlation with the diurnal curve", value=1.0, low=0.98, high=1.0, source="MIND sample"
    ),
)


def _total(board: Board, values: Floats, name: str) -> Floats:
    """All series of a metric among values."""
    first = next(i for i, (metric, _) in enumerate(board.rows) if metric.name == name)
    # series of one metric stand next to each other on the board
    return values[first : first + sum(1 for _ in board.metrics[name].series())]


@dataclass
class Watched:
    """What is read day by day after the warm-up, and the board's values when it ended."""

    start: Floats
    popularity: list[float] = field(default_factory=list)
    """Gini of impressions over items."""
    unseen: list[float] = field(default_factory=list)
    """Share of posts that nobody has seen."""
    clicked: list[float] = field(default_factory=list)
    """Clicks per impression."""
    looked: list[Floats] = field(default_factory=list)
    """Posts looked at by each person who looked at any."""
    kept: list[Floats] = field(default_factory=list)
    """Retention of newcomers by days since their first (KEPT)."""


def _watched(
    simulation: Simulation, settle: int, end: int, progress: Callable[[float], None]
) -> Watched:
    """Run the simulation until ``end``, and watch the days after ``settle`` (both in seconds)."""
    board, people = simulation.world.board, simulation.world.table("consumers")
    before = board.snapshot()
    watched = Watched(before)
    looked = people["pull_count"].copy()
    for now in range(DAY, end + 1, DAY):
        simulation.run(now)
        progress(now / end)
        # with no time to settle, what was read before the loop stays the start
        if now == settle:
            watched.start = board.snapshot()
        if now > settle:
            watched.popularity.append(board.get("item_popularity_gini"))
            watched.unseen.append(board.get("posts_unseen_share"))
            watched.kept.append(_total(board, board.snapshot(), "retention"))
            # People who arrived today are left out: their day is not a whole one.
            rise = people["pull_count"][: len(looked)] - looked
            watched.looked.append(rise[rise > 0].astype(float))
            # running totals: their rise is what the day counted
            day = board.values - before
            # click is the first of HEADS, and each has two series
            clicks = _total(board, day, "responses")[:2].sum()
            watched.clicked.append(clicks / _total(board, day, "impressions").sum())
        before, looked = board.snapshot(), people["pull_count"].copy()
    return watched


def measure(
    scenario: Scenario, progress: Callable[[float], None] = lambda share: None
) -> dict[str, float]:
    """Run a scenario and measure every regularity, by name, over the time after the warm-up."""
    simulation = Simulation(scenario)
    warmed.up(simulation)
    # The first reading of the board, from which everything is counted, is taken at the start.
    simulation.run(1)
    settle = max(0, WARM_UP - scenario.warm_up)
    end = max(scenario.duration, settle + WARM_UP)
    watched = _watched(simulation, settle, end, progress)
    board = simulation.world.board
    return {**_counted(board, board.values - watched.start), **_read(board), **_daily(watched)}


def _counted(board: Board, new: Floats) -> dict[str, float]:
    """Regularities of what was counted, from the rise of the board's values."""
    impressions = _total(board, new, "impressions").sum()
    responses = _total(board, new, "responses").reshape(len(HEADS), 2).sum(1)
    gaps = _total(board, new, "return_gap")
    share = gaps / gaps.sum()
    # The hazard: chance of return on a day among those who have not returned before it.
    left = 1 - np.concatenate([[0.0], np.cumsum(share)])[:5]
    hazard = share[:5] / left
    hours = _total(board, new, "sessions_by_hour")
    followed = _total(board, new, "source_impressions")[Source.IN_NETWORK]
    return {
        **{
            f"P({head}) per impression": responses[HEADS.index(head)] / impressions
            for head in RATES
        },
        **{f"next active day after {day}": share[day - 1] for day in range(1, 6)},
        # the least fall from one day to the next; below zero where the hazard rises
        "falling hazard of returning (least step)": float(-np.diff(hazard).max()),
        "shown from creators followed": followed / impressions,
        "correlation with the diurnal curve": float(np.corrcoef(hours, MIND_HOURS)[0, 1]),
    }


def _read(board: Board) -> dict[str, float]:
    """Regularities that the board reads off the world as it stands at the end."""
    return {
        "follower Gini": board.get("follower_gini"),
        "follower tail exponent": board.get("follower_tail_exponent"),
        "posts written by the top tenth": board.get("posts_top_share"),
    }


def _daily(watched: Watched) -> dict[str, float]:
    """Regularities of the days."""
    looks = np.concatenate(watched.looked)
    drift = np.polyfit(np.arange(len(watched.clicked)), logit(watched.clicked), 1)[0]
    # one reading holds the newcomers of four weeks, too few to judge by
    kept = np.mean(watched.kept, axis=0)
    return {
        **{f"newcomers back on day {day}": float(kept[k]) for k, day in enumerate(KEPT)},
        "item popularity Gini": float(np.mean(watched.popularity)),
        "posts that nobody sees": float(np.mean(watched.unseen)),
        "posts looked at in a day, sd over mean": float(looks.std() / looks.mean()),
        "drift of the click rate (logit a week)": float(7 * drift),
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
