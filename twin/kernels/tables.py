"""The cuckoo map from 64-bit IDs to embedding rows, and how a new row starts.

Cuckoo map (Pagh & Rodler 2004; buckets of four as in Monolith's collisionless table): an ID lives
in one of two buckets, by two hash functions; a newcomer to two full buckets displaces a resident to
its other bucket, up to MAX_KICKS times, after which the map is doubled and everything is put in
again. Victims are chosen by hash, so the map is a function of the order of insertions.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inlined, inner, kernel, making
from twin.ground.draws import mix64

Array = Any
BUCKET = 4
MAX_KICKS = 64
_SECOND = np.uint64(0xA0761D6478BD642F)


class Vectors(NamedTuple):
    """Vectors of one entity as they are served, by row of its table in the World (N)."""

    vec: Array  # f4 (N, D)
    bias: Array  # f4 (N,)


@inlined
def _buckets(key, count):
    return np.int64(mix64(key) % np.uint64(count)), np.int64(
        mix64(key ^ _SECOND) % np.uint64(count)
    )


@inner
def find(key, slot_key, slot_row):
    """Place of a key in the map, or -1. A slot is empty where its row is -1."""
    one, two = _buckets(key, len(slot_key) // BUCKET)
    for s in range(one * BUCKET, one * BUCKET + BUCKET):
        # `drop` leaves the key in its slot: only the row says that a slot is taken
        if slot_row[s] >= 0 and slot_key[s] == key:
            return s
    for s in range(two * BUCKET, two * BUCKET + BUCKET):
        if slot_row[s] >= 0 and slot_key[s] == key:
            return s
    return -1


@kernel
def find_all(keys, slot_key, slot_row, out):
    """Row of every key, -1 where absent."""
    count = len(slot_key) // BUCKET
    for i in range(len(keys)):
        one, two = _buckets(keys[i], count)
        # a key is in one place at most: looking at all eight spares the processor wrong guesses
        row = np.int32(-1)
        for k in range(BUCKET):
            a, b = one * BUCKET + k, two * BUCKET + k
            row = max(row, slot_row[a] if slot_key[a] == keys[i] else np.int32(-1))
            row = max(row, slot_row[b] if slot_key[b] == keys[i] else np.int32(-1))
        out[i] = row


@inner
def put(key, row, slot_key, slot_row):
    """Insert an absent key. Returns True, or False with the homeless (key, row) in the last two
    results: then grow."""
    count = len(slot_key) // BUCKET
    bucket, _ = _buckets(key, count)
    for kick in range(MAX_KICKS):
        one, two = _buckets(key, count)
        for s in range(one * BUCKET, one * BUCKET + BUCKET):
            if slot_row[s] < 0:
                slot_key[s], slot_row[s] = key, row
                return True, key, row
        for s in range(two * BUCKET, two * BUCKET + BUCKET):
            if slot_row[s] < 0:
                slot_key[s], slot_row[s] = key, row
                return True, key, row
        # both are full: a resident leaves its place, and goes on to its other bucket
        s = bucket * BUCKET + np.int64(mix64(key ^ np.uint64(kick)) % np.uint64(BUCKET))
        slot_key[s], key = key, slot_key[s]
        slot_row[s], row = row, slot_row[s]
        one, two = _buckets(key, count)
        bucket = two if one == bucket else one
    return False, key, row


@making
def grow(slot_key, slot_row, key, row):
    """A map of twice the size with the same entries and a homeless one; doubles again if that is
    not enough."""
    size = len(slot_key)
    while True:
        size *= 2
        new_key, new_row = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
        # a failed `put` leaves another key homeless: each attempt starts again from the old map
        good, _, _ = put(key, row, new_key, new_row)
        for s in range(len(slot_key)):
            if good and slot_row[s] >= 0:
                good, _, _ = put(slot_key[s], slot_row[s], new_key, new_row)
        if good:
            return new_key, new_row


@kernel
def admit(keys, slot_key, slot_row, free, free_count, next_row, out):
    """Give every absent key a row, recycled ones first; returns the map and the new counters.
    ``out`` gets all rows."""
    for i in range(len(keys)):
        s = find(keys[i], slot_key, slot_row)
        if s >= 0:
            out[i] = slot_row[s]
            continue
        if free_count > 0:
            free_count -= 1
            row = free[free_count]
        else:
            row = np.int32(next_row)
            next_row += 1
        out[i] = row
        good, key, homeless = put(keys[i], row, slot_key, slot_row)
        if not good:
            slot_key, slot_row = grow(slot_key, slot_row, key, homeless)
    return slot_key, slot_row, free_count, next_row


@kernel
def drop(dead, slot_row):
    """Empty the slots whose row is marked dead; returns how many."""
    count = 0
    for s in range(len(slot_row)):
        if slot_row[s] >= 0 and dead[slot_row[s]]:
            slot_row[s] = -1
            count += 1
    return count


@kernel
def start_rows(keys, rows, E, scale, centre):
    """New embeddings from their keys alone: D uniforms in centre +- scale/sqrt(D), bias 0."""
    dim = E.shape[1] - 1
    size = np.float64(scale) / np.sqrt(np.float64(dim))
    for i in range(len(keys)):
        for k in range(dim):
            # 53 bits: all that float64 holds exactly
            u = np.float64(mix64(keys[i] + np.uint64(k + 1) * _SECOND) >> np.uint64(11)) * 2.0**-53
            E[rows[i], k] = centre + (2.0 * u - 1.0) * size
        E[rows[i], dim] = 0


@kernel
def copy_rows(E, one, unknown, rows, served, maker, makers):
    """Copy vectors to ``served``: the entity at ``rows``[i] has row ``one``[i] of E, or ``unknown``
    where that is -1; where ``maker`` is not empty, plus what is served of maker[i], ``makers``."""
    vec, bias, dim = served.vec, served.bias, E.shape[1] - 1
    plus = len(maker) > 0
    for i in range(len(rows)):
        r, e = rows[i], one[i]
        for k in range(dim):
            vec[r, k] = E[e, k] if e >= 0 else unknown[k]
        bias[r] = E[e, dim] if e >= 0 else unknown[dim]
        if plus:
            m = maker[i]
            for k in range(dim):
                vec[r, k] += makers.vec[m, k]
            bias[r] += makers.bias[m]


@kernel
def mean_row(E, used):
    """Mean of the rows of E in use, float64 (D + 1,), added up in order; zeros where there are
    none."""
    total, count = np.zeros(E.shape[1]), 0
    for r in range(len(E)):
        if used[r]:
            count += 1
            for k in range(E.shape[1]):
                total[k] += E[r, k]
    return total / count if count else total
