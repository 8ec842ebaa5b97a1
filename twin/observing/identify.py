"""What a log can and cannot identify: statistics that carry information about a world, and what
they need.

The list follows from a study in which parameters of simulated worlds were recovered from their
logs: sessions and volume, responses, click level, popularity of items, spread between people, and
pairs of one person's impressions of one maker carry what there is; the rest is not in a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from twin.ground.units import DAY, HOUR


@dataclass(frozen=True)
class Statistic:
    """A statistic, where it is, and what it says about a world."""

    name: str
    table: str
    cut: tuple[str, str]
    """A column of the table and the value that it must have somewhere; empty: any row."""
    tells: str
    needs: str
    """What a log must have for it."""


STATISTICS = (
    Statistic("impressions by day", "counts", ("cut", "all"), "volume", "a row per impression"),
    Statistic(
        "responses by day",
        "responses",
        ("cut", "all"),
        "level of clicks and other responses",
        "impressions with responses",
    ),
    Statistic(
        "sessions by day",
        "distributions",
        ("of", "session"),
        "eagerness, patience: how often, how long",
        "who, and a time of day",
    ),
    Statistic(
        "gaps between visits",
        "distributions",
        ("quantity", "seconds between sessions"),
        "returns on the same day (`again`), habits",
        "who, and a time of day",
    ),
    Statistic("hours", "counts", ("cut", "hour"), "the daily rhythm, in the zone", "a time of day"),
    Statistic(
        "quantiles over people",
        "distributions",
        ("of", "user"),
        "differences between people in activity and taste",
        "who",
    ),
    Statistic(
        "pairs of one person's impressions of one maker",
        "pairs",
        ("of", "user and maker"),
        "taste match: how alike what one person does with one maker is",
        "who, who made it, and responses",
    ),
    Statistic(
        "popularity of items",
        "distributions",
        ("of", "item"),
        "concentration of exposure",
        "what was shown",
    ),
    Statistic(
        "days since first seen",
        "cohorts",
        ("", ""),
        "returning and leaving; newcomers only within the log",
        "who, over several days",
    ),
    Statistic(
        "place in the slate",
        "counts",
        ("cut", "position"),
        "examination by place, mixed with what the ranking put there",
        "a position",
    ),
    Statistic(
        "depth in a session",
        "counts",
        ("cut", "depth"),
        "patience and fatigue",
        "who, and a time of day",
    ),
    Statistic(
        "random exposure",
        "counts",
        ("cut", "explore"),
        "what items get without the ranking: quality apart from choice; the effect of the feed",
        "a flag of exploration",
    ),
    Statistic(
        "inverse propensities",
        "counts",
        ("inverse", ""),
        "what another ranking would have got (off policy)",
        "a propensity",
    ),
)
NEVER = (
    "satisfaction, opinions and trust: no log of interactions holds them",
    "why creators post or stop: what they earn and what it costs them is not in a log of what was "
    "shown",
    "people who never came: a log holds visitors alone",
)
"""What no log of interactions identifies."""


def table(tables: Mapping[str, pa.Table], tried: Iterable[str] = ()) -> list[dict[str, Any]]:
    """For every statistic: whether the log has it, and if not why.

    ``tried``: cuts, units and quantities for which the log has columns, so that what is missing of
    them was left out for having too few people.
    """
    few = set(tried)
    made = []
    for each in STATISTICS:
        rows = _rows(each, tables)
        has = rows is not None and _says(each, rows)
        hidden = not has and not rows and each.cut[1] in few
        why = "" if has else "too few people in a cell" if hidden else f"needs {each.needs}"
        made.append(
            {
                "statistic": each.name,
                "table": each.table,
                "has": has,
                "tells": each.tells,
                "why": why,
            }
        )
    return made


def _rows(of: Statistic, tables: Mapping[str, pa.Table]) -> pa.Table | None:
    """The rows of a statistic; None if there are none."""
    found = tables[of.table]
    column, value = of.cut
    if column and value:
        found = found.filter(pc.equal(found.column(column), value))
    return found if found.num_rows else None


def _says(of: Statistic, rows: pa.Table) -> bool:
    """Whether rows say anything: days without an impression do not, nor responses to none."""
    column, value = of.cut
    if column and not value:
        return bool(rows.column(column).null_count < rows.num_rows)
    if of.table == "responses":
        return bool((pc.sum(rows.column("known")).as_py() or 0) > 0)
    if of.table == "counts" and value == "all":
        return bool((pc.sum(rows.column("impressions")).as_py() or 0) > 0)
    return True


def cautions(facts: Mapping[str, Any], tables: Mapping[str, pa.Table]) -> list[str]:
    """What a reader of the tables must know: what is odd in this log."""
    made = [*_of_responses(tables), *_of_time(facts)]
    if facts["users"] == 0:
        made.append("the log does not say who: nothing about people, sessions or returns")
    if facts["users"] == 1:
        made.append("one person: nothing about differences between people")
    if facts["items"] == 1:
        made.append("one item: nothing about popularity or choice")
    if facts["users"] >= 100 and not facts["slight"]:
        made.append(
            "nobody has 10 impressions or fewer: if people were chosen for their activity, means "
            "over them are not those of the platform"
        )
    if facts["rows"] and not facts["impressions"]:
        made.append("no impressions, only responses: rates cannot be identified")
    if facts["users"] and facts["days"] > 1:
        made.append(
            "people of the first days may have been there before: newcomers cannot be told from "
            "them"
        )
    return made


def _of_responses(tables: Mapping[str, pa.Table]) -> list[str]:
    made = []
    found = tables["responses"]
    found = found.filter(pc.equal(found.column("cut"), "all"))
    for name in pc.unique(found.column("response")).to_pylist():
        one = found.filter(pc.equal(found.column("response"), name))
        known = pc.sum(one.column("known")).as_py() or 0
        total, hidden = pc.sum(one.column("total")).as_py() or 0, one.column("total").null_count
        if known and total == known and not hidden:
            made.append(
                f"{name}: every impression has it (does the log hold only what got a {name}?)"
            )
        if known and not total and not hidden:
            made.append(f"{name}: no impression has it")
    return made


def _of_time(facts: Mapping[str, Any]) -> list[str]:
    made = []
    if facts["resolution"] >= DAY:
        made.append("times are days: nothing about hours, sessions or gaps")
    elif facts["resolution"] >= HOUR:
        made.append("times are whole hours: sessions and gaps below an hour are not known")
    elif facts["resolution"] > 1:
        made.append(
            f"times are rounded to {facts['resolution']} s: the order of events within that is "
            f"that of the file, and shorter gaps are not known"
        )
    if facts["days"] < 14:
        made.append(f"{facts['days']} days: too short for the shape of a week")
    if facts["naive"]:
        made.append(f"{facts['naive']} times name no zone: taken as {facts['zone']}")
    if facts["empty"]:
        made.append(f"{facts['empty']} days within the log have no row")
    return made
