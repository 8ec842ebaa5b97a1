"""What people did since the last training, as a ranker may learn from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.ground.errors import nearest
from twin.kernels.respond import HEADS, Response

RESPONSES = tuple(each.name.lower() for each in Response)[:HEADS]
"""Responses that a platform can see, in the order of the columns of `Batch.responses`."""


@dataclass(frozen=True)
class Lesson:
    """Impressions (k,) in the order in which they happened; read-only. Rows name people, posts and
    creators in this lesson, ids name them for good."""

    since: int
    """When the interval began, and when it ends (``until``): s since the scenario's start."""
    until: int
    person: NDArray[np.int32]
    person_id: NDArray[np.uint64]
    post: NDArray[np.int32]
    post_id: NDArray[np.uint64]
    creator: NDArray[np.int32]
    creator_id: NDArray[np.uint64]
    place: NDArray[np.uint8]
    """Place on the slate from 0 on; 0 begins a session."""
    source: NDArray[np.uint8]
    """Place in SOURCES of where the post came from. ``random`` slots are a holdout, on which the
    built-in model is never trained."""
    mask: NDArray[np.uint16]
    """Responses, a bit each."""

    def __len__(self) -> int:
        return len(self.post)

    def did(self, response: str) -> NDArray[np.bool_]:
        """Where people gave a response (one of RESPONSES), bool (k,). Raises ValueError for a name
        that is none."""
        if response not in RESPONSES:
            raise ValueError(f"no response {response!r}: {nearest(response, RESPONSES)}")
        done: NDArray[Any] = self.mask >> np.uint16(RESPONSES.index(response)) & np.uint16(1)
        return done.astype(bool)
