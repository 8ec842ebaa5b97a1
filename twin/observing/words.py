"""An observed folder in words, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from twin.ground.errors import UsageError
from twin.observing import calendar
from twin.observing.folder import Observed
from twin.observing.times import NAMES
from twin.readers.text import human, sparkline

WIDTH = 40


def lines(observed: Observed) -> Iterator[str]:
    """What was understood, what was bad, and what such a log can and cannot identify."""
    of = observed.manifest
    yield from _read(of)
    yield from _bad(of)
    yield from _levels(observed)
    yield from _week(observed)
    yield ""
    yield "This log can identify:"
    yield from (
        f"  {each['statistic']}: {each['tells']}" for each in of["statistics"] if each["has"]
    )
    yield "It cannot identify:"
    for each in of["statistics"]:
        if not each["has"]:
            yield f"  {each['statistic']} ({each['why']})"
    yield from (f"  {each}" for each in of["never"])
    if of["cautions"]:
        yield "Take care:"
        yield from (f"  {each}" for each in of["cautions"])
    yield from _kept(observed)


def _read(of: dict[str, Any]) -> Iterator[str]:
    files, rows = of["read"]["files"], of["rows"]
    size = sum(each["bytes"] for each in files)
    many = f"{len(files)} files" if len(files) > 1 else files[0]["name"]
    yield f"read {many}, {human(size, 'bytes')}, {rows['read']} rows by {of['map']['name']}"
    for each in files:
        for note in each["notes"]:
            yield f"  {each['name']}: {note}"
    for path, column in of["map"]["columns"].items():
        yield f"  {path.removesuffix('.column'):<18} {column}{_unit(of, path)}"
    if of["first"]:
        span = f"{of['first']} to {of['last']}, days in {of['zone']}"
        yield f"  days               {span}"
    facts = of["facts"]
    if facts.get("users"):
        yield (
            f"  people             {facts['users']}, {facts['sessions']} sessions (a gap of "
            f"{of['gap_s'] // 60} min ends one), {facts['still_open']} of them not yet ended"
            if facts["sessions"]
            else f"  people             {facts['users']}"
        )
    if facts.get("items"):
        makers = f", {facts['makers']} makers" if facts["makers"] else ""
        yield f"  items              {facts['items']}{makers}"


def _unit(of: dict[str, Any], path: str) -> str:
    if path != "time.column":
        return ""
    if of["unit"]:
        return f" ({NAMES[of['unit']]})"
    facts = of["facts"]
    both = facts["zoned"] and facts["naive"]
    named = "with and without a zone" if both else "with a zone" if facts["zoned"] else "no zone"
    return f" (dates, {named})"


def _bad(of: dict[str, Any]) -> Iterator[str]:
    rows = of["rows"]
    bad = sum(each["rows"] for each in rows["bad"].values())
    share = f" ({100 * bad / rows['read']:.2g} %)" if bad else ""
    yield f"kept {rows['kept']} rows; bad: {bad}{share}"
    for reason, each in rows["bad"].items():
        first = ", ".join(each["first"][:3])
        yield f"  {reason}: {each['rows']} ({first}{', ...' if each['rows'] > 3 else ''})"
    for reason, many in rows["ignored"].items():
        yield f"  ignored: {many} {reason}"


def _levels(observed: Observed) -> Iterator[str]:
    """A line for impressions, people and each response: level and course by day."""
    if not observed.manifest["first"]:
        return
    step = observed.manifest["step_d"]
    per = "a day" if step == 1 else f"in {step} days"
    for column, name in (("impressions", "impressions"), ("users", "people")):
        _, values = observed.series(column)
        if np.nansum(values) > 0:
            course = sparkline(values.tolist(), WIDTH).rstrip()
            yield f"  {name + ' ' + per:<20} {human(values.mean()):>8}  {course}"
    table = observed.select("responses", cut="all")
    for name in observed.manifest["responses"]:
        _, rate = observed.rate(name)
        one = table.filter(pc.equal(table.column("response"), name))
        known, total = (pc.sum(one.column(column)).as_py() or 0 for column in ("known", "total"))
        if known:
            level = f"{100 * total / known:.3g} %"
            yield f"  {name:<20} {level:>8}  {sparkline(rate.tolist(), WIDTH).rstrip()}"
        else:
            yield f"  {name:<20} {human(total):>8}  in the cells that are kept (no impressions: no rate)"


def _week(observed: Observed) -> Iterator[str]:
    """The shape of the week and odd days, where there are any."""
    try:
        found = calendar.week(observed)
    except UsageError:
        return
    if found.significant or found.odd:
        yield from (f"  {line}" for line in calendar.lines(found))


def _kept(observed: Observed) -> Iterator[str]:
    of = observed.manifest
    rows = sum(each["rows"] for each in of["tables"].values())
    left = ", ".join(f"{many} of {name}" for name, many in of["privacy"]["left_out"].items())
    k = of["privacy"]["k"]
    yield f"observed: {observed.path}, {rows} rows of aggregates, nobody in a cell of fewer than {k}"
    if left:
        yield f"  left out for that: {left}"
