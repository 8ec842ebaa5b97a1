"""The trainer: the dense weights of the multi-head model and the three embedding tables, fitted to the log in log order.

Progressive validation (predict the next interval before training on it): AUC by ranks with ties, log loss, and calibration
(mean prediction over mean outcome).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twin.kernels.training import HEADS, train
from twin.mechanisms.recommender.tables import Arrays, EmbeddingTable

PRIOR = np.array([0.3, 0.2, 0.02, 0.003, 0.001, 0.001, 0.001, 0.0001])
"""Where the heads' rates start before anything is learned: orders of magnitude, forgotten within a day of data."""


class Trainer:
    """Fits and hands out vectors; all state is arrays in ``keep``."""

    def __init__(self, keep: Arrays, tables: Mapping[str, EmbeddingTable]) -> None:
        self.keep, self.tables = keep, tables

    def setup(self) -> None:
        """Untrained model: every positive head wants a match, hide and report the contrary."""
        dim = next(iter(self.tables.values())).dim
        sign = np.array([-1 if head in ("hide", "report") else 1 for head in HEADS], np.float32)
        self.keep["W"] = np.tile(sign, (dim + 2, 1)).astype(np.float32)
        self.keep["GW"] = np.full((dim + 2, 8), 0.1, np.float32)
        self.keep["c"] = np.log(PRIOR / (1 - PRIOR)).astype(np.float32)
        self.keep["Gc"] = np.full(8, 0.1, np.float32)
        for table in self.tables.values():
            table.setup()

    def fit(self, consumer_keys: NDArray[np.uint64], consumer: NDArray[np.int32], post_keys: NDArray[np.uint64],
            post: NDArray[np.int32], creator_keys: NDArray[np.uint64], creator: NDArray[np.int32],
            responses: NDArray[np.uint16], now: int, *, lr: float, lr_dense: float, l2: float) -> None:
        """One pass over a log (n samples): each sample names a place in each list of keys."""
        rows, arrays = [], []
        for name, keys, places in (("consumer", consumer_keys, consumer), ("post", post_keys, post),
                                   ("creator", creator_keys, creator)):
            count = np.bincount(places, minlength=len(keys))
            some = np.flatnonzero(count)
            table = self.tables[name]
            row_of = np.full(len(keys), -1, np.int32)
            row_of[some] = table.learn(np.ascontiguousarray(keys[some]), count[some], now)
            rows.append(row_of[places])
            arrays += [table.E, table.G]
        k = self.keep
        train(*arrays, *rows, np.ascontiguousarray(responses), k["W"], k["GW"], k["c"], k["Gc"], np.float32(lr),
              np.float32(lr_dense), np.float32(l2))  # type: ignore[call-arg]

    def served(self, keys: NDArray[np.uint64], which: str, unknown: NDArray[np.float32] | float = 0) -> NDArray[np.float32]:
        """Vectors (n, dim + 1) for serving; a key without a row gets ``unknown``."""
        table = self.tables[which]
        rows = table.rows(np.ascontiguousarray(keys))
        out: NDArray[np.float32] = table.E[rows]
        out[rows < 0] = unknown
        return out

    def newcomer(self) -> NDArray[np.float32]:
        """The mean consumer vector (dim + 1)."""
        table = self.tables["consumer"]
        used = table.E[self.keep["table.consumer.born"]]
        mean: NDArray[np.float32] = (used.mean(0, dtype=np.float64) if len(used) else np.zeros(table.dim + 1)).astype(np.float32)
        return mean

    def dense(self) -> dict[str, NDArray[np.float32]]:
        """Dense weights W (dim + 2, 8) and intercepts c (8,)."""
        return {"W": self.keep["W"], "c": self.keep["c"]}

    def expire(self, now: int) -> None:
        """Let every table expire."""
        for table in self.tables.values():
            table.expire(now)


def auc(probability: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve by mid-ranks; NaN where one class is missing."""
    good = int(truth.sum())
    bad = len(truth) - good
    if not good or not bad:
        return float("nan")
    _, place, count = np.unique(probability, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2  # scipy.stats would cost every command half a second of imports
    return float((rank[place][truth].sum() - good * (good + 1) / 2) / (good * bad))


def judge(probability: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """AUC, log loss (nats per impression) and calibration of predictions."""
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    loss = -(np.log(p[truth]).sum() + np.log1p(-p[~truth]).sum()) / max(len(truth), 1)
    return np.array([auc(probability, truth), loss, p.mean() / max(float(truth.mean()), 1e-12)])
