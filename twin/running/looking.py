"""A look at a running world: who is in which community, where they stand, and who is seen.

    where people stand     opinion, -1..1 (without opinions: satisfaction, 0..1)
    where creators stand   the mean slant of their posts, -1..1 (without opinions: morale, 0..1)
    how far one is seen    impressions of a creator's posts that are in the feed now

Everything is counted over all active people and creators; drawn are PEOPLE of the former and
CREATORS of the latter. Who that is hangs on their keys alone: the PEOPLE active ones whose mixed
keys are smallest. So the same are drawn at every look for as long as they are active, whoever is
new has the same chance, and no random number of the run is used. Beside such a sample stand the
SEEN creators that are seen most, since few creators get most of what is seen. Accounts of campaigns
are left out, as in all statistics of creators. A look reads, and changes nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.engine.simulation import Simulation
from twin.mechanisms.groups import COMMUNITIES, community, reach
from twin.world.columns import Table

PEOPLE, CREATORS, SEEN = 1600, 200, 200
KINDS = ("human", "assisted", "ai")
BANDS = COMMUNITIES + 1
TOP = 0.1
"""The part of creators, those seen most, whose part of all that is seen is given."""
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def look(simulation: Simulation) -> dict[str, Any]:
    """The view as plain data. ``people`` and ``creators`` are those drawn: lists of equal length,
    positions in thousandths, ``band`` the place of the community, ``kind`` a place in KINDS.
    ``communities`` and totals count everybody."""
    world = simulation.world
    consumers, creators = world.table("consumers"), world.table("creators")
    here = consumers.readable("active")
    there = creators.readable("active") & ~creators.readable("campaign")
    seen = np.where(there, reach(world), 0.0)
    opinions = "opinion" in consumers.columns
    stand = consumers.readable("opinion" if opinions else "satisfaction").astype(np.float64)
    lean = creators.readable("slant" if opinions else "morale").astype(np.float64)
    kind = np.where(creators.readable("ai"), 2, creators.readable("assisted").astype(np.int64))
    bands, homes = _bands(consumers), _bands(creators)
    some = sample(consumers.readable("key"), here, PEOPLE)
    most = _most(seen, there, SEEN)
    rest = there.copy()
    rest[most] = False
    makers = np.concatenate([most, sample(creators.readable("key"), rest, CREATORS)])
    return {
        "axis": "opinion" if opinions else "satisfaction",
        "people": _marks(consumers, some, stand, bands),
        "creators": {
            **_marks(creators, makers, lean, homes),
            "kind": kind[makers].tolist(),
            "seen": seen[makers].astype(np.int64).tolist(),
        },
        "communities": _communities(bands[here], stand[here], homes[there], seen[there]),
        "seen": np.bincount(kind[there], weights=seen[there], minlength=len(KINDS)).tolist(),
        "top": float(np.sort(seen[there])[::-1][: int(np.ceil(TOP * there.sum()))].sum()),
        "active": [int(here.sum()), int(there.sum())],
    }


def sample(keys: NDArray[np.uint64], here: NDArray[np.bool_], most: int) -> Ints:
    """At most so many of the rows that are ``here``, by their keys alone, in rising order."""
    rows = np.flatnonzero(here)
    if len(rows) > most:
        # multiplied by the odd number nearest to 2^64 over the golden ratio, as hashes do
        mixed = keys[rows] * np.uint64(0x9E3779B97F4A7C15)
        rows = np.sort(rows[np.argpartition(mixed ^ (mixed >> np.uint64(32)), most)[:most]])
    return rows


def _most(seen: Floats, there: NDArray[np.bool_], most: int) -> Ints:
    """Rows of the creators that are seen most; of equals the first."""
    rows = np.flatnonzero(there)
    return np.sort(rows[np.argsort(-seen[rows], kind="stable")[:most]])


def _bands(table: Table) -> Ints:
    if "community" not in table.columns:
        return np.zeros(len(table), np.int64)
    return community(table.readable("community"))


def _marks(table: Table, rows: Ints, place: Floats, bands: Ints) -> dict[str, list[int]]:
    """Who is drawn and where. Half of a key is enough to know them again."""
    keys = table.readable("key")[rows] & np.uint64(0xFFFFFFFF)
    return {
        "id": keys.tolist(),
        "x": np.rint(1000 * place[rows]).astype(np.int64).tolist(),
        "band": bands[rows].tolist(),
    }


def _communities(bands: Ints, stand: Floats, homes: Ints, seen: Floats) -> list[dict[str, Any]]:
    """People, where they stand on the mean, creators, and what is seen of them, by community; those
    in which there is nobody are left out."""
    people = np.bincount(bands, minlength=BANDS)
    total = np.bincount(bands, weights=stand, minlength=BANDS)
    made = np.bincount(homes, minlength=BANDS)
    views = np.bincount(homes, weights=seen, minlength=BANDS)
    return [
        {
            "band": band,
            "people": int(people[band]),
            "mean": float(total[band] / people[band]) if people[band] else None,
            "creators": int(made[band]),
            "seen": float(views[band]),
        }
        for band in range(BANDS)
        if people[band] or made[band]
    ]
