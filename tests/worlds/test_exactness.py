"""Same scenario and seed, same bytes: batched and one by one, straight through and taken up
again."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, SMALL, history
from tests.worlds.shared import EVERYTHING, Run, run_once, same_state
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.scenario.loading import Scenario

WORLDS = {
    "everything": EVERYTHING,
    "learned feed, a policy half-way": (
        "policies=[{at: 12d, until: 24d, set: {recommender.preset: likes, chatbots.memory: "
        "false}}]",
    ),
    "hash tables, coarse refresh": (
        "recommender.refresh=30min",
        "recommender.tables.post.kind=hash",
        "recommender.tables.post.slots=200",
        "recommender.tables.consumer.kind=hash",
        "recommender.tables.consumer.slots=128",
        "seed=5",
        "policies=[{at: 10d, set: {recommender.quota.explore: 30, creators.ai_pay: 0.0}}]",
    ),
    "chronological, Deffuant, busy people, a calendar": (
        "recommender.ranking=chronological",
        "opinions.model=deffuant",
        "audience.again=0.8",
        "audience.again_gap=40min",
        "audience.leave=0.02",
        "audience.calendar={week: [1, 1, 1, 1, 1, 2, 0.5], holidays: [2025-01-07..2025-01-08=0.2]}",
        "seed=9",
        "policies=[{at: 8d, set: {audience.counts_shown: false}}]",
    ),
}


@pytest.fixture(scope="module")
def run() -> Run:
    """Straight through, once for all moments at which others are saved."""
    return run_once()


@pytest.mark.parametrize("world", WORLDS)
def test_reference_mode_is_bit_identical(world: str, small: Callable[..., Scenario]) -> None:
    """One SimPy process per consumer gives the bytes of the batched mode: all readings, all
    columns, all arrays."""
    scenario = small(*WORLDS[world], base="everything" if world == "everything" else "base")
    batched, a = history(scenario)
    single, b = history(scenario, reference=True)
    assert a[-1][batched.world.board.index("sessions")] > 500
    assert a.tobytes() == b.tobytes()
    assert same_state(batched, single) == []


@pytest.mark.parametrize("reference", [True, False])
def test_each_mode_goes_on_from_a_state_of_the_other(
    reference: bool, small: Callable[..., Scenario], run: Run, tmp_path: Path
) -> None:
    """Saved amid a window: what one mode has not replayed yet the other makes up for, each at its
    own second, and what it has happens once."""
    scenario = small(*EVERYTHING, "duration=20d", base="everything")
    straight, _ = run(scenario)
    first = Simulation(scenario, reference=not reference)
    first.begin()
    # amid a window of half an hour, in the evening
    first.run(13 * DAY + 18 * 3600 + 25 * 60)
    first.save(tmp_path / "t")
    second = Simulation(scenario, reference=reference)
    second.load(tmp_path / "t")
    if reference:
        late = second.world.table("consumers")["next_at"] < second.world.now
        assert late.any()
    second.run(scenario.duration + 1)
    assert same_state(straight, second) == []


@pytest.mark.parametrize("cut", [10 * 60, 3 * DAY + 50 * 60, 17 * DAY])
@pytest.mark.parametrize("world", ["base", "everything"])
def test_saving_and_loading_changes_nothing(
    cut: int, world: str, small: Callable[..., Scenario], run: Run, tmp_path: Path
) -> None:
    """Run to a barrier, save, load into a new world, run on: every column and array as if nothing
    had happened."""
    scenario = small(*(EVERYTHING if world == "everything" else ()), "duration=20d", base=world)
    straight, _ = run(scenario)
    first = Simulation(scenario)
    first.begin()
    first.run(cut)
    first.save(tmp_path / "t")
    second = Simulation(scenario)
    second.load(tmp_path / "t")
    second.run(scenario.duration + 1)
    assert same_state(straight, second) == []


def test_another_seed_or_replicate_is_another_world(small: Callable[..., Scenario]) -> None:
    """The seed matters, and so does the replicate."""
    _, a = history(small("duration=5d"))
    _, b = history(small("duration=5d", "seed=2"))
    _, c = history(small("duration=5d", "replicate=1"))
    assert not np.array_equal(a, b) and not np.array_equal(a, c) and not np.array_equal(b, c)


def test_threads_do_not_matter() -> None:
    """One and two threads for numba and BLAS give the same digest of all readings."""
    code = (
        "import hashlib; from tests.conftest import history, ROOT, SMALL; from "
        "twin.scenario.loading import load;"
        "_, r = history(load(ROOT / 'scenarios' / 'base.yaml', (*SMALL, 'duration=8d')));"
        "print(hashlib.sha256(r.tobytes()).hexdigest())"
    )
    digests = set()
    for threads in ("1", "2"):
        env = {
            **os.environ,
            **{f"{name}_NUM_THREADS": threads for name in ("NUMBA", "OMP", "OPENBLAS", "MKL")},
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1 and len(SMALL) > 5
