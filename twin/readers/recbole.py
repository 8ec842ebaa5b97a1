"""The log of impressions of a run (`twin run --log`) as atomic files of RecBole.

Atomic files (https://recbole.io/docs/user_guide/data/atomic_files.html) are text with tabs, whose
first line gives each column's name and type. The folder NAME has:

    NAME.inter  a row per impression: user_id, item_id, timestamp (s since 1970), session_id, place,
                source, explore and the eight responses (0 or 1)
    NAME.item   a row per post that was shown: item_id, creator_id

Days are read one after another; only the posts stay in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from twin.ground import files, parquet
from twin.ground.errors import UsageError
from twin.kernels.training import HEADS
from twin.record.impressions import ENDING, PENDING, SCHEMA
from twin.record.results import load_manifest

INTER = (
    "user_id:token",
    "item_id:token",
    "timestamp:float",
    "session_id:token",
    "place:float",
    "source:token",
    "explore:float",
    *(f"{head}:float" for head in HEADS),
)
ITEM = ("item_id:token", "creator_id:token")
_FORM = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")


def log_of(folder: Path) -> Path:
    """The log of impressions that belongs to a run folder, or is the folder itself. Raises
    UsageError where there is none."""
    if not (folder / "manifest.json").exists():
        if files.is_folder(folder) and days(folder):
            return folder
        raise UsageError(
            f"{folder}: is neither a run nor a log of impressions (write one with twin run --log)"
        )
    log = load_manifest(folder).get("log")
    if log is None:
        raise UsageError(
            f"{folder}: this run wrote no log of impressions (run it with twin run --log FOLDER)"
        )
    if not days(Path(log)):
        raise UsageError(f"{log}: the log of {folder} is not there (give its folder instead)")
    return Path(log)


def days(log: Path) -> list[Path]:
    """The files of a log, a day each, in order."""
    return [path for path in sorted(log.glob(f"*{ENDING}")) if not path.name.startswith(PENDING)]


def export(
    log: Path, out: Path, report: Callable[[int], None] = lambda days: None
) -> tuple[int, int]:
    """Write the atomic files of a log into the folder ``out``, which is new or empty; returns
    impressions and posts. ``report`` is called with how many days are done. Raises UsageError for a
    file that is no day of a log."""
    files.free(out, "--out", "a folder of atomic files")
    name, there = out.resolve().name, out.is_dir()
    work = out / ".begun" if there else out.with_name(out.name + ".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        counts = _written(log, work / f"{name}.inter", work / f"{name}.item", report)
        if there:
            for path in work.iterdir():
                path.replace(out / path.name)
        else:
            work.replace(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return counts


def _written(log: Path, inter: Path, item: Path, report: Callable[[int], None]) -> tuple[int, int]:
    impressions = 0
    makers: list[pa.Table] = []
    with inter.open("wb") as file:
        file.write(_head(INTER))
        for done, path in enumerate(days(log), 1):
            day = _day(path)
            csv.write_csv(_rows(day), file, _FORM)
            impressions += len(day)
            makers = [_distinct([*makers, day.select(["post", "creator"])])]
            report(done)
    posts = makers[0] if makers else SCHEMA.empty_table().select(["post", "creator"])
    with item.open("wb") as file:
        file.write(_head(ITEM))
        csv.write_csv(posts, file, _FORM)
    return impressions, len(posts)


def _head(names: tuple[str, ...]) -> bytes:
    return ("\t".join(names) + "\n").encode()


def _day(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, schema=SCHEMA)
    except parquet.DAMAGED as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{path}: is no day of a log of impressions: {reason}") from None


def _rows(day: pa.Table) -> pa.Table:
    """The impressions of a day in RecBole's columns."""
    flags = [day[name].cast(pa.uint8()) for name in ("explore", *HEADS)]
    columns = [
        day["consumer"],
        day["post"],
        # whole seconds: a session has one time
        day["time"].cast(pa.timestamp("s", tz="UTC"), safe=False).cast(pa.int64()),
        day["session"],
        day["place"],
        day["source"].cast(pa.string()),
        *flags,
    ]
    return pa.table(columns, names=list(INTER))


def _distinct(parts: list[pa.Table]) -> pa.Table:
    """Posts with their creators, each once, by id."""
    both = pa.concat_tables(parts)
    posts, first = np.unique(both["post"].to_numpy(), return_index=True)
    return pa.table([pa.array(posts), both["creator"].take(pa.array(first))], ["post", "creator"])
