"""The true chance of a click at impressions of a serving window that has just ended, read back from
the log.

    P(click) = sigmoid(eta_click + the person's shift)                                 (`twin.kernels.respond`)

Of the features of a meeting only the likes shown, the place in the session, and how often the
creator was met before in it change within a window, and all three follow from the log, exactly: a
post's likes at an impression are those it has now, less those that the log holds from that
impression on; a session is a run of lines that begins at place 0. So nothing needs to be kept while
sessions happen. This must be called before anything else of the window's end changes people, posts
or creators.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.ground.compiled import kernel
from twin.kernels.respond import MANY, Meeting, Response, features, logistic, utility
from twin.kernels.scene import Behaviour, Makers, People, Posts

Array = Any


@kernel
def true_clicks(
    chosen: Array,
    window: Any,
    people: People,
    posts: Posts,
    makers: Makers,
    behaviour: Behaviour,
) -> Array:
    """P(click), float64 (n,), of the impressions number ``chosen`` (n, rising) of a `Window`'s
    log."""
    out, x, later = np.empty(len(chosen)), np.empty(MANY), np.zeros(len(posts.key), np.int32)
    at = len(chosen) - 1
    # from the end: what came after an impression is known when it is reached
    for i in range(len(window.post) - 1, -1, -1):
        if at < 0:
            break
        post = window.post[i]
        # with this impression's own like, which was not shown at it
        later[post] += window.responses[i] >> Response.LIKE & 1
        if i != chosen[at]:
            continue
        row, place, same = window.consumer[i], np.int64(window.place[i]), 0
        # lines of the same session
        for earlier in range(i - place, i):
            if posts.creator[window.post[earlier]] == posts.creator[post]:
                same += 1
        likes = np.int64(posts.counts[post, Response.LIKE]) - np.int64(later[post])
        meeting = Meeting(row=row, post=post, likes=likes, same=same, place=place)
        features(meeting, people, posts, makers, behaviour.shown[people.arm[row]], x)
        logit = utility(Response.CLICK, behaviour.coefficients, x) + people.click_shift[row]
        out[at] = logistic(logit)
        at -= 1
    return out
