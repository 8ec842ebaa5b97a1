"""How far a person looks in a slate.

A person begins a session with a patience of -log(luck) and looks at another post as long as any is
left; a post takes -log P(continue) of it:

    logit P(continue) = logit(patience) + the person's shift + effect (lately - reference)

where ``lately`` is a moving mean of the chance to open and enjoy one of the last posts. Without an
effect the depth of a session is geometric.
"""

from __future__ import annotations

import math

import numpy as np

from twin.ground.compiled import inlined, inner
from twin.kernels.respond import Feature, Response, logistic, utility


@inlined
def _looks_on(shift, lately, habits):
    """log P(continue) of a person with this shift, where the last posts gave ``lately``."""
    logit = (
        math.log(habits.patience / (1 - habits.patience))
        + shift
        + habits.patience_effect * (lately - habits.satisfaction_reference)
    )
    # the logarithm of the logistic function, exact also where that is close to 1
    return -math.log1p(math.exp(-logit))


@inner
def most_looked_at(luck, shift, habits):
    """How many posts of a slate a person with this luck looks at if all are as good as can be;
    ``shift`` is the person's own, in log-odds of continuing."""
    # one post is looked at in any case; posts that always please give the upper bound
    return 1 + int(math.log(luck) / _looks_on(shift, 1.0, habits))


@inner
def tired(row, patience, lately, people, behaviour, x):
    """Patience left after a post with features x, and what the last posts gave. The feature of
    likes is used up."""
    habits, table = behaviour.habits, behaviour.coefficients
    # likes are left out, so that how far a person looks is known before the session happens
    x[Feature.PROOF] = 0.0
    gave = logistic(utility(Response.CLICK, table, x) + people.click_shift[row]) * logistic(
        utility(Response.GLAD, table, x)
    )
    lately = habits.patience_memory * lately + (1 - habits.patience_memory) * gave
    return patience + _looks_on(np.float64(people.patience_shift[row]), lately, habits), lately
