"""Tables of people and creators as users have them: read, or refused in one line that names file
and row."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twin.ground.errors import ScenarioError
from twin.mechanisms.network.graph_files import read_graph
from twin.scenario.loading import load
from twin.scenario.population import population
from twin.world.given import Given
from twin.world.given_reading import read_table

DAY = (dt.date(2025, 1, 31) - dt.date(1970, 1, 1)).days


def put(folder: Path, name: str, data: bytes | str | dict[str, Any]) -> Path:
    """A file: Parquet of columns, or text."""
    path = folder / name
    if isinstance(data, dict):
        pq.write_table(pa.table(data), path)
    else:
        path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


def table(folder: Path, data: bytes | str | dict[str, Any], kind: str = "people") -> Given:
    """What is read from it."""
    return read_table(str(put(folder, "t.csv", data)), kind)


def refused(folder: Path, data: bytes | str | dict[str, Any], kind: str = "people") -> str:
    """The one line with which it is refused."""
    with pytest.raises(ScenarioError) as caught:
        table(folder, data, kind)
    (line,) = str(caught.value).splitlines()
    return line.removeprefix(f"{folder}/")


def odd_names() -> bytes:
    """Parquet with a column whose name is not UTF-8."""
    made = io.BytesIO()
    pq.write_table(pa.table({"id": ["a"], "zzz": [1]}), made, store_schema=False)
    return made.getvalue().replace(b"zzz", b"\xff\xfe\xfd")


ALL = "id,activity,time_zone,community,joined,opinion\nb,0.5,-5,x,2025-01-31,0.25\na,,1,y,,\n"


@pytest.mark.parametrize(
    "data",
    [
        ALL,
        ALL.replace(",", ";"),
        ALL.replace(",", "\t"),
        ALL.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + ALL.encode() + b"\n\n",
        ALL.rstrip("\n"),
        gzip.compress(ALL.encode(), mtime=0),
        'ID,"Activity",Time_Zone,community,joined,opinion\n'
        '"b","0.5","-5","x","2025-01-31T10:00:00","0.25"\na,NA,1,y,nan,null\n',
        {
            "id": ["b", "a"],
            "activity": [0.5, None],
            "time_zone": pa.array([-5, 1], pa.int16()),
            "community": pa.array(["x", "y"]).dictionary_encode(),
            "joined": [dt.date(2025, 1, 31), None],
            "opinion": pa.array([0.25, None], pa.float32()),
        },
    ],
    ids=[
        "commas",
        "semicolons",
        "tabs",
        "carriage returns",
        "byte-order mark",
        "no last line end",
        "gzip",
        "quotes and words for nothing",
        "Parquet",
    ],
)
def test_tables_that_mean_the_same(tmp_path: Path, data: bytes | str | dict[str, Any]) -> None:
    """Any separator, line end, mark, packing, quotes, empty cell, and Parquet."""
    given = table(tmp_path, data)
    assert (given.rows, given.ids, given.communities) == (2, ["b", "a"], ["x", "y"])
    rows = np.array([1, 0, 5])
    for name, first, second in (
        ("activity", 0.5, np.nan),
        ("time_zone", -5, 1),
        ("community", 0, 1),
        ("joined", DAY, np.nan),
        ("opinion", 0.25, np.nan),
        ("none", np.nan, np.nan),
    ):
        # rows beyond the table are drawn
        assert np.array_equal(given.known(name, rows), [second, first, np.nan], equal_nan=True)
    assert given.said.startswith("people t.csv: 2 rows, id, activity,")
    assert given.said.endswith("; drawn: taste")


def test_directions_are_made_unit_vectors(tmp_path: Path) -> None:
    """From numbered columns or lists, of up to 16 numbers; a row without one is drawn."""
    drawn = np.full((3, 16), 9.0)
    for data in (
        "niche_1,niche_0,posts_per_day\n4,3,1\n,,2\n",
        "niche_1,niche_0,posts_per_day\n4e307,3e307,1\n,,2\n",
        {"niche": [[3.0, 4.0], None], "posts_per_day": [1, 2]},
    ):
        given = table(tmp_path, data, "creators")
        found = given.vector("niche", np.array([0, 1, 2]), drawn)
        assert np.allclose(found[0], [0.6, 0.8] + [0.0] * 14)
        assert (found[1:] == 9).all() and (given.vector("taste", np.arange(3), drawn) == 9).all()


def test_communities_are_numbered_and_ids_compared(tmp_path: Path) -> None:
    """Numbers by size, names by letters; 007 is 7 where all ids are numbers."""
    given = table(tmp_path, "id,community\n007,10\n12,9\n")
    assert given.ids == ["7", "12"] and given.communities == ["9", "10"]
    assert given.numbers["community"].tolist() == [1.0, 0.0]
    assert table(tmp_path, "id,opinion\n007,0\nx,0\n").ids == ["007", "x"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("id,opinion\na,0\n,0\n", "t.csv:3 audience.from: its id is missing"),
        ("id,opinion\na,0\nb,0\na,0\n", "t.csv:4 audience.from: the id a was given in line 2"),
        ({"id": [1, 2, 1]}, "t.csv audience.from: row 3: the id 1 was given in row 1"),
        ({"id": [1, None]}, "t.csv audience.from: row 2: its id is missing"),
        ("id,id\na,b\n", "has two columns id"),
        ("ID,id\na,b\n", "has two columns id"),
        ("name,age\na,3\n", "has none of the columns activity, community,"),
        ("id,opinion\n", "has no rows"),
        ("", "is empty"),
        ("id,opinion\na,0\nb\n", "t.csv:3 audience.from: has 1 cells, the header has 2"),
        ("id,opinion\n\na,0\n", "t.csv:2 audience.from: its id is missing"),
        ("opinion\n0\n1.5\n", "t.csv:3 audience.from: opinion 1.5 is out of range"),
        ("opinion\n0\nx\n", "t.csv:3 audience.from: opinion x is no number"),
        ("opinion\n0\ninf\n", "t.csv:3 audience.from: opinion is not finite"),
        ("activity\n-0.1\n", "activity -0.1 is out of range (chance to come on a day, 0 to 1)"),
        ("time_zone\n5.5\n", "time_zone 5.5 is out of range (whole hours from UTC"),
        ("joined\n2025-13-01\n", "t.csv:2 audience.from: joined 2025-13-01 is no date"),
        ({"joined": [1.5]}, "joined holds no dates"),
        ({"opinion": [True]}, "opinion holds no numbers"),
        ({"id": [[1], [2]]}, "ids are neither text nor whole numbers"),
        ("taste_0,taste_2\n1,2\n", "its columns taste_N are not 0, 1, 2"),
        ("taste_0,taste_1\n1,2\n0,0\n", "t.csv:3 audience.from: taste is no direction"),
        ("taste_0,taste_1\n1,\n", "t.csv:2 audience.from: taste is no direction"),
        ("taste_0,taste_1\n1e308,\n", "t.csv:2 audience.from: taste is no direction"),
        ({"taste": [[1.0, 2.0], [1.0]]}, "row 2: taste is not 2 numbers"),
        ({"taste": [[1.0] * 17]}, "taste has 17 numbers (16 at most)"),
        ({"taste": [1.0]}, "taste holds no lists"),
        ("id\nK\u00f6ln\n".encode("latin-1"), "t.csv:2 audience.from: is not UTF-8"),
        (b"id\nx\n\x00\x00", "is no table"),
        (b"PAR1 and no more", "cannot be read: "),
        (odd_names(), "cannot be read: 'utf-8'"),
        (gzip.compress(b"id\nx\n" * 999, mtime=0)[:40], "cannot be read: "),
    ],
)
def test_tables_that_cannot_be_read(
    tmp_path: Path, data: bytes | str | dict[str, Any], words: str
) -> None:
    """One line with the file and the row, the reason and the mend."""
    assert words in refused(tmp_path, data)


def test_what_is_not_used_is_said(tmp_path: Path) -> None:
    """With the nearest name that would be."""
    said = table(tmp_path, "id,oppinion,age\na,1,2\n").said
    assert said.endswith("not used: oppinion (did you mean opinion?), age")
    assert "posts_per_day" in refused(tmp_path, "time_zone\n1\n", "creators")


def test_a_graph_goes_by_the_ids_of_people(tmp_path: Path) -> None:
    """Rows of the table are its nodes, also those without a tie; an id that nobody has is named
    with its line."""
    people = table(tmp_path, "id\n5\n3\n900\n")
    graph = read_graph(put(tmp_path, "g.csv", "from,to\n3,5\n900,3\n"), True, None, people)
    assert (graph.nodes, graph.edges.tolist()) == (3, [[1, 0], [2, 1]])
    alone = read_graph(put(tmp_path, "h.csv", "3,5\n"), False, None, people)
    assert alone.nodes == 3 and "3 people, 1 ties, each both ways, 1 of them" in alone.said
    named = table(tmp_path, "id\na b\nc\n")
    assert read_graph(put(tmp_path, "n.csv", "c;a b\n"), True, None, named).edges.tolist() == [
        [1, 0]
    ]
    for name, data, words in (
        ("x.csv", "# 7 8\n3 5\n3 70\n7 5\n", "x.csv:3 network.path: 70 is no id of t.csv"),
        ("x.txt", "source,target\n3,5\n5,7\n", "x.txt:3 network.path: 7 is no id of t.csv"),
        ("x.parquet", {"source": [3, 7], "target": [5, 3]}, "edge 2: 7 is no id of t.csv"),
    ):
        with pytest.raises(ScenarioError) as caught:
            read_graph(put(tmp_path, name, data), True, None, people)
        assert words in str(caught.value)
    with pytest.raises(ScenarioError, match="has no column id, by which its people are tied"):
        read_graph(tmp_path / "g.csv", True, None, table(tmp_path, "opinion\n0\n"))


@pytest.mark.parametrize(
    ("people", "makers", "graph", "words"),
    [
        ("id\na\nb\n", "id\na\nc\n", "", "m.csv:3 creators.from: no person of p.csv has the id c"),
        ("opinion\n0\n", "posts_per_day\n1\n2\n", "", "has 2 creators, and there are 1 people"),
        ("id\na\nb\n", "posts_per_day\n1\n", "a b\n", "m.csv creators.from: has no column id"),
        ("", "id\na\n", "a b\n", "its creators are people of a graph, of whom there is no table"),
        ("id\na\nb\n", "", "a c\n", "g.csv:1 network.path: c is no id of p.csv"),
        ("opinion\n0\n", "", "a c\n", "network.path: p.csv has no column id"),
        ("community\n" + "".join(f"{k}\n" for k in range(7)), "", "", "has 7 communities, and"),
    ],
)
def test_files_that_do_not_go_together(
    tmp_path: Path, people: str, makers: str, graph: str, words: str
) -> None:
    """Before anything runs."""
    sets = []
    for name, text, setting in (
        ("p.csv", people, "audience.from"),
        ("m.csv", makers, "creators.from"),
        ("g.csv", graph, "network.path"),
    ):
        if text:
            sets.append(f"{setting}={put(tmp_path, name, text)}")
    if graph:
        sets.append("network.kind=edge_list")
    scenario = load("quickstart", sets)
    with pytest.raises(ScenarioError) as caught:
        population(scenario)
    assert words in str(caught.value)


def test_a_file_that_is_missing_is_found_at_once(tmp_path: Path) -> None:
    """Like that of any parameter, relative to the scenario."""
    path = tmp_path / "x.yaml"
    path.write_text("mechanisms:\n  audience: {from: people.csv}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"x.yaml:2 audience.from: there is no file people.csv"):
        load(path)
    put(tmp_path, "people.csv", "opinion\n0.5\n")
    found = population(load(path))
    assert found.count == 1 and found.said[0].startswith("people people.csv: 1 rows, opinion")
