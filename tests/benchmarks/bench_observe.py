"""How fast `twin observe` reads a log, and in how much memory: `python -m
tests.benchmarks.bench_observe [ROWS]` (default: 20 million; some minutes and 3 GB of disk).

Generated impressions of people of very different activity, in the order of time: as CSV, in a
quarter of the rows too (memory must not grow with the log), and in a tenth as gzip, Parquet and
JSON lines. Beside it the naive way: Python's csv module and dicts, for the counts by day alone.
Each is a process of its own: wall-clock time, processor time of all its threads, peak memory.
The target is a million rows a second on two processors that are free: see the processor time where
they are not.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

MAP = """user: user
item: item
maker: maker
time: time
position: place
responses: {click: click, like: like}
"""
NAIVE = """
import csv, sys
from collections import Counter, defaultdict
shown, clicks, people, items, visits, last = Counter(), Counter(), defaultdict(set), Counter(), Counter(), {}
for row in csv.DictReader(open(sys.argv[1])):
    t, u = int(row["time"]), row["user"]
    day = t // 86_400_000
    shown[day] += 1
    clicks[day] += int(row["click"])
    people[day].add(u)
    items[row["item"]] += 1
    visits[day] += t - last.get(u, 0) > 1_800_000
    last[u] = t
"""
WATCHED = """
import json, resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
CHUNK = 1_000_000


def batch(rng: np.random.Generator, rows: int, people: int, begin: int, end: int) -> pa.Table:
    """Rows between two times (ms)."""
    item = (rng.pareto(1.1, rows) * 300).astype(np.int64) % 200_000
    return pa.table(
        {
            # a few people do much, most of them little
            "user": (people * rng.random(rows) ** 2.5).astype(np.int64) * 7919 + 10**9,
            "item": item * 104_729 + 10**11,
            "maker": item % 5003,
            "time": np.sort(rng.integers(begin, end, rows)),
            "place": rng.integers(0, 10, rows),
            "click": (rng.random(rows) < 0.3).astype(np.int8),
            "like": (rng.random(rows) < 0.03).astype(np.int8),
        }
    )


def generate(path: Path, rows: int) -> None:
    """A log of 28 days as CSV, or in the kind that the name says."""
    rng, people = np.random.default_rng(11), max(rows // 200, 50)
    whole = -(-rows // CHUNK)
    span = 28 * 86_400_000 // whole
    writers: list[pacsv.CSVWriter | pq.ParquetWriter] = []
    with gzip.open(path, "wb", 6) if path.suffix == ".gz" else path.open("wb") as into:
        for i in range(whole):
            begin = 1_700_000_000_000 + i * span
            made = batch(rng, min(CHUNK, rows - i * CHUNK), people, begin, begin + span)
            if path.suffix == ".jsonl":
                into.writelines(json.dumps(row).encode() + b"\n" for row in made.to_pylist())
                continue
            if not writers:
                kind = pq.ParquetWriter if path.suffix == ".parquet" else pacsv.CSVWriter
                writers.append(kind(into, made.schema))
            writers[0].write_table(made)
        for writer in writers:
            writer.close()
    os.sync()  # the disk has written it before anybody is timed


def watched(name: str, rows: int, size: int, *command: str) -> None:
    """Run a command and print a line about it."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command], capture_output=True, text=True, check=True
    )
    wall = time.monotonic() - began
    cpu, memory = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{name:22s} {rows / 1e6:6.2f} M rows {size / 1e6:7.0f} MB   {wall:7.1f} s "
        f"{rows / wall / 1e6:5.2f} M/s   processor {cpu:7.1f} s {1e6 * cpu / rows:5.2f} us a row   "
        f"{memory:6.0f} MB",
        flush=True,
    )


def main() -> None:
    """Generate and read, one after the other."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000_000
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        (here / "map.yaml").write_text(MAP)
        cases = [
            ("csv, a quarter", "quarter.csv", rows // 4),
            ("csv", "whole.csv", rows),
            ("csv.gz", "tenth.csv.gz", rows // 10),
            ("parquet", "tenth.parquet", rows // 10),
            ("json lines", "tenth.jsonl", rows // 10),
        ]
        for name, file, many in cases:
            generate(here / file, many)
            out = here / "observed"
            command = [sys.executable, "-m", "twin", "observe", str(here / file)]
            watched(
                name,
                many,
                (here / file).stat().st_size,
                *command,
                *("--map", str(here / "map.yaml"), "--out", str(out), "--quiet"),
            )
            shutil.rmtree(out)
            if name == "csv, a quarter":
                naive = (sys.executable, "-c", NAIVE, str(here / file))
                watched("naive, a quarter", many, (here / file).stat().st_size, *naive)
            (here / file).unlink()


if __name__ == "__main__":
    main()
