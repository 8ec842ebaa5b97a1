"""The twin as a platform: the log of a simulated world, observed, is what the world's own metrics
say."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.given.logs import observe
from twin.engine.simulation import Simulation
from twin.kernels.rules import SOURCES
from twin.kernels.training import HEADS
from twin.mechanisms.recommender import Recommender
from twin.scenario.loading import Scenario

DAYS = 6


def exported(scenario: Scenario, path: Path, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """Run a world and write every impression in the layout ``twin``. What the log keeps is the
    window of an impression, not its second: the order within a window is that of the file."""
    parts: list[dict[str, Any]] = []
    begun = 0
    plain = Recommender.observe

    def watched(self: Recommender) -> None:
        nonlocal begun
        window = self.learner.log.window()
        world = self.world
        # the first impression of a session has place 0, on the slate
        session = begun + np.cumsum(window.place == 0)
        begun = int(session[-1]) if len(session) else begun
        made = world.tables["posts"]["creator"][window.post]
        at = dt.datetime.combine(scenario.start, dt.time(), dt.UTC)
        moment = at + dt.timedelta(seconds=int(world.now) - 1)
        parts.append(
            {
                "time": pa.array([moment] * len(session), pa.timestamp("us", "UTC")),
                "consumer": window.consumer.copy(),
                "post": world.tables["posts"]["key"][window.post].astype(str),
                "creator": np.array(made, np.int64),
                "session": session,
                "place": window.place.astype(int),
                "source": np.array(SOURCES)[window.source],
                "explore": window.source == SOURCES.index("random"),
                **{name: (window.responses >> r) & 1 for r, name in enumerate(HEADS)},
            }
        )
        plain(self)

    monkeypatch.setattr(Recommender, "observe", watched)
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(scenario.duration)
    pq.write_table(pa.concat_tables([pa.table(part) for part in parts]), path)
    return simulation


def test_a_world_observed_is_what_its_metrics_say(
    small: Callable[..., Scenario], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Impressions, sessions and every response, to the last one; random slots are the flag of
    exploration."""
    scenario = small(f"duration={DAYS}d", "warm_up=0d", "recommender.random_share=0.2")
    board = exported(scenario, tmp_path / "log.parquet", monkeypatch).world.board

    def total(name: str, **labels: str) -> float:
        return sum(board.total(name, **labels, by=by) for by in ("human", "ai"))

    whole = observe(tmp_path, tmp_path / "log.parquet", layout="twin")
    # metrics are read at midnight: what the board holds is of all days but the last
    found = whole.until(scenario.start + dt.timedelta(days=DAYS - 2))
    assert found.manifest["rows"]["bad"] == {}
    days, shown = found.series("impressions")
    assert len(days) == DAYS - 1 and days[0] == scenario.start
    assert shown.sum() == total("impressions")
    # a visit in which nothing was looked at leaves no row: the log has a few sessions less
    sessions = found.series("sessions")[1].sum()
    assert 0.98 * board.total("sessions") <= sessions <= board.total("sessions")
    table = pq.read_table(tmp_path / "log.parquet", columns=["place"])
    begun = pc.sum(pc.equal(table.column("place"), 0)).as_py()
    assert whole.manifest["facts"]["sessions"] == begun
    for name in HEADS:
        made = pc.sum(found.select("responses", cut="all", response=name).column("total"))
        assert made.as_py() == total("responses", head=name), name
    sources = found.select("counts", cut="source")
    by_source = dict.fromkeys(SOURCES, 0)
    for row in sources.to_pylist():
        by_source[row["label"]] += row["impressions"]
    assert by_source["random"] > 0
    random = found.select("counts", cut="explore", key=1)
    assert pc.sum(random.column("impressions")).as_py() == by_source["random"]
    has = {each["statistic"] for each in found.manifest["statistics"] if each["has"]}
    assert {"pairs of one person's impressions of one maker", "random exposure"} <= has
