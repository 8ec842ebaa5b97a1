"""An observed folder: tables of aggregates, and a manifest that says what they are of.

``manifest.json``         what was read (names, sizes, SHA-256), the map, the zone, days, rows kept
                          and bad, privacy, which statistics the log has, digests of the tables
``counts.parquet``        impressions, people, sessions by cut (all, hour, position, source,
                          explore, age, depth, item age) and day
``responses.parquet``     how many impressions got each response, likewise
``amounts.parquet``       sums of numbers (seconds, stars), likewise
``distributions.parquet`` people, items, makers, sessions and gaps by how much: histograms by day,
                          and from the first day to each day
``pairs.parquet``         pairs of impressions of one person, item, maker, session, and of one
                          person within an item or maker: in how many of them both got a response
``cohorts.parquet``       people by the day on which they were first seen, and day
``supply.parquet``        items and makers that were shown, and shown for the first time, by day

No row of a day depends on a later day, so `Observed.until` gives what an observer on that day had.
The same log and map give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.ground import interrupts, parquet
from twin.ground.digest import sha
from twin.ground.errors import UsageError, nearest
from twin.observing.schemas import SCHEMAS
from twin.observing.sources import digest
from twin.record.results import write_table

SCHEMA = 1
"""Version of the folder."""
KIND = "observed"


@dataclass(frozen=True)
class Observed:
    """An observed folder that was read."""

    path: Path
    manifest: dict[str, Any]
    tables: dict[str, pa.Table]

    def until(self, day: dt.date) -> Observed:
        """What was known at the end of a day: no row that covers a later one, or cannot be dated.

        Raises UsageError if the day lies before the first or after the last.
        """
        first, last = (dt.date.fromisoformat(self.manifest[key]) for key in ("first", "last"))
        if not first <= day <= last:
            raise UsageError(f"{self.path}: has no {day}; its days are {first} to {last}")
        made = {}
        for name, table in self.tables.items():
            kept = pc.less_equal(table.column("day"), pa.scalar(day, pa.date32()))
            made[name] = table.filter(pc.fill_null(kept, False))
        manifest = {**self.manifest, "until": day.isoformat()}
        return Observed(self.path, manifest, made)

    @property
    def last(self) -> dt.date:
        """The last day that is known."""
        return dt.date.fromisoformat(self.manifest.get("until", self.manifest["last"]))

    def digest(self) -> str:
        """Marks what these tables hold: that of a log until a day, too."""

        def plain(column: pa.ChunkedArray) -> list[Any]:
            dates = pa.types.is_date(column.type)
            written: list[Any] = (column.cast(pa.string()) if dates else column).to_pylist()
            return written

        rows = {
            name: {column: plain(table.column(column)) for column in table.column_names}
            for name, table in sorted(self.tables.items())
        }
        return sha(rows)

    def days(self) -> list[dt.date]:
        """Days with a row in ``counts``, in order."""
        found = pc.unique(self.select("counts", cut="all").column("day"))
        return sorted(found.drop_null().to_pylist())

    def missing(self, first: dt.date, last: dt.date) -> list[dt.date]:
        """Days from ``first`` to ``last`` without a row, in order."""
        there = set(self.days())
        every = (first + dt.timedelta(days=at) for at in range((last - first).days + 1))
        return [day for day in every if day not in there]

    def select(self, name: str, **where: Any) -> pa.Table:
        """Rows of a table whose columns have these values, as ``select("counts", cut="hour")``.

        Raises UsageError for a table or column that there is not.
        """
        if name not in self.tables:
            raise UsageError(f"{self.path}: no table {name} ({nearest(name, self.tables)})")
        table = self.tables[name]
        for column, value in where.items():
            if column not in table.column_names:
                raise UsageError(
                    f"{self.path}: {name} has no column {column} "
                    f"({nearest(column, table.column_names)})"
                )
            kind = table.schema.field(column).type
            table = table.filter(pc.equal(table.column(column), pa.scalar(value, kind)))
        return table

    def series(self, column: str, cut: str = "all") -> tuple[list[dt.date], NDArray[np.float64]]:
        """A column of ``counts`` by day (sum over classes of the cut), where a day is known."""
        table = self.select("counts", cut=cut)
        table = (
            table.filter(table.column("day").is_valid())
            .group_by("day")
            .aggregate([(column, "sum")])
            .sort_by("day")
        )
        values = table.column(f"{column}_sum").cast(pa.float64()).to_numpy()
        return table.column("day").to_pylist(), values

    def rate(self, response: str, cut: str = "all") -> tuple[list[dt.date], NDArray[np.float64]]:
        """Share of impressions with a response by day, NaN where it was left out."""
        table = self.select("responses", cut=cut, response=response)
        table = (
            table.filter(table.column("day").is_valid())
            .group_by("day")
            .aggregate([("total", "sum"), ("known", "sum")])
            .sort_by("day")
        )
        total, known = (
            table.column(f"{name}_sum").cast(pa.float64()).to_numpy(zero_copy_only=False)
            for name in ("total", "known")
        )
        return table.column("day").to_pylist(), total / np.where(known > 0, known, np.nan)

    def covariance(self, of: str, response: str) -> float:
        """Covariance of a response to two impressions of one unit (``of`` as in ``pairs``): the
        share of pairs in which both got it, less the squared share of all; NaN without pairs."""
        table = self.select("pairs", of=of, response=response)
        pairs, both = (pc.sum(table.column(name)).as_py() or 0.0 for name in ("pairs", "both"))
        all_ = self.select("responses", cut="all", response=response)
        known, total = (pc.sum(all_.column(name)).as_py() or 0 for name in ("known", "total"))
        if not pairs or not known:
            return float("nan")
        return float(both / pairs - (total / known) ** 2)

    def error(self, response: str) -> float:
        """Standard error of the share of impressions with a response, over all days: impressions of
        one person go together, n p (1 - p) + pairs x covariance, over n squared. NaN where it is
        not known who, or how many responded."""
        together = self.covariance("user", response)
        table = self.select("responses", cut="all", response=response)
        known, total = (pc.sum(table.column(name)).as_py() or 0 for name in ("known", "total"))
        if np.isnan(together) or table.column("total").null_count:
            return float("nan")
        pairs = pc.sum(self.select("pairs", of="user", response=response).column("pairs")).as_py()
        share = total / known
        variance = known * share * (1 - share) + pairs * together
        return float(np.sqrt(max(variance, 0.0)) / known)

    def quantiles(
        self, of: str, quantity: str, at: list[float], day: dt.date | None = None
    ) -> list[float]:
        """Quantiles of a distribution from the first day on, to ``day`` (default: the last);
        linear within a bin. NaN where there are too few."""
        table = self.select("distributions", of=of, quantity=quantity)
        table = table.filter(pc.is_in(table.column("window"), pa.array(["so far", "whole"])))
        if table.num_rows and (day is not None or table.column("day").null_count == 0):
            latest = day or pc.max(table.column("day")).as_py()
            table = table.filter(pc.equal(table.column("day"), pa.scalar(latest, pa.date32())))
        if not table.num_rows:
            return [float("nan")] * len(at)
        table = table.sort_by("low")
        low, high, units = (
            table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
            for name in ("low", "high", "units")
        )
        ends = np.append(0.0, np.cumsum(units)) / units.sum()
        points = np.append(low, high[-1] if np.isfinite(high[-1]) else low[-1])
        return [float(value) for value in np.interp(at, ends, points)]


def write(work: Path, out: Path, manifest: dict[str, Any], tables: dict[str, pa.Table]) -> None:
    """Write the folder, whole or not at all: ``work`` becomes ``out``."""
    manifest["tables"] = {}
    for name, table in tables.items():
        file = work / f"{name}.parquet"
        write_table(table, file)
        manifest["tables"][name] = {"rows": table.num_rows, "sha256": digest(file)}
    (work / "manifest.json").write_text(
        json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    # one that came while a library imported another ends there (pyarrow clears it)
    interrupts.check()
    work.replace(out)


def read(path: str | Path) -> Observed:
    """An observed folder.

    Raises UsageError if it is none, of another version, or was changed since it was written.
    """
    path = Path(path)
    file = path / "manifest.json"
    if not file.is_file():
        raise UsageError(f"{path}: is no observed folder (make one: twin observe LOG --out {path})")
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        raise UsageError(f"{file}: is not JSON (observe the log again)") from None
    if not isinstance(manifest, dict) or manifest.get("kind") != KIND:
        raise UsageError(f"{path}: holds something else than an observed log")
    if manifest.get("schema") != SCHEMA:
        raise UsageError(
            f"{path}: is of version {manifest.get('schema')}, this twin reads {SCHEMA} (observe "
            f"the log again)"
        )
    tables = {}
    for name in SCHEMAS:
        place = path / f"{name}.parquet"
        if not place.is_file() or digest(place) != manifest["tables"][name]["sha256"]:
            raise UsageError(f"{place}: is not what was written (observe the log again)")
        tables[name] = parquet.table(place)
    return Observed(path, manifest, tables)
