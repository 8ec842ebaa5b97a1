"""Memory of worlds: what is counted, what is estimated, and what is taken once it is used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.running.estimate import BYTES_AT_REST, memory, plan
from twin.scenario.loading import Scenario
from twin.world.columns import held_bytes

PLAIN = {"base": (), "everything": ("policies=[]",)}


def arrays_in(thing: Any, found: dict[int, np.ndarray], seen: set[int]) -> dict[int, np.ndarray]:
    """Whole arrays that can be reached from an object, by identity."""
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type, Scenario)):
        return found
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        whole = thing
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        found[id(whole)] = whole
        return found
    parts = (
        thing
        if isinstance(thing, (list, tuple))
        else thing.values()
        if isinstance(thing, dict)
        else getattr(thing, "__dict__", {}).values()
    )
    for part in list(parts):
        arrays_in(part, found, seen)
    return found


@pytest.mark.parametrize("base", ["base", "everything"])
def test_state_counts_all_that_is_held(base: str, small: Callable[..., Scenario]) -> None:
    """Every array that a simulation can reach is counted, with its unused end; and nothing much is
    unused."""
    simulation = Simulation(small("audience.initial=4000", "duration=6d", *PLAIN[base], base=base))
    simulation.begin()
    simulation.run(5 * DAY + 300)
    reached = sum(held_bytes(array) for array in arrays_in(simulation, {}, set()).values())
    counted = simulation.state_bytes()
    assert 0.97 * reached < sum(counted.values()) < 1.05 * reached
    tables = simulation.world.tables
    assert all(
        counted[f"table {name}"] <= 1.25 * table.bytes_per_row() * len(table)
        for name, table in tables.items()
        if len(table) > 1000
    )
    size = len(tables["consumers"])
    for name, array in simulation.world.state.items():
        if size < len(array) < 3 * size and name.split(".")[1] in ("serve", "network", "trained"):
            assert len(array) <= 1.25 * size, name


@pytest.mark.parametrize(("base", "days"), [("base", 8), ("everything", 12)])
def test_the_estimate_of_memory_is_that_of_the_world(
    base: str, days: int, small: Callable[..., Scenario]
) -> None:
    """State of a world that has run is within 20 % of what `twin check` says, altogether and in the
    largest parts."""
    scenario = small(
        "audience.initial=6000",
        "creators.human.initial=600",
        "network.follows_mean=30.0",
        f"duration={days}d",
        *PLAIN[base],
        base=base,
    )
    simulation, said = Simulation(scenario), memory(scenario)
    simulation.begin()
    simulation.run(scenario.duration)
    sizes = simulation.state_bytes()
    assert said.state == pytest.approx(sum(sizes.values()), rel=0.2)
    assert said.parts["consumers"] == pytest.approx(sizes["table consumers"], rel=0.1)
    graph = sum(size for name, size in sizes.items() if name.startswith("network."))
    assert said.parts["follow graph"] == pytest.approx(graph, rel=0.2)
    assert (
        BYTES_AT_REST + said.state < said.peak < 2 * (BYTES_AT_REST + said.state)
        and said.build <= said.peak
    )
    assert "bytes per consumer" in plan(scenario)


def test_the_reward_model_takes_memory_once_it_is_in_use(
    small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Off, it holds nothing; a policy that turns it on gives everybody a place, newcomers too; a
    resumed run agrees."""
    scenario = small(
        "duration=6d", "policies=[{name: on_now, at: 2d, set: {recommender.reward.weight: 1.0}}]"
    )
    first, second = Simulation(scenario), Simulation(scenario)
    first.begin()
    first.run(2 * DAY)
    kept = (
        "recommender.reward.pull",
        "recommender.reward.precision",
        "recommender.serve.reward.own",
    )
    assert all(len(first.world.state[name]) == 0 for name in kept)
    first.save(tmp_path / "t1")
    second.load(tmp_path / "t1")
    for simulation in (first, second):
        simulation.run(6 * DAY)
    people = len(first.world.table("consumers"))
    for name in kept:
        assert len(first.world.state[name]) >= people and first.world.state[name].any()
        assert np.array_equal(first.world.state[name], second.world.state[name])
    assert np.array_equal(first.world.board.values, second.world.board.values, equal_nan=True)
