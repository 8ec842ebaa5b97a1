"""What a session costs, side by side in one run: `python -m tests.benchmarks.bench_sessions
[--quick]`.

On one core, 100,000 consumers, 10,000 creators, about 5,000 eligible posts, dim 32, 100 ranked
candidates, slate 10, all heads, retraining included; medians of five simulated days after a warm-up
of three, each day timed beside the bare loop.

bare     a numba loop without fastmath that picks the top 10 of 500 by a 32-long dot product and
         draws one choice
packed   the same by hand in vector registers, eight products at once: what the bare loop leaves
         unused
batched  the twin
everything  the twin with every mechanism at work (scenarios/everything.yaml at the same size, its
            campaign from the first day)
reference the twin with one SimPy process per consumer
naive    one SimPy process per consumer and plain numpy doing the same session (naive.py), training
         not included
"""

from __future__ import annotations

import os

for _name in ("NUMBA", "OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import statistics
import sys
import time
from pathlib import Path

import numba as nb
import numpy as np

from tests.benchmarks.naive import Naive
from twin.engine.simulation import Simulation
from twin.ground.compiled import kernel
from twin.ground.units import DAY, HOUR
from twin.kernels.lanes import dot8
from twin.scenario.loading import Scenario, load

ROOT = Path(__file__).parent.parent.parent
WARM, DAYS = 3, 5


EVERYTHING = (
    "policies=[]",
    "campaigns.begin=1d",
    "creators.ai.initial=60",
    "creators.assisted_from=0d",
)


def world(consumers: int, creators: int = 10_000, *more: str, base: str = "base") -> Scenario:
    """The benchmark's world: about 2,500 posts a day, each in the feed for two days."""
    return load(
        ROOT / "scenarios" / f"{base}.yaml",
        (
            f"audience.initial={consumers}",
            f"audience.arrivals={consumers // 1000}/d",
            f"creators.human.initial={creators}",
            f"creators.human.posts_mean={2400 / creators}/d",
            "creators.ai.initial=25",
            "network.follows_mean=12.0",
            "warm_up=0d",
            "duration=400d",
            "metrics.every=1d",
            *more,
        ),
    )


@nb.njit(cache=True)
def bare(sessions, users, items):
    """The yardstick of the issue."""
    out = 0
    score, top = np.empty(500, np.float32), np.empty(10, np.int64)
    for i in range(sessions):
        u, first = users[i % users.shape[0]], (i * 37) % (items.shape[0] - 500)
        for j in range(500):
            a, v = np.float32(0), items[first + j]
            for k in range(32):
                a += u[k] * v[k]
            score[j] = a
        for t in range(10):
            best, value = -1, np.float32(-1e30)
            for j in range(500):
                if score[j] > value:
                    best, value = j, score[j]
            top[t] = best
            score[best] = np.float32(-1e30)
        out += top[np.random.randint(10)]  # noqa: NPY002 (numba's own generator)
    return out


@kernel
def packed(sessions, users, tiles):
    """The yardstick with its products in vector registers: items in tiles of eight."""
    out = 0
    score, top = np.empty(504, np.float32), np.empty(10, np.int64)
    for i in range(sessions):
        first = (i * 37) % (tiles.shape[0] - 63)
        for t in range(63):
            dot8(users, i % users.shape[0], tiles, first + t, score, 8 * t)
        for t in range(10):
            best, value = -1, np.float32(-1e30)
            for j in range(500):
                if score[j] > value:
                    best, value = j, score[j]
            top[t] = best
            score[best] = np.float32(-1e30)
        out += top[np.random.randint(10)]  # noqa: NPY002 (numba's own generator)
    return out


def packed_us(sessions: int = 30_000) -> float:
    """Microseconds per session of the loop in vector registers."""
    rng = np.random.default_rng(0)
    users, tiles = (
        rng.normal(size=(100_000, 32)).astype("f4"),
        rng.normal(size=(625, 32, 8)).astype("f4"),
    )
    packed(10, users, tiles)
    begin = time.perf_counter()
    packed(sessions, users, tiles)
    return (time.perf_counter() - begin) / sessions * 1e6


def bare_us(sessions: int = 30_000) -> float:
    """Microseconds per session of the bare loop."""
    rng = np.random.default_rng(0)
    users, items = (
        rng.normal(size=(100_000, 32)).astype("f4"),
        rng.normal(size=(5000, 32)).astype("f4"),
    )
    bare(10, users, items)
    begin = time.perf_counter()
    bare(sessions, users, items)
    return (time.perf_counter() - begin) / sessions * 1e6


class Running:
    """A simulation that has warmed up; ``day()`` runs one more day and returns microseconds per
    session."""

    def __init__(self, scenario: Scenario, warm: int = WARM, *, reference: bool = False) -> None:
        self.simulation, self.now = Simulation(scenario, reference=reference), warm * DAY
        self.simulation.begin()
        self.simulation.run(self.now + 1)

    def run(self, span: int = DAY) -> float:
        """Run ``span`` seconds more."""
        total = self.simulation.world.state["audience.total"]
        before, begin = total["sessions"][0], time.perf_counter()
        self.now += span
        self.simulation.run(self.now + 1)
        spent = time.perf_counter() - begin
        return spent / (total["sessions"][0] - before) * 1e6


def state_per_consumer(simulation: Simulation) -> float:
    """Bytes of state per consumer, embeddings and their served copies apart."""
    sizes = simulation.state_bytes()
    people = ("table consumers", "table chatters")
    own = sum(size for name, size in sizes.items() if name in people or name.startswith("network."))
    return own / len(simulation.world.tables["consumers"])


def main() -> None:
    """Print every figure with its bound."""
    quick = "--quick" in sys.argv
    big = Running(world(10_000 if quick else 100_000, 2000 if quick else 10_000))
    whole = Running(
        world(
            10_000 if quick else 100_000, 2000 if quick else 10_000, *EVERYTHING, base="everything"
        )
    )
    one = Running(world(5000 if quick else 20_000, 2000), reference=True)
    same = Running(world(5000 if quick else 20_000, 2000))
    rows = []
    for _ in range(DAYS):
        naive = Naive(big.simulation)
        rows.append(
            (
                bare_us(),
                big.run(),
                same.run(6 * HOUR),
                one.run(6 * HOUR),
                naive.us(300 if quick else 1500),
                whole.run(),
                packed_us(),
            )
        )
    b, s, batch, ref, naive, every, fast = (
        statistics.median(column) for column in zip(*rows, strict=True)
    )
    ratio = [
        statistics.median(row[k] / row[j] for row in rows)
        for k, j in ((1, 0), (4, 1), (3, 2), (5, 0))
    ]
    print(f"bare loop                       {b:8.1f} us/session   ({1e6 / b:,.0f} a second)")
    print(f"bare loop, in vector registers  {fast:8.1f} us/session")
    print(
        f"twin, all included              {s:8.1f} us/session   {ratio[0]:.2f}x bare            "
        f"(at most 2.6x)"
    )
    print(
        f"twin, every mechanism at work   {every:8.1f} us/session   {ratio[3]:.2f}x bare           "
        f" (at most 3.6x)"
    )
    print(
        f"naive SimPy + numpy             {naive:8.1f} us/session   {ratio[1]:.1f}x the twin       "
        f"(at least 10x)"
    )
    print(
        f"reference, {5 if quick else 20},000 people        {ref:8.1f} us/session   "
        f"{ratio[2]:.1f}x batched {batch:.1f} (at least 3x)"
    )
    print(
        f"state per consumer              {state_per_consumer(big.simulation):8.0f} bytes          "
        f" (at most 350)"
    )
    serve = next(m for m in big.simulation.mechanisms if m.name == "recommender").server.serving()
    total = big.simulation.world.state["audience.total"][0]
    print(
        f"eligible posts {len(serve.eligible)}, candidates per session "
        f"{total['candidates'] / total['sessions']:.0f}"
    )


if __name__ == "__main__":
    main()
