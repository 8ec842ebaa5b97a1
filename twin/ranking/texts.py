"""Numbers of a table's rows as texts, each made once.

Ids, hashes of names and times are asked about in many windows and take longer to write than to look
up. A row that was given to another has another id, and so other texts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOBODY = -(2**63)
"""An id that no row has."""


class Texts:
    """Texts by row, one of each of the ``writers``."""

    def __init__(self, *writers: Callable[[int], str]) -> None:
        self._writers = writers
        self._id = np.zeros(0, np.int64)
        self._texts = [np.zeros(0, object) for _ in writers]

    def __call__(self, rows: NDArray[Any], *numbers: NDArray[Any]) -> list[list[str]]:
        """Texts of the numbers i8 or u8 (m,) that rows (m,) have now, a list for each writer.

        The first numbers are the rows' ids: a row that keeps its id keeps all its texts.
        """
        self._grow(int(rows.max(initial=-1)) + 1)
        ids = numbers[0].view(np.int64)
        new = np.flatnonzero(self._id[rows] != ids)
        if len(new):
            self._id[rows[new]] = ids[new]
            for write, texts, given in zip(self._writers, self._texts, numbers, strict=True):
                texts[rows[new]] = [write(each) for each in given[new].tolist()]
        return [texts[rows].tolist() for texts in self._texts]

    def _grow(self, size: int) -> None:
        more = size - len(self._id)
        if more > 0:
            more = max(more, len(self._id))
            self._id = np.append(self._id, np.full(more, NOBODY))
            self._texts = [np.append(each, np.zeros(more, object)) for each in self._texts]
