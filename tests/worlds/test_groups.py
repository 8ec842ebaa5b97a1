"""Means by group, in a world, are those that its tables give by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from tests.worlds.shared import Run, run_once
from twin.ground.units import DAY
from twin.scenario.loading import Scenario

run: Run = run_once()


def test_readings_are_those_of_the_tables(small: Callable[..., Scenario]) -> None:
    """Tenths by followers, kinds, communities, fifths by activity, opinions and newcomers, by
    pandas."""
    simulation, _ = run(small("duration=12d", "creators.assisted_from=1d"))
    world = simulation.world
    board, now = world.board, world.now
    creators = pd.DataFrame(
        {
            name: world.table("creators")[name]
            for name in ("active", "campaign", "ai", "assisted", "followers", "income", "community")
        }
    )
    posts = world.table("posts")
    live = posts["alive"] & (~posts["settled"] | posts["work"])
    seen = pd.Series(posts["impressions"][live]).groupby(posts["creator"][live]).sum()
    creators["reach"] = seen.reindex(creators.index).fillna(0)
    mine = creators[creators.active & ~creators.campaign].astype({"income": float})
    kind = np.where(mine.ai, "ai", np.where(mine.assisted, "assisted", "human"))
    tenth = (mine.followers.rank(method="first").astype(int) - 1) * 10 // len(mine)
    for name, column in (("reach", "reach"), ("pay", "income")):
        for label, value in mine[column].groupby(kind).mean().items():
            assert board.get(f"{name}_by_kind", kind=str(label)) == pytest.approx(value)
        found = [
            board.get(f"{name}_by_followers", followers=label)
            for label in board.metrics[f"{name}_by_followers"].labels["followers"]
        ]
        assert found == pytest.approx(mine[column].groupby(tenth).mean().tolist())
        for number, value in mine[column].groupby(mine.community).mean().items():
            assert board.get(f"{name}_by_community", community=str(number + 1)) == pytest.approx(
                value
            )
        # its steps sum to the whole
        steps = [
            board.get(f"{name}_share", tenth=label)
            for label in board.metrics[f"{name}_share"].labels["tenth"]
        ]
        assert sum(steps) == pytest.approx(1) and sorted(steps) == steps

    table = world.table("consumers")
    names = ("active", "satisfaction", "return_logit", "opinion", "joined_at")
    people = pd.DataFrame({name: table[name] for name in names})
    people = people[people.active].astype({"satisfaction": float})
    fifth = (people.return_logit.rank(method="first").astype(int) - 1) * 5 // len(people)
    found = [
        board.get("satisfaction_by_activity", activity=label)
        for label in board.metrics["satisfaction_by_activity"].labels["activity"]
    ]
    assert found == pytest.approx(people.satisfaction.groupby(fifth).mean().tolist())
    side = pd.cut(people.opinion, [-2, -1 / 3, 1 / 3, 2], labels=["left", "middle", "right"])
    for label, value in people.satisfaction.groupby(side, observed=True).mean().items():
        assert board.get("satisfaction_by_opinion", opinion=str(label)) == pytest.approx(value)
    new = (people.joined_at > 0) & (now - people.joined_at < 28 * DAY)
    assert new.any() and not new.all()
    for label, who in (("newcomer", new), ("settled", ~new)):
        value = people.satisfaction[who].mean()
        assert board.get("satisfaction_by_tenure", tenure=label) == pytest.approx(value)
