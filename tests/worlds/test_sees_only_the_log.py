"""DESIGN D8: the recommender learns from the log alone."""

from collections.abc import Callable

import numpy as np
import pytest

from twin.engine.simulation import Simulation
from twin.ground.errors import StateError
from twin.ground.units import DAY
from twin.mechanisms.recommender import Recommender
from twin.scenario.loading import Scenario


def hidden(simulation: Simulation) -> list[tuple[str, str]]:
    return [
        (name, column.name)
        for name, table in simulation.world.tables.items()
        for column in table.columns.values()
        if column.hidden
    ]


def recommender(simulation: Simulation) -> Recommender:
    return next(m for m in simulation.mechanisms if isinstance(m, Recommender))


def test_hidden_columns_are_refused(small: Callable[..., Scenario]) -> None:
    """Every hidden column raises when the recommender asks for it; there are many, tastes and
    quality among them."""
    simulation = Simulation(small())
    simulation.begin()
    columns = hidden(simulation)
    assert {
        ("consumers", "taste"),
        ("posts", "content"),
        ("posts", "quality"),
        ("consumers", "opinion"),
    } <= set(columns)
    for table, column in columns:
        with pytest.raises(StateError, match="cannot observe"):
            recommender(simulation).read(table, column)


def test_scrambling_what_is_hidden_changes_nothing_that_is_learned_or_served(
    small: Callable[..., Scenario],
) -> None:
    """With the same log, a world whose hidden columns are noise trains and serves bit for bit the
    same."""
    served = []
    for scramble in (False, True):
        simulation = Simulation(small("duration=6d"))
        simulation.begin()
        simulation.run(4 * DAY + 6 * 3600)  # the next training is due
        if scramble:
            rng = np.random.default_rng(0)
            for name, column in hidden(simulation):
                values = simulation.world.tables[name][column]
                values[...] = rng.normal(size=values.shape).astype(values.dtype)
        feed = recommender(simulation)
        assert feed.keep["log.size"][0] > 100
        trained = feed.keep["counts"].copy()
        feed.retrain()
        assert (feed.keep["counts"] > trained).all()
        feed.sync()
        feed.refresh()
        served.append(
            {
                **{name: array.copy() for name, array in feed.keep.items()},
                **feed.server.serving()._asdict(),
            }
        )
    assert served[0].keys() == served[1].keys()
    assert [
        name for name in served[0] if served[0][name].tobytes() != served[1][name].tobytes()
    ] == []
