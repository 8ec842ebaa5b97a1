"""Numbers of a table's rows as texts, each made once.

Ids, hashes of names and times are asked about in many windows and take longer to write than to look
up. A row that was given to another has another number, and so another text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOBODY = -(2**63)
"""A number that no row has."""


class Texts:
    """Texts by row; ``text`` writes a number."""

    def __init__(self, text: Callable[[int], str]) -> None:
        self._write = text
        self._number = np.zeros(0, np.int64)
        self._text = np.zeros(0, object)

    def __call__(self, rows: NDArray[Any], numbers: NDArray[Any]) -> list[str]:
        """Texts of the numbers i8 or u8 (m,) that rows (m,) have now."""
        self._grow(int(rows.max(initial=-1)) + 1)
        given = numbers.view(np.int64)
        new = np.flatnonzero(self._number[rows] != given)
        if len(new):
            self._number[rows[new]] = given[new]
            self._text[rows[new]] = [self._write(each) for each in numbers[new].tolist()]
        texts: list[str] = self._text[rows].tolist()
        return texts

    def _grow(self, size: int) -> None:
        more = size - len(self._number)
        if more > 0:
            more = max(more, len(self._number))
            self._number = np.append(self._number, np.full(more, NOBODY))
            self._text = np.append(self._text, np.zeros(more, object))
