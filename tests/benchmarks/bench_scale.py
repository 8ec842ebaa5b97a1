"""What grows and what does not: `python -m tests.benchmarks.bench_scale [--large [DAYS [POSTS]]]`.

Cost per session by number of consumers (creators and posts in proportion) and by day of the run,
each pair of worlds timed day by day in turn; training samples a second; numba's first compile; what
`twin --help` and `twin check` take. Medians of five.

``--large`` alone: a million consumers and 50,000 creators, day by day (3 days, and 2,400 posts a
day, as in bench_sessions): time to build, sessions a second, resident memory and bytes of state per
consumer; then the peak, and size and time of a checkpoint. Without it the benchmark runs this as
well, in a process of its own. With more than 32,768 posts held, which 8,000 a day make, what a
person has seen takes 72 bytes more.
"""

from __future__ import annotations

import os

for _name in ("NUMBA", "OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.bench_sessions import ROOT, Running, state_per_consumer, world
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels.negatives import Shown
from twin.kernels.training import Rates
from twin.mechanisms.recommender.slots import TableSpec
from twin.mechanisms.recommender.tables import EmbeddingTable
from twin.mechanisms.recommender.training import Keys, Trainer
from twin.running.estimate import memory

SIZES = (10_000, 30_000, 100_000, 300_000)
ROUNDS = 5


def by_consumers() -> None:
    """Platforms of different size, each with a tenth as many creators and 2,400 posts a day per
    100,000 people."""
    runs = [
        Running(
            world(
                size,
                size // 10,
                f"creators.human.posts_mean={2400 / 10_000}/d",
                f"creators.ai.initial={size // 4000}",
            )
        )
        for size in SIZES
    ]
    rows = [[run.run() for run in runs] for _ in range(ROUNDS)]
    for k, size in enumerate(SIZES):
        ratio = statistics.median(row[k] / row[0] for row in rows)
        cost = statistics.median(row[k] for row in rows)
        print(
            f"{size:7,} consumers              {cost:8.1f} us/session   {ratio:.2f}x of "
            f"{SIZES[0]:,} (at most 1.2x)"
        )


def by_day() -> None:
    """The same world at day 30 and at day 300."""
    early, late = (
        Running(world(20_000, 2000, "creators.human.posts_mean=0.24/d"), warm=day)
        for day in (30, 300)
    )
    rows = [(early.run(), late.run()) for _ in range(ROUNDS)]
    ratio = statistics.median(b / a for a, b in rows)
    print(
        f"day 300 against day 30         {statistics.median(b for _, b in rows):8.1f} us/session   "
        f"{ratio:.2f}x           (at most 1.2x)"
    )


def training(samples: int = 1_000_000) -> None:
    """One pass over a log of a million impressions: dim 32, 100,000 consumers, 5,000 posts, 10,000
    creators."""
    rng = np.random.default_rng(0)
    sizes = {"consumer": 100_000, "post": 5000, "creator": 10_000}
    keep: dict[str, np.ndarray] = {}
    trainer = Trainer(
        keep,
        {name: EmbeddingTable(keep, name, TableSpec("collisionless", 32, 64)) for name in sizes},
    )
    trainer.setup()
    ids = {name: rng.integers(0, 2**63, size).astype(np.uint64) for name, size in sizes.items()}
    u, p = (
        rng.integers(0, sizes["consumer"], samples).astype(np.int32),
        (rng.random(samples) ** 3 * sizes["post"]).astype(np.int32),
    )
    c = (p * 2 % sizes["creator"]).astype(np.int32)
    r = (rng.random(samples) < 0.4).astype(np.uint16)
    spent = []
    for k in range(ROUNDS + 1):
        begin = time.perf_counter()
        trainer.fit(
            Keys(**ids),
            Shown(consumer=u, post=p, creator=c, responses=r),
            k,
            rates=Rates(0.05, 0.02, 0.0),
        )
        spent.append(time.perf_counter() - begin)
    print(
        f"training                       {samples / statistics.median(spent[1:]):10,.0f} samples/s "
        f" (at least 1,000,000)"
    )


def resident_mb() -> float:
    """Resident memory of this process now."""
    return (
        int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        * resource.getpagesize()
        / 1e6
    )


def peak_mb() -> float:
    """The most memory that this process has had resident."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def large(
    days: int = 3, posts: int = 2400, consumers: int = 1_000_000, creators: int = 50_000
) -> None:
    """Build and run a large world, and save it."""
    Running(world(3000, 300), warm=1)  # compiles what a small world needs
    begin = time.perf_counter()
    scenario = world(
        consumers, creators, f"duration={days}d", f"creators.human.posts_mean={posts / creators}/d"
    )
    simulation, estimated = Simulation(scenario), memory(scenario)
    simulation.begin()
    middle = time.perf_counter()
    simulation.run(1)
    end = time.perf_counter()
    print(
        f"{consumers:,} consumers, {creators:,} creators: people drawn in {middle - begin:.1f} s, "
        f"network wired in {end - middle:.1f} s, peak {peak_mb():,.0f} MB"
    )
    total = simulation.world.state["audience.total"][0]
    for day in range(1, days + 1):
        before, begin = float(total["sessions"]), time.perf_counter()
        simulation.run(day * DAY + 1)
        spent, held = time.perf_counter() - begin, sum(simulation.state_bytes().values())
        each = held / len(simulation.world.tables["consumers"])
        print(
            f"day {day:3d}   {total['sessions'] - before:9,.0f} sessions   "
            f"{(total['sessions'] - before) / spent:8,.0f} a second   "
            f"{resident_mb():7,.0f} MB resident   {each:5.0f} bytes of state per consumer (at most "
            f"750)",
            flush=True,
        )
    held = sum(simulation.state_bytes().values())
    print(
        f"estimated by twin check: state {estimated.state / held:.2f}x of measured, "
        f"peak {estimated.peak / 1e6 / peak_mb():.2f}x (both within 20 %)"
    )
    print(
        f"peak {peak_mb():,.0f} MB; state per consumer, embeddings and copies apart: "
        f"{state_per_consumer(simulation):.0f} bytes; most bytes per consumer:"
    )
    for name, size in sorted(simulation.state_bytes().items(), key=lambda item: -item[1])[:8]:
        print(f"  {name:30s} {size / consumers:6.1f}")
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        simulation.save(Path(folder) / "t1")
        size = sum(path.stat().st_size for path in (Path(folder) / "t1").iterdir())
        print(
            f"checkpoint                     {size / 1e6:8,.0f} MB in "
            f"{time.perf_counter() - begin:.1f} s"
        )


def seconds(*command: str, **env: str) -> float:
    """Wall-clock time of one command."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "twin", *command],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - begin


def start_up() -> None:
    """The command line, and a short run with an empty compile cache beside one with a full one."""
    for bound, command in ((0.5, ("--help",)), (2.0, ("check", "scenarios/quickstart.yaml"))):
        print(
            f"twin {command[0]:26s}{statistics.median(seconds(*command) for _ in range(ROUNDS)):8.2f} s            (at most {bound} s)"
        )
    with tempfile.TemporaryDirectory() as cache:
        run = (
            "run",
            "scenarios/base.yaml",
            "--quiet",
            "--set",
            "audience.initial=300",
            "--set",
            "warm_up=0d",
            "--set",
            "duration=2d",
        )
        cold = seconds(*run, "--out", f"{cache}/a", NUMBA_CACHE_DIR=f"{cache}/numba")
        warm = seconds(*run, "--out", f"{cache}/b", NUMBA_CACHE_DIR=f"{cache}/numba")
    print(
        f"numba's first compile          {cold - warm:8.1f} s            (at most 40 s; the run "
        f"alone {warm:.1f} s)"
    )


def main() -> None:
    """Print every figure with its bound."""
    if "--large" in sys.argv:
        large(*map(int, sys.argv[sys.argv.index("--large") + 1 :]))
        return
    start_up()
    training()
    by_consumers()
    by_day()
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_scale", "--large"], cwd=ROOT, check=True
    )


if __name__ == "__main__":
    main()
