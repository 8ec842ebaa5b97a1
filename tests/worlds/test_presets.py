"""What the feed takes from a preset, in worlds."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.kernels.rules import SOURCES, Source
from twin.kernels.snapshot import Serving
from twin.mechanisms.recommender.presets import (
    KEPT,
    PUBLISHED,
)
from twin.mechanisms.recommender.presets import QUOTAS as PRESET_QUOTAS
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]


def test_share_shown_from_creators_followed(small: Small) -> None:
    """The metric is what the sources say, since the last reading; about half where half of the
    slots are kept, less where none are."""
    shares = {}
    for kept in (0.0, 0.5):
        simulation, readings = history(
            small(
                "duration=10d",
                "network.follows_mean=20.0",
                "recommender.slate=10",
                f"recommender.in_network_slots={kept}",
            )
        )
        board = simulation.world.board
        by_source = np.diff(
            readings[:, [board.index("source_impressions", source=source) for source in SOURCES]],
            axis=0,
        )
        shares[kept] = readings[:, board.index("in_network_share")]
        assert shares[kept][1:] == pytest.approx(
            by_source[:, Source.IN_NETWORK] / by_source.sum(1), abs=1e-12
        )
    assert (
        0.35 < shares[0.5][-3:].mean() < 0.6
        and shares[0.0][-3:].mean() < shares[0.5][-3:].mean() - 0.05
    )


def served(scenario: Scenario) -> Serving:
    """The first snapshot."""
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(600)
    serve: Serving = simulation.world.service("serving")()
    return serve


def test_quotas_slots_and_offset_follow_the_preset(small: Small) -> None:
    """Unless they are given; arms of consumers have those of their own preset."""
    serve = served(
        small(
            "recommender.preset=x_2023",
            "recommender.quota.trending=7",
            "policies=[{name: a, share: 0.5, set: {recommender.preset: likes, "
            "recommender.random_share: 0.25}}, "
            "{name: b, share: 0.5, set: {recommender.preset: x_2026, recommender.negative_offset: "
            "0, "
            "recommender.in_network_slots: 0.2, recommender.quota.in_network: 80}}]",
        )
    )
    assert serve.rules["quota"][:3].tolist() == [
        [50, 30, 7, 10, 0, 0],
        [50, 30, 7, 10, 0, 0],
        [80, 25, 7, 10, 0, 0],
    ]
    fields = "negative_offset", "negative_sum", "total_sum", "in_network_slots", "random_share"
    assert np.stack([serve.rules[field][:3] for field in fields], 1) == pytest.approx(
        np.array(
            [[0.001, 443, 566.005, 0.5, 0], [0, 0, 1, 0.5, 0.25], [0, 367.22, 410.54, 0.2, 0]]
        ),
        rel=1e-6,
    )
    assert all(sum(quota.values()) == 100 for quota in PRESET_QUOTAS.values()) and set(
        PRESET_QUOTAS
    ) == set(KEPT) == set(PUBLISHED)
