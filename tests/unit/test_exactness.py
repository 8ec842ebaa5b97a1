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
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.scenario.loading import Scenario

EVERYTHING = (
    "campaigns.accounts=8",
    "campaigns.begin=5d",
    "campaigns.end=25d",
    "creators.assisted_from=3d",
    "creators.human.work_share=0.2",
    "recommender.random_share=0.15",
    "policies=[{name: label, at: 6d, set: {creators.label_ai: 0.5}}, {name: rules, at: 12d, set: "
    "{campaigns.detection: 0.1}},"
    "{name: half, at: 8d, until: 20d, share: 0.5, set: {audience.counts_shown: false, "
    "recommender.shelf.kind: bought_together}},"
    "{name: makers, at: 9d, share: 0.3, of: creators, set: {creators.pay_like: 9.0}},"
    "{name: wide, at: 14d, set: {recommender.dim: 12}}, {name: quick, at: 18d, set: "
    "{recommender.retrain_every: 2h}}]",
)
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
    "chronological, Deffuant, busy people": (
        "recommender.ranking=chronological",
        "opinions.model=deffuant",
        "audience.again=0.8",
        "audience.again_gap=40min",
        "audience.leave=0.02",
        "seed=9",
        "policies=[{at: 8d, set: {audience.counts_shown: false}}]",
    ),
}


def same_state(one: Simulation, other: Simulation) -> list[str]:
    """Names of tables, arrays and records that differ by a bit."""
    odd = [
        f"{name}.{column}"
        for name, table in one.world.tables.items()
        for column in table.columns
        if not np.array_equal(table[column], other.world.tables[name][column])
    ]
    for name, array in one.world.state.items():
        used = (
            int(one.world.state["recommender.log.size"][0])
            if name.startswith("recommender.log.")
            else len(array)
        )
        if (
            array[:used].tobytes() != other.world.state[name][:used].tobytes()
        ):  # the log's spare room is not state
            odd.append(name)
    odd += [
        f"record of {name}"
        for name, record in one.world.records.items()
        if record != other.world.records[name]
    ]
    return odd


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


@pytest.mark.parametrize("cut", [10 * 60, 3 * DAY + 50 * 60, 17 * DAY])
@pytest.mark.parametrize("world", ["base", "everything"])
def test_saving_and_loading_changes_nothing(
    cut: int, world: str, small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Run to a barrier, save, load into a new world, run on: every column and array as if nothing
    had happened."""
    scenario = small(*(EVERYTHING if world == "everything" else ()), "duration=20d", base=world)
    straight, _ = history(scenario)
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
