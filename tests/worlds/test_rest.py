"""Reasons for which a world may not be at rest, as worlds declare them."""

from collections.abc import Callable

from tests.given.drifts import drift
from twin.engine.simulation import Simulation
from twin.experiments import rest
from twin.scenario.loading import Scenario

Small = Callable[..., Scenario]


def test_reasons_that_are_declared(small: Small) -> None:
    """A total is judged by those who make it up, each kind by its own; a mean by nobody; a declared
    reason counts where it drifts, only."""
    rows = list(Simulation(small()).world.board.rows)

    def heads(name: str, **labels: str) -> tuple[str, dict[str, str]] | None:
        found = rest._heads(
            rows,
            rows.index(next(row for row in rows if row[0].name == name and dict(row[1]) == labels)),
        )
        return None if found is None else (rows[found][0].name, dict(rows[found][1]))

    for kind in ("ai", "human"):
        assert heads("posts", by=kind) == ("creators_active", {"by": kind})
    assert heads("chat_sessions") == ("chat_users", {}) and heads("sessions") == (
        "consumers_active",
        {},
    )
    assert (
        heads("trust_mean") is None
        and heads("satisfaction_mean") is None
        and heads("consumers_active") is None
    )
    for metric, _ in rows:
        assert not metric.of or heads(metric.name, **next(metric.series())) is not None, metric.name
    known = drift(why="they age")
    assert (
        known.verdict == "moves"
        and rest._words(known) == "moves: they age"
        and rest.proposed(small(), [known])[1] == []
    )
    assert drift(why="they age", change=(0.0, -0.01, 0.01)).verdict == "at rest"
    assert drift(why="they age", change=(0.08, -0.1, 0.2)).verdict == "unclear"
