"""Opinions of people who join a world."""

import numpy as np
import pytest

from tests.conftest import history
from twin.engine.simulation import Simulation
from twin.ground.units import DAY
from twin.kernels import opinion as kernel


def test_people_start_at_rest_and_newcomers_too(small):
    """Without posts the variance of opinion stays where it starts at rest, and falls to the same
    place from the anchors."""
    quiet = (
        "opinions.exposure_rate=0",
        "opinions.peer_rate=0.3",
        "duration=40d",
        "audience.arrivals=0/d",
        "audience.leave=0",
    )
    moved = {}
    for begin in ("rest", "anchors"):
        simulation, readings = history(small(*quiet, f"opinions.start={begin}"))
        course = readings[:, simulation.world.board.index("opinion_variance")]
        moved[begin] = (course[-1] / course[0] - 1, course[-1])
    assert abs(moved["rest"][0]) < 0.05 < 0.2 < -moved["anchors"][0]
    assert moved["rest"][1] == pytest.approx(moved["anchors"][1], rel=0.05)


def test_other_models_start_at_their_anchors(small):
    """DeGroot's rest is one opinion for all and bounded confidence has many: there, as without
    peers, `rest` leaves anchors alone."""
    for settings in (
        ("opinions.model=degroot",),
        ("opinions.model=deffuant",),
        ("opinions.peer_rate=0",),
        ("opinions.start=anchors",),
    ):
        simulation = Simulation(small(*settings))
        simulation.begin()
        simulation.run(600)
        table = simulation.world.tables["consumers"]
        assert np.array_equal(table["opinion"], table["anchor"]), settings
    simulation = Simulation(small())
    simulation.begin()
    simulation.run(600)
    table = simulation.world.tables["consumers"]
    assert table["opinion"].var() < 0.8 * table["anchor"].var()
    simulation.run(12 * DAY + 600)
    late = np.flatnonzero(table["joined_at"] >= 12 * DAY)  # they come within a day of being opened
    graph, creators = (
        simulation.world.service("follow_graph")(),
        simulation.world.tables["creators"],
    )
    x, openness = table["opinion"].astype(float), 1.0 - table["stubbornness"].astype(float)
    kernel.rest(
        x,
        table["anchor"].astype(float),
        openness,
        late,
        1e-9,
        1000,
        kernel.Graph(graph.start, graph.target, creators["person"], creators["slant"]),
    )
    assert len(late) and np.array_equal(x.astype(np.float32), table["opinion"])


def test_nobody_starts_twice(small, monkeypatch):
    """Everybody comes to rest once, on the day on which they join: not again after a day of being
    moved."""
    simulation = Simulation(small("audience.arrivals=20/d"))
    keys, plain = [], kernel.rest

    def rest(x, anchor, openness, new, *more):
        keys.append(simulation.world.tables["consumers"]["key"][new])
        plain(x, anchor, openness, new, *more)

    monkeypatch.setattr(kernel, "rest", rest)
    simulation.begin()
    simulation.run(8 * DAY + 600)
    settled = np.concatenate(keys)
    assert len(keys) > 5 and len(settled) > 400 and len(np.unique(settled)) == len(settled)
