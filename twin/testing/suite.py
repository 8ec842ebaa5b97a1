"""The contract as a class to inherit from: name a scenario and a mechanism, and pytest runs all
checks."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from twin.engine.simulation import Simulation
from twin.mechanisms import REGISTRY
from twin.scenario.loading import Scenario, load
from twin.testing import contract, standing_in

SMALL = (
    "audience.initial=300",
    "audience.arrivals=3/d",
    "creators.human.initial=60",
    "creators.human.arrivals=0.5/d",
    "creators.ai.initial=6",
    "creators.ai.arrivals=0.2/d",
    "network.follows_mean=10.0",
    "network.communities=6",
    "recommender.lists=8",
    "warm_up=0d",
    "duration=32d",
    "metrics.every=1d",
)
"""Settings that make a world small enough for a test: 300 people, 66 creators."""
TINY: dict[str, tuple[str, ...]] = {
    "nobody creates": (
        "audience.initial=1",
        "creators.human.initial=0",
        "creators.ai.initial=0",
    ),
    "one of each": ("audience.initial=1", "creators.human.initial=1", "creators.ai.initial=1"),
    "everybody leaves": (
        "audience.initial=40",
        "creators.human.initial=5",
        "creators.ai.initial=0",
        "audience.arrivals=0/d",
        "audience.leave=1.0",
    ),
    "a feed of one post": ("recommender.dim=1", "recommender.lists=1", "recommender.slate=1"),
}
"""Worlds in which something is missing: settings by what is special about them."""


class MechanismTests:
    """Derive a test class from this, and set ``scenario`` and ``mechanism``.

    ``scenario``: the YAML file that uses the mechanism, relative to the current folder, or the name
    of one that comes with twin;
    ``mechanism``: its name in that file; ``settings``: what makes its worlds small, as ``--set``
    takes it (change it if the scenario leaves out a mechanism that these name).
    """

    scenario: ClassVar[str | Path]
    mechanism: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = (*SMALL, "policies=[]")

    @classmethod
    def load(cls, *more: str) -> Scenario:
        """The small world, with more settings."""
        return load(cls.scenario, (*cls.settings, *more))

    @classmethod
    def kind(cls) -> contract.Kind:
        """The class of the mechanism."""
        return cls.load().registry[cls.mechanism]

    @classmethod
    def world(cls) -> Simulation:
        """The small world after eight days, with arrivals and exits; run once per class."""
        # In the class's own dict: a derived class must not get the world of its parent
        if "_world" not in cls.__dict__:
            cls._world = contract.grown(cls.load("duration=8d"))
        return cls._world

    _world: ClassVar[Simulation]

    def test_is_documented(self) -> None:
        """Docstrings, help, units, sources."""
        contract.check_is_documented(self.kind())
        contract.check_columns_and_metrics_are_documented(self.kind())

    def test_defaults_are_within_their_ranges(self) -> None:
        """The defaults pass the same validation as a user's values."""
        contract.check_defaults_are_within_their_ranges(self.kind())

    def test_needs_are_provided(self) -> None:
        """No service is needed that nobody offers."""
        contract.check_needs_are_provided(self.kind(), self.load().registry)

    def test_clocks_lie_on_the_grid(self) -> None:
        """Known phases, and periods that are multiples of the serving refresh."""
        contract.check_clocks_lie_on_the_grid(contract.of(self.world(), self.mechanism))

    def test_measuring_is_complete_finite_and_pure(self) -> None:
        """Every declared series is written, no other, and no column is changed."""
        contract.check_measuring_is_complete_finite_and_pure(self.world(), self.mechanism)

    def test_owns_what_it_writes(self) -> None:
        """Own columns can be written, those of others cannot."""
        contract.check_owns_what_it_writes(self.world(), self.mechanism)

    def test_no_column_holds_nonsense(self) -> None:
        """No NaN and no infinity after eight days."""
        contract.check_no_column_holds_nonsense(self.world())

    def test_tiny_and_dying_worlds_run(self) -> None:
        """Nobody, one of each, and a world that empties."""
        for settings in TINY.values():
            contract.check_it_runs(self.load("duration=4d", *settings))

    def test_saved_and_loaded_continues_exactly(self) -> None:
        """A resumed run has the same bytes."""
        contract.check_saved_and_loaded_continues_exactly(self.load("duration=8d"), self.world())

    def test_reference_mode_gives_the_same(self) -> None:
        """One process per person gives the same bytes."""
        # Short, since one process per person is many times slower
        short = self.load("duration=2d")
        contract.check_reference_mode_gives_the_same(short, contract.grown(short))


class ReplacementTests(MechanismTests):
    """The same for a class that stands in for a mechanism of twin's: ``mechanism`` is the name of
    that one, and the scenario names the class there."""

    @classmethod
    def replaced(cls) -> contract.Kind:
        """The mechanism for which it stands in."""
        return REGISTRY[cls.mechanism]

    def test_brings_what_others_use(self) -> None:
        """Columns, services, levers and metrics."""
        standing_in.check_brings_what_others_use(
            self.kind(), self.replaced(), self.load().registry.values()
        )

    def test_services_are_alike(self) -> None:
        """Services are offered, and give what those of the replaced mechanism give."""
        built_in = f"{self.replaced().__module__}.{self.replaced().__name__}"
        theirs = contract.grown(self.load("duration=1d", f"{self.mechanism}.class={built_in}"))
        standing_in.check_services_are_alike(
            self.world(), theirs, self.replaced(), self.load().registry.values()
        )

    def test_values_are_within(self) -> None:
        """What others read is within the bounds that they take for granted."""
        standing_in.check_values_are_within(
            self.world(), self.replaced(), self.load().registry.values()
        )
