"""Files that hold counts already, by day, hour, person, item, position or source, as tables of an
observed folder.

Counts by person or item become distributions. What has no day is dated by the days that the map
says it covers, or not at all; `folder.Observed.until` leaves out what reaches beyond.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.ground.errors import ScenarioError, UsageError, nearest
from twin.observing import bins, counted, tables
from twin.observing.declared import Aggregate
from twin.observing.ledger import Ledger
from twin.observing.mapping import Mapped
from twin.observing.schemas import SCHEMAS
from twin.observing.tally import RATE

EPOCH = dt.date(1970, 1, 1)


@dataclass
class Made:
    """Tables, and what the manifest says of them."""

    rows: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {name: [] for name in SCHEMAS}
    )
    suppressed: Counter[str] = field(default_factory=Counter)
    cautions: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def tables(self) -> dict[str, pa.Table]:
        """Every table of a folder."""
        return {name: tables.table(name, rows) for name, rows in self.rows.items()}


def read(ledger: Ledger, mapped: Mapped, k: int) -> Made:
    """All parts of a map of aggregates.

    Raises UsageError for files that cannot be read, ScenarioError for columns that there are not.
    """
    made, used = Made(), set()
    for i, part in enumerate(mapped.map.aggregates):
        matched = [
            (n, source)
            for n, source in enumerate(ledger.sources)
            if fnmatch.fnmatch(Path(source.name).name, part.files) or source.name == part.files
        ]
        if not matched:
            names = [Path(source.name).name for source in ledger.sources]
            raise ScenarioError(
                [
                    mapped.problem(
                        ("aggregates", i, "files"),
                        f"no file that was given matches {part.files}",
                        nearest(part.files, names),
                    )
                ]
            )
        for number, source in matched:
            used.add(number)
            _add(made, part, counted.read(ledger, mapped, i, number, source), ledger, k)
    for number, source in enumerate(ledger.sources):
        if number not in used:
            source.notes.append("not read: the map has no part for it")
    ledger.check()
    _concluded(made, mapped)
    return made


def _add(made: Made, part: Aggregate, of: counted.Counted, ledger: Ledger, k: int) -> None:
    if part.by in ("user", "item"):
        _units(made, part, of, k)
    else:
        _cells(made, part, of, ledger, k)


def _span(part: Aggregate) -> tuple[int | None, int | None]:
    """Last day and number of days of what has no day of its own."""
    if not part.until:
        return None, None
    last = dt.date.fromisoformat(part.until)
    first = dt.date.fromisoformat(part.since) if part.since else None
    return (last - EPOCH).days, None if first is None else (last - first).days + 1


def _cells(made: Made, part: Aggregate, of: counted.Counted, ledger: Ledger, k: int) -> None:
    """Rows by day, hour, position or source."""
    cut = "all" if part.by == "day" else part.by
    for i, key in enumerate(of.key):
        one = {name: int(values[i]) for name, values in of.columns.items()}
        cell = _cell(part, cut, key, i)
        if cell is None:
            ledger.add(f"{part.key}: is no {part.by}", 1, [int(of.place[i])])
            continue
        if one.get("users", one["impressions"]) < k:
            made.suppressed["counts"] += 1
            continue
        plain = {name: one.get(name) for name in ("users", "sessions", "impressions")}
        made.rows["counts"].append(cell | plain | {"rows": one["impressions"]})
        for name in part.responses:
            total = one[f"responses/{name}"]
            made.rows["responses"].append(
                cell | {"response": name, "known": one["impressions"], "total": total}
            )


def _cell(part: Aggregate, cut: str, key: Any, at: int) -> dict[str, Any] | None:
    """What a row is about; None for a key that is none."""
    day, days = _span(part)
    text = "" if key is None else str(key).strip()
    number = int(float(text)) if text.replace(".0", "").isdigit() else -1
    if part.by == "day":
        found = _date(text)
        if found is None:
            return None
        return {"cut": cut, "key": 0, "label": "", "day": found, "days": 1}
    if part.by == "source":
        return {"cut": cut, "key": at + 1, "label": text, "day": day, "days": days}
    if number < 0 or (part.by == "hour" and number > 23):
        return None
    return {"cut": cut, "key": number, "label": "", "day": day, "days": days}


def _date(text: str) -> int | None:
    """Days since 1970 of 20220408, 2022-04-08, or either with a time behind it."""
    plain = text.removesuffix(".0")
    try:
        date = dt.datetime.fromisoformat(plain).date()
    except ValueError:
        return None
    return (date - EPOCH).days


def _units(made: Made, part: Aggregate, of: counted.Counted, k: int) -> None:
    """Rows by person or item, or how many of them have the same counts."""
    day, days = _span(part)
    weight = of.columns.get("count", np.ones(len(of.place), np.int64))
    known = of.columns["impressions"]
    about = {"of": part.by, "window": "whole", "day": day, "days": days}

    def histogram(name: str, at: NDArray[np.int64], values: NDArray[Any], size: int) -> None:
        units = np.bincount(at, weight[: len(at)] if len(at) == len(weight) else None, size)
        total = np.bincount(at, values, size)
        found = bins.merged(units.astype(np.int64), total.astype(float), k, name.startswith(RATE))
        if not len(found.units):
            made.suppressed["distributions"] += 1
        made.rows["distributions"] += found.rows(about | {"quantity": name})

    histogram("impressions", bins.of_counts(known), known * weight, bins.COUNTS)
    for name in part.responses:
        done = of.columns[f"responses/{name}"]
        histogram(name, bins.of_counts(done), done * weight, bins.COUNTS)
        # too few impressions say nothing about a share: their bin is none
        fit = known >= bins.LEAST_FOR_SHARE
        if "count" not in of.columns and fit.any():
            at = bins.of_shares(done[fit], known[fit])
            histogram(RATE + name, at, done[fit] / known[fit], bins.SHARES)
        n, x = known.astype(float), done.astype(float)
        made.rows["pairs"].append(
            {
                "of": part.by,
                "response": name,
                "day": day,
                "days": days,
                "units": int(weight[known > 1].sum()),
                "pairs": float((weight * n * (n - 1)).sum()),
                "both": float((weight * x * (x - 1)).sum()),
            }
        )


def _concluded(made: Made, mapped: Mapped) -> None:
    """First and last day, and what a reader must know."""
    counts = made.rows["counts"]
    dated = sorted(row["day"] for row in counts if row["cut"] == "all")
    if not any(made.rows.values()):
        raise UsageError(f"{mapped.name}: nothing is left (every row is bad, or below --k)")
    if len(set(dated)) < len(dated):
        raise UsageError(f"{mapped.name}: two rows are of one day (are two files the same?)")
    ends = [row["day"] for rows in made.rows.values() for row in rows if row.get("day")]
    first = EPOCH + dt.timedelta(days=dated[0] if dated else min(ends, default=0))
    last = EPOCH + dt.timedelta(days=max(dated or ends, default=0))
    listed = set(dated)
    empty = [
        (EPOCH + dt.timedelta(days=day)).isoformat()
        for day in range(dated[0] if dated else 0, dated[-1] if dated else 0)
        if day not in listed
    ]
    made.facts = {
        "first": first.isoformat() if ends else None,
        "last": last.isoformat() if ends else None,
        "step_d": 1,
        "gap_s": None,
        "unit": "",
        "empty_days": empty,
        "responses": sorted({row["response"] for row in made.rows["responses"]}),
        "amounts": [],
        "sources": {},
        "facts": {
            "rows": 0,
            "impressions": sum(row["impressions"] for row in counts if row["cut"] == "all"),
            "days": len(dated),
        },
    }
    made.cautions.append(
        "aggregates: taste match, quality and eagerness are hardly identified without rows"
    )
    for part in mapped.map.aggregates:
        if part.by != "day":
            until = f"to {part.until}" if part.until else "not dated"
            made.cautions.append(
                f"{part.files}, by {part.by}: one table of all its days ({until}), which cannot "
                f"be cut at a day within"
            )
