"""Training of the multi-head model on a log, in log order.

    logit_h = c_h + sum_k W[k,h] u_k v_k + W[D,h] b_u + W[D+1,h] b_v + sum_j S[j,h] s_j
    v       = post vector + creator vector + sum_j P[j] s_j

where s is what is known of a post beside its IDs (`twin.kernels.side`): S weighs it for everybody,
by head; P adds it to the item vector, so that it interacts with the person's own (counts have no
rows in P). Without signals S and P have no rows, and both terms vanish.

A vector is one row of its table, or is made of two (double hashing, quotient and remainder): their
sum, or their elementwise product (Shi et al. 2020), the bias always the sum. Both rows take the
gradient of what they are part of: g for a sum, g * the other row for a product.

Loss: binary cross-entropy summed over the eight heads, all trained on every examined impression,
plus L2 on touched rows. Training goes by batches of BATCH samples: all gradients of a batch are
taken at its start, then rows move by row-wise Adagrad (one accumulator for the vector, one for the
bias, as in large production tables), sample after sample in log order, and dense weights by
elementwise Adagrad on the batch's sum. So within a batch samples can be processed, and rows moved,
on any number of threads: the same log gives the same bits. Work is cut into units, which free
threads take in turn; a unit starts when those of the phase before it are done.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from twin.ground.compiled import inner, kernel
from twin.kernels.adagrad import Share, move
from twin.kernels.gradients import gradients
from twin.kernels.lanes import announce, take_turn, wait_until

Array = Any
HEADS = ("click", "long_view", "like", "comment", "reshare", "follow", "hide", "report")
BATCH = 256
"""Samples of a batch."""


class Table(NamedTuple):
    """One embedding table."""

    E: Array  # f4 (rows, D + 1), bias last
    G: Array  # f4 (rows, 2): Adagrad accumulators of the vector and of the bias


class Embeddings(NamedTuple):
    """Tables by entity."""

    consumer: Table
    post: Table
    creator: Table


class Places(NamedTuple):
    """Rows of a log (n) in one table, -1 for "no row" (read as zeros, never written)."""

    first: Array  # i4 (n,)
    second: Array  # i4 (n,); (0,) where all tables have one row per ID
    multiplies: bool  # whether the two rows of an ID are multiplied


class Samples(NamedTuple):
    """The log (n): rows in the tables, responses, and what is known of the posts."""

    consumer: Places
    post: Places
    creator: Places
    responses: Array  # u2, a bit per head
    place: Array  # i4: rows of posts in ``reading``; (0,) without signals
    # i4: the post's counts as they stood, see `twin.kernels.side`; (0,) without signals
    tally: Array
    reading: Array  # f4 (posts, READ)
    mask: Array  # f4 (F,): 1 for a signal that is used, else 0


class Dense(NamedTuple):
    """Dense weights with their accumulators."""

    W: Array  # f4 (D + 2, 8)
    GW: Array
    c: Array  # f4 (8,)
    Gc: Array
    S: Array  # f4 (F, 8); F is 0 without signals
    GS: Array
    P: Array  # f4 (READ, D); no rows without signals
    GP: Array


class Rates(NamedTuple):
    """Adagrad's rates of embeddings, of dense weights and of signals' weights, and L2 on touched
    rows."""

    embedding: float
    dense: float
    l2: float = 0.0
    signals: float = 0.02


class Tower(NamedTuple):
    """The consumers or the items of one batch (B samples)."""

    vector: Array  # f4 (B, D): vectors, then the gradients of them
    bias: Array  # f4 (B,): gradients of the biases
    square: Array  # f4 (B,): squared lengths of the gradients of the vectors


class Factors(NamedTuple):
    """The two rows f4 (B, 2, D) of each ID in tables that multiply; empty where none does."""

    consumer: Array
    post: Array
    creator: Array


class Cut(NamedTuple):
    """Units into which a batch is cut; no bit depends on them."""

    pieces: int  # of its samples
    parts: int  # of the rows and dense weights that it moves: a power of 2


class Batch(NamedTuple):
    """Intermediate results of one batch (B samples), and how far the threads are."""

    consumer: Tower
    item: Tower
    factors: Factors
    z: Array  # f4 (D + 3 + F, B): u * v, the two biases, ones, and s
    side: Array  # f4 (B, F): s
    lift: Array  # f4 (8 B,): s times S: log-odds by head
    e: Array  # f4 (B, 8): predicted less observed
    error: Array  # f4 (8 B,): the same numbers
    transposed: Array  # f4 (8, D + 2): W
    total: Array  # f4 (8 (D + 3 + F),): gradient of the dense weights
    cut: Cut
    done: Array  # i8 (1,): units done
    turn: Array  # i8 (1,): the next unit


def empty_batch(dim: int, multiplies: bool, dense: Dense, threads: int = 1) -> Batch:
    """Room for the batches of one pass by so many threads."""
    # a power of 2: rows are divided by bits of their numbers
    parts = 1 << (threads - 1).bit_length()
    f4, wide = np.float32, len(dense.S)
    # row D + 2 of z keeps its ones, the input of c
    z, e = np.ones((dim + 3 + wide, BATCH), f4), np.empty((BATCH, 8), f4)

    def tower() -> Tower:
        return Tower(
            vector=np.empty((BATCH, dim), f4), bias=np.empty(BATCH, f4), square=np.empty(BATCH, f4)
        )

    def factor() -> Array:
        return np.empty((BATCH if multiplies else 0, 2, dim), f4)

    return Batch(
        consumer=tower(),
        item=tower(),
        factors=Factors(consumer=factor(), post=factor(), creator=factor()),
        z=z,
        side=np.empty((BATCH, wide), f4),
        lift=np.empty(8 * BATCH, f4),
        e=e,
        # the memory of e, in the shape that `dot8` writes to
        error=e.reshape(-1),
        # contiguous by head, as the loop over dimensions in `gradients` reads it
        transposed=np.ascontiguousarray(dense.W.T),
        total=np.empty(8 * (dim + 3 + wide), f4),
        cut=Cut(pieces=1, parts=1) if threads == 1 else Cut(pieces=2 * parts, parts=parts),
        done=np.zeros(1, np.int64),
        turn=np.zeros(1, np.int64),
    )


@inner
def _piece(piece, first, size, tables, samples, dense, batch, row):
    """Process a piece of the batch of ``size`` samples from ``first`` on; samples missing from a
    whole batch have no weight."""
    pieces, dim = batch.cut.pieces, batch.consumer.vector.shape[1]
    for b in range(piece * BATCH // pieces, (piece + 1) * BATCH // pieces):
        if b < size:
            gradients(first + b, b, tables, samples, dense, batch, row)
        else:  # `dot8` sums over BATCH samples whatever the size
            for h in range(8):
                batch.e[b, h] = np.float32(0)
            for j in range(len(dense.S)):
                batch.z[dim + 3 + j, b] = np.float32(0)


@kernel
def train(tables, samples, dense, rates, batch):
    """One pass over the log at the `Rates`, by one thread or by as many as call it at the same
    time; each returns when nothing is left to take, the last of them when all is done."""
    n, pieces, parts = len(samples.responses), batch.cut.pieces, batch.cut.parts
    # units of one batch: first the pieces of its samples, then the parts of what it moves
    each = pieces + parts
    units, row = -(-n // BATCH) * each, np.empty((1, batch.consumer.vector.shape[1]), np.float32)
    unit = take_turn(batch.turn, 0)
    while unit < units:
        first, phase = unit // each * BATCH, unit % each
        size = min(BATCH, n - first)
        # Rows move when all gradients of the batch are known, and the other way round.
        wait_until(batch.done, 0, unit - phase + (pieces if phase >= pieces else 0))
        if phase < pieces:
            _piece(phase, first, size, tables, samples, dense, batch, row[0])
        else:
            share = Share(part=phase - pieces, parts=parts, row=row)
            move(share, first, size, tables, samples, dense, batch, rates)
        announce(batch.done, 0)
        unit = take_turn(batch.turn, 0)
