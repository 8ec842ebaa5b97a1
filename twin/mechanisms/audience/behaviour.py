"""How people behave, as the kernels take it: parameters and levers by name."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from twin.ground.rhythm import cumulated
from twin.kernels.respond import FEATURES, reaches
from twin.kernels.rules import Shelf
from twin.kernels.scene import SHOWN, Behaviour, Habits, Streams
from twin.kernels.training import HEADS
from twin.mechanisms.audience.calendar import days
from twin.mechanisms.audience.params import AudienceParams
from twin.world.mechanism import Mechanism

RATINGS_SHOWN, TOLERANCE, REPULSION = (
    "ratings.ratings_shown",
    "opinions.tolerance",
    "opinions.repulsion",
)
"""Levers of other mechanisms, which a world may lack."""


def behaviour(mechanism: Mechanism[AudienceParams]) -> Behaviour:
    """How people behave now."""
    p, stream = mechanism.p, mechanism.stream
    table = coefficients(p)
    return Behaviour(
        coefficients=table,
        reach=reaches(table),
        habits=habits(mechanism),
        shown=shown(mechanism),
        hours=cumulated(p.diurnal),
        days=days(p.calendar, mechanism.world.start),
        shelf_drawn=shelf_drawn(p),
        streams=Streams(
            session=np.uint64(stream("session")),
            visit=np.uint64(stream("visit")),
            response=np.uint64(stream("response")),
        ),
    )


def coefficients(p: AudienceParams) -> NDArray[np.float64]:
    """Intercept and weights of the features of every response, f8 (9, 1 + features)."""
    return np.array(
        [
            # Rows in the order of `Response`, columns in that of `Feature`: kernels index by these
            [getattr(getattr(p.responses, response), name) for name in ("intercept", *FEATURES)]
            for response in (*HEADS, "glad")
        ]
    )


def habits(mechanism: Mechanism[AudienceParams]) -> Habits:
    """What is one number for everybody: parameters of the same name, and levers of opinions."""
    p, levers = mechanism.p, mechanism.world.levers
    # Habits are named like parameters; those below are not
    given = {name: float(getattr(p, name)) for name in Habits._fields if hasattr(p, name)}
    return Habits(
        log_again_gap=math.log(p.again_gap),
        # 0 in a world without opinions, whose levers do not exist
        tolerance=float(levers.get(TOLERANCE) or 0.0),
        repulsion=float(levers.get(REPULSION) or 0.0),
        shelf_expectation=p.shelf_drawn.expectation,
        **given,
    )


def shelf_drawn(p: AudienceParams) -> NDArray[np.float64]:
    """What contentment with a work adds to the log-odds of looking on at its shelf, by `Shelf`."""
    made = np.zeros(len(Shelf))
    for shelf in (Shelf.CO_VIEWED, Shelf.BOUGHT_TOGETHER, Shelf.RANDOM):
        made[shelf] = getattr(p.shelf_drawn, shelf.name.lower())
    return made


def shown(mechanism: Mechanism[AudienceParams]) -> NDArray[np.void]:
    """What is shown beside a post, SHOWN (arms of consumers,)."""
    counts, world = mechanism.levers_by_arm("consumers", "counts_shown"), mechanism.world
    made = np.zeros(len(counts), SHOWN)
    made["counts_shown"] = counts
    # Without the ratings mechanism the field stays False
    if RATINGS_SHOWN in world.levers:
        made["ratings_shown"] = world.levers_by_arm("consumers", RATINGS_SHOWN)
    return made
