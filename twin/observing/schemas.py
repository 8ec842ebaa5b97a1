"""Columns of the tables of an observed folder."""

from __future__ import annotations

import pyarrow as pa

DAY_ = pa.date32()
_CELL = [
    ("cut", pa.string()),  # all, hour, position, source, explore, age, depth, item age
    ("key", pa.int64()),  # the hour, the place from 0, ...; least of a class of ages or depths
    ("label", pa.string()),  # name of a source
    ("day", DAY_),  # last day that is covered; empty: not known
    ("days", pa.int64()),  # how many days are covered
]
SCHEMAS: dict[str, pa.Schema] = {
    "counts": pa.schema(
        [
            *_CELL,
            ("users", pa.int64()),
            ("sessions", pa.int64()),  # that began
            ("impressions", pa.int64()),
            ("rows", pa.int64()),
            ("inverse", pa.float64()),  # sum of 1 / propensity
            ("inverse_squared", pa.float64()),
        ]
    ),
    "responses": pa.schema(
        [
            *_CELL,
            ("response", pa.string()),
            ("known", pa.int64()),  # impressions of which it is known
            ("total", pa.int64()),
            ("users", pa.int64()),  # who responded
            ("weighted", pa.float64()),  # sum of response / propensity
        ]
    ),
    "amounts": pa.schema(
        [
            *_CELL,
            ("amount", pa.string()),
            ("known", pa.int64()),
            ("total", pa.float64()),
            ("squares", pa.float64()),
        ]
    ),
    "distributions": pa.schema(
        [
            ("of", pa.string()),  # user, item, maker, session, gap
            ("window", pa.string()),  # day, so far (from the first day on), whole
            ("day", DAY_),
            ("days", pa.int64()),
            ("quantity", pa.string()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("units", pa.int64()),
            ("total", pa.float64()),
        ]
    ),
    "pairs": pa.schema(
        [
            ("of", pa.string()),  # user, item, maker, session, user and item, user and maker
            ("response", pa.string()),
            ("day", DAY_),
            ("days", pa.int64()),
            ("units", pa.int64()),  # with a pair for the first time
            ("pairs", pa.float64()),  # ordered pairs of impressions within a unit
            ("both", pa.float64()),  # of these, with a response to both
        ]
    ),
    "cohorts": pa.schema(
        [
            ("first", DAY_),
            ("day", DAY_),
            ("users", pa.int64()),
            ("impressions", pa.int64()),
            ("sessions", pa.int64()),
        ]
    ),
    "supply": pa.schema(
        [
            ("of", pa.string()),
            ("day", DAY_),
            ("days", pa.int64()),
            ("shown", pa.int64()),
            ("new", pa.int64()),
        ]
    ),
}
"""Columns of every table; days are in the zone of the manifest."""
