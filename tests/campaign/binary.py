"""Files that are nearly right: graphs and tables as text or Parquet, with bytes changed.

An input begins with the ending of its file and a line break; the rest is its bytes, those that are no
UTF-8 as surrogates.
"""

from __future__ import annotations

import gzip
import io
import random
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.campaign import samples

FOLDER, OBSERVED, GRAPHS = "given", "observed", "graphs.yaml"
CELLS = (
    *(
        "",
        "0",
        "1",
        "-1",
        "0.5",
        "1e308",
        "nan",
        "inf",
        "x",
        "a b",
        "007",
        "9" * 25,
        "\u0663",
        "2025-02-30",
    ),
    *(
        "2025-01-31",
        "9999-12-31",
        "0001-01-01",
        '"',
        "\u202e",
        "\x00",
        "-",
        "1e-400",
        "True",
        " ",
        "K\u00f6ln",
    ),
)
BYTES = (
    b"\0",
    b"\n",
    b"\r",
    b",",
    b'"',
    b"\xff",
    b"#",
    b"%",
    b"{",
    b"\x1f\x8b",
    b"PAR1",
    b"PK\3\4",
    b"\t",
)


def graph(draw: random.Random) -> str:
    """A graph of a few people."""
    apart = draw.choice([" ", ",", "\t", ";", "|", " , "])
    names = draw.choice([list(map(str, range(12))), [f"u{k}" for k in range(12)], list(CELLS)])
    lines = [apart.join(draw.choices(names, k=2)) for _ in range(draw.randrange(12))]
    for _ in range(draw.choice([0, 0, 1, 2])):
        odd = draw.choice(["# x", "% y", "source,target", "a", "1 2 3", "{}", "", "1 2 {}", *CELLS])
        lines.insert(draw.randrange(len(lines) + 1), odd)
    data = draw.choice(["\n", "\n", "\r\n", "\r"]).join(lines).encode("utf-8", "surrogatepass")
    if draw.random() < 0.2:
        data = _parquet(draw, {"source": [1, 2, 3], "target": [2, 3, 1], "w": [0.5, 1.0, None]})
    if draw.random() < 0.15:
        data = draw.choice(XMLS)
    return _made(
        draw,
        data,
        ["txt", "csv", "txt.gz", "parquet", "graphml", "gml", "net", "gexf", "zip", "xz"],
    )


XMLS = (
    b"<?xml version='1.0'?><graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault="
    b"'undirected'><node id='a'/><node id='b'/><edge source='a' target='b'/></graph></graphml>",
    b'graph [ node [ id 1 label "a" ] node [ id 2 label "b" ] edge [ source 1 target 2 ] ]',
    b'*Vertices 2\n1 "a"\n2 "b"\n*Arcs\n1 2 1\n',
    b"<gexf version='1.2' xmlns='http://www.gexf.net/1.2draft'><graph><nodes><node id='a' label='a'/>"
    b"<node id='b' label='b'/></nodes><edges><edge id='0' source='a' target='b'/></edges></graph></gexf>",
)


def people(draw: random.Random) -> str:
    """A table of people."""
    return _table(
        draw,
        ("id", "activity", "time_zone", "community", "joined", "opinion", "taste_0", "taste_1"),
    )


def makers(draw: random.Random) -> str:
    """A table of creators."""
    return _table(draw, ("id", "posts_per_day", "followers", "niche_0", "niche_1", "niche"))


def log(draw: random.Random) -> str:
    """A day of a simulated world's log, damaged."""
    file = draw.choice(sorted((Path(samples.SAMPLES) / samples.LOG).glob("*.parquet")))
    return _made(draw, file.read_bytes(), ["parquet", "parquet", "csv", "json"], least=1)


def _table(draw: random.Random, names: tuple[str, ...]) -> str:
    chosen = draw.sample(names, draw.randrange(1, len(names)))
    if draw.random() < 0.2:
        chosen.append(draw.choice([*chosen, "age", ""]))
    good = {
        "id": [f"u{k}" for k in range(40)],
        "joined": ["2025-01-31", "2024-01-01", ""],
        "community": ["a", "b"],
    }
    rows = draw.randrange(6)
    cells = [
        [
            draw.choice(CELLS if draw.random() < 0.1 else good.get(name, ["0.5", "1", "0", ""]))
            for name in chosen
        ]
        for _ in range(rows)
    ]
    if draw.random() < 0.3:
        kinds: list[Any] = [
            str,
            lambda cell: draw.choice([1, 2.5, None]),
            lambda cell: [0.1, 0.2],
            lambda cell: 3,
        ]
        kind = draw.choice(kinds)
        columns = {name: [kind(row[k]) for row in cells] for k, name in enumerate(chosen)}
        return _made(draw, _parquet(draw, columns), ["parquet", "csv"])
    apart = draw.choice([",", ";", "\t"])
    text = "\n".join(apart.join(row) for row in [chosen, *cells])
    return _made(draw, text.encode("utf-8", "surrogatepass"), ["csv", "csv.gz", "parquet", "txt"])


def _parquet(draw: random.Random, columns: dict[str, list[Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression=draw.choice(["zstd", "snappy", "none"]))
    return sink.getvalue()


def _made(draw: random.Random, data: bytes, endings: list[str], least: int = 0) -> str:
    if draw.random() < 0.1:
        data = gzip.compress(data, mtime=0)
    for _ in range(max(least, draw.choice([0, 0, 0, 1, 1, 3]))):
        data = changed(draw, data)
    return draw.choice(endings) + "\n" + data.decode("utf-8", "surrogateescape")


def changed(draw: random.Random, data: bytes) -> bytes:
    """One change somewhere: bits, a piece that is gone, twice there, or foreign."""
    at, how = draw.randrange(len(data) + 1), draw.randrange(5)
    if how == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    if how == 1:
        return data[:at]
    if how == 2:
        return data[:at] + data[at + draw.randrange(1, 20) :]
    if how == 3:
        return data[:at] + draw.choice(BYTES) + data[at:]
    return data[:at] + data[max(0, at - draw.randrange(1, 20)) :]


def file(text: str) -> str:
    """Where the input goes."""
    ending = "".join(
        c for c in text.partition("\n")[0] if c.isascii() and (c.isalnum() or c == ".")
    )
    return f"{FOLDER}/input.{ending[:12]}"


def path(text: str) -> str:
    """The setting that names a graph."""
    return f"network.path={file(text)}"


def put(folder: Path, text: str) -> None:
    """Write an input where it goes."""
    for name in (FOLDER, OBSERVED, OBSERVED + ".part"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / FOLDER).mkdir()
    body = text.partition("\n")[2]
    try:
        data = body.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = body.encode("utf-8", "surrogatepass")
    (folder / file(text)).write_bytes(data)
    (folder / GRAPHS).write_text(
        "extends: base.yaml\nmechanisms: {network: {kind: edge_list}}\n", encoding="utf-8"
    )
