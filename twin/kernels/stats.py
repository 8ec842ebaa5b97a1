"""Summary statistics of distributions: Gini, top share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gini(values: NDArray[np.float64]) -> float:
    """Gini coefficient of non-negative values: 0 all equal, towards 1 all with one; 0 for nothing to share."""
    total, n = float(values.sum()), len(values)
    if n == 0 or total <= 0:
        return 0.0
    ordered = np.sort(values)
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * total))


def top_share(values: NDArray[np.float64], share: float) -> float:
    """Part of the total held by the top ``share`` of entries (at least one)."""
    total = float(values.sum())
    if len(values) == 0 or total <= 0:
        return 0.0
    return float(np.sort(values)[::-1][:max(1, round(share * len(values)))].sum() / total)
