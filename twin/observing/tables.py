"""How the sums of a log become rows of the tables of an observed folder.

What fewer than ``k`` people did is left out: a day with fewer people in every table, a cell with
fewer people in its own. Where fewer than ``k``, but somebody, responded, how many is empty. Bins of
distributions are joined with their neighbours until each has ``k``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.observing import bins
from twin.observing.schemas import DAY_, SCHEMAS
from twin.observing.tally import AGES, DEPTHS, RATE, Tally

LEAST = {"age": AGES, "item age": AGES, "depth": DEPTHS}
"""Least value of each class of a cut."""


class Maker:
    """Makes tables of the sums of a log."""

    def __init__(self, tally: Tally, k: int, labels: Sequence[str]) -> None:
        self.tally, self.frame, self.k, self.labels = tally, tally.frame, k, labels
        self.suppressed: Counter[str] = Counter()
        people = self._people("all")[0]
        self.open = people >= k
        """Whether a day has enough people to be in any table, by period."""
        self.days = np.array([self.frame.day(i) for i in range(self.frame.periods)])
        self.covered = np.diff(np.append(self.frame.first - 1, self.days))

    def _people(self, cut: str) -> NDArray[np.int64]:
        """Who can be counted in cells: people, or impressions where nobody knows who."""
        counts = self.tally.counts[cut]
        known = self.frame.users and cut != "item age"
        each: NDArray[np.int64] = counts["users"] if known else counts["rows"]
        if cut == "item age":
            each = counts["impressions"]
        return each

    def _cell(self, cut: str, key: int, period: int) -> dict[str, Any]:
        label = [*self.labels, "other"][key] if cut == "source" else ""
        return {
            "cut": cut,
            "key": LEAST[cut][key] if cut in LEAST else key,
            "label": label,
            "day": int(self.days[period]),
            "days": int(self.covered[period]),
        }

    def cells(self) -> dict[str, list[dict[str, Any]]]:
        """Rows of counts, responses and amounts."""
        made: dict[str, list[dict[str, Any]]] = {"counts": [], "responses": [], "amounts": []}
        for cut in self.tally.counts:
            people = self._people(cut)
            for key, period in zip(*np.nonzero(people), strict=True):
                if people[key, period] < self.k or not self.open[period]:
                    self.suppressed["counts"] += 1
                    continue
                cell = self._cell(cut, int(key), int(period))
                made["counts"].append(cell | self._count(cut, key, period))
                made["responses"] += [cell | row for row in self._response(cut, key, period)]
                made["amounts"] += [cell | row for row in self._amount(cut, key, period)]
        return made

    def _count(self, cut: str, key: int, period: int) -> dict[str, Any]:
        one = self.tally.counts[cut][key, period]
        sessions = self.tally.sessions.get(cut)
        users = self.frame.users and cut != "item age"
        weighted = one["inverse"] > 0
        return {
            "users": int(one["users"]) if users else None,
            "sessions": None if sessions is None else int(sessions[key, period]),
            "impressions": int(one["impressions"]),
            "rows": int(one["rows"]) if cut != "item age" else None,
            "inverse": float(one["inverse"]) if weighted else None,
            "inverse_squared": float(one["inverse_squared"]) if weighted else None,
        }

    def _response(self, cut: str, key: int, period: int) -> list[dict[str, Any]]:
        found = []
        weighted = self.tally.counts[cut][key, period]["inverse"] > 0
        for r, name in enumerate(self.frame.responses):
            one = self.tally.done[cut][key, period, r]
            users = int(one["users"]) if self.frame.users and cut != "item age" else None
            hidden = users is not None and 0 < users < self.k
            self.suppressed["responses"] += hidden
            found.append(
                {
                    "response": name,
                    "known": int(one["known"]),
                    "total": None if hidden else int(one["total"]),
                    "users": None if hidden else users,
                    "weighted": float(one["weighted"]) if weighted and not hidden else None,
                }
            )
        return found

    def _amount(self, cut: str, key: int, period: int) -> list[dict[str, Any]]:
        if cut not in self.tally.amounts:
            return []
        found = []
        for i, name in enumerate(self.frame.amounts):
            known, total, squares = self.tally.amounts[cut][key, period, i]
            if 0 < known < self.k:
                self.suppressed["amounts"] += 1
            elif known:
                found.append(
                    {"amount": name, "known": int(known), "total": total, "squares": squares}
                )
        return found

    def distributions(self) -> list[dict[str, Any]]:
        """Rows of distributions."""
        made = []
        for (of, window, quantity), changes in self.tally.histograms.items():
            table = np.cumsum(changes, 0) if window == "so far" else changes
            for period in np.flatnonzero(table[:, :, 0].sum(1)):
                units, total = table[period, :, 0].astype(np.int64), table[period, :, 1]
                found = bins.merged(units, total, self.k, quantity.startswith(RATE))
                if not len(found.units) or not self.open[period]:
                    self.suppressed["distributions"] += 1
                    continue
                start = self.frame.first - 1 if window == "so far" else None
                day = int(self.days[period])
                days = day - start if start is not None else int(self.covered[period])
                made += found.rows(
                    {"of": of, "window": window, "day": day, "days": days, "quantity": quantity}
                )
        return made

    def pairs(self) -> list[dict[str, Any]]:
        """Rows of pairs. What a day with too few people adds goes to the next day with enough, so
        that sums over days stay what they are."""
        made = []
        each = [
            (of, response, table[:, r])
            for of, table in self.tally.pairs.items()
            for r, response in enumerate(self.frame.responses)
        ]
        for of, response, changes in each:
            held = np.zeros(3)
            for period in range(self.frame.periods):
                held = held + changes[period]
                if not self.open[period]:
                    continue
                if held[1]:
                    made.append(
                        {
                            "of": of,
                            "response": response,
                            "day": int(self.days[period]),
                            "days": int(self.covered[period]),
                            "units": int(held[0]),
                            "pairs": held[1],
                            "both": held[2],
                        }
                    )
                held = np.zeros(3)
        return made

    def cohorts(self) -> list[dict[str, Any]]:
        """Rows of cohorts."""
        made: list[dict[str, Any]] = []
        if self.tally.cohorts is None:
            return made
        table = self.tally.cohorts
        for first, period in zip(*np.nonzero(table[:, :, 0]), strict=True):
            users, impressions, sessions = table[first, period]
            if users < self.k or not self.open[period]:
                self.suppressed["cohorts"] += 1
                continue
            made.append(
                {
                    "first": int(self.days[first]),
                    "day": int(self.days[period]),
                    "users": int(users),
                    "impressions": int(impressions),
                    "sessions": int(sessions) if self.frame.clock else None,
                }
            )
        return made

    def supply(self) -> list[dict[str, Any]]:
        """Rows of supply."""
        return [
            {
                "of": of,
                "day": int(self.days[period]),
                "days": int(self.covered[period]),
                "shown": int(table[period, 0]),
                "new": int(table[period, 1]),
            }
            for of, table in self.tally.supply.items()
            for period in np.flatnonzero(self.open & (table[:, 0] > 0))
        ]

    def all(self) -> dict[str, pa.Table]:
        """Every table."""
        rows = {
            **self.cells(),
            "distributions": self.distributions(),
            "pairs": self.pairs(),
            "cohorts": self.cohorts(),
            "supply": self.supply(),
        }
        return {name: table(name, found) for name, found in rows.items()}


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of the folder; days are whole numbers since 1970, or None."""
    schema = SCHEMAS[name]
    columns = []
    for column in schema:
        values = [row.get(column.name) for row in rows]
        plain = pa.int32() if column.type == DAY_ else column.type
        columns.append(pa.array(values, plain).cast(column.type))
    return pa.table(columns, schema=schema)
