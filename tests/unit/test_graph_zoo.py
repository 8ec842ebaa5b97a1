"""Graphs as they come: some fifty small files, each read as stated or refused in one line that names
the oddity."""

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.ground.errors import ScenarioError
from twin.mechanisms.network.graph_files import Graph, read_graph

TRIANGLE = [[0, 1], [1, 2], [2, 0]]
"""Of ids 7, 30, 900 (or names a, b, c): 7 follows 30, 30 follows 900, 900 follows 7."""


def put(folder: Path, name: str, data: bytes) -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def zipped(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def parquet(**columns: list[object]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def drawn(writer: str, names: bool = False) -> bytes:
    graph = nx.DiGraph(
        [("a", "b"), ("b", "c"), ("c", "a")] if names else [(7, 30), (30, 900), (900, 7)]
    )
    out = io.BytesIO()
    getattr(nx, writer)(graph, out)
    return out.getvalue()


GML = (
    b"graph [ directed 1 node [ id 7 ] node [ id 30 ] node [ id 900 ] node [ id 5 ] "
    b"edge [ source 7 target 30 ] edge [ source 30 target 900 ] edge [ source 900 target 7 ] ]"
)
READ: dict[str, tuple[str, bytes, str]] = {
    "blanks": ("g.txt", b"7 30\n30 900\n900 7\n", "whole numbers apart by blanks"),
    "tabs": ("g.tsv", b"7\t30\n30\t900\n900\t7\n", "apart by tabs"),
    "commas": ("g.csv", b"7,30\n30,900\n900,7\n", "apart by commas"),
    "semicolons": ("g.csv", b"7;30\n30;900\n900;7\n", "apart by semicolons"),
    "bars": ("g.txt", b"7|30\n30|900\n900|7\n", "apart by bars"),
    "several blanks": ("g.txt", b"  7   30\n 30 \t 900\n900  7  \n", "apart by blanks"),
    "comma and blank": ("g.csv", b"7, 30\n30, 900\n900, 7\n", "apart by commas"),
    "no line feed at the end": ("g.txt", b"7 30\n30 900\n900 7", "3 ties"),
    "carriage returns": ("g.csv", b"7,30\r\n30,900\r\n900,7\r\n", "apart by commas"),
    "byte-order mark": ("g.csv", b"\xef\xbb\xbf7,30\n30,900\n900,7\n", "apart by commas"),
    "byte-order mark, header": ("g.csv", b"\xef\xbb\xbfsource,target\n7,30\n30,900\n900,7\n", "header"),
    "empty lines": ("g.txt", b"\n\n7 30\n\n30 900\n900 7\n\n", "3 ties"),
    "comments of SNAP": ("g.txt", b"# Directed\n# FromNodeId\tToNodeId\n7\t30\n30\t900\n900\t7\n", "tabs"),
    "comments of KONECT": ("out.g", b"% sym unweighted\n% 3 3 3\n7 30\n30 900\n900 7\n", "blanks"),
    "comments between": ("g.txt", b"7 30\n# here\n30 900 # there\n% and\n900 7\n", "3 ties"),
    "header of numbers' file": ("g.csv", b"follower,followee\n7,30\n30,900\n900,7\n", "header follower,followee"),
    "header of unknown words": ("g.csv", b"who;whom\n7;30\n30;900\n900;7\n", "header who;whom"),
    "columns in another place": ("g.csv", b"t,source,target\n1,7,30\n2,30,900\n3,900,7\n", "1 further columns"),
    "columns the other way": ("g.csv", b"target,source\n30,7\n900,30\n7,900\n", "header target,source"),
    "quotes": ("g.csv", b'"7","30"\n"30","900"\n"900","7"\n', "whole numbers apart by commas"),
    "weights": ("g.txt", b"7 30 0.5\n30 900 2\n900 7 -1e3\n", "1 further columns not used"),
    "times": ("g.csv", b"7,30,2020-01-01 10:00\n30,900,2020-01-02\n900,7,\n", "1 further columns not used"),
    "networkx": ("g.edgelist", b"7 30 {}\n30 900 {'weight': 3}\n900 7 {}\n", "attributes not used"),
    "Matrix Market": ("g.mtx", b"%%MatrixMarket matrix coordinate pattern general\n900 900 3\n7 30\n30 900\n900 7\n", "Matrix Market"),
    "nineteen digits": ("g.txt", b"7 1000000000000000030\n1000000000000000030 9223372036854775807\n9223372036854775807 7\n", "3 people"),
    "names": ("g.csv", b"a,b\nb,c\nc,a\n", "names apart by commas"),
    "names with blanks": ("g.tsv", b"a a\tb b\nb b\tc c\nc c\ta a\n", "names apart by tabs"),
    "names with commas in quotes": ("g.csv", b'"a,1","b,2"\n"b,2",c\nc,"a,1"\n', "names"),
    "names in two scripts": ("g.csv", "a,ä\nä,名\n名,a\n".encode(), "names"),
    "names under a header": ("g.csv", b"source,target\na,b\nb,c\nc,a\n", "header source,target"),
    "names of networkx": ("g.txt", b"a b {}\nb c {'w': 1}\nc a {}\n", "attributes not used"),
    "names and comments": ("g.txt", b"# who whom\na b\n# more\nb c\nc a\n", "names apart by blanks"),
    "mixed ids": ("g.csv", b"2,a\na,b\nb,2\n", "names"),
    "gzip": ("g.txt.gz", gzip.compress(b"7 30\n30 900\n900 7\n"), "3 ties"),
    "gzip by another name": ("g.txt", gzip.compress(b"7 30\n30 900\n900 7\n"), "3 ties"),
    "bzip2": ("g.txt.bz2", bz2.compress(b"7 30\n30 900\n900 7\n"), "3 ties"),
    "xz": ("g.csv.xz", lzma.compress(b"7,30\n30,900\n900,7\n"), "apart by commas"),
    "zip": ("g.zip", zipped(("in/g.csv", b"source,target\n7,30\n30,900\n900,7\n")), "header"),
    "Parquet": ("g.parquet", parquet(source=[7, 30, 900], target=[30, 900, 7], w=[1, 2, 3]), "Parquet, whole numbers in source and target"),
    "Parquet of names": ("g.parquet", parquet(x=["a", "b", "c"], y=["b", "c", "a"]), "Parquet, names in x and y"),
    "GraphML": ("g.graphml", drawn("write_graphml"), "GraphML, directed there"),
    "GraphML, gzip": ("g.graphml.gz", gzip.compress(drawn("write_graphml")), "GraphML"),
    "GEXF": ("g.gexf", drawn("write_gexf"), "GEXF"),
    "Pajek": ("g.net", drawn("write_pajek", names=True), "Pajek"),
    "GML": ("g.gml", GML, "GML, directed there, 1 nodes without a tie"),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_it_is_read(case: str, tmp_path: Path) -> None:
    """The same three ties, followers first, whatever the file; and what it is is said."""
    name, data, said = READ[case]
    graph = read_graph(put(tmp_path, name, data), directed=True)
    assert graph.nodes == 3 and sorted(graph.edges.tolist()) == TRIANGLE
    assert said in graph.said and graph.said.startswith(name)


REFUSED: dict[str, tuple[str, bytes, int, str]] = {
    "empty": ("g.txt", b"", 0, "holds no edge"),
    "comments only": ("g.txt", b"# one\n% two\n", 0, "holds no edge"),
    "header only": ("g.csv", b"source,target\n", 0, "a header and no edge"),
    "loops only": ("g.txt", b"5 5\n", 0, "holds no edge"),
    "one column": ("g.txt", b"1\n2\n", 1, "has one column"),
    "one id in a line": ("g.txt", b"1 2\n3\n", 2, "has one id"),
    "an id is missing": ("g.csv", b"1,2\n3,\n", 2, "whole numbers"),
    "a name is missing": ("g.csv", b"a,b\nc,\n", 0, "an id is missing"),
    "ragged": ("g.csv", b"1,2\n3,4,5\n", 2, "has 3 columns, the lines before have 2"),
    "ragged far below": ("g.csv", b"1,2\n" * 300 + b"3,4,5\n", 301, "not two whole numbers"),
    "ragged names": ("g.csv", b"a,b\n" * 300 + b"c,d,e\n", 301, "has 3 columns"),
    "a name among numbers": ("g.txt", b"1 2\n" * 300 + b"a b\n", 301, "not two whole numbers"),
    "two ways": ("g.txt", b"a,b\nc,d\ne;f\n", 3, "not apart by commas"),
    "decimal numbers": ("g.csv", b"1.0,2.0\n", 1, "1.0 is a decimal number"),
    "signed numbers": ("g.txt", b"-1 2\n", 1, "-1 has a sign"),
    "beyond 2^63": ("g.txt", b"1 9223372036854775808\n", 1, "beyond 2^63"),
    "beyond 2^63 below": ("g.txt", b"1 2\n" * 200 + b"1 99999999999999999999\n", 201, "below 2^63"),
    "UTF-16": ("g.csv", "1,2\n".encode("utf-16"), 0, "UTF-16"),
    "Latin-1": ("g.csv", "a,ä\n".encode("latin-1"), 1, "not UTF-8"),
    "binary": ("g.npy", b"\x93NUMPY\x01\0v\0{}", 0, "binary"),
    "HTML": ("g.txt", b"<!doctype html>\n<p>Not found\n", 0, "XML or HTML"),
    "GraphML by another name": ("g.txt", b"<?xml version='1.0'?>\n", 0, "XML or HTML"),
    "JSON": ("g.json", b'{"nodes": [], "links": []}\n', 0, "JSON"),
    "torn gzip": ("g.gz", gzip.compress(b"1 2\n" * 1000)[:30], 0, "torn"),
    "torn xz": ("g.xz", lzma.compress(b"1 2\n" * 1000)[:40], 0, "torn"),
    "a zip of two": ("g.zip", zipped(("a", b"1 2"), ("b", b"1 2")), 0, "holds 2 files"),
    "an empty zip": ("g.zip", zipped(), 0, "holds 0 files"),
    "Parquet of one column": ("g.parquet", parquet(x=[1, 2]), 0, "has one column"),
    # the last one would index beyond a table of ranks; the others would be taken for another node
    "Parquet of signed numbers": ("g.parquet", parquet(x=[-3, -2], y=[-2, -1]), 0, "-3 has a sign"),
    "one sign in Parquet": ("g.parquet", parquet(x=[1, -2, 3], y=[2, 3, 1]), 0, "-2 has a sign"),
    "a sign far below": ("g.csv", b"w,source,target\n" + b"1,1,2\n" * 300 + b"1,-3,2\n", 0, "-3 has a sign"),
    "Parquet with a hole": ("g.parquet", parquet(x=[1, None], y=[2, 3]), 0, "an id is missing"),
    "torn Parquet": ("g.parquet", parquet(x=[1], y=[2])[:40], 0, "cannot be read"),
    "no GraphML": ("g.graphml", b"<graphml><graph>", 0, "no GraphML"),
    "no GML": ("g.gml", b"graph [ node", 0, "no GML"),
    "no GEXF": ("g.gexf", b"<html></html>", 0, "no GEXF"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case: str, tmp_path: Path) -> None:
    """One problem with the line, what it is, and a mend."""
    name, data, line, said = REFUSED[case]
    with pytest.raises(ScenarioError) as caught:
        read_graph(put(tmp_path, name, data), directed=True)
    (problem,) = caught.value.problems
    assert problem.line == line and problem.mend
    assert said in f"{problem.reason} {problem.mend}", problem
    assert "\n" not in str(caught.value)


def test_loops_repeats_and_lonely_people_are_counted(tmp_path: Path) -> None:
    """Both directions are a repeat only where ties have none."""
    path = put(tmp_path, "g.txt", b"1 2\n2 1\n1 2\n3 3\n2 4\n4 4\n")
    one = read_graph(path, directed=True)
    assert one.edges.tolist() == [[0, 1], [1, 0], [1, 2]]
    assert "3 people, 3 ties; left out: 2 loops, 1 repeats, 1 people without a tie" in one.said
    both = read_graph(path, directed=False)
    assert both.edges.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert "2 ties, each both ways; left out: 2 loops, 2 repeats, 1 people" in both.said


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("g.txt", b"7 30 0.5\n30 900 2\n900 7 -1e3\n"),
        ("g.csv", b"source,target,weight\n7,30,0.5\n30,900,2\n900,7,-1e3\n"),
        ("g.parquet", parquet(source=[7, 30, 900], target=[30, 900, 7], w=[0.5, 2.0, -1e3])),
        ("g.csv", b"a,b,0.5\nb,c,2\nc,a,-1e3\n"),
    ],
)
def test_a_weight_is_used_as_told(name: str, data: bytes, tmp_path: Path) -> None:
    """Ties below the least weight are left out, and whoever has no other."""
    path = put(tmp_path, name, data)
    assert read_graph(path, True, 0.0).edges.tolist() == [[0, 1], [1, 2]]
    assert read_graph(path, True, 1.0).nodes == 2
    with pytest.raises(ScenarioError, match="no edge"):
        read_graph(path, True, 3.0)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"1 2\n", "no third column"), (b"1 2 x\n2 3 y\n", "the third column is no number: x")],
)
def test_a_weight_that_is_none_is_refused(data: bytes, said: str, tmp_path: Path) -> None:
    """Nothing is guessed."""
    with pytest.raises(ScenarioError, match=said):
        read_graph(put(tmp_path, "g.txt", data), True, 1.0)


def test_any_way_of_writing_gives_the_same_graph(tmp_path: Path) -> None:
    """Two thousand ties with sparse ids: by the kernel, by Arrow, as names (whose order differs)
    and by networkx."""
    rng = np.random.default_rng(2)
    pairs = rng.integers(0, 10**12, 400)[rng.integers(0, 400, (2000, 2))]
    rows = [(int(a), int(b)) for a, b in pairs]

    def graph(name: str, text: str) -> Graph:
        return read_graph(put(tmp_path, name, text.encode()), True)

    plain = graph("a.txt", "".join(f"{a} {b}\n" for a, b in rows))
    moved = graph("b.csv", "w,source,target\n" + "".join(f"1,{a},{b}\n" for a, b in rows))
    named = graph("c.csv", "".join(f"x{a:012d},x{b:012d}\n" for a, b in rows))
    out = io.BytesIO()
    nx.write_graphml(nx.DiGraph([row for row in rows if row[0] != row[1]]), out)
    drawn_ = read_graph(put(tmp_path, "d.graphml", out.getvalue()), True)
    for other in (moved, named, drawn_):
        assert other.nodes == plain.nodes and np.array_equal(other.edges, plain.edges)


@given(
    st.sampled_from(sorted(READ)),
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from([0, 1, 2]), st.binary(max_size=3)),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([None, 0.5]),
)
@settings(max_examples=400, deadline=None)
def test_nearly_right_files_are_read_or_refused(
    case: str, edits: list[tuple[int, int, bytes]], least: float | None
) -> None:
    """Bytes replaced, put in and cut out: a graph of whole ties, or one line; never a traceback."""
    name, data, _ = READ[case]
    for at, how, given_ in edits:
        place = at % (len(data) + 1)
        data = (
            data[:place] + given_ + data[place + (len(given_) if how == 0 else 0) :]
            if how < 2
            else data[:place]
        )
    with tempfile.TemporaryDirectory() as folder:
        try:
            graph = read_graph(put(Path(folder), name, data), False, least)
        except ScenarioError as error:
            (problem,) = error.problems
            assert problem.reason and problem.mend and "\n" not in str(error)
        else:
            assert graph.edges.min() == 0 and graph.edges.max() == graph.nodes - 1
            assert (graph.edges[:, 0] != graph.edges[:, 1]).all()
