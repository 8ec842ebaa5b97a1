"""Series of the board as numbers of a step."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import StateError, UsageError
from twin.ground.units import DAY
from twin.scenario.model import Scenario
from twin.world.board import Board

_NAME = re.compile(r"(\w+)(?:\{(.*)\})?")


class Readings:
    """Series by name, ``satisfaction`` or ``posts{by=human}``, as a step sees them. Raises UsageError
    for one that the scenario does not have."""

    def __init__(self, scenario: Scenario, names: Sequence[str]) -> None:
        board = scenario.board()
        self.places = np.array([_place(board, name) for name in names], np.int64)
        self._counts = np.array([board.rows[place][0].counts for place in self.places], bool)
        self._before = np.zeros(len(self.places))

    def __len__(self) -> int:
        return len(self.places)

    def begin(self, board: Board) -> None:
        """Counts rise from here on."""
        self._before = board.values[self.places]

    def now(self, read: Sequence[NDArray[np.float64]], step: int) -> NDArray[np.float32]:
        """What a step of so many seconds comes to, float32, from the board's ``read`` values in it,
        one or more."""
        rows = np.array(read)[:, self.places]
        rises = (rows[-1] - self._before) / (step / DAY)
        self._before = rows[-1]
        there = np.isfinite(rows)
        means = np.where(there, rows, 0).sum(0) / np.maximum(there.sum(0), 1)
        found: NDArray[np.float32] = np.where(self._counts, rises, means).astype(np.float32)
        return found


def _place(board: Board, name: str) -> int:
    match = _NAME.fullmatch(name.strip())
    labels = dict(
        part.partition("=")[::2] for part in ((match and match[2]) or "").split(",") if part
    )
    if match is None:
        raise UsageError(f"{name}: is no series (write one such as posts{{by=human}})")
    try:
        return board.index(match[1], **labels)
    except StateError as error:
        raise UsageError(str(error)) from None
