"""Calls of kernels take numba's fast way."""

import collections

import pytest
from numba.core.dispatcher import Dispatcher

from tests.conftest import SCENARIOS
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.scenario.loading import load


def test_no_kernel_is_looked_up_again_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that was called is found by the types of its arguments within a microsecond. numba
    tells NamedTuples apart by name and content alone: where two kernels have classes of one name,
    the later one goes through the compiler at every call, a quarter of a millisecond each time."""
    settings = ("audience.initial=300", "creators.human.initial=60", "warm_up=0d")
    world = Simulation(load(SCENARIOS / "everything.yaml", settings))
    world.begin()
    world.run(DAY)
    calls: collections.Counter[str] = collections.Counter()
    compiled = Dispatcher._compile_for_args

    def counted(self: Dispatcher, *args: object, **named: object) -> object:
        calls[f"{self.py_func.__module__}.{self.py_func.__name__}"] += 1
        return compiled(self, *args, **named)

    monkeypatch.setattr(Dispatcher, "_compile_for_args", counted)
    world.run(2 * DAY)
    windows = DAY // world.scenario.grid
    often = {name: count for name, count in calls.items() if count > windows / 4}
    assert not often
