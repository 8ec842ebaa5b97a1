"""A population of the user's: the world begins with it, draws the rest as ever, and goes on only
with the files with which it began."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.worlds.test_impressions import Killed, Killer
from twin.engine.simulation import Simulation
from twin.ground.errors import CheckpointError
from twin.ground.units import DAY, HOUR
from twin.running import drive
from twin.scenario.loading import Scenario

SETTINGS = ("warm_up=0d", "duration=30h", "metrics.every=6h", "chatbots.enabled=false")
PEOPLE = 120
MAKERS = 30


def tables(folder: Path) -> tuple[str, ...]:
    """Settings with a table of people, one of creators and the ties between them."""
    rows = ["id,activity,time_zone,community,joined,opinion"]
    for k in range(PEOPLE):
        joined = "2025-01-03" if k % 20 == 0 else "2020-05-05"
        opinion = "" if k % 10 == 5 else f"{k / PEOPLE - 0.5:.3f}"
        rows.append(
            f"p{k},{0.1 + 0.8 * k / PEOPLE:.3f},{k % 5 - 2},{'ab'[k % 2]},{joined},{opinion}"
        )
    (folder / "people.csv").write_text("\n".join(rows), encoding="utf-8")
    rows = ["id,posts_per_day,followers,niche_0,niche_1"]
    for k in range(MAKERS):
        rows.append(f"p{4 * k + 1},{0.5 + k / 10},{2 ** (k % 9)},{k + 1},1")
    (folder / "makers.csv").write_text("\n".join(rows), encoding="utf-8")
    # everybody follows the next two people, of whom about a quarter are creators
    ties = [f"p{k};p{(k + step) % PEOPLE}" for k in range(PEOPLE) for step in (1, 2)]
    (folder / "ties.csv").write_text("\n".join(ties), encoding="utf-8")
    return (f"audience.from={folder / 'people.csv'}", f"creators.from={folder / 'makers.csv'}")


def begun(scenario: Scenario) -> Simulation:
    """A world at the end of its first hour: the graph is built, opinions have started."""
    simulation = Simulation(scenario)
    simulation.begin()
    simulation.run(HOUR)
    return simulation


def test_the_world_begins_with_the_tables(small: Callable[..., Scenario], tmp_path: Path) -> None:
    """Every column of either table is what the world has."""
    settings = tables(tmp_path)
    world = begun(small(*SETTINGS, *settings)).world
    consumers, creators = world.table("consumers"), world.table("creators")
    k = np.arange(PEOPLE)
    assert int(consumers["active"].sum()) == PEOPLE
    chance = 1 / (1 + np.exp(-consumers["return_logit"][:PEOPLE].astype(float)))
    assert np.abs(chance - (0.1 + 0.8 * k / PEOPLE)).max() < 1e-3
    assert consumers["tz"][:PEOPLE].tolist() == (k % 5 - 2).tolist()
    assert consumers["community"][:PEOPLE].tolist() == (k % 2).tolist()
    known = k % 10 != 5
    opinion = consumers["opinion"][:PEOPLE]
    assert np.abs(opinion - (k / PEOPLE - 0.5))[known].max() < 1e-3
    # the others start at rest among those whom they follow, and not all at one place
    assert opinion[~known].std() > 0.01
    late = k % 20 == 0
    assert (consumers["next_at"][:PEOPLE][late] // DAY == 2).all()
    assert (consumers["joined_at"][:PEOPLE] > 0).tolist() == late.tolist()
    made = np.arange(MAKERS)
    assert creators["person"][:MAKERS].tolist() == (4 * made + 1).tolist()
    assert np.allclose(creators["rate"][:MAKERS], 0.5 + made / 10)
    assert np.allclose(creators["niche"][:MAKERS, 0], (made + 1) / np.hypot(made + 1, 1))
    assert not creators["niche"][:MAKERS, 2:].any() and creators["ai"][MAKERS:].all()
    # in-degrees go by the followers of the table
    followers = creators["followers"][:MAKERS]
    assert np.corrcoef(followers, 2.0 ** (made % 9))[0, 1] > 0.8


def test_a_graph_between_the_people_of_the_tables(
    small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Its ties are follows of those who are creators, by id, and no others."""
    graph = (f"network.path={tmp_path / 'ties.csv'}", "network.kind=edge_list")
    settings = (*tables(tmp_path), *graph, "network.directed=true")
    world = begun(small(*SETTINGS, *settings)).world
    follows = world.service("follow_graph")()
    person = world.table("creators")["person"]
    pairs = {
        (row, int(person[creator]))
        for row in range(PEOPLE)
        for creator in follows.target[follows.start[row] : follows.start[row + 1]]
    }
    makers = {4 * k + 1 for k in range(MAKERS)}
    ties = {(k, (k + step) % PEOPLE) for k in range(PEOPLE) for step in (1, 2)}
    assert pairs == {tie for tie in ties if tie[1] in makers} and len(pairs) == 2 * MAKERS
    # without a table of creators all people of the graph are
    world = begun(small(*SETTINGS, settings[0], *settings[2:])).world
    assert len(world.service("follow_graph")().target) == len(ties)


def test_what_a_table_does_not_say_is_drawn_as_without_it(
    small: Callable[..., Scenario], tmp_path: Path
) -> None:
    """Tables of nothing but ids, as many as there are people: the bytes of a world without."""
    scenario = small(*SETTINGS, "duration=12h")
    count = scenario.mechanisms["audience"].initial  # type: ignore[attr-defined]
    ids = tmp_path / "ids.csv"
    ids.write_text("id\n" + "".join(f"{k}\n" for k in range(count)), encoding="utf-8")
    one, other = (
        begun(each).world.tables
        for each in (scenario, small(*SETTINGS, "duration=12h", f"audience.from={ids}"))
    )
    for name, table in one.items():
        for column in table.columns:
            assert np.array_equal(table[column], other[name][column], equal_nan=False), column


def test_a_run_goes_on_with_the_files_with_which_it_began(
    small: Callable[..., Scenario], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, resumed and forked to the same bytes; a changed table ends that in a line."""
    monkeypatch.setattr(drive, "CHECKPOINT_SIM_S", 30 * HOUR)
    # drawing takes longer than the runs
    monkeypatch.setattr("twin.readers.report.write_report", lambda out: out)
    scenario = small(*SETTINGS, "duration=4d", "metrics.every=12h", *tables(tmp_path))
    drive.start(scenario, tmp_path / "whole")
    with pytest.raises(Killed):
        drive.start(scenario, tmp_path / "run", watcher=Killer(2))
    drive.fork_stopped(tmp_path / "run", {"branch": "b", "out": str(tmp_path / "b")})
    people = tmp_path / "people.csv"
    kept = people.read_bytes()
    people.write_bytes(kept + b"\nnew,0.5,0,a,,")
    for run in ("run", "b"):
        with pytest.raises(CheckpointError, match=r"the file of audience\.from was changed"):
            drive.resume(tmp_path / run)
    with pytest.raises(CheckpointError, match=r"audience\.from was changed"):
        drive.fork_stopped(tmp_path / "run", {"branch": "c", "out": str(tmp_path / "c")})
    people.write_bytes(kept)
    whole = (tmp_path / "whole" / "metrics.parquet").read_bytes()
    for run in ("run", "b"):
        drive.resume(tmp_path / run)
        assert (tmp_path / run / "metrics.parquet").read_bytes() == whole
