"""The check of what a ranker gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ranking.batch import Batch


class Wrong(Exception):
    """An answer of a ranker that cannot be used, in words."""


def checked(found: Any, batch: Batch) -> NDArray[np.float32]:
    """The scores as float32 (m,). Raises Wrong for another shape, for what are no numbers, and for
    NaN and infinity; -inf is a score."""
    try:
        scores = np.asarray(found)
    except Exception:
        raise Wrong(f"score gave {type(found).__name__}, not an array") from None
    if scores.dtype.kind not in "biuf":
        raise Wrong(f"score gave {_told(found, scores)}, not an array of numbers")
    if scores.shape != (batch.size,):
        raise Wrong(
            f"score gave an array of shape {scores.shape} for {batch.size} candidates "
            f"(give one number for each, ({batch.size},))"
        )
    # A number that float32 cannot hold becomes infinite, which is refused below
    with np.errstate(over="ignore"):
        made: NDArray[np.float32] = np.ascontiguousarray(scores, np.float32)
    bad = np.isnan(made) | np.isposinf(made)
    if bad.any():
        at = int(bad.argmax())
        raise Wrong(
            f"score gave {scores[at]} for {np.count_nonzero(bad)} of {batch.size} candidates, the "
            f"first for post {batch.post[at]} of person {batch.person[batch.session[at]]} (give "
            f"finite numbers, or -inf for a post that must not be shown)"
        )
    # Never an array that the ranker holds and may write later
    return made.copy() if made is found or made.base is not None else made


def _told(found: Any, scores: NDArray[Any]) -> str:
    return type(found).__name__ if not isinstance(found, np.ndarray) else f"dtype {scores.dtype}"
